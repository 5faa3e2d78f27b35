package souk

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// statements counts what is sent to the database.
type statements struct {
	mu  sync.Mutex
	sql []string
}

func (s *statements) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sql = append(s.sql, data.SQL)
	return ctx
}

func (s *statements) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// A document that says what is known already costs one statement, and queues nothing.
func TestRemoteAccountUnchanged(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	counted := &statements{}
	config := n.pool.Config()
	config.ConnConfig.Tracer = counted
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	db, err := New(pool, Config{BaseURL: "https://shop.example", Now: n.clock.Now, Blobs: folder(t.TempDir())})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	uri := "https://far.example/users/ben"
	r := RemoteAccount{Account: Account{Host: "far.example", Name: "ben", Kind: "Person", URI: uri, URL: uri, Inbox: uri + "/inbox", FeaturedURI: uri + "/featured",
		DisplayName: "Ben", Bio: "<p>cups</p>", Fields: []Field{{"Web", "ben.example"}}, KeyID: uri + "#key", PublicKey: "PEM", Discoverable: true, Indexable: true,
		AlsoKnownAs: []string{"https://older.example/ben"}, Lang: "en"}, AvatarURL: "https://far.example/a.png"}
	save := func() *Account {
		t.Helper()
		r.Asked = n.Now()
		a, err := db.UpsertRemoteAccount(ctx, r)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	first := save()
	n.follows(t, first)
	save() // reads what it pins
	row := func() (version, waits, jobs string) {
		t.Helper()
		if err := n.pool.QueryRow(ctx, `select (to_jsonb(a) - 'fetched')::text, (select count(*)::text from search_outbox), (select count(*)::text from river_job where kind = 'featured')
			from accounts a where id = $1`, first.ID).Scan(&version, &waits, &jobs); err != nil {
			t.Fatal(err)
		}
		return version, waits, jobs
	}
	if _, err := n.pool.Exec(ctx, `delete from search_outbox; delete from river_job where kind = 'featured'`); err != nil {
		t.Fatal(err)
	}
	before, _, _ := row()
	counted.sql = nil
	n.clock.Advance(time.Hour)
	same := save()
	after, waits, jobs := row()
	var writes []string
	for _, sql := range counted.sql {
		if !strings.HasPrefix(sql, "select") { // the picture of who is returned is read
			writes = append(writes, sql)
		}
	}
	if len(writes) != 1 || before != after || waits != "0" || jobs != "0" {
		t.Errorf("%d statements, %s objects to index, %s jobs, %s became %s", len(writes), waits, jobs, before, after)
	}
	if same.ID != first.ID || !same.Fetched.Equal(n.Now()) || same.Avatar == nil || same.Avatar.RemoteURL != r.AvatarURL {
		t.Errorf("returned: %+v", same)
	}
	// After a day its pins are read again, and nothing else.
	n.clock.Advance(featuredRest)
	save()
	if _, waits, jobs := row(); waits != "0" || jobs != "1" {
		t.Errorf("a day later: %s objects to index, %s jobs", waits, jobs)
	}
	// Every part of it counts as a change.
	other := "https://far.example/b"
	for part, change := range map[string]func(){
		"name": func() { r.DisplayName = "Ben B." }, "bio": func() { r.Bio = "" }, "fields": func() { r.Fields = nil }, "page": func() { r.URL = other },
		"inbox": func() { r.Inbox = other }, "shared inbox": func() { r.SharedInbox = other }, "outbox": func() { r.Outbox = other }, "followers": func() { r.FollowersURI = other },
		"following": func() { r.FollowingURI = other }, "featured": func() { r.FeaturedURI = other }, "key": func() { r.PublicKey = "PEM 2" }, "key id": func() { r.KeyID = other },
		"locked": func() { r.Locked = true }, "discoverable": func() { r.Discoverable = false }, "indexable": func() { r.Indexable = false }, "handle": func() { r.Name = "Ben" },
		"kind": func() { r.Kind = "Group" }, "aliases": func() { r.AlsoKnownAs = nil }, "moved": func() { r.MovedTo = other }, "suspended": func() { r.SuspendedThere = true }, "memorial": func() { r.Memorial = true },
		"portrait": func() { r.AvatarURL = "" }, "header": func() { r.HeaderURL = other }, "time": func() { at := n.Now(); r.Said = &at },
	} {
		if _, err := n.pool.Exec(ctx, `delete from search_outbox`); err != nil {
			t.Fatal(err)
		}
		n.clock.Advance(time.Second)
		change()
		save()
		if _, waits, _ := row(); waits != "1" {
			t.Errorf("another %s: %s objects to index", part, waits)
		}
	}
}

// What its own server suspended is not shown here, and comes back with it; who follows it goes on doing so.
func TestSuspendedThere(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	ben, dan := n.remote(t, "ben", "far.example"), n.remote(t, "dan", "other.example")
	n.follows(t, ben)
	n.follows(t, dan)
	post, err := n.CreatePost(ctx, n.owner.ID, NewPost{Source: "Mugs"})
	if err != nil {
		t.Fatal(err)
	}
	r := RemoteAccount{Account: *ben}
	r.Indexable, r.Discoverable = true, true
	say := func(suspended bool) {
		t.Helper()
		n.clock.Advance(time.Minute)
		r.SuspendedThere, r.Indexable, r.Discoverable, r.Asked = suspended, !suspended, !suspended, n.Now()
		if _, err := n.UpsertRemoteAccount(ctx, r); err != nil {
			t.Fatal(err)
		}
	}
	say(false)
	own := n.said(t, ben, "mugs of ben", "", Public)
	hidden := n.said(t, ben, "ben's answer", post.URI, Public)
	under := n.said(t, dan, "to ben", own.URI, Public)
	if err := n.ReceiveBoost(ctx, "https://other.example/boosts/1", dan, own.ID, n.Now()); err != nil {
		t.Fatal(err)
	}
	listing, err := n.ReceiveListing(ctx, RemoteListing{RemotePost: RemotePost{URI: "https://far.example/l", Author: ben, Visibility: Public}, Title: "Mug", Price: Money{1, "EUR"}})
	if err != nil {
		t.Fatal(err)
	}
	ids := func(list []Post, err error) (ids []int64) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range list {
			ids = append(ids, p.ID)
		}
		return ids
	}
	seen := func() map[string]int {
		t.Helper()
		count := map[string]int{}
		home := ids(n.Home(ctx, n.owner.ID, Page{}))
		count["home"] = len(home)
		count["public"] = len(ids(n.PublicTimeline(ctx, false, Page{})))
		count["tag"] = len(ids(n.TagTimeline(ctx, "mug", Page{})))
		count["profile"] = len(ids(n.AccountPosts(ctx, 0, ben.ID, AccountFilter{}, Page{})))
		count["replies"] = len(ids(n.RepliesTo(ctx, 0, post.ID, 0, 10)))
		count["thread"] = len(ids(n.Thread(ctx, n.owner.ID, post.ID)))
		count["search"] = len(ids(n.FindablePosts(ctx, []string{own.URI, hidden.URI, listing.Post.URI})))
		if accounts, err := n.FindableAccounts(ctx, []string{ben.URI}); err != nil || len(accounts) > 0 {
			count["accounts"] = len(accounts)
		}
		for name, id := range map[string]int64{"its post": own.ID, "its answer": hidden.ID, "its listing": listing.ID, "an answer to it": under.ID} {
			if _, err := n.Post(ctx, n.owner.ID, id); err == nil {
				count[name] = 1
			}
		}
		if inboxes, err := n.FollowerInboxes(ctx, n.owner.ID); err != nil {
			t.Fatal(err)
		} else {
			count["told"] = len(inboxes)
		}
		if listings, err := n.ListingCount(ctx, ListingFilter{Remote: true}); err != nil {
			t.Fatal(err)
		} else {
			count["listings"] = listings
		}
		return count
	}
	if err := n.ReceiveFollow(ctx, ben.URI+"#f", ben, n.owner, false); err != nil {
		t.Fatal(err)
	}
	before := seen()
	say(true)
	during := seen()
	say(false)
	after := seen()
	for name, want := range map[string]int{"home": 2, "public": 1, "tag": 1, "an answer to it": 1, "thread": 1} {
		if before[name] <= want && name != "an answer to it" {
			t.Errorf("%s: %d before", name, before[name])
		}
		if during[name] != want {
			t.Errorf("%s: %d while it is suspended, want %d", name, during[name], want)
		}
	}
	for name, count := range before {
		if count == 0 || after[name] != count {
			t.Errorf("%s: %d, then %d, then %d", name, count, during[name], after[name])
		}
	}
	for _, name := range []string{"profile", "replies", "search", "accounts", "its post", "its answer", "its listing", "told", "listings"} {
		if during[name] != 0 {
			t.Errorf("%s: %d while it is suspended", name, during[name])
		}
	}
	say(true)
	if state, err := n.FollowState(ctx, n.owner.ID, ben.ID); err != nil || state != FollowAccepted {
		t.Errorf("anna's follow: %q %v", state, err)
	}
	if state, err := n.FollowState(ctx, ben.ID, n.owner.ID); err != nil || state != FollowAccepted {
		t.Errorf("ben's follow: %q %v", state, err)
	}
}
