package pgtest_test

import (
	"testing"

	"souk/migrations/pgtest"
)

func TestNew(t *testing.T) {
	t.Parallel()
	for range 3 {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			pool := pgtest.New(t)
			// Each test has the database for itself: the second of two such tests would fail otherwise.
			if _, err := pool.Exec(t.Context(), `create table mine (id int)`); err != nil {
				t.Fatal(err)
			}
			var jobs int
			if err := pool.QueryRow(t.Context(), `select count(*) from river_job`).Scan(&jobs); err != nil {
				t.Fatal(err)
			}
			if jobs != 0 {
				t.Errorf("%d jobs in a fresh database", jobs)
			}
		})
	}
}
