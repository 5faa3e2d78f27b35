package main

import (
	"fmt"
	"io"
	"math"
	"strings"
	"time"
	"unicode/utf8"
)

// benchRow is one figure beside what it is held against: a floor or peer, measured in the same run on the same machine,
// and a limit where the project has set one.
type benchRow struct {
	What   string  `json:"what"`
	Figure float64 `json:"figure"`
	Unit   string  `json:"unit"`

	Against string  `json:"against,omitempty"` // what Floor is
	Floor   float64 `json:"floor,omitempty"`   // in Unit
	Ratio   float64 `json:"ratio,omitempty"`   // Figure / Floor

	Limit     float64 `json:"limit,omitempty"`      // the most, or least, that Figure may be
	LimitOf   string  `json:"limit_of,omitempty"`   // figure, ratio, or least: what the limit is of, the last of the figure from below
	OverLimit bool    `json:"over_limit,omitempty"` // told, never a failure: a busy machine is slow
}

// over holds the figure against a floor of the same unit.
func (r benchRow) over(against string, floor float64) benchRow {
	r.Against, r.Floor = against, floor
	if floor > 0 {
		r.Ratio = r.Figure / floor
	}
	return r
}

// most says what the figure may be at most.
func (r benchRow) most(limit float64) benchRow {
	r.Limit, r.LimitOf, r.OverLimit = limit, "figure", r.Figure > limit
	return r
}

// least says what the figure must be at least.
func (r benchRow) least(limit float64) benchRow {
	r.Limit, r.LimitOf, r.OverLimit = limit, "least", r.Figure < limit
	return r
}

// none says that the figure must be 0.
func (r benchRow) none() benchRow {
	r.LimitOf, r.OverLimit = "figure", r.Figure > 0
	return r
}

// mostRatio says how many times the floor the figure may be at most.
func (r benchRow) mostRatio(limit float64) benchRow {
	r.Limit, r.LimitOf, r.OverLimit = limit, "ratio", r.Ratio > limit
	return r
}

// inMillis is a row of a duration.
func inMillis(what string, d time.Duration) benchRow {
	return benchRow{What: what, Figure: millis(d), Unit: "ms"}
}

func millis(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e6 }

// perSecond is a row of a rate.
func perSecond(what string, n int, took time.Duration) benchRow {
	return benchRow{What: what, Figure: rate(n, took), Unit: "/s"}
}

func rate(n int, took time.Duration) float64 { return float64(n) / took.Seconds() }

// benchRows is what one part came to.
type benchRows struct {
	Name   string     `json:"name"`
	Title  string     `json:"title"`
	Note   string     `json:"note,omitempty"`
	Rows   []benchRow `json:"rows"`
	Failed string     `json:"failed,omitempty"`
}

// benchTable prints each part as soon as it is measured.
type benchTable struct {
	out      io.Writer
	progress io.Writer
	quiet    bool // only collect
	part     *benchRows
}

// The columns, at most 120 characters in all: what is measured; figure; what it is held against; that figure; ratio; limit.
const benchLine = "  %-40s %12s  %-28s %11s %7s  %s"

func (t *benchTable) print(format string, args ...any) {
	if !t.quiet {
		// Where the output has gone there is nobody to be told.
		_, _ = io.WriteString(t.out, strings.TrimRight(fmt.Sprintf(format, args...), " ")+"\n")
	}
}

func (t *benchTable) head(r *benchReport, dir string) {
	t.print("souk %s, %s, %s, %d processors, data in %s", r.Souk, r.Go, r.System, r.CPUs, dir)
	t.print("")
	t.print(benchLine, "", "measured", "against, on this machine", "", "ratio", "limit")
}

// begin opens a part; rows are added until finish.
func (t *benchTable) begin(p benchPart) *benchRows {
	t.part = &benchRows{Name: p.name, Title: p.title, Rows: []benchRow{}}
	return t.part
}

func (t *benchTable) add(r benchRow) { t.part.Rows = append(t.part.Rows, r) }

// note says under what conditions the part was measured.
func (t *benchTable) note(format string, args ...any) { t.part.Note = fmt.Sprintf(format, args...) }

// say tells on the other output what goes on: some parts take a minute.
func (t *benchTable) say(format string, args ...any) {
	if !t.quiet {
		_, _ = fmt.Fprintf(t.progress, "  ... "+format+"\n", args...)
	}
}

func (t *benchTable) finish() {
	p := t.part
	t.print("")
	t.print("%s", p.Title)
	if p.Note != "" {
		t.print("  %s", p.Note)
	}
	for _, r := range p.Rows {
		floor, ratio := "", ""
		if r.Against != "" {
			floor = figure(r.Floor, r.Unit)
			if r.Ratio > 0 {
				ratio = "x " + digits(r.Ratio)
			}
		}
		t.print(benchLine, padded(r.What, 40), figure(r.Figure, r.Unit), padded(r.Against, 28), floor, ratio, r.limit())
	}
	if p.Failed != "" {
		t.print("  failed: %s", p.Failed)
	}
}

func (t *benchTable) foot(r *benchReport) {
	t.print("")
	t.print("%.0f seconds, with PostgreSQL %s. While a machine does other work its figures are worse than it is; ratios suffer less.", r.Seconds, r.Postgres)
}

func (r benchRow) limit() string {
	text := ""
	switch r.LimitOf {
	case "figure":
		text = figure(r.Limit, r.Unit)
	case "ratio":
		text = "x " + digits(r.Limit)
	case "least":
		text = ">= " + digits(r.Limit)
	}
	switch {
	case r.OverLimit && r.LimitOf == "least":
		text += " under"
	case r.OverLimit:
		text += " over"
	}
	return text
}

// figure is a number with its unit, with as many digits as mean something.
func figure(v float64, unit string) string {
	return strings.TrimSpace(digits(v) + " " + unit)
}

func digits(v float64) string {
	switch a := math.Abs(v); {
	case a == 0:
		return "0"
	case a >= 100:
		return fmt.Sprintf("%.0f", v)
	case a >= 10:
		return fmt.Sprintf("%.1f", v)
	case a >= 1:
		return fmt.Sprintf("%.2f", v)
	}
	return fmt.Sprintf("%.3f", v)
}

// padded fills a text to n characters, since Printf counts bytes.
func padded(s string, n int) string {
	return s + strings.Repeat(" ", max(0, n-utf8.RuneCountInString(s)))
}
