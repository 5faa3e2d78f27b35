package souk

import (
	"sync/atomic"
	"testing"
	"time"
)

// C-01: expired and reused tokens refuse.
func TestSetUp(t *testing.T) {
	t.Parallel()
	m := newNode(t)
	ctx := t.Context()
	setup := Setup{Account: NewAccount{Name: "ada", Email: "ada@shop.example", Password: "market lane 1"},
		Name: "晨光", Country: "cn", Lang: "zh"}

	old := must(m.NewSetupToken(ctx))(t)
	m.pass(30 * time.Minute)
	spare, token := must(m.NewSetupToken(ctx))(t), must(m.NewSetupToken(ctx))(t)
	for what, bad := range map[string]string{"expired": old, "unknown": token + "x", "empty": ""} {
		wantErr(t, "check of an "+what+" token", m.CheckSetupToken(ctx, bad), ErrUnauthorized)
		_, err := m.SetUp(ctx, bad, setup)
		wantErr(t, "set up with an "+what+" token", err, ErrUnauthorized)
	}
	if err := m.CheckSetupToken(ctx, token); err != nil {
		t.Fatal(err)
	}

	owner := must(m.SetUp(ctx, token, setup))(t)
	shop := must(m.Shop(ctx))(t)
	if owner.Role != RoleOwner || owner.Lang != "zh" || shop.OwnerID != owner.ID || shop.Name != "晨光" || shop.Country != "CN" ||
		shop.Currency != "CNY" || shop.Lang != "zh" {
		t.Errorf("owner %+v, shop %+v", owner, shop)
	}
	if _, _, err := m.SignIn(ctx, "ada", "market lane 1", ""); err != nil {
		t.Errorf("sign in as the new owner: %v", err)
	}

	wantErr(t, "check of a used token", m.CheckSetupToken(ctx, token), ErrUnauthorized)
	wantErr(t, "check of another token", m.CheckSetupToken(ctx, spare), ErrUnauthorized)
	setup.Account.Name, setup.Account.Email = "eve", ""
	_, err := m.SetUp(ctx, token, setup)
	wantErr(t, "set up with a used token", err, ErrUnauthorized)
	_, err = m.SetUp(ctx, spare, setup)
	wantErr(t, "set up a second time", err, ErrConflict)
	_, err = m.NewSetupToken(ctx)
	wantErr(t, "a token for a node with an owner", err, ErrConflict)
	if got := m.count(`select count(*) from accounts where name = 'eve'`); got != 0 {
		t.Error("a refused setup left its account")
	}
}

// What is wrong with account and shop is told at once, and the token still works after it.
func TestSetUpNamesAllWrongFields(t *testing.T) {
	t.Parallel()
	m := newNode(t)
	ctx := t.Context()
	token := must(m.NewSetupToken(ctx))(t)
	_, err := m.SetUp(ctx, token, Setup{Account: NewAccount{Name: "A B", Email: "nobody"}, Lang: "fr"})
	wantFields(t, err, "name name_form", "email email", "password required", "shop.name required", "shop.country required", "shop.lang lang")
	_, err = m.SetUp(ctx, token, Setup{Account: NewAccount{Name: "ada", Password: "market lane 1"}, Name: "x", Country: "QQ"})
	wantFields(t, err, "shop.country country")
	if got := m.count(`select count(*) from accounts where role = 'owner'`); got != 0 {
		t.Error("a refused setup left an owner")
	}
	must(m.SetUp(ctx, token, Setup{Account: NewAccount{Name: "ada", Password: "market lane 1"}, Name: "x", Country: "JP", Currency: "usd"}))(t)
	if shop := must(m.Shop(ctx))(t); shop.Currency != "USD" || shop.Lang != "en" {
		t.Errorf("shop %+v", shop)
	}
}

func TestSetUpOnce(t *testing.T) {
	t.Parallel()
	m := newNode(t)
	ctx := t.Context()
	token := must(m.NewSetupToken(ctx))(t)
	var won atomic.Int32
	together(4, func(i int) {
		_, err := m.SetUp(ctx, token, Setup{Name: "x", Country: "DE",
			Account: NewAccount{Name: string(rune('a' + i)), Password: "market lane 1"}})
		if err == nil {
			won.Add(1)
		} else {
			wantErr(t, "a twin", err, ErrUnauthorized)
		}
	})
	if won.Load() != 1 {
		t.Errorf("%d owners were made", won.Load())
	}
}

func TestCountryCurrency(t *testing.T) {
	t.Parallel()
	for country, want := range map[string]string{"CN": "CNY", "DE": "EUR", "GB": "GBP", "JP": "JPY", "US": "USD", "": "", "XX": ""} {
		if got := CountryCurrency(country); got != want {
			t.Errorf("%s: %q, want %q", country, got, want)
		}
	}
}
