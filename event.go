package souk

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// What can happen that other nodes or the search index must hear of.
const (
	EventPostCreated      = "post_created"      // ObjectID = post
	EventPostEdited       = "post_edited"       // ObjectID = post
	EventPostDeleted      = "post_deleted"      // ObjectID = post (now a tombstone)
	EventBoosted          = "boosted"           // ObjectID = the boost's post row
	EventUnboosted        = "unboosted"         // ObjectID = the boost's post row (now a tombstone)
	EventLiked            = "liked"             // ObjectID = post, URI = the like's id
	EventUnliked          = "unliked"           // ObjectID = post, URI = the like's id
	EventFollowed         = "followed"          // TargetID = followed account, URI = the follow's id
	EventUnfollowed       = "unfollowed"        // TargetID = account, URI = the follow's id
	EventFollowAccepted   = "follow_accepted"   // AccountID = followed (local), TargetID = follower, URI = the follow's id
	EventFollowRejected   = "follow_rejected"   // same
	EventBlocked          = "blocked"           // TargetID = blocked account, URI = the block's id
	EventUnblocked        = "unblocked"         // same
	EventReported         = "reported"          // AccountID = instance actor, ObjectID = report that its target's node shall hear of
	EventListingCreated   = "listing_created"   // ObjectID = listing: published for the first time
	EventListingChanged   = "listing_changed"   // ObjectID = listing
	EventListingDeleted   = "listing_deleted"   // ObjectID = listing (now a tombstone)
	EventListingHidden    = "listing_hidden"    // ObjectID = listing whose seller was suspended; it comes back by EventListingChanged
	EventListingAnnounced = "listing_announced" // ObjectID = listing: followers are told of one published before
	EventListingNews      = "listing_news"      // ObjectID = listing: followers' copy may be corrected (announced_as)
	EventPinned           = "pinned"            // ObjectID = post or listing
	EventUnpinned         = "unpinned"          // ObjectID = post or listing
	EventMoved            = "moved"             // TargetID = the account that AccountID goes on as
	EventPulled           = "pulled"            // TargetID = follower of the account that URI names, who is asked to follow AccountID instead
	EventOffered          = "offered"           // ObjectID = agreement: AccountID (local) orders of TargetID
	EventOfferTakenBack   = "offer_taken_back"  // same
	EventOfferAnswered    = "offer_answered"    // ObjectID = agreement: AccountID (local) sells to TargetID, or does not
	EventAgreementChanged = "agreement_changed" // ObjectID = order of TargetID, which is in another state
	EventAgreementDone    = "agreement_done"    // ObjectID = order of TargetID, which is settled
	EventQuoteAnswered    = "quote_answered"    // AccountID = author of the quoted post, TargetID = who quotes, ObjectID = quote
	EventQuoteRevoked     = "quote_revoked"     // same
	EventActorUpdated     = "actor_updated"     // AccountID
	EventActorDeleted     = "actor_deleted"     // AccountID
)

// Event is a change that federation must tell others: a row of events, drained in order of ID.
type Event struct {
	ID        int64
	Kind      string
	AccountID int64
	ObjectID  int64
	TargetID  int64
	URI       string
	At        time.Time
}

// emit is the only place where a change becomes work: rows in the transaction of the change.
// federate says that others must be told (local changes only; what came from others is never sent on).
func (db *DB) emit(ctx context.Context, e Event, federate bool) error {
	if federate {
		if err := db.emitAfter(ctx, e, time.Time{}); err != nil {
			return err
		}
	}
	switch e.Kind {
	case EventPostCreated, EventPostEdited, EventPostDeleted, EventListingCreated, EventListingChanged, EventListingDeleted:
		return db.index(ctx, "post", e.ObjectID)
	case EventActorUpdated, EventActorDeleted:
		return db.index(ctx, "account", e.AccountID)
	}
	return nil
}

// emitAfter queues an event that federation takes up only after the given time (zero: now).
func (db *DB) emitAfter(ctx context.Context, e Event, after time.Time) error {
	var notBefore *time.Time
	if !after.IsZero() {
		notBefore = &after
	}
	_, err := db.q.Exec(ctx, `insert into events (kind, account_id, object_id, target_id, uri, at, after)
		values ($1, $2, $3, $4, $5, $6, $7)`, e.Kind, e.AccountID, e.ObjectID, e.TargetID, e.URI, db.Now(), notBefore)
	if err != nil {
		return err
	}
	db.wakeAfterCommit("federate")
	return nil
}

// indexAgain ends an insert into search_outbox: what waits already waits for its newest state.
const indexAgain = `on conflict (object_kind, object_id) do update set version = greatest(search_outbox.version + 1, excluded.version), queued = excluded.queued`

// index queues an object to be indexed again; kind is "post" (listings too) or "account".
func (db *DB) index(ctx context.Context, kind string, id int64) error {
	now := db.Now()
	_, err := db.q.Exec(ctx, `insert into search_outbox (object_kind, object_id, version, queued) values ($1, $2, $3, $4)
		`+indexAgain,
		kind, id, now.UnixMicro(), now)
	if err != nil {
		return err
	}
	db.wakeAfterCommit("index")
	return nil
}

// Events are the oldest events not yet federated and due, at most limit. The caller is the one drain of a process;
// with several worker processes the rows are locked, so call it inside Tx and finish with FederatedEvent there.
func (db *DB) Events(ctx context.Context, limit int) (_ []Event, err error) {
	defer wrap(&err, "events")
	rows, err := db.q.Query(ctx, `select id, kind, account_id, object_id, target_id, uri, at from events
		where done is null and (after is null or after <= $2) order by id limit $1 for update`, limit, db.Now())
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Event])
}

// FederatedEvent marks an event as told; note says why nothing was sent where nothing was.
func (db *DB) FederatedEvent(ctx context.Context, id int64, note string) (err error) {
	defer wrap(&err, "federated event %d", id)
	_, err = db.q.Exec(ctx, `update events set done = $2, error = $3 where id = $1`, id, db.Now(), note)
	return err
}
