package souk

import (
	"context"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/net/idna"
)

// Severities of a domain block. An empty one blocks nothing by itself: it refuses pictures or reports only, or excepts a
// subdomain from the block of its parent.
const (
	Silence = "silence" // kept out of public places; followers still see it
	Suspend = "suspend" // nothing is accepted from it and nothing sent to it
)

// HostBlock is a domain block. It covers the domain, its ports and all its subdomains; where several cover a host, the
// longest decides. What it means for each known host is kept in hosts (severity, reject_media, reject_reports), by
// applyHostBlocks and, for hosts that become known later, by a trigger: whoever asks joins hosts by equality, or asks
// Refused.
type HostBlock struct {
	Domain        string // lower case, in punycode, with a port where only that is meant
	Severity      string // "", silence or suspend
	RejectMedia   bool   // its pictures are neither fetched nor shown
	RejectReports bool   // its reports are ignored
	Obfuscate     bool   // an export names it with stars
	PublicComment string // goes out with an export
	Reason        string // for the owner alone
	ListID        *int64 // the subscription that it comes from; nil: set by hand
	Created       time.Time
	Updated       time.Time
}

const hostBlockColumns = `domain, severity, reject_media, reject_reports, obfuscate, public_comment, reason, list_id, created, updated`

// NormalDomain is a domain as blocks have it: lower case, in punycode, without "*." before it or a dot behind; a port and
// an IP address may stand. ok is false where s is no domain.
func NormalDomain(s string) (domain string, ok bool) {
	s = strings.TrimSuffix(strings.TrimPrefix(strings.ToLower(strings.TrimSpace(s)), "*."), ".")
	if strings.HasPrefix(s, "[") {
		address, port, err := splitPort(s)
		ip, ierr := netip.ParseAddr(strings.Trim(address, "[]"))
		if err != nil || ierr != nil {
			return "", false
		}
		return "[" + ip.String() + "]" + port, true
	}
	name, port, err := splitPort(s)
	if err != nil || name == "" || strings.ContainsAny(name, "/@?#%\\*:") {
		return "", false
	}
	name, err = idna.New(idna.MapForLookup(), idna.StrictDomainName(false), idna.VerifyDNSLength(true)).ToASCII(name)
	if err != nil || name == "" || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", false
	}
	return name + port, true
}

// splitPort cuts ":port" off a host; port keeps its colon and is empty where there is none.
func splitPort(s string) (host, port string, err error) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 || strings.HasSuffix(s, "]") {
		return s, "", nil
	}
	if _, err := strconv.ParseUint(s[i+1:], 10, 16); err != nil {
		return "", "", err
	}
	return s[:i], s[i:], nil
}

// check normalises a block and says what is wrong with it.
func (db *DB) checkHostBlock(b *HostBlock) error {
	e := &Invalid{}
	if b.Severity != "" && b.Severity != Silence && b.Severity != Suspend {
		e.Add("severity", "severity", "use silence, suspend or nothing")
	}
	domain, ok := NormalDomain(b.Domain)
	switch {
	case !ok:
		e.Add("host", "host", "write a host such as far.example, without https:// before it")
	case covers(domain, db.Domain()), covers(domain, db.HandleDomain()):
		e.Add("host", "host_own", "this is the node itself")
	}
	b.Domain = domain
	b.Reason, b.PublicComment = truncate(strings.TrimSpace(b.Reason), 500), truncate(strings.TrimSpace(b.PublicComment), 500)
	return e.Err()
}

// checkHostBlocks is checkHostBlock of all; where there are several, fields are named with their place.
func (db *DB) checkHostBlocks(list []HostBlock) error {
	e := &Invalid{}
	for i := range list {
		invalid, ok := db.checkHostBlock(&list[i]).(*Invalid)
		if !ok {
			continue
		}
		for _, p := range invalid.Problems {
			if len(list) > 1 {
				p.Field = fmt.Sprintf("%s[%d]", p.Field, i)
				p.Message = list[i].Domain + ": " + p.Message
			}
			e.Problems = append(e.Problems, p)
		}
	}
	return e.Err()
}

