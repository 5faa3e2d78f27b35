package federation

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"souk"
)

// features is where an actor of this world pins its posts.
func features(actor string) string { return actor + "/featured" }

// targeting names the target of an activity.
func targeting(target func(w *world) string) func(*world, m) {
	return func(w *world, a m) { a["target"] = target(w) }
}

// quoting names the post that would quote.
func quoting(instrument func(w *world) any) func(*world, m) {
	return func(w *world, a m) { a["instrument"] = instrument(w) }
}

// forgedOthers are activities about collections, accounts and quotes of others.
func forgedOthers() []forgery {
	of := func(actor func(*world) (*otherNode, string)) func(*world, m) {
		return targeting(func(w *world) string { _, uri := actor(w); return features(uri) })
	}
	benNote := func(w *world) any { return w.benNote }
	post := func(w *world) any { return w.annaPost.URI }
	const pins, moves, quotes = "ActivityPub 7.8, 7.9 (Add, Remove)", "FEP-7628", "FEP-044f"
	rows := stoppedBy(pins, "featuredBy", []forgery{
		{attack: named("eve pins ben's note to his profile"), from: eve, kind: "Add", object: benNote, activity: of(ben)},
		{attack: named("eve pins ben's note to hers"), from: eve, kind: "Add", object: benNote, activity: of(eve)},
		{attack: named("ben's neighbour pins his note to his profile"), from: carol, kind: "Add", object: benNote, activity: of(ben)},
		{attack: attack{name: "ben's neighbour pins his note to hers", guard: "applyAdd"}, from: carol, kind: "Add", object: benNote, activity: of(carol)},
		{attack: named("eve pins anna's post"), from: eve, kind: "Add", object: post, activity: of(eve)},
		{attack: named("eve adds herself to anna's followers"), from: eve, kind: "Add", object: func(w *world) any { return w.eve },
			activity: targeting(func(w *world) string { return w.anna.FollowersURI })},
		{attack: named("eve pins to anna's profile"), from: eve, kind: "Add", object: post, activity: targeting(func(w *world) string { return w.anna.FeaturedURI })},
		{attack: named("ben pins what is at eve's server"), from: ben, kind: "Add", object: func(w *world) any { return w.evil.URL + "/notes/1" }, activity: of(ben)},
		{attack: named("a pin without a target"), from: ben, kind: "Add", object: benNote},
		{attack: named("eve takes ben's pin from his profile"), from: eve, kind: "Remove", object: benNote, activity: of(ben)},
		{attack: named("eve takes ben's pin from hers"), from: eve, kind: "Remove", object: benNote, activity: of(eve)},
		{attack: named("ben's neighbour takes his pin from his profile"), from: carol, kind: "Remove", object: benNote, activity: of(ben)},
		{attack: named("eve takes ben from anna's followers"), from: eve, kind: "Remove", object: func(w *world) any { return w.ben },
			activity: targeting(func(w *world) string { return w.anna.FollowersURI })},
	})
	rows = append(rows, stoppedBy(moves, "applyMove", []forgery{
		{attack: named("the neighbour moves ben to herself"), from: carol, kind: "Move", object: func(w *world) any { return w.ben }, activity: targeting(func(w *world) string { return w.carol })},
		{attack: attack{name: "eve moves ben, whom she calls her own", guard: "agreesToMove", clause: "FEP-7628, pull mode"}, from: eve, kind: "Move",
			object: func(w *world) any { return w.ben }, activity: targeting(func(w *world) string { return w.eve })},
		{attack: named("eve moves ben to his neighbour"), from: eve, kind: "Move", object: func(w *world) any { return w.ben }, activity: targeting(func(w *world) string { return w.carol })},
		{attack: named("eve moves ben, embedded with her word for it"), from: eve, kind: "Move",
			object:   func(w *world) any { return with(w.honest.actor(w.t, "ben"), "movedTo", w.eve) },
			activity: targeting(func(w *world) string { return w.eve })},
		{attack: named("eve moves anna"), from: eve, kind: "Move", object: func(w *world) any { return w.anna.URI }, activity: targeting(func(w *world) string { return w.eve })},
		{attack: named("eve moves to ben, who knows nothing of it"), from: eve, kind: "Move", object: func(w *world) any { return w.eve }, activity: targeting(func(w *world) string { return w.ben })},
		{attack: named("eve moves to anna"), from: eve, kind: "Move", object: func(w *world) any { return w.eve }, activity: targeting(func(w *world) string { return w.anna.URI })},
	})...)
	rows = append(rows, stoppedBy(quotes, "applyQuoteRequest", []forgery{
		{attack: named("a quote in a post of ben's, asked for by eve"), from: eve, kind: "QuoteRequest", object: post, activity: quoting(func(w *world) any { return w.honest.URL + "/notes/q" })},
		{attack: named("a quote by ben in a post at eve's"), from: ben, kind: "QuoteRequest", object: post, activity: quoting(func(w *world) any { return w.evil.URL + "/notes/q" })},
		{attack: named("a quote in a post that says it is the neighbour's"), from: ben, kind: "QuoteRequest", object: post,
			activity: quoting(func(w *world) any { return w.honest.note(w.carol, "/notes/q", "look") })},
		{attack: named("a quote in no post"), from: ben, kind: "QuoteRequest", object: post},
		{attack: named("a quote in two posts"), from: ben, kind: "QuoteRequest", object: post,
			activity: quoting(func(w *world) any { return []any{w.honest.URL + "/notes/q", w.honest.URL + "/notes/r"} })},
		{attack: named("leave to quote ben's note, asked of this node"), from: eve, kind: "QuoteRequest", object: benNote,
			activity: quoting(func(w *world) any { return w.evil.URL + "/notes/q" })},
		{attack: attack{name: "leave to quote what eve may not read", guard: "knownPost"}, from: eve, kind: "QuoteRequest", object: func(w *world) any { return w.secret.URI },
			activity: quoting(func(w *world) any { return w.evil.URL + "/notes/q" })},
	})...)
	return append(rows, stoppedBy("ActivityPub 7; Mastodon's Flag and Block", "applyFlag", []forgery{
		{attack: named("a report about nothing of this node"), from: eve, kind: "Flag", object: func(w *world) any { return []any{w.ben, w.benNote} }},
		{attack: attack{name: "a block between others", guard: "applyBlock"}, from: eve, kind: "Block", object: func(w *world) any { return w.ben }},
	})...)
}

