package souk

import "slices"

// Page asks for a piece of a list that is ordered by id, newest first. The zero Page is the first one.
type Page struct {
	Before int64 // only ids below this; 0 = from the newest
	After  int64 // only ids above this, the nearest ones first taken; still returned newest first
	Limit  int   // 1..80; 0 means 20
}

const (
	defaultLimit = 20
	maxLimit     = 80
)

func (p Page) limit() int {
	if p.Limit <= 0 {
		return defaultLimit
	}
	return min(p.Limit, maxLimit)
}

// before is the upper bound for SQL: the largest id where none is asked for.
func (p Page) before() int64 {
	if p.Before <= 0 {
		return 1<<63 - 1
	}
	return p.Before
}

// order is how SQL sorts the ids of the page: from the newest, or from the next after After.
func (p Page) order() string {
	if p.ascending() {
		return "asc"
	}
	return "desc"
}

// newestFirst turns what order sorted into what every list returns.
func newestFirst[T any](p Page, list []T) []T {
	if p.ascending() {
		slices.Reverse(list)
	}
	return list
}

// ascending reports whether the page is counted upwards from After.
func (p Page) ascending() bool { return p.After > 0 && p.Before <= 0 }
