package souk

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// Variant is one form of a listing that can be ordered: it has the price and the stock. A simple listing has one,
// without a title.
type Variant struct {
	ID        int64
	ListingID int64
	Position  int
	Title     string
	SKU       string
	Price     int64 // minor units of the listing's currency
	Quantity  *int  // units that can be ordered now; nil where nobody counts them here (remote)
	Held      int   // units held by unpaid orders, not in Quantity
}

func (db *DB) variantsOf(ctx context.Context, listingIDs []int64) ([]Variant, error) {
	rows, err := db.q.Query(ctx, `select id, listing_id, position, title, sku, price, quantity, held from variants
		where listing_id = any($1) order by listing_id, position`, listingIDs)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Variant])
}

// stockChanged follows up a change of the variants' quantities in the same transaction. The public and other nodes
// hear of it only where it changes what they are told (in stock, few left, sold out): exact numbers would tell sales.
func (db *DB) stockChanged(ctx context.Context, listingID int64) error {
	var before, after string
	// One statement, since every order comes through here: the texts of the listing are made anew only for other words.
	err := db.q.QueryRow(ctx, `with told as (select l.availability from listings l join posts p on p.id = l.id and p.deleted is null where l.id = $1),
			stock as (select coalesce(sum(quantity), 0) as n from variants where listing_id = $1)
		update listings l set version = version + 1, updated = $2 from told, stock where l.id = $1
		returning told.availability, case when stock.n <= 0 then 'sold_out' when stock.n <= $3 then 'few_left' else 'in_stock' end`,
		listingID, db.Now(), fewLeft).Scan(&before, &after)
	if err != nil {
		return err
	}
	if before == after {
		return db.touchShop(ctx)
	}
	return db.listingChanged(ctx, listingID, false)
}
