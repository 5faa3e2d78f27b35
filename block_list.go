package souk

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

const (
	// MaxBlockList is how many bytes a list of blocks may have.
	MaxBlockList = 8 << 20
	// maxListErrors is how many wrong lines are named: who reads more of them has another file.
	maxListErrors = 50
)

// BlockList is a list of domain blocks as somebody wrote it down.
type BlockList struct {
	Blocks  []HostBlock // normalised, each domain once: the first counts
	Skipped int         // entries whose domain is hidden behind stars
}

// ParseBlockList reads a list of blocks in one of the forms that are passed around: CSV as Mastodon exports it (a header
// with #domain; #severity, #reject_media, #reject_reports, #public_comment and #obfuscate where they are there), JSON as
// GoToSocial exports it, or a domain on each line with remarks behind #. Where no severity is said a domain is suspended.
// *Invalid names the wrong lines ("line[7]"), or "list" where nothing can be read.
func ParseBlockList(text string) (list BlockList, err error) {
	defer wrap(&err, "block list")
	text = strings.TrimPrefix(text, "\ufeff")
	e := &Invalid{}
	switch trimmed := strings.TrimSpace(text); {
	case len(text) > MaxBlockList:
		return list, invalid("list", "too_long", "at most %d bytes", MaxBlockList)
	case trimmed == "":
		return list, invalid("list", "required", "the list is empty")
	case strings.HasPrefix(trimmed, "["):
		list.readJSON(trimmed, e)
	case isBlockCSV(trimmed):
		list.readCSV(text, e)
	default:
		n := 0
		for line := range strings.Lines(text) {
			n++
			domain, _, _ := strings.Cut(line, "#")
			if domain = strings.TrimSpace(domain); domain != "" {
				list.add(n, HostBlock{Domain: domain, Severity: Suspend}, e)
			}
		}
	}
	if err := e.Err(); err != nil {
		return list, err
	}
	if len(list.Blocks)+list.Skipped == 0 {
		return list, invalid("list", "required", "the list is empty")
	}
	return list, nil
}

func (l *BlockList) add(line int, b HostBlock, e *Invalid) {
	if strings.Contains(strings.TrimPrefix(b.Domain, "*."), "*") {
		l.Skipped++
		return
	}
	domain, ok := NormalDomain(b.Domain)
	if !ok {
		wrongLine(e, line, "host", "%.100q is no domain", b.Domain)
		return
	}
	b.Domain = domain
	l.Blocks = append(l.Blocks, b)
}

func wrongLine(e *Invalid, line int, code, format string, args ...any) {
	if len(e.Problems) < maxListErrors {
		e.Add(fmt.Sprintf("line[%d]", line), code, "line %d: "+format, append([]any{line}, args...)...)
	}
}

func isBlockCSV(text string) bool {
	first, _, _ := strings.Cut(text, "\n")
	for _, column := range strings.Split(first, ",") {
		if blockColumn(column) == "domain" {
			return true
		}
	}
	return false
}

// blockColumn is the name of a column of a header, which Mastodon writes with # before it.
func blockColumn(s string) string {
	return strings.ToLower(strings.TrimPrefix(strings.Trim(strings.TrimSpace(s), `"`), "#"))
}

func (l *BlockList) readCSV(text string, e *Invalid) {
	r := csv.NewReader(strings.NewReader(text))
	r.FieldsPerRecord, r.TrimLeadingSpace = -1, true
	columns := map[string]int{}
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return
		}
		var parse *csv.ParseError
		if errors.As(err, &parse) {
			wrongLine(e, parse.Line, "csv", "not readable as CSV")
			return
		}
		if err != nil {
			e.Add("list", "csv", "not readable as CSV")
			return
		}
		if len(columns) == 0 {
			for i, name := range row {
				columns[blockColumn(name)] = i
			}
			continue
		}
		line, _ := r.FieldPos(0)
		value := func(name string) string {
			if i, ok := columns[name]; ok && i < len(row) {
				return strings.TrimSpace(row[i])
			}
			return ""
		}
		b := HostBlock{Domain: value("domain"), PublicComment: value("public_comment")}
		if b.Domain == "" {
			continue
		}
		b.RejectMedia, b.RejectReports, b.Obfuscate = yes(value("reject_media")), yes(value("reject_reports")), yes(value("obfuscate"))
		var ok bool
		if b.Severity, ok = severityOf(value("severity")); !ok {
			wrongLine(e, line, "severity", "severity %.50q is not known", value("severity"))
			continue
		}
		l.add(line, b, e)
	}
}

func yes(s string) bool {
	return slices.Contains([]string{"true", "t", "1", "yes"}, strings.ToLower(s))
}

