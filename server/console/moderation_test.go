package console_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"souk"
)

// reported is a post of mira with hostile words, and cora's report about it.
func (n *node) reported(t *testing.T) (*souk.Post, *souk.Report) {
	t.Helper()
	mira := n.remote(t, "mira")
	p, err := n.db.ReceivePost(t.Context(), souk.RemotePost{URI: mira.URI + "/1", URL: mira.URI + "/1", Author: mira, HTML: "<p>Buy fakes</p>", Visibility: souk.Public})
	if err != nil {
		t.Fatal(err)
	}
	r, err := n.db.FileReport(t.Context(), n.account(t, "cora").ID, souk.NewReport{TargetID: mira.ID, PostIDs: []int64{p.ID}, Category: souk.ReportSpam,
		Comment: `<script>alert("x")</script>`})
	if err != nil {
		t.Fatal(err)
	}
	return p, r
}

func TestReports(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	b := n.signedIn(t, "anna")
	if b.get("/console/moderation/reports").Find(".empty").Length() != 1 {
		t.Error("no empty state")
	}
	if b.get("/console").Find(`.todo a[href="/console/moderation/reports"]`).Length() != 0 {
		t.Error("something waits that is not there")
	}
	_, r := n.reported(t)
	if b.get("/console").Find(`.todo a[href="/console/moderation/reports"]`).Length() != 1 {
		t.Error("the report does not wait on the first page")
	}
	address := "/console/moderation/reports/" + id(r.ID)
	if b.get("/console/moderation/reports").Find(`tbody a[href="`+address+`"]`).Length() != 1 {
		t.Error("the report is not listed")
	}
	p := b.get(address)
	if p.Find("main script").Length() != 0 || !strings.Contains(text(p.Find("main .quote")), `<script>alert("x")</script>`) {
		t.Errorf("the comment is not shown as it is: %s", text(p.Find("main")))
	}
	if p.Find(".talk article").Length() != 1 || !strings.Contains(text(p.Find("main")), "@cora@shop.example") {
		t.Errorf("the page says %s", text(p.Find("main")))
	}
	for _, act := range []string{"suspend", "silence_host", "forward"} {
		if p.Find(`details button[value=`+act+`]`).Length() != 1 { // folded up: nothing happens by one touch
			t.Errorf("%s is not asked about", act)
		}
	}
	b.post(address, url.Values{"do": {"note"}}).want(http.StatusUnprocessableEntity, address).problem("note")
	b.post(address, url.Values{"do": {"suspend"}, "note": {"enough"}}).want(http.StatusOK, address)
	p = b.get(address)
	if p.Find(`button[value=unsuspend]`).Length() != 1 || !strings.Contains(text(p.Find(".history")), "enough") {
		t.Errorf("after it: %s", text(p.Find("main")))
	}
	b.post(address, url.Values{"do": {"forward"}, "note": {"for me"}, "told": {strings.Repeat("x", 1001)}}).want(http.StatusUnprocessableEntity, address).problem("told")
	b.post(address, url.Values{"do": {"forward"}, "note": {"for me"}, "told": {"for them"}}).want(http.StatusOK, address)
	if said := text(b.get(address).Find(".history")); !strings.Contains(said, "for them") || strings.Contains(said, "for me") {
		t.Errorf("forwarded: %s", said)
	}
	b.post(address, url.Values{"do": {"unsuspend"}})
	b.post(address, url.Values{"do": {"resolve"}}).want(http.StatusOK, address)
	if b.get("/console/moderation/reports").Find("tbody tr").Length() != 0 || b.get("/console/moderation/reports?state=resolved").Find("tbody tr").Length() != 1 {
		t.Error("the report did not move to the resolved ones")
	}
	b.post(address, url.Values{"do": {"burn"}}).want(http.StatusNotFound, address)
	b.get("/console/moderation/reports/1").want(http.StatusNotFound, "/console/moderation/reports/1")
}

