package federation

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"souk"
)

// scene is a file of testdata/peers: how one kind of server speaks, in its own shapes, and what a node makes of it. In the
// files the server is https://peer.example and this node https://shop.example, where anna is the shop; KEY stands for a public key, POST for
// the id of anna's post, and FOLLOW for the id of her follow.
type scene struct {
	Server   string
	Source   []string // documents and files that the shapes are from
	Serve    map[string]any
	Follow   []struct{ Actor, Accept json.RawMessage }
	Accounts map[string]m // what is known of actors at the end
	Steps    []sceneStep
}

type sceneStep struct {
	Name  string
	Serve map[string]any // documents that the server answers from now on
	Send  m
	End   string // how the activity ends; "done" where it is not said
	Want  map[string]m
}

// sceneNames are the servers that testdata/peers must speak for.
var sceneNames = []string{"akkoma", "bookwyrm", "flohmarkt", "friendica", "gotosocial", "lemmy", "mastodon", "misskey", "mitra", "mobilizon", "peertube", "pixelfed", "pleroma",
	"sharkey", "wordpress"}

func TestWorld(t *testing.T) {
	t.Parallel()
	var found []string
	for _, file := range ok(filepath.Glob(filepath.Join("testdata", "peers", "*.json")))(t) {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		found = append(found, name)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			perform(t, ok(os.ReadFile(file))(t))
		})
	}
	if !slices.Equal(found, sceneNames) {
		t.Errorf("testdata/peers speaks for %v", found)
	}
}

// perform plays a scene: signed deliveries to the inbox of a node, and what the node fetches from the server.
func perform(t *testing.T, text []byte) {
	t.Helper()
	n, peer := inbound(t), newOtherNode(t, 1)
	post := n.write(t, "Look, new mugs")
	var s scene
	replace := func(old, now string) { text = bytes.ReplaceAll(text, []byte(old), []byte(now)) }
	replace("https://peer.example", peer.URL)
	replace("peer.example", peer.host())
	replace("https://shop.example", "http://shop.example")
	replace(`"POST"`, `"`+post.URI+`"`)
	replace(`"KEY"`, string(encoded(t, publicPEM(t, peer.key))))
	must(t, CheckJSON(text, maxJSONDepth))
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	must(t, decoder.Decode(&s))
	if len(s.Source) == 0 || s.Server == "" || len(s.Steps) == 0 {
		t.Fatal("a scene says whose it is, where the shapes are from, and what happens")
	}
	for path, doc := range s.Serve {
		peer.serve(path, doc)
	}
	for _, f := range s.Follow {
		var uri string
		var accept m
		must(t, json.Unmarshal(f.Actor, &uri))
		actor := ok(n.ResolveActor(t.Context(), uri))(t)
		follow := ok(n.db.Follow(t.Context(), n.anna.ID, actor.ID))(t)
		must(t, json.Unmarshal(bytes.ReplaceAll(f.Accept, []byte("FOLLOW"), []byte(follow.URI)), &accept))
		n.done(t, peer, accept)
		if state := n.text(t, `select state from follows where id = $1`, follow.ID); state != "accepted" {
			t.Errorf("the follow of %s is %s", uri, state)
		}
	}
	for _, step := range s.Steps {
		for path, doc := range step.Serve {
			peer.serve(path, doc)
		}
		if step.Send != nil {
			want := step.End
			if want == "" {
				want = "done"
			}
			if state, note := n.deliver(t, peer, step.Send); state != want {
				t.Errorf("%s: %s: %s", step.Name, state, note)
			}
		}
		for uri, want := range step.Want {
			compare(t, step.Name+": "+uri, n.keptOf(t, uri), want)
		}
	}
	for uri, want := range s.Accounts {
		compare(t, uri, n.knownAccount(t, uri), want)
	}
}

func (n *testNode) text(t *testing.T, sql string, args ...any) (s string) {
	t.Helper()
	must(t, n.pool.QueryRow(t.Context(), sql, args...).Scan(&s))
	return s
}

