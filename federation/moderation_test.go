package federation

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"souk"
)

// owner is the one who sees reports.
func (n *testNode) reports(t *testing.T) []souk.Report {
	t.Helper()
	return ok(n.db.Reports(t.Context(), n.anna.ID, souk.ReportOpen, souk.Page{}))(t)
}

// lastSaid is the newest activity that waits to be delivered to a host.
func (n *testNode) lastSaid(t *testing.T, host string) object {
	t.Helper()
	must(t, n.Federate(t.Context()))
	a := ok(n.db.Activity(t.Context(), n.deliveries(t, host, "")[0].ActivityID))(t)
	return ok(parseObject(a.Body))(t)
}

func TestBlockIsTold(t *testing.T) {
	t.Parallel()
	n := newNode(t, testBase)
	fay, _, _ := n.follows(t)
	ctx := t.Context()
	must(t, n.db.Block(ctx, n.anna.ID, fay.ID))
	equal(t, "told", n.said(t, "f.example"), "Accept", "Reject", "Block")
	block := n.lastSaid(t, "f.example")
	if block.id("actor") != n.anna.URI || block.id("object") != fay.URI || block.ids("to")[0] != fay.URI {
		t.Errorf("block: %v", block)
	}
	must(t, n.db.Unblock(ctx, n.anna.ID, fay.ID))
	equal(t, "told", n.said(t, "f.example"), "Accept", "Reject", "Block", "Undo")
	if undo := n.lastSaid(t, "f.example"); undo.object("object").self() != block.self() {
		t.Errorf("undone: %v", undo)
	}
	// Whom one of this node blocks concerns nobody else.
	cora := ok(n.db.CreateAccount(ctx, souk.NewAccount{Name: "cora"}))(t)
	must(t, n.db.Block(ctx, n.anna.ID, cora.ID))
	must(t, n.Federate(ctx))
	if got := n.count(t, `select count(*) from activities where type = 'Block'`); got != 1 {
		t.Errorf("%d blocks were told", got)
	}
}

func TestBlockIsReceived(t *testing.T) {
	t.Parallel()
	n, peer := inbound(t), newOtherNode(t, 1)
	ben := peer.person(t, "ben")
	n.follow(t, peer, ben)
	peer.serve("/notes/1", peer.note(ben, "/notes/1", "hello"))
	n.done(t, peer, peer.activity("Create", ben, "/create/1", peer.note(ben, "/notes/1", "hello")))
	p := n.post(t, peer.URL+"/notes/1")
	n.done(t, peer, peer.activity("Block", ben, "/block/1", n.anna.URI))
	if _, err := n.db.Post(t.Context(), n.anna.ID, p.ID); !errors.Is(err, souk.ErrNotFound) {
		t.Errorf("anna still reads ben: %v", err)
	}
	if got := n.count(t, `select count(*) from follows`); got != 0 {
		t.Errorf("%d follows are left", got)
	}
	n.done(t, peer, peer.activity("Undo", ben, "/undo/1", peer.URL+"/block/1"))
	if _, err := n.db.Post(t.Context(), n.anna.ID, p.ID); err != nil {
		t.Errorf("after the Undo, which names an id only: %v", err)
	}
	n.done(t, peer, peer.activity("Block", ben, "/block/2", n.anna.URI))
	n.done(t, peer, peer.activity("Undo", ben, "/undo/2", peer.activity("Block", ben, "/block/2", n.anna.URI)))
	if got := n.count(t, `select count(*) from blocks`); got != 0 {
		t.Errorf("%d blocks are left", got)
	}
}

