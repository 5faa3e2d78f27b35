-- +goose Up

-- What its own server shows no more is not shown here either.

ALTER TABLE accounts ADD COLUMN suspended_there boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN accounts.suspended_there IS 'The last document of a remote account said suspended: its posts are hidden until one says otherwise';
