package souk

import "context"

// requireOwner is ErrForbidden for all but the owner of the node.
func (db *DB) requireOwner(ctx context.Context, accountID int64) error {
	var owner bool
	if err := db.q.QueryRow(ctx, `select exists (select from accounts where id = $1 and role = 'owner' and deleted is null)`, accountID).Scan(&owner); err != nil {
		return err
	}
	if !owner {
		return ErrForbidden
	}
	return nil
}
