package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"souk"
)

// banner says in five lines what runs: version, address, console, data, warnings.
func (n *node) banner(ctx context.Context, t *terminal, f *front) error {
	c := n.config
	t.ok("souk", "version "+version())
	t.ok("shop", c.BaseURL()+"/  (listening on "+strings.Join(f.addresses, ", ")+")")
	_, err := n.db.Owner(ctx)
	switch {
	case errors.Is(err, souk.ErrNotFound):
		token, err := n.db.NewSetupToken(ctx)
		if err != nil {
			return err
		}
		t.ok("set up", c.BaseURL()+"/setup?token="+token+"  (once, within 30 minutes; start again for another)")
	case err != nil:
		return err
	default:
		t.ok("console", c.BaseURL()+"/console")
	}
	data := c.DataDir
	if n.store.cluster == nil {
		data += ", database by SOUK_DATABASE_URL"
	} else if moved := n.store.cluster.Moved(); moved != "" {
		data += ", its PostgreSQL in " + moved + " (the database user cannot reach the data directory)"
	}
	t.ok("data", data)
	if len(c.Warnings) == 0 {
		t.ok("warnings", "none")
		return nil
	}
	lines := make([]string, len(c.Warnings))
	for i, w := range c.Warnings {
		lines[i] = fmt.Sprintf("%s: %s. %s", w.Name, w.Problem, w.Fix)
	}
	t.warn("warnings", strings.Join(lines, "\n"))
	return nil
}
