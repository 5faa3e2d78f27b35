package federation

import (
	"net/http"
	"strings"
	"testing"
)

// tampered is ben's note with other words.
func (w *world) tampered() m { return w.honest.note(w.ben, "/notes/1", "<p>Not ben's words</p>") }

func edited(o m) m { return with(o, "updated", "2026-11-22T08:30:00Z") }

func many(n int, v any) []any {
	list := make([]any, n)
	for i := range list {
		list[i] = v
	}
	return list
}

func forgedCreates() []forgery {
	return stoppedBy("FEP-fe34 (GHSA-3fjr-858r-92rw)", "ownObject", []forgery{
		{attack: attack{name: "ben's note from eve", clause: "FEP-fe34: attributedTo = actor, origins equal"}, from: eve, kind: "Create",
			object: func(w *world) any { return w.honest.note(w.ben, "/notes/2", "forged") }},
		{attack: named("a note at ben's server by eve"), from: eve, kind: "Create",
			object: func(w *world) any { return w.honest.note(w.eve, "/notes/2", "forged") }},
		{attack: named("a note at eve's server by ben"), from: eve, kind: "Create",
			object: func(w *world) any { return w.evil.note(w.ben, "/notes/2", "forged") }},
		{attack: named("a note by nobody"), from: eve, kind: "Create", object: func(w *world) any {
			o := w.evil.note(w.eve, "/notes/2", "forged")
			delete(o, "attributedTo")
			return o
		}},
		{attack: named("the neighbour's note"), from: carol, kind: "Create",
			object: func(w *world) any { return w.honest.note(w.ben, "/notes/2", "forged") }},
		{attack: named("a note of this node"), from: eve, kind: "Create",
			object: func(w *world) any { return with(w.evil.note(w.eve, "", "forged"), "id", w.annaPost.URI) }},
		{attack: named("a listing of ben's from eve"), from: eve, kind: "Create",
			object: func(w *world) any { return w.honest.listing(w.ben, "/listings/1", "Blue mug", "0.01") }},
		{attack: named("an address of ben's server"), from: eve, kind: "Create", object: func(w *world) any { return w.benNote }},
		{attack: named("an address of eve's server that holds ben's note"), from: eve, kind: "Create",
			object: func(w *world) any { return w.evil.URL + "/notes/foreign" }},
		{attack: attack{name: "an address inside", clause: "SSRF"}, from: eve, kind: "Create", object: func(*world) any { return "http://169.254.169.254/latest" }},
		{attack: attack{name: "an own id, and ben's note beside it", clause: "one is checked, the other used"}, from: eve, kind: "Create",
			object: func(w *world) any { return []any{w.evil.URL + "/notes/2", w.honest.note(w.eve, "/notes/2", "forged")} }},
		{attack: named("two ids in one"), from: eve, kind: "Create", object: func(w *world) any {
			return with(with(w.honest.note(w.eve, "/notes/2", "forged"), "id", []any{w.honest.URL + "/notes/2"}), "href", w.evil.URL+"/notes/2")
		}},
		{attack: named("no id"), from: eve, kind: "Create", object: func(w *world) any { return with(w.evil.note(w.eve, "/notes/2", "x"), "id", nil) }},
		{attack: named("an id of javascript"), from: eve, kind: "Create",
			object: func(w *world) any { return with(w.evil.note(w.eve, "/notes/2", "x"), "id", "javascript:alert(1)") }},
		{attack: named("no object"), from: eve, kind: "Create", object: func(*world) any { return nil }},
		{attack: named("an actor as a post"), from: eve, kind: "Create",
			object: func(w *world) any {
				return with(w.evil.note(w.eve, "/notes/2", "x"), "type", "Person")
			}},
		{attack: attack{name: "101 tags", clause: "amplification in go-fed"}, from: eve, kind: "Create",
			object: func(w *world) any {
				return with(w.evil.note(w.eve, "/notes/2", "x"), "tag", many(101, m{"type": "Hashtag", "name": "#a"}))
			}},
		{attack: named("101 attachments"), from: eve, kind: "Create",
			object: func(w *world) any {
				return with(w.evil.note(w.eve, "/notes/2", "x"), "attachment", many(101, m{"type": "Document"}))
			}},
		{attack: named("101 recipients"), from: eve, kind: "Create", object: func(w *world) any { return w.evil.note(w.eve, "/notes/2", "x") },
			activity: func(_ *world, a m) { a["to"] = many(101, publicAudience) }},
		{attack: named("101 answers, deep inside"), from: eve, kind: "Create",
			object: func(w *world) any {
				return with(w.evil.note(w.eve, "/notes/2", "x"), "oneOf", []any{m{"x": many(101, 1)}})
			}},
		{attack: named("a vote in a poll"), from: eve, kind: "Create",
			object: func(w *world) any {
				return with(with(w.evil.note(w.eve, "/notes/2", ""), "name", "yes"), "content", nil)
			}},
		{attack: named("for nobody here"), from: carol, kind: "Create", object: func(w *world) any { return w.honest.note(w.carol, "/notes/2", "hello all") }},
	})
}

