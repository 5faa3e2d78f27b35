package search

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	engineName = "postgres"
	// postgresSchema is the version of what search_items holds: raised when tokens or weights change.
	postgresSchema = 1
	// writerLock makes changes of the index wait for each other, so that word counts stay exact, two batches cannot
	// deadlock, and a rebuild misses none. Searches never take it.
	writerLock = 0x736f756b0001
	// rebuildLock is held for the length of a rebuild.
	rebuildLock = 0x736f756b0002
	// batchSize bounds a transaction of Upsert.
	batchSize = 500
	// goneFor is how long deletions are remembered.
	goneFor = 7 * 24 * time.Hour
)

// Postgres is the built-in engine: it needs nothing but the node's database.
type Postgres struct {
	pool *pgxpool.Pool
	now  func() time.Time
}

// PostgresConfig is what the built-in engine needs. The pool stays the caller's; Now nil is time.Now.
type PostgresConfig struct {
	Pool *pgxpool.Pool
	Now  func() time.Time
}

var _ Index = (*Postgres)(nil)

// NewPostgres returns the built-in engine over a migrated database.
func NewPostgres(cfg PostgresConfig) *Postgres {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Postgres{pool: cfg.Pool, now: cfg.Now}
}

// wrap adds what was being done and turns the database's failures into the errors of Index.
func wrap(err *error, format string, args ...any) {
	if *err == nil {
		return
	}
	var pg *pgconn.PgError
	var connect *pgconn.ConnectError
	cause := *err
	switch {
	case errors.As(cause, &connect):
		cause = errors.Join(ErrUnavailable, cause)
	case errors.As(cause, &pg) && pg.Code == "57014": // query_canceled: statement_timeout
		cause = errors.Join(ErrTimeout, cause)
	case errors.As(cause, &pg) && (strings.HasPrefix(pg.Code, "57P") || strings.HasPrefix(pg.Code, "08") || pg.Code == "53300"):
		cause = errors.Join(ErrUnavailable, cause)
	}
	*err = fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), cause)
}

// prepared is a document with its vector, ready for the row.
type prepared struct {
	Document
	vector vector
}

// Upsert implements Index. Each 500 documents are one transaction.
func (p *Postgres) Upsert(ctx context.Context, docs []Document) (_ Receipt, err error) {
	defer wrap(&err, "index %d documents", len(docs))
	byID := map[ID]Document{}
	for _, d := range docs {
		if d.URI == "" {
			return Receipt{}, &QueryError{"uri", "a document needs one"}
		}
		d.ID = IDOf(d.URI)
		if old, ok := byID[d.ID]; !ok || old.Version <= d.Version {
			byID[d.ID] = d
		}
	}
	batch := make([]prepared, 0, min(len(byID), batchSize))
	for _, d := range byID {
		batch = append(batch, prepared{d, vectorOf(d)})
		if len(batch) == batchSize {
			if err := p.upsertBatch(ctx, batch); err != nil {
				return Receipt{}, err
			}
			batch = batch[:0]
		}
	}
	return Receipt{}, p.upsertBatch(ctx, batch)
}

func (p *Postgres) upsertBatch(ctx context.Context, batch []prepared) error {
	if len(batch) == 0 {
		return nil
	}
	return p.write(ctx, func(tx pgx.Tx, rebuilding bool) error {
		ids := make([]ID, len(batch))
		for i, d := range batch {
			ids[i] = d.ID
		}
		old, err := storedItems(ctx, tx, `doc_id = ANY($1)`, ids)
		if err != nil {
			return err
		}
		gone, err := goneVersions(ctx, tx, ids)
		if err != nil {
			return err
		}
		fresh := batch[:0:0]
		change := newChange()
		for _, d := range batch {
			if version, ok := gone[d.ID]; ok && d.Version < version {
				continue
			}
			if row, ok := old[d.ID]; ok {
				if d.Version < row.Version {
					continue
				}
				change.remove(row)
			}
			change.add(d.vector)
			fresh = append(fresh, d)
		}
		if err := insertItems(ctx, tx, "search_items", fresh); err != nil {
			return err
		}
		if rebuilding {
			if err := insertItems(ctx, tx, nextTable, fresh); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, `DELETE FROM search_gone WHERE doc_id = ANY($1)`, idsOf(fresh)); err != nil {
			return err
		}
		return change.save(ctx, tx)
	})
}

