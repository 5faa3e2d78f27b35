-- +goose Up

ALTER TABLE shop ADD COLUMN secure_mode boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN shop.secure_mode IS 'Other servers get documents only where an actor of theirs signed the request (authorised fetch)';

CREATE INDEX accounts_key ON accounts (key_id) WHERE host <> '';
