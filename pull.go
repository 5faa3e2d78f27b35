package souk

import (
	"context"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
)

const (
	// MaxFollowerList is how many bytes a list of followers may have.
	MaxFollowerList = 2 << 20
	// maxPulled is how many followers of old accounts are kept of one account.
	maxPulled = 20_000
	// pullAgainAfter is after what time a follower who was told may be told again.
	pullAgainAfter = 7 * 24 * time.Hour
	// Of one list so many followers are looked up at a time, and the next ones later: other lists are not kept waiting.
	pullBatch, pullGap = 50, 10 * time.Second
)

// pullRetries is when a host that does not answer is asked again for the followers that it has; after the last they failed.
var pullRetries = []time.Duration{10 * time.Minute, time.Hour, 6 * time.Hour, 24 * time.Hour}

// What became of a follower of an old account.
const (
	PullWaiting = "waiting"
	PullTold    = "told"
	PullFailed  = "failed"
	PullStopped = "stopped"
)

// Why a follower was not told (PulledFollower.Reason).
const (
	PullUnknown = "unknown" // its server knows nobody of that name
	PullBlocked = "blocked" // its server is blocked here
	PullSilent  = "silent"  // its server does not answer
	PullUnnamed = "unnamed" // of this node, where nothing says that the old account agrees
)

// ListedFollower is one line of a list of followers.
type ListedFollower struct {
	Line   int
	Handle string // name@host
	Host   string
}

// PulledFollower is a follower of an old account who is told that it goes on as AccountID.
type PulledFollower struct {
	AccountID int64
	OldURI    string
	Handle    string // name@host
	Host      string
	Line      int
	Attempts  int
	Reason    string
}

// Pull is how far the followers of one old account were told.
type Pull struct {
	OldURI                         string
	Waiting, Told, Failed, Stopped int
}

// ParseFollowerList reads a list of followers: CSV as Mastodon exports it (a column "Account address"), or a handle on each
// line. Each follower comes once. *Invalid names the wrong lines ("line[7]"), or "list" where nothing can be read.
func ParseFollowerList(text string) (list []ListedFollower, err error) {
	defer wrap(&err, "follower list")
	if len(text) > MaxFollowerList {
		return nil, invalid("list", "too_long", "at most %d bytes", MaxFollowerList)
	}
	e, seen, column := &Invalid{}, map[string]bool{}, -1
	r := csv.NewReader(strings.NewReader(strings.TrimPrefix(text, "\ufeff")))
	r.FieldsPerRecord, r.TrimLeadingSpace = -1, true
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			line := 1
			if parse := (*csv.ParseError)(nil); errors.As(err, &parse) {
				line = parse.Line
			}
			wrongLine(e, line, "csv", "not readable as CSV")
			break
		}
		if column < 0 {
			column = max(0, slices.IndexFunc(row, isHandleColumn))
			if isHandleColumn(row[column]) {
				continue
			}
		}
		if column >= len(row) || strings.TrimSpace(row[column]) == "" {
			continue
		}
		line, _ := r.FieldPos(0)
		name, domain, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(row[column]), "@"), "@")
		host, ok := NormalDomain(domain)
		if !ok || name == "" || strings.ContainsAny(name, "/?#:* ") || strings.HasPrefix(domain, "*") || len(name)+len(host) > 300 {
			wrongLine(e, line, "handle", "%.100q is no handle", row[column])
			continue
		}
		if handle := name + "@" + host; !seen[strings.ToLower(handle)] {
			seen[strings.ToLower(handle)] = true
			list = append(list, ListedFollower{Line: line, Handle: handle, Host: host})
		}
	}
	switch err := e.Err(); {
	case err != nil:
		return nil, err
	case len(list) == 0:
		return nil, invalid("list", "required", "the list is empty")
	case len(list) > maxPulled:
		return nil, invalid("list", "pull_many", "at most %d followers", maxPulled)
	}
	return list, nil
}

