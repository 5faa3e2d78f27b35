package console_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"souk"
)

func TestFollowers(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	anna := n.account(t, "anna")
	mira := n.remote(t, "mira")
	b := n.signedIn(t, "anna")
	if b.get("/console/people").Find(".empty").Length() != 1 {
		t.Error("no empty state")
	}
	if err := n.db.ReceiveFollow(t.Context(), mira.URI+"#follow", mira, anna, false); err != nil {
		t.Fatal(err)
	}
	p := b.get("/console/people")
	if p.Find(".people li").Length() != 1 || p.Find(".people .handle").Text() != "@mira@far.example" {
		t.Fatalf("followers: %s", text(p.Find("main")))
	}
	b.post("/console/people/"+id(mira.ID), url.Values{"do": {"remove"}}).want(http.StatusOK, "/console/people")
	if followers, _, err := n.db.FollowCounts(t.Context(), anna.ID); err != nil || followers != 0 {
		t.Errorf("%d followers after removing, %v", followers, err)
	}

	locked := true
	if _, err := n.db.SaveProfile(t.Context(), anna.ID, souk.Profile{Locked: &locked}); err != nil {
		t.Fatal(err)
	}
	anna.Locked = true
	if err := n.db.ReceiveFollow(t.Context(), mira.URI+"#again", mira, anna, false); err != nil {
		t.Fatal(err)
	}
	if b.get("/console").Find(`.todo a[href="/console/people"]`).Length() != 1 {
		t.Error("the request does not wait on the first page")
	}
	if b.get("/console/people").Find(`button[value=accept]`).Length() != 1 {
		t.Error("the request cannot be accepted")
	}
	b.post("/console/people/"+id(mira.ID), url.Values{"do": {"accept"}}).want(http.StatusOK, "/console/people")
	if state, err := n.db.FollowState(t.Context(), mira.ID, anna.ID); err != nil || state != souk.FollowAccepted {
		t.Errorf("state %q, %v", state, err)
	}

	b.post("/console/people/"+id(mira.ID), url.Values{"do": {"block"}}).want(http.StatusOK, "/console/people")
	if got := b.get("/console/people?list=blocked").Find(".people li").Length(); got != 1 {
		t.Errorf("%d blocked", got)
	}
	b.post("/console/people/"+id(mira.ID), url.Values{"do": {"unblock"}})
	if got := b.get("/console/people?list=blocked").Find(".people li").Length(); got != 0 {
		t.Errorf("%d still blocked", got)
	}
}

func TestFollowByHandle(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	b := n.signedIn(t, "anna")
	p := b.post("/console/people/follow?list=following", url.Values{"handle": {"nobody"}}).want(http.StatusUnprocessableEntity, "/console/people/follow")
	p.problem("handle")
	if got := p.form(`main form[action*=follow]`).Get("handle"); got != "nobody" {
		t.Errorf("the handle came back as %q", got)
	}
	b.post("/console/people/follow?list=following", url.Values{"handle": {"@nobody@127.0.0.1:1"}}).want(http.StatusUnprocessableEntity, "/console/people/follow").problem("handle")
	p = b.post("/console/people/follow?list=following", url.Values{"handle": {"@ben@shop.example"}}).want(http.StatusOK, "/console/people")
	if !strings.Contains(text(p.Find(".people li")), "@ben@shop.example") {
		t.Errorf("following: %s", text(p.Find(".people")))
	}
	b.post("/console/people/"+id(n.account(t, "ben").ID), url.Values{"do": {"unfollow"}})
	if _, following, err := n.db.FollowCounts(t.Context(), n.account(t, "anna").ID); err != nil || following != 0 {
		t.Errorf("%d followed, %v", following, err)
	}
}

func TestAccountsAreForTheOwner(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	if got := n.signedIn(t, "anna").get("/console/people?list=accounts").Find(".people li").Length(); got != 3 {
		t.Errorf("the owner sees %d accounts", got)
	}
	n.signedIn(t, "ben").get("/console/people?list=accounts").want(http.StatusNotFound, "/console/people")
}

// The title of the lists of people says which one it is.
func TestPeopleTitles(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	b := n.signedIn(t, "anna")
	for _, c := range []struct{ list, en, zh string }{
		{"followers", "Followers", "关注者"}, {"following", "Following", "关注中"}, {"blocked", "Blocked", "已屏蔽"}, {"accounts", "Accounts here", "本站账号"},
	} {
		for lang, want := range map[string]string{"en": c.en, "zh-Hans": c.zh} {
			p := b.get("/console/people?list=" + c.list + "&lang=" + lang)
			if got := text(p.Find("main h1")); got != want || !strings.HasPrefix(p.Find("head title").Text(), want+" · ") {
				t.Errorf("%s in %s: heading %q, title %q", c.list, lang, got, p.Find("head title").Text())
			}
		}
	}
	p := b.post("/console/people/follow?list=following&lang=en", url.Values{"handle": {"nobody"}})
	if got := text(p.Find("main h1")); got != "Following" {
		t.Errorf("a wrong handle stands under %q", got)
	}
}

// The list of accounts says which ones are suspended, and which are kept in memory.
func TestAccountsSayTheirState(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	anna, ben, cora := n.account(t, "anna"), n.account(t, "ben"), n.account(t, "cora")
	b := n.signedIn(t, "anna")
	if got := b.get("/console/people?list=accounts").Find(".people .state").Length(); got != 0 {
		t.Errorf("%d accounts have a state before anything happened", got)
	}
	if err := errors.Join(n.db.SuspendAccount(t.Context(), anna.ID, ben.ID), n.db.SetMemorial(t.Context(), anna.ID, cora.ID, true)); err != nil {
		t.Fatal(err)
	}
	for lang, want := range map[string][2]string{"en": {"Suspended", "In memoriam"}, "zh-Hans": {"已停用", "悼念"}} {
		p := b.get("/console/people?list=accounts&lang=" + lang)
		for i, a := range []*souk.Account{ben, cora} {
			row := p.Find(`.people li:has(a[href="/console/moderation/accounts/` + id(a.ID) + `"])`)
			if got := text(row.Find(".state")); got != want[i] {
				t.Errorf("%s in %s: %q, want %q", a.Name, lang, got, want[i])
			}
		}
	}
}

func TestNodes(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	b := n.signedIn(t, "anna")
	b.get("/console/nodes").want(http.StatusOK, "/console/nodes")
	for _, wrong := range []string{"", "shop.example", "127.0.0.1:1"} {
		p := b.post("/console/nodes", url.Values{"node": {wrong}}).want(http.StatusUnprocessableEntity, "/console/nodes")
		p.problem("node")
		if got := p.Find("#node").AttrOr("value", ""); got != wrong {
			t.Errorf("%q came back as %q", wrong, got)
		}
	}
	catalogue, err := n.db.Catalogue(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	theirs := n.remote(t, "catalogue")
	if _, err := n.db.Follow(t.Context(), catalogue.ID, theirs.ID); err != nil {
		t.Fatal(err)
	}
	row := b.get("/console/nodes").Find("tbody tr")
	if row.Length() != 1 || row.Find(".state.pending").Length() != 1 {
		t.Errorf("nodes: %s", text(row))
	}
	b.post("/console/nodes/"+id(theirs.ID), nil).want(http.StatusOK, "/console/nodes")
	if b.get("/console/nodes").Find("tbody tr").Length() != 0 {
		t.Error("the node is still followed")
	}
	n.signedIn(t, "ben").get("/console/nodes").want(http.StatusForbidden, "/console/nodes")
}
