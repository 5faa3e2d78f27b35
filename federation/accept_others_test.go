package federation

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

func pixelfedDemands() []demand {
	const helpers, inbox = "app/Util/ActivityPub/Helpers.php", "app/Util/ActivityPub/Inbox.php"
	return []demand{
		{"picture", "a Note, as one string", inbox, func(d m) bool { return d["type"] == "Note" }, put([]any{"Note"}, "type")},
		{"picture", "every attachment is a Document or Image of a type that is taken, at most 5000 pixels wide and high", helpers, func(d m) bool {
			return every(d, "attachment", func(a m) bool {
				side := func(key string) bool { v, found := a[key].(float64); return !found || v >= 1 && v <= 5000 }
				return oneOf("Document", "Image")(textAt(a, "type")) && hostAt(textAt(a, "url")) != "" && oneOf("image/jpeg", "image/png", "image/gif")(textAt(a, "mediaType")) &&
					side("width") && side("height")
			})
		}, firstOf("attachment", "", put(8000.0, "width"))},
		{"picture", "a blurhash, where there is one, of 6 to 164 characters", helpers, func(d m) bool {
			return every(d, "attachment", func(a m) bool {
				return a["blurhash"] == nil || len(textAt(a, "blurhash")) >= 6 && len(textAt(a, "blurhash")) <= 164
			})
		}, firstOf("attachment", "", put("", "blurhash"))},
		{"Create", "published, and an author in one string", helpers, func(d m) bool {
			return isDate(textAt(d, "published")) && hostAt(textAt(d, "object", "attributedTo")) != ""
		}, put(nil, "published")},
		{"fetched", "a context and a time", helpers, func(d m) bool { return d["@context"] != nil && isDate(textAt(d, "published")) }, put(nil, "@context")},
		{"fetched", "nested at most eight deep", helpers, func(d m) bool { return depth(d) <= 8 }, put(m{"a": m{"b": m{"c": m{"d": m{"e": m{"f": m{"g": m{"h": 1}}}}}}}}, "extra")},
		{"note", "to and cc are arrays", helpers, func(d m) bool { _, to := d["to"].([]any); _, cc := d["cc"].([]any); return to && cc }, put(publicAudience, "to")},
		{"actor", "an https id with a host that has a dot", helpers, func(d m) bool { return strings.Contains(hostAt(textAt(d, "id")), ".") }, put("https://localhost/users/anna", "id")},
	}
}

func depth(v any) int {
	deepest := 0
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			deepest = max(deepest, depth(e))
		}
	case m:
		for _, e := range v {
			deepest = max(deepest, depth(e))
		}
	default:
		return 0
	}
	return deepest + 1
}

func lemmyDemands() []demand {
	const note, page, person = "crates/apub/objects/src/protocol/note.rs", "crates/apub/objects/src/protocol/page.rs", "crates/apub/objects/src/protocol/person.rs"
	return []demand{
		{"reply", "a comment is a Note with one author, recipients, a text and what it answers", note, func(d m) bool {
			return d["type"] == "Note" && hostAt(textAt(d, "attributedTo")) != "" && len(texts(d, "to")) > 0 && textAt(d, "content") != "" && hostAt(textAt(d, "inReplyTo")) != ""
		}, put([]any{"https://shop.example/users/anna"}, "attributedTo")},
		{"note", "attachments are an array of Documents, Images and Links alone", page, func(d m) bool {
			return every(d, "attachment", func(a m) bool {
				return oneOf("Document", "Image")(textAt(a, "type")) && hostAt(textAt(a, "url")) != "" || a["type"] == "Link" && hostAt(textAt(a, "href")) != ""
			})
		}, appended("attachment", m{"type": "PropertyValue", "name": "price"})},
		{"note", "times are RFC 3339", note, func(d m) bool {
			return isDate(textAt(d, "published")) && (d["updated"] == nil || isDate(textAt(d, "updated")))
		}, put("2026-11-22", "published")},
		{"note", "tags are an array", note, func(d m) bool { _, isList := d["tag"].([]any); return isList }, put(m{"type": "Hashtag"}, "tag")},
		{"note", "sensitive is a truth value, context a string", page, func(d m) bool {
			_, isBool := d["sensitive"].(bool)
			return isBool && (d["context"] == nil || textAt(d, "context") != "")
		}, put(m{"type": "Collection"}, "context")},
		{"actor", "a Person, Service or Organization with an outbox and a key", person, func(d m) bool {
			return oneOf("Person", "Service", "Organization")(textAt(d, "type")) && hostAt(textAt(d, "outbox")) != "" && hostAt(textAt(d, "inbox")) != "" && textAt(d, "publicKey", "id") != "" &&
				textAt(d, "publicKey", "owner") != "" && textAt(d, "publicKey", "publicKeyPem") != ""
		}, put(nil, "outbox")},
		{"actor", "pictures are Images with an address", person, func(d m) bool {
			return d["icon"] == nil || textAt(d, "icon", "type") == "Image" && hostAt(textAt(d, "icon", "url")) != ""
		}, put(m{"url": "x"}, "icon")},
		{"Delete", "what is deleted is an id or has one", "crates/apub/activities/src/deletion/delete.rs", func(d m) bool { return textAt(d, "object") != "" || textAt(d, "object", "id") != "" }, put(m{}, "object")},
	}
}

