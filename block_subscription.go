package souk

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
)

// readListsEvery is after what time a list is read again.
const readListsEvery = 24 * time.Hour

// What kept a list from being read, as BlockSubscription.Trouble has it.
const (
	ListGone        = "gone"        // 404 or 410
	ListStatus      = "status"      // another answer than 200; the detail is its number
	ListLarge       = "large"       // longer than may be
	ListType        = "type"        // a page or something else that is no list, by its media type
	ListContent     = "content"     // no list of domains; the detail says where
	ListAddress     = "address"     // an address that the node must not reach
	ListUnreachable = "unreachable" // no answer
)

// BlockSubscription is a list of domain blocks that is read again daily, and whose entries are in force as if set by hand:
// but what is set by hand goes before them, of several lists the strictest counts, and one that would end follows of this
// node's people waits until the owner confirms it (DecideProposed).
type BlockSubscription struct {
	ID           int64
	URL          string
	ETag         string
	LastModified string
	Fetched      *time.Time // last read, whether it had changed or not; nil: never
	Changed      *time.Time // when its reading last changed something
	Error        string     // why the reading after that failed; see Trouble
	Created      time.Time
	Entries      int // domains on the list, but the node's own
	InForce      int // of them, those that decide about their domain
	Proposed     int // of them, those that wait for the owner
}

// Trouble is why the last reading failed (ListGone ...), with a detail for people who can read it; "" where it did not.
func (s *BlockSubscription) Trouble() (code, detail string) {
	code, detail, _ = strings.Cut(s.Error, " ")
	return code, detail
}

const blockSubscriptions = `select l.id, l.url, l.etag, l.last_modified, l.fetched, l.changed, l.error, l.created,
	(select count(*) from block_list_entries e where e.list_id = l.id) as entries,
	(select count(*) from host_blocks b where b.list_id = l.id) as in_force,
	(select count(*) from block_list_entries e where e.list_id = l.id and ` + isProposed + `) as proposed
	from block_lists l `

// isProposed is the condition that an entry waits for the owner: what was set by hand meanwhile is decided.
const isProposed = `e.state = 'proposed' and not exists (select from host_blocks b where b.domain = e.domain and b.list_id is null)`

// BlockSubscriptions are the lists that the owner subscribed to, the oldest first. Only the owner may see them.
func (db *DB) BlockSubscriptions(ctx context.Context, by int64) (_ []BlockSubscription, err error) {
	defer wrap(&err, "block subscriptions")
	if err := db.requireOwner(ctx, by); err != nil {
		return nil, err
	}
	rows, err := db.q.Query(ctx, blockSubscriptions+`order by l.id`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByNameLax[BlockSubscription])
}

// BlockSubscription is one of them; ErrNotFound. Only the owner may see it.
func (db *DB) BlockSubscription(ctx context.Context, by, id int64) (_ *BlockSubscription, err error) {
	defer wrap(&err, "block subscription %d for %d", id, by)
	if err := db.requireOwner(ctx, by); err != nil {
		return nil, err
	}
	return db.BlockListToRead(ctx, id)
}

// BlockListToRead is the same for the worker that reads the list; it asks nobody who they are.
func (db *DB) BlockListToRead(ctx context.Context, id int64) (_ *BlockSubscription, err error) {
	defer wrap(&err, "block list %d to read", id)
	rows, err := db.q.Query(ctx, blockSubscriptions+`where l.id = $1`, id)
	if err != nil {
		return nil, err
	}
	return pgx.CollectExactlyOneRow(rows, pgx.RowToAddrOfStructByNameLax[BlockSubscription])
}

// DueBlockLists are the lists that were not read for a day.
func (db *DB) DueBlockLists(ctx context.Context) (_ []int64, err error) {
	defer wrap(&err, "due block lists")
	return db.idList(ctx, `select id from block_lists where fetched is null or fetched <= $1 order by id`, db.Now().Add(-readListsEvery))
}

// SubscribeBlockList subscribes to the list at an address, in one of the forms of ParseBlockList. It is read soon. Only the
// owner may. *Invalid names "url".
func (db *DB) SubscribeBlockList(ctx context.Context, by int64, address string) (id int64, err error) {
	defer wrap(&err, "subscribe to %.200q", address)
	address = strings.TrimSpace(address)
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || len(address) > 2000 {
		return 0, invalid("url", "list_url", "write an address that begins with https://")
	}
	u.Fragment = ""
	err = db.Tx(ctx, func(tx *DB) error {
		if err := tx.requireOwner(ctx, by); err != nil {
			return err
		}
		id = tx.NewID()
		tag, err := tx.q.Exec(ctx, `insert into block_lists (id, url, created) values ($1, $2, $3) on conflict (url) do nothing`, id, u.String(), tx.Now())
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return invalid("url", "list_known", "this list is subscribed to already")
		}
		return tx.readListSoon(ctx, id)
	})
	return id, err
}

