package search

import (
	"context"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
)

// change is what a batch does to the counts of words and documents.
type change struct {
	words                             map[string]int
	curated                           map[string]struct{}
	docs, titleLen, namesLen, bodyLen int
}

func newChange() *change { return &change{words: map[string]int{}, curated: map[string]struct{}{}} }

func (c *change) add(v vector) {
	for lexeme := range v.lexemes {
		c.words[lexeme]++
	}
	for lexeme := range v.curated {
		c.curated[lexeme] = struct{}{}
	}
	c.docs++
	c.titleLen += v.titleLen
	c.namesLen += v.namesLen
	c.bodyLen += v.bodyLen
}

func (c *change) remove(row storedItem) {
	for _, lexeme := range row.Lexemes {
		c.words[lexeme]--
	}
	c.docs--
	c.titleLen -= row.TitleLen
	c.namesLen -= row.NamesLen
	c.bodyLen -= row.BodyLen
}

// save writes the counts, and the spellings of words that became worth correcting to.
func (c *change) save(ctx context.Context, tx pgx.Tx) error {
	words := make([]string, 0, len(c.words))
	for word, n := range c.words {
		if n != 0 {
			words = append(words, word)
		}
	}
	slices.Sort(words)
	counts := make([]int32, len(words))
	for i, word := range words {
		counts[i] = int32(c.words[word])
	}
	if len(words) > 0 {
		rows, err := tx.Query(ctx, `WITH counted AS (
				INSERT INTO search_words AS w (word, docs) SELECT word, n FROM unnest($1::text[], $2::int[]) AS new (word, n)
				ON CONFLICT (word) DO UPDATE SET docs = greatest(w.docs + excluded.docs, 0)
				RETURNING word, docs, typos)
			SELECT word, docs FROM counted WHERE NOT typos`, words, counts)
		if err != nil {
			return err
		}
		var due []string
		var word string
		var docs int
		_, err = pgx.ForEachRow(rows, []any{&word, &docs}, func() error {
			if _, ok := c.curated[word]; docs >= 2 || ok && docs == 1 {
				due = append(due, word)
			}
			return nil
		})
		if err != nil {
			return err
		}
		if err := saveTypos(ctx, tx, due); err != nil {
			return err
		}
	}
	if c.docs == 0 && c.titleLen == 0 && c.namesLen == 0 && c.bodyLen == 0 {
		return nil
	}
	_, err := tx.Exec(ctx, `UPDATE search_state SET docs = docs + $1, title_len = title_len + $2, names_len = names_len + $3,
		body_len = body_len + $4`, c.docs, c.titleLen, c.namesLen, c.bodyLen)
	return err
}

// saveTypos makes words findable by spellings that are one mistake away, and marks them as done.
func saveTypos(ctx context.Context, tx pgx.Tx, words []string) error {
	if len(words) == 0 {
		return nil
	}
	var parts, of []string
	for _, word := range words {
		if !correctable(word, minTypoWord) {
			continue
		}
		for _, part := range deletes(word) {
			parts, of = append(parts, part), append(of, word)
		}
	}
	if len(parts) > 0 {
		_, err := tx.Exec(ctx, `INSERT INTO search_typos (part, word) SELECT * FROM unnest($1::text[], $2::text[]) ON CONFLICT DO NOTHING`,
			parts, of)
		if err != nil {
			return err
		}
	}
	_, err := tx.Exec(ctx, `UPDATE search_words SET typos = true WHERE word = ANY($1)`, words)
	return err
}

const (
	minTypoWord  = 4 // letters of a word that a mistake may be corrected to
	minTypoQuery = 5 // letters of a word that may be corrected
	maxTypoWord  = 24
	// maxSpellings bounds what one word may be corrected to.
	maxSpellings = 5
)

// correctable reports whether the lexeme is a word of letters, of at least so many: not a stem, a tag, a number, an
// article code or a pair of characters.
func correctable(lexeme string, least int) bool {
	n := 0
	for _, r := range lexeme {
		if !unicode.IsLetter(r) || dense(r) {
			return false
		}
		n++
	}
	return n >= least && n <= maxTypoWord
}

// deletes returns the word minus one letter, each once.
func deletes(word string) []string {
	list := make([]string, 0, len(word))
	for i, r := range word {
		part := word[:i] + word[i+utf8.RuneLen(r):]
		if len(list) == 0 || list[len(list)-1] != part { // double letters give the same part
			list = append(list, part)
		}
	}
	return list
}

