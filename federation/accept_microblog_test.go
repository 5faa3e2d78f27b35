package federation

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html"
)

func mastodonDemands() []demand {
	const activity, create, parser, account = "app/lib/activitypub/activity.rb", "app/lib/activitypub/activity/create.rb", "app/lib/activitypub/parser/status_parser.rb", "app/services/activitypub/process_account_service.rb"
	return []demand{
		{"note", "the type is Note or Question; of other types the text is lost", activity, func(d m) bool { return oneOf("Note", "Question")(textAt(d, "type")) }, put("Article", "type")},
		{"note", "the id is of the author's host", create, func(d m) bool { return sameHost(textAt(d, "id"), textAt(d, "attributedTo")) }, put("https://cdn.example/1", "id")},
		{"note", "the page is of the author's host, or the id stands for it", parser, func(d m) bool { return sameHost(textAt(d, "url"), textAt(d, "id")) }, put("https://other.example/1", "url")},
		{"note", "a text", parser, func(d m) bool { return textAt(d, "content") != "" }, put("", "content")},
		{"note", "one language, and the text is of it", parser, func(d m) bool {
			texts, found := d["contentMap"].(m)
			if !found {
				return d["contentMap"] == nil
			}
			for _, text := range texts {
				return len(texts) == 1 && text == d["content"]
			}
			return false
		}, put(m{"de": "x", "en": "y"}, "contentMap")},
		{"note", "a time of publication", parser, func(d m) bool { return isDate(textAt(d, "published")) }, put("now", "published")},
		{"public", "Public stands in to or cc, or it is a private message", parser, func(d m) bool { return slices.Contains(texts(d, "to"), publicAudience) }, put([]any{"https://shop.example/users/anna/followers"}, "to")},
		{"listing", "no summary, which would hide the text", parser, func(d m) bool { return d["summary"] == nil }, put("For sale", "summary")},
		{"note", "attachments have an address, and no href, which makes a link card of them", create, func(d m) bool {
			return every(d, "attachment", func(a m) bool { return hostAt(textAt(a, "url")) != "" && a["href"] == nil })
		}, appended("attachment", m{"type": "Link", "href": "https://shop.example/x"})},
		{"picture", "attachments have a type that is shown", "app/models/media_attachment.rb", func(d m) bool {
			return every(d, "attachment", func(a m) bool {
				return oneOf("image/jpeg", "image/png", "image/gif", "image/webp", "image/avif", "image/heic")(textAt(a, "mediaType"))
			})
		}, firstOf("attachment", "", put("application/pdf", "mediaType"))},
		{"note", "the text uses only elements and classes that are kept", "lib/sanitize_ext/sanitize_config.rb", func(d m) bool { return keptByMastodon(textAt(d, "content")) }, put("<h1>x</h1>", "content")},
		{"mention", "mentions name an actor", create, func(d m) bool {
			return every(d, "tag", func(o m) bool { return o["type"] != "Mention" || hostAt(textAt(o, "href")) != "" })
		}, firstOf("tag", "Mention", put(nil, "href"))},
		{"hashtag", "hashtags have a name that is one", "app/models/tag.rb", func(d m) bool {
			return every(d, "tag", func(o m) bool {
				return o["type"] != "Hashtag" || regexp.MustCompile(`^#[\p{L}\p{M}\p{N}_·]*[\p{L}\p{M}_·][\p{L}\p{M}\p{N}_·]*$`).MatchString(textAt(o, "name"))
			})
		}, firstOf("tag", "Hashtag", put("#blue mug", "name"))},
		{"note", "who may quote is said; else nobody may", "app/lib/activitypub/parser/interaction_policy_parser.rb", func(d m) bool {
			public := slices.Contains(texts(d, "to"), publicAudience) || slices.Contains(texts(d, "cc"), publicAudience)
			policy, _ := d["interactionPolicy"].(m)
			quote, _ := policy["canQuote"].(m)
			return public == slices.Contains(texts(quote, "automaticApproval"), publicAudience)
		}, func(d m) {
			if d["interactionPolicy"] == nil {
				d["interactionPolicy"] = m{"canQuote": m{"automaticApproval": []any{publicAudience}}}
			} else {
				d["interactionPolicy"] = nil
			}
		}},
		{"Update", "an edit is later than the post, or only polls are counted", "app/services/activitypub/process_status_update_service.rb", func(d m) bool {
			o, _ := d["object"].(m)
			return textAt(o, "updated") > textAt(o, "published")
		}, put(nil, "object", "updated")},
		{"activity", "the activity is of its actor's host", activity, func(d m) bool { return sameHost(textAt(d, "id"), textAt(d, "actor")) }, put("https://other.example/1", "id")},
		{"Delete", "the object is an id or has one", "app/lib/activitypub/activity/delete.rb", func(d m) bool { return textAt(d, "object") != "" || textAt(d, "object", "id") != "" }, put(m{"type": "Tombstone"}, "object")},
		{"Announce", "a boost says to whom; a private one is nobody's", "app/lib/activitypub/activity/announce.rb", func(d m) bool {
			return slices.Contains(append(texts(d, "to"), texts(d, "cc")...), publicAudience) && textAt(d, "object") != ""
		}, func(d m) { d["to"], d["cc"] = []any{}, []any{} }},
		{"Accept", "the follow is named with its actor", "app/lib/activitypub/activity/accept.rb", func(d m) bool { return textAt(d, "object", "id") != "" && textAt(d, "object", "actor") != "" }, put(nil, "object", "id")},
		{"actor", "an inbox, an https id and a key", account, func(d m) bool {
			return textAt(d, "inbox") != "" && hostAt(textAt(d, "id")) != "" && strings.HasPrefix(textAt(d, "publicKey", "publicKeyPem"), "-----BEGIN PUBLIC KEY-----")
		}, put("", "inbox")},
		{"actor", "a name that can stand in a handle", "app/models/account.rb", func(d m) bool {
			return regexp.MustCompile(`^[a-zA-Z0-9_]+([.-]+[a-zA-Z0-9_]+)*$`).MatchString(textAt(d, "preferredUsername"))
		}, put("Anna Müller", "preferredUsername")},
		{"actor", "the page is of the actor's host", account, func(d m) bool { return sameHost(textAt(d, "url"), textAt(d, "id")) }, put("https://other.example/@anna", "url")},
		{"actor", "rows of the profile are PropertyValues in an array", account, func(d m) bool {
			return every(d, "attachment", func(o m) bool {
				return o["type"] == "PropertyValue" && textAt(o, "name") != "" && textAt(o, "value") != ""
			})
		}, appended("attachment", m{"type": "PropertyValue", "name": "x"})},
		{"actor", "a portrait has an address", account, func(d m) bool { return d["icon"] == nil || hostAt(textAt(d, "icon", "url")) != "" }, put(m{"type": "Image"}, "icon")},
	}
}

