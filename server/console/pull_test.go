package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"souk"
)

// A member names an account that nobody answers for, has the followers in a backup asked, sees who could not be, and stops it.
func TestPullFollowers(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	b := n.signedIn(t, "cora")
	const account, path, old = "/console/settings/account", "/console/settings/account/followers", "https://dead.invalid/users/cora"
	if b.get(account).Find(`main a[href="`+path+`"]`).Length() != 1 {
		t.Error("nothing leads to the page")
	}
	if p := b.get(path).want(http.StatusOK, path); p.Find(".empty").Length() != 1 || p.Find("textarea").Length() != 0 {
		t.Error("no empty state")
	}
	for _, wrong := range []string{origin + "/users/nobody", "@cora@dead.invalid", "https://127.0.0.1/users/x", "https://dead.invalid/ users"} {
		b.post(account, url.Values{"do": {"aliases"}, "aliases": {wrong}}).want(http.StatusUnprocessableEntity, account).problem("aliases")
	}
	p := b.post(account, url.Values{"do": {"aliases"}, "aliases": {old}}).want(http.StatusOK, account)
	if !strings.Contains(text(p.Find("[role=status]")), "did not answer") {
		t.Errorf("it is not said that nobody answered: %s", text(p.Find("[role=status]")))
	}
	p = b.post(path, url.Values{"do": {"start"}, "old": {old}, "list": {"Account address\nfay@far.example\nhttps://x <b>\n"}}).want(http.StatusUnprocessableEntity, path)
	p.problem("list")
	if e := text(p.Find("#list-error")); !strings.Contains(e, "Line 3") || !strings.Contains(e, "https://x <b>") {
		t.Errorf("the wrong line: %s", e)
	}
	if got := p.form("main form.stack").Get("list"); !strings.Contains(got, "fay@far.example") {
		t.Errorf("the form came back with %q", got)
	}
	b.post(path, url.Values{"do": {"start"}, "old": {"https://else.invalid/users/x"}, "list": {"fay@far.example"}}).want(http.StatusUnprocessableEntity, path).problem("old")
	for range 2 {
		b.post(path, url.Values{"do": {"start"}, "old": {old}, "list": {"Account address\nfay@far.example\nmia@far.example\n"}}).want(http.StatusOK, path)
	}
	cora := n.account(t, "cora")
	if err := n.db.PullFails(t.Context(), &souk.PulledFollower{AccountID: cora.ID, OldURI: old, Handle: "mia@far.example"}, souk.PullUnknown); err != nil {
		t.Fatal(err)
	}
	for lang, why := range map[string]string{"en": "There is no such account", "zh-Hans": "没有这个账号"} {
		p := b.get(path + "?lang=" + lang)
		if row := p.Find("tbody tr"); row.Length() != 1 || !strings.Contains(text(row), "@mia@far.example") || !strings.Contains(text(row), why) || p.Find(`button[value="stop"]`).Length() != 1 {
			t.Errorf("%s: %s", lang, text(p.Find("main")))
		}
		if lang == "zh-Hans" {
			p.inChinese()
		}
	}
	p = b.post(path, url.Values{"do": {"stop"}}).want(http.StatusOK, path)
	if pulls, err := n.db.Pulls(t.Context(), cora.ID); err != nil || len(pulls) != 1 || pulls[0] != (souk.Pull{OldURI: old, Failed: 1, Stopped: 1}) || p.Find(`button[value="stop"]`).Length() != 0 {
		t.Errorf("stopped: %+v %v", pulls, err)
	}
	if pulls, err := n.db.Pulls(t.Context(), n.account(t, "anna").ID); err != nil || len(pulls) != 0 {
		t.Errorf("of somebody else: %+v %v", pulls, err)
	}
}
