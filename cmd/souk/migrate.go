package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"souk/migrations"
	"souk/migrations/cluster"

	"github.com/spf13/cobra"
)

func newMigrateCommand(load loader, environ []string) *cobra.Command {
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "migrate",
		Short: "Bring the database to the schema of this binary",
		Long: "Brings the database to the schema of this binary. souk serve does the same at its start: this command is\n" +
			"for those who want it done before. Migrations only go forward; one that was interrupted goes on.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := load(cmd)
			if err != nil {
				return err
			}
			log := commandLogger(cmd.ErrOrStderr(), environ, c)
			return migrate(cmd.Context(), c, log, newTerminal(cmd.OutOrStdout(), environ), dryRun)
		},
	}
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "print what would be done, and change nothing")
	return cmd
}

// migrate brings the database of c to this binary's schema, or only says what that would mean.
func migrate(ctx context.Context, c *Config, log *slog.Logger, t *terminal, dryRun bool) (err error) {
	start := besideNode
	if dryRun {
		start = cluster.Open // makes none
	}
	s, err := openStore(ctx, c, log, start)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close(ctx)) }()
	state, err := migrations.Status(ctx, s.pool)
	if err != nil {
		return err
	}
	if err := state.Newer(); err != nil {
		return err
	}
	if dryRun && !state.Current() {
		t.warn("schema", fmt.Sprintf("version %d, this binary wants %d: %s", state.Schema, state.SchemaWanted, strings.Join(state.Pending, ", ")), "souk migrate")
		return nil
	}
	if !dryRun {
		if err := migrations.Up(ctx, s.pool, func(step string) { t.ok("migrate", step) }); err != nil {
			return err
		}
	}
	t.ok("schema", fmt.Sprintf("version %d, which this binary wants", state.SchemaWanted))
	return nil
}
