package souk

import (
	"errors"
	"net"
	"testing"

	"github.com/jackc/pgx/v5"
)

// What PostgreSQL cannot do just now is told apart from what it refuses.
func TestUnavailable(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	exec := func(sql string) error {
		_, err := n.Pool().Exec(ctx, sql)
		return err
	}
	_, noServer := pgx.Connect(ctx, "postgres://someone@"+nobody+"/x?sslmode=disable")
	for what, c := range map[string]struct {
		err  error
		want bool
	}{
		"the connection ends":  {exec(`select pg_terminate_backend(pg_backend_pid())`), true},
		"a lock is held":       {exec(`do $$ begin raise lock_not_available; end $$`), true},
		"another was faster":   {exec(`do $$ begin raise serialization_failure; end $$`), true},
		"there is no server":   {noServer, true},
		"a row is there twice": {exec(`do $$ begin raise unique_violation; end $$`), false},
		"it is not there":      {ErrNotFound, false},
		"nothing happened":     {nil, false},
	} {
		err := c.err
		wrap(&err, "some work")
		wrap(&err, "more of it")
		if got := errors.Is(err, ErrUnavailable); got != c.want || c.want && c.err == nil || c.err != nil && !errors.Is(err, c.err) {
			t.Errorf("%s: %v, want %t", what, err, c.want)
		}
	}
}
