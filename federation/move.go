package federation

import (
	"context"
	"errors"
	"net/http"
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
// Either of the two may send it (FEP-7628, push and pull); where it is the new one, the old one must agree.
func (f *Federation) applyMove(ctx context.Context, in *incoming) (plan, error) {
	target, _, err := in.body.one("target")
	switch {
	case err != nil:
		return nil, err
	case in.id != in.Actor && target != in.Actor:
		return nil, foreign("%.200q moves %.200q", in.Actor, in.id)
	case !validIRI(target), target == in.id:
		return nil, malformed("move to %.200q", target)
	}
	from := in.by
	if in.id != in.Actor {
		if from, err = f.db.AccountByURI(ctx, in.id); err != nil {
			return nil, err
		}
		if from.Local() || from.Deleted != nil || from.Suspended != nil {
			return nil, foreign("%.200q cannot move %.200q", in.Actor, in.id)
		}
	}
	concerns, err := f.db.FollowedOrBlocked(ctx, from.ID)
	if err != nil {
		return nil, err
	}
	if !concerns {
		return nil, ignored("nobody here follows or blocks %.200q", from.URI)
	}
	to, err := f.freshActor(ctx, target)
	if err != nil {
		return nil, err
	}
	if err := f.mayMove(ctx, from, to, from != in.by); err != nil {
		return nil, err
	}
	return func(ctx context.Context, tx *souk.DB) error { return tx.ReceiveMove(ctx, from, to) }, nil
}

// mayMove is no error where the account may be followed to another one, as that one's origin told it just now. pulled says that
// the other one says so, and not the account itself.
func (f *Federation) mayMove(ctx context.Context, from, to *souk.Account, pulled bool) error {
	switch {
	case !slices.Contains(to.AlsoKnownAs, from.URI):
		return foreign("%.200q does not call %.200q its own", to.URI, from.URI)
	case to.MovedTo != "":
		return ignored("%.200q has moved away itself", to.URI)
	case to.Suspended != nil:
		return ignored("%.200q is blocked here", to.URI)
	case pulled:
		return f.agreesToMove(ctx, from, to)
	}
	return nil
}

// agreesToMove is no error where an account that did not say itself that it moves agrees to it: its origin says now that it moved
// there; or its host is dead, and the last that it said was that, or that the other is an alias of its own. As long as the
// host lives an alias is not enough: who moved once names the account that it came from, and that one's server must not be
// able to call the followers back. (FEP-7628 asks for a link and leaves open how to tell its direction.)
func (f *Federation) agreesToMove(ctx context.Context, from, to *souk.Account) error {
	present, err := f.freshActor(ctx, from.URI)
	if err == nil {
		if present.MovedTo != to.URI {
			return foreign("%.200q does not say that it moved to %.200q", from.URI, to.URI)
		}
		return nil
	}
	if errors.Is(err, souk.ErrGone) || errors.Is(err, souk.ErrForbidden) || refusesToTell(err) {
		return err
	}
	dead, unknown := f.db.HostIsDead(ctx, from.Host)
	switch {
	case unknown != nil:
		return unknown
	case !dead:
		return err
	case from.MovedTo == to.URI, slices.Contains(from.AlsoKnownAs, to.URI) && to.Moved == nil:
		return nil
	}
	return foreign("%.200q never named %.200q", from.URI, to.URI)
}

// refusesToTell reports whether an answer did not come because somebody does not want to give it, or this node not to ask:
// that is no sign of a dead host. 404 is no such answer: a parked domain has it for every path.
func refusesToTell(err error) bool {
	var status *StatusError
	if errors.As(err, &status) {
		return status.Code == http.StatusUnauthorized || status.Code == http.StatusForbidden || status.Code == http.StatusTooManyRequests
	}
	return errors.Is(err, ErrTooMany)
}
