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
	key, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return nil, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return nil, err
	}
	if err := db.SetKey(ctx, accountID, pemText("PUBLIC KEY", public), pemText("PRIVATE KEY", private)); err != nil {
		return nil, err
	}
	return db.Account(ctx, accountID)
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
}

// signerOf returns the signer of a local account, making its key where it has none yet.
func (f *Federation) signerOf(ctx context.Context, accountID int64) (*signer, error) {
	keyID, text, err := f.db.SigningKey(ctx, accountID)
	if errors.Is(err, souk.ErrNotFound) {
		if _, err := ensureKey(ctx, f.db, accountID); err != nil {
			return nil, err
		}
		keyID, text, err = f.db.SigningKey(ctx, accountID)
	}
	if err != nil {
		return nil, err
	}
	key, err := f.cfg.Keys.Private(text)
	if err != nil {
		return nil, err
	}
	return &signer{keyID: keyID, key: key}, nil
}