// The forms in which servers report, each about the same account and post.
func TestFlagIsReceived(t *testing.T) {
	t.Parallel()
	for name, form := range map[string]struct {
		object  func(anna, post, other string) any
		content string
		posts   int
	}{
		"Mastodon, GoToSocial: actor and posts": {func(anna, post, _ string) any { return []any{anna, post} }, "Sells <b>fakes</b>", 1},
		"Mastodon: the account alone":           {func(anna, _, _ string) any { return []any{anna} }, "Rude", 0},
		"one id":                                {func(anna, _, _ string) any { return anna }, "Rude", 0},
		"Lemmy: the post alone":                 {func(_, post, _ string) any { return post }, "Rude", 1},
		"Pleroma: objects": {func(anna, post, _ string) any {
			return []any{anna, m{"type": "Note", "id": post, "actor": m{"id": anna}}}
		}, "Rude", 1},
		"others among them":              {func(anna, post, other string) any { return []any{other, anna, post, "https://else.example/1"} }, "Rude", 1},
		"Misskey: addresses in the text": {func(anna, _, _ string) any { return anna }, "Note: %s\n-----\nRude", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n, peer := inbound(t), newOtherNode(t, 1)
			node := peer.URL + "/users/node"
			actor := peer.actor(t, "node")
			actor["type"] = "Application"
			peer.serve("/users/node", actor)
			p := ok(n.db.CreatePost(t.Context(), n.anna.ID, souk.NewPost{Source: "hello"}))(t)
			content := strings.ReplaceAll(form.content, "%s", p.URI)
			flag := peer.activity("Flag", node, "/flags/1", form.object(n.anna.URI, p.URI, peer.URL+"/users/x"))
			flag["content"] = content
			n.done(t, peer, flag)
			list := n.reports(t)
			if len(list) != 1 {
				t.Fatalf("%d reports", len(list))
			}
			r := list[0]
			if r.TargetID != n.anna.ID || r.Comment != content || r.Host != peer.host() || len(r.Posts) != form.posts || r.Reporter.Kind != "Application" {
				t.Errorf("report %+v with %d posts", r, len(r.Posts))
			}
			told := ok(n.db.Notifications(t.Context(), n.anna.ID, souk.Page{}, souk.NotifyReport))(t)
			if len(told) != 1 || told[0].ReportID != r.ID {
				t.Errorf("the owner is told: %+v", told)
			}
		})
	}
}

// What is of others is no report here, nothing is stored twice, and nobody can report without an end.
func TestFlagLimits(t *testing.T) {
	t.Parallel()
	n, peer := inbound(t), newOtherNode(t, 1)
	ctx := t.Context()
	node := peer.person(t, "node")
	ben := ok(n.ResolveActor(ctx, node))(t)
	for i, object := range []any{"https://else.example/users/x", []any{ben.URI}, []any{}, n.db.BaseURL() + "/users/nobody", n.db.BaseURL() + "/actor", m{}} {
		flag := peer.activity("Flag", node, "/none/"+formatID(int64(i)), object)
		if state, note := n.deliver(t, peer, flag); state != "ignored" {
			t.Errorf("%v: %s %s", object, state, note)
		}
	}
	for i := range 3 {
		flag := peer.activity("Flag", node, "/again/"+formatID(int64(i)), n.anna.URI)
		flag["content"] = fmt.Sprint("reason ", i)
		n.done(t, peer, flag)
	}
	list := n.reports(t)
	if len(list) != 1 {
		t.Fatalf("%d reports about the same", len(list))
	}
	r := ok(n.db.Report(ctx, n.anna.ID, list[0].ID))(t)
	if len(r.Notes) != 2 || r.Notes[0].Action != souk.NoteAdded || r.Notes[0].Note != "reason 1" {
		t.Errorf("notes %+v", r.Notes)
	}
	must(t, n.db.BlockHosts(ctx, n.anna.ID, []souk.HostBlock{{Domain: "127.0.0.1", RejectReports: true}}))
	if state, _ := n.deliver(t, peer, peer.activity("Flag", node, "/rejected", n.anna.URI)); state != "ignored" {
		t.Errorf("reports are rejected, and it is %s", state)
	}
}

