package federation

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-fed/httpsig"
)

const (
	testKeyID = "https://remote.test/users/alice#main-key"
	testBody  = `{"type":"Like","id":"https://remote.test/act/1"}`
)

var (
	testNow  = time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)
	testKey  = sync.OnceValue(func() *rsa.PrivateKey { return mustRSA(2048) })
	otherKey = sync.OnceValue(func() *rsa.PrivateKey { return mustRSA(2048) })
	smallKey = sync.OnceValue(func() *rsa.PrivateKey { return mustRSA(1024) })
)

var signers = map[string]func(*http.Request, []byte, string, *rsa.PrivateKey, time.Time) error{
	"cavage": SignCavage, "rfc9421": SignRFC9421,
}

func mustRSA(bits int) *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		panic(err)
	}
	return key
}

// outgoing returns a request as the delivery would build it.
func outgoing(t testing.TB, method, address, body string) *http.Request {
	t.Helper()
	req, err := http.NewRequest(method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", activityMedia)
	}
	req.Header.Set("Accept", activityMedia)
	return req
}

// received returns what the other side makes of an outgoing request.
func received(req *http.Request, body string) *SignedRequest {
	return &SignedRequest{Method: req.Method, URL: req.URL, Header: req.Header, Body: []byte(body)}
}

func verify(req *SignedRequest, key crypto.PublicKey, now time.Time) error {
	s, err := ParseSignature(req)
	if err != nil {
		return err
	}
	return s.Verify(req, key, now)
}

func TestSignatureVectors(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("testdata/signature-vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors []struct {
		Name, Spec, Why, Method, URL, KeyID, PublicKeyPem string
		Valid                                             *bool // null: both verdicts are right
		Now                                               time.Time
		Headers                                           map[string]string
		BodyBase64                                        []byte
	}
	if err := json.Unmarshal(raw, &vectors); err != nil {
		t.Fatal(err)
	}
	if len(vectors) != 30 {
		t.Fatalf("%d vectors, want 30", len(vectors))
	}
	for _, v := range vectors {
		t.Run(v.Spec+"/"+v.Name, func(t *testing.T) {
			t.Parallel()
			u, err := url.Parse(v.URL)
			if err != nil {
				t.Fatal(err)
			}
			req := &SignedRequest{Method: v.Method, URL: u, Header: http.Header{}, Body: v.BodyBase64}
			for name, value := range v.Headers {
				req.Header.Set(name, value)
			}
			key, err := ParsePublicKeyPEM(v.PublicKeyPem)
			if err != nil {
				t.Fatal(err)
			}
			err = verify(req, key, v.Now)
			if v.Valid != nil && (err == nil) != *v.Valid {
				t.Fatalf("valid = %v (%v), want %v: %s", err == nil, err, *v.Valid, v.Why)
			}
			var refused *SignatureError
			if err != nil && !errors.As(err, &refused) {
				t.Errorf("error is a %T, want *SignatureError", err)
			}
			if s, err := ParseSignature(req); err == nil && (s.KeyID != v.KeyID || string(s.Spec) != v.Spec) {
				t.Errorf("parsed key id %q of %q, want %q of %q", s.KeyID, s.Spec, v.KeyID, v.Spec)
			}
		})
	}
}

