package federation

import (
	"encoding/json"
	"html"
	"path"
	"slices"
	"strings"
	"time"

	"souk"
)

// maxMarkdown is how many characters of a Markdown text are rendered: the time grows with the square for texts made to
// be slow, and this many cost a tenth of a second at worst.
const maxMarkdown = 8 << 10

// postTypes are shown with their text as it is; titledTypes have a title and a page, which come with it (FEP-b2b8).
var (
	postTypes   = [...]string{"Note", "Question", "ChatMessage"}
	titledTypes = [...]string{"Article", "Page", "Video", "Audio", "Event", "Image", "Document", "Album", "Place", "Object", "Proposal"}
	// neverPosts have a content now and then, and are something else.
	neverPosts = [...]string{"Tombstone", "Collection", "OrderedCollection", "CollectionPage", "OrderedCollectionPage", "Link", "Mention", "Hashtag",
		"Create", "Update", "Delete", "Announce", "Like", "Follow", "Accept", "Reject", "Undo", "Block", "Flag", "Move", "Add", "Remove", "Offer"}
)

// isPost reports whether an object can be shown as a post. Types that nobody here knows pass where they have an author
// and a text: a fallback that costs nothing and keeps conversations whole.
func (o object) isPost() bool {
	if o.is(postTypes[:]...) || o.is(titledTypes[:]...) {
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
	body, lang := o.body()
	r.Lang = lang
	if o.titled() {
		body = o.headed(body, r.URL)
	} else {
		r.Summary, _ = o.localised("summary")
		if name, _ := o.localised("name"); name != "" {
			body = "<p><strong>" + html.EscapeString(name) + "</strong></p>" + body
		}
	}
	r.HTML = body + o.options()
	r.Tags = o.hashtags()
	r.MentionURIs = d.mentions(o)
	r.Media = o.media(&r.HTML)
	return r, nil
}

func (o object) titled() bool { return !o.is(postTypes[:]...) && o.is(titledTypes[:]...) }

// body is the text of the object as HTML, and its language.
func (o object) body() (body, lang string) {
	body, lang = o.localised("content")
	switch mediaType, _ := mediaTypeOf(o.text("mediaType")); mediaType {
	case "text/markdown":
		body = souk.RenderMarkdown(cut(body, maxMarkdown), souk.Links{}).HTML
	case "text/plain":
		body = "<p>" + strings.ReplaceAll(html.EscapeString(body), "\n", "<br>") + "</p>"
	}
	return body, lang
}

// headed puts the title over a text and the page under it. Where there is no text the summary, which is an excerpt in
// these types and no content warning, stands for it.
func (o object) headed(body, page string) string {
	title, _ := o.localised("name")
	if body == "" {
		body, _ = o.localised("summary")
	}
	if start := o.text("startTime"); start != "" && o.is("Event") {
		title += " · " + cut(start, 40)
	}
	if title != "" {
		body = "<p><strong>" + html.EscapeString(title) + "</strong></p>" + body
	}
	return body + paragraphLink(page, page)
}

// options are the choices of a poll as a list: it can be read here, and answered at its origin.
func (o object) options() string {
	if !o.is("Question") {
		return ""
	}
	var list strings.Builder
	for _, option := range append(o.objects("oneOf"), o.objects("anyOf")...) {
		if name := option.text("name"); name != "" {
			list.WriteString("<li>" + html.EscapeString(name) + "</li>")
		}
	}
	if list.Len() == 0 {
		return ""
	}
	return "<ul>" + list.String() + "</ul>"
}

// paragraphLink is a line with a link; nothing where the address is not one.
func paragraphLink(address, text string) string {
	if !validIRI(address) {
		return ""
	}
	return `<p><a href="` + html.EscapeString(address) + `">` + html.EscapeString(text) + `</a></p>`
}

// hashtags are the names of the Hashtags, or where they have none the ends of their addresses.
func (o object) hashtags() []string {
	var list []string
	for _, t := range o.objects("tag") {
		if !t.is("Hashtag") {
			continue
		}
		name := strings.TrimLeft(t.text("name"), "#＃")
		if name == "" {
			name = lastSegment(t.text("href"))
		}
		if name != "" && !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	return list
}

// mentions are the ids of the actors that the object mentions. A Mention with only a name is understood where the name is
// of this node. An account of this node that the object is addressed to counts as mentioned: some servers send private
// messages without a Mention.
func (d decoder) mentions(o object) []string {
	var list []string
	add := func(id string) {
		if validIRI(id) && !slices.Contains(list, id) {
			list = append(list, id)
		}
	}
	people := d.base + "/users/"
	for _, t := range o.objects("tag") {
		if !t.is("Mention") {
			continue
		}
		if href := t.text("href"); href != "" {
			add(href)
			continue
		}
		name, host, _ := strings.Cut(strings.TrimPrefix(t.text("name"), "@"), "@")
		own := strings.EqualFold(host, hostOf(d.base)) || strings.EqualFold(host, d.handleDomain)
		if own && name != "" && !strings.ContainsAny(name, "/?#") {
			add(people + strings.ToLower(name))
		}
	}
	for _, id := range append(o.ids("to"), o.ids("cc")...) {
		if name, ok := strings.CutPrefix(id, people); ok && name != "" && !strings.Contains(name, "/") {
			add(id)
		}
	}
	return list
}

// media are the pictures attached. What else is attached becomes a line with a link under the text.
func (o object) media(body *string) []souk.RemoteMedia {
	var list []souk.RemoteMedia
	links := 0
	attached := o.objects("attachment")
	if o.titled() {
		attached = append(attached, o.objects("image")...)
	}
	for _, a := range attached {
		address, mediaType := attachmentURL(a)
		if !validIRI(address) || a.is("PropertyValue") {
			continue
		}
		if !isPicture(a, mediaType, address) {
			if links++; links <= 10 && !strings.Contains(*body, html.EscapeString(address)) {
				*body += paragraphLink(address, linkText(a, address))
			}
			continue
		}
		m := souk.RemoteMedia{URL: address, MIME: mediaType, Width: a.number("width", 100_000), Height: a.number("height", 100_000),
			Blurhash: a.text("blurhash"), Alt: a.first("name", "summary")}
		if focus := a.values("focalPoint"); len(focus) == 2 {
			m.FocalX, m.FocalY = fraction(focus[0]), fraction(focus[1])
		}
		if !slices.ContainsFunc(list, func(known souk.RemoteMedia) bool { return known.URL == address }) {
			list = append(list, m)
		}
	}
	return list
}

// attachmentURL is the address of an attachment: a string, or the first usable of its Links.
func attachmentURL(a object) (address, mediaType string) {
	mediaType = a.text("mediaType")
	for _, v := range append(a.values("url"), a.values("href")...) {
		address, linked := link(v)
		if linked == "" {
			linked = mediaType
		}
		if validIRI(address) {
			return address, linked
		}
	}
	return "", ""
}

func isPicture(a object, mediaType, address string) bool {
	switch {
	case strings.HasPrefix(mediaType, "image/svg"):
		return false
	case strings.HasPrefix(mediaType, "image/"):
		return true
	case mediaType != "" || a.is("Link", "Video", "Audio"):
		return false
	case a.is("Image"):
		return true
	}
	return slices.Contains([]string{".jpg", ".jpeg", ".png", ".gif", ".webp", ".avif"}, strings.ToLower(path.Ext(lastSegment(address))))
}

func linkText(a object, address string) string {
	if name := cut(a.first("name", "summary"), 100); name != "" {
		return name
	}
	return cut(address, 100)
}

func fraction(v any) float32 {
	n, ok := v.(json.Number)
	if !ok {
		return 0
	}
	f, err := n.Float64()
	if err != nil {
		return 0
	}
	return float32(f)
}
