-- +goose Up

CREATE TABLE agreements (
    id         bigint PRIMARY KEY,
    offer_uri  text        NOT NULL UNIQUE,
    uri        text        NOT NULL DEFAULT '',
    seller_id  bigint      NOT NULL REFERENCES accounts (id),
    buyer_id   bigint      NOT NULL REFERENCES accounts (id),
    listing_id bigint      REFERENCES listings (id),
    order_id   bigint      UNIQUE REFERENCES orders (id),
    intent     text        NOT NULL,
    reciprocal text        NOT NULL DEFAULT '',
    title      text        NOT NULL DEFAULT '',
    quantity   integer     NOT NULL,
    amount     bigint      NOT NULL DEFAULT 0 CHECK (amount >= 0),
    currency   text        NOT NULL DEFAULT '',
    state      text        NOT NULL CHECK (state IN ('sent', 'accepted', 'rejected', 'paid', 'shipped', 'done', 'cancelled')),
    reason     text        NOT NULL DEFAULT '',
    url        text        NOT NULL DEFAULT '',
    created    timestamptz NOT NULL,
    updated    timestamptz NOT NULL
);
COMMENT ON TABLE agreements IS 'FEP-0837: what accounts of other nodes ordered here (order_id), and what accounts of this node ordered elsewhere';
COMMENT ON COLUMN agreements.offer_uri IS 'Id of the Offer: one that comes twice is one agreement';
COMMENT ON COLUMN agreements.uri IS 'Id of the agreement at the seller; empty until it was accepted';
COMMENT ON COLUMN agreements.intent IS 'Id of the primary intent of the proposal, as the buyer named it';
COMMENT ON COLUMN agreements.amount IS 'For the goods, without shipping';
COMMENT ON COLUMN agreements.state IS 'Of what was ordered elsewhere as its seller says; of what was ordered here accepted or rejected, and the order has the rest';
COMMENT ON COLUMN agreements.reason IS 'Of what was ordered here a code, of what was ordered elsewhere the words of its seller';
CREATE INDEX agreements_buyer ON agreements (buyer_id, id DESC);
CREATE INDEX agreements_seller_uri ON agreements (seller_id, uri) WHERE uri <> '';
CREATE INDEX agreements_listing ON agreements (listing_id) WHERE listing_id IS NOT NULL;
CREATE INDEX agreements_rejected ON agreements (created) WHERE state = 'rejected';
-- Who waits for an answer does not ask again.
CREATE UNIQUE INDEX agreements_waiting ON agreements (buyer_id, listing_id) WHERE state = 'sent';

ALTER TABLE orders ADD COLUMN buyer_id bigint REFERENCES accounts (id);
ALTER TABLE orders DROP CONSTRAINT orders_check1;
ALTER TABLE orders ADD CONSTRAINT orders_reachable CHECK (email <> '' OR phone <> '' OR buyer_id IS NOT NULL);
ALTER TABLE orders ADD CONSTRAINT orders_payment CHECK (payment <> '' OR buyer_id IS NOT NULL);
COMMENT ON COLUMN orders.buyer_id IS 'The account of another node that ordered by an Offer; null: a guest';
COMMENT ON COLUMN orders.payment IS 'Empty while a buyer of another node has not said how to pay and where to send it';
CREATE INDEX orders_buyer ON orders (buyer_id) WHERE buyer_id IS NOT NULL;

ALTER TABLE listings ADD COLUMN intent text NOT NULL DEFAULT '';
ALTER TABLE listings ADD COLUMN reciprocal text NOT NULL DEFAULT '';
ALTER TABLE listings ADD COLUMN unit_based boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN listings.intent IS 'Of another node: id of the primary intent, where one piece can be ordered by an Offer (FEP-0837)';
COMMENT ON COLUMN listings.unit_based IS 'Of another node: whether several can be ordered at once';
