package federation

import (
	"context"
	"fmt"

	"souk"
)

// applyQuoteRequest answers who asks to quote a post of this node (FEP-044f). Posts say that everybody may, so that the
// answer does not wait for their author, who is told.
func (f *Federation) applyQuoteRequest(ctx context.Context, in *incoming) (plan, error) {
	quoting, embedded, err := in.body.one("instrument")
	if err != nil {
		return nil, err
	}
	switch {
	case !f.own(in.id):
		return nil, ignored("%.200q is not of this node", in.id)
	case !validIRI(quoting):
		return nil, malformed("no post that would quote")
	case !SameOrigin(quoting, in.Actor), embedded != nil && !embedded.owner(in.Actor):
		return nil, foreign("%.200q is not by the sender", quoting)
	}
	post, err := f.knownPost(ctx, in.id)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, tx *souk.DB) error {
		return f.noticed(tx, in.by).ReceiveQuoteRequest(ctx, in.ActivityID, in.by, post, quoting)
	}, nil
}

// QuoteStamp is the proof that an author lets a post be quoted in another; who may read the post may read it. A stamp that
// was taken back, and that of a deleted post, is a tombstone with status 410.
func (f *Federation) QuoteStamp(ctx context.Context, by *SignedRequest, id int64) (_ *Document, err error) {
	defer wrap(&err, "stamp of quote %d", id)
	asker, err := f.admit(ctx, by)
	if err != nil {
		return nil, err
	}
	q, err := f.db.Quote(ctx, id)
	if err != nil {
		return nil, err
	}
	p, _, err := asker.post(ctx, q.PostID)
	if err != nil {
		return nil, err
	}
	if !q.Accepted && q.Revoked == nil {
		return nil, souk.ErrNotFound
	}
	e := encoder{f.db}
	if p.Deleted != nil || q.Revoked != nil {
		doc, err := goneDocument(&tombstone{ID: e.stampURI(q), Type: "Tombstone", FormerType: "QuoteAuthorization"})
		return asker.answer(doc, err, forAll(p))
	}
	doc, err := answer(e.stamp(q, p))
	return asker.answer(doc, err, forAll(p))
}

func (e encoder) stampURI(q *souk.Quote) string {
	return fmt.Sprintf("%s/quotes/%d", e.db.BaseURL(), q.ID)
}

func (e encoder) stamp(q *souk.Quote, p *souk.Post) *quoteStamp {
	return &quoteStamp{Context: quoteContext(), ID: e.stampURI(q), Type: "QuoteAuthorization", AttributedTo: p.Account.URI,
		InteractingObject: q.URI, InteractionTarget: p.URI}
}

// quote answers who asked to quote a post, or tells that the leave was taken back.
func (t teller) quote(ctx context.Context) (note string, err error) {
	by, quoter, err := t.pair(ctx)
	if err != nil {
		return "", err
	}
	q, err := t.db.Quote(ctx, t.ObjectID)
	if err != nil {
		return "", err
	}
	p, err := t.db.PostForDelivery(ctx, q.PostID)
	if err != nil {
		return "", err
	}
	id := t.db.NewID()
	if t.Kind == souk.EventQuoteAnswered {
		return t.toOne(ctx, id, t.quoteAnswer(t.activityURI(id), q, p, quoter), by, quoter)
	}
	reached, err := t.db.Reached(ctx, p.ID)
	if err != nil {
		return "", err
	}
	_, err = t.queue(ctx, id, t.quoteRevoked(t.activityURI(id), q, p, quoter), by.ID, t.stampURI(q), nil, false, append(inboxOf(quoter, false), reached...))
	return "", err
}

// quoteAnswer accepts a request to quote with a stamp, or rejects it.
func (e encoder) quoteAnswer(id string, q *souk.Quote, p *souk.Post, quoter *souk.Account) activity {
	a := activity{Context: quoteContext(), ID: id, Type: "Reject", Actor: p.Account.URI, To: []string{quoter.URI},
		Object: quoteRequest{Type: "QuoteRequest", ID: q.RequestURI, Actor: quoter.URI, Object: p.URI, Instrument: q.URI}}
	if q.Accepted && q.Revoked == nil {
		a.Type, a.Result = "Accept", e.stampURI(q)
	}
	return a
}

// quoteRevoked deletes a stamp.
func (e encoder) quoteRevoked(id string, q *souk.Quote, p *souk.Post, quoter *souk.Account) activity {
	to, cc := audience(p, p.Mentions)
	return activity{Context: plainContext(), ID: id, Type: "Delete", Actor: p.Account.URI, To: append(to, quoter.URI), CC: cc, Object: e.stampURI(q)}
}
