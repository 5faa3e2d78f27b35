package souk

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
)

// Block makes an account of this node block another: no follows either way, no replies or likes from the other any more,
// and the other sees its posts no more. The other's node is told (ActivityPub 6.9 leaves that open; Mastodon does, so that
// both sides hide it). Blocking twice changes nothing.
func (db *DB) Block(ctx context.Context, blockerID, blockedID int64) (err error) {
	defer wrap(&err, "block %d by %d", blockedID, blockerID)
	return db.Tx(ctx, func(tx *DB) error {
		blocker, err := tx.Account(ctx, blockerID)
		if err != nil {
			return err
		}
		if !blocker.Person() {
			return ErrForbidden
		}
		uri := blocker.URI + "#blocks/" + formatID(tx.NewID())
		fresh, err := tx.block(ctx, uri, blocker, blockedID)
		if err != nil || !fresh {
			return err
		}
		other, err := tx.accountWhere(ctx, `id = $1`, blockedID)
		if err != nil || other.Local() {
			return err
		}
		if err := tx.revokeQuotes(ctx, blockerID, blockedID); err != nil {
			return err
		}
		return tx.emit(ctx, Event{Kind: EventBlocked, AccountID: blockerID, TargetID: blockedID, URI: uri}, true)
	})
}

// ReceiveBlock notes that an account of another node blocks one of ours: the follows between them end, and ours sees its
// posts no more and reaches it no more.
func (db *DB) ReceiveBlock(ctx context.Context, uri string, from *Account, blockedID int64) (err error) {
	defer wrap(&err, "receive block %s", uri)
	return db.Tx(ctx, func(tx *DB) error {
		if err := tx.notUndone(ctx, uri, from.ID); err != nil {
			return err
		}
		if fresh, err := tx.block(ctx, uri, from, blockedID); err != nil || fresh {
			return err
		}
		var stored string
		err := tx.q.QueryRow(ctx, `select uri from blocks where blocker_id = $1 and blocked_id = $2`, from.ID, blockedID).Scan(&stored)
		if err != nil || !newerID(uri, stored) {
			return err
		}
		_, err = tx.q.Exec(ctx, `update blocks set uri = $3 where blocker_id = $1 and blocked_id = $2`, from.ID, blockedID, uri)
		return err
	})
}

func (db *DB) block(ctx context.Context, uri string, blocker *Account, blockedID int64) (fresh bool, err error) {
	if blocker.ID == blockedID {
		return false, invalid("account", "block_self", "an account cannot block itself")
	}
	// In the order of ids, so that two who block each other do not wait for each other (lockPair).
	if _, err := db.q.Exec(ctx, `select from accounts where id in ($1, $2) order by id for update`, blocker.ID, blockedID); err != nil {
		return false, err
	}
	tag, err := db.q.Exec(ctx, `insert into blocks (blocker_id, blocked_id, uri, created) values ($1, $2, $3, $4) on conflict do nothing`,
		blocker.ID, blockedID, uri, db.Now())
	if err != nil {
		return false, err
	}
	if err := db.endFollows(ctx, blocker, blockedID); err != nil {
		return false, err
	}
	return tag.RowsAffected() > 0, db.touchShop(ctx)
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

// Unblock lifts the block of an account of this node; the other's node is told. Where there is none nothing happens.
func (db *DB) Unblock(ctx context.Context, blockerID, blockedID int64) (err error) {
	defer wrap(&err, "unblock %d by %d", blockedID, blockerID)
	return db.Tx(ctx, func(tx *DB) error {
		var uri, host string
		err := tx.q.QueryRow(ctx, `delete from blocks b using accounts o where b.blocker_id = $1 and b.blocked_id = $2 and o.id = b.blocked_id
			returning b.uri, o.host`, blockerID, blockedID).Scan(&uri, &host)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		} else if err != nil || host == "" {
			return err
		}
		return tx.emit(ctx, Event{Kind: EventUnblocked, AccountID: blockerID, TargetID: blockedID, URI: uri}, true)
	})
}

// ReceiveUnblock lifts the block of a remote account. One that is not here is remembered by its id, since it may come late;
// patient is as of ReceiveUnlike.
func (db *DB) ReceiveUnblock(ctx context.Context, uri string, from *Account, blockedID int64, patient bool) (err error) {
	defer wrap(&err, "receive unblock %s", uri)
	return db.undo(ctx, uri, from, patient, func(tx *DB, blocked int64) error {
		_, err := tx.q.Exec(ctx, `delete from blocks where blocker_id = $1 and blocked_id = $2`, from.ID, blocked)
		return err
	}, `select blocked_id, uri from blocks where blocker_id = $1 and blocked_id = $2 for update`, from.ID, blockedID)
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
