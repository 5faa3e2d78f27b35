package souk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

const (
	// MoveRest is after what time a local account may move again, as on Mastodon.
	MoveRest = 30 * 24 * time.Hour
	// movedRest is for how long a remote account that moved is not followed to yet another place.
	movedRest = 7 * 24 * time.Hour
	// maxMovesOfHost is how many accounts of one host people here are moved along with in a day: a server that has a thousand
	// accounts hand them on to each other goes no further.
	maxMovesOfHost = 100
	// maxAliases is how many other accounts one may call its own.
	maxAliases = 10
)

// Move says that a local account goes on as another one, which must call it an alias of its own; target is as its origin
// told just now. Its followers are told, those of this node follow the other at once, and it posts no more. *Invalid, field
// "target", where that cannot be; what is said of target holds for it as it is passed.
func (db *DB) Move(ctx context.Context, accountID int64, target *Account) (err error) {
	defer wrap(&err, "move %d to %s", accountID, target.URI)
	return db.Tx(ctx, func(tx *DB) error {
		a, err := tx.accountWhere(ctx, `id = $1 and host = '' and deleted is null for update`, accountID)
		if err != nil {
			return err
		}
		now := tx.Now()
		switch {
		case !a.Person() || a.Suspended != nil:
			return ErrForbidden
		case a.ID == target.ID:
			return invalid("target", "move_self", "this is the account itself")
		case target.Deleted != nil || target.Suspended != nil:
			return invalid("target", "move_gone", "this account is not there any more")
		case !slices.Contains(target.AlsoKnownAs, a.URI):
			return invalid("target", "move_alias", "the other account does not name this one as its own: add %s there first", tx.Handle(a))
		case target.MovedTo != "":
			return invalid("target", "move_moved", "the other account has moved away itself")
		case a.Moved != nil && now.Sub(*a.Moved) < MoveRest:
			return invalid("target", "move_soon", "it moved on %s; it may again 30 days later", a.Moved.Format(time.DateOnly))
		}
		if _, err := tx.q.Exec(ctx, `update accounts set moved_to = $2, moved = $3, updated = `+later("$3")+` where id = $1`, a.ID, target.URI, now); err != nil {
			return err
		}
		if err := tx.touchShop(ctx); err != nil {
			return err
		}
		if err := tx.emit(ctx, Event{Kind: EventActorUpdated, AccountID: a.ID}, true); err != nil {
			return err
		}
		if err := tx.emit(ctx, Event{Kind: EventMoved, AccountID: a.ID, TargetID: target.ID}, true); err != nil {
			return err
		}
		return tx.followAlong(ctx, a, target)
	})
}

// Unmove takes the redirection of a local account back: it posts again. Followers that went stay where they are.
func (db *DB) Unmove(ctx context.Context, accountID int64) (err error) {
	defer wrap(&err, "unmove %d", accountID)
	return db.Tx(ctx, func(tx *DB) error {
		tag, err := tx.q.Exec(ctx, `update accounts set moved_to = '', updated = `+later("$2")+` where id = $1 and host = '' and deleted is null and moved_to <> ''`, accountID, tx.Now())
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		if err := tx.touchShop(ctx); err != nil {
			return err
		}
		return tx.emit(ctx, Event{Kind: EventActorUpdated, AccountID: accountID}, true)
	})
}

// ReceiveMove notes that a remote account goes on as another one, which calls it an alias of its own: who follows it
// here follows the other instead, and who blocks it blocks the other too. ErrConflict where it moved a short time ago, or
// very many of its host did.
func (db *DB) ReceiveMove(ctx context.Context, from, to *Account) (err error) {
	defer wrap(&err, "receive move of %s to %s", from.URI, to.URI)
	return db.Tx(ctx, func(tx *DB) error {
		now := tx.Now()
		// Accounts of one host that move side by side are counted one after another.
		if _, err := tx.q.Exec(ctx, `select `+lockURI("$1"), "moves of "+from.Host); err != nil {
			return err
		}
		tag, err := tx.q.Exec(ctx, `update accounts a set moved_to = $2, moved = $3 where a.id = $1 and a.host <> '' and a.deleted is null
			and (a.moved is null or a.moved <= $4)
			and (select count(*) from accounts b where b.host = a.host and b.moved > $5) < $6`,
			from.ID, to.URI, now, now.Add(-movedRest), now.Add(-24*time.Hour), maxMovesOfHost)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return fmt.Errorf("moved a short time ago, or too many of its host did: %w", ErrConflict)
		}
		return tx.followAlong(ctx, from, to)
	})
}

// followAlong makes the people of this node who follow an account follow where it moved, and those who block it block the
// other too. Who may not follow the other goes on following the old one.
func (db *DB) followAlong(ctx context.Context, from, to *Account) error {
	// Locked, so that nobody unfollows between this and the end.
	followers, err := db.idList(ctx, `select f.follower_id from follows f join accounts a on a.id = f.follower_id
		where f.followee_id = $1 and f.state = 'accepted' and a.role in ('owner', 'seller', 'member') and a.deleted is null order by 1 for update of f`, from.ID)
	if err != nil {
		return err
	}
	for _, id := range followers {
		if id != to.ID {
			err := db.Tx(ctx, func(tx *DB) error {
				_, err := tx.Follow(ctx, id, to.ID)
				return err
			})
			if errors.Is(err, ErrForbidden) || errors.Is(err, ErrGone) {
				continue
			} else if err != nil {
				return err
			}
		}
		if err := db.Unfollow(ctx, id, from.ID); err != nil {
			return err
		}
	}
	blockers, err := db.idList(ctx, `select b.blocker_id from blocks b join accounts a on a.id = b.blocker_id
		where b.blocked_id = $1 and a.host = '' and b.blocker_id <> $2
		and not exists (select from follows f where f.follower_id = b.blocker_id and f.followee_id = $2) order by 1`, from.ID, to.ID)
	if err != nil {
		return err
	}
	for _, id := range blockers {
		if err := db.Block(ctx, id, to.ID); err != nil {
			return err
		}
	}
	return nil
}

// FollowedOrBlocked reports whether anybody of this node follows the account or blocks it: whether it matters here where
// it moves.
func (db *DB) FollowedOrBlocked(ctx context.Context, accountID int64) (yes bool, err error) {
	defer wrap(&err, "followed or blocked: %d", accountID)
	err = db.q.QueryRow(ctx, `select exists (select from follows f join accounts a on a.id = f.follower_id where f.followee_id = $1 and a.host = '')
		or exists (select from blocks b join accounts a on a.id = b.blocker_id where b.blocked_id = $1 and a.host = '')`, accountID).Scan(&yes)
	return yes, err
}

// stays is *Invalid where the account has moved away: it says nothing new any more.
func (a *Account) stays() error {
	if a.MovedTo != "" {
		return invalid("account", "moved", "this account has moved to %s; take that back to go on here", a.MovedTo)
	}
	return nil
}

// checkAliases makes the aliases of a profile what is stored: each once, not the account itself.
func (a *Account) checkAliases(aliases []string, e *Invalid) {
	a.AlsoKnownAs = []string{}
	for _, uri := range aliases {
		if uri != a.URI && !slices.Contains(a.AlsoKnownAs, uri) {
			checkText("also_known_as", uri, 2048, false, e)
			a.AlsoKnownAs = append(a.AlsoKnownAs, uri)
		}
	}
	if len(a.AlsoKnownAs) > maxAliases {
		e.Add("also_known_as", "too_many", "at most %d accounts", maxAliases)
	}
}
