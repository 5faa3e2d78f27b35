package souk

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Profile is what people change about their own account; nil leaves a part alone.
type Profile struct {
	DisplayName  *string
	Bio          *string // Markdown
	Fields       []Field // values in Markdown; nil leaves them alone
	Lang         *string
	AvatarID     *int64 // a media id of the account; 0 takes the picture away
	HeaderID     *int64
	Locked       *bool
	Discoverable *bool
	Indexable    *bool
	AlsoKnownAs  []string // actor ids of other accounts of the same person; nil leaves them alone
}

const (
	maxDisplayName = 100
	maxBio         = 2000
	maxFields      = 8
	maxFieldName   = 255
	maxFieldValue  = 2000
	maxLang        = 35 // characters of a BCP 47 tag
)

// SaveProfile changes the profile of a local account and tells its followers.
func (db *DB) SaveProfile(ctx context.Context, accountID int64, p Profile) (_ *Account, err error) {
	defer wrap(&err, "save profile of %d", accountID)
	var saved *Account
	err = db.Tx(ctx, func(tx *DB) error {
		a, err := tx.accountWhere(ctx, `id = $1 and host = '' and deleted is null for update`, accountID)
		if err != nil {
			return err
		}
		if err := tx.applyProfile(ctx, a, p); err != nil {
			return err
		}
		_, err = tx.q.Exec(ctx, `update accounts set display_name = $2, bio = $3, bio_source = $4, fields = $5, lang = $6, avatar_id = $7,
				header_id = $8, locked = $9, discoverable = $10, indexable = $11, updated = `+later("$12")+`, also_known_as = $13 where id = $1`,
			a.ID, a.DisplayName, a.Bio, a.BioSource, a.Fields, a.Lang, a.AvatarID, a.HeaderID, a.Locked, a.Discoverable, a.Indexable, tx.Now(), a.AlsoKnownAs)
		if err != nil {
			return err
		}
		if err := tx.touchShop(ctx); err != nil {
			return err
		}
		if err := tx.emit(ctx, Event{Kind: EventActorUpdated, AccountID: a.ID}, true); err != nil {
			return err
		}
		saved, err = tx.accountWhere(ctx, `id = $1`, a.ID)
		return err
	})
	return saved, err
}

// later is the SQL for the time of a change of a local account: the given one, but in another second than the change before.
// The wire has whole seconds, and of two documents with the same one nobody can say which is newer.
func later(now string) string {
	return `greatest(` + now + `, date_trunc('second', updated) + interval '1 second')`
}

func (db *DB) applyProfile(ctx context.Context, a *Account, p Profile) error {
	e := &Invalid{}
	if p.DisplayName != nil {
		a.DisplayName = tidyText(*p.DisplayName)
		checkText("display_name", a.DisplayName, maxDisplayName, false, e)
	}
	if p.Bio != nil {
		a.BioSource = tidyText(*p.Bio)
		checkText("bio", a.BioSource, maxBio, true, e)
		a.Bio = RenderMarkdown(a.BioSource, Links{BaseURL: db.BaseURL()}).HTML
	}
	if p.Fields != nil {
		if len(p.Fields) > maxFields {
			e.Add("fields", "too_many", "at most %d rows", maxFields)
		}
		a.Fields = a.Fields[:0]
		for i, f := range p.Fields[:min(len(p.Fields), maxFields)] {
			checkText(fmt.Sprintf("fields[%d].name", i), f.Name, maxFieldName, false, e)
			checkText(fmt.Sprintf("fields[%d].value", i), f.Value, maxFieldValue, false, e)
			a.Fields = append(a.Fields, Field{Name: f.Name, Value: RenderInline(f.Value)})
		}
	}
	for _, picture := range []struct {
		field string
		id    *int64
		to    **int64
	}{{"avatar", p.AvatarID, &a.AvatarID}, {"header", p.HeaderID, &a.HeaderID}} {
		switch {
		case picture.id == nil:
		case *picture.id == 0:
			*picture.to = nil
		default:
			var mine bool
			if err := db.q.QueryRow(ctx, `select exists (select from media where id = $1 and account_id = $2)`, *picture.id, a.ID).Scan(&mine); err != nil {
				return err
			}
			if !mine {
				e.Add(picture.field, "media_unknown", "no such picture of yours")
			}
			*picture.to = picture.id
		}
	}
	setIf(&a.Lang, p.Lang)
	checkText("lang", a.Lang, maxLang, false, e)
	setIf(&a.Locked, p.Locked)
	setIf(&a.Discoverable, p.Discoverable)
	setIf(&a.Indexable, p.Indexable)
	if p.AlsoKnownAs != nil {
		a.checkAliases(p.AlsoKnownAs, e)
	}
	return e.Err()
}

