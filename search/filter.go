package search

// Field names what can be filtered or counted.
type Field string

const (
	FieldKind      Field = "kind"
	FieldNode      Field = "node"
	FieldSeller    Field = "seller"
	FieldLocal     Field = "local"
	FieldCategory  Field = "category" // any of the path
	FieldTag       Field = "tag"
	FieldLang      Field = "lang"
	FieldCurrency  Field = "currency"
	FieldPrice     Field = "price"     // in the original currency: filter FieldCurrency too
	FieldPriceRef  Field = "price_ref" // in the node's reference currency
	FieldAvailable Field = "available"
	FieldCondition Field = "condition"
	FieldShipsTo   Field = "ships_to"
	FieldCreated   Field = "created" // Unix seconds
	FieldUpdated   Field = "updated" // Unix seconds
	FieldSensitive Field = "sensitive"
	FieldGeo       Field = "geo" // only Exists

	// Where a hit matched; neither filters nor facets know these.
	FieldTitle Field = "title"
	FieldNames Field = "names" // tags, categories, seller
	FieldBody  Field = "body"
)

// Filter is a condition on documents, a tree of the types below. A field that a document lacks makes Eq, In, Range,
// Within and Box false, and therefore Not of them true: Not(f) matches exactly what f does not.
type Filter interface{ filter() }

type (
	// And matches what all of its parts match; empty matches everything.
	And []Filter
	// Or matches what any of its parts matches; empty matches nothing.
	Or []Filter
	// Not matches what Filter does not.
	Not struct{ Filter Filter }
	// Eq compares a text field; of a field with many values, one must be equal. Flags (local, available, sensitive)
	// take "true" and "false".
	Eq struct {
		Field Field
		Value string
	}
	// In is Eq with any of Values; empty matches nothing.
	In struct {
		Field  Field
		Values []string
	}
	// Range bounds price, price_ref, created or updated, both ends included; nil is open.
	Range struct {
		Field    Field
		Min, Max *int64
	}
	// Exists matches documents that have a value.
	Exists struct{ Field Field }
	// Within matches what lies at most Km from Point.
	Within struct {
		Point Point
		Km    float64
	}
	// Box matches what lies between two corners. West > East crosses the antimeridian.
	Box struct{ South, West, North, East float64 }
)

func (And) filter()    {}
func (Or) filter()     {}
func (Not) filter()    {}
func (Eq) filter()     {}
func (In) filter()     {}
func (Range) filter()  {}
func (Exists) filter() {}
func (Within) filter() {}
func (Box) filter()    {}

// without returns the filter without those of its top-level conditions that only concern field, for disjunctive facets.
func without(f Filter, field Field) Filter {
	all, ok := f.(And)
	if !ok {
		if about(f, field) {
			return nil
		}
		return f
	}
	var kept And
	for _, part := range all {
		if rest := without(part, field); rest != nil {
			kept = append(kept, rest)
		}
	}
	if len(kept) == 0 {
		return nil
	}
	return kept
}

// about reports whether the condition concerns field and nothing else.
func about(f Filter, field Field) bool {
	switch f := f.(type) {
	case And:
		return allAbout(f, field)
	case Or:
		return allAbout(f, field)
	case Not:
		return about(f.Filter, field)
	case Eq:
		return f.Field == field
	case In:
		return f.Field == field
	case Range:
		return f.Field == field
	case Exists:
		return f.Field == field
	}
	return false
}

func allAbout(parts []Filter, field Field) bool {
	for _, part := range parts {
		if !about(part, field) {
			return false
		}
	}
	return len(parts) > 0
}
