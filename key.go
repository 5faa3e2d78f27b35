package souk

import (
	"context"
	"fmt"
)

// SigningKeys are what a local account signs with: its key, and where that is new the one before, which peers know.
type SigningKeys struct {
	KeyID   string
	Private string // PEM
	// OldKeyID and OldPrivate sign the activity Since and those before it; all of them while Since is nil, since nobody was
	// told of the new key yet. Empty where the old key is not needed any more.
	OldKeyID   string
	OldPrivate string
	Since      *int64
}

// SigningKeys are the keys of a local account; ErrNotFound while none is made. They outlive the account until all were told
// of its end.
func (db *DB) SigningKeys(ctx context.Context, accountID int64) (k SigningKeys, err error) {
	defer wrap(&err, "signing keys of %d", accountID)
	err = db.q.QueryRow(ctx, `select key_id, private_key, old_key_id, old_private_key, key_since from accounts where id = $1 and host = '' and private_key <> ''`,
		accountID).Scan(&k.KeyID, &k.Private, &k.OldKeyID, &k.OldPrivate, &k.Since)
	return k, err
}

// RotateKey gives a local account another key pair and tells its followers, signed with the key that they know. The new key
// has a new id: servers that keep keys, as GoToSocial does, read an id again that they do not know, and one that they know
// never. ErrConflict while nobody was told of the key before.
func (db *DB) RotateKey(ctx context.Context, accountID int64, publicPEM, privatePEM string) (err error) {
	defer wrap(&err, "rotate key of %d", accountID)
	return db.Tx(ctx, func(tx *DB) error {
		a, err := tx.accountWhere(ctx, `id = $1 and host = '' and deleted is null for update`, accountID)
		if err != nil {
			return err
		}
		tag, err := tx.q.Exec(ctx, `update accounts set old_key_id = key_id, old_private_key = private_key, key_since = null,
				key_id = $2, public_key = $3, private_key = $4, updated = `+later("$5")+`
			where id = $1 and private_key <> '' and (old_private_key = '' or key_since is not null)`,
			a.ID, fmt.Sprintf("%s#key-%d", a.URI, tx.NewID()), publicPEM, privatePEM, tx.Now())
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return fmt.Errorf("nobody was told of the key before: %w", ErrConflict)
		}
		return tx.emit(ctx, Event{Kind: EventActorUpdated, AccountID: a.ID}, true)
	})
}

// KeyTold notes the activity that tells of an account's key with the id: what comes after it is signed with that. It is
// nothing where the account has got another key since.
func (db *DB) KeyTold(ctx context.Context, accountID int64, keyID string, activityID int64) (err error) {
	defer wrap(&err, "key told of %d", accountID)
	_, err = db.q.Exec(ctx, `update accounts set key_since = $3 where id = $1 and key_id = $2 and old_private_key <> '' and key_since is null`,
		accountID, keyID, activityID)
	return err
}

// PruneKeys forgets private keys that sign nothing any more: those before a rotation, and those of deleted accounts.
func (db *DB) PruneKeys(ctx context.Context) (n int64, err error) {
	defer wrap(&err, "prune keys")
	old, err := db.q.Exec(ctx, `update accounts a set old_key_id = '', old_private_key = '', key_since = null where a.old_private_key <> '' and a.key_since is not null
		and not exists (select from deliveries d where d.sender_id = a.id and d.state = 'queued' and d.activity_id <= a.key_since)`)
	if err != nil {
		return 0, err
	}
	ended, err := db.q.Exec(ctx, `update accounts a set private_key = '', old_key_id = '', old_private_key = '', key_since = null
		where a.host = '' and a.deleted is not null and a.private_key <> ''
		and not exists (select from events e where e.account_id = a.id and e.done is null)
		and not exists (select from deliveries d where d.sender_id = a.id and d.state = 'queued')`)
	return old.RowsAffected() + ended.RowsAffected(), err
}