func isHandleColumn(s string) bool { return strings.EqualFold(strings.TrimSpace(s), "Account address") }

// PullArgs tells followers of old accounts that are due (federation, every minute).
type PullArgs struct{}

// Kind names the job.
func (PullArgs) Kind() string { return "pull" }

// PullOpts are the options of that job: unique in its minute only, since River counts what a dead process had begun.
func PullOpts() *river.InsertOpts {
	return &river.InsertOpts{MaxAttempts: 1, UniqueOpts: river.UniqueOpts{ByArgs: true, ByPeriod: time.Minute}}
}

// StartPull has the listed followers of an old account told that it goes on as this one, which must call it an alias of its own.
// Who was told less than 7 days ago is not told again, so a list may be given twice. *Invalid: "old", "list".
func (db *DB) StartPull(ctx context.Context, accountID int64, oldURI string, list []ListedFollower) (err error) {
	defer wrap(&err, "start pull of %s to %d", oldURI, accountID)
	return db.Tx(ctx, func(tx *DB) error {
		a, err := tx.accountWhere(ctx, `id = $1 and host = '' and deleted is null for update`, accountID)
		switch {
		case err != nil:
			return err
		case !a.Person() || a.Suspended != nil:
			return ErrForbidden
		case !slices.Contains(a.AlsoKnownAs, oldURI):
			return invalid("old", "pull_alias", "name the old account as your own first")
		}
		if err := a.stays(); err != nil {
			return err
		}
		handles, hosts, lines := make([]string, len(list)), make([]string, len(list)), make([]int, len(list))
		for i, f := range list {
			handles[i], hosts[i], lines[i] = f.Handle, f.Host, f.Line
		}
		now := tx.Now()
		if _, err := tx.q.Exec(ctx, `insert into pulled_followers as p (account_id, old_uri, handle, host, line, next_at)
			select $1, $2, l.handle, l.host, l.line, $6::timestamptz + (n - 1) / $8::int * $9::interval
			from unnest($3::text[], $4::text[], $5::int[]) with ordinality as l (handle, host, line, n)
			on conflict (account_id, old_uri, handle) do update set line = excluded.line, state = 'waiting', attempts = 0, reason = '', inbox = '', next_at = excluded.next_at
			where p.state in ('failed', 'stopped') or p.state = 'told' and p.next_at <= $7`,
			a.ID, oldURI, handles, hosts, lines, now, now.Add(-pullAgainAfter), pullBatch, pullGap); err != nil {
			return err
		}
		var n int
		if err := tx.q.QueryRow(ctx, `select count(*) from pulled_followers where account_id = $1`, a.ID).Scan(&n); err != nil {
			return err
		}
		if n > maxPulled {
			return invalid("list", "pull_many", "at most %d followers", maxPulled)
		}
		return tx.job(ctx, PullArgs{}, PullOpts())
	})
}

// StopPull leaves the followers that were not told yet alone.
func (db *DB) StopPull(ctx context.Context, accountID int64) (err error) {
	defer wrap(&err, "stop pull to %d", accountID)
	_, err = db.q.Exec(ctx, `update pulled_followers set state = 'stopped', next_at = $2 where account_id = $1 and state = 'waiting'`, accountID, db.Now())
	return err
}

// Pulls are how far the followers of the account's old ones were told.
func (db *DB) Pulls(ctx context.Context, accountID int64) (_ []Pull, err error) {
	defer wrap(&err, "pulls to %d", accountID)
	rows, err := db.q.Query(ctx, `select old_uri, count(*) filter (where state = 'waiting') as waiting, count(*) filter (where state = 'told') as told,
		count(*) filter (where state = 'failed') as failed, count(*) filter (where state = 'stopped') as stopped
		from pulled_followers where account_id = $1 group by old_uri order by old_uri`, accountID)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[Pull])
}

const pulledColumns = `p.account_id, p.old_uri, p.handle, p.host, p.line, p.attempts, p.reason`

