package search

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

// position is where a page ended, as a Cursor carries it.
type position struct {
	Hash   string    `json:"h"` // of the query, so that no other one continues from here
	At     int64     `json:"t"` // Unix microseconds of the first page
	Effort effort    `json:"e"`
	Values []*string `json:"v,omitempty"` // of the sort keys
	Exact  bool      `json:"x,omitempty"` // of the last candidate, where results are ranked
	Second bool      `json:"s,omitempty"`
	Score  float64   `json:"r,omitempty"`
	ID     ID        `json:"i"`
}

const maxCursor = 4096

func (p position) cursor() (Cursor, error) {
	raw, err := json.Marshal(p)
	return Cursor(base64.RawURLEncoding.EncodeToString(raw)), err
}

func readCursor(c Cursor, hash string) (*position, error) {
	bad := &QueryError{"cursor", "is not of this query"}
	if len(c) > maxCursor {
		return nil, bad
	}
	raw, err := base64.RawURLEncoding.DecodeString(string(c))
	if err != nil {
		return nil, bad
	}
	var p position
	if err := json.Unmarshal(raw, &p); err != nil || p.Hash != hash {
		return nil, bad
	}
	return &p, nil
}

// fingerprint tells queries apart by everything that a page after the first must keep.
func (s *searcher) fingerprint() (string, error) {
	var c conditions
	where, err := c.filter(s.q.Filter)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %s %v %v %v %v %v", s.q.Text, where, c.args, s.keys, s.q.Distinct, s.typing, s.q.Exclude))
	return base64.RawURLEncoding.EncodeToString(sum[:12]), nil
}

// term is one column of an order.
type term struct {
	sql      string
	cast     string // type of its value in a cursor
	desc     bool
	nullable bool // nulls come last either way
}

func (s *searcher) terms(c *conditions) []term {
	var list []term
	for _, k := range s.keys {
		switch k.By {
		case SortNewest:
			list = append(list, term{"created", "timestamptz", !k.Reverse, false})
		case SortPrice: // the reference currency first: other prices cannot be compared with those
			list = append(list, term{"price_ref", "bigint", k.Reverse, true}, term{"price", "bigint", k.Reverse, true})
		case SortDistance:
			list = append(list, term{c.distance(k.From), "float8", k.Reverse, true})
		}
	}
	return list
}

func orderBy(terms []term) string {
	var b strings.Builder
	for _, t := range terms {
		b.WriteString(t.sql)
		if t.desc {
			b.WriteString(" DESC")
			if t.nullable {
				b.WriteString(" NULLS LAST")
			}
		}
		b.WriteString(", ")
	}
	b.WriteString("doc_id")
	return b.String()
}

// beyond writes the condition of rows that come after a position.
func beyond(c *conditions, terms []term, p *position) (string, error) {
	if len(p.Values) != len(terms) {
		return "", &QueryError{"cursor", "is not of this query"}
	}
	sql := "doc_id > " + c.arg(string(p.ID)) + "::text"
	for i := len(terms) - 1; i >= 0; i-- {
		t := terms[i]
		if p.Values[i] == nil {
			sql = "(" + t.sql + " IS NULL AND " + sql + ")"
			continue
		}
		v := c.arg(*p.Values[i]) + "::text::" + t.cast
		operator := " > "
		if t.desc {
			operator = " < "
		}
		later := t.sql + operator + v
		if t.nullable {
			later += " OR " + t.sql + " IS NULL"
		}
		sql = "(" + later + " OR (" + t.sql + " = " + v + " AND " + sql + "))"
		if i == 0 && !t.nullable { // said twice, so that an index can begin here
			sql = t.sql + strings.TrimRight(operator, " ") + "= " + v + " AND " + sql
		}
	}
	return sql, nil
}

// row is what a hit is made from.
type row struct {
	DocID    ID
	URI      string
	Kind     Kind
	Node     string
	Seller   string
	Distance *float64
	Values   []*string
}

func (r row) hit() Hit {
	return Hit{ID: r.DocID, URI: r.URI, Kind: r.Kind, Node: r.Node, Seller: r.Seller, DistanceKm: r.Distance}
}

// columns are those of row, without Values.
func (s *searcher) columns(c *conditions) string {
	distance := "NULL::float8"
	if s.from != nil {
		distance = c.distance(*s.from)
	}
	return "doc_id, uri, kind, node, seller, " + distance + " AS distance"
}

