package souk

import (
	"slices"
	"testing"
	"time"
)

func TestTokenAllows(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		scopes []string
		scope  string
		want   bool
	}{
		{[]string{"read", "write"}, "write:listings", true},
		{[]string{"read", "write"}, "read", true},
		{[]string{"read", "write"}, "admin:write", false},
		{[]string{"read", "write"}, "admin:read", false},
		{[]string{"read", "write"}, "push", false},
		{[]string{"write:media"}, "write:media", true},
		{[]string{"write:media"}, "write:listings", false},
		{[]string{"write:media"}, "write", false},
		{[]string{"follow"}, "write:follows", true},
		{[]string{"follow"}, "read:blocks", true},
		{[]string{"follow"}, "write:statuses", false},
		{[]string{"admin:write"}, "admin:write", true},
		{[]string{"admin:write"}, "write", false},
		{nil, "read", false},
	} {
		if got := (&Token{Scopes: c.scopes}).Allows(c.scope); got != c.want {
			t.Errorf("%v allows %s: %v, want %v", c.scopes, c.scope, got, c.want)
		}
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	ctx := t.Context()
	secret := must(m.CreateToken(ctx, m.owner.ID, "script", []string{"write", "read", "admin:write", "read"}, time.Time{}))(t)
	account, token, err := m.TokenAccount(ctx, secret)
	if err != nil {
		t.Fatal(err)
	}
	if account.ID != m.owner.ID || token.Name != "script" || !slices.Equal(token.Scopes, []string{"admin:write", "read", "write"}) ||
		token.Expires != nil || token.Used == nil || !token.Used.Equal(m.Now()) {
		t.Errorf("account %s, token %+v", account.Name, token)
	}
	m.pass(59 * time.Minute)
	if _, again, err := m.TokenAccount(ctx, secret); err != nil || !again.Used.Equal(*token.Used) {
		t.Errorf("used %v, %v: want no write within the hour", again, err)
	}
	for what, bad := range map[string]string{"empty": "", "cut": secret[:len(secret)-1], "longer": secret + "A"} {
		_, _, err := m.TokenAccount(ctx, bad)
		wantErr(t, what, err, ErrUnauthorized)
	}

	short := must(m.CreateToken(ctx, m.seller.ID, "", []string{"read"}, m.Now().Add(time.Hour)))(t)
	m.pass(time.Hour)
	_, _, err = m.TokenAccount(ctx, short)
	wantErr(t, "an expired token", err, ErrUnauthorized)
	if list := must(m.Tokens(ctx, m.seller.ID))(t); len(list) != 0 {
		t.Errorf("tokens that work: %+v", list)
	}
	// Scopes that only an owner may have end with the role.
	m.exec(`update accounts set role = 'seller' where id = $1`, m.owner.ID)
	if _, token, err := m.TokenAccount(ctx, secret); err != nil || token.Allows("admin:write") || !token.Allows("write:media") {
		t.Errorf("token of who was the owner: %+v, %v", token, err)
	}
}

func TestRevokeToken(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	ctx := t.Context()
	owners := must(m.CreateToken(ctx, m.owner.ID, "", []string{"read"}, time.Time{}))(t)
	first := must(m.CreateToken(ctx, m.seller.ID, "", []string{"read"}, time.Time{}))(t)
	must(m.CreateToken(ctx, m.seller.ID, "", []string{"read"}, time.Time{}))(t)
	_, token, err := m.TokenAccount(ctx, owners)
	if err != nil {
		t.Fatal(err)
	}
	wantErr(t, "the owner's by a seller", m.RevokeToken(ctx, m.seller.ID, token.ID), ErrNotFound)
	list := must(m.Tokens(ctx, m.seller.ID))(t)
	if len(list) != 2 || list[0].ID < list[1].ID {
		t.Fatalf("tokens: %+v", list)
	}
	for range 2 {
		if err := m.RevokeToken(ctx, m.seller.ID, list[1].ID); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.RevokeToken(ctx, m.owner.ID, list[0].ID); err != nil {
		t.Errorf("a seller's by the owner: %v", err)
	}
	_, _, err = m.TokenAccount(ctx, first)
	wantErr(t, "a revoked token", err, ErrUnauthorized)
	if list := must(m.Tokens(ctx, m.seller.ID))(t); len(list) != 0 {
		t.Errorf("tokens that work: %+v", list)
	}
}

func TestCreateTokenRefusals(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	ctx := t.Context()
	_, err := m.CreateToken(ctx, m.seller.ID, "a\nb", nil, m.Now())
	wantFields(t, err, "name characters", "scopes required", "expires past")
	_, err = m.CreateToken(ctx, m.seller.ID, "", []string{"read", "write:", "admin", "admin:read", "root"}, time.Time{})
	wantFields(t, err, "scopes scope", "scopes scope", "scopes scope", "scopes scope_owner")
	_, err = m.CreateToken(ctx, 5, "", []string{"read"}, time.Time{})
	wantErr(t, "no such account", err, ErrNotFound)
	m.exec(`update accounts set suspended = $2 where id = $1`, m.seller.ID, m.Now())
	_, err = m.CreateToken(ctx, m.seller.ID, "", []string{"read"}, time.Time{})
	wantErr(t, "a suspended account", err, ErrForbidden)
}
