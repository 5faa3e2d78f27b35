package federation

import (
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/json"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"souk"
)

// FuzzOrigin reads anything as an address. What has an origin has it for good, and net/url sees the same host in it.
func FuzzOrigin(f *testing.F) {
	for _, s := range []string{"https://shop.example/users/anna#main-key", "HTTPS://Bücher.example:0443/", "http://[::ffff:127.0.0.1]:8080/x?y", "https://a@b/",
		"http://１２７.0.0.1/", "http://0x7f.1/", "https://[fe80::1%25lo]/", "http:\\\\a\\b", "https://xn--a/", "https://a..b/", "//a/b", "https://a:99999/", "http://2130706433/"} {
		f.Add(s)
	}
	client := NewClient(FetchConfig{AllowNetworks: []netip.Prefix{netip.MustParsePrefix("127.0.0.2/32")}})
	f.Fuzz(func(t *testing.T, s string) {
		origin, err := OriginOf(s)
		if err != nil {
			if SameOrigin(s, s) || validIRI(s) || hostOf(s) != "" {
				t.Errorf("%q has no origin, and one", s)
			}
			if _, err := client.target(s); err == nil {
				t.Errorf("%q would be fetched", s)
			}
			return
		}
		again, err := OriginOf(origin)
		if err != nil || again != origin || !SameOrigin(s, origin) {
			t.Errorf("%q: %q, then %q, %v", s, origin, again, err)
		}
		u, err := url.Parse(origin)
		if err != nil || u.User != nil || u.Host == "" || u.Host != hostOf(s) || strings.ContainsAny(u.Host, "@/\\ \t\r\n%") {
			t.Errorf("%q: origin %q, host %q, %v", s, origin, u.Host, err)
		}
		target, err := client.target(s)
		if err != nil {
			return
		}
		if target.Host != u.Host || target.User != nil || target.Fragment != "" {
			t.Errorf("%q is checked as %q and fetched from %q", s, u.Host, target.Host)
		}
		if addr, err := netip.ParseAddr(target.Hostname()); err == nil && addr.Unmap() != netip.MustParseAddr("127.0.0.2") && !isPublic(addr) {
			t.Errorf("%q leads to %s", s, addr)
		}
		if domain := souk.Registrable(u.Host); domain == "" || souk.Registrable(domain) != domain && !strings.Contains(domain, "/") {
			t.Errorf("%q is of %q, which is of %q", u.Host, domain, souk.Registrable(domain))
		}
	})
}

// FuzzPublicKey reads anything as a key. What is read is of a kind and size that may verify.
func FuzzPublicKey(f *testing.F) {
	f.Add(pemText("PUBLIC KEY", []byte{0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00}))
	f.Add("-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n")
	f.Add("-----BEGIN RSA PUBLIC KEY-----\nMAgCAQECAQM=\n-----END RSA PUBLIC KEY-----")
	f.Add("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----")
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := ParsePrivateKeyPEM(text); err == nil && strings.Contains(text, "PUBLIC") {
			t.Error("a public key is a private one")
		}
		key, err := ParsePublicKeyPEM(text)
		if err != nil {
			return
		}
		switch k := key.(type) {
		case *rsa.PublicKey:
			if bits := k.N.BitLen(); bits < minRSABits || bits > maxRSABits || k.E < 1 {
				t.Errorf("%d bits, exponent %d", bits, k.E)
			}
		case ed25519.PublicKey:
			if len(k) != ed25519.PublicKeySize {
				t.Errorf("%d bytes", len(k))
			}
		default:
			t.Errorf("a %T", key)
		}
		req := received(outgoing(t, "POST", "https://node.test/inbox", testBody), testBody)
		handSignCavage(t, req, "(request-target) host date digest", "", "", func([]byte) []byte { return make([]byte, 256) })
		if err := verify(req, key, testNow); err == nil {
			t.Error("a signature of zeros was accepted")
		}
	})
}

// FuzzRetryAfter reads anything as a time to wait: never negative, never more than a week.
func FuzzRetryAfter(f *testing.F) {
	for _, s := range []string{"120", "-1", "99999999999999999999", "Sun, 06 Nov 1994 08:49:37 GMT", "Fri, 31 Dec 9999 23:59:59 GMT", "1e9", " 5", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if wait := retryAfter(s, testNow); wait < 0 || wait > 7*24*time.Hour {
			t.Errorf("%q: %v", s, wait)
		}
	})
}

