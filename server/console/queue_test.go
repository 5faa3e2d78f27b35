package console_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"souk"
)

func TestDeliveries(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	anna := n.account(t, "anna")
	post, err := n.db.CreatePost(t.Context(), anna.ID, souk.NewPost{Source: "New bowls"})
	if err != nil {
		t.Fatal(err)
	}
	b := n.signedIn(t, "anna")
	path := "/console/posts/" + id(post.ID) + "/deliveries"
	if b.get(path).want(http.StatusOK, path).Find("tbody tr").Length() != 0 {
		t.Error("deliveries of nothing")
	}
	err = n.db.QueueActivity(t.Context(), souk.Activity{ID: n.db.NewID(), URI: post.URI + "#create", AccountID: anna.ID, Type: "Create", PostID: &post.ID, Body: []byte("{}"),
		Created: n.clock.Now()}, []souk.Recipient{{Inbox: "https://far.example/inbox", Host: "far.example"}})
	if err != nil {
		t.Fatal(err)
	}
	row := b.get(path).Find("tbody tr")
	if row.Length() != 1 || !strings.Contains(text(row), "far.example") || row.Find(".state.queued").Length() != 1 {
		t.Errorf("deliveries: %s", text(row))
	}
	n.signedIn(t, "cora").get(path).want(http.StatusNotFound, path)
	why := func(host string) string {
		return text(b.get(path + "?host=" + url.QueryEscape(host)).Find("td.bare .about, .empty"))
	}
	for host, want := range map[string]string{"@mira@Elsewhere.example": "elsewhere.example: not addressed, because nobody there follows you",
		"https://shop.example/": "is your own node"} {
		if got := why(host); !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", host, got, want)
		}
	}

	// What the host says, and what the owner does about it.
	list, _, err := n.db.DueDeliveries(t.Context(), "far.example", 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := n.db.DeliveryFailed(t.Context(), list[0], souk.Failure{Reason: "<b>connection refused"}); err != nil {
		t.Fatal(err)
	}
	if got := text(b.get(path + "?host=far.example").Find("tbody tr")); !strings.Contains(got, "This node does not answer.") || !strings.Contains(got, "<b>connection refused") ||
		!strings.Contains(got, "again") {
		t.Errorf("a host that does not answer: %s", got)
	}
	one := url.Values{"post": {id(post.ID)}, "delivery": {id(list[0].ID)}}
	do := func(what string) *page {
		return b.post("/console/queue", url.Values{"do": {what}, "post": one["post"], "delivery": one["delivery"]})
	}
	if p := do("drop"); p.Find(".state.dropped").Length() != 1 || !strings.Contains(text(p.Find("tbody tr")), "You dropped it.") {
		t.Errorf("dropped: %s", text(p.Find("tbody tr")))
	}
	if p := do("retry"); p.Find(".state.queued").Length() != 1 || p.Find("button[value=retry]").Length() != 0 {
		t.Errorf("tried again: %s", text(p.Find("tbody tr")))
	}
	n.signedIn(t, "cora").post("/console/queue", url.Values{"do": {"drop"}, "host": {"far.example"}}).want(http.StatusForbidden, "/console/queue")
}

func TestQueuePage(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	anna, b := n.account(t, "anna"), n.signedIn(t, "anna")
	if p := b.get("/console/queue"); p.Find("tbody tr").Length() != 0 || p.Find(".empty").Length() != 1 {
		t.Error("an empty queue")
	}
	err := n.db.QueueActivity(t.Context(), souk.Activity{ID: n.db.NewID(), URI: "https://shop.example/activities/1", AccountID: anna.ID, Type: "Create", Body: []byte("{}")},
		[]souk.Recipient{{Inbox: "https://far.example/inbox", Host: "far.example"}})
	if err != nil {
		t.Fatal(err)
	}
	do := func(what string) *page {
		return b.post("/console/queue", url.Values{"do": {what}, "host": {"far.example"}})
	}
	if p := do("hold"); !strings.Contains(text(p.Find("tbody tr")), "You hold this node.") || p.Find("button[value=release]").Length() != 1 {
		t.Errorf("held: %s", text(p.Find("tbody tr")))
	}
	if p := do("release"); p.Find("button[value=hold]").Length() != 1 {
		t.Errorf("let go: %s", text(p.Find("tbody tr")))
	}
	if p := do("drop"); p.Find("tbody tr").Length() != 0 {
		t.Errorf("dropped: %s", text(p.Find("tbody tr")))
	}
	do("dance").want(http.StatusNotFound, "/console/queue")
	n.signedIn(t, "cora").get("/console/queue").want(http.StatusForbidden, "/console/queue")
}

// Of very many hosts those are shown for which most waits; each is found by its name.
func TestQueueOfManyHosts(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	anna, b := n.account(t, "anna"), n.signedIn(t, "anna")
	var to []souk.Recipient
	for i := range 103 {
		host := fmt.Sprintf("n%03d.example", i)
		to = append(to, souk.Recipient{Inbox: "https://" + host + "/inbox", Host: host})
	}
	if err := n.db.QueueActivity(t.Context(), souk.Activity{ID: n.db.NewID(), URI: "https://shop.example/activities/1", AccountID: anna.ID, Type: "Create", Body: []byte("{}")}, to); err != nil {
		t.Fatal(err)
	}
	p := b.get("/console/queue")
	if rows := p.Find("tbody tr").Length(); rows != 100 || !strings.Contains(text(p.Find("main")), "3 more nodes") {
		t.Errorf("%d rows: %s", rows, text(p.Find("main .hint")))
	}
	if p := b.get("/console/queue?host=n102.example"); text(p.Find("tbody th")) != "n102.example" || p.Find("input[name=host][value='n102.example']").Length() == 0 {
		t.Errorf("one host: %s", text(p.Find("tbody tr")))
	}
	if p := b.get("/console/queue?host=elsewhere.example"); !strings.Contains(text(p.Find(".empty")), "elsewhere.example") {
		t.Errorf("a host for which nothing waits: %s", text(p.Find("main")))
	}
}
