package souk

import (
	"context"

	"github.com/jackc/pgx/v5"
)

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