// sortedPage reads a page in an order that the database keeps.
func (s *searcher) sortedPage(ctx context.Context, e effort) error {
	if s.max == 0 {
		return nil
	}
	var c conditions
	terms := s.terms(&c)
	where, err := s.where(&c, s.q.Filter, s.text(e))
	if err != nil {
		return err
	}
	values := make([]string, len(terms))
	for i, t := range terms {
		values[i] = "(" + t.sql + ")::text"
	}
	from := `search_items WHERE ` + where
	if s.q.Distinct {
		from = `(SELECT *, row_number() OVER (PARTITION BY ` + groupOf + ` ORDER BY ` + orderBy(terms) + `) AS nth
			FROM search_items WHERE ` + where + `) grouped WHERE nth = 1`
	}
	if s.after != nil {
		more, err := beyond(&c, terms, s.after)
		if err != nil {
			return err
		}
		from += " AND " + more
	}
	rows, err := s.tx.Query(ctx, `SELECT `+s.columns(&c)+`, ARRAY[`+strings.Join(values, ", ")+`]::text[] AS values FROM `+from+
		` ORDER BY `+orderBy(terms)+` LIMIT `+strconv.Itoa(s.max+1)+` OFFSET `+strconv.Itoa(s.offset), c.args...)
	if err != nil {
		return err
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[row])
	if err != nil {
		return err
	}
	for _, r := range list[:min(len(list), s.max)] {
		s.result.Hits = append(s.result.Hits, r.hit())
	}
	if len(list) <= s.max {
		return nil
	}
	last := list[s.max-1]
	s.result.Next, err = position{Hash: s.hash, At: s.asOf.UnixMicro(), Effort: e, Values: last.Values, ID: last.DocID}.cursor()
	return err
}

// rankedPage ranks the candidates and cuts the page out of them.
func (s *searcher) rankedPage(ctx context.Context, e effort, list []candidate) error {
	if s.max == 0 {
		return nil
	}
	if err := s.rank(ctx, e, list); err != nil {
		return err
	}
	if s.q.Distinct {
		seen := map[string]bool{}
		list = slices.DeleteFunc(list, func(c candidate) bool {
			again := c.GroupKey != "" && seen[c.GroupKey]
			seen[c.GroupKey] = true
			return again
		})
	}
	if s.q.MinScore > 0 {
		list = slices.DeleteFunc(list, func(c candidate) bool { return c.score < s.q.MinScore })
	}
	start := min(s.offset, len(list))
	if s.after != nil {
		start, _ = slices.BinarySearchFunc(list, s.after, func(c candidate, p *position) int {
			// The position itself counts as before, so the search ends behind it.
			if compare(c, candidate{DocID: p.ID, Exact: p.Exact, second: p.Second, score: p.Score}) <= 0 {
				return -1
			}
			return 1
		})
	}
	page := list[start:min(start+s.max, len(list))]
	if err := s.load(ctx, page); err != nil {
		return err
	}
	if start+len(page) >= len(list) || len(page) == 0 {
		return nil
	}
	last := page[len(page)-1]
	var err error
	s.result.Next, err = position{Hash: s.hash, At: s.asOf.UnixMicro(), Effort: e, Exact: last.Exact, Second: last.second,
		Score: last.score, ID: last.DocID}.cursor()
	return err
}

// load makes hits of candidates, leaving out what vanished meanwhile.
func (s *searcher) load(ctx context.Context, page []candidate) error {
	var c conditions
	ids := make([]ID, len(page))
	for i, p := range page {
		ids[i] = p.DocID
	}
	columns := s.columns(&c)
	rows, err := s.tx.Query(ctx, `SELECT `+columns+`, NULL::text[] AS values FROM search_items WHERE doc_id = ANY(`+c.arg(ids)+`)`, c.args...)
	if err != nil {
		return err
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[row])
	if err != nil {
		return err
	}
	byID := map[ID]row{}
	for _, r := range list {
		byID[r.DocID] = r
	}
	for _, p := range page {
		r, ok := byID[p.DocID]
		if !ok {
			continue
		}
		hit := r.hit()
		hit.Score, hit.Parts, hit.Matched = p.score, p.parts, p.matched
		s.result.Hits = append(s.result.Hits, hit)
	}
	return nil
}
