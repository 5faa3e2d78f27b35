package web_test

import (
	"bytes"
	"fmt"
	"image/png"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"souk"
)

// home is a visitor's home server that says what the test lets it say.
type home struct {
	host  string
	asked atomic.Int32
}

// newHome answers WebFinger with links (JSON), or with 404 where they are empty, and NodeInfo with the software, where
// that is not empty. Every HOST in them becomes its address.
func newHome(t *testing.T, links, software string) *home {
	h := &home{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.asked.Add(1)
		body := ""
		switch r.URL.Path {
		case "/.well-known/webfinger":
			if links != "" {
				body = fmt.Sprintf(`{"subject":%q,"links":[%s]}`, r.URL.Query().Get("resource"), links)
			}
		case "/.well-known/nodeinfo":
			body = `{"links":[{"rel":"http://nodeinfo.diaspora.software/ns/schema/2.0","href":"http://HOST/nodeinfo/2.0"}]}`
		case "/nodeinfo/2.0":
			if software != "" {
				body = fmt.Sprintf(`{"software":{"name":%q}}`, software)
			}
		}
		if body == "" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(strings.ReplaceAll(body, "HOST", h.host)))
	}))
	t.Cleanup(server.Close)
	h.host = strings.TrimPrefix(server.URL, "http://")
	return h
}

func TestFollow(t *testing.T) {
	t.Parallel()
	s := annasShop(t)
	const ostatus = `{"rel":"http://ostatus.org/schema/1.0/subscribe","template":"http://HOST/authorize_interaction?uri={uri}"}`
	const intent = `{"rel":"https://w3id.org/fep/3b86/Follow","template":"http://HOST/intent?to={object}"}`
	anna := url.QueryEscape(s.owner.URI)
	for _, c := range []struct {
		name, links, software string
		to                    string // after http://HOST; empty: an honest page instead
	}{
		{"mastodon", ostatus, "mastodon", "/authorize_interaction?uri=" + anna},
		{"intents first", ostatus + "," + intent, "", "/intent?to=" + anna},
		{"another node's template over http", `{"rel":"http://ostatus.org/schema/1.0/subscribe","template":"http://elsewhere.example/?uri={uri}"}`, "", ""},
		{"template without a place", `{"rel":"http://ostatus.org/schema/1.0/subscribe","template":"http://HOST/follow"}`, "", ""},
		{"script", `{"rel":"http://ostatus.org/schema/1.0/subscribe","template":"javascript:alert({uri})"}`, "", ""},
		{"misskey without a template", `{"rel":"self","href":"http://HOST/users/1"}`, "misskey", "/authorize-follow?acct=" + anna},
		{"server named alone", "", "mastodon", "/authorize_interaction?uri=" + anna},
		{"gotosocial without a template", `{"rel":"self","href":"http://HOST/users/mira"}`, "gotosocial", ""},
		{"web server", "", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHome(t, c.links, c.software)
			r := s.post("/follow", url.Values{"account": {"@mira@" + h.host}})
			if c.to == "" {
				d := s.document(r, c.name, 200)
				want(t, d, ".way.marked .problem", "Your node did not say where to confirm this. Copy the address below into your app instead.")
				want(t, d, ".way.marked input.copy@value", s.Handle(s.owner))
				want(t, d, "input#account@value", "@mira@"+h.host)
				return
			}
			if r.StatusCode != http.StatusSeeOther || r.Header.Get("Location") != "http://"+h.host+c.to {
				t.Errorf("%d to %q, want %q", r.StatusCode, r.Header.Get("Location"), "http://"+h.host+c.to)
			}
			before := h.asked.Load()
			s.post("/zh/follow", url.Values{"account": {h.host}})
			if h.asked.Load() != before {
				t.Error("the server was asked again within a day")
			}
		})
	}
}

func TestFollowPage(t *testing.T) {
	t.Parallel()
	s := annasShop(t)
	must(s.CreateAccount(t.Context(), souk.NewAccount{Name: "bo", Role: souk.RoleSeller, DisplayName: "Bo"}))(t)
	s.pass(time.Second)
	r := s.get("/follow")
	d := s.document(r, "/follow", 200)
	want(t, d, "main h1", "Follow Anna")
	want(t, d, "input.copy@value", s.Handle(s.owner))
	wantCount(t, d, ".scan svg", 1)
	for path, policy := range map[string]string{"/follow": "form-action 'self' https:", "/": "form-action 'self'"} {
		if got := s.get(path).Header.Get("Content-Security-Policy"); !strings.Contains(got, policy) || path == "/" && strings.Contains(got, "https:") {
			t.Errorf("%s: policy %q", path, got)
		}
	}
	want(t, s.page("/follow?of=bo", 200), "main h1", "Follow Bo")
	s.page("/follow?of=nobody", 404)
	s.page("/follow?of=catalogue", 404)
	want(t, s.page("/zh/follow", 200), "main h1", "关注 Anna")
	if m, err := png.Decode(bytes.NewReader(s.get("/follow/qr.png").body)); err != nil || m.Bounds().Dx() < 300 {
		t.Errorf("QR picture: %v", err)
	}
	l := s.cup(nil)
	reply := s.page("/products/celadon-cup", 200).Find(".talk .ask a").AttrOr("href", "")
	d = s.page(reply, 200)
	want(t, d, "input[name=object]@value", l.Post.URI)
	want(t, d, "input.copy@value", l.Post.URI)
	h := newHome(t, `{"rel":"http://ostatus.org/schema/1.0/subscribe","template":"http://HOST/i?uri={uri}"}`, "")
	if r := s.post(reply, url.Values{"account": {h.host}, "object": {"https://evil.example/"}}); r.Header.Get("Location") != "http://"+h.host+"/i?uri="+url.QueryEscape(l.Post.URI) {
		t.Errorf("reply goes to %q", r.Header.Get("Location"))
	}
	for account, message := range map[string]string{"": "This is no handle or domain. Example: @mira@social.example", hostile: "This is no handle or domain. Example: @mira@social.example",
		"mira@127.0.0.1:1": "127.0.0.1:1 did not answer. Check the spelling, or copy the address below.",
		"mira@10.0.0.1":    "10.0.0.1 did not answer. Check the spelling, or copy the address below."} {
		d := s.document(s.post("/follow", url.Values{"account": {account}}), account, 422)
		want(t, d, "#account-error", message)
		wantCount(t, d, "script", 0)
	}
	if r := s.post("/follow", url.Values{"account": {"anna@" + s.Domain()}}); r.Header.Get("Location") != "/authorize_interaction?uri="+url.QueryEscape(s.owner.URI) {
		t.Errorf("from this node: %q", r.Header.Get("Location"))
	}
}

