-- +goose Up

-- What waits to be applied stands apart from what was received: the first is written and deleted often and has few rows,
-- the second is written once and has many, which are looked up by their ids. Applying changes no index now.

CREATE TABLE inbox_queue (
    id       bigint      PRIMARY KEY, -- of inbox
    body     bytea       NOT NULL,
    next_at  timestamptz NOT NULL,
    attempts int         NOT NULL DEFAULT 0,
    note     text        NOT NULL DEFAULT ''
) WITH (fillfactor = 45); -- a claim writes the row anew beside itself
COMMENT ON TABLE inbox_queue IS 'Received activities that are not applied yet, the oldest first; next_at is when they are due, or until when somebody has them';
COMMENT ON COLUMN inbox_queue.note IS 'Why it was put off; empty for what is being applied';

INSERT INTO inbox_queue (id, body, next_at, attempts, note) SELECT id, body, next_at, attempts, note FROM inbox WHERE state = 'queued';

DROP INDEX inbox_queued;
ALTER TABLE inbox DROP CONSTRAINT inbox_state_check, DROP COLUMN attempts, DROP COLUMN next_at,
    ALTER COLUMN state SET DEFAULT 'done', ALTER COLUMN body SET DEFAULT '';
UPDATE inbox SET state = 'done', note = '', body = '' WHERE state = 'queued';
ALTER TABLE inbox ADD CONSTRAINT inbox_state_check CHECK (state IN ('done', 'ignored', 'failed'));
COMMENT ON COLUMN inbox.state IS 'How it ended, where inbox_queue does not have it any more';
COMMENT ON COLUMN inbox.body IS 'Of what failed, for whoever looks why';
