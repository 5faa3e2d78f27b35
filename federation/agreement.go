package federation

import (
	"context"

	"souk"
)

// Agreement is what a seller of this node and a buyer of another one agreed to, as it stands now (FEP-0837), for the buyer and
// their server. For everybody else it is souk.ErrNotFound: that somebody ordered is nobody else's business.
func (f *Federation) Agreement(ctx context.Context, by *SignedRequest, id int64) (_ *Document, err error) {
	defer wrap(&err, "agreement %d", id)
	asker, err := f.admit(ctx, by)
	if err != nil {
		return nil, err
	}
	a, err := asker.agreement(ctx, id)
	if err != nil {
		return nil, err
	}
	return f.agreement(ctx, a)
}

// AgreementSold is the same for an account of this node that may see its order.
func (f *Federation) AgreementSold(ctx context.Context, by, id int64) (_ *Document, err error) {
	defer wrap(&err, "agreement %d for its seller", id)
	a, err := f.db.AgreementSold(ctx, by, id)
	if err != nil {
		return nil, err
	}
	return f.agreement(ctx, a)
}

func (f *Federation) agreement(ctx context.Context, a *souk.Agreement) (*Document, error) {
	seller, err := f.db.Account(ctx, a.SellerID)
	if err != nil {
		return nil, err
	}
	o, err := f.db.OrderToMail(ctx, a.OrderID)
	if err != nil {
		return nil, err
	}
	doc, err := answer(encoder{f.db}.agreementDocument(a, o, seller))
	if err != nil {
		return nil, err
	}
	doc.Private = true
	return doc, nil
}
