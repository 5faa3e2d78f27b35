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
	PostID     *int64 // of the activity
}

// SameObject reports whether two deliveries are about one object, so that their order matters.
func (d *Delivery) SameObject(other Delivery) bool {
	return d.ObjectURI == other.ObjectURI || d.PostID != nil && other.PostID != nil && *d.PostID == *other.PostID
}

const deliveryColumns = `d.id, d.activity_id, d.sender_id, d.inbox, d.host, d.state, d.attempts, d.next_at, d.status, d.error, d.created, d.done,
	a.type, a.object_uri, a.post_id`

// Why a delivery ended although no host refused it, as Delivery.Error says it.
const (
	EndInboxGone   = "the inbox is gone"
	EndNoCreate    = "what it changes never arrived there"
	EndTooOld      = "given up after too long"
	EndHostBlocked = "host blocked"
	EndByOwner     = "dropped by the owner"
	EndSenderGone  = "the account is deleted"
)

// DeadAfterDays is on how many different days a host must have failed, without one success between, before it counts as
// dead (the rule Mastodon uses); then it is tried once a day until it answers.
const DeadAfterDays = 7

const (
	// deadRetry is how often a dead host is tried, and the longest that any host rests or a Retry-After is heeded.
	deadRetry = 24 * time.Hour
	// letThroughEvery is how often at most a resting host is tried early because it spoke to us: one that talks but does
	// not listen must not be asked for each word that it says.
	letThroughEvery = time.Minute
	// newerEvery is how often a host that takes only the older form of signatures is asked again for the newer one.
	newerEvery = 7 * 24 * time.Hour
)

