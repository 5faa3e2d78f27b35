package federation

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"souk"
)

// The suite of attacks. Each file attack_*_test.go is a group: rows that must change nothing, and controls that differ
// from them in as little as can be and must change something. docs/security.md says what each guard is for, and
// make guards shows that the rows need it.

// attack is what every row says of itself.
type attack struct {
	name   string
	clause string // the specification or advisory that it comes from
	guard  string // the function of the product that must stop it
}

// suite is every row of every group that is a table.
func suite() []attack {
	var all []attack
	for _, rows := range [][]forgery{forgedCreates(), forgedUpdates(), forgedDeletes(), forgedUndos(), forgedReactions(), forgedOthers()} {
		for _, f := range rows {
			all = append(all, f.attack)
		}
	}
	for _, s := range smugglings() {
		all = append(all, s.attack)
	}
	for _, rows := range [][]attempt{attempts(), keyAttempts(), digestAttempts(), timeAttempts(), headerAttempts(), jsonAttempts()} {
		for _, a := range rows {
			all = append(all, a.attack)
		}
	}
	return all
}

// Every attack says what it breaks and which function stops it; the function exists.
func TestAttacksNameTheirGuards(t *testing.T) {
	t.Parallel()
	functions := map[string]bool{}
	for _, file := range ok(filepath.Glob("*.go"))(t) {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		for _, d := range ok(parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution))(t).Decls {
			if f, isFunction := d.(*ast.FuncDecl); isFunction {
				functions[f.Name.Name] = true
			}
		}
	}
	for name := range map[string]bool{"Refused": true, "notBlocked": true, "FollowAnswered": true, "reactable": true, "Sanitise": true, "notify": true} {
		functions[name] = true // of package souk, which the compiler checks where they are called
	}
	names := map[string]bool{}
	all := suite()
	for _, a := range all {
		if a.name == "" || a.clause == "" || !functions[a.guard] {
			t.Errorf("%q breaks %q and is stopped by %q", a.name, a.clause, a.guard)
		}
		if names[a.guard+a.name] {
			t.Errorf("%q stands twice", a.name)
		}
		names[a.guard+a.name] = true
	}
	t.Logf("%d attacks", len(all))
}

// world is a node that follows ben of one server and eve of another: ben's server is honest, eve's is not. ben has a
// note and a listing here, follows anna, likes and shares her post, and waits for nobody; carol is his neighbour.
type world struct {
	*testNode
	t                    *testing.T
	actors               int // made by keyed
	honest, evil         *otherNode
	ben, carol, eve      string
	benNote, benListing  string
	annaPost, secret     *souk.Post // the second one is for followers
	benFollow, benLike   string
	benBoost, annaFollow string
	bad                  *otherNode // of a besieged world: the server that is suspended in it
	bea                  string     // who is there
}

func attacked(t *testing.T, change ...func(*Config)) *world {
	t.Helper()
	w := &world{t: t, testNode: inbound(t, change...), honest: newOtherNode(t, 1), evil: newOtherNode(t, 2)}
	w.ben, w.carol, w.eve = w.honest.person(t, "ben"), w.honest.person(t, "carol"), w.evil.person(t, "eve")
	w.follow(t, w.honest, w.ben)
	w.follow(t, w.evil, w.eve)
	w.annaPost = ok(w.db.CreatePost(t.Context(), w.anna.ID, souk.NewPost{Source: "Hello from Anna"}))(t)
	w.secret = ok(w.db.CreatePost(t.Context(), w.anna.ID, souk.NewPost{Source: "for followers", Visibility: souk.FollowersOnly}))(t)
	note, listing := w.honest.note(w.ben, "/notes/1", "<p>Ben's own words</p>"), w.honest.listing(w.ben, "/listings/1", "Blue mug", "24.00")
	w.benNote, w.benListing = note["id"].(string), listing["id"].(string)
	w.honest.serve("/notes/1", note)
	w.honest.serve("/listings/1", listing)
	w.done(t, w.honest, w.honest.activity("Create", w.ben, "/activities/note", note))
	w.done(t, w.honest, w.honest.activity("Create", w.ben, "/activities/listing", listing))
	follow := w.honest.activity("Follow", w.ben, "/activities/follow", w.anna.URI)
	like := w.honest.activity("Like", w.ben, "/activities/like", w.annaPost.URI)
	boost := w.honest.activity("Announce", w.ben, "/activities/boost", w.annaPost.URI)
	for _, a := range []m{follow, like, boost} {
		w.done(t, w.honest, a)
	}
	w.benFollow, w.benLike, w.benBoost = follow["id"].(string), like["id"].(string), boost["id"].(string)
	must(t, w.db.BlockHost(t.Context(), w.anna.ID, "bad.example", souk.Suspend, ""))
	carol := ok(w.ResolveActor(t.Context(), w.carol))(t)
	w.annaFollow = ok(w.db.Follow(t.Context(), w.anna.ID, carol.ID))(t).URI // carol has not answered
	return w
}

func eve(w *world) (*otherNode, string)   { return w.evil, w.eve }
func carol(w *world) (*otherNode, string) { return w.honest, w.carol }

