package federation

import (
	"cmp"
	"encoding/json"
	"html"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"souk"
)

// read puts the text of an object together: what its author wrote, and in types that hold more than a text (titles, polls,
// quotes, ratings) the rest as text and links, so that nothing of it is lost to who reads.
func (d decoder) read(o object, r *souk.RemotePost) {
	body, lang := o.body()
	warning, summaryLang := o.localised("summary")
	name, nameLang := o.localised("name")
	r.Lang = lang
	for _, l := range []string{nameLang, summaryLang, o.language()} {
		if r.Lang == "" {
			r.Lang = l
		}
	}
	if !o.titled() {
		r.Summary = warning
		body = heading(name) + body
	} else {
		subject := o.first("dcterms:subject", "http://purl.org/dc/terms/subject")
		switch { // the summary is an excerpt (FEP-b2b8), and where the text is sensitive it says why
		case subject != "":
			r.Summary = subject
		case r.Sensitive:
			r.Summary = warning
		case body == "":
			body = warning
		}
		body = heading(name) + body + o.occasion() + paragraphLink(r.URL, r.URL)
	}
	r.HTML = body + o.ofBook() + o.options(r.URL) + o.quoted(body)
	for _, l := range o.languages() {
		tag := languageTag(l)
		if tag == "" || tag == r.Lang {
			continue
		}
		read := souk.RemotePost{URL: r.URL, Sensitive: r.Sensitive}
		d.read(o.in(l), &read)
		if read.HTML == r.HTML && read.Summary == r.Summary {
			r.Lang = cmp.Or(r.Lang, tag)
			continue
		}
		r.Texts = append(r.Texts, souk.Text{Lang: tag, HTML: read.HTML, Summary: read.Summary})
	}
}

// texted are the properties that have a text in each language beside them.
var texted = [...]string{"content", "name", "summary"}

// languages are the keys under which the object has texts, where they are several: as many as are kept, those of this node's
// pages first. For each the whole object is read again.
func (o object) languages() []string {
	var list []string
	for _, key := range texted {
		texts, _ := o[key+"Map"].(map[string]any)
		for l, v := range texts {
			if s, ok := v.(string); ok && s != "" && !slices.Contains(list, l) {
				list = append(list, l)
			}
		}
	}
	if len(list) < 2 {
		return nil
	}
	slices.SortFunc(list, func(a, b string) int { return cmp.Or(cmp.Compare(foreignTo(a), foreignTo(b)), cmp.Compare(a, b)) })
	list = list[:min(len(list), souk.MaxTexts+1)]
	slices.Sort(list)
	return list
}

// foreignTo is 0 for a language that this node's pages have, else 1.
func foreignTo(l string) int {
	if base, _, _ := strings.Cut(strings.ToLower(l), "-"); slices.Contains(souk.Langs(), base) {
		return 0
	}
	return 1
}

// in is the object with its texts in one language, where it has them in that.
func (o object) in(l string) object {
	in := maps.Clone(o)
	for _, key := range texted {
		texts, _ := o[key+"Map"].(map[string]any)
		delete(in, key+"Map")
		if s, ok := texts[l].(string); ok && s != "" {
			in[key] = s
		}
	}
	return in
}

func (o object) titled() bool { return !o.is(postTypes[:]...) && o.is(titledTypes[:]...) }

func heading(name string) string {
	if name == "" {
		return ""
	}
	return "<p><strong>" + html.EscapeString(name) + "</strong></p>"
}

// body is the text of the object as HTML, and its language. Misskey sends notes without content where there is only
// its own form of the text.
func (o object) body() (body, lang string) {
	body, lang = o.localised("content")
	if own := o.text("_misskey_content"); body == "" && own != "" {
		return souk.PlainHTML(own), lang
	}
	switch mediaType, _ := mediaTypeOf(o.text("mediaType")); mediaType {
	case "text/markdown":
		body = souk.RenderMarkdown(cut(body, maxMarkdown), souk.Links{}).HTML
	case "text/plain":
		body = souk.PlainHTML(body)
	}
	return withImageText(body), lang
}

// language is what the object says of its language outside of its texts: a tag or an identifier (as Lemmy and PeerTube
// do), else the default of its context.
func (o object) language() string {
	if tag := languageTag(o.text("language")); tag != "" {
		return tag
	}
	if language := o.object("language"); language != nil {
		return languageTag(language.text("identifier"))
	}
	for _, context := range o.objects("@context") {
		if tag := languageTag(context.text("@language")); tag != "" {
			return tag
		}
	}
	return ""
}

