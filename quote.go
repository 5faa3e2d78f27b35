package souk

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// Quote is a post of another node that quotes one of this node's, with its author's leave or without (FEP-044f).
type Quote struct {
	ID         int64 // of the stamp
	PostID     int64 // the quoted post
	AccountID  int64 // who quotes
	URI        string
	RequestURI string
	Accepted   bool
	Revoked    *time.Time
	Created    time.Time
}

const quoteColumns = `id, post_id, account_id, uri, request_uri, accepted, revoked, created`

// ReceiveQuoteRequest answers somebody of another node who asks to quote a post of this node in the post with the uri. What
// is public may be quoted by everybody: so this node says of its posts. Whom its author blocks gets no answer, as if there were no post.
// A quote that was revoked stays so.
func (db *DB) ReceiveQuoteRequest(ctx context.Context, requestURI string, from *Account, postID int64, uri string) (err error) {
	defer wrap(&err, "receive quote request %s", requestURI)
	return db.Tx(ctx, func(tx *DB) error {
		p, err := tx.reactable(ctx, from, postID)
		if err != nil {
			return err
		}
		if !p.Local {
			return ErrNotFound
		}
		return tx.answerQuote(ctx, Quote{PostID: p.ID, AccountID: from.ID, URI: uri, RequestURI: requestURI,
			Accepted: p.Visibility == Public || p.Visibility == Unlisted}, p)
	})
}

func (db *DB) answerQuote(ctx context.Context, q Quote, p *Post) error {
	// A request that only names the quote is believed to be its author's, unless it is known to be another's.
	var others bool
	if err := db.q.QueryRow(ctx, `select exists (select from posts where uri = $1 and account_id <> $2)`, q.URI, q.AccountID).Scan(&others); err != nil {
		return err
	}
	if others {
		return ErrForbidden
	}
	err := db.q.QueryRow(ctx, `insert into quotes (id, post_id, account_id, uri, request_uri, accepted, created) values ($1, $2, $3, $4, $5, $6, $7)
		on conflict (post_id, uri, account_id) do update set request_uri = excluded.request_uri,
			accepted = excluded.accepted and quotes.revoked is null
		returning id, accepted`, db.NewID(), q.PostID, q.AccountID, q.URI, q.RequestURI, q.Accepted, db.Now()).Scan(&q.ID, &q.Accepted)
	if err != nil {
		return err
	}
	if err := db.emit(ctx, Event{Kind: EventQuoteAnswered, AccountID: p.AccountID, TargetID: q.AccountID, ObjectID: q.ID}, true); err != nil || !q.Accepted {
		return err
	}
	return db.notify(ctx, p.AccountID, NotifyQuote, q.AccountID, p.ID, 0)
}

// revokeQuotes takes back an author's leave for all quotes of another account, and says so.
func (db *DB) revokeQuotes(ctx context.Context, authorID, quoterID int64) error {
	rows, err := db.q.Query(ctx, `update quotes q set revoked = $3 from posts p where p.id = q.post_id and p.account_id = $1 and q.account_id = $2
		and q.accepted and q.revoked is null returning q.id`, authorID, quoterID, db.Now())
	if err != nil {
		return err
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := db.emit(ctx, Event{Kind: EventQuoteRevoked, AccountID: authorID, TargetID: quoterID, ObjectID: id}, true); err != nil {
			return err
		}
	}
	return nil
}

// Quote is the quote whose stamp has the id.
func (db *DB) Quote(ctx context.Context, id int64) (_ *Quote, err error) {
	defer wrap(&err, "quote %d", id)
	rows, err := db.q.Query(ctx, `select `+quoteColumns+` from quotes where id = $1`, id)
	if err != nil {
		return nil, err
	}
	return pgx.CollectExactlyOneRow(rows, pgx.RowToAddrOfStructByName[Quote])
}