// ClaimHosts leases up to limit hosts that have a delivery due, so that one process at a time sends to a host, in order.
func (db *DB) ClaimHosts(ctx context.Context, limit int, lease time.Duration) (_ []string, err error) {
	defer wrap(&err, "claim hosts")
	now := db.Now()
	var hosts []string
	err = db.Tx(ctx, func(tx *DB) error {
		// Hosts that fail come last: what is well need not wait behind them.
		rows, err := tx.q.Query(ctx, `with due as (
				select h.host from hosts h
				where not h.held and h.severity <> 'suspend' and (h.leased_until is null or h.leased_until <= $1) and (h.next_at is null or h.next_at <= $1)
				and exists (select from deliveries d where d.host = h.host and d.state = 'queued' and d.next_at <= $1)
				order by h.next_at nulls first, h.host limit $2 for update skip locked)
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

// ReleaseHost ends the leases of some hosts.
func (db *DB) ReleaseHost(ctx context.Context, hosts ...string) (err error) {
	defer wrap(&err, "release %d hosts", len(hosts))
	_, err = db.q.Exec(ctx, `update hosts set leased_until = null
		where host in (select host from hosts where host = any($1) order by host for update)`, hosts)
	return err
}

// ReleaseHosts ends the leases of all hosts; for a process that knows that it is the only one, and that it delivers nothing now.
func (db *DB) ReleaseHosts(ctx context.Context) (err error) {
	defer wrap(&err, "release hosts")
	_, err = db.q.Exec(ctx, `update hosts set leased_until = null where leased_until is not null`)
	return err
}

// DueDeliveries are the next deliveries to a host, the oldest first, with the bytes to send. What is about the same
// object as an earlier delivery that waits by itself (PutAside) waits with it.
func (db *DB) DueDeliveries(ctx context.Context, host string, limit int) (_ []Delivery, bodies map[int64][]byte, err error) {
	defer wrap(&err, "deliveries to %s", host)
	type delivery struct {
		Delivery
		Body []byte
	}
	const aside = `with aside as (select d.id, d.next_at, a.object_uri, a.post_id from deliveries d join activities a on a.id = d.activity_id
			where d.host = $1 and d.state = 'queued' and d.next_at > $2)`
	const behind = `from aside s where s.id < d.id and (s.object_uri = a.object_uri or s.post_id = a.post_id)`
	now := db.Now()
	rows, err := db.q.Query(ctx, aside+` select `+deliveryColumns+`, a.body from deliveries d join activities a on a.id = d.activity_id
		where d.host = $1 and d.state = 'queued' and d.next_at <= $2 and not exists (select `+behind+`) order by d.id limit $3`, host, now, limit)
	if err != nil {
		return nil, nil, err
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[delivery])
	if err != nil {
		return nil, nil, err
	}
	if len(found) == 0 {
		// The host was claimed for what waits behind another only: it is due when that is.
		_, err = db.q.Exec(ctx, aside+` update deliveries d set next_at = (select max(s.next_at) `+behind+`) from activities a
			where a.id = d.activity_id and d.host = $1 and d.state = 'queued' and d.next_at <= $2 and exists (select `+behind+`)`, host, now)
		return nil, nil, err
	}
	list := make([]Delivery, len(found))
	bodies = map[int64][]byte{}
	for i, f := range found {
		list[i], bodies[f.ActivityID] = f.Delivery, f.Body
	}
	return list, bodies, nil
}

// Delivered notes the success of a delivery and that its host lives. goOn is false where nothing more may go to the
// host: it was held or blocked meanwhile.
func (db *DB) Delivered(ctx context.Context, d Delivery, status int) (goOn bool, err error) {
	defer wrap(&err, "delivered %d", d.ID)
	now := db.Now()
	batch := &pgx.Batch{}
	// Hosts before deliveries, here as everywhere: who blocks a host holds it and then drops what waits for it.
	batch.Queue(`update hosts set failures = 0, failing_since = null, failed_days = 0, last_failure_day = null, dead_since = null, next_at = null,
			asked_to_wait = false, last_success = $2, last_error = ''
		where host = $1 and (failures > 0 or dead_since is not null or next_at is not null or last_success is null
			or last_success < $2::timestamptz - interval '1 minute')`, d.Host, now)
	batch.Queue(`update deliveries set state = 'delivered', attempts = attempts + 1, status = $2, error = '', done = $3 where id = $1`, d.ID, status, now)
	batch.Queue(`select not held and severity <> 'suspend' from hosts where host = $1`, d.Host).QueryRow(func(row pgx.Row) error { return row.Scan(&goOn) })
	err = db.q.SendBatch(ctx, batch).Close() // which sets goOn
	return goOn, err
}

// Failure is why a delivery was not taken.
type Failure struct {
	Status     int           // 0: no answer
	Reason     string        // English, for the owner
	RetryAfter time.Duration // for how long the host wants to be left alone; 0: it does not say
}

// DeliveryFailed notes a failure that says something of the host. The host rests as a whole, by the backoff schedule or
// for as long as it asked for, so that a dead one costs one attempt a step and not one a delivery; the delivery stays
// the first in line.
func (db *DB) DeliveryFailed(ctx context.Context, d Delivery, f Failure) (err error) {
	defer wrap(&err, "delivery %d failed", d.ID)
	now := db.Now()
	return db.Tx(ctx, func(tx *DB) error {
		if f.RetryAfter > 0 {
			// It answers and says when: that counts neither as dead nor as failing.
			if _, err := tx.q.Exec(ctx, `update hosts set next_at = $2, asked_to_wait = true, last_error = $3 where host = $1`,
				d.Host, now.Add(min(f.RetryAfter, deadRetry)), truncate(f.Reason, 300)); err != nil {
				return err
			}
			return tx.attempted(ctx, d, f, now)
		}
		var failures, days int
		if err := tx.q.QueryRow(ctx, `update hosts set failures = failures + 1, failing_since = coalesce(failing_since, $2), last_error = $3,
				failed_days = failed_days + case when last_failure_day is distinct from date_trunc('day', $2::timestamptz, 'UTC') then 1 else 0 end,
				last_failure_day = date_trunc('day', $2::timestamptz, 'UTC'), asked_to_wait = false
			where host = $1 returning failures, failed_days`, d.Host, now, truncate(f.Reason, 300)).Scan(&failures, &days); err != nil {
			return err
		}
		wait, dead := min(tx.step(failures), deadRetry), days >= DeadAfterDays
		if dead {
			wait = deadRetry
		}
		if _, err := tx.q.Exec(ctx, `update hosts set next_at = $2, dead_since = case when $3 then coalesce(dead_since, $4) end where host = $1`,
			d.Host, now.Add(tx.spread(wait)), dead, now); err != nil {
			return err
		}
		return tx.attempted(ctx, d, f, now)
	})
}

// PutAside notes a failure that may be of this delivery alone, after others worked or may work: it waits by itself, by
// its own attempts, and with it what comes later about the same object. The host goes on.
func (db *DB) PutAside(ctx context.Context, d Delivery, f Failure) (err error) {
	defer wrap(&err, "put delivery %d aside", d.ID)
	return db.attempted(ctx, d, f, db.Now().Add(db.spread(min(db.step(d.Attempts+1), deadRetry))))
}

// attempted counts an attempt of a delivery that is still wanted.
func (db *DB) attempted(ctx context.Context, d Delivery, f Failure, next time.Time) error {
	_, err := db.q.Exec(ctx, `update deliveries set attempts = attempts + 1, status = $2, error = $3, next_at = $4 where id = $1 and state = 'queued'`,
		d.ID, f.Status, truncate(f.Reason, 300), next)
	return err
}

// EndDelivery ends a delivery that was refused for good, and those of Updates behind it: nobody can change what never
// arrived. A Delete still goes, since an attempt without an answer may have arrived.
func (db *DB) EndDelivery(ctx context.Context, d Delivery, f Failure) (err error) {
	defer wrap(&err, "end delivery %d", d.ID)
	return db.Tx(ctx, func(tx *DB) error {
		if _, err := tx.q.Exec(ctx, `update deliveries set state = 'failed', attempts = attempts + 1, status = $2, error = $3, done = $4
			where id = $1 and state = 'queued'`, d.ID, f.Status, truncate(f.Reason, 300), tx.Now()); err != nil {
			return err
		}
		return tx.dropChanges(ctx, d.Host)
	})
}

// neverGot is the condition that the Create of the post of activity a was sent to inbox i.inbox in vain: it failed or
// was dropped, and no other arrived or is on its way.
const neverGot = `exists (select from deliveries o join activities c on c.id = o.activity_id
		where c.post_id = a.post_id and c.type = 'Create' and o.inbox = i.inbox and o.state in ('failed', 'dropped'))
	and not exists (select from deliveries o join activities c on c.id = o.activity_id
		where c.post_id = a.post_id and c.type = 'Create' and o.inbox = i.inbox and o.state in ('queued', 'delivered'))
	and not exists (select from reached r join inboxes x on x.id = any(r.inboxes) where r.post_id = a.post_id and x.inbox = i.inbox)`

// EndDeliveries drops what waits for the hosts and means nothing beside the Delete of its sender, an account that was deleted: what
// it posted, boosted, liked and followed. Answers to orders go out, and so do deletions, for servers that understand no more, and
// Updates of the account itself, which tell of the key that the Delete is signed with.
func (db *DB) EndDeliveries(ctx context.Context, senderID int64, hosts []string) (err error) {
	defer wrap(&err, "end deliveries of %d", senderID)
	_, err = db.q.Exec(ctx, `update deliveries d set state = 'dropped', error = $3, done = $4 from activities a
		where a.id = d.activity_id and d.sender_id = $1 and d.host = any($2) and d.state = 'queued'
		and (a.type in ('Announce', 'Like', 'Follow', 'Add', 'Remove') or a.type in ('Create', 'Update') and a.post_id is not null)`,
		senderID, hosts, EndSenderGone, db.Now())
	return err
}

// dropChanges drops the Updates that wait for a host, for inboxes that the post never reached.
func (db *DB) dropChanges(ctx context.Context, host string) error {
	_, err := db.q.Exec(ctx, `update deliveries i set state = 'dropped', error = $2, done = $3 from activities a
		where a.id = i.activity_id and i.host = $1 and i.state = 'queued' and a.type = 'Update' and a.post_id is not null and `+neverGot,
		host, EndNoCreate, db.Now())
	return err
}

// SharedInbox reports whether an inbox is one that many accounts of a host share.
func (db *DB) SharedInbox(ctx context.Context, host, inbox string) (yes bool, err error) {
	defer wrap(&err, "shared inbox %s", inbox)
	err = db.q.QueryRow(ctx, `select exists (select from accounts where host = $1 and shared_inbox = $2 and inbox <> $2)`, host, inbox).Scan(&yes)
	return yes, err
}

// InboxGone forgets the inbox of a delivery, which is gone for good (404 or 410). Behind a personal one the follows end. A shared one is
// only a short cut: what waits for it goes to the personal inboxes of its followers and of those mentioned instead,
// and so does everything after it, until an actor names a shared inbox again.
func (db *DB) InboxGone(ctx context.Context, d Delivery, status int) (err error) {
	defer wrap(&err, "inbox %s gone", d.Inbox)
	host, inbox := d.Host, d.Inbox
	return db.Tx(ctx, func(tx *DB) error {
		now := tx.Now()
		rows, err := tx.q.Query(ctx, `update accounts set shared_inbox = '' where host = $1 and shared_inbox = $2 and inbox <> $2 returning id`, host, inbox)
		if err != nil {
			return err
		}
		behind, err := pgx.CollectRows(rows, pgx.RowTo[int64])
		if err != nil {
			return err
		}
		// In the order of what waited, so that a Create still goes before its Update.
		if _, err := tx.q.Exec(ctx, `insert into deliveries (activity_id, sender_id, inbox, host, next_at, created)
			select d.activity_id, d.sender_id, p.inbox, d.host, $4, d.created
			from deliveries d join activities a on a.id = d.activity_id, unnest($3::bigint[]) as b (id) join accounts p on p.id = b.id and p.inbox <> '' and p.deleted is null
			where d.host = $1 and d.inbox = $2 and d.state = 'queued'
			and (exists (select from follows f where f.follower_id = p.id and f.followee_id = d.sender_id and f.state = 'accepted')
				or exists (select from mentions m where m.post_id = a.post_id and m.account_id = p.id))
			order by d.id, p.id on conflict (activity_id, inbox) do nothing`, host, inbox, behind, now); err != nil {
			return err
		}
		if _, err := tx.q.Exec(ctx, `delete from follows using accounts a where a.id = follower_id and a.host = $1 and a.inbox = $2`, host, inbox); err != nil {
			return err
		}
		if _, err = tx.q.Exec(ctx, `update deliveries set attempts = attempts + 1, status = $2 where id = $1 and state = 'queued'`, d.ID, status); err != nil {
			return err
		}
		_, err = tx.q.Exec(ctx, `update deliveries set state = 'failed', error = $3, done = $4 where host = $1 and inbox = $2 and state = 'queued'`,
			host, inbox, EndInboxGone, now)
		return err
	})
}

// HostSpoke tells that a host sent something that was accepted: it lives. If it rests, what waits for it goes at once,
// unless it asked to be left alone. newer says that it signs in the newer form (RFC 9421), which it then gets too.
func (db *DB) HostSpoke(ctx context.Context, host string, newer bool) (err error) {
	defer wrap(&err, "host %s spoke", host)
	now := db.Now()
	tag, err := db.q.Exec(ctx, `update hosts set next_at = null, let_through = $2 where host = $1 and next_at > $2 and not asked_to_wait
		and (let_through is null or let_through <= $3)`, host, now, now.Add(-letThroughEvery))
	if err != nil {
		return err
	}
	if tag.RowsAffected() > 0 {
		db.wakeAfterCommit("deliver")
	}
	if !newer {
		return nil
	}
	_, err = db.q.Exec(ctx, `update hosts set signature = 'rfc9421', signature_checked = $2 where host = $1 and signature = 'cavage'
		and (signature_checked is null or signature_checked <= $3)`, host, now, now.Add(-newerEvery))
	return err
}

// TryNewer reports whether a host that wants the older form of signatures is to be asked for the newer one again.
func (s *Sender) TryNewer(now time.Time) bool {
	return s.Signature == "cavage" && (s.Checked == nil || now.Sub(*s.Checked) >= newerEvery)
}

// HostSignature notes how a host wants its deliveries signed: "cavage" or "rfc9421".
func (db *DB) HostSignature(ctx context.Context, host, signature string) (err error) {
	defer wrap(&err, "signature of host %s", host)
	_, err = db.q.Exec(ctx, `insert into hosts (host, signature, signature_checked) values ($1, $2, $3)
		on conflict (host) do update set signature = excluded.signature, signature_checked = excluded.signature_checked`, host, signature, db.Now())
	return err
}

// SignedAs is how a host wants its deliveries signed: "cavage" or "rfc9421".
type SignedAs struct {
	Known string // what it last accepted
	Try   string // what to send first: now and then the newer form, where it once refused that
}

// HostSignatures are how each of the hosts wants its deliveries signed. Only a host that was seen to refuse a form is
// asked for it again: one that never refused may accept everything, and drop unseen what it cannot verify.
func (db *DB) HostSignatures(ctx context.Context, hosts []string) (_ map[string]SignedAs, err error) {
	defer wrap(&err, "signatures of hosts")
	rows, err := db.q.Query(ctx, `select host, signature, case when signature_checked <= $2 then 'rfc9421' else signature end from hosts where host = any($1)`,
		hosts, db.Now().Add(-newerEvery))
	if err != nil {
		return nil, err
	}
	signatures := make(map[string]SignedAs, len(hosts))
	var host string
	var s SignedAs
	_, err = pgx.ForEachRow(rows, []any{&host, &s.Known, &s.Try}, func() error { signatures[host] = s; return nil })
	return signatures, err
}

// Deliveries of a post (postID > 0) or to a host (host not empty), the newest first: why did this not arrive? For the same
// people as DeliveryStates.
func (db *DB) Deliveries(ctx context.Context, by, postID int64, host, state string, page Page) (_ []Delivery, err error) {
	defer wrap(&err, "deliveries")
	if err := db.requireAuthor(ctx, by, postID); err != nil {
		return nil, err
	}
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
