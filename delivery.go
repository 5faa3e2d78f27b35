package souk

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// Delivery is one activity on its way to one inbox.
type Delivery struct {
	ID         int64
	ActivityID int64
	SenderID   int64
	Inbox      string
	Host       string
	State      string // queued, delivered, failed, dropped
	Attempts   int
	NextAt     time.Time
	Status     int
	Error      string
	Created    time.Time
	Done       *time.Time
	Type       string // of the activity
	ObjectURI  string // of the activity
}

const deliveryColumns = `d.id, d.activity_id, d.sender_id, d.inbox, d.host, d.state, d.attempts, d.next_at, d.status, d.error, d.created, d.done,
	a.type, a.object_uri`

// DeadAfterDays is on how many different days a host must have failed, without one success between, before it counts as
// dead (the rule Mastodon uses); then it is tried once a day until it answers.
const DeadAfterDays = 7

// deadRetry is how often a dead host is tried, and the longest that a Retry-After is heeded.
const deadRetry = 24 * time.Hour

// ClaimHosts leases up to limit hosts that have a delivery due, so that one process at a time sends to a host, in order.
func (db *DB) ClaimHosts(ctx context.Context, limit int, lease time.Duration) (_ []string, err error) {
	defer wrap(&err, "claim hosts")
	now := db.Now()
	var hosts []string
	err = db.Tx(ctx, func(tx *DB) error {
		// A host is due when its oldest queued delivery is: the order within a host is kept.
		rows, err := tx.q.Query(ctx, `with due as (
				select h.host from hosts h
				where not h.held and h.severity <> 'suspend' and (h.leased_until is null or h.leased_until <= $1) and (h.next_at is null or h.next_at <= $1)
				and exists (select from deliveries d where d.host = h.host and d.state = 'queued' and d.next_at <= $1)
				order by h.next_at nulls first limit $2 for update skip locked)
			update hosts h set leased_until = $3 from due where h.host = due.host returning h.host`, now, limit, now.Add(lease))
		if err != nil {
			return err
		}
		hosts, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	})
	return hosts, err
}

// ExtendHost keeps a leased host for longer.
func (db *DB) ExtendHost(ctx context.Context, host string, lease time.Duration) (err error) {
	defer wrap(&err, "extend host %s", host)
	_, err = db.q.Exec(ctx, `update hosts set leased_until = $2 where host = $1`, host, db.Now().Add(lease))
	return err
}

// ReleaseHost ends the lease.
func (db *DB) ReleaseHost(ctx context.Context, host string) (err error) {
	defer wrap(&err, "release host %s", host)
	_, err = db.q.Exec(ctx, `update hosts set leased_until = null where host = $1`, host)
	return err
}

// ReleaseAllHosts ends leases that a process left behind; only for the one process of a private cluster, at its start.
func (db *DB) ReleaseAllHosts(ctx context.Context) (err error) {
	defer wrap(&err, "release all hosts")
	if _, err = db.q.Exec(ctx, `update hosts set leased_until = null where leased_until is not null`); err != nil {
		return err
	}
	_, err = db.q.Exec(ctx, `update inbox set next_at = $1 where state = 'queued' and next_at > $1 and attempts <= 1`, db.Now())
	return err
}

// DueDeliveries are the next deliveries to a host, the oldest first, with the bytes to send.
func (db *DB) DueDeliveries(ctx context.Context, host string, limit int) (_ []Delivery, bodies map[int64][]byte, err error) {
	defer wrap(&err, "deliveries to %s", host)
	type delivery struct {
		Delivery
		Body []byte
	}
	rows, err := db.q.Query(ctx, `select `+deliveryColumns+`, a.body from deliveries d join activities a on a.id = d.activity_id
		where d.host = $1 and d.state = 'queued' and d.next_at <= $2 order by d.id limit $3`, host, db.Now(), limit)
	if err != nil {
		return nil, nil, err
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[delivery])
	if err != nil {
		return nil, nil, err
	}
	list := make([]Delivery, len(found))
	bodies = map[int64][]byte{}
	for i, f := range found {
		list[i], bodies[f.ActivityID] = f.Delivery, f.Body
	}
	return list, bodies, nil
}

// Delivered notes the success of a delivery and that its host lives.
func (db *DB) Delivered(ctx context.Context, d Delivery, status int) (err error) {
	defer wrap(&err, "delivered %d", d.ID)
	now := db.Now()
	batch := &pgx.Batch{}
	batch.Queue(`update deliveries set state = 'delivered', attempts = attempts + 1, status = $2, error = '', done = $3 where id = $1`, d.ID, status, now)
	batch.Queue(`update hosts set failures = 0, failing_since = null, failed_days = 0, last_failure_day = null, dead_since = null, next_at = null, last_success = $2, last_error = ''
		where host = $1 and (failures > 0 or dead_since is not null or last_success is null or last_success < $2::timestamptz - interval '1 minute')`, d.Host, now)
	return db.q.SendBatch(ctx, batch).Close()
}

