package api_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func itoa(n int) string { return strconv.Itoa(n) }

// references are all $ref in a value.
func references(v any) (list []string) {
	switch x := v.(type) {
	case object:
		for name, value := range x {
			if ref, ok := value.(string); ok && name == "$ref" {
				list = append(list, ref)
			}
			list = append(list, references(value)...)
		}
	case []any:
		for _, value := range x {
			list = append(list, references(value)...)
		}
	}
	return list
}

// resolve is what a JSON Pointer (RFC 6901) in a fragment means.
func resolve(document any, ref string) (any, error) {
	pointer, local := strings.CutPrefix(ref, "#/")
	if !local {
		return nil, fmt.Errorf("leads out of the document")
	}
	at := document
	for part := range strings.SplitSeq(pointer, "/") {
		next, ok := at.(object)[strings.NewReplacer("~1", "/", "~0", "~").Replace(part)]
		if !ok {
			return nil, fmt.Errorf("%q is not there", part)
		}
		at = next
	}
	return at, nil
}

// checker compares values with schemas of a document: the words of JSON Schema that the document uses, and no others.
type checker struct{ document object }

// against says what is wrong with a value.
func (c checker) against(schema, value any) []string { return c.check(schema, value, "$") }

func (c checker) check(s, value any, path string) (problems []string) {
	wrong := func(format string, args ...any) {
		problems = append(problems, path+": "+fmt.Sprintf(format, args...))
	}
	rules, ok := s.(object)
	if !ok {
		return []string{path + ": there is no schema"}
	}
	for _, word := range slices.Sorted(keys(rules)) {
		rule := rules[word]
		switch word {
		case "description", "format", "required", "additionalProperties":
		case "$ref":
			target, err := resolve(c.document, rule.(string))
			if err != nil {
				wrong("%s: %v", rule, err)
				continue
			}
			problems = append(problems, c.check(target, value, path)...)
		case "anyOf":
			if !slices.ContainsFunc(rule.([]any), func(one any) bool { return len(c.check(one, value, path)) == 0 }) {
				wrong("%v matches none of %v", value, rule)
			}
		case "type":
			if !isOf(rule, value) {
				wrong("%v is no %v", value, rule)
			}
		case "enum":
			if value != nil && !slices.Contains(rule.([]any), value) {
				wrong("%v is none of %v", value, rule)
			}
		case "items":
			for i, v := range list(value) {
				problems = append(problems, c.check(rule, v, fmt.Sprintf("%s[%d]", path, i))...)
			}
		case "properties":
			problems = append(problems, c.properties(rules, value, path)...)
		case "pattern", "maxLength", "minimum", "maximum":
			if !within(word, rule, value) {
				wrong("%v is not within %s %v", value, word, rule)
			}
		default:
			wrong("the schema says %q, which this check does not know", word)
		}
	}
	if text, ok := value.(string); ok && rules["format"] == "date-time" {
		if _, err := time.Parse(time.RFC3339, text); err != nil {
			wrong("%v", err)
		}
	}
	return problems
}

func (c checker) properties(rules object, value any, path string) (problems []string) {
	o, ok := value.(object)
	if !ok {
		return nil // type says so
	}
	properties := rules["properties"].(object)
	for name, v := range o {
		rule, known := properties[name]
		if known {
			problems = append(problems, c.check(rule, v, path+"."+name)...)
		} else {
			// Beyond what JSON Schema asks: an answer has no field that the document does not name.
			problems = append(problems, path+"."+name+" is not described")
		}
	}
	required, _ := rules["required"].([]any)
	for _, name := range required {
		if _, there := o[name.(string)]; !there {
			problems = append(problems, fmt.Sprintf("%s.%v is missing", path, name))
		}
	}
	return problems
}

func keys(o object) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range o {
			if !yield(k) {
				return
			}
		}
	}
}

func list(v any) []any {
	l, _ := v.([]any)
	return l
}

func isOf(kinds, value any) bool {
	if several, ok := kinds.([]any); ok {
		return slices.ContainsFunc(several, func(kind any) bool { return isOf(kind, value) })
	}
	switch v := value.(type) {
	case nil:
		return kinds == "null"
	case bool:
		return kinds == "boolean"
	case string:
		return kinds == "string"
	case float64:
		return kinds == "number" || kinds == "integer" && v == float64(int64(v))
	case []any:
		return kinds == "array"
	case object:
		return kinds == "object"
	}
	return false
}

func within(word string, rule, value any) bool {
	switch v := value.(type) {
	case string:
		switch word {
		case "pattern":
			return regexp.MustCompile(rule.(string)).MatchString(v)
		case "maxLength":
			return utf8.RuneCountInString(v) <= int(rule.(float64))
		}
	case float64:
		switch word {
		case "minimum":
			return v >= rule.(float64)
		case "maximum":
			return v <= rule.(float64)
		}
	}
	return true
}

func TestChecker(t *testing.T) {
	t.Parallel()
	var doc object
	if err := json.Unmarshal([]byte(`{"a/b": {"type": "object", "required": ["n"], "properties": {"n": {"type": ["integer", "null"], "minimum": 1},
		"l": {"type": "array", "items": {"type": "string", "enum": ["x", "y"], "maxLength": 3}}, "t": {"type": "string", "format": "date-time"}}},
		"odd": {"oneOf": []}}`), &doc); err != nil {
		t.Fatal(err)
	}
	c := checker{document: doc}
	for text, want := range map[string]int{`{"n": 1, "l": ["x"], "t": "2026-05-04T09:00:00Z"}`: 0, `{"n": null}`: 0, `{}`: 1, `{"n": 0}`: 1, `{"n": 1.5}`: 1, `{"n": 1, "l": ["z"]}`: 1,
		`{"n": 1, "m": 1}`: 1, `{"n": 1, "t": "today"}`: 1, `{"n": "1", "l": "x"}`: 2, `[]`: 1} {
		var value any
		if err := json.Unmarshal([]byte(text), &value); err != nil {
			t.Fatal(err)
		}
		if got := c.against(object{"$ref": "#/a~1b"}, value); len(got) != want {
			t.Errorf("%s: %v, want %d problems", text, got, want)
		}
	}
	if got := c.against(object{"$ref": "#/odd"}, nil); len(got) != 1 {
		t.Errorf("a word that is not known: %v", got)
	}
	if got := c.against(object{"$ref": "#/none"}, nil); len(got) != 1 {
		t.Errorf("a reference to nothing: %v", got)
	}
}
