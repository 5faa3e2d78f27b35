package federation

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"souk"

	"github.com/piprate/json-gold/ld"
)

// contexts loads JSON-LD contexts from testdata/contexts, each once, and nothing from anywhere else.
type contexts map[string]*ld.RemoteDocument

func (c contexts) LoadDocument(address string) (*ld.RemoteDocument, error) {
	if known := c[address]; known != nil {
		return known, nil
	}
	_, name, _ := strings.Cut(address, "://")
	file, err := os.Open(filepath.Join("testdata", "contexts", strings.ReplaceAll(name, "/", "_")+".json"))
	if err != nil {
		return nil, ld.NewJsonLdError(ld.LoadingRemoteContextFailed, err)
	}
	defer file.Close()
	document, err := ld.DocumentFromReader(file)
	c[address] = &ld.RemoteDocument{DocumentURL: address, Document: document}
	return c[address], err
}

// expanded is a document as a JSON-LD processor understands it. What falls under the @vocab of the ActivityStreams context
// ("_:") is taken out: it is a name that nobody else's document shares.
func (c contexts) expanded(doc any) (any, error) {
	options := ld.NewJsonLdOptions("")
	options.DocumentLoader = c
	out, err := ld.NewJsonLdProcessor().Expand(doc, options)
	if err != nil {
		return nil, err
	}
	return withoutBlankTerms(out), nil
}

func withoutBlankTerms(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = withoutBlankTerms(v[i])
		}
	case map[string]any:
		for key, value := range v {
			if strings.HasPrefix(key, "_:") {
				delete(v, key)
			} else {
				v[key] = withoutBlankTerms(value)
			}
		}
	}
	return v
}

// lostTerms lists what a JSON-LD reader does not get of a document: keys without which the document means the same to it,
// and types and ids that are no absolute IRIs. It asks the processor alone: each key is taken out, and what is left
// is expanded anew.
func lostTerms(t *testing.T, body []byte) (lost []string) {
	t.Helper()
	c := contexts{}
	parse := func() any {
		var doc any
		must(t, json.Unmarshal(body, &doc))
		return doc
	}
	whole := ok(c.expanded(parse()))(t)
	for _, path := range keyPaths(parse(), nil) {
		doc := parse()
		without(doc, path)
		if rest := ok(c.expanded(doc))(t); reflect.DeepEqual(rest, whole) {
			lost = append(lost, "key "+fmt.Sprint(path...))
		}
	}
	return append(lost, relative(whole)...)
}

// keyPaths lists the ways to all keys of a document but those of contexts: keys and places in arrays.
func keyPaths(v any, above []any) (paths [][]any) {
	at := func(step any) []any { return append(slices.Clone(above), step) }
	switch v := v.(type) {
	case []any:
		for i := range v {
			paths = append(paths, keyPaths(v[i], at(i))...)
		}
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if key != "@context" {
				paths = append(append(paths, at(key)), keyPaths(v[key], at(key))...)
			}
		}
	}
	return paths
}

func without(v any, path []any) {
	for _, step := range path[:len(path)-1] {
		switch step := step.(type) {
		case int:
			v = v.([]any)[step]
		case string:
			v = v.(map[string]any)[step]
		}
	}
	delete(v.(map[string]any), path[len(path)-1].(string))
}

// relative lists the types, ids and properties of an expanded document that are no absolute IRIs.
func relative(v any) (lost []string) {
	absolute := func(s string) bool { return strings.Contains(s, ":") && !strings.HasPrefix(s, "_:") }
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			lost = append(lost, relative(e)...)
		}
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			switch value := v[key].(type) {
			case string:
				if (key == "@id" || key == "@type") && !absolute(value) {
					lost = append(lost, key[1:]+" "+value)
				}
			case []any:
				for _, kind := range value {
					if s, isText := kind.(string); isText && key == "@type" && !absolute(s) {
						lost = append(lost, "type "+s)
					}
				}
			}
			if !strings.HasPrefix(key, "@") && !absolute(key) {
				lost = append(lost, "key "+key)
			}
			lost = append(lost, relative(v[key])...)
		}
	}
	return lost
}

// A key or type that no context maps is dropped by every JSON-LD reader. Each golden file that is ActivityPub is
// expanded, whoever added it.
func TestGoldenExpandsWhole(t *testing.T) {
	t.Parallel()
	for _, file := range ok(filepath.Glob(filepath.Join("testdata", "golden", "*.json")))(t) {
		if answered(filepath.Base(file)) { // JRD and NodeInfo are no JSON-LD
			continue
		}
		body := ok(os.ReadFile(file))(t)
		if !bytes.Contains(body, []byte(`"@context"`)) {
			t.Errorf("%s has no context", file)
		}
		for _, lost := range lostTerms(t, body) {
			t.Errorf("%s: %s is lost", file, lost)
		}
	}
}

