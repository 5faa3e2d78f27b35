package souk

import (
	"context"
	"fmt"
	"net/mail"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
)

// Roles of local accounts. Remote accounts have none.
const (
	RoleOwner     = "owner"
	RoleSeller    = "seller"
	RoleMember    = "member"
	RoleInstance  = "instance"  // signs what the node itself asks of others
	RoleCatalogue = "catalogue" // sends listings to the nodes that follow it
)

// Field is one row of an account's profile table (a PropertyValue). Value is sanitised HTML.
type Field struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Account is a person, shop or service: of this node (Host empty, Role set) or of another.
type Account struct {
	ID           int64
	Host         string // "" for local; else host, with the port where it is not the default
	Name         string
	Kind         string // ActivityStreams actor type
	Role         string
	URI          string
	URL          string
	Inbox        string
	SharedInbox  string
	Outbox       string
	FollowersURI string
	FollowingURI string
	FeaturedURI  string
	DisplayName  string
	Bio          string // sanitised HTML
	BioSource    string // Markdown, local only
	Fields       []Field
	AvatarID     *int64
	HeaderID     *int64
	Lang         string
	Email        *string
	KeyID        string
	PublicKey    string // PEM
	Locked       bool   // follow requests wait for an answer
	Discoverable bool
	Indexable    bool
	AlsoKnownAs  []string
	MovedTo      string
	Moved        *time.Time // when it moved last, also where that was taken back
	Created      time.Time
	Updated      time.Time  // of a local account later by a second or more with each change: peers go by it
	Said         *time.Time // the updated of a remote actor's document, in whole seconds; nil where it had none
	Fetched      *time.Time
	Suspended    *time.Time // by the owner of this node
	// SuspendedThere says that a remote actor's own server shows nothing of it any more (toot:suspended): its posts are hidden
	// here too, and nothing new is sent to it, until a later document says otherwise.
	SuspendedThere bool
	Memorial       bool // kept in memory of who has died
	Deleted        *time.Time

	Avatar *Media `db:"-"` // loaded with the account where there is one
	Header *Media `db:"-"`
}

// accountColumns lists what Account scans; password and private key are read only where they are used.
const accountColumns = `id, host, name, kind, role, uri, url, inbox, shared_inbox, outbox, followers_uri, following_uri, featured_uri,
	display_name, bio, bio_source, fields, avatar_id, header_id, lang, email, key_id, public_key, locked, discoverable, indexable,
	also_known_as, moved_to, moved, created, updated, said, fetched, suspended, suspended_there, memorial, deleted`

// Local reports whether the account lives on this node.
func (a *Account) Local() bool { return a.Host == "" }

// Sells reports whether the account may have listings.
func (a *Account) Sells() bool { return a.Role == RoleOwner || a.Role == RoleSeller }

// Person reports whether a local account is one that people sign in to.
func (a *Account) Person() bool {
	return a.Role == RoleOwner || a.Role == RoleSeller || a.Role == RoleMember
}

// Title is the display name, or the bare name where there is none.
func (a *Account) Title() string {
	if a.DisplayName != "" {
		return a.DisplayName
	}
	return a.Name
}

// Handle is @name@domain as people write it.
func (db *DB) Handle(a *Account) string {
	if a.Local() {
		return "@" + a.Name + "@" + db.HandleDomain()
	}
	return "@" + a.Name + "@" + a.Host
}

// NewAccount is a local account to be made.
type NewAccount struct {
	Name        string // 1 to 30 of a-z 0-9 _
	Role        string // owner, seller or member; empty means member
	DisplayName string
	Email       string // optional; unique
	Password    string // at least 8 characters; empty: cannot sign in with a password
	Lang        string
}

var accountName = regexp.MustCompile(`^[a-z0-9_]{1,30}$`)

// reservedNames would look like parts of the node.
var reservedNames = []string{"actor", "admin", "catalogue", "inbox", "node", "root", "souk", "support", "system"}

// CreateAccount makes a local account that can sign in. It accepts followers at once, and is discoverable and indexable
// when it sells: a shop wants to be found. Its signing key is made in the background (KeyArgs).
func (db *DB) CreateAccount(ctx context.Context, n NewAccount) (_ *Account, err error) {
	defer wrap(&err, "create account %q", n.Name)
	if n.Role == "" {
		n.Role = RoleMember
	}
	n.Email = strings.TrimSpace(n.Email)
	n.DisplayName = strings.TrimSpace(n.DisplayName)
	if err := n.check(); err != nil {
		return nil, err
	}
	password := ""
	if n.Password != "" {
		if password, err = hashPassword(n.Password); err != nil {
			return nil, err
		}
	}
	a := db.localAccount(n.Name, n.Role, db.BaseURL()+"/users/"+n.Name)
	a.DisplayName, a.Lang = n.DisplayName, n.Lang
	a.Discoverable, a.Indexable = a.Sells(), a.Sells()
	if n.Email != "" {
		a.Email = &n.Email
	}
	err = db.Tx(ctx, func(tx *DB) error {
		if err := tx.insertAccount(ctx, a, password); err != nil {
			return err
		}
		if err := tx.job(ctx, KeyArgs{AccountID: a.ID}, nil); err != nil {
			return err
		}
		if err := tx.touchShop(ctx); err != nil {
			return err
		}
		return tx.index(ctx, "account", a.ID)
	})
	switch {
	case violates(err, "accounts_handle"), violates(err, "accounts_uri_key"):
		return nil, invalid("name", "name_taken", "%q is taken", n.Name)
	case violates(err, "accounts_email"):
		return nil, invalid("email", "email_taken", "another account uses this address")
	case violates(err, "accounts_one_owner"):
		return nil, fmt.Errorf("the node has an owner already: %w", ErrConflict)
	case err != nil:
		return nil, err
	}
	return a, nil
}