func TestModerationIsForTheOwner(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	_, r := n.reported(t)
	list, err := n.db.SubscribeBlockList(t.Context(), n.account(t, "anna").ID, "https://lists.example/a")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ben", "cora"} {
		b := n.signedIn(t, name)
		for _, path := range []string{"/console/moderation/reports", "/console/moderation/reports/" + id(r.ID), "/console/moderation/hosts", "/console/moderation/hosts/import",
			"/console/moderation/hosts/export", "/console/moderation/accounts/" + id(r.TargetID), "/console/moderation/lists", "/console/moderation/lists/" + id(list)} {
			b.get(path).want(http.StatusForbidden, path)
		}
		for path, form := range map[string]url.Values{"/console/moderation/reports/" + id(r.ID): {"do": {"suspend"}}, "/console/moderation/hosts": {"host": {"far.example"}, "severity": {"suspend"}},
			"/console/moderation/hosts/import": {"list": {"far.example"}, "do": {"apply"}}, "/console/moderation/accounts/" + id(r.TargetID): {"do": {"suspend"}},
			"/console/moderation/lists": {"url": {"https://lists.example/b"}}, "/console/moderation/lists/" + id(list): {"do": {"unsubscribe"}},
			"/console/moderation/lists/decide": {"domain": {"far.example"}, "do": {"confirm"}}} {
			b.post(path, form).want(http.StatusForbidden, path)
		}
	}
	if blocks, err := n.db.HostBlockCount(t.Context(), n.account(t, "anna").ID); err != nil || blocks != 0 {
		t.Errorf("%d blocks %v", blocks, err)
	}
}

func TestReportForm(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	p, _ := n.reported(t)
	b := n.signedIn(t, "ben")
	path := "/console/posts/" + id(p.ID) + "/report"
	if b.get("/console/posts/"+id(p.ID)).Find(`.talk a[href="`+path+`"]`).Length() != 1 {
		t.Error("the conversation does not lead to the form")
	}
	if got := b.get(path).form("main form").Get("category"); got != souk.ReportSpam {
		t.Errorf("the form begins with %q", got)
	}
	long := strings.Repeat("x", 1001)
	f := b.post(path, url.Values{"category": {"legal"}, "comment": {long}, "forward": {"1"}}).want(http.StatusUnprocessableEntity, path)
	f.problem("comment")
	if got := f.form("main form"); got.Get("comment") != long || got.Get("category") != "legal" || got.Get("forward") != "1" {
		t.Error("the form came back empty")
	}
	b.post(path, url.Values{"category": {"legal"}, "comment": {"Look"}}).want(http.StatusOK, "/console/posts/"+id(p.ID))
	account := "/console/people/" + id(p.AccountID) + "/report"
	b.get(account).want(http.StatusOK, account)
	b.post(account, url.Values{"category": {"other"}}).want(http.StatusOK, "/console/people")
	counts, err := n.db.ReportCounts(t.Context(), n.account(t, "anna").ID)
	if err != nil || counts[souk.ReportOpen] != 2 { // cora's, and ben's two as one
		t.Errorf("%v %v", counts, err)
	}
	b.get("/console/posts/1/report").want(http.StatusNotFound, "/console/posts/1/report")
}

