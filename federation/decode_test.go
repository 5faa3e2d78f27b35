package federation

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"souk"

	"github.com/PuerkitoBio/goquery"
)

var decodeNow = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

func testDecoder() decoder {
	return decoder{base: "https://shop.example", handleDomain: "shop.example", now: decodeNow}
}

func fixture(t *testing.T, name string) object {
	t.Helper()
	body := ok(os.ReadFile(filepath.Join("testdata", "offers", name+".json")))(t)
	must(t, CheckJSON(body, maxJSONDepth))
	return ok(parseObject(body))(t)
}

// authorIn is the author of an object as if it were stored.
func authorIn(o object) *souk.Account {
	id := o.id("attributedTo")
	return &souk.Account{ID: 1, Host: hostOf(id), URI: id, FollowersURI: id + "/followers"}
}

func parsed(t *testing.T, text string) object {
	t.Helper()
	return ok(parseObject([]byte(text)))(t)
}

const noteStart = `{"type":"Note","id":"https://a.example/1","attributedTo":"https://a.example/u","to":"as:Public","content":"x"`

// The forms in which servers send one and the same.
func TestDecodeForms(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, more string
		check      func(p *souk.RemotePost) bool
	}{
		{"type as an array", `,"type":["Note","Product"]`, func(p *souk.RemotePost) bool { return p.HTML == "x" }},
		{"attributedTo as objects", `,"attributedTo":[{"type":"Person","id":"https://a.example/u"},{"type":"Group","id":"https://a.example/g"}]`,
			func(p *souk.RemotePost) bool { return p.Author.URI == "https://a.example/u" }},
		{"inReplyTo as an object", `,"inReplyTo":{"id":"https://b.example/2","type":"Note"}`, func(p *souk.RemotePost) bool { return p.InReplyToURI == "https://b.example/2" }},
		{"inReplyTo as an array", `,"inReplyTo":["https://b.example/2"]`, func(p *souk.RemotePost) bool { return p.InReplyToURI == "https://b.example/2" }},
		{"inReplyTo of javascript", `,"inReplyTo":"javascript:alert(1)"`, func(p *souk.RemotePost) bool { return p.InReplyToURI == "" }},
		{"url: the page among links", `,"url":[{"type":"Link","mediaType":"video/mp4","href":"https://a.example/v.mp4"},{"type":"Link","mediaType":"text/html","href":"https://b.example/w"},{"type":"Link","mediaType":"text/html","href":"https://a.example/w"}]`,
			func(p *souk.RemotePost) bool { return p.URL == "https://a.example/w" }},
		{"url of javascript", `,"url":"javascript:alert(1)"`, func(p *souk.RemotePost) bool { return p.URL == "https://a.example/1" }},
		{"a date ahead", `,"published":"2031-01-01T00:00:00Z"`, func(p *souk.RemotePost) bool { return p.Published.Equal(decodeNow) }},
		{"a date that is none", `,"published":"yesterday"`, func(p *souk.RemotePost) bool { return p.Published.IsZero() }},
		{"updated = published is no edit", `,"published":"2026-11-20T00:00:00Z","updated":"2026-11-20T00:00:00Z"`, func(p *souk.RemotePost) bool { return p.Edited == nil }},
		{"contentMap alone", `,"content":null,"contentMap":{"zh-cn":"你好"}`, func(p *souk.RemotePost) bool { return p.HTML == "你好" && p.Lang == "zh-CN" }},
		{"contentMap of several", `,"contentMap":{"de":"y","en":"x"}`, func(p *souk.RemotePost) bool { return p.HTML == "x" && p.Lang == "en" }},
		{"contentMap of rubbish", `,"contentMap":{"!!":"x"}`, func(p *souk.RemotePost) bool { return p.Lang == "" }},
		{"a name on a Note", `,"name":"A <b>"`, func(p *souk.RemotePost) bool { return p.HTML == "<p><strong>A &lt;b&gt;</strong></p>x" }},
		{"Public in cc", `,"to":[],"cc":["Public"]`, func(p *souk.RemotePost) bool { return p.Visibility == souk.Unlisted }},
		{"followers in cc", `,"to":["https://b.example/u"],"cc":["https://a.example/u/followers"]`, func(p *souk.RemotePost) bool { return p.Visibility == souk.FollowersOnly }},
		{"somebody else's followers", `,"to":["https://b.example/u/followers"]`, func(p *souk.RemotePost) bool { return p.Visibility == souk.Direct }},
		{"a poll", `,"type":"Question","oneOf":[{"type":"Note","name":"yes"},{"type":"Note","name":"<no>"}]`,
			func(p *souk.RemotePost) bool {
				return p.HTML == `x<ul><li>yes</li><li>&lt;no&gt;</li></ul><p><a href="https://a.example/1">https://a.example/1</a></p>`
			}},
		{"an article", `,"type":"Article","name":"T","summary":"short","url":"https://a.example/t"`, func(p *souk.RemotePost) bool {
			return strings.HasPrefix(p.HTML, "<p><strong>T</strong></p>x") && strings.Contains(p.HTML, "https://a.example/t") && p.Summary == ""
		}},
		{"an article of a summary only", `,"type":"Article","content":null,"name":"T","summary":"short"`, func(p *souk.RemotePost) bool { return strings.Contains(p.HTML, "short") }},
		{"an event", `,"type":"Event","name":"Fair","startTime":"2026-12-01T10:00:00Z"`, func(p *souk.RemotePost) bool { return strings.Contains(p.HTML, "<p>2026-12-01 10:00 UTC</p>") }},
		{"Markdown", `,"mediaType":"text/markdown","content":"*x* <script>"`, func(p *souk.RemotePost) bool {
			return strings.Contains(p.HTML, "<em>x</em>") && !strings.Contains(p.HTML, "<script")
		}},
		{"plain text", `,"mediaType":"text/plain","content":"a < b\nc"`, func(p *souk.RemotePost) bool { return strings.Contains(p.HTML, "<br>c") }},
		{"a type that nobody knows", `,"type":"Recipe"`, func(p *souk.RemotePost) bool { return p.HTML == "x" }},
		{"a mention of somebody elsewhere by name only", `,"tag":{"type":"Mention","name":"@anna@b.example"}`, func(p *souk.RemotePost) bool { return len(p.MentionURIs) == 0 }},
		{"addressed without a mention", `,"to":["https://shop.example/users/anna"]`, func(p *souk.RemotePost) bool {
			return slices.Equal(p.MentionURIs, []string{"https://shop.example/users/anna"})
		}},
		{"a tag without a name", `,"tag":[{"type":"Hashtag","href":"https://a.example/tags/mugs"}]`, func(p *souk.RemotePost) bool { return slices.Equal(p.Tags, []string{"mugs"}) }},
		{"an SVG is no picture", `,"attachment":{"type":"Document","mediaType":"image/svg+xml","url":"https://a.example/x.svg"}`, func(p *souk.RemotePost) bool { return len(p.Media) == 0 }},
		{"a picture of another scheme", `,"attachment":{"type":"Image","url":"file:///etc/passwd"}`, func(p *souk.RemotePost) bool { return len(p.Media) == 0 && p.HTML == "x" }},
		{"a picture twice", `,"attachment":[{"type":"Image","url":"https://a.example/x.png"},{"type":"Image","url":"https://a.example/x.png"}]`, func(p *souk.RemotePost) bool { return len(p.Media) == 1 }},
		{"impossible sizes", `,"attachment":{"type":"Image","url":"https://a.example/x.png","width":-5,"height":1e30,"focalPoint":["a",{}]}`,
			func(p *souk.RemotePost) bool {
				return len(p.Media) == 1 && p.Media[0].Width == 0 && p.Media[0].Height == 0
			}},
	} {
		o := parsed(t, noteStart+`}`)
		for k, v := range parsed(t, `{"_":0`+c.more+`}`) {
			o[k] = v
		}
		p, err := testDecoder().post(o, &souk.Account{URI: "https://a.example/u", FollowersURI: "https://a.example/u/followers"})
		if err != nil || !c.check(p) {
			t.Errorf("%s: %+v %v", c.name, p, err)
		}
	}
}