// forgery is an activity of somebody who may send, about what is not theirs. It passes the door and must change nothing.
type forgery struct {
	attack
	from     func(w *world) (*otherNode, string)
	kind     string
	object   func(w *world) any
	activity func(w *world, a m) // changes more of it
}

// stoppedBy fills in what the rows of a table have in common.
func stoppedBy(clause, guard string, rows []forgery) []forgery {
	for i := range rows {
		if rows[i].clause == "" {
			rows[i].clause = clause
		}
		if rows[i].guard == "" {
			rows[i].guard = guard
		}
	}
	return rows
}

func named(name string) attack { return attack{name: name} }

// try delivers forgeries and holds the state against what it was.
func (w *world) try(t *testing.T, forgeries []forgery) {
	t.Helper()
	before := w.state(t)
	for i, f := range forgeries {
		node, actor := f.from(w)
		a := node.activity(f.kind, actor, "/forged/"+formatID(int64(i+1)), f.object(w))
		if f.activity != nil {
			f.activity(w, a)
		}
		state, note := w.deliver(t, node, a)
		if state != "failed" && state != "ignored" && f.kind != "Undo" { // an Undo of nothing is done
			t.Errorf("%s: %s %s", f.name, state, note)
		}
		if after := w.state(t); after != before {
			t.Fatalf("%s (%s %s): something changed:\n%s", f.name, state, note, difference(before, after))
		}
	}
}

// refuse sends what must be refused, and holds the state and the bytes received against what they were.
func (w *world) refuse(t *testing.T, attempts []attempt) {
	t.Helper()
	w.clock.advance(keyRest) // a key that does not fit may be read again
	before, stored := w.state(t), w.count(t, `select count(*) from inbox`)
	for _, a := range attempts {
		if status := w.receives(t, a.req(t, w)); status != a.status {
			t.Errorf("%s: status %d, want %d", a.name, status, a.status)
		}
		if c := w.count(t, `select count(*) from inbox`); c != stored {
			t.Fatalf("%s: was stored", a.name)
		}
	}
	must(t, w.ApplyInbox(t.Context()))
	if after := w.state(t); after != before {
		t.Errorf("something changed:\n%s", difference(before, after))
	}
}

// attempt is one request that must be refused at the door.
type attempt struct {
	attack
	status int
	req    func(t *testing.T, w *world) *SignedRequest
}

func encoded(t *testing.T, v any) []byte {
	t.Helper()
	return ok(json.Marshal(v))(t)
}

// hello is a Create that would be accepted from ben.
func (w *world) hello() m {
	return w.honest.activity("Create", w.ben, "/activities/hello", w.honest.note(w.ben, "/notes/hello", "<p>Hello</p>"))
}

// from signs a body as ben's server does.
func (w *world) from(t *testing.T, body []byte) *SignedRequest {
	return w.signedBy(t, w.ben+"#main-key", w.honest.key, body)
}

func with(o m, key string, value any) m {
	o[key] = value
	return o
}

func changed(req *SignedRequest, change func(*SignedRequest)) *SignedRequest {
	change(req)
	return req
}

// state is everything that a stranger might change: every table of the node, and the work that waits. Left out are the
// bytes received, of which an activity that passed the door is one row, what is known of eve's server, which is hers to
// change, what actors took back before it came, which counts for themselves only, and when actors were read last.
func (w *world) state(t *testing.T) string {
	t.Helper()
	var tables []string
	must(t, w.pool.QueryRow(t.Context(), `select array_agg(tablename::text order by tablename) from pg_tables where schemaname = 'public'
		and tablename not like 'river%' and tablename not in ('goose_db_version', 'inbox', 'undone')`).Scan(&tables))
	var all strings.Builder
	for _, table := range tables {
		where := ""
		switch table {
		case "accounts", "hosts":
			where = ` where host <> '` + w.evil.host() + `'`
		case "search_outbox": // an actor that is read again is indexed again
			where = ` where object_kind <> 'account'`
		}
		var rows string
		must(t, w.pool.QueryRow(t.Context(), `select coalesce(string_agg(row, E'\n' order by row), '')
			from (select (to_jsonb(r) - '{fetched,updated,seen,version}'::text[])::text as row from `+table+` r`+where+`) rows`).Scan(&rows))
		all.WriteString(table + "\n" + rows + "\n--\n")
	}
	var jobs string
	must(t, w.pool.QueryRow(t.Context(), `select coalesce(string_agg(kind || args::text, E'\n' order by id), '') from river_job
		where kind not in ('inbox', 'deliver', 'index', 'federate')`).Scan(&jobs))
	return all.String() + jobs
}

// difference is the lines that only one of two states has.
func difference(before, after string) string {
	var lines []string
	was, is := strings.Split(before, "\n"), strings.Split(after, "\n")
	for _, l := range was {
		if !slices.Contains(is, l) {
			lines = append(lines, "- "+l)
		}
	}
	for _, l := range is {
		if !slices.Contains(was, l) {
			lines = append(lines, "+ "+l)
		}
	}
	return strings.Join(lines, "\n")
}
