package federation

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"testing"

	"souk"

	"github.com/jackc/pgx/v5"
)

// asksToQuote is a QuoteRequest of an actor (FEP-044f).
func (o *otherNode) asksToQuote(actor, path, post, quoting string) m {
	a := o.activity("QuoteRequest", actor, path, post)
	a["instrument"] = m{"type": "Note", "id": quoting, "attributedTo": actor, "content": "look", "quote": post}
	return a
}

// quoteAnswer is an Accept or Reject of a QuoteRequest.
type quoteAnswer struct {
	Type, Result string
	Object       quoteRequest
}

// quoteAnswers are those that this node has given, the oldest first.
func (n *testNode) quoteAnswers(t *testing.T) []quoteAnswer {
	t.Helper()
	must(t, n.Federate(t.Context()))
	rows := ok(n.pool.Query(t.Context(), `select body from activities where type in ('Accept', 'Reject')
		and convert_from(body, 'UTF8')::jsonb -> 'object' ->> 'type' = 'QuoteRequest' order by id`))(t)
	bodies := ok(pgx.CollectRows(rows, pgx.RowTo[[]byte]))(t)
	list := make([]quoteAnswer, len(bodies))
	for i, body := range bodies {
		must(t, json.Unmarshal(body, &list[i]))
	}
	return list
}

// Who asks to quote a public post gets a stamp that everybody can read; the author is told, and takes it back by a block.
func TestQuotes(t *testing.T) {
	t.Parallel()
	n := inbound(t)
	ctx := t.Context()
	peer := newOtherNode(t, 1)
	pia := peer.person(t, "pia")
	p := n.write(t, "a mug")
	must(t, n.settle(ctx))
	quoting := peer.URL + "/notes/1"
	n.done(t, peer, peer.asksToQuote(pia, "/requests/1", p.URI, quoting))
	n.done(t, peer, peer.asksToQuote(pia, "/requests/2", p.URI, quoting)) // once more, by another id
	got := n.quoteAnswers(t)
	if len(got) != 2 || got[0].Type != "Accept" || got[1].Type != "Accept" || got[0].Result != got[1].Result ||
		got[1].Object != (quoteRequest{"QuoteRequest", peer.URL + "/requests/2", pia, p.URI, quoting}) {
		t.Fatalf("answers %+v", got)
	}
	if n.count(t, `select count(*) from notifications where kind = 'quote' and account_id = $1 and post_id = $2`, n.anna.ID, p.ID) != 1 {
		t.Error("the author is not told once")
	}
	id := int64(n.count(t, `select id from quotes`))
	doc := ok(n.QuoteStamp(ctx, nil, id))(t)
	var stamp quoteStamp
	must(t, json.Unmarshal(doc.Body, &stamp))
	if stamp.ID != got[0].Result || stamp.AttributedTo != n.anna.URI || stamp.InteractingObject != quoting || stamp.InteractionTarget != p.URI || doc.Private {
		t.Errorf("stamp %s", doc.Body)
	}

	a := ok(n.ResolveActor(ctx, pia))(t)
	must(t, n.db.Block(ctx, n.anna.ID, a.ID))
	if said := n.said(t, a.Host); !slices.Contains(said, "Delete") {
		t.Errorf("said %v", said)
	}
	if doc := ok(n.QuoteStamp(ctx, nil, id))(t); doc.Status != http.StatusGone {
		t.Errorf("a stamp that was taken back: %d", doc.Status)
	}
	for _, request := range []m{peer.asksToQuote(pia, "/requests/3", p.URI, quoting), peer.asksToQuote(pia, "/requests/4", p.URI, peer.URL+"/notes/2")} {
		if state, note := n.deliver(t, peer, request); state != "ignored" {
			t.Errorf("who is blocked: %s: %s", state, note)
		}
	}
	must(t, n.db.Unblock(ctx, n.anna.ID, a.ID))
	n.done(t, peer, peer.asksToQuote(pia, "/requests/5", p.URI, quoting))
	n.done(t, peer, peer.asksToQuote(pia, "/requests/6", p.URI, peer.URL+"/notes/2"))
	if got := n.quoteAnswers(t)[2:]; len(got) != 2 || got[0].Type != "Reject" || got[0].Result != "" || got[1].Type != "Accept" {
		t.Errorf("after the block: %+v", got)
	}
}

