package federation

import (
	"encoding/json"
	"html"
	"regexp"
	"strings"

	"souk"
)

// term is the first value of a property under any of the names that it goes by.
func (o object) term(names []string) any {
	for _, name := range names {
		if v, ok := o[name]; ok && v != nil {
			return v
		}
	}
	return nil
}

// valueFlows are the names of a term of ValueFlows, or of the units that it uses: plain, under the prefixes that servers
// chose (units are om2 in FEP-0837 and vf in Mitra), and in full.
func valueFlows(term string) []string {
	return []string{term, "vf:" + term, "om2:" + term, "valueflows:" + term, "https://w3id.org/valueflows/ont/vf#" + term, "https://w3id.org/valueflows/" + term,
		"http://www.ontology-of-units-of-measure.org/resource/om-2/" + term}
}

// schemaOrg are the names of a term of schema.org. The plain name is not one of them: name and url are ActivityStreams'.
func schemaOrg(term string) []string {
	return []string{"sdo:" + term, "schema:" + term, "https://schema.org/" + term, "http://schema.org/" + term, "http://schema.org#" + term}
}

// textOf is a term's text: a string, a number as it is written, or the id of an object.
func textOf(v any) string {
	switch v := v.(type) {
	case []any:
		if len(v) > 0 {
			return textOf(v[0])
		}
	case json.Number:
		return v.String()
	default:
		return strings.TrimSpace(idOf(v))
	}
	return ""
}

func objectOf(v any) object {
	switch v := v.(type) {
	case []any:
		if len(v) > 0 {
			return objectOf(v[0])
		}
	case map[string]any:
		return v
	}
	return nil
}

// listing reads what is for sale: a Note or Proposal with the intents of FEP-0837 and a price in a currency, or a Note
// with flohmarkt:data. ok is false where the object offers nothing at a price that can be read; it is a plain post then. A
// price is never guessed.
func (d decoder) listing(o object, author *souk.Account) (_ *souk.RemoteListing, ok bool, err error) {
	if !o.is("Note", "Proposal") || o.visibility(author) != souk.Public {
		return nil, false, nil
	}
	l := &souk.RemoteListing{}
	if !o.readProposal(l) && !o.readFlohmarkt(l) {
		return nil, false, nil
	}
	post, err := d.post(o, author)
	if err != nil {
		return nil, false, err
	}
	l.RemotePost = *post
	if l.Title == "" {
		l.Title = o.title()
	}
	if l.Title == "" {
		return nil, false, nil
	}
	if l.Description == "" {
		l.Description = withoutHeading(l.HTML, l.Title)
	}
	l.Expires = o.date("endTime")
	return l, true, nil
}

// readProposal reads FEP-0837: publishes is what is given, reciprocal what is asked for it.
func (o object) readProposal(l *souk.RemoteListing) bool {
	primary, asked := objectOf(o.term(valueFlows("publishes"))), objectOf(o.term(valueFlows("reciprocal")))
	if primary == nil || asked == nil {
		return false
	}
	if purpose := textOf(o.term(valueFlows("purpose"))); purpose != "" && localName(purpose) != "offer" {
		return false
	}
	switch localName(textOf(primary.term(valueFlows("action")))) {
	case "", "transfer", "transferAllRights", "transfer-all-rights", "transferCustody":
	default: // a service or a subscription is not something on a shelf
		return false
	}
	currency := currencyOf(asked, primary, o)
	quantity := objectOf(asked.term(valueFlows("resourceQuantity")))
	price, ok := priceOf(textOf(quantity.term(valueFlows("hasNumericalValue"))), currency)
	if !ok {
		return false
	}
	l.Price = price
	l.Title = cut(textOf(primary.term(schemaOrg("name"))), 1000)
	l.Description = souk.PlainHTML(cut(schemaText("description", primary, o), maxDescription))
	l.SKU = schemaText("sku", primary, o)
	l.Category = schemaText("category", primary, o)
	if l.Category == "" {
		l.Category = o.property("category")
	}
	l.Condition = conditions[localName(schemaText("itemCondition", primary, o))]
	l.Availability = availabilityWords[localName(schemaText("availability", primary, asked, o))]
	o.readIntents(l, primary, asked)
	available := objectOf(primary.term(valueFlows("availableQuantity")))
	// Any other number is the seller's claim, of use to nobody else: only "none" is taken from it.
	if n := textOf(available.term(valueFlows("hasNumericalValue"))); n != "" && strings.Trim(n, "0.") == "" {
		l.Availability = souk.NoStock
	}
	return true
}

// readIntents notes what an Offer has to name where this node can make one: one piece for the price. Ids of another origin are
// not the seller's.
func (o object) readIntents(l *souk.RemoteListing, primary, asked object) {
	quantity := objectOf(primary.term(valueFlows("resourceQuantity")))
	unit := localName(textOf(quantity.term(valueFlows("hasUnit"))))
	if unit != "one" || pieces(textOf(quantity.term(valueFlows("hasNumericalValue")))) != 1 {
		return
	}
	l.Intent, l.Reciprocal = sameOriginOrNone(primary.self(), o.self()), sameOriginOrNone(asked.self(), o.self())
	unitBased, said := o.term(valueFlows("unitBased")).(bool)
	l.UnitBased = unitBased || !said
}

