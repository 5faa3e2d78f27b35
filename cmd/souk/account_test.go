package main

import (
	"bytes"
	"strings"
	"testing"

	"souk/migrations/pgtest"
)

// The steps build on each other, on one empty database.
func TestAccountCreate(t *testing.T) {
	t.Parallel()
	environ := []string{"SOUK_DATABASE_URL=" + pgtest.Empty(t), "SOUK_DOMAIN=shop.example"}
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
		{"the name is taken", "maria --password-stdin", "correct horse\n", 1, "", "failed   "},
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

// --role of this command is not the setting role, which the environment may set.
func TestCommandFlagIsNoSetting(t *testing.T) {
	t.Parallel()
	var out, errOut bytes.Buffer
	code := run(t.Context(), []string{"account", "create", "maria", "--role", "seller"},
		[]string{"SOUK_ROLE=web", "SOUK_DATABASE_URL=" + pgtest.Empty(t)}, nil, &out, &errOut)
	if code != 0 || !strings.Contains(out.String(), "@maria@localhost:8080, seller\n") {
		t.Errorf("exit %d, printed %q and %q", code, out.String(), errOut.String())
	}
}
