package souk

import (
	"context"
	"crypto/sha256"
	"errors"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	sessionFor = 30 * 24 * time.Hour // since it was last seen
	// seenEvery is how exact the "last seen" of sessions and tokens is: a request should not cost a write.
	seenEvery = time.Hour
)

// tokenHash is what the database keeps of a token. The tokens are random and long, so a plain hash is enough: nobody can
// guess them from it, and who reads a backup cannot use them.
func tokenHash(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}

// signer is the condition for an account that may act: a person of this node, neither deleted, suspended nor kept in memory.
const signer = `role in ('owner', 'seller', 'member') and deleted is null and suspended is null and not memorial`

// SignIn checks a name (also written @name or @name@this-node) or e-mail with its password and begins a session for the
// browser that agent names. Every failure is ErrUnauthorized and takes as long; counting guesses is up to the caller.
func (db *DB) SignIn(ctx context.Context, nameOrEmail, password, agent string) (token string, _ *Account, err error) {
	defer wrap(&err, "sign in")
	var id int64
	var encoded string
	err = db.q.QueryRow(ctx, `select id, password from accounts
		where (lower(name) = $1 and host = '' or lower(email) = $2) and `+signer+`
		order by lower(name) = $1 and host = '' desc limit 1`, // an e-mail address may read like somebody else's handle
		db.signInName(nameOrEmail), strings.ToLower(strings.TrimSpace(nameOrEmail))).Scan(&id, &encoded)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return "", nil, err
	}
	if !verifyPassword(encoded, password) {
		return "", nil, ErrUnauthorized
	}
	account, err := db.Account(ctx, id)
	if err != nil {
		return "", nil, err
	}
	token, err = db.NewSession(ctx, id, agent)
	return token, account, err
}

// signInName is the bare local name in what people type as their handle.
func (db *DB) signInName(s string) string {
	s = strings.TrimPrefix(strings.ToLower(strings.TrimSpace(s)), "@")
	name, host, _ := strings.Cut(s, "@")
	if host != "" && host != strings.ToLower(db.HandleDomain()) && host != strings.ToLower(db.Domain()) {
		return ""
	}
	return name
}

// NewSession begins a session for an account that proved who it is in another way (it was just set up).
func (db *DB) NewSession(ctx context.Context, accountID int64, agent string) (token string, err error) {
	defer wrap(&err, "new session of %d", accountID)
	token, err = newSecret(32)
	if err != nil {
		return "", err
	}
	agent = strings.Map(func(r rune) rune {
		if r < ' ' || r == '\uFFFD' {
			return -1
		}
		return r
	}, strings.ToValidUTF8(agent[:min(len(agent), 200)], ""))
	now := db.Now()
	tag, err := db.q.Exec(ctx, `insert into sessions (hash, account_id, agent, created, seen, expires)
		select $1, id, $3, $4, $4, $5 from accounts where id = $2 and `+signer, tokenHash(token), accountID, agent, now, now.Add(sessionFor))
	if err != nil {
		return "", err
	}
	if tag.RowsAffected() == 0 {
		return "", ErrUnauthorized
	}
	return token, nil
}

// Session is the account that is signed in with the token, else ErrUnauthorized. A session ends 30 days after it was last
// seen.
func (db *DB) Session(ctx context.Context, token string) (_ *Account, err error) {
	defer wrap(&err, "session")
	hash, now := tokenHash(token), db.Now()
	var id int64
	var seen time.Time
	err = db.q.QueryRow(ctx, `select s.account_id, s.seen from sessions s join accounts a on a.id = s.account_id
		where s.hash = $1 and s.expires > $2 and `+signer, hash, now).Scan(&id, &seen)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, ErrUnauthorized
	} else if err != nil {
		return nil, err
	}
	if now.Sub(seen) >= seenEvery {
		if _, err := db.q.Exec(ctx, `update sessions set seen = $2, expires = $3 where hash = $1`, hash, now, now.Add(sessionFor)); err != nil {
			return nil, err
		}
	}
	return db.Account(ctx, id)
}