func TestHostBlocks(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	b := n.signedIn(t, "anna")
	const path = "/console/moderation/hosts"
	if b.get(path).Find(".empty").Length() != 1 {
		t.Error("no empty state")
	}
	f := b.post(path, url.Values{"host": {"shop.example"}, "severity": {"suspend"}, "reason": {"why"}}).want(http.StatusUnprocessableEntity, path)
	f.problem("host")
	if f.Find("details#block[open]").Length() != 1 {
		t.Error("what is wrong is folded up")
	}
	if got := f.form("main form"); got.Get("host") != "shop.example" || got.Get("severity") != "suspend" || got.Get("reason") != "why" {
		t.Errorf("the form came back with %v", got)
	}
	b.post(path, url.Values{"host": {"Bücher.example"}, "severity": {"silence"}, "reject_media": {"1"}, "reason": {"loud"}}).want(http.StatusOK, path)
	row := b.get(path).Find("tbody tr")
	if row.Length() != 1 || !strings.Contains(text(row), "xn--bcher-kva.example") {
		t.Errorf("listed: %s", text(row))
	}
	if b.get(path).Find("details#block[open]").Length() != 0 { // the domains come first
		t.Error("the form is open although nobody asked for it")
	}
	change := b.get(path + "?domain=xn--bcher-kva.example")
	if change.Find("details#block[open]").Length() != 1 {
		t.Error("the form to change a domain is folded up")
	}
	edit := change.form("main form")
	if edit.Get("severity") != "silence" || edit.Get("reject_media") != "1" || edit.Get("reason") != "loud" {
		t.Errorf("to change: %v", edit)
	}
	// To block a domain is asked about, with what it ends.
	mira := n.remote(t, "mira")
	if err := n.db.ReceiveFollow(t.Context(), mira.URI+"#follow", mira, n.account(t, "anna"), false); err != nil {
		t.Fatal(err)
	}
	ask := b.post(path, url.Values{"host": {"Far.example"}, "severity": {"suspend"}, "reason": {"spam"}}).want(http.StatusOK, path)
	if !strings.Contains(text(ask.Find("main")), "1 follower here") || b.get(path).Find("tbody tr").Length() != 1 {
		t.Errorf("asks %s", text(ask.Find("main")))
	}
	sure := ask.form("main form")
	sure.Set("do", "set")
	b.post(path, sure).want(http.StatusOK, path)
	if block, err := n.db.HostBlock(t.Context(), n.account(t, "anna").ID, "far.example"); err != nil || block.Severity != souk.Suspend || block.Reason != "spam" {
		t.Errorf("%+v %v", block, err)
	}
	b.post(path, url.Values{"host": {"far.example"}, "severity": {"suspend"}, "reason": {"much spam"}}).want(http.StatusOK, path)
	if block, err := n.db.HostBlock(t.Context(), n.account(t, "anna").ID, "far.example"); err != nil || block.Reason != "much spam" { // asked once only
		t.Errorf("%+v %v", block, err)
	}
	b.post(path, url.Values{"host": {"far.example"}, "do": {"lift"}}).want(http.StatusOK, path)
	b.post(path, url.Values{"host": {"xn--bcher-kva.example"}, "do": {"lift"}}).want(http.StatusOK, path)
	if b.get(path).Find("tbody tr").Length() != 0 {
		t.Error("still blocked")
	}
}

func TestImportHostBlocks(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	mira := n.remote(t, "mira")
	if err := n.db.ReceiveFollow(t.Context(), mira.URI+"#follow", mira, n.account(t, "anna"), false); err != nil {
		t.Fatal(err)
	}
	b := n.signedIn(t, "anna")
	const path = "/console/moderation/hosts/import"
	f := b.post(path, url.Values{"list": {"good.example\nnot a domain\n"}}).want(http.StatusUnprocessableEntity, path)
	f.problem("list")
	if !strings.Contains(text(f.Find("#problems")), "Line 2 names no domain: “not a domain”") || f.form("main form").Get("list") == "" {
		t.Errorf("says %s", text(f.Find("#problems")))
	}
	f = b.post(path+"?lang=zh-Hans", url.Values{"list": {"#domain,#severity\ngood.example,burn\n"}}).want(http.StatusUnprocessableEntity, path)
	if said := text(f.Find("#problems li")); !strings.HasPrefix(said, "第 2 行") || !strings.Contains(said, "“good.example,burn”") {
		t.Errorf("in Chinese: %s", said)
	}
	f = b.post(path+"?lang=en", url.Values{"list": {"good.example\nshop.example\n"}}).want(http.StatusUnprocessableEntity, path)
	if said := text(f.Find("#problems li")); !strings.HasPrefix(said, "shop.example – This is your own node.") {
		t.Errorf("the node itself: %s", said)
	}
	f = b.post(path, url.Values{"list": {strings.Repeat("not a domain\n", 40)}}).want(http.StatusUnprocessableEntity, path)
	if named := f.Find("#problems li"); named.Length() != 11 || text(named.Last()) != "More lines are wrong." {
		t.Errorf("of 40 wrong lines: %s", text(named))
	}
	list := "#domain,#severity,#reject_media,#reject_reports,#public_comment,#obfuscate\nfar.example,suspend,false,false,bad,false\nloud.example,silence,true,false,,false\nst*r.example,suspend,,,,\n"
	p := b.uploadAs("file", path, url.Values{}, file{"blocks.csv", []byte(list)}).want(http.StatusOK, path)
	if rows := p.Find("tbody tr"); rows.Length() != 2 || !strings.Contains(text(rows.First()), "1") {
		t.Errorf("preview: %s", text(p.Find("main")))
	}
	if n, err := n.db.HostBlockCount(t.Context(), n.account(t, "anna").ID); err != nil || n != 0 {
		t.Errorf("the preview set %d, %v", n, err)
	}
	form := p.form("main form")
	form.Set("do", "apply")
	b.post(path, form).want(http.StatusOK, "/console/moderation/hosts")
	if followers, _, err := n.db.FollowCounts(t.Context(), n.account(t, "anna").ID); err != nil || followers != 0 {
		t.Errorf("%d followers %v", followers, err)
	}
	out := b.get("/console/moderation/hosts/export")
	if !strings.HasPrefix(out.body, "#domain,") || !strings.Contains(out.body, "loud.example,silence,true") || !strings.HasPrefix(out.header.Get("Content-Type"), "text/csv") {
		t.Errorf("export: %s", out.body)
	}
	if b.post(path, form).want(http.StatusOK, "/console/moderation/hosts"); b.post(path, url.Values{"list": {list}}).Find("tbody tr").Length() != 0 {
		t.Error("the same list changes something again")
	}
}

