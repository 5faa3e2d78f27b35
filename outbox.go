package souk

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// Activity is something this node said, encoded once.
type Activity struct {
	ID        int64
	URI       string
	AccountID int64 // who says and signs it
	Type      string
	ObjectURI string
	PostID    *int64
	Public    bool // may be shown to anyone who asks for it
	Body      []byte
	Created   time.Time
}

const activityColumns = `id, uri, account_id, type, object_uri, post_id, public, body, created`

// Recipient is an inbox that an activity goes to.
type Recipient struct {
	Inbox string
	Host  string
}

// QueueActivity stores an activity and one delivery for each inbox, in the transaction of the caller. Nothing is queued for
// hosts that are suspended, and no Update of a post for an inbox that its Create was sent to in vain.
func (db *DB) QueueActivity(ctx context.Context, a Activity, to []Recipient) (err error) {
	defer wrap(&err, "queue activity %s", a.URI)
	now := db.Now()
	if _, err := db.q.Exec(ctx, `insert into activities (`+activityColumns+`) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		a.ID, a.URI, a.AccountID, a.Type, a.ObjectURI, a.PostID, a.Public, a.Body, now); err != nil {
		return err
	}
	if len(to) == 0 {
		return nil
	}
	inboxes, hosts := make([]string, len(to)), make([]string, len(to))
	for i, r := range to {
		inboxes[i], hosts[i] = r.Inbox, r.Host
	}
	// In one order, so that two transactions do not wait for each other.
	if _, err := db.q.Exec(ctx, `insert into hosts (host) select distinct r.host from unnest($1::text[]) as r (host)
		where not exists (select from hosts h where h.host = r.host) order by 1 on conflict do nothing`, hosts); err != nil {
		return err
	}
	unwanted := ""
	if a.Type == "Update" && a.PostID != nil {
		unwanted = ` and not exists (select from activities a where a.id = $1 and ` + neverGot + `)`
	}
	if _, err := db.q.Exec(ctx, `insert into deliveries (activity_id, sender_id, inbox, host, next_at, created)
		select $1, $2, i.inbox, i.host, $3, $3 from unnest($4::text[], $5::text[]) as i (inbox, host)
		where not exists (select from hosts h where h.host = i.host and h.severity = 'suspend')`+unwanted+`
		on conflict (activity_id, inbox) do nothing`, a.ID, a.AccountID, now, inboxes, hosts); err != nil {
		return err
	}
	db.wakeAfterCommit("deliver")
	return nil
}

// FollowerInboxes are the inboxes of an account's accepted remote followers, shared inboxes counted once
// (ActivityPub 7.1.3). Followers whom their own server suspended are left out until they are back.
func (db *DB) FollowerInboxes(ctx context.Context, accountID int64) (_ []Recipient, err error) {
	defer wrap(&err, "follower inboxes of %d", accountID)
	rows, err := db.q.Query(ctx, `select distinct coalesce(nullif(a.shared_inbox, ''), a.inbox) as inbox, a.host
		from follows f join accounts a on a.id = f.follower_id
		where f.followee_id = $1 and f.state = 'accepted' and a.host <> '' and a.deleted is null and not a.suspended_there and a.inbox <> ''`, accountID)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[Recipient])
}

// KnownInboxes are the shared inboxes of all nodes that an account's posts may have reached; for deleted actors.
func (db *DB) KnownInboxes(ctx context.Context) (_ []Recipient, err error) {
	defer wrap(&err, "known inboxes")
	rows, err := db.q.Query(ctx, `select distinct coalesce(nullif(shared_inbox, ''), inbox) as inbox, host from accounts
		where host <> '' and deleted is null and inbox <> ''`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[Recipient])
}

// Activity is what this node said under the uri.
func (db *DB) Activity(ctx context.Context, id int64) (_ *Activity, err error) {
	defer wrap(&err, "activity %d", id)
	rows, err := db.q.Query(ctx, `select `+activityColumns+` from activities where id = $1`, id)
	if err != nil {
		return nil, err
	}
	return pgx.CollectExactlyOneRow(rows, pgx.RowToAddrOfStructByName[Activity])
}

// inOutbox is the condition that activity a belongs in its account's outbox: a public post or boost, and of a listing only
// what told followers of it. A listing announced later was created twice; the later time counts.
const inOutbox = `a.public and a.type in ('Create', 'Announce')
	and (a.post_id is null or exists (select from posts p where p.id = a.post_id and p.in_timeline and p.deleted is null))
	and not exists (select from activities b where b.post_id = a.post_id and b.type = a.type and b.id > a.id)`

// Activities are the posts and boosts that an account made public, the newest first: its outbox.
func (db *DB) Activities(ctx context.Context, accountID int64, page Page) (_ []Activity, err error) {
	defer wrap(&err, "activities of %d", accountID)
	rows, err := db.q.Query(ctx, `select `+activityColumns+` from activities a where account_id = $1 and `+inOutbox+` and id < $2 and id > $3
		order by id `+page.order()+` limit $4`, accountID, page.before(), page.After, page.limit())
	if err != nil {
		return nil, err
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[Activity])
	return newestFirst(page, list), err
}

// ActivityCount is how many Activities an account has.
func (db *DB) ActivityCount(ctx context.Context, accountID int64) (n int, err error) {
	defer wrap(&err, "activity count of %d", accountID)
	err = db.q.QueryRow(ctx, `select count(*) from activities a where account_id = $1 and `+inOutbox, accountID).Scan(&n)
	return n, err
}

// HideActivities takes what was said about a post so far out of everybody's sight, in the catalogue too: the post was
// deleted, and its text must not be read in what announced it. Deliveries under way are not stopped.
func (db *DB) HideActivities(ctx context.Context, postID int64) (err error) {
	defer wrap(&err, "hide activities about %d", postID)
	_, err = db.q.Exec(ctx, `update activities set public = false where public
		and (post_id = $1 or id in (select activity_id from catalogue where listing_id = $1))`, postID)
	return err
}

// HideCatalogued takes what the catalogue said of a listing so far out of everybody's sight, but nothing else.
func (db *DB) HideCatalogued(ctx context.Context, listingID int64) (err error) {
	defer wrap(&err, "hide what was catalogued of %d", listingID)
	_, err = db.q.Exec(ctx, `update activities set public = false where public and id in (select activity_id from catalogue where listing_id = $1)`, listingID)
	return err
}

// Reached are the inboxes that got any activity about a post: a Delete or Update must reach them too.
func (db *DB) Reached(ctx context.Context, postID int64) (_ []Recipient, err error) {
	defer wrap(&err, "reached by %d", postID)
	rows, err := db.q.Query(ctx, `select d.inbox, d.host from deliveries d join activities a on a.id = d.activity_id where a.post_id = $1
		union select i.inbox, i.host from reached r join inboxes i on i.id = any(r.inboxes) where r.post_id = $1`, postID)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[Recipient])
}

// CatalogueEntry is one change in the catalogue's order.
type CatalogueEntry struct {
	Seq       int64
	ListingID int64
	Created   time.Time
	Activity  Activity `db:"-"`
}

// AppendCatalogue gives an activity its place in the catalogue, in the transaction that queues it.
// The lock is held to the commit, so numbers appear in order and no reader skips a late one.
func (db *DB) AppendCatalogue(ctx context.Context, activityID, listingID int64) (err error) {
	defer wrap(&err, "append %d to the catalogue", activityID)
	if _, err := db.q.Exec(ctx, `select pg_advisory_xact_lock(hashtext('souk catalogue'))`); err != nil {
		return err
	}
	_, err = db.q.Exec(ctx, `insert into catalogue (seq, activity_id, listing_id, created)
		select coalesce(max(seq), 0) + 1, $1, $2, $3 from catalogue`, activityID, listingID, db.Now())
	return err
}

// CatalogueEntries are the changes after seq, the oldest first, at most limit; tombstones among them.
func (db *DB) CatalogueEntries(ctx context.Context, after int64, limit int) (_ []CatalogueEntry, err error) {
	defer wrap(&err, "catalogue after %d", after)
	rows, err := db.q.Query(ctx, `select c.seq, c.listing_id, c.created, a.id, a.uri, a.account_id, a.type, a.object_uri, a.post_id, a.public, a.body, a.created
		from catalogue c join activities a on a.id = c.activity_id where c.seq > $1 order by c.seq limit $2`, after, limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (e CatalogueEntry, err error) {
		a := &e.Activity
		err = row.Scan(&e.Seq, &e.ListingID, &e.Created, &a.ID, &a.URI, &a.AccountID, &a.Type, &a.ObjectURI, &a.PostID, &a.Public, &a.Body, &a.Created)
		return e, err
	})
}

// CatalogueHead is the number of the newest change and how many there are to be read.
func (db *DB) CatalogueHead(ctx context.Context) (seq int64, n int, err error) {
	defer wrap(&err, "catalogue head")
	err = db.q.QueryRow(ctx, `select coalesce(max(c.seq), 0), count(*) filter (where a.public) from catalogue c join activities a on a.id = c.activity_id`).Scan(&seq, &n)
	return seq, n, err
}