func TestSignThenVerify(t *testing.T) {
	t.Parallel()
	requests := []struct{ name, method, address, body string }{
		{"post", "POST", "https://node.test/inbox", testBody},
		{"post with query and port", "POST", "http://127.0.0.2:4000/inbox?x=1&y=%20", testBody},
		{"get", "GET", "https://node.test/users/shop", ""},
		{"get with query", "GET", "https://node.test/users/caf%c3%a9/outbox?page=1&x=a%20b", ""},
		{"get of the root", "GET", "https://node.test", ""},
	}
	for spec, sign := range signers {
		for _, r := range requests {
			t.Run(spec+"/"+r.name, func(t *testing.T) {
				t.Parallel()
				req := outgoing(t, r.method, r.address, r.body)
				// Signed twice, the first time by another key: a second knock must leave nothing of the first.
				if err := SignCavage(req, []byte(r.body), "https://remote.test/old", otherKey(), testNow); err != nil {
					t.Fatal(err)
				}
				if err := sign(req, []byte(r.body), testKeyID, testKey(), testNow); err != nil {
					t.Fatal(err)
				}
				in := received(req, r.body)
				if err := verify(in, &testKey().PublicKey, testNow.Add(time.Minute)); err != nil {
					t.Errorf("own signature refused: %v", err)
				}
				if err := verify(in, &otherKey().PublicKey, testNow); !errors.Is(err, ErrKeyMismatch) {
					t.Errorf("by another key: %v, want ErrKeyMismatch", err)
				}
				in.Body = append([]byte("x"), in.Body...)
				if err := verify(in, &testKey().PublicKey, testNow); err == nil {
					t.Error("a changed body was accepted")
				}
			})
		}
	}
}

// TestNewSignedRequest sends real requests, with a Host field that lies, and verifies against the configured origin.
func TestNewSignedRequest(t *testing.T) {
	t.Parallel()
	origin := &url.URL{Scheme: "https", Host: "node.test"}
	verdicts := make(chan error, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.URL.Path = "/rewritten/by/a/router"
		in, err := NewSignedRequest(r, origin, nil)
		if err == nil {
			err = verify(in, &testKey().PublicKey, testNow)
		}
		verdicts <- err
	}))
	t.Cleanup(server.Close)
	for signedFor, want := range map[string]bool{"node.test": true, "evil.test": false} {
		req := outgoing(t, "GET", "https://"+signedFor+"/users/caf%C3%A9/a%2fb?x=%7e", "")
		if err := SignRFC9421(req, nil, testKeyID, testKey(), testNow); err != nil {
			t.Fatal(err)
		}
		req.URL.Scheme, req.URL.Host, req.Host = "http", strings.TrimPrefix(server.URL, "http://"), signedFor
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if err := <-verdicts; (err == nil) != want {
			t.Errorf("signed for %s: %v, want accepted = %v", signedFor, err, want)
		}
	}
}

// TestSignatureAlgorithms signs the same request in each way a peer may, by hand.
func TestSignatureAlgorithms(t *testing.T) {
	t.Parallel()
	edPublic, edPrivate, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	sha256Sign := func(b []byte) []byte {
		sum := sha256.Sum256(b)
		v, _ := rsa.SignPKCS1v15(nil, testKey(), crypto.SHA256, sum[:])
		return v
	}
	sha512Sign := func(b []byte) []byte {
		sum := sha512.Sum512(b)
		v, _ := rsa.SignPKCS1v15(nil, testKey(), crypto.SHA512, sum[:])
		return v
	}
	edSign := func(b []byte) []byte { return ed25519.Sign(edPrivate, b) }
	rsaPublic := &testKey().PublicKey
	for _, c := range []struct {
		spec, algorithm string
		sign            func([]byte) []byte
		key             crypto.PublicKey
		valid           bool
	}{
		{"cavage", "rsa-sha256", sha256Sign, rsaPublic, true},
		{"cavage", "RSA-SHA256", sha256Sign, rsaPublic, true},
		{"cavage", "", sha256Sign, rsaPublic, true},
		{"cavage", "hs2019", sha256Sign, rsaPublic, true},
		{"cavage", "hs2019", sha512Sign, rsaPublic, true},
		{"cavage", "rsa-sha512", sha512Sign, rsaPublic, true},
		{"cavage", "rsa-sha256", sha512Sign, rsaPublic, false},
		{"cavage", "hs2019", edSign, edPublic, true},
		{"cavage", "ed25519", edSign, edPublic, true},
		{"cavage", "rsa-sha256", edSign, edPublic, false},
		{"cavage", "ed25519", sha256Sign, rsaPublic, false},
		{"cavage", "hmac-sha256", sha256Sign, rsaPublic, false},
		{"cavage", "none", sha256Sign, rsaPublic, false},
		{"rfc9421", "rsa-v1_5-sha256", sha256Sign, rsaPublic, true},
		{"rfc9421", "", sha256Sign, rsaPublic, true},
		{"rfc9421", "", sha512Sign, rsaPublic, false},
		{"rfc9421", "ed25519", edSign, edPublic, true},
		{"rfc9421", "", edSign, edPublic, true},
		{"rfc9421", "ed25519", sha256Sign, rsaPublic, false},
		{"rfc9421", "rsa-v1_5-sha256", edSign, edPublic, false},
		{"rfc9421", "hmac-sha256", sha256Sign, rsaPublic, false},
	} {
		req := received(outgoing(t, "POST", "https://node.test/inbox", testBody), testBody)
		if c.spec == "cavage" {
			handSignCavage(t, req, "(request-target) host date digest", c.algorithm, "", c.sign)
		} else {
			params := ";created=1768478400;keyid=\"k\""
			if c.algorithm != "" {
				params += `;alg="` + c.algorithm + `"`
			}
			handSignRFC9421(t, req, `("@method" "@target-uri" "content-digest")`+params, c.sign)
		}
		if err := verify(req, c.key, testNow); (err == nil) != c.valid {
			t.Errorf("%s %q with %T: %v, want valid = %v", c.spec, c.algorithm, c.key, err, c.valid)
		}
	}
}

