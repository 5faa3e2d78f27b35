package federation

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode"

	"souk"
)

const (
	// MaxActivity is how many bytes a received activity may have; the server reads no more of a body than this and one.
	MaxActivity = 256 << 10
	// keyRest is how old a stored actor must be before a signature that does not fit makes it be read again: a peer with a
	// new key is heard soon, and one who sends rubbish makes us ask its host no more often than this.
	keyRest = 5 * time.Minute
)

// RefusedError is why a received activity is not accepted. Reason is English, short, and safe to show to the sender.
type RefusedError struct {
	Status     int
	Reason     string
	RetryAfter time.Duration // of 429 and 503: when to come back; 0 where that is not known
	Err        error         // for the log; may be nil
}

func (e *RefusedError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("%d: %s: %v", e.Status, e.Reason, e.Err)
	}
	return fmt.Sprintf("%d: %s", e.Status, e.Reason)
}

func (e *RefusedError) Unwrap() error { return e.Err }

func refusal(status int, reason string, err error) error {
	return &RefusedError{Status: status, Reason: reason, Err: err}
}

// head is what is read of an activity in the request: enough to know whom it must be from.
type head struct {
	id, kind, actor string
	object          string // its id, where it has one
	host            string // of the actor
}

// Receive takes a signed activity in: the server calls it for every inbox, shared or personal, with the address
// rebuilt from configuration and the body as it came (ActivityPub 5.2, 7.1.3). Once it returns 202 the activity is
// stored and will be applied; replays and types that nobody here knows get 202 too. Everything else is an error with
// its status: a *RefusedError (400, 401, 403, 405, 413, 415, 429, 503), of which one line is logged, else 500.
func (f *Federation) Receive(ctx context.Context, req *SignedRequest) (status int, err error) {
	defer wrap(&err, "receive")
	h, err := f.receive(ctx, req)
	if err == nil {
		return http.StatusAccepted, nil
	}
	var refused *RefusedError
	if errors.As(err, &refused) {
		f.cfg.Log.Info("activity refused", "status", refused.Status, "host", h.host, "type", h.kind, "reason", refused.Reason, "error", refused.Err)
		return refused.Status, err
	}
	return http.StatusInternalServerError, err
}

func (f *Federation) receive(ctx context.Context, req *SignedRequest) (h head, err error) {
	h, signature, err := f.readHead(req)
	if err != nil {
		return h, err
	}
	sender, err := f.db.Sender(ctx, h.id, h.actor, h.host)
	switch {
	case err != nil:
		return h, err
	case sender.Refused:
		return h, refusal(http.StatusForbidden, "the sender is blocked here", nil)
	case h.kind == "Delete" && h.object == h.actor && (!sender.Known || sender.Deleted):
		// Servers tell the whole world of a deleted account; nothing of it is here, and its key cannot be had any more.
		return h, nil
	}
	if err := f.authenticate(ctx, req, signature, h, sender); err != nil || sender.Replay {
		return h, err // a replay is answered as late as this: before, who knows an id could ask whether it came
	}
	if wait := f.limits.arrived(h.actor, h.host, f.db.Now()); wait > 0 {
		return h, &RefusedError{Status: http.StatusTooManyRequests, Reason: "too many activities of this actor or its domain", RetryAfter: wait}
	}
	fresh, err := f.db.ReceiveActivity(ctx, souk.Received{ActivityID: h.id, Type: h.kind, Actor: h.actor, Host: h.host, Body: req.Body})
	if err != nil || !fresh {
		return h, err
	}
	if err := f.heedFollowers(ctx, req, h.actor); err != nil { // the activity has been received all the same
		f.cfg.Log.Warn("followers not compared", "actor", h.actor, "error", err)
	}
	// Who speaks lives, and understands the form in which it signs.
	if newer := req.Header.Get("Signature-Input") != "" && sender.TryNewer(f.db.Now()); newer || sender.Resting {
		err = f.db.HostSpoke(ctx, h.host, newer)
	}
	return h, err
}

