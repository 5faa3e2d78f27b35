package federation

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Limits of what is read from a signature before anything is known about its sender.
const (
	maxSignatureField      = 8 << 10 // bytes of one Signature, Signature-Input, Digest or Content-Digest field
	maxSignatureComponents = 32      // covered components
	maxKeyID               = 2048    // bytes

	signatureMaxAge  = 12 * time.Hour // the window that Mastodon documents
	signatureMaxSkew = time.Hour
)

// SignatureSpec names the specification that a signature follows.
type SignatureSpec string

const (
	// SpecCavage is draft-cavage-http-signatures-12, what most of the fediverse signs with.
	SpecCavage SignatureSpec = "draft-cavage-http-signatures-12"
	// SpecRFC9421 is HTTP Message Signatures, with Content-Digest of RFC 9530.
	SpecRFC9421 SignatureSpec = "rfc9421"
)

// SignatureError says why a signature was refused. Reason is short, English, and safe to show to the sender: it holds
// nothing of the node and no key material.
type SignatureError struct{ Reason string }

func (e *SignatureError) Error() string { return "signature: " + e.Reason }

var (
	// ErrUnsigned is returned by ParseSignature for a request that carries no signature at all.
	ErrUnsigned = &SignatureError{Reason: "the request is not signed"}

	// ErrKeyMismatch is returned by Verify when everything but the key fits: the signature was not made by this key, or
	// its algorithm is of another kind of key. The only refusal that a freshly fetched key could change.
	ErrKeyMismatch = &SignatureError{Reason: "the signature does not match the key"}
)

func refuse(reason string) error { return &SignatureError{Reason: reason} }

// SignedRequest is what of a received request a signature speaks about.
type SignedRequest struct {
	Method string
	// URL is where the request was sent, absolute: scheme and host as the node is configured, never as the request says;
	// path and query exactly as received. The components host, @authority, @scheme and @target-uri come from it.
	URL    *url.URL
	Header http.Header
	Body   []byte // raw, as received, before any decoding
	From   string // the IP address of the client, as trusted proxies tell it
}

// NewSignedRequest rebuilds the address of r on origin (scheme and host of the node). It reads the request line, so
// that routers which rewrite r.URL do not matter.
func NewSignedRequest(r *http.Request, origin *url.URL, body []byte) (*SignedRequest, error) {
	target := r.URL
	if r.RequestURI != "" {
		parsed, err := url.ParseRequestURI(r.RequestURI)
		if err != nil {
			return nil, refuse("the request target cannot be read")
		}
		target = parsed
	}
	return &SignedRequest{
		Method: r.Method,
		URL: &url.URL{
			Scheme: origin.Scheme, Host: origin.Host,
			Path: target.Path, RawPath: target.RawPath, RawQuery: target.RawQuery, ForceQuery: target.ForceQuery,
		},
		Header: r.Header,
		Body:   body,
	}, nil
}

// Signature is a parsed, not yet verified signature.
type Signature struct {
	Spec      SignatureSpec
	KeyID     string
	Algorithm string // as declared, lower case; empty when left to the key
	// Components are the covered components in their order, lower case: header names, (request-target), @method, ...
	Components []string
	// Created and Expires are the parameters of that name, zero when absent. In cavage they are signed only where
	// Components holds (created), (expires).
	Created, Expires time.Time

	value                  []byte
	createdText            string // cavage: as sent, for the signing string
	expiresText            string
	params                 string // RFC 9421: the serialised @signature-params
	contentDigestComponent string // the header that protects the body in this spec, lower case
}

