package search

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// nextTable is the index being built. While it exists, writers write to both.
const nextTable = "search_items_next"

// Rebuild implements Index. It fills a table beside the serving one and swaps their names in one transaction.
func (p *Postgres) Rebuild(ctx context.Context, src iter.Seq2[Document, error]) (err error) {
	defer wrap(&err, "rebuild the index")
	conn, err := p.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	var first bool
	if err := conn.QueryRow(ctx, `SELECT pg_try_advisory_lock($1)`, int64(rebuildLock)).Scan(&first); err != nil {
		return err
	}
	if !first {
		return ErrBusy
	}
	defer func() {
		// A cancelled rebuild must not keep the lock, nor leave a table that every writer fills.
		ctx := context.WithoutCancel(ctx)
		if err != nil {
			err = errors.Join(err, p.write(ctx, func(tx pgx.Tx, _ bool) error {
				_, err := tx.Exec(ctx, `DROP TABLE IF EXISTS `+nextTable)
				return err
			}))
		}
		_, uerr := conn.Exec(ctx, `SELECT pg_advisory_unlock($1)`, int64(rebuildLock))
		err = errors.Join(err, uerr)
	}()
	if err := p.createNext(ctx); err != nil {
		return err
	}
	if err := p.fillNext(ctx, src); err != nil {
		return err
	}
	indexes, err := p.indexNext(ctx)
	if err != nil {
		return err
	}
	return p.swap(ctx, indexes)
}

// createNext makes the empty table, under the writers' lock: every change that ends later goes to it too, and what
// ended before is in what src yields.
func (p *Postgres) createNext(ctx context.Context) error {
	return p.write(ctx, func(tx pgx.Tx, _ bool) error {
		for _, sql := range []string{
			`DROP TABLE IF EXISTS ` + nextTable, // of an interrupted rebuild
			`CREATE TABLE ` + nextTable + ` (LIKE search_items INCLUDING ALL EXCLUDING INDEXES)`,
			`ALTER TABLE ` + nextTable + ` SET (toast_tuple_target = 256, autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05)`,
			`ALTER TABLE ` + nextTable + ` ADD CONSTRAINT ` + nextTable + `_pkey PRIMARY KEY (doc_id)`,
		} {
			if _, err := tx.Exec(ctx, sql); err != nil {
				return err
			}
		}
		return nil
	})
}

