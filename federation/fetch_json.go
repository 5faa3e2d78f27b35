package federation

import (
	"encoding/json"
	"errors"
	"fmt"
	"unicode"
	"unicode/utf8"
)

// ErrJSON is JSON that is not read: not well formed (RFC 8259), not UTF-8, with a key twice in one object, or nested too
// deeply.
var ErrJSON = errors.New("JSON is not accepted")

// CheckJSON reads b once, without building anything of it, and returns ErrJSON unless every JSON parser would read it
// alike and cheaply: well formed, UTF-8, at most maxDepth arrays and objects inside each other, no key twice in an
// object. Keys that differ only in case count as the same, because encoding/json takes either for a struct's field,
// except inside @context, where terms such as Link and link are two. It is for bodies from outside, before they are parsed.
func CheckJSON(b []byte, maxDepth int) error {
	if !utf8.Valid(b) {
		return fmt.Errorf("%w: not UTF-8", ErrJSON)
	}
	c := jsonCheck{b: b, maxDepth: maxDepth}
	c.space()
	if err := c.value(0, false); err != nil {
		return err
	}
	c.space()
	if c.at != len(b) {
		return c.malformed()
	}
	return nil
}

type jsonCheck struct {
	b        []byte
	at       int
	maxDepth int
	keys     []jsonKey // of all open objects, those of the innermost last
}

// jsonKey is a key as it compares: its text between the quotes where that is lower-case ASCII, else a folded copy.
type jsonKey []byte

// manyKeys is where comparing each key with each turns into a map: an object of ten thousand keys must stay cheap.
const manyKeys = 24

func (c *jsonCheck) malformed() error {
	return fmt.Errorf("%w: malformed at byte %d", ErrJSON, c.at)
}

func (c *jsonCheck) space() {
	for c.at < len(c.b) {
		switch c.b[c.at] {
		case ' ', '\t', '\n', '\r':
			c.at++
		default:
			return
		}
	}
}

// take moves past ch if it is next, and past the spaces behind it.
func (c *jsonCheck) take(ch byte) bool {
	if c.at < len(c.b) && c.b[c.at] == ch {
		c.at++
		c.space()
		return true
	}
	return false
}

// value reads one value; depth is the number of arrays and objects around it.
func (c *jsonCheck) value(depth int, context bool) error {
	if c.at == len(c.b) {
		return c.malformed()
	}
	switch ch := c.b[c.at]; ch {
	case '{', '[':
		if depth >= c.maxDepth {
			return fmt.Errorf("%w: more than %d levels", ErrJSON, c.maxDepth)
		}
		c.at++
		c.space()
		if ch == '{' {
			return c.object(depth+1, context)
		}
		return c.array(depth+1, context)
	case '"':
		_, _, err := c.text()
		return err
	case 't':
		return c.literal("true")
	case 'f':
		return c.literal("false")
	case 'n':
		return c.literal("null")
	}
	return c.number()
}

func (c *jsonCheck) array(depth int, context bool) error {
	if c.take(']') {
		return nil
	}
	for {
		if err := c.value(depth, context); err != nil {
			return err
		}
		c.space()
		if c.take(']') {
			return nil
		}
		if !c.take(',') {
			return c.malformed()
		}
	}
}

func (c *jsonCheck) object(depth int, context bool) error {
	if c.take('}') {
		return nil
	}
	first := len(c.keys)
	var seen map[string]bool
	for {
		key, err := c.key(context)
		if err != nil {
			return err
		}
		if c.repeats(key, first, &seen) {
			return fmt.Errorf("%w: key %.100q twice", ErrJSON, key)
		}
		c.space()
		if !c.take(':') {
			return c.malformed()
		}
		if err := c.value(depth, context || string(key) == "@context"); err != nil {
			return err
		}
		c.space()
		if c.take('}') {
			c.keys = c.keys[:first]
			return nil
		}
		if !c.take(',') {
			return c.malformed()
		}
	}
}