// signedIn is a session cookie of the account.
func (s *street) signedIn(a *souk.Account) string {
	s.t.Helper()
	return "souk_session=" + must(s.NewSession(s.t.Context(), a.ID, "test"))(s.t)
}

func TestAuthorizeInteraction(t *testing.T) {
	t.Parallel()
	s := annasShop(t)
	var asked atomic.Int32
	away := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		http.NotFound(w, r)
	}))
	t.Cleanup(away.Close)
	path := "/authorize_interaction?uri=" + url.QueryEscape(away.URL+"/users/mira")
	r := s.get(path)
	d := s.document(r, path, 200)
	if asked.Load() != 0 {
		t.Error("a stranger made the node fetch")
	}
	if r.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("the page may be cached: %q", r.Header.Get("Cache-Control"))
	}
	sign := must(url.Parse(d.Find("main a.btn.primary").AttrOr("href", "")))(t)
	if sign.Path != "/console/sign-in" || sign.Query().Get("next") != path {
		t.Errorf("sign-in at %v", sign)
	}
	bo := must(s.CreateAccount(t.Context(), souk.NewAccount{Name: "bo", DisplayName: "Bo"}))(t)
	me := s.signedIn(bo)
	missing := s.document(s.get(path, "Cookie", me), path, 422)
	want(t, missing, ".problem", "This address could not be understood.")
	if asked.Load() == 0 {
		t.Error("nothing was asked for somebody signed in")
	}
	mira := s.stranger("mira", "social.example")
	for _, uri := range []string{mira.URI, s.owner.URI, "acct:anna@" + s.Domain(), s.Handle(s.owner), s.url + "/users/anna"} {
		d := s.document(s.get("/authorize_interaction?uri="+url.QueryEscape(uri), "Cookie", me), uri, 200)
		wantCount(t, d, "form[action='/authorize_interaction'] button", 1)
	}
	asks := s.answers(mira, "", "1", "<p>Look</p>")
	if r := s.get("/authorize_interaction?uri="+url.QueryEscape(asks.URI), "Cookie", me); r.StatusCode != http.StatusFound || r.Header.Get("Location") != "/console/posts/"+strconv.FormatInt(asks.ID, 10) {
		t.Errorf("a post is opened at %q: %d", r.Header.Get("Location"), r.StatusCode)
	}
	for _, uri := range []string{"", "javascript:alert(1)", hostile, "mira", strings.Repeat("a", 3000)} {
		want(t, s.page("/authorize_interaction?uri="+url.QueryEscape(uri), 200), ".problem", "This address could not be understood.")
	}
	if state := must(s.FollowState(t.Context(), bo.ID, s.owner.ID))(t); state != "" {
		t.Errorf("followed without a word: %q", state)
	}
	form := strings.NewReader(url.Values{"uri": {s.owner.URI}}.Encode())
	r = s.request(http.MethodPost, "/authorize_interaction", form, "Content-Type", "application/x-www-form-urlencoded", "Cookie", me)
	if state := must(s.FollowState(t.Context(), bo.ID, s.owner.ID))(t); r.StatusCode != http.StatusSeeOther || state != souk.FollowAccepted {
		t.Errorf("confirm: %d, state %q", r.StatusCode, state)
	}
	want(t, s.document(s.get(r.Header.Get("Location"), "Cookie", me), "done", 200), "main h1", "You follow Anna")
	if r := s.post("/authorize_interaction", url.Values{"uri": {s.owner.URI}}); r.StatusCode != http.StatusUnauthorized {
		t.Errorf("confirm of a stranger: %d", r.StatusCode)
	}
	other := s.request(http.MethodPost, "/authorize_interaction", strings.NewReader("uri=x"), "Content-Type", "application/x-www-form-urlencoded",
		"Cookie", me, "Origin", "https://evil.example")
	if other.StatusCode != http.StatusForbidden {
		t.Errorf("a form of another site: %d", other.StatusCode)
	}
}
