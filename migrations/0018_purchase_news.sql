-- +goose Up

ALTER TABLE notifications ADD COLUMN agreement_id bigint REFERENCES agreements (id) ON DELETE CASCADE;
COMMENT ON COLUMN notifications.agreement_id IS 'What the account ordered at another node, which stands otherwise; one notification for each';
CREATE UNIQUE INDEX notifications_agreement ON notifications (agreement_id);
DROP INDEX notifications_once;
CREATE UNIQUE INDEX notifications_once ON notifications (account_id, kind, coalesce(from_id, 0), coalesce(post_id, 0), coalesce(order_id, 0), coalesce(report_id, 0))
    WHERE agreement_id IS NULL;
ALTER TABLE notifications DROP CONSTRAINT notifications_kind_check;
ALTER TABLE notifications ADD CONSTRAINT notifications_kind_check
    CHECK (kind IN ('follow', 'follow_request', 'mention', 'reply', 'like', 'boost', 'order', 'report', 'quote', 'purchase'));