func peerTubeDemands() []demand {
	const comment, actor, misc = "server/core/helpers/custom-validators/activitypub/video-comments.ts", "server/core/helpers/custom-validators/activitypub/actor.ts", "server/core/helpers/custom-validators/activitypub/misc.ts"
	valid := func(s string) bool { return hostAt(s) != "" && len(s) >= 3 && len(s) <= 2000 }
	return []demand{
		{"reply", "a comment is a Note with a text, a time, a page and what it answers", comment, func(d m) bool {
			return d["type"] == "Note" && valid(textAt(d, "id")) && textAt(d, "content") != "" && valid(textAt(d, "inReplyTo")) && isDate(textAt(d, "published")) && valid(textAt(d, "url"))
		}, put(nil, "content")},
		{"reply", "a comment is public, and to and cc are arrays", comment, func(d m) bool {
			_, cc := d["cc"].([]any)
			return cc && slices.Contains(append(texts(d, "to"), texts(d, "cc")...), publicAudience)
		}, func(d m) { d["to"], d["cc"] = []any{"https://b.example/users/bo"}, []any{} }},
		{"activity", "an activity has an id, an actor, and addresses that are addresses", misc, func(d m) bool {
			bad := func(s string) bool { return !valid(s) }
			return valid(textAt(d, "id")) && valid(textAt(d, "actor")) && !slices.ContainsFunc(texts(d, "to"), bad) && !slices.ContainsFunc(texts(d, "cc"), bad)
		}, put([]any{"as:Public"}, "to")},
		{"Undo", "what is taken back comes whole", "server/core/helpers/custom-validators/activitypub/activity.ts", func(d m) bool {
			return oneOf("Follow", "Like", "Dislike", "Announce", "Create")(textAt(d, "object", "type")) && valid(textAt(d, "object", "id")) && valid(textAt(d, "object", "actor"))
		}, put("https://shop.example/follows/1", "object")},
		{"actor", "a username of its alphabet", actor, func(d m) bool {
			return regexp.MustCompile(`^[A-Za-z0-9\-_.:]+$`).MatchString(textAt(d, "preferredUsername"))
		}, put("änna", "preferredUsername")},
		{"actor", "a key with id and owner, as PEM of up to 5000 characters", actor, func(d m) bool {
			pem := textAt(d, "publicKey", "publicKeyPem")
			return valid(textAt(d, "publicKey", "id")) && valid(textAt(d, "publicKey", "owner")) && strings.HasPrefix(pem, "-----BEGIN PUBLIC KEY-----") && strings.Contains(pem, "-----END PUBLIC KEY-----") && len(pem) <= 5000
		}, put("-----BEGIN RSA PUBLIC KEY-----", "publicKey", "publicKeyPem")},
		{"actor", "addresses of inbox, outbox, followers, following and shared inbox", actor, func(d m) bool {
			return valid(textAt(d, "inbox")) && valid(textAt(d, "outbox")) && valid(textAt(d, "followers")) && valid(textAt(d, "following")) && valid(textAt(d, "endpoints", "sharedInbox"))
		}, put(m{"id": "https://shop.example/inbox"}, "inbox")},
	}
}

