package federation

import (
	"fmt"
	"testing"
	"time"

	"souk"
)

// What somebody does, takes back, does again and takes back once more ends as they left it, in whatever order it comes.
func TestEveryOrder(t *testing.T) {
	t.Parallel()
	n, peer := inbound(t), newOtherNode(t, 1)
	for _, c := range []struct{ kind, sql string }{
		{"Like", `select count(*) from likes where account_id = $1`},
		{"Announce", `select count(*) from posts where account_id = $1 and kind = 'boost' and deleted is null`},
		{"Follow", `select count(*) from follows where follower_id = $1`},
	} {
		for length := 1; length <= 4; length++ {
			for k, order := range permutations(length) {
				name := fmt.Sprintf("%s%d_%d", c.kind, length, k)
				who := peer.person(t, name)
				object := n.anna.URI
				if c.kind != "Follow" {
					object = n.say(t, name)
				}
				var did []m
				for i := range length {
					id := fmt.Sprintf("/%s/%d", name, 9+i/2) // 9 and 10: as numbers, not as text
					a := peer.activity(c.kind, who, id, object)
					if i%2 == 1 {
						a = peer.activity("Undo", who, id+"/undo", a)
					}
					did = append(did, a)
				}
				for _, i := range order {
					n.deliver(t, peer, did[i])
				}
				n.clock.advance(11 * time.Second) // some was put off
				must(t, n.ApplyInbox(t.Context()))
				account := ok(n.db.AccountByURI(t.Context(), who))(t)
				if got := n.count(t, c.sql, account.ID); got != length%2 {
					t.Errorf("%s, as it came %v: there is %d, want %d", c.kind, order, got, length%2)
				}
			}
		}
	}
	if waiting := n.count(t, `select count(*) from inbox i where state = 'failed' or exists (select from inbox_queue q where q.id = i.id)`); waiting != 0 {
		t.Errorf("%d activities were not applied", waiting)
	}
	if twice := n.count(t, `select count(*) - count(distinct (kind, from_id, post_id)) from notifications`); twice != 0 {
		t.Errorf("%d notifications are there twice", twice)
	}
}

// A server that makes up the id of what it takes back is understood after some waiting.
func TestUndoOfAnIDThatNeverCame(t *testing.T) {
	t.Parallel()
	n, peer := inbound(t), newOtherNode(t, 1)
	ben := peer.person(t, "ben")
	for _, c := range []struct{ kind, object, sql string }{
		{"Like", n.say(t, "1"), `select count(*) from likes`},
		{"Announce", n.say(t, "2"), `select count(*) from posts where kind = 'boost' and deleted is null`},
		{"Follow", n.anna.URI, `select count(*) from follows`},
	} {
		n.done(t, peer, peer.activity(c.kind, ben, "/did/"+c.kind, c.object))
		state, _ := n.deliver(t, peer, peer.activity("Undo", ben, "/undo/"+c.kind, peer.activity(c.kind, ben, "/made/up/"+c.kind, c.object)))
		if there := n.count(t, c.sql); state != "queued" || there != 1 {
			t.Errorf("%s: the Undo is %s, %d are there", c.kind, state, there)
		}
		for range undoPatience {
			n.clock.advance(3 * time.Minute)
			must(t, n.ApplyInbox(t.Context()))
		}
		if there := n.count(t, c.sql); there != 0 {
			t.Errorf("%s: %d are there", c.kind, there)
		}
	}
}

// Two edits within a second carry dates ahead of the clock. In whatever order they and the Create come, the last one stands.
func TestEditsAheadOfTheClock(t *testing.T) {
	t.Parallel()
	n, peer := inbound(t), newOtherNode(t, 1)
	ben := peer.person(t, "ben")
	n.follow(t, peer, ben)
	for k, order := range permutations(4) {
		var said []m
		for i := range 4 {
			note := peer.note(ben, fmt.Sprintf("/notes/%d", k), fmt.Sprintf("<p>%d</p>", i))
			note["published"] = n.clock.Now().Format(time.RFC3339)
			kind := "Create"
			if i > 0 {
				kind = "Update"
				note["updated"] = n.clock.Now().Add(time.Duration(i) * time.Second).Format(time.RFC3339)
			}
			said = append(said, peer.activity(kind, ben, fmt.Sprintf("/said/%d/%d", k, i), note))
		}
		for _, i := range order {
			n.deliver(t, peer, said[i])
		}
		if p := n.post(t, fmt.Sprintf("%s/notes/%d", peer.URL, k)); p.HTML != "<p>3</p>" {
			t.Errorf("as it came %v: it says %s", order, p.HTML)
		}
	}
}

// say is the id of a new post of anna.
func (n *testNode) say(t *testing.T, text string) string {
	t.Helper()
	return ok(n.db.CreatePost(t.Context(), n.anna.ID, souk.NewPost{Source: text}))(t).URI
}

// permutations are all orders of the numbers below n.
func permutations(n int) [][]int {
	if n == 0 {
		return [][]int{nil}
	}
	var all [][]int
	for _, p := range permutations(n - 1) {
		for i := range n {
			order := append(append(append([]int{}, p[:i]...), n-1), p[i:]...)
			all = append(all, order)
		}
	}
	return all
}
