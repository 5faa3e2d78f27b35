package federation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"souk"
)

// Document is something that answers a GET. The server adds what concerns every answer (Vary, CORS, caching).
//
// The methods that make documents about people and what they write take the request as by, where it is signed, else nil
// (access.go). In secure mode they are a *RefusedError for who does not sign, and for those whom the node suspended
// souk.ErrNotFound in any mode.
type Document struct {
	Status      int // 200, or 410 for a tombstone
	ContentType string
	Body        []byte
	Private     bool // made for who asked: no cache may keep it for others
}

// activityContentType is what ActivityPub documents are sent as. Peers accept it and the ld+json form alike.
const activityContentType = "application/activity+json; charset=utf-8"

func answer(v any) (*Document, error) {
	body, err := marshal(v)
	if err != nil {
		return nil, err
	}
	return &Document{Status: http.StatusOK, ContentType: activityContentType, Body: body}, nil
}

func goneDocument(t *tombstone) (*Document, error) {
	t.Context = tombstoneContext()
	doc, err := answer(t)
	if err == nil {
		doc.Status = http.StatusGone
	}
	return doc, err
}

// Actor is the actor document of a person or shop of this node, at /users/{name}. A deleted one is a tombstone with
// status 410, a suspended one says so and little else; names of nobody, and of actors that have another address, are
// souk.ErrNotFound. Whom the account blocks may
// read it, to understand the block. In secure mode those who do not sign are shown no more than the key, which another
// server may need before it can sign.
func (f *Federation) Actor(ctx context.Context, by *SignedRequest, name string) (_ *Document, err error) {
	defer wrap(&err, "actor %q", name)
	a, err := f.db.LocalAccount(ctx, name)
	if errors.Is(err, souk.ErrGone) {
		return goneDocument(&tombstone{ID: f.db.BaseURL() + "/users/" + strings.ToLower(name), Type: "Tombstone", FormerType: "Person"})
	}
	if err != nil {
		return nil, err
	}
	if !a.Person() {
		return nil, souk.ErrNotFound
	}
	asker, err := f.admit(ctx, by)
	var refused *RefusedError
	if errors.As(err, &refused) {
		if a, err = f.withKey(ctx, a); err != nil {
			return nil, err
		}
		doc, err := answer(stub(encoder{f.db}.actor(a)))
		if err == nil {
			doc.Private = true // who signs gets more at the same address
		}
		return doc, err
	}
	if err != nil {
		return nil, err
	}
	doc, err := f.actorDocument(ctx, a)
	return asker.answer(doc, err, true)
}

// NodeActor is the actor at /actor, which signs what the node itself asks of others. It is free in secure mode: what it
// signs could not be verified otherwise.
func (f *Federation) NodeActor(ctx context.Context) (_ *Document, err error) {
	defer wrap(&err, "node actor")
	a, err := f.db.InstanceActor(ctx)
	if err != nil {
		return nil, err
	}
	return f.actorDocument(ctx, a)
}

// CatalogueActor is the actor at /catalogue, which announces every change of a listing to the nodes that follow it. It is
// free in secure mode too.
func (f *Federation) CatalogueActor(ctx context.Context) (_ *Document, err error) {
	defer wrap(&err, "catalogue actor")
	a, err := f.db.Catalogue(ctx)
	if err != nil {
		return nil, err
	}
	return f.actorDocument(ctx, a)
}

// person is a local account that people sign in to and others may see.
func (f *Federation) person(ctx context.Context, name string) (*souk.Account, error) {
	a, err := f.db.LocalAccount(ctx, name)
	if err != nil {
		return nil, err
	}
	if !a.Person() || a.Suspended != nil {
		return nil, souk.ErrNotFound
	}
	return a, nil
}

func (f *Federation) actorDocument(ctx context.Context, a *souk.Account) (*Document, error) {
	a, err := f.withKey(ctx, a)
	if err != nil {
		return nil, err
	}
	o := encoder{f.db}.actor(a)
	o.Context = json.RawMessage(contextActor)
	return answer(o)
}

// withKey is a local account that has its key: a peer that asks now would remember an actor without one.
func (f *Federation) withKey(ctx context.Context, a *souk.Account) (*souk.Account, error) {
	if a.PublicKey != "" {
		return a, nil
	}
	return ensureKey(ctx, f.db, a.ID)
}

// actor is a local account, which has its key, as others read it, without @context.
func (e encoder) actor(a *souk.Account) *actor {
	if a.Suspended != nil { // its name and keys are needed to understand what it said; the rest is hidden
		bare := *a
		bare.DisplayName, bare.Bio, bare.Fields, bare.Avatar, bare.Header = "", "", nil, nil, nil
		bare.Discoverable, bare.Indexable, a = false, false, &bare
	}
	o := &actor{ID: a.URI, Type: a.Kind, Username: a.Name, Webfinger: a.Name + "@" + e.db.HandleDomain(), Name: a.Title(), Summary: a.Bio,
		URL: a.URL, Inbox: a.Inbox, Outbox: a.Outbox, Followers: a.FollowersURI, Following: a.FollowingURI, Featured: a.FeaturedURI,
		Endpoints:    endpoints{SharedInbox: a.SharedInbox},
		PublicKey:    publicKey{ID: a.KeyID, Owner: a.URI, PublicKeyPEM: a.PublicKey},
		Locked:       a.Locked,
		Discoverable: a.Discoverable, Indexable: a.Indexable, Suspended: a.Suspended != nil, Memorial: a.Memorial,
		Published: timestamp(a.Created), AlsoKnownAs: a.AlsoKnownAs, MovedTo: a.MovedTo, Attachment: []propertyValue{}}
	if updated := timestamp(a.Updated); updated > o.Published {
		o.Updated = updated
	}
	for _, field := range a.Fields {
		o.Attachment = append(o.Attachment, propertyValue{Type: "PropertyValue", Name: field.Name, Value: field.Value})
	}
	o.Icon, o.Image = e.portrait(a.Avatar, 400), e.portrait(a.Header, pictureWidth)
	switch a.Role {
	case souk.RoleInstance:
		o.Followers, o.Following, o.Featured = "", "", ""
		o.Catalogue = e.db.BaseURL() + "/catalogue"
		o.Implements = capabilities()
		return o
	case souk.RoleCatalogue:
		o.Featured = ""
	}
	o.Generator = &generator{ID: e.db.BaseURL() + "/actor", Type: "Application", Implements: capabilities()}
	return o
}

