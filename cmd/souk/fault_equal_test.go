package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"
)

// What a node's people said, and what the other node keeps of it, as text by key. The query of each has one parameter:
// whether it is asked of the node whose people these are. The other's copy is what is not its own.
var faultFacts = []struct{ what, sql string }{
	{"posts", `select p.uri, concat_ws(' ', a.uri, p.html, p.summary, p.sensitive, p.lang, p.visibility, p.url, p.in_timeline, 'answers', p.in_reply_to_uri, parent.uri,
			'at', date_trunc('second', p.published), 'edited', date_trunc('second', p.edited),
			(select string_agg(tag, ',' order by tag) from post_tags where post_id = p.id),
			(select string_agg(m.uri, ',' order by m.uri) from mentions n join accounts m on m.id = n.account_id
				where n.post_id = p.id and m.id is distinct from parent.account_id))
		from posts p join accounts a on a.id = p.account_id left join posts parent on parent.id = p.in_reply_to_id
		where p.kind = 'note' and p.local = $1 and p.deleted is null`},
	{"likes", `select a.uri || ' likes ' || p.uri, k.uri from likes k join accounts a on a.id = k.account_id join posts p on p.id = k.post_id where (a.host = '') = $1`},
	{"boosts", `select a.uri || ' boosts ' || o.uri, p.uri from posts p join accounts a on a.id = p.account_id join posts o on o.id = p.boost_of_id
		where p.kind = 'boost' and p.local = $1 and p.deleted is null`},
	{"follows", `select a.uri || ' follows ' || b.uri, f.state || ' ' || f.uri from follows f join accounts a on a.id = f.follower_id join accounts b on b.id = f.followee_id
		where (a.host = '') = $1`},
	{"listings", `select p.uri, concat_ws(' ', a.uri, l.title, l.html, p.url, l.condition, l.category, l.state, l.availability, l.currency, v.price, v.sku, p.in_timeline,
			array_to_string(l.tags, ','), 'at', date_trunc('second', p.published), 'edited', date_trunc('second', p.edited))
		from posts p join accounts a on a.id = p.account_id join listings l on l.id = p.id join variants v on v.listing_id = l.id
		where p.kind = 'listing' and p.local = $1 and p.deleted is null`},
	{"profiles", `select uri, concat_ws(' ', name, display_name, kind, inbox, shared_inbox, public_key) from accounts where (host = '') = $1 and deleted is null and role not in ('instance', 'catalogue')
		and kind = 'Person'`},
}