func TestForgedCreate(t *testing.T) {
	t.Parallel()
	w := attacked(t)
	// What eve's server says of addresses that are not its own.
	w.evil.serve("/notes/foreign", w.tampered())
	w.try(t, forgedCreates())
	w.done(t, w.evil, w.evil.activity("Create", w.eve, "/own/1", w.evil.note(w.eve, "/notes/own", "<p>Eve's own</p>")))
	if p := w.post(t, w.evil.URL+"/notes/own"); p.HTML != "<p>Eve&#39;s own</p>" {
		t.Errorf("eve's own note: %q", p.HTML)
	}
	w.evil.serve("/notes/byid", w.evil.note(w.eve, "/notes/byid", "<p>By id</p>"))
	w.done(t, w.evil, w.evil.activity("Create", w.eve, "/own/2", w.evil.URL+"/notes/byid"))
	w.post(t, w.evil.URL+"/notes/byid")
}

func forgedUpdates() []forgery {
	return stoppedBy("FEP-fe34; ActivityPub 7.3", "ownObject", []forgery{
		{attack: attack{name: "ben's note by eve", clause: "ActivityPub 7.3, FEP-fe34"}, from: eve, kind: "Update", object: func(w *world) any { return edited(w.tampered()) }},
		{attack: named("ben's note, now by eve"), from: eve, kind: "Update", object: func(w *world) any { return with(edited(w.tampered()), "attributedTo", w.eve) }},
		{attack: attack{name: "ben's note by the neighbour", clause: "owner of what is stored = actor"}, from: carol, kind: "Update",
			object: func(w *world) any { return with(edited(w.tampered()), "attributedTo", w.carol) }},
		{attack: named("ben's note, still ben's, sent by the neighbour"), from: carol, kind: "Update", object: func(w *world) any { return edited(w.tampered()) }},
		{attack: named("ben's listing by the neighbour"), from: carol, kind: "Update",
			object: func(w *world) any {
				return with(edited(w.honest.listing(w.carol, "/listings/1", "Blue mug", "0.01")), "attributedTo", w.carol)
			}},
		{attack: named("ben himself by eve"), from: eve, kind: "Update", object: func(w *world) any { return with(w.honest.actor(w.t, "ben"), "name", "Forged") }},
		{attack: named("eve's id, and ben beside it with eve's key"), from: eve, kind: "Update", object: func(w *world) any {
			return []any{w.eve, with(w.honest.actor(w.t, "ben"), "publicKey", m{"id": w.ben + "#main-key", "owner": w.ben, "publicKeyPem": publicPEM(w.t, w.evil.key)})}
		}},
		{attack: named("ben himself by the neighbour"), from: carol, kind: "Update",
			object: func(w *world) any { return with(w.honest.actor(w.t, "ben"), "name", "Forged") }},
		{attack: named("anna's post"), from: eve, kind: "Update",
			object: func(w *world) any { return with(edited(w.evil.note(w.eve, "", "x")), "id", w.annaPost.URI) }},
		{attack: named("anna herself"), from: eve, kind: "Update", object: func(w *world) any { return m{"id": w.anna.URI, "type": "Person", "name": "Forged"} }},
		{attack: named("eve with an inbox at ben's server"), from: eve, kind: "Update",
			object: func(w *world) any { return with(w.evil.actor(w.t, "eve"), "inbox", w.ben+"/inbox") }},
	})
}

