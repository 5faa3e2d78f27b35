package main

import (
	"bytes"
	"log/slog"
	"regexp"
	"strings"
	"testing"

	"souk"
	"souk/migrations/pgtest"
)

// The steps build on each other, on one empty database.
func TestAccountCreate(t *testing.T) {
	t.Parallel()
	environ := []string{"SOUK_DATABASE_URL=" + pgtest.Empty(t), "SOUK_DATA_DIR=" + t.TempDir(), "SOUK_DOMAIN=shop.example"}
	for _, step := range []struct {
		name string
		args string
		in   string
		code int
		out  string // how standard output begins
		err  string // how standard error begins
	}{
		{"with a password, on an unmigrated database", "maria --role owner --email maria@shop.example --password-stdin", "correct horse\n", 0,
			"ok       account         @maria@shop.example, owner\n", ""},
		{"made up password", "li", "", 0, "ok       account         @li@shop.example, member\nok       password        ", ""},
		{"the name is taken", "maria --password-stdin", "correct horse\n", 1, "", "failed   name            \"maria\" is taken\n"},
		{"a second owner", "zoe --role owner", "", 1, "", "failed   souk            create account \"zoe\": the node has an owner already"},
		{"everything wrong at once", "No-Name --role king --email nowhere --password-stdin", "short", 1, "",
			"failed   name            use 1 to 30 of a-z, 0-9 and _\n" +
				"failed   role            use owner, seller or member\n" +
				"failed   email           write an address such as name@example.org\n" +
				"failed   password        use at least 8 characters\n"},
		{"no password", "ann --password-stdin", "", 1, "", "failed   souk            there is no password on standard input\n"},
	} {
		var out, errOut bytes.Buffer
		args := append([]string{"account", "create"}, strings.Fields(step.args)...)
		code := run(t.Context(), args, environ, strings.NewReader(step.in), &out, &errOut)
		if code != step.code || !strings.HasPrefix(out.String(), step.out) || !strings.HasPrefix(errOut.String(), step.err) {
			t.Errorf("%s: exit %d, printed\n%s%s", step.name, code, out.String(), errOut.String())
		}
		if step.code != 0 && out.Len() > 0 {
			t.Errorf("%s: failed and printed %q", step.name, out.String())
		}
		if strings.Contains(out.String()+errOut.String(), "correct horse") {
			t.Errorf("%s: the password is shown", step.name)
		}
	}
}

func TestTokenCreate(t *testing.T) {
	t.Parallel()
	environ := []string{"SOUK_DATABASE_URL=" + pgtest.URL(t), "SOUK_DATA_DIR=" + t.TempDir()}
	command := func(args ...string) (int, string, string) {
		var out, errOut bytes.Buffer
		code := run(t.Context(), args, environ, nil, &out, &errOut)
		return code, out.String(), errOut.String()
	}
	for _, name := range []string{"maria", "li"} {
		if code, _, errOut := command("account", "create", name, "--role", map[string]string{"maria": "owner"}[name]); code != 0 {
			t.Fatal(errOut)
		}
	}
	code, out, errOut := command("token", "create", "--account", "maria", "--scopes", "read write follow push admin:write")
	if code != 0 || !regexp.MustCompile(`^souk_[\w-]{40,}\n$`).MatchString(out) || errOut != "" {
		t.Fatalf("exit %d, printed %q and %q: want one token and nothing else", code, out, errOut)
	}
	withDB(t, environ, func(db *souk.DB) {
		a, token, err := db.TokenAccount(t.Context(), strings.TrimSpace(out))
		if err != nil {
			t.Fatal(err)
		}
		if a.Name != "maria" || strings.Join(token.Scopes, " ") != "admin:write follow push read write" {
			t.Errorf("the token is %s's, for %v", a.Name, token.Scopes)
		}
	})
	for _, tt := range []struct{ account, scopes, err string }{
		{"nobody", "read", "failed   souk            there is no account \"nobody\" on this node\n                         -> souk account create nobody\n"},
		{"maria", "", "failed   scopes          name at least one scope\n"},
		{"maria", "read everything", "failed   scopes          \"everything\" is not a scope\n"},
		{"li", "admin:write", "failed   scopes          \"admin:write\" is for the owner alone\n"},
		{"", "read", "failed   souk            --account is missing"},
	} {
		code, out, errOut := command("token", "create", "--account", tt.account, "--scopes", tt.scopes)
		if code != 1 || out != "" || !strings.HasPrefix(errOut, tt.err) {
			t.Errorf("%s, %q: exit %d, printed %q and %q, want %q", tt.account, tt.scopes, code, out, errOut, tt.err)
		}
	}
}

// withDB works on the domain of a configuration, as commands do.
func withDB(t *testing.T, environ []string, work func(*souk.DB)) {
	t.Helper()
	c, err := written(t, "", environ)
	if err != nil {
		t.Fatal(err)
	}
	err = withNode(t.Context(), c, slog.New(slog.DiscardHandler), func(db *souk.DB) error { work(db); return nil })
	if err != nil {
		t.Fatal(err)
	}
}

// --role of this command is not the setting role, which the environment may set.
func TestCommandFlagIsNoSetting(t *testing.T) {
	t.Parallel()
	var out, errOut bytes.Buffer
	code := run(t.Context(), []string{"account", "create", "maria", "--role", "seller"},
		[]string{"SOUK_ROLE=web", "SOUK_DATABASE_URL=" + pgtest.Empty(t), "SOUK_DATA_DIR=" + t.TempDir()}, nil, &out, &errOut)
	if code != 0 || !strings.Contains(out.String(), "@maria@localhost:8080, seller\n") {
		t.Errorf("exit %d, printed %q and %q", code, out.String(), errOut.String())
	}
}