// keptByMastodon reports whether an HTML text has only what Mastodon's strict rules keep as it is.
func keptByMastodon(text string) bool {
	elements := oneOf("p", "br", "span", "a", "del", "s", "pre", "blockquote", "code", "b", "strong", "u", "i", "em", "ul", "ol", "li", "ruby", "rt", "rp")
	classes := regexp.MustCompile(`^(?:(?:[hpue]|dt)-[a-z-]+|mention|hashtag|ellipsis|invisible|quote-inline)$`)
	tokens := html.NewTokenizer(strings.NewReader(text))
	for {
		switch tokens.Next() {
		case html.ErrorToken:
			return true
		case html.StartTagToken, html.SelfClosingTagToken:
			tag := tokens.Token()
			if !elements(tag.Data) {
				return false
			}
			for _, a := range tag.Attr {
				switch {
				case a.Key == "class":
					if slices.ContainsFunc(strings.Fields(a.Val), func(c string) bool { return !classes.MatchString(c) }) {
						return false
					}
				case a.Key == "href":
					if !strings.HasPrefix(a.Val, "https://") && !strings.HasPrefix(a.Val, "http://") {
						return false
					}
				case !oneOf("rel", "translate", "start", "reversed", "value")(a.Key):
					return false
				}
			}
		}
	}
}

