package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"souk"
	"souk/search"
)

func newReindexCommand(load loader, environ []string) *cobra.Command {
	return &cobra.Command{
		Use:   "reindex",
		Short: "Build the search index anew from the database",
		Long: "Builds the search index anew from the database. The old index answers until the new one takes its place; the node\n" +
			"may run meanwhile. Needed after a change of the shop's currency, or when a new version says so.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := load(cmd)
			if err != nil {
				return err
			}
			log, ctx := commandLogger(cmd.ErrOrStderr(), environ, c), cmd.Context()
			return withNode(ctx, c, log, func(db *souk.DB) error {
				index, start := search.NewPostgres(search.PostgresConfig{Pool: db.Pool()}), time.Now()
				if err := search.NewIndexer(search.IndexerConfig{DB: db, Index: index, Log: log}).Rebuild(ctx); err != nil {
					return err
				}
				status, err := index.Status(ctx)
				if err != nil {
					return err
				}
				newTerminal(cmd.OutOrStdout(), environ).ok("index", fmt.Sprintf("%d documents in %.1f s", status.Documents, time.Since(start).Seconds()))
				return nil
			})
		},
	}
}