// capabilities are what the node can do that others cannot see otherwise (FEP-844e).
func capabilities() []capability {
	return []capability{
		{Type: "Link", Href: "https://datatracker.ietf.org/doc/html/rfc9421", Name: "RFC-9421: HTTP Message Signatures"},
		{Type: "Link", Href: "https://w3id.org/fep/0837", Name: "FEP-0837: Federated Marketplace"},
	}
}

// portrait is an avatar or header; nil where there is none.
func (e encoder) portrait(m *souk.Media, width int) *attachment {
	if m == nil {
		return nil
	}
	p := &attachment{Type: "Image", MediaType: m.MIME, URL: e.db.BaseURL() + m.Path(width), Name: m.Alt, Summary: m.Alt}
	for _, s := range m.Sizes {
		p.MediaType = s.MIME
		if s.Width >= width {
			break
		}
	}
	return p
}

// Post is the note at /posts/{id}. A deleted one is a tombstone with status 410; what the asker may not read is
// souk.ErrNotFound.
func (f *Federation) Post(ctx context.Context, by *SignedRequest, id int64) (_ *Document, err error) {
	defer wrap(&err, "post %d", id)
	return f.noteDocument(ctx, by, id, souk.KindNote)
}

// Listing is the note at /listings/{id}. A withdrawn one is a tombstone with status 410, drafts are souk.ErrNotFound.
func (f *Federation) Listing(ctx context.Context, by *SignedRequest, id int64) (_ *Document, err error) {
	defer wrap(&err, "listing %d", id)
	if _, err := f.db.Listing(ctx, 0, id); err != nil && !errors.Is(err, souk.ErrGone) {
		return nil, err
	}
	return f.noteDocument(ctx, by, id, souk.KindListing)
}

func (f *Federation) noteDocument(ctx context.Context, by *SignedRequest, id int64, kind string) (*Document, error) {
	asker, err := f.admit(ctx, by)
	if err != nil {
		return nil, err
	}
	p, _, err := asker.post(ctx, id)
	if err != nil {
		return nil, err
	}
	if p.Kind != kind {
		return nil, souk.ErrNotFound
	}
	if p.Deleted != nil {
		doc, err := goneDocument(encoder{f.db}.tombstone(p))
		return asker.answer(doc, err, forAll(p))
	}
	n, err := encoder{f.db}.note(ctx, p)
	if err != nil {
		return nil, err
	}
	n.Context = noteContext(n)
	doc, err := answer(n)
	return asker.answer(doc, err, forAll(p))
}

// Activity is the activity at /activities/{id}: a public one for everybody, one about a post for those who may read that,
// others for those to whom they were sent. A Create and an Update show their object as it is now.
func (f *Federation) Activity(ctx context.Context, by *SignedRequest, id int64) (_ *Document, err error) {
	defer wrap(&err, "activity %d", id)
	asker, err := f.admit(ctx, by)
	if err != nil {
		return nil, err
	}
	a, err := f.db.Activity(ctx, id)
	if err != nil {
		return nil, err
	}
	body, err := f.current(ctx, asker, a)
	if err != nil {
		return nil, err
	}
	return asker.answer(&Document{Status: http.StatusOK, ContentType: activityContentType, Body: body}, nil, a.Public)
}

// current is the body of an activity, where the asker may read it; those of a Create and an Update with their object as it is now, so that
// nothing taken back by an edit is shown again. souk.ErrGone where the object was deleted, souk.ErrNotFound for those whom
// the activity was not for.
func (f *Federation) current(ctx context.Context, by *asker, a *souk.Activity) (json.RawMessage, error) {
	if a.PostID == nil {
		if a.Public {
			return a.Body, nil
		}
		return a.Body, by.sent(ctx, a.Body)
	}
	p, _, err := by.post(ctx, *a.PostID)
	switch {
	case err != nil:
		return nil, err
	case !a.Public && by.reader.Stranger():
		return nil, souk.ErrNotFound
	case a.Type == "Delete", a.Type == "Undo":
		return a.Body, nil
	case p.Deleted != nil && !a.Public:
		return nil, souk.ErrNotFound // hidden since
	case p.Deleted != nil:
		return nil, souk.ErrGone
	case a.Type != "Create" && a.Type != "Update":
		return a.Body, nil
	}
	n, err := encoder{f.db}.note(ctx, p)
	if err != nil {
		return nil, err
	}
	body, err := marshal(encoder{f.db}.about(a.Type, a.URI, n))
	if err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	return body, nil
}
