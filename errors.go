package souk

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// The sentinels that callers tell apart with errors.Is. server/errors.go maps them to HTTP status; nothing here knows of it.
var (
	// ErrNotFound also stands for what the caller may not know exists.
	ErrNotFound = errors.New("not found")
	// ErrForbidden: the caller is known and may not do this.
	ErrForbidden = errors.New("not allowed")
	// ErrUnauthorized: nobody is signed in, or the credential is wrong, expired or revoked.
	ErrUnauthorized = errors.New("not signed in")
	// ErrConflict: the state changed meanwhile (sold out, already exists, edited by someone else).
	ErrConflict = errors.New("conflict")
	// ErrGone: it existed and was deleted; its address stays reserved.
	ErrGone = errors.New("gone")
	// ErrUnavailable: the database does not do it just now, whatever was asked. The same may go well in a moment.
	ErrUnavailable = errors.New("the database is not available")
)

// Problem is one thing wrong with one input field. Code is stable and names the message in the pages' languages;
// Message is the same in plain English for APIs, logs and terminals.
type Problem struct {
	Field   string
	Code    string
	Message string
}

// Invalid says what is wrong with an input, all fields at once. It is returned as *Invalid.
type Invalid struct {
	Problems []Problem
}

func (e *Invalid) Error() string {
	parts := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		parts[i] = p.Field + ": " + p.Message
	}
	return strings.Join(parts, "; ")
}

// Add notes a problem with a field.
func (e *Invalid) Add(field, code, format string, args ...any) {
	e.Problems = append(e.Problems, Problem{Field: field, Code: code, Message: fmt.Sprintf(format, args...)})
}

// Err is e where problems were added, else nil.
func (e *Invalid) Err() error {
	if len(e.Problems) == 0 {
		return nil
	}
	return e
}

// invalid is an *Invalid with one problem.
func invalid(field, code, format string, args ...any) *Invalid {
	e := &Invalid{}
	e.Add(field, code, format, args...)
	return e
}

// SoldOut is the conflict of an order with the stock; it wraps ErrConflict.
type SoldOut struct {
	ListingID int64
	Title     string
	Left      int // units that could still be ordered
}

func (e *SoldOut) Error() string { return fmt.Sprintf("%q: only %d left", e.Title, e.Left) }

func (e *SoldOut) Unwrap() error { return ErrConflict }

// wrap adds, once per exported method, what was being done. On the way pgx.ErrNoRows becomes ErrNotFound, and what
// PostgreSQL says of a text that it cannot hold (NUL, also escaped in JSON; bytes that are not UTF-8) becomes *Invalid:
// the text came from outside, and trying again does not help. What another moment may change is ErrUnavailable too.
func wrap(err *error, format string, args ...any) {
	if *err == nil {
		return
	}
	var pg *pgconn.PgError
	switch {
	case errors.Is(*err, pgx.ErrNoRows):
		*err = ErrNotFound
	case errors.As(*err, &pg) && (pg.Code == "22021" || pg.Code == "22P05"):
		*err = invalid("text", "encoding", "a text holds characters that no text has")
	case !errors.Is(*err, ErrUnavailable) && unavailable(*err):
		*err = fmt.Errorf("%w: %w", ErrUnavailable, *err)
	}
	*err = fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), *err)
}

// violates reports whether err is a unique or check violation of the named constraint or index.
func violates(err error, constraint string) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == "23505" || pg.Code == "23514") && pg.ConstraintName == constraint
}

// unavailable reports whether an error of PostgreSQL is one of its state and not of what was asked: there is no connection
// just now, or it ended, or PostgreSQL is short of something.
func unavailable(err error) bool {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		// Connection, transaction rollback, resources, object state (locks), operator intervention, system.
		return len(pg.Code) == 5 && strings.Contains("08 40 53 55 57 58", pg.Code[:2])
	}
	_, connecting := errors.AsType[*pgconn.ConnectError](err)
	_, ended := errors.AsType[*net.OpError](err)
	return connecting || ended || errors.Is(err, io.ErrUnexpectedEOF) || pgconn.SafeToRetry(err)
}
