package server_test

import (
	"slices"
	"testing"
	"time"

	"souk"
)

// The old server is dead, and its last word named the new account: those in its owner's backup follow along, at another node
// and at this one.
func TestFollowersArePulled(t *testing.T) {
	t.Parallel()
	old, home, there := newNode(t, "ben"), newNode(t, "ben"), newNode(t, "fay")
	ctx := t.Context()
	member := func(n *node, name string) *souk.Account {
		return must(n.CreateAccount(ctx, souk.NewAccount{Name: name, Role: souk.RoleMember}))(t)
	}
	mia, leo := member(there, "mia"), member(home, "leo")
	follow := func(n *node, who *souk.Account) {
		t.Helper()
		ben := must(n.ResolveHandle(ctx, "@ben@"+old.host()))(t)
		must(n.Follow(ctx, who.ID, ben.ID))(t)
	}
	follow(there, there.owner)
	follow(there, mia)
	follow(home, leo)
	settle(t, there, home, old)
	must(old.SaveProfile(ctx, old.owner.ID, souk.Profile{AlsoKnownAs: []string{home.owner.URI}}))(t)
	settle(t, old, there, home)
	old.web.Close()
	for _, n := range []*node{home, there} {
		n.now = n.now.Add(31 * 24 * time.Hour)
	}

	uri, answered, err := home.Alias(ctx, "@ben@"+old.host()) // its handle is known here
	if err != nil || answered || uri != old.owner.URI {
		t.Fatalf("alias %q %v %v", uri, answered, err)
	}
	must(home.SaveProfile(ctx, home.owner.ID, souk.Profile{AlsoKnownAs: []string{uri}}))(t)
	list := must(souk.ParseFollowerList("Account address\nfay@" + there.host() + "\nmia@" + there.host() + "\nnobody@" + there.host() + "\nleo@" + home.host() + "\nx@" + old.host() + "\n"))(t)
	follows := func(n *node, who *souk.Account) (uris []string) {
		for _, state := range []string{souk.FollowAccepted, souk.FollowPending} {
			for _, e := range must(n.DB.Following(ctx, who.ID, state, souk.Page{}))(t) {
				uris = append(uris, e.Account.URI)
			}
		}
		return uris
	}
	for range 2 { // the same list again changes nothing
		done(t, home.Federation.StartPull(ctx, home.owner.ID, uri, list))
		done(t, home.Pull(ctx))
		settle(t, home, there)
		for _, c := range []struct {
			n   *node
			who *souk.Account
		}{{there, there.owner}, {there, mia}, {home, leo}} {
			if got := follows(c.n, c.who); !slices.Equal(got, []string{home.owner.URI}) {
				t.Errorf("%s follows %v", c.who.Name, got)
			}
		}
		if n := countOf(t, home, `select count(*) from follows f join accounts a on a.id = f.followee_id where a.role = 'owner'`); n != 3 {
			t.Errorf("%d followers", n)
		}
		pulls := must(home.Pulls(ctx, home.owner.ID))(t)
		if want := []souk.Pull{{OldURI: uri, Waiting: 1, Told: 3, Failed: 1}}; !slices.Equal(pulls, want) {
			t.Errorf("%+v, want %+v", pulls, want)
		}
		failed := must(home.FailedPulls(ctx, home.owner.ID, 10))(t)
		if len(failed) != 1 || failed[0].Line != 4 || failed[0].Reason != souk.PullUnknown {
			t.Errorf("failed: %+v", failed)
		}
		if n := countOf(t, home, `select count(*) from activities where type = 'Move'`); n != 1 { // to the inbox that the two share
			t.Errorf("%d Moves", n)
		}
	}
	for range 6 {
		home.now = home.now.Add(25 * time.Hour)
		done(t, home.Pull(ctx))
	}
	if pulls := must(home.Pulls(ctx, home.owner.ID))(t); pulls[0].Waiting != 0 || pulls[0].Failed != 2 {
		t.Errorf("whose server never answered: %+v", pulls)
	}
}

func countOf(t *testing.T, n *node, sql string) (c int) {
	t.Helper()
	done(t, n.Pool().QueryRow(t.Context(), sql).Scan(&c))
	return c
}