// ParseSignature reads the one signature of a request. It touches no cryptography, so that the caller can refuse by key
// id, or by Check, before it fetches a key. Errors are *SignatureError; ErrUnsigned when there is none.
//
// A request with Signature-Input is read as RFC 9421, else as cavage. More than one signature is refused: nobody sends
// several, and picking one would be the sender's choice of what gets checked. The Authorization header is not read.
func ParseSignature(req *SignedRequest) (*Signature, error) {
	value, found, err := fieldValue(req.Header, "Signature")
	if err != nil {
		return nil, err
	}
	input, foundInput, err := fieldValue(req.Header, "Signature-Input")
	if err != nil {
		return nil, err
	}
	var s *Signature
	switch {
	case !found && !foundInput:
		return nil, ErrUnsigned
	case !found:
		return nil, refuse("the signature field is missing")
	case foundInput:
		s, err = parseRFC9421(input, value)
	default:
		s, err = parseCavage(value)
	}
	if err == nil {
		err = s.checkShape()
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// fieldValue returns the single value of a field. A field that was sent twice is refused: two readers may take
// different ones of the two.
func fieldValue(h http.Header, name string) (value string, found bool, err error) {
	values := h[http.CanonicalHeaderKey(name)]
	switch {
	case len(values) == 0:
		return "", false, nil
	case len(values) > 1:
		return "", false, refuse("the " + strings.ToLower(name) + " field was sent more than once")
	case len(values[0]) > maxSignatureField:
		return "", false, refuse("the " + strings.ToLower(name) + " field is too long")
	}
	return strings.Trim(values[0], " \t"), true, nil
}

func (s *Signature) checkShape() error {
	switch {
	case s.KeyID == "":
		return refuse("the key id is missing")
	case len(s.KeyID) > maxKeyID:
		return refuse("the key id is too long")
	case len(s.value) == 0:
		return refuse("the signature is empty")
	case len(s.Components) > maxSignatureComponents:
		return refuse("too many components are signed")
	}
	for i, c := range s.Components {
		if slices.Contains(s.Components[:i], c) {
			return refuse("a component is signed more than once")
		}
	}
	return nil
}

func (s *Signature) covers(component string) bool { return slices.Contains(s.Components, component) }

// Check does everything of Verify that needs no key: what is covered, when it was signed, and whether the body is the
// one that was signed. Errors are *SignatureError.
func (s *Signature) Check(req *SignedRequest, now time.Time) error {
	var err error
	if s.Spec == SpecRFC9421 {
		err = s.checkRFC9421(req, now)
	} else {
		err = s.checkCavage(req, now)
	}
	if err != nil {
		return err
	}
	if !s.Expires.IsZero() && !now.Before(s.Expires) {
		return refuse("the signature has expired")
	}
	return s.checkBody(req)
}

// Verify reports whether the holder of key signed this request, recently, with enough of it covered. key is an
// *rsa.PublicKey of 2048 to 4096 bits or an ed25519.PublicKey. Errors are *SignatureError; ErrKeyMismatch is the only
// one that depends on the key.
func (s *Signature) Verify(req *SignedRequest, key crypto.PublicKey, now time.Time) error {
	if err := s.Check(req, now); err != nil {
		return err
	}
	if err := checkPublicKey(key); err != nil {
		return err
	}
	base, err := s.base(req, req.URL.RequestURI())
	if err != nil {
		return err
	}
	if s.matches(base, key) {
		return nil
	}
	// Some peers leave the query out of (request-target). A POST acts, so nothing of its address may stay unsigned.
	if s.Spec == SpecCavage && req.Method == http.MethodGet && req.URL.RawQuery != "" {
		if base, err = s.base(req, escapedPath(req.URL)); err != nil {
			return err
		}
		if s.matches(base, key) {
			return nil
		}
	}
	return ErrKeyMismatch
}

func (s *Signature) base(req *SignedRequest, target string) ([]byte, error) {
	if s.Spec == SpecRFC9421 {
		return s.baseRFC9421(req)
	}
	return s.baseCavage(req, target)
}

// checkTime holds an instant of signing against the window: 12 hours back, for queues and bad clocks, one ahead.
func checkTime(signed, now time.Time) error {
	if signed.Before(now.Add(-signatureMaxAge)) {
		return refuse("the signature is too old")
	}
	if signed.After(now.Add(signatureMaxSkew)) {
		return refuse("the signature is from the future")
	}
	return nil
}

// checkBody compares the covered digest with the body. A digest that is not covered proves nothing and is not read.
func (s *Signature) checkBody(req *SignedRequest) error {
	if !s.covers(s.contentDigestComponent) {
		if len(req.Body) > 0 || (s.Spec == SpecCavage && req.Method == http.MethodPost) {
			return refuse("the body is not signed: " + s.contentDigestComponent + " is not covered")
		}
		return nil
	}
	value, found, err := fieldValue(req.Header, s.contentDigestComponent)
	if err != nil {
		return err
	}
	if !found {
		return refuse("the " + s.contentDigestComponent + " field is missing")
	}
	if s.Spec == SpecRFC9421 {
		return checkContentDigest(value, req.Body)
	}
	return checkDigest(value, req.Body)
}

// headerComponent returns the value of a covered header field.
func headerComponent(req *SignedRequest, name string) (string, error) {
	if name == "host" {
		return req.URL.Host, nil
	}
	value, found, err := fieldValue(req.Header, name)
	if err != nil {
		return "", err
	}
	if !found {
		return "", refuse("the signed field " + name + " is missing")
	}
	return value, nil
}

// isFieldName reports whether s is a lower-case field name (RFC 9110 5.6.2) of a sane length.
func isFieldName(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && !strings.ContainsRune("!#$%&'*+-.^_`|~", rune(c)) {
			return false
		}
	}
	return true
}

func escapedPath(u *url.URL) string {
	if p := u.EscapedPath(); p != "" {
		return p
	}
	return "/"
}

// matches tries the hashes that the declared algorithm may stand for. hs2019 and a missing algorithm leave it to the
// key; with RSA keys peers mean PKCS #1 v1.5 by it, with SHA-256 nearly always, with SHA-512 now and then.
func (s *Signature) matches(base []byte, key crypto.PublicKey) bool {
	switch k := key.(type) {
	case *rsa.PublicKey:
		switch s.Algorithm {
		case "rsa-sha256", "rsa-v1_5-sha256":
			return rsaMatches(k, crypto.SHA256, base, s.value)
		case "rsa-sha512":
			return rsaMatches(k, crypto.SHA512, base, s.value)
		case "hs2019", "":
			return rsaMatches(k, crypto.SHA256, base, s.value) ||
				s.Spec == SpecCavage && rsaMatches(k, crypto.SHA512, base, s.value)
		}
	case ed25519.PublicKey:
		switch s.Algorithm {
		case "ed25519", "hs2019", "":
			return ed25519.Verify(k, base, s.value)
		}
	}
	return false
}

func rsaMatches(key *rsa.PublicKey, hash crypto.Hash, base, value []byte) bool {
	if hash == crypto.SHA512 {
		sum := sha512.Sum512(base)
		return rsa.VerifyPKCS1v15(key, hash, sum[:], value) == nil
	}
	sum := sha256.Sum256(base)
	return rsa.VerifyPKCS1v15(key, hash, sum[:], value) == nil
}
