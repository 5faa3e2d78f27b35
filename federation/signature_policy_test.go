package federation

import (
	"crypto/rsa"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestCavagePolicy signs well, and refuses what is signed too little, too early, too late or twice. Every case but the
// ones that say so would pass the cryptography.
func TestCavagePolicy(t *testing.T) {
	t.Parallel()
	const all = "(request-target) host date digest"
	for _, c := range []struct {
		name, covered, algorithm, extra string
		edit                            func(*SignedRequest) // before signing
		after                           func(*SignedRequest) // after signing
		want                            string               // part of the reason; empty: accepted
	}{
		{name: "control", covered: all},
		{name: "more than needed", covered: all + " content-type accept"},
		{name: "(created) instead of date", covered: "(request-target) host (created) digest", algorithm: "hs2019", extra: "created=" + unix(testNow)},
		{name: "(expires) in time", covered: all + " (created) (expires)", algorithm: "hs2019",
			extra: "created=" + unix(testNow) + ",expires=" + unix(testNow.Add(time.Hour))},
		{name: "digest of two kinds", covered: all, edit: func(r *SignedRequest) {
			r.Header.Set("Digest", "md5=AAAA,"+digestOf(r.Body))
		}},
		{name: "date only", covered: "date", want: "(request-target) is not signed"},
		{name: "no request target", covered: "host date digest", want: "(request-target) is not signed"},
		{name: "no host", covered: "(request-target) date digest", want: "host is not signed"},
		{name: "no time", covered: "(request-target) host digest", want: "neither date nor (created)"},
		{name: "no digest", covered: "(request-target) host date", want: "digest is not covered"},
		{name: "post without body or digest", covered: "(request-target) host date", edit: func(r *SignedRequest) { r.Body = nil }, want: "digest is not covered"},
		{name: "covered twice", covered: all + " host", want: "more than once"},
		{name: "covers what was not sent", covered: all + " x-missing", want: "x-missing is missing"},
		{name: "unknown pseudo header", covered: all + " (status)", want: "not supported"},
		{name: "(created) with rsa-sha256", covered: all + " (created)", algorithm: "rsa-sha256", extra: "created=" + unix(testNow), want: "does not allow"},
		{name: "(created) missing", covered: all + " (created)", algorithm: "hs2019", want: "(created) is signed but missing"},
		{name: "(expires) missing", covered: all + " (expires)", algorithm: "hs2019", want: "(expires) is signed but missing"},
		{name: "created too old", covered: all + " (created)", algorithm: "hs2019", extra: "created=" + unix(testNow.Add(-13*time.Hour)), want: "too old"},
		{name: "created in words", covered: all, extra: "created=yesterday", want: "cannot be read"},
		{name: "expired, not even signed", covered: all, extra: "expires=" + unix(testNow.Add(-time.Second)), want: "expired"},
		{name: "eleven hours old", covered: all, edit: dated(testNow.Add(-11 * time.Hour))},
		{name: "thirteen hours old", covered: all, edit: dated(testNow.Add(-13 * time.Hour)), want: "too old"},
		{name: "half an hour ahead", covered: all, edit: dated(testNow.Add(30 * time.Minute))},
		{name: "two hours ahead", covered: all, edit: dated(testNow.Add(2 * time.Hour)), want: "from the future"},
		{name: "date in words", covered: all, edit: func(r *SignedRequest) { r.Header.Set("Date", "today") }, want: "date cannot be read"},
		{name: "digest of an unknown kind", covered: all, edit: func(r *SignedRequest) { r.Header.Set("Digest", "md5=AAAA") }, want: "no supported algorithm"},
		{name: "second digest wrong", covered: all, edit: func(r *SignedRequest) {
			r.Header.Set("Digest", digestOf(r.Body)+",SHA-512=AAAA")
		}, want: "does not match the body"},
		{name: "date twice", covered: all, after: func(r *SignedRequest) { r.Header.Add("Date", r.Header.Get("Date")) }, want: "more than once"},
		{name: "digest twice", covered: all, after: func(r *SignedRequest) { r.Header.Add("Digest", digestOf(nil)) }, want: "more than once"},
		{name: "two signatures", covered: all, after: func(r *SignedRequest) { r.Header.Add("Signature", r.Header.Get("Signature")) }, want: "more than once"},
		{name: "parameter twice", covered: all, after: func(r *SignedRequest) {
			r.Header.Set("Signature", r.Header.Get("Signature")+`,keyId="https://evil.test/key"`)
		}, want: "more than once"},
		{name: "no key id", covered: all, after: func(r *SignedRequest) {
			r.Header.Set("Signature", strings.Replace(r.Header.Get("Signature"), "keyId", "x", 1))
		}, want: "key id is missing"},
		{name: "field too long", covered: all, after: func(r *SignedRequest) {
			r.Header.Set("Signature", r.Header.Get("Signature")+`,x="`+strings.Repeat("a", maxSignatureField)+`"`)
		}, want: "too long"},
		{name: "unsigned", covered: all, after: func(r *SignedRequest) { r.Header.Del("Signature") }, want: "not signed"},
		{name: "get", covered: "(request-target) host date", edit: emptyGet},
		{name: "get with a body that is not covered", covered: "(request-target) host date", edit: func(r *SignedRequest) { r.Method = "GET" }, want: "digest is not covered"},
		{name: "get signed without the query", covered: "(request-target) host date", edit: func(r *SignedRequest) {
			emptyGet(r)
			r.URL.RawQuery = ""
		}, after: func(r *SignedRequest) { r.URL.RawQuery = "page=2" }},
		{name: "post signed without the query", covered: all, after: func(r *SignedRequest) { r.URL.RawQuery = "page=2" }, want: "does not match the key"},
		{name: "get signed with another query", covered: "(request-target) host date", edit: func(r *SignedRequest) {
			emptyGet(r)
			r.URL.RawQuery = "page=1"
		}, after: func(r *SignedRequest) { r.URL.RawQuery = "page=2" }, want: "does not match the key"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			req := received(outgoing(t, "POST", "https://node.test/inbox", testBody), testBody)
			if c.edit != nil {
				c.edit(req)
			}
			handSignCavage(t, req, c.covered, c.algorithm, c.extra, rsaSign)
			if c.after != nil {
				c.after(req)
			}
			expectReason(t, verify(req, &testKey().PublicKey, testNow), c.want)
		})
	}
}