// FailedPulls are the followers who could not be told, in the order of their lines, at most limit.
func (db *DB) FailedPulls(ctx context.Context, accountID int64, limit int) (_ []PulledFollower, err error) {
	defer wrap(&err, "failed pulls to %d", accountID)
	rows, err := db.q.Query(ctx, `select `+pulledColumns+` from pulled_followers p where account_id = $1 and state = 'failed' order by old_uri, line limit $2`, accountID, limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[PulledFollower])
}

// NextPulled is a follower who is to be told now, kept from others for the lease; ErrNotFound where nobody is.
func (db *DB) NextPulled(ctx context.Context, lease time.Duration) (_ *PulledFollower, err error) {
	defer wrap(&err, "next pulled")
	rows, err := db.q.Query(ctx, `with due as (select p.account_id, p.old_uri, p.handle from pulled_followers p join accounts a on a.id = p.account_id
			where p.state = 'waiting' and p.next_at <= $1 and a.deleted is null and a.suspended is null and a.moved_to = ''
			order by p.next_at, p.line limit 1 for update of p skip locked)
		update pulled_followers p set next_at = $2 from due where p.account_id = due.account_id and p.old_uri = due.old_uri and p.handle = due.handle
		returning `+pulledColumns, db.Now(), db.Now().Add(lease))
	if err != nil {
		return nil, err
	}
	return pgx.CollectExactlyOneRow(rows, pgx.RowToAddrOfStructByName[PulledFollower])
}

// Pulled notes that a follower is told, and has federation tell it, unless somebody at the same inbox was told. One of this
// node has been dealt with.
func (db *DB) Pulled(ctx context.Context, p *PulledFollower, follower *Account) (err error) {
	defer wrap(&err, "pulled %s", p.Handle)
	inbox := follower.SharedInbox
	if inbox == "" {
		inbox = follower.Inbox
	}
	return db.Tx(ctx, func(tx *DB) error {
		var first bool
		err := tx.q.QueryRow(ctx, `update pulled_followers p set state = 'told', inbox = $4, next_at = $5, reason = ''
			where account_id = $1 and old_uri = $2 and handle = $3 and state = 'waiting' returning not exists (select from pulled_followers o
				where o.account_id = p.account_id and o.old_uri = p.old_uri and o.state = 'told' and o.inbox = $4)`,
			p.AccountID, p.OldURI, p.Handle, inbox, tx.Now()).Scan(&first)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil // stopped meanwhile
		}
		if err != nil || !first || follower.Local() {
			return err
		}
		return tx.emit(ctx, Event{Kind: EventPulled, AccountID: p.AccountID, TargetID: follower.ID, URI: p.OldURI}, true)
	})
}

// PullFails notes why a follower cannot be told.
func (db *DB) PullFails(ctx context.Context, p *PulledFollower, reason string) (err error) {
	defer wrap(&err, "pull of %s fails", p.Handle)
	_, err = db.q.Exec(ctx, `update pulled_followers set state = 'failed', reason = $4, next_at = $5
		where account_id = $1 and old_uri = $2 and handle = $3 and state = 'waiting'`, p.AccountID, p.OldURI, p.Handle, reason, db.Now())
	return err
}

// PutOffPulls leaves all followers of a host for later: by the given time, or, where that is 0, by as long as a host is left
// alone that does not answer once more; where it has not for long, they fail.
func (db *DB) PutOffPulls(ctx context.Context, p *PulledFollower, by time.Duration) (err error) {
	defer wrap(&err, "put off pulls of %s", p.Host)
	attempts := p.Attempts
	if by == 0 {
		if attempts++; attempts > len(pullRetries) {
			return db.PullFails(ctx, p, PullSilent)
		}
		by = pullRetries[attempts-1]
	}
	_, err = db.q.Exec(ctx, `update pulled_followers set attempts = greatest(attempts, $2), next_at = $3 where host = $1 and state = 'waiting' and next_at < $3`,
		p.Host, attempts, db.Now().Add(by))
	return err
}