// covers reports whether a block of the domain would cover the host; host_suffixes says the same in SQL.
func covers(domain, host string) bool {
	host = strings.ToLower(host)
	if name, port, err := splitPort(host); err == nil && domain != host && port != "" {
		host = name
	}
	address := strings.HasPrefix(host, "[") || strings.Trim(host, "0123456789.") == ""
	return host == domain || !address && strings.HasSuffix(host, "."+domain)
}

// BlockHost sets or lifts (severity "") the block of one domain, as BlockHosts and UnblockHost do.
func (db *DB) BlockHost(ctx context.Context, by int64, domain, severity, reason string) error {
	if severity == "" {
		return db.UnblockHost(ctx, by, domain)
	}
	return db.BlockHosts(ctx, by, []HostBlock{{Domain: domain, Severity: severity, Reason: reason}})
}

// BlockHosts sets domain blocks by hand, in place of what was said of these domains before: all, or none. Only the owner
// may. Where a domain is suspended its follows end, what waits to be delivered there is dropped, and what it published
// leaves pages and index. An *Invalid names "host" or "severity", for several blocks with their place ("host[3]").
func (db *DB) BlockHosts(ctx context.Context, by int64, list []HostBlock) (err error) {
	defer wrap(&err, "block %d hosts", len(list))
	if err := db.checkHostBlocks(list); err != nil {
		return err
	}
	return db.changeHostBlocks(ctx, by, func(tx *DB) ([]string, error) {
		domains := make([]string, len(list))
		batch := &pgx.Batch{}
		for i, b := range list {
			domains[i] = b.Domain
			batch.Queue(`insert into host_blocks (`+hostBlockColumns+`) values ($1, $2, $3, $4, $5, $6, $7, null, $8, $8)
				on conflict (domain) do update set severity = excluded.severity, reject_media = excluded.reject_media,
					reject_reports = excluded.reject_reports, obfuscate = excluded.obfuscate, public_comment = excluded.public_comment,
					reason = excluded.reason, list_id = null, updated = excluded.updated`,
				b.Domain, b.Severity, b.RejectMedia, b.RejectReports, b.Obfuscate, b.PublicComment, b.Reason, tx.Now())
		}
		return domains, tx.q.SendBatch(ctx, batch).Close()
	})
}

// raiseHost makes the block that decides about a host at least as severe, and changes nothing else of it: what the owner
// set for the domain stays, and a host that is blocked as much, by itself or under a domain above it, is left alone. The
// reason is for a block that is new.
func (db *DB) raiseHost(ctx context.Context, by int64, host, severity, reason string) error {
	b := HostBlock{Domain: host, Severity: severity, Reason: reason}
	if err := db.checkHostBlock(&b); err != nil {
		return err
	}
	return db.changeHostBlocks(ctx, by, func(tx *DB) ([]string, error) {
		_, err := tx.q.Exec(ctx, `insert into host_blocks (`+hostBlockColumns+`)
			select $1, $2, coalesce(r.reject_media, false), coalesce(r.reject_reports, false), coalesce(r.obfuscate, false), '', $3, null, $4, $4
				from (select) host left join lateral `+ruleFor("$1")+` r on true where coalesce(r.severity, '') not in ($2, 'suspend')
			on conflict (domain) do update set severity = excluded.severity, list_id = null, updated = excluded.updated`,
			b.Domain, b.Severity, b.Reason, tx.Now())
		return []string{b.Domain}, err
	})
}

// UnblockHost lifts the block of a domain that was set by hand; what a subscription says of it is in force again. What is
// stored of its hosts is shown again; follows do not come back. Where there is none nothing happens. A block that has no
// normal name, from before they had, is lifted by the text that it has.
func (db *DB) UnblockHost(ctx context.Context, by int64, domain string) (err error) {
	defer wrap(&err, "unblock host %s", domain)
	b := HostBlock{Domain: domain}
	wrong := db.checkHostBlock(&b)
	names := []string{strings.TrimSpace(domain), b.Domain}
	return db.changeHostBlocks(ctx, by, func(tx *DB) ([]string, error) {
		tag, err := tx.q.Exec(ctx, `delete from host_blocks where domain = any($1) and list_id is null`, names)
		if err != nil {
			return nil, err
		}
		if wrong != nil && tag.RowsAffected() == 0 {
			return nil, wrong
		}
		return names, tx.listedBlocks(ctx, names)
	})
}

