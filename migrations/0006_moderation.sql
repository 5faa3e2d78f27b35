-- +goose Up

-- +goose StatementBegin
CREATE FUNCTION host_suffixes(host text) RETURNS text[] LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    bare text := regexp_replace(host, ':[0-9]+$', '');
    list text[] := ARRAY[host];
BEGIN
    IF bare <> host THEN
        list := list || bare;
    END IF;
    IF bare ~ '^[0-9.]+$' OR bare LIKE '[%' THEN -- an address has no parents
        RETURN list;
    END IF;
    WHILE position('.' IN bare) > 0 LOOP
        bare := substr(bare, position('.' IN bare) + 1);
        list := list || bare;
    END LOOP;
    RETURN list;
END
$$;
-- +goose StatementEnd
COMMENT ON FUNCTION host_suffixes(text) IS 'The domains whose block covers a host: itself, itself without the port, and each parent';

CREATE TABLE block_lists (
    id            bigint PRIMARY KEY,
    url           text        NOT NULL UNIQUE,
    etag          text        NOT NULL DEFAULT '',
    last_modified text        NOT NULL DEFAULT '',
    fetched       timestamptz,
    changed       timestamptz,
    error         text        NOT NULL DEFAULT '',
    created       timestamptz NOT NULL
);
COMMENT ON TABLE block_lists IS 'Lists of blocked domains that the owner subscribed to; read again daily';
COMMENT ON COLUMN block_lists.error IS 'Why the last reading failed: the entries are those of the reading before';

CREATE TABLE block_list_entries (
    list_id        bigint  NOT NULL REFERENCES block_lists (id) ON DELETE CASCADE,
    domain         text    NOT NULL,
    severity       text    NOT NULL CHECK (severity IN ('', 'silence', 'suspend')),
    reject_media   boolean NOT NULL DEFAULT false,
    reject_reports boolean NOT NULL DEFAULT false,
    obfuscate      boolean NOT NULL DEFAULT false,
    public_comment text    NOT NULL DEFAULT '',
    state          text    NOT NULL DEFAULT 'applied' CHECK (state IN ('applied', 'proposed', 'declined')),
    PRIMARY KEY (list_id, domain)
);
CREATE INDEX block_list_entries_domain ON block_list_entries (domain);
COMMENT ON COLUMN block_list_entries.state IS 'proposed: would end follows of this node''s people, so the owner is asked first';

CREATE TABLE host_blocks (
    domain         text PRIMARY KEY,
    severity       text        NOT NULL CHECK (severity IN ('', 'silence', 'suspend')),
    reject_media   boolean     NOT NULL DEFAULT false,
    reject_reports boolean     NOT NULL DEFAULT false,
    obfuscate      boolean     NOT NULL DEFAULT false,
    public_comment text        NOT NULL DEFAULT '',
    reason         text        NOT NULL DEFAULT '',
    list_id        bigint REFERENCES block_lists (id),
    created        timestamptz NOT NULL,
    updated        timestamptz NOT NULL
);
COMMENT ON TABLE host_blocks IS 'The domain blocks in force. Each covers the domain, its ports and its subdomains; of several the longest decides';
COMMENT ON COLUMN host_blocks.reason IS 'For the owner alone; public_comment goes out with an export';
COMMENT ON COLUMN host_blocks.list_id IS 'The subscription that it comes from; null: set by hand, which no subscription changes';

INSERT INTO host_blocks (domain, severity, reject_media, reason, created, updated)
    SELECT host, severity, reject_media, reason, now(), now() FROM hosts WHERE severity <> '' OR reject_media;

ALTER TABLE hosts DROP COLUMN reason;
ALTER TABLE hosts ADD COLUMN reject_reports boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN hosts.severity IS 'What host_blocks say of this host: suspend refuses everything, silence keeps it out of public places. Kept here so that all who ask need an equality only';

-- +goose StatementBegin
CREATE FUNCTION hosts_blocked() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    rule host_blocks;
BEGIN
    -- Who changes the blocks holds the other half of this lock: no new host slips in between.
    PERFORM pg_advisory_xact_lock_shared(hashtext('souk host blocks'));
    SELECT * INTO rule FROM host_blocks WHERE domain = ANY (host_suffixes(NEW.host)) ORDER BY length(domain) DESC LIMIT 1;
    NEW.severity := coalesce(rule.severity, '');
    NEW.reject_media := coalesce(rule.reject_media, false);
    NEW.reject_reports := coalesce(rule.reject_reports, false);
    RETURN NEW;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER hosts_blocked BEFORE INSERT ON hosts FOR EACH ROW EXECUTE FUNCTION hosts_blocked();

CREATE TABLE reports (
    id          bigint PRIMARY KEY,
    uri         text        NOT NULL,
    host        text        NOT NULL DEFAULT '',
    reporter_id bigint REFERENCES accounts (id),
    target_id   bigint      NOT NULL REFERENCES accounts (id),
    category    text        NOT NULL DEFAULT 'other' CHECK (category IN ('other', 'spam', 'legal', 'violation')),
    comment     text        NOT NULL DEFAULT '',
    state       text        NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'resolved')),
    forward     boolean     NOT NULL DEFAULT false,
    forwarded   timestamptz,
    created     timestamptz NOT NULL,
    updated     timestamptz NOT NULL,
    resolved    timestamptz,
    resolved_by bigint REFERENCES accounts (id)
);
CREATE UNIQUE INDEX reports_open ON reports (target_id, host, (CASE WHEN host = '' THEN reporter_id ELSE 0 END)) WHERE state = 'open';
CREATE INDEX reports_state ON reports (state, id DESC);
CREATE INDEX reports_target ON reports (target_id, id DESC);
CREATE INDEX reports_host ON reports (host, created) WHERE host <> '';
COMMENT ON COLUMN reports.host IS 'The node that it came from; empty: somebody of this node, who is reporter_id';
COMMENT ON INDEX reports_open IS 'One who reports the same account again adds to the open report';

CREATE TABLE report_posts (
    report_id bigint NOT NULL REFERENCES reports (id) ON DELETE CASCADE,
    post_id   bigint NOT NULL REFERENCES posts (id),
    PRIMARY KEY (report_id, post_id)
);

CREATE TABLE report_notes (
    id        bigint PRIMARY KEY,
    report_id bigint      NOT NULL REFERENCES reports (id) ON DELETE CASCADE,
    at        timestamptz NOT NULL,
    by_id     bigint REFERENCES accounts (id),
    action    text        NOT NULL,
    note      text        NOT NULL DEFAULT ''
);
CREATE INDEX report_notes_report ON report_notes (report_id, id);
COMMENT ON TABLE report_notes IS 'What was said and done about a report, in order; by_id is null for what came from elsewhere';

ALTER TABLE notifications ADD COLUMN report_id bigint REFERENCES reports (id) ON DELETE CASCADE;
CREATE INDEX notifications_report ON notifications (report_id) WHERE report_id IS NOT NULL;
DROP INDEX notifications_once;
CREATE UNIQUE INDEX notifications_once ON notifications (account_id, kind, coalesce(from_id, 0), coalesce(post_id, 0), coalesce(order_id, 0), coalesce(report_id, 0));
ALTER TABLE notifications DROP CONSTRAINT notifications_kind_check;
ALTER TABLE notifications ADD CONSTRAINT notifications_kind_check
    CHECK (kind IN ('follow', 'follow_request', 'mention', 'reply', 'like', 'boost', 'order', 'report'));
