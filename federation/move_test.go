package federation

import (
	"errors"
	"net/http"
	"slices"
	"testing"
	"time"

	"souk"
)

// moving is a node on which anna and mia follow ben and leo blocks him; ben's new home is on another server.
type moving struct {
	*testNode
	old, home *otherNode
	ben, new  string
	mia, leo  *souk.Account
}

func benMoves(t *testing.T) *moving {
	t.Helper()
	m := &moving{testNode: inbound(t), old: newOtherNode(t, 1), home: newOtherNode(t, 2)}
	m.ben, m.new = m.old.person(t, "ben"), m.home.URL+"/users/ben"
	m.known(t, m.ben)
	ctx := t.Context()
	m.mia = ok(m.db.CreateAccount(ctx, souk.NewAccount{Name: "mia"}))(t)
	m.leo = ok(m.db.CreateAccount(ctx, souk.NewAccount{Name: "leo"}))(t)
	m.follow(t, m.old, m.ben)
	ben := m.followAs(t, m.mia, m.old, m.ben)
	must(t, m.db.Block(ctx, m.leo.ID, ben.ID))
	must(t, m.Federate(ctx))
	return m
}

// known makes the new account call those named its own.
func (w *moving) known(t *testing.T, aliases ...any) {
	t.Helper()
	w.home.serve("/users/ben", with(w.home.actor(t, "ben"), "alsoKnownAs", aliases))
}

func (w *moving) move(path string, target any) m {
	return with(w.old.activity("Move", w.ben, path, w.ben), "target", target)
}

// follows are the uris that the account follows, or asks to.
func (n *testNode) followees(t *testing.T, a *souk.Account) []string {
	t.Helper()
	var list []string
	for _, state := range []string{souk.FollowAccepted, souk.FollowPending} {
		for _, e := range ok(n.db.Following(t.Context(), a.ID, state, souk.Page{}))(t) {
			list = append(list, e.Account.URI)
		}
	}
	slices.Sort(list)
	return list
}

func TestMoveIsFollowed(t *testing.T) {
	t.Parallel()
	w := benMoves(t)
	ctx := t.Context()
	// The new account is known from a time when it did not call ben its own: it must be asked again.
	w.home.serve("/users/ben", w.home.actor(t, "ben"))
	ok(w.ResolveActor(ctx, w.new))(t)
	w.known(t, "https://far.example/users/other", w.ben)
	move := w.move("/moves/1", w.new)
	w.done(t, w.old, move)
	for _, a := range []*souk.Account{w.anna, w.mia} {
		equal(t, a.Name+" follows", w.followees(t, a), w.new)
	}
	blocked := ok(w.db.Blocked(ctx, w.leo.ID))(t)
	if len(blocked) != 2 || !slices.ContainsFunc(blocked, func(a souk.Account) bool { return a.URI == w.new }) {
		t.Errorf("leo blocks %d accounts", len(blocked))
	}
	if a := ok(w.db.AccountByURI(ctx, w.ben))(t); a.MovedTo != w.new {
		t.Errorf("ben moved to %q", a.MovedTo)
	}
	equal(t, "the old server hears", w.said(t, w.old.host()), "Follow", "Follow", "Block", "Undo", "Undo")
	told := w.said(t, w.home.host())
	equal(t, "the new server hears", told[:2], "Follow", "Follow")
	// The same once more, under another id: nothing is sent twice.
	if state, note := w.deliver(t, w.old, w.move("/moves/2", w.new)); state == "done" {
		t.Errorf("a second time: %s %s", state, note)
	}
	equal(t, "the new server hears no more", w.said(t, w.home.host()), told...)
}

