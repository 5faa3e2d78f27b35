package souk

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// What a remote account does to the same thing again (likes it, no longer, once more) has another id each time, and comes in
// any order. One row stands for all of it, under the id that is the newest; an Undo ends it only where it names that id.
// So whatever the order, in the end there is what was done last.

// errEarly is why an Undo is put off: it may have overtaken what it takes back.
var errEarly = errors.New("what it takes back has not come yet")

// undo takes back what stands here under uri, or under another id for the same thing: find, with args, looks for its row's id
// and the activity's, and end ends it.
func (db *DB) undo(ctx context.Context, uri string, from *Account, patient bool, end func(tx *DB, id int64) error, find string, args ...any) error {
	return db.within(ctx, func(tx *DB) error {
		if err := tx.lockActivity(ctx, uri); err != nil {
			return err
		}
		var id int64
		var stored string
		err := tx.q.QueryRow(ctx, find, args...).Scan(&id, &stored)
		if errors.Is(err, pgx.ErrNoRows) {
			return tx.rememberUndo(ctx, uri, from.ID)
		} else if err != nil {
			return err
		}
		if ends, err := tx.ends(ctx, uri, stored, from, patient); err != nil || !ends {
			return err
		}
		return end(tx, id)
	})
}

// ends reports whether an Undo of uri by the account ends what stands under the id stored. Where it names another id, that
// was received before and what stands is newer; or it is still on its way, which is worth waiting for (patient); or it
// will never come, since some servers make up the id of what they take back.
func (db *DB) ends(ctx context.Context, uri, stored string, from *Account, patient bool) (bool, error) {
	if uri == "" || uri == stored {
		return true, nil
	}
	var received bool
	if err := db.q.QueryRow(ctx, `select exists (select from inbox where activity_id = $1 and actor = $2)`, uri, from.URI).Scan(&received); err != nil {
		return false, err
	}
	switch {
	case received:
		return false, db.rememberUndo(ctx, uri, from.ID)
	case patient:
		return false, errEarly
	}
	return true, nil
}

// newerID reports whether of two ids that an account gave to the same act the first is the later one: the greater number
// where both count up, as the ids of this software and of others do, else the one that came later, which is the first.
func newerID(came, stored string) bool {
	number := func(id string) (rest, digits string) {
		rest = strings.TrimRight(id, "0123456789")
		return rest, strings.TrimLeft(id[len(rest):], "0")
	}
	cameRest, cameDigits := number(came)
	storedRest, storedDigits := number(stored)
	if cameRest != storedRest || cameRest == came || storedRest == stored {
		return came != stored
	}
	return cmp.Or(cmp.Compare(len(cameDigits), len(storedDigits)), cmp.Compare(cameDigits, storedDigits)) > 0
}

// lockActivity keeps, to the end of the transaction, an activity and its Undo from being applied side by side.
func (db *DB) lockActivity(ctx context.Context, uri string) error {
	_, err := db.q.Exec(ctx, `select `+lockURI("$1"), uri)
	return err
}

// ReceiveUndo takes back what a remote account did under the id, whatever it was: a follow, a like, a block, a boost
// or an offer. What is not there is remembered, so that it changes nothing when it comes late.
func (db *DB) ReceiveUndo(ctx context.Context, uri string, from *Account) (err error) {
	defer wrap(&err, "receive undo of %s", uri)
	return db.Tx(ctx, func(tx *DB) error {
		if err := tx.lockActivity(ctx, uri); err != nil {
			return err
		}
		for _, sql := range []string{`delete from follows where follower_id = $1 and uri = $2`, `delete from likes where account_id = $1 and uri = $2`,
			`delete from blocks where blocker_id = $1 and uri = $2`} {
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
		if found, err := tx.offerTakenBack(ctx, from, uri); err != nil || found {
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

// notUndone is ErrGone where the account took the activity back before it came. It holds off an Undo of it to the end of the
// transaction.
func (db *DB) notUndone(ctx context.Context, uri string, accountID int64) error {
	if err := db.lockActivity(ctx, uri); err != nil {
		return err
	}
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
