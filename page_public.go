package souk

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// maxPublicPages is how many entries a sitemap may have (sitemaps.org).
const maxPublicPages = 50_000

// PublicPage is a page of this node that strangers and search engines may find.
type PublicPage struct {
	ID       int64
	Slug     string // of a product; empty for posts
	Changed  time.Time
	Pictures []string // keys of their largest renditions
}

// PublicPages are the pages of what is for sale (KindListing) or of the shop's posts (KindNote), the newest first and at
// most 50,000: without replies, and without posts of authors who do not want to be found.
func (db *DB) PublicPages(ctx context.Context, kind string) (_ []PublicPage, err error) {
	defer wrap(&err, "public pages of %s", kind)
	rows, err := db.q.Query(ctx, `select p.id, coalesce(s.slug, '') as slug, greatest(p.published, p.edited, l.updated) as changed,
			array(select m.sizes -> -1 ->> 'key' from media m where m.post_id = p.id and jsonb_array_length(m.sizes) > 0 order by m.position, m.id) as pictures
		from posts p join accounts a on a.id = p.account_id left join listings l on l.id = p.id
			left join listing_slugs s on s.listing_id = p.id and s.current
		where p.local and p.kind = $2 and p.deleted is null and p.visibility = 'public' and p.in_reply_to_uri = '' and a.indexable
			and (p.kind <> 'listing' or s.slug is not null and `+forSale("$4")+`) and `+visibleTo+`
		order by p.id desc limit $3`, int64(0), kind, maxPublicPages, db.Now())
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[PublicPage])
}
