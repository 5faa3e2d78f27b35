package federation

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"strings"
	"testing"
)

// keyed is a Create of a new actor of eve's server whose document shows key as its own, changed by change, signed by sign.
func (w *world) keyed(t *testing.T, key, algorithm string, sign func(base []byte) []byte, change ...func(actor m)) *SignedRequest {
	t.Helper()
	w.actors++
	name := fmt.Sprintf("mallory%d", w.actors)
	actor := w.evil.actor(t, name)
	actor["publicKey"].(m)["publicKeyPem"] = key
	for _, c := range change {
		c(actor)
	}
	w.evil.serve("/users/"+name, actor)
	id := w.evil.URL + "/users/" + name
	body := encoded(t, w.evil.activity("Create", id, "/activities/"+name, mention(w.evil.note(id, "/notes/"+name, "<p>x</p>"), w.anna.URI)))
	req := ok(http.NewRequest(http.MethodPost, w.db.BaseURL()+"/inbox", bytes.NewReader(body)))(t)
	req.Header.Set("Content-Type", activityMedia)
	req.Header.Set("Date", w.clock.Now().UTC().Format(http.TimeFormat))
	signed := &SignedRequest{Method: req.Method, URL: req.URL, Header: req.Header, Body: body}
	handSignCavage(t, signed, "(request-target) host date digest", algorithm, "", sign)
	req.Header.Set("Signature", strings.Replace(req.Header.Get("Signature"), testKeyID, id+"#main-key", 1))
	return signed
}

func signs(key *rsa.PrivateKey, hash crypto.Hash) func([]byte) []byte {
	return func(base []byte) []byte {
		h := hash.New()
		h.Write(base)
		v, err := rsa.SignPKCS1v15(nil, key, hash, h.Sum(nil))
		if err != nil {
			panic(err)
		}
		return v
	}
}

// unsignedPadding is what a signature must be once it is raised to the key's exponent: with the exponent 1 it is one.
func unsignedPadding(size int) func([]byte) []byte {
	return func(base []byte) []byte {
		sum := sha256.Sum256(base)
		tail := append([]byte{0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20}, sum[:]...)
		out := append([]byte{0, 1}, bytes.Repeat([]byte{0xff}, size-len(tail)-3)...)
		return append(append(out, 0), tail...)
	}
}

func pkix(t *testing.T, key crypto.PublicKey) string {
	t.Helper()
	return pemText("PUBLIC KEY", ok(x509.MarshalPKIXPublicKey(key))(t))
}

func ed25519Key() ed25519.PrivateKey { return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, 32)) }

