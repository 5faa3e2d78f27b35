package souk

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// What public search may show: everybody may read it, its author wants it found (FEP-5feb: indexable for posts and
// listings, discoverable for accounts), and no block of ours keeps the author or its host out of public places. The
// search layer asks here when it indexes, and again before it shows.

// findablePost is the condition that search may show post p; $1 is now. The author is asked about row by row, as a value: with
// exists PostgreSQL begins with all accounts, and joins all their posts to sort 500 of them.
const findablePost = `p.deleted is null and p.visibility = 'public' and p.published <= $1
	and (p.kind = 'note' or p.kind = 'listing' and exists (select from listings l where l.id = p.id
		and l.state in ('published', 'sold_out') and (l.expires is null or l.expires > $1)))
	and coalesce((select a.indexable and a.suspended is null and a.deleted is null and coalesce(h.severity, '') = ''
		from accounts a left join hosts h on h.host = a.host where a.id = p.account_id), false)`

// findableAccount is the condition that search may show an account: people and shops, not the node's own actors.
const findableAccount = `discoverable and suspended is null and deleted is null and role not in ('instance', 'catalogue')
	and kind <> 'Application' and not exists (select from hosts h where h.host = accounts.host and h.severity <> '')`

// FindablePosts are those of the posts and listings with these addresses that search may show, with all that is shown
// with them, in no order.
func (db *DB) FindablePosts(ctx context.Context, uris []string) (_ []Post, err error) {
	defer wrap(&err, "findable posts")
	return db.postsWhere(ctx, findablePost+` and p.uri = any($2)`, db.Now(), uris)
}

// FindablePostsAfter are the posts and listings that search may show with ids above one, in order of id, at most limit.
func (db *DB) FindablePostsAfter(ctx context.Context, id int64, limit int) (_ []Post, err error) {
	defer wrap(&err, "findable posts after %d", id)
	return db.postsWhere(ctx, findablePost+` and p.id > $2 order by p.id limit $3`, db.Now(), id, limit)
}

// FindableAccounts are those of the accounts with these addresses that search may show, in no order.
func (db *DB) FindableAccounts(ctx context.Context, uris []string) (_ []Account, err error) {
	defer wrap(&err, "findable accounts")
	return db.accountsWhere(ctx, findableAccount+` and uri = any($1)`, uris)
}

// FindableAccountsAfter are the accounts that search may show with ids above one, in order of id, at most limit.
func (db *DB) FindableAccountsAfter(ctx context.Context, id int64, limit int) (_ []Account, err error) {
	defer wrap(&err, "findable accounts after %d", id)
	return db.accountsWhere(ctx, findableAccount+` and id > $1 order by id limit $2`, id, limit)
}

// BlockedActors are the addresses of the accounts that the viewer blocked, or that blocked the viewer.
func (db *DB) BlockedActors(ctx context.Context, viewer int64) (_ []string, err error) {
	defer wrap(&err, "blocked by %d", viewer)
	rows, err := db.q.Query(ctx, `select a.uri from accounts a join blocks b
		on b.blocker_id = $1 and b.blocked_id = a.id or b.blocked_id = $1 and b.blocker_id = a.id`, viewer)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// ToIndex is an object that must be indexed again, or taken out of the index where it is not findable any more.
type ToIndex struct {
	Kind    string // post (listings too) or account
	ID      int64
	URI     string // empty where the row is gone
	Version int64  // grows with every change
}

// TakeToIndex takes the objects that wait longest, at most limit, for the length of a lease: if they are neither done
// nor put off by then, they are taken again. Several workers never take the same.
func (db *DB) TakeToIndex(ctx context.Context, limit int, lease time.Duration) (_ []ToIndex, err error) {
	defer wrap(&err, "take what to index")
	rows, err := db.q.Query(ctx, `with due as (select object_kind, object_id from search_outbox where queued <= $1
			order by queued limit $2 for update skip locked),
		taken as (update search_outbox o set queued = $3 from due d where (o.object_kind, o.object_id) = (d.object_kind, d.object_id)
			returning o.object_kind, o.object_id, o.version)
		select t.object_kind as kind, t.object_id as id, coalesce(p.uri, a.uri, '') as uri, t.version from taken t
			left join posts p on t.object_kind = 'post' and p.id = t.object_id
			left join accounts a on t.object_kind = 'account' and a.id = t.object_id`, db.Now(), limit, db.Now().Add(lease))
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[ToIndex])
}