// ReadBlockListSoon has a list read now instead of when its day is over. Only the owner may.
func (db *DB) ReadBlockListSoon(ctx context.Context, by, id int64) (err error) {
	defer wrap(&err, "read block list %d soon", id)
	return db.Tx(ctx, func(tx *DB) error {
		if _, err := tx.BlockSubscription(ctx, by, id); err != nil {
			return err
		}
		return tx.readListSoon(ctx, id)
	})
}

func (db *DB) readListSoon(ctx context.Context, id int64) error {
	return db.job(ctx, BlockListArgs{ListID: id}, &river.InsertOpts{MaxAttempts: 3})
}

// UnsubscribeBlockList ends a subscription. What only this list says is lifted; follows that ended do not come back. Only
// the owner may.
func (db *DB) UnsubscribeBlockList(ctx context.Context, by, id int64) (err error) {
	defer wrap(&err, "unsubscribe from block list %d", id)
	return db.Tx(ctx, func(tx *DB) error {
		err := tx.changeHostBlocks(ctx, by, func(tx *DB) ([]string, error) {
			if _, err := tx.lockBlockList(ctx, id); err != nil {
				return nil, err
			}
			domains, err := tx.domains(ctx, `delete from block_list_entries where list_id = $1 returning domain`, id)
			if err != nil {
				return nil, err
			}
			return domains, tx.listedBlocks(ctx, domains)
		})
		if err != nil {
			return err
		}
		_, err = tx.q.Exec(ctx, `delete from block_lists where id = $1`, id)
		return err
	})
}

// lockBlockList keeps a list from being read and unsubscribed from at once; ErrNotFound.
func (db *DB) lockBlockList(ctx context.Context, id int64) (locked int64, err error) {
	err = db.q.QueryRow(ctx, `select id from block_lists where id = $1 for update`, id).Scan(&locked)
	return locked, err
}

// domains are the domains that a statement yields.
func (db *DB) domains(ctx context.Context, sql string, args ...any) ([]string, error) {
	rows, err := db.q.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// BlockListRead keeps what a list says now, with the two validators of its answer (RFC 9110, 8.8), and puts it in force.
// Entries that are not on it any more are lifted, unless another list has them. What covers the node itself is left out.
// ErrNotFound where the subscription ended meanwhile.
func (db *DB) BlockListRead(ctx context.Context, id int64, blocks []HostBlock, etag, lastModified string) (err error) {
	defer wrap(&err, "block list %d read", id)
	blocks = slices.DeleteFunc(once(blocks), func(b HostBlock) bool { return covers(b.Domain, db.Domain()) || covers(b.Domain, db.HandleDomain()) })
	var domains, severities, comments []string
	var media, reports, obfuscate []bool
	for _, b := range blocks {
		domains, severities, comments = append(domains, b.Domain), append(severities, b.Severity), append(comments, truncate(strings.TrimSpace(b.PublicComment), 500))
		media, reports, obfuscate = append(media, b.RejectMedia), append(reports, b.RejectReports), append(obfuscate, b.Obfuscate)
	}
	return db.Tx(ctx, func(tx *DB) error {
		return tx.hostBlocksChanged(ctx, func(tx *DB) ([]string, error) {
			if _, err := tx.lockBlockList(ctx, id); err != nil {
				return nil, err
			}
			// What the owner decided about an entry holds for as long as it says the same.
			changed, err := tx.domains(ctx, `insert into block_list_entries as e (list_id, domain, severity, reject_media, reject_reports, obfuscate, public_comment)
				select $1, * from unnest($2::text[], $3::text[], $4::boolean[], $5::boolean[], $6::boolean[], $7::text[])
				on conflict (list_id, domain) do update set severity = excluded.severity, reject_media = excluded.reject_media, reject_reports = excluded.reject_reports,
					obfuscate = excluded.obfuscate, public_comment = excluded.public_comment,
					state = case when e.severity = excluded.severity then e.state else 'applied' end
				where (e.severity, e.reject_media, e.reject_reports, e.obfuscate, e.public_comment) is distinct from
					(excluded.severity, excluded.reject_media, excluded.reject_reports, excluded.obfuscate, excluded.public_comment)
				returning domain`, id, domains, severities, media, reports, obfuscate, comments)
			if err != nil {
				return nil, err
			}
			// An empty list would be a NULL, of which nothing is different.
			removed, err := tx.domains(ctx, `delete from block_list_entries where list_id = $1 and domain <> all (coalesce($2, '{}'::text[])) returning domain`, id, domains)
			if err != nil {
				return nil, err
			}
			changed = append(changed, removed...)
			if _, err := tx.q.Exec(ctx, `update block_lists set etag = $2, last_modified = $3, fetched = $4, error = '', changed = case when $5 then $4 else changed end
				where id = $1`, id, truncate(etag, 500), truncate(lastModified, 100), tx.Now(), len(changed) > 0); err != nil {
				return nil, err
			}
			return changed, tx.listedBlocks(ctx, changed)
		})
	})
}

// BlockListUnchanged says that a list was asked for and is what it was.
func (db *DB) BlockListUnchanged(ctx context.Context, id int64) (err error) {
	defer wrap(&err, "block list %d unchanged", id)
	_, err = db.q.Exec(ctx, `update block_lists set fetched = $2, error = '' where id = $1`, id, db.Now())
	return err
}

// BlockListFailed says why a list could not be read (ListGone ...). What it said before stays in force.
func (db *DB) BlockListFailed(ctx context.Context, id int64, code, detail string) (err error) {
	defer wrap(&err, "block list %d failed", id)
	_, err = db.q.Exec(ctx, `update block_lists set error = $2 where id = $1`, id, strings.TrimSpace(code+" "+truncate(detail, 300)))
	return err
}

// ProposedBlock is a domain that lists would have suspended, which would end follows of this node's people.
type ProposedBlock struct {
	Domain        string
	PublicComment string
	ListID        int64 // the first that names it
	Lists         int   // how many do
	Ending        EndingFollows
}

// ProposedBlocks are the domains that the owner is asked about, in order of the alphabet. Only the owner may see them.
func (db *DB) ProposedBlocks(ctx context.Context, by int64) (_ []ProposedBlock, err error) {
	defer wrap(&err, "proposed blocks")
	if err := db.requireOwner(ctx, by); err != nil {
		return nil, err
	}
	rows, err := db.q.Query(ctx, `select domain, max(public_comment), min(list_id), count(*) from block_list_entries e where `+isProposed+` group by domain order by domain`)
	if err != nil {
		return nil, err
	}
	var domains []string
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (p ProposedBlock, err error) {
		err = row.Scan(&p.Domain, &p.PublicComment, &p.ListID, &p.Lists)
		domains = append(domains, p.Domain)
		return p, err
	})
	if err != nil {
		return nil, err
	}
	ending, err := db.followsOf(ctx, domains)
	for i := range list {
		list[i].Ending = ending[list[i].Domain]
	}
	return list, err
}

