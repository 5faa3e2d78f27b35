package souk

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Like notes that a local account likes a post; twice is once.
func (db *DB) Like(ctx context.Context, accountID, postID int64) (err error) {
	defer wrap(&err, "like %d", postID)
	return db.Tx(ctx, func(tx *DB) error {
		a, err := tx.Account(ctx, accountID)
		if err != nil {
			return err
		}
		uri := fmt.Sprintf("%s#likes/%d", a.URI, tx.NewID())
		fresh, err := tx.like(ctx, uri, a, postID)
		if err != nil || !fresh {
			return err
		}
		return tx.emit(ctx, Event{Kind: EventLiked, AccountID: a.ID, ObjectID: postID, URI: uri}, true)
	})
}

func (db *DB) like(ctx context.Context, uri string, a *Account, postID int64) (fresh bool, err error) {
	p, err := db.reactable(ctx, a, postID)
	if err != nil {
		return false, err
	}
	tag, err := db.q.Exec(ctx, `insert into likes (account_id, post_id, uri, created) values ($1, $2, $3, $4) on conflict do nothing`, a.ID, p.ID, uri, db.Now())
	if err != nil || tag.RowsAffected() == 0 {
		return false, err
	}
	if err := db.touchShop(ctx); err != nil {
		return false, err
	}
	return true, db.notify(ctx, p.AccountID, "like", a.ID, p.ID, 0)
}

// reactable is a post that the account may see and whose author did not block it. In a transaction it stays alive to its end.
func (db *DB) reactable(ctx context.Context, a *Account, postID int64) (*Post, error) {
	p, err := db.Post(ctx, a.ID, postID)
	if err != nil {
		return nil, err
	}
	if p.Kind == KindBoost {
		return nil, invalid("post", "boost", "react to the boosted post itself")
	}
	if err := db.notBlocked(ctx, p.AccountID, a.ID); err != nil {
		return nil, err
	}
	// Held to the end of the transaction: a deletion that comes between would leave what is done here on a tombstone.
	tag, err := db.q.Exec(ctx, `select from posts where id = $1 and deleted is null for share`, p.ID)
	if err == nil && tag.RowsAffected() == 0 {
		err = ErrGone
	}
	return p, err
}

// Unlike takes a like back; where there is none nothing happens.
func (db *DB) Unlike(ctx context.Context, accountID, postID int64) (err error) {
	defer wrap(&err, "unlike %d", postID)
	return db.Tx(ctx, func(tx *DB) error {
		var uri string
		err := tx.q.QueryRow(ctx, `delete from likes where account_id = $1 and post_id = $2 returning uri`, accountID, postID).Scan(&uri)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		} else if err != nil {
			return err
		}
		if err := tx.touchShop(ctx); err != nil {
			return err
		}
		return tx.emit(ctx, Event{Kind: EventUnliked, AccountID: accountID, ObjectID: postID, URI: uri}, true)
	})
}

// Boost shares a public or unlisted post with the followers of a local account; twice is once.
func (db *DB) Boost(ctx context.Context, accountID, postID int64) (_ *Post, err error) {
	defer wrap(&err, "boost %d", postID)
	var boost *Post
	err = db.Tx(ctx, func(tx *DB) error {
		a, err := tx.Account(ctx, accountID)
		if err != nil {
			return err
		}
		if err := a.stays(); err != nil {
			return err
		}
		id := tx.NewID()
		var fresh bool
		boost, fresh, err = tx.boost(ctx, a, &Post{ID: id, URI: fmt.Sprintf("%s/activities/%d", tx.BaseURL(), id), Local: true, Published: tx.Now()}, postID)
		if err != nil || !fresh {
			return err
		}
		return tx.emit(ctx, Event{Kind: EventBoosted, AccountID: a.ID, ObjectID: id}, true)
	})
	return boost, err
}

func (db *DB) boost(ctx context.Context, a *Account, boost *Post, postID int64) (_ *Post, fresh bool, err error) {
	p, err := db.reactable(ctx, a, postID)
	if err != nil {
		return nil, false, err
	}
	if p.Visibility != Public && p.Visibility != Unlisted {
		return nil, false, ErrForbidden
	}
	boost.Kind, boost.AccountID, boost.URL = KindBoost, a.ID, p.URL
	boost.Visibility, boost.InTimeline, boost.ThreadID, boost.BoostOfID = Public, true, boost.ID, &p.ID
	tag, err := db.q.Exec(ctx, `insert into posts (id, kind, account_id, uri, url, local, visibility, thread_id, boost_of_id, published)
		values ($1, 'boost', $2, $3, $4, $5, 'public', $1, $6, $7) on conflict do nothing`, boost.ID, a.ID, boost.URI, boost.URL, boost.Local, p.ID, boost.Published)
	if err != nil {
		return nil, false, err
	}
	if tag.RowsAffected() == 0 {
		existing, err := db.onePost(ctx, `p.account_id = $1 and p.boost_of_id = $2 and p.deleted is null`, a.ID, p.ID)
		return existing, false, err
	}
	if err := db.touchShop(ctx); err != nil {
		return nil, false, err
	}
	boost.BoostOf, boost.Account = p, a
	return boost, true, db.notify(ctx, p.AccountID, "boost", a.ID, p.ID, 0)
}

