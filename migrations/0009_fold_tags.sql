-- +goose Up

-- Tags are compared without the diacritics of Latin letters, as other servers do. A post that has two which are one now
-- keeps the first.
CREATE TEMPORARY TABLE refolded ON COMMIT DROP AS
SELECT post_id, tag,
    normalize(regexp_replace(translate(normalize(tag, NFKD), 'øłđħı', 'oldhi'), '([a-z])[\u0300-\u036f]+', '\1', 'g'), NFKC) AS folded
FROM post_tags;

DELETE FROM post_tags t USING refolded r, refolded other
WHERE t.post_id = r.post_id AND t.tag = r.tag AND other.post_id = r.post_id AND other.folded = r.folded AND other.tag < r.tag;

UPDATE post_tags t SET tag = r.folded FROM refolded r
WHERE t.post_id = r.post_id AND t.tag = r.tag AND t.tag <> r.folded;

COMMENT ON COLUMN post_tags.tag IS 'Folded form (NFKC, lower case, Latin letters without diacritics); name is as written';
