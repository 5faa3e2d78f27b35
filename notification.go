package souk

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// What a notification can be about.
const (
	NotifyFollow        = "follow"         // FromID follows
	NotifyFollowRequest = "follow_request" // FromID asks to follow
	NotifyMention       = "mention"        // PostID by FromID names the account
	NotifyReply         = "reply"          // PostID by FromID answers a post of the account
	NotifyLike          = "like"           // FromID likes PostID
	NotifyBoost         = "boost"          // FromID boosts PostID
	NotifyQuote         = "quote"          // FromID quotes PostID
	NotifyOrder         = "order"          // OrderID was placed
	NotifyReport        = "report"         // ReportID waits; for the owner
	NotifyPurchase      = "purchase"       // AgreementID with FromID of another node stands otherwise; one for each, the newest
)

// Notification tells a local account that something happened. FromID, PostID, OrderID, ReportID and
// AgreementID are 0 where the kind has none.
type Notification struct {
	ID          int64
	AccountID   int64
	Kind        string
	FromID      int64
	PostID      int64
	OrderID     int64
	ReportID    int64
	AgreementID int64
	Created     time.Time
	Read        *time.Time
}

const notificationColumns = `id, account_id, kind, coalesce(from_id, 0) as from_id, coalesce(post_id, 0) as post_id,
	coalesce(order_id, 0) as order_id, coalesce(report_id, 0) as report_id, coalesce(agreement_id, 0) as agreement_id, created, read`

// notify tells an account, in the transaction of what happened. It is quiet, and no error, where the account is not one
// of this node's people, where it would be about oneself or about someone it blocks, where somebody of a silenced host
// whom it does not follow only wants to be heard, where it was told before, and through Quiet and QuietToStrangers.
func (db *DB) notify(ctx context.Context, accountID int64, kind string, fromID, postID, orderID int64) error {
	if accountID == fromID || db.quiet == quietToAll {
		return nil
	}
	_, err := db.q.Exec(ctx, `insert into notifications (id, account_id, kind, from_id, post_id, order_id, created)
		select $1, a.id, $3, nullif($4::bigint, 0), nullif($5::bigint, 0), nullif($6::bigint, 0), $7 from accounts a
		where (not $8 or exists (select from follows f where f.follower_id = a.id and f.followee_id = $4 and f.state = 'accepted'))
			and a.id = $2 and a.role in ('owner', 'seller', 'member') and a.deleted is null and a.suspended is null
			and not exists (select 1 from blocks b where b.blocker_id = a.id and b.blocked_id = $4)
			and ($3 = 'follow_request' or not exists (select from accounts q join hosts h on h.host = q.host where q.id = $4 and h.severity <> ''
				and not exists (select from follows f where f.follower_id = a.id and f.followee_id = q.id and f.state = 'accepted')))
		on conflict do nothing`,
		db.NewID(), accountID, kind, fromID, postID, orderID, db.Now(), db.quiet == quietToStrangers)
	return err
}

// Notifications are what an account was told, newest first; of the given kinds only, where kinds are named.
func (db *DB) Notifications(ctx context.Context, accountID int64, page Page, kinds ...string) (_ []Notification, err error) {
	defer wrap(&err, "notifications of %d", accountID)
	rows, err := db.q.Query(ctx, `select `+notificationColumns+` from notifications
		where account_id = $1 and id < $2 and id > $3 and (cardinality($4::text[]) = 0 or kind = any($4))
		order by id `+page.order()+` limit $5`, accountID, page.before(), page.After, append([]string{}, kinds...), page.limit())
	if err != nil {
		return nil, err
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[Notification])
	return newestFirst(page, list), err
}

// Notification is one of the account's own; another's is ErrNotFound.
func (db *DB) Notification(ctx context.Context, accountID, id int64) (_ *Notification, err error) {
	defer wrap(&err, "notification %d", id)
	rows, err := db.q.Query(ctx, `select `+notificationColumns+` from notifications where account_id = $1 and id = $2`, accountID, id)
	if err != nil {
		return nil, err
	}
	return pgx.CollectExactlyOneRow(rows, pgx.RowToAddrOfStructByName[Notification])
}

// UnreadCount is how many notifications the account has not read.
func (db *DB) UnreadCount(ctx context.Context, accountID int64) (n int, err error) {
	defer wrap(&err, "unread notifications of %d", accountID)
	err = db.q.QueryRow(ctx, `select count(*) from notifications where account_id = $1 and read is null`, accountID).Scan(&n)
	return n, err
}

// MarkRead marks the account's notifications up to and including the id as read; of the given kinds only, where kinds are named.
func (db *DB) MarkRead(ctx context.Context, accountID, upTo int64, kinds ...string) (err error) {
	defer wrap(&err, "mark notifications of %d read", accountID)
	_, err = db.q.Exec(ctx, `update notifications set read = $3 where account_id = $1 and id <= $2 and read is null
		and (cardinality($4::text[]) = 0 or kind = any($4))`, accountID, upTo, db.Now(), append([]string{}, kinds...))
	return err
}
