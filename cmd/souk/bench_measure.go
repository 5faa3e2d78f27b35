package main

import (
	"context"
	"slices"
	"time"
)

// durations collects how long each of many things took.
type durations []time.Duration

// at is the value below which the share p of all lies: 0.5 is the median. 0 where there is none.
func (t durations) at(p float64) time.Duration {
	if len(t) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(t))
	return sorted[min(int(p*float64(len(sorted))), len(sorted)-1)]
}

func (t durations) median() time.Duration { return t.at(0.5) }

// oneOf is the share of one of n.
func oneOf(total time.Duration, n int) time.Duration { return total / time.Duration(n) }

// ownTimeOf is the processor time of this process that f takes, for each of n.
func ownTimeOf(n int, f func() error) (time.Duration, error) {
	before, err := ownTime()
	if err != nil {
		return 0, err
	}
	if err := f(); err != nil {
		return 0, err
	}
	after, err := ownTime()
	return oneOf(after-before, n), err
}

// pause waits, or returns ctx's error where that ends first.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
