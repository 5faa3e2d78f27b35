package souk

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
)

// States of a follow.
const (
	FollowPending  = "pending"
	FollowAccepted = "accepted"
)

// Follow ties a follower to the account that is followed.
type Follow struct {
	ID         int64
	URI        string
	FollowerID int64
	FolloweeID int64
	State      string
	Created    time.Time
}

const followColumns = `id, uri, follower_id, followee_id, state, created`

// Follow makes a local account follow another one. A local account that does not ask for approval is followed at once;
// a remote one once its node accepted. Following twice changes nothing.
func (db *DB) Follow(ctx context.Context, followerID, followeeID int64) (_ *Follow, err error) {
	defer wrap(&err, "follow %d by %d", followeeID, followerID)
	if followerID == followeeID {
		return nil, invalid("account", "follow_self", "an account cannot follow itself")
	}
	var f *Follow
	err = db.Tx(ctx, func(tx *DB) error {
		follower, err := tx.Account(ctx, followerID)
		if err != nil {
			return err
		}
		if !follower.Local() || follower.Suspended != nil {
			return ErrForbidden
		}
		followee, err := tx.Account(ctx, followeeID)
		if err != nil {
			return err
		}
		if refused, err := tx.Refused(ctx, followee.Host, followee.URI); err != nil {
			return err
		} else if refused || followee.Local() && !followee.Person() {
			return ErrForbidden
		}
		if err := tx.lockPair(ctx, follower.ID, followee.ID); err != nil {
			return err
		}
		if err := tx.notBlocked(ctx, followee.ID, follower.ID); err != nil {
			return err
		}
		id := tx.NewID()
		state := FollowPending
		if followee.Local() && !followee.Locked {
			state = FollowAccepted
		}
		f, err = tx.insertFollow(ctx, Follow{ID: id, URI: fmt.Sprintf("%s#follows/%d", follower.URI, id), FollowerID: follower.ID,
			FolloweeID: followee.ID, State: state, Created: tx.Now()})
		if err != nil || f.ID != id {
			return err
		}
		if !followee.Local() {
			return tx.emit(ctx, Event{Kind: EventFollowed, AccountID: follower.ID, TargetID: followee.ID, URI: f.URI}, true)
		}
		return tx.notifyFollow(ctx, f)
	})
	return f, err
}

// lockPair keeps Block from coming between the question whether one blocks the other and what follows from the answer.
func (db *DB) lockPair(ctx context.Context, accountID, otherID int64) error {
	_, err := db.q.Exec(ctx, `select from accounts where id in ($1, $2) order by id for key share`, accountID, otherID)
	return err
}

// insertFollow stores f, or returns the follow that these two have already.
func (db *DB) insertFollow(ctx context.Context, f Follow) (*Follow, error) {
	rows, err := db.q.Query(ctx, `insert into follows (`+followColumns+`) values ($1, $2, $3, $4, $5, $6)
		on conflict (follower_id, followee_id) do update set state = follows.state returning `+followColumns,
		f.ID, f.URI, f.FollowerID, f.FolloweeID, f.State, f.Created)
	if err != nil {
		return nil, err
	}
	return pgx.CollectExactlyOneRow(rows, pgx.RowToAddrOfStructByName[Follow])
}

func (db *DB) notifyFollow(ctx context.Context, f *Follow) error {
	kind := "follow"
	if f.State == FollowPending {
		kind = "follow_request"
	}
	if err := db.touchShop(ctx); err != nil {
		return err
	}
	return db.notify(ctx, f.FolloweeID, kind, f.FollowerID, 0, 0)
}

// ReceiveFollow stores the Follow that a remote account sent. An account that accepts followers at once answers with
// Accept; a repeated Follow is answered again, since the sender seems not to know. The catalogue accepts only other
// nodes' catalogue or instance actors (isNode); it rejects people.
func (db *DB) ReceiveFollow(ctx context.Context, uri string, follower, followee *Account, isNode bool) (err error) {
	defer wrap(&err, "receive follow %s", uri)
	return db.Tx(ctx, func(tx *DB) error {
		answer := Event{AccountID: followee.ID, TargetID: follower.ID, URI: uri}
		if err := tx.notUndone(ctx, uri, follower.ID); err != nil {
			return err
		}
		if err := tx.lockPair(ctx, follower.ID, followee.ID); err != nil {
			return err
		}
		err := tx.notBlocked(ctx, followee.ID, follower.ID)
		if err != nil && !errors.Is(err, ErrForbidden) {
			return err
		}
		refused := err != nil
		if followee.Role == RoleInstance || followee.Role == RoleCatalogue && !isNode {
			refused = true
		}
		if refused {
			answer.Kind = EventFollowRejected
			return tx.emit(ctx, answer, true)
		}
		state := FollowAccepted
		if followee.Locked {
			state = FollowPending
		}
		id := tx.NewID()
		f, err := tx.insertFollow(ctx, Follow{ID: id, URI: uri, FollowerID: follower.ID, FolloweeID: followee.ID, State: state, Created: tx.Now()})
		if violates(err, "follows_uri_key") {
			return fmt.Errorf("another follow has this id: %w", ErrConflict)
		} else if err != nil {
			return err
		}
		if f.ID == id {
			if err := tx.notifyFollow(ctx, f); err != nil {
				return err
			}
		} else if newerID(uri, f.URI) { // the sender lost the old one: what it takes back later is the new one
			if _, err := tx.q.Exec(ctx, `update follows set uri = $2 where id = $1`, f.ID, uri); err != nil {
				return err
			}
		}
		if f.State == FollowPending {
			return nil
		}
		answer.Kind = EventFollowAccepted
		return tx.emit(ctx, answer, true)
	})
}