// A text of several languages keeps them all: each with its own title and warning where it has them, and with what is no text.
func TestDecodeLanguages(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, more, lang string
		want             []souk.Text
	}{
		{"that of content first", `,"contentMap":{"zh-cn":"你好","en":"x","de":"hallo"},"language":"de"`, "en", []souk.Text{{Lang: "de", HTML: "hallo"}, {Lang: "zh-CN", HTML: "你好"}}},
		{"warnings", `,"summary":"w","summaryMap":{"de":"Achtung","en":"w"},"contentMap":{"de":"hallo","en":"x"}`, "en", []souk.Text{{Lang: "de", HTML: "hallo", Summary: "Achtung"}}},
		{"titles", `,"type":"Article","url":"https://a.example/p","name":"T","nameMap":{"de":"Titel","en":"T"},"contentMap":{"de":"hallo","en":"x"}`, "en",
			[]souk.Text{{Lang: "de", HTML: "<p><strong>Titel</strong></p>hallo" + paragraphLink("https://a.example/p", "https://a.example/p")}}},
		{"a link to a file", `,"contentMap":{"de":"hallo","en":"x"},"attachment":{"type":"Document","mediaType":"application/pdf","url":"https://a.example/f.pdf"}`, "en",
			[]souk.Text{{Lang: "de", HTML: "hallo" + paragraphLink("https://a.example/f.pdf", "https://a.example/f.pdf")}}},
		{"one language in other HTML", `,"contentMap":{"de":"<b>x</b>"}`, "", nil},
		{"rubbish", `,"contentMap":{"!!":"x","":"y","de":["z"],"fr":null,"en":"x"}`, "en", nil},
		{"no map", `,"contentMap":["x","y"]`, "", nil},
	} {
		o := parsed(t, noteStart+`}`)
		for k, v := range parsed(t, `{"_":0`+c.more+`}`) {
			o[k] = v
		}
		p := ok(testDecoder().post(o, &souk.Account{URI: "https://a.example/u", FollowersURI: "https://a.example/u/followers"}))(t)
		if !slices.Equal(p.Texts, c.want) || p.Lang != c.lang && c.lang != "" {
			t.Errorf("%s: %q and %+v", c.name, p.Lang, p.Texts)
		}
	}
}

