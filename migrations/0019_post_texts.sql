-- +goose Up

-- What a post of another server says in other languages than its own: [{"lang", "html", "summary"}].

ALTER TABLE posts ADD COLUMN texts jsonb NOT NULL DEFAULT '[]';