// facts are the rows of one of the queries.
func (n *faultNode) facts(t *testing.T, sql string, own bool) map[string]string {
	t.Helper()
	rows, err := n.store.pool.Query(t.Context(), sql, own)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	var key, value string
	if _, err := pgx.ForEachRow(rows, []any{&key, &value}, func() error {
		if _, twice := all[key]; twice {
			t.Errorf("node %s has %s twice", n.letter, key)
		}
		all[key] = value
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

// equal compares what the node's people did with what the other node has of it.
func (n *faultNode) equal(t *testing.T) {
	t.Helper()
	for _, f := range faultFacts {
		said, kept := n.facts(t, f.sql, true), n.other.facts(t, f.sql, false)
		lost, doubled, other := 0, 0, 0
		tell := func(format string, args ...any) {
			if lost+doubled+other <= 5 { // the first few show what is wrong
				t.Errorf(format, args...)
			}
		}
		for _, key := range slices.Sorted(maps.Keys(said)) {
			switch got, there := kept[key]; {
			case !there:
				lost++
				tell("lost at %s: %s\n%s", n.other.letter, key, n.trace(t, key))
			case got != said[key]:
				other++
				tell("%s is at %s\n %s, and at %s\n %s\n%s", key, n.letter, said[key], n.other.letter, got, n.trace(t, key))
			}
		}
		for _, key := range slices.Sorted(maps.Keys(kept)) {
			if _, there := said[key]; !there {
				doubled++
				tell("%s has what is not at %s: %s\n%s", n.other.letter, n.letter, key, n.trace(t, key))
			}
		}
		t.Logf("%s of %s at %s: %d, lost %d, too many %d, different %d", f.what, n.letter, n.other.letter, len(said), lost, doubled, other)
	}
	n.notified(t)
	n.found(t)
}

// trace is what the other node received about an object, for whoever reads a failure.
func (n *faultNode) trace(t *testing.T, key string) string {
	t.Helper()
	rows, err := n.store.pool.Query(t.Context(), `select a.type, a.uri, a.id, d.state, d.attempts from activities a left join deliveries d on d.activity_id = a.id
		where position(a.object_uri in $1) > 0 and a.object_uri <> '' order by a.id`, key)
	if err != nil {
		t.Fatal(err)
	}
	text := ""
	var kind, uri string
	var id int64
	var state *string
	var attempts *int
	if _, err := pgx.ForEachRow(rows, []any{&kind, &uri, &id, &state, &attempts}, func() error {
		var got string
		_ = n.other.store.pool.QueryRow(t.Context(), `select concat_ws(' ', id, received, state, note) from inbox where activity_id = $1`, uri).Scan(&got) // none is a find, too
		if state != nil {
			text += fmt.Sprintf("   %s %s %s, %d attempts; received: %s\n", kind, uri, *state, *attempts, got)
		} else {
			text += fmt.Sprintf("   %s %s to nobody\n", kind, uri)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return text
}

// heard proves that all that was sent was received once and dealt with.
func (n *faultNode) heard(t *testing.T) {
	t.Helper()
	var failed []string
	for _, q := range []struct{ what, sql string }{
		{"not delivered", `select concat_ws(' ', type, object_uri, status, error) from deliveries d join activities a on a.id = d.activity_id where d.state <> 'delivered'`},
		{"not applied", `select concat_ws(' ', type, activity_id, note) from inbox where state = 'failed'`},
		{"not told", `select concat_ws(' ', kind, object_id, error) from events where error like '%:%'`},
	} {
		rows, err := n.store.pool.Query(t.Context(), q.sql)
		if err != nil {
			t.Fatal(err)
		}
		list, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range list {
			failed = append(failed, q.what+": "+l)
		}
	}
	for _, f := range failed {
		t.Errorf("node %s: %s", n.letter, f)
	}
	rows, err := n.store.pool.Query(t.Context(), `select distinct a.uri from activities a join deliveries d on d.activity_id = a.id`)
	if err != nil {
		t.Fatal(err)
	}
	sent, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	var received, again int
	if err := n.other.store.pool.QueryRow(t.Context(), `select count(*) from inbox i where activity_id = any($1) and state <> 'failed' and not exists (select from inbox_queue q where q.id = i.id)`, sent).Scan(&received); err != nil {
		t.Fatal(err)
	}
	if err := n.store.pool.QueryRow(t.Context(), `select coalesce(sum(attempts - 1), 0) from deliveries`).Scan(&again); err != nil {
		t.Fatal(err)
	}
	t.Logf("node %s sent %d activities, %d attempts more than that; node %s received %d of them", n.letter, len(sent), again, n.other.letter, received)
	if received != len(sent) {
		t.Errorf("node %s sent %d activities, node %s received %d of them", n.letter, len(sent), n.other.letter, received)
	}
}

// notified proves that the other node's people were told once of all that is there.
func (n *faultNode) notified(t *testing.T) {
	t.Helper()
	for _, q := range []struct{ what, sql string }{
		{"like", `select count(*), count(*) filter (where not exists (select from notifications n where n.account_id = p.account_id and n.kind = 'like' and n.from_id = k.account_id and n.post_id = p.id))
			from likes k join posts p on p.id = k.post_id join accounts a on a.id = k.account_id where p.local and a.host <> ''`},
		{"boost", `select count(*), count(*) filter (where not exists (select from notifications n where n.account_id = p.account_id and n.kind = 'boost' and n.from_id = b.account_id and n.post_id = p.id))
			from posts b join posts p on p.id = b.boost_of_id where b.kind = 'boost' and not b.local and p.local and b.deleted is null`},
		{"reply", `select count(*), count(*) filter (where not exists (select from notifications n where n.account_id = p.account_id and n.from_id = r.account_id and n.post_id = r.id))
			from posts r join posts p on p.id = r.in_reply_to_id where not r.local and p.local and r.deleted is null and p.deleted is null`},
		{"follow", `select count(*), count(*) filter (where not exists (select from notifications n where n.account_id = f.followee_id and n.kind = 'follow' and n.from_id = f.follower_id))
			from follows f join accounts a on a.id = f.follower_id join accounts b on b.id = f.followee_id where a.host <> '' and b.kind = 'Person'`},
		{"about nothing", `select count(*), count(*) filter (where p.deleted is not null) from notifications n join posts p on p.id = n.post_id`},
		{"told twice", `select count(*), count(*) - count(distinct (account_id, kind, from_id, post_id, order_id)) from notifications`},
	} {
		var all, wrong int
		if err := n.other.store.pool.QueryRow(t.Context(), q.sql).Scan(&all, &wrong); err != nil {
			t.Fatal(q.what, err)
		}
		t.Logf("notifications at %s, %s: %d, wrong %d", n.other.letter, q.what, all, wrong)
		if wrong != 0 {
			t.Errorf("notifications at %s, %s: %d of %d are wrong", n.other.letter, q.what, wrong, all)
		}
	}
}

// found proves that the other node's search has the listings of this one as they are.
func (n *faultNode) found(t *testing.T) {
	t.Helper()
	type hit struct {
		URI     string
		InStock bool `json:"in_stock"`
		Price   struct{ Amount int64 }
	}
	got := map[string]string{}
	query := url.Values{"type": {"listing"}, "node": {n.address}, "sort": {"newest"}, "limit": {"100"}}
	for {
		var page struct {
			Hits []hit
			Next *string
		}
		a, err := newVisitor().ask(t.Context(), http.MethodGet, n.other.base()+"/api/souk/v1/search?"+query.Encode(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(a.body, &page); err != nil || a.status != http.StatusOK {
			t.Fatal(a, err)
		}
		for _, h := range page.Hits {
			if _, twice := got[h.URI]; twice {
				t.Errorf("the search of %s finds %s twice", n.other.letter, h.URI)
			}
			got[h.URI] = fmt.Sprint(h.Price.Amount, " ", h.InStock)
		}
		if page.Next == nil {
			break
		}
		query.Set("cursor", *page.Next)
	}
	want := n.facts(t, `select p.uri, v.price || ' ' || (l.state = 'published') from posts p join listings l on l.id = p.id join variants v on v.listing_id = l.id
		where p.local = $1 and p.deleted is null and l.state in ('published', 'sold_out')`, true)
	if !maps.Equal(got, want) {
		for uri, is := range want {
			if got[uri] != is {
				t.Errorf("the search of %s has %s as %q, it is %q", n.other.letter, uri, got[uri], is)
			}
		}
		for uri := range got {
			if want[uri] == "" {
				t.Errorf("the search of %s finds %s, which is not there", n.other.letter, uri)
			}
		}
	}
	t.Logf("search of %s: %d listings of %s", n.other.letter, len(got), n.letter)
}