// severityOf is a severity in the words of other servers.
func severityOf(s string) (severity string, ok bool) {
	switch strings.ToLower(s) {
	case "suspend", "":
		return Suspend, true
	case "silence", "limit":
		return Silence, true
	case "noop", "none":
		return "", true
	}
	return "", false
}

// readJSON reads what GoToSocial exports; problems name the number of the entry.
func (l *BlockList) readJSON(text string, e *Invalid) {
	var entries []struct {
		Domain        string `json:"domain"`
		Severity      string `json:"severity"`
		PublicComment string `json:"public_comment"`
		Comment       string `json:"comment"`
		Obfuscate     bool   `json:"obfuscate"`
	}
	if err := json.Unmarshal([]byte(text), &entries); err != nil {
		e.Add("list", "json", "not readable as a JSON list of domains")
		return
	}
	for i, entry := range entries {
		severity, ok := severityOf(entry.Severity)
		if !ok {
			wrongLine(e, i+1, "severity", "severity %.50q is not known", entry.Severity)
			continue
		}
		if entry.PublicComment == "" {
			entry.PublicComment = entry.Comment
		}
		l.add(i+1, HostBlock{Domain: entry.Domain, Severity: severity, Obfuscate: entry.Obfuscate, PublicComment: entry.PublicComment}, e)
	}
}

// once drops repeated domains: the first counts.
func once(blocks []HostBlock) []HostBlock {
	seen := make(map[string]bool, len(blocks))
	return slices.DeleteFunc(slices.Clone(blocks), func(b HostBlock) bool {
		known := seen[b.Domain]
		seen[b.Domain] = true
		return known
	})
}

// WriteBlockList writes blocks as CSV in the form of Mastodon's export.
func WriteBlockList(w io.Writer, blocks []HostBlock) error {
	out := csv.NewWriter(w)
	rows := [][]string{{"#domain", "#severity", "#reject_media", "#reject_reports", "#public_comment", "#obfuscate"}}
	for _, b := range blocks {
		severity := b.Severity
		if severity == "" {
			severity = "noop"
		}
		rows = append(rows, []string{b.Domain, severity, fmt.Sprint(b.RejectMedia), fmt.Sprint(b.RejectReports), b.PublicComment, fmt.Sprint(b.Obfuscate)})
	}
	return out.WriteAll(rows)
}

// HostBlockChange is what setting one block would change.
type HostBlockChange struct {
	HostBlock
	Was    *HostBlock    // what is in force for exactly this domain now; nil: nothing
	Ending EndingFollows // that would end
}

// Changes reports whether the block differs from what is in force.
func (c *HostBlockChange) Changes() bool {
	return c.Was == nil || c.Was.Severity != c.Severity || c.Was.RejectMedia != c.RejectMedia || c.Was.RejectReports != c.RejectReports
}

// PreviewHostBlocks is what setting the blocks would change, without changing anything. The node's own domain is an
// *Invalid that names its place ("host[3]"), as of BlockHosts. Only the owner may.
func (db *DB) PreviewHostBlocks(ctx context.Context, by int64, list []HostBlock) (_ []HostBlockChange, err error) {
	defer wrap(&err, "preview %d blocks", len(list))
	current, err := db.HostBlocks(ctx, by, "", 0)
	if err != nil {
		return nil, err
	}
	if err := db.checkHostBlocks(list); err != nil {
		return nil, err
	}
	list = once(list)
	was := make(map[string]*HostBlock, len(current))
	for i := range current {
		was[current[i].Domain] = &current[i]
	}
	var domains []string
	for _, b := range list {
		if old := was[b.Domain]; b.Severity == Suspend && (old == nil || old.Severity != Suspend) {
			domains = append(domains, b.Domain)
		}
	}
	follows, err := db.followsOf(ctx, domains)
	if err != nil {
		return nil, err
	}
	changes := make([]HostBlockChange, len(list))
	for i, b := range list {
		changes[i] = HostBlockChange{HostBlock: b, Was: was[b.Domain], Ending: follows[b.Domain]}
	}
	return changes, nil
}

// ImportHostBlocks sets those of the blocks by hand that change something: all, or none. It returns how many.
func (db *DB) ImportHostBlocks(ctx context.Context, by int64, list []HostBlock) (n int, err error) {
	defer wrap(&err, "import %d blocks", len(list))
	err = db.Tx(ctx, func(tx *DB) error {
		changes, err := tx.PreviewHostBlocks(ctx, by, list)
		if err != nil {
			return err
		}
		var set []HostBlock
		for i := range changes {
			if changes[i].Changes() {
				set = append(set, changes[i].HostBlock)
			}
		}
		if n = len(set); n == 0 {
			return nil
		}
		return tx.BlockHosts(ctx, by, set)
	})
	return n, err
}
