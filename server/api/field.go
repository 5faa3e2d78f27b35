package api

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// field is one field of a struct that the API reads or answers, as its tags say: json or query for its name, need:"yes"
// for one that must be sent, doc, enum, format, min, max and maxlen for its documentation.
type field struct {
	reflect.StructField
	name     string
	required bool
	optional bool // omitempty or omitzero
}

type fieldList []field

// fields are those of a struct, in order, with those of embedded structs in their place.
func fields(t reflect.Type) fieldList {
	var list fieldList
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous {
			list = append(list, fields(f.Type)...)
			continue
		}
		tag := f.Tag.Get("json")
		if tag == "" {
			tag = f.Tag.Get("query")
		}
		name, options, _ := strings.Cut(tag, ",")
		if name == "" || name == "-" {
			continue
		}
		list = append(list, field{StructField: f, name: name, required: f.Tag.Get("need") == "yes", optional: strings.Contains(options, "omit")})
	}
	return list
}

func (l fieldList) has(name string) bool {
	return slices.ContainsFunc(l, func(f field) bool { return f.name == name })
}

// unknown says that a name is not known, and which known one it may have been meant for.
func (l fieldList) unknown(name string) string {
	best, least := "", 4
	for _, f := range l {
		if d := distance(strings.ToLower(name), f.name, least); d < least && d < len(f.name) {
			best, least = f.name, d
		}
	}
	if best == "" {
		return "this field is not known"
	}
	return fmt.Sprintf("this field is not known; did you mean %q?", best)
}

// distance is how many letters must be changed, added or left out to make b of a; at least limit is as good as limit.
func distance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
