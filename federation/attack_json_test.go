package federation

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// written is ben's Create with something done to its text before it is signed.
func written(change func(w *world, text string) string) func(*testing.T, *world) *SignedRequest {
	return func(t *testing.T, w *world) *SignedRequest {
		return w.from(t, []byte(change(w, string(encoded(t, w.hello())))))
	}
}

// more is ben's Create with something written behind its opening brace.
func more(members string) func(*testing.T, *world) *SignedRequest {
	return written(func(_ *world, text string) string { return "{" + members + "," + text[1:] })
}

// field is ben's Create with another value for one of its fields.
func field(name string, value func(w *world) any) func(*testing.T, *world) *SignedRequest {
	return func(t *testing.T, w *world) *SignedRequest {
		return w.from(t, encoded(t, with(w.hello(), name, value(w))))
	}
}

func jsonAttempts() []attempt {
	constant := func(v any) func(*world) any { return func(*world) any { return v } }
	const json, iri = "RFC 8259", "RFC 3986; CVE-2023-42451"
	return []attempt{
		{attack{"an empty body", json + " 2", "CheckJSON"}, 400, written(func(*world, string) string { return "" })},
		{attack{"a byte order mark", json + " 8.1", "CheckJSON"}, 400, written(func(_ *world, text string) string { return "\ufeff" + text })},
		{attack{"UTF-16", json + " 8.1", "CheckJSON"}, 400, written(func(_ *world, text string) string {
			return "\xff\xfe" + strings.Join(strings.Split(text, ""), "\x00") + "\x00"
		})},
		{attack{"a byte that is no UTF-8", json + " 8.1", "CheckJSON"}, 400, more("\"x\":\"\xc3\"")},
		{attack{"a surrogate as UTF-8", json + " 8.2", "CheckJSON"}, 400, more("\"x\":\"\xed\xa0\x80\"")},
		{attack{"a NUL in a text, as it is", json + " 7", "CheckJSON"}, 400, more("\"x\":\"\x00\"")},
		{attack{"a second document behind", json + " 2", "CheckJSON"}, 400, written(func(_ *world, text string) string { return text + text })},
		{attack{"cut off", json + " 2", "CheckJSON"}, 400, written(func(_ *world, text string) string { return text[:len(text)-1] })},
		{attack{"single quotes", json + " 7", "CheckJSON"}, 400, more(`'x':1`)},
		{attack{"a comment", json + " 2", "CheckJSON"}, 400, more(`/* x */"x":1`)},
		{attack{"a comma too many", json + " 4", "CheckJSON"}, 400, more(`"x":[1,]`)},
		{attack{"NaN", json + " 6", "CheckJSON"}, 400, more(`"x":NaN`)},
		{attack{"a number with zeros before it", json + " 6", "CheckJSON"}, 400, more(`"x":01`)},
		{attack{"a key twice, once escaped", json + " 4", "repeats"}, 400, more(`"\u0061ctor":"https://evil.invalid/u"`)},
		{attack{"a key twice, in capitals", json + " 4 (readers that fold)", "foldKey"}, 400, more(`"ACTOR":"https://evil.invalid/u"`)},
		{attack{"a key twice, by a letter that folds to ASCII", json + " 4 (readers that fold)", "foldKey"}, 400, more(`"publicKey":1,"public\u212aey":2`)},
		{attack{"a key twice, deep inside", json + " 4", "repeats"}, 400, more(`"x":[{"y":{"id":1,"id":2}}]`)},
		{attack{"a key twice among thousands", json + " 4", "repeats"}, 400, func(t *testing.T, w *world) *SignedRequest {
			var b strings.Builder
			for i := range 5000 {
				fmt.Fprintf(&b, `"k%d":%d,`, i, i)
			}
			return more(b.String()+`"k77":0`)(t, w)
		}},
		{attack{"a thousand arrays inside each other", json + " 9", "CheckJSON"}, 400, more(`"x":` + strings.Repeat("[", 1000) + strings.Repeat("]", 1000))},
		{attack{"a hundred thousand arrays, not closed", json + " 9", "CheckJSON"}, 400, written(func(*world, string) string { return strings.Repeat("[", 100_000) })},
		{attack{"a thousand objects inside each other", json + " 9", "CheckJSON"}, 400, more(`"x":` + strings.Repeat(`{"a":`, 1000) + "1" + strings.Repeat("}", 1000))},
		{attack{"a body of spaces", "CVE-2023-36461 (resources of the receiver)", "CheckJSON"}, 400, written(func(*world, string) string { return strings.Repeat(" ", MaxActivity) })},
		{attack{"one byte too many", "RFC 9110 15.5.14", "readHead"}, 413, written(func(_ *world, text string) string {
			return text + strings.Repeat(" ", MaxActivity+1-len(text))
		})},
		{attack{"null", "ActivityPub 3", "headOf"}, 400, written(func(*world, string) string { return "null" })},
		{attack{"a text", "ActivityPub 3", "peek"}, 400, written(func(*world, string) string { return `"Create"` })},
		{attack{"a type that is an object", "ActivityStreams 2.0 4.2", "headOf"}, 400, field("type", constant(m{"id": "Create"}))},
		{attack{"a type with a control character", "ActivityStreams 2.0 4.2", "headOf"}, 400, field("type", constant("Create\x00"))},
		{attack{"a type without end", "ActivityStreams 2.0 4.2", "headOf"}, 400, field("type", constant(strings.Repeat("C", 101)))},
		{attack{"an id in an array", "ActivityPub 3.1", "headOf"}, 400, field("id", func(w *world) any { return []any{w.honest.URL + "/1"} })},
		{attack{"an id with a NUL", iri, "validIRI"}, 400, field("id", func(w *world) any { return w.honest.URL + "/1\x00" })},
		{attack{"an id with a line break", iri, "validIRI"}, 400, field("id", func(w *world) any { return w.honest.URL + "/1\n" })},
		{attack{"an id with a backslash", iri, "validIRI"}, 400, field("id", func(w *world) any { return w.honest.URL + `\@evil.invalid/1` })},
		{attack{"an id that is relative", iri, "validIRI"}, 400, field("id", constant("/1"))},
		{attack{"an id without a scheme", iri, "validIRI"}, 400, field("id", func(w *world) any { return "//" + w.honest.host() + "/1" })},
		{attack{"an id of data:", iri, "validIRI"}, 400, field("id", constant("data:application/activity+json,{}"))},
		{attack{"an actor in an array in an array", "FEP-fe34", "headOf"}, 400, field("actor", func(w *world) any { return []any{[]any{w.ben}} })},
		{attack{"an actor with a zone", "RFC 6874", "parseHTTP"}, 400, field("actor", constant("http://[fe80::1%25eth0]/users/ben"))},
		{attack{"an actor with a port of letters", iri, "parseHTTP"}, 400, field("actor", constant("http://127.0.0.1:port/users/ben"))},
		{attack{"an actor with a dot behind its host", iri, "normalHost"}, 400, field("actor", constant("http://shop.invalid./users/ben"))},
		{attack{"an id with a user name that looks like ben's host", "RFC 3986 7.6", "parseHTTP"}, 400, field("id", func(w *world) any {
			return "http://" + w.honest.host() + "@" + w.evil.host() + "/1"
		})},
		{attack{"ben's address in other digits", "CVE-2023-42451; UTS 46", "authenticate"}, 401, field("actor", func(w *world) any {
			return strings.Replace(w.ben, "127.0.0.1", "１２７.0.0.1", 1)
		})},
		{attack{"ben's address with a scheme in capitals", "RFC 3986 6.2.2.1; CVE-2023-42451", "authenticate"}, 401, field("actor", func(w *world) any {
			return strings.Replace(w.ben, "http://", "HTTP://", 1)
		})},
		{attack{"ben's address as one number", "CVE-2026-33693 (forms of IPv4)", "SameOrigin"}, 403, field("actor", func(w *world) any {
			return strings.Replace(w.ben, "127.0.0.1", "2130706433", 1)
		})},
		{attack{"ben's terms, meaning something else", "CVE-2022-24307; CVE-2026-46349 (a context that renames)", "headOf"}, 400, func(t *testing.T, w *world) *SignedRequest {
			a := w.hello()
			a["@context"] = []any{activityStreamsProfile, m{"sender": "as:actor"}}
			a["sender"] = a["actor"]
			delete(a, "actor")
			return w.from(t, encoded(t, a))
		}},
	}
}