// handSignCavage signs in the plainest way: whatever is to be covered, with whatever extra parameters.
func handSignCavage(t testing.TB, req *SignedRequest, covered, algorithm, extra string, sign func([]byte) []byte) {
	t.Helper()
	if req.Header.Get("Date") == "" {
		req.Header.Set("Date", testNow.Format(http.TimeFormat))
	}
	if req.Header.Get("Digest") == "" && len(req.Body) > 0 {
		req.Header.Set("Digest", digestOf(req.Body))
	}
	s := &Signature{Spec: SpecCavage, Components: strings.Fields(covered)}
	for param := range strings.SplitSeq(extra, ",") {
		if v, ok := strings.CutPrefix(param, "created="); ok {
			s.createdText = v
		}
		if v, ok := strings.CutPrefix(param, "expires="); ok {
			s.expiresText = v
		}
	}
	base, err := s.baseCavage(req, req.URL.RequestURI())
	if err != nil {
		base = []byte("covers what is not there")
	}
	field := `keyId="` + testKeyID + `",headers="` + covered + `"`
	if algorithm != "" {
		field += `,algorithm="` + algorithm + `"`
	}
	if extra != "" {
		field += "," + extra
	}
	req.Header.Set("Signature", field+`,signature="`+base64.StdEncoding.EncodeToString(sign(base))+`"`)
}

func handSignRFC9421(t testing.TB, req *SignedRequest, params string, sign func([]byte) []byte) {
	t.Helper()
	if req.Header.Get("Content-Digest") == "" && len(req.Body) > 0 {
		req.Header.Set("Content-Digest", contentDigestOf(req.Body))
	}
	req.Header.Set("Signature-Input", "s="+params)
	req.Header.Set("Signature", "s=:eA==:")
	base := []byte("cannot be parsed")
	if s, err := ParseSignature(req); err == nil {
		if b, err := s.baseRFC9421(req); err == nil {
			base = b
		}
	}
	req.Header.Set("Signature", "s=:"+base64.StdEncoding.EncodeToString(sign(base))+":")
}

func rsaSign(b []byte) []byte {
	sum := sha256.Sum256(b)
	v, err := rsa.SignPKCS1v15(nil, testKey(), crypto.SHA256, sum[:])
	if err != nil {
		panic(err)
	}
	return v
}