// A report leaves in the name of the node, and says nothing of who made it.
func TestFlagIsForwarded(t *testing.T) {
	t.Parallel()
	n := newNode(t, testBase)
	_, _, sam := n.follows(t)
	ctx := t.Context()
	cora := ok(n.db.CreateAccount(ctx, souk.NewAccount{Name: "cora", DisplayName: "Cora", Email: "cora@mail.example"}))(t)
	p := ok(n.db.ReceivePost(ctx, souk.RemotePost{URI: sam.URI + "/1", Author: sam, HTML: "buy", Visibility: souk.Public}))(t)
	quiet := ok(n.db.FileReport(ctx, n.anna.ID, souk.NewReport{TargetID: sam.ID, Comment: "between us"}))(t)
	equal(t, "told without being asked to", n.said(t, "s.example"))
	r := ok(n.db.FileReport(ctx, cora.ID, souk.NewReport{TargetID: sam.ID, PostIDs: []int64{p.ID}, Comment: "Sells fakes", Forward: true}))(t)
	equal(t, "told", n.said(t, "s.example"), "Flag")
	d := n.deliveries(t, "s.example", "")[0]
	instance := ok(n.db.InstanceActor(ctx))(t)
	if d.SenderID != instance.ID || d.Inbox != sam.Inbox {
		t.Errorf("sent by %d to %s", d.SenderID, d.Inbox)
	}
	a := ok(n.db.Activity(ctx, d.ActivityID))(t)
	flag := ok(parseObject(a.Body))(t)
	if flag.id("actor") != instance.URI || flag.text("content") != "Sells fakes" || !slices.Equal(flag.ids("object"), []string{sam.URI, p.URI}) {
		t.Errorf("flag %s", a.Body)
	}
	if text := strings.ToLower(string(a.Body)); strings.Contains(text, "cora") {
		t.Errorf("it names who reported: %s", a.Body)
	}
	if _, err := n.Activity(ctx, nil, a.ID); !errors.Is(err, souk.ErrNotFound) {
		t.Errorf("anybody can read it: %v", err)
	}
	must(t, n.db.ActOnReport(ctx, n.anna.ID, r.ID, souk.ReportAct{Action: souk.ActForward})) // twice is once
	must(t, n.db.ActOnReport(ctx, n.anna.ID, quiet.ID, souk.ReportAct{Action: souk.ActForward, Note: "Look at this shop"}))
	equal(t, "told", n.said(t, "s.example"), "Flag", "Flag")
	words := func(want ...string) {
		t.Helper()
		var got []string
		for _, d := range n.deliveries(t, "s.example", "") {
			got = append(got, ok(parseObject(ok(n.db.Activity(ctx, d.ActivityID))(t).Body))(t).text("content"))
		}
		slices.Sort(got)
		slices.Sort(want)
		equal(t, "words", got, want...)
	}
	words("Sells fakes", "Look at this shop")
	// What was written for this node alone stays here, also where the same person reports again and wants that told.
	dan := ok(n.db.CreateAccount(ctx, souk.NewAccount{Name: "dan"}))(t)
	ok(n.db.FileReport(ctx, dan.ID, souk.NewReport{TargetID: sam.ID, Comment: "I am afraid of them"}))(t)
	ok(n.db.FileReport(ctx, dan.ID, souk.NewReport{TargetID: sam.ID, Comment: "Again fakes", Forward: true}))(t)
	eve := ok(n.db.CreateAccount(ctx, souk.NewAccount{Name: "eve"}))(t)
	bare := ok(n.db.FileReport(ctx, eve.ID, souk.NewReport{TargetID: sam.ID, Comment: "my secret"}))(t)
	must(t, n.db.ActOnReport(ctx, n.anna.ID, bare.ID, souk.ReportAct{Action: souk.ActForward}))
	equal(t, "told", n.said(t, "s.example"), "Flag", "Flag", "Flag", "Flag")
	words("Sells fakes", "Look at this shop", "Again fakes", "")
}

// A suspended account of this node says so, to its followers and to those who ask, and shows nothing else.
func TestSuspendedIsTold(t *testing.T) {
	t.Parallel()
	n := newNode(t, testBase)
	fay, _, _ := n.follows(t)
	ctx := t.Context()
	ben := ok(n.db.CreateAccount(ctx, souk.NewAccount{Name: "ben", Role: souk.RoleSeller, DisplayName: "Ben the cheat"}))(t)
	n.followedBy(t, ben, fay, false)
	p := ok(n.db.CreatePost(ctx, ben.ID, souk.NewPost{Source: "hello"}))(t)
	before := len(n.said(t, "f.example"))
	must(t, n.db.SuspendAccount(ctx, n.anna.ID, ben.ID))
	equal(t, "told", n.said(t, "f.example")[before:], "Update")
	if update := n.lastSaid(t, "f.example"); !update.object("object").yes("suspended") {
		t.Errorf("update %v", update)
	}
	doc := ok(n.Actor(ctx, nil, "ben"))(t)
	var actor struct {
		Suspended bool
		Name      string
		PublicKey map[string]string
	}
	must(t, json.Unmarshal(doc.Body, &actor))
	if !actor.Suspended || actor.Name != "ben" || actor.PublicKey["publicKeyPem"] == "" {
		t.Errorf("actor %s", doc.Body)
	}
	if _, err := n.Post(ctx, nil, p.ID); !errors.Is(err, souk.ErrNotFound) {
		t.Errorf("the post: %v", err)
	}
	must(t, n.db.UnsuspendAccount(ctx, n.anna.ID, ben.ID))
	if update := n.lastSaid(t, "f.example"); update.object("object").yes("suspended") {
		t.Errorf("update %v", update)
	}
	ok(n.Post(ctx, nil, p.ID))(t)
}

