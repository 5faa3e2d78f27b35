package souk

import (
	"context"
	"errors"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"golang.org/x/net/publicsuffix"
)

// Reader is an actor of another node that asks for a document, and whose signature proves it. The zero Reader is a
// stranger.
type Reader struct {
	AccountID int64
	URI       string
	Host      string
	// Node says that it is its server's own actor (Account.ForHost), with which servers ask on behalf of all their people.
	Node bool
}

// Stranger reports whether nothing is known of who asks.
func (r Reader) Stranger() bool { return r.AccountID == 0 }

// ReaderOf is what an account of another node is when it asks.
func ReaderOf(a *Account) Reader {
	return Reader{AccountID: a.ID, URI: a.URI, Host: a.Host, Node: a.ForHost()}
}

// ForHost reports whether an account is the actor of its whole server: an Application with the server's own name, as the
// instance actors of Mastodon, GoToSocial and Souk are called. The type alone says nothing, since some servers let
// everybody choose theirs; a name there is only one of, and the server's nobody else can have. Where handles have
// a domain of their own, it is that one, above the host.
func (a *Account) ForHost() bool {
	host, name := strings.ToLower(a.Host), strings.ToLower(a.Name)
	if a.Kind != "Application" || host == "" {
		return false
	}
	bare := (&url.URL{Host: host}).Hostname()
	if name == host || name == bare {
		return true
	}
	if _, err := netip.ParseAddr(bare); err == nil {
		return false
	}
	theirs, err := publicsuffix.EffectiveTLDPlusOne(name) // an error for what everybody registers under, such as co.uk
	return err == nil && strings.HasSuffix(bare, "."+name) && strings.HasSuffix("."+name, "."+theirs)
}

// KeyOwner is whose a key is, as far as the node knows.
type KeyOwner struct {
	Refused bool // the host is suspended, or the account is
	Known   bool // the rest is about the account that named the key as its own
	Reader
	PublicKey string // PEM
	Fetched   time.Time
}

// KeyOwner looks up the account of another node that has the key; host is that of the key's id.
func (db *DB) KeyOwner(ctx context.Context, keyID, host string) (o KeyOwner, err error) {
	defer wrap(&err, "owner of key %s", keyID)
	var a Account
	err = db.q.QueryRow(ctx, `select `+hostSuspended("$2")+` or a.suspended is not null,
			a.id is not null, coalesce(a.id, 0), coalesce(a.uri, ''), coalesce(a.host, ''), coalesce(a.kind, ''), coalesce(a.name, ''),
			coalesce(a.public_key, ''), coalesce(a.fetched, 'epoch')
		from (values (1)) one left join lateral (select * from accounts where key_id = $1 and host <> '' and deleted is null
			order by id limit 1) a on true`, keyID, host).
		Scan(&o.Refused, &o.Known, &a.ID, &a.URI, &a.Host, &a.Kind, &a.Name, &o.PublicKey, &o.Fetched)
	o.Reader = ReaderOf(&a)
	return o, err
}

// PostFor is the post with the id, where the reader may read it: everybody what is public, an accepted follower what is for
// followers, and those mentioned what is for them. A server's own actor may read what somebody of its server may: that
// server has the post already. Whom the author blocks, and who is suspended, reads nothing. A tombstone comes with Deleted
// set, to those who could read the post. viewer is whose eyes it was read with, for what belongs to the post: 0 for a stranger.
// ErrNotFound for all others, as if there were nothing.
func (db *DB) PostFor(ctx context.Context, r Reader, id int64) (_ *Post, viewer int64, err error) {
	defer wrap(&err, "post %d for %s", id, r.URI)
	p, err := db.postFor(ctx, r.AccountID, id)
	if err == nil || !errors.Is(err, ErrNotFound) || !r.Node {
		return p, r.AccountID, err
	}
	err = db.q.QueryRow(ctx, `select a.id from `+readAt+`
			and not exists (select from blocks b where b.blocker_id = p.account_id and b.blocked_id in (a.id, $3)) limit 1`, id, r.Host, r.AccountID).Scan(&viewer)
	if err != nil {
		return nil, 0, err // pgx.ErrNoRows is ErrNotFound
	}
	p, err = db.postFor(ctx, viewer, id)
	return p, viewer, err
}

// readAt are the accounts a of the host $2 whom the post p with the id $1, which is not public, is for.
const readAt = `accounts a, posts p where p.id = $1 and a.host = $2 and a.deleted is null and a.suspended is null
	and (a.id in (select m.account_id from mentions m where m.post_id = p.id)
		or p.visibility = 'followers' and exists (select from follows f
			where f.followee_id = p.account_id and f.follower_id = a.id and f.state = 'accepted'))`

// ReadAt reports whether the post with the id is there, and for somebody of the host: a follower, or one who is mentioned.
func (db *DB) ReadAt(ctx context.Context, id int64, host string) (is bool, err error) {
	defer wrap(&err, "readers of post %d at %s", id, host)
	err = db.q.QueryRow(ctx, `select exists (select from `+readAt+`)`, id, host).Scan(&is)
	return is, err
}

func (db *DB) postFor(ctx context.Context, viewer, id int64) (*Post, error) {
	list, err := db.postsWhere(ctx, `p.id = $2 and (p.deleted is not null and p.visibility in ('public', 'unlisted') or `+visibleTo+`)`, viewer, id)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, ErrNotFound
	}
	return &list[0], nil
}

// Open is ErrNotFound where the account blocks the reader: its lists are not for them.
func (db *DB) Open(ctx context.Context, accountID int64, r Reader) (err error) {
	if r.Stranger() {
		return nil
	}
	defer wrap(&err, "lists of %d for %s", accountID, r.URI)
	if err = db.notBlocked(ctx, accountID, r.AccountID); errors.Is(err, ErrForbidden) {
		return ErrNotFound
	}
	return err
}

// SecureMode reports whether other servers get documents only where an actor of theirs signed the request.
func (db *DB) SecureMode(ctx context.Context) (on bool, err error) {
	defer wrap(&err, "secure mode")
	err = db.q.QueryRow(ctx, `select coalesce((select secure_mode from shop), false)`).Scan(&on)
	return on, err
}

// SetSecureMode turns secure mode on or off. Only the owner may.
func (db *DB) SetSecureMode(ctx context.Context, by int64, on bool) (err error) {
	defer wrap(&err, "set secure mode")
	if err := db.EnsureShop(ctx); err != nil {
		return err
	}
	tag, err := db.q.Exec(ctx, `update shop set secure_mode = $2, updated = $3 where $1 = `+ownerID, by, on, db.Now())
	if err == nil && tag.RowsAffected() == 0 {
		return ErrForbidden
	}
	return err
}
