package console_test

import (
	"net/http"
	"net/url"
	"testing"

	"souk"
)

// The page of the account: what cannot be taken back asks for the password, and the owner is told of the command.
func TestAccountPage(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	const page = "/console/settings/account"
	b := n.signedIn(t, "cora")
	cora, anna := n.account(t, "cora"), n.account(t, "anna")
	if b.get("/console/settings").Find(`.menu a[href="`+page+`"]`).Length() != 1 {
		t.Error("the page is not linked")
	}
	b.get(page).want(http.StatusOK, page)
	b.post(page, url.Values{"do": {"aliases"}, "aliases": {"nonsense"}}).want(http.StatusUnprocessableEntity, page).problem("aliases")
	b.post(page, url.Values{"do": {"aliases"}, "aliases": {anna.URI}}).want(http.StatusOK, page)
	if a := n.account(t, "cora"); len(a.AlsoKnownAs) != 1 || a.AlsoKnownAs[0] != anna.URI {
		t.Errorf("aliases %v", a.AlsoKnownAs)
	}
	// Anna knows nothing of Cora, so Cora cannot go to her; nor with a wrong password.
	b.post(page, url.Values{"do": {"move"}, "target": {anna.URI}, "password": {"wrong"}}).want(http.StatusUnprocessableEntity, page).problem("password")
	b.post(page, url.Values{"do": {"delete"}, "delete_password": {"wrong"}}).want(http.StatusUnprocessableEntity, page).problem("delete_password")
	if _, err := n.db.Account(t.Context(), cora.ID); err != nil {
		t.Errorf("cora: %v", err)
	}
	key := n.account(t, "cora").KeyID
	if b.get(page).Find(`details button[value="key"]`).Length() != 1 { // nothing happens by one touch
		t.Error("a new key is not asked about")
	}
	b.post(page, url.Values{"do": {"key"}}).want(http.StatusOK, page)
	if n.account(t, "cora").KeyID == key {
		t.Error("the key is the old one")
	}
	owner := n.signedIn(t, "anna").get(page).want(http.StatusOK, page)
	if owner.Find(`button[value="delete"]`).Length() != 0 || owner.Find("main code").Length() != 1 {
		t.Error("the owner is offered to leave by a button")
	}
}

func TestPinPost(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	b := n.signedIn(t, "anna")
	anna := n.account(t, "anna")
	var posts []*souk.Post
	for range souk.MaxPinnedPosts + 1 {
		p, err := n.db.CreatePost(t.Context(), anna.ID, souk.NewPost{Source: "Look"})
		if err != nil {
			t.Fatal(err)
		}
		posts = append(posts, p)
	}
	for i, p := range posts {
		path := "/console/posts/" + id(p.ID)
		if b.get(path).Find(`button[value="pin"]`).Length() != 1 {
			t.Fatal("no button to pin")
		}
		answer := b.post(path+"/pin", url.Values{"do": {"pin"}})
		if full := i == souk.MaxPinnedPosts; full != (answer.status == http.StatusUnprocessableEntity) {
			t.Errorf("post %d: %d", i, answer.status)
		}
	}
	path := "/console/posts/" + id(posts[0].ID)
	if b.get(path).Find(`button[value="unpin"]`).Length() != 1 {
		t.Error("no button to unpin")
	}
	b.post(path+"/pin", url.Values{"do": {"unpin"}}).want(http.StatusOK, path)
	if pinned, err := n.db.Pinned(t.Context(), 0, anna.ID); err != nil || len(pinned) != souk.MaxPinnedPosts-1 {
		t.Errorf("%d pinned, %v", len(pinned), err)
	}
	n.signedIn(t, "cora").post(path+"/pin", url.Values{"do": {"pin"}}).want(http.StatusNotFound, path+"/pin")
}
