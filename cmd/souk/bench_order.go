package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/jackc/pgx/v5/pgxpool"

	"souk"
)

// orderListings is over how many products orders are spread: more than connections, so that few wait for the same row.
const orderListings = 64

// measureOrder lets guests order over the commerce API: things of many kinds, and then all of them the same thing, whose
// stock is one row that they take turns at.
func (b *bench) measureOrder(ctx context.Context) error {
	n, err := b.running(ctx)
	if err != nil {
		return err
	}
	shop, err := n.db.Shop(ctx)
	if err != nil {
		return err
	}
	b.table.say("making products")
	var listings []int64
	for i := range orderListings {
		l, err := n.db.CreateListing(ctx, n.owner.ID, souk.NewListing{Title: fmt.Sprintf("Small bowl %d", i+1),
			Price: souk.Money{Amount: 1800, Currency: shop.Currency}, Quantity: 100_000})
		if err != nil {
			return err
		}
		listings = append(listings, l.ID)
	}
	if err := n.quiet(ctx); err != nil {
		return err
	}
	count := b.amount(500, 5000)
	b.table.note("%d orders each, by guests over the commerce API, %d connections", count, loadConnections)
	for _, hot := range []bool{false, true} {
		// More updates than orders: processor time is counted in steps of 10 ms.
		of, name, updates := listings, "different products", 10*count
		if hot {
			of, name, updates = listings[:1], "one product", 2*count
		}
		floor, err := n.bareUpdates(ctx, len(of), updates)
		if err != nil {
			return err
		}
		if err := b.orderRows(ctx, n, shop, of, count, name, floor); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) orderRows(ctx context.Context, n *benchNode, shop *souk.Shop, listings []int64, count int, name string, floor *bareLoad) error {
	requests, err := n.orders(shop, listings, count, name)
	if err != nil {
		return err
	}
	before, err := n.usage()
	if err != nil {
		return err
	}
	v, err := fire(ctx, n.address, loadConnections, http.StatusCreated, from(requests))
	if err != nil {
		return err
	}
	after, err := n.usage()
	if err != nil {
		return err
	}
	used := after.since(before)
	b.table.add(perSecond("orders of "+name, count, v.elapsed).over("bare UPDATEs of a stock", rate(len(floor.each), floor.elapsed)))
	b.table.add(inMillis("  answer, median", v.each.median()).over("bare UPDATE, median", millis(floor.each.median())))
	b.table.add(inMillis("  answer, 99 of 100", v.each.at(0.99)).over("bare UPDATE, 99 of 100", millis(floor.each.at(0.99))))
	b.table.add(inMillis("  processor time each, both", oneOf(used.sum(), count)).over("bare UPDATE", millis(floor.postgres)))
	return n.quiet(ctx)
}

// orders are requests that order one of the products in turn. kind makes their keys different from those of others.
func (n *benchNode) orders(shop *souk.Shop, listings []int64, count int, kind string) (requests [][]byte, err error) {
	if len(shop.Payments) == 0 {
		return nil, errors.New("the shop takes no payment")
	}
	for i := range count {
		body, err := json.Marshal(map[string]any{
			"lines":   []any{map[string]any{"listing_id": strconv.FormatInt(listings[i%len(listings)], 10), "quantity": 1}},
			"contact": map[string]string{"name": "A guest", "email": fmt.Sprintf("guest%d@mail.example", i)},
			"payment": shop.Payments[0], "shipping": map[string]any{"pickup": true},
		})
		if err != nil {
			return nil, err
		}
		request, err := wire(http.MethodPost, n.address, "/api/souk/v1/orders", http.Header{"Content-Type": {"application/json"},
			"Idempotency-Key": {fmt.Sprintf("%s %d", kind, i)}}, body)
		if err != nil {
			return nil, err
		}
		requests = append(requests, request)
	}
	return requests, nil
}

// bareUpdates takes one off a stock count times, over as many connections as the load has, with each on disk before the
// next: the least that selling can cost. rows is over how many rows they are spread.
func (n *benchNode) bareUpdates(ctx context.Context, rows, count int) (*bareLoad, error) {
	return n.bare(ctx, count, `create table bench_bare as select id, $1::int as quantity from generate_series(0, $2) as id`, []any{count, rows - 1},
		func(ctx context.Context, pool *pgxpool.Pool, i int) error {
			_, err := pool.Exec(ctx, `update bench_bare set quantity = quantity - 1 where id = $1 and quantity > 0`, i%rows)
			return err
		})
}