func (p *Postgres) fillNext(ctx context.Context, src iter.Seq2[Document, error]) error {
	batch := map[ID]prepared{}
	flush := func() error {
		docs := make([]prepared, 0, len(batch))
		for _, d := range batch {
			docs = append(docs, d)
		}
		// One order for all writers of the table, or two batches could lock each other out.
		slices.SortFunc(docs, func(a, b prepared) int { return strings.Compare(string(a.ID), string(b.ID)) })
		clear(batch)
		return p.write(ctx, func(tx pgx.Tx, _ bool) error { return insertItems(ctx, tx, nextTable, docs) })
	}
	for d, err := range src {
		if err != nil {
			return err
		}
		d.ID = IDOf(d.URI)
		if old, ok := batch[d.ID]; ok && old.Version > d.Version {
			continue
		}
		batch[d.ID] = prepared{d, vectorOf(d)}
		if len(batch) == batchSize {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return flush()
}

// indexNext gives the table the other indexes of the serving one, and returns their names there. They are built after
// the rows, which is three times as fast.
func (p *Postgres) indexNext(ctx context.Context) ([]string, error) {
	rows, err := p.pool.Query(ctx, `SELECT c.relname, pg_get_indexdef(c.oid) FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid
		WHERE x.indrelid = to_regclass('search_items') AND NOT x.indisprimary ORDER BY c.relname`)
	if err != nil {
		return nil, err
	}
	type index struct{ Name, Def string }
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[index])
	if err != nil {
		return nil, err
	}
	var names []string
	for _, x := range list {
		_, columns, ok := strings.Cut(x.Def, " USING ") // CREATE INDEX name ON schema.table USING method (...) ...
		if !ok {
			return nil, fmt.Errorf("unexpected definition of index %s: %s", x.Name, x.Def)
		}
		sql := `CREATE INDEX ` + pgx.Identifier{x.Name + "_next"}.Sanitize() + ` ON ` + nextTable + ` USING ` + columns
		if _, err := p.pool.Exec(ctx, sql); err != nil {
			return nil, err
		}
		names = append(names, x.Name)
	}
	_, err = p.pool.Exec(ctx, `ANALYZE `+nextTable)
	return names, err
}

// swap puts the new table in place of the old one and counts its words. Searches see the one or the other.
func (p *Postgres) swap(ctx context.Context, indexes []string) error {
	return p.write(ctx, func(tx pgx.Tx, _ bool) error {
		// src may have yielded what was deleted while it was being read.
		_, err := tx.Exec(ctx, `DELETE FROM `+nextTable+` n USING search_gone g WHERE g.doc_id = n.doc_id AND n.version <= g.version`)
		if err != nil {
			return err
		}
		if err := recount(ctx, tx, nextTable); err != nil {
			return err
		}
		statements := []string{
			`DROP TABLE search_items`,
			`ALTER TABLE ` + nextTable + ` RENAME TO search_items`,
			`ALTER TABLE search_items RENAME CONSTRAINT ` + nextTable + `_pkey TO search_items_pkey`,
		}
		for _, name := range indexes {
			statements = append(statements, `ALTER INDEX `+pgx.Identifier{name + "_next"}.Sanitize()+` RENAME TO `+pgx.Identifier{name}.Sanitize())
		}
		for _, sql := range statements {
			if _, err := tx.Exec(ctx, sql); err != nil {
				return err
			}
		}
		_, err = tx.Exec(ctx, `UPDATE search_state SET schema = $1`, postgresSchema)
		return err
	})
}

// Recount counts words and documents again, healing any drift, drops what was expired or deleted more than a week
// ago, and forgets old deletions. Run it once a day.
func (p *Postgres) Recount(ctx context.Context) (err error) {
	defer wrap(&err, "recount the index")
	return p.write(ctx, func(tx pgx.Tx, _ bool) error {
		old := p.now().Add(-goneFor)
		if _, err := tx.Exec(ctx, `DELETE FROM search_items WHERE expires < $1`, old); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM search_gone WHERE at < $1`, old); err != nil {
			return err
		}
		return recount(ctx, tx, "search_items")
	})
}

func recount(ctx context.Context, tx pgx.Tx, table string) error {
	all := `ts_stat('SELECT tsv FROM ` + table + `')`
	curated := `ts_stat('SELECT tsv FROM ` + table + `', 'ab')`
	for _, sql := range []string{
		`CREATE TEMPORARY TABLE search_counted ON COMMIT DROP AS SELECT word COLLATE "C" AS word, ndoc::int AS docs FROM ` + all,
		`ANALYZE search_counted`,
		`UPDATE search_words w SET docs = c.docs FROM search_counted c WHERE c.word = w.word AND c.docs <> w.docs`,
		`INSERT INTO search_words (word, docs) SELECT word, docs FROM search_counted ON CONFLICT DO NOTHING`,
		`DELETE FROM search_words w WHERE NOT EXISTS (SELECT FROM search_counted c WHERE c.word = w.word)`,
		`DELETE FROM search_typos t WHERE NOT EXISTS (SELECT FROM search_words w WHERE w.word = t.word)`,
		`UPDATE search_state SET (docs, title_len, names_len, body_len) = (SELECT count(*), coalesce(sum(title_len), 0),
			coalesce(sum(names_len), 0), coalesce(sum(body_len), 0) FROM ` + table + `)`,
	} {
		if _, err := tx.Exec(ctx, sql); err != nil {
			return err
		}
	}
	rows, err := tx.Query(ctx, `SELECT word FROM search_words WHERE NOT typos
		AND (docs >= 2 OR word IN (SELECT word FROM `+curated+`)) ORDER BY word`)
	if err != nil {
		return err
	}
	due, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for words := range slices.Chunk(due, 2000) {
		if err := saveTypos(ctx, tx, words); err != nil {
			return err
		}
	}
	_, err = tx.Exec(ctx, `ANALYZE search_words, search_typos`)
	return err
}

// strays compares the index with the rows: addresses that search may show and the index lacks, and those that the index
// has and search may not show; at most limit of each. What changed in the last hour is left to the outbox.
func (p *Postgres) strays(ctx context.Context, limit int) (missing, extra []string, err error) {
	defer wrap(&err, "compare the index with the rows")
	rows, err := p.pool.Query(ctx, `SELECT p.uri FROM posts p JOIN accounts a ON a.id = p.account_id
		WHERE p.deleted IS NULL AND p.visibility = 'public' AND p.kind IN ('note', 'listing') AND p.published < $1
			AND a.indexable AND a.suspended IS NULL AND a.deleted IS NULL
			AND NOT EXISTS (SELECT FROM listings l WHERE l.id = p.id AND (l.state NOT IN ('published', 'sold_out') OR l.expires <= $2))
			AND NOT EXISTS (SELECT FROM hosts h WHERE h.host = a.host AND h.severity <> '')
			AND NOT EXISTS (SELECT FROM search_items i WHERE i.uri = p.uri) LIMIT $3`, p.now().Add(-time.Hour), p.now(), limit)
	if err != nil {
		return nil, nil, err
	}
	if missing, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
		return nil, nil, err
	}
	rows, err = p.pool.Query(ctx, `SELECT i.uri FROM search_items i WHERE i.updated < $1
			AND NOT EXISTS (SELECT FROM posts p WHERE p.uri = i.uri AND p.deleted IS NULL AND p.visibility = 'public')
			AND NOT EXISTS (SELECT FROM accounts a WHERE a.uri = i.uri AND a.deleted IS NULL AND a.discoverable) LIMIT $2`,
		p.now().Add(-time.Hour), limit)
	if err != nil {
		return nil, nil, err
	}
	extra, err = pgx.CollectRows(rows, pgx.RowTo[string])
	return missing, extra, err
}