func goToSocialDemands() []demand {
	const status, interfaces = "internal/typeutils/astointernal.go", "internal/ap/interfaces.go"
	return []demand{
		{"note", "the type is one string of those that are statuses", interfaces, func(d m) bool {
			return oneOf("Article", "Document", "Image", "Video", "Note", "Page", "Event", "Place", "Profile", "Question")(textAt(d, "type"))
		}, put("Proposal", "type")},
		{"note", "no name: it becomes the content warning", status, func(d m) bool { return d["name"] == nil }, put("Blue mug", "name")},
		{"note", "a text: a note without one is a vote", interfaces, func(d m) bool { return textAt(d, "content") != "" }, put(nil, "content")},
		{"note", "addressed to somebody", "internal/ap/extract.go", func(d m) bool { return len(texts(d, "to"))+len(texts(d, "cc")) > 0 }, func(d m) { d["to"], d["cc"] = []any{}, []any{} }},
		{"edited", "no edit before the post", status, func(d m) bool { return textAt(d, "updated") >= textAt(d, "published") }, put("2020-01-01T00:00:00Z", "updated")},
		{"note", "id and page are of one host", "internal/federation/dereferencing/status.go", func(d m) bool { return sameHost(textAt(d, "id"), textAt(d, "url")) }, put("https://pages.example/1", "url")},
		{"note", "one author", status, func(d m) bool { return hostAt(textAt(d, "attributedTo")) != "" }, put([]any{}, "attributedTo")},
		{"note", "one language: of several any is taken", "internal/typeutils/util.go", func(d m) bool { texts, _ := d["contentMap"].(m); return len(texts) <= 1 }, put(m{"de": "x", "en": "y"}, "contentMap")},
		{"picture", "pictures have an address, a media type, and a description where it is read", "internal/ap/extract.go", func(d m) bool {
			return every(d, "attachment", func(a m) bool {
				return hostAt(textAt(a, "url")) != "" && textAt(a, "mediaType") != "" && textAt(a, "name") == textAt(a, "summary")
			})
		}, firstOf("attachment", "", put("only the name", "name"))},
		{"mention", "mentions have an id and a name with a host", "internal/ap/extract.go", func(d m) bool {
			return every(d, "tag", func(o m) bool {
				return o["type"] != "Mention" || hostAt(textAt(o, "href")) != "" && regexp.MustCompile(`^@[^@]+@[^@]+$`).MatchString(textAt(o, "name"))
			})
		}, firstOf("tag", "Mention", put("@bo", "name"))},
		{"activity", "one actor, and an id of its host", "internal/federation/federatingdb/util.go", func(d m) bool { return sameHost(textAt(d, "id"), textAt(d, "actor")) }, put("", "actor")},
		{"Create", "the object is the actor's", "internal/federation/federatingdb/create.go", func(d m) bool { return textAt(d, "actor") == textAt(d, "object", "attributedTo") }, put("https://shop.example/users/cy", "object", "attributedTo")},
		{"profile", "an actor updates itself", "internal/federation/federatingdb/update.go", func(d m) bool { return textAt(d, "actor") == textAt(d, "object", "id") }, put("https://shop.example/users/cy", "object", "id")},
		{"actor", "a type of actors", status, func(d m) bool {
			return oneOf("Person", "Group", "Organization", "Application", "Service")(textAt(d, "type"))
		}, put("Shop", "type")},
		{"actor", "a username", status, func(d m) bool { return textAt(d, "preferredUsername") != "" }, put(nil, "preferredUsername")},
		{"actor", "the key says whose it is", status, func(d m) bool {
			return textAt(d, "publicKey", "owner") == textAt(d, "id") && textAt(d, "publicKey", "id") != ""
		}, put("https://shop.example/users/cy", "publicKey", "owner")},
		{"actor", "shared inbox and featured are of the actor's host", status, func(d m) bool {
			return sameHost(textAt(d, "endpoints", "sharedInbox"), textAt(d, "id")) && sameHost(textAt(d, "featured"), textAt(d, "id"))
		}, put("https://inbox.example/", "endpoints", "sharedInbox")},
	}
}