// Unboost takes a boost back; where there is none nothing happens.
func (db *DB) Unboost(ctx context.Context, accountID, postID int64) (err error) {
	defer wrap(&err, "unboost %d", postID)
	return db.Tx(ctx, func(tx *DB) error {
		id, err := tx.endBoost(ctx, `account_id = $1 and boost_of_id = $2`, accountID, postID)
		if err != nil || id == 0 {
			return err
		}
		return tx.emit(ctx, Event{Kind: EventUnboosted, AccountID: accountID, ObjectID: id}, true)
	})
}

// endBoost turns a boost into a tombstone; its id is 0 where there was none.
func (db *DB) endBoost(ctx context.Context, where string, args ...any) (id int64, err error) {
	err = db.q.QueryRow(ctx, `with ended as (update posts set deleted = `+param(len(args)+1)+` where kind = 'boost' and deleted is null and `+where+` returning id)
		select coalesce((select max(id) from ended), 0)`, append(args, db.Now())...).Scan(&id)
	if err != nil || id == 0 {
		return 0, err
	}
	return id, db.touchShop(ctx)
}

// ReceiveLike notes a remote account's like.
func (db *DB) ReceiveLike(ctx context.Context, uri string, from *Account, postID int64) (err error) {
	defer wrap(&err, "receive like %s", uri)
	return db.Tx(ctx, func(tx *DB) error {
		if err := tx.notUndone(ctx, uri, from.ID); err != nil {
			return err
		}
		if fresh, err := tx.like(ctx, uri, from, postID); err != nil || fresh {
			return err
		}
		var stored string
		err := tx.q.QueryRow(ctx, `select uri from likes where account_id = $1 and post_id = $2 for update`, from.ID, postID).Scan(&stored)
		if errors.Is(err, pgx.ErrNoRows) || err == nil && !newerID(uri, stored) {
			return nil
		} else if err != nil {
			return err
		}
		_, err = tx.q.Exec(ctx, `update likes set uri = $3 where account_id = $1 and post_id = $2`, from.ID, postID, uri)
		return err
	})
}

// ReceiveUnlike takes back a remote account's like, by the like's id or, where that is unknown, by the post. A like that is
// not here is remembered by its id, since it may come late. patient waits, by an error, for an id that has not come yet.
func (db *DB) ReceiveUnlike(ctx context.Context, uri string, from *Account, postURI string, patient bool) (err error) {
	defer wrap(&err, "receive unlike %s", uri)
	return db.undo(ctx, uri, from, patient, func(tx *DB, post int64) error {
		if _, err := tx.q.Exec(ctx, `delete from likes where account_id = $1 and post_id = $2`, from.ID, post); err != nil {
			return err
		}
		return tx.touchShop(ctx)
	}, `select k.post_id, k.uri from likes k join posts p on p.id = k.post_id where k.account_id = $1 and (k.uri = $2 or p.uri = $3)
		order by k.uri = $2 desc limit 1 for update of k`, from.ID, uri, postURI)
}

// ReceiveBoost notes a remote account's boost of a post that is known here.
func (db *DB) ReceiveBoost(ctx context.Context, uri string, from *Account, postID int64, published time.Time) (err error) {
	defer wrap(&err, "receive boost %s", uri)
	return db.Tx(ctx, func(tx *DB) error {
		if err := tx.notUndone(ctx, uri, from.ID); err != nil {
			return err
		}
		if published.After(tx.Now()) || published.IsZero() {
			published = tx.Now()
		}
		known, fresh, err := tx.boost(ctx, from, &Post{ID: tx.ids.at(published), URI: uri, Published: published}, postID)
		if err != nil || fresh || !newerID(uri, known.URI) {
			return err
		}
		_, err = tx.q.Exec(ctx, `update posts set uri = $2 where id = $1 and not exists (select from posts where uri = $2)`, known.ID, uri)
		return err
	})
}

// ReceiveUnboost takes back a remote account's boost. One that is not here is remembered by its id, since it may come late.
// patient waits, by an error, for an id that has not come yet.
func (db *DB) ReceiveUnboost(ctx context.Context, uri string, from *Account, postURI string, patient bool) (err error) {
	defer wrap(&err, "receive unboost %s", uri)
	return db.undo(ctx, uri, from, patient, func(tx *DB, id int64) error {
		_, err := tx.endBoost(ctx, `id = $1`, id)
		return err
	}, `select b.id, b.uri from posts b join posts o on o.id = b.boost_of_id where b.account_id = $1 and b.kind = 'boost' and b.deleted is null
		and (b.uri = $2 or o.uri = $3) order by b.uri = $2 desc limit 1 for update of b`, from.ID, uri, postURI)
}

// Reaction is what an account has done to a post.
type Reaction struct {
	Liked   bool
	Boosted bool
}

// Reactions are what an account has done to the posts; a post that it did nothing to has no entry.
func (db *DB) Reactions(ctx context.Context, accountID int64, postIDs []int64) (_ map[int64]Reaction, err error) {
	defer wrap(&err, "reactions of %d", accountID)
	rows, err := db.q.Query(ctx, `select id, bool_or(liked), bool_or(boosted) from (
			select post_id as id, true as liked, false as boosted from likes where account_id = $1 and post_id = any($2)
			union all select boost_of_id, false, true from posts where account_id = $1 and boost_of_id = any($2) and deleted is null) r group by id`,
		accountID, postIDs)
	if err != nil {
		return nil, err
	}
	all := map[int64]Reaction{}
	var id int64
	var r Reaction
	_, err = pgx.ForEachRow(rows, []any{&id, &r.Liked, &r.Boosted}, func() error { all[id] = r; return nil })
	return all, err
}