// Nobody pins, moves, or asks to quote for another. What is one's own works: see the end.
func TestForgedOthers(t *testing.T) {
	t.Parallel()
	w := attacked(t)
	w.honest.serve("/users/ben", with(w.honest.actor(t, "ben"), "featured", features(w.ben)))
	// Eve and carol say that ben and anna are they: that alone moves nobody.
	claims := []any{w.ben, w.carol, w.anna.URI}
	w.evil.serve("/users/eve", with(with(w.evil.actor(t, "eve"), "featured", features(w.eve)), "alsoKnownAs", claims))
	w.honest.serve("/users/carol", with(with(w.honest.actor(t, "carol"), "featured", features(w.carol)), "alsoKnownAs", claims))
	for i, who := range []func(*world) (*otherNode, string){ben, carol, eve} {
		node, uri := who(w)
		w.done(t, node, node.activity("Update", uri, "/featured/"+formatID(int64(i)), with(node.actor(t, uri[strings.LastIndex(uri, "/")+1:]), "featured", features(uri))))
	}
	pin := func(kind, path string) m {
		return with(w.honest.activity(kind, w.ben, path, w.benNote), "target", features(w.ben))
	}
	w.done(t, w.honest, pin("Add", "/pins/1"))
	pinned := func() int { return w.count(t, `select count(*) from pins`) }
	if pinned() != 1 {
		t.Fatalf("%d pins", pinned())
	}
	w.try(t, forgedOthers())
	w.done(t, w.honest, pin("Remove", "/pins/2"))
	if pinned() != 0 {
		t.Error("ben's own pin is still there")
	}
	w.done(t, w.honest, w.honest.asksToQuote(w.ben, "/quotes/1", w.annaPost.URI, w.honest.URL+"/notes/q"))
	if w.count(t, `select count(*) from quotes where accepted`) != 1 {
		t.Error("ben's own request is not answered")
	}
	w.done(t, w.evil, w.evil.activity("Flag", w.eve, "/flags/1", []any{w.anna.URI, w.benNote}))
	if w.count(t, `select count(*) from reports`) != 1 {
		t.Error("a report about anna is not there")
	}
}