func wordPressDemands() []demand {
	const create = "includes/handler/class-create.php"
	return []demand{
		{"reply", "a comment has an id, what it answers and a text", create, func(d m) bool { return d["id"] != nil && d["inReplyTo"] != nil && d["content"] != nil }, func(d m) { delete(d, "inReplyTo") }},
		{"public", "a comment is public", create, func(d m) bool { return slices.Contains(append(texts(d, "to"), texts(d, "cc")...), publicAudience) }, func(d m) { d["to"], d["cc"] = []any{}, []any{} }},
		{"activity", "an activity has an id, a type, an actor and an object", "includes/rest/class-inbox-controller.php", func(d m) bool {
			return textAt(d, "id") != "" && textAt(d, "type") != "" && textAt(d, "actor") != "" && d["object"] != nil
		}, put(nil, "object")},
		{"actor", "a name to show, an inbox and a page", "includes/collection/class-remote-actors.php", func(d m) bool {
			return textAt(d, "preferredUsername") != "" && hostAt(textAt(d, "inbox")) != "" && hostAt(textAt(d, "url")) != ""
		}, put(nil, "inbox")},
	}
}

func mitraDemands() []demand {
	const note = "mitra_activitypub/src/handlers/note.rs"
	return []demand{
		{"note", "one author, of the id's origin", note, func(d m) bool { return sameHost(textAt(d, "attributedTo"), textAt(d, "id")) }, put("https://b.example/users/bo", "attributedTo")},
		{"note", "the type is a string, the object no actor", note, func(d m) bool { return textAt(d, "type") != "" && d["inbox"] == nil }, put("https://shop.example/inbox", "inbox")},
		{"note", "the language is that whose text is the content", note, func(d m) bool {
			texts, _ := d["contentMap"].(m)
			for _, text := range texts {
				if text == d["content"] {
					return true
				}
			}
			return len(texts) == 0
		}, put(m{"de": "another"}, "contentMap")},
		{"note", "attachments have a type that is known and one address", note, func(d m) bool {
			return every(d, "attachment", func(a m) bool {
				return oneOf("Audio", "Document", "Image", "Video")(textAt(a, "type")) && hostAt(textAt(a, "url")) != ""
			})
		}, appended("attachment", m{"type": "Note"})},
		{"note", "published is a time with a zone", note, func(d m) bool { return isDate(textAt(d, "published")) }, put("2026-11-22T09:00:00", "published")},
		{"actor", "id, type, username, inbox and outbox", "mitra_activitypub/src/actors/handlers.rs", func(d m) bool {
			return textAt(d, "type") != "" && textAt(d, "preferredUsername") != "" && sameHost(textAt(d, "inbox"), textAt(d, "id")) && sameHost(textAt(d, "outbox"), textAt(d, "id"))
		}, put("https://b.example/inbox", "inbox")},
		{"Delete", "the id of what is deleted", "mitra_activitypub/src/handlers/delete.rs", func(d m) bool { return sameHost(textAt(d, "object", "id"), textAt(d, "actor")) }, put(nil, "object", "id")},
	}
}

// flohmarkt takes things for sale of its own form only; what it takes of others are messages.
func flohmarktDemands() []demand {
	const routes = "flohmarkt/routes/activitypub.py"
	return []demand{
		{"Create", "the object is a Note", routes, func(d m) bool { return textAt(d, "object", "type") == "Note" }, put("Page", "object", "type")},
		{"reply", "a message has an author, a text and what it is about", routes, func(d m) bool {
			return textAt(d, "attributedTo") != "" && textAt(d, "content") != "" && textAt(d, "inReplyTo") != ""
		}, put(nil, "inReplyTo")},
		{"Follow", "a follow has an id, an actor and an object", routes, func(d m) bool { return textAt(d, "id") != "" && textAt(d, "actor") != "" && textAt(d, "object") != "" }, put(nil, "actor")},
	}
}