// SignOut ends a session. An unknown token is no error: it is signed out.
func (db *DB) SignOut(ctx context.Context, token string) (err error) {
	defer wrap(&err, "sign out")
	_, err = db.q.Exec(ctx, `delete from sessions where hash = $1`, tokenHash(token))
	return err
}

// SignOutOthers ends all sessions of the account but the one with the token ("" ends all): after a change of password.
func (db *DB) SignOutOthers(ctx context.Context, accountID int64, token string) (err error) {
	defer wrap(&err, "sign out others of %d", accountID)
	_, err = db.q.Exec(ctx, `delete from sessions where account_id = $1 and hash <> $2`, accountID, tokenHash(token))
	return err
}

// ExpireSessions drops ended sessions and setup tokens.
func (db *DB) ExpireSessions(ctx context.Context) (n int64, err error) {
	defer wrap(&err, "expire sessions")
	tag, err := db.q.Exec(ctx, `delete from sessions where expires <= $1`, db.Now())
	if err != nil {
		return 0, err
	}
	n = tag.RowsAffected()
	tag, err = db.q.Exec(ctx, `delete from setup_tokens where expires <= $1`, db.Now())
	return n + tag.RowsAffected(), err
}

// CheckPassword is nil where the password is the account's, else *Invalid, field "password".
func (db *DB) CheckPassword(ctx context.Context, accountID int64, password string) (err error) {
	defer wrap(&err, "check password of %d", accountID)
	var encoded string
	if err := db.q.QueryRow(ctx, `select password from accounts where id = $1 and deleted is null`, accountID).Scan(&encoded); err != nil {
		return err
	}
	if encoded == "" || !verifyPassword(encoded, password) {
		return invalid("password", "password_wrong", "this is not the password")
	}
	return nil
}

// ChangePassword gives the account another password where old is the one it has, and ends all its sessions but the one
// with the token. *Invalid names "old" or "password".
func (db *DB) ChangePassword(ctx context.Context, accountID int64, old, password, token string) (err error) {
	defer wrap(&err, "change password of %d", accountID)
	e := &Invalid{}
	checkPassword(password, e)
	if password == "" {
		e.Add("password", "required", "choose a password")
	}
	if err := e.Err(); err != nil {
		return err
	}
	var encoded string
	if err := db.q.QueryRow(ctx, `select password from accounts where id = $1 and `+signer, accountID).Scan(&encoded); err != nil {
		return err
	}
	if !verifyPassword(encoded, old) {
		return invalid("old", "password_wrong", "this is not the password that you have now")
	}
	hash, err := hashPassword(password)
	if err != nil {
		return err
	}
	return db.Tx(ctx, func(tx *DB) error {
		tag, err := tx.q.Exec(ctx, `update accounts set password = $2 where id = $1 and password = $3`, accountID, hash, encoded)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return ErrConflict // changed elsewhere meanwhile
		}
		return tx.SignOutOthers(ctx, accountID, token)
	})
}

// ResetPassword gives an account another password and ends all its sessions. Nobody is asked for the old one: it is for
// whoever runs the node (souk account password).
func (db *DB) ResetPassword(ctx context.Context, accountID int64, password string) (err error) {
	defer wrap(&err, "reset password of %d", accountID)
	e := &Invalid{}
	checkPassword(password, e)
	if password == "" {
		e.Add("password", "required", "choose a password")
	}
	if err := e.Err(); err != nil {
		return err
	}
	hash, err := hashPassword(password)
	if err != nil {
		return err
	}
	return db.Tx(ctx, func(tx *DB) error {
		tag, err := tx.q.Exec(ctx, `update accounts set password = $2 where id = $1 and `+signer, accountID, hash)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return ErrNotFound
		}
		return tx.SignOutOthers(ctx, accountID, "")
	})
}
