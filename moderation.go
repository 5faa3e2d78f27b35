package souk

import "context"

// requireOwner is ErrForbidden for all but the owner of the node.
func (db *DB) requireOwner(ctx context.Context, accountID int64) error {
	return db.requireAuthor(ctx, accountID, 0)
}

// requireAuthor is ErrForbidden for all but the owner of the node and, unless postID is 0, the author of the post.
func (db *DB) requireAuthor(ctx context.Context, accountID, postID int64) error {
	var may bool
	err := db.q.QueryRow(ctx, `select exists (select from accounts a where a.id = $1 and a.deleted is null and a.suspended is null
		and (a.role = 'owner' or exists (select from posts p where p.id = $2 and p.local and p.account_id = a.id)))`, accountID, postID).Scan(&may)
	if err == nil && !may {
		return ErrForbidden
	}
	return err
}
