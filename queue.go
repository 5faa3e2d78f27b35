package souk

import (
	"context"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// How a host stands in the queue of deliveries.
const (
	QueueWaiting = "waiting" // its turn comes in a moment
	QueueResting = "resting" // it failed, or asked to be left alone, and is tried again at NextAt
	QueueDead    = "dead"    // it failed on DeadAfterDays different days; tried once a day
	QueueHeld    = "held"    // by the owner
	QueueBlocked = "blocked" // suspended
)

// QueuedHost is what waits for one host.
type QueuedHost struct {
	Host        string
	State       string
	Waiting     int        // deliveries
	Oldest      *time.Time // nil where nothing waits and the host is only held
	Attempts    int        // the most that one of them had
	NextAt      *time.Time // when it is tried next; nil or past: now
	Asked       bool       // it asked to be left alone until NextAt
	Status      int        // of the last answer to what waits; 0: none
	LastError   string     // English, as it was noted
	DeadSince   *time.Time
	LastSuccess *time.Time
}

// QueueFilter says what of the queue is meant; zero fields do not narrow.
type QueueFilter struct {
	Host       string
	PostID     int64
	DeliveryID int64
	State      string // of the host, for Queue
	Failed     bool   // for RetryDeliveries: failed and dropped ones too, not only those that wait
}

// where is the condition on deliveries d, beginning with "and" where there is one.
func (f QueueFilter) where(args []any) (string, []any) {
	sql := ""
	narrow := func(condition string, value any) {
		args = append(args, value)
		sql += ` and ` + strings.ReplaceAll(condition, "?", param(len(args)))
	}
	if f.Host != "" {
		narrow(`d.host = lower(?)`, strings.TrimSpace(f.Host))
	}
	if f.PostID != 0 {
		narrow(`d.activity_id in (select id from activities where post_id = ?)`, f.PostID)
	}
	if f.DeliveryID != 0 {
		narrow(`d.id = ?`, f.DeliveryID)
	}
	return sql, args
}

// chosen is an *Invalid unless the filter names something: nobody means the whole queue by saying nothing.
func (f QueueFilter) chosen() error {
	if f.Host == "" && f.PostID == 0 && f.DeliveryID == 0 {
		return invalid("what", "queue_what", "name a host, a post or a delivery")
	}
	return nil
}

// Queue is what waits to be delivered, by host, the most first; hosts that are held are there also with nothing. Only the
// owner may see it.
func (db *DB) Queue(ctx context.Context, by int64, f QueueFilter) (_ []QueuedHost, err error) {
	defer wrap(&err, "queue")
	if err := db.requireOwner(ctx, by); err != nil {
		return nil, err
	}
	where, args := f.where([]any{db.Now()})
	held := `or h.held`
	if f.PostID != 0 || f.DeliveryID != 0 {
		held = ``
	}
	args = append(args, f.State, strings.TrimSpace(f.Host))
	state, host := param(len(args)-1), param(len(args))
	rows, err := db.q.Query(ctx, `with q as (select d.host, count(*) as waiting, min(d.created) as oldest, max(d.attempts) as attempts, min(d.next_at) as next_at,
				(array_agg(d.status order by d.attempts desc, d.id))[1] as status, (array_agg(d.error order by d.attempts desc, d.id))[1] as error
			from deliveries d where d.state = 'queued'`+where+` group by d.host),
		hosted as (select h.host, case when h.severity = 'suspend' then 'blocked' when h.held then 'held' when h.dead_since is not null then 'dead'
				when greatest(h.next_at, q.next_at) > $1 then 'resting' else 'waiting' end as state,
				coalesce(q.waiting, 0), q.oldest, coalesce(q.attempts, 0), greatest(h.next_at, q.next_at), h.asked_to_wait, coalesce(q.status, 0),
				coalesce(nullif(h.last_error, ''), q.error, ''), h.dead_since, h.last_success
			from hosts h left join q on q.host = h.host where q.host is not null `+held+`)
		select * from hosted where (`+state+` = '' or state = `+state+`) and (`+host+` = '' or host = lower(`+host+`)) order by 3 desc, host`, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[QueuedHost])
}

// Why is a code for why things wait for the host; see DeliveryState.Why.
func (q *QueuedHost) Why() string {
	switch {
	case q.State == QueueHeld || q.State == QueueBlocked:
		return q.State
	case q.Asked:
		return "asked"
	case q.Attempts == 0 && q.State == QueueWaiting:
		return "sending"
	case q.Attempts == 0:
		return "behind"
	}
	return whyStatus(q.Status)
}

// DeliveryState is a delivery with what its host says about it.
type DeliveryState struct {
	Delivery
	Held       bool
	Blocked    bool
	Asked      bool // the host asked to be left alone
	RestsUntil *time.Time
	DeadSince  *time.Time
}

// NextTry is when a delivery that waits is tried next; a time past means in a moment.
func (d *DeliveryState) NextTry() time.Time {
	if d.RestsUntil != nil && d.RestsUntil.After(d.NextAt) {
		return *d.RestsUntil
	}
	return d.NextAt
}

// Why is a code for why a delivery is where it is; pages and terminals have words for each: arrived; sending; behind
// (the host rests for another's sake); held, blocked, asked (to be left alone); silent (no answer), trouble (5xx and the like), signature
// (401, 403), refused (other 4xx), gone (404, 410); no_create, too_old, by_owner, sender_gone; unusable (an address or key).
func (d *DeliveryState) Why() string {
	switch {
	case d.State == "delivered":
		return "arrived"
	case d.State != "queued":
		if code := whyEnded(d.Error); code != "" {
			return code
		}
		if d.Status == 0 {
			return "unusable"
		}
	case d.Blocked:
		return "blocked"
	case d.Held:
		return "held"
	case d.Asked:
		return "asked"
	case d.Attempts == 0 && d.RestsUntil != nil:
		return "behind"
	case d.Attempts == 0:
		return "sending"
	}
	return whyStatus(d.Status)
}

// Said is what its host answered, or what went wrong on the way, in English; empty where it arrived or nobody tried.
func (d *DeliveryState) Said() string {
	if d.State == "delivered" || whyEnded(d.Error) != "" {
		return ""
	}
	return d.Error
}

// whyEnded is the code for an end that this node itself wrote down, else nothing.
func whyEnded(text string) string {
	switch text {
	case EndInboxGone:
		return "gone"
	case EndNoCreate:
		return "no_create"
	case EndTooOld:
		return "too_old"
	case EndHostBlocked:
		return "blocked"
	case EndByOwner:
		return "by_owner"
	case EndSenderGone:
		return "sender_gone"
	}
	return ""
}

func whyStatus(status int) string {
	switch {
	case status == 0:
		return "silent"
	case status == 401 || status == 403:
		return "signature"
	case status == 404 || status == 410:
		return "gone"
	case status == 429:
		return "asked"
	case status == 408 || status == 409 || status == 425 || status < 400 || status >= 500:
		return "trouble"
	}
	return "refused"
}

// DeliveryStates are the deliveries that a filter names, the newest first; of a host without more, those that wait. The
// owner may see all, an author those of a post of theirs; anyone else gets ErrForbidden.
func (db *DB) DeliveryStates(ctx context.Context, by int64, f QueueFilter, page Page) (_ []DeliveryState, err error) {
	defer wrap(&err, "delivery states")
	if err := db.requireAuthor(ctx, by, f.PostID); err != nil {
		return nil, err
	}
	if err := f.chosen(); err != nil {
		return nil, err
	}
	where, args := f.where([]any{page.before(), page.After, db.Now()})
	if f.PostID == 0 && f.DeliveryID == 0 {
		where += ` and d.state = 'queued'`
	}
	rows, err := db.q.Query(ctx, `select `+deliveryColumns+`, h.held, h.severity = 'suspend', h.asked_to_wait and h.next_at > $3,
			case when h.next_at > $3 then h.next_at end, h.dead_since
		from deliveries d join activities a on a.id = d.activity_id join hosts h on h.host = d.host
		where d.id < $1 and d.id > $2`+where+` order by d.id `+page.order()+` limit `+param(len(args)+1), append(args, page.limit())...)
	if err != nil {
		return nil, err
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[DeliveryState])
	return newestFirst(page, list), err
}

// WhyNot is a code for why nothing is known of a delivery of a post to a host: arrived (long ago: what was sent is
// forgotten, but not where it went), own, blocked, preparing (it is told in a moment),
// not_announced (a listing that followers are not told of), pending (somebody there waits to be accepted as a follower),
// later (they follow since after it was told), nobody. Only the owner and the author may ask.
func (db *DB) WhyNot(ctx context.Context, by int64, p *Post, host string) (code string, err error) {
	defer wrap(&err, "why %d is not at %s", p.ID, host)
	if err := db.requireAuthor(ctx, by, p.ID); err != nil {
		return "", err
	}
	host = strings.ToLower(strings.TrimSpace(host))
	var blocked, told, arrived, accepted, pending bool
	if err := db.q.QueryRow(ctx, `select `+hostSuspended("$2")+`, exists (select from activities where post_id = $1),
			exists (select from reached r join inboxes i on i.id = any(r.inboxes) where r.post_id = $1 and i.host = $2),
			coalesce(bool_or(f.state = 'accepted'), false), coalesce(bool_or(f.state = 'pending'), false)
		from follows f join accounts a on a.id = f.follower_id where f.followee_id = $3 and a.host = $2`, p.ID, host, p.AccountID).
		Scan(&blocked, &told, &arrived, &accepted, &pending); err != nil {
		return "", err
	}
	switch {
	case arrived:
		return "arrived", nil
	case host == db.Domain() || host == db.HandleDomain():
		return "own", nil
	case blocked:
		return "blocked", nil
	case p.Kind == KindListing && !p.InTimeline:
		return "not_announced", nil
	case !told:
		return "preparing", nil
	case accepted && p.Visibility != Direct:
		return "later", nil
	case pending && p.Visibility != Direct:
		return "pending", nil
	}
	return "nobody", nil
}

// takenBack are the ended deliveries d that are no longer meant: their post is deleted, or a later Delete or Undo went the
// same way. Said again it would stay for good, since what takes it back was sent once. An Undo is stored with whom it was
// sent to and not with what it undoes, so it counts for what can be undone only. A condition on d may follow; two joins,
// since either as a subquery of each delivery costs a scan of all for each.
func takenBack(narrower string) string {
	const ended = `d.state in ('failed', 'dropped') and `
	return `select d.id from deliveries d join activities a on a.id = d.activity_id left join posts p on p.id = a.post_id and p.deleted is null
			where ` + ended + `a.post_id is not null and p.id is null and a.type not in ('Delete', 'Undo')` + narrower + `
		union all select d.id from deliveries d join activities a on a.id = d.activity_id
			join deliveries l on l.inbox = d.inbox and l.sender_id = d.sender_id and l.id > d.id
			join activities e on e.id = l.activity_id and e.object_uri = a.object_uri
				and (e.type = 'Delete' or e.type = 'Undo' and a.type in ('Follow', 'Like', 'Announce', 'Block', 'Offer'))
			where ` + ended + `a.object_uri <> ''` + narrower
}

// RetryDeliveries makes what waits due now and ends the rest of its hosts, also one that they asked for; with a post, a
// delivery or Failed, what failed or was dropped is queued again too, but for what was taken back meanwhile. It returns
// how many are due. Only the owner may.
func (db *DB) RetryDeliveries(ctx context.Context, by int64, f QueueFilter) (n int, err error) {
	defer wrap(&err, "retry deliveries")
	if err := f.chosen(); err != nil {
		return 0, err
	}
	states := `d.state = 'queued'`
	if f.Failed || f.PostID != 0 || f.DeliveryID != 0 {
		states = `d.state in ('queued', 'failed', 'dropped')`
	}
	err = db.Tx(ctx, func(tx *DB) error {
		if err := tx.requireOwner(ctx, by); err != nil {
			return err
		}
		where, args := f.where([]any{tx.Now()})
		// Hosts before deliveries, as everywhere, and in one order: see Delivered.
		if _, err := tx.q.Exec(ctx, `select from hosts h where $1::timestamptz is not null and h.host in (select d.host from deliveries d where `+states+where+`)
			order by h.host for update`, args...); err != nil {
			return err
		}
		rows, err := tx.q.Query(ctx, `update deliveries d set state = 'queued', next_at = $1, done = null,
				created = case when d.state = 'queued' then d.created else $1 end, attempts = case when d.state = 'queued' then d.attempts else 0 end
			where `+states+` and not exists (select from hosts h where h.host = d.host and h.severity = 'suspend')
			and (d.state = 'queued' or d.id not in (`+takenBack(where)+`))`+where+` returning d.host`, args...)
		if err != nil {
			return err
		}
		hosts, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return err
		}
		n = len(hosts)
		_, err = tx.q.Exec(ctx, `update hosts set next_at = null, asked_to_wait = false where host = any($1)`, hosts)
		tx.wakeAfterCommit("deliver")
		return err
	})
	return n, err
}

