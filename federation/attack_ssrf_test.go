package federation

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"souk"
)

// inside is a server of the operator's own network: 127.0.0.9, where the node may reach 127.0.0.1 only. Every name that
// the node looks up is there too, as it may be for a stranger who runs a name server.
func surrounded(t *testing.T) (*world, *peer) {
	t.Helper()
	inside := newPeer(t, "127.0.0.9", false, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", activityMedia)
		_, _ = fmt.Fprint(w, `{"secret":true}`)
	})
	client := reaching(t, FetchConfig{Timeout: 5 * time.Second, Resolver: resolver(t, func(string) [4]byte { return [4]byte{127, 0, 0, 9} })}, "127.0.0.1/32")
	return attacked(t, func(c *Config) { c.Client, c.RateLimit = client, -1 }), inside
}

// innerAddresses are the ways to write where the inside is, or another place that nobody outside may reach.
func innerAddresses(w *world, inside *peer) map[string]string {
	_, port, _ := strings.Cut(inside.Listener.Addr().String(), ":")
	w.evil.serve("/way-in", redirect("http://127.0.0.9:"+port+"/"))
	w.evil.serve("/way-in-2", redirect("/way-in"))
	w.evil.serve("/way-in-by-name", redirect("//inside.test:"+port+"/"))
	return map[string]string{
		"as it is (CWE-918)": "http://127.0.0.9:" + port + "/",
		"over https":         "https://127.0.0.9:" + port + "/",
		"with a fragment":    "http://127.0.0.9:" + port + "/x#main-key",
		"a name that resolves to it (DNS rebinding)": "http://inside.test:" + port + "/",
		"one number (CVE-2026-33693)":                "http://2130706441:" + port + "/",
		"octal":                                      "http://0177.0.0.011:" + port + "/",
		"hexadecimal":                                "http://0x7f000009:" + port + "/",
		"parts left out":                             "http://127.9:" + port + "/",
		"other digits (UTS 46)":                      "http://１２７.0.0.9:" + port + "/",
		"IPv4 in IPv6":                               "http://[::ffff:127.0.0.9]:" + port + "/",
		"NAT64 (RFC 6052; CVE-2026-22245)":           "http://[64:ff9b::7f00:9]:" + port + "/",
		"local NAT64 (RFC 8215)":                     "http://[64:ff9b:1::7f00:9]:" + port + "/",
		"6to4 (RFC 3056)":                            "http://[2002:7f00:9::]:" + port + "/",
		"Teredo (RFC 4380)":                          "http://[2001:0:7f00:9::]:" + port + "/",
		"unique local":                               "http://[fd00::1]/",
		"loopback":                                   "http://[::1]:" + port + "/",
		"a zone (RFC 6874)":                          "http://[fe80::1%25lo]:" + port + "/",
		"unspecified (CVE-2026-33693)":               "http://0.0.0.0:" + port + "/",
		"a cloud's metadata":                         "http://169.254.169.254/latest/meta-data",
		"carrier-grade NAT (CVE-2026-50131)":         "http://100.100.100.200/",
		"a user name before it":                      "http://" + w.evil.host() + "@127.0.0.9:" + port + "/",
		"a port of mail":                             "http://127.0.0.1:25/",
		"a redirect (GHSA-7723-35v7-qcxw)":           w.evil.URL + "/way-in",
		"two redirects":                              w.evil.URL + "/way-in-2",
		"a redirect by name, without a scheme":       w.evil.URL + "/way-in-by-name",
		"a file":                                     "file:///etc/passwd",
		"gopher":                                     "gopher://127.0.0.9:" + port + "/_x",
		"data":                                       "data:application/activity+json,{}",
		"a line break":                               "http://127.0.0.9:" + port + "/\r\nX: y",
		"a backslash":                                `http:\\127.0.0.9:` + port + `\`,
		"spaces around":                              " http://127.0.0.9:" + port + "/ ",
	}
}

// everywhere writes the address into each field of a note, and of what hangs on it, that can hold one.
func everywhere(note m, address string) m {
	for _, field := range []string{"inReplyTo", "context", "conversation", "replies", "likes", "shares", "url", "audience", "generator", "location", "preview", "quoteUrl", "proposal", "image", "icon"} {
		note[field] = address
	}
	note["url"] = []any{address, m{"type": "Link", "href": address, "mediaType": "text/html"}}
	note["tag"] = []any{m{"type": "Mention", "href": address, "name": "@x@inside.test"}, m{"type": "Hashtag", "href": address, "name": "#x"},
		m{"type": "Emoji", "name": ":x:", "icon": m{"type": "Image", "url": address}}, m{"type": "Link", "href": address, "mediaType": activityMedia}}
	note["attachment"] = []any{m{"type": "Image", "mediaType": "image/png", "url": address}, m{"type": "Document", "url": []any{m{"type": "Link", "href": address}}},
		m{"type": "Link", "href": address}}
	note["content"] = `<p><a href="` + address + `">x</a><img src="` + address + `"></p>`
	return note
}

// TestSSRFByEveryField sends every way to write an inner address in every field that a stranger may fill, and follows
// everything that comes of it to its end: nothing arrives inside.
func TestSSRFByEveryField(t *testing.T) {
	t.Parallel()
	w, inside := surrounded(t)
	ctx := t.Context()
	n := 0
	for how, address := range innerAddresses(w, inside) {
		n++
		path := func(what string) string { return fmt.Sprintf("/%s/%d", what, n) }
		send := func(kind string, object any, change ...func(m)) {
			a := w.evil.activity(kind, w.eve, path("ssrf/"+kind+formatID(w.db.NewID())), object)
			for _, c := range change {
				c(a)
			}
			if status := w.send(t, w.evil, a); status == http.StatusAccepted {
				must(t, w.ApplyInbox(ctx))
			}
		}
		send("Create", everywhere(w.evil.note(w.eve, path("notes"), "x"), address))
		send("Create", address)
		send("Announce", address)
		send("Announce", w.evil.activity("Create", w.eve, path("inner"), m{"id": address, "type": "Note"}))
		send("Update", address)
		send("Like", address)
		send("Delete", address)
		send("Follow", address)
		send("Accept", address)
		send("Undo", address)
		send("Flag", []any{w.anna.URI, address})
		for _, kind := range []string{"Add", "Remove", "Move", "Offer"} {
			send(kind, address, func(a m) { a["target"], a["instrument"], a["origin"], a["result"] = address, address, address, address })
			send(kind, w.eve, func(a m) { a["target"] = address })
		}
		actor := w.evil.actor(t, "eve")
		for _, field := range []string{"outbox", "followers", "following", "featured", "featuredTags", "movedTo", "url", "icon", "image", "liked", "streams"} {
			actor[field] = address
		}
		actor["alsoKnownAs"], actor["icon"] = []any{address}, m{"type": "Image", "url": address}
		actor["endpoints"] = m{"sharedInbox": address, "proxyUrl": address}
		actor["attachment"] = []any{m{"type": "PropertyValue", "name": "x", "value": `<a href="` + address + `">x</a>`}}
		send("Update", actor)
		send("Update", with(w.evil.actor(t, "eve"), "inbox", address))

		// What comes in signed by a key there, and what a person looks up.
		body := encoded(t, w.evil.activity("Create", w.eve, path("keyed"), w.evil.note(w.eve, path("keyed-note"), "x")))
		if signable(address) {
			w.receives(t, w.signedBy(t, address, w.evil.key, body))
			w.receives(t, w.signedBy(t, address, w.evil.key, encoded(t, m{"id": address, "type": "Create", "actor": address, "object": address})))
		}
		w.evil.serve("/users/stub", m{"id": w.evil.URL + "/users/stub", "type": "Key", "owner": address, "publicKeyPem": publicPEM(t, w.evil.key)})
		w.receives(t, w.signedBy(t, w.evil.URL+"/users/stub", w.evil.key, encoded(t, with(w.evil.activity("Create", w.evil.URL+"/users/stub", path("s"), "x"), "object", address))))
		name := fmt.Sprintf("n%d", n)
		w.evil.serve("/.well-known/webfinger?resource=acct:"+queryEscape(name+"@"+w.evil.host()), m{"subject": "acct:" + name + "@" + w.evil.host(),
			"links": []any{m{"rel": "self", "type": activityMedia, "href": address}}})
		w.evil.serve("/.well-known/nodeinfo", m{"links": []any{m{"rel": nodeInfoSchema + "2.0", "href": address}, m{"rel": nodeInfoSchema + "2.1", "href": address}}})
		for _, lookUp := range []func() error{
			func() error { _, err := w.ResolveActor(ctx, address); return err },
			func() error { _, err := w.ResolvePost(ctx, address); return err },
			func() error { _, err := w.ResolveHandle(ctx, "@"+name+"@"+w.evil.host()); return err },
			func() error { _, err := w.DescribeHost(ctx, w.evil.host()); return err },
		} {
			if lookUp() == nil {
				t.Errorf("%s: %s was read", how, address)
			}
		}
	}
	// What was kept is fetched, and what is to be sent is sent.
	if c := w.count(t, `select count(*) from media where remote_url like '%127.0.0.9%'`); c == 0 {
		t.Error("no picture inside was kept: nothing is shown by not fetching it")
	}
	rows := ok(w.pool.Query(ctx, `select remote_url from media where remote_url <> ''`))(t)
	for rows.Next() {
		var address string
		must(t, rows.Scan(&address))
		if _, err := w.cfg.Client.Media(ctx, address, 1<<20); err == nil {
			t.Errorf("the picture %s was read", address)
		}
	}
	must(t, rows.Err())
	ok(w.db.CreatePost(ctx, w.anna.ID, souk.NewPost{Source: "Hello all"}))(t)
	must(t, w.Federate(ctx))
	must(t, w.Deliver(ctx))
	if c := w.count(t, `select count(*) from accounts where inbox like '%127.0.0.9%' or shared_inbox like '%127.0.0.9%' or inbox like '%inside.test%'`); c != 0 {
		t.Errorf("%d accounts have an inbox inside", c)
	}
	if hits := inside.hits.Load(); hits != 0 {
		t.Errorf("%d requests arrived inside", hits)
	}
	// The control: the same fields, an address that may be reached.
	w.evil.serve("/parent", w.evil.note(w.eve, "/parent", "<p>Parent</p>"))
	w.done(t, w.evil, w.evil.activity("Create", w.eve, "/control", everywhere(w.evil.note(w.eve, "/notes/control", "x"), w.evil.URL+"/parent")))
	w.post(t, w.evil.URL+"/parent")
	w.evil.serve("/door", redirect("/behind"))
	w.evil.serve("/behind", w.evil.note(w.eve, "/behind", "<p>Behind</p>"))
	w.done(t, w.evil, w.evil.activity("Announce", w.eve, "/control-2", w.evil.URL+"/door"))
	w.post(t, w.evil.URL+"/behind")
}

// signable reports whether a key id can stand in a signature at all.
func signable(address string) bool {
	return isPrintable(address) && !strings.ContainsAny(address, `"\`)
}

// A catalogue that points inside, by its outbox, its first page, the next one or an entry, is not followed there.
func TestSSRFByCatalogue(t *testing.T) {
	t.Parallel()
	for _, place := range []string{"outbox", "first", "next", "entry", "redirect", "control"} {
		t.Run(place, func(t *testing.T) {
			t.Parallel()
			w, inside := surrounded(t)
			inner, base := inside.URL+"/", w.evil.URL
			catalogue := w.evil.actor(t, "shop")
			id := catalogue["id"].(string)
			catalogue["type"] = "Service"
			outbox := m{"id": base + "/outbox", "type": "OrderedCollection", "first": base + "/page"}
			page := m{"id": base + "/page", "type": "OrderedCollectionPage", "next": base + "/last", "orderedItems": []any{}}
			entry := func(about string) any {
				return w.evil.activity("Announce", id, "/a/1", w.evil.activity("Create", w.eve, "/c/1", w.evil.listing(w.eve, about, "Mug", "24.00")))
			}
			catalogue["outbox"] = base + "/outbox"
			page["orderedItems"] = []any{entry("/listings/1")}
			w.evil.serve("/page", page)
			w.evil.serve("/last", m{"id": base + "/last", "type": "OrderedCollectionPage", "orderedItems": []any{}})
			switch place {
			case "outbox":
				catalogue["outbox"] = inner
			case "first":
				outbox["first"] = inner
			case "next":
				page["next"] = inner
			case "entry":
				e := entry("/listings/1").(m)
				e["object"].(m)["object"] = inner
				page["orderedItems"] = []any{e}
			case "redirect":
				w.evil.serve("/page", redirect(inner))
			}
			w.evil.serve("/users/shop", catalogue)
			w.evil.serve("/outbox", outbox)
			theirs := ok(w.ResolveActor(t.Context(), id))(t)
			must(t, w.db.DescribeHost(t.Context(), w.evil.host(), "souk", id))
			ours := ok(w.db.Catalogue(t.Context()))(t)
			f := ok(w.db.Follow(t.Context(), ours.ID, theirs.ID))(t)
			w.done(t, w.evil, w.evil.activity("Accept", id, "/accepts/catalogue", m{"type": "Follow", "id": f.URI, "actor": ours.URI, "object": id}))
			_, err := w.Backfill(t.Context(), theirs.ID)
			must(t, err)
			if hits := inside.hits.Load(); hits != 0 {
				t.Errorf("%d requests arrived inside", hits)
			}
			_, _, err = w.db.KnownPost(t.Context(), base+"/listings/1")
			if kept := err == nil; kept != (place == "control" || place == "next") {
				t.Errorf("the listing is kept: %v", kept)
			}
		})
	}
}

// What hangs costs a goroutine and a moment of one host, and leaves nothing behind.
func TestHangingHosts(t *testing.T) {
	t.Parallel()
	client := reaching(t, FetchConfig{Timeout: 100 * time.Millisecond}, "127.0.0.0/8")
	w := attacked(t, func(c *Config) { c.Client = client })
	hanging := newPeer(t, "127.0.0.1", false, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	before := w.state(t)
	refused := 0
	for i := range 3 * restAfter {
		id := fmt.Sprintf("%s/users/u%d", hanging.URL, i)
		body := encoded(t, m{"id": id + "/1", "type": "Create", "actor": id, "object": id + "/2"})
		_, err := w.Receive(t.Context(), w.signedBy(t, id+"#main-key", w.evil.key, body))
		var r *RefusedError
		if !errors.As(err, &r) || r.Status != http.StatusServiceUnavailable {
			t.Fatalf("status %v", err)
		}
		refused++
	}
	if hits := hanging.hits.Load(); hits != restAfter {
		t.Errorf("asked %d times of %d, want %d", hits, refused, restAfter)
	}
	if after := w.state(t); after != before {
		t.Errorf("something changed:\n%s", difference(before, after))
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if status := w.receives(t, w.from(t, encoded(t, w.hello()))); status != http.StatusAccepted || ctx.Err() != nil {
		t.Errorf("ben meanwhile: %d", status)
	}
}
