package souk

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"golang.org/x/text/language"
)

// How a buyer may pay. None of them moves money through the node: the seller marks an order as paid.
const (
	PayArrange  = "arrange"  // seller and buyer agree by message
	PayTransfer = "transfer" // to what PaymentNote says
	PayCash     = "cash"     // on pickup or delivery
	PayLink     = "link"     // on the page whose https address stands in PaymentNote
)

// Payments are the codes of all ways to pay, in the order in which pages offer them.
func Payments() []string { return []string{PayTransfer, PayCash, PayLink, PayArrange} }

// Langs are the codes of the languages that the node speaks.
func Langs() []string { return []string{"en", "zh"} }

// Shop is what the owner sets about the node.
type Shop struct {
	Name         string // empty until it is set up
	Tagline      string
	About        string // Markdown
	Country      string // ISO 3166-1 alpha-2; may be empty
	Currency     string // ISO 4217, of new listings and of ShippingFee
	Lang         string // of the bare paths: en or zh
	Payments     []string
	PaymentNote  string // shown to who ordered: where to transfer to, or the payment link
	DeliveryNote string
	Pickup       bool
	Shipping     bool
	ShippingFee  int64 // minor units of Currency, for one order
	Open         bool  // takes orders
	OwnerID      int64 // 0 before there is one; SaveShop ignores it
	Version      int64 // goes up with everything that anonymous pages show; SaveShop ignores it
	Updated      time.Time
}

// ownerID is the one account with the role: the role is the truth, however the account was made.
const ownerID = `(select id from accounts where role = 'owner' and deleted is null and suspended is null)`

// EnsureShop makes the row of the shop where it is missing. It starts with every way to pay that needs no details.
func (db *DB) EnsureShop(ctx context.Context) (err error) {
	defer wrap(&err, "ensure shop")
	secret := make([]byte, 32)
	if _, err := rand.Read(secret); err != nil {
		return err
	}
	_, err = db.q.Exec(ctx, `insert into shop (secret, payments, updated) values ($1, $2, $3) on conflict do nothing`,
		secret, []string{PayTransfer, PayCash, PayArrange}, db.Now())
	return err
}

// Shop is the shop as it is set now. The row is made on first use.
func (db *DB) Shop(ctx context.Context) (_ *Shop, err error) {
	defer wrap(&err, "shop")
	shop, err := db.shopRow(ctx)
	if errors.Is(err, pgx.ErrNoRows) {
		if err := db.EnsureShop(ctx); err != nil {
			return nil, err
		}
		shop, err = db.shopRow(ctx)
	}
	return shop, err
}