// Each language costs as much as the whole text: a post that says it has a hundred is read in a few, those of this node's pages first.
func TestDecodeLanguagesAreBounded(t *testing.T) {
	t.Parallel()
	o := parsed(t, noteStart+`}`)
	texts := m{"zh-CN": "中文", "en": "x"}
	for a := 'a'; a <= 'z'; a++ {
		for b := 'a'; b <= 'c'; b++ {
			texts[string(a)+string(b)] = "x" + string(a) + string(b)
		}
	}
	o["nameMap"] = map[string]any(texts)
	p := ok(testDecoder().post(o, &souk.Account{URI: "https://a.example/u", FollowersURI: "https://a.example/u/followers"}))(t)
	if n := len(p.Texts); n == 0 || n > souk.MaxTexts+1 || !slices.ContainsFunc(p.Texts, func(r souk.Text) bool { return r.Lang == "zh-CN" }) {
		t.Errorf("%d texts: %+v", n, p.Texts)
	}
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"a collection": `{"type":"Collection","id":"https://a.example/1","attributedTo":"https://a.example/u","content":"x"}`,
		"an activity":  `{"type":"Like","id":"https://a.example/1","attributedTo":"https://a.example/u","content":"x"}`,
		"an actor":     `{"type":"Person","id":"https://a.example/1","attributedTo":"https://a.example/u","content":"x"}`,
		"no type":      `{"id":"https://a.example/1","attributedTo":"https://a.example/u","content":"x"}`,
		"no id":        `{"type":"Note","attributedTo":"https://a.example/u","content":"x"}`,
		"id with tabs": `{"type":"Note","id":"https://a.example/1\t","content":"x"}`,
		"userinfo":     `{"type":"Note","id":"https://me@a.example/1","content":"x"}`,
	} {
		if p, err := testDecoder().post(parsed(t, text), &souk.Account{}); err == nil {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

// Everything that a stranger writes goes through here and souk into pages: nothing of it may act there.
func TestHTMLInjection(t *testing.T) {
	t.Parallel()
	const evil = `<script>alert(1)</script><img src=x onerror=alert(1)><p onclick="alert(1)" style="position:fixed">t</p><a href="javascript:alert(1)">l</a>` +
		`<iframe src="https://e.example"></iframe><svg onload=alert(1)></svg><form action=x><input></form><a href="https://ok.example" target=_blank>ok</a>`
	n, peer := inbound(t), newOtherNode(t, 1)
	actor := peer.actor(t, "eve")
	actor["name"], actor["summary"] = evil+"Eve", evil
	actor["attachment"] = []any{m{"type": "PropertyValue", "name": evil + "site", "value": evil}}
	peer.serve("/users/eve", actor)
	eve := actor["id"].(string)
	n.follow(t, peer, eve)
	note := peer.note(eve, "/notes/1", evil)
	note["summary"], note["name"] = evil+"cw", evil+"title"
	note["attachment"] = []any{m{"type": "Video", "url": "https://v.example/\"onmouseover=\"alert(1)", "name": evil + "film"},
		m{"type": "Audio", "url": "https://v.example/a", "name": evil + "song"}}
	n.done(t, peer, peer.activity("Create", eve, "/c/1", note))
	listing := peer.listing(eve, "/listings/1", evil+"Mug", "24.00")
	listing["content"] = evil
	n.done(t, peer, peer.activity("Create", eve, "/c/2", listing))

	p, l := n.post(t, peer.URL+"/notes/1"), n.post(t, peer.URL+"/listings/1")
	fragments := map[string]string{"note": p.HTML, "listing": l.HTML, "description": l.Listing.HTML, "bio": p.Account.Bio, "field": p.Account.Fields[0].Value}
	for name, html := range fragments {
		doc := ok(goquery.NewDocumentFromReader(strings.NewReader(html)))(t)
		if bad := doc.Find("script, img, iframe, svg, form, input, [onerror], [onclick], [onload], [onmouseover], [style], a[href^='javascript']"); bad.Length() > 0 {
			t.Errorf("%s: %s", name, html)
		}
		if doc.Find("a[href='https://ok.example'][rel~=nofollow]").Length() != 1 {
			t.Errorf("%s: the good link is gone: %s", name, html)
		}
	}
	for name, text := range map[string]string{"display name": p.Account.DisplayName, "warning": p.Summary, "title": l.Listing.Title, "field": p.Account.Fields[0].Name} {
		if strings.ContainsAny(text, "<>") {
			t.Errorf("%s: %q", name, text)
		}
	}
}

func TestDecodeActor(t *testing.T) {
	t.Parallel()
	const doc = `{"id":"https://a.example/users/x","type":["Service"],"preferredUsername":"x","name":"X","summary":"<p>bio</p>","inbox":"https://a.example/users/x/inbox",
		"outbox":"https://b.example/outbox","followers":"https://a.example/users/x/followers","featured":{"id":"https://a.example/users/x/featured","type":"OrderedCollection"},
		"endpoints":{"sharedInbox":"https://b.example/inbox"},"url":[{"type":"Link","href":"https://a.example/@x"}],"manuallyApprovesFollowers":true,"discoverable":true,
		"icon":[{"type":"Image","url":"https://a.example/i.png"}],"image":{"type":"Image","url":{"type":"Link","href":"https://a.example/h.png"}},
		"alsoKnownAs":"https://c.example/u","movedTo":"javascript:x",
		"attachment":[{"type":"PropertyValue","name":"Site","value":"<a href=\"https://a.example\">a</a>"},{"type":"Other"}],
		"publicKey":[{"id":"https://b.example/k","owner":"https://a.example/users/x","publicKeyPem":"P1"},
			{"id":"https://a.example/k2","owner":"https://b.example/u","publicKeyPem":"P2"},{"id":"https://a.example/users/x#k3","publicKeyPem":"P3"},
			{"id":"https://a.example/users/x#k4","owner":"https://a.example/users/x","publicKeyPem":"P4"}]}`
	r := ok(decodeActor(parsed(t, doc), "https://a.example/users/x#k4", decodeNow))(t)
	a := r.Account
	a.Bio, a.Fields = "", nil
	want := souk.Account{Host: "a.example", Name: "x", Kind: "Service", URI: "https://a.example/users/x", URL: "https://a.example/@x",
		Inbox: "https://a.example/users/x/inbox", FollowersURI: "https://a.example/users/x/followers", FeaturedURI: "https://a.example/users/x/featured",
		DisplayName: "X", KeyID: "https://a.example/users/x#k4", PublicKey: "P4", Locked: true, Discoverable: true, AlsoKnownAs: []string{"https://c.example/u"}}
	if !reflect.DeepEqual(a, want) {
		t.Errorf("got  %+v\nwant %+v", a, want)
	}
	if len(r.Fields) != 1 || r.AvatarURL != "https://a.example/i.png" || r.HeaderURL != "https://a.example/h.png" {
		t.Errorf("fields %v, pictures %q %q", r.Fields, r.AvatarURL, r.HeaderURL)
	}
	if r := ok(decodeActor(parsed(t, doc), "", decodeNow))(t); r.PublicKey != "P3" {
		t.Errorf("without a wish the key is %s", r.PublicKey)
	}
	for name, change := range map[string]func(o object){
		"inbox elsewhere":  func(o object) { o["inbox"] = "https://b.example/inbox" },
		"no inbox":         func(o object) { delete(o, "inbox") },
		"a note":           func(o object) { o["type"] = "Note"; delete(o, "publicKey") },
		"a handle as name": func(o object) { o["preferredUsername"] = "x@b.example" },
		"a path as name":   func(o object) { o["preferredUsername"] = "../x" },
		"an endless name":  func(o object) { o["preferredUsername"] = strings.Repeat("x", 101) },
	} {
		o := parsed(t, doc)
		change(o)
		if r, err := decodeActor(o, "", decodeNow); err == nil {
			t.Errorf("%s: %+v", name, r.Account)
		}
	}
	odd := parsed(t, doc)
	odd["type"] = "Robot"
	if r := ok(decodeActor(odd, "", decodeNow))(t); r.Kind != "Person" {
		t.Errorf("an unknown type is %s", r.Kind)
	}
}