// changeHostBlocks changes rules as the owner and then applies what changed to the hosts that the returned domains cover.
func (db *DB) changeHostBlocks(ctx context.Context, by int64, change func(tx *DB) (domains []string, err error)) error {
	return db.Tx(ctx, func(tx *DB) error {
		if err := tx.requireOwner(ctx, by); err != nil {
			return err
		}
		return tx.hostBlocksChanged(ctx, change)
	})
}

func (db *DB) hostBlocksChanged(ctx context.Context, change func(tx *DB) ([]string, error)) error {
	// The trigger that reads the blocks for a new host holds the other half of this lock.
	if _, err := db.q.Exec(ctx, `select pg_advisory_xact_lock(hashtext('souk host blocks'))`); err != nil {
		return err
	}
	domains, err := change(db)
	if err != nil || len(domains) == 0 {
		return err
	}
	return db.applyHostBlocks(ctx, domains)
}

// ruleFor is the block that decides about the host that an expression names: the longest that covers it.
func ruleFor(host string) string {
	return `(select * from host_blocks where domain = any (host_suffixes(` + host + `)) order by length(domain) desc limit 1)`
}

// hostSuspended is the condition that the host is suspended, also where it was never heard of: a known one costs a look
// into hosts by its key, as it always did.
func hostSuspended(host string) string {
	return `coalesce((select severity from hosts where host = ` + host + `), (select rule.severity from ` + ruleFor(host) + ` rule), '') = 'suspend'`
}

// applyHostBlocks brings the known hosts that the domains cover to what the blocks say now, with what follows from that.
func (db *DB) applyHostBlocks(ctx context.Context, domains []string) error {
	// In one order, so that two transactions do not wait for each other.
	rows, err := db.q.Query(ctx, `with covered as (select host, severity, reject_media, reject_reports from hosts
			where host in (select h.host from hosts h cross join lateral unnest(host_suffixes(h.host)) s (domain) where s.domain = any($1)) order by host for update),
		meant as (select c.host, c.severity as was, coalesce(r.severity, '') as severity, coalesce(r.reject_media, false) as media,
				coalesce(r.reject_reports, false) as reports
			from covered c left join lateral `+ruleFor("c.host")+` r on true
			where (c.severity, c.reject_media, c.reject_reports)
				is distinct from (coalesce(r.severity, ''), coalesce(r.reject_media, false), coalesce(r.reject_reports, false)))
		update hosts h set severity = m.severity, reject_media = m.media, reject_reports = m.reports from meant m where m.host = h.host
		returning h.host, m.was, h.severity`, domains)
	if err != nil {
		return err
	}
	var changed, suspended []string
	var host, was, severity string
	if _, err := pgx.ForEachRow(rows, []any{&host, &was, &severity}, func() error {
		if was != severity {
			changed = append(changed, host)
		}
		if severity == Suspend && was != Suspend {
			suspended = append(suspended, host)
		}
		return nil
	}); err != nil {
		return err
	}
	if len(suspended) > 0 {
		if _, err := db.q.Exec(ctx, `delete from follows using accounts a where a.host = any($1) and a.id in (follower_id, followee_id)`, suspended); err != nil {
			return err
		}
		if _, err := db.q.Exec(ctx, `update deliveries set state = 'dropped', error = 'host blocked', done = $2 where host = any($1) and state = 'queued'`,
			suspended, db.Now()); err != nil {
			return err
		}
	}
	if _, err := db.q.Exec(ctx, `insert into search_outbox (object_kind, object_id, version, queued)
		select 'post', p.id, $2, $3 from posts p join accounts a on a.id = p.account_id
			where a.host = any($1) and p.deleted is null and p.visibility = 'public' and p.kind <> 'boost' `+indexAgain,
		changed, db.Now().UnixMicro(), db.Now()); err != nil {
		return err
	}
	db.wakeAfterCommit("index")
	return db.touchShop(ctx)
}