func setIf[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

// RemoteAccount is an actor document of another node, checked and sanitised by federation.
type RemoteAccount struct {
	Account
	AvatarURL string
	HeaderURL string
	Stub      bool      // no more than a key, as servers in secure mode show it to those whose signature they cannot verify
	Asked     time.Time // when its origin was asked for the document; zero where it came by itself, nobody knows how long ago
}

// supersedes reports whether a document counts although there is one stored already: where the origin was asked for it after
// that one was stored (it may go back in time, to a backup), or where it is later by its own word. What came by itself and
// says no time may be older than what is stored.
func (r *RemoteAccount) supersedes(known *Account) bool {
	return known.Deleted != nil || known.Fetched == nil || !r.Asked.Before(*known.Fetched) ||
		r.Said != nil && known.Said != nil && r.Said.After(*known.Said)
}

// UpsertRemoteAccount stores an actor of another node as it is now, and returns what is stored then: where a later document was
// before, that. Of a stub only the key counts where more is known. Its handle may have been another actor's before (a host was set up anew): the newcomer takes it over and the
// old row counts as deleted. A document that says nothing new queues nothing.
func (db *DB) UpsertRemoteAccount(ctx context.Context, r RemoteAccount) (_ *Account, err error) {
	defer wrap(&err, "remote account %s", r.URI)
	if r.Host == "" {
		return nil, invalid("host", "host", "a remote account needs its host")
	}
	r.storable()
	saved, err := db.sameRemote(ctx, &r, false)
	if saved != nil || err != nil {
		return saved, err
	}
	err = db.Tx(ctx, func(tx *DB) error {
		if saved, err = tx.sameRemote(ctx, &r, true); saved == nil && err == nil {
			saved, err = tx.changeRemote(ctx, &r)
		}
		if err != nil {
			return err
		}
		return tx.featuredDue(ctx, saved.ID)
	})
	return saved, err
}

// sameRemote notes when a document was read that says what is stored, and returns that; nil where it says something else, or
// where what the account pins must be read again and due is false.
func (db *DB) sameRemote(ctx context.Context, r *RemoteAccount, due bool) (*Account, error) {
	now := db.Now()
	known, err := db.oneAccount(ctx, `update accounts a set fetched = greatest(a.fetched, $2) where a.uri = $1 and a.host <> '' and a.deleted is null
		and a.said is not distinct from $3
		and (a.host, a.name, a.kind, a.url, a.inbox, a.shared_inbox, a.outbox, a.followers_uri, a.following_uri, a.featured_uri, a.display_name, a.bio, a.fields,
			a.key_id, a.public_key, a.locked, a.discoverable, a.indexable, a.suspended_there, a.memorial, a.also_known_as, a.moved_to)
			= ($4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25)
		and coalesce((select m.remote_url from media m where m.id = a.avatar_id), '') = $26
		and coalesce((select m.remote_url from media m where m.id = a.header_id), '') = $27
		and ($28 or not (`+featuredUnread("$29")+`))
		returning `+accountColumns,
		r.URI, r.read(now), r.Said, r.Host, r.Name, r.Kind, r.URL, r.Inbox, r.SharedInbox, r.Outbox, r.FollowersURI, r.FollowingURI, r.FeaturedURI,
		r.DisplayName, r.Bio, r.Fields, r.KeyID, r.PublicKey, r.Locked, r.Discoverable, r.Indexable, r.SuspendedThere, r.Memorial, r.AlsoKnownAs, r.MovedTo,
		r.AvatarURL, r.HeaderURL, due, now.Add(-featuredRest))
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	return known, err
}

// read is when the document was the present: when its origin was asked, or, where it came by itself, now.
func (r *RemoteAccount) read(now time.Time) time.Time {
	if r.Asked.IsZero() {
		return now
	}
	return r.Asked
}

// changeRemote stores a document that says something new.
func (db *DB) changeRemote(ctx context.Context, r *RemoteAccount) (*Account, error) {
	now := db.Now()
	known, err := db.accountWhere(ctx, `uri = $1 and host <> '' for update`, r.URI)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return nil, err
	}
	if known != nil && !r.supersedes(known) {
		return known, nil
	}
	if r.Stub && known != nil && known.Deleted == nil && known.Outbox != "" {
		return db.changeRemoteKey(ctx, known.ID, r)
	}
	if r.Created.IsZero() || r.Created.After(now) {
		r.Created = now
	}
	if err := db.freeHandle(ctx, r.Name, r.Host, r.URI); err != nil {
		return nil, err
	}
	var id int64
	err = db.q.QueryRow(ctx, `insert into accounts (id, host, name, kind, uri, url, inbox, shared_inbox, outbox, followers_uri, following_uri,
			featured_uri, display_name, bio, fields, lang, key_id, public_key, locked, discoverable, indexable, also_known_as, moved_to,
			created, updated, fetched, said, suspended_there, memorial)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29)
		on conflict (uri) do update set host = excluded.host, name = excluded.name, kind = excluded.kind, url = excluded.url,
			inbox = excluded.inbox, shared_inbox = excluded.shared_inbox, outbox = excluded.outbox, followers_uri = excluded.followers_uri,
			following_uri = excluded.following_uri, featured_uri = excluded.featured_uri, display_name = excluded.display_name,
			bio = excluded.bio, fields = excluded.fields, key_id = excluded.key_id, public_key = excluded.public_key,
			locked = excluded.locked, discoverable = excluded.discoverable, indexable = excluded.indexable,
			also_known_as = excluded.also_known_as, moved_to = excluded.moved_to, updated = excluded.updated, fetched = excluded.fetched,
			said = excluded.said, suspended_there = excluded.suspended_there, memorial = excluded.memorial, deleted = null
		where accounts.host <> ''
		returning id`,
		db.ids.at(r.Created), r.Host, r.Name, r.Kind, r.URI, r.URL, r.Inbox, r.SharedInbox, r.Outbox, r.FollowersURI, r.FollowingURI,
		r.FeaturedURI, r.DisplayName, r.Bio, r.Fields, r.Lang, r.KeyID, r.PublicKey, r.Locked, r.Discoverable, r.Indexable,
		r.AlsoKnownAs, r.MovedTo, r.Created, now, r.read(now), r.Said, r.SuspendedThere, r.Memorial).Scan(&id)
	if err != nil {
		return nil, err
	}
	for column, url := range map[string]string{"avatar_id": r.AvatarURL, "header_id": r.HeaderURL} {
		if err := db.remotePicture(ctx, id, column, url); err != nil {
			return nil, err
		}
	}
	if err := db.seenHost(ctx, r.Host); err != nil {
		return nil, err
	}
	if known != nil && known.SuspendedThere != r.SuspendedThere {
		if err := db.touchShop(ctx); err != nil {
			return nil, err
		}
	}
	if err := db.emit(ctx, Event{Kind: EventActorUpdated, AccountID: id}, false); err != nil {
		return nil, err
	}
	return db.accountWhere(ctx, `id = $1`, id)
}

