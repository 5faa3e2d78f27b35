package search

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// conditions collects the parameters of one statement. User text only ever becomes a parameter.
type conditions struct{ args []any }

func (c *conditions) arg(v any) string {
	c.args = append(c.args, v)
	return "$" + strconv.Itoa(len(c.args))
}

// column is how a field is stored.
type column struct {
	name string
	form form
}

type form int

const (
	formText form = iota
	formTexts
	formFlag
	formNumber
	formTime
)

func columnOf(f Field) (column, error) {
	switch f {
	case FieldKind, FieldNode, FieldSeller, FieldLang, FieldCurrency, FieldCondition:
		return column{string(f), formText}, nil
	case FieldCategory:
		return column{"categories", formTexts}, nil
	case FieldTag:
		return column{"tags", formTexts}, nil
	case FieldShipsTo:
		return column{"ships_to", formTexts}, nil
	case FieldLocal, FieldAvailable, FieldSensitive:
		return column{string(f), formFlag}, nil
	case FieldPrice, FieldPriceRef:
		return column{string(f), formNumber}, nil
	case FieldCreated, FieldUpdated:
		return column{string(f), formTime}, nil
	}
	return column{}, &QueryError{string(f), "is not a field to filter by"}
}

// maxDepth bounds the nesting of a filter.
const maxDepth = 32

// filter writes the condition of f; nil is true.
func (c *conditions) filter(f Filter) (string, error) { return c.nested(f, 0) }

func (c *conditions) nested(f Filter, depth int) (string, error) {
	if depth > maxDepth {
		return "", &QueryError{"filter", "is nested too deeply"}
	}
	switch f := f.(type) {
	case nil:
		return "true", nil
	case And:
		return c.join(f, " AND ", "true", depth)
	case Or:
		return c.join(f, " OR ", "false", depth)
	case Not:
		inner, err := c.nested(f.Filter, depth+1)
		return "(" + inner + ") IS NOT TRUE", err // a missing value is neither true nor false
	case Eq:
		return c.in(f.Field, []string{f.Value})
	case In:
		return c.in(f.Field, f.Values)
	case Range:
		return c.between(f)
	case Exists:
		return exists(f.Field)
	case Within:
		return c.within(f)
	case Box:
		return c.box(f)
	}
	return "", &QueryError{"filter", fmt.Sprintf("%T is no filter", f)}
}

func (c *conditions) join(parts []Filter, operator, empty string, depth int) (string, error) {
	if len(parts) == 0 {
		return empty, nil
	}
	written := make([]string, len(parts))
	for i, part := range parts {
		sql, err := c.nested(part, depth+1)
		if err != nil {
			return "", err
		}
		written[i] = "(" + sql + ")"
	}
	return "(" + strings.Join(written, operator) + ")", nil
}

func (c *conditions) in(field Field, values []string) (string, error) {
	col, err := columnOf(field)
	if err != nil {
		return "", err
	}
	values = cleanAll(values)
	switch {
	case len(values) == 0:
		return "false", nil
	case field == FieldTag: // by the folded form, and by the text index
		var terms []string
		for _, v := range values {
			if term := tagTerm(v); term != "" {
				terms = append(terms, quote(term))
			}
		}
		if len(terms) == 0 {
			return "false", nil
		}
		return "tsv @@ " + c.arg(strings.Join(terms, " | ")) + "::tsquery", nil
	case col.form == formText && len(values) == 1:
		return col.name + " = " + c.arg(values[0]) + "::text", nil
	case col.form == formText:
		return col.name + " = ANY(" + c.arg(values) + "::text[])", nil
	case col.form == formTexts:
		return col.name + " && " + c.arg(values) + "::text[]", nil
	case col.form == formFlag:
		return c.flag(col.name, values)
	}
	return "", &QueryError{string(field), "takes a range"}
}

func (c *conditions) flag(name string, values []string) (string, error) {
	flags := make([]bool, len(values))
	for i, v := range values {
		switch v {
		case "true":
			flags[i] = true
		case "false":
		default:
			return "", &QueryError{name, "is true or false"}
		}
	}
	if len(flags) == 1 {
		return name + " = " + c.arg(flags[0]) + "::boolean", nil
	}
	return name + " = ANY(" + c.arg(flags) + "::boolean[])", nil
}

