package federation

import (
	"context"
	"encoding/json"

	"souk"
)

// addProposal makes a listing's note a FEP-0837 proposal: what is given (publishes) for what (reciprocal). Stock leaves
// the node only as one of three words; a number would tell sales.
func (n *note) addProposal(l *souk.Listing) {
	n.Purpose, n.UnitBased = "offer", true
	price := l.Price()
	n.Publishes = &intent{Type: "Intent", ID: n.ID + "#primary", Action: "transfer", ResourceQuantity: units("1"),
		Name: l.Title, Description: cut(souk.Plain(l.HTML), maxDescription), ItemCondition: itemConditions[l.Condition], Availability: availabilities[l.Availability], Category: l.Category}
	if len(l.Variants) > 0 {
		n.Publishes.SKU = l.Variants[0].SKU
	}
	if l.Availability == souk.NoStock {
		none := units("0")
		n.Publishes.AvailableQuantity = &none
	}
	n.Reciprocal = &intent{Type: "Intent", ID: n.ID + "#reciprocal", Action: "transfer", ResourceConformsTo: currencyURI(price.Currency),
		ResourceQuantity: units(price.Decimal()), PriceCurrency: price.Currency}
	n.Proposal = n.ID + "/proposal"
}

// proposal is the listing of a note as an object of the type Proposal, with an id of its own.
func (n *note) proposal(name string) *proposal {
	p := &proposal{Context: json.RawMessage(contextListing), ID: n.Proposal, Type: "Proposal", AttributedTo: n.AttributedTo, Name: name,
		Content: n.Content, URL: n.URL, Published: n.Published, Updated: n.Updated, To: n.To, CC: n.CC, Attachment: n.Attachment,
		Purpose: n.Purpose, UnitBased: n.UnitBased}
	publishes, reciprocal := *n.Publishes, *n.Reciprocal
	publishes.ID, reciprocal.ID = p.ID+"#primary", p.ID+"#reciprocal"
	p.Publishes, p.Reciprocal = &publishes, &reciprocal
	return p
}

// Proposal is the listing at /listings/{id}/proposal as FEP-0837 has it, for readers to whom a Note is no offer. What is
// not for sale any more is souk.ErrGone; drafts are souk.ErrNotFound.
func (f *Federation) Proposal(ctx context.Context, by *SignedRequest, id int64) (_ *Document, err error) {
	defer wrap(&err, "proposal %d", id)
	asker, err := f.admit(ctx, by)
	if err != nil {
		return nil, err
	}
	l, err := f.db.Listing(ctx, asker.reader.AccountID, id)
	if err != nil {
		return nil, err
	}
	if !l.Local() {
		return nil, souk.ErrNotFound
	}
	n, err := encoder{f.db}.note(ctx, l.Post)
	if err != nil {
		return nil, err
	}
	doc, err := answer(n.proposal(l.Title))
	return asker.answer(doc, err, true)
}

// maxDescription is how many characters of a description are sent and read; content holds only its beginning, which is
// what people should see in a timeline, while a search wants all of it.
const maxDescription = 10_000

func units(n string) measure { return measure{HasUnit: "one", HasNumericalValue: n} }

// itemConditions and availabilities are the words of schema.org for ours. They are read only.
var (
	itemConditions = map[string]string{"new": "sdo:NewCondition", "used": "sdo:UsedCondition", "refurbished": "sdo:RefurbishedCondition"}
	availabilities = map[string]string{souk.InStock: "sdo:InStock", souk.FewLeft: "sdo:LimitedAvailability", souk.NoStock: "sdo:SoldOut"}
)

// currencyURI is the Wikidata entity of a currency, as FEP-0837 and its readers name currencies. Where none is listed,
// the code itself as a URN; sdo:priceCurrency says it in every case.
func currencyURI(code string) string {
	if entity, ok := currencyEntities[code]; ok {
		return "https://www.wikidata.org/wiki/" + entity
	}
	return "urn:iso:std:iso:4217:" + code
}

var currencyEntities = map[string]string{
	"AUD": "Q259502", "BRL": "Q173117", "CAD": "Q1104069", "CHF": "Q25344", "CNY": "Q39099", "CZK": "Q131016", "DKK": "Q25417",
	"EUR": "Q4916", "GBP": "Q25224", "HKD": "Q31015", "INR": "Q80524", "JPY": "Q8146", "KRW": "Q202040", "MXN": "Q4730",
	"NOK": "Q132643", "NZD": "Q1472704", "PLN": "Q123213", "SEK": "Q122922", "SGD": "Q190951", "TRY": "Q172872", "TWD": "Q208526",
	"UAH": "Q81893", "USD": "Q4917",
}
