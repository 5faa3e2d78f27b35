-- +goose Up

-- Posts of others that quote one of this node's, each with the stamp that says so (FEP-044f).

CREATE TABLE quotes (
    id          bigint PRIMARY KEY,
    post_id     bigint      NOT NULL REFERENCES posts (id),
    account_id  bigint      NOT NULL REFERENCES accounts (id),
    uri         text        NOT NULL,
    request_uri text        NOT NULL,
    accepted    boolean     NOT NULL,
    revoked     timestamptz,
    created     timestamptz NOT NULL,
    UNIQUE (post_id, uri)
);
CREATE INDEX quotes_account ON quotes (account_id);
COMMENT ON COLUMN quotes.uri IS 'The post that quotes';
COMMENT ON COLUMN quotes.request_uri IS 'The id of the last request to quote; its answer names it';

ALTER TABLE notifications DROP CONSTRAINT notifications_kind_check;
ALTER TABLE notifications ADD CONSTRAINT notifications_kind_check
    CHECK (kind IN ('follow', 'follow_request', 'mention', 'reply', 'like', 'boost', 'order', 'report', 'quote'));
