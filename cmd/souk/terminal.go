package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"souk"
)

// terminal prints what a command has to say: short aligned lines of a mark (ok, warning, failed), a name and a
// text, each followed by the next command to type where there is one. Colour only where somebody looks.
type terminal struct {
	w      io.Writer
	colour bool
}

// newTerminal prints to w. It colours when w is a terminal and environ sets neither NO_COLOR nor TERM=dumb.
func newTerminal(w io.Writer, environ []string) *terminal {
	quiet := slices.Contains(environ, "TERM=dumb") || slices.ContainsFunc(environ, func(kv string) bool {
		return strings.HasPrefix(kv, "NO_COLOR=") && kv != "NO_COLOR="
	})
	return &terminal{w: w, colour: !quiet && isTerminal(w)}
}

// isTerminal reports whether w is a screen rather than a file or a pipe.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// The marks, padded to one width, with the colour of each (ANSI SGR).
const (
	markOK      = "ok     "
	markWarning = "warning"
	markFailed  = "failed "

	green  = "32"
	yellow = "33"
	red    = "31"
)

// nameWidth is the column of names; a longer name pushes its own text to the right.
const nameWidth = 14

func (t *terminal) ok(name, text string)                { t.line(markOK, green, name, text, nil) }
func (t *terminal) warn(name, text string, n ...string) { t.line(markWarning, yellow, name, text, n) }
func (t *terminal) fail(name, text string, n ...string) { t.line(markFailed, red, name, text, n) }

// line prints one finding; next are whole lines to type or to do, printed under the text.
func (t *terminal) line(mark, colour, name, text string, next []string) {
	mark = t.paint(colour, mark)
	indent := strings.Repeat(" ", len(markOK)+2+nameWidth+2)
	text = strings.ReplaceAll(text, "\n", "\n"+indent)
	fmt.Fprintf(t.w, "%s  %-*s  %s\n", mark, nameWidth, name, text)
	for _, n := range next {
		if n != "" {
			fmt.Fprintf(t.w, "%s-> %s\n", indent, n)
		}
	}
}

// paint colours text where the terminal shows colours.
func (t *terminal) paint(colour, text string) string {
	if !t.colour {
		return text
	}
	return "\x1b[1;" + colour + "m" + text + "\x1b[0m"
}

// failure prints why a command ended: one line for an ordinary error, one for each wrong setting or input.
func (t *terminal) failure(err error) {
	var wrong ConfigErrors
	if errors.As(err, &wrong) {
		for _, e := range wrong {
			t.fail(e.Name, e.where()+e.Problem, e.Fix)
		}
		return
	}
	var invalid *souk.Invalid
	if errors.As(err, &invalid) {
		for _, p := range invalid.Problems {
			t.fail(p.Field, p.Message)
		}
		return
	}
	var adv *adviceError
	if errors.As(err, &adv) {
		t.fail("souk", err.Error(), adv.next)
		return
	}
	t.fail("souk", err.Error())
}

// adviceError is an error that knows what the admin should type next.
type adviceError struct {
	err  error
	next string
}

func (e *adviceError) Error() string { return e.err.Error() }
func (e *adviceError) Unwrap() error { return e.err }

// advise adds to err the next command to type; the terminal prints it under the reason.
func advise(err error, next string) error { return &adviceError{err: err, next: next} }