func TestForgedUpdate(t *testing.T) {
	t.Parallel()
	w := attacked(t)
	w.try(t, forgedUpdates())
	w.done(t, w.honest, w.honest.activity("Update", w.ben, "/updates/1", edited(w.honest.note(w.ben, "/notes/1", "<p>Ben's better words</p>"))))
	if p := w.post(t, w.benNote); !strings.Contains(p.HTML, "better") || p.Edited == nil {
		t.Errorf("ben's own edit: %+v", p)
	}
	renamed := with(w.honest.actor(t, "ben"), "name", "Ben the Potter")
	w.honest.serve("/users/ben", renamed)
	w.done(t, w.honest, w.honest.activity("Update", w.ben, "/updates/2", renamed))
	if a := ok(w.db.AccountByURI(t.Context(), w.ben))(t); a.DisplayName != "Ben the Potter" {
		t.Errorf("ben's own profile: %q", a.DisplayName)
	}
	w.done(t, w.honest, w.honest.activity("Update", w.ben, "/updates/3", with(edited(w.honest.note(w.ben, "/notes/1", "<p>stale</p>")), "updated", "2026-11-22T08:20:00Z")))
	if p := w.post(t, w.benNote); strings.Contains(p.HTML, "stale") {
		t.Error("an older edit won")
	}
	w.done(t, w.honest, w.honest.activity("Update", w.ben, "/updates/4", edited(w.honest.listing(w.ben, "/listings/1", "Blue mug", "19.50"))))
	if l := w.post(t, w.benListing).Listing; l.Price().Amount != 1950 {
		t.Errorf("ben's own price: %v", l.Price())
	}
}

func forgedDeletes() []forgery {
	return stoppedBy("FEP-fe34; ActivityPub 7.4", "planDelete", []forgery{
		{attack: attack{name: "ben's note by eve", clause: "ActivityPub 7.4, FEP-fe34"}, from: eve, kind: "Delete", object: func(w *world) any { return w.benNote }},
		{attack: named("its tombstone by eve"), from: eve, kind: "Delete", object: func(w *world) any { return m{"id": w.benNote, "type": "Tombstone"} }},
		{attack: named("ben's note by the neighbour"), from: carol, kind: "Delete", object: func(w *world) any { return w.benNote }},
		{attack: named("ben's listing by the neighbour"), from: carol, kind: "Delete", object: func(w *world) any { return w.benListing }},
		{attack: named("ben's next note, before it comes"), from: eve, kind: "Delete", object: func(w *world) any { return w.honest.URL + "/notes/next" }},
		{attack: named("anna's post"), from: eve, kind: "Delete", object: func(w *world) any { return w.annaPost.URI }},
		{attack: named("ben"), from: eve, kind: "Delete", object: func(w *world) any { return w.ben }},
		{attack: named("ben, by the neighbour"), from: carol, kind: "Delete", object: func(w *world) any { return w.ben }},
		{attack: named("anna"), from: eve, kind: "Delete", object: func(w *world) any { return w.anna.URI }},
		{attack: named("nothing"), from: eve, kind: "Delete", object: func(*world) any { return nil }},
	})
}

func TestForgedDelete(t *testing.T) {
	t.Parallel()
	w := attacked(t)
	w.try(t, forgedDeletes())
	w.done(t, w.honest, w.honest.activity("Create", w.ben, "/own/1", w.honest.note(w.ben, "/notes/next", "<p>Next</p>")))
	w.done(t, w.honest, w.honest.activity("Delete", w.ben, "/own/2", m{"id": w.benNote, "type": "Tombstone"}))
	if p := w.post(t, w.benNote); p.Deleted == nil || p.HTML != "" {
		t.Errorf("ben's own delete: %+v", p)
	}
	if state, _ := w.deliver(t, w.honest, w.honest.activity("Create", w.ben, "/own/3", w.honest.note(w.ben, "/notes/1", "<p>back</p>"))); state != "ignored" {
		t.Errorf("a late Create brought it back: %s", state)
	}
	w.done(t, w.honest, w.honest.activity("Delete", w.ben, "/own/4", w.ben))
	if a := ok(w.db.AccountByURI(t.Context(), w.ben))(t); a.Deleted == nil {
		t.Error("ben's account is still here")
	}
	if p := w.post(t, w.benListing); p.Deleted == nil {
		t.Error("his listing is still here")
	}
	if status := w.send(t, w.honest, w.honest.activity("Delete", w.ben, "/own/5", w.ben)); status != http.StatusAccepted {
		t.Errorf("once more: %d", status)
	}
}

