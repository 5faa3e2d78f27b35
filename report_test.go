package souk

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestReport(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	cora, err := n.CreateAccount(ctx, NewAccount{Name: "cora"})
	if err != nil {
		t.Fatal(err)
	}
	ben := n.remote(t, "ben", "far.example")
	p := n.said(t, ben, "buy <b>this</b>", "", Public)
	other := n.said(t, n.remote(t, "dan", "far.example"), "me too", "", Public)
	secret := n.said(t, ben, "psst", "", Direct)
	for field, wrong := range map[string]NewReport{
		"comment": {TargetID: ben.ID, Comment: strings.Repeat("x", 1001)}, "category": {TargetID: ben.ID, Category: "ugly"},
		"account": {TargetID: cora.ID}, "posts": {TargetID: ben.ID, PostIDs: []int64{other.ID}}} {
		if _, err := n.FileReport(ctx, cora.ID, wrong); !isInvalid(err, field) {
			t.Errorf("%s: %v", field, err)
		}
	}
	if _, err := n.FileReport(ctx, cora.ID, NewReport{TargetID: ben.ID, PostIDs: []int64{secret.ID}}); !errors.Is(err, ErrNotFound) {
		t.Errorf("a post that the reporter may not see: %v", err)
	}
	if _, err := n.FileReport(ctx, ben.ID, NewReport{TargetID: n.owner.ID}); !errors.Is(err, ErrForbidden) {
		t.Errorf("by a stranger: %v", err)
	}
	r, err := n.FileReport(ctx, cora.ID, NewReport{TargetID: ben.ID, PostIDs: []int64{p.ID}, Category: ReportSpam, Comment: " Look \r\nhere "})
	if err != nil {
		t.Fatal(err)
	}
	again, err := n.FileReport(ctx, cora.ID, NewReport{TargetID: ben.ID, Comment: "Still there"})
	if err != nil || again.ID != r.ID {
		t.Errorf("again: %d instead of %d, %v", again.ID, r.ID, err)
	}
	wantKinds(t, n.waiting(t)) // nothing was forwarded
	if _, err := n.Reports(ctx, cora.ID, ReportOpen, Page{}); !errors.Is(err, ErrForbidden) {
		t.Errorf("a member lists: %v", err)
	}
	if _, err := n.Report(ctx, cora.ID, r.ID); !errors.Is(err, ErrForbidden) {
		t.Errorf("a member reads: %v", err)
	}
	if err := n.ActOnReport(ctx, cora.ID, r.ID, ReportAct{Action: ActResolve}); !errors.Is(err, ErrForbidden) {
		t.Errorf("a member resolves: %v", err)
	}
	got, err := n.Report(ctx, n.owner.ID, r.ID)
	if err != nil || got.Comment != "Look \nhere" || got.Category != ReportSpam || len(got.Posts) != 1 || got.Target.ID != ben.ID || got.Reporter.ID != cora.ID || len(got.Notes) != 1 {
		t.Fatalf("%+v %v", got, err)
	}
	if list, err := n.Notifications(ctx, n.owner.ID, Page{}, NotifyReport); err != nil || len(list) != 1 || list[0].ReportID != r.ID {
		t.Errorf("told: %+v %v", list, err)
	}
	for _, act := range []ReportAct{{Action: ActNote, Note: "asked him"}, {Action: ActSilenceHost}, {Action: ActSuspend}, {Action: ActResolve, Note: "done"}} {
		if err := n.ActOnReport(ctx, n.owner.ID, r.ID, act); err != nil {
			t.Fatal(act, err)
		}
	}
	got, err = n.Report(ctx, n.owner.ID, r.ID)
	if err != nil || got.State != ReportResolved || *got.ResolvedBy != n.owner.ID || len(got.Notes) != 5 || got.Notes[4].Note != "done" || got.Notes[4].By.ID != n.owner.ID {
		t.Errorf("after: %+v %v", got, err)
	}
	if got.Target.Suspended == nil {
		t.Error("ben is not suspended")
	}
	if host, err := n.Host(ctx, "far.example"); err != nil || host.Severity != Silence {
		t.Errorf("host %+v %v", host, err)
	}
	if counts, err := n.ReportCounts(ctx, n.owner.ID); err != nil || counts[ReportOpen] != 0 || counts[ReportResolved] != 1 {
		t.Errorf("counts %v %v", counts, err)
	}
	if unread, err := n.UnreadCount(ctx, n.owner.ID); err != nil || unread != 0 {
		t.Errorf("%d unread %v", unread, err)
	}
	// A new one may come once the first is resolved; then the first cannot be opened beside it.
	newer, err := n.FileReport(ctx, cora.ID, NewReport{TargetID: ben.ID})
	if err != nil || newer.ID == r.ID {
		t.Errorf("%+v %v", newer, err)
	}
	if err := n.ActOnReport(ctx, n.owner.ID, r.ID, ReportAct{Action: ActReopen}); !errors.Is(err, ErrConflict) {
		t.Errorf("reopened: %v", err)
	}
	for _, wrong := range []ReportAct{{Action: "burn"}, {Action: ActDeletePost, PostID: other.ID}, {Action: ActDeletePost, PostID: p.ID}} {
		if err := n.ActOnReport(ctx, n.owner.ID, r.ID, wrong); !errors.Is(err, ErrNotFound) {
			t.Errorf("%+v: %v", wrong, err)
		}
	}
	if err := n.ActOnReport(ctx, n.owner.ID, r.ID, ReportAct{Action: ActNote}); !isInvalid(err, "note") {
		t.Errorf("an empty note: %v", err)
	}
}