// keptOf is what is kept of a post, under the names that scenes use.
func (n *testNode) keptOf(t *testing.T, uri string) m {
	t.Helper()
	if n.count(t, `select count(*) from posts where uri = $1`, uri) == 0 {
		return m{"absent": true}
	}
	if n.count(t, `select count(*) from posts where uri = $1 and deleted is not null`, uri) == 1 {
		return m{"deleted": true}
	}
	p := n.post(t, uri)
	k := m{"html": p.HTML, "text": souk.Plain(p.HTML), "url": p.URL, "summary": p.Summary, "sensitive": p.Sensitive, "lang": p.Lang, "visibility": p.Visibility, "author": p.Account.URI,
		"in_reply_to": p.InReplyToURI, "answers_anna": p.InReplyToID != nil, "edited": p.Edited != nil, "published": timestamp(p.Published), "likes": p.Likes, "boosts": p.Boosts, "replies": p.Replies,
		"tags": []any{}, "mentions": []any{}, "media": []any{}, "in_timeline": p.InTimeline, "texts": p.Texts, "films": []any{}}
	for _, tag := range p.Tags {
		k["tags"] = append(k["tags"].([]any), tag.Name)
	}
	for _, a := range p.Mentions {
		k["mentions"] = append(k["mentions"].([]any), a.URI)
	}
	for _, pic := range p.Media {
		k["media"] = append(k["media"].([]any), m{"url": pic.RemoteURL, "mime": pic.MIME, "alt": pic.Alt, "width": pic.Width, "height": pic.Height, "blurhash": pic.Blurhash,
			"focus": []any{pic.FocalX, pic.FocalY}})
	}
	for _, film := range p.Films {
		k["films"] = append(k["films"].([]any), m{"url": film.RemoteURL, "mime": film.MIME, "alt": film.Alt, "width": film.Width, "height": film.Height})
	}
	if l := p.Listing; l != nil {
		price := l.Price()
		k["title"], k["price"] = l.Title, price.Decimal()+" "+price.Currency
	}
	return k
}

func (n *testNode) knownAccount(t *testing.T, uri string) m {
	t.Helper()
	a := ok(n.db.AccountByURI(t.Context(), uri))(t)
	k := m{"kind": a.Kind, "name": a.Name, "display_name": a.DisplayName, "bio": a.Bio, "url": a.URL, "locked": a.Locked, "discoverable": a.Discoverable, "indexable": a.Indexable,
		"deleted": a.Deleted != nil, "shared_inbox": a.SharedInbox, "featured": a.FeaturedURI, "also_known_as": a.AlsoKnownAs, "fields": []any{},
		"followers": n.count(t, `select count(*) from follows where followee_id = $1 and state = 'accepted'`, a.ID)}
	for _, f := range a.Fields {
		k["fields"] = append(k["fields"].([]any), f.Name+": "+f.Value)
	}
	return k
}

// compare says which of the wanted properties are not there as wanted. Objects are compared by what is wanted of them.
func compare(t *testing.T, what string, got, want m) {
	t.Helper()
	var plain m
	must(t, json.Unmarshal(encoded(t, got), &plain))
	for key, w := range want {
		if !holds(plain[key], w) {
			t.Errorf("%s: %s is %s, want %s", what, key, encoded(t, plain[key]), encoded(t, w))
		}
	}
}

func holds(got, want any) bool {
	switch want := want.(type) {
	case m:
		o, isObject := got.(m)
		for key, w := range want {
			if !isObject || !holds(o[key], w) {
				return false
			}
		}
		return true
	case []any:
		list, isList := got.([]any)
		return isList && len(list) == len(want) && !slices.ContainsFunc(want, func(w any) bool {
			return !slices.ContainsFunc(list, func(g any) bool { return holds(g, w) })
		})
	}
	return reflect.DeepEqual(got, want)
}
