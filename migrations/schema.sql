-- The schema of a node, dumped from a migrated database by "make schema". Do not edit: write a migration.

-- function: host_suffixes(text)
CREATE FUNCTION public.host_suffixes(host text) RETURNS text[]
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    AS $_$
DECLARE
    bare text := regexp_replace(host, ':[0-9]+$', '');
    list text[] := ARRAY[host];
BEGIN
    IF bare <> host THEN
        list := list || bare;
    END IF;
    IF bare ~ '^[0-9.]+$' OR bare LIKE '[%' THEN -- an address has no parents
        RETURN list;
    END IF;
    WHILE position('.' IN bare) > 0 LOOP
        bare := substr(bare, position('.' IN bare) + 1);
        list := list || bare;
    END LOOP;
    RETURN list;
END
$_$;

-- comment: FUNCTION host_suffixes(host text)
COMMENT ON FUNCTION public.host_suffixes(host text) IS 'The domains whose block covers a host: itself, itself without the port, and each parent';

-- function: hosts_blocked()
CREATE FUNCTION public.hosts_blocked() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    rule host_blocks;
BEGIN
    -- Who changes the blocks holds the other half of this lock: no new host slips in between.
    PERFORM pg_advisory_xact_lock_shared(hashtext('souk host blocks'));
    SELECT * INTO rule FROM host_blocks WHERE domain = ANY (host_suffixes(NEW.host)) ORDER BY length(domain) DESC LIMIT 1;
    NEW.severity := coalesce(rule.severity, '');
    NEW.reject_media := coalesce(rule.reject_media, false);
    NEW.reject_reports := coalesce(rule.reject_reports, false);
    RETURN NEW;
END
$$;

-- table: accounts
CREATE TABLE public.accounts (
    id bigint NOT NULL,
    host text DEFAULT ''::text NOT NULL,
    name text NOT NULL,
    kind text DEFAULT 'Person'::text NOT NULL,
    role text DEFAULT ''::text NOT NULL,
    uri text NOT NULL,
    url text DEFAULT ''::text NOT NULL,
    inbox text DEFAULT ''::text NOT NULL,
    shared_inbox text DEFAULT ''::text NOT NULL,
    outbox text DEFAULT ''::text NOT NULL,
    followers_uri text DEFAULT ''::text NOT NULL,
    following_uri text DEFAULT ''::text NOT NULL,
    featured_uri text DEFAULT ''::text NOT NULL,
    display_name text DEFAULT ''::text NOT NULL,
    bio text DEFAULT ''::text NOT NULL,
    bio_source text DEFAULT ''::text NOT NULL,
    fields jsonb DEFAULT '[]'::jsonb NOT NULL,
    avatar_id bigint,
    header_id bigint,
    lang text DEFAULT ''::text NOT NULL,
    email text,
    password text DEFAULT ''::text NOT NULL,
    key_id text DEFAULT ''::text NOT NULL,
    public_key text DEFAULT ''::text NOT NULL,
    private_key text DEFAULT ''::text NOT NULL,
    locked boolean DEFAULT false NOT NULL,
    discoverable boolean DEFAULT false NOT NULL,
    indexable boolean DEFAULT false NOT NULL,
    also_known_as text[] DEFAULT '{}'::text[] NOT NULL,
    moved_to text DEFAULT ''::text NOT NULL,
    created timestamp with time zone NOT NULL,
    updated timestamp with time zone NOT NULL,
    fetched timestamp with time zone,
    suspended timestamp with time zone,
    deleted timestamp with time zone,
    moved timestamp with time zone,
    featured_read timestamp with time zone,
    old_key_id text DEFAULT ''::text NOT NULL,
    old_private_key text DEFAULT ''::text NOT NULL,
    key_since bigint,
    said timestamp with time zone,
    memorial boolean DEFAULT false NOT NULL,
    suspended_there boolean DEFAULT false NOT NULL,
    CONSTRAINT accounts_check CHECK (((host = ''::text) = (role <> ''::text))),
    CONSTRAINT accounts_kind_check CHECK ((kind = ANY (ARRAY['Person'::text, 'Service'::text, 'Application'::text, 'Organization'::text, 'Group'::text]))),
    CONSTRAINT accounts_role_check CHECK ((role = ANY (ARRAY[''::text, 'owner'::text, 'seller'::text, 'member'::text, 'instance'::text, 'catalogue'::text])))
);

-- comment: COLUMN accounts.host
COMMENT ON COLUMN public.accounts.host IS 'Empty for this node''s own accounts; those have a role';

-- comment: COLUMN accounts.key_id
COMMENT ON COLUMN public.accounts.key_id IS 'IRI of the public key; private_key is PEM (PKCS 8) and only set for local accounts';

-- comment: COLUMN accounts.moved
COMMENT ON COLUMN public.accounts.moved IS 'When a Move was last begun (local) or followed (remote); kept when it is taken back, so that nobody moves all the time';

-- comment: COLUMN accounts.featured_read
COMMENT ON COLUMN public.accounts.featured_read IS 'When the reading of a remote account''s pins was last queued';

-- comment: COLUMN accounts.key_since
COMMENT ON COLUMN public.accounts.key_since IS 'The activity that told of the present key: it and those before it are signed with old_private_key; null while nobody was told';

-- comment: COLUMN accounts.said
COMMENT ON COLUMN public.accounts.said IS 'The updated of the document that a remote account was stored from, in whole seconds; null where it had none';

-- comment: COLUMN accounts.suspended_there
COMMENT ON COLUMN public.accounts.suspended_there IS 'The last document of a remote account said suspended: its posts are hidden until one says otherwise';

-- table: activities
CREATE TABLE public.activities (
    id bigint NOT NULL,
    uri text NOT NULL,
    account_id bigint NOT NULL,
    type text NOT NULL,
    object_uri text DEFAULT ''::text NOT NULL,
    post_id bigint,
    public boolean DEFAULT false NOT NULL,
    body bytea NOT NULL,
    created timestamp with time zone NOT NULL
);

-- table: agreements
CREATE TABLE public.agreements (
    id bigint NOT NULL,
    offer_uri text NOT NULL,
    uri text DEFAULT ''::text NOT NULL,
    seller_id bigint NOT NULL,
    buyer_id bigint NOT NULL,
    listing_id bigint,
    order_id bigint,
    intent text NOT NULL,
    reciprocal text DEFAULT ''::text NOT NULL,
    title text DEFAULT ''::text NOT NULL,
    quantity integer NOT NULL,
    amount bigint DEFAULT 0 NOT NULL,
    currency text DEFAULT ''::text NOT NULL,
    state text NOT NULL,
    reason text DEFAULT ''::text NOT NULL,
    url text DEFAULT ''::text NOT NULL,
    created timestamp with time zone NOT NULL,
    updated timestamp with time zone NOT NULL,
    CONSTRAINT agreements_amount_check CHECK ((amount >= 0)),
    CONSTRAINT agreements_state_check CHECK ((state = ANY (ARRAY['sent'::text, 'accepted'::text, 'rejected'::text, 'paid'::text, 'shipped'::text, 'done'::text, 'cancelled'::text])))
);

-- comment: TABLE agreements
COMMENT ON TABLE public.agreements IS 'FEP-0837: what accounts of other nodes ordered here (order_id), and what accounts of this node ordered elsewhere';

-- comment: COLUMN agreements.offer_uri
COMMENT ON COLUMN public.agreements.offer_uri IS 'Id of the Offer: one that comes twice is one agreement';

-- comment: COLUMN agreements.uri
COMMENT ON COLUMN public.agreements.uri IS 'Id of the agreement at the seller; empty until it was accepted';

-- comment: COLUMN agreements.intent
COMMENT ON COLUMN public.agreements.intent IS 'Id of the primary intent of the proposal, as the buyer named it';

-- comment: COLUMN agreements.amount
COMMENT ON COLUMN public.agreements.amount IS 'For the goods, without shipping';

-- comment: COLUMN agreements.state
COMMENT ON COLUMN public.agreements.state IS 'Of what was ordered elsewhere as its seller says; of what was ordered here accepted or rejected, and the order has the rest';

-- comment: COLUMN agreements.reason
COMMENT ON COLUMN public.agreements.reason IS 'Of what was ordered here a code, of what was ordered elsewhere the words of its seller';

-- table: block_list_entries
CREATE TABLE public.block_list_entries (
    list_id bigint NOT NULL,
    domain text NOT NULL,
    severity text NOT NULL,
    reject_media boolean DEFAULT false NOT NULL,
    reject_reports boolean DEFAULT false NOT NULL,
    obfuscate boolean DEFAULT false NOT NULL,
    public_comment text DEFAULT ''::text NOT NULL,
    state text DEFAULT 'applied'::text NOT NULL,
    CONSTRAINT block_list_entries_severity_check CHECK ((severity = ANY (ARRAY[''::text, 'silence'::text, 'suspend'::text]))),
    CONSTRAINT block_list_entries_state_check CHECK ((state = ANY (ARRAY['applied'::text, 'proposed'::text, 'declined'::text])))
);

-- comment: COLUMN block_list_entries.state
COMMENT ON COLUMN public.block_list_entries.state IS 'proposed: would end follows of this node''s people, so the owner is asked first';

-- table: block_lists
CREATE TABLE public.block_lists (
    id bigint NOT NULL,
    url text NOT NULL,
    etag text DEFAULT ''::text NOT NULL,
    last_modified text DEFAULT ''::text NOT NULL,
    fetched timestamp with time zone,
    changed timestamp with time zone,
    error text DEFAULT ''::text NOT NULL,
    created timestamp with time zone NOT NULL
);

-- comment: TABLE block_lists
COMMENT ON TABLE public.block_lists IS 'Lists of blocked domains that the owner subscribed to; read again daily';

-- comment: COLUMN block_lists.error
COMMENT ON COLUMN public.block_lists.error IS 'Why the last reading failed: the entries are those of the reading before';

-- table: blocks
CREATE TABLE public.blocks (
    blocker_id bigint NOT NULL,
    blocked_id bigint NOT NULL,
    uri text NOT NULL,
    created timestamp with time zone NOT NULL
);

-- table: catalogue
CREATE TABLE public.catalogue (
    seq bigint NOT NULL,
    activity_id bigint NOT NULL,
    listing_id bigint NOT NULL,
    created timestamp with time zone NOT NULL
);

-- comment: COLUMN catalogue.seq
COMMENT ON COLUMN public.catalogue.seq IS 'Given under a lock held to the end of the transaction: no reader can skip a late commit';

-- table: catalogue_reads
CREATE TABLE public.catalogue_reads (
    account_id bigint NOT NULL,
    next text DEFAULT ''::text NOT NULL,
    started timestamp with time zone NOT NULL,
    finished timestamp with time zone,
    error text DEFAULT ''::text NOT NULL
);

-- comment: TABLE catalogue_reads
COMMENT ON TABLE public.catalogue_reads IS 'How far the catalogue of another node was read; it is read from the beginning again now and then, which renews its listings';

-- comment: COLUMN catalogue_reads.next
COMMENT ON COLUMN public.catalogue_reads.next IS 'The page to read next; empty: from the beginning';

-- comment: COLUMN catalogue_reads.started
COMMENT ON COLUMN public.catalogue_reads.started IS 'When it was last begun from the beginning';

-- comment: COLUMN catalogue_reads.finished
COMMENT ON COLUMN public.catalogue_reads.finished IS 'When its end was last reached; null before the first time';

-- table: deliveries
CREATE TABLE public.deliveries (
    id bigint NOT NULL,
    activity_id bigint NOT NULL,
    sender_id bigint NOT NULL,
    inbox text NOT NULL,
    host text NOT NULL,
    state text DEFAULT 'queued'::text NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    next_at timestamp with time zone NOT NULL,
    status integer DEFAULT 0 NOT NULL,
    error text DEFAULT ''::text NOT NULL,
    created timestamp with time zone NOT NULL,
    done timestamp with time zone,
    CONSTRAINT deliveries_state_check CHECK ((state = ANY (ARRAY['queued'::text, 'delivered'::text, 'failed'::text, 'dropped'::text])))
);

-- sequence: deliveries_id_seq
ALTER TABLE public.deliveries ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.deliveries_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- table: events
CREATE TABLE public.events (
    id bigint NOT NULL,
    kind text NOT NULL,
    account_id bigint NOT NULL,
    object_id bigint DEFAULT 0 NOT NULL,
    target_id bigint DEFAULT 0 NOT NULL,
    uri text DEFAULT ''::text NOT NULL,
    at timestamp with time zone NOT NULL,
    after timestamp with time zone,
    done timestamp with time zone,
    error text DEFAULT ''::text NOT NULL
);

-- comment: TABLE events
COMMENT ON TABLE public.events IS 'Changes of this node that others must hear of, in order; federation drains them into activities and deliveries';

-- sequence: events_id_seq
ALTER TABLE public.events ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.events_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- table: follows
CREATE TABLE public.follows (
    id bigint NOT NULL,
    uri text NOT NULL,
    follower_id bigint NOT NULL,
    followee_id bigint NOT NULL,
    state text NOT NULL,
    created timestamp with time zone NOT NULL,
    CONSTRAINT follows_check CHECK ((follower_id <> followee_id)),
    CONSTRAINT follows_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'accepted'::text])))
);

-- table: host_blocks
CREATE TABLE public.host_blocks (
    domain text NOT NULL,
    severity text NOT NULL,
    reject_media boolean DEFAULT false NOT NULL,
    reject_reports boolean DEFAULT false NOT NULL,
    obfuscate boolean DEFAULT false NOT NULL,
    public_comment text DEFAULT ''::text NOT NULL,
    reason text DEFAULT ''::text NOT NULL,
    list_id bigint,
    created timestamp with time zone NOT NULL,
    updated timestamp with time zone NOT NULL,
    CONSTRAINT host_blocks_severity_check CHECK ((severity = ANY (ARRAY[''::text, 'silence'::text, 'suspend'::text])))
);

-- comment: TABLE host_blocks
COMMENT ON TABLE public.host_blocks IS 'The domain blocks in force. Each covers the domain, its ports and its subdomains; of several the longest decides';

-- comment: COLUMN host_blocks.reason
COMMENT ON COLUMN public.host_blocks.reason IS 'For the owner alone; public_comment goes out with an export';

-- comment: COLUMN host_blocks.list_id
COMMENT ON COLUMN public.host_blocks.list_id IS 'The subscription that it comes from; null: set by hand, which no subscription changes';

-- table: hosts
CREATE TABLE public.hosts (
    host text NOT NULL,
    seen timestamp with time zone,
    software text DEFAULT ''::text NOT NULL,
    catalogue_uri text DEFAULT ''::text NOT NULL,
    signature text DEFAULT 'cavage'::text NOT NULL,
    signature_checked timestamp with time zone,
    failures integer DEFAULT 0 NOT NULL,
    failing_since timestamp with time zone,
    failed_days integer DEFAULT 0 NOT NULL,
    last_failure_day timestamp with time zone,
    dead_since timestamp with time zone,
    next_at timestamp with time zone,
    leased_until timestamp with time zone,
    last_success timestamp with time zone,
    last_error text DEFAULT ''::text NOT NULL,
    held boolean DEFAULT false NOT NULL,
    severity text DEFAULT ''::text NOT NULL,
    reject_media boolean DEFAULT false NOT NULL,
    asked_to_wait boolean DEFAULT false NOT NULL,
    let_through timestamp with time zone,
    reject_reports boolean DEFAULT false NOT NULL,
    CONSTRAINT hosts_severity_check CHECK ((severity = ANY (ARRAY[''::text, 'silence'::text, 'suspend'::text]))),
    CONSTRAINT hosts_signature_check CHECK ((signature = ANY (ARRAY['cavage'::text, 'rfc9421'::text])))
);

-- comment: TABLE hosts
COMMENT ON TABLE public.hosts IS 'What is known of each remote origin (host, with the port where it is not the default)';

-- comment: COLUMN hosts.next_at
COMMENT ON COLUMN public.hosts.next_at IS 'The host rests until then: after a failure, or since it asked for it (asked_to_wait)';

-- comment: COLUMN hosts.severity
COMMENT ON COLUMN public.hosts.severity IS 'What host_blocks say of this host: suspend refuses everything, silence keeps it out of public places. Kept here so that all who ask need an equality only';

-- comment: COLUMN hosts.let_through
COMMENT ON COLUMN public.hosts.let_through IS 'When its rest last ended early, because it spoke to us';

-- table: inbox
CREATE TABLE public.inbox (
    id bigint NOT NULL,
    activity_id text NOT NULL,
    type text NOT NULL,
    actor text NOT NULL,
    host text NOT NULL,
    body bytea DEFAULT '\x'::bytea NOT NULL,
    received timestamp with time zone NOT NULL,
    state text DEFAULT 'done'::text NOT NULL,
    note text DEFAULT ''::text NOT NULL,
    CONSTRAINT inbox_state_check CHECK ((state = ANY (ARRAY['done'::text, 'ignored'::text, 'failed'::text])))
);

-- comment: COLUMN inbox.body
COMMENT ON COLUMN public.inbox.body IS 'Of what failed, for whoever looks why';

-- comment: COLUMN inbox.state
COMMENT ON COLUMN public.inbox.state IS 'How it ended, where inbox_queue does not have it any more';

-- sequence: inbox_id_seq
ALTER TABLE public.inbox ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.inbox_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- table: inbox_queue
CREATE TABLE public.inbox_queue (
    id bigint NOT NULL,
    body bytea NOT NULL,
    next_at timestamp with time zone NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    note text DEFAULT ''::text NOT NULL
)
WITH (fillfactor='45');

-- comment: TABLE inbox_queue
COMMENT ON TABLE public.inbox_queue IS 'Received activities that are not applied yet, the oldest first; next_at is when they are due, or until when somebody has them';

-- comment: COLUMN inbox_queue.note
COMMENT ON COLUMN public.inbox_queue.note IS 'Why it was put off; empty for what is being applied';

-- table: inboxes
CREATE TABLE public.inboxes (
    id bigint NOT NULL,
    inbox text NOT NULL,
    host text NOT NULL
);

-- comment: TABLE inboxes
COMMENT ON TABLE public.inboxes IS 'Inboxes that old posts reached; see reached';

-- sequence: inboxes_id_seq
ALTER TABLE public.inboxes ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.inboxes_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- table: likes
CREATE TABLE public.likes (
    account_id bigint NOT NULL,
    post_id bigint NOT NULL,
    uri text NOT NULL,
    created timestamp with time zone NOT NULL
);

-- table: listing_slugs
CREATE TABLE public.listing_slugs (
    slug text NOT NULL,
    listing_id bigint NOT NULL,
    current boolean DEFAULT true NOT NULL,
    created timestamp with time zone NOT NULL
);

-- table: listings
CREATE TABLE public.listings (
    id bigint NOT NULL,
    seller_id bigint NOT NULL,
    title text NOT NULL,
    description text DEFAULT ''::text NOT NULL,
    html text DEFAULT ''::text NOT NULL,
    category text DEFAULT ''::text NOT NULL,
    condition text DEFAULT 'new'::text NOT NULL,
    state text NOT NULL,
    currency text NOT NULL,
    tags text[] DEFAULT '{}'::text[] NOT NULL,
    announce boolean DEFAULT false NOT NULL,
    availability text DEFAULT 'in_stock'::text NOT NULL,
    first_published timestamp with time zone,
    announced_as text DEFAULT ''::text NOT NULL,
    announced_at timestamp with time zone,
    checked timestamp with time zone,
    expires timestamp with time zone,
    version bigint DEFAULT 1 NOT NULL,
    created timestamp with time zone NOT NULL,
    updated timestamp with time zone NOT NULL,
    intent text DEFAULT ''::text NOT NULL,
    reciprocal text DEFAULT ''::text NOT NULL,
    unit_based boolean DEFAULT false NOT NULL,
    CONSTRAINT listings_availability_check CHECK ((availability = ANY (ARRAY['in_stock'::text, 'few_left'::text, 'sold_out'::text]))),
    CONSTRAINT listings_condition_check CHECK ((condition = ANY (ARRAY['new'::text, 'used'::text, 'refurbished'::text]))),
    CONSTRAINT listings_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT listings_state_check CHECK ((state = ANY (ARRAY['draft'::text, 'published'::text, 'sold_out'::text, 'withdrawn'::text])))
);

-- comment: COLUMN listings.availability
COMMENT ON COLUMN public.listings.availability IS 'What the public is told; for local listings derived from the stock of the variants in the same transaction';

-- comment: COLUMN listings.announced_as
COMMENT ON COLUMN public.listings.announced_as IS 'Digest of what followers last received (price, sold out): an Update goes out when it differs, at most once an hour (announced_at)';

-- comment: COLUMN listings.expires
COMMENT ON COLUMN public.listings.expires IS 'Remote listings only: hidden and dropped from the index after this unless renewed by their origin';

-- comment: COLUMN listings.intent
COMMENT ON COLUMN public.listings.intent IS 'Of another node: id of the primary intent, where one piece can be ordered by an Offer (FEP-0837)';

-- comment: COLUMN listings.unit_based
COMMENT ON COLUMN public.listings.unit_based IS 'Of another node: whether several can be ordered at once';

-- table: media
CREATE TABLE public.media (
    id bigint NOT NULL,
    account_id bigint NOT NULL,
    post_id bigint,
    "position" integer DEFAULT 0 NOT NULL,
    mime text NOT NULL,
    width integer DEFAULT 0 NOT NULL,
    height integer DEFAULT 0 NOT NULL,
    blurhash text DEFAULT ''::text NOT NULL,
    colour text DEFAULT ''::text NOT NULL,
    alt text DEFAULT ''::text NOT NULL,
    focal_x real DEFAULT 0 NOT NULL,
    focal_y real DEFAULT 0 NOT NULL,
    sizes jsonb DEFAULT '[]'::jsonb NOT NULL,
    remote_url text DEFAULT ''::text NOT NULL,
    fetched timestamp with time zone,
    fetch_error text DEFAULT ''::text NOT NULL,
    created timestamp with time zone NOT NULL,
    CONSTRAINT media_focal_x_check CHECK (((focal_x >= ('-1'::integer)::double precision) AND (focal_x <= (1)::double precision))),
    CONSTRAINT media_focal_y_check CHECK (((focal_y >= ('-1'::integer)::double precision) AND (focal_y <= (1)::double precision)))
);

-- comment: COLUMN media.sizes
COMMENT ON COLUMN public.media.sizes IS 'What is stored: [{key, width, height, mime, bytes}], smallest first; empty while a remote picture is not fetched';

-- table: mentions
CREATE TABLE public.mentions (
    post_id bigint NOT NULL,
    account_id bigint NOT NULL
);

-- table: notifications
CREATE TABLE public.notifications (
    id bigint NOT NULL,
    account_id bigint NOT NULL,
    kind text NOT NULL,
    from_id bigint,
    post_id bigint,
    order_id bigint,
    created timestamp with time zone NOT NULL,
    read timestamp with time zone,
    report_id bigint,
    agreement_id bigint,
    CONSTRAINT notifications_kind_check CHECK ((kind = ANY (ARRAY['follow'::text, 'follow_request'::text, 'mention'::text, 'reply'::text, 'like'::text, 'boost'::text, 'order'::text, 'report'::text, 'quote'::text, 'purchase'::text])))
);

-- comment: COLUMN notifications.agreement_id
COMMENT ON COLUMN public.notifications.agreement_id IS 'What the account ordered at another node, which stands otherwise; one notification for each';

-- table: order_events
CREATE TABLE public.order_events (
    order_id bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    state text NOT NULL,
    by_id bigint,
    note text DEFAULT ''::text NOT NULL
);

-- table: order_lines
CREATE TABLE public.order_lines (
    order_id bigint NOT NULL,
    "position" integer NOT NULL,
    listing_id bigint NOT NULL,
    variant_id bigint NOT NULL,
    title text NOT NULL,
    variant text DEFAULT ''::text NOT NULL,
    quantity integer NOT NULL,
    price bigint NOT NULL,
    CONSTRAINT order_lines_price_check CHECK ((price >= 0)),
    CONSTRAINT order_lines_quantity_check CHECK ((quantity > 0))
);

-- table: orders
CREATE TABLE public.orders (
    id bigint NOT NULL,
    number bigint NOT NULL,
    token text NOT NULL,
    seller_id bigint NOT NULL,
    state text NOT NULL,
    name text NOT NULL,
    email text DEFAULT ''::text NOT NULL,
    phone text DEFAULT ''::text NOT NULL,
    pickup boolean DEFAULT false NOT NULL,
    country text DEFAULT ''::text NOT NULL,
    address text DEFAULT ''::text NOT NULL,
    payment text NOT NULL,
    note text DEFAULT ''::text NOT NULL,
    lang text DEFAULT ''::text NOT NULL,
    currency text NOT NULL,
    goods bigint NOT NULL,
    shipping bigint DEFAULT 0 NOT NULL,
    total bigint NOT NULL,
    tracking text DEFAULT ''::text NOT NULL,
    seller_note text DEFAULT ''::text NOT NULL,
    idempotency_key text NOT NULL,
    request_hash bytea NOT NULL,
    held_until timestamp with time zone,
    created timestamp with time zone NOT NULL,
    updated timestamp with time zone NOT NULL,
    buyer_id bigint,
    CONSTRAINT orders_check CHECK ((total = (goods + shipping))),
    CONSTRAINT orders_goods_check CHECK ((goods >= 0)),
    CONSTRAINT orders_payment CHECK (((payment <> ''::text) OR (buyer_id IS NOT NULL))),
    CONSTRAINT orders_reachable CHECK (((email <> ''::text) OR (phone <> ''::text) OR (buyer_id IS NOT NULL))),
    CONSTRAINT orders_shipping_check CHECK ((shipping >= 0)),
    CONSTRAINT orders_state_check CHECK ((state = ANY (ARRAY['placed'::text, 'paid'::text, 'shipped'::text, 'done'::text, 'cancelled'::text])))
);

-- comment: COLUMN orders.payment
COMMENT ON COLUMN public.orders.payment IS 'Empty while a buyer of another node has not said how to pay and where to send it';

-- comment: COLUMN orders.held_until
COMMENT ON COLUMN public.orders.held_until IS 'Until then the stock is held for an unpaid order; null once it is paid or cancelled';

-- comment: COLUMN orders.buyer_id
COMMENT ON COLUMN public.orders.buyer_id IS 'The account of another node that ordered by an Offer; null: a guest';

-- table: pins
CREATE TABLE public.pins (
    post_id bigint NOT NULL,
    account_id bigint NOT NULL,
    pinned timestamp with time zone NOT NULL
);

-- comment: TABLE pins
COMMENT ON TABLE public.pins IS 'What an account shows on top of its profile, its own posts and listings only; of remote accounts what their featured collection says';

-- table: post_edits
CREATE TABLE public.post_edits (
    post_id bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    html text NOT NULL,
    source text DEFAULT ''::text NOT NULL,
    summary text DEFAULT ''::text NOT NULL,
    pictures text[] DEFAULT '{}'::text[] NOT NULL
);

-- comment: COLUMN post_edits.pictures
COMMENT ON COLUMN public.post_edits.pictures IS 'The descriptions of the pictures that the post had, in order';

-- table: post_tags
CREATE TABLE public.post_tags (
    post_id bigint NOT NULL,
    tag text NOT NULL,
    name text NOT NULL
);

-- comment: COLUMN post_tags.tag
COMMENT ON COLUMN public.post_tags.tag IS 'Folded form (NFKC, lower case, Latin letters without diacritics); name is as written';

-- table: posts
CREATE TABLE public.posts (
    id bigint NOT NULL,
    kind text DEFAULT 'note'::text NOT NULL,
    account_id bigint NOT NULL,
    uri text NOT NULL,
    url text DEFAULT ''::text NOT NULL,
    local boolean NOT NULL,
    html text DEFAULT ''::text NOT NULL,
    source text DEFAULT ''::text NOT NULL,
    summary text DEFAULT ''::text NOT NULL,
    sensitive boolean DEFAULT false NOT NULL,
    lang text DEFAULT ''::text NOT NULL,
    visibility text NOT NULL,
    in_timeline boolean DEFAULT true NOT NULL,
    in_reply_to_uri text DEFAULT ''::text NOT NULL,
    in_reply_to_id bigint,
    thread_id bigint NOT NULL,
    boost_of_id bigint,
    published timestamp with time zone NOT NULL,
    edited timestamp with time zone,
    deleted timestamp with time zone,
    texts jsonb DEFAULT '[]'::jsonb NOT NULL,
    CONSTRAINT posts_check CHECK (((kind = 'boost'::text) = (boost_of_id IS NOT NULL))),
    CONSTRAINT posts_kind_check CHECK ((kind = ANY (ARRAY['note'::text, 'listing'::text, 'boost'::text]))),
    CONSTRAINT posts_visibility_check CHECK ((visibility = ANY (ARRAY['public'::text, 'unlisted'::text, 'followers'::text, 'direct'::text])))
);

-- comment: COLUMN posts.in_timeline
COMMENT ON COLUMN public.posts.in_timeline IS 'False for a listing that its seller did not announce: it stays out of timelines';

-- comment: COLUMN posts.deleted
COMMENT ON COLUMN public.posts.deleted IS 'A tombstone: texts are emptied, the id and uri stay for ever';

-- table: pulled_followers
CREATE TABLE public.pulled_followers (
    account_id bigint NOT NULL,
    old_uri text NOT NULL,
    handle text NOT NULL,
    host text NOT NULL,
    line integer NOT NULL,
    state text DEFAULT 'waiting'::text NOT NULL,
    inbox text DEFAULT ''::text NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    next_at timestamp with time zone NOT NULL,
    reason text DEFAULT ''::text NOT NULL,
    CONSTRAINT pulled_followers_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'told'::text, 'failed'::text, 'stopped'::text])))
);

-- comment: TABLE pulled_followers
COMMENT ON TABLE public.pulled_followers IS 'Followers of an old account whom its owner, now account_id, asks to follow along; forgotten 30 days after the end';

-- comment: COLUMN pulled_followers.line
COMMENT ON COLUMN public.pulled_followers.line IS 'Of the list that was uploaded';

-- comment: COLUMN pulled_followers.inbox
COMMENT ON COLUMN public.pulled_followers.inbox IS 'Where it was told: an inbox that many share is told once';

-- comment: COLUMN pulled_followers.next_at
COMMENT ON COLUMN public.pulled_followers.next_at IS 'When it is due, or when it ended';

-- table: quotes
CREATE TABLE public.quotes (
    id bigint NOT NULL,
    post_id bigint NOT NULL,
    account_id bigint NOT NULL,
    uri text NOT NULL,
    request_uri text NOT NULL,
    accepted boolean NOT NULL,
    revoked timestamp with time zone,
    created timestamp with time zone NOT NULL
);

-- comment: COLUMN quotes.uri
COMMENT ON COLUMN public.quotes.uri IS 'The post that quotes';

-- comment: COLUMN quotes.request_uri
COMMENT ON COLUMN public.quotes.request_uri IS 'The id of the last request to quote; its answer names it';

-- table: reached
CREATE TABLE public.reached (
    post_id bigint NOT NULL,
    inboxes bigint[] NOT NULL
);

-- comment: TABLE reached
COMMENT ON TABLE public.reached IS 'Where a post went, of deliveries that are pruned: its Update and Delete must go there too';

-- table: report_notes
CREATE TABLE public.report_notes (
    id bigint NOT NULL,
    report_id bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    by_id bigint,
    action text NOT NULL,
    note text DEFAULT ''::text NOT NULL
);

-- comment: TABLE report_notes
COMMENT ON TABLE public.report_notes IS 'What was said and done about a report, in order; by_id is null for what came from elsewhere';

-- table: report_posts
CREATE TABLE public.report_posts (
    report_id bigint NOT NULL,
    post_id bigint NOT NULL
);

-- table: reports
CREATE TABLE public.reports (
    id bigint NOT NULL,
    uri text NOT NULL,
    host text DEFAULT ''::text NOT NULL,
    reporter_id bigint,
    target_id bigint NOT NULL,
    category text DEFAULT 'other'::text NOT NULL,
    comment text DEFAULT ''::text NOT NULL,
    state text DEFAULT 'open'::text NOT NULL,
    forward boolean DEFAULT false NOT NULL,
    forwarded timestamp with time zone,
    created timestamp with time zone NOT NULL,
    updated timestamp with time zone NOT NULL,
    resolved timestamp with time zone,
    resolved_by bigint,
    forward_as text DEFAULT ''::text NOT NULL,
    CONSTRAINT reports_category_check CHECK ((category = ANY (ARRAY['other'::text, 'spam'::text, 'legal'::text, 'violation'::text]))),
    CONSTRAINT reports_state_check CHECK ((state = ANY (ARRAY['open'::text, 'resolved'::text])))
);

-- comment: COLUMN reports.host
COMMENT ON COLUMN public.reports.host IS 'The node that it came from; empty: somebody of this node, who is reporter_id';

-- comment: COLUMN reports.forward_as
COMMENT ON COLUMN public.reports.forward_as IS 'What is said to the target''s node: words that were written for it, which comment need not be';

-- table: search_gone
CREATE TABLE public.search_gone (
    doc_id text NOT NULL COLLATE pg_catalog."C",
    version bigint NOT NULL,
    at timestamp with time zone NOT NULL
);

-- comment: TABLE search_gone
COMMENT ON TABLE public.search_gone IS 'What was deleted lately, so that an older version arriving late stays out';

-- table: search_items
CREATE TABLE public.search_items (
    version bigint NOT NULL,
    price bigint,
    price_ref bigint,
    lat double precision,
    lon double precision,
    created timestamp with time zone NOT NULL,
    updated timestamp with time zone NOT NULL,
    expires timestamp with time zone,
    title_len integer DEFAULT 0 NOT NULL,
    names_len integer DEFAULT 0 NOT NULL,
    body_len integer DEFAULT 0 NOT NULL,
    local boolean DEFAULT false NOT NULL,
    available boolean DEFAULT false NOT NULL,
    sensitive boolean DEFAULT false NOT NULL,
    doc_id text NOT NULL COLLATE pg_catalog."C",
    uri text NOT NULL COLLATE pg_catalog."C",
    kind text NOT NULL COLLATE pg_catalog."C",
    node text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    seller text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    lang text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    currency text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    condition text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    group_key text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    categories text[] DEFAULT '{}'::text[] NOT NULL,
    tags text[] DEFAULT '{}'::text[] NOT NULL,
    ships_to text[] DEFAULT '{}'::text[] NOT NULL,
    tsv tsvector NOT NULL,
    CONSTRAINT search_items_check CHECK (((lat IS NULL) = (lon IS NULL))),
    CONSTRAINT search_items_check1 CHECK (((price IS NULL) = (currency = ''::text)))
)
WITH (toast_tuple_target='256', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
ALTER TABLE ONLY public.search_items ALTER COLUMN tsv SET STORAGE EXTERNAL;

-- comment: TABLE search_items
COMMENT ON TABLE public.search_items IS 'One row a document of the built-in search engine; replaced as a whole by a rebuild (search_items_next)';

-- comment: COLUMN search_items.price_ref
COMMENT ON COLUMN public.search_items.price_ref IS 'The price in the node''s reference currency, minor units, where it is known';

-- comment: COLUMN search_items.doc_id
COMMENT ON COLUMN public.search_items.doc_id IS 'base32(sha256(uri)), as in every engine';

-- table: search_outbox
CREATE TABLE public.search_outbox (
    object_kind text NOT NULL,
    object_id bigint NOT NULL,
    version bigint NOT NULL,
    queued timestamp with time zone NOT NULL,
    CONSTRAINT search_outbox_object_kind_check CHECK ((object_kind = ANY (ARRAY['post'::text, 'account'::text])))
);

-- comment: TABLE search_outbox
COMMENT ON TABLE public.search_outbox IS 'What must be indexed again; the worker reads the row as it is now, so one entry an object is enough';

-- table: search_state
CREATE TABLE public.search_state (
    only_row boolean DEFAULT true NOT NULL,
    schema integer NOT NULL,
    docs bigint DEFAULT 0 NOT NULL,
    title_len bigint DEFAULT 0 NOT NULL,
    names_len bigint DEFAULT 0 NOT NULL,
    body_len bigint DEFAULT 0 NOT NULL,
    CONSTRAINT search_state_only_row_check CHECK (only_row)
);

-- comment: TABLE search_state
COMMENT ON TABLE public.search_state IS 'Totals of search_items, for the weight of words; schema 0 wants a rebuild';

-- table: search_typos
CREATE TABLE public.search_typos (
    part text NOT NULL COLLATE pg_catalog."C",
    word text NOT NULL COLLATE pg_catalog."C"
);

-- comment: TABLE search_typos
COMMENT ON TABLE public.search_typos IS 'A word with one letter taken out: words that share a part are one mistake from each other';

-- table: search_words
CREATE TABLE public.search_words (
    word text NOT NULL COLLATE pg_catalog."C",
    docs integer NOT NULL,
    typos boolean DEFAULT false NOT NULL
)
WITH (fillfactor='80');

-- comment: TABLE search_words
COMMENT ON TABLE public.search_words IS 'Every lexeme of search_items.tsv: words, ~stems, pairs of characters, #tags';

-- comment: COLUMN search_words.typos
COMMENT ON COLUMN public.search_words.typos IS 'Its spellings are in search_typos, or it never gets any';

-- table: sessions
CREATE TABLE public.sessions (
    hash bytea NOT NULL,
    account_id bigint NOT NULL,
    agent text DEFAULT ''::text NOT NULL,
    created timestamp with time zone NOT NULL,
    seen timestamp with time zone NOT NULL,
    expires timestamp with time zone NOT NULL
);

-- table: setup_tokens
CREATE TABLE public.setup_tokens (
    hash bytea NOT NULL,
    created timestamp with time zone NOT NULL,
    expires timestamp with time zone NOT NULL,
    used timestamp with time zone
);

-- table: shop
CREATE TABLE public.shop (
    only_row boolean DEFAULT true NOT NULL,
    name text DEFAULT ''::text NOT NULL,
    tagline text DEFAULT ''::text NOT NULL,
    about text DEFAULT ''::text NOT NULL,
    country text DEFAULT ''::text NOT NULL,
    currency text DEFAULT 'EUR'::text NOT NULL,
    lang text DEFAULT 'en'::text NOT NULL,
    payments text[] DEFAULT '{arrange}'::text[] NOT NULL,
    payment_note text DEFAULT ''::text NOT NULL,
    delivery_note text DEFAULT ''::text NOT NULL,
    pickup boolean DEFAULT true NOT NULL,
    shipping boolean DEFAULT true NOT NULL,
    shipping_fee bigint DEFAULT 0 NOT NULL,
    open boolean DEFAULT true NOT NULL,
    secret bytea NOT NULL,
    order_seq bigint DEFAULT 1000 NOT NULL,
    version bigint DEFAULT 1 NOT NULL,
    updated timestamp with time zone DEFAULT now() NOT NULL,
    secure_mode boolean DEFAULT false NOT NULL,
    CONSTRAINT shop_country_check CHECK ((country ~ '^([A-Z]{2})?$'::text)),
    CONSTRAINT shop_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT shop_only_row_check CHECK (only_row),
    CONSTRAINT shop_shipping_fee_check CHECK ((shipping_fee >= 0))
);

-- comment: TABLE shop
COMMENT ON TABLE public.shop IS 'What the seller sets about the node; one row';

-- comment: COLUMN shop.secret
COMMENT ON COLUMN public.shop.secret IS 'Key for links and tokens that need no row of their own; never leaves the node';

-- comment: COLUMN shop.version
COMMENT ON COLUMN public.shop.version IS 'Goes up with every change that anonymous pages show: the page cache reads it';

-- comment: COLUMN shop.secure_mode
COMMENT ON COLUMN public.shop.secure_mode IS 'Other servers get documents only where an actor of theirs signed the request (authorised fetch)';

-- table: tokens
CREATE TABLE public.tokens (
    id bigint NOT NULL,
    hash bytea NOT NULL,
    account_id bigint NOT NULL,
    name text DEFAULT ''::text NOT NULL,
    scopes text[] NOT NULL,
    created timestamp with time zone NOT NULL,
    used timestamp with time zone,
    expires timestamp with time zone,
    revoked timestamp with time zone
);

-- table: undone
CREATE TABLE public.undone (
    uri text NOT NULL,
    account_id bigint NOT NULL,
    at timestamp with time zone NOT NULL
);

-- comment: TABLE undone
COMMENT ON TABLE public.undone IS 'Ids of activities that their actor took back before they came: they change nothing any more';

-- table: variants
CREATE TABLE public.variants (
    id bigint NOT NULL,
    listing_id bigint NOT NULL,
    "position" integer DEFAULT 0 NOT NULL,
    title text DEFAULT ''::text NOT NULL,
    sku text DEFAULT ''::text NOT NULL,
    price bigint NOT NULL,
    quantity integer,
    held integer DEFAULT 0 NOT NULL,
    CONSTRAINT variants_held_check CHECK ((held >= 0)),
    CONSTRAINT variants_price_check CHECK ((price >= 0)),
    CONSTRAINT variants_quantity_check CHECK ((quantity >= 0))
);

-- comment: COLUMN variants.quantity
COMMENT ON COLUMN public.variants.quantity IS 'Units for sale now, those held by unpaid orders already taken off; null where it is not counted (remote listings)';

-- constraint: accounts accounts_pkey
ALTER TABLE ONLY public.accounts
    ADD CONSTRAINT accounts_pkey PRIMARY KEY (id);

-- constraint: accounts accounts_uri_key
ALTER TABLE ONLY public.accounts
    ADD CONSTRAINT accounts_uri_key UNIQUE (uri);

-- constraint: activities activities_pkey
ALTER TABLE ONLY public.activities
    ADD CONSTRAINT activities_pkey PRIMARY KEY (id);

-- constraint: activities activities_uri_key
ALTER TABLE ONLY public.activities
    ADD CONSTRAINT activities_uri_key UNIQUE (uri);

-- constraint: agreements agreements_offer_uri_key
ALTER TABLE ONLY public.agreements
    ADD CONSTRAINT agreements_offer_uri_key UNIQUE (offer_uri);

-- constraint: agreements agreements_order_id_key
ALTER TABLE ONLY public.agreements
    ADD CONSTRAINT agreements_order_id_key UNIQUE (order_id);

-- constraint: agreements agreements_pkey
ALTER TABLE ONLY public.agreements
    ADD CONSTRAINT agreements_pkey PRIMARY KEY (id);

-- constraint: block_list_entries block_list_entries_pkey
ALTER TABLE ONLY public.block_list_entries
    ADD CONSTRAINT block_list_entries_pkey PRIMARY KEY (list_id, domain);

-- constraint: block_lists block_lists_pkey
ALTER TABLE ONLY public.block_lists
    ADD CONSTRAINT block_lists_pkey PRIMARY KEY (id);

-- constraint: block_lists block_lists_url_key
ALTER TABLE ONLY public.block_lists
    ADD CONSTRAINT block_lists_url_key UNIQUE (url);

-- constraint: blocks blocks_pkey
ALTER TABLE ONLY public.blocks
    ADD CONSTRAINT blocks_pkey PRIMARY KEY (blocker_id, blocked_id);

-- constraint: catalogue catalogue_activity_id_key
ALTER TABLE ONLY public.catalogue
    ADD CONSTRAINT catalogue_activity_id_key UNIQUE (activity_id);

-- constraint: catalogue catalogue_pkey
ALTER TABLE ONLY public.catalogue
    ADD CONSTRAINT catalogue_pkey PRIMARY KEY (seq);

-- constraint: catalogue_reads catalogue_reads_pkey
ALTER TABLE ONLY public.catalogue_reads
    ADD CONSTRAINT catalogue_reads_pkey PRIMARY KEY (account_id);

-- constraint: deliveries deliveries_activity_id_inbox_key
ALTER TABLE ONLY public.deliveries
    ADD CONSTRAINT deliveries_activity_id_inbox_key UNIQUE (activity_id, inbox);

-- constraint: deliveries deliveries_pkey
ALTER TABLE ONLY public.deliveries
    ADD CONSTRAINT deliveries_pkey PRIMARY KEY (id);

-- constraint: events events_pkey
ALTER TABLE ONLY public.events
    ADD CONSTRAINT events_pkey PRIMARY KEY (id);

-- constraint: follows follows_follower_id_followee_id_key
ALTER TABLE ONLY public.follows
    ADD CONSTRAINT follows_follower_id_followee_id_key UNIQUE (follower_id, followee_id);

-- constraint: follows follows_pkey
ALTER TABLE ONLY public.follows
    ADD CONSTRAINT follows_pkey PRIMARY KEY (id);

-- constraint: follows follows_uri_key
ALTER TABLE ONLY public.follows
    ADD CONSTRAINT follows_uri_key UNIQUE (uri);

-- constraint: host_blocks host_blocks_pkey
ALTER TABLE ONLY public.host_blocks
    ADD CONSTRAINT host_blocks_pkey PRIMARY KEY (domain);

-- constraint: hosts hosts_pkey
ALTER TABLE ONLY public.hosts
    ADD CONSTRAINT hosts_pkey PRIMARY KEY (host);

-- constraint: inbox inbox_activity_id_key
ALTER TABLE ONLY public.inbox
    ADD CONSTRAINT inbox_activity_id_key UNIQUE (activity_id);

-- constraint: inbox inbox_pkey
ALTER TABLE ONLY public.inbox
    ADD CONSTRAINT inbox_pkey PRIMARY KEY (id);

-- constraint: inbox_queue inbox_queue_pkey
ALTER TABLE ONLY public.inbox_queue
    ADD CONSTRAINT inbox_queue_pkey PRIMARY KEY (id);

-- constraint: inboxes inboxes_inbox_key
ALTER TABLE ONLY public.inboxes
    ADD CONSTRAINT inboxes_inbox_key UNIQUE (inbox);

-- constraint: inboxes inboxes_pkey
ALTER TABLE ONLY public.inboxes
    ADD CONSTRAINT inboxes_pkey PRIMARY KEY (id);

-- constraint: likes likes_pkey
ALTER TABLE ONLY public.likes
    ADD CONSTRAINT likes_pkey PRIMARY KEY (account_id, post_id);

-- constraint: likes likes_uri_key
ALTER TABLE ONLY public.likes
    ADD CONSTRAINT likes_uri_key UNIQUE (uri);

-- constraint: listing_slugs listing_slugs_pkey
ALTER TABLE ONLY public.listing_slugs
    ADD CONSTRAINT listing_slugs_pkey PRIMARY KEY (slug);

-- constraint: listings listings_pkey
ALTER TABLE ONLY public.listings
    ADD CONSTRAINT listings_pkey PRIMARY KEY (id);

-- constraint: media media_pkey
ALTER TABLE ONLY public.media
    ADD CONSTRAINT media_pkey PRIMARY KEY (id);

-- constraint: mentions mentions_pkey
ALTER TABLE ONLY public.mentions
    ADD CONSTRAINT mentions_pkey PRIMARY KEY (post_id, account_id);

-- constraint: notifications notifications_pkey
ALTER TABLE ONLY public.notifications
    ADD CONSTRAINT notifications_pkey PRIMARY KEY (id);

-- constraint: order_events order_events_pkey
ALTER TABLE ONLY public.order_events
    ADD CONSTRAINT order_events_pkey PRIMARY KEY (order_id, at, state);

-- constraint: order_lines order_lines_pkey
ALTER TABLE ONLY public.order_lines
    ADD CONSTRAINT order_lines_pkey PRIMARY KEY (order_id, "position");

-- constraint: orders orders_idempotency_key_key
ALTER TABLE ONLY public.orders
    ADD CONSTRAINT orders_idempotency_key_key UNIQUE (idempotency_key);

-- constraint: orders orders_number_key
ALTER TABLE ONLY public.orders
    ADD CONSTRAINT orders_number_key UNIQUE (number);

-- constraint: orders orders_pkey
ALTER TABLE ONLY public.orders
    ADD CONSTRAINT orders_pkey PRIMARY KEY (id);

-- constraint: orders orders_token_key
ALTER TABLE ONLY public.orders
    ADD CONSTRAINT orders_token_key UNIQUE (token);

-- constraint: pins pins_pkey
ALTER TABLE ONLY public.pins
    ADD CONSTRAINT pins_pkey PRIMARY KEY (post_id);

-- constraint: post_edits post_edits_pkey
ALTER TABLE ONLY public.post_edits
    ADD CONSTRAINT post_edits_pkey PRIMARY KEY (post_id, at);

-- constraint: post_tags post_tags_pkey
ALTER TABLE ONLY public.post_tags
    ADD CONSTRAINT post_tags_pkey PRIMARY KEY (post_id, tag);

-- constraint: posts posts_pkey
ALTER TABLE ONLY public.posts
    ADD CONSTRAINT posts_pkey PRIMARY KEY (id);

-- constraint: posts posts_uri_key
ALTER TABLE ONLY public.posts
    ADD CONSTRAINT posts_uri_key UNIQUE (uri);

-- constraint: pulled_followers pulled_followers_pkey
ALTER TABLE ONLY public.pulled_followers
    ADD CONSTRAINT pulled_followers_pkey PRIMARY KEY (account_id, old_uri, handle);

-- constraint: quotes quotes_pkey
ALTER TABLE ONLY public.quotes
    ADD CONSTRAINT quotes_pkey PRIMARY KEY (id);

-- constraint: quotes quotes_post_id_uri_account_id_key
ALTER TABLE ONLY public.quotes
    ADD CONSTRAINT quotes_post_id_uri_account_id_key UNIQUE (post_id, uri, account_id);

-- constraint: reached reached_pkey
ALTER TABLE ONLY public.reached
    ADD CONSTRAINT reached_pkey PRIMARY KEY (post_id);

-- constraint: report_notes report_notes_pkey
ALTER TABLE ONLY public.report_notes
    ADD CONSTRAINT report_notes_pkey PRIMARY KEY (id);

-- constraint: report_posts report_posts_pkey
ALTER TABLE ONLY public.report_posts
    ADD CONSTRAINT report_posts_pkey PRIMARY KEY (report_id, post_id);

-- constraint: reports reports_pkey
ALTER TABLE ONLY public.reports
    ADD CONSTRAINT reports_pkey PRIMARY KEY (id);

-- constraint: search_gone search_gone_pkey
ALTER TABLE ONLY public.search_gone
    ADD CONSTRAINT search_gone_pkey PRIMARY KEY (doc_id);

-- constraint: search_items search_items_pkey
ALTER TABLE ONLY public.search_items
    ADD CONSTRAINT search_items_pkey PRIMARY KEY (doc_id);

-- constraint: search_outbox search_outbox_pkey
ALTER TABLE ONLY public.search_outbox
    ADD CONSTRAINT search_outbox_pkey PRIMARY KEY (object_kind, object_id);

-- constraint: search_state search_state_pkey
ALTER TABLE ONLY public.search_state
    ADD CONSTRAINT search_state_pkey PRIMARY KEY (only_row);

-- constraint: search_typos search_typos_pkey
ALTER TABLE ONLY public.search_typos
    ADD CONSTRAINT search_typos_pkey PRIMARY KEY (part, word);

-- constraint: search_words search_words_pkey
ALTER TABLE ONLY public.search_words
    ADD CONSTRAINT search_words_pkey PRIMARY KEY (word);

-- constraint: sessions sessions_pkey
ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_pkey PRIMARY KEY (hash);

-- constraint: setup_tokens setup_tokens_pkey
ALTER TABLE ONLY public.setup_tokens
    ADD CONSTRAINT setup_tokens_pkey PRIMARY KEY (hash);

-- constraint: shop shop_pkey
ALTER TABLE ONLY public.shop
    ADD CONSTRAINT shop_pkey PRIMARY KEY (only_row);

-- constraint: tokens tokens_hash_key
ALTER TABLE ONLY public.tokens
    ADD CONSTRAINT tokens_hash_key UNIQUE (hash);

-- constraint: tokens tokens_pkey
ALTER TABLE ONLY public.tokens
    ADD CONSTRAINT tokens_pkey PRIMARY KEY (id);

-- constraint: undone undone_pkey
ALTER TABLE ONLY public.undone
    ADD CONSTRAINT undone_pkey PRIMARY KEY (uri, account_id);

-- constraint: variants variants_listing_id_position_key
ALTER TABLE ONLY public.variants
    ADD CONSTRAINT variants_listing_id_position_key UNIQUE (listing_id, "position");

-- constraint: variants variants_pkey
ALTER TABLE ONLY public.variants
    ADD CONSTRAINT variants_pkey PRIMARY KEY (id);

-- index: accounts_avatar
CREATE INDEX accounts_avatar ON public.accounts USING btree (avatar_id) WHERE (avatar_id IS NOT NULL);

-- index: accounts_email
CREATE UNIQUE INDEX accounts_email ON public.accounts USING btree (lower(email)) WHERE ((email IS NOT NULL) AND (deleted IS NULL));

-- index: accounts_handle
CREATE UNIQUE INDEX accounts_handle ON public.accounts USING btree (lower(name), host) WHERE (deleted IS NULL);

-- index: accounts_header
CREATE INDEX accounts_header ON public.accounts USING btree (header_id) WHERE (header_id IS NOT NULL);

-- index: accounts_host
CREATE INDEX accounts_host ON public.accounts USING btree (host) WHERE (host <> ''::text);

-- index: accounts_key
CREATE INDEX accounts_key ON public.accounts USING btree (key_id) WHERE (host <> ''::text);

-- index: accounts_one_owner
CREATE UNIQUE INDEX accounts_one_owner ON public.accounts USING btree (role) WHERE ((role = ANY (ARRAY['owner'::text, 'instance'::text, 'catalogue'::text])) AND (deleted IS NULL));

-- index: activities_account
CREATE INDEX activities_account ON public.activities USING btree (account_id, id DESC) WHERE public;

-- index: activities_passing
CREATE INDEX activities_passing ON public.activities USING btree (created) WHERE ((post_id IS NULL) OR (type <> ALL (ARRAY['Create'::text, 'Announce'::text])));

-- index: activities_post
CREATE INDEX activities_post ON public.activities USING btree (post_id) WHERE (post_id IS NOT NULL);

-- index: agreements_buyer
CREATE INDEX agreements_buyer ON public.agreements USING btree (buyer_id, id DESC);

-- index: agreements_listing
CREATE INDEX agreements_listing ON public.agreements USING btree (listing_id) WHERE (listing_id IS NOT NULL);

-- index: agreements_rejected
CREATE INDEX agreements_rejected ON public.agreements USING btree (created) WHERE (state = 'rejected'::text);

-- index: agreements_seller_uri
CREATE INDEX agreements_seller_uri ON public.agreements USING btree (seller_id, uri) WHERE (uri <> ''::text);

-- index: agreements_waiting
CREATE UNIQUE INDEX agreements_waiting ON public.agreements USING btree (buyer_id, listing_id) WHERE (state = 'sent'::text);

-- index: block_list_entries_domain
CREATE INDEX block_list_entries_domain ON public.block_list_entries USING btree (domain);

-- index: blocks_blocked
CREATE INDEX blocks_blocked ON public.blocks USING btree (blocked_id);

-- index: catalogue_listing
CREATE INDEX catalogue_listing ON public.catalogue USING btree (listing_id);

-- index: deliveries_created
CREATE INDEX deliveries_created ON public.deliveries USING brin (created);

-- index: deliveries_due
CREATE INDEX deliveries_due ON public.deliveries USING btree (host, next_at) WHERE (state = 'queued'::text);

-- index: deliveries_failed
CREATE INDEX deliveries_failed ON public.deliveries USING btree (id DESC) WHERE (state = 'failed'::text);

-- index: deliveries_queued
CREATE INDEX deliveries_queued ON public.deliveries USING btree (host, id) WHERE (state = 'queued'::text);

-- index: events_at
CREATE INDEX events_at ON public.events USING brin (at);

-- index: events_waiting
CREATE INDEX events_waiting ON public.events USING btree (id) WHERE (done IS NULL);

-- index: follows_followee
CREATE INDEX follows_followee ON public.follows USING btree (followee_id, id);

-- index: inbox_received
CREATE INDEX inbox_received ON public.inbox USING btree (received);

-- index: likes_post
CREATE INDEX likes_post ON public.likes USING btree (post_id);

-- index: listing_slugs_current
CREATE UNIQUE INDEX listing_slugs_current ON public.listing_slugs USING btree (listing_id) WHERE current;

-- index: listings_category
CREATE INDEX listings_category ON public.listings USING btree (category, id DESC);

-- index: listings_expires
CREATE INDEX listings_expires ON public.listings USING btree (expires) WHERE (expires IS NOT NULL);

-- index: listings_seller
CREATE INDEX listings_seller ON public.listings USING btree (seller_id, id DESC);

-- index: listings_state
CREATE INDEX listings_state ON public.listings USING btree (state, id DESC);

-- index: media_account
CREATE INDEX media_account ON public.media USING btree (account_id, id DESC);

-- index: media_loose
CREATE INDEX media_loose ON public.media USING btree (id) WHERE (post_id IS NULL);

-- index: media_post
CREATE INDEX media_post ON public.media USING btree (post_id, "position") WHERE (post_id IS NOT NULL);

-- index: mentions_account
CREATE INDEX mentions_account ON public.mentions USING btree (account_id, post_id DESC);

-- index: notifications_account
CREATE INDEX notifications_account ON public.notifications USING btree (account_id, id DESC);

-- index: notifications_agreement
CREATE UNIQUE INDEX notifications_agreement ON public.notifications USING btree (agreement_id);

-- index: notifications_from
CREATE INDEX notifications_from ON public.notifications USING btree (from_id) WHERE (from_id IS NOT NULL);

-- index: notifications_once
CREATE UNIQUE INDEX notifications_once ON public.notifications USING btree (account_id, kind, COALESCE(from_id, (0)::bigint), COALESCE(post_id, (0)::bigint), COALESCE(order_id, (0)::bigint), COALESCE(report_id, (0)::bigint)) WHERE (agreement_id IS NULL);

-- index: notifications_post
CREATE INDEX notifications_post ON public.notifications USING btree (post_id) WHERE (post_id IS NOT NULL);

-- index: notifications_report
CREATE INDEX notifications_report ON public.notifications USING btree (report_id) WHERE (report_id IS NOT NULL);

-- index: notifications_unread
CREATE INDEX notifications_unread ON public.notifications USING btree (account_id) WHERE (read IS NULL);

-- index: orders_buyer
CREATE INDEX orders_buyer ON public.orders USING btree (buyer_id) WHERE (buyer_id IS NOT NULL);

-- index: orders_held
CREATE INDEX orders_held ON public.orders USING btree (held_until) WHERE (held_until IS NOT NULL);

-- index: orders_state
CREATE INDEX orders_state ON public.orders USING btree (state, id DESC);

-- index: pins_account
CREATE INDEX pins_account ON public.pins USING btree (account_id, pinned DESC);

-- index: post_tags_tag
CREATE INDEX post_tags_tag ON public.post_tags USING btree (tag, post_id DESC);

-- index: posts_account
CREATE INDEX posts_account ON public.posts USING btree (account_id, id DESC) WHERE (deleted IS NULL);

-- index: posts_boost_once
CREATE UNIQUE INDEX posts_boost_once ON public.posts USING btree (account_id, boost_of_id) WHERE ((boost_of_id IS NOT NULL) AND (deleted IS NULL));

-- index: posts_boosts
CREATE INDEX posts_boosts ON public.posts USING btree (boost_of_id) WHERE (boost_of_id IS NOT NULL);

-- index: posts_local
CREATE INDEX posts_local ON public.posts USING btree (id DESC) WHERE (local AND (visibility = 'public'::text) AND (deleted IS NULL));

-- index: posts_never_seen
CREATE INDEX posts_never_seen ON public.posts USING btree (deleted) WHERE ((NOT local) AND (deleted = published));

-- comment: INDEX posts_never_seen
COMMENT ON INDEX public.posts_never_seen IS 'Tombstones of what was deleted before it came; they are forgotten after some time';

-- index: posts_parent
CREATE INDEX posts_parent ON public.posts USING btree (in_reply_to_id) WHERE (in_reply_to_id IS NOT NULL);

-- index: posts_public
CREATE INDEX posts_public ON public.posts USING btree (id DESC) WHERE ((visibility = 'public'::text) AND (deleted IS NULL) AND in_timeline);

-- index: posts_thread
CREATE INDEX posts_thread ON public.posts USING btree (thread_id, id);

-- index: posts_waiting_parent
CREATE INDEX posts_waiting_parent ON public.posts USING btree (in_reply_to_uri) WHERE ((in_reply_to_id IS NULL) AND (in_reply_to_uri <> ''::text));

-- index: pulled_followers_due
CREATE INDEX pulled_followers_due ON public.pulled_followers USING btree (next_at) WHERE (state = 'waiting'::text);

-- index: pulled_followers_host
CREATE INDEX pulled_followers_host ON public.pulled_followers USING btree (host) WHERE (state = 'waiting'::text);

-- index: quotes_account
CREATE INDEX quotes_account ON public.quotes USING btree (account_id);

-- index: report_notes_report
CREATE INDEX report_notes_report ON public.report_notes USING btree (report_id, id);

-- index: reports_host
CREATE INDEX reports_host ON public.reports USING btree (host, created) WHERE (host <> ''::text);

-- index: reports_open
CREATE UNIQUE INDEX reports_open ON public.reports USING btree (target_id, host, (
CASE
    WHEN (host = ''::text) THEN reporter_id
    ELSE (0)::bigint
END)) WHERE (state = 'open'::text);

-- comment: INDEX reports_open
COMMENT ON INDEX public.reports_open IS 'One who reports the same account again adds to the open report';

-- index: reports_state
CREATE INDEX reports_state ON public.reports USING btree (state, id DESC);

-- index: reports_target
CREATE INDEX reports_target ON public.reports USING btree (target_id, id DESC);

-- index: search_items_categories
CREATE INDEX search_items_categories ON public.search_items USING gin (categories) WITH (fastupdate='on', gin_pending_list_limit='1024');

-- index: search_items_created
CREATE INDEX search_items_created ON public.search_items USING btree (created DESC, doc_id);

-- index: search_items_expires
CREATE INDEX search_items_expires ON public.search_items USING btree (expires) WHERE (expires IS NOT NULL);

-- index: search_items_kind
CREATE INDEX search_items_kind ON public.search_items USING btree (kind, created DESC, doc_id);

-- index: search_items_node
CREATE INDEX search_items_node ON public.search_items USING btree (node);

-- index: search_items_place
CREATE INDEX search_items_place ON public.search_items USING btree (lat, lon) WHERE (lat IS NOT NULL);

-- index: search_items_price
CREATE INDEX search_items_price ON public.search_items USING btree (price_ref, price, doc_id);

-- index: search_items_seller
CREATE INDEX search_items_seller ON public.search_items USING btree (seller);

-- index: search_items_tsv
CREATE INDEX search_items_tsv ON public.search_items USING gin (tsv) WITH (fastupdate='on', gin_pending_list_limit='2048');

-- index: search_outbox_queued
CREATE INDEX search_outbox_queued ON public.search_outbox USING btree (queued);

-- index: sessions_account
CREATE INDEX sessions_account ON public.sessions USING btree (account_id);

-- index: tokens_account
CREATE INDEX tokens_account ON public.tokens USING btree (account_id);

-- index: undone_at
CREATE INDEX undone_at ON public.undone USING btree (at);

-- trigger: hosts hosts_blocked
CREATE TRIGGER hosts_blocked BEFORE INSERT ON public.hosts FOR EACH ROW EXECUTE FUNCTION public.hosts_blocked();

-- fk constraint: accounts accounts_avatar_id_fkey
ALTER TABLE ONLY public.accounts
    ADD CONSTRAINT accounts_avatar_id_fkey FOREIGN KEY (avatar_id) REFERENCES public.media(id);

-- fk constraint: accounts accounts_header_id_fkey
ALTER TABLE ONLY public.accounts
    ADD CONSTRAINT accounts_header_id_fkey FOREIGN KEY (header_id) REFERENCES public.media(id);

-- fk constraint: activities activities_account_id_fkey
ALTER TABLE ONLY public.activities
    ADD CONSTRAINT activities_account_id_fkey FOREIGN KEY (account_id) REFERENCES public.accounts(id);

-- fk constraint: agreements agreements_buyer_id_fkey
ALTER TABLE ONLY public.agreements
    ADD CONSTRAINT agreements_buyer_id_fkey FOREIGN KEY (buyer_id) REFERENCES public.accounts(id);

-- fk constraint: agreements agreements_listing_id_fkey
ALTER TABLE ONLY public.agreements
    ADD CONSTRAINT agreements_listing_id_fkey FOREIGN KEY (listing_id) REFERENCES public.listings(id);

-- fk constraint: agreements agreements_order_id_fkey
ALTER TABLE ONLY public.agreements
    ADD CONSTRAINT agreements_order_id_fkey FOREIGN KEY (order_id) REFERENCES public.orders(id);

-- fk constraint: agreements agreements_seller_id_fkey
ALTER TABLE ONLY public.agreements
    ADD CONSTRAINT agreements_seller_id_fkey FOREIGN KEY (seller_id) REFERENCES public.accounts(id);

-- fk constraint: block_list_entries block_list_entries_list_id_fkey
ALTER TABLE ONLY public.block_list_entries
    ADD CONSTRAINT block_list_entries_list_id_fkey FOREIGN KEY (list_id) REFERENCES public.block_lists(id) ON DELETE CASCADE;

-- fk constraint: blocks blocks_blocked_id_fkey
ALTER TABLE ONLY public.blocks
    ADD CONSTRAINT blocks_blocked_id_fkey FOREIGN KEY (blocked_id) REFERENCES public.accounts(id);

-- fk constraint: blocks blocks_blocker_id_fkey
ALTER TABLE ONLY public.blocks
    ADD CONSTRAINT blocks_blocker_id_fkey FOREIGN KEY (blocker_id) REFERENCES public.accounts(id);

-- fk constraint: catalogue catalogue_activity_id_fkey
ALTER TABLE ONLY public.catalogue
    ADD CONSTRAINT catalogue_activity_id_fkey FOREIGN KEY (activity_id) REFERENCES public.activities(id);

-- fk constraint: catalogue_reads catalogue_reads_account_id_fkey
ALTER TABLE ONLY public.catalogue_reads
    ADD CONSTRAINT catalogue_reads_account_id_fkey FOREIGN KEY (account_id) REFERENCES public.accounts(id);

-- fk constraint: deliveries deliveries_activity_id_fkey
ALTER TABLE ONLY public.deliveries
    ADD CONSTRAINT deliveries_activity_id_fkey FOREIGN KEY (activity_id) REFERENCES public.activities(id);

-- fk constraint: deliveries deliveries_sender_id_fkey
ALTER TABLE ONLY public.deliveries
    ADD CONSTRAINT deliveries_sender_id_fkey FOREIGN KEY (sender_id) REFERENCES public.accounts(id);

-- fk constraint: events events_account_id_fkey
ALTER TABLE ONLY public.events
    ADD CONSTRAINT events_account_id_fkey FOREIGN KEY (account_id) REFERENCES public.accounts(id);

-- fk constraint: follows follows_followee_id_fkey
ALTER TABLE ONLY public.follows
    ADD CONSTRAINT follows_followee_id_fkey FOREIGN KEY (followee_id) REFERENCES public.accounts(id);

-- fk constraint: follows follows_follower_id_fkey
ALTER TABLE ONLY public.follows
    ADD CONSTRAINT follows_follower_id_fkey FOREIGN KEY (follower_id) REFERENCES public.accounts(id);

-- fk constraint: host_blocks host_blocks_list_id_fkey
ALTER TABLE ONLY public.host_blocks
    ADD CONSTRAINT host_blocks_list_id_fkey FOREIGN KEY (list_id) REFERENCES public.block_lists(id);

-- fk constraint: likes likes_account_id_fkey
ALTER TABLE ONLY public.likes
    ADD CONSTRAINT likes_account_id_fkey FOREIGN KEY (account_id) REFERENCES public.accounts(id);

-- fk constraint: likes likes_post_id_fkey
ALTER TABLE ONLY public.likes
    ADD CONSTRAINT likes_post_id_fkey FOREIGN KEY (post_id) REFERENCES public.posts(id);

-- fk constraint: listing_slugs listing_slugs_listing_id_fkey
ALTER TABLE ONLY public.listing_slugs
    ADD CONSTRAINT listing_slugs_listing_id_fkey FOREIGN KEY (listing_id) REFERENCES public.listings(id);

-- fk constraint: listings listings_id_fkey
ALTER TABLE ONLY public.listings
    ADD CONSTRAINT listings_id_fkey FOREIGN KEY (id) REFERENCES public.posts(id);

-- fk constraint: listings listings_seller_id_fkey
ALTER TABLE ONLY public.listings
    ADD CONSTRAINT listings_seller_id_fkey FOREIGN KEY (seller_id) REFERENCES public.accounts(id);

-- fk constraint: media media_account_id_fkey
ALTER TABLE ONLY public.media
    ADD CONSTRAINT media_account_id_fkey FOREIGN KEY (account_id) REFERENCES public.accounts(id);

-- fk constraint: media media_post_id_fkey
ALTER TABLE ONLY public.media
    ADD CONSTRAINT media_post_id_fkey FOREIGN KEY (post_id) REFERENCES public.posts(id);

-- fk constraint: mentions mentions_account_id_fkey
ALTER TABLE ONLY public.mentions
    ADD CONSTRAINT mentions_account_id_fkey FOREIGN KEY (account_id) REFERENCES public.accounts(id);

-- fk constraint: mentions mentions_post_id_fkey
ALTER TABLE ONLY public.mentions
    ADD CONSTRAINT mentions_post_id_fkey FOREIGN KEY (post_id) REFERENCES public.posts(id);

-- fk constraint: notifications notifications_account_id_fkey
ALTER TABLE ONLY public.notifications
    ADD CONSTRAINT notifications_account_id_fkey FOREIGN KEY (account_id) REFERENCES public.accounts(id);

-- fk constraint: notifications notifications_agreement_id_fkey
ALTER TABLE ONLY public.notifications
    ADD CONSTRAINT notifications_agreement_id_fkey FOREIGN KEY (agreement_id) REFERENCES public.agreements(id) ON DELETE CASCADE;

-- fk constraint: notifications notifications_from_id_fkey
ALTER TABLE ONLY public.notifications
    ADD CONSTRAINT notifications_from_id_fkey FOREIGN KEY (from_id) REFERENCES public.accounts(id);

-- fk constraint: notifications notifications_order_id_fkey
ALTER TABLE ONLY public.notifications
    ADD CONSTRAINT notifications_order_id_fkey FOREIGN KEY (order_id) REFERENCES public.orders(id);

-- fk constraint: notifications notifications_post_id_fkey
ALTER TABLE ONLY public.notifications
    ADD CONSTRAINT notifications_post_id_fkey FOREIGN KEY (post_id) REFERENCES public.posts(id);

-- fk constraint: notifications notifications_report_id_fkey
ALTER TABLE ONLY public.notifications
    ADD CONSTRAINT notifications_report_id_fkey FOREIGN KEY (report_id) REFERENCES public.reports(id) ON DELETE CASCADE;

-- fk constraint: order_events order_events_by_id_fkey
ALTER TABLE ONLY public.order_events
    ADD CONSTRAINT order_events_by_id_fkey FOREIGN KEY (by_id) REFERENCES public.accounts(id);

-- fk constraint: order_events order_events_order_id_fkey
ALTER TABLE ONLY public.order_events
    ADD CONSTRAINT order_events_order_id_fkey FOREIGN KEY (order_id) REFERENCES public.orders(id);

-- fk constraint: order_lines order_lines_listing_id_fkey
ALTER TABLE ONLY public.order_lines
    ADD CONSTRAINT order_lines_listing_id_fkey FOREIGN KEY (listing_id) REFERENCES public.listings(id);

-- fk constraint: order_lines order_lines_order_id_fkey
ALTER TABLE ONLY public.order_lines
    ADD CONSTRAINT order_lines_order_id_fkey FOREIGN KEY (order_id) REFERENCES public.orders(id);

-- fk constraint: order_lines order_lines_variant_id_fkey
ALTER TABLE ONLY public.order_lines
    ADD CONSTRAINT order_lines_variant_id_fkey FOREIGN KEY (variant_id) REFERENCES public.variants(id);

-- fk constraint: orders orders_buyer_id_fkey
ALTER TABLE ONLY public.orders
    ADD CONSTRAINT orders_buyer_id_fkey FOREIGN KEY (buyer_id) REFERENCES public.accounts(id);

-- fk constraint: orders orders_seller_id_fkey
ALTER TABLE ONLY public.orders
    ADD CONSTRAINT orders_seller_id_fkey FOREIGN KEY (seller_id) REFERENCES public.accounts(id);

-- fk constraint: pins pins_account_id_fkey
ALTER TABLE ONLY public.pins
    ADD CONSTRAINT pins_account_id_fkey FOREIGN KEY (account_id) REFERENCES public.accounts(id);

-- fk constraint: pins pins_post_id_fkey
ALTER TABLE ONLY public.pins
    ADD CONSTRAINT pins_post_id_fkey FOREIGN KEY (post_id) REFERENCES public.posts(id);

-- fk constraint: post_edits post_edits_post_id_fkey
ALTER TABLE ONLY public.post_edits
    ADD CONSTRAINT post_edits_post_id_fkey FOREIGN KEY (post_id) REFERENCES public.posts(id);

-- fk constraint: post_tags post_tags_post_id_fkey
ALTER TABLE ONLY public.post_tags
    ADD CONSTRAINT post_tags_post_id_fkey FOREIGN KEY (post_id) REFERENCES public.posts(id);

-- fk constraint: posts posts_account_id_fkey
ALTER TABLE ONLY public.posts
    ADD CONSTRAINT posts_account_id_fkey FOREIGN KEY (account_id) REFERENCES public.accounts(id);

-- fk constraint: posts posts_boost_of_id_fkey
ALTER TABLE ONLY public.posts
    ADD CONSTRAINT posts_boost_of_id_fkey FOREIGN KEY (boost_of_id) REFERENCES public.posts(id);

-- fk constraint: posts posts_in_reply_to_id_fkey
ALTER TABLE ONLY public.posts
    ADD CONSTRAINT posts_in_reply_to_id_fkey FOREIGN KEY (in_reply_to_id) REFERENCES public.posts(id);

-- fk constraint: pulled_followers pulled_followers_account_id_fkey
ALTER TABLE ONLY public.pulled_followers
    ADD CONSTRAINT pulled_followers_account_id_fkey FOREIGN KEY (account_id) REFERENCES public.accounts(id) ON DELETE CASCADE;

-- fk constraint: quotes quotes_account_id_fkey
ALTER TABLE ONLY public.quotes
    ADD CONSTRAINT quotes_account_id_fkey FOREIGN KEY (account_id) REFERENCES public.accounts(id);

-- fk constraint: quotes quotes_post_id_fkey
ALTER TABLE ONLY public.quotes
    ADD CONSTRAINT quotes_post_id_fkey FOREIGN KEY (post_id) REFERENCES public.posts(id);

-- fk constraint: report_notes report_notes_by_id_fkey
ALTER TABLE ONLY public.report_notes
    ADD CONSTRAINT report_notes_by_id_fkey FOREIGN KEY (by_id) REFERENCES public.accounts(id);

-- fk constraint: report_notes report_notes_report_id_fkey
ALTER TABLE ONLY public.report_notes
    ADD CONSTRAINT report_notes_report_id_fkey FOREIGN KEY (report_id) REFERENCES public.reports(id) ON DELETE CASCADE;

-- fk constraint: report_posts report_posts_post_id_fkey
ALTER TABLE ONLY public.report_posts
    ADD CONSTRAINT report_posts_post_id_fkey FOREIGN KEY (post_id) REFERENCES public.posts(id);

-- fk constraint: report_posts report_posts_report_id_fkey
ALTER TABLE ONLY public.report_posts
    ADD CONSTRAINT report_posts_report_id_fkey FOREIGN KEY (report_id) REFERENCES public.reports(id) ON DELETE CASCADE;

-- fk constraint: reports reports_reporter_id_fkey
ALTER TABLE ONLY public.reports
    ADD CONSTRAINT reports_reporter_id_fkey FOREIGN KEY (reporter_id) REFERENCES public.accounts(id);

-- fk constraint: reports reports_resolved_by_fkey
ALTER TABLE ONLY public.reports
    ADD CONSTRAINT reports_resolved_by_fkey FOREIGN KEY (resolved_by) REFERENCES public.accounts(id);

-- fk constraint: reports reports_target_id_fkey
ALTER TABLE ONLY public.reports
    ADD CONSTRAINT reports_target_id_fkey FOREIGN KEY (target_id) REFERENCES public.accounts(id);

-- fk constraint: sessions sessions_account_id_fkey
ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_account_id_fkey FOREIGN KEY (account_id) REFERENCES public.accounts(id) ON DELETE CASCADE;

-- fk constraint: tokens tokens_account_id_fkey
ALTER TABLE ONLY public.tokens
    ADD CONSTRAINT tokens_account_id_fkey FOREIGN KEY (account_id) REFERENCES public.accounts(id) ON DELETE CASCADE;

-- fk constraint: undone undone_account_id_fkey
ALTER TABLE ONLY public.undone
    ADD CONSTRAINT undone_account_id_fkey FOREIGN KEY (account_id) REFERENCES public.accounts(id);

-- fk constraint: variants variants_listing_id_fkey
ALTER TABLE ONLY public.variants
    ADD CONSTRAINT variants_listing_id_fkey FOREIGN KEY (listing_id) REFERENCES public.listings(id);
