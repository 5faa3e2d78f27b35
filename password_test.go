package souk

import (
	"strings"
	"testing"
)

func TestPassword(t *testing.T) {
	t.Parallel()
	encoded, err := hashPassword("market lane 晨光")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(encoded, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("hash %q does not name its parameters", encoded)
	}
	if again, _ := hashPassword("market lane 晨光"); again == encoded {
		t.Error("two hashes of one password are the same: no salt")
	}
	for password, want := range map[string]bool{"market lane 晨光": true, "market lane 晨": false, "": false, strings.Repeat("x", 5000): false} {
		if got := verifyPassword(encoded, password); got != want {
			t.Errorf("verify %.20q = %v, want %v", password, got, want)
		}
	}
}

// Another cost than today's still verifies; what is no hash, or asks for an absurd amount of work, never does.
func TestPasswordParameters(t *testing.T) {
	t.Parallel()
	const cheaper = "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQxMjM0NTY3OA$" // m=64 KiB, t=1
	if h, ok := parseHash(cheaper + "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"); !ok || h.memory != 64 || h.time != 1 {
		t.Errorf("parameters of a cheaper hash: %+v, %v", h, ok)
	}
	for _, encoded := range []string{"", "*", "plain", "$argon2i$v=19$m=64,t=1,p=1$c2FsdA$AAAAAAAAAAAAAAAAAAAAAA",
		"$argon2id$v=19$m=4294967295,t=1,p=1$c2FsdA$AAAAAAAAAAAAAAAAAAAAAA", "$argon2id$v=19$m=64,t=1,p=1$c2FsdA$"} {
		if _, ok := parseHash(encoded); ok {
			t.Errorf("%q was read as a hash", encoded)
		}
		if verifyPassword(encoded, "") {
			t.Errorf("%q verified the empty password", encoded)
		}
	}
}
