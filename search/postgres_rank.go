package search

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	// maxCandidates are ranked at all: the newest matches.
	maxCandidates = 2000
	// commonDocs is in how many documents a word is common: more than are counted, with a margin for expired ones.
	commonDocs = maxExact * 5 / 4
	// maxSecond are ranked by the positions of the words.
	maxSecond = 200
	// firstWeights of ts_rank, for D, C, B and A.
	firstWeights = `'{0.1, 0.2, 0.6, 1.0}'`
)

// candidate is a match on its way to become a hit. Order: as written before misspelt, the second stage before the
// rest, then the score, then the ID.
type candidate struct {
	DocID    ID
	GroupKey string
	Rank     float64 // ts_rank, of the first stage
	Exact    bool    // matches the query as written
	Total    int

	second  bool // was ranked by positions
	score   float64
	parts   []Part
	matched []Field
}

func compare(a, b candidate) int {
	flag := func(x, y bool) int {
		switch {
		case x == y:
			return 0
		case x:
			return -1
		}
		return 1
	}
	return cmp.Or(flag(a.Exact, b.Exact), flag(a.second, b.second), cmp.Compare(b.score, a.score), cmp.Compare(a.DocID, b.DocID))
}

// candidates finds the newest matches, best of the first stage first, and how many matches there are.
func (s *searcher) candidates(ctx context.Context, e effort) (found, error) {
	var c conditions
	text := s.text(e)
	where, err := s.where(&c, s.q.Filter, text)
	if err != nil {
		return found{}, err
	}
	depth, counted := max(maxSecond, s.offset+s.max+1), "*"
	if s.after != nil || s.q.Distinct || s.q.MinScore > 0 {
		depth = maxCandidates
	}
	if s.q.Distinct {
		counted = "DISTINCT " + groupOf
	}
	// One reading of all matches serves the newest ones and the count. Where there are many, the newest are found from
	// the new end, and counting stops at what is told anyway.
	newest := ` ORDER BY created DESC, doc_id LIMIT ` + strconv.Itoa(maxCandidates)
	with := `WITH matched AS MATERIALIZED (SELECT doc_id, created, group_key FROM search_items WHERE ` + where + `) `
	source, total := `SELECT * FROM matched`+newest, `SELECT count(`+counted+`) FROM matched`
	if s.common(e) && !s.q.Distinct {
		with, source = ``, `SELECT doc_id, created, group_key FROM search_items WHERE `+where+newest
		total = `SELECT count(*) FROM (SELECT FROM search_items WHERE ` + where + ` LIMIT ` + strconv.Itoa(maxExact+1) + `) counted`
		if e.Keep == 1 && s.q.Filter == nil && len(s.q.Exclude.Nodes)+len(s.q.Exclude.Sellers) == 0 {
			total = strconv.Itoa(maxExact + 1) // as the frequency of the word says already
		}
	}
	exact := "true"
	if written := s.text(effort{Keep: len(s.clauses)}); written != text {
		exact = "i.tsv @@ " + c.arg(written) + "::tsquery"
	}
	// The lateral join reads the vectors of the candidates only, by their key.
	rows, err := s.tx.Query(ctx, with+`SELECT c.doc_id, c.group_key, r.rank, r.exact, (`+total+`) AS total FROM (`+source+`) c
		CROSS JOIN LATERAL (SELECT ts_rank(`+firstWeights+`, i.tsv, `+c.arg(text)+`::tsquery, 1)::float8 AS rank,
			`+exact+` AS exact
			FROM search_items i WHERE i.doc_id = c.doc_id LIMIT 1) r
		ORDER BY r.exact DESC, r.rank DESC, c.created DESC, c.doc_id LIMIT `+strconv.Itoa(depth), c.args...)
	if err != nil {
		return found{}, err
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByNameLax[candidate])
	if err != nil {
		return found{}, err
	}
	f := found{candidates: list}
	if len(list) > 0 {
		f.total = list[0].Total
	}
	return f, nil
}

