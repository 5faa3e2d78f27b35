package federation

import (
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"souk"
)

// demand is one rule by which a server takes or drops what it is sent, written anew from its source. holds judges a
// document as that server parses it; breaks makes of a good document one that the rule must refuse.
type demand struct {
	on     string // the kind of document: see kindsOf
	name   string
	source string // file of the server
	holds  func(d m) bool
	breaks func(d m)
}

// TestAccepted judges all that a node sends by the rules of other servers. Each rule must have something to judge, and must refuse
// what breaks it.
func TestAccepted(t *testing.T) {
	t.Parallel()
	documents := allSent(t)
	servers := map[string][]demand{"Mastodon": mastodonDemands(), "GoToSocial": goToSocialDemands(), "Misskey": misskeyDemands(), "Sharkey": sharkeyDemands(), "Pleroma": pleromaDemands(),
		"Akkoma": akkomaDemands(), "Pixelfed": pixelfedDemands(), "Lemmy": lemmyDemands(), "PeerTube": peerTubeDemands(), "WordPress": wordPressDemands(), "Mitra": mitraDemands(),
		"flohmarkt": flohmarktDemands(), "BookWyrm": bookWyrmDemands(), "Friendica": friendicaDemands()}
	for _, server := range slices.Sorted(maps.Keys(servers)) {
		t.Run(server, func(t *testing.T) {
			t.Parallel()
			for _, rule := range servers[server] {
				judged := 0
				for _, name := range slices.Sorted(maps.Keys(documents)) {
					for _, d := range kindsOf(documents[name])[rule.on] {
						judged++
						if !rule.holds(copied(t, d)) {
							t.Errorf("%s: %s refuses %s: %s (%s)", rule.on, server, name, rule.name, rule.source)
						}
						broken := copied(t, d)
						rule.breaks(broken)
						if rule.holds(broken) {
							t.Errorf("%s: the rule %q of %s takes a %s that breaks it", rule.on, rule.name, server, name)
						}
					}
				}
				if judged == 0 {
					t.Errorf("nothing is sent that the rule %q of %s could judge", rule.name, server)
				}
			}
		})
	}
}

// allSent is what a node sends and answers, from the encoder: the samples of the golden files, and what a node with a
// database makes of a text with everything in it.
func allSent(t *testing.T) map[string]m {
	t.Helper()
	n := newNode(t, testBase)
	documents := map[string]m{}
	add := func(name string, body []byte) {
		var d m
		must(t, json.Unmarshal(body, &d))
		documents[name] = d
	}
	for name, v := range sampleDocuments(t, n) {
		add(name, ok(marshal(v))(t))
	}
	bo := n.remote(t, "https://b.example", "b.example", "bo")
	theirs := ok(n.db.ReceivePost(t.Context(), souk.RemotePost{URI: "https://b.example/notes/1", URL: "https://b.example/@bo/1", Author: bo, HTML: "<p>Big?</p>", Visibility: souk.Public, InTimeline: true,
		Published: n.clock.Now()}))(t)
	rich := ok(n.db.CreatePost(t.Context(), n.anna.ID, souk.NewPost{InReplyTo: theirs.ID, Lang: "en",
		Source: "# Mugs\n\nHi @bo@b.example, see **these** and *those*, `code`, ~~old~~:\n\n- one\n- two\n\n1. first\n\n> quote\n\n```\nblock\n```\n\n## More\n\nhttps://shop.example/x #mugs #陶器"}))(t)
	add("a post with everything", ok(n.Post(t.Context(), nil, rich.ID))(t).Body)
	add("a real listing", ok(n.Listing(t.Context(), nil, n.list(t, true).ID))(t).Body)
	add("a real actor", ok(n.Actor(t.Context(), nil, "anna"))(t).Body)
	return documents
}

