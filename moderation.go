package souk

import (
	"context"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// Host is what the node knows of another one.
type Host struct {
	Host         string
	Seen         *time.Time
	Software     string
	CatalogueURI string
	Signature    string // how it wants its deliveries signed: cavage or rfc9421
	Failures     int
	DeadSince    *time.Time
	NextAt       *time.Time
	LastSuccess  *time.Time
	LastError    string
	Held         bool
	Severity     string // our block: "", silence, suspend
	RejectMedia  bool
	Reason       string
}

const hostColumns = `host, seen, software, catalogue_uri, signature, failures, dead_since, next_at, last_success, last_error, held,
	severity, reject_media, reason`

// Severities of a domain block.
const (
	Silence = "silence" // kept out of public places; followers still see it
	Suspend = "suspend" // nothing is accepted from it and nothing sent to it
)

func (db *DB) seenHost(ctx context.Context, host string) error {
	_, err := db.q.Exec(ctx, `insert into hosts (host, seen) values ($1, $2) on conflict (host) do update set seen = excluded.seen
		where hosts.seen is null or hosts.seen < excluded.seen - interval '1 hour'`, host, db.Now())
	return err
}

// Host is what is known of another node; ErrNotFound where nothing is.
func (db *DB) Host(ctx context.Context, host string) (_ *Host, err error) {
	defer wrap(&err, "host %s", host)
	rows, err := db.q.Query(ctx, `select `+hostColumns+` from hosts where host = lower($1)`, host)
	if err != nil {
		return nil, err
	}
	return pgx.CollectExactlyOneRow(rows, pgx.RowToAddrOfStructByName[Host])
}

// DescribeHost stores what another node says of itself.
func (db *DB) DescribeHost(ctx context.Context, host, software, catalogueURI string) (err error) {
	defer wrap(&err, "describe host %s", host)
	_, err = db.q.Exec(ctx, `insert into hosts (host, seen, software, catalogue_uri) values (lower($1), $2, $3, $4)
		on conflict (host) do update set software = excluded.software, catalogue_uri = excluded.catalogue_uri, seen = excluded.seen`,
		host, db.Now(), truncate(software, 100), catalogueURI)
	return err
}

// BlockHost sets or lifts (severity "") a domain block. Only the owner may. A suspended host's follows end, and what
// it published leaves the search index.
func (db *DB) BlockHost(ctx context.Context, by int64, host, severity, reason string) (err error) {
	defer wrap(&err, "block host %s", host)
	if severity != "" && severity != Silence && severity != Suspend {
		return invalid("severity", "severity", "use silence, suspend or nothing")
	}
	host = strings.ToLower(strings.TrimSpace(host))
	switch {
	case host == "" || len(host) > 260 || strings.ContainsAny(host, "/@?#%\\ \t\n") || strings.ContainsRune(host, 0):
		return invalid("host", "host", "write a host such as far.example, without https:// before it")
	case host == strings.ToLower(db.Domain()), host == strings.ToLower(db.HandleDomain()):
		return invalid("host", "host_own", "this is the node itself")
	}
	return db.Tx(ctx, func(tx *DB) error {
		if err := tx.requireOwner(ctx, by); err != nil {
			return err
		}
		if _, err := tx.q.Exec(ctx, `insert into hosts (host, severity, reason) values ($1, $2, $3)
			on conflict (host) do update set severity = excluded.severity, reason = excluded.reason`, host, severity, truncate(reason, 500)); err != nil {
			return err
		}
		if severity == Suspend {
			if _, err := tx.q.Exec(ctx, `delete from follows using accounts a where a.host = $1 and a.id in (follower_id, followee_id)`, host); err != nil {
				return err
			}
			if _, err := tx.q.Exec(ctx, `update deliveries set state = 'dropped', error = 'host blocked', done = $2 where host = $1 and state = 'queued'`, host, tx.Now()); err != nil {
				return err
			}
		}
		if _, err := tx.q.Exec(ctx, `insert into search_outbox (object_kind, object_id, version, queued)
			select 'post', p.id, $2, $3 from posts p join accounts a on a.id = p.account_id
				where a.host = $1 and p.deleted is null and p.visibility = 'public' and p.kind <> 'boost' `+indexAgain,
			host, tx.Now().UnixMicro(), tx.Now()); err != nil {
			return err
		}
		tx.wakeAfterCommit("index")
		return tx.touchShop(ctx)
	})
}

// BlockedHosts are the domain blocks.
func (db *DB) BlockedHosts(ctx context.Context) (_ []Host, err error) {
	defer wrap(&err, "blocked hosts")
	rows, err := db.q.Query(ctx, `select `+hostColumns+` from hosts where severity <> '' order by host`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[Host])
}

// Refused reports whether nothing is accepted from the actor: its host is suspended, or the account is.
func (db *DB) Refused(ctx context.Context, host, actorURI string) (yes bool, err error) {
	defer wrap(&err, "refused %s", actorURI)
	err = db.q.QueryRow(ctx, `select exists (select from hosts where host = $1 and severity = 'suspend')
		or exists (select from accounts where uri = $2 and suspended is not null)`, host, actorURI).Scan(&yes)
	return yes, err
}

// Block makes an account block another: no follows either way, no replies or likes from the other any more. Of accounts of
// other nodes it notes that they block one of ours.
func (db *DB) Block(ctx context.Context, blockerID, blockedID int64) (err error) {
	defer wrap(&err, "block %d by %d", blockedID, blockerID)
	return db.Tx(ctx, func(tx *DB) error {
		if blockerID == blockedID {
			return invalid("account", "block_self", "an account cannot block itself")
		}
		blocker, err := tx.Account(ctx, blockerID)
		if err != nil {
			return err
		}
		// In the order of ids, so that two who block each other do not wait for each other (lockPair).
		if _, err := tx.q.Exec(ctx, `select from accounts where id in ($1, $2) order by id for update`, blockerID, blockedID); err != nil {
			return err
		}
		if _, err := tx.q.Exec(ctx, `insert into blocks (blocker_id, blocked_id, uri, created) values ($1, $2, $3, $4) on conflict do nothing`,
			blockerID, blockedID, blocker.URI+"#blocks/"+formatID(tx.NewID()), tx.Now()); err != nil {
			return err
		}
		if err := tx.endFollows(ctx, blocker, blockedID); err != nil {
			return err
		}
		return tx.touchShop(ctx)
	})
}

// endFollows ends the follows between a blocker and another account. The other's node is told of what our blocker ends, as
// if it had unfollowed and refused: it would go on sending, and believe itself followed.
func (db *DB) endFollows(ctx context.Context, blocker *Account, otherID int64) error {
	rows, err := db.q.Query(ctx, `delete from follows where (follower_id, followee_id) in (($1, $2), ($2, $1)) returning `+followColumns, blocker.ID, otherID)
	if err != nil {
		return err
	}
	ended, err := pgx.CollectRows(rows, pgx.RowToStructByName[Follow])
	if err != nil || len(ended) == 0 || !blocker.Local() {
		return err
	}
	other, err := db.accountWhere(ctx, `id = $1`, otherID)
	if err != nil || other.Local() {
		return err
	}
	for _, f := range ended {
		kind := EventFollowRejected
		if f.FollowerID == blocker.ID {
			kind = EventUnfollowed
		}
		if err := db.emit(ctx, Event{Kind: kind, AccountID: blocker.ID, TargetID: other.ID, URI: f.URI}, true); err != nil {
			return err
		}
	}
	return nil
}

// Unblock lifts a block.
func (db *DB) Unblock(ctx context.Context, blockerID, blockedID int64) (err error) {
	defer wrap(&err, "unblock %d by %d", blockedID, blockerID)
	_, err = db.q.Exec(ctx, `delete from blocks where blocker_id = $1 and blocked_id = $2`, blockerID, blockedID)
	return err
}

// Blocked are the accounts that a local account blocks, the newest block first.
func (db *DB) Blocked(ctx context.Context, blockerID int64) (_ []Account, err error) {
	defer wrap(&err, "blocked by %d", blockerID)
	return db.accountsWhere(ctx, `id in (select blocked_id from blocks where blocker_id = $1)
		order by (select created from blocks where blocker_id = $1 and blocked_id = accounts.id) desc limit 500`, blockerID)
}

// notBlocked is ErrForbidden where the account blocks the other.
func (db *DB) notBlocked(ctx context.Context, accountID, otherID int64) error {
	var blocked bool
	if err := db.q.QueryRow(ctx, `select exists (select from blocks where blocker_id = $1 and blocked_id = $2)`, accountID, otherID).Scan(&blocked); err != nil {
		return err
	}
	if blocked {
		return ErrForbidden
	}
	return nil
}

func (db *DB) requireOwner(ctx context.Context, accountID int64) error {
	var owner bool
	if err := db.q.QueryRow(ctx, `select exists (select from accounts where id = $1 and role = 'owner' and deleted is null)`, accountID).Scan(&owner); err != nil {
		return err
	}
	if !owner {
		return ErrForbidden
	}
	return nil
}