// common reports whether each clause is in so many documents that most matches need not be looked at.
func (s *searcher) common(e effort) bool {
	for _, c := range s.clauses[:e.Keep] {
		if s.frequency(c) < commonDocs {
			return false
		}
	}
	return true
}

// rank scores the candidates and sorts them. The first ones are ranked by BM25F over title, names and body with the
// document frequencies of the index, the title, the nearness of the words, and freshness; the rest follows as the
// first stage left it.
func (s *searcher) rank(ctx context.Context, e effort, list []candidate) error {
	second := list[:min(len(list), maxSecond)]
	texts, err := s.readTexts(ctx, e, second)
	if err != nil {
		return err
	}
	totals, err := readTotals(ctx, s.tx)
	if err != nil {
		return err
	}
	least := math.Inf(1)
	for i := range second {
		c := &second[i]
		c.second = true
		if t := texts[c.DocID]; t != nil {
			c.score, c.parts, c.matched = s.score(e, t, totals, c.Exact)
		}
		least = min(least, c.score)
	}
	for i := len(second); i < len(list); i++ {
		c := &list[i]
		c.score = least * c.Rank / (1 + c.Rank)
		c.parts = []Part{{"text", c.score}}
	}
	slices.SortFunc(list, compare)
	return nil
}

// Fields of a text, as indexes.
const (
	inTitle = iota
	inNames
	inBody
	fieldCount
)

// place is one occurrence of a term.
type place struct {
	at     int
	field  int
	weight float64 // 1 as written, less for a stem, a longer word or another spelling
}

// matchedText is what a candidate says about the terms of the query.
type matchedText struct {
	lang    string
	created time.Time
	lengths [fieldCount]int
	places  map[string][]place
}

