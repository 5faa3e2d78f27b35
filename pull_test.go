package souk

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestParseFollowerList(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"Mastodon":           "Account address\nfay@a.example\nMia@bücher.example\n",
		"byte order mark":    "\ufeffAccount address\r\n@fay@A.example\r\nMia@bücher.example\r\n",
		"more columns":       "Show boosts,account address\ntrue,fay@a.example\nfalse,Mia@bücher.example\n",
		"plain":              "\n@fay@a.example\n Mia@bücher.example\n",
		"the same once more": "x,y\n",
	} {
		if strings.HasPrefix(name, "the same") {
			text = "\nfay@a.example\nMia@bücher.example\nFay@A.example\n"
		}
		got, err := ParseFollowerList(text)
		if want := []ListedFollower{{2, "fay@a.example", "a.example"}, {3, "Mia@xn--bcher-kva.example", "xn--bcher-kva.example"}}; err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %+v %v", name, got, err)
		}
	}
	for name, c := range map[string]struct{ text, field string }{
		"empty": {" \n", "list"}, "a header alone": {"Account address\n", "list"}, "no handle": {"fay@a.example\nmia\n", "line[2]"}, "a page": {"https://a.example/@fay\n", "line[1]"},
		"no name": {"@@a.example\n", "line[1]"}, "every host": {"fay@*.example\n", "line[1]"}, "broken": {"Account address\n\"fay@a.example\n", "line[2]"},
		"too long": {strings.Repeat("a@a.example\n", MaxFollowerList/12+1), "list"},
	} {
		if _, err := ParseFollowerList(c.text); !isInvalid(err, c.field) {
			t.Errorf("%s: %v, want %s", name, err, c.field)
		}
	}
}

func FuzzParseFollowerList(f *testing.F) {
	for _, s := range []string{"Account address\nfay@a.example\n", "@fay@a.example", "\"", "a,b\n@", "fay@[::1]:80", "x@y@z"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		list, err := ParseFollowerList(text)
		if err != nil {
			return
		}
		for _, l := range list {
			if again, err := ParseFollowerList(l.Handle); err == nil && again[0].Handle != l.Handle {
				t.Errorf("%q is read as %q, and that as %q", text, l.Handle, again[0].Handle)
			}
		}
	})
}

func TestPull(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	const old = "https://dead.example/users/anna"
	list := make([]ListedFollower, 0, 120)
	for i := range cap(list) {
		name := strings.Repeat("x", i+1)
		list = append(list, ListedFollower{Line: i + 2, Handle: name + "@f.example", Host: "f.example"})
	}
	start := func() {
		t.Helper()
		if err := n.StartPull(ctx, n.owner.ID, old, list); err != nil {
			t.Fatal(err)
		}
	}
	due := func() (handles []string) {
		t.Helper()
		for {
			p, err := n.NextPulled(ctx, time.Minute)
			if errors.Is(err, ErrNotFound) {
				return handles
			}
			if err != nil {
				t.Fatal(err)
			}
			handles = append(handles, p.Handle)
		}
	}
	state := func(want Pull) {
		t.Helper()
		want.OldURI = old
		if got, err := n.Pulls(ctx, n.owner.ID); err != nil || len(got) != 1 || got[0] != want {
			t.Errorf("%+v, want %+v (%v)", got, want, err)
		}
	}
	if err := n.StartPull(ctx, n.owner.ID, old, list); !isInvalid(err, "old") {
		t.Errorf("without an alias: %v", err)
	}
	if _, err := n.SaveProfile(ctx, n.owner.ID, Profile{AlsoKnownAs: []string{old}}); err != nil {
		t.Fatal(err)
	}
	start()
	start()
	state(Pull{Waiting: 120})
	if got := due(); len(got) != pullBatch {
		t.Errorf("%d are due at once", len(got))
	}
	n.clock.Advance(pullGap)
	if got := due(); len(got) != pullBatch {
		t.Errorf("%d are due next", len(got))
	}
	// One is told, and another with the same inbox needs no telling.
	fay := n.remote(t, "fay", "f.example")
	n.waiting(t)
	first := &PulledFollower{AccountID: n.owner.ID, OldURI: old, Handle: list[0].Handle, Host: "f.example"}
	second := *first
	second.Handle = list[1].Handle
	for _, p := range []*PulledFollower{first, &second, first} {
		if err := n.Pulled(ctx, p, fay); err != nil {
			t.Fatal(err)
		}
	}
	wantKinds(t, n.waiting(t), EventPulled)
	// A host that does not answer is left alone as a whole, and in the end its followers fail.
	n.clock.Advance(time.Hour)
	p, err := n.NextPulled(ctx, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if err := n.PutOffPulls(ctx, p, 0); err != nil {
		t.Fatal(err)
	}
	if got := due(); len(got) != 0 {
		t.Errorf("%d are asked for at a host that does not answer", len(got))
	}
	p.Attempts = len(pullRetries)
	if err := n.PutOffPulls(ctx, p, 0); err != nil {
		t.Fatal(err)
	}
	state(Pull{Told: 2, Failed: 1, Waiting: 117})
	if err := n.StopPull(ctx, n.owner.ID); err != nil {
		t.Fatal(err)
	}
	state(Pull{Told: 2, Failed: 1, Stopped: 117})
	if err := n.Pulled(ctx, &PulledFollower{AccountID: n.owner.ID, OldURI: old, Handle: list[9].Handle}, fay); err != nil {
		t.Fatal(err)
	}
	state(Pull{Told: 2, Failed: 1, Stopped: 117})
	start()
	state(Pull{Told: 2, Waiting: 118})
	n.clock.Advance(pullAgainAfter)
	start()
	state(Pull{Waiting: 120})
	if err := n.StopPull(ctx, n.owner.ID); err != nil {
		t.Fatal(err)
	}
	n.clock.Advance(keepSent + time.Second)
	if _, err := n.PruneOutbox(ctx); err != nil {
		t.Fatal(err)
	}
	if got, err := n.Pulls(ctx, n.owner.ID); err != nil || len(got) != 0 {
		t.Errorf("kept for ever: %v %v", got, err)
	}
}
