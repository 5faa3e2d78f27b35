package federation

import (
	"slices"
	"strings"
	"time"

	"github.com/go-fed/activity/pub"

	"souk"
)

// maxMarkdown is how many characters of a Markdown text are rendered: the time grows with the square for texts made to
// be slow, and this many cost a tenth of a second at worst.
const maxMarkdown = 8 << 10

// postTypes are shown with their text as it is; titledTypes have a title and a page, which come with it (FEP-b2b8).
// bookTypes are BookWyrm's, as it sends them to its own kind and answers requests.
var (
	postTypes   = [...]string{"Note", "Question", "ChatMessage"}
	titledTypes = [...]string{"Article", "Page", "Video", "Audio", "Event", "Image", "Document", "Album", "Place", "Object", "Proposal"}
	bookTypes   = [...]string{"Review", "Comment", "Quotation", "Rating"}
	// neverPosts have a content now and then, and are something else.
	neverPosts = [...]string{"Tombstone", "Collection", "OrderedCollection", "CollectionPage", "OrderedCollectionPage", "Link", "Mention", "Hashtag",
		"Create", "Update", "Delete", "Announce", "Like", "Follow", "Accept", "Reject", "Undo", "Block", "Flag", "Move", "Add", "Remove", "Offer"}
)

// isPost reports whether an object can be shown as a post. Types that nobody here knows pass where they have an author
// and a text: a fallback that costs nothing and keeps conversations whole.
func (o object) isPost() bool {
	if o.is(postTypes[:]...) || o.is(titledTypes[:]...) || o.is(bookTypes[:]...) {
		return true
	}
	text, _ := o.localised("content")
	return !o.is(neverPosts[:]...) && !o.isActor() && len(o.types()) > 0 && text != "" && o.id("attributedTo") != ""
}

// isVote reports whether a Note is a vote in a poll: a name and no text. (No poll is held here.)
func (o object) isVote() bool {
	text, _ := o.localised("content")
	return o.is("Note") && text == "" && o.text("name") != "" && len(o.values("attachment")) == 0
}

// decoder reads objects of other nodes for this one.
type decoder struct {
	base         string // scheme://domain of this node
	handleDomain string
	now          time.Time
}

func (f *Federation) decoder() decoder {
	return decoder{base: f.db.BaseURL(), handleDomain: f.db.HandleDomain(), now: f.db.Now()}
}

// post reads a post by the author, whose id the caller has compared with attributedTo. Texts are as they came; souk
// makes them safe.
func (d decoder) post(o object, author *souk.Account) (*souk.RemotePost, error) {
	id := o.self()
	if !validIRI(id) {
		return nil, malformed("post with the id %.200q", id)
	}
	if !o.isPost() {
		return nil, malformed("%.50q is not a post", o.kind())
	}
	r := &souk.RemotePost{URI: id, URL: o.page(), Author: author, Sensitive: o.yes("sensitive"), Visibility: o.visibility(author), InTimeline: true,
		Published: o.time("published", d.now)}
	if r.URL == "" {
		r.URL = id
	}
	if parent := o.id("inReplyTo"); validIRI(parent) {
		r.InReplyToURI = parent
	}
	// Not cut off at now: who edits twice in a second sends dates ahead, and of two that were both cut off the later to come
	// would win. How far ahead they may lie is the domain's to say.
	if edited := o.date("updated"); !edited.IsZero() && edited.After(r.Published) {
		r.Edited = &edited
	}
	d.read(o, r)
	r.Tags = o.hashtags()
	r.MentionURIs = d.mentions(o, r.Visibility)
	own := len(r.HTML)
	r.Media = o.media(&r.HTML)
	for i := range r.Texts { // the links to what cannot be shown
		r.Texts[i].HTML += r.HTML[own:]
	}
	if slices.ContainsFunc(o.attached(), func(a object) bool { return a.yes("sensitive") }) {
		r.Sensitive = true
	}
	return r, nil
}

// hashtags are the names of the Hashtags, or where they have none the ends of their addresses; each once, however it is
// written.
func (o object) hashtags() []string {
	var list []string
	for _, t := range o.objects("tag") {
		if !t.is("Hashtag") {
			continue
		}
		name, _ := t.localised("name")
		if name = strings.TrimLeft(strings.TrimSpace(name), "#＃"); name == "" {
			name = lastSegment(t.text("href"))
		}
		if name != "" && !slices.ContainsFunc(list, func(known string) bool { return souk.FoldTag(known) == souk.FoldTag(name) }) {
			list = append(list, name)
		}
	}
	return list
}

// mentions are the ids of the actors that the object mentions. A Mention with only a name is understood where the name is
// of this node, and one with the address of a profile page of this node means its actor. An account of this node that the
// object is addressed to counts as mentioned, and of a private message everybody who gets it: some servers send them
// without a Mention.
func (d decoder) mentions(o object, visibility string) []string {
	var list []string
	add := func(id string) {
		if page, ok := strings.CutPrefix(id, d.base+"/@"); ok && !strings.Contains(page, "/") {
			id = d.base + "/users/" + strings.ToLower(page)
		}
		if validIRI(id) && !slices.Contains(list, id) {
			list = append(list, id)
		}
	}
	people := d.base + "/users/"
	for _, t := range o.objects("tag") {
		if !t.is("Mention") {
			continue
		}
		if href := t.id("href"); href != "" {
			add(href)
			continue
		}
		name, host, _ := strings.Cut(strings.TrimPrefix(t.text("name"), "@"), "@")
		own := strings.EqualFold(host, hostOf(d.base)) || strings.EqualFold(host, d.handleDomain)
		if own && name != "" && !strings.ContainsAny(name, "/?#") {
			add(people + strings.ToLower(name))
		}
	}
	for _, key := range []string{"to", "cc", "bto", "bcc", "audience"} {
		for _, id := range o.ids(key) {
			name, own := strings.CutPrefix(id, people)
			if own && name != "" && !strings.Contains(name, "/") || visibility == souk.Direct && !pub.IsPublic(id) {
				add(id)
			}
		}
	}
	return list
}