// readHead checks all that needs neither database nor key. The body is not parsed before its digest is the one that was signed.
func (f *Federation) readHead(req *SignedRequest) (h head, signature *Signature, err error) {
	mediaType, params := mediaTypeOf(req.Header.Get("Content-Type"))
	switch {
	case req.Method != http.MethodPost:
		return h, nil, refusal(http.StatusMethodNotAllowed, "an inbox takes POST", nil)
	case !isActivity(mediaType, params):
		return h, nil, refusal(http.StatusUnsupportedMediaType, "send "+activityMedia, nil)
	case len(req.Body) > MaxActivity:
		return h, nil, refusal(http.StatusRequestEntityTooLarge, "an activity has at most 256 KiB", nil)
	}
	if signature, err = f.signatureOf(req); err != nil {
		return h, nil, err
	}
	if err := CheckJSON(req.Body, maxJSONDepth); err != nil {
		return h, nil, refusal(http.StatusBadRequest, "the body is not acceptable JSON", err)
	}
	if h, err = peek(req.Body); err != nil {
		return h, nil, refusal(http.StatusBadRequest, "the body is not an activity with type, actor and a usable id", err)
	}
	switch {
	case !SameOrigin(h.id, h.actor):
		return h, nil, refusal(http.StatusForbidden, "the activity's id is not of its actor's origin", nil)
	case f.own(h.actor):
		return h, nil, refusal(http.StatusForbidden, "the actor is of this node", nil)
	}
	return h, signature, nil
}

// peek reads id, type and actor. Keys are compared exactly, as the worker does: for encoding/json an "ID" would be an id.
func peek(body []byte) (h head, err error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(body, &fields); err != nil {
		return h, malformed("%v", err)
	}
	o := object{}
	for _, key := range [...]string{"id", "type", "actor", "object"} {
		if raw, ok := fields[key]; ok {
			var v any
			if err := json.Unmarshal(raw, &v); err != nil {
				return h, malformed("%v", err)
			}
			o[key] = v
		}
	}
	return headOf(o, body)
}

// madeID is where the ids begin that this node gives: in the fragment of the actor's.
const madeID = "#souk-sha-256="

// headOf reads the head of an activity. One without an id (missing or null: ActivityPub 3.1 lets it be anonymous) is given one
// from its actor and the digest of its bytes, so that it is the same one when it comes again. Nobody may send such an id:
// a neighbour who guesses what somebody will say could say something under its id first, and the other would be taken for a
// replay. Offers and requests to quote need their own, since the answer names them.
func headOf(o object, body []byte) (h head, err error) {
	id, _ := o["id"].(string)
	actors := o.ids("actor")
	h = head{id: id, kind: o.kind(), object: o.id("object")}
	if len(actors) == 1 {
		h.actor = actors[0]
	}
	switch {
	case strings.Contains(h.id, madeID):
		return h, malformed("the id %.100q is of those that are given here", h.id)
	case o["id"] == nil && (h.kind == "Offer" || h.kind == "QuoteRequest"):
		return h, malformed("an %s without an id: its answer could not name it", h.kind)
	case o["id"] == nil && validIRI(h.actor):
		h.id = withoutFragment(h.actor) + madeID + fmt.Sprintf("%x", sha256.Sum256(body))
	}
	switch {
	case !validIRI(h.id), !validIRI(h.actor), h.kind == "", len(h.kind) > 100, strings.ContainsFunc(h.kind, unicode.IsControl):
		return h, malformed("id %.100q, type %.100q, actor %.100q", h.id, h.kind, h.actor)
	}
	h.host = hostOf(h.actor)
	return h, nil
}

