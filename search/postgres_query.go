package search

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	defaultBudget = 2 * time.Second
	defaultPage   = 20
	maxExact      = 10_000 // hits that are counted exactly
	// fewHits is when a query looks for other spellings.
	fewHits = 5
)

// errPartial ends the reading of a result whose facets took too long.
var errPartial = errors.New("facets took too long")

// searcher answers one query in one read-only transaction.
type searcher struct {
	q           Query
	now         time.Time
	asOf        time.Time // of the first page, so that freshness does not reorder the next ones
	clauses     []clause
	typing      bool
	keys        []SortKey
	from        *Point // what distances are measured from
	offset, max int
	hash        string
	after       *position

	tx        pgx.Tx
	df        map[string]int
	spellings map[string][]string
	reached   effort // the effort that the hits are of
	result    *Result
}

// effort is how far a query is stretched to find something: other spellings, fewer of its words.
type effort struct {
	Spelling bool
	Keep     int // clauses that must match; the others need not
}

// Search implements Index. Up to three efforts: as written; with other spellings and split runs where that found few;
// without the last words where that found nothing.
func (p *Postgres) Search(ctx context.Context, q Query) (_ *Result, err error) {
	defer wrap(&err, "search")
	started := time.Now()
	s, err := newSearcher(q, p.now())
	if err != nil {
		return nil, err
	}
	budget := q.Budget
	if budget <= 0 {
		budget = defaultBudget
	}
	err = pgx.BeginTxFunc(ctx, p.pool, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		s.tx = tx
		if err := limitTime(ctx, tx, budget); err != nil {
			return err
		}
		if err := s.read(ctx); err != nil {
			return err
		}
		if len(q.Facets) == 0 {
			return nil
		}
		if err := limitTime(ctx, tx, budget-time.Since(started)); err != nil {
			return err
		}
		return s.facets(ctx)
	})
	if errors.Is(err, errPartial) {
		s.result.Partial, err = true, nil
	}
	if err != nil {
		return nil, err
	}
	s.result.Took = time.Since(started)
	return s.result, nil
}

// limitTime bounds each statement that follows. Plans are made for the values at hand: a generic one would treat a
// rare word and a common one alike. JIT compilation costs more than such queries take. A sequential scan, which the
// planner likes for common words, would fetch every vector from beside the table.
func limitTime(ctx context.Context, tx pgx.Tx, budget time.Duration) error {
	ms := strconv.FormatInt(max(budget.Milliseconds(), 1), 10)
	_, err := tx.Exec(ctx, `SELECT set_config('statement_timeout', $1, true), set_config('plan_cache_mode', 'force_custom_plan', true),
		set_config('jit', 'off', true), set_config('enable_seqscan', 'off', true)`, ms)
	return err
}

func newSearcher(q Query, now time.Time) (*searcher, error) {
	s := &searcher{q: q, now: now, asOf: now, clauses: parse(q.Text), result: &Result{Engine: engineName}}
	s.typing = q.Typing && !strings.HasSuffix(q.Text, " ")
	if err := s.order(); err != nil {
		return nil, err
	}
	hash, err := s.fingerprint()
	if err != nil {
		return nil, err
	}
	s.hash = hash
	s.max = defaultPage
	if q.Page.Limit > 0 {
		s.max = q.Page.Limit
	}
	if q.Page.After != "" {
		s.max = min(s.max, MaxWindow)
		if s.after, err = readCursor(q.Page.After, s.hash); err != nil {
			return nil, err
		}
		s.asOf = time.UnixMicro(s.after.At).UTC()
		return s, nil
	}
	s.offset = min(max(q.Page.Offset, 0), MaxWindow)
	s.max = min(s.max, MaxWindow-s.offset)
	return s, nil
}