// The same for what a node says in the course of its work, and for what it answers.
func TestEverythingSentExpandsWhole(t *testing.T) {
	t.Parallel()
	w := attacked(t)
	ctx := t.Context()
	l := w.list(t, true)
	w.write(t, "Look, #mugs")
	note := w.post(t, w.benNote)
	reply := ok(w.db.CreatePost(ctx, w.anna.ID, souk.NewPost{Source: "Thanks", InReplyTo: note.ID, Lang: "en", Summary: "kind words"}))(t)
	must(t, w.db.Like(ctx, w.anna.ID, note.ID))
	must(t, second(w.db.Boost(ctx, w.anna.ID, note.ID)))
	must(t, w.Federate(ctx))
	ok(w.db.EditPost(ctx, w.anna.ID, reply.ID, souk.NewPost{Source: "Many thanks"}))(t)
	must(t, w.Federate(ctx))
	must(t, w.db.DeletePost(ctx, w.anna.ID, reply.ID))
	must(t, w.db.Unlike(ctx, w.anna.ID, note.ID))
	must(t, w.db.Unboost(ctx, w.anna.ID, note.ID))
	must(t, w.Federate(ctx))

	sent := map[string][]byte{}
	rows, err := w.pool.Query(ctx, `select uri, body from activities`)
	must(t, err)
	for rows.Next() {
		var uri string
		var body []byte
		must(t, rows.Scan(&uri, &body))
		sent[uri] = body
	}
	must(t, rows.Err())
	if len(sent) < 8 {
		t.Errorf("only %d activities were sent", len(sent))
	}
	answer := func(name string, doc *Document, err error) {
		must(t, err)
		sent[name] = doc.Body
	}
	doc, err := w.Actor(ctx, nil, "anna")
	answer("actor", doc, err)
	doc, err = w.NodeActor(ctx)
	answer("instance actor", doc, err)
	doc, err = w.CatalogueActor(ctx)
	answer("catalogue actor", doc, err)
	doc, err = w.Listing(ctx, nil, l.ID)
	answer("listing", doc, err)
	doc, err = w.Proposal(ctx, nil, l.ID)
	answer("proposal", doc, err)
	doc, err = w.Outbox(ctx, nil, "anna", map[string][]string{"page": {"true"}})
	answer("outbox", doc, err)
	doc, err = w.CatalogueOutbox(ctx, nil, map[string][]string{"after": {"0"}})
	answer("catalogue", doc, err)
	doc, err = w.Featured(ctx, nil, "anna")
	answer("featured", doc, err)
	doc, err = w.Followers(ctx, nil, "anna", map[string][]string{"page": {"true"}})
	answer("followers", doc, err)
	doc, err = w.Context(ctx, nil, l.ID)
	answer("context", doc, err)
	doc, err = w.Replies(ctx, nil, l.ID, nil)
	answer("replies", doc, err)
	doc, err = w.Post(ctx, nil, reply.ID)
	answer("tombstone", doc, err)
	for name, body := range sent {
		for _, lost := range lostTerms(t, body) {
			t.Errorf("%s: %s is lost in %s", name, lost, body)
		}
	}
}

// The terms mean what others take them for, not only something.
func TestTermsMeanWhatOthersRead(t *testing.T) {
	t.Parallel()
	const as = "https://www.w3.org/ns/activitystreams#"
	for file, iris := range map[string][]string{
		"actor.json": {"https://w3id.org/security#publicKey", "https://w3id.org/security#publicKeyPem", "https://w3id.org/security#owner", as + "manuallyApprovesFollowers", as + "alsoKnownAs",
			"http://joinmastodon.org/ns#featured", "http://joinmastodon.org/ns#discoverable", "http://joinmastodon.org/ns#indexable", "http://schema.org#PropertyValue", "http://schema.org#value",
			"http://www.w3.org/ns/ldp#inbox", as + "sharedInbox"},
		"note_full.json": {as + "Hashtag", as + "sensitive", "http://joinmastodon.org/ns#blurhash", "http://joinmastodon.org/ns#focalPoint", "https://gotosocial.org/ns#interactionPolicy",
			"https://gotosocial.org/ns#canQuote", "https://gotosocial.org/ns#automaticApproval"},
		"listing.json": {"https://w3id.org/valueflows/ont/vf#publishes", "https://w3id.org/valueflows/ont/vf#reciprocal", "https://w3id.org/valueflows/ont/vf#purpose",
			"https://w3id.org/valueflows/ont/vf#resourceConformsTo", "http://www.ontology-of-units-of-measure.org/resource/om-2/hasNumericalValue", "https://schema.org/priceCurrency",
			"https://schema.org/InStock"},
		"proposal.json": {"https://w3id.org/valueflows/ont/vf#Proposal", "https://w3id.org/valueflows/ont/vf#Intent"},
	} {
		var doc any
		must(t, json.Unmarshal(ok(os.ReadFile(filepath.Join("testdata", "golden", file)))(t), &doc))
		text := string(ok(json.Marshal(ok(contexts{}.expanded(doc))(t)))(t))
		for _, iri := range iris {
			if !strings.Contains(text, `"`+iri+`"`) {
				t.Errorf("%s does not say %s", file, iri)
			}
		}
	}
}

// The check that the tests above trust finds what it must, and asks nobody for a context.
func TestLostTermsAreFound(t *testing.T) {
	t.Parallel()
	got := lostTerms(t, []byte(`{"@context":["https://www.w3.org/ns/activitystreams",{"p":"https://p.example/","a":"p:a","f":{"@id":"p:f","@type":"@id"}}],"id":"https://a.example/1","type":"Odd",
		"a":"x","p:b":"x","f":"here","size":1,"name":"n","tag":[{"type":"Note","colour":"red"}],"contentMap":{"en":"x"},"attachment":[]}`))
	if want := []string{"key size", "key tag0colour", "type _:Odd", "id here"}; !slices.Equal(got, want) {
		t.Errorf("lost: %q, want %q", got, want)
	}
	if _, err := (contexts{}).expanded(map[string]any{"@context": "https://elsewhere.example/context", "name": "x"}); err == nil {
		t.Error("a context that is not in testdata was found")
	}
}