func TestSuspendFromPeople(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ben := n.account(t, "ben")
	b, theirs := n.signedIn(t, "anna"), n.signedIn(t, "ben")
	path := "/console/moderation/accounts/" + id(ben.ID)
	if b.get("/console/people?list=accounts").Find(`a[href^="/console/moderation/accounts/"]`).Length() != 2 { // not of the owner
		t.Error("the accounts cannot be suspended from their list")
	}
	if b.get(path).Find(`button[value=suspend]`).Length() != 1 {
		t.Error("nothing is asked")
	}
	b.post(path, url.Values{"do": {"suspend"}}).want(http.StatusOK, path)
	theirs.get("/console").want(http.StatusOK, "/console/sign-in")
	if r, err := theirs.client.Get(theirs.base + "/@ben"); err != nil || r.Body.Close() != nil || r.StatusCode != http.StatusNotFound {
		t.Errorf("the profile: %v %v", r, err)
	}
	b.post(path, url.Values{"do": {"lift"}}).want(http.StatusOK, path)
	n.signedIn(t, "ben")
	owner := "/console/moderation/accounts/" + id(n.account(t, "anna").ID)
	b.post(owner, url.Values{"do": {"suspend"}}).want(http.StatusUnprocessableEntity, owner)
}

func TestMemorial(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ben := n.account(t, "ben")
	b, theirs := n.signedIn(t, "anna"), n.signedIn(t, "ben")
	path := "/console/moderation/accounts/" + id(ben.ID)
	if b.get(path).Find(`button[value=memorial]`).Length() != 1 {
		t.Fatal("nothing is asked")
	}
	b.post(path, url.Values{"do": {"memorial"}}).want(http.StatusOK, path)
	theirs.get("/console").want(http.StatusOK, "/console/sign-in")
	if _, err := n.db.CreateToken(t.Context(), ben.ID, "app", []string{"read"}, time.Time{}); err == nil {
		t.Error("an app can be signed in")
	}
	for path, want := range map[string]string{"/@ben": "In memoriam", "/zh/@ben": "谨此悼念"} {
		r, err := theirs.client.Get(theirs.base + path)
		if err != nil {
			t.Fatal(err)
		}
		profile, err := goquery.NewDocumentFromReader(r.Body)
		if err := errors.Join(err, r.Body.Close()); err != nil || text(profile.Find("main .memorial")) != want {
			t.Errorf("%s says %q, %v", path, text(profile.Find("main .memorial")), err)
		}
	}
	b.post(path, url.Values{"do": {"no_memorial"}}).want(http.StatusOK, path)
	n.signedIn(t, "ben")
	if n.account(t, "ben").Memorial {
		t.Error("it is still kept in memory")
	}
	owner := "/console/moderation/accounts/" + id(n.account(t, "anna").ID)
	b.post(owner, url.Values{"do": {"memorial"}}).want(http.StatusUnprocessableEntity, owner)
}

func TestBlockFromConversation(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	p, _ := n.reported(t)
	b := n.signedIn(t, "anna")
	if b.get("/console/posts/"+id(p.ID)).Find(`.talk form[action="/console/people/`+id(p.AccountID)+`"] button[value=block]`).Length() != 1 {
		t.Fatal("the conversation has no way to block")
	}
	b.post("/console/people/"+id(p.AccountID), url.Values{"do": {"block"}}).want(http.StatusOK, "/console/people")
	if got := b.get("/console/people?list=blocked").Find(".people li").Length(); got != 1 {
		t.Errorf("%d blocked", got)
	}
}
