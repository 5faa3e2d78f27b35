package souk

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"strconv"
	"sync/atomic"
	"time"
)

// idBits is how many low bits of an id tell apart what was made in the same millisecond.
const idBits = 16

// ids makes the node's identifiers: 47 bits of Unix milliseconds, then a counter that starts at random, so that two
// processes on one database and many remote posts of the same second get different ones.
type ids struct{ counter atomic.Uint32 }

func newIDs() (*ids, error) {
	var seed [4]byte
	if _, err := rand.Read(seed[:]); err != nil {
		return nil, err
	}
	g := &ids{}
	g.counter.Store(binary.BigEndian.Uint32(seed[:]))
	return g, nil
}

// at is a new id that sorts by t. Times before 1970 count as 1970.
func (g *ids) at(t time.Time) int64 {
	ms := max(t.UnixMilli(), 0)
	return ms<<idBits | int64(g.counter.Add(1)&(1<<idBits-1))
}

// NewID is a new identifier that sorts as of now.
func (db *DB) NewID() int64 { return db.ids.at(db.Now()) }

// ParseID reads the decimal form that identifiers have outside. Anything else is ErrNotFound: no such thing exists.
func ParseID(s string) (int64, error) {
	id, err := strconv.ParseInt(s, 10, 64)
	if err != nil || id <= 0 || strconv.FormatInt(id, 10) != s {
		return 0, ErrNotFound
	}
	return id, nil
}

// newSecret is n random bytes, base64url without padding.
func newSecret(n int) (string, error) {
	b := make([]byte, n)
	if _, err := rand.Read(b); err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(b), nil
}

func formatID(id int64) string { return strconv.FormatInt(id, 10) }
