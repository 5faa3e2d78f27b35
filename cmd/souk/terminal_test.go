package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

func TestTerminalLines(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	term := &terminal{w: &out}
	term.ok("database", "PostgreSQL 15")
	term.warn("a name too long for its column", "text", "", "souk doctor")
	term.failure(fmt.Errorf("open the shop: %w", advise(errors.New("first\nsecond"), "souk config show")))
	const want = "" +
		"ok       database        PostgreSQL 15\n" +
		"warning  a name too long for its column  text\n" +
		"                         -> souk doctor\n" +
		"failed   souk            open the shop: first\n" +
		"                         second\n" +
		"                         -> souk config show\n"
	if out.String() != want {
		t.Errorf("printed\n%s\nwant\n%s", out.String(), want)
	}
	out.Reset()
	term.colour = true
	term.ok("x", "y")
	if got := out.String(); got != "\x1b[1;32mok     \x1b[0m  x               y\n" {
		t.Errorf("in colour: %q", got)
	}
}

func TestColourOnlyOnATerminal(t *testing.T) {
	t.Parallel()
	file, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	device, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0) // a character device, as a terminal is
	if err != nil {
		t.Fatal(err)
	}
	defer device.Close()
	if newTerminal(&bytes.Buffer{}, nil).colour || newTerminal(file, nil).colour {
		t.Error("colours in a file")
	}
	for _, tt := range []struct {
		environ []string
		want    bool
	}{
		{nil, true},
		{[]string{"TERM=xterm", "NO_COLOR="}, true}, // no-color.org: set and not empty
		{[]string{"NO_COLOR=1"}, false},
		{[]string{"TERM=dumb"}, false},
	} {
		if got := newTerminal(device, tt.environ).colour; got != tt.want {
			t.Errorf("colour with %v: %v", tt.environ, got)
		}
	}
}
