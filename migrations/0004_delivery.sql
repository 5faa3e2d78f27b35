-- +goose Up

ALTER TABLE hosts ADD COLUMN asked_to_wait boolean NOT NULL DEFAULT false;
ALTER TABLE hosts ADD COLUMN let_through timestamptz;
COMMENT ON COLUMN hosts.next_at IS 'The host rests until then: after a failure, or since it asked for it (asked_to_wait)';
COMMENT ON COLUMN hosts.let_through IS 'When its rest last ended early, because it spoke to us';

-- What a host waits for is asked host by host: which of its deliveries are due, and which wait by themselves.
DROP INDEX deliveries_due;
CREATE INDEX deliveries_due ON deliveries (host, next_at) WHERE state = 'queued';

-- What is old is found by where it lies in the table: rows come in the order of time.
CREATE INDEX deliveries_created ON deliveries USING brin (created);
CREATE INDEX events_at ON events USING brin (at);
CREATE INDEX activities_passing ON activities (created) WHERE post_id IS NULL OR type NOT IN ('Create', 'Announce');

CREATE TABLE inboxes (
    id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    inbox text NOT NULL UNIQUE,
    host  text NOT NULL
);
COMMENT ON TABLE inboxes IS 'Inboxes that old posts reached; see reached';

CREATE TABLE reached (
    post_id bigint PRIMARY KEY,
    inboxes bigint[] NOT NULL
);
COMMENT ON TABLE reached IS 'Where a post went, of deliveries that are pruned: its Update and Delete must go there too';
