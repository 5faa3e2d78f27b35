package souk

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/net/publicsuffix"
)

// Host is what the node knows of another one.
type Host struct {
	Host         string
	Seen         *time.Time
	Software     string
	CatalogueURI string
	Signature    string // how it wants its deliveries signed: cavage or rfc9421
	Failures     int
	DeadSince    *time.Time
	NextAt       *time.Time
	LastSuccess  *time.Time
	LastError    string
	Held         bool
	// What the domain blocks say of it (HostBlock).
	Severity      string
	RejectMedia   bool
	RejectReports bool
}

const hostColumns = `host, seen, software, catalogue_uri, signature, failures, dead_since, next_at, last_success, last_error, held,
	severity, reject_media, reject_reports`

func (db *DB) seenHost(ctx context.Context, host string) error {
	_, err := db.q.Exec(ctx, `insert into hosts (host, seen) values ($1, $2) on conflict (host) do update set seen = excluded.seen
		where hosts.seen is null or hosts.seen < excluded.seen - interval '1 hour'`, host, db.Now())
	return err
}

// HostFor is the same as Host, for pages: only the owner may see it.
func (db *DB) HostFor(ctx context.Context, by int64, host string) (_ *Host, err error) {
	defer wrap(&err, "host %s for %d", host, by)
	if err := db.requireOwner(ctx, by); err != nil {
		return nil, err
	}
	return db.Host(ctx, host)
}

// Host is what is known of another node; ErrNotFound where nothing is. It asks nobody who they are.
func (db *DB) Host(ctx context.Context, host string) (_ *Host, err error) {
	defer wrap(&err, "host %s", host)
	rows, err := db.q.Query(ctx, `select `+hostColumns+` from hosts where host = lower($1)`, host)
	if err != nil {
		return nil, err
	}
	return pgx.CollectExactlyOneRow(rows, pgx.RowToAddrOfStructByName[Host])
}

// deadSilence is after what time without a word a host counts as dead that nothing is sent to.
const deadSilence = 30 * 24 * time.Hour

// HostIsDead reports whether a host has not answered for long: deliveries failed on DeadAfterDays days, or no actor of it
// was read for 30 days. Whoever asks has just seen it fail.
func (db *DB) HostIsDead(ctx context.Context, host string) (dead bool, err error) {
	defer wrap(&err, "whether %s is dead", host)
	err = db.q.QueryRow(ctx, `select exists (select from hosts where host = $1 and dead_since is not null)
		or not exists (select from accounts where host = $1 and fetched > $2)`, host, db.Now().Add(-deadSilence)).Scan(&dead)
	return dead, err
}

// DescribeHost stores what another node says of itself.
func (db *DB) DescribeHost(ctx context.Context, host, software, catalogueURI string) (err error) {
	defer wrap(&err, "describe host %s", host)
	_, err = db.q.Exec(ctx, `insert into hosts (host, seen, software, catalogue_uri) values (lower($1), $2, $3, $4)
		on conflict (host) do update set software = excluded.software, catalogue_uri = excluded.catalogue_uri, seen = excluded.seen`,
		host, db.Now(), truncate(software, 100), catalogueURI)
	return err
}

// Registrable is who answers for a host: the domain that somebody registered, so that a.evil.example and b.evil.example
// are one; of IPv6 addresses the network that one gets.
func Registrable(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.Trim(host, "[]")
	if addr, err := netip.ParseAddr(host); err == nil {
		if network, err := addr.Prefix(64); err == nil && addr.Is6() {
			return network.String()
		}
		return host
	}
	if domain, err := publicsuffix.EffectiveTLDPlusOne(host); err == nil {
		return domain
	}
	return host
}
