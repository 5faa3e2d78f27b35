package souk

import (
	"context"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// Kinds of posts.
const (
	KindNote    = "note"
	KindListing = "listing"
	KindBoost   = "boost"
)

// Visibilities: who may read a post.
const (
	Public        = "public"
	Unlisted      = "unlisted"  // public, but in no public timeline, feed or search
	FollowersOnly = "followers" // and those mentioned
	Direct        = "direct"    // those mentioned; a draft listing has this and mentions nobody
)

// Tag is a hashtag of a post: as folded for comparing, and as written.
type Tag struct {
	Tag  string
	Name string
}

// Post is a Note: something somebody wrote, a listing (Listing is set), or a boost (BoostOf is set).
type Post struct {
	ID           int64
	Kind         string
	AccountID    int64
	URI          string
	URL          string
	Local        bool
	HTML         string // sanitised
	Source       string // Markdown, local only
	Summary      string // content warning, plain text
	Sensitive    bool
	Lang         string
	Texts        []Text // what it says in other languages; of remote posts only
	Visibility   string
	InTimeline   bool
	InReplyToURI string
	InReplyToID  *int64
	ThreadID     int64
	BoostOfID    *int64
	Published    time.Time
	Edited       *time.Time
	Deleted      *time.Time // a tombstone

	Account  *Account  `db:"-"`
	Media    []Media   `db:"-"` // pictures
	Films    []Media   `db:"-"` // films and sounds
	Tags     []Tag     `db:"-"`
	Mentions []Account `db:"-"`
	Listing  *Listing  `db:"-"`
	BoostOf  *Post     `db:"-"`
	Replies  int       `db:"-"`
	Likes    int       `db:"-"`
	Boosts   int       `db:"-"`

	attached []Media // all its pictures and films; Media and Films are those of them that are shown
	links    string  // the end of HTML that stands for the others
}

// Written is the HTML without the links that stand in place of pictures which this node refuses: what is stored, and compared
// with what its author says.
func (p *Post) Written() string { return strings.TrimSuffix(p.HTML, p.links) }

const postColumns = `p.id, p.kind, p.account_id, p.uri, p.url, p.local, p.html, p.source, p.summary, p.sensitive, p.lang, p.texts, p.visibility,
	p.in_timeline, p.in_reply_to_uri, p.in_reply_to_id, p.thread_id, p.boost_of_id, p.published, p.edited, p.deleted`

// visibleTo is the condition that viewer ($1, 0 = a stranger) may read post p: its author and its host are not suspended,
// here or (the author) there, and its author does not block the viewer; of a boost the same is true of what it shares.
const visibleTo = `(p.visibility in ('public', 'unlisted') or p.account_id = $1
	or exists (select from mentions m where m.post_id = p.id and m.account_id = $1)
	or p.visibility = 'followers' and exists (select from follows f where f.follower_id = $1 and f.followee_id = p.account_id and f.state = 'accepted'))
	and not exists (select from accounts sa left join hosts sh on sh.host = sa.host where sa.id = p.account_id
		and (sa.suspended is not null or sa.suspended_there or sa.deleted is not null or sh.severity = 'suspend'))
	and not exists (select from blocks vb where vb.blocker_id = p.account_id and vb.blocked_id = $1)
	and (p.boost_of_id is null or exists (select from posts bo join accounts ba on ba.id = bo.account_id left join hosts bh on bh.host = ba.host
		where bo.id = p.boost_of_id and bo.deleted is null and ba.suspended is null and not ba.suspended_there and ba.deleted is null and bh.severity is distinct from 'suspend'
		and not exists (select from blocks vb where vb.blocker_id = bo.account_id and vb.blocked_id = $1)))`

// Post is the post with the id as the viewer (0: a stranger) may see it. A tombstone is ErrGone.
func (db *DB) Post(ctx context.Context, viewer, id int64) (_ *Post, err error) {
	defer wrap(&err, "post %d", id)
	return db.onePost(ctx, `p.id = $2 and (p.deleted is not null or `+visibleTo+`)`, viewer, id)
}

// PostByURI is the post with the ActivityPub id, visible to the viewer. A tombstone is ErrGone.
func (db *DB) PostByURI(ctx context.Context, viewer int64, uri string) (_ *Post, err error) {
	defer wrap(&err, "post %s", uri)
	return db.onePost(ctx, `p.uri = $2 and (p.deleted is not null or `+visibleTo+`)`, viewer, uri)
}

// PostForDelivery is a post whoever may see it, tombstones too; for federation and the search index.
func (db *DB) PostForDelivery(ctx context.Context, id int64) (_ *Post, err error) {
	defer wrap(&err, "post %d", id)
	list, err := db.postsWhere(ctx, `p.id = $1`, id)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, ErrNotFound
	}
	return &list[0], nil
}

func (db *DB) onePost(ctx context.Context, where string, args ...any) (*Post, error) {
	list, err := db.postsWhere(ctx, where, args...)
	switch {
	case err != nil:
		return nil, err
	case len(list) == 0:
		return nil, ErrNotFound
	case list[0].Deleted != nil:
		return nil, ErrGone
	}
	return &list[0], nil
}

// postsWhere loads posts with all that is shown with them.
func (db *DB) postsWhere(ctx context.Context, where string, args ...any) ([]Post, error) {
	rows, err := db.q.Query(ctx, `select `+postColumns+` from posts p where `+where, args...)
	if err != nil {
		return nil, err
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[Post])
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return list, db.fillPosts(ctx, list)
}