// DropDeliveries ends what waits and the filter names; it returns how many. Only the owner may. What is dropped can be
// queued again by RetryDeliveries.
func (db *DB) DropDeliveries(ctx context.Context, by int64, f QueueFilter) (n int, err error) {
	defer wrap(&err, "drop deliveries")
	if err := f.chosen(); err != nil {
		return 0, err
	}
	err = db.Tx(ctx, func(tx *DB) error {
		if err := tx.requireOwner(ctx, by); err != nil {
			return err
		}
		where, args := f.where([]any{EndByOwner, tx.Now()})
		tag, err := tx.q.Exec(ctx, `update deliveries d set state = 'dropped', error = $1, done = $2 where d.state = 'queued'`+where, args...)
		n = int(tag.RowsAffected())
		return err
	})
	return n, err
}

// HoldHost stops deliveries to a host until it is let go: they wait, and none is lost. ErrNotFound where the host is
// unknown. Only the owner may.
func (db *DB) HoldHost(ctx context.Context, by int64, host string, held bool) (err error) {
	defer wrap(&err, "hold host %s", host)
	return db.Tx(ctx, func(tx *DB) error {
		if err := tx.requireOwner(ctx, by); err != nil {
			return err
		}
		tag, err := tx.q.Exec(ctx, `update hosts set held = $2 where host = lower($1)`, strings.TrimSpace(host), held)
		if err == nil && tag.RowsAffected() == 0 {
			return ErrNotFound
		}
		tx.wakeAfterCommit("deliver")
		return err
	})
}
