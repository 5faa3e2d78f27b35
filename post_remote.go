package souk

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// RemotePost is a Note of another node as federation understood it. Texts may still be unsafe: they are made safe here.
type RemotePost struct {
	URI          string
	URL          string
	Author       *Account
	HTML         string
	Summary      string
	Sensitive    bool
	Lang         string
	Texts        []Text // in other languages; more than are kept, maybe
	Visibility   string
	InTimeline   bool // false for a listing that came only through a catalogue
	InReplyToURI string
	Published    time.Time
	Edited       *time.Time
	Tags         []string // without '#'
	MentionURIs  []string // actor ids; those the node does not know are left out
	Media        []RemoteMedia
}

// RemoteMedia is a picture, film or sound attached to a remote post.
type RemoteMedia struct {
	URL      string
	MIME     string
	Width    int
	Height   int
	Blurhash string
	Alt      string
	FocalX   float32
	FocalY   float32
}

// maxRemotePost bounds the HTML kept of a remote text.
const maxRemotePost = 64 << 10

// ReceivePost stores a remote post and loads it. One that is there already, or was deleted before it came, changes nothing.
func (db *DB) ReceivePost(ctx context.Context, r RemotePost) (_ *Post, err error) {
	defer wrap(&err, "receive post %s", r.URI)
	id, _, err := db.KeepPost(ctx, r)
	if err != nil {
		return nil, err
	}
	return db.PostForDelivery(ctx, id)
}

// KeepPost is ReceivePost for those who need no more of the post than its id: loading it costs more than storing it.
// deleted says that a tombstone lies there. Inside a transaction a failure ends that transaction.
func (db *DB) KeepPost(ctx context.Context, r RemotePost) (id int64, deleted bool, err error) {
	defer wrap(&err, "keep post %s", r.URI)
	var kept keptPost
	err = db.within(ctx, func(tx *DB) error {
		if kept, err = tx.receivePost(ctx, r, KindNote); err != nil || !kept.fresh {
			return err
		}
		if !r.Author.Indexable || r.Visibility != Public {
			return nil // search may not show it, and has nothing of it yet that it would have to forget
		}
		return tx.emit(ctx, Event{Kind: EventPostCreated, AccountID: r.Author.ID, ObjectID: kept.id}, false)
	})
	return kept.id, kept.deleted, err
}

// keptPost is the row under the uri of a remote post.
type keptPost struct {
	id      int64
	fresh   bool // it was made just now
	deleted bool
}

