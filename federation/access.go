package federation

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"time"

	"souk"
)

// Who may read what. A GET may be signed, as a POST to an inbox is; then it is an actor of another node that asks, who may
// be in the audience of what is not public, or be blocked. Where nothing depends on who asks nothing is verified.

// secureFor is for how long the setting of secure mode is told again without a look at the database, which every anonymous
// request would pay for.
const secureFor = 5 * time.Second

func (f *Federation) secureMode(ctx context.Context) (bool, error) {
	return f.secure.get(f.db.Now(), secureFor, func() (bool, error) { return f.db.SecureMode(ctx) })
}

// The fields of a 401 that say how to sign.
const (
	AcceptSignature = `sig1=("@method" "@target-uri");created;keyid`   // RFC 9421, 5.1
	Authenticate    = `Signature headers="(request-target) host date"` // draft-cavage-12, 3.1.1
)

const signedOnly = "this node shows its documents to signed requests only"

// asker is who asks for a document.
type asker struct {
	f      *Federation
	req    *SignedRequest // nil: not signed
	secure bool
	reader souk.Reader
	// unsure says that the stored keys do not tell who it is; the key would have to be fetched.
	unsure bool
	host   string // of the key's id
}

// admit lets a request in, or says why not: in secure mode strangers are told to sign (a *RefusedError), and for whom the
// node suspended there is nothing (souk.ErrNotFound). by is nil for a request without a signature. Outside secure mode a
// signature that does not verify counts as none, and only keys that are stored are looked at, so that nobody who asks for
// a public document waits for another server.
func (f *Federation) admit(ctx context.Context, by *SignedRequest) (*asker, error) {
	secure, err := f.secureMode(ctx)
	if err != nil {
		return nil, err
	}
	a := &asker{f: f, req: by, secure: secure}
	if by == nil && secure {
		return nil, refusal(http.StatusUnauthorized, signedOnly+": sign as an actor of your server", nil)
	}
	if by == nil {
		return a, nil
	}
	err = a.identify(ctx, secure)
	var refused *RefusedError
	if errors.As(err, &refused) {
		if secure {
			return nil, refusal(refused.Status, signedOnly+": "+refused.Reason, refused.Err)
		}
		err = nil
	}
	return a, err
}

// identify verifies the signature. fetch allows to ask the sender's server for the key. What is wrong with a signature is
// a *RefusedError; a suspended sender is souk.ErrNotFound.
func (a *asker) identify(ctx context.Context, fetch bool) error {
	a.unsure = false
	signature, err := a.f.signatureOf(a.req)
	if err != nil {
		return err
	}
	keyID := signature.KeyID
	if !validIRI(keyID) || a.f.own(keyID) {
		return refusal(http.StatusUnauthorized, "the key's id is not an address of another server", nil)
	}
	a.host = hostOf(keyID)
	owner, err := a.f.db.KeyOwner(ctx, keyID, a.host)
	if err != nil {
		return err
	}
	if owner.Refused {
		return souk.ErrNotFound
	}
	known := storedKey{id: keyID, pem: owner.PublicKey, fetched: owner.Fetched}
	if err := a.f.fits(a.req, signature, known); err == nil || !errors.Is(err, errAskAgain) {
		if err == nil {
			a.reader = owner.Reader
		}
		return err
	}
	if !fetch {
		a.unsure = true
		return nil
	}
	holder, err := a.f.fetchedKey(ctx, a.req, signature, withoutFragment(keyID), readerPurse)
	if err != nil {
		return err
	}
	a.reader = souk.ReaderOf(holder)
	return nil
}

// sure fetches the key of an asker whom the stored keys do not tell. It reports whether that made a reader of a stranger.
func (a *asker) sure(ctx context.Context) (bool, error) {
	if !a.unsure {
		return false, nil
	}
	err := a.identify(ctx, true)
	var refused *RefusedError
	if errors.As(err, &refused) {
		return false, nil
	}
	return !a.reader.Stranger(), err
}

// post is a post or listing of this node, tombstones too, and with whose eyes it is read. A key is fetched only from a server
// where somebody could read it: so nobody makes this node ask others, or learns from it what there is to be read.
func (a *asker) post(ctx context.Context, id int64) (p *souk.Post, viewer int64, err error) {
	p, viewer, err = a.f.db.PostFor(ctx, a.reader, id)
	if errors.Is(err, souk.ErrNotFound) && a.unsure {
		there, herr := a.f.db.ReadAt(ctx, id, a.host)
		if herr != nil {
			return nil, 0, herr
		}
		if !there {
			return nil, 0, err
		}
		known, kerr := a.sure(ctx)
		if kerr != nil {
			return nil, 0, kerr
		}
		if known {
			p, viewer, err = a.f.db.PostFor(ctx, a.reader, id)
		}
	}
	if err == nil && !p.Local {
		return nil, 0, souk.ErrNotFound
	}
	return p, viewer, err
}

// agreement is what a seller of this node agreed to with the asker, or with somebody whose server asks. A key is fetched only
// from the buyer's server.
func (a *asker) agreement(ctx context.Context, id int64) (*souk.Agreement, error) {
	g, err := a.f.db.AgreementFor(ctx, a.reader, id)
	if !errors.Is(err, souk.ErrNotFound) || !a.unsure {
		return g, err
	}
	if _, err := a.f.db.AgreementFor(ctx, souk.Reader{Host: a.host, Node: true}, id); err != nil {
		return nil, err
	}
	if _, err := a.sure(ctx); err != nil {
		return nil, err
	}
	return a.f.db.AgreementFor(ctx, a.reader, id)
}

// sent is nil where the asker is one of those to whom an activity of this node is addressed; for a server's own actor,
// where anybody of its server is. Else it is souk.ErrNotFound.
func (a *asker) sent(ctx context.Context, body []byte) error {
	o, err := parseObject(body)
	if err != nil {
		return err
	}
	to := append(o.ids("to"), o.ids("cc")...)
	if !slices.ContainsFunc(to, func(uri string) bool { return hostOf(uri) == a.host }) {
		return souk.ErrNotFound
	}
	if _, err := a.sure(ctx); err != nil {
		return err
	}
	for _, uri := range to {
		if !a.reader.Stranger() && (uri == a.reader.URI || a.reader.Node && hostOf(uri) == a.reader.Host) {
			return nil
		}
	}
	return souk.ErrNotFound
}

// answer marks what must not be kept for others: all in secure mode, and what is not public.
func (a *asker) answer(doc *Document, err error, public bool) (*Document, error) {
	if err == nil && (a.secure || !public) {
		doc.Private = true
	}
	return doc, err
}

// forAll reports whether everybody may read a post.
func forAll(p *souk.Post) bool { return p.Visibility == souk.Public || p.Visibility == souk.Unlisted }

// stub is the part of an actor that stays free in secure mode: the key that a server needs to verify a signature, which it
// may have to fetch before it can sign anything itself.
func stub(o *actor) *actorStub {
	return &actorStub{Context: json.RawMessage(contextActor), ID: o.ID, Type: o.Type, Username: o.Username, Inbox: o.Inbox, PublicKey: o.PublicKey}
}