func (n NewAccount) check() error {
	e := &Invalid{}
	if !accountName.MatchString(n.Name) {
		e.Add("name", "name_form", "use 1 to 30 of a-z, 0-9 and _")
	} else if slices.Contains(reservedNames, n.Name) {
		e.Add("name", "name_taken", "%q is reserved", n.Name)
	}
	if !slices.Contains([]string{RoleOwner, RoleSeller, RoleMember}, n.Role) {
		e.Add("role", "role", "use owner, seller or member")
	}
	checkText("display_name", n.DisplayName, maxDisplayName, false, e)
	checkText("lang", n.Lang, maxLang, false, e)
	if n.Email != "" && !validEmail(n.Email) {
		e.Add("email", "email", "write an address such as name@example.org")
	}
	checkPassword(n.Password, e)
	return e.Err()
}

// checkPassword adds what is wrong with a new password; an empty one is no password.
func checkPassword(password string, e *Invalid) {
	if password != "" && utf8.RuneCountInString(password) < 8 {
		e.Add("password", "password_short", "use at least 8 characters")
	}
	if len(password) > maxPassword {
		e.Add("password", "too_long", "at most %d bytes", maxPassword)
	}
}

// validEmail reports whether s is one bare address with a dot or an IP literal after the @; no display name, no spaces.
func validEmail(s string) bool {
	if len(s) > 254 {
		return false
	}
	addr, err := mail.ParseAddress(s)
	if err != nil || addr.Address != s || addr.Name != "" {
		return false
	}
	_, domain, _ := strings.Cut(s, "@")
	return strings.Contains(strings.Trim(domain, "."), ".") || domain == "localhost"
}

// localAccount fills in the addresses that follow from an actor's uri.
func (db *DB) localAccount(name, role, uri string) *Account {
	now := db.Now()
	a := &Account{ID: db.NewID(), Name: name, Kind: "Person", Role: role, URI: uri, URL: db.BaseURL() + "/@" + name,
		Inbox: uri + "/inbox", SharedInbox: db.BaseURL() + "/inbox", Outbox: uri + "/outbox",
		FollowersURI: uri + "/followers", FollowingURI: uri + "/following", FeaturedURI: uri + "/featured",
		KeyID: uri + "#main-key", Fields: []Field{}, AlsoKnownAs: []string{}, Created: now, Updated: now}
	return a
}

func (db *DB) insertAccount(ctx context.Context, a *Account, password string) error {
	_, err := db.q.Exec(ctx, `insert into accounts (id, host, name, kind, role, uri, url, inbox, shared_inbox, outbox, followers_uri,
			following_uri, featured_uri, display_name, lang, email, password, key_id, locked, discoverable, indexable, created, updated)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $22)`,
		a.ID, a.Host, a.Name, a.Kind, a.Role, a.URI, a.URL, a.Inbox, a.SharedInbox, a.Outbox, a.FollowersURI,
		a.FollowingURI, a.FeaturedURI, a.DisplayName, a.Lang, a.Email, password, a.KeyID, a.Locked, a.Discoverable, a.Indexable, a.Created)
	return err
}

// EnsureNodeActors makes the instance actor and the catalogue actor where they are missing. Any number of processes may
// call it at once.
func (db *DB) EnsureNodeActors(ctx context.Context) (err error) {
	defer wrap(&err, "node actors")
	instance := db.localAccount(db.HandleDomain(), RoleInstance, db.BaseURL()+"/actor")
	instance.Kind, instance.URL = "Application", db.BaseURL()+"/"
	catalogue := db.localAccount("catalogue", RoleCatalogue, db.BaseURL()+"/catalogue")
	catalogue.Kind, catalogue.URL = "Service", db.BaseURL()+"/products"
	for _, a := range []*Account{instance, catalogue} {
		err := db.Tx(ctx, func(tx *DB) error {
			if err := tx.insertAccount(ctx, a, ""); err != nil {
				return err
			}
			return tx.job(ctx, KeyArgs{AccountID: a.ID}, nil)
		})
		if err != nil && !violates(err, "accounts_one_owner") && !violates(err, "accounts_handle") && !violates(err, "accounts_uri_key") {
			return err
		}
	}
	return nil
}

