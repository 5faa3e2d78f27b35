package federation

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-fed/activity/pub"
	"golang.org/x/text/language"

	"souk"
)

const (
	// maxElements bounds every array of a document from outside, before anything is done for each of its elements.
	maxElements = 100
	// maxIRI bounds ids and addresses that are stored.
	maxIRI = 2048
	// maxJSONDepth is how deeply a received activity may nest. Real ones need about eight levels.
	maxJSONDepth = 32
)

var (
	// ErrDocument: a document lacks what makes it what it should be, or says it in a form that nobody uses.
	ErrDocument = errors.New("document is not understood")
	// ErrForeign: a document speaks for somebody or something that is not its own (FEP-fe34).
	ErrForeign = errors.New("not the owner")
)

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrDocument, fmt.Sprintf(format, args...))
}

func foreign(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrForeign, fmt.Sprintf(format, args...))
}

// object is an ActivityStreams object as it came, read tolerantly: where one value is meant an array's first counts, where
// several are meant a single one does, and an object may stand for its id and the other way round (ActivityStreams 2.0, 4
// and its JSON-LD forms as servers send them). It keeps what go-fed's types lose: contentMap, Hashtag, PropertyValue, sensitive,
// endpoints, and every extension.
type object map[string]any

// parseObject reads a document that passed CheckJSON. Numbers stay as they are written. Arrays of more than maxElements
// are ErrDocument.
func parseObject(body []byte) (object, error) {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var o object
	if err := decoder.Decode(&o); err != nil {
		return nil, malformed("%v", err)
	}
	if o == nil {
		return nil, malformed("no object")
	}
	return o, checkElements(map[string]any(o))
}

func checkElements(v any) error {
	switch v := v.(type) {
	case []any:
		if len(v) > maxElements {
			return malformed("an array of %d elements", len(v))
		}
		for _, e := range v {
			if err := checkElements(e); err != nil {
				return err
			}
		}
	case map[string]any:
		for _, e := range v {
			if err := checkElements(e); err != nil {
				return err
			}
		}
	}
	return nil
}

// values are the elements of a property, one where it is not an array.
func (o object) values(key string) []any {
	switch v := o[key].(type) {
	case nil:
		return nil
	case []any:
		return v
	default:
		return []any{v}
	}
}

// text is a property that is a string, or the first string of an array.
func (o object) text(key string) string {
	for _, v := range o.values(key) {
		if s, ok := v.(string); ok {
			return s
		}
	}
	return ""
}

// first is the text of the first of the keys that has one.
func (o object) first(keys ...string) string {
	for _, key := range keys {
		if s := o.text(key); s != "" {
			return s
		}
	}
	return ""
}

// yes reports whether a property is true, also where it is spelled as a text.
func (o object) yes(key string) bool {
	if v, ok := o[key].(bool); ok {
		return v
	}
	return strings.EqualFold(o.text(key), "true")
}

// number is a property that is a whole number from 0 to max, also where it is spelled as a text or as 12.0; anything else is 0.
func (o object) number(key string, max int64) int {
	n, ok := o[key].(json.Number)
	if !ok {
		n = json.Number(o.text(key))
	}
	written, zeros, _ := strings.Cut(n.String(), ".")
	whole, err := strconv.ParseInt(written, 10, 64)
	if err != nil || whole < 0 || whole > max || strings.Trim(zeros, "0") != "" {
		return 0
	}
	return int(whole)
}

// objects are the elements of a property that are objects.
func (o object) objects(key string) []object {
	var list []object
	for _, v := range o.values(key) {
		if m, ok := v.(map[string]any); ok {
			list = append(list, m)
		}
	}
	return list
}

// object is the first object of a property; nil where there is none.
func (o object) object(key string) object {
	if list := o.objects(key); len(list) > 0 {
		return list[0]
	}
	return nil
}

// ids are the ids that a property names: strings, ids of objects, targets of Links.
func (o object) ids(key string) []string {
	var list []string
	for _, v := range o.values(key) {
		if id := idOf(v); id != "" {
			list = append(list, id)
		}
	}
	return list
}

// id is the first of ids.
func (o object) id(key string) string {
	if list := o.ids(key); len(list) > 0 {
		return list[0]
	}
	return ""
}

func idOf(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case map[string]any:
		if id := object(v).self(); id != "" {
			return id
		}
		if href, ok := v["href"].(string); ok {
			return href
		}
	}
	return ""
}

// self is the object's own id. Only a string counts, so that no two readers see two ids.
func (o object) self() string {
	id, _ := o["id"].(string)
	return id
}

// one is a property that must have a single value: its id, and the object itself where it is not only an id. Both are
// of the same value: with several, one would be checked and the other used.
func (o object) one(key string) (id string, embedded object, err error) {
	list := o.values(key)
	if len(list) > 1 {
		return "", nil, malformed("%d values of %s", len(list), key)
	}
	if len(list) == 1 {
		if m, ok := list[0].(map[string]any); ok {
			embedded = m
		}
	}
	return o.id(key), embedded, nil
}

// types are the types of the object, without the prefix of ActivityStreams.
func (o object) types() []string {
	var list []string
	for _, v := range o.values("type") {
		if s, ok := v.(string); ok {
			list = append(list, strings.TrimPrefix(strings.TrimPrefix(s, "as:"), "https://www.w3.org/ns/activitystreams#"))
		}
	}
	return list
}