// The words of schema.org, by their local names. Read only.
var (
	conditions = map[string]string{"NewCondition": "new", "UsedCondition": "used", "DamagedCondition": "used",
		"RefurbishedCondition": "refurbished"}
	availabilityWords = map[string]string{"LimitedAvailability": souk.FewLeft, "SoldOut": souk.NoStock, "OutOfStock": souk.NoStock,
		"Discontinued": souk.NoStock, "InStock": souk.InStock}
)

// localName is an IRI or prefixed name without what stands before its last part.
func localName(s string) string { return s[strings.LastIndexAny(s, ":/#")+1:] }

// schemaText is a term of schema.org in the first of the objects that has it.
func schemaText(term string, objects ...object) string {
	for _, o := range objects {
		if s := textOf(o.term(schemaOrg(term))); s != "" {
			return s
		}
	}
	return ""
}

// property is the value of a PropertyValue of the name among the attachments, as Epicyon tells the category.
func (o object) property(name string) string {
	for _, a := range o.objects("attachment") {
		if a.is("PropertyValue") && strings.EqualFold(a.text("name"), name) {
			return plainName(a.text("value"), 200)
		}
	}
	return ""
}

// currencyOf is the ISO 4217 code that one of the objects names: by schema.org, or by what the price conforms to, an
// entity of Wikidata or a URN that ends in the code.
func currencyOf(asked object, others ...object) string {
	if code := schemaText("priceCurrency", append([]object{asked}, others...)...); code != "" {
		return strings.ToUpper(code)
	}
	unit := localName(textOf(asked.term(valueFlows("resourceConformsTo"))))
	for code, entity := range currencyEntities {
		if entity == unit {
			return code
		}
	}
	if len(unit) == 3 {
		return strings.ToUpper(unit)
	}
	return ""
}

// priceOf reads a decimal. Zeros beyond the decimals of the currency are dropped; other digits there make it unreadable.
func priceOf(decimal, currency string) (souk.Money, bool) {
	exp, err := souk.CurrencyExponent(currency)
	if err != nil {
		return souk.Money{}, false
	}
	if whole, fraction, found := strings.Cut(decimal, "."); found && len(fraction) > exp {
		if strings.Trim(fraction[exp:], "0") != "" {
			return souk.Money{}, false
		}
		if decimal = whole; exp > 0 {
			decimal += "." + fraction[:exp]
		}
	}
	price, err := souk.ParseMoney(decimal, currency)
	return price, err == nil
}

// readFlohmarkt reads the extension of the flohmarkt software: a name, and a price as its users write it.
func (o object) readFlohmarkt(l *souk.RemoteListing) bool {
	data := object(nil)
	for _, key := range []string{"flohmarkt:data", "flohmarktData"} {
		if data = o.object(key); data != nil {
			break
		}
	}
	if data == nil {
		return false
	}
	price, ok := writtenPrice(data.text("price"))
	if !ok {
		return false
	}
	l.Title, l.Price, l.Condition = data.text("name"), price, "used"
	return true
}

var (
	priceNumber = regexp.MustCompile(`^(?:(\p{Sc}|[A-Za-z]{2,3}\.?)\s*)?(\d{1,9}(?:[.,]\d{1,2})?)\s*(?:,-{1,2}|\.-)?\s*(\p{Sc}|[A-Za-z]{2,5}\.?)?$`)
	priceUnits  = map[string]string{"€": "EUR", "EUR": "EUR", "EURO": "EUR", "EUROS": "EUR", "$": "USD", "USD": "USD", "£": "GBP", "GBP": "GBP",
		"CHF": "CHF", "FR": "CHF", "¥": "JPY", "JPY": "JPY", "CNY": "CNY", "RMB": "CNY", "PLN": "PLN", "SEK": "SEK", "DKK": "DKK", "NOK": "NOK", "CZK": "CZK"}
)

// writtenPrice reads "30 €", "€ 30,50", "30.00 EUR". What is not exactly one number and one currency is no price.
func writtenPrice(s string) (souk.Money, bool) {
	m := priceNumber.FindStringSubmatch(strings.TrimSpace(s))
	if m == nil || (m[1] == "") == (m[3] == "") {
		return souk.Money{}, false
	}
	return priceOf(strings.ReplaceAll(m[2], ",", "."), priceUnits[strings.ToUpper(strings.TrimSuffix(m[1]+m[3], "."))])
}

var strongText = regexp.MustCompile(`(?is)<strong>(.*?)</strong>`)

// title is the name of a listing that says none in its intents: the object's name, else the first bold words, else the
// first line.
func (o object) title() string {
	if name, _ := o.localised("name"); name != "" {
		return cut(name, 1000)
	}
	content, _ := o.localised("content")
	content = cut(content, 4000)
	if m := strongText.FindStringSubmatch(content); m != nil {
		if title := souk.Plain(m[1]); title != "" {
			return title
		}
	}
	line, _, _ := strings.Cut(souk.Plain(content), "\n")
	return line
}

// withoutHeading is the text of a listing without its first paragraph where that is the title and the price, which
// stand above every description anyway.
func withoutHeading(body, title string) string {
	rest, ok := strings.CutPrefix(body, "<p><strong>"+html.EscapeString(title)+"</strong>")
	if !ok {
		return body
	}
	if _, after, found := strings.Cut(rest, "</p>"); found {
		return after
	}
	return body
}
