package souk

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// SuspendAccount takes an account out of sight, until UnsuspendAccount. Only the owner of the node may.
//
// Of a remote account nothing is accepted any more, its posts are hidden here, and follows between it and this node's
// people end; its node is told of those that ended, as if they had unfollowed and refused. An account of this node cannot
// sign in, its sessions and tokens end, its page and posts are not shown, and other nodes are told (an Update whose actor
// says suspended); those that follow the catalogue show its listings no more. The owner and the node's own actors cannot be suspended (*Invalid).
func (db *DB) SuspendAccount(ctx context.Context, by, id int64) (err error) {
	defer wrap(&err, "suspend account %d", id)
	return db.changeSuspension(ctx, by, id, `update accounts set suspended = $2, updated = `+later("$2")+` where id = $1 and suspended is null`, func(tx *DB, a *Account) error {
		if a.Local() {
			if err := tx.endAccess(ctx, id); err != nil {
				return err
			}
			return tx.emitListings(ctx, a, EventListingHidden)
		}
		return tx.endAllFollows(ctx, a)
	})
}

// UnsuspendAccount shows an account and what it posted again. Follows, sessions and tokens that ended do not come back.
func (db *DB) UnsuspendAccount(ctx context.Context, by, id int64) (err error) {
	defer wrap(&err, "unsuspend account %d", id)
	return db.changeSuspension(ctx, by, id, `update accounts set suspended = null, updated = `+later("$2")+` where id = $1 and suspended is not null`, func(tx *DB, a *Account) error {
		return tx.emitListings(ctx, a, EventListingChanged)
	})
}

// SetMemorial keeps an account of this node in memory of who has died, or takes that back. Its page and posts stay and say so,
// here and on other servers; nobody can sign in to it. Only the owner of the node may; its own account and others' cannot be
// set (*Invalid).
func (db *DB) SetMemorial(ctx context.Context, by, id int64, memorial bool) (err error) {
	defer wrap(&err, "memorial of %d: %v", id, memorial)
	sql := `update accounts set memorial = true, updated = ` + later("$2") + ` where id = $1 and not memorial`
	if !memorial {
		sql = `update accounts set memorial = false, updated = ` + later("$2") + ` where id = $1 and memorial`
	}
	return db.changeSuspension(ctx, by, id, sql, func(tx *DB, a *Account) error {
		if !a.Local() {
			return invalid("account", "memorial_remote", "its own server says whether it is kept in memory")
		}
		return tx.endAccess(ctx, id)
	})
}

// endAccess ends all sessions and tokens of an account.
func (db *DB) endAccess(ctx context.Context, id int64) error {
	if err := db.SignOutOthers(ctx, id, ""); err != nil {
		return err
	}
	_, err := db.q.Exec(ctx, `update tokens set revoked = coalesce(revoked, $2) where account_id = $1`, id, db.Now())
	return err
}

// emitListings says the same of every listing of an account that was published; of a remote account nothing.
func (db *DB) emitListings(ctx context.Context, a *Account, kind string) error {
	if !a.Local() {
		return nil
	}
	listings, err := db.publishedBy(ctx, a.ID)
	if err != nil {
		return err
	}
	for _, id := range listings {
		if err := db.emit(ctx, Event{Kind: kind, AccountID: a.ID, ObjectID: id}, true); err != nil {
			return err
		}
	}
	return nil
}

func (db *DB) publishedBy(ctx context.Context, sellerID int64) ([]int64, error) {
	return db.idList(ctx, `select l.id from listings l join posts p on p.id = l.id where l.seller_id = $1 and p.deleted is null
		and l.state <> 'draft' order by l.id`, sellerID)
}

// changeSuspension changes by sql what stands between an account and the rest, and says so.
func (db *DB) changeSuspension(ctx context.Context, by, id int64, sql string, then func(*DB, *Account) error) error {
	return db.Tx(ctx, func(tx *DB) error {
		if err := tx.requireOwner(ctx, by); err != nil {
			return err
		}
		a, err := tx.Account(ctx, id)
		if err != nil {
			return err
		}
		if a.Local() && a.Role != RoleSeller && a.Role != RoleMember {
			return invalid("account", "suspend_owner", "the owner cannot be suspended")
		}
		tag, err := tx.q.Exec(ctx, sql, id, tx.Now())
		if err != nil || tag.RowsAffected() == 0 {
			return err // it is so already
		}
		if err := then(tx, a); err != nil {
			return err
		}
		if err := tx.IndexPostsOf(ctx, id); err != nil {
			return err
		}
		if err := tx.touchShop(ctx); err != nil {
			return err
		}
		return tx.emit(ctx, Event{Kind: EventActorUpdated, AccountID: id}, a.Local())
	})
}

// endAllFollows ends all follows between a remote account and accounts of this node.
func (db *DB) endAllFollows(ctx context.Context, a *Account) error {
	rows, err := db.q.Query(ctx, `select distinct case when follower_id = $1 then followee_id else follower_id end from follows
		where $1 in (follower_id, followee_id) order by 1`, a.ID)
	if err != nil {
		return err
	}
	others, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return err
	}
	for _, id := range others {
		ours, err := db.accountWhere(ctx, `id = $1`, id)
		if err != nil {
			return err
		}
		if err := db.endFollows(ctx, ours, a.ID); err != nil {
			return err
		}
	}
	return nil
}
