package souk

import (
	"context"
)

// shown is the condition for posts that lists show: living, and a listing of another node only while that renews it.
const shown = `p.deleted is null and (p.kind <> 'listing' or not exists (select from listings sl where sl.id = p.id and sl.state = 'withdrawn'))`

// unblocked is the condition that viewer $1 blocks neither the author of p nor that of what p shares.
const unblocked = `not exists (select from blocks ub where ub.blocker_id = $1 and (ub.blocked_id = p.account_id
	or ub.blocked_id = (select uo.account_id from posts uo where uo.id = p.boost_of_id)))`

// unsilenced keeps hosts that the owner silenced out of public places.
const unsilenced = `not exists (select from accounts qa join hosts qh on qh.host = qa.host where qa.id = p.account_id and qh.severity <> '')`

// Home is the timeline of a local account: its own posts and those of the accounts it follows, boosts too, replies only
// where they answer somebody it follows, or itself.
func (db *DB) Home(ctx context.Context, accountID int64, page Page) (_ []Post, err error) {
	defer wrap(&err, "home of %d", accountID)
	return db.pageOfPosts(ctx, `p.in_timeline and `+shown+` and (p.account_id = $1 or exists (select from follows f
			where f.follower_id = $1 and f.followee_id = p.account_id and f.state = 'accepted'))
		and (p.in_reply_to_id is null or exists (select from posts r where r.id = p.in_reply_to_id and (r.account_id in ($1, p.account_id)
			or exists (select from follows f where f.follower_id = $1 and f.followee_id = r.account_id and f.state = 'accepted'))))
		and `+unblocked+` and `+visibleTo, page, accountID)
}

// PublicTimeline is the newest public posts that the node knows, or only its own; no boosts, no replies.
func (db *DB) PublicTimeline(ctx context.Context, localOnly bool, page Page) (_ []Post, err error) {
	defer wrap(&err, "public timeline")
	return db.pageOfPosts(ctx, `p.in_timeline and p.visibility = 'public' and p.kind <> 'boost' and p.in_reply_to_uri = '' and `+shown+` and `+unsilenced+`
		and (p.local or not $2) and `+visibleTo, page, int64(0), localOnly)
}

// ShopPosts is what the storefront shows as posts: public notes of the node's own people that answer nobody.
func (db *DB) ShopPosts(ctx context.Context, page Page) (_ []Post, err error) {
	defer wrap(&err, "shop posts")
	return db.pageOfPosts(ctx, `p.local and p.kind = 'note' and p.visibility = 'public' and p.in_reply_to_uri = '' and `+shown+` and `+visibleTo, page, int64(0))
}

// TagTimeline is the public posts with a hashtag, listings that were announced among them.
func (db *DB) TagTimeline(ctx context.Context, tag string, page Page) (_ []Post, err error) {
	defer wrap(&err, "tag %q", tag)
	return db.pageOfPosts(ctx, `p.in_timeline and p.visibility = 'public' and p.kind <> 'boost' and `+shown+` and `+unsilenced+`
		and exists (select from post_tags t where t.post_id = p.id and t.tag = $2) and `+visibleTo, page, int64(0), FoldTag(tag))
}

// AccountFilter narrows what AccountPosts shows.
type AccountFilter struct {
	NoReplies bool
	NoBoosts  bool
	MediaOnly bool
	Without   []int64 // posts left out: those that stand on top of the profile already
}

// AccountPosts is what an account posted, as the viewer may see it; listings only where they were announced.
func (db *DB) AccountPosts(ctx context.Context, viewer, accountID int64, f AccountFilter, page Page) (_ []Post, err error) {
	defer wrap(&err, "posts of account %d", accountID)
	return db.pageOfPosts(ctx, `p.account_id = $2 and p.in_timeline and `+shown+`
		and (not $3 or p.in_reply_to_uri = '') and (not $4 or p.kind <> 'boost')
		and (not $5 or exists (select from media md where md.post_id = p.id)) and p.id <> all(coalesce($6::bigint[], '{}')) and `+visibleTo,
		page, viewer, accountID, f.NoReplies, f.NoBoosts, f.MediaOnly, f.Without)
}

// PostCount is how many public posts an account has here.
func (db *DB) PostCount(ctx context.Context, accountID int64) (n int, err error) {
	defer wrap(&err, "post count of %d", accountID)
	err = db.q.QueryRow(ctx, `select count(*) from posts where account_id = $1 and deleted is null and in_timeline and visibility in ('public', 'unlisted') and kind <> 'boost'`,
		accountID).Scan(&n)
	return n, err
}

