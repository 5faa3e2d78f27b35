package souk

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

// Edit is what a post said before it was changed.
type Edit struct {
	At       time.Time // since when it said so
	HTML     string
	Source   string
	Summary  string
	Pictures []string // the descriptions of its pictures
}

// maxEdits is how many earlier forms of a post are kept; the first one and the newest.
const maxEdits = 100

// keepEdit keeps what a post says now, before it is changed.
func (db *DB) keepEdit(ctx context.Context, p *Post) error {
	at := p.Published
	if p.Edited != nil {
		at = *p.Edited
	}
	if _, err := db.q.Exec(ctx, `insert into post_edits (post_id, at, html, source, summary, pictures) values ($1, $2, $3, $4, $5, $6)
		on conflict do nothing`, p.ID, at, p.Written(), p.Source, p.Summary, descriptions(p.attached)); err != nil {
		return err
	}
	_, err := db.q.Exec(ctx, `delete from post_edits where post_id = $1 and at in (select at from post_edits where post_id = $1
		and at > (select min(at) from post_edits where post_id = $1) order by at desc offset $2)`, p.ID, maxEdits-1)
	return err
}

func descriptions(pictures []Media) []string {
	list := make([]string, len(pictures))
	for i, m := range pictures {
		list[i] = m.Alt
	}
	return list
}

// changes reports whether a remote edit says anything else than the post does: servers send an Update also for what
// nobody reads, such as a picture that they have made smaller.
func (p *Post) changes(r RemotePost, html, summary string) bool {
	alts := make([]string, 0, len(r.Media))
	for _, m := range r.Media[:min(len(r.Media), MaxPhotos)] {
		alts = append(alts, truncate(m.Alt, maxAlt))
	}
	return html != p.Written() || summary != p.Summary || !slices.Equal(alts, descriptions(p.attached))
}

// Edits are the earlier forms of a post that the viewer may see, the oldest first.
func (db *DB) Edits(ctx context.Context, viewer, id int64) (_ []Edit, err error) {
	defer wrap(&err, "edits of %d", id)
	if _, err := db.Post(ctx, viewer, id); err != nil {
		return nil, err
	}
	rows, err := db.q.Query(ctx, `select at, html, source, summary, pictures from post_edits where post_id = $1 order by at`, id)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Edit])
}