// spellings returns for each misspelt word of the query what it may have meant: words of the index one mistake away,
// most frequent first. A word counts as misspelt when the index has it not, or ten times less often than the other.
func spellings(ctx context.Context, tx pgx.Tx, clauses []clause, df map[string]int, typing bool) (map[string][]string, error) {
	found := map[string][]string{}
	for i, c := range clauses {
		if !correctable(c.word, minTypoQuery) {
			continue
		}
		known := max(df[c.word], df[stemMark+c.word])
		for _, s := range c.stems {
			known = max(known, df[s], df[stemMark+s])
		}
		if typing && i == len(clauses)-1 {
			known = max(known, df[c.word+prefixMark])
		}
		parts := deletes(c.word)
		rows, err := tx.Query(ctx, `SELECT w.word, w.docs
			FROM (SELECT word FROM search_typos WHERE part = ANY($1) OR part = $2 UNION SELECT unnest($1::text[])) near
			CROSS JOIN LATERAL (SELECT word, docs FROM search_words WHERE word = near.word LIMIT 1) w
			WHERE w.docs >= $3 ORDER BY w.docs DESC, w.word LIMIT 50`, parts, c.word, max(10*known, 1))
		if err != nil {
			return nil, err
		}
		var word string
		var docs int
		_, err = pgx.ForEachRow(rows, []any{&word, &docs}, func() error {
			if word != c.word && correctable(word, minTypoWord) && oneMistake(c.word, word) && len(found[c.word]) < maxSpellings {
				found[c.word] = append(found[c.word], word)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

// oneMistake reports whether a becomes b by one letter more, less, or another, or by two neighbours changing places.
func oneMistake(a, b string) bool {
	x, y := []rune(a), []rune(b)
	if len(x) > len(y) {
		x, y = y, x
	}
	if len(y)-len(x) > 1 {
		return false
	}
	i := 0
	for i < len(x) && x[i] == y[i] {
		i++
	}
	if len(x) < len(y) {
		return slices.Equal(x[i:], y[i+1:])
	}
	if i == len(x) {
		return true
	}
	if slices.Equal(x[i+1:], y[i+1:]) {
		return true
	}
	return i+1 < len(x) && x[i] == y[i+1] && x[i+1] == y[i] && slices.Equal(x[i+2:], y[i+2:])
}

// prefixMark ends the name under which frequencies keeps the documents of all words with a prefix.
const prefixMark = "*"

// frequencies returns in how many documents the terms of the clauses occur, and how often words with the unfinished
// last one as prefix, under that with prefixMark.
func frequencies(ctx context.Context, tx pgx.Tx, clauses []clause, typing bool) (map[string]int, error) {
	var terms []string
	for _, c := range clauses {
		if c.word != "" {
			terms = append(terms, c.word, stemMark+c.word)
		}
		for _, s := range c.stems {
			terms = append(terms, s, stemMark+s)
		}
		terms = append(terms, c.pairs()...)
		if len(c.run) == 1 {
			terms = append(terms, string(c.run))
		}
	}
	df := map[string]int{}
	rows, err := tx.Query(ctx, `SELECT word, docs FROM search_words WHERE word = ANY($1)`, terms)
	if err != nil {
		return nil, err
	}
	var word string
	var docs int
	if _, err = pgx.ForEachRow(rows, []any{&word, &docs}, func() error { df[word] = docs; return nil }); err != nil {
		return nil, err
	}
	if last := clauses[len(clauses)-1]; typing && last.word != "" {
		low, high := prefixRange(last.word)
		err = tx.QueryRow(ctx, `SELECT coalesce(sum(docs), 0)::int FROM search_words WHERE word >= $1 AND word < $2`, low, high).Scan(&docs)
		df[last.word+prefixMark] = docs
	}
	return df, err
}

// prefixRange bounds the words that begin with prefix, in the byte order of collation C.
func prefixRange(prefix string) (low, high string) { return prefix, prefix + "\U0010FFFF" }

// Suggest implements Index: completions of the last word from the words of the index, and whole tags.
func (p *Postgres) Suggest(ctx context.Context, q SuggestQuery) (_ []Suggestion, err error) {
	defer wrap(&err, "suggest")
	clauses := parse(q.Text)
	if len(clauses) == 0 {
		return nil, nil
	}
	last := clauses[len(clauses)-1]
	if utf8.RuneCountInString(last.word) == 1 {
		return nil, nil // a letter begins too much to say anything
	}
	prefix := last.word + string(last.run)
	low, high := prefixRange(prefix)
	tagLow, tagHigh := prefixRange(tagMark + prefix)
	rows, err := p.pool.Query(ctx, `SELECT ltrim(word, '#') AS text, max(docs) AS count FROM search_words
		WHERE docs > 0 AND (word >= $1 AND word < $2 AND $5 OR word >= $3 AND word < $4)
		GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT $6`, low, high, tagLow, tagHigh, last.word != "", pageSize(q.Limit, 8))
	if err != nil {
		return nil, err
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[Suggestion])
	if err != nil {
		return nil, err
	}
	for i := range list {
		list[i].Text = strings.TrimLeft(q.Text[:last.start], " ") + list[i].Text
	}
	return list, nil
}

func pageSize(limit, fallback int) int {
	if limit <= 0 {
		return fallback
	}
	return min(limit, 100)
}
