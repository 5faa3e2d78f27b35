package federation

import (
	"context"
	"errors"
	"fmt"
	"time"

	"souk"

	"github.com/riverqueue/river"
)

// eventBatch is how many events are turned into activities in one transaction.
const eventBatch = 50

// federateWorker drains the events of this node into activities and deliveries.
type federateWorker struct {
	river.WorkerDefaults[souk.FederateArgs]
	f *Federation
}

// Timeout is none: DrainFor ends the drain between two batches.
func (w *federateWorker) Timeout(*river.Job[souk.FederateArgs]) time.Duration { return -1 }

func (w *federateWorker) Work(ctx context.Context, job *river.Job[souk.FederateArgs]) error {
	if err := w.f.db.BeginDrain(ctx, job.ID); err != nil {
		return err
	}
	return w.f.Federate(ctx)
}

// Federate turns all events that are due into activities and queues their deliveries, in the order in which things
// happened. An event that cannot be told is marked with the reason and logged; it does not hold up the next one.
func (f *Federation) Federate(ctx context.Context) (err error) {
	defer wrap(&err, "federate")
	for until := f.db.Now().Add(f.cfg.DrainFor); ; {
		n, err := f.federateBatch(ctx)
		if err != nil {
			return err
		}
		if n < eventBatch {
			return nil
		}
		if f.db.Now().After(until) {
			f.db.Wake("federate")
			return nil
		}
	}
}

func (f *Federation) federateBatch(ctx context.Context) (n int, err error) {
	err = f.db.Tx(ctx, func(tx *souk.DB) error {
		events, err := tx.Events(ctx, eventBatch)
		if err != nil {
			return err
		}
		n = len(events)
		for _, e := range events {
			note := ""
			err := tx.Tx(ctx, func(tx *souk.DB) (err error) {
				note, err = teller{encoder{tx}, e}.tell(ctx)
				return err
			})
			if err != nil {
				if ctx.Err() != nil || errors.Is(err, souk.ErrUnavailable) {
					return err
				}
				f.cfg.Log.Error("event not federated", "event", e.ID, "kind", e.Kind, "object", e.ObjectID, "error", err)
				note = err.Error()
			}
			if err := tx.FederatedEvent(ctx, e.ID, note); err != nil {
				return err
			}
		}
		return nil
	})
	return n, err
}

// teller turns one event into what others are told. All of it happens in the transaction of the encoder.
type teller struct {
	encoder
	souk.Event
}

// tell queues what the event means. The note says why nothing was said.
func (t teller) tell(ctx context.Context) (note string, err error) {
	switch t.Kind {
	case souk.EventPostCreated:
		return t.post(ctx, "Create")
	case souk.EventPostEdited:
		return t.post(ctx, "Update")
	case souk.EventPostDeleted:
		return t.deleted(ctx)
	case souk.EventListingCreated, souk.EventListingAnnounced, souk.EventListingChanged, souk.EventListingNews:
		return t.listing(ctx)
	case souk.EventListingHidden:
		return t.hidden(ctx)
	case souk.EventListingDeleted:
		return t.deleted(ctx)
	case souk.EventBoosted, souk.EventUnboosted:
		return t.boost(ctx)
	case souk.EventLiked, souk.EventUnliked:
		return t.like(ctx)
	case souk.EventFollowed, souk.EventUnfollowed:
		return t.follow(ctx)
	case souk.EventBlocked, souk.EventUnblocked:
		return t.block(ctx)
	case souk.EventReported:
		return t.report(ctx)
	case souk.EventFollowAccepted, souk.EventFollowRejected:
		return t.answer(ctx)
	case souk.EventPinned, souk.EventUnpinned:
		return t.pin(ctx)
	case souk.EventMoved:
		return t.move(ctx)
	case souk.EventPulled:
		return t.pull(ctx)
	case souk.EventOffered, souk.EventOfferTakenBack:
		return t.offer(ctx)
	case souk.EventOfferAnswered:
		return t.answerOffer(ctx)
	case souk.EventAgreementChanged, souk.EventAgreementDone:
		return t.orderNews(ctx)
	case souk.EventQuoteAnswered, souk.EventQuoteRevoked:
		return t.quote(ctx)
	case souk.EventActorUpdated, souk.EventActorDeleted:
		return t.profile(ctx)
	}
	return "nobody is told of " + t.Kind, nil
}

// post tells of a post that was written or edited.
func (t teller) post(ctx context.Context, kind string) (note string, err error) {
	p, err := t.db.PostForDelivery(ctx, t.ObjectID)
	if err != nil {
		return "", err
	}
	if p.Deleted != nil {
		return "deleted before it was told", nil
	}
	to, err := t.readers(ctx, p)
	if err != nil {
		return "", err
	}
	if kind == "Update" {
		// Those who began to follow after the Create hear of it too, as from Mastodon: who knows the post by other ways, such as
		// a boost or a look at the profile, has it corrected, and who does not know it drops the Update.
		reached, err := t.db.Reached(ctx, p.ID)
		if err != nil {
			return "", err
		}
		to = append(to, reached...)
	}
	_, err = t.say(ctx, kind, p, to)
	return "", err
}