func (c *conditions) between(r Range) (string, error) {
	col, err := columnOf(r.Field)
	if err != nil {
		return "", err
	}
	value := func(n int64) string { return c.arg(n) + "::bigint" }
	if col.form == formTime {
		value = func(n int64) string { return c.arg(unixTime(n)) + "::timestamptz" }
	} else if col.form != formNumber {
		return "", &QueryError{string(r.Field), "has no range"}
	}
	parts := []string{col.name + " IS NOT NULL"}
	if r.Min != nil {
		parts = append(parts, col.name+" >= "+value(*r.Min))
	}
	if r.Max != nil {
		if col.form == formTime && *r.Max < math.MaxInt64 { // the whole last second
			parts = append(parts, col.name+" < "+value(*r.Max+1))
		} else {
			parts = append(parts, col.name+" <= "+value(*r.Max))
		}
	}
	return strings.Join(parts, " AND "), nil
}

// unixTime keeps a number of seconds within the years that PostgreSQL and Go agree on: 1 to 9999.
func unixTime(seconds int64) time.Time {
	return time.Unix(min(max(seconds, -62_135_596_800), 253_402_300_799), 0).UTC()
}

func exists(field Field) (string, error) {
	if field == FieldGeo {
		return "lat IS NOT NULL", nil
	}
	col, err := columnOf(field)
	switch {
	case err != nil:
		return "", err
	case col.form == formText:
		return col.name + " <> ''", nil
	case col.form == formTexts:
		return col.name + " <> '{}'", nil
	}
	return col.name + " IS NOT NULL", nil
}

const earthKm = 6371.0

// distance is the great-circle distance in km (haversine) between the row and a point; null without a place.
func (c *conditions) distance(from Point) string {
	lat, lon := c.arg(from.Lat)+"::float8", c.arg(from.Lon)+"::float8"
	return fmt.Sprintf(`(CASE WHEN lat IS NOT NULL THEN 2 * %g * asin(least(1, sqrt(power(sin(radians(lat - %[2]s) / 2), 2)
		+ cos(radians(%[2]s)) * cos(radians(lat)) * power(sin(radians(lon - %[3]s) / 2), 2)))) END)`, earthKm, lat, lon)
}

// within narrows by a box that an index can find, then measures.
func (c *conditions) within(w Within) (string, error) {
	if !validPoint(w.Point) || !(w.Km >= 0) {
		return "", &QueryError{"geo", "is not a place and a distance"}
	}
	box, err := c.box(around(w.Point, w.Km))
	if err != nil {
		return "", err
	}
	return box + " AND " + c.distance(w.Point) + " <= " + c.arg(w.Km) + "::float8", nil
}

// around returns the smallest box that holds the circle, a little enlarged against rounding; all longitudes where the
// circle holds a pole.
func around(p Point, km float64) Box {
	angle := math.Min(km/earthKm, math.Pi)*1.001 + 1e-9
	degrees := angle * 180 / math.Pi
	b := Box{South: math.Max(p.Lat-degrees, -90), North: math.Min(p.Lat+degrees, 90), West: -180, East: 180}
	if p.Lat-degrees <= -90 || p.Lat+degrees >= 90 {
		return b
	}
	width := math.Asin(math.Min(math.Sin(angle)/math.Cos(p.Lat*math.Pi/180), 1)) * 180 / math.Pi
	if width >= 180 {
		return b
	}
	b.West, b.East = p.Lon-width, p.Lon+width
	if b.West < -180 {
		b.West += 360
	}
	if b.East > 180 {
		b.East -= 360
	}
	return b
}

func (c *conditions) box(b Box) (string, error) {
	if !validPoint(Point{b.South, b.West}) || !validPoint(Point{b.North, b.East}) || b.South > b.North {
		return "", &QueryError{"geo", "is not a box"}
	}
	sql := "lat BETWEEN " + c.arg(b.South) + "::float8 AND " + c.arg(b.North) + "::float8"
	west, east := c.arg(b.West)+"::float8", c.arg(b.East)+"::float8"
	if b.West > b.East {
		return sql + " AND (lon >= " + west + " OR lon <= " + east + ")", nil
	}
	return sql + " AND lon BETWEEN " + west + " AND " + east, nil
}