// What is done to a server about a report adds to what the owner said of it, and takes nothing back.
func TestReportRaisesHost(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	blocks := []HostBlock{{Domain: "far.example", RejectMedia: true, RejectReports: true, Obfuscate: true, PublicComment: "spam", Reason: "mine"},
		{Domain: "evil.example", Severity: Suspend, RejectMedia: true}}
	if err := n.BlockHosts(ctx, n.owner.ID, blocks); err != nil {
		t.Fatal(err)
	}
	expect := func(host, act, severity string, media bool) {
		t.Helper()
		r, err := n.FileReport(ctx, n.owner.ID, NewReport{TargetID: n.remote(t, "ben", host).ID})
		if err != nil {
			t.Fatal(err)
		}
		if err := n.ActOnReport(ctx, n.owner.ID, r.ID, ReportAct{Action: act}); err != nil {
			t.Fatal(err)
		}
		if h, err := n.Host(ctx, host); err != nil || h.Severity != severity || h.RejectMedia != media {
			t.Errorf("%s %s: %+v %v, want %q", act, host, h, err, severity)
		}
	}
	expect("far.example", ActSilenceHost, Silence, true)
	expect("far.example", ActSuspendHost, Suspend, true)
	expect("far.example", ActSilenceHost, Suspend, true)
	expect("a.evil.example", ActSilenceHost, Suspend, true) // under what is above it
	expect("new.example", ActSilenceHost, Silence, false)
	b, err := n.HostBlock(ctx, n.owner.ID, "far.example")
	if err != nil || !b.RejectReports || !b.Obfuscate || b.PublicComment != "spam" || b.Reason != "mine" {
		t.Errorf("the owner's block is now %+v %v", b, err)
	}
	if _, err := n.HostBlock(ctx, n.owner.ID, "a.evil.example"); !errors.Is(err, ErrNotFound) {
		t.Errorf("a lesser block beside the greater: %v", err)
	}
}

// What fails is not written down, and what is done to posts and people of this node is done.
func TestReportAboutOneOfUs(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	ben, err := n.CreateAccount(ctx, NewAccount{Name: "ben", Role: RoleSeller, Password: "correct horse"})
	if err != nil {
		t.Fatal(err)
	}
	p, err := n.CreatePost(ctx, ben.ID, NewPost{Source: "rude"})
	if err != nil {
		t.Fatal(err)
	}
	far := n.remote(t, "node", "far.example")
	if taken, err := n.ReceiveReport(ctx, RemoteReport{URI: far.URI + "/f1", From: far, TargetID: ben.ID, PostIDs: []int64{p.ID}}); err != nil || !taken {
		t.Fatal(taken, err)
	}
	list, err := n.Reports(ctx, n.owner.ID, ReportOpen, Page{})
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	id := list[0].ID
	for _, wrong := range []string{ActForward, ActSuspendHost} {
		if err := n.ActOnReport(ctx, n.owner.ID, id, ReportAct{Action: wrong}); !errors.Is(err, ErrForbidden) {
			t.Errorf("%s: %v", wrong, err)
		}
	}
	for _, act := range []ReportAct{{Action: ActDeletePost, PostID: p.ID}, {Action: ActSuspend}, {Action: ActUnsuspend}} {
		if err := n.ActOnReport(ctx, n.owner.ID, id, act); err != nil {
			t.Fatal(act, err)
		}
	}
	if _, err := n.Post(ctx, 0, p.ID); !errors.Is(err, ErrGone) {
		t.Errorf("the post: %v", err)
	}
	if r, err := n.Report(ctx, n.owner.ID, id); err != nil || len(r.Notes) != 3 {
		t.Errorf("%+v %v", r, err)
	}
}