// AnswerFollow accepts or rejects the pending request of a follower.
func (db *DB) AnswerFollow(ctx context.Context, followeeID, followerID int64, accept bool) (err error) {
	defer wrap(&err, "answer follow of %d by %d", followeeID, followerID)
	return db.Tx(ctx, func(tx *DB) error {
		sql, kind := `delete from follows where followee_id = $1 and follower_id = $2 and state = 'pending' returning uri`, EventFollowRejected
		if accept {
			sql, kind = `update follows set state = 'accepted' where followee_id = $1 and follower_id = $2 and state = 'pending' returning uri`, EventFollowAccepted
		}
		var uri string
		if err := tx.q.QueryRow(ctx, sql, followeeID, followerID).Scan(&uri); err != nil {
			return err
		}
		if err := tx.touchShop(ctx); err != nil {
			return err
		}
		follower, err := tx.Account(ctx, followerID)
		if err != nil || follower.Local() {
			return err
		}
		return tx.emit(ctx, Event{Kind: kind, AccountID: followeeID, TargetID: followerID, URI: uri}, true)
	})
}

// FollowAnswered notes a remote account's Accept or Reject of a follow that one of ours sent. followURI may be empty
// where the answer embeds a Follow without an id, or one that its sender made up; then the pair decides.
func (db *DB) FollowAnswered(ctx context.Context, followee *Account, followURI string, followerURI string, accepted bool) (_ *Follow, err error) {
	defer wrap(&err, "follow answered by %s", followee.URI)
	sql := `delete from follows f using accounts a`
	if accepted {
		sql = `update follows f set state = 'accepted' from accounts a`
	}
	rows, err := db.q.Query(ctx, sql+` where a.id = f.follower_id and f.id = (select af.id from follows af join accounts aa on aa.id = af.follower_id
			where aa.host = '' and af.followee_id = $1 and (af.uri = $2 or aa.uri = $3) order by af.uri = $2 desc limit 1)
		returning f.id, f.uri, f.follower_id, f.followee_id, f.state, f.created`, followee.ID, followURI, followerURI)
	if err != nil {
		return nil, err
	}
	f, err := pgx.CollectExactlyOneRow(rows, pgx.RowToAddrOfStructByName[Follow])
	if err != nil || !accepted {
		return f, err
	}
	if err := db.featuredDue(ctx, f.FolloweeID); err != nil {
		return nil, err
	}
	return f, db.backfill(ctx, f)
}

// backfill queues the reading of a catalogue that this node has begun to follow.
func (db *DB) backfill(ctx context.Context, f *Follow) error {
	follower, err := db.accountWhere(ctx, `id = $1`, f.FollowerID)
	if err != nil || follower.Role != RoleInstance && follower.Role != RoleCatalogue {
		return err
	}
	return db.job(ctx, BackfillArgs{AccountID: f.FolloweeID}, &river.InsertOpts{UniqueOpts: river.UniqueOpts{ByArgs: true, ByPeriod: time.Hour}})
}

// Unfollow ends a follow of a local account; ending none is ErrNotFound.
func (db *DB) Unfollow(ctx context.Context, followerID, followeeID int64) (err error) {
	defer wrap(&err, "unfollow %d by %d", followeeID, followerID)
	return db.Tx(ctx, func(tx *DB) error {
		var uri string
		if err := tx.q.QueryRow(ctx, `delete from follows where follower_id = $1 and followee_id = $2 returning uri`, followerID, followeeID).Scan(&uri); err != nil {
			return err
		}
		followee, err := tx.accountWhere(ctx, `id = $1`, followeeID)
		if err != nil || followee.Local() {
			return err
		}
		return tx.emit(ctx, Event{Kind: EventUnfollowed, AccountID: followerID, TargetID: followeeID, URI: uri}, true)
	})
}