func dated(at time.Time) func(*SignedRequest) {
	return func(r *SignedRequest) { r.Header.Set("Date", at.Format(http.TimeFormat)) }
}

func emptyGet(r *SignedRequest) { r.Method, r.Body = "GET", nil }

func expectReason(t *testing.T, err error, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Errorf("refused: %v", err)
	case want != "" && err == nil:
		t.Errorf("accepted, want %q", want)
	case want != "" && !strings.Contains(err.Error(), want):
		t.Errorf("%v, want %q", err, want)
	}
}

func TestRFC9421Policy(t *testing.T) {
	t.Parallel()
	created := ";created=" + unix(testNow)
	const keyid = `;keyid="k"`
	const all = `("@method" "@target-uri" "content-digest")`
	for _, c := range []struct {
		name, params string
		after        func(*SignedRequest)
		want         string
	}{
		{name: "control", params: all + created + keyid},
		{name: "spaces, nonce, tag", params: `( "@method"   "@target-uri" "content-digest" ); created=1768478400;keyid="k";nonce="n";tag="t"`},
		{name: "authority, path and query", params: `("@method" "@authority" "@path" "@query" "content-digest")` + created + keyid},
		{name: "authority and request target", params: `("@method" "@authority" "@scheme" "@request-target" "content-digest")` + created + keyid},
		{name: "authority and path, query open", params: `("@method" "@authority" "@path" "content-digest")` + created + keyid, want: "address is not signed"},
		{name: "path alone", params: `("@method" "@path" "@query" "content-digest")` + created + keyid, want: "address is not signed"},
		{name: "no method", params: `("@target-uri" "content-digest")` + created + keyid, want: "@method is not signed"},
		{name: "no digest", params: `("@method" "@target-uri")` + created + keyid, want: "content-digest is not covered"},
		{name: "no created", params: all + keyid, want: "created is missing"},
		{name: "no keyid", params: all + created, want: "key id is missing"},
		{name: "keyid is a token", params: all + created + `;keyid=k`, want: "keyid is not supported"},
		{name: "created is a string", params: all + `;created="1768478400"` + keyid, want: "created is not supported"},
		{name: "old", params: all + ";created=" + unix(testNow.Add(-13*time.Hour)) + keyid, want: "too old"},
		{name: "ahead", params: all + ";created=" + unix(testNow.Add(2*time.Hour)) + keyid, want: "from the future"},
		{name: "expires in time", params: all + created + ";expires=" + unix(testNow.Add(time.Minute)) + keyid},
		{name: "expired", params: all + created + ";expires=" + unix(testNow) + keyid, want: "expired"},
		{name: "component twice", params: `("@method" "@target-uri" "@method" "content-digest")` + created + keyid, want: "more than once"},
		{name: "component with parameter", params: `("@method" "@target-uri" "content-digest" "accept";sf)` + created + keyid, want: "not supported"},
		{name: "component of a response", params: `("@method" "@target-uri" "content-digest" "@status")` + created + keyid, want: "not supported"},
		{name: "upper case", params: `("@method" "@target-uri" "Content-Digest")` + created + keyid, want: "not supported"},
		{name: "missing field", params: `("@method" "@target-uri" "content-digest" "x-missing")` + created + keyid, want: "x-missing is missing"},
		{name: "not a list", params: `"@method"` + created + keyid, want: "not a list"},
		{name: "two signatures", params: all + created + keyid, after: func(r *SignedRequest) {
			r.Header.Set("Signature-Input", r.Header.Get("Signature-Input")+", b="+all+created+keyid)
		}, want: "exactly one signature"},
		{name: "two values", params: all + created + keyid, after: func(r *SignedRequest) {
			r.Header.Set("Signature", r.Header.Get("Signature")+", b=:eA==:")
		}, want: "exactly one signature"},
		{name: "another label", params: all + created + keyid, after: func(r *SignedRequest) {
			r.Header.Set("Signature", "b"+r.Header.Get("Signature"))
		}, want: "does not belong"},
		{name: "value is text", params: all + created + keyid, after: func(r *SignedRequest) {
			r.Header.Set("Signature", `s="text"`)
		}, want: "not a byte sequence"},
		{name: "no value", params: all + created + keyid, after: func(r *SignedRequest) { r.Header.Del("Signature") }, want: "signature field is missing"},
		{name: "no input: read as cavage", params: all + created + keyid, after: func(r *SignedRequest) { r.Header.Del("Signature-Input") }, want: "key id is missing"},
		{name: "digest field twice", params: all + created + keyid, after: func(r *SignedRequest) {
			r.Header.Add("Content-Digest", contentDigestOf(nil))
		}, want: "more than once"},
		{name: "digest of an unknown kind", params: all + created + keyid, after: func(r *SignedRequest) {
			r.Header.Set("Content-Digest", "md5=:AAAA:")
		}, want: "no supported algorithm"},
		{name: "digest is text", params: all + created + keyid, after: func(r *SignedRequest) {
			r.Header.Set("Content-Digest", `sha-256="AAAA"`)
		}, want: "cannot be read"},
		{name: "body changed", params: all + created + keyid, after: func(r *SignedRequest) { r.Body = []byte("{}") }, want: "does not match the body"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			req := received(outgoing(t, "POST", "https://node.test/inbox?x=1", testBody), testBody)
			handSignRFC9421(t, req, c.params, rsaSign)
			if c.after != nil {
				c.after(req)
			}
			expectReason(t, verify(req, &testKey().PublicKey, testNow), c.want)
		})
	}
}