func forgedUndos() []forgery {
	undone := func(kind string, id func(*world) string, actor func(*world) string, target func(*world) string) func(*world) any {
		return func(w *world) any { return m{"type": kind, "id": id(w), "actor": actor(w), "object": target(w)} }
	}
	ben, carolID, eveID := func(w *world) string { return w.ben }, func(w *world) string { return w.carol }, func(w *world) string { return w.eve }
	follow, like, boost := func(w *world) string { return w.benFollow }, func(w *world) string { return w.benLike }, func(w *world) string { return w.benBoost }
	anna, post := func(w *world) string { return w.anna.URI }, func(w *world) string { return w.annaPost.URI }
	evil := func(w *world) string { return w.evil.URL + "/x" }
	return stoppedBy("FEP-fe34; ActivityPub 7.8", "applyUndo", []forgery{
		{attack: attack{name: "ben's follow by eve", clause: "ActivityPub 7.8; stored actor = actor"}, from: eve, kind: "Undo", object: undone("Follow", follow, ben, anna)},
		{attack: named("ben's follow as eve's"), from: eve, kind: "Undo", object: undone("Follow", follow, eveID, anna)},
		{attack: named("ben's follow under eve's id"), from: eve, kind: "Undo", object: undone("Follow", evil, ben, anna)},
		{attack: named("ben's follow by its id"), from: eve, kind: "Undo", object: func(w *world) any { return w.benFollow }},
		{attack: named("ben's follow by the neighbour"), from: carol, kind: "Undo", object: undone("Follow", follow, carolID, anna)},
		{attack: named("ben's follow by its id, by the neighbour"), from: carol, kind: "Undo", object: func(w *world) any { return w.benFollow }},
		{attack: named("ben's like"), from: eve, kind: "Undo", object: undone("Like", like, ben, post)},
		{attack: named("ben's like by the neighbour"), from: carol, kind: "Undo", object: undone("Like", like, carolID, post)},
		{attack: named("ben's boost"), from: eve, kind: "Undo", object: undone("Announce", boost, ben, post)},
		{attack: named("ben's boost by the neighbour"), from: carol, kind: "Undo", object: undone("Announce", boost, carolID, post)},
		{attack: named("ben's boost by its id, by the neighbour"), from: carol, kind: "Undo", object: func(w *world) any { return w.benBoost }},
		{attack: attack{name: "anna's follow of carol, answered by eve", clause: "ActivityPub 7.6"}, from: eve, kind: "Accept", object: func(w *world) any { return w.annaFollow }},
		{attack: named("anna's follow of carol, as if it were of eve"), from: eve, kind: "Accept",
			object: func(w *world) any { return m{"type": "Follow", "id": w.annaFollow, "object": w.eve} }},
		{attack: named("anna's follow of carol, refused by eve"), from: eve, kind: "Reject", object: func(w *world) any { return w.annaFollow }},
		{attack: named("anna's follow of carol, as it is, answered by eve"), from: eve, kind: "Accept",
			object: func(w *world) any {
				return m{"type": "Follow", "id": w.annaFollow, "actor": w.anna.URI, "object": w.carol}
			}},
	})
}

func TestForgedUndo(t *testing.T) {
	t.Parallel()
	w := attacked(t)
	w.try(t, forgedUndos())
	// Nor does it count before: what carol takes back of ben's still comes.
	later := w.honest.activity("Like", w.ben, "/like/later", w.secret.URI)
	w.deliver(t, w.honest, w.honest.activity("Undo", w.carol, "/forged/before", m{"type": "Like", "id": later["id"], "actor": w.carol, "object": w.secret.URI}))
	w.done(t, w.honest, later)
	if p := w.post(t, w.secret.URI); p.Likes != 1 {
		t.Errorf("a neighbour took ben's like back before it came: %d likes", p.Likes)
	}
	for i, object := range []any{
		m{"type": "Like", "id": w.benLike, "actor": w.ben, "object": w.annaPost.URI}, w.benBoost,
		m{"type": "Follow", "actor": w.ben, "object": w.anna.URI},
	} {
		w.done(t, w.honest, w.honest.activity("Undo", w.ben, "/undo/"+formatID(int64(i+1)), object))
	}
	if p := w.post(t, w.annaPost.URI); p.Likes != 0 || p.Boosts != 0 {
		t.Errorf("after ben's own undos: %d likes, %d boosts", p.Likes, p.Boosts)
	}
	if c := w.count(t, `select count(*) from follows where uri = $1`, w.benFollow); c != 0 {
		t.Error("ben still follows")
	}
	w.done(t, w.honest, w.honest.activity("Accept", w.carol, "/accepts/carol", w.annaFollow))
	if c := w.count(t, `select count(*) from follows where uri = $1 and state = 'accepted'`, w.annaFollow); c != 1 {
		t.Error("carol's own answer did not count")
	}
}

