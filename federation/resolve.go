package federation

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"souk"
)

// actorLife is how long a stored actor document is believed before it is read again.
const actorLife = 24 * time.Hour

// own reports whether an address is of this node.
func (f *Federation) own(iri string) bool { return SameOrigin(iri, f.db.BaseURL()) }

// document fetches an object, signed by the node's own actor, since many servers show nothing to strangers. Its id is of
// the origin that it came from; a document that claims an id elsewhere is fetched there instead, once. Hosts that are
// blocked are not asked (souk.ErrForbidden), nor is this node.
func (f *Federation) document(ctx context.Context, iri string) (object, error) {
	return f.documentFrom(ctx, iri, ownPurse)
}

// documentFrom asks on the word of others nowhere but at the host that they named, whose purse it is.
func (f *Federation) documentFrom(ctx context.Context, iri string, from purse) (object, error) {
	o, err := f.fetch(ctx, iri, from)
	if from == ownPurse && errors.Is(err, ErrForeignID) && o != nil && validIRI(o.self()) {
		return f.fetch(ctx, o.self(), from)
	}
	return o, err
}

// fetch is document without its second step: the object comes with ErrForeignID where its id is of another origin.
func (f *Federation) fetch(ctx context.Context, iri string, from purse) (object, error) {
	host := hostOf(iri)
	if !validIRI(iri) {
		return nil, ErrBadURL
	}
	if f.own(iri) {
		return nil, foreign("%.200q is of this node", iri)
	}
	refused, err := f.db.Refused(ctx, host, iri)
	if err != nil {
		return nil, err
	}
	if refused {
		return nil, souk.ErrForbidden
	}
	node, err := f.db.InstanceActor(ctx)
	if err != nil {
		return nil, err
	}
	by, err := f.signerOf(ctx, node.ID)
	if err != nil {
		return nil, err
	}
	fetched, err := f.knockGet(ctx, by, host, iri, from)
	if err != nil {
		return nil, err
	}
	o, err := parseObject(fetched.Body)
	if err != nil {
		return nil, err
	}
	_, err = fetched.ID()
	return o, err
}

// knockGet fetches a document, signed as the host is known to want its deliveries signed. A 401 may be about the form of the
// signature: then once more in the other form, which is remembered for the host if that is accepted; and where the address
// has a query, in the old form without it, as some verify it ("double knocking").
func (f *Federation) knockGet(ctx context.Context, by *signer, host, iri string, from purse) (fetched *Fetched, err error) {
	known, err := f.db.HostSignatures(ctx, []string{host})
	if err != nil {
		return nil, err
	}
	forms := []string{signedCavage, signedRFC9421}
	if known[host].Try == signedRFC9421 {
		slices.Reverse(forms)
	}
	if strings.Contains(iri, "?") {
		forms = append(forms, signedWithoutQuery)
	}
	var refused *StatusError
	for i, form := range forms {
		if asked := f.peers.ask(host, from, f.db.Now()); asked != nil {
			return nil, errors.Join(err, asked)
		}
		fetched, err = f.cfg.Client.Document(ctx, iri, func(req *http.Request) error { return by.signGet(req, form, f.db.Now()) })
		f.peers.answered(host, f.db.Now(), err)
		if errors.As(err, &refused) && refused.Code == http.StatusUnauthorized {
			continue
		}
		if err == nil && i == 1 {
			err = f.db.HostSignature(ctx, host, form)
		}
		break
	}
	return fetched, err
}

// signedWithoutQuery is draft-cavage with no query in (request-target).
const signedWithoutQuery = "cavage without query"

func (s *signer) signGet(req *http.Request, form string, now time.Time) error {
	if form != signedWithoutQuery {
		return s.sign(req, nil, form, now)
	}
	address := *req.URL
	address.RawQuery, address.ForceQuery = "", false
	bare := *req // with the same header fields, which the signature is set in
	bare.URL = &address
	return SignCavage(&bare, nil, s.keyID, s.key, now)
}