// FuzzWellKnown reads anything as WebFinger's and NodeInfo's answers. What is taken from them can be stored, and a catalogue
// is of the host that names it.
func FuzzWellKnown(f *testing.F) {
	f.Add([]byte(`{"subject":"acct:a@b.example","aliases":["x"],"links":[{"rel":"self","type":"application/activity+json","href":"https://b.example/u"}]}`))
	f.Add([]byte(`{"catalogue":"https://shop.example/catalogue","nodeName":"x"}`))
	f.Add([]byte(`{"links":[{"rel":"self","type":"application/ld+json; profile=\"https://www.w3.org/ns/activitystreams\"","href":"javascript:1"}]}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if CheckJSON(body, 32) != nil {
			return
		}
		var found jrd
		if json.Unmarshal(body, &found) == nil {
			if self := found.self(); self != "" {
				storable(t, []string{self})
			}
		}
		if catalogue := catalogueIn(body, "shop.example"); catalogue != "" {
			storable(t, []string{catalogue})
			if hostOf(catalogue) != "shop.example" {
				t.Errorf("the catalogue %q of shop.example", catalogue)
			}
		}
	})
}

// FuzzCollection reads anything as a page of a collection: as many entries as may be, and an address or nothing to go on.
func FuzzCollection(f *testing.F) {
	f.Add([]byte(`{"id":"https://a.example/p","type":"OrderedCollectionPage","next":"https://a.example/q","orderedItems":[{"type":"Announce","actor":"https://a.example/u","object":{"type":"Create"}},"x",1]}`))
	f.Add([]byte(`{"next":{"id":"https://a.example/q"},"orderedItems":{"type":"Announce"}}`))
	f.Add([]byte(`{"next":[[]],"orderedItems":[[{}],null]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if CheckJSON(body, maxJSONDepth) != nil {
			return
		}
		page, err := parseObject(body)
		if err != nil {
			return
		}
		if n := len(page.objects("orderedItems")); n > maxElements {
			t.Errorf("%d entries", n)
		}
		for _, entry := range page.objects("orderedItems") {
			_, _ = entry.id("actor"), entry.is("Announce")
			if inner := entry.object("object"); inner != nil {
				_, _, _ = inner.one("object")
				_ = keyOwner(inner)
			}
		}
		if next := page.id("next"); next != "" && SameOrigin(next, page.self()) {
			if _, err := OriginOf(next); err != nil {
				t.Errorf("next %q: %v", next, err)
			}
		}
	})
}

// FuzzPrice reads anything as the price that somebody wrote, or as a decimal in a currency.
func FuzzPrice(f *testing.F) {
	for _, s := range []string{"30 €", "€ 30,50", "30.00 EUR", "1.000,00 €", "$-5", "99999999999 USD", "30,-", "CHF 30.-", "٣٠ €", "1e9 EUR", "0.001 EUR"} {
		f.Add(s, "EUR")
	}
	f.Add("12.500", "JPY")
	f.Add("0.0000000000000000000000000000001", "KWD")
	f.Fuzz(func(t *testing.T, s, currency string) {
		sane := func(m souk.Money, ok bool) {
			if !ok {
				return
			}
			if _, err := souk.CurrencyExponent(m.Currency); err != nil || m.Amount < 0 || m.Amount > souk.MaxAmount {
				t.Errorf("%q %q: %+v", s, currency, m)
			}
		}
		sane(writtenPrice(s))
		sane(priceOf(s, currency))
		if tag := languageTag(s); len(tag) > 100 || strings.ContainsAny(tag, " \"<>\x00") {
			t.Errorf("%q: language %q", s, tag)
		}
	})
}

// FuzzHost holds the two readers of host names together, that of addresses and that of blocks: what is fetched from a host is refused
// where the host is.
func FuzzHost(f *testing.F) {
	for _, s := range []string{"https://BAD.example:0443/x", "https://ｂａｄ.example", "https://bad。example/", "https://bücher.example:8443", "https://xn--bcher-kva.example",
		"https://bad.example.", "https://[::1]:80/", "https://[::ffff:192.0.2.7]", "https://192.0.2.7:1", "https://b\u00adad.example", "https://faß.example", "https://a_b.example"} {
		f.Add(s)
	}
	bare := func(host string) string {
		if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
			return host[:i]
		}
		return host
	}
	f.Fuzz(func(t *testing.T, address string) {
		host := hostOf(address)
		u, err := url.Parse(address)
		if host == "" || err != nil {
			return
		}
		if domain, ok := souk.NormalDomain(u.Host); ok && bare(domain) != bare(host) {
			t.Errorf("%q is asked at %q, and blocked as %q", address, host, domain)
		}
		if domain, ok := souk.NormalDomain(host); !ok || domain != host {
			t.Errorf("the host %q is blocked as %q", host, domain)
		}
	})
}

// FuzzAgreement reads anything as the agreement of an Offer: a number of pieces that can be ordered or none, and a state that is known.
func FuzzAgreement(f *testing.F) {
	f.Add([]byte(`{"type":"Agreement","stipulates":{"type":"Commitment","satisfies":"https://a.example/l#primary","resourceQuantity":{"hasUnit":"one","hasNumericalValue":"2"}},
		"stipulatesReciprocal":{"type":"Commitment","satisfies":"https://a.example/l#reciprocal","resourceQuantity":{"hasUnit":"one","hasNumericalValue":"48.00"}}}`))
	f.Add([]byte(`{"type":"Agreement","preview":{"type":"Note","name":"Paid"},"stipulates":[{},{"satisfies":["x","y"]}]}`))
	f.Add([]byte(`{"clauses":[{"type":"Commitment","resourceQuantity":{"hasNumericalValue":1e400}},{"resourceQuantity":"1"}],"sdo:orderStatus":"OrderDelivered"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if CheckJSON(body, maxJSONDepth) != nil {
			return
		}
		o, err := parseObject(body)
		if err != nil {
			return
		}
		primary, reciprocal, _, _ := o.terms()
		for _, amount := range []string{primary.amount, reciprocal.amount} {
			if n := pieces(amount); n < 0 || n > 999_999 {
				t.Errorf("%d pieces", n)
			}
		}
		if len(o.agreementState()) > 20 {
			t.Errorf("state %q", o.agreementState())
		}
	})
}