func keyAttempts() []attempt {
	key := func(text func(t *testing.T, w *world) string, algorithm string, sign func(w *world) func([]byte) []byte, change ...func(actor m)) func(*testing.T, *world) *SignedRequest {
		return func(t *testing.T, w *world) *SignedRequest {
			return w.keyed(t, text(t, w), algorithm, sign(w), change...)
		}
	}
	own := func(t *testing.T, w *world) string { return publicPEM(t, w.evil.key) }
	sha := func(w *world) func([]byte) []byte { return signs(w.evil.key, crypto.SHA256) }
	edPublic := func(t *testing.T, _ *world) string { return pkix(t, ed25519Key().Public()) }
	edSigns := func(*world) func([]byte) []byte {
		return func(base []byte) []byte { return ed25519.Sign(ed25519Key(), base) }
	}
	keyID := func(change func(w *world) string) func(*testing.T, *world) *SignedRequest {
		return func(t *testing.T, w *world) *SignedRequest {
			return w.signedBy(t, change(w), w.honest.key, encoded(t, w.hello()))
		}
	}
	return []attempt{
		{attack{"a key of 1024 bits", "NIST SP 800-131A 3; FEP-fe34", "checkPublicKey"}, 401, key(
			func(t *testing.T, _ *world) string { return pkix(t, &smallKey().PublicKey) }, "rsa-sha256",
			func(*world) func([]byte) []byte { return signs(smallKey(), crypto.SHA256) })},
		{attack{"a key with the exponent 1", "RFC 8017 3.1", "rsaMatches"}, 401, key(
			func(t *testing.T, w *world) string { return pkix(t, &rsa.PublicKey{N: w.evil.key.N, E: 1}) }, "rsa-sha256",
			func(w *world) func([]byte) []byte { return unsignedPadding(w.evil.key.Size()) })},
		{attack{"an even exponent", "RFC 8017 3.1", "rsaMatches"}, 401, key(
			func(t *testing.T, w *world) string { return pkix(t, &rsa.PublicKey{N: w.evil.key.N, E: 2}) }, "rsa-sha256", sha)},
		{attack{"a modulus of 8192 bits", "CVE-2023-36461 (resources of the receiver)", "checkPublicKey"}, 401, key(
			func(t *testing.T, _ *world) string {
				return pkix(t, &rsa.PublicKey{N: new(big.Int).SetBit(big.NewInt(1), 8191, 1), E: 65537})
			}, "rsa-sha256", sha)},
		{attack{"a private key", "RFC 7468 10", "ParsePublicKeyPEM"}, 401, key(
			func(t *testing.T, w *world) string { return privatePEM(t, w.evil.key) }, "rsa-sha256", sha)},
		{attack{"the key called a certificate", "RFC 7468 5", "ParsePublicKeyPEM"}, 401, key(
			func(t *testing.T, w *world) string {
				return strings.ReplaceAll(publicPEM(t, w.evil.key), "PUBLIC KEY", "CERTIFICATE")
			}, "rsa-sha256", sha)},
		{attack{"two keys in one text", "RFC 7468 2 (two readers, two keys)", "onlyBlock"}, 401, key(
			func(t *testing.T, w *world) string { return publicPEM(t, w.evil.key) + publicPEM(t, w.honest.key) }, "rsa-sha256", sha)},
		{attack{"a key behind other words", "RFC 7468 2", "onlyBlock"}, 401, key(
			func(t *testing.T, w *world) string { return "mine:\n" + publicPEM(t, w.evil.key) }, "rsa-sha256", sha)},
		{attack{"no key at all", "FEP-fe34", "keys"}, 401, key(func(*testing.T, *world) string { return "" }, "rsa-sha256", sha)},
		{attack{"a key without end", "CVE-2023-36461 (resources of the receiver)", "keys"}, 401, key(
			func(t *testing.T, w *world) string { return publicPEM(t, w.evil.key) + strings.Repeat("\n", maxKeyPEM) }, "rsa-sha256", sha)},
		{attack{"the public key as a shared secret", "draft-cavage E.2 (hmac-sha256)", "readCavage"}, 401, key(own, "hmac-sha256",
			func(w *world) func([]byte) []byte {
				return func(base []byte) []byte {
					der, _ := x509.MarshalPKIXPublicKey(&w.evil.key.PublicKey)
					mac := hmac.New(sha256.New, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
					mac.Write(base)
					return mac.Sum(nil)
				}
			})},
		{attack{"no algorithm: none", "draft-cavage 2.1.3; CVE-2026-28432", "readCavage"}, 401, key(own, "none", sha)},
		{attack{"an RSA key, called ed25519", "draft-cavage 2.1.3", "matches"}, 401, key(own, "ed25519", sha)},
		{attack{"an ed25519 key, called rsa-sha256", "draft-cavage 2.1.3", "matches"}, 401, key(edPublic, "rsa-sha256", edSigns)},
		{attack{"another hash than is said", "draft-cavage 2.1.3", "matches"}, 401, key(own, "rsa-sha256",
			func(w *world) func([]byte) []byte { return signs(w.evil.key, crypto.SHA512) })},
		{attack{"an empty signature", "draft-cavage 2.1.3; CVE-2026-28432", "checkShape"}, 401, key(own, "rsa-sha256",
			func(*world) func([]byte) []byte { return func([]byte) []byte { return nil } })},
		{attack{"a signature of zeros", "RFC 8017 8.2.2", "rsaMatches"}, 401, key(own, "rsa-sha256",
			func(w *world) func([]byte) []byte {
				return func([]byte) []byte { return make([]byte, w.evil.key.Size()) }
			})},
		{attack{"a key whose id is elsewhere", "FEP-fe34", "keys"}, 401, key(own, "rsa-sha256", sha,
			func(a m) { a["publicKey"].(m)["id"] = "https://shop.invalid/users/x#main-key" })},
		{attack{"a key that is named, not shown", "FEP-fe34", "keys"}, 401, key(own, "rsa-sha256", sha,
			func(a m) { a["publicKey"] = a["id"].(string) + "#main-key" })},
		{attack{"a key under another name than signed", "FEP-fe34 (reciprocal ownership)", "authenticate"}, 401, key(own, "rsa-sha256", sha,
			func(a m) { a["publicKey"].(m)["id"] = a["id"].(string) + "#other-key" })},
		{attack{"a stub that points at ben as the key's owner", "FEP-fe34; discourse-activity-pub pull 325", "readActor"}, 401,
			func(t *testing.T, w *world) *SignedRequest {
				w.evil.serve("/stub", m{"id": w.evil.URL + "/stub", "type": "Key", "owner": w.ben, "publicKeyPem": publicPEM(t, w.evil.key)})
				id := w.evil.URL + "/stub"
				return w.signedBy(t, id, w.evil.key, encoded(t, w.evil.activity("Create", id, "/9", w.evil.note(id, "/notes/9", "x"))))
			}},
		{attack{"a key of another scheme", "FEP-fe34 (an origin has one)", "authenticate"}, 401, keyID(func(w *world) string {
			return strings.Replace(w.ben, "http://", "https://", 1) + "#main-key"
		})},
		{attack{"a key id that is a handle", "discourse-activity-pub pull 327 (acct: key ids)", "authenticate"}, 401, keyID(func(w *world) string {
			return "acct:ben@" + w.honest.host()
		})},
		{attack{"a key id that is only a fragment", "FEP-fe34", "authenticate"}, 401, keyID(func(*world) string { return "#main-key" })},
		{attack{"a key id with a user name before eve's host", "RFC 3986 7.6", "parseHTTP"}, 401, keyID(func(w *world) string {
			return "http://" + w.honest.host() + "@" + w.evil.host() + "/users/ben#main-key"
		})},
		{attack{"a key id inside", "CWE-918; owncast issue 5121 (SSRF by keyId)", "authenticate"}, 401, keyID(func(*world) string {
			return "http://169.254.169.254/latest#main-key"
		})},
		{attack{"the key of a host that has nothing to do with it", "misskey issue 2546", "authenticate"}, 401,
			func(t *testing.T, w *world) *SignedRequest {
				return w.signedBy(t, w.eve+"#main-key", w.evil.key, encoded(t, w.hello()))
			}},
		{attack{"ben's key for eve's activity", "FEP-fe34", "authenticate"}, 401, func(t *testing.T, w *world) *SignedRequest {
			return w.signedBy(t, w.ben+"#main-key", w.honest.key, encoded(t, w.evil.activity("Create", w.eve, "/by-ben", w.evil.note(w.eve, "/notes/by-ben", "x"))))
		}},
	}
}

func TestKeyConfusion(t *testing.T) {
	t.Parallel()
	w := attacked(t)
	w.refuse(t, keyAttempts())
	for name, req := range map[string]*SignedRequest{
		"RSA, rsa-sha256":      w.keyed(t, publicPEM(t, w.evil.key), "rsa-sha256", signs(w.evil.key, crypto.SHA256)),
		"RSA, hs2019":          w.keyed(t, publicPEM(t, w.evil.key), "hs2019", signs(w.evil.key, crypto.SHA256)),
		"RSA, hs2019, SHA-512": w.keyed(t, publicPEM(t, w.evil.key), "hs2019", signs(w.evil.key, crypto.SHA512)),
		"RSA, rsa-sha512":      w.keyed(t, publicPEM(t, w.evil.key), "rsa-sha512", signs(w.evil.key, crypto.SHA512)),
		"RSA, none said":       w.keyed(t, publicPEM(t, w.evil.key), "", signs(w.evil.key, crypto.SHA256)),
		"RSA as PKCS #1": w.keyed(t, pemText("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(&w.evil.key.PublicKey)), "rsa-sha256",
			signs(w.evil.key, crypto.SHA256)),
		"spaces around": w.keyed(t, "\n "+publicPEM(t, w.evil.key)+"\n\n", "rsa-sha256", signs(w.evil.key, crypto.SHA256)),
		"ed25519":       w.keyed(t, pkix(t, ed25519Key().Public()), "ed25519", func(base []byte) []byte { return ed25519.Sign(ed25519Key(), base) }),
	} {
		before := w.state(t)
		if status := w.receives(t, req); status != http.StatusAccepted {
			t.Errorf("%s: %d", name, status)
			continue
		}
		must(t, w.ApplyInbox(t.Context()))
		if w.state(t) == before {
			t.Errorf("%s: changed nothing", name)
		}
	}
}