// authenticate makes sure that the activity's actor signed the request: the key belongs to the actor, and the actor's
// own document says so (FEP-fe34).
func (f *Federation) authenticate(ctx context.Context, req *SignedRequest, signature *Signature, h head, sender souk.Sender) error {
	if !SameOrigin(signature.KeyID, h.actor) {
		return refusal(http.StatusUnauthorized, "the key is not the actor's", nil)
	}
	var known storedKey
	if sender.Known && !sender.Deleted {
		known = storedKey{sender.KeyID, sender.PublicKey, sender.Fetched}
	}
	if err := f.fits(req, signature, known); err == nil || !errors.Is(err, errAskAgain) {
		return err
	}
	holder, err := f.fetchedKey(ctx, req, signature, h.actor, senderPurse)
	if err == nil && holder.URI != h.actor {
		return refusal(http.StatusUnauthorized, "the actor does not name the key as its own", nil)
	}
	return err
}

// signatureOf reads the signature of a request and checks all that needs no key.
func (f *Federation) signatureOf(req *SignedRequest) (*Signature, error) {
	signature, err := ParseSignature(req)
	if err == nil {
		err = signature.Check(req, f.db.Now())
	}
	return signature, unauthorized(err)
}

// storedKey is a key as its actor's document had it when it was read last; the zero value is none.
type storedKey struct {
	id, pem string
	fetched time.Time
}

// errAskAgain: the stored key decides nothing, the actor's own document has to be read.
var errAskAgain = errors.New("the stored key decides nothing")

// fits verifies a signature by a stored key. It is errAskAgain where there is none with that id, and where it does not fit
// and is old enough to have been changed.
func (f *Federation) fits(req *SignedRequest, s *Signature, known storedKey) error {
	if known.pem == "" || known.id != s.KeyID {
		return errAskAgain
	}
	err := f.verify(req, s, known.pem)
	if errors.Is(err, ErrKeyMismatch) && f.db.Now().Sub(known.fetched) >= keyRest {
		return errAskAgain
	}
	return unauthorized(err)
}

// fetchedKey reads an actor anew, or the document of its key, and verifies the signature by what that says. It returns
// whose key it is: an actor that names it as its own (FEP-fe34).
func (f *Federation) fetchedKey(ctx context.Context, req *SignedRequest, s *Signature, iri string, from purse) (*souk.Account, error) {
	from, settle, err := f.charge(req, hostOf(iri), from)
	if err != nil {
		return nil, err
	}
	a, err := f.fetchActor(ctx, iri, s.KeyID, from)
	if err != nil {
		settle(err)
		return nil, noKey(err)
	}
	if a.KeyID != s.KeyID {
		return nil, refusal(http.StatusUnauthorized, "the actor does not name the key as its own", nil)
	}
	err = f.verify(req, s, a.PublicKey)
	settle(err)
	return a, unauthorized(err)
}

// verify holds a signature against a key of the host that the key's id names.
func (f *Federation) verify(req *SignedRequest, s *Signature, publicKey string) error {
	key, err := f.cfg.Keys.Public(publicKey)
	if err != nil {
		return err
	}
	now := f.db.Now()
	if err := s.Verify(req, key, now); err != nil {
		return err
	}
	f.limits.proofs.add(req.From, hostOf(s.KeyID), now)
	return nil
}

// unauthorized turns what is wrong with a signature into 401; nil stays nil.
func unauthorized(err error) error {
	var signature *SignatureError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &signature):
		return refusal(http.StatusUnauthorized, signature.Error(), nil)
	case errors.Is(err, ErrKey):
		return refusal(http.StatusUnauthorized, "the actor's key is not usable", nil)
	}
	return err
}

// noKey is what the sender is told when its actor could not be read: to come back where that may help.
func noKey(err error) error {
	switch {
	case errors.Is(err, souk.ErrForbidden):
		return refusal(http.StatusForbidden, "the sender is blocked here", nil)
	case errors.Is(err, ErrTooMany):
		return refusal(http.StatusTooManyRequests, "too many new keys of this host", nil)
	case final(err):
		return refusal(http.StatusUnauthorized, "the actor's document could not be read", err)
	case errors.Is(err, context.Canceled):
		return err
	}
	return refusal(http.StatusServiceUnavailable, "the actor's document cannot be read at the moment", err)
}
