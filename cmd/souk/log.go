package main

import (
	"context"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
)

// newLogger logs to w from level on: for people on a terminal, in logfmt elsewhere.
func newLogger(w io.Writer, environ []string, level slog.Level) *slog.Logger {
	if !isTerminal(w) {
		return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level}))
	}
	return slog.New(&lineHandler{terminal: newTerminal(w, environ), level: level, lock: &sync.Mutex{}})
}

// commandLogger is the log of a command that does one thing and says itself how it went: what the node would log at info
// is left out.
func commandLogger(w io.Writer, environ []string, c *Config) *slog.Logger {
	level := c.LogLevel
	if level == slog.LevelInfo {
		level = slog.LevelWarn
	}
	return newLogger(w, environ, level)
}

// lineHandler writes one short line an event: time, level, message, then the attributes as name=value.
type lineHandler struct {
	terminal *terminal
	level    slog.Level
	lock     *sync.Mutex // one line at a time, over all handlers made of this one
	attrs    string      // of With, already written
	group    string      // of WithGroup, with a dot at its end
}

func (h *lineHandler) Enabled(_ context.Context, level slog.Level) bool { return level >= h.level }

func (h *lineHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	with := *h
	with.attrs += attrText(h.group, attrs)
	return &with
}

func (h *lineHandler) WithGroup(name string) slog.Handler {
	with := *h
	with.group += name + "."
	return &with
}

func (h *lineHandler) Handle(_ context.Context, r slog.Record) error {
	var attrs []slog.Attr
	r.Attrs(func(a slog.Attr) bool { attrs = append(attrs, a); return true })
	level := strings.ToLower(r.Level.String())
	level += strings.Repeat(" ", max(0, 5-len(level)))
	switch {
	case r.Level >= slog.LevelError:
		level = h.terminal.paint(red, level)
	case r.Level >= slog.LevelWarn:
		level = h.terminal.paint(yellow, level)
	}
	line := r.Time.Format(time.TimeOnly) + " " + level + " " + quotedIfOdd(r.Message, " ") + h.attrs + attrText(h.group, attrs) + "\n"
	h.lock.Lock()
	defer h.lock.Unlock()
	_, err := io.WriteString(h.terminal.w, line)
	return err
}

func attrText(group string, attrs []slog.Attr) string {
	var b strings.Builder
	for _, a := range attrs {
		v := a.Value.Resolve()
		if v.Kind() == slog.KindGroup {
			inner := group
			if a.Key != "" {
				inner += a.Key + "."
			}
			b.WriteString(attrText(inner, v.Group()))
			continue
		}
		if a.Equal(slog.Attr{}) {
			continue
		}
		b.WriteString(" " + quotedIfOdd(group+a.Key, "") + "=" + quotedIfOdd(v.String(), ""))
	}
	return b.String()
}

// quotedIfOdd quotes what would break out of its place on the line or speak to the terminal: what comes from other
// machines is logged too. The characters of allowed pass.
func quotedIfOdd(s, allowed string) string {
	odd := func(r rune) bool {
		return (r == ' ' || r == '"' || r == '=' || !unicode.IsPrint(r)) && !strings.ContainsRune(allowed, r)
	}
	if s == "" && allowed == "" || strings.ContainsFunc(s, odd) {
		return strconv.Quote(s)
	}
	return s
}