// TestRFC9421Ed25519 is the example of RFC 9421, B.2.6: the base and the cryptography. The policy of Check would refuse
// it, since it does not cover its body.
func TestRFC9421Ed25519(t *testing.T) {
	t.Parallel()
	key, err := ParsePublicKeyPEM("-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=\n-----END PUBLIC KEY-----\n")
	if err != nil {
		t.Fatal(err)
	}
	u, _ := url.Parse("https://example.com/foo?param=Value&Pet=dog")
	req := &SignedRequest{Method: "POST", URL: u, Body: []byte(`{"hello": "world"}`), Header: http.Header{
		"Date":            {"Tue, 20 Apr 2021 02:07:55 GMT"},
		"Content-Type":    {"application/json"},
		"Content-Length":  {"18"},
		"Signature-Input": {`sig-b26=("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519"`},
		"Signature":       {`sig-b26=:wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==:`},
	}}
	s, err := ParseSignature(req)
	if err != nil {
		t.Fatal(err)
	}
	base, err := s.baseRFC9421(req)
	if err != nil {
		t.Fatal(err)
	}
	if !s.matches(base, key) {
		t.Errorf("the example does not verify; base:\n%s", base)
	}
	if err := s.Check(req, time.Unix(1618884473, 0)); err == nil {
		t.Error("a body that is not covered was accepted")
	}
}

// TestAgainstHTTPSig holds our cavage against go-fed/httpsig, in both directions.
func TestAgainstHTTPSig(t *testing.T) {
	t.Parallel()
	for _, r := range []struct{ method, body string }{{"POST", testBody}, {"GET", ""}} {
		ours := outgoing(t, r.method, "https://node.test/inbox?page=1", r.body)
		ours.Header.Set("Host", "node.test") // httpsig reads the header, which net/http keeps in Request.Host
		if err := SignCavage(ours, []byte(r.body), testKeyID, testKey(), testNow); err != nil {
			t.Fatal(err)
		}
		v, err := httpsig.NewVerifier(ours)
		if err != nil {
			t.Fatal(err)
		}
		if v.KeyId() != testKeyID {
			t.Errorf("%s: key id %q", r.method, v.KeyId())
		}
		if err := v.Verify(&testKey().PublicKey, httpsig.RSA_SHA256); err != nil {
			t.Errorf("%s: httpsig refuses ours: %v", r.method, err)
		}

		theirs := outgoing(t, r.method, "https://node.test/inbox?page=1", r.body)
		theirs.Header.Set("Host", "node.test")
		theirs.Header.Set("Date", testNow.Format(http.TimeFormat))
		covered := []string{httpsig.RequestTarget, "host", "date"}
		var body []byte
		if r.body != "" {
			covered, body = append(covered, "digest"), []byte(r.body)
		}
		signer, _, err := httpsig.NewSigner([]httpsig.Algorithm{httpsig.RSA_SHA256}, httpsig.DigestSha256, covered, httpsig.Signature, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := signer.SignRequest(testKey(), testKeyID, theirs, body); err != nil {
			t.Fatal(err)
		}
		if err := verify(received(theirs, r.body), &testKey().PublicKey, testNow); err != nil {
			t.Errorf("%s: we refuse httpsig's: %v", r.method, err)
		}
	}
}

func TestKeyPEM(t *testing.T) {
	t.Parallel()
	pkix := func(key any) string {
		der, err := x509.MarshalPKIXPublicKey(key)
		if err != nil {
			t.Fatal(err)
		}
		return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	}
	edPublic, edPrivate, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8 := func(key any) string {
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	}
	public := &testKey().PublicKey
	pkcs1 := string(pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(public)}))
	for name, c := range map[string]struct {
		text string
		want interface{ Equal(crypto.PublicKey) bool }
	}{
		"pkix":            {pkix(public), public},
		"pkcs1":           {pkcs1, public},
		"ed25519":         {pkix(edPublic), edPublic},
		"1024 bits":       {pkix(&mustRSA(1024).PublicKey), nil},
		"private":         {pkcs8(testKey()), nil},
		"empty":           {"", nil},
		"not a key":       {"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", nil},
		"too long":        {strings.Repeat("\n", maxKeyPEM) + pkix(public), nil},
		"larger than cap": {largeKeyPEM, nil},
	} {
		key, err := ParsePublicKeyPEM(c.text)
		switch {
		case c.want == nil && !errors.Is(err, ErrKey):
			t.Errorf("%s: %v, want ErrKey", name, err)
		case c.want != nil && (err != nil || !c.want.Equal(key)):
			t.Errorf("%s: %v, %v", name, key, err)
		}
	}

	private, err := ParsePrivateKeyPEM(pkcs8(testKey()))
	if err != nil || !private.Equal(testKey()) {
		t.Errorf("private key: %v", err)
	}
	if _, err := ParsePrivateKeyPEM(pkcs8(edPrivate)); !errors.Is(err, ErrKey) {
		t.Errorf("ed25519 private key: %v, want ErrKey", err)
	}

	cache := NewKeyCache(2)
	texts := []string{pkix(public), pkix(edPublic), pkix(&otherKey().PublicKey)}
	var wg sync.WaitGroup
	for i := range 60 {
		wg.Go(func() {
			want, _ := ParsePublicKeyPEM(texts[i%3])
			got, err := cache.Public(texts[i%3])
			if err != nil || !want.(interface{ Equal(crypto.PublicKey) bool }).Equal(got) {
				t.Errorf("cached key %d: %v", i%3, err)
			}
		})
	}
	wg.Wait()
	if n, m := cache.public.order.Len(), len(cache.public.entries); n > 2 || n != m {
		t.Errorf("the cache holds %d and %d keys, want at most 2", n, m)
	}
	first, _ := cache.Private(pkcs8(testKey()))
	if again, _ := cache.Private(pkcs8(testKey())); again != first {
		t.Error("a cached private key was parsed again")
	}
	if _, err := cache.Private("nothing"); !errors.Is(err, ErrKey) {
		t.Errorf("cache: %v, want ErrKey", err)
	}
}

