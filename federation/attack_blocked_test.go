package federation

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"souk"
)

// smuggling is an activity of somebody who may send, by which a suspended host, its people or their words would come in.
// Where it is inert it does nothing of the kind for hosts that are not suspended either.
type smuggling struct {
	forgery
	inert bool
}

// besieged is a world with a third server, of bea, whom anna followed and of whom one note is kept.
func besieged(t *testing.T) *world {
	t.Helper()
	w := attacked(t)
	w.bad = newOtherNode(t, 0, "127.0.0.3")
	w.bea = w.bad.person(t, "bea")
	w.bad.serve("/users/bea", with(w.bad.actor(t, "bea"), "alsoKnownAs", []any{w.ben}))
	w.follow(t, w.bad, w.bea)
	w.done(t, w.bad, w.bad.activity("Create", w.bea, "/activities/known", w.bad.note(w.bea, "/notes/known", "<p>Bea's words</p>")))
	gang := w.honest.person(t, "gang")
	w.honest.serve("/users/gang", with(w.honest.actor(t, "gang"), "type", "Group"))
	w.follow(t, w.honest, gang)
	return w
}

func gang(w *world) (*otherNode, string) { return w.honest, w.honest.URL + "/users/gang" }

// beas is a note of bea's that nobody has here, served by her server; each call makes another.
func (w *world) beas() m {
	w.actors++
	path := fmt.Sprintf("/notes/unknown%d", w.actors)
	note := w.bad.note(w.bea, path, "<p>More of Bea's words</p>")
	w.bad.serve(path, note)
	return note
}

// bens is a note of ben's that was not sent yet, changed.
func (w *world) bens(change func(m)) m {
	w.actors++
	path := fmt.Sprintf("/notes/carrier%d", w.actors)
	note := w.honest.note(w.ben, path, "<p>Ben's words</p>")
	change(note)
	w.honest.serve(path, note)
	return note
}

// carrying is a note of ben's with something of bea's in a property.
func carrying(key string, value func(w *world) any) func(w *world) any {
	return func(w *world) any { return w.bens(func(note m) { note[key] = value(w) }) }
}

