package federation

import (
	"context"
	"encoding/json"
	"fmt"

	"souk"
)

// listing tells of a listing. Followers hear of it when it is announced and when there is news of an announced one; the
// nodes that follow the catalogue hear of everything.
func (t teller) listing(ctx context.Context) (note string, err error) {
	p, err := t.db.PostForDelivery(ctx, t.ObjectID)
	if err != nil {
		return "", err
	}
	if p.Deleted != nil || p.Listing == nil {
		return "withdrawn before it was told", nil
	}
	if p.Account.Suspended != nil {
		return "its seller is suspended", nil
	}
	switch t.Kind {
	case souk.EventListingAnnounced:
		to, err := t.readers(ctx, p)
		if err != nil {
			return "", err
		}
		_, err = t.say(ctx, "Create", p, to)
		return "", err
	case souk.EventListingNews:
		return t.news(ctx, p)
	}
	kind, to := "Update", []souk.Recipient(nil)
	if t.Kind == souk.EventListingCreated {
		kind = "Create"
		if p.InTimeline {
			if to, err = t.readers(ctx, p); err != nil {
				return "", err
			}
		}
	}
	body, err := t.say(ctx, kind, p, to)
	if err != nil {
		return "", err
	}
	// What it said before is said anew: nothing taken back by an edit is read in an older Announce.
	if err := t.db.HideCatalogued(ctx, p.ID); err != nil {
		return "", err
	}
	return "", t.catalogued(ctx, p, body)
}

// news corrects the copies of an announced listing, in place.
func (t teller) news(ctx context.Context, p *souk.Post) (note string, err error) {
	news, err := t.db.Announced(ctx, p.ID)
	if err != nil {
		return "", err
	}
	if !news {
		return "followers know it already", nil
	}
	to, err := t.readers(ctx, p)
	if err != nil {
		return "", err
	}
	reached, err := t.db.Reached(ctx, p.ID)
	if err != nil {
		return "", err
	}
	_, err = t.say(ctx, "Update", p, append(to, reached...))
	return "", err
}

// catalogued puts an activity of a seller into the catalogue: the catalogue actor announces the exact activity
// (FEP-1b12) to the nodes that follow it.
func (t teller) catalogued(ctx context.Context, p *souk.Post, body []byte) error {
	by, err := t.db.Catalogue(ctx)
	if err != nil {
		return err
	}
	to, err := t.db.FollowerInboxes(ctx, by.ID)
	if err != nil {
		return err
	}
	id := t.db.NewID()
	// No post id: what reached a node through the catalogue is taken back through the catalogue.
	if _, err := t.queue(ctx, id, t.announced(by, t.activityURI(id), body), by.ID, p.URI, nil, true, to); err != nil {
		return err
	}
	return t.db.AppendCatalogue(ctx, id, p.ID)
}

// hidden takes a listing whose seller was suspended out of the catalogue until an Update brings it back: a Remove, since what
// a Delete takes away never comes back.
func (t teller) hidden(ctx context.Context) (note string, err error) {
	p, err := t.db.PostForDelivery(ctx, t.ObjectID)
	if err != nil {
		return "", err
	}
	if p.Deleted != nil || p.Account.Suspended == nil {
		return "withdrawn, or shown again, before it was told", nil
	}
	if err := t.db.HideCatalogued(ctx, p.ID); err != nil {
		return "", err
	}
	by, err := t.db.Catalogue(ctx)
	if err != nil {
		return "", err
	}
	id := t.db.NewID()
	body, err := t.queue(ctx, id, activity{Context: plainContext(), ID: t.activityURI(id), Type: "Remove", Actor: by.URI,
		To: []string{publicAudience}, Object: p.URI, Target: by.URI}, by.ID, p.URI, nil, true, nil)
	if err != nil {
		return "", err
	}
	return "", t.catalogued(ctx, p, body)
}

// announced is the catalogue's Announce of an activity, whose bytes stay as they are.
func (e encoder) announced(by *souk.Account, id string, body []byte) activity {
	return activity{Context: plainContext(), ID: id, Type: "Announce", Actor: by.URI, Published: timestamp(e.db.Now()),
		To: []string{publicAudience}, CC: []string{by.FollowersURI}, Object: json.RawMessage(body)}
}

