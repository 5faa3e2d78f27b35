package federation

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// parseCavage reads a Signature field (draft-cavage-http-signatures-12, 2.1 and 4.1): name=value pairs with commas
// between, values quoted or not. Unknown parameters are ignored, repeated ones refused.
func parseCavage(field string) (*Signature, error) {
	s := &Signature{Spec: SpecCavage, contentDigestComponent: "digest"}
	headers, value := "", ""
	targets := [...]struct {
		name string
		to   *string
	}{
		{"keyId", &s.KeyID}, {"algorithm", &s.Algorithm}, {"headers", &headers}, {"signature", &value},
		{"created", &s.createdText}, {"expires", &s.expiresText},
	}
	var seen [len(targets)]bool
	for rest := field; rest != ""; {
		name, v, after, ok := cavageParam(rest)
		if !ok {
			return nil, refuse("the signature field cannot be read")
		}
		rest = after
		for i, t := range targets {
			if t.name != name {
				continue
			}
			if seen[i] {
				return nil, refuse("a parameter of the signature was sent more than once")
			}
			seen[i], *t.to = true, v
		}
	}
	var err error
	if s.value, err = base64.StdEncoding.DecodeString(value); err != nil {
		return nil, refuse("the signature is not base64")
	}
	return s, s.readCavage(headers)
}

func (s *Signature) readCavage(headers string) error {
	s.Algorithm = strings.ToLower(s.Algorithm)
	switch s.Algorithm {
	case "", "hs2019", "rsa-sha256", "rsa-sha512", "ed25519":
	default:
		return refuse("the algorithm is not supported")
	}
	s.Components = strings.Fields(strings.ToLower(headers))
	for _, c := range s.Components {
		switch {
		case c == "(request-target)" || isFieldName(c):
		case c == "(created)" || c == "(expires)":
			if strings.HasPrefix(s.Algorithm, "rsa") { // 2.3: MUST produce an error
				return refuse("the algorithm does not allow " + c)
			}
		default:
			return refuse("a signed component is not supported")
		}
	}
	var err error
	if s.Created, err = unixParam(s.createdText); err != nil {
		return err
	}
	s.Expires, err = unixParam(s.expiresText)
	return err
}

// unixParam reads seconds since 1970; expires may have a fraction (2.1.5).
func unixParam(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(f) || f <= 0 || f > 1<<40 {
		return time.Time{}, refuse("a time of the signature cannot be read")
	}
	return time.Unix(int64(f), 0), nil
}

// cavageParam cuts the first parameter off rest.
func cavageParam(rest string) (name, value, after string, ok bool) {
	name, rest, ok = strings.Cut(rest, "=")
	name = strings.Trim(name, " \t")
	if !ok || !isFieldName(strings.ToLower(name)) {
		return "", "", "", false
	}
	rest = strings.TrimLeft(rest, " \t")
	if !strings.HasPrefix(rest, `"`) {
		value, after, _ = strings.Cut(rest, ",")
		value = strings.TrimRight(value, " \t")
		return name, value, strings.TrimLeft(after, " \t"), value != "" && !strings.ContainsAny(value, "\" \t")
	}
	if value, after, ok = quotedString(rest); !ok {
		return "", "", "", false
	}
	after = strings.TrimLeft(after, " \t")
	if after != "" {
		if after, ok = strings.CutPrefix(after, ","); !ok {
			return "", "", "", false
		}
		after = strings.TrimLeft(after, " \t")
	}
	return name, value, after, true
}

