package federation

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"souk"
)

// isTerm reports whether one of the object's types is the term of ValueFlows, however it is spelled.
func (o object) isTerm(name string) bool {
	return slices.ContainsFunc(o.types(), func(t string) bool { return localName(t) == name })
}

// commitment is one half of an agreement.
type commitment struct {
	satisfies string // id of the intent, or of the proposal
	amount    string // a decimal as it is written; "" where none is
	unit      string // local name
}

// commitmentOf reads a commitment; ok is false where v is none.
func commitmentOf(v any) (c commitment, ok bool) {
	o := objectOf(v)
	if o == nil {
		return c, false
	}
	quantity := objectOf(o.term(valueFlows("resourceQuantity")))
	return commitment{satisfies: textOf(o.term(valueFlows("satisfies"))), amount: textOf(quantity.term(valueFlows("hasNumericalValue"))),
		unit: localName(textOf(quantity.term(valueFlows("hasUnit"))))}, true
}

// terms are the two halves of an agreement as FEP-0837 has them. The second may be missing. several says that there is
// more than one of either: what nobody here can promise. An older text of the FEP misspelled the first, and older
// software sent both as clauses.
func (o object) terms() (primary, reciprocal commitment, found, several bool) {
	first, second := o.term(append(valueFlows("stipulates"), "stiplulates", "vf:stiplulates")), o.term(valueFlows("stipulatesReciprocal"))
	if clauses, ok := o.term(valueFlows("clauses")).([]any); ok && first == nil && len(clauses) == 2 {
		first, second = clauses[0], clauses[1]
	}
	for _, v := range []any{first, second} {
		if list, ok := v.([]any); ok && len(list) > 1 {
			several = true
		}
	}
	primary, found = commitmentOf(first)
	reciprocal, _ = commitmentOf(second)
	return primary, reciprocal, found, several
}

var wholeNumber = regexp.MustCompile(`^[0-9]{1,6}(\.0{1,6})?$`)

// pieces is the number of pieces that a decimal says; 0 where it is no whole number, or one that nobody orders.
func pieces(decimal string) int {
	if !wholeNumber.MatchString(decimal) {
		return 0
	}
	whole, _, _ := strings.Cut(decimal, ".")
	n, err := strconv.Atoi(whole)
	if err != nil {
		return 0
	}
	return n
}

// offer understands an Offer. Whatever is wrong with it is said in the offer, which will be rejected for it: the buyer
// waits for an answer. What asks nobody of this node is ignored.
func (f *Federation) offer(ctx context.Context, in *incoming, agreement object) (souk.Offer, error) {
	o := souk.Offer{URI: in.ActivityID, Buyer: in.by}
	primary, reciprocal, found, several := agreement.terms()
	if !found {
		return o, malformed("an agreement without a commitment")
	}
	listing, base, err := f.offered(ctx, primary.satisfies)
	if err != nil {
		return o, err
	}
	if o.Seller, err = f.asked(ctx, in.body, listing); err != nil {
		return o, err
	}
	o.Intent, o.Quantity, o.Pays = primary.satisfies, pieces(primary.amount), reciprocal.amount
	if listing != nil {
		o.ListingID, o.Intent, o.Reciprocal = listing.ID, base+"#primary", base+"#reciprocal"
	}
	switch {
	case several:
		o.Wrong = souk.OfferSeveral
	case primary.unit != "" && primary.unit != "one" || reciprocal.unit != "" && reciprocal.unit != "one":
		o.Wrong = souk.OfferUnit
	case listing != nil && reciprocal.satisfies != "" && withoutFragment(reciprocal.satisfies) != base:
		o.Wrong = souk.OfferPrice // what it costs was not what is asked for here
	}
	return o, nil
}

// offered is the listing of this node that an intent belongs to, nil where none does, and the address of the document
// that has the intent: the listing's note or its proposal.
func (f *Federation) offered(ctx context.Context, intent string) (_ *souk.Post, base string, err error) {
	base, fragment, _ := strings.Cut(intent, "#")
	if !validIRI(base) || !f.own(base) || fragment != "" && fragment != "primary" {
		return nil, "", nil
	}
	id, _, err := f.db.KnownPost(ctx, strings.TrimSuffix(base, "/proposal"))
	if errors.Is(err, souk.ErrNotFound) {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", err
	}
	p, err := f.db.PostForDelivery(ctx, id)
	if err != nil || p.Kind != souk.KindListing || !p.Local {
		return nil, "", err
	}
	return p, base, nil
}

// asked is who must answer an Offer: the seller of the listing; where the Offer is addressed to others of this node, the
// first of them, who will say that they do not sell it.
func (f *Federation) asked(ctx context.Context, offer object, listing *souk.Post) (*souk.Account, error) {
	var others []string
	for _, uri := range append(offer.ids("to"), offer.ids("target")...) {
		if listing != nil && uri == listing.Account.URI {
			return f.local(ctx, uri)
		}
		if f.own(uri) {
			others = append(others, uri)
		}
	}
	for _, uri := range others {
		a, err := f.local(ctx, uri)
		switch {
		case err == nil && a.Person():
			return a, nil
		case err != nil && judged(err) == nil:
			return nil, err
		}
	}
	if listing == nil {
		return nil, ignored("an offer to nobody here")
	}
	return f.local(ctx, listing.Account.URI)
}

// agreementStates are what other servers call the states of an agreement, in the name of its preview: Mitra's names of
// invoices, and ours.
var agreementStates = map[string]string{"open": souk.AgreementAccepted, "requested": souk.AgreementAccepted, "underpaid": souk.AgreementAccepted, "paid": souk.AgreementPaid,
	"forwarded": souk.AgreementPaid, "shipped": souk.AgreementShipped, "completed": souk.AgreementDone, "cancelled": souk.AgreementCancelled,
	"canceled": souk.AgreementCancelled, "timeout": souk.AgreementCancelled, "failed": souk.AgreementCancelled}

// agreementState is how an agreement stands as its seller says it; "" where that is not understood.
func (o object) agreementState() string {
	if preview := o.object("preview"); preview != nil {
		if state := agreementStates[strings.ToLower(preview.first("name", "summary", "content"))]; state != "" {
			return state
		}
	}
	for state, word := range orderStatuses {
		if localName(schemaText("orderStatus", o)) == localName(word) {
			return state
		}
	}
	return ""
}