// like tells the author of a post that somebody likes it, or does so no more.
func (t teller) like(ctx context.Context) (note string, err error) {
	by, err := t.db.Account(ctx, t.AccountID)
	if err != nil {
		return "", err
	}
	p, err := t.db.PostForDelivery(ctx, t.ObjectID)
	if err != nil {
		return "", err
	}
	if p.Deleted != nil {
		return "the post is gone", nil
	}
	to := inboxOf(p.Account, false)
	if len(to) == 0 {
		return "the post is of this node", nil
	}
	a := activity{Context: plainContext(), ID: t.URI, Type: "Like", Actor: by.URI, To: []string{p.Account.URI}, Object: p.URI}
	id := t.db.NewID()
	if t.Kind == souk.EventUnliked {
		a = t.undo(t.activityURI(id), a)
	}
	_, err = t.queue(ctx, id, a, by.ID, p.URI, nil, false, to)
	return "", err
}

// follow asks another node's account to be followed, or ends that.
func (t teller) follow(ctx context.Context) (note string, err error) {
	by, target, err := t.pair(ctx)
	if err != nil {
		return "", err
	}
	a := t.followOf(t.URI, by, target)
	a.To = []string{target.URI}
	id := t.db.NewID()
	if t.Kind == souk.EventUnfollowed {
		a = t.undo(t.activityURI(id), a)
	}
	return t.toOne(ctx, id, a, by, target)
}

// answer accepts or refuses a follower of another node.
func (t teller) answer(ctx context.Context) (note string, err error) {
	by, follower, err := t.pair(ctx)
	if err != nil {
		return "", err
	}
	follow := t.followOf(t.URI, follower, by)
	follow.Context = nil
	id := t.db.NewID()
	kind := "Accept"
	if t.Kind == souk.EventFollowRejected {
		kind = "Reject"
	}
	a := activity{Context: plainContext(), ID: t.activityURI(id), Type: kind, Actor: by.URI, To: []string{follower.URI}, Object: follow}
	return t.toOne(ctx, id, a, by, follower)
}

func (e encoder) followOf(id string, follower, followee *souk.Account) activity {
	return activity{Context: plainContext(), ID: id, Type: "Follow", Actor: follower.URI, Object: followee.URI}
}

// pair loads the two accounts of an event.
func (t teller) pair(ctx context.Context) (by, target *souk.Account, err error) {
	if by, err = t.db.Account(ctx, t.AccountID); err != nil {
		return nil, nil, err
	}
	target, err = t.db.Account(ctx, t.TargetID)
	return by, target, err
}

func (t teller) toOne(ctx context.Context, id int64, a activity, by, target *souk.Account) (note string, err error) {
	to := inboxOf(target, false)
	if len(to) == 0 {
		return "the other account has no inbox", nil
	}
	_, err = t.queue(ctx, id, a, by.ID, target.URI, nil, false, to)
	return "", err
}

// profile tells followers that an account changed, or every node that it is no more.
func (t teller) profile(ctx context.Context) (note string, err error) {
	id := t.db.NewID()
	if t.Kind == souk.EventActorDeleted {
		return t.farewell(ctx, id)
	}
	by, err := ensureKey(ctx, t.db, t.AccountID)
	if err != nil {
		return "", err
	}
	to, err := t.db.FollowerInboxes(ctx, by.ID)
	if err != nil {
		return "", err
	}
	if _, err = t.queue(ctx, id, t.profileUpdate(t.activityURI(id), by), by.ID, by.URI, nil, true, to); err != nil {
		return "", err
	}
	return "", t.db.KeyTold(ctx, by.ID, by.KeyID, id)
}

func (e encoder) profileUpdate(id string, a *souk.Account) activity {
	return activity{Context: json.RawMessage(contextActor), ID: id, Type: "Update", Actor: a.URI, Published: timestamp(a.Updated),
		To: []string{publicAudience}, CC: []string{a.FollowersURI}, Object: e.actor(a)}
}

// farewell tells every node that an account is no more; what waited for them of it goes no further.
func (t teller) farewell(ctx context.Context, id int64) (note string, err error) {
	var uri string
	// Account does not return what was deleted.
	if err := t.db.Conn().QueryRow(ctx, `select uri from accounts where id = $1 and host = ''`, t.AccountID).Scan(&uri); err != nil {
		return "", fmt.Errorf("deleted account: %w", err)
	}
	to, err := t.db.KnownInboxes(ctx)
	if err != nil {
		return "", err
	}
	hosts := make([]string, len(to))
	for i, r := range to {
		hosts[i] = r.Host
	}
	if err := t.db.EndDeliveries(ctx, t.AccountID, hosts); err != nil {
		return "", err
	}
	a := activity{Context: plainContext(), ID: t.activityURI(id), Type: "Delete", Actor: uri, To: []string{publicAudience}, Object: uri}
	_, err = t.queue(ctx, id, a, t.AccountID, uri, nil, false, to)
	return "", err
}