func TestJSONGames(t *testing.T) {
	t.Parallel()
	w := attacked(t)
	w.refuse(t, jsonAttempts())
	// Odd, and harmless: accepted, applied, and the same words are kept.
	for i, members := range []string{
		`"x":1`, `"x":1e400`, `"x":-0.0E-10`, `"x":123456789012345678901234567890`, `"x":"\ud800"`, `"x":"\u0000"`, `"\u0000":1`, `"x":[[[[[[]]]]]]`, `"":""`,
		`"x":` + strings.Repeat("[", maxJSONDepth-2) + strings.Repeat("]", maxJSONDepth-2), `"__proto__":{"admin":true}`,
		`"@context":{"Link":"as:Link","link":"as:link"}`,
	} {
		path := fmt.Sprintf("/notes/odd%d", i)
		activity := w.honest.activity("Create", w.ben, "/activities"+path, w.honest.note(w.ben, path, "<p>Odd</p>"))
		delete(activity, "@context")
		text := string(encoded(t, activity))
		if status := w.receives(t, w.from(t, []byte("{"+members+","+text[1:]))); status != http.StatusAccepted {
			t.Errorf("%s: %d", members, status)
			continue
		}
		must(t, w.ApplyInbox(t.Context()))
		if p := w.post(t, w.honest.URL+path); p.HTML != "<p>Odd</p>" {
			t.Errorf("%s: %q", members, p.HTML)
		}
	}
}

