package souk

import (
	"errors"
	"slices"
	"testing"
)

func TestNormalDomain(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"Evil.Example": "evil.example", " evil.example. ": "evil.example", "*.evil.example": "evil.example",
		"bücher.example": "xn--bcher-kva.example", "BÜCHER.example": "xn--bcher-kva.example", "xn--bcher-kva.example": "xn--bcher-kva.example",
		"例え.テスト": "xn--r8jz45g.xn--zckzah", "evil.example:8443": "evil.example:8443", "127.0.0.1:80": "127.0.0.1:80", "[::1]": "[::1]", "[0:0::1]:80": "[::1]:80",
		"": "", "https://evil.example": "", "evil.example/users": "", "a b": "", "a\x00b": "", "user@evil.example": "", "evil.example:x": "", "[::1": "", "*": "", "ev*l.example": "", "..": ""} {
		got, ok := NormalDomain(in)
		if got != want || ok != (want != "") {
			t.Errorf("%q: %q %v, want %q", in, got, ok, want)
		}
	}
}

// What Go says that a block covers is what the database says.
func TestCovers(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	for _, host := range []string{"evil.example", "a.evil.example", "a.b.evil.example:8443", "devil.example", "127.0.0.1:8080", "10.127.0.0.1", "localhost:80", "[::1]:80"} {
		for _, domain := range []string{"evil.example", "a.evil.example", "example", "evil.example:8443", "a.b.evil.example:8443", "b.evil.example:8443", "127.0.0.1", "0.0.1", "localhost", "[::1]"} {
			var inSQL bool
			if err := n.pool.QueryRow(t.Context(), `select $1 = any (host_suffixes($2))`, domain, host).Scan(&inSQL); err != nil {
				t.Fatal(err)
			}
			if covers(domain, host) != inSQL {
				t.Errorf("%s covers %s: %v in Go, %v in SQL", domain, host, covers(domain, host), inSQL)
			}
		}
	}
}

// A block covers subdomains and ports: known hosts, those that become known later, and those never heard of.
func TestBlockCoversSubdomains(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	known := n.remote(t, "ben", "deep.a.evil.example:8443")
	other := n.remote(t, "dan", "devil.example")
	n.follows(t, known)
	n.follows(t, other)
	n.said(t, known, "hello", "", Public)
	if err := n.BlockHost(ctx, n.owner.ID, "Evil.Example", Suspend, ""); err != nil {
		t.Fatal(err)
	}
	later := n.remote(t, "eve", "later.evil.example")
	for host, want := range map[string]bool{"evil.example": true, "deep.a.evil.example:8443": true, "later.evil.example": true, "never.heard.evil.example": true,
		"evil.example:99": true, "devil.example": false, "example": false, "evil.example.org": false} {
		refused, err := n.Refused(ctx, host, "")
		if err != nil || refused != want {
			t.Errorf("%s is refused: %v %v", host, refused, err)
		}
		sender, err := n.Sender(ctx, "https://"+host+"/1", "https://"+host+"/users/x", host)
		if err != nil || sender.Refused != want {
			t.Errorf("a sender of %s is refused: %v %v", host, sender.Refused, err)
		}
	}
	if state, err := n.FollowState(ctx, n.owner.ID, known.ID); err != nil || state != "" {
		t.Errorf("still follows: %q %v", state, err)
	}
	if state, err := n.FollowState(ctx, n.owner.ID, other.ID); err != nil || state != FollowAccepted {
		t.Errorf("follows %s no more: %q %v", other.Host, state, err)
	}
	if _, err := n.Follow(ctx, n.owner.ID, later.ID); !errors.Is(err, ErrForbidden) {
		t.Errorf("follows one of a host that came later: %v", err)
	}
	if list, err := n.AccountPosts(ctx, 0, known.ID, AccountFilter{}, Page{}); err != nil || len(list) != 0 {
		t.Errorf("posts of a subdomain: %v %v", list, err)
	}
	activity := Activity{ID: n.NewID(), URI: "https://shop.example/activities/1", AccountID: n.owner.ID, Type: "Create", Body: []byte("{}")}
	if err := n.QueueActivity(ctx, activity, []Recipient{{"https://new.evil.example/inbox", "new.evil.example"}, {"https://good.example/inbox", "good.example"}}); err != nil {
		t.Fatal(err)
	}
	if hosts, err := n.ClaimHosts(ctx, 10, 0); err != nil || !slices.Equal(hosts, []string{"good.example"}) {
		t.Errorf("to be delivered to: %v %v", hosts, err)
	}
	// The longest block decides: a subdomain may be excepted, and blocked less.
	if err := n.BlockHosts(ctx, n.owner.ID, []HostBlock{{Domain: "a.evil.example"}}); err != nil {
		t.Fatal(err)
	}
	if refused, err := n.Refused(ctx, known.Host, known.URI); err != nil || refused {
		t.Errorf("the exception is refused: %v", err)
	}
	if list, err := n.AccountPosts(ctx, 0, known.ID, AccountFilter{}, Page{}); err != nil || len(list) != 1 {
		t.Errorf("posts of the exception: %v %v", list, err)
	}
	if err := n.UnblockHost(ctx, n.owner.ID, "a.evil.example"); err != nil {
		t.Fatal(err)
	}
	if err := n.UnblockHost(ctx, n.owner.ID, "evil.example"); err != nil {
		t.Fatal(err)
	}
	if refused, err := n.Refused(ctx, "later.evil.example", ""); err != nil || refused {
		t.Errorf("lifted and refused: %v", err)
	}
}