// The list of followers that a delivery offers is asked for only where its signer may speak of it: nothing else in the field
// makes the node ask anybody, and however often it differs it is one question (FEP-8fcf).
func TestSyncFieldGames(t *testing.T) {
	t.Parallel()
	w := attacked(t)
	a := ok(w.db.AccountByURI(t.Context(), w.ben))(t)
	list, digest := w.honest.URL+"/users/ben/followers_synchronization", souk.FollowDigest{}.String()
	field := func(collection, url, digest string) string {
		return `collectionId="` + collection + `", url="` + url + `", digest="` + digest + `"`
	}
	sent := 0
	says := func(from *otherNode, by string, values ...string) int {
		t.Helper()
		sent++
		body := encoded(t, from.activity("Like", by, "/sync/"+formatID(int64(sent)), w.annaPost.URI))
		req := ok(http.NewRequest(http.MethodPost, w.db.BaseURL()+"/inbox", bytes.NewReader(body)))(t)
		req.Header.Set("Content-Type", activityMedia)
		req.Header[syncField] = values[:1]
		must(t, SignCavage(req, body, by+"#main-key", from.key, w.clock.Now()))
		req.Header[syncField] = values
		w.receives(t, &SignedRequest{Method: req.Method, URL: req.URL, Header: req.Header, Body: body})
		return w.count(t, `select count(*) from river_job where kind = 'sync_follows'`)
	}
	good := field(a.FollowersURI, list, digest)
	for name, queued := range map[string]int{
		"ben's followers, told by eve":        says(w.evil, w.eve, good),
		"ben's followers at eve's":            says(w.evil, w.eve, field(a.FollowersURI, w.evil.URL+"/list", digest)),
		"the neighbour speaks of ben's":       says(w.honest, w.carol, good),
		"a list inside":                       says(w.honest, w.ben, field(a.FollowersURI, "http://169.254.169.254/latest", digest)),
		"a list at another port":              says(w.honest, w.ben, field(a.FollowersURI, "http://127.0.0.1:1/list", digest)),
		"a list with a user name":             says(w.honest, w.ben, field(a.FollowersURI, strings.Replace(list, "http://", "http://shop.example@", 1), digest)),
		"a list of javascript":                says(w.honest, w.ben, field(a.FollowersURI, "javascript:alert(1)", digest)),
		"this node's list":                    says(w.honest, w.ben, field(a.FollowersURI, w.db.BaseURL()+"/users/anna/followers_synchronization", digest)),
		"anna's followers":                    says(w.honest, w.ben, field(w.anna.FollowersURI, list, digest)),
		"a second field, which nobody signed": says(w.honest, w.ben, good, field(a.FollowersURI, list, strings.Repeat("0", 64))),
		"a field beyond all measure":          says(w.honest, w.ben, good+`, x="`+strings.Repeat("x", maxSignatureField)+`"`),
		"nothing":                             says(w.honest, w.ben, ""),
		"a quote that does not end":           says(w.honest, w.ben, strings.TrimSuffix(good, `"`)),
	} {
		if queued != 0 {
			t.Errorf("%s: %d questions", name, queued)
		}
	}
	for range 3 {
		if queued := says(w.honest, w.ben, good); queued != 1 {
			t.Errorf("as it should be: %d questions", queued)
		}
	}
}
