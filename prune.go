package souk

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	// giveUpAfter is for how long a delivery is tried. Who was away for longer has missed more than this.
	giveUpAfter = 14 * 24 * time.Hour
	// giveUpEndAfter is the same for what takes something back: that somebody wanted it gone stays true for long.
	giveUpEndAfter = 90 * 24 * time.Hour
)

// GiveUpDeliveries ends the deliveries that have waited for too long, and drops those for hosts that are blocked.
func (db *DB) GiveUpDeliveries(ctx context.Context) (n int64, err error) {
	defer wrap(&err, "give up deliveries")
	now := db.Now()
	err = db.Tx(ctx, func(tx *DB) error {
		tag, err := tx.q.Exec(ctx, `update deliveries d set state = 'failed', error = $4, done = $1 from activities a
			where a.id = d.activity_id and d.state = 'queued' and d.created < $2 and (d.created < $3 or a.type not in ('Delete', 'Undo'))`,
			now, now.Add(-giveUpAfter), now.Add(-giveUpEndAfter), EndTooOld)
		if err != nil {
			return err
		}
		n = tag.RowsAffected()
		// Those that were queued while the host was being blocked.
		tag, err = tx.q.Exec(ctx, `update deliveries d set state = 'dropped', error = $2, done = $1 from hosts h
			where h.host = d.host and h.severity = 'suspend' and d.state = 'queued'`, now, EndHostBlocked)
		n += tag.RowsAffected()
		return err
	})
	return n, err
}

const (
	// keepSent is for how long the node can say what it sent, where it arrived and why not.
	keepSent = 30 * 24 * time.Hour
	// pruneBatch is how many deliveries one transaction of PruneOutbox takes.
	pruneBatch = 5000
)

// PruneOutbox forgets what was sent more than 30 days ago and nobody needs any more, so that a node does not grow for
// ever: events, deliveries (where a post went is kept, for its Update and Delete), what the catalogue said of a
// listing before it said something newer, activities but the Create or Announce of a post that is there, and all about
// posts whose deletion was told; and who followed an old account. It returns how many deliveries went.
func (db *DB) PruneOutbox(ctx context.Context) (n int64, err error) {
	defer wrap(&err, "prune outbox")
	before := db.Now().Add(-keepSent)
	for {
		pruned, err := db.pruneDeliveries(ctx, before)
		if err != nil {
			return n, err
		}
		if n += pruned; pruned < pruneBatch {
			break
		}
	}
	return n, db.Tx(ctx, func(tx *DB) error {
		if _, err := tx.q.Exec(ctx, `delete from events where at < $1 and done < $1`, before); err != nil {
			return err
		}
		if _, err := tx.q.Exec(ctx, `delete from pulled_followers where next_at < $1 and state <> 'waiting'`, before); err != nil {
			return err
		}
		if _, err := tx.q.Exec(ctx, `delete from catalogue c where c.created < $1
			and exists (select from catalogue n where n.listing_id = c.listing_id and n.seq > c.seq)`, before); err != nil {
			return err
		}
		const unused = ` and not exists (select from deliveries d where d.activity_id = a.id) and not exists (select from catalogue c where c.activity_id = a.id)`
		rows, err := tx.q.Query(ctx, `delete from activities a where a.created < $1 and (a.post_id is null or a.type not in ('Create', 'Announce'))`+unused+`
			returning case when a.type in ('Delete', 'Undo') then coalesce(a.post_id, 0) else 0 end`, before)
		if err != nil {
			return err
		}
		ended, err := pgx.CollectRows(rows, pgx.RowTo[int64])
		if err != nil {
			return err
		}
		if _, err := tx.q.Exec(ctx, `delete from activities a where a.post_id = any($1) and a.created < $2
			and exists (select from posts p where p.id = a.post_id and p.deleted is not null)`+unused, ended, before); err != nil {
			return err
		}
		_, err = tx.q.Exec(ctx, `delete from reached r where r.post_id = any($1) and exists (select from posts p where p.id = r.post_id and p.deleted is not null)`, ended)
		return err
	})
}

// pruneDeliveries forgets up to pruneBatch deliveries that ended before the time. Where one arrived, or may have arrived
// without an answer, its inbox is kept as one that its post reached.
func (db *DB) pruneDeliveries(ctx context.Context, before time.Time) (n int64, err error) {
	tag, err := db.q.Exec(ctx, `with old as (select d.id, d.inbox, d.host, a.post_id,
				a.post_id is not null and (d.state = 'delivered' or d.state = 'failed' and d.status = 0 and d.attempts > 0) as arrived
			from deliveries d join activities a on a.id = d.activity_id where d.created < $1 and d.done < $1 and d.state <> 'queued' limit $2),
		places as (insert into inboxes (inbox, host) select inbox, min(host) from old where arrived group by inbox
			on conflict (inbox) do update set host = excluded.host returning id, inbox),
		kept as (insert into reached (post_id, inboxes) select o.post_id, array_agg(distinct p.id) from old o join places p on p.inbox = o.inbox
			where o.arrived group by o.post_id
			on conflict (post_id) do update set inboxes = (select array_agg(distinct i) from unnest(reached.inboxes || excluded.inboxes) i))
		delete from deliveries d using old where d.id = old.id`, before, pruneBatch)
	return tag.RowsAffected(), err
}