// Indexed ends the wait of objects that did not change since they were taken.
func (db *DB) Indexed(ctx context.Context, done []ToIndex) (err error) {
	defer wrap(&err, "indexed")
	kinds, ids, versions := toIndexColumns(done)
	_, err = db.q.Exec(ctx, `delete from search_outbox o using unnest($1::text[], $2::bigint[], $3::bigint[]) as d (kind, id, version)
		where o.object_kind = d.kind and o.object_id = d.id and o.version = d.version`, kinds, ids, versions)
	return err
}

// PutOffIndexing lets objects wait until a time, where indexing them failed.
func (db *DB) PutOffIndexing(ctx context.Context, failed []ToIndex, until time.Time) (err error) {
	defer wrap(&err, "put off indexing")
	kinds, ids, versions := toIndexColumns(failed)
	_, err = db.q.Exec(ctx, `update search_outbox o set queued = $4 from unnest($1::text[], $2::bigint[], $3::bigint[]) as d (kind, id, version)
		where o.object_kind = d.kind and o.object_id = d.id and o.version = d.version`, kinds, ids, versions, until)
	return err
}

func toIndexColumns(list []ToIndex) (kinds []string, ids, versions []int64) {
	for _, x := range list {
		kinds, ids, versions = append(kinds, x.Kind), append(ids, x.ID), append(versions, x.Version)
	}
	return kinds, ids, versions
}

// IndexBacklog is how many objects wait to be indexed, and since when the oldest does (zero: none).
func (db *DB) IndexBacklog(ctx context.Context) (n int, oldest time.Time, err error) {
	defer wrap(&err, "index backlog")
	var since *int64
	if err := db.q.QueryRow(ctx, `select count(*), min(version) from search_outbox`).Scan(&n, &since); err != nil {
		return 0, time.Time{}, err
	}
	if since != nil {
		oldest = time.UnixMicro(*since).UTC() // a version is the time of its change
	}
	return n, oldest, nil
}

// IndexAgain queues the objects with these addresses to be indexed again; an address that nobody has is no error.
func (db *DB) IndexAgain(ctx context.Context, uris []string) (err error) {
	defer wrap(&err, "index %d objects again", len(uris))
	_, err = db.q.Exec(ctx, `insert into search_outbox (object_kind, object_id, version, queued)
		select kind, id, $2, $3 from (select 'post' as kind, id from posts where uri = any($1)
			union all select 'account', id from accounts where uri = any($1)) named
		`+indexAgain,
		uris, db.Now().UnixMicro(), db.Now())
	if err != nil {
		return err
	}
	db.wakeAfterCommit("index")
	return nil
}

// IndexPostsOf queues all public posts and listings of an account to be indexed again.
func (db *DB) IndexPostsOf(ctx context.Context, accountID int64) (err error) {
	defer wrap(&err, "index posts of %d", accountID)
	tag, err := db.q.Exec(ctx, `insert into search_outbox (object_kind, object_id, version, queued)
		select 'post', id, $2, $3 from posts where account_id = $1 and deleted is null and visibility = 'public' and kind <> 'boost'
		`+indexAgain,
		accountID, db.Now().UnixMicro(), db.Now())
	if err != nil {
		return err
	}
	if tag.RowsAffected() > 0 {
		db.wakeAfterCommit("index")
	}
	return nil
}
