package federation

import (
	"bytes"
	"crypto"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// altered is ben's Create, changed after it was signed.
func altered(change func(w *world, r *SignedRequest)) func(*testing.T, *world) *SignedRequest {
	return func(t *testing.T, w *world) *SignedRequest {
		return changed(w.from(t, encoded(t, w.hello())), func(r *SignedRequest) { change(w, r) })
	}
}

// handSigned is ben's Create, signed by him over what is named and with the parameters that are given; prepare comes before.
func handSigned(covered, algorithm, extra string, prepare func(w *world, r *SignedRequest)) func(*testing.T, *world) *SignedRequest {
	return func(t *testing.T, w *world) *SignedRequest {
		r := w.from(t, encoded(t, w.hello()))
		r.Header.Del("Signature")
		if prepare != nil {
			prepare(w, r)
		}
		handSignCavage(t, r, covered, algorithm, extra, signs(w.honest.key, crypto.SHA256))
		r.Header.Set("Signature", strings.Replace(r.Header.Get("Signature"), testKeyID, w.ben+"#main-key", 1))
		return r
	}
}

const coveredWell = "(request-target) host date digest"

func set(name, value string) func(*world, *SignedRequest) {
	return func(_ *world, r *SignedRequest) { r.Header.Set(name, value) }
}

func again(name, value string) func(*world, *SignedRequest) {
	return func(_ *world, r *SignedRequest) { r.Header.Add(name, value) }
}

func digestAttempts() []attempt {
	sha := func(r *SignedRequest) string { return strings.TrimPrefix(digestOf(r.Body), "SHA-256=") }
	digest := func(change func(r *SignedRequest) string) func(*testing.T, *world) *SignedRequest {
		return handSigned(coveredWell, "rsa-sha256", "", func(_ *world, r *SignedRequest) { r.Header.Set("Digest", change(r)) })
	}
	const clause = "RFC 3230 4.3.2; draft-cavage 2.3"
	return []attempt{
		{attack{"no digest", clause, "checkBody"}, 401, altered(func(_ *world, r *SignedRequest) { r.Header.Del("Digest") })},
		{attack{"a digest that is not signed", clause, "checkBody"}, 401, handSigned("(request-target) host date", "rsa-sha256", "", nil)},
		{attack{"the digest twice", "RFC 9110 5.3", "fieldValue"}, 401, altered(again("Digest", digestOf([]byte("x"))))},
		{attack{"the digest of nothing", clause, "checkDigest"}, 401, digest(func(*SignedRequest) string { return digestOf(nil) })},
		{attack{"a digest of an old kind", "RFC 9530 6.4", "checkDigest"}, 401, digest(func(*SignedRequest) string { return "MD5=1B2M2Y8AsgTpgAmY7PhCfg==" })},
		{attack{"SHA-1, called SHA-256", clause, "checkDigest"}, 401, digest(func(*SignedRequest) string { return "SHA-256=2jmj7l5rSw0yVb/vlWAYkK/YBwk=" })},
		{attack{"two digests, the second one wrong", clause, "checkDigest"}, 401, digest(func(r *SignedRequest) string { return digestOf(r.Body) + "," + digestOf(nil) })},
		{attack{"a digest cut off", clause, "checkDigest"}, 401, digest(func(r *SignedRequest) string { return "SHA-256=" + sha(r)[:20] })},
		{attack{"a digest that is not base64", clause, "checkDigest"}, 401, digest(func(*SignedRequest) string { return "SHA-256=%%%" })},
		{attack{"a digest with a line break in it", clause, "checkDigest"}, 401, digest(func(r *SignedRequest) string { return "SHA-256=" + sha(r)[:10] + "\n x" + sha(r)[10:] })},
		{attack{"Content-Digest in its place", "RFC 9530 2", "checkBody"}, 401, altered(func(_ *world, r *SignedRequest) {
			r.Header.Del("Digest")
			r.Header.Set("Content-Digest", contentDigestOf(r.Body))
		})},
		{attack{"one byte more than was signed", clause, "checkDigest"}, 401, altered(func(_ *world, r *SignedRequest) { r.Body = append(bytes.Clone(r.Body), ' ') })},
	}
}

func timeAttempts() []attempt {
	now := newClock().Now().Add(keyRest) // refuse moves the clock so far
	at := func(by time.Duration) string { return now.Add(by).UTC().Format(http.TimeFormat) }
	date := func(value string) func(*testing.T, *world) *SignedRequest {
		return handSigned(coveredWell, "rsa-sha256", "", set("Date", value))
	}
	created := "(request-target) host (created) digest"
	const clause = "draft-cavage 2.3; RFC 9110 6.6.1"
	return []attempt{
		{attack{"a day old", clause, "checkTime"}, 401, date(at(-24 * time.Hour))},
		{attack{"a day ahead", clause, "checkTime"}, 401, date(at(24 * time.Hour))},
		{attack{"the date twice", "RFC 9110 5.3", "fieldValue"}, 401, altered(again("Date", at(0)))},
		{attack{"no date", clause, "checkCavage"}, 401, altered(func(_ *world, r *SignedRequest) { r.Header.Del("Date") })},
		{attack{"a date that is not signed", clause, "checkCavage"}, 401, handSigned("(request-target) host digest", "rsa-sha256", "", nil)},
		{attack{"a date in words", clause, "checkCavage"}, 401, date("now")},
		{attack{"a date as a number", clause, "checkCavage"}, 401, date("1795338300")},
		{attack{"the year 9999", clause, "checkTime"}, 401, date("Fri, 31 Dec 9999 23:59:59 GMT")},
		{attack{"another date than was signed", clause, "Verify"}, 401, altered(set("Date", at(time.Minute)))},
		{attack{"created a day ago", clause, "checkTime"}, 401, handSigned(created, "hs2019", "created="+unix(now.Add(-24*time.Hour)), nil)},
		{attack{"created tomorrow", clause, "checkTime"}, 401, handSigned(created, "hs2019", "created="+unix(now.Add(24*time.Hour)), nil)},
		{attack{"created without a number", clause, "unixParam"}, 401, handSigned(created, "hs2019", "created=NaN", nil)},
		{attack{"created beyond all time", clause, "unixParam"}, 401, handSigned(created, "hs2019", "created=1e300", nil)},
		{attack{"created twice", "draft-cavage 2.1", "parseCavage"}, 401, handSigned(created, "hs2019", "created="+unix(now)+",created="+unix(now), nil)},
		{attack{"expired", "draft-cavage 2.1.5", "Check"}, 401, handSigned(coveredWell, "rsa-sha256", "expires="+unix(now.Add(-time.Second)), nil)},
		{attack{"(created) with rsa-sha256", "draft-cavage 2.3", "readCavage"}, 401, handSigned(created+" date", "rsa-sha256", "created="+unix(now), nil)},
	}
}

func headerAttempts() []attempt {
	target := func(change func(u *url.URL)) func(*testing.T, *world) *SignedRequest {
		return altered(func(_ *world, r *SignedRequest) {
			u := *r.URL
			change(&u)
			r.URL = &u
		})
	}
	signature := func(change func(field string) string) func(*testing.T, *world) *SignedRequest {
		return altered(func(_ *world, r *SignedRequest) { r.Header.Set("Signature", change(r.Header.Get("Signature"))) })
	}
	replace := func(old, new string) func(string) string {
		return func(field string) string { return strings.Replace(field, old, new, 1) }
	}
	const draft, fields = "draft-cavage 2.3", "RFC 9110 5.3"
	return []attempt{
		{attack{"the signature twice", fields, "fieldValue"}, 401, altered(func(_ *world, r *SignedRequest) { r.Header.Add("Signature", r.Header.Get("Signature")) })},
		{attack{"a second, unsigned content type", fields, "fieldValue"}, 401, altered(again("Content-Type", "text/html"))},
		{attack{"the signature in Authorization", "draft-cavage 3", "ParseSignature"}, 401, altered(func(_ *world, r *SignedRequest) {
			r.Header.Set("Authorization", "Signature "+r.Header.Get("Signature"))
			r.Header.Del("Signature")
		})},
		{attack{"a query added", draft + " (request-target)", "Verify"}, 401, target(func(u *url.URL) { u.RawQuery = "x=1" })},
		{attack{"an empty query added", draft + " (request-target)", "baseCavage"}, 401, target(func(u *url.URL) { u.ForceQuery = true })},
		{attack{"another path, which a proxy might think the same", "RFC 3986 6.2.2", "baseCavage"}, 401, target(func(u *url.URL) { u.Path, u.RawPath = "/inbox", "/%69nbox" })},
		{attack{"a path with dots", "RFC 3986 6.2.2", "baseCavage"}, 401, target(func(u *url.URL) { u.Path = "/users/../inbox" })},
		{attack{"the inbox of somebody else", draft + " (replay)", "baseCavage"}, 401, target(func(u *url.URL) { u.Path = "/users/anna/inbox" })},
		{attack{"the node of somebody else", draft + " (replay)", "baseCavage"}, 401, target(func(u *url.URL) { u.Host = "other.example" })},
		{attack{"fewer headers than were signed", draft, "Verify"}, 401, signature(replace(" content-type", ""))},
		{attack{"the same headers in another order", draft, "Verify"}, 401, signature(replace("host date", "date host"))},
		{attack{"a header signed twice", draft, "checkShape"}, 401, signature(replace("host date", "host host date"))},
		{attack{"no headers named", draft, "checkCavage"}, 401, signature(replace("(request-target) host date digest content-type", ""))},
		{attack{"the host left out", draft, "checkCavage"}, 401, handSigned("(request-target) date digest", "rsa-sha256", "", nil)},
		{attack{"the request target left out", draft, "checkCavage"}, 401, handSigned("host date digest", "rsa-sha256", "", nil)},
		{attack{"a header that was not sent", draft, "headerComponent"}, 401, handSigned(coveredWell+" x-none", "rsa-sha256", "", nil)},
		{attack{"a pseudo-header of nobody", draft, "readCavage"}, 401, handSigned(coveredWell+" (status)", "rsa-sha256", "", nil)},
		{attack{"33 headers", "CVE-2023-36461 (resources of the receiver)", "checkShape"}, 401, func(t *testing.T, w *world) *SignedRequest {
			names := coveredWell
			for i := range maxSignatureComponents {
				names += " x-" + formatID(int64(i))
			}
			return handSigned(names, "rsa-sha256", "", nil)(t, w)
		}},
		{attack{"two key ids", "draft-cavage 2.1", "parseCavage"}, 401, signature(func(field string) string { return field + `,keyId="https://evil.invalid/key"` })},
		{attack{"a signature field without end", "CVE-2023-36461 (resources of the receiver)", "fieldValue"}, 401, signature(func(field string) string {
			return field + `,x="` + strings.Repeat("a", maxSignatureField) + `"`
		})},
		{attack{"a quote that does not end", "RFC 9110 5.6.4", "cavageParam"}, 401, signature(func(field string) string { return strings.TrimSuffix(field, `"`) })},
		{attack{"lines of what was signed, folded into one header", "RFC 9112 5.2", "checkBody"}, 401, altered(func(_ *world, r *SignedRequest) {
			r.Header.Set("Date", r.Header.Get("Date")+"\ndigest: "+r.Header.Get("Digest"))
			r.Header.Set("Signature", strings.Replace(r.Header.Get("Signature"), "date digest", "date", 1))
			r.Header.Del("Digest")
		})},
		{attack{"both kinds of signature, one of them broken", "RFC 9421 3.2", "ParseSignature"}, 401, altered(func(_ *world, r *SignedRequest) {
			r.Header.Set("Signature-Input", `sig1=("@method");created=1`)
		})},
		{attack{"RFC 9421 with the secret kind of algorithm", "RFC 9421 3.3.3", "readParams"}, 401, altered(func(w *world, r *SignedRequest) {
			r.Header.Set("Content-Digest", contentDigestOf(r.Body))
			r.Header.Set("Signature-Input", `sig1=("@method" "@target-uri" "content-digest");created=`+unix(w.clock.Now())+`;keyid="`+w.ben+`#main-key";alg="hmac-sha256"`)
			r.Header.Set("Signature", "sig1=:"+base64.StdEncoding.EncodeToString([]byte("x"))+":")
		})},
	}
}

// What proxies add, and what senders may choose, changes nothing of the verdict.
func TestHeaderGames(t *testing.T) {
	t.Parallel()
	w := attacked(t)
	w.refuse(t, append(append(digestAttempts(), timeAttempts()...), headerAttempts()...))
	controls := map[string]func(*testing.T, *world) *SignedRequest{
		"as signed":      altered(func(*world, *SignedRequest) {}),
		"a proxy's host": altered(set("X-Forwarded-Host", "evil.example")),
		"a proxy's address and scheme": altered(func(_ *world, r *SignedRequest) {
			r.Header.Set("X-Forwarded-For", "127.0.0.1")
			r.Header.Set("X-Forwarded-Proto", "gopher")
			r.Header.Set("Forwarded", "host=evil.example")
			r.Header.Set("X-Original-URL", "/console")
			r.Header.Set("X-Http-Method-Override", "DELETE")
		}),
		"another Host header": altered(set("Host", "evil.example")),
		"headers named in capitals": altered(func(_ *world, r *SignedRequest) {
			r.Header.Set("Signature", strings.Replace(r.Header.Get("Signature"), "(request-target) host date", "(Request-Target) Host Date", 1))
		}),
		"the digest's name in small": handSigned(coveredWell, "rsa-sha256", "", func(_ *world, r *SignedRequest) {
			r.Header.Set("Digest", strings.Replace(digestOf(r.Body), "SHA-256", "sha-256", 1))
		}),
		"(created) and no date": handSigned("(request-target) host (created) digest", "hs2019", "created="+unix(newClock().Now().Add(keyRest)), nil),
		"eleven hours old":      handSigned(coveredWell, "rsa-sha256", "", set("Date", newClock().Now().Add(keyRest-11*time.Hour).Format(http.TimeFormat))),
	}
	stored := w.count(t, `select count(*) from inbox`)
	for name, control := range controls {
		if status := w.receives(t, control(t, w)); status != http.StatusAccepted {
			t.Errorf("%s: %d", name, status)
		}
		if c := w.count(t, `select count(*) from inbox`); c != stored+1 {
			t.Errorf("%s: %d stored", name, c-stored)
		}
		if _, err := w.pool.Exec(t.Context(), `delete from inbox where activity_id like '%/activities/hello'`); err != nil {
			t.Fatal(err)
		}
	}
}
