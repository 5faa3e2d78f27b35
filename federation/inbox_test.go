package federation

import (
	"net/http"
	"testing"

	"souk"
)

func TestReceiveNote(t *testing.T) {
	t.Parallel()
	n, peer := inbound(t), newOtherNode(t, 1)
	ben := peer.person(t, "ben")
	n.follow(t, peer, ben)
	create := peer.activity("Create", ben, "/activities/1", peer.note(ben, "/notes/1", `<p>Hello <script>alert(1)</script>there</p>`))
	n.done(t, peer, create)
	p := n.post(t, peer.URL+"/notes/1")
	if p.HTML != "<p>Hello there</p>" || p.Visibility != souk.Public || p.Account.URI != ben || !p.InTimeline {
		t.Errorf("post %+v", p)
	}
	if status := n.send(t, peer, create); status != http.StatusAccepted {
		t.Errorf("replay: %d", status)
	}
	if c := n.count(t, `select count(*) from inbox where activity_id = $1`, create["id"]); c != 1 {
		t.Errorf("%d rows", c)
	}
	if got := peer.requests("/users/ben"); got != 1 {
		t.Errorf("the actor was fetched %d times", got)
	}
}