func TestSignRefusals(t *testing.T) {
	t.Parallel()
	body := []byte(testBody)
	noType := outgoing(t, "POST", "https://node.test/inbox", testBody)
	noType.Header.Del("Content-Type")
	if err := SignCavage(noType, body, testKeyID, testKey(), testNow); err == nil {
		t.Error("a body without a type was signed")
	}
	for _, keyID := range []string{"", `https://a.test/"`, "https://a.test/\n", "https://bücher.test/k"} {
		if err := SignRFC9421(outgoing(t, "GET", "https://node.test/", ""), nil, keyID, testKey(), testNow); err == nil {
			t.Errorf("signed with key id %q", keyID)
		}
	}
	if err := SignCavage(outgoing(t, "GET", "https://bücher.test/", ""), nil, testKeyID, testKey(), testNow); err == nil {
		t.Error("signed for a host that will be sent in another form")
	}
}

func TestVerifyKeySize(t *testing.T) {
	t.Parallel()
	req := outgoing(t, "GET", "https://node.test/", "")
	if err := SignCavage(req, nil, testKeyID, testKey(), testNow); err != nil {
		t.Fatal(err)
	}
	large := &rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), 8191), E: 65537}
	expectReason(t, verify(received(req, ""), large, testNow), "2048 to 4096 bits")
	expectReason(t, verify(received(req, ""), "a string", testNow), "kind that is not supported")
	expectReason(t, verify(received(req, ""), &testKey().PublicKey, testNow), "")
}

