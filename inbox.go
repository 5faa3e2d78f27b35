package souk

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// Received is an activity as it came in: bytes, not understood yet.
type Received struct {
	ID         int64
	ActivityID string
	Type       string
	Actor      string
	Host       string
	Body       []byte
	Received   time.Time
	Attempts   int
	Refused    bool // of ClaimInbox: the host was suspended meanwhile
}

// ReceiveActivity keeps an activity whose signature was verified, in one short transaction; after it the sender may be
// told 202. A second one with the same id is a replay: fresh is false and nothing changes.
func (db *DB) ReceiveActivity(ctx context.Context, r Received) (fresh bool, err error) {
	defer wrap(&err, "receive activity %s", r.ActivityID)
	now := db.Now()
	tag, err := db.q.Exec(ctx, `with new as (insert into inbox (activity_id, type, actor, host, received) values ($1, $2, $3, $4, $6)
			on conflict (activity_id) do nothing returning id)
		insert into inbox_queue (id, body, next_at) select id, $5, $6 from new`, r.ActivityID, r.Type, r.Actor, r.Host, r.Body, now)
	if err != nil {
		return false, err
	}
	if tag.RowsAffected() == 0 {
		return false, nil
	}
	db.wakeAfterCommit("inbox")
	return true, nil
}

// Sender is what the node knows of who says to have sent an activity, before anything is verified.
type Sender struct {
	Replay    bool // an activity with this id was received before
	Refused   bool // the host is suspended, or the account is
	Known     bool // the account is stored; the rest is about it
	KeyID     string
	PublicKey string // PEM
	Fetched   time.Time
	Deleted   bool

	Resting   bool       // our deliveries to the host wait
	Signature string     // how the host wants its deliveries signed
	Checked   *time.Time // when that was last found out
}

// Sender looks up, in one query, all that decides about an activity before its signature: host is that of the actor's id.
func (db *DB) Sender(ctx context.Context, activityID, actorURI, host string) (s Sender, err error) {
	defer wrap(&err, "sender %s", actorURI)
	err = db.q.QueryRow(ctx, `select exists (select from inbox where activity_id = $1),
			`+hostSuspended("$3")+` or a.suspended is not null,
			a.id is not null, coalesce(a.key_id, ''), coalesce(a.public_key, ''), coalesce(a.fetched, 'epoch'), a.deleted is not null,
			coalesce(h.next_at > $4, false), coalesce(h.signature, 'cavage'), h.signature_checked
		from (values (1)) one left join accounts a on a.uri = $2 and a.host <> '' left join hosts h on h.host = $3`, activityID, actorURI, host, db.Now()).
		Scan(&s.Replay, &s.Refused, &s.Known, &s.KeyID, &s.PublicKey, &s.Fetched, &s.Deleted, &s.Resting, &s.Signature, &s.Checked)
	return s, err
}

const (
	// maxAttempts is how often an activity is applied: half a day is enough for what needs another node to answer.
	maxAttempts = 9
	// maxClaims is how often one is taken up at most: one that takes the process down each time would come back for ever.
	maxClaims = 2 * maxAttempts
)

// ClaimInbox takes up to limit received activities that are due, the oldest first, and leases them for the given time:
// if the process dies, they are due again after it.
func (db *DB) ClaimInbox(ctx context.Context, limit int, lease time.Duration) (_ []Received, err error) {
	defer wrap(&err, "claim inbox")
	now := db.Now()
	rows, err := db.q.Query(ctx, `with due as (select id from inbox_queue where next_at <= $1 order by id limit $2 for update skip locked),
		claimed as (update inbox_queue q set attempts = q.attempts + 1, next_at = $3, note = '' from due where q.id = due.id returning q.id, q.body, q.attempts)
		select i.id, i.activity_id, i.type, i.actor, i.host, c.body, i.received, c.attempts, `+hostSuspended("i.host")+`
		from claimed c join inbox i on i.id = c.id order by i.id`, now, limit, now.Add(lease))
	if err != nil {
		return nil, err
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Received])
	if err != nil {
		return nil, err
	}
	kept := list[:0]
	for _, r := range list {
		if r.Attempts <= maxClaims {
			kept = append(kept, r)
		} else if err := db.AppliedActivity(ctx, r.ID, "failed", "taken up too often without an end"); err != nil {
			return nil, err
		}
	}
	return kept, nil
}

// ReleaseInbox ends the leases of ClaimInbox; for a process that knows that it is the only one, and that it applies nothing now.
func (db *DB) ReleaseInbox(ctx context.Context) (err error) {
	defer wrap(&err, "release inbox")
	// What was put off has a note why; what was being applied has none.
	_, err = db.q.Exec(ctx, `update inbox_queue set next_at = $1 where next_at > $1 and note = ''`, db.Now())
	return err
}

// AppliedActivity marks a received activity as dealt with: state "done", or "ignored" or "failed" with the reason.
// Called in the transaction that applies it. The bytes go then: what they said is in other tables, unless it failed.
func (db *DB) AppliedActivity(ctx context.Context, id int64, state, note string) (err error) {
	defer wrap(&err, "applied activity %d", id)
	if state == "done" {
		_, err = db.q.Exec(ctx, `delete from inbox_queue where id = $1`, id)
		return err
	}
	_, err = db.q.Exec(ctx, `with ended as (delete from inbox_queue where id = $1 returning id, body)
		update inbox i set state = $2, note = $3, body = case when $2 = 'failed' then ended.body else '' end from ended where i.id = ended.id`,
		id, state, truncate(note, 500))
	return err
}

// RetryActivity puts off a received activity that could not be applied now; after the last attempt of the schedule it
// has failed.
func (db *DB) RetryActivity(ctx context.Context, r Received, reason string) (err error) {
	defer wrap(&err, "retry activity %d", r.ID)
	if r.Attempts >= maxAttempts {
		return db.AppliedActivity(ctx, r.ID, "failed", reason)
	}
	_, err = db.q.Exec(ctx, `update inbox_queue set next_at = $2, note = $3 where id = $1`, r.ID, db.Now().Add(db.Backoff(r.Attempts)), truncate(reason, 500))
	return err
}

// Backoff is how long to wait after the n-th failed attempt (from 1), with its jitter.
func (db *DB) Backoff(n int) time.Duration { return db.spread(db.step(n)) }

// step is how long to wait after the n-th failed attempt (from 1).
func (db *DB) step(n int) time.Duration { return db.cfg.Backoff[min(max(n, 1), len(db.cfg.Backoff))-1] }

// spread adds jitter to a wait.
func (db *DB) spread(wait time.Duration) time.Duration {
	return wait + time.Duration(float64(wait)/4*db.cfg.Jitter())
}

// InboxWaiting counts what is received and not applied yet.
func (db *DB) InboxWaiting(ctx context.Context) (n int, err error) {
	defer wrap(&err, "inbox waiting")
	err = db.q.QueryRow(ctx, `select count(*) from inbox_queue`).Scan(&n)
	return n, err
}

// PruneInbox forgets activities applied longer ago than keep; their ids then no longer catch replays, which by that
// time are refused for their old date.
func (db *DB) PruneInbox(ctx context.Context, keep time.Duration) (n int64, err error) {
	defer wrap(&err, "prune inbox")
	tag, err := db.q.Exec(ctx, `delete from inbox i where received < $1 and not exists (select from inbox_queue q where q.id = i.id)`, db.Now().Add(-keep))
	return tag.RowsAffected(), err
}
