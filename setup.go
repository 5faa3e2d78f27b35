package souk

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/text/currency"
	"golang.org/x/text/language"
)

// setupFor is how long a setup link works (C-01).
const setupFor = 30 * time.Minute

// Setup is what the first run asks for.
type Setup struct {
	Account  NewAccount // the owner; its Role is ignored
	Name     string     // of the shop
	Country  string     // ISO 3166-1 alpha-2
	Currency string     // empty: that of the country
	Lang     string     // empty: en
}

// NewSetupToken is a new token for the setup link, good for 30 minutes and once. ErrConflict where the node has an owner.
func (db *DB) NewSetupToken(ctx context.Context) (token string, err error) {
	defer wrap(&err, "new setup token")
	token, err = newSecret(24)
	if err != nil {
		return "", err
	}
	now := db.Now()
	tag, err := db.q.Exec(ctx, `insert into setup_tokens (hash, created, expires)
		select $1, $2, $3 where not exists (select 1 from accounts where role = 'owner' and deleted is null)`, tokenHash(token), now, now.Add(setupFor))
	if err != nil {
		return "", err
	}
	if tag.RowsAffected() == 0 {
		return "", errOwned()
	}
	return token, nil
}

func errOwned() error { return fmt.Errorf("the node has an owner already: %w", ErrConflict) }

// CheckSetupToken is nil where SetUp would take the token, else ErrUnauthorized: unknown, expired, used, or the node has
// an owner.
func (db *DB) CheckSetupToken(ctx context.Context, token string) (err error) {
	defer wrap(&err, "check setup token")
	var good bool
	err = db.q.QueryRow(ctx, `select exists (select 1 from setup_tokens where hash = $1 and used is null and expires > $2)
		and not exists (select 1 from accounts where role = 'owner' and deleted is null)`, tokenHash(token), db.Now()).Scan(&good)
	if err == nil && !good {
		return ErrUnauthorized
	}
	return err
}

// SetUp makes the owner and the shop, and uses the token up; with an error nothing of it happened and the token still
// works. *Invalid names the fields of the account as CreateAccount does, those of the shop with "shop." before them.
// ErrUnauthorized as CheckSetupToken; ErrConflict where somebody else became the owner meanwhile.
func (db *DB) SetUp(ctx context.Context, token string, s Setup) (_ *Account, err error) {
	defer wrap(&err, "set up")
	var owner *Account
	err = db.Tx(ctx, func(tx *DB) error {
		if err := tx.useSetupToken(ctx, token); err != nil {
			return err
		}
		shop, err := tx.Shop(ctx)
		if err != nil {
			return err
		}
		e := &Invalid{}
		s.apply(shop, e)
		s.Account.Role = RoleOwner
		if s.Account.Password == "" {
			e.Add("password", "required", "choose a password")
		}
		if s.Account.Lang == "" {
			s.Account.Lang = shop.Lang
		}
		var wrong *Invalid
		if owner, err = tx.CreateAccount(ctx, s.Account); errors.As(err, &wrong) {
			e.Problems = append(wrong.Problems, e.Problems...)
		} else if err != nil {
			return err
		}
		if err := e.Err(); err != nil {
			return err
		}
		return tx.updateShop(ctx, owner.ID, *shop)
	})
	if err != nil {
		return nil, err
	}
	return owner, nil
}

func (db *DB) useSetupToken(ctx context.Context, token string) error {
	now := db.Now()
	tag, err := db.q.Exec(ctx, `update setup_tokens set used = $2 where hash = $1 and used is null and expires > $2`, tokenHash(token), now)
	if err == nil && tag.RowsAffected() == 0 {
		return ErrUnauthorized
	}
	return err
}

// apply puts the answers into the shop and adds what is wrong with them.
func (s Setup) apply(shop *Shop, e *Invalid) {
	shop.Name, shop.Country = s.Name, s.Country
	if s.Lang != "" {
		shop.Lang = s.Lang
	}
	if s.Currency != "" {
		shop.Currency = s.Currency
	} else if code := CountryCurrency(strings.ToUpper(strings.TrimSpace(s.Country))); code != "" {
		shop.Currency = code
	}
	shop.tidy()
	if shop.Country == "" {
		e.Add("shop.country", "required", "choose the country that you sell from")
	}
	shop.check("shop.", e)
}

// CountryCurrency is the ISO 4217 code of the currency that a country (ISO 3166-1 alpha-2) uses, "" where none is known.
func CountryCurrency(country string) string {
	region, err := language.ParseRegion(country)
	if err != nil {
		return ""
	}
	unit, ok := currency.FromRegion(region)
	if !ok {
		return ""
	}
	return unit.String()
}
