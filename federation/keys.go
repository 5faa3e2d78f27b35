package federation

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"

	"souk"

	"github.com/riverqueue/river"
)

// keyBits is the size of the keys of local accounts: every server reads RSA-2048, and it is the fastest to sign with.
const keyBits = 2048

// EnsureKey makes the signing key of a local account where it has none, and returns the account with its public key.
// Several processes may do so at once: one key wins, and all return that one.
func (f *Federation) EnsureKey(ctx context.Context, accountID int64) (_ *souk.Account, err error) {
	defer wrap(&err, "ensure key of %d", accountID)
	return ensureKey(ctx, f.db, accountID)
}

func ensureKey(ctx context.Context, db *souk.DB, accountID int64) (*souk.Account, error) {
	a, err := db.Account(ctx, accountID)
	if err != nil || a.PublicKey != "" {
		return a, err
	}
	if !a.Local() {
		return nil, souk.ErrForbidden
	}
	public, private, err := newKeyPair()
	if err != nil {
		return nil, err
	}
	if err := db.SetKey(ctx, accountID, public, private); err != nil {
		return nil, err
	}
	return db.Account(ctx, accountID)
}

// RotateKey gives a local account another key; souk.DB.RotateKey says what follows. The account is as it stands then.
func RotateKey(ctx context.Context, db *souk.DB, accountID int64) (_ *souk.Account, err error) {
	defer wrap(&err, "rotate key of %d", accountID)
	if _, err := ensureKey(ctx, db, accountID); err != nil {
		return nil, err
	}
	public, private, err := newKeyPair()
	if err != nil {
		return nil, err
	}
	if err := db.RotateKey(ctx, accountID, public, private); err != nil {
		return nil, err
	}
	return db.Account(ctx, accountID)
}

// newKeyPair is a key pair as PEM.
func newKeyPair() (publicPEM, privatePEM string, err error) {
	key, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return "", "", err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return "", "", err
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return "", "", err
	}
	return pemText("PUBLIC KEY", public), pemText("PRIVATE KEY", private), nil
}

func pemText(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// keyWorker makes the key of a new account, which no form should wait for.
type keyWorker struct {
	river.WorkerDefaults[souk.KeyArgs]
	f *Federation
}

func (w *keyWorker) Work(ctx context.Context, job *river.Job[souk.KeyArgs]) error {
	_, err := w.f.EnsureKey(ctx, job.Args.AccountID)
	if errors.Is(err, souk.ErrGone) || errors.Is(err, souk.ErrNotFound) {
		return river.JobCancel(err)
	}
	return err
}

// signer signs the requests of one local account.
type signer struct {
	keyID string
	key   *rsa.PrivateKey
	old   *signer // the key before, which peers know; nil where it is not needed any more
	since *int64  // the activity up to which old signs; nil: all
}

// of is what signs an activity: peers hear of a new key from the last one that the old key signed.
func (s *signer) of(activityID int64) *signer {
	if s.old != nil && (s.since == nil || activityID <= *s.since) {
		return s.old
	}
	return s
}

// signerOf returns the signer of a local account, making its key where it has none yet.
func (f *Federation) signerOf(ctx context.Context, accountID int64) (*signer, error) {
	k, err := f.db.SigningKeys(ctx, accountID)
	if errors.Is(err, souk.ErrNotFound) {
		if _, err := ensureKey(ctx, f.db, accountID); err != nil {
			return nil, err
		}
		k, err = f.db.SigningKeys(ctx, accountID)
	}
	if err != nil {
		return nil, err
	}
	s := &signer{keyID: k.KeyID, since: k.Since}
	if s.key, err = f.cfg.Keys.Private(k.Private); err != nil {
		return nil, err
	}
	if k.OldPrivate != "" {
		s.old = &signer{keyID: k.OldKeyID}
		s.old.key, err = f.cfg.Keys.Private(k.OldPrivate)
	}
	return s, err
}