// FuzzSignature feeds all the fields of a signature that strangers choose. Nothing may panic, and nothing may verify:
// the fuzzer holds no key.
func FuzzSignature(f *testing.F) {
	req := outgoing(f, "POST", "https://node.test/inbox", testBody)
	if err := SignCavage(req, []byte(testBody), testKeyID, otherKey(), testNow); err != nil {
		f.Fatal(err)
	}
	f.Add(req.Header.Get("Signature"), "", req.Header.Get("Digest"), "")
	if err := SignRFC9421(req, []byte(testBody), testKeyID, otherKey(), testNow); err != nil {
		f.Fatal(err)
	}
	f.Add(req.Header.Get("Signature"), req.Header.Get("Signature-Input"), "", req.Header.Get("Content-Digest"))
	f.Add(`keyId="a\"b",algorithm=hs2019 , headers="(created) (request-target)",created=1,signature="AA=="`, "", "sha-256=AA==,md5=x", "")
	f.Add(`s=:AA==:`, `s=("@method";req "a";key="b" sf);created=-1;keyid=?1`, "", "sha-512=:AA==:, sha-256=(1 2)")
	f.Fuzz(func(t *testing.T, signature, input, digest, contentDigest string) {
		header := http.Header{"Date": {testNow.Format(http.TimeFormat)}}
		for name, value := range map[string]string{
			"Signature": signature, "Signature-Input": input, "Digest": digest, "Content-Digest": contentDigest,
		} {
			if value != "" {
				header.Set(name, value)
			}
		}
		in := received(outgoing(t, "POST", "https://node.test/inbox", testBody), testBody)
		in.Header = header
		if err := verify(in, &testKey().PublicKey, testNow); err == nil {
			t.Error("a signature without a key was accepted")
		}
	})
}

// FuzzCavageParams holds the reader against what it must keep: values come back as they were quoted.
func FuzzCavageParams(f *testing.F) {
	f.Add("https://remote.test/users/alice#main-key", "eA==")
	f.Add(`a"b\c`, "")
	f.Fuzz(func(t *testing.T, keyID, signature string) {
		quote := strings.NewReplacer(`\`, `\\`, `"`, `\"`)
		s, err := parseCavage(`x=1,keyId="` + quote.Replace(keyID) + `" , signature="eA==",y="` + quote.Replace(signature) + `"`)
		if err != nil {
			t.Fatal(err)
		}
		if s.KeyID != keyID || string(s.value) != "x" {
			t.Errorf("read %q and %q, want %q", s.KeyID, s.value, keyID)
		}
	})
}
