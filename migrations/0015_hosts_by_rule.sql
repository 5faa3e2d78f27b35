-- +goose Up

-- What domain blocks say now counts for the hosts that were known when they became blocks of subdomains and ports too
-- (0006 gave it to those of exactly that name). What follows from it is what applyHostBlocks does.

CREATE TEMPORARY TABLE hosts_before ON COMMIT DROP AS SELECT host, severity FROM hosts;

UPDATE hosts h SET severity = rule.severity, reject_media = rule.reject_media, reject_reports = rule.reject_reports
    FROM (SELECT DISTINCT ON (k.host) k.host, b.severity, b.reject_media, b.reject_reports
            FROM hosts k CROSS JOIN LATERAL unnest(host_suffixes(k.host)) s (domain) JOIN host_blocks b ON b.domain = s.domain
            ORDER BY k.host, length(b.domain) DESC) rule
    WHERE rule.host = h.host
        AND (h.severity, h.reject_media, h.reject_reports) IS DISTINCT FROM (rule.severity, rule.reject_media, rule.reject_reports);

DELETE FROM follows f USING accounts a, hosts h, hosts_before was
    WHERE a.id IN (f.follower_id, f.followee_id) AND h.host = a.host AND was.host = h.host AND h.severity = 'suspend' AND was.severity <> 'suspend';

UPDATE deliveries d SET state = 'dropped', error = 'host blocked', done = now() FROM hosts h, hosts_before was
    WHERE h.host = d.host AND was.host = h.host AND h.severity = 'suspend' AND was.severity <> 'suspend' AND d.state = 'queued';

INSERT INTO search_outbox (object_kind, object_id, version, queued)
    SELECT 'post', p.id, (extract(epoch FROM now()) * 1000000)::bigint, now()
        FROM posts p JOIN accounts a ON a.id = p.account_id JOIN hosts h ON h.host = a.host JOIN hosts_before was ON was.host = h.host
        WHERE was.severity <> h.severity AND p.deleted IS NULL AND p.visibility = 'public' AND p.kind <> 'boost'
    ON CONFLICT (object_kind, object_id) DO UPDATE SET version = greatest(search_outbox.version + 1, excluded.version), queued = excluded.queued;

UPDATE shop SET version = version + 1 WHERE EXISTS (SELECT FROM hosts h JOIN hosts_before was ON was.host = h.host WHERE was.severity <> h.severity);

ALTER TABLE reports ADD COLUMN forward_as text NOT NULL DEFAULT '';
COMMENT ON COLUMN reports.forward_as IS 'What is said to the target''s node: words that were written for it, which comment need not be';
