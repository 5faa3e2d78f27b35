package federation

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

func contains(s, part string) bool { return strings.Contains(s, part) }

// coreTerms are the terms of the ActivityStreams context (https://www.w3.org/ns/activitystreams.jsonld) that this node
// may send: properties, types, and the prefixes and keywords that it defines.
const coreTerms = `id type
	Accept Add Announce Application Collection CollectionPage Create Delete Document Flag Follow Image Like Mention Link Move Note Offer OrderedCollection
	OrderedCollectionPage Person Reject Remove Service Tombstone Undo Update
	actor attachment attributedTo cc content contentMap context deleted endpoints first followers following formerType height href icon image
	inReplyTo inbox items likes mediaType name next object orderedItems outbox partOf preferredUsername preview published rel replies result sharedInbox
	shares summary tag target to totalItems updated url width`

// A key or type that no context maps is dropped by every JSON-LD reader: all that leaves this node is mapped.
func TestEveryKeyIsMapped(t *testing.T) {
	t.Parallel()
	n := newNode(t, testBase)
	for name, v := range sampleDocuments(t, n) {
		var doc any
		must(t, json.Unmarshal(ok(marshal(v))(t), &doc))
		for _, lost := range unmapped(doc, nil) {
			t.Errorf("%s: %s is not mapped", name, lost)
		}
	}
}

// The walk that the test above trusts finds what it must.
func TestUnmappedIsFound(t *testing.T) {
	t.Parallel()
	var doc any
	must(t, json.Unmarshal([]byte(`{"@context":["https://www.w3.org/ns/activitystreams",{"p":"https://p.example/","a":"p:a"}],"type":"Odd",
		"a":"x","p:b":"x","q:c":"x","tag":[{"type":"Note","size":1}],"contentMap":{"en":"x"}}`), &doc))
	got := unmapped(doc, nil)
	slices.Sort(got)
	if want := []string{"key q:c", "key size", "type Odd"}; !slices.Equal(got, want) {
		t.Errorf("unmapped: %q, want %q", got, want)
	}
}

// unmapped lists keys and types that neither ActivityStreams nor the contexts around them define.
func unmapped(v any, terms map[string]bool) (lost []string) {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			lost = append(lost, unmapped(item, terms)...)
		}
	case map[string]any:
		if context, found := v["@context"]; found {
			terms = termsOf(context, terms)
		}
		mapped := func(term string) bool {
			prefix, _, compact := strings.Cut(term, ":")
			return terms[term] || compact && terms[prefix]
		}
		for key, value := range v {
			switch {
			case key == "@context":
				continue
			case !mapped(key):
				lost = append(lost, "key "+key)
			case key == "type":
				if kind, _ := value.(string); !mapped(kind) {
					lost = append(lost, "type "+kind)
				}
			case key == "contentMap": // its keys are languages
				continue
			}
			lost = append(lost, unmapped(value, terms)...)
		}
	}
	return lost
}

func termsOf(context any, outer map[string]bool) map[string]bool {
	terms := map[string]bool{}
	for term := range outer {
		terms[term] = true
	}
	list, several := context.([]any)
	if !several {
		list = []any{context}
	}
	for _, c := range list {
		switch c := c.(type) {
		case string:
			if c == "https://www.w3.org/ns/activitystreams" {
				for _, term := range strings.Fields(coreTerms) {
					terms[term] = true
				}
			}
		case map[string]any:
			for term := range c {
				terms[term] = true
			}
		}
	}
	return terms
}