func bookWyrmDemands() []demand {
	const base, note, person = "bookwyrm/activitypub/base_activity.py", "bookwyrm/activitypub/note.py", "bookwyrm/activitypub/person.py"
	return []demand{
		{"note", "a Note; Articles and Questions are not read", base, func(d m) bool { return d["type"] == "Note" }, put("Article", "type")},
		{"note", "id, published and attributedTo", note, func(d m) bool {
			return textAt(d, "id") != "" && textAt(d, "published") != "" && textAt(d, "attributedTo") != ""
		}, put(nil, "published")},
		{"note", "tags have an href", base, func(d m) bool {
			return every(d, "tag", func(o m) bool { return textAt(o, "href") != "" })
		}, appended("tag", m{"type": "Emoji", "name": ":x:"})},
		{"note", "attachments have an address", "bookwyrm/activitypub/image.py", func(d m) bool {
			return every(d, "attachment", func(a m) bool { return textAt(a, "url") != "" })
		}, appended("attachment", m{"type": "Link"})},
		{"actor", "a Person with username, inbox and a whole key", person, func(d m) bool {
			return d["type"] == "Person" && textAt(d, "preferredUsername") != "" && textAt(d, "inbox") != "" && textAt(d, "publicKey", "id") != "" && textAt(d, "publicKey", "owner") != "" &&
				textAt(d, "publicKey", "publicKeyPem") != ""
		}, put("Organization", "type")},
		{"actor", "a portrait is an Image with an address", person, func(d m) bool { return d["icon"] == nil || textAt(d, "icon", "url") != "" }, put(m{"type": "Image"}, "icon")},
		{"Announce", "a boost is of one id", "bookwyrm/activitypub/verbs.py", func(d m) bool {
			return textAt(d, "object") != "" && textAt(d, "actor") != "" && textAt(d, "published") != ""
		}, put(nil, "published")},
	}
}

// friendicaDemands look at a document as Friendica does: expanded, never at the plain keys.
func friendicaDemands() []demand {
	const receiver = "src/Protocol/ActivityPub/Receiver.php"
	const as = "https://www.w3.org/ns/activitystreams#"
	known := contexts{}
	reads := func(d m, terms ...string) bool {
		out, err := known.expanded(d)
		if err != nil {
			return false
		}
		list, _ := out.([]any)
		if len(list) != 1 {
			return false
		}
		top, _ := list[0].(m)
		for _, term := range terms {
			if v, _ := top[as+term].([]any); len(v) == 0 {
				return false
			}
		}
		return true
	}
	says := func(d m, text string) bool {
		out, err := known.expanded(d)
		if err != nil {
			return false
		}
		body, err := json.Marshal(out)
		return err == nil && strings.Contains(string(body), text)
	}
	return []demand{
		{"fetched", "author, text, time and recipients are found after expansion", receiver, func(d m) bool { return reads(d, "attributedTo", "content", "published", "to") }, put([]any{}, "@context")},
		{"fetched", "the type is as:Note", receiver, func(d m) bool { return says(d, `"`+as+`Note"`) }, put("Proposal", "type")},
		{"activity", "actor and object are found after expansion", receiver, func(d m) bool { return reads(d, "actor", "object") }, put(nil, "actor")},
		{"Delete", "the object is an as:Tombstone", receiver, func(d m) bool { return says(d, `"`+as+`Tombstone"`) }, put("Note", "object", "type")},
		{"Accept", "the object is an as:Follow", receiver, func(d m) bool { return says(d, `"`+as+`Follow"`) }, put("Like", "object", "type")},
		{"actor", "inbox and key are found after expansion", "src/Model/APContact.php", func(d m) bool {
			return d["@context"] == nil || says(d, `"http://www.w3.org/ns/ldp#inbox"`) && says(d, `"https://w3id.org/security#publicKeyPem"`)
		}, func(d m) { d["@context"] = "https://www.w3.org/ns/activitystreams" }},
	}
}
