package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/language"

	"souk"
	"souk/server/problem"
)

// ID is an id in JSON: a string of decimals, since numbers of that size lose digits in many programs. A number is read too.
type ID int64

// MarshalJSON writes the id as a string.
func (id ID) MarshalJSON() ([]byte, error) { return []byte(`"` + formatID(int64(id)) + `"`), nil }

// UnmarshalJSON reads a string of decimals or a number.
func (id *ID) UnmarshalJSON(b []byte) error {
	n, err := souk.ParseID(strings.Trim(string(b), `"`))
	*id = ID(n)
	return err
}

func formatID(id int64) string { return strconv.FormatInt(id, 10) }

func ints(ids []ID) []int64 {
	if ids == nil {
		return nil
	}
	list := make([]int64, len(ids))
	for i, id := range ids {
		list[i] = int64(id)
	}
	return list
}

// decode reads a JSON body into the struct that into points to. Everything that is wrong with its form is said at once,
// by the field's path (lines[0].quantity): names that are not known, values of another type, what is required and
// missing. Names are compared exactly. null is as good as nothing sent.
func decode(body []byte, into any) error {
	malformed := func(detail string) error {
		return &problem.Error{Status: http.StatusBadRequest, Type: "/problems/malformed", Title: "Not valid JSON", Detail: detail}
	}
	if !utf8.Valid(body) {
		return malformed("The body is not UTF-8.")
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return malformed(fmt.Sprintf("The body cannot be read at byte %d: %v.", decoder.InputOffset(), err))
	}
	if _, err := decoder.Token(); err != io.EOF {
		return malformed(fmt.Sprintf("There is more after the end of the body, at byte %d.", decoder.InputOffset()))
	}
	x := examiner{}
	x.examine(value, reflect.TypeOf(into).Elem(), "", "")
	if err := x.Err(); err != nil {
		return err
	}
	return json.Unmarshal(body, into)
}

// examiner compares what was sent with the type that it is for.
type examiner struct{ souk.Invalid }

var (
	idType   = reflect.TypeFor[ID]()
	timeType = reflect.TypeFor[time.Time]()
)

func (x *examiner) examine(value any, t reflect.Type, path, format string) {
	if value == nil {
		if path == "" {
			x.wrong(path, "an object", value)
		}
		return
	}
	switch {
	case t.Kind() == reflect.Pointer:
		x.examine(value, t.Elem(), path, format)
	case t == idType:
		x.id(value, path)
	case t.Kind() == reflect.Struct:
		x.object(value, t, path)
	case t.Kind() == reflect.Slice:
		x.list(value, t, path)
	case t.Kind() == reflect.String:
		x.text(value, path, format)
	case t.Kind() == reflect.Bool:
		if _, ok := value.(bool); !ok {
			x.wrong(path, "true or false", value)
		}
	default:
		x.number(value, t, path)
	}
}

func (x *examiner) object(value any, t reflect.Type, path string) {
	object, ok := value.(map[string]any)
	if !ok {
		x.wrong(path, "an object", value)
		return
	}
	known := fields(t)
	for _, f := range known {
		at := join(path, f.name)
		v, sent := object[f.name]
		if f.required && (!sent || v == nil) {
			x.Add(at, "required", "this is required")
		}
		x.examine(v, f.Type, at, f.Tag.Get("format"))
	}
	for _, name := range sorted(object) {
		if !known.has(name) {
			x.Add(join(path, abridged(name)), "unknown", "%s", known.unknown(name))
		}
	}
}

func (x *examiner) list(value any, t reflect.Type, path string) {
	list, ok := value.([]any)
	if !ok {
		x.wrong(path, "a list", value)
		return
	}
	for i, v := range list {
		at := fmt.Sprintf("%s[%d]", path, i)
		if v == nil {
			x.Add(at, "type", "null is no entry")
		}
		x.examine(v, t.Elem(), at, "")
	}
}

func (x *examiner) text(value any, path, format string) {
	s, ok := value.(string)
	switch {
	case !ok:
		x.wrong(path, "a string", value)
	case strings.ContainsRune(s, 0):
		x.Add(path, "characters", "use plain text: the character U+0000 is none")
	case format == "lang" && s != "":
		if _, err := language.Parse(s); err != nil || len(s) > 35 {
			x.Add(path, "lang", "%q is not a language tag such as en or zh-Hans", abridged(s))
		}
	}
}

func (x *examiner) number(value any, t reflect.Type, path string) {
	n, ok := value.(json.Number)
	if !ok {
		x.wrong(path, "a number", value)
		return
	}
	if t.Kind() == reflect.Float32 || t.Kind() == reflect.Float64 {
		if _, err := strconv.ParseFloat(n.String(), t.Bits()); err != nil {
			x.Add(path, "type", "the number is too large")
		}
		return
	}
	if _, err := strconv.ParseInt(n.String(), 10, t.Bits()); err != nil {
		x.Add(path, "type", "%.30s is not a whole number, or too large", n)
	}
}

func (x *examiner) id(value any, path string) {
	var text string
	switch v := value.(type) {
	case string:
		text = v
	case json.Number:
		text = v.String()
	default:
		x.wrong(path, "an id", value)
		return
	}
	if _, err := souk.ParseID(text); err != nil {
		x.Add(path, "id", "%q is not an id", abridged(text))
	}
}

func (x *examiner) wrong(path, want string, value any) {
	is := "null"
	switch value.(type) {
	case bool:
		is = "true or false"
	case json.Number:
		is = "a number"
	case string:
		is = "a string"
	case []any:
		is = "a list"
	case map[string]any:
		is = "an object"
	}
	x.Add(path, "type", "this must be %s, and it is %s", want, is)
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// abridged keeps what somebody sent from filling the answer.
func abridged(s string) string {
	if utf8.RuneCountInString(s) > 40 {
		return string([]rune(s)[:40]) + "…"
	}
	return s
}
