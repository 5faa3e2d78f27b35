package migrations

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strings"
)

// Dump returns the schema of a migrated database as schema.sql has it: what "pg_dump -s" prints, without what differs
// between versions of PostgreSQL, and without the tables, types and functions of River and goose, which are theirs.
func Dump(ctx context.Context, databaseURL, pgDumpPath string) (string, error) {
	args := []string{"--schema-only", "--no-owner", "--no-privileges"}
	help, err := exec.CommandContext(ctx, pgDumpPath, "--help").Output()
	if err != nil {
		return "", fmt.Errorf("dump the schema: %s --help: %w", pgDumpPath, err)
	}
	if bytes.Contains(help, []byte("--restrict-key")) {
		args = append(args, "--restrict-key=souk")
	}
	var out, said bytes.Buffer
	cmd := exec.CommandContext(ctx, pgDumpPath, append(args, databaseURL)...)
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("dump the schema: %w: %s", err, strings.TrimSpace(said.String()))
	}
	return ours(out.String()), nil
}

// header is how pg_dump announces each object.
var header = regexp.MustCompile(`(?m)^--\n-- Name: (.*); Type: (.*); Schema: .*\n--\n`)

// foreign are the names of objects that are not ours; a comment's name begins with the kind of its object.
var foreign = regexp.MustCompile(`^((TABLE|COLUMN|TYPE|FUNCTION|INDEX|SEQUENCE|CONSTRAINT) )?(river|goose)_`)

// ours keeps the objects of our schema out of a dump.
func ours(dump string) string {
	var b strings.Builder
	b.WriteString("-- The schema of a node, dumped from a migrated database by \"make schema\". Do not edit: write a migration.\n")
	heads := header.FindAllStringSubmatchIndex(dump, -1)
	for i, head := range heads {
		end := len(dump)
		if i+1 < len(heads) {
			end = heads[i+1][0]
		}
		name, kind, body := dump[head[2]:head[3]], dump[head[4]:head[5]], dump[head[1]:end]
		if foreign.MatchString(name) || kind == "SCHEMA" {
			continue
		}
		if body = strip(body); body != "" {
			fmt.Fprintf(&b, "\n-- %s: %s\n%s\n", strings.ToLower(kind), name, body)
		}
	}
	return b.String()
}

// strip removes what is no part of an object: session settings, closing remarks, the lines against psql's meta-commands.
func strip(body string) string {
	var lines []string
	for line := range strings.Lines(body) {
		line = strings.TrimRight(line, "\n")
		switch {
		case strings.HasPrefix(line, "SET default_"), strings.HasPrefix(line, `\restrict`), strings.HasPrefix(line, `\unrestrict`),
			line == "--", strings.HasPrefix(line, "-- PostgreSQL database dump"):
			continue
		}
		lines = append(lines, line)
	}
	return strings.TrimSpace(strings.Join(lines, "\n"))
}
