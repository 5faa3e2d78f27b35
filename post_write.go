package souk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// NewPost is what somebody of this node wrote.
type NewPost struct {
	Source     string // Markdown, at most MaxPost characters; may be empty where there are pictures
	Summary    string // content warning
	Sensitive  bool
	Lang       string
	Visibility string // empty means public
	InReplyTo  int64  // a post or listing the author may see; 0 = none
	MediaIDs   []int64
	// Mentions are accounts to mention besides those whose handles stand in the text and are known to the node.
	Mentions []int64
}

const (
	// MaxPost is how many characters a post may have.
	MaxPost = 5000
	// maxMentions is how many people a post may name: a conversation, no mailing.
	maxMentions = 30
)

// CreatePost publishes a post of a local account.
func (db *DB) CreatePost(ctx context.Context, authorID int64, n NewPost) (_ *Post, err error) {
	defer wrap(&err, "create post of %d", authorID)
	if n.Visibility == "" {
		n.Visibility = Public
	}
	if err := n.check(); err != nil {
		return nil, err
	}
	var post *Post
	err = db.Tx(ctx, func(tx *DB) error {
		author, err := tx.Account(ctx, authorID)
		if err != nil {
			return err
		}
		if !author.Person() || author.Suspended != nil {
			return ErrForbidden
		}
		if err := author.stays(); err != nil {
			return err
		}
		id := tx.NewID()
		p := &Post{ID: id, Kind: KindNote, AccountID: author.ID, URI: fmt.Sprintf("%s/posts/%d", tx.BaseURL(), id), Local: true,
			Source: n.Source, Summary: strings.TrimSpace(n.Summary), Sensitive: n.Sensitive || n.Summary != "", Lang: n.Lang, Visibility: n.Visibility,
			InTimeline: true, ThreadID: id, Published: tx.Now(), Account: author}
		p.URL = p.URI
		var parent *Post
		if n.InReplyTo != 0 {
			if parent, err = tx.reactable(ctx, author, n.InReplyTo); err != nil {
				return errors.Join(invalid("in_reply_to", "reply_unknown", "the post to reply to is not there"), err)
			}
			p.InReplyToID, p.InReplyToURI, p.ThreadID = &parent.ID, parent.URI, parent.ThreadID
		}
		text, mentioned, err := tx.renderPost(ctx, author, n.Source, n.Mentions)
		if err != nil {
			return err
		}
		p.HTML = text.HTML
		if err := tx.insertPost(ctx, p); err != nil {
			return err
		}
		if err := tx.attach(ctx, author.ID, id, n.MediaIDs); err != nil {
			return err
		}
		if err := tx.setTags(ctx, id, text.Tags); err != nil {
			return err
		}
		if err := tx.setMentions(ctx, id, mentioned); err != nil {
			return err
		}
		if err := tx.notifyAbout(ctx, p, parent, mentioned); err != nil {
			return err
		}
		if err := tx.touchShop(ctx); err != nil {
			return err
		}
		if err := tx.emit(ctx, Event{Kind: EventPostCreated, AccountID: author.ID, ObjectID: id}, true); err != nil {
			return err
		}
		post, err = tx.Post(ctx, authorID, id)
		return err
	})
	return post, err
}

func (n NewPost) check() error {
	e := &Invalid{}
	if strings.TrimSpace(n.Source) == "" && len(n.MediaIDs) == 0 {
		e.Add("text", "required", "write something, or add a picture")
	}
	if c := utf8.RuneCountInString(n.Source); c > MaxPost {
		e.Add("text", "too_long", "at most %d characters, this has %d", MaxPost, c)
	}
	checkText("summary", n.Summary, 500, true, e)
	checkText("lang", n.Lang, maxLang, false, e)
	if !slices.Contains([]string{Public, Unlisted, FollowersOnly, Direct}, n.Visibility) {
		e.Add("visibility", "visibility", "use public, unlisted, followers or direct")
	}
	if len(n.MediaIDs) > MaxPhotos {
		e.Add("media_ids", "too_many", "at most %d pictures", MaxPhotos)
	}
	if !utf8.ValidString(n.Source) || strings.ContainsRune(n.Source, 0) {
		e.Add("text", "encoding", "the text is not valid UTF-8")
	}
	return e.Err()
}