// receivePost inserts the row and all that hangs on it, unless the uri is known.
func (db *DB) receivePost(ctx context.Context, r RemotePost, kind string) (kept keptPost, err error) {
	now := db.Now()
	if r.Published.IsZero() || r.Published.After(now) {
		r.Published = now
	}
	parent, err := db.parentOf(ctx, r)
	if err == nil && parent == nil && r.InReplyToURI != "" {
		// The parent may be on its way in another transaction that cannot see this reply: one waits for the other.
		if _, err = db.q.Exec(ctx, `select `+lockURI("$1"), r.InReplyToURI); err == nil {
			parent, err = db.parentOf(ctx, r)
		}
	}
	if err != nil {
		return kept, err
	}
	r.Edited = editedBy(r.Edited, now)
	id := db.ids.at(r.Published)
	p := &Post{ID: id, Kind: kind, AccountID: r.Author.ID, URI: r.URI, URL: r.URL, HTML: Sanitise(truncate(r.HTML, maxRemotePost)), Summary: truncate(Plain(r.Summary), 500),
		Sensitive: r.Sensitive || r.Summary != "", Lang: r.Lang, Texts: keptTexts(r.Texts, r.Lang), Visibility: r.Visibility, InTimeline: r.InTimeline, InReplyToURI: r.InReplyToURI,
		ThreadID: id, Published: r.Published, Edited: r.Edited}
	if parent != nil {
		p.InReplyToID, p.ThreadID = &parent.ID, parent.ThreadID
	}
	awaited := false
	batch := &pgx.Batch{}
	batch.Queue(`select `+lockURI("$1"), p.URI) // a statement of its own: the next sees what was stored until it got the lock
	batch.Queue(`insert into posts (id, kind, account_id, uri, url, local, html, summary, sensitive, lang, visibility, in_timeline,
			in_reply_to_uri, in_reply_to_id, thread_id, published, edited, texts)
		values ($1, $2, $3, $4, $5, false, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17::jsonb)
		on conflict (uri) do update set in_timeline = posts.in_timeline or (excluded.in_timeline and posts.account_id = excluded.account_id)
		returning id, deleted is not null, exists (select from posts w where w.in_reply_to_uri = $4 and w.in_reply_to_uri <> '' and w.in_reply_to_id is null)`,
		p.ID, p.Kind, p.AccountID, p.URI, p.URL, p.HTML, p.Summary, p.Sensitive, p.Lang, p.Visibility, p.InTimeline, p.InReplyToURI,
		p.InReplyToID, p.ThreadID, p.Published, p.Edited, p.Texts).QueryRow(func(row pgx.Row) error { return row.Scan(&kept.id, &kept.deleted, &awaited) })
	if err := db.q.SendBatch(ctx, batch).Close(); err != nil || kept.id != id {
		return kept, err
	}
	kept.fresh = true
	mentioned, err := db.newRemoteParts(ctx, id, r)
	if err != nil {
		return kept, err
	}
	if awaited {
		if err := db.adoptReplies(ctx, p); err != nil {
			return kept, err
		}
	}
	if parent != nil {
		if err := db.touchShop(ctx); err != nil {
			return kept, err
		}
	}
	return kept, db.notifyAbout(ctx, p, parent, mentioned)
}

// lockURI is the SQL that keeps, to the end of the transaction, any other from storing the post with the uri.
func lockURI(param string) string { return `pg_advisory_xact_lock(hashtextextended(` + param + `, 0))` }

// editedBy is the time of an edit as it can be stored and compared: to the microsecond, and at most an hour to come (clocks
// differ), or no later edit would count any more.
func editedBy(edited *time.Time, now time.Time) *time.Time {
	if edited == nil {
		return nil
	}
	at := edited.UTC().Truncate(time.Microsecond)
	if latest := now.Add(time.Hour); at.After(latest) {
		at = latest
	}
	return &at
}

// parentOf is the known post that r answers, nil where it answers none or an unknown one. A tombstone keeps its place.
func (db *DB) parentOf(ctx context.Context, r RemotePost) (*Post, error) {
	if r.InReplyToURI == "" {
		return nil, nil // no parent is no failure: the caller asks for an optional row
	}
	list, err := db.postsWhere(ctx, `p.uri = $1 and p.kind <> 'boost'`, r.InReplyToURI)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	parent := &list[0]
	if err := db.notBlocked(ctx, parent.AccountID, r.Author.ID); err != nil {
		return nil, err
	}
	return parent, nil
}

// newRemoteParts is remoteParts for a row that was just made: what r has none of is not asked about.
func (db *DB) newRemoteParts(ctx context.Context, id int64, r RemotePost) (mentioned []Account, err error) {
	if len(r.MentionURIs) > 0 {
		if mentioned, err = db.remoteMentions(ctx, id, r); err != nil {
			return nil, err
		}
	}
	if len(r.Tags) > 0 {
		if err := db.setTags(ctx, id, r.Tags); err != nil {
			return nil, err
		}
	}
	if len(r.Media) == 0 {
		return mentioned, nil
	}
	return mentioned, db.attachRemote(ctx, r.Author.ID, id, r.Media)
}

// remoteParts makes mentions, tags and pictures of a remote post those that r has.
func (db *DB) remoteParts(ctx context.Context, id int64, r RemotePost) ([]Account, error) {
	mentioned, err := db.remoteMentions(ctx, id, r)
	if err != nil {
		return nil, err
	}
	if err := db.setTags(ctx, id, r.Tags); err != nil {
		return nil, err
	}
	return mentioned, db.attachRemote(ctx, r.Author.ID, id, r.Media)
}

