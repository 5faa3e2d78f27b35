package search

import (
	"errors"
	"math"
	"strings"
	"testing"
)

// shelf is a few documents that differ in every field.
func shelf() []Document {
	return []Document{
		doc("bag", "item", priced(2000, "EUR"), within("fashion", "fashion/bags"), tags("Leather", "gift"), at(52.5, 13.4), func(d *Document) {
			d.Local, d.Condition, d.ShipsTo = true, "new", []string{"DE", "AT"}
		}),
		doc("hat", "item", priced(500, "EUR"), within("fashion", "fashion/hats"), tags("gift"), from("b.example", "bob"), at(48.2, 16.4), aged(10), func(d *Document) {
			d.Condition, d.Available, d.Lang = "used", false, "de"
		}),
		doc("cup", "item", priced(9900, "CNY"), within("home"), from("c.example", "cai"), lang("zh"), aged(100), func(d *Document) {
			d.Sensitive = true
		}),
		doc("note", "item", from("b.example", "bob"), func(d *Document) { d.Kind, d.Available = KindPost, false }),
	}
}

const everything = "bag hat cup note"

func number(n int64) *int64 { return &n }

func filterTests() map[string]func(*testing.T, Index) {
	return map[string]func(*testing.T, Index){
		"every filter and its negation": testFilters,
		"filters that make no sense":    testBadFilters,
		"radius":                        testRadius,
		"facets":                        testFacets,
		"facets of several choices":     testDisjunctive,
		"exclusions": func(t *testing.T, x Index) {
			put(t, x, shelf()...)
			expect(t, x, Query{Exclude: Exclusions{Nodes: []string{"b.example"}}}, "bag cup")
			expect(t, x, Query{Text: "item", Exclude: Exclusions{Sellers: []string{"https://c.example/users/cai"}, Nodes: []string{"b.example"}}}, "bag")
		},
	}
}

func testFilters(t *testing.T, x Index) {
	put(t, x, shelf()...)
	for _, c := range []struct {
		filter Filter
		want   string
	}{
		{nil, everything},
		{And{}, everything},
		{Or{}, ""},
		{Eq{FieldKind, "post"}, "note"},
		{Eq{FieldNode, "b.example"}, "hat note"},
		{Eq{FieldSeller, "https://c.example/users/cai"}, "cup"},
		{Eq{FieldLocal, "true"}, "bag"},
		{Eq{FieldAvailable, "false"}, "hat note"},
		{Eq{FieldSensitive, "true"}, "cup"},
		{Eq{FieldCategory, "fashion"}, "bag hat"},
		{Eq{FieldCategory, "fashion/hats"}, "hat"},
		{Eq{FieldTag, "leather"}, "bag"},
		{Eq{FieldTag, "GIFT"}, "bag hat"},
		{Eq{FieldLang, "zh"}, "cup"},
		{Eq{FieldCurrency, "CNY"}, "cup"},
		{Eq{FieldCondition, "used"}, "hat"},
		{Eq{FieldShipsTo, "AT"}, "bag"},
		{Eq{FieldNode, `'; DROP TABLE search_items; --`}, ""},
		{Eq{FieldTag, `x' | 'gift`}, ""},
		{In{FieldNode, []string{"a.example", "c.example"}}, "bag cup"},
		{In{FieldCategory, []string{"home", "fashion/bags"}}, "bag cup"},
		{In{FieldTag, []string{"leather", "nothing"}}, "bag"},
		{In{FieldLocal, []string{"true", "false"}}, everything},
		{In{FieldNode, nil}, ""},
		{Range{FieldPriceRef, number(500), number(1999)}, "hat"},
		{Range{FieldPriceRef, nil, nil}, "bag hat"},
		{And{Eq{FieldCurrency, "CNY"}, Range{FieldPrice, number(9900), nil}}, "cup"},
		{Range{FieldCreated, number(testNow.AddDate(0, 0, -20).Unix()), nil}, "bag hat note"},
		{Range{FieldCreated, nil, number(testNow.AddDate(0, 0, -100).Unix())}, "cup"},
		{Range{FieldUpdated, number(math.MinInt64), number(math.MaxInt64)}, everything},
		{Exists{FieldPrice}, "bag hat cup"},
		{Exists{FieldPriceRef}, "bag hat"},
		{Exists{FieldGeo}, "bag hat"},
		{Exists{FieldCondition}, "bag hat"},
		{Exists{FieldTag}, "bag hat"},
		{Exists{FieldLocal}, everything},
		{Within{Point{52.4, 13.4}, 50}, "bag"},
		{Box{40, 10, 50, 20}, "hat"},
		{Or{Eq{FieldKind, "post"}, Eq{FieldLocal, "true"}}, "bag note"},
		{And{Eq{FieldCategory, "fashion"}, Not{Eq{FieldLocal, "true"}}}, "hat"},
	} {
		expect(t, x, Query{Filter: c.filter}, c.want)
		expect(t, x, Query{Text: "item", Filter: c.filter}, c.want)
		var rest []string
		for _, name := range strings.Fields(everything) {
			if !strings.Contains(" "+c.want+" ", " "+name+" ") {
				rest = append(rest, name)
			}
		}
		expect(t, x, Query{Filter: Not{c.filter}}, strings.Join(rest, " "))
	}
}