// HostBlocks are the domain blocks in force, in order of the alphabet: after a domain ("": from the first), at most limit
// (0: all). Only the owner may see them.
func (db *DB) HostBlocks(ctx context.Context, by int64, after string, limit int) (_ []HostBlock, err error) {
	defer wrap(&err, "host blocks")
	if err := db.requireOwner(ctx, by); err != nil {
		return nil, err
	}
	rows, err := db.q.Query(ctx, `select `+hostBlockColumns+` from host_blocks where domain > $1 order by domain limit nullif($2, 0)`, after, limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[HostBlock])
}

// HostBlock is the block of exactly this domain; ErrNotFound where there is none. Only the owner may see it.
func (db *DB) HostBlock(ctx context.Context, by int64, domain string) (_ *HostBlock, err error) {
	defer wrap(&err, "host block %s", domain)
	if err := db.requireOwner(ctx, by); err != nil {
		return nil, err
	}
	normal, _ := NormalDomain(domain)
	rows, err := db.q.Query(ctx, `select `+hostBlockColumns+` from host_blocks where domain in ($1, $2) order by domain = $1 desc limit 1`, strings.TrimSpace(domain), normal)
	if err != nil {
		return nil, err
	}
	return pgx.CollectExactlyOneRow(rows, pgx.RowToAddrOfStructByName[HostBlock])
}

// HostBlockCount is how many domain blocks are in force. Only the owner may know.
func (db *DB) HostBlockCount(ctx context.Context, by int64) (n int, err error) {
	defer wrap(&err, "count host blocks")
	if err := db.requireOwner(ctx, by); err != nil {
		return 0, err
	}
	err = db.q.QueryRow(ctx, `select count(*) from host_blocks`).Scan(&n)
	return n, err
}

// EndingFollows are the follows between this node's accounts and those of a domain, which a suspension would end.
type EndingFollows struct {
	Following int // from here to there
	Followers int // from there to here
}

// Count is how many they are.
func (e EndingFollows) Count() int { return e.Following + e.Followers }

// followsOf are the follows of this node's accounts that lead to or come from hosts under each domain. A domain without any
// has no entry.
func (db *DB) followsOf(ctx context.Context, domains []string) (map[string]EndingFollows, error) {
	rows, err := db.q.Query(ctx, `select d.domain, sum(h.following), sum(h.followers) from (
			select a.host, count(*) as following, 0 as followers from follows f join accounts a on a.id = f.followee_id where a.host <> '' group by 1
			union all select a.host, 0, count(*) from follows f join accounts a on a.id = f.follower_id where a.host <> '' group by 1) h
		cross join lateral unnest(host_suffixes(h.host)) d (domain) where d.domain = any($1) group by 1`, domains)
	if err != nil {
		return nil, err
	}
	ending := map[string]EndingFollows{}
	var domain string
	var e EndingFollows
	_, err = pgx.ForEachRow(rows, []any{&domain, &e.Following, &e.Followers}, func() error { ending[domain] = e; return nil })
	return ending, err
}

// Refused reports whether nothing is accepted from an actor and nothing told to it: its host is suspended, by itself or
// under a domain above it, or the account is. host is as Account has it; actorURI may be the address of anything there,
// or empty. It is the question of whoever takes something from another node, asks it for something, or answers it.
func (db *DB) Refused(ctx context.Context, host, actorURI string) (yes bool, err error) {
	defer wrap(&err, "refused %s", actorURI)
	err = db.q.QueryRow(ctx, `select `+hostSuspended("$1")+` or exists (select from accounts where uri = $2 and suspended is not null)`,
		host, actorURI).Scan(&yes)
	return yes, err
}
