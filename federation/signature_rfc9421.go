package federation

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/dunglas/httpsfv"
)

// parseRFC9421 reads Signature-Input and Signature (RFC 9421, 4.1 and 4.2). Component parameters (;sf, ;key, ;req, ...)
// are refused: no peer needs them, and ignoring one would verify something else than was signed.
func parseRFC9421(input, value string) (*Signature, error) {
	label, member, err := onlyMember(input)
	if err != nil {
		return nil, err
	}
	list, ok := member.(httpsfv.InnerList)
	if !ok {
		return nil, refuse("the signature-input field is not a list of components")
	}
	valueLabel, member, err := onlyMember(value)
	if err != nil {
		return nil, err
	}
	item, ok := member.(httpsfv.Item)
	if !ok || valueLabel != label {
		return nil, refuse("the signature field does not belong to signature-input")
	}
	s := &Signature{Spec: SpecRFC9421, contentDigestComponent: "content-digest"}
	if s.value, ok = item.Value.([]byte); !ok {
		return nil, refuse("the signature is not a byte sequence")
	}
	for _, c := range list.Items {
		name, ok := c.Value.(string)
		if !ok || len(c.Params.Names()) > 0 || !knownComponent(name) {
			return nil, refuse("a signed component is not supported")
		}
		s.Components = append(s.Components, name)
	}
	// 2.3: the parameters as RFC 8941 serialises them, whatever spaces were sent.
	if s.params, err = httpsfv.Marshal(list); err != nil {
		return nil, refuse("the signature-input field cannot be read")
	}
	return s, s.readParams(list.Params)
}

// onlyMember reads a dictionary of exactly one member.
func onlyMember(field string) (label string, member httpsfv.Member, err error) {
	dict, err := httpsfv.UnmarshalDictionary([]string{field})
	if err != nil {
		return "", nil, refuse("the signature fields are not structured fields")
	}
	names := dict.Names()
	if len(names) != 1 {
		return "", nil, refuse("there must be exactly one signature")
	}
	member, _ = dict.Get(names[0])
	return names[0], member, nil
}

func knownComponent(name string) bool {
	switch name {
	case "@method", "@target-uri", "@authority", "@scheme", "@request-target", "@path", "@query":
		return true
	}
	return isFieldName(name)
}

// readParams reads the signature parameters (2.3); nonce and tag mean nothing here.
func (s *Signature) readParams(params *httpsfv.Params) error {
	for _, name := range params.Names() {
		v, _ := params.Get(name)
		ok := true
		switch name {
		case "keyid":
			s.KeyID, ok = v.(string)
		case "alg":
			s.Algorithm, ok = v.(string)
			ok = ok && (s.Algorithm == "rsa-v1_5-sha256" || s.Algorithm == "ed25519")
		case "created":
			s.Created, ok = sfvTime(v)
		case "expires":
			s.Expires, ok = sfvTime(v)
		}
		if !ok {
			return refuse("the parameter " + name + " is not supported")
		}
	}
	return nil
}

func sfvTime(v any) (time.Time, bool) {
	n, ok := v.(int64)
	if !ok || n <= 0 || n > 1<<40 {
		return time.Time{}, false
	}
	return time.Unix(n, 0), true
}

// checkRFC9421 holds a signature against the least that it must cover: created, @method and the whole address, which is
// @target-uri (what Mastodon asks for) or @authority with the path and, where there is one, the query.
func (s *Signature) checkRFC9421(req *SignedRequest, now time.Time) error {
	if s.Created.IsZero() {
		return refuse("created is missing")
	}
	if err := checkTime(s.Created, now); err != nil {
		return err
	}
	if !s.covers("@method") {
		return refuse("@method is not signed")
	}
	path := s.covers("@request-target") || s.covers("@path") && (s.covers("@query") || req.URL.RawQuery == "")
	if !s.covers("@target-uri") && !(path && (s.covers("@authority") || s.covers("host"))) {
		return refuse("the address is not signed: @target-uri is not covered")
	}
	return nil
}

// baseRFC9421 writes the signature base (2.5).
func (s *Signature) baseRFC9421(req *SignedRequest) ([]byte, error) {
	b := make([]byte, 0, 1024)
	for _, c := range s.Components {
		value, err := componentValue(req, c)
		if err != nil {
			return nil, err
		}
		b = append(append(append(b, '"'), c...), `": `...)
		b = append(append(b, value...), '\n')
	}
	return append(append(b, `"@signature-params": `...), s.params...), nil
}

// componentValue derives a component (2.2) or reads a field (2.1).
func componentValue(req *SignedRequest, name string) (string, error) {
	switch name {
	case "@method":
		return req.Method, nil
	case "@target-uri":
		return targetURI(req.URL.Scheme, req.URL.Host, req.URL.RequestURI()), nil
	case "@authority":
		return authority(req.URL.Scheme, req.URL.Host), nil
	case "@scheme":
		return strings.ToLower(req.URL.Scheme), nil
	case "@request-target":
		return req.URL.RequestURI(), nil
	case "@path":
		return escapedPath(req.URL), nil
	case "@query":
		return "?" + req.URL.RawQuery, nil
	}
	return headerComponent(req, name)
}

func targetURI(scheme, host, target string) string {
	return strings.ToLower(scheme) + "://" + authority(scheme, host) + target
}

// authority normalises a host as 2.2.3 says: lower case, default port left out.
func authority(scheme, host string) string {
	host = strings.ToLower(host)
	switch strings.ToLower(scheme) {
	case "https":
		return strings.TrimSuffix(host, ":443")
	case "http":
		return strings.TrimSuffix(host, ":80")
	}
	return host
}

// SignRFC9421 signs an outgoing request with rsa-v1_5-sha256. It sets Content-Digest (when there is a body or the method
// is POST), Signature-Input and Signature, and removes what an earlier signing left. body is what will be sent. Covered
// are @method, @target-uri, content-digest and Collection-Synchronization, with created and keyid, which is what Mastodon 4.5 asks for. req.URL must
// have an ASCII host. Safe for concurrent use with one key.
func SignRFC9421(req *http.Request, body []byte, keyID string, key *rsa.PrivateKey, now time.Time) error {
	host, target, err := signedTarget(req, keyID)
	if err != nil {
		return err
	}
	unsign(req.Header)
	b := make([]byte, 0, 768)
	b = append(append(b, `"@method": `...), req.Method...)
	b = append(append(b, "\n\"@target-uri\": "...), targetURI(req.URL.Scheme, host, target)...)
	covered := `("@method" "@target-uri")`
	if len(body) > 0 || req.Method == http.MethodPost {
		digest := contentDigestOf(body)
		req.Header["Content-Digest"] = []string{digest}
		b = append(append(b, "\n\"content-digest\": "...), digest...)
		covered = `("@method" "@target-uri" "content-digest")`
		if sync := req.Header[syncField]; len(sync) == 1 {
			b = append(append(b, "\n\"collection-synchronization\": "...), sync[0]...)
			covered = `("@method" "@target-uri" "content-digest" "collection-synchronization")`
		}
	}
	params := covered + ";created=" + strconv.FormatInt(now.Unix(), 10) + `;keyid="` + keyID + `";alg="rsa-v1_5-sha256"`
	b = append(append(b, "\n\"@signature-params\": "...), params...)

	sum := sha256.Sum256(b)
	value, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
	if err != nil {
		return err
	}
	req.Header["Signature-Input"] = []string{"sig1=" + params}
	b = base64.StdEncoding.AppendEncode(append(b[:0], "sig1=:"...), value)
	req.Header["Signature"] = []string{string(append(b, ':'))}
	return nil
}