// An account that is kept in memory of its owner says so, to its followers and to those who ask, and shows all that it did; one of
// another server is kept as that says.
func TestMemorialIsTold(t *testing.T) {
	t.Parallel()
	n := newNode(t, testBase)
	fay, _, _ := n.follows(t)
	ctx := t.Context()
	ben := ok(n.db.CreateAccount(ctx, souk.NewAccount{Name: "ben", Role: souk.RoleSeller, DisplayName: "Ben"}))(t)
	n.followedBy(t, ben, fay, false)
	p := ok(n.db.CreatePost(ctx, ben.ID, souk.NewPost{Source: "hello"}))(t)
	says := func() (memorial, written bool) {
		t.Helper()
		memorial, written = parsed(t, string(ok(n.Actor(ctx, nil, "ben"))(t).Body))["memorial"].(bool)
		if update := n.lastSaid(t, "f.example").object("object"); update.is("Person") && update["memorial"] != memorial {
			t.Errorf("the last update says %v, the actor %v", update["memorial"], memorial)
		}
		return memorial, written
	}
	if memorial, written := says(); memorial || !written {
		t.Errorf("a living account: %v, said %v", memorial, written)
	}
	before := len(n.said(t, "f.example"))
	must(t, n.db.SetMemorial(ctx, n.anna.ID, ben.ID, true))
	equal(t, "told", n.said(t, "f.example")[before:], "Update")
	if memorial, _ := says(); !memorial {
		t.Error("it does not say so")
	}
	ok(n.Post(ctx, nil, p.ID))(t)
	must(t, n.db.SetMemorial(ctx, n.anna.ID, ben.ID, true)) // it is so already
	equal(t, "told", n.said(t, "f.example")[before:], "Update")
	must(t, n.db.SetMemorial(ctx, n.anna.ID, ben.ID, false))
	if memorial, _ := says(); memorial {
		t.Error("it still says so")
	}
	if err := n.db.SetMemorial(ctx, ben.ID, n.anna.ID, true); !errors.Is(err, souk.ErrForbidden) {
		t.Errorf("by a seller: %v", err)
	}
	var wrong *souk.Invalid
	for _, id := range []int64{n.anna.ID, fay.ID} {
		if err := n.db.SetMemorial(ctx, n.anna.ID, id, true); !errors.As(err, &wrong) {
			t.Errorf("of the owner, or of an account elsewhere: %v", err)
		}
	}

	in, peer := inbound(t), newOtherNode(t, 1)
	dora := peer.person(t, "dora")
	if a := in.follow(t, peer, dora); a.Memorial {
		t.Error("dora lives")
	}
	for i, memorial := range []bool{true, false} {
		doc := with(peer.actor(t, "dora"), "memorial", memorial)
		peer.serve("/users/dora", doc)
		in.done(t, peer, peer.activity("Update", dora, "/updates/"+formatID(int64(i)), doc))
		if a := ok(in.db.AccountByURI(ctx, dora))(t); a.Memorial != memorial {
			t.Errorf("kept as %v", a.Memorial)
		}
	}
}

// Of a suspended remote account nothing is accepted: 403 at the inbox, and it is not asked for anything.
func TestSuspendedIsRefused(t *testing.T) {
	t.Parallel()
	n, peer := inbound(t), newOtherNode(t, 1)
	id := peer.person(t, "ben")
	ben := n.follow(t, peer, id)
	must(t, n.db.SuspendAccount(t.Context(), n.anna.ID, ben.ID))
	if status := n.send(t, peer, peer.activity("Create", id, "/create/1", peer.note(id, "/notes/1", "hello"))); status != 403 {
		t.Errorf("status %d", status)
	}
	carol := peer.person(t, "carol")
	if status := n.send(t, peer, peer.activity("Like", carol, "/like/1", "https://else.example/1")); status != 202 {
		t.Errorf("the neighbour: status %d", status)
	}
	must(t, n.db.UnsuspendAccount(t.Context(), n.anna.ID, ben.ID))
	if status := n.send(t, peer, peer.activity("Create", id, "/create/2", peer.note(id, "/notes/2", "hello"))); status != 202 {
		t.Errorf("after it: status %d", status)
	}
}

