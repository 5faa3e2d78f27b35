-- +goose Up

-- Whose account is kept in memory of its owner: shown as that, and nobody acts as it any more.

ALTER TABLE accounts ADD COLUMN memorial boolean NOT NULL DEFAULT false;