// renderPost makes the HTML of a local text; handles of accounts that the node knows become mentions.
func (db *DB) renderPost(ctx context.Context, author *Account, source string, also []int64) (Rendered, []Account, error) {
	links := Links{BaseURL: db.BaseURL(), Mentions: map[string]string{}}
	handles := Handles(source)
	if len(handles)+len(also) > maxMentions {
		return Rendered{}, nil, invalid("text", "mentions", "mention at most %d people", maxMentions)
	}
	var mentioned []Account
	for _, h := range handles {
		a, err := db.AccountByHandle(ctx, h[0], h[1])
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return Rendered{}, nil, err
		}
		key := h[0]
		if h[1] != "" {
			key += "@" + h[1]
		}
		links.Mentions[key] = a.URL
		mentioned = append(mentioned, *a)
	}
	if len(also) > 0 {
		more, err := db.accountsWhere(ctx, `id = any($1) and deleted is null`, also)
		if err != nil {
			return Rendered{}, nil, err
		}
		mentioned = append(mentioned, more...)
	}
	mentioned = slices.DeleteFunc(mentioned, func(a Account) bool { return a.ID == author.ID })
	return RenderMarkdown(source, links), mentioned, nil
}

func (db *DB) insertPost(ctx context.Context, p *Post) error {
	_, err := db.q.Exec(ctx, `insert into posts (id, kind, account_id, uri, url, local, html, source, summary, sensitive, lang, visibility,
			in_timeline, in_reply_to_uri, in_reply_to_id, thread_id, boost_of_id, published, edited)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)`,
		p.ID, p.Kind, p.AccountID, p.URI, p.URL, p.Local, p.HTML, p.Source, p.Summary, p.Sensitive, p.Lang, p.Visibility,
		p.InTimeline, p.InReplyToURI, p.InReplyToID, p.ThreadID, p.BoostOfID, p.Published, p.Edited)
	return err
}

// maxPostTags is how many hashtags of a post are kept.
const maxPostTags = 50

// keptTags are the first of the tags that can be written as hashtags; never nil.
func keptTags(tags []string) []string {
	kept := []string{}
	for _, name := range tags {
		if validTag(name) && len(kept) < maxPostTags {
			kept = append(kept, name)
		}
	}
	return kept
}

func (db *DB) setTags(ctx context.Context, postID int64, tags []string) error {
	names := keptTags(tags)
	folded := make([]string, len(names))
	for i, name := range names {
		folded[i] = FoldTag(name)
	}
	if _, err := db.q.Exec(ctx, `delete from post_tags where post_id = $1 and tag <> all($2)`, postID, folded); err != nil {
		return err
	}
	_, err := db.q.Exec(ctx, `insert into post_tags (post_id, tag, name) select distinct on (tag) $1::bigint, tag, name
		from unnest($2::text[], $3::text[]) with ordinality as t (tag, name, n) order by tag, n
		on conflict (post_id, tag) do update set name = excluded.name where post_tags.name <> excluded.name`, postID, folded, names)
	return err
}

func (db *DB) setMentions(ctx context.Context, postID int64, accounts []Account) error {
	ids := make([]int64, len(accounts))
	for i := range accounts {
		ids[i] = accounts[i].ID
	}
	if _, err := db.q.Exec(ctx, `delete from mentions where post_id = $1 and account_id <> all($2)`, postID, ids); err != nil {
		return err
	}
	_, err := db.q.Exec(ctx, `insert into mentions (post_id, account_id) select $1, unnest($2::bigint[]) on conflict do nothing`, postID, ids)
	return err
}

// notifyAbout tells the author of the parent and those mentioned, each once; people who blocked the author hear nothing.
func (db *DB) notifyAbout(ctx context.Context, p *Post, parent *Post, mentioned []Account) error {
	told := map[int64]bool{p.AccountID: true}
	tell := func(a *Account, kind string) error {
		if told[a.ID] || !a.Local() {
			return nil
		}
		told[a.ID] = true
		if err := db.notBlocked(ctx, a.ID, p.AccountID); errors.Is(err, ErrForbidden) {
			return nil
		} else if err != nil {
			return err
		}
		return db.notify(ctx, a.ID, kind, p.AccountID, p.ID, 0)
	}
	if parent != nil && p.Visibility != Direct {
		if err := tell(parent.Account, "reply"); err != nil {
			return err
		}
	}
	for i := range mentioned {
		if err := tell(&mentioned[i], "mention"); err != nil {
			return err
		}
	}
	return nil
}