func (db *DB) remoteMentions(ctx context.Context, id int64, r RemotePost) ([]Account, error) {
	mentioned, err := db.accountsWhere(ctx, `uri = any($1) and deleted is null and id <> $2`, r.MentionURIs, r.Author.ID)
	if err != nil {
		return nil, err
	}
	return mentioned, db.setMentions(ctx, id, mentioned)
}

// attachRemote makes the pictures of a remote post those listed, keeping the rows (and fetched files) of the same address.
func (db *DB) attachRemote(ctx context.Context, accountID, postID int64, media []RemoteMedia) error {
	media = media[:min(len(media), MaxPhotos)]
	urls := make([]string, len(media))
	for i, m := range media {
		urls[i] = m.URL
	}
	if _, err := db.q.Exec(ctx, `update media set post_id = null where post_id = $1 and remote_url <> all($2)`, postID, urls); err != nil {
		return err
	}
	for i, m := range media {
		tag, err := db.q.Exec(ctx, `update media set position = $3, alt = $4 where post_id = $1 and remote_url = $2`, postID, m.URL, i, truncate(m.Alt, maxAlt))
		if err != nil {
			return err
		}
		if tag.RowsAffected() > 0 {
			continue
		}
		if _, err := db.q.Exec(ctx, `insert into media (id, account_id, post_id, position, mime, width, height, blurhash, alt, focal_x, focal_y, remote_url, created)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`, db.NewID(), accountID, postID, i, truncate(m.MIME, 100), max(m.Width, 0), max(m.Height, 0),
			truncate(m.Blurhash, 100), truncate(m.Alt, maxAlt), clampUnit(m.FocalX), clampUnit(m.FocalY), m.URL, db.Now()); err != nil {
			return err
		}
	}
	return nil
}

func clampUnit(f float32) float32 {
	if f != f { // NaN
		return 0
	}
	return max(-1, min(1, f))
}

// adoptReplies ties posts that came before their parent to it, and moves their whole threads.
func (db *DB) adoptReplies(ctx context.Context, p *Post) error {
	if _, err := db.q.Exec(ctx, `update posts set in_reply_to_id = $1 where in_reply_to_uri = $2 and in_reply_to_uri <> '' and in_reply_to_id is null`, p.ID, p.URI); err != nil {
		return err
	}
	_, err := db.q.Exec(ctx, `with recursive below as (
			select id from posts where in_reply_to_id = $1
			union select c.id from posts c join below b on c.in_reply_to_id = b.id)
		update posts set thread_id = $2 from below where posts.id = below.id`, p.ID, p.ThreadID)
	return err
}

// ReceivePostEdit changes a remote post. An edit that is not newer than what is stored, or of a post that is not known, changes
// nothing.
func (db *DB) ReceivePostEdit(ctx context.Context, r RemotePost) (err error) {
	defer wrap(&err, "receive edit of %s", r.URI)
	return db.Tx(ctx, func(tx *DB) error {
		id, changed, err := tx.receiveEdit(ctx, r)
		if err != nil || !changed {
			return err
		}
		return tx.emit(ctx, Event{Kind: EventPostEdited, AccountID: r.Author.ID, ObjectID: id}, false)
	})
}

func (db *DB) receiveEdit(ctx context.Context, r RemotePost) (id int64, changed bool, err error) {
	list, err := db.postsWhere(ctx, `p.uri = $1 and not p.local and p.deleted is null for update`, r.URI)
	if err != nil || len(list) == 0 {
		return 0, false, err
	}
	p := &list[0]
	if p.AccountID != r.Author.ID {
		return 0, false, ErrForbidden
	}
	now := db.Now()
	if r.Edited == nil {
		r.Edited = &now
	}
	last := p.Published
	if p.Edited != nil {
		last = *p.Edited
	}
	if r.Edited = editedBy(r.Edited, now); !r.Edited.After(last) {
		return p.ID, false, nil
	}
	html, summary := Sanitise(truncate(r.HTML, maxRemotePost)), truncate(Plain(r.Summary), 500)
	if p.changes(r, html, summary) {
		if err := db.keepEdit(ctx, p); err != nil {
			return 0, false, err
		}
	}
	if _, err := db.q.Exec(ctx, `update posts set html = $2, summary = $3, sensitive = $4, lang = $5, edited = $6, url = $7, texts = $8 where id = $1`, p.ID,
		html, summary, r.Sensitive || r.Summary != "", r.Lang, *r.Edited, r.URL, keptTexts(r.Texts, r.Lang)); err != nil {
		return 0, false, err
	}
	if _, err := db.remoteParts(ctx, p.ID, r); err != nil {
		return 0, false, err
	}
	return p.ID, true, db.touchShop(ctx)
}

