package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"
	"time"

	"github.com/riverqueue/river"
	"github.com/spf13/cobra"

	"souk"
	"souk/federation"
	"souk/migrations"
	"souk/migrations/cluster"
	"souk/search"
	"souk/server"
	"souk/server/blob"
	"souk/themes"
)

func newServeCommand(load loader, environ []string) *cobra.Command {
	return &cobra.Command{
		Use:   "serve",
		Short: "Run the node",
		Long: "Runs the node until it is stopped. With no configuration at all: data in ./souk-data, a private PostgreSQL inside\n" +
			"it, built-in search, http on 127.0.0.1:8080, and a one-time link to set the shop up.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := load(cmd)
			if err != nil {
				return err
			}
			log := newLogger(cmd.ErrOrStderr(), environ, c.LogLevel)
			return serve(cmd.Context(), c, log, newTerminal(cmd.OutOrStdout(), environ))
		},
	}
}

// stopWithin is how long requests and jobs in progress may take after the node was told to stop; what is cut off then
// is rows in the database and goes on with the next start.
const stopWithin = 15 * time.Second

// collectPercent is by how much the heap grows before it is collected. A node keeps little and allocates much: what Go has
// by default spends a sixth of its processor time under load on that.
const collectPercent = 200

// collectSeldom gives back what the start needed and sets collectPercent, unless GOGC says otherwise.
func collectSeldom() {
	debug.FreeOSMemory()
	if _, set := os.LookupEnv("GOGC"); !set { // which Go itself reads from there
		debug.SetGCPercent(collectPercent)
	}
}

// serve runs a node until ctx ends. It listens before anything else, so that /livez answers through a long migration.
func serve(ctx context.Context, c *Config, log *slog.Logger, t *terminal) (err error) {
	front, err := listen(c, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, front.close()) }()

	s, err := openStore(ctx, c, log, cluster.Start)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close(ctx)) }()
	if err := migrations.Up(ctx, s.pool, func(step string) { log.Info("migrate", "step", step) }); err != nil {
		return err
	}
	n, err := newNode(ctx, c, s, log)
	if err != nil {
		return err
	}
	defer n.db.Close()
	if c.Role != RoleWeb {
		if err := n.startWork(ctx); err != nil {
			return err
		}
		defer n.stopWork(ctx, &err)
	}
	if c.Role != RoleWorker {
		front.serve(n.server.Handler())
	}
	// Told to stop meanwhile: that is no failure, and nobody reads the banner.
	if err := n.banner(ctx, t, front); err != nil && ctx.Err() == nil {
		return err
	}
	collectSeldom()
	select {
	case <-ctx.Done():
		log.Info("stopping")
		return nil
	case err := <-front.failed:
		return fmt.Errorf("the listener failed: %w", err)
	}
}

// node is the layers of a running node, wired.
type node struct {
	config *Config
	store  *store
	db     *souk.DB
	fed    *federation.Federation
	index  search.Index
	server *server.Server
	work   *river.Client[pgxTx]
	log    *slog.Logger
}

func newNode(ctx context.Context, c *Config, s *store, log *slog.Logger) (*node, error) {
	blobs, err := blob.New(c.MediaURL.String())
	if err != nil {
		return nil, err
	}
	db, err := souk.New(s.pool, souk.Config{BaseURL: c.BaseURL(), HandleDomain: c.HandleDomain, Blobs: blobs, Log: log, Backoff: c.Backoff})
	if err != nil {
		return nil, err
	}
	n := &node{config: c, store: s, db: db, log: log}
	if err := n.wire(ctx, c, log); err != nil {
		db.Close()
		return nil, err
	}
	return n, nil
}

func (n *node) wire(ctx context.Context, c *Config, log *slog.Logger) error {
	if err := n.db.EnsureShop(ctx); err != nil {
		return err
	}
	if err := n.db.EnsureNodeActors(ctx); err != nil {
		return err
	}
	client := federation.NewClient(federation.FetchConfig{AllowNetworks: c.AllowNetworks, Refused: n.db.Refused, MediaRefused: n.db.MediaRefused, UserAgent: "Souk/" + version() + " (+" + c.BaseURL() + "/)"})
	limit := c.RateLimit
	if limit == 0 {
		limit = -1 // none: in federation 0 stands for the default
	}
	n.fed = federation.New(n.db, federation.Config{Client: client, Version: version(), RateLimit: limit, Log: log, Alone: n.store.cluster != nil})
	n.index = search.NewPostgres(search.PostgresConfig{Pool: n.store.pool})
	theme, err := themes.Load(themes.Config{Log: log})
	if err != nil {
		return err
	}
	n.server, err = server.New(server.Config{DB: n.db, Federation: n.fed, Finder: search.NewFinder(n.db, n.index), Pictures: souk.NewPictures(souk.PictureConfig{}), Theme: theme, Client: client, Version: version(),
		HTTPS: c.Scheme == "https", TrustedProxies: c.TrustedProxies, RateLimit: c.RateLimit, Log: log})
	return err
}
