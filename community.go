package souk

import (
	"context"
	"time"
)

// Ladder is how many people stand on each step from reader to regular. Visitors are no rows of this database.
type Ladder struct {
	Followers    int // now
	Participants int // accounts that answered, mentioned, liked or boosted the account since the given time
	Buyers       int // people whose order was paid since then, told apart by e-mail, else by phone
	Regulars     int // those of them who had bought before
}

// Ladder counts the people around an account of this node, the last three steps since the given time. It is for the
// account's own eyes: no ranking reads it.
func (db *DB) Ladder(ctx context.Context, accountID int64, since time.Time) (_ *Ladder, err error) {
	defer wrap(&err, "ladder of %d", accountID)
	var l Ladder
	err = db.q.QueryRow(ctx, `with mine as (select id from posts where account_id = $1 and deleted is null),
		took_part as (
			select r.account_id from posts r where r.in_reply_to_id in (select id from mine) and r.deleted is null and r.published > $2
			union select b.account_id from posts b where b.boost_of_id in (select id from mine) and b.deleted is null and b.published > $2
			union select k.account_id from likes k where k.post_id in (select id from mine) and k.created > $2
			union select p.account_id from mentions m join posts p on p.id = m.post_id
				where m.account_id = $1 and p.deleted is null and p.published > $2),
		bought as (select count(*) as times, max(created) as last from orders
			where seller_id = $1 and state in ('paid', 'shipped', 'done') group by coalesce(nullif(lower(email), ''), phone))
		select (select count(*) from follows where followee_id = $1 and state = 'accepted'),
			(select count(*) from took_part where account_id <> $1),
			(select count(*) from bought where last > $2), (select count(*) from bought where last > $2 and times > 1)`,
		accountID, since).Scan(&l.Followers, &l.Participants, &l.Buyers, &l.Regulars)
	return &l, err
}

// Unanswered are the posts that answered or named the account since the given time and that it neither answered nor
// liked, the newest first.
func (db *DB) Unanswered(ctx context.Context, accountID int64, since time.Time, limit int) (_ []Post, err error) {
	defer wrap(&err, "unanswered of %d", accountID)
	return db.postsWhere(ctx, visibleTo+` and p.deleted is null and p.account_id <> $1
		and exists (select from notifications n where n.account_id = $1 and n.post_id = p.id and n.kind in ('reply', 'mention') and n.created > $2)
		and not exists (select from posts a where a.in_reply_to_id = p.id and a.account_id = $1 and a.deleted is null)
		and not exists (select from likes k where k.post_id = p.id and k.account_id = $1)
		and not exists (select from blocks b where b.blocker_id = $1 and b.blocked_id = p.account_id)
		order by p.id desc limit $3`, accountID, since, limit)
}

// Undescribed are the account's posts and listings with a picture that has no text for those who cannot see it, the
// newest first.
func (db *DB) Undescribed(ctx context.Context, accountID int64, limit int) (_ []Post, err error) {
	defer wrap(&err, "undescribed pictures of %d", accountID)
	return db.postsWhere(ctx, `p.account_id = $1 and p.local and p.deleted is null
		and exists (select from media m where m.post_id = p.id and m.alt = '') order by p.id desc limit $2`, accountID, limit)
}