func idsOf(docs []prepared) []ID {
	ids := make([]ID, len(docs))
	for i, d := range docs {
		ids[i] = d.ID
	}
	return ids
}

// write runs f in a transaction in which no other writer changes the index.
func (p *Postgres) write(ctx context.Context, f func(tx pgx.Tx, rebuilding bool) error) error {
	return pgx.BeginFunc(ctx, p.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, int64(writerLock)); err != nil {
			return err
		}
		var rebuilding bool
		if err := tx.QueryRow(ctx, `SELECT to_regclass($1) IS NOT NULL`, nextTable).Scan(&rebuilding); err != nil {
			return err
		}
		return f(tx, rebuilding)
	})
}

// storedItem is what a change has to know of the row that it replaces.
type storedItem struct {
	DocID                       ID
	Version                     int64
	Lexemes                     []string
	TitleLen, NamesLen, BodyLen int
}

func storedItems(ctx context.Context, tx pgx.Tx, where string, args ...any) (map[ID]storedItem, error) {
	rows, err := tx.Query(ctx, `SELECT doc_id, version, tsvector_to_array(tsv) AS lexemes, title_len, names_len, body_len
		FROM search_items WHERE `+where, args...)
	if err != nil {
		return nil, err
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[storedItem])
	if err != nil {
		return nil, err
	}
	byID := make(map[ID]storedItem, len(list))
	for _, row := range list {
		byID[row.DocID] = row
	}
	return byID, nil
}

func goneVersions(ctx context.Context, tx pgx.Tx, ids []ID) (map[ID]int64, error) {
	rows, err := tx.Query(ctx, `SELECT doc_id, version FROM search_gone WHERE doc_id = ANY($1)`, ids)
	if err != nil {
		return nil, err
	}
	gone := map[ID]int64{}
	var id ID
	var version int64
	_, err = pgx.ForEachRow(rows, []any{&id, &version}, func() error {
		gone[id] = version
		return nil
	})
	return gone, err
}

// itemColumns are the columns of search_items in the order of itemValues.
const itemColumns = `doc_id, version, kind, uri, node, seller, local, lang, categories, tags, ships_to, currency, price,
	price_ref, available, condition, lat, lon, created, updated, expires, group_key, sensitive, title_len, names_len,
	body_len, tsv`

func itemValues(d prepared) []any {
	var lat, lon *float64
	if d.Geo != nil && validPoint(*d.Geo) {
		lat, lon = &d.Geo.Lat, &d.Geo.Lon
	}
	var currency string
	var price *int64
	if d.Price != nil && d.Price.Currency != "" {
		currency, price = clean(d.Price.Currency), &d.Price.Amount
	}
	var expires *time.Time
	if !d.Expires.IsZero() {
		expires = &d.Expires
	}
	return []any{d.ID, d.Version, clean(string(d.Kind)), clean(d.URI), clean(d.Node), clean(d.Seller), d.Local, clean(d.Lang),
		cleanAll(d.Categories), cleanAll(d.Tags), cleanAll(d.ShipsTo), currency, price, d.PriceRef, d.Available,
		clean(d.Condition), lat, lon, d.Created, d.Updated, expires, clean(d.GroupKey), d.Sensitive,
		d.vector.titleLen, d.vector.namesLen, d.vector.bodyLen, d.vector.text}
}

// clean makes any text storable: PostgreSQL holds neither NUL nor broken UTF-8.
func clean(s string) string { return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "") }

