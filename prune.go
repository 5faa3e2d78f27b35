package souk

import (
	"context"
	"time"
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