func misskeyDemands() []demand {
	const note, person, image = "packages/backend/src/core/activitypub/models/ApNoteService.ts", "packages/backend/src/core/activitypub/models/ApPersonService.ts", "packages/backend/src/core/activitypub/models/ApImageService.ts"
	return []demand{
		{"note", "the first type is one of posts", "packages/backend/src/core/activitypub/type.ts", func(d m) bool {
			return oneOf("Note", "Question", "Article", "Audio", "Document", "Image", "Page", "Video", "Event")(textAt(d, "type"))
		}, put([]any{"Product", "Note"}, "type")},
		{"note", "an https id of the author's host", note, func(d m) bool { return sameHost(textAt(d, "id"), textAt(d, "attributedTo")) }, put("http://shop.example/posts/1", "id")},
		{"note", "an https page of the same host", note, func(d m) bool { return sameHost(textAt(d, "url"), textAt(d, "id")) }, put("http://shop.example/x", "url")},
		{"note", "every attachment has an https address in one string, or the whole note is lost", image, func(d m) bool {
			return every(d, "attachment", func(a m) bool { return hostAt(textAt(a, "url")) != "" })
		}, appended("attachment", m{"type": "Link", "href": "https://shop.example/x"})},
		{"note", "the text is a string", note, func(d m) bool { return textAt(d, "content") != "" }, put(m{"en": "x"}, "content")},
		{"note", "no warning that is empty", note, func(d m) bool { return d["summary"] == nil || textAt(d, "summary") != "" }, put("", "summary")},
		{"reply", "what is answered is an https id", note, func(d m) bool { return hostAt(textAt(d, "inReplyTo")) != "" }, put("x", "inReplyTo")},
		{"mention", "mentions have an href", "packages/backend/src/core/activitypub/models/ApMentionService.ts", func(d m) bool {
			return every(d, "tag", func(o m) bool { return o["type"] != "Mention" || textAt(o, "href") != "" })
		}, firstOf("tag", "Mention", put(m{}, "href"))},
		{"hashtag", "hashtags have a name", "packages/backend/src/core/activitypub/models/tag.ts", func(d m) bool {
			return every(d, "tag", func(o m) bool { return o["type"] != "Hashtag" || strings.HasPrefix(textAt(o, "name"), "#") })
		}, firstOf("tag", "Hashtag", put(nil, "name"))},
		{"Delete", "the object says that it is a Tombstone, and of what", "packages/backend/src/core/activitypub/ApInboxService.ts", func(d m) bool {
			return textAt(d, "object", "id") != "" && textAt(d, "object", "type") == "Tombstone" && textAt(d, "object", "formerType") == "Note"
		}, put("", "object", "id")},
		{"Announce", "a boost is of an id, and public", "packages/backend/src/core/activitypub/ApInboxService.ts", func(d m) bool {
			return hostAt(textAt(d, "object")) != "" && slices.Contains(append(texts(d, "to"), texts(d, "cc")...), publicAudience)
		}, put(nil, "object")},
		{"Accept", "the follow comes whole", "packages/backend/src/core/activitypub/ApInboxService.ts", func(d m) bool { return textAt(d, "object", "type") == "Follow" && textAt(d, "object", "actor") != "" }, put("Like", "object", "type")},
		{"Follow", "the follow has an id", "packages/backend/src/core/activitypub/ApInboxService.ts", func(d m) bool { return textAt(d, "id") != "" }, put("", "id")},
		{"actor", "a username of word characters, 128 at most", person, func(d m) bool {
			name := textAt(d, "preferredUsername")
			return len(name) <= 128 && regexp.MustCompile(`^\w([\w.-]*\w)?$`).MatchString(name)
		}, put("-anna-", "preferredUsername")},
		{"actor", "name and summary are strings, not too long to be shown whole", person, func(d m) bool {
			name, named := d["name"].(string)
			summary, summed := d["summary"].(string)
			return named && summed && utf8.RuneCountInString(name) <= 128 && utf8.RuneCountInString(summary) <= 2048
		}, put(strings.Repeat("x", 129), "name")},
		{"actor", "inbox, outbox, collections and key are of the actor's host", person, func(d m) bool {
			for _, address := range []string{textAt(d, "inbox"), textAt(d, "outbox"), textAt(d, "followers"), textAt(d, "following"), textAt(d, "featured"), textAt(d, "endpoints", "sharedInbox"),
				textAt(d, "publicKey", "id"), textAt(d, "url")} {
				if !sameHost(address, textAt(d, "id")) {
					return false
				}
			}
			return true
		}, put("https://keys.example/anna", "publicKey", "id")},
	}
}

func sharkeyDemands() []demand {
	const note = "packages/backend/src/core/activitypub/models/ApNoteService.ts"
	return []demand{
		{"Update", "an edit is of a note at the author's host, and says when", note, func(d m) bool {
			return sameHost(textAt(d, "object", "id"), textAt(d, "actor")) && isDate(textAt(d, "object", "updated"))
		}, put(nil, "object", "updated")},
		{"note", "id and author are of one host", "packages/backend/src/core/activitypub/misc/check-against-url.ts", func(d m) bool { return sameHost(textAt(d, "id"), textAt(d, "attributedTo")) }, put("https://sub.shop.example/1", "id")},
		{"note", "an https page, as a string", note, func(d m) bool { return hostAt(textAt(d, "url")) != "" }, put([]any{m{"href": 1}}, "url")},
	}
}

