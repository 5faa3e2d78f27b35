package souk

import "context"

// listedBlocks puts in force what the subscriptions say of domains that nobody set by hand.
func (db *DB) listedBlocks(ctx context.Context, domains []string) error {
	if _, err := db.q.Exec(ctx, `delete from host_blocks where domain = any($1) and list_id is not null`, domains); err != nil {
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