// readTexts reads where the terms of the query stand in the candidates.
func (s *searcher) readTexts(ctx context.Context, e effort, list []candidate) (map[ID]*matchedText, error) {
	terms, prefixes := s.lexemes(e)
	ids := make([]ID, len(list))
	for i, c := range list {
		ids[i] = c.DocID
	}
	c := conditions{}
	wanted := "t.lexeme = ANY(" + c.arg(terms) + "::text[])"
	for _, prefix := range prefixes {
		wanted += " OR starts_with(t.lexeme, " + c.arg(prefix) + "::text)"
	}
	rows, err := s.tx.Query(ctx, `SELECT i.doc_id, i.lang, i.created, i.title_len, i.names_len, i.body_len, t.lexeme, t.positions, t.weights
		FROM unnest(`+c.arg(ids)+`::text[]) AS want (doc_id)
		CROSS JOIN LATERAL (SELECT doc_id, lang, created, title_len, names_len, body_len, tsv FROM search_items s WHERE s.doc_id = want.doc_id LIMIT 1) i
		CROSS JOIN LATERAL unnest(i.tsv) t WHERE t.positions IS NOT NULL AND (`+wanted+`)`, c.args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	texts := map[ID]*matchedText{}
	for rows.Next() {
		var id ID
		var t matchedText
		var lexeme string
		var positions []int16
		var weights []string
		if err := rows.Scan(&id, &t.lang, &t.created, &t.lengths[inTitle], &t.lengths[inNames], &t.lengths[inBody],
			&lexeme, &positions, &weights); err != nil {
			return nil, err
		}
		known := texts[id]
		if known == nil {
			t.places = map[string][]place{}
			known = &t
			texts[id] = known
		}
		for i, at := range positions {
			field := inBody
			switch weights[i] {
			case string(weightTitle):
				field = inTitle
			case string(weightNames):
				field = inNames
			}
			known.places[lexeme] = append(known.places[lexeme], place{at: int(at), field: field})
		}
	}
	return texts, rows.Err()
}

// lexemes lists what the effort's clauses look for: whole lexemes, and beginnings.
func (s *searcher) lexemes(e effort) (terms, prefixes []string) {
	terms, prefixes = []string{}, []string{}
	for i, c := range s.clauses[:e.Keep] {
		switch {
		case len(c.run) == 1:
			prefixes = append(prefixes, string(c.run))
		case len(c.run) > 1:
			terms = append(terms, c.pairs()...)
		default:
			terms = append(terms, c.word, stemMark+c.word)
			for _, stem := range c.stems {
				terms = append(terms, stem, stemMark+stem)
			}
			if s.unfinished(i) {
				prefixes = append(prefixes, c.word)
			}
			if e.Spelling {
				terms = append(terms, s.spellings[c.word]...)
			}
		}
	}
	return terms, prefixes
}

// unfinished reports whether the clause is a word still being typed.
func (s *searcher) unfinished(i int) bool {
	return s.typing && i == len(s.clauses)-1 && len(s.clauses[i].word) > 1
}

// The weights of the ranking. A word in the title outweighs any number in the body: six, saturated, times allTitle is
// more than the body can reach.
const (
	saturation   = 1.2 // k1 of BM25
	exactTitle   = 2.0
	allTitle     = 1.25
	nearness     = 0.3  // most that words side by side add
	freshness    = 0.15 // most that a new document adds
	freshDays    = 60.0
	readersOwn   = 1.1 // in a language of the reader
	misspelt     = 0.25
	stemWeight   = 0.8
	prefixWeight = 0.6
	otherWeight  = 0.5
)

func fieldWeight(field int) (weight, lengthPenalty float64) {
	switch field {
	case inTitle:
		return 6, 0.3
	case inNames:
		return 2, 0.3
	}
	return 1, 0.6
}

// score is the product of the parts that it returns.
func (s *searcher) score(e effort, t *matchedText, totals totals, exact bool) (float64, []Part, []Field) {
	text, tokens := 0.0, 0
	everyTitle := true
	var matched [fieldCount]bool
	var places [][]place
	for i, c := range s.clauses[:e.Keep] {
		found := s.occurrences(i, c, e, t)
		weight, title := 0.0, false
		for _, p := range found {
			field, penalty := fieldWeight(p.field)
			average := max(totals.average(p.field), 1)
			weight += p.weight * field / (1 - penalty + penalty*float64(t.lengths[p.field])/average)
			title = title || p.field == inTitle
			matched[p.field] = true
		}
		text += s.rarity(c, totals) * weight * (saturation + 1) / (weight + saturation)
		everyTitle = everyTitle && title
		tokens += max(len(c.run), 1)
		places = append(places, found)
	}
	parts := []Part{{"text", text}}
	switch {
	case everyTitle && t.lengths[inTitle] == tokens:
		parts = append(parts, Part{"title", exactTitle})
	case everyTitle:
		parts = append(parts, Part{"title", allTitle})
	}
	if near := closeness(places); near > 0 {
		parts = append(parts, Part{"proximity", 1 + nearness*near})
	}
	age := max(s.asOf.Sub(t.created).Hours()/24, 0)
	parts = append(parts, Part{"fresh", 1 + freshness*math.Exp(-age/freshDays)})
	if primary, _, _ := strings.Cut(t.lang, "-"); primary != "" && slices.ContainsFunc(s.q.Locales, func(l string) bool {
		own, _, _ := strings.Cut(l, "-")
		return strings.EqualFold(own, primary)
	}) {
		parts = append(parts, Part{"language", readersOwn})
	}
	if !exact {
		parts = append(parts, Part{"spelling", misspelt})
	}
	score := 1.0
	for _, p := range parts {
		score *= p.Value
	}
	var fields []Field
	for i, name := range [fieldCount]Field{FieldTitle, FieldNames, FieldBody} {
		if matched[i] {
			fields = append(fields, name)
		}
	}
	return score, parts, fields
}

// occurrences are the places of a clause in the text, each position once.
func (s *searcher) occurrences(i int, c clause, e effort, t *matchedText) []place {
	switch {
	case len(c.run) == 1:
		return t.byPrefix(string(c.run), 1)
	case len(c.run) > 1:
		if found := t.runs(c.pairs()); len(found) > 0 || !e.Spelling {
			return found
		}
		return t.weighed(c.pairs(), otherWeight)
	}
	found := t.weighed([]string{c.word}, 1)
	variants := []string{stemMark + c.word}
	for _, stem := range c.stems {
		variants = append(variants, stem, stemMark+stem)
	}
	found = append(found, t.weighed(variants, stemWeight)...)
	if s.unfinished(i) {
		found = append(found, t.byPrefix(c.word, prefixWeight)...)
	}
	if e.Spelling {
		found = append(found, t.weighed(s.spellings[c.word], otherWeight)...)
	}
	slices.SortStableFunc(found, func(a, b place) int { return cmp.Or(a.at-b.at, cmp.Compare(b.weight, a.weight)) })
	return slices.CompactFunc(found, func(a, b place) bool { return a.at == b.at })
}

func (t *matchedText) weighed(terms []string, weight float64) []place {
	var found []place
	for _, term := range terms {
		for _, p := range t.places[term] {
			p.weight = weight
			found = append(found, p)
		}
	}
	return found
}

func (t *matchedText) byPrefix(prefix string, weight float64) []place {
	var found []place
	for term, places := range t.places {
		if strings.HasPrefix(term, prefix) {
			for _, p := range places {
				p.weight = weight
				found = append(found, p)
			}
		}
	}
	slices.SortFunc(found, func(a, b place) int { return a.at - b.at })
	return slices.CompactFunc(found, func(a, b place) bool { return a.at == b.at })
}

// runs are the places where the pairs follow one another.
func (t *matchedText) runs(pairs []string) []place {
	var found []place
	for _, first := range t.places[pairs[0]] {
		whole := true
		for i, pair := range pairs[1:] {
			if !slices.ContainsFunc(t.places[pair], func(p place) bool { return p.at == first.at+i+1 }) {
				whole = false
				break
			}
		}
		if whole {
			first.weight = 1
			found = append(found, first)
		}
	}
	return found
}

// closeness is 1 where the clauses stand side by side somewhere, and falls towards 0 with the distance.
func closeness(clauses [][]place) float64 {
	if len(clauses) < 2 {
		return 0
	}
	sum := 0.0
	for i := 1; i < len(clauses); i++ {
		best := math.Inf(1)
		for _, a := range clauses[i-1] {
			for _, b := range clauses[i] {
				if a.field == b.field {
					best = min(best, math.Abs(float64(a.at-b.at)))
				}
			}
		}
		sum += 1 / max(best, 1)
	}
	return sum / float64(len(clauses)-1)
}

// frequency is in how many documents a clause occurs, about.
func (s *searcher) frequency(c clause) int {
	docs := 0
	switch {
	case len(c.run) > 1: // as rare as its rarest pair, at least
		docs = math.MaxInt
		for _, pair := range c.pairs() {
			docs = min(docs, s.df[pair])
		}
	case len(c.run) == 1:
		docs = s.df[string(c.run)]
	default:
		docs = max(s.df[c.word], s.df[c.word+prefixMark], s.df[stemMark+c.word])
	}
	return docs
}

// rarity is the inverse document frequency of a clause.
func (s *searcher) rarity(c clause, totals totals) float64 {
	docs := s.frequency(c)
	n := math.Max(float64(totals.Docs), float64(docs))
	return math.Log(1 + (n-float64(docs)+0.5)/(float64(docs)+0.5))
}

// totals of the whole index.
type totals struct{ Docs, TitleLen, NamesLen, BodyLen int64 }

func readTotals(ctx context.Context, tx pgx.Tx) (totals, error) {
	rows, err := tx.Query(ctx, `SELECT docs, title_len, names_len, body_len FROM search_state`)
	if err != nil {
		return totals{}, err
	}
	return pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[totals])
}

// average is the mean length of a field in tokens.
func (t totals) average(field int) float64 {
	sum := [fieldCount]int64{t.TitleLen, t.NamesLen, t.BodyLen}[field]
	return float64(sum) / float64(max(t.Docs, 1))
}