// changeRemoteKey notes that an actor's origin was asked, and what it says the key is, where it does.
func (db *DB) changeRemoteKey(ctx context.Context, id int64, r *RemoteAccount) (*Account, error) {
	return db.oneAccount(ctx, `update accounts set fetched = $4, key_id = case when $3 = '' then key_id else $2 end, public_key = coalesce(nullif($3, ''), public_key)
		where id = $1 returning `+accountColumns, id, r.KeyID, r.PublicKey, r.read(db.Now()))
}

// freeHandle ends the account that had the handle under another uri, with its follows: nobody would answer to them.
func (db *DB) freeHandle(ctx context.Context, name, host, uri string) error {
	rows, err := db.q.Query(ctx, `update accounts set deleted = $4 where lower(name) = lower($1) and host = $2 and uri <> $3 and deleted is null returning id`,
		name, host, uri, db.Now())
	if err != nil {
		return err
	}
	ended, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return err
	}
	for _, id := range ended {
		if _, err := db.q.Exec(ctx, `delete from follows where follower_id = $1 or followee_id = $1`, id); err != nil {
			return err
		}
		if err := db.emit(ctx, Event{Kind: EventActorDeleted, AccountID: id}, false); err != nil {
			return err
		}
	}
	return nil
}

// storable makes the texts of an actor such that they can be stored.
func (r *RemoteAccount) storable() {
	r.DisplayName, r.Bio, r.Lang = truncate(r.DisplayName, maxDisplayName), storable(r.Bio), truncate(r.Lang, maxLang)
	fields := []Field{}
	for _, f := range r.Fields {
		fields = append(fields, Field{Name: truncate(f.Name, maxFieldName), Value: storable(f.Value)})
	}
	r.Fields = fields
	if r.AlsoKnownAs == nil {
		r.AlsoKnownAs = []string{}
	}
}

// remotePicture points an account at the picture with the address, keeping the row it has for the same address.
func (db *DB) remotePicture(ctx context.Context, accountID int64, column, url string) error {
	if url == "" {
		_, err := db.q.Exec(ctx, `update accounts set `+column+` = null where id = $1`, accountID)
		return err
	}
	_, err := db.q.Exec(ctx, `with known as (select id from media where account_id = $1 and remote_url = $2 and post_id is null limit 1),
		made as (insert into media (id, account_id, mime, remote_url, created) select $3, $1, '', $2, $4 where not exists (select from known) returning id)
		update accounts set `+column+` = (select id from known union all select id from made) where id = $1`,
		accountID, url, db.NewID(), db.Now())
	return err
}

// Stale reports whether a remote account was last fetched longer ago than d.
func (a *Account) Stale(now time.Time, d time.Duration) bool {
	return a.Fetched == nil || now.Sub(*a.Fetched) > d
}