func pleromaDemands() []demand {
	const page, attachment, tag, create = "object_validators/article_note_page_validator.ex", "object_validators/attachment_validator.ex", "object_validators/tag_validator.ex", "object_validators/create_generic_validator.ex"
	return []demand{
		{"note", "Note, Article or Page", page, func(d m) bool { return oneOf("Article", "Note", "Page")(textAt(d, "type")) }, put("Proposal", "type")},
		{"note", "an id of the author's host", page, func(d m) bool { return sameHost(textAt(d, "id"), textAt(d, "attributedTo")) }, put("https://x.example/1", "id")},
		{"note", "to or cc", page, func(d m) bool { return len(texts(d, "to"))+len(texts(d, "cc")) > 0 }, func(d m) { d["to"], d["cc"] = nil, nil }},
		{"note", "attachments are Documents, Audio, Images or Videos with an address", attachment, func(d m) bool {
			return every(d, "attachment", func(a m) bool {
				return oneOf("Document", "Audio", "Image", "Video")(textAt(a, "type")) && hostAt(textAt(a, "url")) != "" && strings.Contains(textAt(a, "mediaType"), "/")
			})
		}, appended("attachment", m{"type": "Link", "href": "https://shop.example/x"})},
		{"mention", "a mention without an href takes the post with it", tag, func(d m) bool {
			return every(d, "tag", func(o m) bool { return o["type"] != "Mention" || textAt(o, "href") != "" })
		}, firstOf("tag", "Mention", put(nil, "href"))},
		{"note", "no Link among the tags: it is refused, or taken for a quote", tag, func(d m) bool {
			return every(d, "tag", func(o m) bool { return o["type"] != "Link" })
		}, appended("tag", m{"type": "Link", "href": "https://shop.example/proposal", "mediaType": "application/activity+json"})},
		{"hashtag", "hashtags have a name", tag, func(d m) bool {
			return every(d, "tag", func(o m) bool { return o["type"] != "Hashtag" || textAt(o, "name") != "" })
		}, firstOf("tag", "Hashtag", put("", "name"))},
		{"note", "texts are strings", page, func(d m) bool {
			for _, key := range []string{"content", "summary", "name"} {
				if v, found := d[key]; found && v != nil && textAt(d, key) == "" {
					return false
				}
			}
			return true
		}, put(7, "summary")},
		{"Create", "actor and author are one", create, func(d m) bool { return textAt(d, "actor") == textAt(d, "object", "attributedTo") }, put("https://shop.example/users/cy", "actor")},
		{"Create", "activity and object have the same addresses", create, func(d m) bool {
			o, _ := d["object"].(m)
			return slices.Equal(texts(d, "to"), texts(o, "to")) && slices.Equal(texts(d, "cc"), texts(o, "cc"))
		}, put([]any{"https://b.example/users/bo"}, "to")},
		{"Like", "a like says to whom it is", "object_validators/like_validator.ex", func(d m) bool { return textAt(d, "object") != "" && len(texts(d, "to")) > 0 }, put(nil, "to")},
		{"Announce", "a boost has actor, object, to and cc", "object_validators/announce_validator.ex", func(d m) bool {
			return textAt(d, "actor") != "" && textAt(d, "object") != "" && len(texts(d, "to")) > 0 && len(texts(d, "cc")) > 0
		}, put(nil, "cc")},
		{"Delete", "a deletion has to and cc, and its object an id of the host", "object_validators/delete_validator.ex", func(d m) bool {
			return len(texts(d, "to"))+len(texts(d, "cc")) > 0 && sameHost(textAt(d, "object", "id"), textAt(d, "actor"))
		}, put("https://x.example/1", "object", "id")},
	}
}

func akkomaDemands() []demand {
	return []demand{
		{"note", "the type is one string", "transmogrifier.ex", func(d m) bool {
			return oneOf("Question", "Answer", "Audio", "Video", "Event", "Article", "Note", "Page")(textAt(d, "type"))
		}, put([]any{"Note", "Product"}, "type")},
		{"note", "no link attached: it is shown as a broken file", "transmogrifier.ex", func(d m) bool {
			return every(d, "attachment", func(a m) bool { return a["href"] == nil })
		}, appended("attachment", m{"type": "Link", "href": "https://shop.example/x"})},
		{"actor", "a username, an inbox and a key", "user.ex", func(d m) bool {
			return textAt(d, "preferredUsername") != "" && textAt(d, "inbox") != "" && textAt(d, "publicKey", "publicKeyPem") != ""
		}, put(nil, "publicKey")},
	}
}