func smugglings() []smuggling {
	known := func(w *world) any { return w.bad.URL + "/notes/known" }
	unknown := func(w *world) any { return w.beas()["id"] }
	embedded := func(w *world) any { return w.beas() }
	beaHerself := func(w *world) any { return w.bad.actor(w.t, "bea") }
	page := func(item func(w *world) any) func(w *world) any {
		return func(w *world) any {
			return m{"type": "Collection", "totalItems": 1, "first": m{"type": "CollectionPage", "items": []any{item(w)}}}
		}
	}
	create := func(w *world) any {
		note := w.beas()
		return w.bad.activity("Create", w.bea, "/c"+note["id"].(string)[len(w.bad.URL):], note)
	}
	changedBen := func(key string, value func(w *world) any) func(w *world) any {
		return func(w *world) any { return with(w.honest.actor(w.t, "ben"), key, value(w)) }
	}
	at := func(path string) func(w *world) any { return func(w *world) any { return w.bad.URL + path } }
	const (
		suspension = "GHSA-5h2f-wg8j-xqwp (CVE-2026-23961): a suspended account's posts by way of others"
		trusted    = "FEP-fe34: what is embedded is of its own origin, or read there"
	)
	row := func(name, clause, guard string, from func(*world) (*otherNode, string), kind string, object func(w *world) any) smuggling {
		return smuggling{forgery: forgery{attack: attack{name: name, clause: clause, guard: guard}, from: from, kind: kind, object: object}}
	}
	inert := func(s smuggling) smuggling { s.inert = true; return s }
	aimed := func(s smuggling, key string, value func(w *world) any) smuggling {
		s.activity = func(w *world, a m) { a[key] = value(w) }
		return s
	}
	return []smuggling{
		row("a boost of her note that is kept", suspension, "reactable", ben, "Announce", known),
		row("a boost of an unknown note of hers", suspension, "fetch", ben, "Announce", unknown),
		row("a boost with her note in it", suspension, "fetch", ben, "Announce", embedded),
		row("a boost with her Create in it", suspension, "fetch", ben, "Announce", create),
		row("a group passes her Create on", suspension, "fetch", gang, "Announce", create),
		row("a group passes her answer on", suspension, "fetch", gang, "Announce", func(w *world) any {
			note := with(w.beas(), "inReplyTo", w.annaPost.URI)
			return w.bad.activity("Create", w.bea, "/c"+note["id"].(string)[len(w.bad.URL):], note)
		}),
		row("a group passes her edit on", suspension, "fetch", gang, "Announce", func(w *world) any {
			note := edited(w.bad.note(w.bea, "/notes/known", "<p>Bea's other words</p>"))
			w.bad.serve("/notes/known", note)
			return w.bad.activity("Update", w.bea, "/u/known", note)
		}),
		row("a group passes a like of her note on", suspension, "reactable", gang, "Announce", func(w *world) any {
			return w.honest.activity("Like", w.ben, fmt.Sprintf("/likes/%d", w.actors), w.bad.URL+"/notes/known")
		}),
		inert(row("a group passes her like on", suspension, "applyGrouped", gang, "Announce", func(w *world) any { return w.bad.activity("Like", w.bea, "/likes/1", w.annaPost.URI) })),
		row("a like of her note", suspension, "reactable", ben, "Like", known),
		row("a like with her note in it", suspension, "reactable", carol, "Like", func(w *world) any { return w.bad.note(w.bea, "/notes/known", "x") }),
		row("an answer to an unknown note of hers", suspension, "fetch", ben, "Create", carrying("inReplyTo", unknown)),
		row("an answer with her note in it", suspension, "fetch", ben, "Create", carrying("inReplyTo", embedded)),
		inert(row("her note as ben's", trusted, "ownObject", ben, "Create", embedded)),
		inert(row("an address of her note as ben's", trusted, "ownObject", ben, "Create", unknown)),
		inert(row("her Create as what ben made", trusted, "ownObject", ben, "Create", create)),
		inert(row("a note by both", trusted, "owner", ben, "Create", carrying("attributedTo", func(w *world) any { return []any{w.bea, w.ben} }))),
		inert(row("a note by her, whole", trusted, "owner", ben, "Create", carrying("attributedTo", beaHerself))),
		inert(row("an actor of hers inside the object", trusted, "ownObject", ben, "Create", carrying("actor", beaHerself))),
		inert(row("her answers below", "ActivityPub 5: collections are whose they are", "decodeRemote", ben, "Create", carrying("replies", page(embedded)))),
		inert(row("her likes of it", "ActivityPub 5", "decodeRemote", ben, "Create", carrying("likes", page(create)))),
		inert(row("her shares of it", "ActivityPub 5", "decodeRemote", ben, "Create", carrying("shares", page(create)))),
		inert(row("a conversation of hers", "FEP-7888", "decodeRemote", ben, "Create", carrying("context", page(embedded)))),
		inert(row("a tag that is her", "ActivityStreams 4.5", "decodeRemote", ben, "Create", carrying("tag", func(w *world) any { return []any{beaHerself(w), embedded(w)} }))),
		inert(row("an attachment that is her note", "ActivityStreams 4.5", "decodeRemote", ben, "Create", carrying("attachment", embedded))),
		inert(row("a quote of her note", "FEP-044f, FEP-e232", "decodeRemote", ben, "Create", carrying("quote", embedded))),
		inert(row("a link to quote her note", "FEP-e232", "decodeRemote", ben, "Create", carrying("tag", func(w *world) any {
			return []any{m{"type": "Link", "mediaType": activityMedia, "href": unknown(w), "name": "RE"}}
		}))),
		row("a note at ben's server that is a redirect to hers", "ActivityPub 3.2; redirects", "follow", ben, "Announce", func(w *world) any {
			w.honest.serve("/notes/redirect", redirect(unknown(w).(string)))
			return w.honest.URL + "/notes/redirect"
		}),
		row("a document at ben's server with her note's id", trusted, "fetch", ben, "Announce", func(w *world) any {
			w.honest.serve("/notes/hers", w.beas())
			return w.honest.URL + "/notes/hers"
		}),
		row("a Create at ben's server about her note", trusted, "fetch", ben, "Announce", func(w *world) any {
			w.honest.serve("/creates/hers", with(w.honest.activity("Create", w.ben, "/creates/hers", unknown(w)), "to", publicAudience))
			return w.honest.URL + "/creates/hers"
		}),
		inert(row("a note at ben's server by her", trusted, "authorOf", ben, "Announce", carrying("attributedTo", func(w *world) any { return w.bea }))),
		aimed(row("a move to her", "FEP-7628", "fetch", ben, "Move", func(w *world) any { return w.ben }), "target", func(w *world) any { return w.bea }),
		aimed(inert(row("a move to her, whole", "FEP-7628", "fetch", ben, "Move", func(w *world) any { return w.ben })), "target", beaHerself), // the one before has moved ben
		inert(row("ben with an inbox there", "ActivityPub 4.1", "sameOriginOrNone", ben, "Update", changedBen("inbox", at("/inbox")))),
		inert(row("ben with a shared inbox there", "ActivityPub 4.1", "sameOriginOrNone", ben, "Update", changedBen("endpoints", func(w *world) any { return m{"sharedInbox": w.bad.URL + "/inbox"} }))),
		inert(row("ben with an outbox there", "ActivityPub 4.1", "sameOriginOrNone", ben, "Update", changedBen("outbox", at("/users/bea/outbox")))),
		inert(row("ben with her followers", "ActivityPub 4.1", "sameOriginOrNone", ben, "Update", changedBen("followers", at("/users/bea/followers")))),
		inert(row("ben who features hers", "ActivityPub 4.1", "sameOriginOrNone", ben, "Update", changedBen("featured", at("/users/bea/featured")))),
		inert(row("ben who is known as her", "FEP-7628", "decodeActor", ben, "Update", changedBen("alsoKnownAs", func(w *world) any { return []any{w.bea} }))),
		inert(row("ben with her key", "FEP-fe34", "keys", ben, "Update", changedBen("publicKey", func(w *world) any {
			return []any{m{"id": w.bea + "#main-key", "owner": w.bea, "publicKeyPem": publicPEM(w.t, w.bad.key)}, w.honest.actor(w.t, "ben")["publicKey"]}
		}))),
		inert(row("her profile as ben's", trusted, "ownObject", ben, "Update", beaHerself)),
		aimed(inert(row("her note on ben's profile", "ActivityPub 7.8", "featuredBy", ben, "Add", known)), "target", func(w *world) any { return features(w.ben) }),
		aimed(inert(row("her note on her profile, by ben", "ActivityPub 7.8", "featuredBy", ben, "Add", known)), "target", func(w *world) any { return features(w.bea) }),
		inert(row("a report about her, to this node", "ActivityPub 7; Mastodon's Flag", "applyFlag", ben, "Flag", func(w *world) any { return []any{beaHerself(w), embedded(w)} })),
		aimed(inert(row("leave for her to quote", "FEP-044f", "applyQuoteRequest", ben, "QuoteRequest", func(w *world) any { return w.annaPost.URI })), "instrument", embedded),
		inert(row("an offer of what is hers", "FEP-0837", "offered", ben, "Offer", func(w *world) any {
			return m{"type": "Agreement", "attributedTo": w.bea, "stipulates": m{"type": "Commitment", "satisfies": w.bad.URL + "/listings/1#primary",
				"resourceQuantity": m{"hasUnit": "one", "hasNumericalValue": "1"}}}
		})),
		inert(row("a follow of her", "ActivityPub 7.5", "local", ben, "Follow", func(w *world) any { return w.bea })),
		inert(row("her follow, accepted by ben", "ActivityPub 7.6", "applyAnswer", ben, "Accept", func(w *world) any {
			return m{"type": "Follow", "id": w.bad.URL + "/follows/9", "actor": w.bea, "object": w.ben}
		})),
		inert(row("her follow, taken back by ben", "ActivityPub 7.8", "applyUndo", ben, "Undo", func(w *world) any {
			return m{"type": "Follow", "id": w.bad.URL + "/follows/9", "actor": w.bea, "object": w.anna.URI}
		})),
		inert(row("her note, deleted by ben", "ActivityPub 7.4", "planDelete", ben, "Delete", known)),
		inert(row("her block, told by ben", "ActivityPub 6.9", "applyBlock", ben, "Block", func(w *world) any { return w.bea })),
	}
}