func forgedReactions() []forgery {
	return stoppedBy("FEP-fe34; ActivityPub 7.11", "applyAnnounce", []forgery{
		{attack: named("a like of what eve may not see"), from: eve, kind: "Like", object: func(w *world) any { return w.secret.URI }},
		{attack: attack{name: "a boost of what only followers see", clause: "Announce of a private post"}, from: func(w *world) (*otherNode, string) { return w.honest, w.ben }, kind: "Announce",
			object: func(w *world) any { return w.secret.URI }},
		{attack: named("a like of nothing"), from: eve, kind: "Like", object: func(w *world) any { return w.honest.URL + "/notes/none" }},
		{attack: attack{name: "a boost that brings the post along", clause: "FEP-fe34: embedded objects of others"}, from: eve, kind: "Announce",
			object: func(w *world) any { return w.honest.note(w.ben, "/notes/unknown", "<p>forged</p>") }},
		{attack: named("a boost of a copy at eve's server"), from: eve, kind: "Announce", object: func(w *world) any { return w.evil.URL + "/notes/copy" }},
		{attack: attack{name: "a boost of an address inside", clause: "SSRF"}, from: eve, kind: "Announce", object: func(*world) any { return "http://169.254.169.254/latest/meta-data" }},
		{attack: named("a boost of a local address of this node that is no post"), from: eve, kind: "Announce", object: func(w *world) any { return w.db.BaseURL() + "/actor" }},
		{attack: named("a stranger's boost of an unknown post"), from: carol, kind: "Announce", object: func(w *world) any { return w.evil.URL + "/notes/any" }},
		{attack: named("ben's listing announced by eve, who is no catalogue"), from: eve, kind: "Announce",
			object: func(w *world) any {
				return w.honest.activity("Update", w.ben, "/u/1", edited(w.honest.listing(w.ben, "/listings/1", "Blue mug", "0.01")))
			}},
		{attack: named("an unheard-of reaction"), from: eve, kind: "Frobnicate", object: func(w *world) any { return w.annaPost.URI }},
		{attack: named("a move"), from: eve, kind: "Move", object: func(w *world) any { return w.ben }},
	})
}

func TestForgedReaction(t *testing.T) {
	t.Parallel()
	w := attacked(t)
	// ben's note with other words, and an unknown one, as eve's server would tell them.
	w.evil.serve("/notes/copy", w.honest.note(w.ben, "/notes/unknown", "<p>forged</p>"))
	w.try(t, forgedReactions())
	w.done(t, w.evil, w.evil.activity("Like", w.eve, "/like/1", w.annaPost.URI))
	w.done(t, w.evil, w.evil.activity("EmojiReact", w.eve, "/like/2", w.annaPost.URI))
	if p := w.post(t, w.annaPost.URI); p.Likes != 2 {
		t.Errorf("%d likes", p.Likes)
	}
	w.honest.serve("/notes/unknown", w.honest.note(w.ben, "/notes/unknown", "<p>genuine</p>"))
	w.done(t, w.evil, w.evil.activity("Announce", w.eve, "/boost/1", w.honest.note(w.ben, "/notes/unknown", "<p>forged</p>")))
	if p := w.post(t, w.honest.URL+"/notes/unknown"); p.HTML != "<p>genuine</p>" || p.Account.URI != w.ben {
		t.Errorf("the boosted post is %q by %s", p.HTML, p.Account.URI)
	}
	must(t, w.db.Block(t.Context(), w.anna.ID, ok(w.db.AccountByURI(t.Context(), w.eve))(t).ID))
	w.try(t, stoppedBy("ActivityPub 7.9; Mastodon's Block", "notBlocked", []forgery{
		{attack: named("a blocked one's reply"), from: eve, kind: "Create",
			object: func(w *world) any { return with(w.evil.note(w.eve, "/notes/7", "x"), "inReplyTo", w.annaPost.URI) }},
		{attack: named("a blocked one's boost"), from: eve, kind: "Announce", object: func(w *world) any { return w.annaPost.URI }},
	}))
}