// DecideProposed puts in force what lists propose about a domain, whatever follows end, or has it left alone for as long as
// they say the same. Only the owner may. ErrNotFound where nothing is proposed.
func (db *DB) DecideProposed(ctx context.Context, by int64, domain string, confirm bool) (err error) {
	defer wrap(&err, "decide about %s", domain)
	state := "declined"
	if confirm {
		state = "applied"
	}
	return db.changeHostBlocks(ctx, by, func(tx *DB) ([]string, error) {
		domains, err := tx.domains(ctx, `update block_list_entries set state = $2 where domain = $1 and state = 'proposed' returning domain`, domain, state)
		if err != nil {
			return nil, err
		}
		if len(domains) == 0 {
			return nil, ErrNotFound
		}
		return domains, tx.putListed(ctx, domains)
	})
}

// listedBlocks puts in force what the subscriptions say of domains that nobody set by hand, but proposes to the owner what
// would end follows.
func (db *DB) listedBlocks(ctx context.Context, domains []string) error {
	// One look at the hosts that are followed or follow, however long the list is.
	if _, err := db.q.Exec(ctx, `update block_list_entries e set state = 'proposed' where e.domain = any($1) and e.state = 'applied' and e.severity = 'suspend'
		and not exists (select from host_blocks b where b.domain = e.domain and (b.list_id is null or b.severity = 'suspend'))
		and e.domain in (select s.domain from (select a.host from follows f join accounts a on a.id = f.follower_id where a.host <> ''
			union select a.host from follows f join accounts a on a.id = f.followee_id where a.host <> '') h
			cross join lateral unnest(host_suffixes(h.host)) s (domain))`, domains); err != nil {
		return err
	}
	return db.putListed(ctx, domains)
}

// putListed puts in force what the subscriptions say, without the question.
func (db *DB) putListed(ctx context.Context, domains []string) error {
	// Where a list silenced a domain and now proposes to suspend it, it stays silenced until that is decided.
	if _, err := db.q.Exec(ctx, `delete from host_blocks b where b.domain = any($1) and b.list_id is not null
		and not exists (select from block_list_entries e where e.list_id = b.list_id and e.domain = b.domain and e.state = 'proposed')`, domains); err != nil {
		return err
	}
	// Of several lists the strictest counts, then the oldest.
	_, err := db.q.Exec(ctx, `insert into host_blocks (domain, severity, reject_media, reject_reports, obfuscate, public_comment, list_id, created, updated)
		select distinct on (e.domain) e.domain, e.severity, e.reject_media, e.reject_reports, e.obfuscate, e.public_comment, e.list_id, $2, $2
			from block_list_entries e where e.domain = any($1) and e.state = 'applied'
			order by e.domain, array_position(array['suspend', 'silence', ''], e.severity), e.reject_media desc, e.list_id
		on conflict (domain) do nothing`, domains, db.Now())
	return err
}
