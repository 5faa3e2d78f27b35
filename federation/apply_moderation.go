package federation

import (
	"context"

	"souk"
)

// applyBlock notes that an account of this node is blocked (ActivityPub 6.9; Mastodon and others tell): follows between the
// two end, and what the blocked one does to the other is refused.
func (f *Federation) applyBlock(ctx context.Context, in *incoming) (plan, error) {
	blocked, err := f.local(ctx, in.id)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, tx *souk.DB) error { return tx.ReceiveBlock(ctx, in.ActivityID, in.by, blocked.ID) }, nil
}
