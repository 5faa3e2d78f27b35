package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"souk"
)

func TestBlockLists(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	mira := n.remote(t, "mira")
	if err := n.db.ReceiveFollow(t.Context(), mira.URI+"#follow", mira, n.account(t, "anna"), false); err != nil {
		t.Fatal(err)
	}
	b := n.signedIn(t, "anna")
	const path = "/console/moderation/lists"
	if b.get(path).Find(".empty").Length() != 1 || b.get("/console/moderation/hosts").Find(`.views a[href="`+path+`"]`).Length() != 1 {
		t.Error("no empty state, or nothing leads there")
	}
	f := b.post(path, url.Values{"url": {"lists.example"}}).want(http.StatusUnprocessableEntity, path)
	f.problem("url")
	if got := f.form("main form").Get("url"); got != "lists.example" {
		t.Errorf("the form came back with %q", got)
	}
	b.post(path, url.Values{"url": {"https://lists.example/a.csv"}}).want(http.StatusOK, path)
	lists, err := n.db.BlockSubscriptions(t.Context(), n.account(t, "anna").ID)
	if err != nil || len(lists) != 1 {
		t.Fatalf("%v %v", lists, err)
	}
	list := lists[0].ID
	if err := n.db.BlockListFailed(t.Context(), list, souk.ListStatus, "502"); err != nil {
		t.Fatal(err)
	}
	if row := b.get(path).Find(".subscribed tbody tr"); row.Length() != 1 || !strings.Contains(text(row.Find(".error")), "502") || row.Find("th a").AttrOr("href", "") != "https://lists.example/a.csv" {
		t.Errorf("listed: %s", text(row))
	}
	if err := n.db.BlockListRead(t.Context(), list, []souk.HostBlock{{Domain: "far.example", Severity: souk.Suspend, PublicComment: `<b>bad</b>`}, {Domain: "loud.example", Severity: souk.Silence}}, "", ""); err != nil {
		t.Fatal(err)
	}
	p := b.get(path)
	if row := p.Find(".subscribed tbody tr"); row.Find(".error").Length() != 0 || !strings.Contains(text(row), "1 of 2") {
		t.Errorf("read: %s", text(row))
	}
	if row := p.Find(".proposed tbody tr"); row.Length() != 1 || row.Find("button").Length() != 2 || !strings.Contains(text(row), "1 follower here") || !strings.Contains(text(row), "<b>bad</b>") {
		t.Errorf("proposed: %s", text(row))
	}
	edit := b.get("/console/moderation/hosts?domain=loud.example")
	if edit.Find(`button[value=lift]`).Length() != 0 { // the list would set it again
		t.Error("what a list says can be lifted by hand")
	}
	b.post(path+"/decide", url.Values{"domain": {"far.example"}, "do": {"confirm"}}).want(http.StatusOK, path)
	if refused, err := n.db.Refused(t.Context(), "far.example", ""); err != nil || !refused {
		t.Errorf("confirmed and not refused: %v", err)
	}
	if b.get(path).Find(".proposed").Length() != 0 {
		t.Error("asked again")
	}
	b.post(path+"/decide", url.Values{"domain": {"far.example"}, "do": {"decline"}}).want(http.StatusNotFound, path+"/decide")
	own := path + "/" + id(list)
	b.post(own, url.Values{"do": {"read"}}).want(http.StatusOK, path)
	if b.get(own).Find(`button[value=unsubscribe]`).Length() != 1 {
		t.Error("nothing is asked")
	}
	b.post(own, url.Values{"do": {"unsubscribe"}}).want(http.StatusOK, path)
	if blocks, err := n.db.HostBlockCount(t.Context(), n.account(t, "anna").ID); err != nil || blocks != 0 {
		t.Errorf("%d blocks are left, %v", blocks, err)
	}
	b.get(own).want(http.StatusNotFound, own)
}
