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
type Document struct {
	Status      int // 200, or 410 for a tombstone
	ContentType string
	Body        []byte
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
// status 410; names of nobody, and of actors that have another address, are souk.ErrNotFound.
func (f *Federation) Actor(ctx context.Context, name string) (_ *Document, err error) {
	defer wrap(&err, "actor %q", name)
	a, err := f.person(ctx, name)
	if errors.Is(err, souk.ErrGone) {
		return goneDocument(&tombstone{ID: f.db.BaseURL() + "/users/" + strings.ToLower(name), Type: "Tombstone", FormerType: "Person"})
	}
	if err != nil {
		return nil, err
	}
	return f.actorDocument(ctx, a)
}

// NodeActor is the actor at /actor, which signs what the node itself asks of others.
func (f *Federation) NodeActor(ctx context.Context) (_ *Document, err error) {
	defer wrap(&err, "node actor")
	a, err := f.db.InstanceActor(ctx)
	if err != nil {
		return nil, err
	}
	return f.actorDocument(ctx, a)
}

// CatalogueActor is the actor at /catalogue, which announces every change of a listing to the nodes that follow it.
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
	if a.PublicKey == "" {
		// A peer that asks now would remember an actor without a key.
		var err error
		if a, err = ensureKey(ctx, f.db, a.ID); err != nil {
			return nil, err
		}
	}
	o := encoder{f.db}.actor(a)
	o.Context = json.RawMessage(contextActor)
	return answer(o)
}

// actor is a local account, which has its key, as others read it, without @context.
func (e encoder) actor(a *souk.Account) *actor {
	o := &actor{ID: a.URI, Type: a.Kind, Username: a.Name, Webfinger: a.Name + "@" + e.db.HandleDomain(), Name: a.Title(), Summary: a.Bio,
		URL: a.URL, Inbox: a.Inbox, Outbox: a.Outbox, Followers: a.FollowersURI, Following: a.FollowingURI, Featured: a.FeaturedURI,
		Endpoints:    endpoints{SharedInbox: a.SharedInbox},
		PublicKey:    publicKey{ID: a.KeyID, Owner: a.URI, PublicKeyPEM: a.PublicKey},
		Locked:       a.Locked,
		Discoverable: a.Discoverable, Indexable: a.Indexable,
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
	case souk.RoleCatalogue:
		o.Featured = ""
	}
	return o
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

// Post is the note at /posts/{id} as viewer may read it: 0 for a stranger, or the account whose key signed the request.
// A deleted one is a tombstone with status 410; what the viewer may not read is souk.ErrNotFound.
func (f *Federation) Post(ctx context.Context, viewer, id int64) (_ *Document, err error) {
	defer wrap(&err, "post %d", id)
	return f.noteDocument(ctx, viewer, id, souk.KindNote)
}

// Listing is the note at /listings/{id}. A withdrawn one is a tombstone with status 410, drafts are souk.ErrNotFound.
func (f *Federation) Listing(ctx context.Context, id int64) (_ *Document, err error) {
	defer wrap(&err, "listing %d", id)
	if _, err := f.db.Listing(ctx, 0, id); err != nil && !errors.Is(err, souk.ErrGone) {
		return nil, err
	}
	return f.noteDocument(ctx, 0, id, souk.KindListing)
}

func (f *Federation) noteDocument(ctx context.Context, viewer, id int64, kind string) (*Document, error) {
	p, err := f.db.Post(ctx, viewer, id)
	if errors.Is(err, souk.ErrGone) {
		p, err = f.db.PostForDelivery(ctx, id)
	}
	if err != nil {
		return nil, err
	}
	if !p.Local || p.Kind != kind {
		return nil, souk.ErrNotFound
	}
	if p.Deleted != nil {
		return goneDocument(encoder{f.db}.tombstone(p))
	}
	n, err := encoder{f.db}.note(ctx, p)
	if err != nil {
		return nil, err
	}
	n.Context = noteContext(n)
	return answer(n)
}

// Activity is the public activity at /activities/{id}. A Create shows its object as it is now.
func (f *Federation) Activity(ctx context.Context, id int64) (_ *Document, err error) {
	defer wrap(&err, "activity %d", id)
	a, err := f.db.Activity(ctx, id)
	if err != nil {
		return nil, err
	}
	if !a.Public {
		return nil, souk.ErrNotFound
	}
	body, err := f.current(ctx, a)
	if err != nil {
		return nil, err
	}
	return &Document{Status: http.StatusOK, ContentType: activityContentType, Body: body}, nil
}

// current is the body of a public activity; that of a Create with its object as it is now, so that nothing taken back
// by an edit is shown again. souk.ErrGone where the object was deleted.
func (f *Federation) current(ctx context.Context, a *souk.Activity) (json.RawMessage, error) {
	if a.Type != "Create" || a.PostID == nil {
		return a.Body, nil
	}
	p, err := f.db.Post(ctx, 0, *a.PostID)
	if err != nil {
		return nil, err
	}
	n, err := encoder{f.db}.note(ctx, p)
	if err != nil {
		return nil, err
	}
	body, err := marshal(encoder{f.db}.about("Create", a.URI, n))
	if err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	return body, nil
}
