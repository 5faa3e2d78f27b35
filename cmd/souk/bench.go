package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"souk/migrations/cluster"
)

func newBenchCommand(environ []string) *cobra.Command {
	b := bench{environ: environ}
	var only []string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure this machine as a node",
		Long: "Runs a node with a PostgreSQL of its own in a temporary folder, and measures it beside what the same machine\n" +
			"can do at best: raw signatures, bare inserts, a static file, one look into an index. Node, PostgreSQL, the servers\n" +
			"that are delivered to, and this program, which makes the load, are processes of their own; processor time is that of\n" +
			"each process. Nothing reaches the outside, and everything is deleted at the end.\n\n" +
			"Rows: " + strings.Join(benchNames(), ", ") + ".",
		Example: "  souk bench\n  souk bench --only ingest,fanout --dir /var/tmp",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			parts, err := benchParts(only)
			if err != nil {
				return err
			}
			b.log = slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: slog.LevelWarn}))
			b.table = &benchTable{out: cmd.OutOrStdout(), progress: cmd.ErrOrStderr(), quiet: asJSON}
			report, err := b.run(cmd.Context(), parts)
			if asJSON && report != nil {
				err = errors.Join(err, printJSON(cmd.OutOrStdout(), report))
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&b.full, "full", false, "the large measurements: a million documents, 20,000 activities")
	cmd.Flags().StringSliceVar(&only, "only", nil, "measure only these `ROWS`, with commas between")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document instead of the table")
	cmd.Flags().StringVar(&b.parent, "dir", "", "make the temporary folder in `FOLDER`: what is measured depends on its disk")
	cmd.AddCommand(newBenchPeersCommand())
	return cmd
}

// bench is one run of the benchmarks.
type bench struct {
	environ []string
	full    bool
	parent  string // of dir; empty: the system's
	log     *slog.Logger
	table   *benchTable

	dir      string
	nodes    int // made so far; numbers their folders
	node     *benchNode
	postgres string // its version
	peers    *benchPeers
}

// benchPart is one row of the contract: a name for --only, a title, and what measures it.
type benchPart struct {
	name, title string
	measure     func(*bench, context.Context) error
}

// allBenchParts is in the order of measuring: memory is read when the node is new, and again at the end.
func allBenchParts() []benchPart {
	return []benchPart{
		{"start", "Start to ready", (*bench).measureStart},
		{"memory", "Memory, idle", (*bench).measureIdle},
		{"ingest", "Inbox: signed Create of a Note, over 16 kept-alive connections", (*bench).measureIngest},
		{"fanout", "Fan-out: one post to followers on as many hosts", (*bench).measureFanout},
		{"page", "Storefront: a product page, over 16 kept-alive connections", (*bench).measurePage},
		{"order", "Orders", (*bench).measureOrder},
		{"search", "Search, built-in engine", (*bench).measureSearch},
		{"memory", "Memory, at most under the load above", (*bench).measureLoad},
		{"kill", "Kill -9 of node and PostgreSQL at once after the last 202", (*bench).measureKill},
	}
}

func benchNames() (names []string) {
	for _, p := range allBenchParts() {
		if !slices.Contains(names, p.name) {
			names = append(names, p.name)
		}
	}
	return names
}

func benchParts(only []string) (parts []benchPart, err error) {
	for _, name := range only {
		if !slices.Contains(benchNames(), name) {
			return nil, fmt.Errorf("there is no row %q: use some of %s", name, strings.Join(benchNames(), ", "))
		}
	}
	for _, p := range allBenchParts() {
		if len(only) == 0 || slices.Contains(only, p.name) {
			parts = append(parts, p)
		}
	}
	return parts, nil
}

// benchReport is what --json prints.
type benchReport struct {
	Souk     string       `json:"souk"`
	Go       string       `json:"go"`
	System   string       `json:"system"`
	CPUs     int          `json:"cpus"`
	Postgres string       `json:"postgres"`
	Full     bool         `json:"full"`
	Seconds  float64      `json:"seconds"`
	Parts    []*benchRows `json:"parts"`
}

// run measures the parts one after another. One that fails does not keep the others from being measured; its error is
// printed in its place and returned at the end.
func (b *bench) run(ctx context.Context, parts []benchPart) (_ *benchReport, err error) {
	if _, err := processorTime(os.Getpid()); err != nil {
		return nil, fmt.Errorf("benchmarks read processor time and memory from /proc, as Linux has it: %w", err)
	}
	if b.dir, err = os.MkdirTemp(b.parent, "souk-bench-"); err != nil {
		return nil, err
	}
	if b.dir, err = filepath.Abs(b.dir); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, b.end(context.WithoutCancel(ctx))) }()
	// The user that PostgreSQL runs as passes through.
	if err := os.Chmod(b.dir, 0o711); err != nil {
		return nil, err
	}
	start := time.Now()
	report := &benchReport{Souk: version(), Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH, CPUs: runtime.NumCPU(), Full: b.full}
	b.table.head(report, b.dir)
	var failed []error
	for _, p := range parts {
		rows := b.table.begin(p)
		if err := p.measure(b, ctx); err != nil {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			rows.Failed = err.Error()
			failed = append(failed, fmt.Errorf("measure %s: %w", p.name, err))
		}
		b.table.finish()
		report.Parts = append(report.Parts, rows)
	}
	report.Postgres = b.postgres
	report.Seconds = time.Since(start).Seconds()
	b.table.foot(report)
	return report, errors.Join(failed...)
}

// end stops what runs and deletes what was made.
func (b *bench) end(ctx context.Context) error {
	var errs []error
	if b.node != nil {
		errs = append(errs, b.node.close(ctx))
	}
	if b.peers != nil {
		errs = append(errs, b.peers.stop())
	}
	for i := range b.nodes {
		errs = append(errs, cluster.Remove(cluster.Config{Dir: filepath.Join(b.folder(i), "data")}))
	}
	return errors.Join(append(errs, os.RemoveAll(b.dir))...)
}

// few and many are how often, or how much, is measured: many with --full.
func (b *bench) amount(few, many int) int {
	if b.full {
		return many
	}
	return few
}

func printJSON(w io.Writer, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	_, err = w.Write(append(text, '\n'))
	return err
}