// ResolveActor is the account with the actor id (or the address of its page): as stored where that is not older than a
// day, else as its origin tells. An old copy is better than none when the origin does not answer. Errors: souk.ErrNotFound,
// souk.ErrGone, souk.ErrForbidden for blocked hosts, those of Client.Document, ErrDocument, ErrForeign, ErrTooMany, ErrResting.
func (f *Federation) ResolveActor(ctx context.Context, iri string) (_ *souk.Account, err error) {
	defer wrap(&err, "resolve actor %.200q", iri)
	return f.resolveActor(ctx, iri, ownPurse)
}

func (f *Federation) resolveActor(ctx context.Context, iri string, from purse) (*souk.Account, error) {
	if !validIRI(iri) {
		return nil, ErrBadURL
	}
	known, err := f.db.AccountByURI(ctx, iri)
	if err != nil && !errors.Is(err, souk.ErrNotFound) {
		return nil, err
	}
	switch {
	case f.own(iri) && known == nil:
		return nil, souk.ErrNotFound
	case f.own(iri) && known.Deleted != nil:
		return nil, souk.ErrGone
	case known != nil && f.lasting(known):
		return known, nil
	}
	fresh, err := f.fetchActor(ctx, iri, "", from)
	if err != nil && known != nil && known.Deleted == nil && !errors.Is(err, souk.ErrForbidden) && !errors.Is(err, souk.ErrGone) {
		f.cfg.Log.Info("actor not refreshed", "actor", iri, "error", err)
		return known, nil
	}
	return fresh, err
}

// lasting reports whether an account is still what its origin would tell, as far as that is worth asking.
func (f *Federation) lasting(a *souk.Account) bool {
	return a.Deleted == nil && (a.Local() || !a.Stale(f.db.Now(), actorLife))
}

// fetchActor reads an actor at its origin and stores it. keyID chooses among several keys. Whoever asks for the same
// actor meanwhile, out of the same purse, shares the answer.
func (f *Federation) fetchActor(ctx context.Context, iri, keyID string, from purse) (*souk.Account, error) {
	// The first to ask may go away; the others still want the answer. The client ends it in any case.
	shared := context.WithoutCancel(ctx)
	result := f.flights.DoChan(fmt.Sprint(iri, " ", keyID, " ", from), func() (any, error) { return f.readActor(shared, iri, keyID, from) })
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case r := <-result:
		if r.Err != nil {
			return nil, r.Err
		}
		return r.Val.(*souk.Account), nil
	}
}

func (f *Federation) readActor(ctx context.Context, iri, keyID string, from purse) (*souk.Account, error) {
	asked := f.db.Now()
	o, err := f.documentFrom(ctx, withoutFragment(iri), from)
	var status *StatusError
	if errors.As(err, &status) && status.Code == http.StatusGone { // 404 says less: a server may be half set up
		return nil, f.forget(ctx, withoutFragment(iri))
	}
	if err != nil {
		return nil, err
	}
	if o.is("Tombstone") {
		return nil, f.forget(ctx, o.self())
	}
	// A key may have a document of its own, or one that shows no more of the actor than its key (GoToSocial).
	if owner := keyOwner(o); owner != "" {
		if !SameOrigin(owner, o.self()) {
			return nil, foreign("key of %.200q at %.200q", owner, iri)
		}
		if o, err = f.documentFrom(ctx, owner, from); err != nil {
			return nil, err
		}
	}
	return f.storeActor(ctx, o, keyID, asked)
}

// forget deletes what is kept of an actor that its own origin says is gone (410, or a Tombstone at its id): its Delete may
// have come when this node was not there, or was signed with a key that nobody can read any more.
func (f *Federation) forget(ctx context.Context, iri string) error {
	if err := f.db.DeleteRemoteAccount(ctx, iri); err != nil && !errors.Is(err, souk.ErrNotFound) {
		return err
	}
	return souk.ErrGone
}