// order settles the sort keys and the point that distances are measured from.
func (s *searcher) order() error {
	s.keys = slices.Clone(s.q.Sort)
	if len(s.keys) == 0 {
		s.keys = []SortKey{{By: SortRelevance}}
	}
	if len(s.clauses) == 0 { // nothing to be relevant to
		s.keys = slices.DeleteFunc(s.keys, func(k SortKey) bool { return k.By == SortRelevance })
		if len(s.keys) == 0 {
			s.keys = []SortKey{{By: SortNewest}}
		}
	}
	s.from = firstWithin(s.q.Filter)
	for _, k := range s.keys {
		switch k.By {
		case SortRelevance, SortNewest, SortPrice:
		case SortDistance:
			if !validPoint(k.From) {
				return &QueryError{"sort", "needs a place"}
			}
			s.from = &k.From
		default:
			return &QueryError{"sort", "has no order " + strconv.Quote(string(k.By))}
		}
	}
	return nil
}

func firstWithin(f Filter) *Point {
	switch f := f.(type) {
	case Within:
		return &f.Point
	case And:
		for _, part := range f {
			if p := firstWithin(part); p != nil {
				return p
			}
		}
	}
	return nil
}

func (s *searcher) ranked() bool { return s.keys[0].By == SortRelevance }

// where writes the conditions of the query with another filter and text query (empty: any text).
func (s *searcher) where(c *conditions, filter Filter, text string) (string, error) {
	sql, err := c.filter(filter)
	if err != nil {
		return "", err
	}
	sql += " AND (expires IS NULL OR expires > " + c.arg(s.now) + "::timestamptz)"
	if nodes := cleanAll(s.q.Exclude.Nodes); len(nodes) > 0 {
		sql += " AND node <> ALL(" + c.arg(nodes) + "::text[])"
	}
	if sellers := cleanAll(s.q.Exclude.Sellers); len(sellers) > 0 {
		sql += " AND seller <> ALL(" + c.arg(sellers) + "::text[])"
	}
	if text != "" {
		sql += " AND tsv @@ " + c.arg(text) + "::tsquery"
	}
	return sql, nil
}

// read finds the page of hits and the total.
func (s *searcher) read(ctx context.Context) (err error) {
	e := effort{Keep: len(s.clauses)}
	if s.after != nil {
		e = s.after.Effort
		if e.Keep < 0 || e.Keep > len(s.clauses) || e.Keep == 0 && len(s.clauses) > 0 {
			return &QueryError{"cursor", "is not of this query"}
		}
	}
	if len(s.clauses) > 0 {
		if s.df, err = frequencies(ctx, s.tx, s.clauses, s.typing); err != nil {
			return err
		}
		if e.Spelling {
			if s.spellings, err = spellings(ctx, s.tx, s.clauses, s.df, s.typing); err != nil {
				return err
			}
		}
	}
	found, err := s.attempt(ctx, e)
	if err != nil {
		return err
	}
	if s.after == nil && len(s.clauses) > 0 {
		if e, found, err = s.stretch(ctx, e, found); err != nil {
			return err
		}
	}
	s.reached = e
	s.result.Total = Total{Value: min(found.total, maxExact), Exact: found.total <= maxExact}
	if s.ranked() {
		return s.rankedPage(ctx, e, found.candidates)
	}
	return s.sortedPage(ctx, e)
}

// found is the outcome of an attempt; candidates only where results are ranked.
type found struct {
	candidates []candidate
	total      int
}

func (s *searcher) attempt(ctx context.Context, e effort) (found, error) {
	if s.ranked() {
		return s.candidates(ctx, e)
	}
	var c conditions
	where, err := s.where(&c, s.q.Filter, s.text(e))
	if err != nil {
		return found{}, err
	}
	sql := `SELECT count(*) FROM (SELECT FROM search_items WHERE ` + where + ` LIMIT ` + strconv.Itoa(maxExact+1) + `) counted`
	if s.q.Distinct {
		sql = `SELECT count(DISTINCT ` + groupOf + `) FROM search_items WHERE ` + where
	}
	var f found
	return f, s.tx.QueryRow(ctx, sql, c.args...).Scan(&f.total)
}

