package souk

import (
	"context"
	"time"
)

// ReceiveUndo takes back what a remote account did under the id, whatever it was: a follow, a like or a boost. What is
// not there is remembered, so that it changes nothing when it comes late.
func (db *DB) ReceiveUndo(ctx context.Context, uri string, from *Account) (err error) {
	defer wrap(&err, "receive undo of %s", uri)
	return db.Tx(ctx, func(tx *DB) error {
		for _, sql := range []string{`delete from follows where follower_id = $1 and uri = $2`, `delete from likes where account_id = $1 and uri = $2`} {
			tag, err := tx.q.Exec(ctx, sql, from.ID, uri)
			if err != nil {
				return err
			}
			if tag.RowsAffected() > 0 {
				return tx.touchShop(ctx)
			}
		}
		ended, err := tx.endBoost(ctx, `account_id = $1 and uri = $2`, from.ID, uri)
		if err != nil || ended != 0 {
			return err
		}
		return tx.rememberUndo(ctx, uri, from.ID)
	})
}

// rememberUndo notes that an activity that is not here was taken back. Where its id is not known nothing can be noted.
func (db *DB) rememberUndo(ctx context.Context, uri string, accountID int64) error {
	if uri == "" {
		return nil
	}
	_, err := db.q.Exec(ctx, `insert into undone (uri, account_id, at) values ($1, $2, $3) on conflict do nothing`, uri, accountID, db.Now())
	return err
}

// notUndone is ErrGone where the account took the activity back before it came.
func (db *DB) notUndone(ctx context.Context, uri string, accountID int64) error {
	var undone bool
	if err := db.q.QueryRow(ctx, `select exists (select from undone where uri = $1 and account_id = $2)`, uri, accountID).Scan(&undone); err != nil {
		return err
	}
	if undone {
		return ErrGone
	}
	return nil
}

// PruneUndone forgets, after keep, what was taken back or deleted before it came: nobody sends it any more.
func (db *DB) PruneUndone(ctx context.Context, keep time.Duration) (n int64, err error) {
	defer wrap(&err, "prune what was undone")
	before := db.Now().Add(-keep)
	undone, err := db.q.Exec(ctx, `delete from undone where at < $1`, before)
	if err != nil {
		return 0, err
	}
	// A tombstone that replies stand under keeps their place.
	never, err := db.q.Exec(ctx, `delete from posts p where p.id in (select n.id from posts n where not n.local and n.deleted = n.published and n.deleted < $1
		and not exists (select from posts c where c.in_reply_to_id = n.id) order by n.deleted limit 1000)`, before)
	return undone.RowsAffected() + never.RowsAffected(), err
}