// fillPosts loads authors, pictures, tags, mentions, listings, counts and boosted posts, a query each for the whole list.
func (db *DB) fillPosts(ctx context.Context, list []Post) error {
	byID := make(map[int64]*Post, len(list))
	var ids, authors, boosted, listings []int64
	for i := range list {
		p := &list[i]
		byID[p.ID] = p
		ids, authors = append(ids, p.ID), append(authors, p.AccountID)
		switch p.Kind {
		case KindBoost:
			boosted = append(boosted, *p.BoostOfID)
		case KindListing:
			listings = append(listings, p.ID)
		}
	}
	accounts, err := db.accountsByID(ctx, authors)
	if err != nil {
		return err
	}
	for i := range list {
		list[i].Account = accounts[list[i].AccountID]
	}
	if err := db.fillPostParts(ctx, ids, byID); err != nil {
		return err
	}
	if len(listings) > 0 {
		found, err := db.listingsWhere(ctx, `l.id = any($1)`, listings)
		if err != nil {
			return err
		}
		for i := range found {
			found[i].Post = byID[found[i].ID]
			byID[found[i].ID].Listing = &found[i]
		}
	}
	if len(boosted) == 0 {
		return nil
	}
	originals, err := db.postsWhere(ctx, `p.id = any($1) and p.kind <> 'boost'`, boosted)
	if err != nil {
		return err
	}
	for i := range list {
		for j := range originals {
			if list[i].BoostOfID != nil && *list[i].BoostOfID == originals[j].ID {
				list[i].BoostOf = &originals[j]
			}
		}
	}
	return nil
}

func (db *DB) fillPostParts(ctx context.Context, ids []int64, byID map[int64]*Post) error {
	media, err := db.mediaWhere(ctx, `post_id = any($1) order by post_id, position, id`, ids)
	if err != nil {
		return err
	}
	for _, m := range media {
		p := byID[*m.PostID]
		p.attached = append(p.attached, m)
		if m.Refused {
			p.links += m.linked()
			p.HTML += m.linked()
			for i := range p.Texts {
				p.Texts[i].HTML += m.linked()
			}
		} else if m.Plays() {
			p.Films = append(p.Films, m)
		} else {
			p.Media = append(p.Media, m)
		}
	}
	rows, err := db.q.Query(ctx, `select post_id, tag, name from post_tags where post_id = any($1) order by post_id, tag`, ids)
	if err != nil {
		return err
	}
	var id int64
	var t Tag
	if _, err := pgx.ForEachRow(rows, []any{&id, &t.Tag, &t.Name}, func() error {
		byID[id].Tags = append(byID[id].Tags, t)
		return nil
	}); err != nil {
		return err
	}
	rows, err = db.q.Query(ctx, `select p.id,
			(select count(*) from posts r where r.in_reply_to_id = p.id and r.deleted is null and r.visibility in ('public', 'unlisted')),
			(select count(*) from likes k where k.post_id = p.id),
			(select count(*) from posts b where b.boost_of_id = p.id and b.deleted is null)
		from posts p where p.id = any($1)`, ids)
	if err != nil {
		return err
	}
	var replies, likes, boosts int
	if _, err := pgx.ForEachRow(rows, []any{&id, &replies, &likes, &boosts}, func() error {
		p := byID[id]
		p.Replies, p.Likes, p.Boosts = replies, likes, boosts
		return nil
	}); err != nil {
		return err
	}
	rows, err = db.q.Query(ctx, `select post_id, account_id from mentions where post_id = any($1) order by 1, 2`, ids)
	if err != nil {
		return err
	}
	type pair struct{ PostID, AccountID int64 }
	pairs, err := pgx.CollectRows(rows, pgx.RowToStructByPos[pair])
	if err != nil || len(pairs) == 0 {
		return err
	}
	mentioned := make([]int64, len(pairs))
	for i, m := range pairs {
		mentioned[i] = m.AccountID
	}
	accounts, err := db.accountsByID(ctx, mentioned)
	if err != nil {
		return err
	}
	for _, m := range pairs {
		byID[m.PostID].Mentions = append(byID[m.PostID].Mentions, *accounts[m.AccountID])
	}
	return nil
}

// bury turns posts into tombstones: their texts, pictures, tags, likes and pins go, their addresses stay. What their threads
// know of them stays too, so that replies keep their place.
func (db *DB) bury(ctx context.Context, ids ...int64) error {
	now := db.Now()
	batch := &pgx.Batch{}
	batch.Queue(`update posts set html = '', source = '', summary = '', texts = '[]', deleted = $2 where id = any($1)`, ids, now)
	batch.Queue(`delete from post_edits where post_id = any($1)`, ids)
	batch.Queue(`delete from post_tags where post_id = any($1)`, ids)
	batch.Queue(`delete from likes where post_id = any($1)`, ids)
	batch.Queue(`delete from notifications where post_id = any($1)`, ids)
	batch.Queue(`delete from pins where post_id = any($1)`, ids)
	batch.Queue(`update media set post_id = null where post_id = any($1)`, ids) // PruneMedia deletes the files
	batch.Queue(`update posts set deleted = $2 where boost_of_id = any($1) and deleted is null`, ids, now)
	batch.Queue(`update listings set state = 'withdrawn', availability = 'sold_out', updated = $2, version = version + 1 where id = any($1) and state <> 'withdrawn'`, ids, now)
	// What another node deleted is nothing that an order here could name.
	batch.Queue(`update listings l set title = '', description = '', html = '', tags = '{}' from posts p where p.id = l.id and not p.local and l.id = any($1)`, ids)
	batch.Queue(`insert into search_outbox (object_kind, object_id, version, queued) select 'post', unnest($1::bigint[]), $2, $3 `+indexAgain, ids, now.UnixMicro(), now)
	if err := db.q.SendBatch(ctx, batch).Close(); err != nil {
		return err
	}
	db.wakeAfterCommit("index")
	return db.touchShop(ctx)
}