// accountWhere loads the one account that matches the condition, with its pictures.
func (db *DB) accountWhere(ctx context.Context, where string, args ...any) (*Account, error) {
	return db.oneAccount(ctx, `select `+accountColumns+` from accounts where `+where, args...)
}

func (db *DB) accountsWhere(ctx context.Context, where string, args ...any) ([]Account, error) {
	return db.accountRows(ctx, `select `+accountColumns+` from accounts where `+where, args...)
}

// oneAccount is the account that a statement returns (accountColumns), with its pictures.
func (db *DB) oneAccount(ctx context.Context, sql string, args ...any) (*Account, error) {
	list, err := db.accountRows(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, ErrNotFound
	}
	return &list[0], nil
}

func (db *DB) accountRows(ctx context.Context, sql string, args ...any) ([]Account, error) {
	rows, err := db.q.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[Account])
	if err != nil {
		return nil, err
	}
	var ids []int64
	for i := range list {
		for _, id := range []*int64{list[i].AvatarID, list[i].HeaderID} {
			if id != nil {
				ids = append(ids, *id)
			}
		}
	}
	if len(ids) == 0 {
		return list, nil
	}
	pictures, err := db.mediaByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	for i := range list {
		if id := list[i].AvatarID; id != nil {
			list[i].Avatar = pictures[*id].shown()
		}
		if id := list[i].HeaderID; id != nil {
			list[i].Header = pictures[*id].shown()
		}
	}
	return list, nil
}

// Account is the account with the id; a deleted one is ErrGone.
func (db *DB) Account(ctx context.Context, id int64) (_ *Account, err error) {
	defer wrap(&err, "account %d", id)
	a, err := db.accountWhere(ctx, `id = $1`, id)
	if err == nil && a.Deleted != nil {
		return nil, ErrGone
	}
	return a, err
}

// LocalAccount is the account of this node with the name, in any case. Deleted ones are ErrGone.
func (db *DB) LocalAccount(ctx context.Context, name string) (_ *Account, err error) {
	defer wrap(&err, "local account %q", name)
	a, err := db.accountWhere(ctx, `lower(name) = lower($1) and host = '' order by deleted nulls first limit 1`, name)
	if err == nil && a.Deleted != nil {
		return nil, ErrGone
	}
	return a, err
}

// AccountByHandle is the account with the name at the host ("" or this node's own domain means local).
func (db *DB) AccountByHandle(ctx context.Context, name, host string) (_ *Account, err error) {
	defer wrap(&err, "account %q at %q", name, host)
	if strings.EqualFold(host, db.HandleDomain()) || strings.EqualFold(host, db.Domain()) {
		host = ""
	}
	return db.accountWhere(ctx, `lower(name) = lower($1) and host = lower($2) and deleted is null`, name, host)
}

// AccountByURI is the account whose actor id is uri, deleted ones too.
func (db *DB) AccountByURI(ctx context.Context, uri string) (_ *Account, err error) {
	defer wrap(&err, "account %s", uri)
	return db.accountWhere(ctx, `uri = $1`, uri)
}

// AccountsByURI are the accounts with the actor ids, deleted ones too, in no order; unknown ids are left out.
func (db *DB) AccountsByURI(ctx context.Context, uris []string) (_ []Account, err error) {
	defer wrap(&err, "accounts by uri")
	return db.accountsWhere(ctx, `uri = any($1)`, uris)
}

// InstanceActor is the account that signs what the node itself asks of others.
func (db *DB) InstanceActor(ctx context.Context) (_ *Account, err error) {
	defer wrap(&err, "instance actor")
	return db.accountWhere(ctx, `role = 'instance'`)
}

// Catalogue is this node's catalogue actor.
func (db *DB) Catalogue(ctx context.Context) (_ *Account, err error) {
	defer wrap(&err, "catalogue actor")
	return db.accountWhere(ctx, `role = 'catalogue'`)
}

// Owner is the account that owns the node; ErrNotFound before it is set up.
func (db *DB) Owner(ctx context.Context) (_ *Account, err error) {
	defer wrap(&err, "owner")
	return db.accountWhere(ctx, `role = 'owner' and deleted is null`)
}

// People are the local accounts that people sign in to, the oldest first. Only the owner may see them.
func (db *DB) People(ctx context.Context, by int64) (_ []Account, err error) {
	defer wrap(&err, "people")
	if err := db.requireOwner(ctx, by); err != nil {
		return nil, err
	}
	return db.accountsWhere(ctx, `host = '' and role in ('owner', 'seller', 'member') and deleted is null order by id`)
}

// SetKey stores the key pair of a local account that has none; a second one loses and is no error.
func (db *DB) SetKey(ctx context.Context, accountID int64, publicPEM, privatePEM string) (err error) {
	defer wrap(&err, "set key of %d", accountID)
	_, err = db.q.Exec(ctx, `update accounts set public_key = $2, private_key = $3 where id = $1 and host = '' and private_key = ''`,
		accountID, publicPEM, privatePEM)
	return err
}