// ofBad is all that is kept of the third server, and how often it was asked for something. What ben writes is his own, though it
// may hold an address there.
func (w *world) ofBad(t *testing.T) string {
	t.Helper()
	var tables []string
	must(t, w.pool.QueryRow(t.Context(), `select array_agg(tablename::text order by tablename) from pg_tables where schemaname = 'public'
		and tablename not like 'river%' and tablename not in ('goose_db_version', 'inbox', 'undone', 'hosts', 'host_blocks', 'search_outbox')`).Scan(&tables))
	var of []string
	must(t, w.pool.QueryRow(t.Context(), `select array_agg('%' || id || '%') || ('%' || $1 || '%') from (select id from accounts where host = $1
		union all select p.id from posts p join accounts a on a.id = p.account_id where a.host = $1) ids`, w.bad.host()).Scan(&of))
	var all strings.Builder
	for _, table := range tables {
		where := ""
		switch table {
		case "accounts":
			where = ` and r.host = '` + w.bad.host() + `'`
		case "posts":
			where = ` and (r.kind = 'boost' or r.uri not like '` + w.honest.URL + `%')`
		case "activities": // which say again what others did
			where = ` and false`
		}
		var rows string
		must(t, w.pool.QueryRow(t.Context(), `select coalesce(string_agg(row, E'\n' order by row), '') from (select (to_jsonb(r) - '{fetched,updated,seen,version}'::text[])::text as row
			from `+table+` r where r::text like any($1)`+where+`) rows`, of).Scan(&rows))
		all.WriteString(table + "\n" + rows + "\n--\n")
	}
	asked := 0
	w.bad.mu.Lock()
	defer w.bad.mu.Unlock()
	for _, n := range w.bad.asked {
		asked += n
	}
	return all.String() + fmt.Sprint("asked ", asked)
}