// is reports whether one of the object's types is among those named.
func (o object) is(names ...string) bool {
	return slices.ContainsFunc(o.types(), func(t string) bool { return slices.Contains(names, t) })
}

// kind is the first type, for messages.
func (o object) kind() string {
	if types := o.types(); len(types) > 0 {
		return types[0]
	}
	return ""
}

// owner reports whether the object says to be by the actor. Video servers name several: a person and a channel.
func (o object) owner(actor string) bool { return slices.Contains(o.ids("attributedTo"), actor) }

// authors are those whom the object names as its authors, a channel or another group that it says to be one last.
func (o object) authors() []string {
	var list, groups []string
	for _, v := range o.values("attributedTo") {
		id := idOf(v)
		if by, ok := v.(map[string]any); ok && object(by).is("Group") {
			groups = append(groups, id)
		} else if id != "" {
			list = append(list, id)
		}
	}
	return append(list, groups...)
}

// date is a date of the object; zero where it is missing, cannot be read, or lies before 1970.
func (o object) date(key string) time.Time {
	s := o.text(key)
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05", "2006-01-02"} {
		if t, err := time.Parse(layout, s); err == nil && !t.Before(time.Unix(0, 0)) {
			return t.UTC()
		}
	}
	return time.Time{}
}

// time is a date of something that has happened: now at the latest.
func (o object) time(key string, now time.Time) time.Time {
	t := o.date(key)
	if t.After(now) {
		return now
	}
	return t
}

// localised is a text and its language (BCP 47, "" where it is not said): the property itself, else its ...Map. Where the map has
// several languages, the one whose text is the property's tells the language.
func (o object) localised(key string) (text, lang string) {
	text = o.text(key)
	texts, _ := o[key+"Map"].(map[string]any)
	langs := make([]string, 0, len(texts))
	for l, v := range texts {
		if s, ok := v.(string); ok && s != "" && (text == "" || s == text || len(texts) == 1) {
			langs = append(langs, l)
		}
	}
	if len(langs) == 0 {
		return text, ""
	}
	slices.Sort(langs)
	if text == "" {
		text, _ = texts[langs[0]].(string)
	}
	return text, languageTag(langs[0])
}

// textFor is a text as a reader of the language (BCP 47) would have it: in that language where there is one, else as localised has it.
func (o object) textFor(key, lang string) string {
	texts, _ := o[key+"Map"].(map[string]any)
	if text, ok := texts[lang].(string); ok && text != "" {
		return text
	}
	text, _ := o.localised(key)
	return text
}

// languageTag is a well-formed BCP 47 tag in its usual spelling, or "".
func languageTag(s string) string {
	tag, err := language.Parse(s)
	if err != nil || len(s) > 35 || tag == language.Und {
		return ""
	}
	return tag.String()
}

// page is the address that people open: a string, or among several Links the first HTML page, best on the host of the id.
// It is "" where none is usable.
func (o object) page() string {
	var best string
	var score int
	for _, v := range o.values("url") {
		address, mediaType := link(v)
		if !validIRI(address) {
			continue
		}
		s := 1
		if mediaType == "" || strings.HasPrefix(mediaType, "text/html") {
			s = 2
			if SameOrigin(address, o.self()) {
				s = 3
			}
		}
		if s > score {
			best, score = address, s
		}
	}
	return best
}

// link is the target and the media type of a string or Link.
func link(v any) (address, mediaType string) {
	switch v := v.(type) {
	case string:
		return v, ""
	case map[string]any:
		o := object(v)
		return o.first("href", "url"), o.text("mediaType")
	}
	return "", ""
}

// validIRI reports whether s can be an id or an address that is stored: http(s) with a host, without user name,
// control characters or spaces, and not too long.
func validIRI(s string) bool {
	if s == "" || len(s) > maxIRI || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '\\' }) {
		return false
	}
	_, err := OriginOf(s)
	return err == nil
}

// sameOriginOrNone is s where it is of the origin of id, else "".
func sameOriginOrNone(s, id string) string {
	if !validIRI(s) || !SameOrigin(s, id) {
		return ""
	}
	return s
}

// hostOf is the host of an address as souk.Account and hosts have it: lower case, with the port unless it is the
// scheme's own; "" where the address has none.
func hostOf(iri string) string {
	origin, err := OriginOf(iri)
	if err != nil {
		return ""
	}
	_, host, _ := strings.Cut(origin, "://")
	return host
}

// withoutFragment is the document that an IRI lies in.
func withoutFragment(iri string) string {
	iri, _, _ = strings.Cut(iri, "#")
	return iri
}

// visibility is what the addressing of an object means (ActivityPub 5.6, and what Mastodon made of it).
func (o object) visibility(author *souk.Account) string {
	to, cc := o.ids("to"), o.ids("cc")
	followers := func(id string) bool { return author.FollowersURI != "" && id == author.FollowersURI }
	switch {
	case slices.ContainsFunc(to, pub.IsPublic):
		return souk.Public
	case slices.ContainsFunc(cc, pub.IsPublic):
		return souk.Unlisted
	case slices.ContainsFunc(to, followers), slices.ContainsFunc(cc, followers):
		return souk.FollowersOnly
	}
	return souk.Direct
}

// lastSegment is the last part of an address's path, decoded.
func lastSegment(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	path := strings.TrimRight(u.Path, "/")
	return path[strings.LastIndexByte(path, '/')+1:]
}