// largeKeyPEM is a well-formed key of 8192 bits; nothing knows its factors.
var largeKeyPEM = func() string {
	raw := append([]byte{0x80}, bytes.Repeat([]byte{0xa5}, 1022)...)
	der := append([]byte{0x02, 0x82, 0x04, 0x01, 0x00}, append(raw, 0x01)...)
	der = append(der, 0x02, 0x03, 0x01, 0x00, 0x01)
	der = append([]byte{0x30, 0x82, byte(len(der) >> 8), byte(len(der))}, der...)
	return string(pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: der}))
}()

func BenchmarkSign(b *testing.B) {
	key := testKey()
	sum := sha256.Sum256([]byte(testBody))
	b.Run("raw", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:]); err != nil {
				b.Fatal(err)
			}
		}
	})
	for name, sign := range signers {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			req, body := outgoing(b, "POST", "https://node.test/inbox", testBody), []byte(testBody)
			for b.Loop() {
				if err := sign(req, body, testKeyID, key, testNow); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkVerify(b *testing.B) {
	key := testKey()
	sum := sha256.Sum256([]byte(testBody))
	value := rsaSign([]byte(testBody))
	b.Run("raw", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA256, sum[:], value); err != nil {
				b.Fatal(err)
			}
		}
	})
	for name, sign := range signers {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			req := outgoing(b, "POST", "https://node.test/inbox", testBody)
			if err := sign(req, []byte(testBody), testKeyID, key, testNow); err != nil {
				b.Fatal(err)
			}
			in := received(req, testBody)
			for b.Loop() {
				if err := verify(in, &key.PublicKey, testNow); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func unix(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }
