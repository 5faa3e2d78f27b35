-- +goose Up

-- Ids are time-ordered 63-bit integers made in Go (id.go). Times are timestamptz. Money is minor units + ISO 4217.

CREATE TABLE shop (
    only_row        boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    name            text        NOT NULL DEFAULT '',
    tagline         text        NOT NULL DEFAULT '',
    about           text        NOT NULL DEFAULT '',
    country         text        NOT NULL DEFAULT '' CHECK (country ~ '^([A-Z]{2})?$'),
    currency        text        NOT NULL DEFAULT 'EUR' CHECK (currency ~ '^[A-Z]{3}$'),
    lang            text        NOT NULL DEFAULT 'en',
    payments        text[]      NOT NULL DEFAULT '{arrange}',
    payment_note    text        NOT NULL DEFAULT '',
    delivery_note   text        NOT NULL DEFAULT '',
    pickup          boolean     NOT NULL DEFAULT true,
    shipping        boolean     NOT NULL DEFAULT true,
    shipping_fee    bigint      NOT NULL DEFAULT 0 CHECK (shipping_fee >= 0),
    open            boolean     NOT NULL DEFAULT true,
    secret          bytea       NOT NULL,
    order_seq       bigint      NOT NULL DEFAULT 1000,
    version         bigint      NOT NULL DEFAULT 1,
    updated         timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE shop IS 'What the seller sets about the node; one row';
COMMENT ON COLUMN shop.secret IS 'Key for links and tokens that need no row of their own; never leaves the node';
COMMENT ON COLUMN shop.version IS 'Goes up with every change that anonymous pages show: the page cache reads it';

CREATE TABLE setup_tokens (
    hash    bytea PRIMARY KEY,
    created timestamptz NOT NULL,
    expires timestamptz NOT NULL,
    used    timestamptz
);

CREATE TABLE hosts (
    host              text PRIMARY KEY,
    seen              timestamptz,
    software          text        NOT NULL DEFAULT '',
    catalogue_uri     text        NOT NULL DEFAULT '',
    signature         text        NOT NULL DEFAULT 'cavage' CHECK (signature IN ('cavage', 'rfc9421')),
    signature_checked timestamptz,
    failures          int         NOT NULL DEFAULT 0,
    failing_since     timestamptz,
    failed_days       int         NOT NULL DEFAULT 0,
    last_failure_day  timestamptz,
    dead_since        timestamptz,
    next_at           timestamptz,
    leased_until      timestamptz,
    last_success      timestamptz,
    last_error        text        NOT NULL DEFAULT '',
    held              boolean     NOT NULL DEFAULT false,
    severity          text        NOT NULL DEFAULT '' CHECK (severity IN ('', 'silence', 'suspend')),
    reject_media      boolean     NOT NULL DEFAULT false,
    reason            text        NOT NULL DEFAULT ''
);
COMMENT ON TABLE hosts IS 'What is known of each remote origin (host, with the port where it is not the default)';
COMMENT ON COLUMN hosts.severity IS 'Our domain block: suspend refuses everything, silence keeps it out of public places';

CREATE TABLE accounts (
    id            bigint PRIMARY KEY,
    host          text        NOT NULL DEFAULT '',
    name          text        NOT NULL,
    kind          text        NOT NULL DEFAULT 'Person' CHECK (kind IN ('Person', 'Service', 'Application', 'Organization', 'Group')),
    role          text        NOT NULL DEFAULT '' CHECK (role IN ('', 'owner', 'seller', 'member', 'instance', 'catalogue')),
    uri           text        NOT NULL UNIQUE,
    url           text        NOT NULL DEFAULT '',
    inbox         text        NOT NULL DEFAULT '',
    shared_inbox  text        NOT NULL DEFAULT '',
    outbox        text        NOT NULL DEFAULT '',
    followers_uri text        NOT NULL DEFAULT '',
    following_uri text        NOT NULL DEFAULT '',
    featured_uri  text        NOT NULL DEFAULT '',
    display_name  text        NOT NULL DEFAULT '',
    bio           text        NOT NULL DEFAULT '',
    bio_source    text        NOT NULL DEFAULT '',
    fields        jsonb       NOT NULL DEFAULT '[]',
    avatar_id     bigint,
    header_id     bigint,
    lang          text        NOT NULL DEFAULT '',
    email         text,
    password      text        NOT NULL DEFAULT '',
    key_id        text        NOT NULL DEFAULT '',
    public_key    text        NOT NULL DEFAULT '',
    private_key   text        NOT NULL DEFAULT '',
    locked        boolean     NOT NULL DEFAULT false,
    discoverable  boolean     NOT NULL DEFAULT false,
    indexable     boolean     NOT NULL DEFAULT false,
    also_known_as text[]      NOT NULL DEFAULT '{}',
    moved_to      text        NOT NULL DEFAULT '',
    created       timestamptz NOT NULL,
    updated       timestamptz NOT NULL,
    fetched       timestamptz,
    suspended     timestamptz,
    deleted       timestamptz,
    CHECK ((host = '') = (role <> ''))
);
CREATE UNIQUE INDEX accounts_handle ON accounts (lower(name), host) WHERE deleted IS NULL;
CREATE UNIQUE INDEX accounts_email ON accounts (lower(email)) WHERE email IS NOT NULL AND deleted IS NULL;
CREATE UNIQUE INDEX accounts_one_owner ON accounts (role) WHERE role IN ('owner', 'instance', 'catalogue');
CREATE INDEX accounts_host ON accounts (host) WHERE host <> '';
COMMENT ON COLUMN accounts.host IS 'Empty for this node''s own accounts; those have a role';
COMMENT ON COLUMN accounts.key_id IS 'IRI of the public key; private_key is PEM (PKCS 8) and only set for local accounts';

CREATE TABLE sessions (
    hash       bytea PRIMARY KEY,
    account_id bigint      NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    agent      text        NOT NULL DEFAULT '',
    created    timestamptz NOT NULL,
    seen       timestamptz NOT NULL,
    expires    timestamptz NOT NULL
);
CREATE INDEX sessions_account ON sessions (account_id);

CREATE TABLE tokens (
    id         bigint PRIMARY KEY,
    hash       bytea       NOT NULL UNIQUE,
    account_id bigint      NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    name       text        NOT NULL DEFAULT '',
    scopes     text[]      NOT NULL,
    created    timestamptz NOT NULL,
    used       timestamptz,
    expires    timestamptz,
    revoked    timestamptz
);
CREATE INDEX tokens_account ON tokens (account_id);

CREATE TABLE follows (
    id          bigint PRIMARY KEY,
    uri         text        NOT NULL UNIQUE,
    follower_id bigint      NOT NULL REFERENCES accounts (id),
    followee_id bigint      NOT NULL REFERENCES accounts (id),
    state       text        NOT NULL CHECK (state IN ('pending', 'accepted')),
    created     timestamptz NOT NULL,
    UNIQUE (follower_id, followee_id),
    CHECK (follower_id <> followee_id)
);
CREATE INDEX follows_followee ON follows (followee_id, id);

CREATE TABLE blocks (
    blocker_id bigint      NOT NULL REFERENCES accounts (id),
    blocked_id bigint      NOT NULL REFERENCES accounts (id),
    uri        text        NOT NULL,
    created    timestamptz NOT NULL,
    PRIMARY KEY (blocker_id, blocked_id)
);
CREATE INDEX blocks_blocked ON blocks (blocked_id);

-- A post is any Note: a listing is a post too (kind 'listing'), so replies, likes, boosts and media have one home.
CREATE TABLE posts (
    id              bigint PRIMARY KEY,
    kind            text        NOT NULL DEFAULT 'note' CHECK (kind IN ('note', 'listing', 'boost')),
    account_id      bigint      NOT NULL REFERENCES accounts (id),
    uri             text        NOT NULL UNIQUE,
    url             text        NOT NULL DEFAULT '',
    local           boolean     NOT NULL,
    html            text        NOT NULL DEFAULT '',
    source          text        NOT NULL DEFAULT '',
    summary         text        NOT NULL DEFAULT '',
    sensitive       boolean     NOT NULL DEFAULT false,
    lang            text        NOT NULL DEFAULT '',
    visibility      text        NOT NULL CHECK (visibility IN ('public', 'unlisted', 'followers', 'direct')),
    in_timeline     boolean     NOT NULL DEFAULT true,
    in_reply_to_uri text        NOT NULL DEFAULT '',
    in_reply_to_id  bigint      REFERENCES posts (id),
    thread_id       bigint      NOT NULL,
    boost_of_id     bigint      REFERENCES posts (id),
    published       timestamptz NOT NULL,
    edited          timestamptz,
    deleted         timestamptz,
    CHECK ((kind = 'boost') = (boost_of_id IS NOT NULL))
);
CREATE INDEX posts_account ON posts (account_id, id DESC) WHERE deleted IS NULL;
CREATE INDEX posts_thread ON posts (thread_id, id);
CREATE INDEX posts_parent ON posts (in_reply_to_id) WHERE in_reply_to_id IS NOT NULL;
CREATE INDEX posts_waiting_parent ON posts (in_reply_to_uri) WHERE in_reply_to_id IS NULL AND in_reply_to_uri <> '';
CREATE INDEX posts_public ON posts (id DESC) WHERE visibility = 'public' AND deleted IS NULL AND in_timeline;
CREATE INDEX posts_local ON posts (id DESC) WHERE local AND visibility = 'public' AND deleted IS NULL;
CREATE UNIQUE INDEX posts_boost_once ON posts (account_id, boost_of_id) WHERE boost_of_id IS NOT NULL AND deleted IS NULL;
CREATE INDEX posts_boosts ON posts (boost_of_id) WHERE boost_of_id IS NOT NULL;
COMMENT ON COLUMN posts.in_timeline IS 'False for a listing that its seller did not announce: it stays out of timelines';
COMMENT ON COLUMN posts.deleted IS 'A tombstone: texts are emptied, the id and uri stay for ever';

CREATE TABLE post_edits (
    post_id bigint      NOT NULL REFERENCES posts (id),
    at      timestamptz NOT NULL,
    html    text        NOT NULL,
    source  text        NOT NULL DEFAULT '',
    summary text        NOT NULL DEFAULT '',
    PRIMARY KEY (post_id, at)
);

CREATE TABLE mentions (
    post_id    bigint NOT NULL REFERENCES posts (id),
    account_id bigint NOT NULL REFERENCES accounts (id),
    PRIMARY KEY (post_id, account_id)
);
CREATE INDEX mentions_account ON mentions (account_id, post_id DESC);

CREATE TABLE post_tags (
    post_id bigint NOT NULL REFERENCES posts (id),
    tag     text   NOT NULL,
    name    text   NOT NULL,
    PRIMARY KEY (post_id, tag)
);
CREATE INDEX post_tags_tag ON post_tags (tag, post_id DESC);
COMMENT ON COLUMN post_tags.tag IS 'Folded form (NFKC, lower case); name is as written';

CREATE TABLE likes (
    account_id bigint      NOT NULL REFERENCES accounts (id),
    post_id    bigint      NOT NULL REFERENCES posts (id),
    uri        text        NOT NULL UNIQUE,
    created    timestamptz NOT NULL,
    PRIMARY KEY (account_id, post_id)
);
CREATE INDEX likes_post ON likes (post_id);

CREATE TABLE media (
    id          bigint PRIMARY KEY,
    account_id  bigint      NOT NULL REFERENCES accounts (id),
    post_id     bigint      REFERENCES posts (id),
    position    int         NOT NULL DEFAULT 0,
    mime        text        NOT NULL,
    width       int         NOT NULL DEFAULT 0,
    height      int         NOT NULL DEFAULT 0,
    blurhash    text        NOT NULL DEFAULT '',
    colour      text        NOT NULL DEFAULT '',
    alt         text        NOT NULL DEFAULT '',
    focal_x     real        NOT NULL DEFAULT 0 CHECK (focal_x BETWEEN -1 AND 1),
    focal_y     real        NOT NULL DEFAULT 0 CHECK (focal_y BETWEEN -1 AND 1),
    sizes       jsonb       NOT NULL DEFAULT '[]',
    remote_url  text        NOT NULL DEFAULT '',
    fetched     timestamptz,
    fetch_error text        NOT NULL DEFAULT '',
    created     timestamptz NOT NULL
);
CREATE INDEX media_post ON media (post_id, position) WHERE post_id IS NOT NULL;
CREATE INDEX media_account ON media (account_id, id DESC);
CREATE INDEX media_loose ON media (id) WHERE post_id IS NULL;
COMMENT ON COLUMN media.sizes IS 'What is stored: [{key, width, height, mime, bytes}], smallest first; empty while a remote picture is not fetched';
ALTER TABLE accounts ADD FOREIGN KEY (avatar_id) REFERENCES media (id), ADD FOREIGN KEY (header_id) REFERENCES media (id);
CREATE INDEX accounts_avatar ON accounts (avatar_id) WHERE avatar_id IS NOT NULL;
CREATE INDEX accounts_header ON accounts (header_id) WHERE header_id IS NOT NULL;

CREATE TABLE listings (
    id             bigint PRIMARY KEY REFERENCES posts (id),
    seller_id      bigint      NOT NULL REFERENCES accounts (id),
    title          text        NOT NULL,
    description    text        NOT NULL DEFAULT '',
    html           text        NOT NULL DEFAULT '',
    category       text        NOT NULL DEFAULT '',
    condition      text        NOT NULL DEFAULT 'new' CHECK (condition IN ('new', 'used', 'refurbished')),
    state          text        NOT NULL CHECK (state IN ('draft', 'published', 'sold_out', 'withdrawn')),
    currency       text        NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    tags           text[]      NOT NULL DEFAULT '{}',
    announce       boolean     NOT NULL DEFAULT false,
    availability   text        NOT NULL DEFAULT 'in_stock' CHECK (availability IN ('in_stock', 'few_left', 'sold_out')),
    first_published timestamptz,
    announced_as   text        NOT NULL DEFAULT '',
    announced_at   timestamptz,
    checked        timestamptz,
    expires        timestamptz,
    version        bigint      NOT NULL DEFAULT 1,
    created        timestamptz NOT NULL,
    updated        timestamptz NOT NULL
);
CREATE INDEX listings_seller ON listings (seller_id, id DESC);
CREATE INDEX listings_state ON listings (state, id DESC);
CREATE INDEX listings_category ON listings (category, id DESC);
CREATE INDEX listings_expires ON listings (expires) WHERE expires IS NOT NULL;
COMMENT ON COLUMN listings.availability IS 'What the public is told; for local listings derived from the stock of the variants in the same transaction';
COMMENT ON COLUMN listings.announced_as IS 'Digest of what followers last received (price, sold out): an Update goes out when it differs, at most once an hour (announced_at)';
COMMENT ON COLUMN listings.expires IS 'Remote listings only: hidden and dropped from the index after this unless renewed by their origin';

CREATE TABLE listing_slugs (
    slug       text PRIMARY KEY,
    listing_id bigint      NOT NULL REFERENCES listings (id),
    current    boolean     NOT NULL DEFAULT true,
    created    timestamptz NOT NULL
);
CREATE UNIQUE INDEX listing_slugs_current ON listing_slugs (listing_id) WHERE current;

CREATE TABLE variants (
    id         bigint PRIMARY KEY,
    listing_id bigint NOT NULL REFERENCES listings (id),
    position   int    NOT NULL DEFAULT 0,
    title      text   NOT NULL DEFAULT '',
    sku        text   NOT NULL DEFAULT '',
    price      bigint NOT NULL CHECK (price >= 0),
    quantity   int    CHECK (quantity >= 0),
    held       int    NOT NULL DEFAULT 0 CHECK (held >= 0),
    UNIQUE (listing_id, position)
);
COMMENT ON COLUMN variants.quantity IS 'Units for sale now, those held by unpaid orders already taken off; null where it is not counted (remote listings)';

CREATE TABLE orders (
    id              bigint PRIMARY KEY,
    number          bigint      NOT NULL UNIQUE,
    token           text        NOT NULL UNIQUE,
    seller_id       bigint      NOT NULL REFERENCES accounts (id),
    state           text        NOT NULL CHECK (state IN ('placed', 'paid', 'shipped', 'done', 'cancelled')),
    name            text        NOT NULL,
    email           text        NOT NULL DEFAULT '',
    phone           text        NOT NULL DEFAULT '',
    pickup          boolean     NOT NULL DEFAULT false,
    country         text        NOT NULL DEFAULT '',
    address         text        NOT NULL DEFAULT '',
    payment         text        NOT NULL,
    note            text        NOT NULL DEFAULT '',
    lang            text        NOT NULL DEFAULT '',
    currency        text        NOT NULL,
    goods           bigint      NOT NULL CHECK (goods >= 0),
    shipping        bigint      NOT NULL DEFAULT 0 CHECK (shipping >= 0),
    total           bigint      NOT NULL CHECK (total = goods + shipping),
    tracking        text        NOT NULL DEFAULT '',
    seller_note     text        NOT NULL DEFAULT '',
    idempotency_key text        NOT NULL UNIQUE,
    request_hash    bytea       NOT NULL,
    held_until      timestamptz,
    created         timestamptz NOT NULL,
    updated         timestamptz NOT NULL,
    CHECK (email <> '' OR phone <> '')
);
CREATE INDEX orders_state ON orders (state, id DESC);
CREATE INDEX orders_held ON orders (held_until) WHERE held_until IS NOT NULL;
COMMENT ON COLUMN orders.held_until IS 'Until then the stock is held for an unpaid order; null once it is paid or cancelled';

CREATE TABLE order_lines (
    order_id   bigint NOT NULL REFERENCES orders (id),
    position   int    NOT NULL,
    listing_id bigint NOT NULL REFERENCES listings (id),
    variant_id bigint NOT NULL REFERENCES variants (id),
    title      text   NOT NULL,
    variant    text   NOT NULL DEFAULT '',
    quantity   int    NOT NULL CHECK (quantity > 0),
    price      bigint NOT NULL CHECK (price >= 0),
    PRIMARY KEY (order_id, position)
);

CREATE TABLE order_events (
    order_id bigint      NOT NULL REFERENCES orders (id),
    at       timestamptz NOT NULL,
    state    text        NOT NULL,
    by_id    bigint      REFERENCES accounts (id),
    note     text        NOT NULL DEFAULT '',
    PRIMARY KEY (order_id, at, state)
);

CREATE TABLE notifications (
    id         bigint PRIMARY KEY,
    account_id bigint      NOT NULL REFERENCES accounts (id),
    kind       text        NOT NULL CHECK (kind IN ('follow', 'follow_request', 'mention', 'reply', 'like', 'boost', 'order')),
    from_id    bigint      REFERENCES accounts (id),
    post_id    bigint      REFERENCES posts (id),
    order_id   bigint      REFERENCES orders (id),
    created    timestamptz NOT NULL,
    read       timestamptz
);
CREATE INDEX notifications_account ON notifications (account_id, id DESC);
CREATE INDEX notifications_post ON notifications (post_id) WHERE post_id IS NOT NULL;
CREATE INDEX notifications_from ON notifications (from_id) WHERE from_id IS NOT NULL;
CREATE INDEX notifications_unread ON notifications (account_id) WHERE read IS NULL;
CREATE UNIQUE INDEX notifications_once ON notifications
    (account_id, kind, coalesce(from_id, 0), coalesce(post_id, 0), coalesce(order_id, 0));

-- Work that people can ask about (event.go, inbox.go, outbox.go). River only wakes those who drain it.

CREATE TABLE events (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind       text        NOT NULL,
    account_id bigint      NOT NULL REFERENCES accounts (id),
    object_id  bigint      NOT NULL DEFAULT 0,
    target_id  bigint      NOT NULL DEFAULT 0,
    uri        text        NOT NULL DEFAULT '',
    at         timestamptz NOT NULL,
    after      timestamptz,
    done       timestamptz,
    error      text        NOT NULL DEFAULT ''
);
CREATE INDEX events_waiting ON events (id) WHERE done IS NULL;
COMMENT ON TABLE events IS 'Changes of this node that others must hear of, in order; federation drains them into activities and deliveries';

CREATE TABLE inbox (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    activity_id text        NOT NULL UNIQUE,
    type        text        NOT NULL,
    actor       text        NOT NULL,
    host        text        NOT NULL,
    body        bytea       NOT NULL,
    received    timestamptz NOT NULL,
    state       text        NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'done', 'ignored', 'failed')),
    attempts    int         NOT NULL DEFAULT 0,
    next_at     timestamptz NOT NULL,
    note        text        NOT NULL DEFAULT ''
);
CREATE INDEX inbox_queued ON inbox (next_at) WHERE state = 'queued';
CREATE INDEX inbox_received ON inbox (received);

CREATE TABLE activities (
    id         bigint PRIMARY KEY,
    uri        text        NOT NULL UNIQUE,
    account_id bigint      NOT NULL REFERENCES accounts (id),
    type       text        NOT NULL,
    object_uri text        NOT NULL DEFAULT '',
    post_id    bigint,
    public     boolean     NOT NULL DEFAULT false,
    body       bytea       NOT NULL,
    created    timestamptz NOT NULL
);
CREATE INDEX activities_account ON activities (account_id, id DESC) WHERE public;
CREATE INDEX activities_post ON activities (post_id) WHERE post_id IS NOT NULL;

CREATE TABLE deliveries (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    activity_id bigint      NOT NULL REFERENCES activities (id),
    sender_id   bigint      NOT NULL REFERENCES accounts (id),
    inbox       text        NOT NULL,
    host        text        NOT NULL,
    state       text        NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'delivered', 'failed', 'dropped')),
    attempts    int         NOT NULL DEFAULT 0,
    next_at     timestamptz NOT NULL,
    status      int         NOT NULL DEFAULT 0,
    error       text        NOT NULL DEFAULT '',
    created     timestamptz NOT NULL,
    done        timestamptz,
    UNIQUE (activity_id, inbox)
);
CREATE INDEX deliveries_queued ON deliveries (host, id) WHERE state = 'queued';
CREATE INDEX deliveries_failed ON deliveries (id DESC) WHERE state = 'failed';
CREATE INDEX deliveries_due ON deliveries (next_at) WHERE state = 'queued';

-- The catalogue: every change of a listing in an order without gaps (FEP-1b12 pattern; architecture, "The catalogue actor").
CREATE TABLE catalogue (
    seq         bigint PRIMARY KEY,
    activity_id bigint      NOT NULL UNIQUE REFERENCES activities (id),
    listing_id  bigint      NOT NULL,
    created     timestamptz NOT NULL
);
CREATE INDEX catalogue_listing ON catalogue (listing_id);
COMMENT ON COLUMN catalogue.seq IS 'Given under a lock held to the end of the transaction: no reader can skip a late commit';

CREATE TABLE search_outbox (
    object_kind text        NOT NULL CHECK (object_kind IN ('post', 'account')),
    object_id   bigint      NOT NULL,
    version     bigint      NOT NULL,
    queued      timestamptz NOT NULL,
    PRIMARY KEY (object_kind, object_id)
);
CREATE INDEX search_outbox_queued ON search_outbox (queued);
COMMENT ON TABLE search_outbox IS 'What must be indexed again; the worker reads the row as it is now, so one entry an object is enough';
