package api

import (
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"souk"
)

// decodeQuery reads the parameters of a GET into the struct that into points to. One that is empty counts as not sent,
// and unknown ones are left alone: links collect them on their way. *Invalid names all that cannot be read.
func decodeQuery(q url.Values, into any) error {
	e := &souk.Invalid{}
	target := reflect.ValueOf(into).Elem()
	for _, f := range fields(target.Type()) {
		text := strings.TrimSpace(q.Get(f.name))
		if text == "" {
			continue
		}
		value := target.FieldByName(f.StructField.Name)
		if value.Kind() == reflect.Pointer {
			value.Set(reflect.New(value.Type().Elem()))
			value = value.Elem()
		}
		f.parse(text, value, e)
	}
	return e.Err()
}

func (f field) parse(text string, into reflect.Value, e *souk.Invalid) {
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		e.Add(f.name, "characters", "use plain text in UTF-8")
		return
	}
	switch {
	case into.Type() == idType:
		id, err := souk.ParseID(text)
		if err != nil {
			e.Add(f.name, "id", "%q is not an id", abridged(text))
		}
		into.SetInt(id)
	case into.Kind() == reflect.String:
		f.parseText(text, into, e)
	case into.Kind() == reflect.Bool:
		yes, err := strconv.ParseBool(text)
		if err != nil {
			e.Add(f.name, "type", "use true or false")
		}
		into.SetBool(yes)
	default:
		n, err := strconv.ParseInt(text, 10, into.Type().Bits())
		if least, most, bounded := f.bounds(); err != nil {
			e.Add(f.name, "type", "%q is not a whole number, or too large", abridged(text))
		} else if bounded && (n < least || n > most) {
			e.Add(f.name, "range", "use a number from %d to %d", least, most)
		}
		into.SetInt(n)
	}
}

func (f field) parseText(text string, into reflect.Value, e *souk.Invalid) {
	if values := f.enum(); values != nil && !slices.Contains(values, text) {
		e.Add(f.name, "value", "use one of %s", strings.Join(values, ", "))
	}
	if most := f.maxLength(); most > 0 && utf8.RuneCountInString(text) > most {
		e.Add(f.name, "too_long", "use at most %d characters", most)
	}
	into.SetString(text)
}

// enum are the values that a field may have; nil where any will do.
func (f field) enum() []string {
	if tag := f.Tag.Get("enum"); tag != "" {
		return strings.Split(tag, ",")
	}
	return nil
}

// bounds are the smallest and the largest number that a field with the tags min and max may be.
func (f field) bounds() (least, most int64, bounded bool) {
	least, lerr := strconv.ParseInt(f.Tag.Get("min"), 10, 64)
	most, merr := strconv.ParseInt(f.Tag.Get("max"), 10, 64)
	return least, most, lerr == nil && merr == nil
}

// maxLength is how many characters a text may have; 0 where nothing is said.
func (f field) maxLength() int {
	n, err := strconv.Atoi(f.Tag.Get("maxlen"))
	if err != nil {
		return 0
	}
	return n
}
