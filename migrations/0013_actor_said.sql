-- +goose Up

-- Documents of an actor overtake each other on their way: the later one counts.

ALTER TABLE accounts ADD COLUMN said timestamptz;
COMMENT ON COLUMN accounts.said IS 'The updated of the document that a remote account was stored from, in whole seconds; null where it had none';