// quotedString reads a quoted-string (RFC 9110 5.6.4) at the start of s.
func quotedString(s string) (value, after string, ok bool) {
	end := strings.IndexAny(s[1:], `"\`)
	if end >= 0 && s[1+end] == '"' { // the usual case needs no copy
		return s[1 : 1+end], s[2+end:], true
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '"':
			return b.String(), s[i+1:], true
		case '\\':
			i++
			if i == len(s) {
				return "", "", false
			}
		}
		b.WriteByte(s[i])
	}
	return "", "", false
}

// checkCavage holds a signature against the least that it must cover: (request-target), host, and an instant.
func (s *Signature) checkCavage(req *SignedRequest, now time.Time) error {
	for _, c := range [...]string{"(request-target)", "host"} {
		if !s.covers(c) {
			return refuse(c + " is not signed")
		}
	}
	dated := s.covers("date")
	if dated {
		value, err := headerComponent(req, "date")
		if err != nil {
			return err
		}
		date, err := http.ParseTime(value)
		if err != nil {
			return refuse("the date cannot be read")
		}
		if err := checkTime(date, now); err != nil {
			return err
		}
	}
	if s.covers("(created)") {
		dated = true
		if s.Created.IsZero() {
			return refuse("(created) is signed but missing")
		}
		if err := checkTime(s.Created, now); err != nil {
			return err
		}
	}
	if !dated {
		return refuse("neither date nor (created) is signed")
	}
	return nil
}

// baseCavage writes the signing string (2.3). target is the path, with or without query.
func (s *Signature) baseCavage(req *SignedRequest, target string) ([]byte, error) {
	b := make([]byte, 0, 512)
	for i, c := range s.Components {
		if i > 0 {
			b = append(b, '\n')
		}
		b = append(append(b, c...), ": "...)
		switch c {
		case "(request-target)":
			b = append(append(append(b, strings.ToLower(req.Method)...), ' '), target...)
		case "(created)":
			b = append(b, s.createdText...)
		case "(expires)":
			if s.expiresText == "" {
				return nil, refuse("(expires) is signed but missing")
			}
			b = append(b, s.expiresText...)
		default:
			value, err := headerComponent(req, c)
			if err != nil {
				return nil, err
			}
			b = append(b, value...)
		}
	}
	return b, nil
}

// SignCavage signs an outgoing request with rsa-sha256 as draft-cavage-12 writes it. It sets Date, Digest (when there is
// a body or the method is POST) and Signature, and removes what an earlier signing left, so a request may be signed
// again. body is what will be sent. Covered are (request-target), host, date, then digest, content-type and
// Collection-Synchronization, or accept on a GET that has one. req.URL must have an ASCII host. Safe for concurrent use with one key.
func SignCavage(req *http.Request, body []byte, keyID string, key *rsa.PrivateKey, now time.Time) error {
	host, target, err := signedTarget(req, keyID)
	if err != nil {
		return err
	}
	unsign(req.Header)
	date := now.UTC().Format(http.TimeFormat)
	req.Header["Date"] = []string{date}

	b := make([]byte, 0, 512)
	b = append(b, "(request-target): "...)
	b = append(append(append(b, strings.ToLower(req.Method)...), ' '), target...)
	b = append(append(b, "\nhost: "...), host...)
	b = append(append(b, "\ndate: "...), date...)
	covered := "(request-target) host date"
	if len(body) > 0 || req.Method == http.MethodPost {
		contentType := strings.Trim(req.Header.Get("Content-Type"), " \t")
		if contentType == "" {
			return errors.New("sign request: a body needs a Content-Type")
		}
		digest := digestOf(body)
		req.Header["Digest"] = []string{digest}
		b = append(append(b, "\ndigest: "...), digest...)
		b = append(append(b, "\ncontent-type: "...), contentType...)
		covered = "(request-target) host date digest content-type"
		if sync := req.Header[syncField]; len(sync) == 1 {
			b = append(append(b, "\ncollection-synchronization: "...), sync[0]...)
			covered += " collection-synchronization"
		}
	} else if accept := req.Header["Accept"]; len(accept) == 1 {
		b = append(append(b, "\naccept: "...), strings.Trim(accept[0], " \t")...)
		covered = "(request-target) host date accept"
	}

	sum := sha256.Sum256(b)
	value, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
	if err != nil {
		return err
	}
	b = append(append(b[:0], `keyId="`...), keyID...)
	b = append(append(b, `",algorithm="rsa-sha256",headers="`...), covered...)
	b = base64.StdEncoding.AppendEncode(append(b, `",signature="`...), value)
	req.Header["Signature"] = []string{string(append(b, '"'))}
	return nil
}

// unsign removes the fields of an earlier signing, of either spec.
func unsign(h http.Header) {
	for _, name := range [...]string{"Date", "Digest", "Content-Digest", "Signature", "Signature-Input"} {
		delete(h, name)
	}
}

// signedTarget returns the Host field and the request target that net/http will send for req.
func signedTarget(req *http.Request, keyID string) (host, target string, err error) {
	if host = req.Host; host == "" {
		host = req.URL.Host
	}
	if host == "" || !isPrintable(host) {
		return "", "", errors.New("sign request: the host is missing or not ASCII")
	}
	if keyID == "" || !isPrintable(keyID) || strings.ContainsAny(keyID, `"\`) {
		return "", "", errors.New("sign request: the key id is not an address")
	}
	u := url.URL{Path: req.URL.Path, RawPath: req.URL.RawPath, RawQuery: req.URL.RawQuery, ForceQuery: req.URL.ForceQuery}
	return host, u.RequestURI(), nil
}

// isPrintable reports whether s is printable ASCII without spaces.
func isPrintable(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}