func testBadFilters(t *testing.T, x Index) {
	var deep Filter = And{}
	for range 100 {
		deep = Not{deep}
	}
	for _, f := range []Filter{
		Eq{"color", "red"}, Eq{FieldTitle, "x"}, Eq{FieldPrice, "12"}, Eq{FieldLocal, "perhaps"}, Range{FieldNode, number(1), nil},
		Within{Point{91, 0}, 5}, Within{Point{0, 0}, -1}, Within{Point{math.NaN(), 0}, 5}, Within{Point{0, 0}, math.NaN()},
		Box{10, 0, -10, 5}, Box{0, -200, 1, 1}, deep, And{Or{Eq{"color", "red"}}},
	} {
		var bad *QueryError
		if _, err := x.Search(t.Context(), Query{Filter: f}); !errors.As(err, &bad) {
			t.Errorf("%#v: %v, want a QueryError", f, err)
		}
	}
}

func testRadius(t *testing.T, x Index) {
	put(t, x, doc("berlin", "item", at(52.52, 13.405)), doc("potsdam", "item", at(52.39, 13.065)), doc("fiji", "item", at(-17.8, 179.9)),
		doc("samoa", "item", at(-17.8, -179.9)), doc("north", "item", at(89.9, 10)), doc("pole", "item", at(89.9, -170)), doc("nowhere", "item"))
	expect(t, x, Query{Filter: Within{Point{52.52, 13.405}, 5}}, "berlin")
	expect(t, x, Query{Filter: Within{Point{52.52, 13.405}, 40}}, "berlin potsdam")
	expect(t, x, Query{Filter: Within{Point{52.52, 13.405}, 0}}, "berlin")
	expect(t, x, Query{Filter: Within{Point{-17.8, 179.95}, 50}}, "fiji samoa")
	expect(t, x, Query{Filter: Within{Point{-17.8, -179.95}, 50}}, "fiji samoa")
	expect(t, x, Query{Filter: Within{Point{89.95, 100}, 30}}, "north pole")
	expect(t, x, Query{Filter: Within{Point{0, 0}, 30000}}, "berlin potsdam fiji samoa north pole")
	expect(t, x, Query{Filter: Box{-20, 179, -10, -179}}, "fiji samoa")
	near := Query{Text: "item", Sort: []SortKey{{By: SortDistance, From: Point{52.39, 13.065}}}}
	r := find(t, x, near)
	if got := names(r); !strings.HasPrefix(got, "potsdam berlin") || !strings.HasSuffix(got, "nowhere") {
		t.Errorf("by distance: %s", got)
	}
	if d := r.Hits[1].DistanceKm; d == nil || math.Abs(*d-27.2) > 1 {
		t.Errorf("Potsdam to Berlin: %v km", d)
	}
	if r.Hits[6].DistanceKm != nil {
		t.Error("a document without a place has a distance")
	}
	near.Sort[0].Reverse = true
	if got := names(find(t, x, near)); !strings.HasSuffix(got, "potsdam nowhere") {
		t.Errorf("farthest first: %s", got)
	}
}

func counts(f Facet) string {
	var b strings.Builder
	for _, v := range f.Values {
		b.WriteString(v.Value + strings.Repeat("+", v.Count) + " ")
	}
	return strings.TrimSpace(b.String())
}

func testFacets(t *testing.T, x Index) {
	put(t, x, shelf()...)
	r := find(t, x, Query{Text: "item", Facets: []FacetRequest{{Field: FieldKind}, {Field: FieldNode}, {Field: FieldCategory, Limit: 2}, {Field: FieldTag},
		{Field: FieldAvailable}, {Field: FieldPriceRef}, {Field: FieldCreated}, {Field: FieldCurrency}}})
	for field, want := range map[Field]string{
		FieldKind: "listing+++ post+", FieldNode: "b.example++ a.example+ c.example+", FieldCategory: "fashion++ fashion/bags+",
		FieldTag: "gift++ Leather+", FieldAvailable: "false++ true++", FieldCurrency: "EUR++ CNY+",
	} {
		if got := counts(r.Facets[field]); got != want || !r.Facets[field].Exact {
			t.Errorf("facet %s: %q, want %q", field, got, want)
		}
	}
	price := r.Facets[FieldPriceRef]
	if price.Min == nil || *price.Min != 500 || *price.Max != 2000 {
		t.Errorf("prices %v", price)
	}
	if created := r.Facets[FieldCreated]; created.Min == nil || *created.Min != testNow.AddDate(0, 0, -100).Unix() {
		t.Errorf("created %v", created)
	}
	none := find(t, x, Query{Text: "qqqqq", Facets: []FacetRequest{{Field: FieldKind}, {Field: FieldPrice}}})
	if len(none.Facets[FieldKind].Values) != 0 || none.Facets[FieldPrice].Min != nil {
		t.Errorf("facets of nothing: %+v", none.Facets)
	}
	var bad *QueryError
	if _, err := x.Search(t.Context(), Query{Facets: []FacetRequest{{Field: "color"}}}); !errors.As(err, &bad) {
		t.Errorf("a facet that is not: %v", err)
	}
}

func testDisjunctive(t *testing.T, x Index) {
	put(t, x, shelf()...)
	f := And{Eq{FieldCategory, "fashion"}, In{FieldNode, []string{"a.example"}}}
	r := find(t, x, Query{Filter: f, Facets: []FacetRequest{{Field: FieldNode, Disjunctive: true}, {Field: FieldCondition}}})
	if got := counts(r.Facets[FieldNode]); got != "a.example+ b.example+" {
		t.Errorf("nodes without their own filter: %q", got)
	}
	if got := counts(r.Facets[FieldCondition]); got != "new+" {
		t.Errorf("conditions with the filter: %q", got)
	}
	r = find(t, x, Query{Filter: f, Facets: []FacetRequest{{Field: FieldNode}}})
	if got := counts(r.Facets[FieldNode]); got != "a.example+" {
		t.Errorf("nodes with the filter: %q", got)
	}
}
