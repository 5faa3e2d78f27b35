-- +goose Up

-- What accounts and posts go through over time: pins, moves, new keys, the end; edits and what is taken back.

CREATE TABLE pins (
    post_id    bigint PRIMARY KEY REFERENCES posts (id),
    account_id bigint      NOT NULL REFERENCES accounts (id),
    pinned     timestamptz NOT NULL
);
CREATE INDEX pins_account ON pins (account_id, pinned DESC);
COMMENT ON TABLE pins IS 'What an account shows on top of its profile, its own posts and listings only; of remote accounts what their featured collection says';

CREATE TABLE undone (
    uri        text        NOT NULL,
    account_id bigint      NOT NULL REFERENCES accounts (id),
    at         timestamptz NOT NULL,
    PRIMARY KEY (uri, account_id)
);
CREATE INDEX undone_at ON undone (at);
COMMENT ON TABLE undone IS 'Ids of activities that their actor took back before they came: they change nothing any more';

ALTER TABLE post_edits ADD COLUMN pictures text[] NOT NULL DEFAULT '{}';
COMMENT ON COLUMN post_edits.pictures IS 'The descriptions of the pictures that the post had, in order';

CREATE INDEX posts_never_seen ON posts (deleted) WHERE NOT local AND deleted = published;
COMMENT ON INDEX posts_never_seen IS 'Tombstones of what was deleted before it came; they are forgotten after some time';

ALTER TABLE accounts
    ADD COLUMN moved         timestamptz,
    ADD COLUMN featured_read timestamptz,
    ADD COLUMN old_key_id      text NOT NULL DEFAULT '',
    ADD COLUMN old_private_key text NOT NULL DEFAULT '',
    ADD COLUMN key_since       bigint;
COMMENT ON COLUMN accounts.moved IS 'When a Move was last begun (local) or followed (remote); kept when it is taken back, so that nobody moves all the time';
COMMENT ON COLUMN accounts.featured_read IS 'When the reading of a remote account''s pins was last queued';
COMMENT ON COLUMN accounts.key_since IS 'The activity that told of the present key: it and those before it are signed with old_private_key; null while nobody was told';

-- The owner may leave, and another one come.
DROP INDEX accounts_one_owner;
CREATE UNIQUE INDEX accounts_one_owner ON accounts (role) WHERE role IN ('owner', 'instance', 'catalogue') AND deleted IS NULL;
