package souk

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// DeleteAccount ends a local account for good: what it posted, listed, liked and boosted goes, every node that this one
// knows is told, and nobody can have its name again. Its orders stay for the books, and its key until all are told. The
// account itself may, and the owner of the node; by 0 stands for who runs the node. The owner's own account ends only that
// way, and only as the last one: *Invalid, field "account".
func (db *DB) DeleteAccount(ctx context.Context, by, accountID int64) (err error) {
	defer wrap(&err, "delete account %d", accountID)
	return db.Tx(ctx, func(tx *DB) error {
		a, err := tx.accountWhere(ctx, `id = $1 and host = '' and deleted is null for update`, accountID)
		if err != nil {
			return err
		}
		if err := tx.mayDelete(ctx, by, a); err != nil {
			return err
		}
		listings, err := tx.publishedBy(ctx, a.ID)
		if err != nil {
			return err
		}
		if err := tx.endAccount(ctx, a.ID); err != nil {
			return err
		}
		batch := &pgx.Batch{}
		batch.Queue(`update accounts set email = null, password = '', bio_source = '', lang = '', moved_to = '', also_known_as = '{}', discoverable = false,
			indexable = false, updated = $2 where id = $1`, a.ID, tx.Now())
		batch.Queue(`delete from sessions where account_id = $1`, a.ID)
		batch.Queue(`delete from tokens where account_id = $1`, a.ID)
		batch.Queue(`delete from notifications where account_id = $1`, a.ID)
		batch.Queue(`delete from pulled_followers where account_id = $1`, a.ID)
		batch.Queue(`update activities set public = false where account_id = $1 and public`, a.ID)
		if err := tx.q.SendBatch(ctx, batch).Close(); err != nil {
			return err
		}
		// Nodes that follow the catalogue and know the account only by its listings hear of each.
		for _, id := range listings {
			if err := tx.emit(ctx, Event{Kind: EventListingDeleted, AccountID: a.ID, ObjectID: id}, true); err != nil {
				return err
			}
		}
		if err := tx.touchShop(ctx); err != nil {
			return err
		}
		return tx.emit(ctx, Event{Kind: EventActorDeleted, AccountID: a.ID}, true)
	})
}

func (db *DB) mayDelete(ctx context.Context, by int64, a *Account) error {
	if !a.Person() {
		return ErrForbidden
	}
	if a.Role != RoleOwner {
		if by == 0 || by == a.ID {
			return nil
		}
		return db.requireOwner(ctx, by)
	}
	if by != 0 {
		return invalid("account", "owner_stays", "the owner's account is deleted by the command souk account delete only")
	}
	var others bool
	if err := db.q.QueryRow(ctx, `select exists (select from accounts where role in ('seller', 'member') and deleted is null)`).Scan(&others); err != nil {
		return err
	}
	if others {
		return invalid("account", "owner_last", "the owner leaves last: delete the other accounts first")
	}
	return nil
}

// DeleteRemoteAccount forgets an actor that its own node deleted: tombstones for its posts, no follows, no listings.
func (db *DB) DeleteRemoteAccount(ctx context.Context, uri string) (err error) {
	defer wrap(&err, "delete remote account %s", uri)
	return db.Tx(ctx, func(tx *DB) error {
		var id int64
		if err := tx.q.QueryRow(ctx, `select id from accounts where uri = $1 and host <> '' and deleted is null for update`, uri).Scan(&id); err != nil {
			return err
		}
		if err := tx.endAccount(ctx, id); err != nil {
			return err
		}
		if _, err := tx.q.Exec(ctx, `update accounts set public_key = '' where id = $1`, id); err != nil {
			return err
		}
		return tx.emit(ctx, Event{Kind: EventActorDeleted, AccountID: id}, false)
	})
}

// endAccount takes away what an account is to others: its profile, posts, boosts, likes, follows and blocks either way, and
// what was told of it. PruneMedia deletes its pictures.
func (db *DB) endAccount(ctx context.Context, id int64) error {
	now := db.Now()
	batch := &pgx.Batch{}
	batch.Queue(`update accounts set deleted = $2, display_name = '', bio = '', fields = '[]', avatar_id = null, header_id = null where id = $1`, id, now)
	batch.Queue(`delete from follows where follower_id = $1 or followee_id = $1`, id)
	batch.Queue(`delete from likes where account_id = $1`, id)
	batch.Queue(`delete from blocks where blocker_id = $1 or blocked_id = $1`, id)
	batch.Queue(`delete from notifications where from_id = $1`, id)
	batch.Queue(`update quotes set revoked = $2 where account_id = $1 and revoked is null`, id, now)
	batch.Queue(`delete from undone where account_id = $1`, id)
	if err := db.q.SendBatch(ctx, batch).Close(); err != nil {
		return err
	}
	posts, err := db.idList(ctx, `select id from posts where account_id = $1 and deleted is null order by id for update`, id)
	if err != nil {
		return err
	}
	return db.bury(ctx, posts...)
}
