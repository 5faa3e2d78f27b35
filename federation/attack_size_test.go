package federation

import (
	"fmt"
	"strings"
	"testing"
)

// Whatever property of what is sent is as long as an activity can be, what is kept of it is bounded: texts by what a post may
// hold, everything else by what an address may (GHSA-gg8q-rcg7-p79g: missing limits on federated properties).
func TestPropertiesAreBounded(t *testing.T) {
	t.Parallel()
	w := attacked(t)
	long := strings.Repeat("长mug ", 12_000)[:60_000]
	joined := strings.Repeat("m", 150_000)
	address := w.honest.URL + "/" + joined
	note := func(key string, value any) m {
		w.actors++
		return with(w.honest.note(w.ben, fmt.Sprintf("/notes/long%d", w.actors), "<p>Long</p>"), key, value)
	}
	actor := func(key string, value any) m { return with(w.honest.actor(t, "ben"), key, value) }
	image := func(key string, value any) m {
		return note("attachment", []any{with(m{"type": "Image", "mediaType": "image/png", "url": w.honest.URL + "/p.png"}, key, value)})
	}
	sent := map[string]m{
		"content": note("content", long), "summary": note("summary", long), "name": with(note("name", long), "type", "Article"), "url": note("url", address),
		"language": note("contentMap", m{joined: "x"}), "hashtag": note("tag", []any{m{"type": "Hashtag", "name": "#" + joined}}),
		"hashtag's address": note("tag", []any{m{"type": "Hashtag", "href": address}}), "mention": note("tag", []any{m{"type": "Mention", "href": address, "name": "@x"}}),
		"parent": note("inReplyTo", address), "type": with(note("attributedTo", w.ben), "type", []any{"Note", joined}), "conversation": note("conversation", joined),
		"poll":        with(with(note("oneOf", []any{m{"type": "Note", "name": long}, m{"type": "Note", "name": "b"}}), "type", "Question"), "endTime", joined),
		"description": image("name", long), "media type": image("mediaType", "image/"+joined), "blurhash": image("blurhash", joined), "picture": image("url", address),
		"size": image("width", 1e300), "focus": image("focalPoint", []any{1e300, -1e300}),
		"title":    with(w.honest.listing(w.ben, "/listings/long", long, "24.00"), "name", long),
		"category": with(w.honest.listing(w.ben, "/listings/long2", "x", "24.00"), "sdo:category", joined),
		"price":    w.honest.listing(w.ben, "/listings/long3", "x", strings.Repeat("9", 1000)),
		"handle":   actor("preferredUsername", joined), "display name": actor("name", long), "bio": actor("summary", long), "page": actor("url", address), "face": actor("icon", m{"type": "Image", "url": address}),
		"fields": actor("attachment", many(100, m{"type": "PropertyValue", "name": long[:1000], "value": long[:1000]})),
		"field":  actor("attachment", []any{m{"type": "PropertyValue", "name": long[:30_000], "value": long[:30_000]}}),
		"alias":  actor("alsoKnownAs", []any{address}), "successor": actor("movedTo", address), "inbox": actor("inbox", w.ben+"/"+joined), "shared inbox": actor("endpoints", m{"sharedInbox": address}),
		"key": actor("publicKey", m{"id": w.ben + "#main-key", "owner": w.ben, "publicKeyPem": joined}), "kind": actor("type", []any{"Person", joined}),
	}
	for name, o := range sent {
		kind := "Create"
		if o["id"] == w.ben {
			kind = "Update"
		}
		w.actors++
		w.deliver(t, w.honest, w.honest.activity(kind, w.ben, fmt.Sprintf("/long/%d", w.actors), o))
		_ = name
	}
	w.deliver(t, w.honest, with(w.honest.activity("Flag", w.ben, "/long/flag", w.anna.URI), "content", long))
	w.deliver(t, w.honest, with(w.honest.activity("QuoteRequest", w.ben, "/long/quote", w.annaPost.URI), "instrument", address))
	var columns [][2]string
	rows, err := w.pool.Query(t.Context(), `select table_name, column_name from information_schema.columns where table_schema = 'public' and data_type in ('text', 'jsonb', 'ARRAY', 'json')
		and table_name not like 'river%' and table_name not in ('goose_db_version', 'inbox') order by 1, 2`)
	must(t, err)
	for rows.Next() {
		var c [2]string
		must(t, rows.Scan(&c[0], &c[1]))
		columns = append(columns, c)
	}
	must(t, rows.Err())
	for _, c := range columns {
		most := 5_000
		switch c[1] {
		case "html", "source", "bio", "body", "description": // what is read
			most = 100_000
		}
		if n := w.count(t, `select coalesce(max(octet_length(`+c[1]+`::text)), 0) from `+c[0]); n > most {
			t.Errorf("%s.%s holds %d bytes", c[0], c[1], n)
		}
	}
	if kept := w.count(t, `select count(*) from posts p join accounts a on a.id = p.account_id where a.uri = $1 and p.uri like '%/notes/long%'`, w.ben); kept < 10 {
		t.Errorf("%d of the notes were kept", kept)
	}
}
