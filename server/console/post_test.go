package console_test

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"souk"
)

func id(n int64) string { return strconv.FormatInt(n, 10) }

// remote is somebody on another node.
func (n *node) remote(t *testing.T, name string) *souk.Account {
	t.Helper()
	uri := "https://far.example/users/" + name
	a, err := n.db.UpsertRemoteAccount(t.Context(), souk.RemoteAccount{Account: souk.Account{Host: "far.example", Name: name, Kind: "Person", URI: uri, URL: uri,
		Inbox: uri + "/inbox", SharedInbox: "https://far.example/inbox", KeyID: uri + "#main-key", PublicKey: "PEM"}})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestWritePostWithPictures(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	b := n.signedIn(t, "cora") // a member may
	form := b.get("/console/posts/new").form("main form")
	if form.Get("visibility") != souk.Public {
		t.Errorf("who reads it: %q", form.Get("visibility"))
	}
	// Too long: the picture and the words survive.
	form.Set("text", strings.Repeat("长", souk.MaxPost+1))
	form.Set("summary", "Clay")
	form.Set("visibility", souk.Unlisted)
	p := b.upload("/console/posts/new", form, file{"kiln.jpg", drawing(t, 9)})
	p.want(http.StatusUnprocessableEntity, "/console/posts/new").problem("text")
	form = p.form("main form")
	if form.Get("summary") != "Clay" || form.Get("visibility") != souk.Unlisted || len(form["photo"]) != 1 || len([]rune(form.Get("text"))) != souk.MaxPost+1 {
		t.Error("the form lost something")
	}
	form.Set("text", "From the *kiln* #clay")
	form.Set("alt-"+form.Get("photo"), "The kiln at night")
	form.Set("do", "save")
	p = b.upload("/console/posts/new", form)
	if p.status != http.StatusOK || text(p.Find(".done")) != "Posted." {
		t.Fatalf("%d: %s", p.status, text(p.Find("main")))
	}
	posts, err := n.db.AccountPosts(t.Context(), 0, n.account(t, "cora").ID, souk.AccountFilter{}, souk.Page{})
	if err != nil || len(posts) != 1 {
		t.Fatalf("%d posts, %v", len(posts), err)
	}
	post := posts[0]
	if post.Summary != "Clay" || post.Visibility != souk.Unlisted || len(post.Media) != 1 || post.Media[0].Alt != "The kiln at night" || len(post.Tags) != 1 {
		t.Errorf("post %+v", post)
	}
	if got := b.get("/console/posts").Find(".entries li").Length(); got != 1 {
		t.Errorf("%d entries", got)
	}

	path := "/console/posts/" + id(post.ID)
	form = b.get(path + "/edit").form("main form")
	form.Set("text", "From the kiln, again")
	form.Del("photo")
	form.Set("do", "save")
	b.upload(path+"/edit", form).want(http.StatusOK, path)
	edited, err := n.db.Post(t.Context(), 0, post.ID)
	if err != nil || edited.Source != "From the kiln, again" || len(edited.Media) != 0 || edited.Visibility != souk.Unlisted {
		t.Errorf("edited %+v, %v", edited, err)
	}

	n.signedIn(t, "ben").get(path+"/edit").want(http.StatusNotFound, path+"/edit")
	b.get(path+"/delete").want(http.StatusOK, path+"/delete")
	b.post(path+"/delete", nil).want(http.StatusOK, "/console/posts")
	b.get(path).want(http.StatusGone, path)
}

func TestEmptyPostIsRefused(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	b := n.signedIn(t, "anna")
	b.upload("/console/posts/new", url.Values{"text": {" "}, "visibility": {"public"}}).want(http.StatusUnprocessableEntity, "/console/posts/new").problem("text")
}

func TestAnswerAndReact(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	anna := n.account(t, "anna")
	post, err := n.db.CreatePost(t.Context(), anna.ID, souk.NewPost{Source: "New bowls"})
	if err != nil {
		t.Fatal(err)
	}
	mira := n.remote(t, "mira")
	question, err := n.db.ReceivePost(t.Context(), souk.RemotePost{URI: mira.URI + "/1", URL: mira.URI + "/1", Author: mira, HTML: "<p>How <b>big</b>?</p>", Visibility: souk.Public,
		InTimeline: true, InReplyToURI: post.URI, Published: n.clock.Now()})
	if err != nil {
		t.Fatal(err)
	}
	b := n.signedIn(t, "anna")
	todo := b.get("/console").Find(".todo li")
	if todo.Length() != 1 || !strings.Contains(text(todo), "How big?") {
		t.Fatalf("todo: %s", text(todo))
	}
	path := todo.Find("a").AttrOr("href", "")
	p := b.get(path).want(http.StatusOK, "/console/posts/"+id(question.ID))
	if p.Find(".talk article").Length() != 2 || p.Find(".talk .here .handle").Text() != "@mira@far.example" {
		t.Errorf("conversation: %s", text(p.Find(".talk")))
	}
	b.post(path+"/reply", url.Values{"text": {""}}).want(http.StatusUnprocessableEntity, path+"/reply").problem("text")
	p = b.post(path+"/reply", url.Values{"text": {"Half a litre"}})
	if p.status != http.StatusOK || p.Find(".talk article").Length() != 3 {
		t.Errorf("after the answer: %d %s", p.status, text(p.Find(".talk")))
	}
	thread, err := n.db.Thread(t.Context(), 0, post.ThreadID)
	if err != nil || len(thread) != 3 || *thread[2].InReplyToID != question.ID || len(thread[2].Mentions) != 1 || thread[2].Mentions[0].ID != mira.ID {
		t.Errorf("thread %+v, %v", thread, err)
	}
	if b.get("/console").Find(".todo li").Length() != 0 {
		t.Error("what was answered still waits")
	}

	p = b.post(path+"/react", url.Values{"do": {"boost"}})
	if p.Find(`.here button[value=unboost][aria-pressed=true]`).Length() != 1 {
		t.Error("the boost does not show")
	}
	p = b.post(path+"/react", url.Values{"do": {"like"}})
	if p.Find(`.here button[value=unlike]`).Length() != 1 {
		t.Error("the like does not show")
	}
	p = b.post(path+"/react", url.Values{"do": {"unlike"}})
	if p.Find(`.here button[value=like]`).Length() != 1 {
		t.Error("the like stays")
	}
}
