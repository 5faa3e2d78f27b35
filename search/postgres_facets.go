package search

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const (
	defaultValues = 20
	// maxFaceted bounds the matches that facets are counted over, where there is no text to narrow them.
	maxFaceted = 50_000
)

// facets counts the values of the requested fields: all of them over one reading of the matches, and each disjunctive
// one that the query filters by over another, without its own condition.
func (s *searcher) facets(ctx context.Context) error {
	s.result.Facets = map[Field]Facet{}
	var shared []FacetRequest
	for _, r := range s.q.Facets {
		if _, err := columnOf(r.Field); err != nil {
			return err
		}
		if slices.ContainsFunc(shared, func(o FacetRequest) bool { return o.Field == r.Field }) {
			continue
		}
		rest := without(s.q.Filter, r.Field)
		if r.Disjunctive && !sameFilter(rest, s.q.Filter) {
			if err := s.count(ctx, []FacetRequest{r}, rest); err != nil {
				return err
			}
			continue
		}
		shared = append(shared, r)
	}
	return s.count(ctx, shared, s.q.Filter)
}

// sameFilter compares by what the filters say.
func sameFilter(a, b Filter) bool {
	var x, y conditions
	one, err1 := x.filter(a)
	two, err2 := y.filter(b)
	return err1 == nil && err2 == nil && one == two && fmt.Sprint(x.args) == fmt.Sprint(y.args)
}

// value is one row of the counts.
type value struct {
	Field    Field
	Value    string
	N        int
	Min, Max *int64
	Matches  int
}

func (s *searcher) count(ctx context.Context, requests []FacetRequest, filter Filter) error {
	if len(requests) == 0 {
		return nil
	}
	var c conditions
	where, err := s.where(&c, filter, s.text(s.reached))
	if err != nil {
		return err
	}
	sql, limits := facetSQL(&c, requests, where)
	rows, err := s.tx.Query(ctx, sql, c.args...)
	var list []value
	if err == nil {
		list, err = pgx.CollectRows(rows, pgx.RowToStructByName[value])
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == "57014" && ctx.Err() == nil {
		return errPartial
	}
	if err != nil {
		return err
	}
	for _, r := range requests {
		s.result.Facets[r.Field] = Facet{Exact: true}
	}
	for _, v := range list {
		f := s.result.Facets[v.Field]
		f.Exact = v.Matches <= maxFaceted
		if v.Min != nil {
			f.Min, f.Max = v.Min, v.Max
		} else if v.N > 0 && len(f.Values) < limits[v.Field] {
			f.Values = append(f.Values, FacetValue{v.Value, v.N})
		}
		s.result.Facets[v.Field] = f
	}
	return nil
}

// facetSQL writes one statement for all fields: GROUPING SETS over those with one value, and one branch each for those
// with many and for numbers.
func facetSQL(c *conditions, requests []FacetRequest, where string) (string, map[Field]int) {
	limits := map[Field]int{}
	var names, sets, values, branches []string
	var is strings.Builder
	for _, r := range requests {
		limits[r.Field] = pageSize(r.Limit, defaultValues)
		col, _ := columnOf(r.Field) // checked by facets
		names = append(names, col.name)
		field := c.arg(string(r.Field)) + "::text"
		switch col.form {
		case formText, formFlag:
			sets = append(sets, "("+col.name+")")
			values = append(values, col.name+"::text")
			fmt.Fprintf(&is, " WHEN grouping(%s) = 0 THEN %s", col.name, field)
		case formTexts:
			branches = append(branches, fmt.Sprintf(`SELECT %s, v, count(*), NULL::bigint, NULL::bigint FROM matched, unnest(%s) v GROUP BY v`, field, col.name))
		case formNumber:
			branches = append(branches, fmt.Sprintf(`SELECT %s, '', 0, min(%s), max(%[2]s) FROM matched`, field, col.name))
		case formTime:
			branches = append(branches, fmt.Sprintf(`SELECT %s, '', 0, floor(extract(epoch FROM min(%s)))::bigint,
				floor(extract(epoch FROM max(%[2]s)))::bigint FROM matched`, field, col.name))
		}
	}
	if len(sets) > 0 {
		branches = append(branches, `SELECT CASE`+is.String()+` END, coalesce(`+strings.Join(values, ", ")+`), count(*), NULL, NULL
			FROM matched GROUP BY GROUPING SETS (`+strings.Join(sets, ", ")+`)`)
	}
	slices.Sort(names)
	return `WITH matched AS MATERIALIZED (SELECT ` + strings.Join(slices.Compact(names), ", ") + ` FROM search_items WHERE ` + where + fmt.Sprintf(` LIMIT %d`, maxFaceted+1) + `),
		counted (field, value, n, min, max) AS (` + strings.Join(branches, " UNION ALL ") + `),
		ordered AS (SELECT *, row_number() OVER (PARTITION BY field ORDER BY n DESC, value COLLATE "C") AS place FROM counted WHERE value <> '' OR min IS NOT NULL)
		SELECT field, coalesce(value, '') AS value, n::int, min, max, (SELECT count(*) FROM matched)::int AS matches
		FROM ordered WHERE place <= 100 ORDER BY field, place`, limits
}