// EditPost changes a post of the account and keeps what it said before. Visibility and the parent stay; MediaIDs that are
// nil leave its pictures alone. Who is named now and was not before is told.
func (db *DB) EditPost(ctx context.Context, authorID, id int64, n NewPost) (_ *Post, err error) {
	defer wrap(&err, "edit post %d", id)
	n.Visibility = Public
	if err := n.check(); err != nil {
		return nil, err
	}
	var post *Post
	err = db.Tx(ctx, func(tx *DB) error {
		p, err := tx.lockOwnPost(ctx, authorID, id, KindNote)
		if err != nil {
			return err
		}
		text, mentioned, err := tx.renderPost(ctx, p.Account, n.Source, n.Mentions)
		if err != nil {
			return err
		}
		if err := tx.keepEdit(ctx, p); err != nil {
			return err
		}
		if _, err := tx.q.Exec(ctx, `update posts set html = $2, source = $3, summary = $4, sensitive = $5, lang = $6, edited = $7 where id = $1`,
			id, text.HTML, n.Source, strings.TrimSpace(n.Summary), n.Sensitive || n.Summary != "", n.Lang, tx.editTime(p)); err != nil {
			return err
		}
		if err := tx.attach(ctx, authorID, id, n.MediaIDs); err != nil {
			return err
		}
		if err := tx.setTags(ctx, id, text.Tags); err != nil {
			return err
		}
		if err := tx.setMentions(ctx, id, mentioned); err != nil {
			return err
		}
		fresh := slices.DeleteFunc(mentioned, func(a Account) bool {
			return slices.ContainsFunc(p.Mentions, func(b Account) bool { return a.ID == b.ID })
		})
		if err := tx.notifyAbout(ctx, p, nil, fresh); err != nil {
			return err
		}
		if err := tx.touchShop(ctx); err != nil {
			return err
		}
		if err := tx.emit(ctx, Event{Kind: EventPostEdited, AccountID: authorID, ObjectID: id}, true); err != nil {
			return err
		}
		post, err = tx.Post(ctx, authorID, id)
		return err
	})
	return post, err
}

// editTime is now, but after published and the last edit: GoToSocial refuses an updated that is not later.
func (db *DB) editTime(p *Post) time.Time {
	last := p.Published
	if p.Edited != nil {
		last = *p.Edited
	}
	if now := db.Now(); now.Sub(last) >= time.Second {
		return now
	}
	return last.Add(time.Second)
}

// lockOwnPost locks a living post of the account until the end of the transaction.
func (db *DB) lockOwnPost(ctx context.Context, authorID, id int64, kind string) (*Post, error) {
	list, err := db.postsWhere(ctx, `p.id = $1 and p.local and p.kind = $2 for update`, id, kind)
	switch {
	case err != nil:
		return nil, err
	case len(list) == 0:
		return nil, ErrNotFound
	case list[0].Deleted != nil:
		return nil, ErrGone
	case list[0].AccountID != authorID:
		return nil, ErrForbidden
	}
	return &list[0], nil
}

// DeletePost makes a tombstone of a post; its author may, and the owner of the node may.
func (db *DB) DeletePost(ctx context.Context, by, id int64) (err error) {
	defer wrap(&err, "delete post %d", id)
	return db.Tx(ctx, func(tx *DB) error {
		var author int64
		err := tx.q.QueryRow(ctx, `select account_id from posts where id = $1 and local and kind = 'note' and deleted is null for update`, id).Scan(&author)
		if err != nil {
			return err
		}
		if author != by {
			if err := tx.requireOwner(ctx, by); err != nil {
				return err
			}
		}
		if err := tx.bury(ctx, id); err != nil {
			return err
		}
		return tx.emit(ctx, Event{Kind: EventPostDeleted, AccountID: author, ObjectID: id}, true)
	})
}