// Texts that PostgreSQL cannot store, or that lie about their order, end up as something that it can, in every field.
func TestTextGames(t *testing.T) {
	t.Parallel()
	w := attacked(t)
	for i, text := range []string{"a\x00b", "a\ud7ff\ufffdb", "\u202eevil\u202c", "zero\u200bwidth", strings.Repeat("x", 20_000), strings.Repeat("é", 10_000), "\ufffe\uffff"} {
		path := fmt.Sprintf("/notes/text%d", i)
		note := w.honest.note(w.ben, path, "<p>"+text+"</p>")
		note["summary"], note["name"] = text, text
		note["contentMap"] = m{text: text, "en": "<p>" + text + "</p>"}
		note["tag"] = []any{m{"type": "Hashtag", "name": "#" + text, "href": w.honest.URL + "/tags/" + text}, m{"type": "Mention", "name": text, "href": text}}
		note["attachment"] = []any{m{"type": "Image", "url": w.honest.URL + "/1.png", "name": text, "mediaType": "image/" + text, "blurhash": text}}
		w.done(t, w.honest, w.honest.activity("Create", w.ben, "/activities"+path, note))
		actor := w.honest.actor(t, "ben")
		actor["name"], actor["summary"] = text, text
		actor["attachment"] = []any{m{"type": "PropertyValue", "name": text, "value": text}}
		actor["icon"] = m{"type": "Image", "url": w.honest.URL + "/i.png", "name": text}
		w.done(t, w.honest, w.honest.activity("Update", w.ben, "/updates"+path, actor))
		listing := w.honest.listing(w.ben, fmt.Sprintf("/listings/text%d", i), "Mug", "24.00")
		listing["publishes"].(m)["sdo:name"] = "Mug " + text
		listing["publishes"].(m)["sdo:description"], listing["publishes"].(m)["sdo:sku"], listing["publishes"].(m)["sdo:category"] = text, text, text
		w.done(t, w.honest, w.honest.activity("Create", w.ben, "/activities/listings"+path, listing))
	}
}
