package souk

import (
	"strings"
	"testing"
	"time"
)

func TestSignIn(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	ctx := t.Context()
	for _, name := range []string{"ada", " Ada ", "@ada", "@ada@shop.example", "ada@SHOP.example"} {
		token, account, err := m.SignIn(ctx, name, "market lane 1", "Firefox")
		if err != nil || account.ID != m.owner.ID {
			t.Errorf("%q: %v", name, err)
			continue
		}
		if got := must(m.Session(ctx, token))(t); got.ID != m.owner.ID {
			t.Errorf("%q: the session is that of %s", name, got.Name)
		}
	}
	for _, c := range [][2]string{{"ada", "market lane 2"}, {"ada", ""}, {"", ""}, {"nobody", "market lane 1"},
		{"ada@other.example", "market lane 1"}, {"bo@", "market lane 1"}} {
		_, _, err := m.SignIn(ctx, c[0], c[1], "")
		wantErr(t, "sign in as "+c[0], err, ErrUnauthorized)
	}
	m.exec(`update accounts set suspended = $2 where id = $1`, m.seller.ID, m.Now())
	_, _, err := m.SignIn(ctx, "bo", "market lane 2", "")
	wantErr(t, "sign in while suspended", err, ErrUnauthorized)
}

// A session ends 30 days after it was last seen; the database cannot be read for a token that works.
func TestSession(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	ctx := t.Context()
	token, _, err := m.SignIn(ctx, "bo", "market lane 2", "Fire\x00fox\n\xff"+strings.Repeat("x", 500))
	if err != nil {
		t.Fatal(err)
	}
	if got := m.count(`select count(*) from sessions where agent like 'Firefoxx%' and length(agent) < 201`); got != 1 {
		t.Error("the agent was not made fit to show")
	}
	if got := m.count(`select count(*) from sessions where strpos(encode(hash, 'escape'), $1) > 0 or strpos(encode(hash, 'base64'), $1) > 0`, token); got != 0 {
		t.Error("the token itself is in the database")
	}
	for range 3 {
		m.pass(29 * 24 * time.Hour)
		must(m.Session(ctx, token))(t)
	}
	m.pass(30 * 24 * time.Hour)
	_, err = m.Session(ctx, token)
	wantErr(t, "a session not seen for 30 days", err, ErrUnauthorized)
	if n := must(m.ExpireSessions(ctx))(t); n == 0 || m.count(`select count(*) from sessions`) != 0 {
		t.Error("the ended session was kept")
	}
	_, err = m.Session(ctx, "")
	wantErr(t, "no token", err, ErrUnauthorized)
}

func TestSignOut(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	ctx := t.Context()
	phone, laptop, tablet := must(m.NewSession(ctx, m.seller.ID, ""))(t), must(m.NewSession(ctx, m.seller.ID, ""))(t), must(m.NewSession(ctx, m.seller.ID, ""))(t)
	other := must(m.NewSession(ctx, m.owner.ID, ""))(t)
	for range 2 {
		if err := m.SignOut(ctx, phone); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.SignOutOthers(ctx, m.seller.ID, laptop); err != nil {
		t.Fatal(err)
	}
	for what, token := range map[string]string{"phone": phone, "tablet": tablet} {
		_, err := m.Session(ctx, token)
		wantErr(t, what, err, ErrUnauthorized)
	}
	must(m.Session(ctx, laptop))(t)
	must(m.Session(ctx, other))(t)

	m.exec(`update accounts set suspended = $2 where id = $1`, m.seller.ID, m.Now())
	_, err := m.Session(ctx, laptop)
	wantErr(t, "a suspended account", err, ErrUnauthorized)
	_, err = m.NewSession(ctx, m.seller.ID, "")
	wantErr(t, "a new session of a suspended account", err, ErrUnauthorized)
}

func TestSignInByHandleIsOnesOwn(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	if _, err := n.CreateAccount(ctx, NewAccount{Name: "eve", Email: "anna@shop.example", Password: "horse correct"}); err != nil {
		t.Fatal(err)
	}
	if _, a, err := n.SignIn(ctx, "anna@shop.example", "correct horse", ""); err != nil || a.ID != n.owner.ID {
		t.Errorf("%+v %v", a, err)
	}
}