// repeats reports whether key is among those of the innermost object, and adds it.
func (c *jsonCheck) repeats(key jsonKey, first int, seen *map[string]bool) bool {
	if *seen != nil {
		repeated := (*seen)[string(key)]
		(*seen)[string(key)] = true
		return repeated
	}
	for _, k := range c.keys[first:] {
		if string(k) == string(key) {
			return true
		}
	}
	c.keys = append(c.keys, key)
	if len(c.keys)-first > manyKeys {
		*seen = make(map[string]bool, 2*manyKeys)
		for _, k := range c.keys[first:] {
			(*seen)[string(k)] = true
		}
		c.keys = c.keys[:first]
	}
	return false
}

// key reads a key and returns it as it compares. Inside @context nothing is folded.
func (c *jsonCheck) key(context bool) (jsonKey, error) {
	if c.at == len(c.b) || c.b[c.at] != '"' {
		return nil, c.malformed()
	}
	start := c.at
	escaped, folded, err := c.text()
	if err != nil {
		return nil, err
	}
	raw := c.b[start+1 : c.at-1]
	if !escaped && (folded || context) {
		return raw, nil
	}
	if escaped {
		var s string
		if err := json.Unmarshal(c.b[start:c.at], &s); err != nil {
			return nil, c.malformed()
		}
		raw = []byte(s)
	}
	if context {
		return raw, nil
	}
	return foldKey(raw), nil
}

// foldKey makes two keys equal that encoding/json would match with the same field: each rune becomes the smallest that
// it is a case of.
func foldKey(key []byte) jsonKey {
	out := make([]byte, 0, len(key))
	for _, r := range string(key) {
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		if r >= utf8.RuneSelf {
			for next := unicode.SimpleFold(r); ; next = unicode.SimpleFold(next) {
				if next <= r {
					r = next
					break
				}
			}
			if 'A' <= r && r <= 'Z' { // K and s have cases outside ASCII
				r += 'a' - 'A'
			}
		}
		out = utf8.AppendRune(out, r)
	}
	return out
}

// text reads a string. escaped: it holds a backslash; folded: it is ASCII without capitals.
func (c *jsonCheck) text() (escaped, folded bool, err error) {
	folded = true
	b := c.b
	for i := c.at + 1; i < len(b); i++ {
		switch ch := b[i]; {
		case ch == '"':
			c.at = i + 1
			return escaped, folded, nil
		case ch < ' ':
			c.at = i
			return false, false, c.malformed()
		case ch == '\\':
			escaped = true
			if i++; i == len(b) {
				break
			}
			switch b[i] {
			case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
			case 'u':
				if i+4 >= len(b) || !isHex(b[i+1:i+5]) {
					c.at = i
					return false, false, c.malformed()
				}
				i += 4
			default:
				c.at = i
				return false, false, c.malformed()
			}
		case ch >= utf8.RuneSelf || 'A' <= ch && ch <= 'Z':
			folded = false
		}
	}
	c.at = len(b)
	return false, false, c.malformed()
}

func isHex(b []byte) bool {
	for _, ch := range b {
		if (ch < '0' || ch > '9') && (ch < 'a' || ch > 'f') && (ch < 'A' || ch > 'F') {
			return false
		}
	}
	return true
}

func (c *jsonCheck) literal(word string) error {
	if len(c.b)-c.at < len(word) || string(c.b[c.at:c.at+len(word)]) != word {
		return c.malformed()
	}
	c.at += len(word)
	return nil
}

// number reads a number (RFC 8259, 6).
func (c *jsonCheck) number() error {
	c.skip('-')
	if !c.skip('0') && !c.digits() {
		return c.malformed()
	}
	if c.skip('.') && !c.digits() {
		return c.malformed()
	}
	if c.skip('e') || c.skip('E') {
		if !c.skip('+') {
			c.skip('-')
		}
		if !c.digits() {
			return c.malformed()
		}
	}
	return nil
}

func (c *jsonCheck) skip(ch byte) bool {
	if c.at < len(c.b) && c.b[c.at] == ch {
		c.at++
		return true
	}
	return false
}

func (c *jsonCheck) digits() bool {
	start := c.at
	for c.at < len(c.b) && '0' <= c.b[c.at] && c.b[c.at] <= '9' {
		c.at++
	}
	return c.at > start
}
