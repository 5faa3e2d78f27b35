package souk

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// Cost of a new password hash: OWASP's second choice for argon2id (19 MiB, 2 passes), about 30 ms on a small server.
// The hash carries its own parameters, so that these can be raised without touching what is stored.
const (
	argonTime    = 2
	argonMemory  = 19 * 1024 // KiB
	argonThreads = 1
	argonSalt    = 16
	argonKey     = 32
)

// maxPassword, in bytes, keeps a form from costing what no person would type.
const maxPassword = 1024

// hashPassword is the encoded argon2id hash of a password, in the PHC string form.
func hashPassword(password string) (string, error) {
	salt := make([]byte, argonSalt)
	if _, err := rand.Read(salt); err != nil {
		return "", err
	}
	key := argon2.IDKey([]byte(password), salt, argonTime, argonMemory, argonThreads, argonKey)
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonTime, argonThreads,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(key)), nil
}

// verifyPassword reports whether the password belongs to the encoded hash. An empty or unreadable hash costs as much as a
// wrong password, so that the time of an answer does not tell whether an account exists.
func verifyPassword(encoded, password string) bool {
	if len(password) > maxPassword {
		return false
	}
	h, ok := parseHash(encoded)
	if !ok {
		h = argonHash{time: argonTime, memory: argonMemory, threads: argonThreads, salt: make([]byte, argonSalt), key: make([]byte, argonKey)}
	}
	key := argon2.IDKey([]byte(password), h.salt, h.time, h.memory, h.threads, uint32(len(h.key)))
	return subtle.ConstantTimeCompare(key, h.key) == 1 && ok
}

type argonHash struct {
	time, memory uint32
	threads      uint8
	salt, key    []byte
}

// parseHash reads the PHC string form that hashPassword writes; costs beyond reason are refused.
func parseHash(encoded string) (argonHash, bool) {
	parts := strings.Split(encoded, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return argonHash{}, false
	}
	var h argonHash
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &h.memory, &h.time, &h.threads); err != nil {
		return argonHash{}, false
	}
	salt, saltErr := base64.RawStdEncoding.DecodeString(parts[4])
	key, keyErr := base64.RawStdEncoding.DecodeString(parts[5])
	if saltErr != nil || keyErr != nil || len(key) < 16 || len(key) > 64 ||
		h.time < 1 || h.time > 16 || h.memory < 8 || h.memory > 1<<20 || h.threads < 1 {
		return argonHash{}, false
	}
	h.salt, h.key = salt, key
	return h, true
}
