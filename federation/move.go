package federation

import (
	"context"
	"slices"
	"strings"

	"souk"
)

// ResolveAccount is the account that a person means by a handle or by the address of an actor or of its page. Errors as of
// ResolveHandle.
func (f *Federation) ResolveAccount(ctx context.Context, text string) (_ *souk.Account, err error) {
	defer wrap(&err, "resolve account %.200q", text)
	text = strings.TrimSpace(text)
	if strings.HasPrefix(text, "https://") || strings.HasPrefix(text, "http://") {
		return f.ResolveActor(ctx, text)
	}
	return f.ResolveHandle(ctx, text)
}

// freshActor is the account with the actor id as its origin tells at this moment, or as it stands here where it is of this
// node.
func (f *Federation) freshActor(ctx context.Context, uri string) (*souk.Account, error) {
	if f.own(uri) {
		return f.local(ctx, uri)
	}
	a, err := f.fetchActor(ctx, uri, "", ownPurse)
	if err == nil && a.URI != uri {
		return nil, foreign("%.200q calls itself %.200q", uri, a.URI)
	}
	return a, err
}

// Move makes a local account go on as the one that the handle or address names; souk.DB.Move says when that may be. What
// the other account calls its own is asked for now. Errors as of ResolveAccount and souk.DB.Move.
func (f *Federation) Move(ctx context.Context, accountID int64, target string) (_ *souk.Account, err error) {
	defer wrap(&err, "move %d", accountID)
	named, err := f.ResolveAccount(ctx, target)
	if err != nil {
		return nil, err
	}
	to, err := f.freshActor(ctx, named.URI)
	if err != nil {
		return nil, err
	}
	return to, f.db.Move(ctx, accountID, to)
}

// move tells followers that the account goes on as another one.
func (t teller) move(ctx context.Context) (note string, err error) {
	by, target, err := t.pair(ctx)
	if err != nil {
		return "", err
	}
	if by.MovedTo != target.URI {
		return "taken back before it was told", nil
	}
	to, err := t.db.FollowerInboxes(ctx, by.ID)
	if err != nil {
		return "", err
	}
	id := t.db.NewID()
	_, err = t.queue(ctx, id, t.moveOf(t.activityURI(id), by, target), by.ID, by.URI, nil, false, to)
	return "", err
}

// moveOf is the Move of an account to another (FEP-7628, as Mastodon began to send it).
func (e encoder) moveOf(id string, a, target *souk.Account) activity {
	return activity{Context: plainContext(), ID: id, Type: "Move", Actor: a.URI, To: []string{a.FollowersURI}, Object: a.URI, Target: target.URI}
}

// applyMove makes the followers that an actor has here follow where it moved. The other account must say at this moment
// that the actor is an alias of its own, and must not have moved itself: so two that point at each other end nowhere.
func (f *Federation) applyMove(ctx context.Context, in *incoming) (plan, error) {
	target, _, err := in.body.one("target")
	switch {
	case err != nil:
		return nil, err
	case in.id != in.Actor:
		return nil, foreign("%.200q moves %.200q", in.Actor, in.id)
	case !validIRI(target), target == in.Actor:
		return nil, malformed("move to %.200q", target)
	}
	concerns, err := f.db.FollowedOrBlocked(ctx, in.by.ID)
	if err != nil {
		return nil, err
	}
	if !concerns {
		return nil, ignored("nobody here follows or blocks the sender")
	}
	to, err := f.freshActor(ctx, target)
	switch {
	case err != nil:
		return nil, err
	case !slices.Contains(to.AlsoKnownAs, in.Actor):
		return nil, foreign("%.200q does not call %.200q its own", to.URI, in.Actor)
	case to.MovedTo != "":
		return nil, ignored("%.200q has moved away itself", to.URI)
	case to.Suspended != nil:
		return nil, ignored("%.200q is blocked here", to.URI)
	}
	return func(ctx context.Context, tx *souk.DB) error { return tx.ReceiveMove(ctx, in.by, to) }, nil
}