// smuggle plays all rows, and says of which something came in.
func (w *world) smuggle(t *testing.T, came func(s smuggling, state, note, difference string)) {
	t.Helper()
	before := w.ofBad(t)
	for i, s := range smugglings() {
		node, actor := s.from(w)
		a := node.activity(s.kind, actor, fmt.Sprintf("/smuggled/%d", i), s.object(w))
		if s.activity != nil {
			s.activity(w, a)
		}
		state, note := w.deliver(t, node, a)
		after := w.ofBad(t)
		came(s, state, note, difference(before, after))
		before = after
	}
}

// A suspended host comes in by nobody's activity: it is not asked, nothing of it is kept that was not there, and what was there is shown
// nowhere. The control is the same world without the suspension.
func TestSuspendedHostsAreNotSmuggledIn(t *testing.T) {
	t.Parallel()
	w := besieged(t)
	must(t, w.db.BlockHost(t.Context(), w.anna.ID, "127.0.0.3", souk.Suspend, ""))
	w.smuggle(t, func(s smuggling, state, note, difference string) {
		if difference != "" {
			t.Errorf("%s (%s %s):\n%s", s.name, state, note, difference)
		}
	})
	for name, list := range map[string]func() ([]souk.Post, error){
		"home":   func() ([]souk.Post, error) { return w.db.Home(t.Context(), w.anna.ID, souk.Page{Limit: 80}) },
		"public": func() ([]souk.Post, error) { return w.db.PublicTimeline(t.Context(), false, souk.Page{Limit: 80}) },
	} {
		for _, p := range ok(list())(t) {
			if p.Account.URI == w.bea || p.BoostOf != nil && p.BoostOf.Account.URI == w.bea {
				t.Errorf("%s shows %s", name, p.URI)
			}
		}
	}
}

func TestHostsThatAreNotSuspendedComeIn(t *testing.T) {
	t.Parallel()
	w := besieged(t)
	w.smuggle(t, func(s smuggling, state, note, difference string) {
		if difference == "" && !s.inert {
			t.Errorf("%s changes nothing where nothing is suspended (%s %s)", s.name, state, note)
		}
	})
}

// However a suspended name is written, it is the suspended one, or no name at all.
func TestNamesOfSuspendedHosts(t *testing.T) {
	t.Parallel()
	w := attacked(t)
	must(t, w.db.BlockHosts(t.Context(), w.anna.ID, []souk.HostBlock{{Domain: "bücher.example", Severity: souk.Suspend}, {Domain: "192.0.2.7", Severity: souk.Suspend}}))
	before := w.state(t)
	for host, want := range map[string]int{
		"bad.example": 403, "BAD.Example": 403, "bad.example:8443": 403, "bad.example:80": 403, "bad.example:0443": 403, "www.bad.example": 403, "a.b.BAD.example:1": 403,
		"ｂａｄ.example": 403, "bad。example": 403, "ⓑad.example": 403, "b\u00adad.example": 403, "bücher.example": 403, "BÜCHER.example": 403, "bu\u0308cher.example": 403,
		"xn--bcher-kva.example": 403, "XN--BCHER-KVA.example": 403, "www.bücher.example:8443": 403, "192.0.2.7": 403, "192.0.2.7:8443": 403,
		"bad.example.": 400, ".bad.example": 400, "bad..example": 400, "bad.example%2e": 400, "bad%2eexample": 400, "user@bad.example": 400, "bad.example\u200b": 403,
	} {
		actor := "http://" + host + "/users/x"
		body := encoded(t, m{"@context": activityStreamsProfile, "id": actor + "/1", "type": "Like", "actor": actor, "object": w.annaPost.URI})
		var refused *RefusedError // whoever signed: that comes later
		if _, err := w.Receive(t.Context(), w.signedBy(t, w.eve+"#main-key", w.evil.key, body)); !errors.As(err, &refused) || refused.Status != want ||
			(want == 403) != (refused.Reason == "the sender is blocked here") {
			t.Errorf("%q: %v, want %d", host, err, want)
		}
		if want == 403 {
			if _, err := w.ResolvePost(t.Context(), actor); !errors.Is(err, souk.ErrForbidden) {
				t.Errorf("%q is asked for a post: %v", host, err)
			}
		}
	}
	if after := w.state(t); after != before {
		t.Errorf("something changed:\n%s", difference(before, after))
	}
	// The controls: names that only look alike.
	for host, refused := range map[string]bool{"notbad.example": false, "bad.example.net": false, "192.0.2.70": false, "7.192.0.2.7": false, "bad.example": true} {
		if got := ok(w.db.Refused(t.Context(), host, ""))(t); got != refused {
			t.Errorf("%s: refused %v", host, got)
		}
	}
}
