package federation

import "testing"

// A name looks like no other: nothing in it turns the direction of a page, handles have letters, digits and marks only, and
// the host of one, which is always shown, is ASCII, so that letters of another script show as what they are (RFC 5891;
// Unicode TR 36 and 39; Trojan Source, CVE-2021-42574).
func TestNamesOfStrangers(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"Eve": "Eve", "\u202eEve\u202c": "Eve", "E\u2066v\u2069e": "Eve", "\u202a\u202b\u202d\u2067\u2068Eve": "Eve", "&#x202e;Eve": "Eve", "<b>Eve</b>": "Eve",
		"\u05d7\u05d5\u05d4": "\u05d7\u05d5\u05d4", "\u200fEve\u200e": "\u200fEve\u200e", "\u7af9\u7a97": "\u7af9\u7a97", // direction by nature stays
	} {
		if got := plainName(given, maxActorName); got != want {
			t.Errorf("%q is shown as %q, want %q", given, got, want)
		}
	}
	for _, name := range []string{"eve\u202e", "\u2066eve", "eve\u200b", "e ve", "eve@shop.example", "eve\u2044x", "e/ve", "eve\n", "eve\u00a0", "<eve>", "eve\uff20shop"} {
		if got, err := actorName(object{"id": "https://far.example/users/1", "preferredUsername": name}); err == nil {
			t.Errorf("the name %q is taken as %q", name, got)
		}
	}
	for _, name := range []string{"eve", "\u0435ve", "\u7af9", "eve.b-c_d~e"} {
		if got, err := actorName(object{"id": "https://far.example/users/1", "preferredUsername": name}); err != nil || got != name {
			t.Errorf("the name %q: %q, %v", name, got, err)
		}
	}
	for given, want := range map[string]string{"\u0430pple.example": "xn--pple-43d.example", "sh\u043ep.example": "xn--shp-ted.example", "SHOP.example": "shop.example", "m\u00fcller.example": "xn--mller-kva.example",
		"shop\u2044x.example": "xn--shopx-g33b.example", "shop.example\u2215x": "shop.xn--examplex-4f7d"} {
		if got, err := normalHost(given); err != nil || got != want {
			t.Errorf("the host %q: %q, %v, want %q", given, got, err, want)
		}
	}
	for _, host := range []string{"shop\u202e.example", "shop\u2066.example", "shop.example/x", "shop\u3002example?"} {
		if got, err := normalHost(host); err == nil {
			t.Errorf("the host %q is taken as %q", host, got)
		}
	}
}