func (db *DB) shopRow(ctx context.Context) (*Shop, error) {
	rows, err := db.q.Query(ctx, `select name, tagline, about, country, currency, lang, payments, payment_note, delivery_note,
		pickup, shipping, shipping_fee, open, coalesce(`+ownerID+`, 0) as owner_id, version, updated from shop`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectExactlyOneRow(rows, pgx.RowToAddrOfStructByName[Shop])
}

// SaveShop sets everything about the shop but OwnerID and Version. Only the owner may; *Invalid names every wrong field.
func (db *DB) SaveShop(ctx context.Context, by int64, s Shop) (err error) {
	defer wrap(&err, "save shop")
	e := &Invalid{}
	s.tidy()
	s.check("", e)
	if err := e.Err(); err != nil {
		return err
	}
	if err := db.EnsureShop(ctx); err != nil {
		return err
	}
	return db.Tx(ctx, func(tx *DB) error { return tx.updateShop(ctx, by, s) })
}

func (db *DB) updateShop(ctx context.Context, by int64, s Shop) error {
	tag, err := db.q.Exec(ctx, `update shop set name = $2, tagline = $3, about = $4, country = $5, currency = $6, lang = $7,
			payments = $8, payment_note = $9, delivery_note = $10, pickup = $11, shipping = $12, shipping_fee = $13, open = $14, updated = $15
		where $1 = `+ownerID, by, s.Name, s.Tagline, s.About, s.Country, s.Currency, s.Lang,
		s.Payments, s.PaymentNote, s.DeliveryNote, s.Pickup, s.Shipping, s.ShippingFee, s.Open, db.Now())
	if err != nil {
		return err
	}
	if tag.RowsAffected() == 0 {
		return ErrForbidden
	}
	return db.touchShop(ctx)
}

// tidy brings what people type into the one form that is stored.
func (s *Shop) tidy() {
	for _, text := range []*string{&s.Name, &s.Tagline, &s.About, &s.PaymentNote, &s.DeliveryNote} {
		*text = tidyText(*text)
	}
	s.Country = strings.ToUpper(strings.TrimSpace(s.Country))
	s.Currency = strings.ToUpper(strings.TrimSpace(s.Currency))
	var payments []string
	for _, p := range s.Payments {
		if !slices.Contains(payments, p) {
			payments = append(payments, p)
		}
	}
	s.Payments = payments
}

// check adds what is wrong with the shop; prefix comes before the names of its fields.
func (s *Shop) check(prefix string, e *Invalid) {
	if s.Name == "" {
		e.Add(prefix+"name", "required", "give the shop a name")
	}
	checkText(prefix+"name", s.Name, 80, false, e)
	checkText(prefix+"tagline", s.Tagline, 160, false, e)
	checkText(prefix+"about", s.About, 20_000, true, e)
	checkText(prefix+"payment_note", s.PaymentNote, 2000, true, e)
	checkText(prefix+"delivery_note", s.DeliveryNote, 2000, true, e)
	if s.Country != "" && !validCountry(s.Country) {
		e.Add(prefix+"country", "country", "%q is not a country code such as DE or CN", s.Country)
	}
	if _, err := CurrencyExponent(s.Currency); err != nil {
		e.Add(prefix+"currency", "currency", "%v", err)
	}
	if !slices.Contains(Langs(), s.Lang) {
		e.Add(prefix+"lang", "lang", "choose one of %s", strings.Join(Langs(), ", "))
	}
	if len(s.Payments) == 0 {
		e.Add(prefix+"payments", "required", "choose at least one way to pay")
	}
	for _, p := range s.Payments {
		if !slices.Contains(Payments(), p) {
			e.Add(prefix+"payments", "payment", "%q is not one of %s", p, strings.Join(Payments(), ", "))
		}
	}
	if slices.Contains(s.Payments, PayLink) && !strings.Contains(s.PaymentNote, "https://") {
		e.Add(prefix+"payment_note", "payment_link", "write the https address of the payment page here")
	}
	if !s.Pickup && !s.Shipping {
		e.Add(prefix+"shipping", "delivery", "offer pickup, shipping or both")
	}
	if s.ShippingFee < 0 || s.ShippingFee > MaxAmount {
		e.Add(prefix+"shipping_fee", "price", "the fee must lie between 0 and %d", int64(MaxAmount))
	}
}

// shopTouched marks a transaction in which something public changed.
const shopTouched = "shop touched"

// touchShop says that something which anonymous pages show has changed. In a transaction the version goes up just before
// the outermost commit: the row is shared by everything that writes, so its lock must be the last and the shortest.
func (db *DB) touchShop(ctx context.Context) error {
	if db.tx == nil {
		return db.bumpShop(ctx)
	}
	db.woken[shopTouched] = true
	return nil
}

func (db *DB) bumpShop(ctx context.Context) error {
	_, err := db.q.Exec(ctx, `update shop set version = version + 1`)
	return err
}

// ShopVersion goes up with every committed change of what anonymous pages show; 0 before there is a shop.
func (db *DB) ShopVersion(ctx context.Context) (v int64, err error) {
	defer wrap(&err, "shop version")
	err = db.q.QueryRow(ctx, `select coalesce((select version from shop), 0)`).Scan(&v)
	return v, err
}

// ShopKey is a 32-byte key for links and tokens that need no row of their own, another one for each purpose. It is derived
// from the secret of the shop, stays the same over restarts and restores, and must never leave the node.
func (db *DB) ShopKey(ctx context.Context, purpose string) (_ []byte, err error) {
	defer wrap(&err, "shop key")
	if err := db.EnsureShop(ctx); err != nil {
		return nil, err
	}
	var secret []byte
	if err := db.q.QueryRow(ctx, `select secret from shop`).Scan(&secret); err != nil {
		return nil, err
	}
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(purpose))
	return mac.Sum(nil), nil
}

// tidyText drops what surrounds a text and makes its line ends plain.
func tidyText(s string) string {
	return strings.TrimSpace(strings.ReplaceAll(s, "\r\n", "\n"))
}

// checkText adds a problem with a text that is longer than limit characters or holds what no text does: control
// characters (line ends and tabs only where lines is set) or bytes that are not UTF-8.
func checkText(field, s string, limit int, lines bool, e *Invalid) {
	if utf8.RuneCountInString(s) > limit {
		e.Add(field, "too_long", "use at most %d characters", limit)
	}
	control := func(r rune) bool { return unicode.IsControl(r) && !(lines && (r == '\n' || r == '\t')) }
	if !utf8.ValidString(s) || strings.ContainsFunc(s, control) {
		e.Add(field, "characters", "use plain text")
	}
}

// validCountry reports whether the code is an ISO 3166-1 alpha-2 country in capitals.
func validCountry(code string) bool {
	region, err := language.ParseRegion(code)
	return err == nil && len(code) == 2 && region.String() == code && region.IsCountry()
}
