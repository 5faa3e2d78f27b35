package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"souk"
	"souk/migrations/pgtest"
)

func TestQueueCommand(t *testing.T) {
	t.Parallel()
	environ := []string{"SOUK_DATABASE_URL=" + pgtest.URL(t), "SOUK_DATA_DIR=" + t.TempDir(), "SOUK_DOMAIN=shop.example"}
	command := func(args string) (int, string) {
		var out bytes.Buffer
		code := run(t.Context(), append([]string{"queue"}, strings.Fields(args)...), environ, nil, &out, &out)
		return code, out.String()
	}
	expect := func(args string, code int, want ...string) {
		t.Helper()
		got, out := command(args)
		for _, w := range want {
			if got != code || !strings.Contains(out, w) {
				t.Errorf("souk queue %s: exit %d, printed\n%swant %d and %q", args, got, out, code, w)
			}
		}
	}
	expect("list", 1, "this node has no owner yet")
	var post, delivery int64
	withDB(t, environ, func(db *souk.DB) {
		ctx := t.Context()
		owner, err := db.CreateAccount(ctx, souk.NewAccount{Name: "maria", Role: souk.RoleOwner, Password: "correct horse"})
		if err != nil {
			t.Fatal(err)
		}
		p, err := db.CreatePost(ctx, owner.ID, souk.NewPost{Source: "hello"})
		if err != nil {
			t.Fatal(err)
		}
		post = p.ID
		a := souk.Activity{ID: db.NewID(), URI: "https://shop.example/activities/1", AccountID: owner.ID, Type: "Create", ObjectURI: p.URI, PostID: &p.ID, Body: []byte("{}")}
		if err := db.QueueActivity(ctx, a, []souk.Recipient{{Inbox: "https://far.example/inbox", Host: "far.example"}, {Inbox: "https://near.example/inbox", Host: "near.example"}}); err != nil {
			t.Fatal(err)
		}
		list, _, err := db.DueDeliveries(ctx, "far.example", 1)
		if err != nil {
			t.Fatal(err)
		}
		delivery = list[0].ID
		if err := db.DeliveryFailed(ctx, list[0], souk.Failure{Reason: "dial \x1b[31mtcp: connection refused"}); err != nil {
			t.Fatal(err)
		}
	})
	expect("list", 0, "warning  resting         far.example, 1 delivery: the host does not answer\n", "tried once, next at ", "tcp: connection refused",
		"-> souk queue retry --host far.example\n", "ok       waiting         near.example, 1 delivery: its turn comes in a moment\n")
	expect(fmt.Sprint("list --post ", post, " --state dead"), 0, fmt.Sprint(delivery), "to far.example: the host does not answer (tried once, status 0)")
	if _, out := command("list"); strings.Contains(out, "\x1b") {
		t.Errorf("a peer writes to the terminal: %q", out)
	}
	if _, out := command("list --state dead"); out != "ok       queue           nothing waits\n" {
		t.Errorf("dead hosts: %s", out)
	}
	var list struct {
		Hosts []map[string]any
	}
	code, out := command("list --json --state resting")
	if err := json.Unmarshal([]byte(out), &list); err != nil || code != 0 || len(list.Hosts) != 1 || list.Hosts[0]["why"] != "silent" || list.Hosts[0]["host"] != "far.example" {
		t.Errorf("exit %d, %v, printed %s", code, err, out)
	}
	expect("retry --host far.example", 0, "1 delivery due now")
	expect("list --host far.example", 0, "ok       waiting         far.example")
	expect("retry", 1, "name a host, a post or a delivery")
	expect("drop", 1, "name a host, a post or a delivery")
	expect("hold far.example", 0, "far.example is held")
	expect("list --state held", 0, "far.example, 1 delivery: held by you", "souk queue hold far.example --off")
	expect("hold nowhere.example", 1, `nothing was ever sent to "nowhere.example"`)
	expect("hold far.example --off", 0, "far.example is let go")
	expect(fmt.Sprint("drop --post ", post), 0, "2 deliveries dropped\n", "far.example: 1\n", "near.example: 1\n")
	expect("list", 0, "nothing waits")
	expect(fmt.Sprint("retry --id ", delivery), 0, "1 delivery due now")
}
