package federation

import (
	"encoding/json"
	"testing"
	"time"

	"souk"
)

// listed reads what must be a listing.
func listed(t *testing.T, o object) *souk.RemoteListing {
	t.Helper()
	l, found, err := testDecoder().listing(o, authorIn(o))
	if err != nil || !found {
		t.Fatalf("not a listing: %v", err)
	}
	return l
}

// What this node sends is read back as what it was.
func TestDecodeOwnListing(t *testing.T) {
	t.Parallel()
	n := newNode(t, testBase)
	for availability, condition := range map[string]string{souk.InStock: "new", souk.FewLeft: "used", souk.NoStock: "refurbished"} {
		p := sampleListing(availability)
		p.Listing.Condition = condition
		sent := ok(encoder{n.db}.note(t.Context(), p))(t)
		o := parsed(t, string(ok(json.Marshal(sent))(t)))
		l := listed(t, o)
		if l.Title != p.Listing.Title || l.Price != p.Listing.Price() || l.Category != p.Listing.Category || l.Condition != condition ||
			l.Availability != availability || l.SKU != p.Listing.Variants[0].SKU || l.Visibility != souk.Public || l.HTML != p.HTML ||
			souk.Plain(l.Description) != souk.Plain(p.Listing.HTML) {
			t.Errorf("%s: got %+v\nfrom %+v", availability, l, p.Listing)
		}
	}
}

func TestDecodeFlohmarkt(t *testing.T) {
	t.Parallel()
	l := listed(t, fixture(t, "flohmarkt"))
	if l.Title != "Bike" || l.Price != (souk.Money{Amount: 3000, Currency: "EUR"}) || l.Condition != "used" || len(l.Media) != 1 || l.URL != "https://floh.example/~ann/9f" {
		t.Errorf("listing %+v", l)
	}
}

func TestDecodeEpicyon(t *testing.T) {
	t.Parallel()
	l := listed(t, fixture(t, "epicyon"))
	if l.Title != "Red bike" || l.Price != (souk.Money{Amount: 3000, Currency: "USD"}) || l.Category != "bike" || len(l.Media) != 1 {
		t.Errorf("listing %+v", l)
	}
	if l.Description != `<p>hardly used</p><p><a href="https://epi.example/users/bo/shareditems/bike">https://epi.example/users/bo/shareditems/bike</a></p>` {
		t.Errorf("description %s", l.Description)
	}
}

// offer is a listing with the changes laid over it.
func offer(t *testing.T, changes string) object {
	t.Helper()
	o := parsed(t, `{"type":"Note","id":"https://a.example/1","attributedTo":"https://a.example/u","to":"as:Public",
		"content":"<p><strong>Mug</strong><br>24 EUR</p><p>Blue</p>","purpose":"offer",
		"publishes":{"action":"transfer","resourceQuantity":{"hasUnit":"one","hasNumericalValue":"1"}},
		"reciprocal":{"resourceQuantity":{"hasUnit":"one","hasNumericalValue":"24.00"},"sdo:priceCurrency":"EUR"}}`)
	for k, v := range parsed(t, changes) {
		if v == nil {
			delete(o, k)
		} else {
			o[k] = v
		}
	}
	return o
}

func TestDecodeListingForms(t *testing.T) {
	t.Parallel()
	eur := func(n int64) souk.Money { return souk.Money{Amount: n, Currency: "EUR"} }
	for _, c := range []struct {
		name, changes string
		check         func(l *souk.RemoteListing) bool
	}{
		{"title from the first bold words", `{}`, func(l *souk.RemoteListing) bool {
			return l.Title == "Mug" && l.Description == "<p>Blue</p>" && l.Price == eur(2400)
		}},
		{"title from the first line", `{"content":"Plain mug<br>blue"}`, func(l *souk.RemoteListing) bool { return l.Title == "Plain mug" }},
		{"prefixes of Mitra", `{"publishes":null,"reciprocal":null,"vf:publishes":{"vf:action":"vf:transfer"},
			"vf:reciprocal":{"vf:resourceQuantity":{"vf:hasUnit":"one","vf:hasNumericalValue":"5"},"vf:resourceConformsTo":"http://www.wikidata.org/entity/Q4916"}}`,
			func(l *souk.RemoteListing) bool { return l.Price == eur(500) }},
		{"a number that is one", `{"reciprocal":{"resourceQuantity":{"om2:hasNumericalValue":24.5},"schema:priceCurrency":"eur"}}`, func(l *souk.RemoteListing) bool { return l.Price == eur(2450) }},
		{"yen by entity", `{"reciprocal":{"resourceQuantity":{"hasNumericalValue":"1000.00"},"resourceConformsTo":{"id":"https://www.wikidata.org/wiki/Q8146"}}}`,
			func(l *souk.RemoteListing) bool { return l.Price == souk.Money{Amount: 1000, Currency: "JPY"} }},
		{"yuan by entity", `{"reciprocal":{"resourceQuantity":{"hasNumericalValue":"168"},"resourceConformsTo":"wd:Q39099"}}`,
			func(l *souk.RemoteListing) bool { return l.Price == souk.Money{Amount: 16800, Currency: "CNY"} }},
		{"a currency as a URN", `{"reciprocal":{"resourceQuantity":{"hasNumericalValue":"7"},"resourceConformsTo":"urn:iso:std:iso:4217:KWD"}}`,
			func(l *souk.RemoteListing) bool { return l.Price == souk.Money{Amount: 7000, Currency: "KWD"} }},
		{"sold out by quantity", `{"publishes":{"availableQuantity":{"hasNumericalValue":"0"}}}`, func(l *souk.RemoteListing) bool { return l.Availability == souk.NoStock }},
		{"any other number is not believed", `{"publishes":{"availableQuantity":{"hasNumericalValue":"99999"}}}`, func(l *souk.RemoteListing) bool { return l.Availability == "" }},
		{"sold out in words of schema.org", `{"publishes":{"https://schema.org/availability":{"id":"https://schema.org/OutOfStock"}}}`,
			func(l *souk.RemoteListing) bool { return l.Availability == souk.NoStock }},
		{"both types", `{"type":["Note","Product"]}`, func(l *souk.RemoteListing) bool { return l.Title == "Mug" }},
		{"arrays of one", `{"publishes":[{"sdo:name":["Cup"]}],"reciprocal":[{"resourceQuantity":[{"hasNumericalValue":["3"]}],"sdo:priceCurrency":["EUR"]}]}`,
			func(l *souk.RemoteListing) bool { return l.Title == "Cup" && l.Price == eur(300) }},
		{"until when", `{"endTime":"2026-12-24T00:00:00Z"}`, func(l *souk.RemoteListing) bool {
			return l.Expires.Equal(time.Date(2026, 12, 24, 0, 0, 0, 0, time.UTC))
		}},
	} {
		o := offer(t, c.changes)
		l, found, err := testDecoder().listing(o, authorIn(o))
		if err != nil || !found || !c.check(l) {
			t.Errorf("%s: %v %v %+v", c.name, found, err, l)
		}
	}
}