// What came in before the block is not applied after it, from subdomains either.
func TestBlockRefusesWhatWaits(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	for _, host := range []string{"a.evil.example", "good.example"} { // hosts that nothing else is known of
		if _, err := n.ReceiveActivity(ctx, Received{ActivityID: "https://" + host + "/1", Type: "Like", Actor: "https://" + host + "/x", Host: host, Body: []byte("{}")}); err != nil {
			t.Fatal(err)
		}
	}
	if err := n.BlockHost(ctx, n.owner.ID, "evil.example", Suspend, ""); err != nil {
		t.Fatal(err)
	}
	list, err := n.ClaimInbox(ctx, 10, 0)
	if err != nil || len(list) != 2 || !list[0].Refused || list[1].Refused {
		t.Errorf("claimed: %+v %v", list, err)
	}
}

// A host that becomes known while its block is being set is blocked too.
func TestBlockAgainstNewHost(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	for i := range 10 {
		domain := "evil" + formatID(int64(i)) + ".example"
		blocked := make(chan error)
		go func() { blocked <- n.BlockHost(ctx, n.owner.ID, domain, Suspend, "") }()
		a := n.remote(t, "ben", "a."+domain)
		if err := <-blocked; err != nil {
			t.Fatal(err)
		}
		if host, err := n.Host(ctx, a.Host); err != nil || host.Severity != Suspend {
			t.Fatalf("%s: %+v %v", a.Host, host, err)
		}
	}
}

// Who is silenced is not heard by those who do not follow; who follows hears.
func TestSilenceAndNotifications(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	followed, stranger := n.remote(t, "ben", "loud.example"), n.remote(t, "eve", "sub.loud.example")
	n.follows(t, followed)
	if err := n.BlockHost(ctx, n.owner.ID, "loud.example", Silence, ""); err != nil {
		t.Fatal(err)
	}
	p, err := n.CreatePost(ctx, n.owner.ID, NewPost{Source: "hello"})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range []*Account{followed, stranger} {
		if err := n.ReceiveLike(ctx, a.URI+"/like", a, p.ID); err != nil {
			t.Fatal(err)
		}
	}
	list, err := n.Notifications(ctx, n.owner.ID, Page{}, NotifyLike)
	if err != nil || len(list) != 1 || list[0].FromID != followed.ID {
		t.Errorf("told of %+v %v", list, err)
	}
}

// Pictures of a host that they are refused of become links, in posts and profiles.
func TestRejectMedia(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	a, err := n.UpsertRemoteAccount(ctx, RemoteAccount{Account: Account{Host: "cdn.pics.example", Name: "pia", Kind: "Person", URI: "https://cdn.pics.example/users/pia",
		KeyID: "k", PublicKey: "PEM"}, AvatarURL: "https://cdn.pics.example/face.png"})
	if err != nil {
		t.Fatal(err)
	}
	n.follows(t, a)
	post, err := n.ReceivePost(ctx, RemotePost{URI: a.URI + "/1", Author: a, HTML: "<p>look</p>", Visibility: Public,
		Media: []RemoteMedia{{URL: `https://cdn.pics.example/x.png?a="b"&c`, MIME: "image/png", Alt: `<script>alert("x")</script>`}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := n.BlockHosts(ctx, n.owner.ID, []HostBlock{{Domain: "pics.example", RejectMedia: true}}); err != nil {
		t.Fatal(err)
	}
	p, err := n.Post(ctx, 0, post.ID)
	want := `<p>look</p><p><a href="https://cdn.pics.example/x.png?a=&#34;b&#34;&amp;c" rel="nofollow noopener noreferrer">&lt;script&gt;alert(&#34;x&#34;)&lt;/script&gt;</a></p>`
	if err != nil || len(p.Media) != 0 || p.HTML != want {
		t.Errorf("%v %d pictures, %s", err, len(p.Media), p.HTML)
	}
	if p.Account.Avatar != nil {
		t.Error("the face is shown")
	}
	for address, want := range map[string]bool{"https://files.pics.example/1.png": true, "https://PICS.example:8443/1.png": true,
		"https://ｐｉｃｓ.example/1.png": true, "https://pics。example/1.png": true, "https://pics.example./1.png": true, "https://ⓟics.example:0443/1.png": true,
		"https://epics.example/1.png": false, "https://pics.example.net/1.png": false} {
		if refused, err := n.PicturesRefused(ctx, &Media{ID: 1, RemoteURL: address}); err != nil || refused != want {
			t.Errorf("a picture of somebody else at %s: refused %v, %v", address, refused, err)
		}
	}
	if err := n.UnblockHost(ctx, n.owner.ID, "pics.example"); err != nil {
		t.Fatal(err)
	}
	if p, err := n.Post(ctx, 0, post.ID); err != nil || len(p.Media) != 1 || p.Account.Avatar == nil {
		t.Errorf("lifted: %+v %v", p, err)
	}
}

// A block that has no normal name, as hosts had them before, can be found and lifted by its text.
func TestUnblockRawName(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	const raw = "Bad_Host!.example:x"
	if _, err := n.pool.Exec(ctx, `insert into host_blocks (domain, severity, created, updated) values ($1, 'suspend', now(), now())`, raw); err != nil {
		t.Fatal(err)
	}
	if _, err := n.HostBlock(ctx, n.owner.ID, raw); err != nil {
		t.Error(err)
	}
	if err := n.UnblockHost(ctx, n.owner.ID, raw); err != nil {
		t.Error(err)
	}
	if count, err := n.HostBlockCount(ctx, n.owner.ID); err != nil || count != 0 {
		t.Errorf("%d blocks are left, %v", count, err)
	}
	if err := n.UnblockHost(ctx, n.owner.ID, raw); !isInvalid(err, "host") {
		t.Errorf("once more: %v", err)
	}
}