func cleanAll(list []string) []string {
	out := make([]string, 0, len(list))
	for _, s := range list {
		if s = clean(s); s != "" && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

func insertItems(ctx context.Context, tx pgx.Tx, table string, docs []prepared) error {
	if len(docs) == 0 {
		return nil
	}
	batch := &pgx.Batch{}
	for _, d := range docs {
		batch.Queue(upsertItem(table), itemValues(d)...)
	}
	return tx.SendBatch(ctx, batch).Close()
}

func upsertItem(table string) string {
	return `INSERT INTO ` + table + ` AS i (` + itemColumns + `)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27)
	ON CONFLICT (doc_id) DO UPDATE SET version = excluded.version, kind = excluded.kind, uri = excluded.uri, node = excluded.node,
		seller = excluded.seller, local = excluded.local, lang = excluded.lang, categories = excluded.categories, tags = excluded.tags,
		ships_to = excluded.ships_to, currency = excluded.currency, price = excluded.price, price_ref = excluded.price_ref,
		available = excluded.available, condition = excluded.condition, lat = excluded.lat, lon = excluded.lon,
		created = excluded.created, updated = excluded.updated, expires = excluded.expires, group_key = excluded.group_key,
		sensitive = excluded.sensitive, title_len = excluded.title_len, names_len = excluded.names_len, body_len = excluded.body_len,
		tsv = excluded.tsv
	WHERE i.version <= excluded.version`
}

// Delete implements Index.
func (p *Postgres) Delete(ctx context.Context, ids []ID, version int64) (_ Receipt, err error) {
	defer wrap(&err, "delete %d documents from the index", len(ids))
	for batch := range slices.Chunk(ids, batchSize) {
		err := p.write(ctx, func(tx pgx.Tx, rebuilding bool) error {
			// Before the rows go: what arrives late must find the deletion.
			_, err := tx.Exec(ctx, `INSERT INTO search_gone AS g (doc_id, version, at) SELECT DISTINCT unnest($1::text[]), $2::bigint, $3::timestamptz
				ON CONFLICT (doc_id) DO UPDATE SET version = greatest(g.version, excluded.version), at = excluded.at`,
				batch, version, p.now())
			if err != nil {
				return err
			}
			return p.remove(ctx, tx, rebuilding, `doc_id = ANY($1) AND version <= $2`, batch, version)
		})
		if err != nil {
			return Receipt{}, err
		}
	}
	return Receipt{}, nil
}

// DeleteWhere implements Index.
func (p *Postgres) DeleteWhere(ctx context.Context, f Filter) (_ Receipt, err error) {
	defer wrap(&err, "delete from the index by filter")
	if f == nil {
		return Receipt{}, &QueryError{"filter", "deleting everything needs And{}"}
	}
	var c conditions
	where, err := c.filter(f)
	if err != nil {
		return Receipt{}, err
	}
	return Receipt{}, p.write(ctx, func(tx pgx.Tx, rebuilding bool) error {
		args := append(slices.Clone(c.args), p.now())
		_, err := tx.Exec(ctx, `INSERT INTO search_gone AS g (doc_id, version, at)
			SELECT doc_id, version, `+fmt.Sprintf("$%d", len(args))+`::timestamptz FROM search_items WHERE `+where+`
			ON CONFLICT (doc_id) DO UPDATE SET version = greatest(g.version, excluded.version), at = excluded.at`, args...)
		if err != nil {
			return err
		}
		return p.remove(ctx, tx, rebuilding, where, c.args...)
	})
}

// remove deletes rows of the index, and of the one being built, and takes their words off the counts.
func (p *Postgres) remove(ctx context.Context, tx pgx.Tx, rebuilding bool, where string, args ...any) error {
	old, err := storedItems(ctx, tx, where, args...)
	if err != nil {
		return err
	}
	change := newChange()
	for _, row := range old {
		change.remove(row)
	}
	if _, err := tx.Exec(ctx, `DELETE FROM search_items WHERE `+where, args...); err != nil {
		return err
	}
	if rebuilding {
		if _, err := tx.Exec(ctx, `DELETE FROM `+nextTable+` WHERE `+where, args...); err != nil {
			return err
		}
	}
	return change.save(ctx, tx)
}

// Wait implements Index: a change is visible when its call has returned.
func (p *Postgres) Wait(ctx context.Context, _ Receipt) error { return ctx.Err() }

// Status implements Index.
func (p *Postgres) Status(ctx context.Context) (_ Status, err error) {
	defer wrap(&err, "status of the index")
	s := Status{Engine: engineName, Healthy: true}
	err = p.pool.QueryRow(ctx, `SELECT docs, schema, (SELECT count(*) FROM search_words), to_regclass($1) IS NOT NULL FROM search_state`,
		nextTable).Scan(&s.Documents, &s.Schema, &s.Words, &s.Rebuilding)
	s.Outdated = s.Schema != postgresSchema
	return s, err
}

// Capabilities implements Index.
func (p *Postgres) Capabilities() Capabilities { return Capabilities{} }

// Close implements Index; the pool stays open.
func (p *Postgres) Close() error { return nil }

func validPoint(at Point) bool {
	return math.Abs(at.Lat) <= 90 && math.Abs(at.Lon) <= 180 // NaN is neither
}