func TestMoveIsRefused(t *testing.T) {
	t.Parallel()
	w := benMoves(t)
	before := w.followees(t, w.anna)
	eve := w.old.person(t, "eve")
	stays := func(name string, from *otherNode, a m) {
		t.Helper()
		state, note := w.deliver(t, from, a)
		if state == "done" || state == "queued" {
			t.Errorf("%s: %s %s", name, state, note)
		}
		equal(t, name, w.followees(t, w.anna), before...)
		if a := ok(w.db.AccountByURI(t.Context(), w.ben))(t); a.MovedTo != "" {
			t.Errorf("%s: ben moved to %q", name, a.MovedTo)
		}
	}
	w.known(t, "https://far.example/users/ben", w.ben+"x")
	stays("to one who does not know ben", w.old, w.move("/m/1", w.new))
	w.home.serve("/users/ben", w.home.actor(t, "ben"))
	stays("to one without aliases", w.old, w.move("/m/2", w.new))
	w.known(t, w.ben)
	stays("by another of his server", w.old, with(w.old.activity("Move", eve, "/m/3", w.ben), "target", w.new))
	stays("by the new account alone", w.home, with(w.home.activity("Move", w.new, "/m/1", w.ben), "target", w.new))
	stays("of another", w.old, with(w.old.activity("Move", w.ben, "/m/4", eve), "target", w.new))
	stays("to himself", w.old, w.move("/m/5", w.ben))
	stays("to nowhere", w.old, w.move("/m/6", nil))
	stays("to two", w.old, w.move("/m/7", []any{w.new, eve}))
	stays("to what is no actor", w.old, w.move("/m/8", w.home.URL+"/notes/none"))
	stays("to anna, who does not know him", w.old, w.move("/m/9", w.anna.URI))
	w.home.serve("/users/ben", with(with(w.home.actor(t, "ben"), "alsoKnownAs", w.ben), "movedTo", w.ben))
	stays("in a circle", w.old, w.move("/m/10", w.new))
	w.home.serve("/users/ben", with(w.home.actor(t, "ben"), "alsoKnownAs", w.ben))
	must(t, w.db.BlockHost(t.Context(), w.anna.ID, w.home.host(), souk.Suspend, ""))
	stays("to a blocked server", w.old, w.move("/m/11", w.new))
	must(t, w.db.BlockHost(t.Context(), w.anna.ID, w.home.host(), "", ""))
	// One whom nobody here follows or blocks makes this node ask nobody.
	asked := w.home.requests("/users/ben")
	if state, _ := w.deliver(t, w.old, with(w.old.activity("Move", eve, "/m/12", eve), "target", w.new)); state != "ignored" || w.home.requests("/users/ben") != asked {
		t.Errorf("a stranger's move: %s, and %d requests", state, w.home.requests("/users/ben")-asked)
	}
	// The control.
	w.done(t, w.old, w.move("/m/13", w.new))
	equal(t, "the real one", w.followees(t, w.anna), w.new)
}

