package souk

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"
)

// said keeps a post of another node that answers parent ("": nothing).
func (n *node) said(t *testing.T, by *Account, text, parent, visibility string) *Post {
	t.Helper()
	n.clock.Advance(time.Second)
	uri := fmt.Sprintf("%s/%d", by.URI, n.NewID())
	p, err := n.ReceivePost(t.Context(), RemotePost{URI: uri, URL: uri, Author: by, HTML: "<p>" + text + "</p>", Visibility: visibility, InTimeline: true,
		InReplyToURI: parent, Published: n.Now(), Tags: []string{"mug"}})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// follows makes the owner an accepted follower.
func (n *node) follows(t *testing.T, who *Account) {
	t.Helper()
	f, err := n.Follow(t.Context(), n.owner.ID, who.ID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.FollowAnswered(t.Context(), who, f.URI, n.owner.URI, true); err != nil {
		t.Fatal(err)
	}
}

// texts are the HTML of posts, of what they share where they share.
func texts(t *testing.T, list []Post, err error) []string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, p := range list {
		if p.BoostOf != nil {
			found = append(found, "boost of "+Plain(p.BoostOf.HTML))
			continue
		}
		found = append(found, Plain(p.HTML))
	}
	return found
}

func wantTexts(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}

func TestTimelinePages(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	ben := n.remote(t, "ben", "far.example")
	n.follows(t, ben)
	var ids []int64
	for i := range 6 {
		ids = append(ids, n.said(t, ben, fmt.Sprint(i), "", Public).ID)
	}
	lists := map[string]func(Page) ([]Post, error){
		"home":    func(p Page) ([]Post, error) { return n.Home(ctx, n.owner.ID, p) },
		"public":  func(p Page) ([]Post, error) { return n.PublicTimeline(ctx, false, p) },
		"tag":     func(p Page) ([]Post, error) { return n.TagTimeline(ctx, "#Mug", p) },
		"account": func(p Page) ([]Post, error) { return n.AccountPosts(ctx, 0, ben.ID, AccountFilter{}, p) },
	}
	for what, list := range lists {
		for _, c := range []struct {
			page Page
			want []string
		}{
			{Page{Limit: 2}, []string{"5", "4"}},
			{Page{Limit: 2, Before: ids[4]}, []string{"3", "2"}},
			{Page{Limit: 2, After: ids[0]}, []string{"2", "1"}}, // the nearest above, still newest first
			{Page{Limit: 2, After: ids[0], Before: ids[5]}, []string{"4", "3"}},
			{Page{After: ids[5]}, nil},
		} {
			got, err := list(c.page)
			wantTexts(t, fmt.Sprintf("%s %+v", what, c.page), texts(t, got, err), c.want...)
		}
	}
}

func TestFollowerPages(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	for i := range 4 {
		n.clock.Advance(time.Second)
		a := n.remote(t, fmt.Sprintf("f%d", i), "far.example")
		if err := n.ReceiveFollow(ctx, a.URI+"#f", a, n.owner, false); err != nil {
			t.Fatal(err)
		}
	}
	all, err := n.Followers(ctx, n.owner.ID, FollowAccepted, Page{})
	if err != nil || len(all) != 4 || all[0].Account.Name != "f3" {
		t.Fatal(all, err)
	}
	next, err := n.Followers(ctx, n.owner.ID, FollowAccepted, Page{After: all[3].ID, Limit: 2})
	if err != nil || len(next) != 2 || next[0].Account.Name != "f2" || next[1].Account.Name != "f1" {
		t.Errorf("the two after the oldest: %v %v", next, err)
	}
}

func TestBoostShowsOnlyWhatMayBeSeen(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	ben, mallory := n.remote(t, "ben", "far.example"), n.remote(t, "mallory", "bad.example")
	n.follows(t, ben)
	bad := n.said(t, mallory, "bad", "", Public)
	if err := n.ReceiveBoost(ctx, "https://far.example/b/1", ben, bad.ID, n.Now()); err != nil {
		t.Fatal(err)
	}
	home := func() []string {
		list, err := n.Home(ctx, n.owner.ID, Page{})
		return texts(t, list, err)
	}
	profile := func() []string {
		list, err := n.AccountPosts(ctx, 0, ben.ID, AccountFilter{}, Page{})
		return texts(t, list, err)
	}
	wantTexts(t, "home", home(), "boost of bad")
	if err := n.Block(ctx, n.owner.ID, mallory.ID); err != nil {
		t.Fatal(err)
	}
	wantTexts(t, "home with mallory blocked", home())
	if err := n.Unblock(ctx, n.owner.ID, mallory.ID); err != nil {
		t.Fatal(err)
	}
	if err := n.BlockHost(ctx, n.owner.ID, "bad.example", Suspend, ""); err != nil {
		t.Fatal(err)
	}
	wantTexts(t, "home with the host suspended", home())
	wantTexts(t, "profile with the host suspended", profile())
	if _, err := n.PostByURI(ctx, 0, "https://far.example/b/1"); !errors.Is(err, ErrNotFound) {
		t.Errorf("the boost itself: %v", err)
	}
}

func TestBlockedBySomebody(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	ben := n.remote(t, "ben", "far.example")
	p := n.said(t, ben, "hello", "", Public)
	if err := n.ReceiveBlock(ctx, ben.URI+"#block", ben, n.owner.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := n.Post(ctx, n.owner.ID, p.ID); !errors.Is(err, ErrNotFound) {
		t.Errorf("who is blocked reads the post: %v", err)
	}
	if _, err := n.CreatePost(ctx, n.owner.ID, NewPost{Source: "but", InReplyTo: p.ID}); !errors.Is(err, ErrNotFound) {
		t.Errorf("who is blocked answers: %v", err)
	}
	if _, err := n.Post(ctx, 0, p.ID); err != nil {
		t.Errorf("strangers: %v", err)
	}
}

func TestSilencedHost(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	loud, ben, reader := n.remote(t, "loud", "loud.example"), n.remote(t, "ben", "far.example"), n.owner
	n.follows(t, loud)
	root, err := n.CreatePost(ctx, n.owner.ID, NewPost{Source: "root"})
	if err != nil {
		t.Fatal(err)
	}
	n.said(t, ben, "answer", root.URI, Public)
	last := n.said(t, loud, "noise", root.URI, Public)
	listing := RemoteListing{RemotePost: RemotePost{URI: "https://loud.example/l", Author: loud, Visibility: Public, InTimeline: true, Published: n.Now()},
		Title: "Mug", Price: Money{100, "EUR"}}
	if _, err := n.ReceiveListing(ctx, listing); err != nil {
		t.Fatal(err)
	}
	if err := n.BlockHost(ctx, n.owner.ID, "LOUD.example", Silence, "spam"); err != nil {
		t.Fatal(err)
	}
	conversations, err := n.Conversations(ctx, 5)
	if err != nil || len(conversations) != 1 || Plain(conversations[0].Latest.HTML) != "answer" || conversations[0].Count != 1 {
		t.Errorf("what is silenced hides a conversation: %+v %v", conversations, err)
	}
	for viewer, want := range map[int64][]string{0: {"root", "answer"}, reader.ID: {"root", "answer", "noise"}} {
		list, err := n.Thread(ctx, viewer, root.ThreadID)
		wantTexts(t, fmt.Sprintf("thread for %d", viewer), texts(t, list, err), want...)
	}
	public, err := n.PublicTimeline(ctx, false, Page{})
	wantTexts(t, "public", texts(t, public, err), "root")
	tagged, err := n.TagTimeline(ctx, "mug", Page{})
	wantTexts(t, "tag", texts(t, tagged, err), "answer")
	if list, err := n.Listings(ctx, ListingFilter{Remote: true}, Page{}); err != nil || len(list) != 0 {
		t.Errorf("listings %v %v", list, err)
	}
	if _, err := n.Post(ctx, 0, last.ID); err != nil {
		t.Errorf("by its address: %v", err)
	}
}

func TestListingsByCategory(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	for _, category := range []string{"Home/Mugs", "Home", "Homes"} {
		if _, err := n.CreateListing(ctx, n.owner.ID, NewListing{Title: category, Category: category, Price: Money{100, "EUR"}, Quantity: 1}); err != nil {
			t.Fatal(err)
		}
	}
	for category, want := range map[string]int{"Home": 2, "Home/Mugs": 1, "%": 0, "Ho_e": 0, "": 3} {
		if count, err := n.ListingCount(ctx, ListingFilter{Category: category}); err != nil || count != want {
			t.Errorf("%q: %d %v", category, count, err)
		}
	}
}

func TestExpiredListingLeavesLists(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	ben := n.remote(t, "ben", "far.example")
	r := RemoteListing{RemotePost: RemotePost{URI: "https://far.example/l", Author: ben, HTML: "<p>mug</p>", Visibility: Public, InTimeline: true, Published: n.Now(), Tags: []string{"mug"}},
		Title: "Mug", Price: Money{100, "EUR"}}
	if _, err := n.ReceiveListing(ctx, r); err != nil {
		t.Fatal(err)
	}
	count := func() (listings, tagged int) {
		found, err := n.Listings(ctx, ListingFilter{Remote: true}, Page{})
		if err != nil {
			t.Fatal(err)
		}
		posts, err := n.TagTimeline(ctx, "mug", Page{})
		if err != nil {
			t.Fatal(err)
		}
		return len(found), len(posts)
	}
	if listings, tagged := count(); listings != 1 || tagged != 1 {
		t.Errorf("fresh: %d %d", listings, tagged)
	}
	n.clock.Advance(RemoteListingLife + time.Minute)
	if listings, _ := count(); listings != 0 {
		t.Error("expired by the node's clock, and still for sale")
	}
	if _, err := n.ExpireRemoteListings(ctx); err != nil {
		t.Fatal(err)
	}
	if _, tagged := count(); tagged != 0 {
		t.Error("expired, and still in a timeline")
	}
	if _, err := n.ReceiveListing(ctx, r); err != nil {
		t.Fatal(err)
	}
	if listings, tagged := count(); listings != 1 || tagged != 1 {
		t.Errorf("renewed: %d %d", listings, tagged)
	}
}
