package federation

import (
	"context"
	"strings"

	"souk"
)

// applyOffer makes an order of an Offer(Agreement), or rejects it (FEP-0837, Responding to a proposal). The buyer is who
// signed it, whatever else it says.
func (f *Federation) applyOffer(ctx context.Context, in *incoming) (plan, error) {
	agreement := in.object
	if agreement == nil {
		if !validIRI(in.id) || !SameOrigin(in.id, in.Actor) {
			return nil, foreign("an offer of %.200q", in.id)
		}
		var err error
		if agreement, err = f.document(ctx, in.id); err != nil {
			return nil, err
		}
	}
	if !agreement.isTerm("Agreement") {
		return nil, ignored("offer of %.50q", agreement.kind())
	}
	if by := agreement.id("attributedTo"); by != "" && by != in.Actor {
		return nil, foreign("an offer in the name of %.200q", by)
	}
	o, err := f.offer(ctx, in, agreement)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, tx *souk.DB) error { return tx.ReceiveOffer(ctx, o) }, nil
}

// isOffer reports whether an id is that of an Offer that this node sends (souk.SendOffer).
func (f *Federation) isOffer(id string) bool { return f.own(id) && strings.Contains(id, "#offers/") }

// applyOfferAnswer reads the answer of a seller to an Offer of somebody here (FEP-0837, Accepting an agreement).
// A result that promises something else than was asked for is no acceptance.
func (f *Federation) applyOfferAnswer(ctx context.Context, in *incoming, accepted bool) (plan, error) {
	id, result, err := in.body.one("result")
	if err != nil {
		return nil, err
	}
	r := souk.OfferAnswer{OfferURI: in.id, Accepted: accepted}
	a, err := f.db.AgreementOfOffer(ctx, in.id)
	if err != nil {
		return nil, err
	}
	if !accepted {
		buyer, err := f.db.Account(ctx, a.BuyerID)
		if err != nil {
			return nil, err
		}
		r.Reason = souk.Plain(cut(in.body.textFor("content", buyer.Lang), 2000))
		return func(ctx context.Context, tx *souk.DB) error { return tx.ReceiveOfferAnswer(ctx, in.by, r) }, nil
	}
	if id != "" && (!validIRI(id) || !SameOrigin(id, in.Actor)) {
		return nil, foreign("the agreement %.200q", id)
	}
	r.URI = id
	if result != nil {
		if by := result.id("attributedTo"); by != "" && by != in.Actor {
			return nil, foreign("an agreement by %.200q", by)
		}
		primary, reciprocal, found, several := result.terms()
		if several || found && (pieces(primary.amount) != a.Quantity || otherThan(primary.satisfies, a.Intent)) ||
			reciprocal.amount != "" && !a.Costs(reciprocal.amount) || otherThan(reciprocal.satisfies, a.Reciprocal) {
			return nil, foreign("another agreement than was offered")
		}
		r.URL = result.page()
	}
	return func(ctx context.Context, tx *souk.DB) error { return tx.ReceiveOfferAnswer(ctx, in.by, r) }, nil
}

// otherThan reports whether a commitment is to something else than what was offered; either may not say what it is.
func otherThan(satisfies, offered string) bool {
	return satisfies != "" && offered != "" && withoutFragment(satisfies) != withoutFragment(offered)
}

// applyAgreement notes how an agreement stands, as its seller says in an Update. An Update that says nothing of that is
// no news.
func (f *Federation) applyAgreement(in *incoming) (plan, error) {
	state := in.object.agreementState()
	if state == "" {
		return nil, ignored("an agreement in a state that is not known")
	}
	if !validIRI(in.id) || !SameOrigin(in.id, in.Actor) {
		return nil, foreign("the agreement %.200q", in.id)
	}
	url := in.object.page()
	return func(ctx context.Context, tx *souk.DB) error {
		return tx.ReceiveAgreement(ctx, in.by, in.id, state, url)
	}, nil
}

// applyReceipt notes that a seller confirms that an agreement is fulfilled: an object of any kind whose context is the
// agreement (FEP-0837, Confirmations). Notes in that context are talk about it, and posts; and other contexts are conversations.
func (f *Federation) applyReceipt(ctx context.Context, in *incoming) (_ plan, is bool, err error) {
	if in.object == nil || in.object.is("Note", "Article", "Page", "Question", "Proposal") {
		return nil, false, nil
	}
	agreement := in.object.id("context")
	if !validIRI(agreement) || !SameOrigin(agreement, in.Actor) {
		return nil, false, nil
	}
	if is, err = f.db.Agreed(ctx, in.by, agreement); err != nil || !is {
		return nil, false, err
	}
	return func(ctx context.Context, tx *souk.DB) error {
		return tx.ReceiveAgreement(ctx, in.by, agreement, souk.AgreementDone, "")
	}, true, nil
}
