package api

import (
	"reflect"
	"strconv"
)

// schema is a JSON Schema (draft 2020-12, as OpenAPI 3.1 has it).
type schema map[string]any

// schemas makes schemas of Go types and keeps those of structs under their names. What is read is described strictly:
// other fields are refused. What is answered has all its fields, and may gain others. A struct that is read and answered
// has two schemas, of which the one that is read is called Input; so what is answered is made first.
type schemas struct {
	named  map[string]schema
	inputs map[string]bool // names of those that are read
}

func (s *schemas) of(t reflect.Type, read bool) schema {
	switch {
	case t == idType && read:
		return schema{"type": []string{"string", "integer"}, "pattern": "^[0-9]+$", "description": "An id; a string, since numbers of that size lose digits in many programs."}
	case t == idType:
		return schema{"type": "string", "pattern": "^[0-9]+$"}
	case t == timeType:
		return schema{"type": "string", "format": "date-time"}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return s.of(t.Elem(), read)
	case reflect.Struct:
		name := t.Name()
		if _, answered := s.named[name]; read && answered && !s.inputs[name] {
			name += "Input"
		}
		if _, made := s.named[name]; !made {
			s.named[name], s.inputs[name] = nil, read // so that a struct may hold itself
			s.named[name] = s.object(t, read)
		}
		return schema{"$ref": "#/components/schemas/" + name}
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return schema{"type": "string"}
		}
		return schema{"type": "array", "items": s.of(t.Elem(), read)}
	case reflect.Bool:
		return schema{"type": "boolean"}
	case reflect.String:
		return schema{"type": "string"}
	case reflect.Float32, reflect.Float64:
		return schema{"type": "number"}
	}
	return schema{"type": "integer", "format": t.Kind().String()}
}

func (s *schemas) object(t reflect.Type, read bool) schema {
	properties, required := schema{}, []string{}
	for _, f := range fields(t) {
		properties[f.name] = s.field(f, read)
		if f.required || !read && !f.optional {
			required = append(required, f.name)
		}
	}
	out := schema{"type": "object", "properties": properties}
	if len(required) > 0 {
		out["required"] = required
	}
	if read {
		out["additionalProperties"] = false
	}
	return out
}

// field is the schema of a field with what its tags say.
func (s *schemas) field(f field, read bool) schema {
	out := s.of(f.Type, read)
	f.describe(out)
	if f.Type.Kind() != reflect.Pointer || read || f.optional {
		return out
	}
	if kind, plain := out["type"].(string); plain {
		out["type"] = []string{kind, "null"}
		return out
	}
	ref := schema{"$ref": out["$ref"]}
	delete(out, "$ref")
	out["anyOf"] = []schema{ref, {"type": "null"}}
	return out
}

// describe puts what the tags say into the schema.
func (f field) describe(into schema) {
	if doc := f.Tag.Get("doc"); doc != "" {
		into["description"] = doc
	}
	if values := f.enum(); values != nil {
		into["enum"] = values
	}
	for tag, name := range map[string]string{"min": "minimum", "max": "maximum", "maxlen": "maxLength"} {
		if n, err := strconv.ParseInt(f.Tag.Get(tag), 10, 64); err == nil {
			into[name] = n
		}
	}
	for tag, name := range map[string]string{"pattern": "pattern", "format": "format"} {
		if text := f.Tag.Get(tag); text != "" && text != "lang" {
			into[name] = text
		}
	}
}
