package federation

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"souk"

	"github.com/riverqueue/river"
)

// syncField is the field of FEP-8fcf.
const syncField = "Collection-Synchronization"

// maxFollowsListed is how many followers a node is believed to have here.
const maxFollowsListed = 10_000

// FollowersAt is the part of an account's followers that is of the host of who asks (FEP-8fcf). Only that host may see it.
func (f *Federation) FollowersAt(ctx context.Context, by *SignedRequest, name string) (_ *Document, err error) {
	defer wrap(&err, "followers of %q at the host that asks", name)
	asker, a, err := f.listsOf(ctx, by, name)
	if err != nil {
		return nil, err
	}
	if _, err := asker.sure(ctx); err != nil {
		return nil, err
	}
	if asker.reader.Stranger() {
		return nil, refusal(http.StatusUnauthorized, "sign as an actor of the server whose followers these are", nil)
	}
	list, err := f.db.FollowersAt(ctx, a.ID, asker.reader.Host)
	if err != nil {
		return nil, err
	}
	page := ordered(syncAddress(a.FollowersURI), len(list))
	page.OrderedItems = list
	doc, err := answer(page)
	return asker.answer(doc, err, false)
}

// syncAddress is where a node asks for its part of a collection of followers.
func syncAddress(followersURI string) string { return followersURI + "_synchronization" }

// syncValue is what a delivery to a host says of the sender's followers there.
func syncValue(followersURI string, d souk.FollowDigest) string {
	return `collectionId="` + followersURI + `", url="` + syncAddress(followersURI) + `", digest="` + d.String() + `"`
}

// followersOf is what deliveries of an account say of its followers.
type followersOf struct {
	uri     string // of the collection
	digests map[string]souk.FollowDigest
	read    time.Time
}

// followersField is the field of FEP-8fcf for a delivery; "" where it has none. Only a Create has: it is enough to be
// compared now and then.
func (d *drain) followersField(ctx context.Context, delivery souk.Delivery) (string, error) {
	if delivery.Type != "Create" {
		return "", nil
	}
	now := d.f.db.Now()
	d.followersLock.Lock()
	defer d.followersLock.Unlock() // the others of this fan-out want the same
	known := d.followers[delivery.SenderID]
	if known == nil || now.Sub(known.read) >= senderFor {
		var err error
		if known, err = d.readFollowers(ctx, delivery.SenderID); err != nil {
			return "", &signingError{err} // which is no fault of the host's
		}
		known.read = now
		d.followers[delivery.SenderID] = known
	}
	if known.uri == "" {
		return "", nil
	}
	return syncValue(known.uri, known.digests[delivery.Host]), nil
}

// readFollowers is what deliveries of an account say: nothing where it was deleted.
func (d *drain) readFollowers(ctx context.Context, accountID int64) (*followersOf, error) {
	a, err := d.f.db.Account(ctx, accountID)
	if errors.Is(err, souk.ErrGone) {
		return &followersOf{}, nil
	}
	if err != nil {
		return nil, err
	}
	digests, err := d.f.db.FollowerDigests(ctx, a.ID)
	return &followersOf{uri: a.FollowersURI, digests: digests}, err
}

// heedFollowers compares what a delivery says of the sender's followers here with what is known, and where they differ lets
// the sender's node be asked. A field that is not signed, or about anybody else, counts as none (FEP-8fcf).
func (f *Federation) heedFollowers(ctx context.Context, req *SignedRequest, actorURI string) error {
	values := req.Header.Values(syncField)
	if len(values) != 1 || len(values[0]) > maxSignatureField {
		return nil
	}
	signature, err := ParseSignature(req)
	if err != nil || !signature.covers(strings.ToLower(syncField)) {
		return nil
	}
	params := map[string]string{}
	for rest := values[0]; rest != ""; {
		name, value, after, ok := cavageParam(rest)
		if !ok {
			return nil
		}
		params[name], rest = value, after
	}
	a, err := f.db.AccountByURI(ctx, actorURI)
	if err != nil {
		return err
	}
	if params["collectionId"] != a.FollowersURI || !SameOrigin(params["url"], actorURI) || !validIRI(params["url"]) {
		return nil
	}
	follows, err := f.db.LocalFollows(ctx, a.ID)
	if err != nil {
		return err
	}
	var ours souk.FollowDigest
	for uri, follow := range follows {
		if follow.State == souk.FollowAccepted {
			ours.Add(uri)
		}
	}
	if ours.String() == params["digest"] {
		return nil
	}
	return f.db.FollowsDiffer(ctx, a.ID, params["url"])
}

// syncFollowsWorker asks another node who of this one follows an account of it.
type syncFollowsWorker struct {
	river.WorkerDefaults[souk.SyncFollowsArgs]
	f *Federation
}

func (w *syncFollowsWorker) Work(ctx context.Context, job *river.Job[souk.SyncFollowsArgs]) error {
	err := w.f.SyncFollows(ctx, job.Args.AccountID, job.Args.URL)
	if err != nil && final(err) {
		return river.JobCancel(err)
	}
	return err
}

// SyncFollows asks for the list of who of this node follows an account of another, at an address of the account's origin,
// and brings the follows here into line with it (FEP-8fcf).
func (f *Federation) SyncFollows(ctx context.Context, accountID int64, address string) (err error) {
	defer wrap(&err, "sync follows of %d", accountID)
	a, err := f.db.Account(ctx, accountID)
	if err != nil {
		return err
	}
	known, err := f.db.LocalFollows(ctx, a.ID)
	if err != nil {
		return err
	}
	listed, err := f.followersListed(ctx, a, address)
	if err != nil {
		return err
	}
	f.cfg.Log.Info("follows brought into line", "account", a.URI, "here", len(known), "there", len(listed))
	return f.db.SyncFollows(ctx, a, known, listed)
}

// followersListed reads the list. One that comes in pages is refused: half of it would end the follows in the other half.
func (f *Federation) followersListed(ctx context.Context, a *souk.Account, address string) ([]string, error) {
	if !SameOrigin(address, a.URI) {
		return nil, foreign("%.200q is not of the origin of %.200q", address, a.URI)
	}
	o, err := f.document(ctx, address)
	if err != nil {
		return nil, err
	}
	items := append(o.ids("items"), o.ids("orderedItems")...)
	switch {
	case !o.is("OrderedCollection", "Collection"):
		return nil, malformed("%.100q is no collection", o.kind())
	case o["first"] != nil, o["next"] != nil:
		return nil, malformed("a list of followers in pages")
	case len(items) > maxFollowsListed:
		return nil, malformed("%d followers here", len(items))
	}
	return slices.DeleteFunc(items, func(uri string) bool { return !f.own(uri) }), nil
}
