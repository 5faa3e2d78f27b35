package federation

import (
	"container/list"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"strings"
	"sync"
)

const (
	maxKeyPEM  = 16 << 10 // bytes of text
	minRSABits = 2048
	// A key of 4096 bits costs 15 times the verification of one of 2048; a larger one would let a stranger buy our
	// processor time with a document of a kilobyte.
	maxRSABits = 4096
)

// ErrKey is what every unusable key is: unreadable, of an unknown kind, too small or too large.
var ErrKey = errors.New("key is not usable")

// ParsePublicKeyPEM reads the publicKeyPem of an actor: PKIX ("PUBLIC KEY", RSA or Ed25519) or PKCS #1 ("RSA PUBLIC
// KEY"). It returns an *rsa.PublicKey of 2048 to 4096 bits or an ed25519.PublicKey; every error is ErrKey.
func ParsePublicKeyPEM(text string) (crypto.PublicKey, error) {
	block, err := onlyBlock(text)
	if err != nil {
		return nil, err
	}
	var key crypto.PublicKey
	switch block.Type {
	case "PUBLIC KEY":
		key, err = x509.ParsePKIXPublicKey(block.Bytes)
	case "RSA PUBLIC KEY":
		key, err = x509.ParsePKCS1PublicKey(block.Bytes)
	default:
		return nil, ErrKey
	}
	if err != nil || checkPublicKey(key) != nil {
		return nil, ErrKey
	}
	return key, nil
}

// ParsePrivateKeyPEM reads the RSA key of a local actor: PKCS #8 ("PRIVATE KEY") or PKCS #1 ("RSA PRIVATE KEY"). Every
// error is ErrKey, which holds nothing of the key.
func ParsePrivateKeyPEM(text string) (*rsa.PrivateKey, error) {
	block, err := onlyBlock(text)
	if err != nil {
		return nil, err
	}
	var key any
	switch block.Type {
	case "PRIVATE KEY":
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case "RSA PRIVATE KEY":
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	default:
		return nil, ErrKey
	}
	private, ok := key.(*rsa.PrivateKey)
	if err != nil || !ok || checkPublicKey(&private.PublicKey) != nil {
		return nil, ErrKey
	}
	return private, nil
}

func onlyBlock(text string) (*pem.Block, error) {
	if len(text) > maxKeyPEM {
		return nil, ErrKey
	}
	text = strings.TrimSpace(text)
	block, rest := pem.Decode([]byte(text))
	// What stands before or behind the block could be another key, for a reader that looks for it elsewhere.
	if block == nil || len(rest) > 0 || !strings.HasPrefix(text, "-----BEGIN") {
		return nil, ErrKey
	}
	return block, nil
}

func checkPublicKey(key crypto.PublicKey) error {
	switch k := key.(type) {
	case *rsa.PublicKey:
		if bits := k.N.BitLen(); bits < minRSABits || bits > maxRSABits {
			return refuse("the key must have 2048 to 4096 bits")
		}
		return nil
	case ed25519.PublicKey:
		if len(k) == ed25519.PublicKeySize {
			return nil
		}
	}
	return refuse("the key is of a kind that is not supported")
}

// KeyCache keeps parsed keys by their PEM text, because a private key takes a seventh of a signature to parse. Public
// keys, which strangers choose, cannot push out private ones. Safe for concurrent use; make it with NewKeyCache.
type KeyCache struct {
	public  keyLRU[crypto.PublicKey]
	private keyLRU[*rsa.PrivateKey]
}

// NewKeyCache returns a cache that holds at most size keys of either kind (at least one).
func NewKeyCache(size int) *KeyCache {
	size = max(size, 1)
	return &KeyCache{
		public:  keyLRU[crypto.PublicKey]{size: size, parse: ParsePublicKeyPEM, entries: map[string]*list.Element{}},
		private: keyLRU[*rsa.PrivateKey]{size: size, parse: ParsePrivateKeyPEM, entries: map[string]*list.Element{}},
	}
}

// Public is ParsePublicKeyPEM, remembered. Errors are not remembered.
func (c *KeyCache) Public(text string) (crypto.PublicKey, error) { return c.public.key(text) }

// Private is ParsePrivateKeyPEM, remembered. Errors are not remembered.
func (c *KeyCache) Private(text string) (*rsa.PrivateKey, error) { return c.private.key(text) }

// keyLRU drops the key that was not used for longest.
type keyLRU[K any] struct {
	size  int
	parse func(string) (K, error)

	mu      sync.Mutex
	entries map[string]*list.Element
	order   list.List // of keyEntry[K], most recently used first
}

type keyEntry[K any] struct {
	text string
	key  K
}

func (l *keyLRU[K]) key(text string) (K, error) {
	if key, ok := l.cached(text); ok {
		return key, nil
	}
	key, err := l.parse(text) // outside the lock: two goroutines may parse the same key once each
	if err != nil {
		return key, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if e, ok := l.entries[text]; ok {
		return e.Value.(keyEntry[K]).key, nil
	}
	l.entries[text] = l.order.PushFront(keyEntry[K]{text, key})
	if l.order.Len() > l.size {
		oldest := l.order.Remove(l.order.Back()).(keyEntry[K])
		delete(l.entries, oldest.text)
	}
	return key, nil
}

func (l *keyLRU[K]) cached(text string) (K, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e, ok := l.entries[text]
	if !ok {
		var none K
		return none, false
	}
	l.order.MoveToFront(e)
	return e.Value.(keyEntry[K]).key, true
}