// kindsOf takes a document apart into what rules are about.
func kindsOf(d m) map[string][]m {
	kinds := map[string][]m{}
	kind, _ := d["type"].(string)
	inner, _ := d["object"].(m)
	switch kind {
	case "Person":
		kinds["actor"] = []m{d}
	case "Create", "Update", "Delete", "Announce", "Like", "Follow", "Accept", "Undo":
		kinds["activity"] = []m{d}
		name := kind
		if inner["type"] == "Person" {
			kinds["actor"], name = []m{inner}, "profile"
		}
		if innerKind, _ := inner["type"].(string); kind == "Announce" && innerKind != "" {
			name = "catalogued" // sent to nodes only
		}
		// Trade, blocks, and an actor's farewell are for those that know them; others leave them alone.
		of, _ := inner["type"].(string)
		known := map[string][]string{"Create": {"Note"}, "Update": {"Note", "Person"}, "Accept": {"Follow"}, "Undo": {"Follow", "Like", "Announce"}, "Delete": {"Tombstone"}}
		if types, limited := known[kind]; limited && !slices.Contains(types, of) {
			name = kind + " of " + of
		}
		kinds[name] = []m{d}
		if inner["type"] == "Note" {
			kinds["note"] = []m{inner}
		}
	case "Note":
		kinds["note"] = []m{d}
		kinds["fetched"] = []m{d}
	}
	for _, n := range kinds["note"] {
		if n["publishes"] != nil {
			kinds["listing"] = []m{n}
		}
		if n["inReplyTo"] != nil {
			kinds["reply"] = []m{n}
		}
		if len(listOf(n, "attachment")) > 0 {
			kinds["picture"] = []m{n}
		}
		if n["updated"] != nil {
			kinds["edited"] = []m{n}
		}
		if slices.Contains(texts(n, "to"), publicAudience) {
			kinds["public"] = []m{n}
		}
		for _, tag := range objectsOf(n, "tag") {
			if kind := textAt(tag, "type"); kind == "Mention" || kind == "Hashtag" {
				kinds[strings.ToLower(kind)] = append(kinds[strings.ToLower(kind)], n)
				break
			}
		}
	}
	return kinds
}

func copied(t *testing.T, d m) (c m) {
	t.Helper()
	must(t, json.Unmarshal(encoded(t, d), &c))
	return c
}

// How the parsers of other servers see values: strictly.

func textAt(d m, path ...string) string {
	for _, key := range path[:len(path)-1] {
		d, _ = d[key].(m)
	}
	s, _ := d[path[len(path)-1]].(string)
	return s
}

func listOf(d m, key string) []any {
	list, _ := d[key].([]any)
	return list
}

func objectsOf(d m, key string) (list []m) {
	for _, v := range listOf(d, key) {
		if o, isObject := v.(m); isObject {
			list = append(list, o)
		}
	}
	return list
}

func texts(d m, key string) (list []string) {
	for _, v := range listOf(d, key) {
		if s, isText := v.(string); isText {
			list = append(list, s)
		}
	}
	return list
}

// every reports whether all elements of an array are objects that f takes.
func every(d m, key string, f func(o m) bool) bool {
	list, isList := d[key].([]any)
	return isList && len(objectsOf(d, key)) == len(list) && !slices.ContainsFunc(objectsOf(d, key), func(o m) bool { return !f(o) })
}

func hostAt(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" {
		return ""
	}
	return u.Host
}

func sameHost(a, b string) bool { return hostAt(a) != "" && hostAt(a) == hostAt(b) }

func isDate(s string) bool {
	_, err := time.Parse(time.RFC3339, s)
	return err == nil
}

func put(value any, path ...string) func(m) {
	return func(d m) {
		for _, key := range path[:len(path)-1] {
			inner, isObject := d[key].(m)
			if !isObject {
				inner = m{}
				d[key] = inner
			}
			d = inner
		}
		d[path[len(path)-1]] = value
	}
}

// more adds an element to an array.
func appended(key string, value any) func(m) {
	return func(d m) { d[key] = append(listOf(d, key), value) }
}

// firstOf changes the first object of an array that has the type; "" is any.
func firstOf(key, kind string, change func(m)) func(m) {
	return func(d m) {
		for _, o := range objectsOf(d, key) {
			if kind == "" || o["type"] == kind {
				change(o)
				return
			}
		}
	}
}

func oneOf(values ...string) func(string) bool {
	return func(s string) bool { return slices.Contains(values, s) }
}