// The new account may say it where the old one agrees (FEP-7628, pull mode): by its own word now, or, where its server is dead,
// by the last that it said.
func TestMoveIsPulled(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		last   m    // what the old account said when it was read last
		status int  // what its server answers since; 0: the same
		dead   bool // for a month
		want   bool
	}{
		"it says that it moved":                       {last: m{"movedTo": "new"}, want: true},
		"it says so of another":                       {last: m{"movedTo": "other"}},
		"it lives, and names the new one as an alias": {last: m{"alsoKnownAs": "new"}},
		"it says neither":                             {last: m{}},
		"it is gone":                                  {last: m{"alsoKnownAs": "new"}, status: http.StatusGone, dead: true},
		"it fails for a moment":                       {last: m{"alsoKnownAs": "new"}, status: http.StatusBadGateway},
		"it is parked, a moment after it spoke":       {last: m{"movedTo": "new"}, status: http.StatusNotFound},
		"it is dead, and named the new one":           {last: m{"alsoKnownAs": "new"}, status: http.StatusBadGateway, dead: true, want: true},
		"it is dead, and had moved":                   {last: m{"movedTo": "new"}, status: http.StatusNotFound, dead: true, want: true},
		"it is dead, and named another":               {last: m{"alsoKnownAs": "other"}, status: http.StatusBadGateway, dead: true},
		"it lives, and shows this node nothing":       {last: m{"alsoKnownAs": "new"}, status: http.StatusForbidden, dead: true},
		"it lives, and asks to be left alone":         {last: m{"movedTo": "new"}, status: http.StatusTooManyRequests, dead: true},
		"it is dead, and named nobody":                {last: m{}, status: http.StatusBadGateway, dead: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := benMoves(t)
			last := w.old.actor(t, "ben")
			for key, value := range c.last {
				last[key] = map[any]string{"new": w.new, "other": w.home.URL + "/users/other"}[value]
			}
			w.old.serve("/users/ben", last)
			w.clock.advance(25 * time.Hour)
			ok(w.ResolveActor(t.Context(), w.ben))(t)
			if c.status != 0 {
				w.old.serve("/users/ben", c.status)
			}
			if c.dead {
				w.clock.advance(31 * 24 * time.Hour)
			}
			state, note := w.deliver(t, w.home, with(w.home.activity("Move", w.new, "/m/1", w.ben), "target", w.new))
			if (state == "done") != c.want {
				t.Errorf("%s: %s", state, note)
			}
			if moved := slices.Equal(w.followees(t, w.anna), []string{w.new}); moved != c.want {
				t.Errorf("anna follows %v", w.followees(t, w.anna))
			}
		})
	}
}

// A move to somebody of this node: his lock and her blocks are respected, and a server that does not answer is asked again.
func TestMoveToThisNode(t *testing.T) {
	t.Parallel()
	w := benMoves(t)
	ctx := t.Context()
	locked := true
	sam := ok(w.db.CreateAccount(ctx, souk.NewAccount{Name: "sam"}))(t)
	ok(w.db.SaveProfile(ctx, sam.ID, souk.Profile{Locked: &locked, AlsoKnownAs: []string{w.ben}}))(t)
	must(t, w.db.Block(ctx, sam.ID, w.mia.ID))
	w.done(t, w.old, w.move("/m/1", sam.URI))
	if state := ok(w.db.FollowState(ctx, w.anna.ID, sam.ID))(t); state != souk.FollowPending {
		t.Errorf("anna's follow is %q", state)
	}
	equal(t, "whom sam blocks follows", w.followees(t, w.mia), w.ben)
}

func TestMoveWaitsForTheOtherServer(t *testing.T) {
	t.Parallel()
	w := benMoves(t)
	w.home.serve("/users/ben", http.StatusServiceUnavailable)
	move := w.move("/m/1", w.new)
	if state, note := w.deliver(t, w.old, move); state != "queued" {
		t.Fatalf("%s %s", state, note)
	}
	w.known(t, w.ben)
	w.clock.advance(time.Minute)
	must(t, w.ApplyInbox(t.Context()))
	if state, note := w.ended(t, move["id"].(string)); state != "done" {
		t.Errorf("%s %s", state, note)
	}
	equal(t, "anna follows", w.followees(t, w.anna), w.new)
}

// A thousand accounts of one server that hand their followers on to each other go no further than a hundred a day.
func TestMovesOfAHostAreCounted(t *testing.T) {
	t.Parallel()
	w := benMoves(t)
	if _, err := w.pool.Exec(t.Context(), `insert into accounts (id, host, name, uri, created, updated, moved)
		select n, $1, 'mover' || n, $1 || '/mover/' || n, now(), now(), $2 from generate_series(1, 100) n`, w.old.host(), w.clock.Now()); err != nil {
		t.Fatal(err)
	}
	if state, _ := w.deliver(t, w.old, w.move("/m/1", w.new)); state != "failed" {
		t.Errorf("the 101st move of a day: %s", state)
	}
	w.clock.advance(25 * time.Hour)
	w.done(t, w.old, w.move("/m/2", w.new))
}