// DeliveryFailed notes a failure. A permanent one ends the delivery; otherwise the whole host waits: retryAfter where
// it asked for that, else by the backoff schedule, so that a dead host costs one attempt a step and not one a delivery.
func (db *DB) DeliveryFailed(ctx context.Context, d Delivery, status int, reason string, permanent bool, retryAfter time.Duration) (err error) {
	defer wrap(&err, "delivery %d failed", d.ID)
	now := db.Now()
	return db.Tx(ctx, func(tx *DB) error {
		if permanent {
			_, err := tx.q.Exec(ctx, `update deliveries set state = 'failed', attempts = attempts + 1, status = $2, error = $3, done = $4 where id = $1`,
				d.ID, status, truncate(reason, 300), now)
			return err
		}
		wait := tx.Backoff(d.Attempts + 1)
		if retryAfter > 0 {
			wait = min(retryAfter, deadRetry)
		}
		var dead bool
		if err := tx.q.QueryRow(ctx, `update hosts set failures = failures + 1, failing_since = coalesce(failing_since, $2), last_error = $3,
				failed_days = failed_days + case when last_failure_day is distinct from date_trunc('day', $2::timestamptz) then 1 else 0 end,
				last_failure_day = date_trunc('day', $2::timestamptz)
			where host = $1 returning failed_days >= $4`, d.Host, now, truncate(reason, 300), DeadAfterDays).Scan(&dead); err != nil {
			return err
		}
		if dead {
			wait = max(wait, deadRetry)
		}
		if _, err := tx.q.Exec(ctx, `update hosts set next_at = $2, dead_since = case when $3 then coalesce(dead_since, $4) end where host = $1`,
			d.Host, now.Add(wait), dead, now); err != nil {
			return err
		}
		state, done := "queued", (*time.Time)(nil)
		if d.Attempts+1 > len(tx.cfg.Backoff) {
			state, done = "failed", &now
		}
		_, err := tx.q.Exec(ctx, `update deliveries set state = $2, attempts = attempts + 1, status = $3, error = $4, next_at = $5, done = $6 where id = $1`,
			d.ID, state, status, truncate(reason, 300), now.Add(wait), done)
		return err
	})
}

// DropInbox forgets an inbox that is gone for good (404 or 410): followers behind it no longer count.
func (db *DB) DropInbox(ctx context.Context, inbox string) (err error) {
	defer wrap(&err, "drop inbox %s", inbox)
	return db.Tx(ctx, func(tx *DB) error {
		if _, err := tx.q.Exec(ctx, `delete from follows using accounts a where a.id = follower_id and a.inbox = $1 and a.host <> ''`, inbox); err != nil {
			return err
		}
		_, err := tx.q.Exec(ctx, `update deliveries set state = 'failed', error = 'inbox gone', done = $2 where inbox = $1 and state = 'queued'`, inbox, tx.Now())
		return err
	})
}

// HostSignature notes how a host wants its deliveries signed: "cavage" or "rfc9421".
func (db *DB) HostSignature(ctx context.Context, host, signature string) (err error) {
	defer wrap(&err, "signature of host %s", host)
	_, err = db.q.Exec(ctx, `insert into hosts (host, signature, signature_checked) values ($1, $2, $3)
		on conflict (host) do update set signature = excluded.signature, signature_checked = excluded.signature_checked`, host, signature, db.Now())
	return err
}

// HostSignatures are how each of the hosts wants its deliveries signed: "cavage" or "rfc9421".
func (db *DB) HostSignatures(ctx context.Context, hosts []string) (_ map[string]string, err error) {
	defer wrap(&err, "signatures of hosts")
	rows, err := db.q.Query(ctx, `select host, signature from hosts where host = any($1)`, hosts)
	if err != nil {
		return nil, err
	}
	signatures := make(map[string]string, len(hosts))
	var host, signature string
	_, err = pgx.ForEachRow(rows, []any{&host, &signature}, func() error { signatures[host] = signature; return nil })
	return signatures, err
}

// Deliveries of a post (postID > 0) or to a host (host not empty), the newest first: why did this not arrive?
func (db *DB) Deliveries(ctx context.Context, postID int64, host, state string, page Page) (_ []Delivery, err error) {
	defer wrap(&err, "deliveries")
	// Only what is asked about is in the query: each has its index, which a condition that may be switched off does not use.
	where, args := `d.id < $1 and d.id > $2`, []any{page.before(), page.After}
	narrow := func(column string, value any) {
		args = append(args, value)
		where += ` and ` + column + ` = ` + param(len(args))
	}
	if postID != 0 {
		narrow(`a.post_id`, postID)
	}
	if host != "" {
		narrow(`d.host`, host)
	}
	if state == "queued" || state == "failed" { // by name, as their indexes have it
		where += ` and d.state = '` + state + `'`
	} else if state != "" {
		narrow(`d.state`, state)
	}
	rows, err := db.q.Query(ctx, `select `+deliveryColumns+` from deliveries d join activities a on a.id = d.activity_id
		where `+where+` order by d.id `+page.order()+` limit `+param(len(args)+1), append(args, page.limit())...)
	if err != nil {
		return nil, err
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Delivery])
	return newestFirst(page, list), err
}

// NextDelivery is when the earliest waiting delivery is due; ErrNotFound where none waits.
func (db *DB) NextDelivery(ctx context.Context) (at time.Time, err error) {
	defer wrap(&err, "next delivery")
	err = db.q.QueryRow(ctx, `select next_at from deliveries where state = 'queued' order by next_at limit 1`).Scan(&at)
	return at, err
}