// readers are the inboxes of those that a post is addressed to: followers, those mentioned, and whom it answers.
func (t teller) readers(ctx context.Context, p *souk.Post) ([]souk.Recipient, error) {
	var to []souk.Recipient
	if p.Visibility != souk.Direct {
		followers, err := t.db.FollowerInboxes(ctx, p.AccountID)
		if err != nil {
			return nil, err
		}
		to = followers
	}
	addressed, err := t.addressed(ctx, p)
	if err != nil {
		return nil, err
	}
	for i := range addressed {
		if addressed[i].SuspendedThere {
			continue // nobody reads it there
		}
		to = append(to, inboxOf(&addressed[i], p.Visibility != souk.Direct)...)
	}
	return to, nil
}

// inboxOf is where a remote account receives: for what many read its node's shared inbox, so that one delivery serves
// all of them (ActivityPub 7.1.3), else its own. Local and deleted accounts have none.
func inboxOf(a *souk.Account, shared bool) []souk.Recipient {
	inbox := a.Inbox
	if shared && a.SharedInbox != "" {
		inbox = a.SharedInbox
	}
	if a.Local() || a.Deleted != nil || inbox == "" {
		return nil
	}
	return []souk.Recipient{{Inbox: inbox, Host: a.Host}}
}

// say queues a Create or Update of a post and returns its body.
func (t teller) say(ctx context.Context, kind string, p *souk.Post, to []souk.Recipient) ([]byte, error) {
	n, err := t.note(ctx, p)
	if err != nil {
		return nil, err
	}
	public := p.Visibility == souk.Public || p.Visibility == souk.Unlisted
	id := t.db.NewID()
	return t.queue(ctx, id, t.about(kind, t.activityURI(id), n), p.AccountID, p.URI, &p.ID, public, to)
}

// queue stores an activity with its deliveries and returns its body.
func (t teller) queue(ctx context.Context, id int64, a activity, by int64, object string, postID *int64, public bool, to []souk.Recipient) ([]byte, error) {
	body, err := marshal(a)
	if err != nil {
		return nil, fmt.Errorf("encode %s of %s: %w", a.Type, object, err)
	}
	return body, t.db.QueueActivity(ctx, souk.Activity{ID: id, URI: a.ID, AccountID: by, Type: a.Type, ObjectURI: object,
		PostID: postID, Public: public, Body: body}, to)
}

// deleted tells of a post or listing that is a tombstone now: those who follow, and all whom anything about it reached.
func (t teller) deleted(ctx context.Context) (note string, err error) {
	p, err := t.db.PostForDelivery(ctx, t.ObjectID)
	if err != nil {
		return "", err
	}
	reached, err := t.db.Reached(ctx, p.ID)
	if err != nil {
		return "", err
	}
	readers, err := t.readers(ctx, p)
	if err != nil {
		return "", err
	}
	if err := t.db.HideActivities(ctx, p.ID); err != nil {
		return "", err
	}
	id := t.db.NewID()
	a := t.deleteOf(p, t.activityURI(id))
	public := p.Visibility == souk.Public || p.Visibility == souk.Unlisted
	body, err := t.queue(ctx, id, a, p.AccountID, p.URI, &p.ID, public, append(readers, reached...))
	if err != nil || p.Kind != souk.KindListing {
		return "", err
	}
	return "", t.catalogued(ctx, p, body)
}

// deleteOf is the Delete of a post, addressed as the post was.
func (e encoder) deleteOf(p *souk.Post, id string) activity {
	to, cc := audience(p, p.Mentions)
	return activity{Context: tombstoneContext(), ID: id, Type: "Delete", Actor: p.Account.URI, Published: timestamp(e.db.Now()), To: to, CC: cc,
		Object: e.tombstone(p)}
}

// boost tells of a boost, or that it was taken back.
func (t teller) boost(ctx context.Context) (note string, err error) {
	p, err := t.db.PostForDelivery(ctx, t.ObjectID)
	if err != nil {
		return "", err
	}
	if p.BoostOf == nil {
		return "the boosted post is not there", nil
	}
	announce := t.announceOf(p)
	if t.Kind == souk.EventBoosted {
		if p.Deleted != nil || p.BoostOf.Deleted != nil {
			return "taken back before it was told", nil
		}
		to, err := t.db.FollowerInboxes(ctx, p.AccountID)
		if err != nil {
			return "", err
		}
		to = append(to, inboxOf(p.BoostOf.Account, true)...)
		_, err = t.queue(ctx, p.ID, announce, p.AccountID, p.BoostOf.URI, &p.ID, true, to)
		return "", err
	}
	to, err := t.db.Reached(ctx, p.ID)
	if err != nil {
		return "", err
	}
	if err := t.db.HideActivities(ctx, p.ID); err != nil {
		return "", err
	}
	id := t.db.NewID()
	_, err = t.queue(ctx, id, t.undo(t.activityURI(id), announce), p.AccountID, p.URI, &p.ID, false, to)
	return "", err
}

// announceOf is a boost on the wire; its id is that of the boost.
func (e encoder) announceOf(boost *souk.Post) activity {
	return activity{Context: plainContext(), ID: boost.URI, Type: "Announce", Actor: boost.Account.URI, Published: timestamp(boost.Published),
		To: []string{publicAudience}, CC: []string{boost.Account.FollowersURI, boost.BoostOf.Account.URI}, Object: boost.BoostOf.URI}
}

// undo takes an activity back; it names and embeds it, since peers look for one or the other.
func (e encoder) undo(id string, a activity) activity {
	u := activity{Context: a.Context, ID: id, Type: "Undo", Actor: a.Actor, To: a.To, CC: a.CC}
	a.Context, a.To, a.CC = nil, nil, nil
	u.Object = a
	return u
}
