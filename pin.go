package souk

import (
	"context"
	"time"

	"github.com/riverqueue/river"
)

const (
	// MaxPinnedPosts is how many posts an account pins, as on Mastodon.
	MaxPinnedPosts = 5
	// MaxPinnedListings is how many products an account pins: as many as a shelf of the front page has.
	MaxPinnedListings = 8
	// MaxRemotePins is how many of what a remote account pins are kept: other servers have other limits.
	MaxRemotePins = 20
)

// featuredRest is how long what a remote account pins is believed. Some servers, GoToSocial among them, tell nobody when
// it changes.
const featuredRest = 24 * time.Hour

// Pin puts a public post or listing of a local account on top of its profile, and tells its followers. Twice is once.
func (db *DB) Pin(ctx context.Context, accountID, postID int64) (err error) {
	defer wrap(&err, "pin %d", postID)
	return db.Tx(ctx, func(tx *DB) error {
		// Those who pin side by side would each find room for one more.
		a, err := tx.accountWhere(ctx, `id = $1 and host = '' and deleted is null for update`, accountID)
		if err != nil {
			return err
		}
		p, err := tx.Post(ctx, a.ID, postID)
		if err != nil {
			return err
		}
		if p.AccountID != a.ID || a.Suspended != nil {
			return ErrForbidden
		}
		if err := tx.pinnable(ctx, p); err != nil {
			return err
		}
		tag, err := tx.q.Exec(ctx, `insert into pins (post_id, account_id, pinned) values ($1, $2, $3) on conflict do nothing`, p.ID, a.ID, tx.Now())
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		if err := tx.touchShop(ctx); err != nil {
			return err
		}
		return tx.emit(ctx, Event{Kind: EventPinned, AccountID: a.ID, ObjectID: p.ID}, true)
	})
}

// pinnable is *Invalid where the post cannot be pinned, or its account has pinned as many as it may.
func (db *DB) pinnable(ctx context.Context, p *Post) error {
	if p.Kind == KindBoost || p.Visibility != Public && p.Visibility != Unlisted {
		return invalid("post", "pin_public", "only what everybody may read can be pinned")
	}
	limit := MaxPinnedPosts
	if p.Kind == KindListing {
		limit = MaxPinnedListings
	}
	var pinned int
	if err := db.q.QueryRow(ctx, `select count(*) from pins n join posts p on p.id = n.post_id
		where n.account_id = $1 and p.kind = $2 and p.id <> $3`, p.AccountID, p.Kind, p.ID).Scan(&pinned); err != nil {
		return err
	}
	if pinned >= limit {
		return invalid("post", "pin_many", "%d are pinned; unpin one first", limit)
	}
	return nil
}

// Unpin takes a post or listing of a local account off the top of its profile; where it is not pinned nothing happens.
func (db *DB) Unpin(ctx context.Context, accountID, postID int64) (err error) {
	defer wrap(&err, "unpin %d", postID)
	return db.Tx(ctx, func(tx *DB) error {
		tag, err := tx.q.Exec(ctx, `delete from pins where account_id = $1 and post_id = $2`, accountID, postID)
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		if err := tx.touchShop(ctx); err != nil {
			return err
		}
		return tx.emit(ctx, Event{Kind: EventUnpinned, AccountID: accountID, ObjectID: postID}, true)
	})
}

// Pinned are the posts and listings that an account pins, as the viewer may see them, the newest pin first.
func (db *DB) Pinned(ctx context.Context, viewer, accountID int64) (_ []Post, err error) {
	defer wrap(&err, "pinned by %d", accountID)
	return db.postsWhere(ctx, `exists (select from pins n where n.post_id = p.id and n.account_id = $2) and `+shown+` and `+visibleTo+`
		order by (select pinned from pins n where n.post_id = p.id) desc, p.id desc`, viewer, accountID)
}

// IsPinned reports whether the post is pinned by its author.
func (db *DB) IsPinned(ctx context.Context, postID int64) (yes bool, err error) {
	defer wrap(&err, "is %d pinned", postID)
	err = db.q.QueryRow(ctx, `select exists (select from pins where post_id = $1)`, postID).Scan(&yes)
	return yes, err
}

// ReceivePin notes that a remote account pins a post of its own; of very many the oldest go.
func (db *DB) ReceivePin(ctx context.Context, from *Account, postID int64) (err error) {
	defer wrap(&err, "receive pin of %d", postID)
	return db.Tx(ctx, func(tx *DB) error {
		tag, err := tx.q.Exec(ctx, `insert into pins (post_id, account_id, pinned)
			select p.id, p.account_id, $3 from posts p where p.id = $1 and p.account_id = $2 and not p.local and p.kind <> 'boost' and p.deleted is null
			on conflict (post_id) do update set pinned = excluded.pinned`, postID, from.ID, tx.Now())
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return ErrForbidden
		}
		_, err = tx.q.Exec(ctx, `delete from pins where post_id in (select post_id from pins where account_id = $1 order by pinned desc offset $2)`,
			from.ID, MaxRemotePins)
		return err
	})
}

// ReceiveUnpin notes that a remote account pins a post no more; one that it did not pin is no error.
func (db *DB) ReceiveUnpin(ctx context.Context, from *Account, uri string) (err error) {
	defer wrap(&err, "receive unpin of %s", uri)
	_, err = db.q.Exec(ctx, `delete from pins n using posts p where p.id = n.post_id and n.account_id = $1 and p.uri = $2`, from.ID, uri)
	return err
}

// ReplacePins makes the pins of a remote account those listed, in that order; posts that are not its own are left out.
func (db *DB) ReplacePins(ctx context.Context, from *Account, postIDs []int64) (err error) {
	defer wrap(&err, "pins of %s", from.URI)
	postIDs = postIDs[:min(len(postIDs), MaxRemotePins)]
	return db.Tx(ctx, func(tx *DB) error {
		if _, err := tx.q.Exec(ctx, `delete from pins where account_id = $1`, from.ID); err != nil {
			return err
		}
		_, err := tx.q.Exec(ctx, `insert into pins (post_id, account_id, pinned)
			select distinct on (p.id) p.id, p.account_id, $3::timestamptz - o.n * interval '1 microsecond' from unnest($2::bigint[]) with ordinality as o (id, n)
			join posts p on p.id = o.id where p.account_id = $1 and not p.local and p.kind <> 'boost' and p.deleted is null order by p.id, o.n
			on conflict do nothing`, from.ID, postIDs, tx.Now())
		return err
	})
}

// featuredUnread is the condition that what account a pins should be read: it is a remote one that somebody here follows, and
// that was not done since.
func featuredUnread(since string) string {
	return `a.host <> '' and a.featured_uri <> '' and a.deleted is null and (a.featured_read is null or a.featured_read <= ` + since + `)
		and exists (select from follows f join accounts l on l.id = f.follower_id where f.followee_id = a.id and f.state = 'accepted'
			and l.role in ('owner', 'seller', 'member'))`
}

// featuredDue queues the reading of what a remote account pins, where somebody here follows it and that was not done for a
// day.
func (db *DB) featuredDue(ctx context.Context, accountID int64) error {
	now := db.Now()
	tag, err := db.q.Exec(ctx, `update accounts a set featured_read = $2 where a.id = $1 and `+featuredUnread("$3"), accountID, now, now.Add(-featuredRest))
	if err != nil || tag.RowsAffected() == 0 {
		return err
	}
	return db.job(ctx, FeaturedArgs{AccountID: accountID}, &river.InsertOpts{MaxAttempts: 3})
}