// ReceiveCounts shows a remote poll with the counts in html, which the caller has compared: safe already, and the text that is
// stored but for them. It is no edit.
func (db *DB) ReceiveCounts(ctx context.Context, id int64, html string) (err error) {
	defer wrap(&err, "receive counts of post %d", id)
	tag, err := db.q.Exec(ctx, `update posts set html = $2 where id = $1 and not local and deleted is null and html <> $2`, id, html)
	if err != nil || tag.RowsAffected() == 0 {
		return err
	}
	return db.touchShop(ctx)
}

// ReceiveDelete makes a tombstone of what the actor deleted. An object not known yet gets one too, so that a Create
// that comes late does not bring it back.
func (db *DB) ReceiveDelete(ctx context.Context, actor *Account, objectURI string) (err error) {
	defer wrap(&err, "receive delete of %s", objectURI)
	return db.Tx(ctx, func(tx *DB) error {
		list, err := tx.postsWhere(ctx, `p.uri = $1 for update`, objectURI)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			now := tx.Now()
			id := tx.ids.at(now)
			_, err := tx.q.Exec(ctx, `insert into posts (id, kind, account_id, uri, local, visibility, in_timeline, thread_id, published, deleted)
				values ($1, 'note', $2, $3, false, 'direct', false, $1, $4, $4) on conflict do nothing`, id, actor.ID, objectURI, now)
			return err
		}
		p := &list[0]
		if p.AccountID != actor.ID || p.Local {
			return ErrForbidden
		}
		if p.Deleted != nil {
			return nil
		}
		if err := tx.bury(ctx, p.ID); err != nil {
			return err
		}
		kind := EventPostDeleted
		if p.Kind == KindListing {
			kind = EventListingDeleted
		}
		return tx.emit(ctx, Event{Kind: kind, AccountID: actor.ID, ObjectID: p.ID}, false)
	})
}

// KnownPost is the id of the post with the uri, tombstones too; ErrNotFound where none is.
func (db *DB) KnownPost(ctx context.Context, uri string) (id int64, deleted bool, err error) {
	err = db.q.QueryRow(ctx, `select id, deleted is not null from posts where uri = $1`, uri).Scan(&id, &deleted)
	if err != nil {
		wrap(&err, "known post %s", uri)
		return 0, false, err
	}
	return id, deleted, nil
}

// Standing is what a remote post is to this node.
type Standing struct {
	ID      int64 // of what is kept under its uri; 0: nothing
	Deleted bool  // that is a tombstone
	// Wanted says that the post concerns somebody here: its author is followed, it mentions somebody, or it answers what
	// is kept here.
	Wanted bool
}

// Standing looks up, in one query, what decides whether a remote post is kept.
func (db *DB) Standing(ctx context.Context, r RemotePost) (s Standing, err error) {
	defer wrap(&err, "standing of %s", r.URI)
	err = db.q.QueryRow(ctx, `select coalesce(p.id, 0), p.deleted is not null,
			exists (select from follows f join accounts a on a.id = f.follower_id where f.followee_id = $2 and f.state = 'accepted' and a.host = '')
			or exists (select from accounts where uri = any($3) and host = '')
			or exists (select from posts where uri = $4 and deleted is null)
		from (values (1)) one left join posts p on p.uri = $1`, r.URI, r.Author.ID, r.MentionURIs, r.InReplyToURI).Scan(&s.ID, &s.Deleted, &s.Wanted)
	return s, err
}