// pageOfPosts adds the page to a condition over p whose arguments are args; $1 must be the viewer.
func (db *DB) pageOfPosts(ctx context.Context, where string, page Page, args ...any) ([]Post, error) {
	n := len(args)
	list, err := db.postsWhere(ctx, where+` and p.id < `+param(n+1)+` and p.id > `+param(n+2)+` order by p.id `+page.order()+` limit `+param(n+3),
		append(args, page.before(), page.After, page.limit())...)
	if err != nil {
		return nil, err
	}
	return newestFirst(page, list), nil
}

func param(n int) string { return "$" + formatID(int64(n)) }

// MaxThread is how many posts of a conversation are shown.
const MaxThread = 500

// Thread is the conversation that a post belongs to, as the viewer may see it: the oldest first, without the tombstones
// that nothing hangs on. Those of silenced hosts are for their followers and for those whom they mention.
// InReplyToID makes the tree.
func (db *DB) Thread(ctx context.Context, viewer, threadID int64) (_ []Post, err error) {
	defer wrap(&err, "thread %d", threadID)
	return db.postsWhere(ctx, `p.thread_id = $2 and p.kind <> 'boost' and `+unblocked+` and (`+unsilenced+`
			or exists (select from follows sf where sf.follower_id = $1 and sf.followee_id = p.account_id and sf.state = 'accepted')
			or exists (select from mentions sm where sm.account_id = $1 and sm.post_id = p.id))
		and (p.deleted is null and `+visibleTo+` or p.deleted is not null and exists (select from posts c where c.in_reply_to_id = p.id and c.deleted is null))
		order by p.id limit `+formatID(MaxThread), viewer, threadID)
}

// RepliesTo are the direct answers to a post that the viewer may see, the oldest first, with ids above after: its replies
// collection. To a stranger (0) they are the public ones.
func (db *DB) RepliesTo(ctx context.Context, viewer, postID, after int64, limit int) (_ []Post, err error) {
	defer wrap(&err, "replies to %d", postID)
	return db.postsWhere(ctx, `p.in_reply_to_id = $2 and p.id > $3 and p.deleted is null and `+unsilenced+` and `+visibleTo+`
		order by p.id limit $4`, viewer, postID, after, limit)
}

// Conversation is a post or listing of this node with the newest public answer to it.
type Conversation struct {
	Root   Post
	Latest Post
	Count  int
}

// Conversations are those under this node's public posts and listings, by their latest reply.
func (db *DB) Conversations(ctx context.Context, limit int) (_ []Conversation, err error) {
	defer wrap(&err, "conversations")
	// Only in the newest threads each reply is asked whether it may be seen: some more of them than are wanted, for those
	// whose newest replies may not.
	rows, err := db.q.Query(ctx, `with newest as materialized (select r.thread_id from posts r join posts root on root.id = r.thread_id
			where r.id <> r.thread_id and r.deleted is null and r.visibility = 'public' and r.kind = 'note'
			and root.local and root.deleted is null and root.visibility = 'public'
			group by r.thread_id order by max(r.id) desc limit 20 * $2)
		select p.thread_id, max(p.id), count(*) from posts p join newest on newest.thread_id = p.thread_id
		where p.id <> p.thread_id and p.deleted is null and p.visibility = 'public' and p.kind = 'note' and `+unsilenced+` and `+visibleTo+`
		group by p.thread_id order by max(p.id) desc limit $2`, int64(0), limit)
	if err != nil {
		return nil, err
	}
	type row struct {
		root, latest int64
		count        int
	}
	var found []row
	var ids []int64
	for rows.Next() {
		var r row
		if err := rows.Scan(&r.root, &r.latest, &r.count); err != nil {
			return nil, err
		}
		found = append(found, r)
		ids = append(ids, r.root, r.latest)
	}
	if err := rows.Err(); err != nil || len(found) == 0 {
		return nil, err
	}
	posts, err := db.postsWhere(ctx, `p.id = any($2) and `+unsilenced+` and `+visibleTo, int64(0), ids)
	if err != nil {
		return nil, err
	}
	byID := make(map[int64]*Post, len(posts))
	for i := range posts {
		byID[posts[i].ID] = &posts[i]
	}
	var list []Conversation
	for _, r := range found {
		if root, latest := byID[r.root], byID[r.latest]; root != nil && latest != nil {
			list = append(list, Conversation{Root: *root, Latest: *latest, Count: r.count})
		}
	}
	return list, nil
}