// A price is never guessed, and nothing private is for sale.
func TestDecodeNoListing(t *testing.T) {
	t.Parallel()
	for name, changes := range map[string]string{
		"no price":              `{"reciprocal":null}`,
		"no currency":           `{"reciprocal":{"resourceQuantity":{"hasNumericalValue":"24.00"}}}`,
		"a coin":                `{"reciprocal":{"resourceQuantity":{"hasNumericalValue":"24"},"resourceConformsTo":"caip:19:monero:418/slip44:128"}}`,
		"a currency of nowhere": `{"reciprocal":{"resourceQuantity":{"hasNumericalValue":"24"},"sdo:priceCurrency":"XYZ"}}`,
		"a negative price":      `{"reciprocal":{"resourceQuantity":{"hasNumericalValue":"-1"},"sdo:priceCurrency":"EUR"}}`,
		"thousands":             `{"reciprocal":{"resourceQuantity":{"hasNumericalValue":"1.299,00"},"sdo:priceCurrency":"EUR"}}`,
		"an exponent":           `{"reciprocal":{"resourceQuantity":{"hasNumericalValue":1e3},"sdo:priceCurrency":"EUR"}}`,
		"tenths of a cent":      `{"reciprocal":{"resourceQuantity":{"hasNumericalValue":"1.005"},"sdo:priceCurrency":"EUR"}}`,
		"more than there is":    `{"reciprocal":{"resourceQuantity":{"hasNumericalValue":"99999999999999"},"sdo:priceCurrency":"EUR"}}`,
		"somebody who asks":     `{"purpose":"request"}`,
		"a service":             `{"publishes":{"action":"deliverService"}}`,
		"for followers":         `{"to":"https://a.example/u/followers"}`,
		"unlisted":              `{"to":[],"cc":"as:Public"}`,
		"nothing to call it":    `{"content":"","publishes":{}}`,
		"an article":            `{"type":"Article"}`,
		"intents as text":       `{"publishes":"https://a.example/1#primary"}`,
	} {
		o := offer(t, changes)
		if l, found, err := testDecoder().listing(o, authorIn(o)); found || err != nil {
			t.Errorf("%s: %+v %v", name, l, err)
		}
	}
	o := fixture(t, "mitra_subscription")
	if _, found, err := testDecoder().listing(o, authorIn(o)); found || err != nil {
		t.Errorf("a subscription: %v", err)
	}
}

func TestWrittenPrice(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]souk.Money{
		"30 €": {Amount: 3000, Currency: "EUR"}, "30€": {Amount: 3000, Currency: "EUR"}, "€ 30,50": {Amount: 3050, Currency: "EUR"},
		"12.5 EUR": {Amount: 1250, Currency: "EUR"}, "30,- €": {Amount: 3000, Currency: "EUR"}, "CHF 15": {Amount: 1500, Currency: "CHF"},
		"$9.99": {Amount: 999, Currency: "USD"}, "500 ¥": {Amount: 500, Currency: "JPY"}, " 20 Euro ": {Amount: 2000, Currency: "EUR"},
	} {
		if got, found := writtenPrice(text); !found || got != want {
			t.Errorf("%q: %v %v", text, got, found)
		}
	}
	for _, text := range []string{"", "30", "VB", "30 € VB", "10-20 €", "1.200 €", "€ 5 $", "zu verschenken", "-5 €", "5 potatoes", "5 €€", "¥500 JPY"} {
		if got, found := writtenPrice(text); found {
			t.Errorf("%q is read as %v", text, got)
		}
	}
}
