package souk

import (
	"bytes"
	"errors"
	"testing"
)

func TestShop(t *testing.T) {
	t.Parallel()
	m := newNode(t)
	ctx := t.Context()
	fresh := must(m.Shop(ctx))(t)
	if fresh.Name != "" || fresh.OwnerID != 0 || !fresh.Open || fresh.Lang != "en" || len(fresh.Payments) != 3 {
		t.Errorf("a new shop: %+v", fresh)
	}
	owner := must(m.CreateAccount(ctx, NewAccount{Name: "ada", Role: RoleOwner, Password: "market lane 1"}))(t)
	seller := must(m.CreateAccount(ctx, NewAccount{Name: "bo", Role: RoleSeller, Password: "market lane 2"}))(t)

	s := Shop{Name: " 集市 ", Tagline: "tea and cups", About: "One\r\ntwo", Country: "cn", Currency: "cny", Lang: "zh",
		Payments: []string{PayLink, PayCash, PayCash}, PaymentNote: "https://pay.example/me", Pickup: true, Open: true}
	wantErr(t, "save as a seller", m.SaveShop(ctx, seller.ID, s), ErrForbidden)
	wantErr(t, "save as nobody", m.SaveShop(ctx, 0, s), ErrForbidden)
	before := must(m.ShopVersion(ctx))(t)
	if err := m.SaveShop(ctx, owner.ID, s); err != nil {
		t.Fatal(err)
	}
	got := must(m.Shop(ctx))(t)
	if got.Name != "集市" || got.About != "One\ntwo" || got.Country != "CN" || got.Currency != "CNY" || got.OwnerID != owner.ID ||
		len(got.Payments) != 2 || got.Shipping || got.Version <= before || !got.Updated.Equal(m.Now()) {
		t.Errorf("saved: %+v", got)
	}

	err := m.SaveShop(ctx, owner.ID, Shop{Tagline: "a\nb", Country: "ZZ", Currency: "EURO", Lang: "fr", Payments: []string{PayLink, "gold"}, ShippingFee: -1})
	wantFields(t, err, "name required", "tagline characters", "country country", "currency currency", "lang lang",
		"payments payment", "payment_note payment_link", "shipping delivery", "shipping_fee price")
	if again := must(m.Shop(ctx))(t); again.Version != got.Version {
		t.Error("a refused change raised the version")
	}
}

// The version goes up once for each committed transaction, and not for what was rolled back.
func TestShopVersion(t *testing.T) {
	t.Parallel()
	m := newNode(t)
	ctx := t.Context()
	if v := must(m.ShopVersion(ctx))(t); v != 0 {
		t.Errorf("version %d before there is a shop", v)
	}
	before := must(m.Shop(ctx))(t).Version
	stop := errors.New("stop")
	touch := func(tx *DB) error { return tx.touchShop(ctx) }
	steps := []struct {
		what string
		f    func() error
		up   int64
	}{
		{"outside a transaction", func() error { return m.touchShop(ctx) }, 1},
		{"twice in a transaction", func() error {
			return m.Tx(ctx, func(tx *DB) error { return errors.Join(tx.touchShop(ctx), tx.touchShop(ctx)) })
		}, 1},
		{"in a savepoint", func() error { return m.Tx(ctx, func(tx *DB) error { return tx.Tx(ctx, touch) }) }, 1},
		{"rolled back", func() error {
			err := m.Tx(ctx, func(tx *DB) error { return errors.Join(tx.touchShop(ctx), stop) })
			if errors.Is(err, stop) {
				return nil
			}
			return err
		}, 0},
		{"not touched", func() error { return m.Tx(ctx, func(*DB) error { return nil }) }, 0},
	}
	for _, s := range steps {
		if err := s.f(); err != nil {
			t.Fatalf("%s: %v", s.what, err)
		}
		after := must(m.ShopVersion(ctx))(t)
		if after-before != s.up {
			t.Errorf("%s: the version went up by %d, want %d", s.what, after-before, s.up)
		}
		before = after
	}
}

func TestShopKey(t *testing.T) {
	t.Parallel()
	m := newNode(t)
	ctx := t.Context()
	cart, again, other := must(m.ShopKey(ctx, "cart"))(t), must(m.ShopKey(ctx, "cart"))(t), must(m.ShopKey(ctx, "mail"))(t)
	if len(cart) != 32 || !bytes.Equal(cart, again) || bytes.Equal(cart, other) {
		t.Errorf("keys: %x, %x, %x", cart, again, other)
	}
}
