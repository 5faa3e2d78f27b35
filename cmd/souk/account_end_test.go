package main

import (
	"bytes"
	"strings"
	"testing"

	"souk/migrations/pgtest"
)

// The steps build on each other, on one database.
func TestAccountDeleteAndRotateKey(t *testing.T) {
	t.Parallel()
	environ := []string{"SOUK_DATABASE_URL=" + pgtest.Empty(t), "SOUK_DATA_DIR=" + t.TempDir(), "SOUK_DOMAIN=shop.example"}
	for _, step := range []struct {
		args, in string
		code     int
		out, err string // how standard output begins, what standard error holds
	}{
		{"create maria --role owner --password-stdin", "correct horse\n", 0, "ok       account         @maria@shop.example, owner\n", ""},
		{"create li --password-stdin", "correct horse\n", 0, "ok       account         @li@shop.example, member\n", ""},
		{"rotate-key li", "", 0, "ok       account         @li@shop.example\nok       key             https://shop.example/users/li#key-", ""},
		{"rotate-key nobody", "", 1, "", "not found"},
		{"delete li", "lisa\n", 1, "", "nothing was deleted"},
		{"delete li", "", 1, "", "nothing was deleted"},
		{"delete maria --yes", "", 1, "", "the owner leaves last"},
		{"delete li", "li\n", 0, "ok       account         @li@shop.example, deleted", "This deletes @li@shop.example for good"},
		{"delete li --yes", "", 1, "", "gone"},
		{"create li --password-stdin", "correct horse\n", 1, "", "is taken"},
		{"delete maria --yes", "", 0, "ok       account         @maria@shop.example, deleted", ""},
		{"create zoe --role owner --password-stdin", "correct horse\n", 0, "ok       account         @zoe@shop.example, owner\n", ""},
	} {
		var out, errOut bytes.Buffer
		code := run(t.Context(), append([]string{"account"}, strings.Fields(step.args)...), environ, strings.NewReader(step.in), &out, &errOut)
		if code != step.code || !strings.HasPrefix(out.String(), step.out) || !strings.Contains(errOut.String(), step.err) {
			t.Errorf("%s: exit %d, printed\n%s%s", step.args, code, out.String(), errOut.String())
		}
	}
}