// imageText finds an image within a text and its text. Articles and older servers write emoji that way.
var imageText = regexp.MustCompile(`(?i)<img\b[^>]*?\balt\s*=\s*(?:"([^"]*)"|'([^']*)')[^>]*>`)

// withImageText puts the texts of images where they stood: pictures within a text are not shown.
func withImageText(body string) string {
	if !strings.Contains(body, "<") {
		return body
	}
	return imageText.ReplaceAllString(body, "$1$2")
}

// occasion is when and where an Event takes place.
func (o object) occasion() string {
	if !o.is("Event") {
		return ""
	}
	var parts []string
	for _, key := range []string{"startTime", "endTime"} {
		if at := o.date(key); !at.IsZero() {
			parts = append(parts, at.Format("2006-01-02 15:04 UTC"))
		}
	}
	when := strings.Join(parts, " – ")
	parts = nil
	for _, place := range o.objects("location") {
		if name, _ := place.localised("name"); name != "" {
			parts = append(parts, cut(name, 200))
		}
	}
	if when != "" {
		parts = append([]string{when}, parts...)
	}
	if len(parts) == 0 {
		return ""
	}
	return "<p>" + html.EscapeString(strings.Join(parts, " · ")) + "</p>"
}

// ofBook is what BookWyrm's reviews, comments and quotations have besides their text: a passage, stars, the book.
func (o object) ofBook() string {
	if !o.is(bookTypes[:]...) {
		return ""
	}
	var out strings.Builder
	if passage := o.text("quote"); passage != "" && !validIRI(passage) {
		out.WriteString("<blockquote>" + passage + "</blockquote>")
	}
	if n, ok := o["rating"].(json.Number); ok {
		if stars, err := n.Float64(); err == nil && stars > 0 && stars <= 5 {
			full := int(stars + 0.5)
			out.WriteString("<p>" + strings.Repeat("★", full) + strings.Repeat("☆", 5-full) + "</p>")
		}
	}
	if book := o.id("inReplyToBook"); validIRI(book) {
		out.WriteString(paragraphLink(book, book))
	}
	return out.String()
}

// optionCount is what options says of the votes for a choice.
var optionCount = regexp.MustCompile(` \(\d+\)</li>`)

// options are the choices of a poll with their counts. It can be read here, and answered at its origin: the link leads there.
func (o object) options(page string) string {
	if !o.is("Question") {
		return ""
	}
	choices := append(o.objects("oneOf"), o.objects("anyOf")...)
	var list strings.Builder
	for _, option := range choices {
		name, _ := option.localised("name")
		if name == "" {
			continue
		}
		count := 0
		if replies := option.object("replies"); replies != nil {
			count = replies.number("totalItems", 1<<31)
		}
		list.WriteString("<li>" + html.EscapeString(name))
		if count > 0 {
			list.WriteString(" (" + strconv.Itoa(count) + ")")
		}
		list.WriteString("</li>")
	}
	if list.Len() == 0 {
		return ""
	}
	return "<ul>" + list.String() + "</ul>" + paragraphLink(page, page)
}

// quoteKeys are the names under which servers say what a post quotes: FEP-044f, Pleroma and Misskey, Fedibird, Misskey.
var quoteKeys = [...]string{"quote", "quoteUrl", "quoteUri", "quoteURL", "_misskey_quote"}

// quoted is a line with the address of the post that this one quotes; nothing where the text has one already, as servers
// add for those that know no quotes ("RE: ...").
func (o object) quoted(body string) string {
	if o.is(bookTypes[:]...) || strings.Contains(body, "quote-inline") {
		return ""
	}
	var addresses []string
	for _, key := range quoteKeys {
		if id := o.id(key); validIRI(id) {
			addresses = append(addresses, id)
		}
	}
	for _, t := range o.objects("tag") { // FEP-e232
		if mediaType := t.text("mediaType"); t.is("Link") && (strings.HasPrefix(mediaType, "application/activity+json") || strings.HasPrefix(mediaType, "application/ld+json")) {
			if href := t.text("href"); validIRI(href) {
				addresses = append(addresses, href)
			}
		}
	}
	if len(addresses) == 0 || slices.ContainsFunc(addresses, func(a string) bool { return strings.Contains(body, html.EscapeString(a)) }) {
		return ""
	}
	return `<p class="quote-inline">RE: <a href="` + html.EscapeString(addresses[0]) + `">` + html.EscapeString(addresses[0]) + `</a></p>`
}

// paragraphLink is a line with a link; nothing where the address is not one.
func paragraphLink(address, text string) string {
	if !validIRI(address) {
		return ""
	}
	return `<p><a href="` + html.EscapeString(address) + `">` + html.EscapeString(text) + `</a></p>`
}