// An account of this node moves: the other must know it, followers are told by Update and Move, it posts no more, and it may
// come back.
func TestMoveAway(t *testing.T) {
	t.Parallel()
	n, home := inbound(t), newOtherNode(t, 1)
	n.follows(t)
	ctx := t.Context()
	mia := ok(n.db.CreateAccount(ctx, souk.NewAccount{Name: "mia"}))(t)
	ok(n.db.Follow(ctx, mia.ID, n.anna.ID))(t)
	must(t, n.Federate(ctx))
	target := home.URL + "/users/anna"
	home.serve("/users/anna", home.actor(t, "anna"))
	var refused *souk.Invalid
	for i, text := range []string{target, n.anna.URI, "nonsense"} {
		if _, err := n.Move(ctx, n.anna.ID, text); !errors.As(err, &refused) {
			t.Errorf("%d: %v", i, err)
		}
	}
	equal(t, "nothing is said of it", n.said(t, "f.example"), "Accept")
	home.serve("/users/anna", with(home.actor(t, "anna"), "alsoKnownAs", n.anna.URI))
	if to := ok(n.Move(ctx, n.anna.ID, target))(t); to.URI != target {
		t.Errorf("moved to %s", to.URI)
	}
	equal(t, "follower", n.said(t, "f.example"), "Accept", "Update", "Move")
	equal(t, "stranger", n.said(t, "s.example"))
	equal(t, "a follower of this node", n.followees(t, mia), target)
	if doc := read(t, ok(n.Actor(ctx, nil, "anna"))(t)); doc["movedTo"] != target {
		t.Errorf("the actor moved to %v", doc["movedTo"])
	}
	if _, err := n.db.CreatePost(ctx, n.anna.ID, souk.NewPost{Source: "still here"}); !errors.As(err, &refused) {
		t.Errorf("a post after the move: %v", err)
	}
	must(t, n.db.Unmove(ctx, n.anna.ID))
	n.write(t, "back")
	equal(t, "follower, after it came back", n.said(t, "f.example")[3:], "Update", "Create")
	n.clock.advance(29 * 24 * time.Hour)
	if _, err := n.Move(ctx, n.anna.ID, target); !errors.As(err, &refused) || refused.Problems[0].Code != "move_soon" {
		t.Errorf("again too soon: %v", err)
	}
	n.clock.advance(24 * time.Hour)
	ok(n.Move(ctx, n.anna.ID, target))(t)
}

// Somebody who unfollows while an account moves takes nothing from the move, and is not taken along.
func TestMoveMeetsAnUnfollow(t *testing.T) {
	t.Parallel()
	n, home := inbound(t), newOtherNode(t, 1)
	ctx := t.Context()
	mia := ok(n.db.CreateAccount(ctx, souk.NewAccount{Name: "mia"}))(t)
	leo := ok(n.db.CreateAccount(ctx, souk.NewAccount{Name: "leo"}))(t)
	ok(n.db.Follow(ctx, mia.ID, n.anna.ID))(t)
	ok(n.db.Follow(ctx, leo.ID, n.anna.ID))(t)
	target := home.URL + "/users/anna"
	home.serve("/users/anna", with(home.actor(t, "anna"), "alsoKnownAs", n.anna.URI))
	leaving := ok(n.pool.Begin(ctx))(t)
	ok(leaving.Exec(ctx, `delete from follows where follower_id = $1`, mia.ID))(t)
	moved := make(chan error, 1)
	go func() {
		_, err := n.Move(ctx, n.anna.ID, target)
		moved <- err
	}()
	for n.count(t, `select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`) == 0 {
		if len(moved) > 0 {
			break
		}
	}
	must(t, leaving.Commit(ctx))
	must(t, <-moved)
	equal(t, "who unfollowed", n.followees(t, mia))
	equal(t, "who did not", n.followees(t, leo), target)
}