// ReceiveUnfollow ends a remote account's follow. One that is not there is no error: its id (uri, "" where the sender does
// not say) is remembered, since it may come late. patient waits, by an error, for an id that has not come yet.
func (db *DB) ReceiveUnfollow(ctx context.Context, uri string, follower *Account, followeeID int64, patient bool) (err error) {
	defer wrap(&err, "receive unfollow of %d by %d", followeeID, follower.ID)
	return db.undo(ctx, uri, follower, patient, func(tx *DB, id int64) error {
		if _, err := tx.q.Exec(ctx, `delete from follows where id = $1`, id); err != nil {
			return err
		}
		return tx.touchShop(ctx)
	}, `select id, uri from follows where follower_id = $1 and followee_id = $2 for update`, follower.ID, followeeID)
}

// RemoveFollower makes a remote or local account no longer follow a local one.
func (db *DB) RemoveFollower(ctx context.Context, followeeID, followerID int64) (err error) {
	defer wrap(&err, "remove follower %d of %d", followerID, followeeID)
	return db.Tx(ctx, func(tx *DB) error {
		var uri string
		if err := tx.q.QueryRow(ctx, `delete from follows where follower_id = $1 and followee_id = $2 returning uri`, followerID, followeeID).Scan(&uri); err != nil {
			return err
		}
		follower, err := tx.accountWhere(ctx, `id = $1`, followerID)
		if err != nil || follower.Local() {
			return err
		}
		return tx.emit(ctx, Event{Kind: EventFollowRejected, AccountID: followeeID, TargetID: followerID, URI: uri}, true)
	})
}

// FollowEntry is one row of a followers or following list; ID pages it.
type FollowEntry struct {
	Follow
	Account Account `db:"-"`
}

// Followers are those who follow the account (state "accepted" or "pending"), the newest first.
func (db *DB) Followers(ctx context.Context, accountID int64, state string, page Page) (_ []FollowEntry, err error) {
	defer wrap(&err, "followers of %d", accountID)
	return db.followEntries(ctx, `followee_id = $1`, accountID, state, page, func(f *Follow) int64 { return f.FollowerID })
}

// Following are those whom the account follows, the newest first.
func (db *DB) Following(ctx context.Context, accountID int64, state string, page Page) (_ []FollowEntry, err error) {
	defer wrap(&err, "following of %d", accountID)
	return db.followEntries(ctx, `follower_id = $1`, accountID, state, page, func(f *Follow) int64 { return f.FolloweeID })
}

func (db *DB) followEntries(ctx context.Context, where string, accountID int64, state string, page Page, other func(*Follow) int64) ([]FollowEntry, error) {
	rows, err := db.q.Query(ctx, `select `+followColumns+` from follows where `+where+` and state = $2 and id < $3 and id > $4
		order by id `+page.order()+` limit $5`, accountID, state, page.before(), page.After, page.limit())
	if err != nil {
		return nil, err
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[FollowEntry])
	if err != nil {
		return nil, err
	}
	ids := make([]int64, len(list))
	for i := range list {
		ids[i] = other(&list[i].Follow)
	}
	accounts, err := db.accountsByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	for i := range list {
		list[i].Account = *accounts[other(&list[i].Follow)]
	}
	return newestFirst(page, list), nil
}

// accountsByID loads accounts, deleted ones too; every id that exists is in the map.
func (db *DB) accountsByID(ctx context.Context, ids []int64) (map[int64]*Account, error) {
	list, err := db.accountsWhere(ctx, `id = any($1)`, ids)
	if err != nil {
		return nil, err
	}
	byID := make(map[int64]*Account, len(list))
	for i := range list {
		byID[list[i].ID] = &list[i]
	}
	return byID, nil
}

// FollowState is how the follower stands to the other: "", pending or accepted.
func (db *DB) FollowState(ctx context.Context, followerID, followeeID int64) (_ string, err error) {
	defer wrap(&err, "follow state of %d to %d", followerID, followeeID)
	var state string
	err = db.q.QueryRow(ctx, `select coalesce((select state from follows where follower_id = $1 and followee_id = $2), '')`, followerID, followeeID).Scan(&state)
	return state, err
}

// FollowCounts are the accepted follows of an account, in both directions.
func (db *DB) FollowCounts(ctx context.Context, accountID int64) (followers, following int, err error) {
	defer wrap(&err, "follow counts of %d", accountID)
	err = db.q.QueryRow(ctx, `select (select count(*) from follows where followee_id = $1 and state = 'accepted'),
		(select count(*) from follows where follower_id = $1 and state = 'accepted')`, accountID).Scan(&followers, &following)
	return followers, following, err
}

// FollowsAnyone reports whether anybody of this node follows the account (accepted): only then its posts are kept.
func (db *DB) FollowsAnyone(ctx context.Context, followeeID int64) (yes bool, err error) {
	defer wrap(&err, "followed by us: %d", followeeID)
	err = db.q.QueryRow(ctx, `select exists (select from follows f join accounts a on a.id = f.follower_id
		where f.followee_id = $1 and f.state = 'accepted' and a.host = '')`, followeeID).Scan(&yes)
	return yes, err
}