// keyOwner is whose key a key document, or the stub of an actor, is; "" for whole actors and other things.
func keyOwner(o object) string {
	if o.text("inbox") != "" {
		return ""
	}
	if key := o.object("publicKey"); key != nil {
		return key.first("owner", "controller")
	}
	if o.text("publicKeyPem") != "" {
		return o.first("owner", "controller")
	}
	return ""
}

// storeActor keeps an actor document that came from the origin of its id, which was asked for it at the given time.
func (f *Federation) storeActor(ctx context.Context, o object, keyID string, asked time.Time) (*souk.Account, error) {
	r, err := decodeActor(o, keyID, f.db.Now())
	if err != nil {
		return nil, err
	}
	if f.own(r.URI) {
		return nil, foreign("%.200q is of this node", r.URI)
	}
	if refused, err := f.db.Refused(ctx, r.Host, r.URI); err != nil {
		return nil, err
	} else if refused {
		return nil, souk.ErrForbidden
	}
	r.Asked = asked
	return f.db.UpsertRemoteAccount(ctx, *r)
}

// splitHandle takes a handle apart; *souk.Invalid where it is none.
func splitHandle(handle string) (name, host string, err error) {
	name, host, split := strings.Cut(strings.TrimPrefix(strings.TrimSpace(handle), "@"), "@")
	origin, err := OriginOf("https://" + host)
	if !split || name == "" || err != nil || strings.ContainsAny(name, "/?#@: ") || strings.ContainsAny(host, "/?#@") || len(handle) > 320 {
		return "", "", &souk.Invalid{Problems: []souk.Problem{{Field: "handle", Code: "handle", Message: "write a handle such as @name@example.org"}}}
	}
	return name, strings.TrimPrefix(origin, "https://"), nil
}

// ResolveHandle is the account with the handle @name@host (the first @ may be missing), found by WebFinger (RFC 7033).
// Where the actor lives on another host than the handle says, that host must name the same handle: else anybody could
// hand out handles for actors of others. Errors as of ResolveActor; a malformed handle is a *souk.Invalid.
func (f *Federation) ResolveHandle(ctx context.Context, handle string) (_ *souk.Account, err error) {
	defer wrap(&err, "resolve handle %.200q", handle)
	name, host, err := splitHandle(handle)
	if err != nil {
		return nil, err
	}
	known, err := f.db.AccountByHandle(ctx, name, host)
	if err == nil && (known.Local() || !known.Stale(f.db.Now(), actorLife)) || err != nil && !errors.Is(err, souk.ErrNotFound) {
		return known, err
	}
	if f.ownDomain(host) {
		return nil, souk.ErrNotFound
	}
	named, err := f.webFinger(ctx, name, host)
	if err != nil {
		return nil, err
	}
	a, err := f.ResolveActor(ctx, named.self())
	if err != nil || a.Host == host {
		return a, err
	}
	back, err := f.webFinger(ctx, a.Name, a.Host)
	if err != nil {
		return nil, err
	}
	if !strings.EqualFold(back.Subject, "acct:"+name+"@"+host) || back.self() != a.URI {
		return nil, foreign("%.200q does not call itself %.200q", a.URI, handle)
	}
	return a, nil
}

// webFinger asks a host for one of its names.
func (f *Federation) webFinger(ctx context.Context, name, host string) (*jrd, error) {
	var found jrd
	if err := f.wellKnown(ctx, host, "/.well-known/webfinger?resource=acct:"+queryEscape(name+"@"+host), &found, jrdMedia); err != nil {
		return nil, err
	}
	if len(found.Links) > maxElements || found.self() == "" {
		return nil, malformed("webfinger of %.200q at %.200q names no actor", name, host)
	}
	return &found, nil
}

// self is the actor's id in a WebFinger answer; "" where there is none.
func (j *jrd) self() string {
	i := slices.IndexFunc(j.Links, func(l jrdLink) bool {
		mediaType, params := mediaTypeOf(l.Type)
		return l.Rel == "self" && isActivity(mediaType, params) && validIRI(l.Href)
	})
	if i < 0 {
		return ""
	}
	return j.Links[i].Href
}