func TestReportLimits(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	far := n.remote(t, "node", "far.example")
	var last bool
	for i := range reportsPerHost + 1 {
		a, err := n.CreateAccount(ctx, NewAccount{Name: "m" + formatID(int64(i))})
		if err != nil {
			t.Fatal(err)
		}
		if last, err = n.ReceiveReport(ctx, RemoteReport{URI: far.URI + "/f" + formatID(int64(i)), From: far, TargetID: a.ID}); err != nil {
			t.Fatal(err)
		}
		if i < reportsPerHost && !last {
			t.Fatalf("report %d is refused", i)
		}
	}
	if last {
		t.Error("there is no end")
	}
	n.clock.Advance(25 * time.Hour)
	if taken, err := n.ReceiveReport(ctx, RemoteReport{URI: far.URI + "/later", From: far, TargetID: n.owner.ID}); err != nil || !taken {
		t.Errorf("a day later: %v %v", taken, err)
	}
}

func TestSuspendAccount(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	ben, err := n.CreateAccount(ctx, NewAccount{Name: "ben", Role: RoleSeller, Password: "correct horse"})
	if err != nil {
		t.Fatal(err)
	}
	session, _, err := n.SignIn(ctx, "ben", "correct horse", "")
	if err != nil {
		t.Fatal(err)
	}
	token, err := n.CreateToken(ctx, ben.ID, "app", []string{"read"}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	p, err := n.CreatePost(ctx, ben.ID, NewPost{Source: "hello"})
	if err != nil {
		t.Fatal(err)
	}
	n.waiting(t)
	instance, err := n.InstanceActor(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []int64{n.owner.ID, instance.ID} {
		if err := n.SuspendAccount(ctx, n.owner.ID, id); !isInvalid(err, "account") {
			t.Errorf("%d: %v", id, err)
		}
	}
	if err := n.SuspendAccount(ctx, ben.ID, ben.ID); !errors.Is(err, ErrForbidden) {
		t.Errorf("by a seller: %v", err)
	}
	for range 2 {
		if err := n.SuspendAccount(ctx, n.owner.ID, ben.ID); err != nil {
			t.Fatal(err)
		}
	}
	wantKinds(t, n.waiting(t), EventActorUpdated)
	if _, err := n.Session(ctx, session); !errors.Is(err, ErrUnauthorized) {
		t.Errorf("the session: %v", err)
	}
	if _, _, err := n.TokenAccount(ctx, token); !errors.Is(err, ErrUnauthorized) {
		t.Errorf("the token: %v", err)
	}
	if _, _, err := n.SignIn(ctx, "ben", "correct horse", ""); !errors.Is(err, ErrUnauthorized) {
		t.Errorf("signs in: %v", err)
	}
	if _, err := n.Post(ctx, 0, p.ID); !errors.Is(err, ErrNotFound) {
		t.Errorf("the post: %v", err)
	}
	if err := n.UnsuspendAccount(ctx, n.owner.ID, ben.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := n.Session(ctx, session); !errors.Is(err, ErrUnauthorized) {
		t.Errorf("the old session works again: %v", err)
	}
	if _, _, err := n.SignIn(ctx, "ben", "correct horse", ""); err != nil {
		t.Errorf("sign in: %v", err)
	}
	if _, err := n.Post(ctx, 0, p.ID); err != nil {
		t.Errorf("the post: %v", err)
	}
}

func TestSuspendRemoteAccount(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	ben := n.remote(t, "ben", "far.example")
	n.follows(t, ben)
	if err := n.ReceiveFollow(ctx, ben.URI+"#f", ben, n.owner, false); err != nil {
		t.Fatal(err)
	}
	p := n.said(t, ben, "hello", "", Public)
	n.waiting(t)
	if err := n.SuspendAccount(ctx, n.owner.ID, ben.ID); err != nil {
		t.Fatal(err)
	}
	got := n.waiting(t)
	if len(got) != 2 {
		t.Errorf("told %v: want the end of both follows", got)
	}
	if followers, following, err := n.FollowCounts(ctx, n.owner.ID); err != nil || followers != 0 || following != 0 {
		t.Errorf("%d %d %v", followers, following, err)
	}
	if yes, err := n.Refused(ctx, ben.Host, ben.URI); err != nil || !yes {
		t.Errorf("refused: %v %v", yes, err)
	}
	if _, err := n.Post(ctx, n.owner.ID, p.ID); !errors.Is(err, ErrNotFound) {
		t.Errorf("the post: %v", err)
	}
	if _, err := n.Follow(ctx, n.owner.ID, ben.ID); !errors.Is(err, ErrForbidden) {
		t.Errorf("follows again: %v", err)
	}
}
