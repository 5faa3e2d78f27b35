package souk

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// Token is a bearer token of an account, without its secret.
type Token struct {
	ID        int64
	AccountID int64
	Name      string // of the program that uses it
	Scopes    []string
	Created   time.Time
	Used      *time.Time // to the hour
	Expires   *time.Time // nil: never
}

const tokenColumns = `t.id, t.account_id, t.name, t.scopes, t.created, t.used, t.expires`

var (
	tokenScope = regexp.MustCompile(`^((read|write)(:[a-z_]{1,30})?|follow|push|profile|admin:(read|write))$`)
	// followScopes are what the old scope follow stands for (docs.joinmastodon.org/api/oauth-scopes).
	followScopes = regexp.MustCompile(`^(read|write):(blocks|follows|mutes)$`)
)

// Allows reports whether the token may do what the scope names: read covers read:statuses, write covers write:listings;
// admin:read and admin:write are covered only by themselves.
func (t *Token) Allows(scope string) bool {
	return slices.ContainsFunc(t.Scopes, func(has string) bool {
		return has == scope || strings.HasPrefix(scope, has+":") || has == "follow" && followScopes.MatchString(scope)
	})
}

// CreateToken makes a bearer token for an account and returns its secret, which is kept nowhere. Scopes are read, write,
// read:x, write:x, follow, push, profile, and admin:read and admin:write for the owner; expires is zero for a token that
// stays good until it is revoked.
func (db *DB) CreateToken(ctx context.Context, accountID int64, name string, scopes []string, expires time.Time) (secret string, err error) {
	defer wrap(&err, "create token for %d", accountID)
	account, err := db.Account(ctx, accountID)
	if err != nil {
		return "", err
	}
	name = tidyText(name)
	scopes = slices.Compact(slices.Sorted(slices.Values(scopes)))
	if err := db.checkToken(account, name, scopes, expires); err != nil {
		return "", err
	}
	random, err := newSecret(32)
	if err != nil {
		return "", err
	}
	secret = "souk_" + random // so that scanners of leaked secrets can tell what it is
	var until *time.Time
	if !expires.IsZero() {
		until = &expires
	}
	tag, err := db.q.Exec(ctx, `insert into tokens (id, hash, account_id, name, scopes, created, expires)
		select $1, $2, id, $4, $5, $6, $7 from accounts where id = $3 and `+signer,
		db.NewID(), tokenHash(secret), accountID, name, scopes, db.Now(), until)
	if err != nil {
		return "", err
	}
	if tag.RowsAffected() == 0 {
		return "", ErrForbidden
	}
	return secret, nil
}

func (db *DB) checkToken(account *Account, name string, scopes []string, expires time.Time) error {
	e := &Invalid{}
	checkText("name", name, 100, false, e)
	if len(scopes) == 0 {
		e.Add("scopes", "required", "name at least one scope")
	}
	for _, scope := range scopes[:min(len(scopes), 50)] {
		switch {
		case !tokenScope.MatchString(scope):
			e.Add("scopes", "scope", "%.50q is not a scope", scope)
		case strings.HasPrefix(scope, "admin:") && account.Role != RoleOwner:
			e.Add("scopes", "scope_owner", "%q is for the owner alone", scope)
		}
	}
	if len(scopes) > 50 {
		e.Add("scopes", "too_many", "name at most 50 scopes")
	}
	if !expires.IsZero() && !expires.After(db.Now()) {
		e.Add("expires", "past", "the token must end in the future")
	}
	return e.Err()
}

// TokenAccount is the account and the token that a bearer's secret stands for; ErrUnauthorized where it is unknown,
// expired or revoked, or the account may not act. What only the owner may have is left out of the scopes of anyone else.
func (db *DB) TokenAccount(ctx context.Context, secret string) (_ *Account, _ *Token, err error) {
	defer wrap(&err, "token")
	now := db.Now()
	rows, err := db.q.Query(ctx, `select `+tokenColumns+` from tokens t join accounts a on a.id = t.account_id
		where t.hash = $1 and t.revoked is null and (t.expires is null or t.expires > $2) and `+signer, tokenHash(secret), now)
	if err != nil {
		return nil, nil, err
	}
	token, err := pgx.CollectExactlyOneRow(rows, pgx.RowToAddrOfStructByName[Token])
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil, ErrUnauthorized
	} else if err != nil {
		return nil, nil, err
	}
	if token.Used == nil || now.Sub(*token.Used) >= seenEvery {
		if _, err := db.q.Exec(ctx, `update tokens set used = $2 where id = $1`, token.ID, now); err != nil {
			return nil, nil, err
		}
		token.Used = &now
	}
	account, err := db.Account(ctx, token.AccountID)
	if err != nil {
		return nil, nil, err
	}
	if account.Role != RoleOwner {
		token.Scopes = slices.DeleteFunc(token.Scopes, func(s string) bool { return strings.HasPrefix(s, "admin:") })
	}
	return account, token, nil
}

// Tokens are the account's tokens that still work, newest first.
func (db *DB) Tokens(ctx context.Context, accountID int64) (_ []Token, err error) {
	defer wrap(&err, "tokens of %d", accountID)
	rows, err := db.q.Query(ctx, `select `+tokenColumns+` from tokens t
		where t.account_id = $1 and t.revoked is null and (t.expires is null or t.expires > $2) order by t.id desc`, accountID, db.Now())
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[Token])
}

// RevokeToken ends a token: one of one's own, or anyone's as the owner. Else it is ErrNotFound; twice is no error.
func (db *DB) RevokeToken(ctx context.Context, by, id int64) (err error) {
	defer wrap(&err, "revoke token %d", id)
	tag, err := db.q.Exec(ctx, `update tokens set revoked = coalesce(revoked, $3)
		where id = $1 and (account_id = $2 or $2 = `+ownerID+`)`, id, by, db.Now())
	if err == nil && tag.RowsAffected() == 0 {
		return ErrNotFound
	}
	return err
}
