package main

import (
	"context"
	"fmt"
	"time"

	"souk/search"
)

// What is asked of each class of queries, after some that fill caches.
const (
	searchQueries = 100
	searchWarmUp  = 10
	// searchBatch is how many documents are written at once where they come one by one, as the node's own worker does.
	searchBatch = 500
)

// measureSearch fills the built-in engine with made-up listings and asks it what people ask.
func (b *bench) measureSearch(ctx context.Context) error {
	n, err := b.running(ctx)
	if err != nil {
		return err
	}
	index := search.NewPostgres(search.PostgresConfig{Pool: n.store.pool})
	sizes := []int{10_000, 100_000}
	if b.full {
		sizes = append(sizes, 1_000_000)
	}
	for i, size := range sizes {
		b.table.say("indexing %d documents", size)
		loaded := "by and by"
		start := time.Now()
		if i == 0 {
			err = upsertGoods(ctx, index, size)
		} else {
			loaded = "as a whole"
			err = index.Rebuild(ctx, newBenchGoods(1).documents(size))
		}
		if err != nil {
			return err
		}
		b.table.add(perSecond(fmt.Sprintf("%d documents indexed %s", size, loaded), size, time.Since(start)))
		if err := b.searchRows(ctx, n, index, size); err != nil {
			return err
		}
	}
	return nil
}

// upsertGoods writes documents in batches.
func upsertGoods(ctx context.Context, index search.Index, n int) error {
	var batch []search.Document
	for d := range newBenchGoods(1).documents(n) {
		if batch = append(batch, d); len(batch) == searchBatch {
			if _, err := index.Upsert(ctx, batch); err != nil {
				return err
			}
			batch = batch[:0]
		}
	}
	_, err := index.Upsert(ctx, batch)
	return err
}

// searchRows measures each class of queries; the floor is one row by its key over the same connections.
func (b *bench) searchRows(ctx context.Context, n *benchNode, index search.Index, size int) error {
	// Autovacuum comes within a minute; no need to wait for it.
	if _, err := n.store.pool.Exec(ctx, `vacuum (analyze) search_items`); err != nil {
		return err
	}
	goods := newBenchGoods(1)
	floor, err := n.keyLooks(ctx, goods, size)
	if err != nil {
		return err
	}
	for _, c := range goods.classes() {
		var each durations
		for i := range searchWarmUp + searchQueries {
			query := c.make()
			start := time.Now()
			if _, err := index.Search(ctx, query); err != nil {
				return err
			}
			if i >= searchWarmUp {
				each = append(each, time.Since(start))
			}
		}
		b.table.add(inMillis(fmt.Sprintf("%s: %s", thousands(size), c.name), each.median()).over("row by its key", millis(floor.median())))
		b.table.add(inMillis("  99 of 100", each.at(0.99)).over("row by its key, 99 of 100", millis(floor.at(0.99))))
	}
	return nil
}

// keyLooks are as many looks for a document by its key.
func (n *benchNode) keyLooks(ctx context.Context, goods *benchGoods, size int) (each durations, err error) {
	for d := range goods.documents(min(size, searchWarmUp+searchQueries)) {
		start := time.Now()
		var uri string
		if err := n.store.pool.QueryRow(ctx, `select uri from search_items where doc_id = $1`, search.IDOf(d.URI)).Scan(&uri); err != nil {
			return nil, err
		}
		each = append(each, time.Since(start))
	}
	return each[searchWarmUp:], nil
}

// thousands is a number of documents in short: 10k, 1M.
func thousands(n int) string {
	if n >= 1_000_000 {
		return fmt.Sprintf("%dM", n/1_000_000)
	}
	return fmt.Sprintf("%dk", n/1000)
}
