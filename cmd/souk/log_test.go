package main

import (
	"bytes"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"
)

func TestLineHandler(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	h := &lineHandler{terminal: &terminal{w: &out}, level: slog.LevelInfo, lock: &sync.Mutex{}}
	log := slog.New(h).With("request", "r1").WithGroup("peer")
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	if log.Enabled(t.Context(), slog.LevelDebug) {
		t.Error("debug is logged at info")
	}
	for _, tt := range []struct {
		level   slog.Level
		message string
		attrs   []slog.Attr
		want    string
	}{
		{slog.LevelInfo, "delivered a post", []slog.Attr{slog.Int("n", 3)}, "03:04:05 info  delivered a post request=r1 peer.n=3\n"},
		{slog.LevelWarn, "slow", []slog.Attr{slog.Duration("took", time.Second)}, "03:04:05 warn  slow request=r1 peer.took=1s\n"},
		{slog.LevelError, "refused", []slog.Attr{slog.Any("err", errors.New("no: \"x\""))}, "03:04:05 error refused request=r1 peer.err=\"no: \\\"x\\\"\"\n"},
		// What others send can neither begin a new line nor speak to the terminal.
		{slog.LevelInfo, "from", []slog.Attr{slog.String("name", "a\n03:04:05 error b\x1b[2J")}, "03:04:05 info  from request=r1 peer.name=\"a\\n03:04:05 error b\\x1b[2J\"\n"},
		{slog.LevelInfo, "x\ny", []slog.Attr{slog.Group("g", slog.String("k", ""))}, "03:04:05 info  \"x\\ny\" request=r1 peer.g.k=\"\"\n"},
	} {
		out.Reset()
		r := slog.NewRecord(at, tt.level, tt.message, 0)
		r.AddAttrs(tt.attrs...)
		if err := log.Handler().Handle(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		if out.String() != tt.want {
			t.Errorf("wrote %q, want %q", out.String(), tt.want)
		}
	}
}
