-- +goose Up

-- Who followed an account of a server that is dead, as its owner's backup has it: each is told where it goes on (FEP-7628).

CREATE TABLE pulled_followers (
    account_id bigint      NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    old_uri    text        NOT NULL,
    handle     text        NOT NULL,
    host       text        NOT NULL,
    line       int         NOT NULL,
    state      text        NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'told', 'failed', 'stopped')),
    inbox      text        NOT NULL DEFAULT '',
    attempts   int         NOT NULL DEFAULT 0,
    next_at    timestamptz NOT NULL,
    reason     text        NOT NULL DEFAULT '',
    PRIMARY KEY (account_id, old_uri, handle)
);
COMMENT ON TABLE pulled_followers IS 'Followers of an old account whom its owner, now account_id, asks to follow along; forgotten 30 days after the end';
COMMENT ON COLUMN pulled_followers.line IS 'Of the list that was uploaded';
COMMENT ON COLUMN pulled_followers.inbox IS 'Where it was told: an inbox that many share is told once';
COMMENT ON COLUMN pulled_followers.next_at IS 'When it is due, or when it ended';
CREATE INDEX pulled_followers_due ON pulled_followers (next_at) WHERE state = 'waiting';
CREATE INDEX pulled_followers_host ON pulled_followers (host) WHERE state = 'waiting';
