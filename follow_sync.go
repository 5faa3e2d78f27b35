package souk

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

// Two nodes may come to disagree about who follows whom: one was restored from a backup, or lost an activity. Each delivery
// therefore carries a digest of the followers that the sender has on the receiving host, and who disagrees asks for the
// list (FEP-8fcf).

// FollowDigest is the exclusive or of the SHA-256 of each follower's id (FEP-8fcf); the zero value stands for none.
type FollowDigest [sha256.Size]byte

// Add puts a follower's id in, or takes it out again.
func (d *FollowDigest) Add(uri string) {
	for i, b := range sha256.Sum256([]byte(uri)) {
		d[i] ^= b
	}
}

// String is the digest in hexadecimal.
func (d FollowDigest) String() string { return hex.EncodeToString(d[:]) }

// FollowerDigests are the digests of an account's accepted followers on each other host.
func (db *DB) FollowerDigests(ctx context.Context, accountID int64) (_ map[string]FollowDigest, err error) {
	defer wrap(&err, "follower digests of %d", accountID)
	rows, err := db.q.Query(ctx, `select a.host, a.uri from follows f join accounts a on a.id = f.follower_id
		where f.followee_id = $1 and f.state = 'accepted' and a.host <> '' and a.deleted is null`, accountID)
	if err != nil {
		return nil, err
	}
	digests := map[string]FollowDigest{}
	var host, uri string
	_, err = pgx.ForEachRow(rows, []any{&host, &uri}, func() error {
		d := digests[host]
		d.Add(uri)
		digests[host] = d
		return nil
	})
	return digests, err
}

// FollowersAt are the ids of an account's accepted followers on one other host.
func (db *DB) FollowersAt(ctx context.Context, accountID int64, host string) (_ []string, err error) {
	defer wrap(&err, "followers of %d at %s", accountID, host)
	rows, err := db.q.Query(ctx, `select a.uri from follows f join accounts a on a.id = f.follower_id
		where f.followee_id = $1 and f.state = 'accepted' and a.host = $2 and a.deleted is null order by f.id`, accountID, host)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// LocalFollows are the follows of this node's accounts of one account, accepted ones and those that wait, by the follower's
// id.
func (db *DB) LocalFollows(ctx context.Context, followeeID int64) (_ map[string]Follow, err error) {
	defer wrap(&err, "local follows of %d", followeeID)
	rows, err := db.q.Query(ctx, `select a.uri, f.id, f.uri, f.follower_id, f.followee_id, f.state, f.created
		from follows f join accounts a on a.id = f.follower_id where f.followee_id = $1 and a.host = '' and a.deleted is null`, followeeID)
	if err != nil {
		return nil, err
	}
	follows := map[string]Follow{}
	var uri string
	var f Follow
	_, err = pgx.ForEachRow(rows, []any{&uri, &f.ID, &f.URI, &f.FollowerID, &f.FolloweeID, &f.State, &f.Created}, func() error {
		follows[uri] = f
		return nil
	})
	return follows, err
}

// SyncFollowsArgs asks another node who of this one follows an account of it (federation).
type SyncFollowsArgs struct {
	AccountID int64  `json:"account_id" river:"unique"` // who is followed
	URL       string `json:"url"`                       // where the list is, of the account's origin
}

// Kind names the job.
func (SyncFollowsArgs) Kind() string { return "sync_follows" }

// FollowsDiffer queues the question who of this node follows an account, once an hour at most.
func (db *DB) FollowsDiffer(ctx context.Context, accountID int64, url string) (err error) {
	defer wrap(&err, "follows of %d differ", accountID)
	return db.job(ctx, SyncFollowsArgs{AccountID: accountID, URL: url}, &river.InsertOpts{MaxAttempts: 3,
		UniqueOpts: river.UniqueOpts{ByArgs: true, ByPeriod: time.Hour, ByState: []rivertype.JobState{rivertype.JobStateAvailable, rivertype.JobStatePending,
			rivertype.JobStateRunning, rivertype.JobStateRetryable, rivertype.JobStateScheduled, rivertype.JobStateCompleted}}})
}

// SyncFollows brings the follows of this node's accounts into line with what the other node says of its account: listed are
// the ids of those here who follow it. Accepted follows that are not listed end, those that wait and are listed are
// accepted, and of who is listed and does not follow the other node is told. known is LocalFollows before the list was
// asked for: what changed meanwhile is left alone.
func (db *DB) SyncFollows(ctx context.Context, followee *Account, known map[string]Follow, listed []string) (err error) {
	defer wrap(&err, "sync follows of %s", followee.URI)
	there := map[string]bool{}
	for _, uri := range listed {
		there[uri] = true
	}
	return db.Tx(ctx, func(tx *DB) error {
		for uri, f := range known {
			switch {
			case f.State == FollowAccepted && !there[uri]:
				if _, err := tx.q.Exec(ctx, `delete from follows where id = $1 and state = 'accepted'`, f.ID); err != nil {
					return err
				}
			case f.State == FollowPending && there[uri]:
				if _, err := tx.FollowAnswered(ctx, followee, f.URI, uri, true); err != nil && !errors.Is(err, ErrNotFound) {
					return err
				}
			}
		}
		for uri := range there {
			if _, follows := known[uri]; follows {
				continue
			}
			if err := tx.tellUnfollowed(ctx, uri, followee); err != nil {
				return err
			}
		}
		return nil
	})
}

// tellUnfollowed tells another node that an account of this one does not follow its account, if so it is.
func (db *DB) tellUnfollowed(ctx context.Context, uri string, followee *Account) error {
	var id int64
	err := db.q.QueryRow(ctx, `select id from accounts where uri = $1 and host = '' and deleted is null
		and not exists (select from follows where follower_id = accounts.id and followee_id = $2)`, uri, followee.ID).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	return db.emit(ctx, Event{Kind: EventUnfollowed, AccountID: id, TargetID: followee.ID, URI: fmt.Sprintf("%s#follows/%d", uri, db.NewID())}, true)
}