// A blocked domain is blocked at the inbox, in fetches, in what waits and in what would be sent, with its subdomains.
func TestBlockedDomain(t *testing.T) {
	t.Parallel()
	n, peer := inbound(t), newOtherNode(t, 1)
	ctx := t.Context()
	id := peer.person(t, "ben")
	n.follow(t, peer, id)
	waits := peer.activity("Create", id, "/create/1", peer.note(id, "/notes/1", "hello"))
	if status := n.send(t, peer, waits); status != 202 {
		t.Fatalf("status %d", status)
	}
	must(t, n.db.BlockHost(ctx, n.anna.ID, "127.0.0.1", souk.Suspend, "")) // without the port, which covers each
	must(t, n.ApplyInbox(ctx))
	if state, note := n.ended(t, waits["id"].(string)); state != "ignored" {
		t.Errorf("what waited: %s %s", state, note)
	}
	if status := n.send(t, peer, peer.activity("Like", id, "/like/1", "x")); status != 403 {
		t.Errorf("status %d", status)
	}
	asked := peer.requests("/notes/2")
	if _, err := n.ResolvePost(ctx, peer.URL+"/notes/2"); !errors.Is(err, souk.ErrForbidden) || peer.requests("/notes/2") != asked {
		t.Errorf("resolve: %v", err)
	}
	if _, err := n.DescribeHost(ctx, peer.host()); !errors.Is(err, souk.ErrForbidden) {
		t.Errorf("describe: %v", err)
	}
	must(t, n.db.UnblockHost(ctx, n.anna.ID, "127.0.0.1"))
	if status := n.send(t, peer, peer.activity("Like", id, "/like/2", "x")); status != 202 {
		t.Errorf("lifted: status %d", status)
	}
}

// A host that is not blocked cannot make the node ask one that is: a redirect there ends before the request.
func TestRedirectToABlockedHost(t *testing.T) {
	t.Parallel()
	n, peer, blocked := inbound(t), newOtherNode(t, 1), newOtherNode(t, 2, "127.0.0.2")
	ctx := t.Context()
	eve := blocked.person(t, "eve")
	peer.serve("/users/eve", redirect(eve))
	peer.serve("/.well-known/webfinger?resource=acct:"+queryEscape("eve@"+peer.host()), redirect(blocked.URL+"/.well-known/webfinger"))
	must(t, n.db.BlockHost(ctx, n.anna.ID, "127.0.0.2", souk.Suspend, ""))
	if _, err := n.ResolveActor(ctx, peer.URL+"/users/eve"); !errors.Is(err, ErrRedirect) || peer.requests("/users/eve") == 0 {
		t.Errorf("an actor: %v", err)
	}
	if _, err := n.ResolveHandle(ctx, "@eve@"+peer.host()); !errors.Is(err, ErrRedirect) {
		t.Errorf("a handle: %v", err)
	}
	if blocked.requests("/users/eve")+blocked.requests("/.well-known/webfinger") != 0 {
		t.Error("the blocked host was asked")
	}
	must(t, n.db.UnblockHost(ctx, n.anna.ID, "127.0.0.2"))
	if a, err := n.ResolveActor(ctx, peer.URL+"/users/eve"); err != nil || a.URI != eve {
		t.Errorf("lifted: %v, %v", a, err)
	}
}

// A host whose pictures alone are refused is asked for none by way of another, and for everything else as before.
func TestRedirectToAHostWithoutMedia(t *testing.T) {
	t.Parallel()
	n, peer, refused := inbound(t), newOtherNode(t, 1), newOtherNode(t, 2, "127.0.0.2")
	ctx := t.Context()
	eve := refused.person(t, "eve")
	for _, path := range []string{"/eve.png", "/eve.mp4"} {
		peer.serve(path, redirect(refused.URL+path))
	}
	peer.serve("/users/eve", redirect(eve))
	fetch := func() (picture, film error) {
		_, picture = n.cfg.Client.Media(ctx, peer.URL+"/eve.png", 1<<10)
		_, film = n.cfg.Client.Film(ctx, peer.URL+"/eve.mp4", "")
		return picture, film
	}
	must(t, n.db.BlockHosts(ctx, n.anna.ID, []souk.HostBlock{{Domain: "127.0.0.2", RejectMedia: true}}))
	if picture, film := fetch(); !errors.Is(picture, ErrRedirect) || !errors.Is(film, ErrRedirect) || refused.requests("/eve.png")+refused.requests("/eve.mp4") != 0 {
		t.Errorf("picture: %v, film: %v", picture, film)
	}
	if a, err := n.ResolveActor(ctx, peer.URL+"/users/eve"); err != nil || a.URI != eve {
		t.Errorf("an actor: %v, %v", a, err)
	}
	must(t, n.db.UnblockHost(ctx, n.anna.ID, "127.0.0.2"))
	if picture, film := fetch(); !errors.Is(picture, ErrGone) || !errors.Is(film, ErrGone) || refused.requests("/eve.png")+refused.requests("/eve.mp4") != 2 {
		t.Errorf("lifted: picture: %v, film: %v", picture, film)
	}
}
