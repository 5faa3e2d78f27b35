package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"time"

	"souk"
	"souk/migrations"
	"souk/migrations/cluster"
	"souk/server/blob"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// store is the node's PostgreSQL, opened: the one that database_url names, or the private cluster.
type store struct {
	pool    *pgxpool.Pool
	url     string           // with its password
	cluster *cluster.Cluster // nil with database_url
}

// openStore opens the database of the configuration. start brings up the private cluster, where that is used:
// cluster.Start for the node itself, besideNode for commands. Errors say what to type next.
func openStore(ctx context.Context, c *Config, log *slog.Logger, start startCluster) (*store, error) {
	s := &store{url: c.DatabaseURL}
	if s.url == "" {
		var err error
		if s.cluster, err = start(ctx, cluster.Config{Dir: c.DataDir, Log: log}); err != nil {
			return nil, fmt.Errorf("private PostgreSQL: %w", err)
		}
		s.url = s.cluster.Database()
	}
	pool, err := openPool(ctx, s.url)
	if err == nil {
		s.pool = pool
		err = pool.Ping(ctx)
	}
	if err != nil {
		return nil, errors.Join(explainConnect(err, s.cluster != nil), s.close(ctx))
	}
	return s, nil
}

// Connections of a process to its database. Most of the time of a short transaction is the wait for the disk, which
// those that commit together share: more connections than processors make all of them faster. What a rush needed is
// given back, since each takes PostgreSQL some MiB.
const (
	poolConnections = 16
	poolIdle        = 2 * time.Minute
)

func openPool(ctx context.Context, url string) (*pgxpool.Pool, error) {
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	if !strings.Contains(url, "pool_max_conns") {
		cfg.MaxConns = poolConnections
	}
	cfg.MaxConnIdleTime = poolIdle
	return pgxpool.NewWithConfig(ctx, cfg)
}

type startCluster func(context.Context, cluster.Config) (*cluster.Cluster, error)

// besideNode joins the cluster of a running node, else starts it for as long as the command works, and makes it where
// there is none yet.
func besideNode(ctx context.Context, cfg cluster.Config) (*cluster.Cluster, error) {
	cfg.Make = true
	return cluster.Open(ctx, cfg)
}

// close lets the database go, and stops the cluster if openStore started it. It works after ctx has ended, too.
func (s *store) close(ctx context.Context) error {
	if s.pool != nil {
		s.pool.Close()
	}
	if s.cluster == nil {
		return nil
	}
	if err := s.cluster.Stop(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("stop the private PostgreSQL: %w", err)
	}
	return nil
}

// ready makes sure that the database has the schema of this binary. An empty one is migrated; one that waits for a
// migration is left to "souk migrate" and "souk serve", since a node may be running on it.
func (s *store) ready(ctx context.Context) error {
	state, err := migrations.Status(ctx, s.pool)
	if err != nil {
		return err
	}
	if err := state.Newer(); err != nil {
		return err
	}
	if state.Schema == 0 {
		return migrations.Up(ctx, s.pool, nil)
	}
	if !state.Current() {
		return advise(fmt.Errorf("the database waits for a migration: %s", strings.Join(state.Pending, ", ")), "souk migrate")
	}
	return nil
}

// withNode runs work on the node's domain, beside a running node or without one.
func withNode(ctx context.Context, c *Config, log *slog.Logger, work func(*souk.DB) error) (err error) {
	s, err := openStore(ctx, c, log, besideNode)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close(ctx)) }()
	if err := s.ready(ctx); err != nil {
		return err
	}
	blobs, err := blob.New(c.MediaURL.String())
	if err != nil {
		return err
	}
	db, err := souk.New(s.pool, souk.Config{BaseURL: c.BaseURL(), HandleDomain: c.HandleDomain, Blobs: blobs, Log: log})
	if err != nil {
		return err
	}
	defer db.Close()
	if err := sameNode(ctx, c, db); err != nil {
		return err
	}
	return work(db)
}

// sameNode refuses to work with a configuration that names another node than the one that the database belongs to, as where the
// node was started with flags that a command beside it does not have: its accounts would have addresses that lead nowhere.
func sameNode(ctx context.Context, c *Config, db *souk.DB) error {
	node, err := db.InstanceActor(ctx)
	if errors.Is(err, souk.ErrNotFound) {
		return nil // nothing has run on it yet
	}
	if err != nil {
		return err
	}
	base := strings.TrimSuffix(node.URI, "/actor")
	scheme, domain, _ := strings.Cut(base, "://")
	switch {
	case base != c.BaseURL():
		return advise(fmt.Errorf("the database is that of the node at %s, and domain and scheme are set to %s", base, c.BaseURL()),
			fmt.Sprintf("use the settings that the node was started with: --domain %s --scheme %s (SOUK_DOMAIN, SOUK_SCHEME, or in souk.toml)", domain, scheme))
	case node.Name != c.HandleDomain:
		return advise(fmt.Errorf("handles of the node end in @%s, and handle_domain is set to %s", node.Name, c.HandleDomain),
			fmt.Sprintf("use the settings that the node was started with: --handle-domain %s (SOUK_HANDLE_DOMAIN, or in souk.toml)", node.Name))
	}
	return nil
}

// explainConnect adds to the three failures of a first run what to type: no server, no role, no database. In a private
// cluster the node makes the database itself: where it is missing, the node is only starting.
func explainConnect(err error, private bool) error {
	var connect *pgconn.ConnectError
	if !errors.As(err, &connect) {
		return err
	}
	role, database := shellWord(connect.Config.User), shellWord(connect.Config.Database)
	var pg *pgconn.PgError
	switch {
	case private:
		return advise(err, "the node is still starting: try again in a moment")
	case !errors.As(err, &pg):
		return advise(err, "is PostgreSQL running there? systemctl status postgresql")
	case pg.Code == "3D000": // invalid_catalog_name
		return advise(err, "sudo -u postgres createdb -O "+role+" "+database)
	case strings.HasPrefix(pg.Code, "28"): // invalid_authorization_specification, invalid_password
		return advise(err, "sudo -u postgres createuser -P "+role+", or set its password with: sudo -u postgres psql -c '\\password "+
			pgx.Identifier{connect.Config.User}.Sanitize()+"'")
	}
	return err
}

// shellWord is a word that a shell reads as it stands.
func shellWord(s string) string {
	if regexp.MustCompile(`^[\w.-]+$`).MatchString(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
