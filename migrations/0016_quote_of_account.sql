-- +goose Up

-- Who asks to quote, and does not show the quote, may not be its author: that must not keep the author from asking.

ALTER TABLE quotes DROP CONSTRAINT quotes_post_id_uri_key;
ALTER TABLE quotes ADD CONSTRAINT quotes_post_id_uri_account_id_key UNIQUE (post_id, uri, account_id);