// groupOf is what Distinct shows once.
const groupOf = `coalesce(nullif(group_key, ''), doc_id)`

// stretch makes more effort where few or none were found.
func (s *searcher) stretch(ctx context.Context, e effort, f found) (effort, found, error) {
	nothing := f.total == 0
	if f.total < fewHits {
		var err error
		if s.spellings, err = spellings(ctx, s.tx, s.clauses, s.df, s.typing); err != nil {
			return e, f, err
		}
		wide := effort{Spelling: true, Keep: e.Keep}
		if s.text(wide) != s.text(e) {
			if f, err = s.attempt(ctx, wide); err != nil {
				return e, f, err
			}
			e = wide
			if nothing && f.total > 0 {
				s.result.Corrected = s.corrected()
			}
		}
	}
	for f.total == 0 && e.Keep > 1 {
		e.Keep--
		var err error
		if f, err = s.attempt(ctx, e); err != nil {
			return e, f, err
		}
	}
	return e, f, nil
}

// corrected is the query with misspelt words replaced by the likeliest ones; empty if none was.
func (s *searcher) corrected() string {
	if len(s.spellings) == 0 {
		return ""
	}
	var b strings.Builder
	at := 0
	for _, c := range s.clauses {
		if words := s.spellings[c.word]; c.word != "" && len(words) > 0 {
			b.WriteString(s.q.Text[at:c.start] + words[0])
			at = c.end
		}
	}
	b.WriteString(s.q.Text[at:])
	return b.String()
}

// text writes the tsquery of an effort: all kept clauses must match.
func (s *searcher) text(e effort) string {
	var parts []string
	for i, c := range s.clauses[:e.Keep] {
		parts = append(parts, s.clauseText(c, e, s.unfinished(i)))
	}
	return strings.Join(parts, " & ")
}

func (s *searcher) clauseText(c clause, e effort, unfinished bool) string {
	if c.word == "" {
		text := runText(c.run)
		if e.Spelling {
			for _, pieces := range splits(c.run) {
				var all []string
				for _, piece := range pieces {
					all = append(all, runText(piece))
				}
				text += " | (" + strings.Join(all, " & ") + ")"
			}
		}
		return "(" + text + ")"
	}
	text := quote(c.word)
	if unfinished {
		text += ":*"
	}
	for _, stem := range c.stems {
		text += " | " + quote(stem) + " | " + quote(stemMark+stem)
	}
	text += " | " + quote(stemMark+c.word) // bag finds bags
	if e.Spelling {
		for _, word := range s.spellings[c.word] {
			text += " | " + quote(word)
		}
	}
	return "(" + text + ")"
}

// runText finds a run anywhere in longer ones: its pairs one after the other, or, of a single character, whatever
// begins with it (each run ends with its last character alone).
func runText(run []rune) string {
	if len(run) == 1 {
		return quote(string(run)) + ":*"
	}
	var pairs []string
	for i := 0; i+2 <= len(run); i++ {
		pairs = append(pairs, quote(string(run[i:i+2])))
	}
	return "(" + strings.Join(pairs, " <-> ") + ")"
}

// maxSplits bounds the ways to cut a run.
const maxSplits = 8

// splits cuts a run of four to ten characters into words of two and three, in every way: somebody who writes 手工皮包 may
// mean 手工真皮包.
func splits(run []rune) [][][]rune {
	if len(run) < 4 || len(run) > 10 {
		return nil
	}
	var list [][][]rune
	var cut func(done [][]rune, rest []rune)
	cut = func(done [][]rune, rest []rune) {
		if len(rest) == 0 && len(list) < maxSplits {
			list = append(list, slices.Clone(done))
		}
		for _, n := range []int{2, 3} {
			if len(rest) >= n && len(list) < maxSplits {
				cut(append(slices.Clone(done), rest[:n]), rest[n:])
			}
		}
	}
	cut(nil, run)
	return list
}
