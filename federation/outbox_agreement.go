package federation

import (
	"context"

	"souk"
)

// offer asks the seller of another node, or takes that back.
func (t teller) offer(ctx context.Context) (note string, err error) {
	by, target, err := t.pair(ctx)
	if err != nil {
		return "", err
	}
	a, err := t.db.Agreement(ctx, t.ObjectID)
	if err != nil {
		return "", err
	}
	offer, id := t.offerOf(a, by, target), t.db.NewID()
	if t.Kind == souk.EventOfferTakenBack {
		offer = t.undo(t.activityURI(id), offer)
	}
	return t.toOne(ctx, id, offer, by, target)
}

// answerOffer accepts or rejects the Offer of a buyer of another node.
func (t teller) answerOffer(ctx context.Context) (note string, err error) {
	by, buyer, err := t.pair(ctx)
	if err != nil {
		return "", err
	}
	a, err := t.db.Agreement(ctx, t.ObjectID)
	if err != nil {
		return "", err
	}
	id := t.db.NewID()
	if a.OrderID == 0 {
		shop, err := t.db.Shop(ctx)
		if err != nil {
			return "", err
		}
		return t.toOne(ctx, id, t.rejected(t.activityURI(id), a, by, buyer, shop.Lang), by, buyer)
	}
	o, err := t.db.OrderToMail(ctx, a.OrderID)
	if err != nil {
		return "", err
	}
	return t.toOne(ctx, id, t.accepted(t.activityURI(id), a, o, by, buyer), by, buyer)
}

// orderNews tells the buyer of another node how the order stands, or confirms that it is settled.
func (t teller) orderNews(ctx context.Context) (note string, err error) {
	by, buyer, err := t.pair(ctx)
	if err != nil {
		return "", err
	}
	a, err := t.db.AgreementOfOrder(ctx, t.ObjectID)
	if err != nil {
		return "", err
	}
	o, err := t.db.OrderToMail(ctx, t.ObjectID)
	if err != nil {
		return "", err
	}
	id := t.db.NewID()
	if t.Kind == souk.EventAgreementDone {
		return t.toOne(ctx, id, t.receipt(a, o, by, buyer), by, buyer)
	}
	return t.toOne(ctx, id, t.agreementUpdate(t.activityURI(id), a, o, by, buyer), by, buyer)
}
