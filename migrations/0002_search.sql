-- +goose Up

-- The built-in search engine's tables. They are derived: what they hold can be made again from the rows of the domain
-- (souk reindex). Texts of tsv are made by Go (search/token.go); no dictionary or locale of PostgreSQL takes part.

CREATE TABLE search_items (
    version    bigint      NOT NULL,
    price      bigint,
    price_ref  bigint,
    lat        float8,
    lon        float8,
    created    timestamptz NOT NULL,
    updated    timestamptz NOT NULL,
    expires    timestamptz,
    title_len  int         NOT NULL DEFAULT 0,
    names_len  int         NOT NULL DEFAULT 0,
    body_len   int         NOT NULL DEFAULT 0,
    local      boolean     NOT NULL DEFAULT false,
    available  boolean     NOT NULL DEFAULT false,
    sensitive  boolean     NOT NULL DEFAULT false,
    doc_id     text        COLLATE "C" PRIMARY KEY,
    uri        text        COLLATE "C" NOT NULL,
    kind       text        COLLATE "C" NOT NULL,
    node       text        COLLATE "C" NOT NULL DEFAULT '',
    seller     text        COLLATE "C" NOT NULL DEFAULT '',
    lang       text        COLLATE "C" NOT NULL DEFAULT '',
    currency   text        COLLATE "C" NOT NULL DEFAULT '',
    condition  text        COLLATE "C" NOT NULL DEFAULT '',
    group_key  text        COLLATE "C" NOT NULL DEFAULT '',
    categories text[]      NOT NULL DEFAULT '{}',
    tags       text[]      NOT NULL DEFAULT '{}',
    ships_to   text[]      NOT NULL DEFAULT '{}',
    tsv        tsvector    NOT NULL,
    CHECK ((lat IS NULL) = (lon IS NULL)),
    CHECK ((price IS NULL) = (currency = ''))
) WITH (toast_tuple_target = 256, autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05);
ALTER TABLE search_items ALTER COLUMN tsv SET STORAGE EXTERNAL;
CREATE INDEX search_items_tsv ON search_items USING gin (tsv) WITH (fastupdate = on, gin_pending_list_limit = 2048);
CREATE INDEX search_items_categories ON search_items USING gin (categories) WITH (fastupdate = on, gin_pending_list_limit = 1024);
CREATE INDEX search_items_created ON search_items (created DESC, doc_id);
CREATE INDEX search_items_kind ON search_items (kind, created DESC, doc_id);
CREATE INDEX search_items_price ON search_items (price_ref, price, doc_id);
CREATE INDEX search_items_place ON search_items (lat, lon) WHERE lat IS NOT NULL;
CREATE INDEX search_items_node ON search_items (node);
CREATE INDEX search_items_seller ON search_items (seller);
CREATE INDEX search_items_expires ON search_items (expires) WHERE expires IS NOT NULL;
COMMENT ON TABLE search_items IS 'One row a document of the built-in search engine; replaced as a whole by a rebuild (search_items_next)';
COMMENT ON COLUMN search_items.doc_id IS 'base32(sha256(uri)), as in every engine';
COMMENT ON COLUMN search_items.price_ref IS 'The price in the node''s reference currency, minor units, where it is known';

CREATE TABLE search_words (
    word  text    COLLATE "C" PRIMARY KEY,
    docs  int     NOT NULL,
    typos boolean NOT NULL DEFAULT false
) WITH (fillfactor = 80);
COMMENT ON TABLE search_words IS 'Every lexeme of search_items.tsv: words, ~stems, pairs of characters, #tags';
COMMENT ON COLUMN search_words.typos IS 'Its spellings are in search_typos, or it never gets any';

CREATE TABLE search_typos (
    part text COLLATE "C" NOT NULL,
    word text COLLATE "C" NOT NULL,
    PRIMARY KEY (part, word)
);
COMMENT ON TABLE search_typos IS 'A word with one letter taken out: words that share a part are one mistake from each other';

CREATE TABLE search_gone (
    doc_id  text        COLLATE "C" PRIMARY KEY,
    version bigint      NOT NULL,
    at      timestamptz NOT NULL
);
COMMENT ON TABLE search_gone IS 'What was deleted lately, so that an older version arriving late stays out';

CREATE TABLE search_state (
    only_row  boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    schema    int     NOT NULL,
    docs      bigint  NOT NULL DEFAULT 0,
    title_len bigint  NOT NULL DEFAULT 0,
    names_len bigint  NOT NULL DEFAULT 0,
    body_len  bigint  NOT NULL DEFAULT 0
);
COMMENT ON TABLE search_state IS 'Totals of search_items, for the weight of words; schema 0 wants a rebuild';
INSERT INTO search_state (schema) VALUES (1);
