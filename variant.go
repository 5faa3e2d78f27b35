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
	before, err := db.livingListing(ctx, listingID)
	if err != nil {
		return err
	}
	if err := db.refreshListing(ctx, listingID); err != nil {
		return err
	}
	after, err := db.livingListing(ctx, listingID)
	if err != nil {
		return err
	}
	if before.Availability == after.Availability {
		return db.touchShop(ctx)
	}
	return db.listingChanged(ctx, listingID, false)
}