// Nobody gets a stamp for what is not public, for a post of another, or in another's name.
func TestQuotesRefused(t *testing.T) {
	t.Parallel()
	c := newCircle(t)
	must(t, c.settle(t.Context()))
	c.done(t, c.fays, c.fays.asksToQuote(c.fay, "/requests/1", c.followers.URI, c.fays.URL+"/notes/1"))
	if got := c.quoteAnswers(t); len(got) != 1 || got[0].Type != "Reject" {
		t.Errorf("what is for followers: %+v", got)
	}
	refused := int64(c.count(t, `select id from quotes`))
	if _, err := c.QuoteStamp(t.Context(), c.by(t, c.fays, c.fay, testBase+"/quotes/1"), refused); !errors.Is(err, souk.ErrNotFound) {
		t.Errorf("a stamp that was never given: %v", err)
	}
	for what, request := range map[string]m{
		"what the sender may not read": c.sams.asksToQuote(c.sam, "/requests/2", c.followers.URI, c.sams.URL+"/notes/1"),
		"another's post":               c.sams.asksToQuote(c.sam, "/requests/3", c.public.URI, c.fays.URL+"/notes/2"),
		"no post":                      c.sams.activity("QuoteRequest", c.sam, "/requests/4", c.public.URI),
		"a post of nobody":             c.sams.asksToQuote(c.sam, "/requests/5", c.db.BaseURL()+"/posts/1", c.sams.URL+"/notes/3"),
		"a post of elsewhere":          c.sams.asksToQuote(c.sam, "/requests/6", c.fays.URL+"/notes/3", c.sams.URL+"/notes/4"),
	} {
		if state, note := c.deliver(t, c.sams, request); state == "done" {
			t.Errorf("%s: %s %s", what, state, note)
		}
	}
	c.done(t, c.fays, c.fays.asksToQuote(c.fay, "/requests/7", c.public.URI, c.fays.URL+"/notes/9"))
	if n := c.count(t, `select count(*) from quotes where accepted`); n != 1 {
		t.Errorf("%d stamps", n)
	}
}

// A neighbour who asks first, where a request says no more than the address of the quote, keeps nobody else from asking; the
// stamps of somebody who is deleted end.
func TestQuoteOfANeighbour(t *testing.T) {
	t.Parallel()
	n, peer := inbound(t), newOtherNode(t, 1)
	ctx := t.Context()
	pia, eve := peer.person(t, "pia"), peer.person(t, "eve")
	p := n.write(t, "a mug")
	must(t, n.settle(ctx))
	for i, asker := range []string{eve, pia} {
		request := peer.asksToQuote(asker, "/requests/"+formatID(int64(i+1)), p.URI, peer.URL+"/notes/1")
		request["instrument"] = peer.URL + "/notes/1"
		n.done(t, peer, request)
	}
	got := n.quoteAnswers(t)
	if len(got) != 2 || got[1].Type != "Accept" || got[1].Object.Actor != pia || got[0].Result == got[1].Result {
		t.Fatalf("answers %+v", got)
	}
	must(t, n.db.Block(ctx, n.anna.ID, ok(n.ResolveActor(ctx, eve))(t).ID))
	if c := n.count(t, `select count(*) from quotes where revoked is null`); c != 1 {
		t.Errorf("%d stamps stand after the first asker was blocked", c)
	}
	must(t, n.db.DeleteRemoteAccount(ctx, pia))
	if c := n.count(t, `select count(*) from quotes where revoked is null`); c != 0 {
		t.Errorf("%d stamps stand after the second one was deleted", c)
	}
}
