-- +goose Up

CREATE TABLE catalogue_reads (
    account_id bigint PRIMARY KEY REFERENCES accounts (id),
    next       text        NOT NULL DEFAULT '',
    started    timestamptz NOT NULL,
    finished   timestamptz,
    error      text        NOT NULL DEFAULT ''
);
COMMENT ON TABLE catalogue_reads IS 'How far the catalogue of another node was read; it is read from the beginning again now and then, which renews its listings';
COMMENT ON COLUMN catalogue_reads.next IS 'The page to read next; empty: from the beginning';
COMMENT ON COLUMN catalogue_reads.started IS 'When it was last begun from the beginning';
COMMENT ON COLUMN catalogue_reads.finished IS 'When its end was last reached; null before the first time';
