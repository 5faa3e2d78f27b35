package souk

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"html"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// Blobs stores pictures by key. Keys are made by this node: lower-case letters, digits, '/', '-', '_' and '.'.
// What Put acknowledged survives a crash of the machine. A missing key is ErrNotFound.
type Blobs interface {
	Put(ctx context.Context, key string, body []byte, contentType string) error
	Open(ctx context.Context, key string) (io.ReadSeekCloser, error)
	Delete(ctx context.Context, key string) error
}

// MediaSize is one stored rendition of a picture.
type MediaSize struct {
	Key    string `json:"key"`
	Width  int    `json:"width"`
	Height int    `json:"height"`
	MIME   string `json:"mime"`
	Bytes  int    `json:"bytes"`
}

// Media is a picture, or a film or sound of another node: of this node (Sizes set), or of another one (RemoteURL set; Sizes empty until somebody looks).
type Media struct {
	ID         int64
	AccountID  int64
	PostID     *int64
	Position   int
	MIME       string
	Width      int
	Height     int
	Blurhash   string
	Colour     string // average, #rrggbb
	Alt        string
	FocalX     float32 // -1 (left) .. 1 (right)
	FocalY     float32 // -1 (bottom) .. 1 (top)
	Sizes      []MediaSize
	RemoteURL  string
	Fetched    *time.Time
	FetchError string
	Created    time.Time
	Refused    bool // of a host whose pictures are neither fetched nor shown (HostBlock)
}

const mediaColumns = `id, account_id, post_id, position, mime, width, height, blurhash, colour, alt, focal_x, focal_y, sizes,
	remote_url, fetched, fetch_error, created,
	remote_url <> '' and exists (select from accounts ma join hosts mh on mh.host = ma.host
		where ma.id = media.account_id and (mh.reject_media or mh.severity = 'suspend')) as refused`

const (
	// MaxPhotos is how many pictures a listing or post may have.
	MaxPhotos = 10
	maxAlt    = 1500
)

// Plays reports whether it is a film or a sound, which is passed on from its node while it plays, and never kept.
func (m *Media) Plays() bool { return strings.HasPrefix(m.MIME, "video/") || m.Sound() }

// Sound reports whether it is a sound.
func (m *Media) Sound() bool { return strings.HasPrefix(m.MIME, "audio/") }

// Path is the address on this node of the rendition that is at least width pixels wide (the largest where none is).
// A picture of another node that is not here yet is fetched when this address is first asked for.
func (m *Media) Path(width int) string {
	if m.Plays() {
		return "/media/film/" + strconv.FormatInt(m.ID, 10)
	}
	if len(m.Sizes) == 0 {
		return "/media/remote/" + strconv.FormatInt(m.ID, 10)
	}
	for _, s := range m.Sizes {
		if s.Width >= width {
			return "/media/" + s.Key
		}
	}
	return "/media/" + m.Sizes[len(m.Sizes)-1].Key
}

// PicturesRefused reports whether a remote picture may not be fetched: because of its account's host, or of the host
// that it lies on.
func (db *DB) PicturesRefused(ctx context.Context, m *Media) (yes bool, err error) {
	defer wrap(&err, "pictures like %d refused", m.ID)
	u, err := url.Parse(m.RemoteURL)
	if err != nil || m.Refused {
		return true, nil
	}
	return db.MediaRefused(ctx, u.Host)
}

// MediaRefused reports whether pictures, films and sound may not be fetched from a host, which may be written in any way.
func (db *DB) MediaRefused(ctx context.Context, host string) (yes bool, err error) {
	defer wrap(&err, "media at %s refused", host)
	domain, ok := NormalDomain(host) // as whoever fetches it reads the host
	if !ok {
		return true, nil
	}
	err = db.q.QueryRow(ctx, `select coalesce((select reject_media or severity = 'suspend' from `+ruleFor("$1")+` rule), false)`, domain).Scan(&yes)
	return yes, err
}

// shown is the picture where it may be shown, else nil.
func (m *Media) shown() *Media {
	if m == nil || m.Refused {
		return nil
	}
	return m
}

// linked is what stands in place of a picture that is not shown: a link to where it lies, in a paragraph of its own.
func (m *Media) linked() string {
	text := m.Alt
	if text == "" {
		text = m.RemoteURL
	}
	return `<p><a href="` + html.EscapeString(m.RemoteURL) + `" rel="nofollow noopener noreferrer">` + html.EscapeString(text) + `</a></p>`
}

// AddPicture processes an uploaded picture (Pictures.Process), stores its renditions and makes the row.
func (db *DB) AddPicture(ctx context.Context, accountID int64, p *Picture, alt string) (_ *Media, err error) {
	defer wrap(&err, "add picture of %d", accountID)
	e := &Invalid{}
	alt = tidyText(alt)
	if checkText("description", alt, maxAlt, true, e); e.Err() != nil {
		return nil, e
	}
	m := &Media{ID: db.NewID(), AccountID: accountID, MIME: p.MIME, Width: p.Width, Height: p.Height, Blurhash: p.Blurhash,
		Colour: p.Colour, Alt: alt, Created: db.Now()}
	if m.Sizes, err = db.storePicture(ctx, p); err != nil {
		return nil, err
	}
	_, err = db.q.Exec(ctx, `insert into media (id, account_id, mime, width, height, blurhash, colour, alt, sizes, created)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`, m.ID, accountID, m.MIME, m.Width, m.Height, m.Blurhash, m.Colour, m.Alt, m.Sizes, m.Created)
	if err != nil {
		return nil, err
	}
	return m, nil
}

// storePicture keeps the renditions under keys that nobody can work out: whoever has the address of a picture sees it,
// and a picture may belong to a draft or to a post for a few.
func (db *DB) storePicture(ctx context.Context, p *Picture) ([]MediaSize, error) {
	var secret [16]byte
	if _, err := rand.Read(secret[:]); err != nil {
		return nil, err
	}
	var sizes []MediaSize
	for _, s := range p.Sizes {
		ext := "jpg"
		if s.MIME == "image/png" {
			ext = "png"
		}
		key := fmt.Sprintf("%02x/%x-%d.%s", secret[0], secret, s.Width, ext)
		if err := db.cfg.Blobs.Put(ctx, key, s.Bytes, s.MIME); err != nil {
			return nil, err
		}
		sizes = append(sizes, MediaSize{Key: key, Width: s.Width, Height: s.Height, MIME: s.MIME, Bytes: len(s.Bytes)})
	}
	slices.SortFunc(sizes, func(a, b MediaSize) int { return a.Width - b.Width })
	return sizes, nil
}

// KeepRemotePicture stores the renditions of another node's picture that somebody looked at.
func (db *DB) KeepRemotePicture(ctx context.Context, id int64, p *Picture) (_ *Media, err error) {
	defer wrap(&err, "keep remote picture %d", id)
	sizes, err := db.storePicture(ctx, p)
	if err != nil {
		return nil, err
	}
	if _, err = db.q.Exec(ctx, `update media set sizes = $2, mime = $3, width = $4, height = $5, colour = $6, fetched = $7, fetch_error = '',
			blurhash = case when blurhash = '' then $8 else blurhash end where id = $1 and remote_url <> ''`,
		id, sizes, p.MIME, p.Width, p.Height, p.Colour, db.Now(), p.Blurhash); err != nil {
		return nil, err
	}
	return db.Media(ctx, id)
}

// RemotePictureFailed remembers that a picture could not be had, so that it is not asked for with every page view.
func (db *DB) RemotePictureFailed(ctx context.Context, id int64, reason string) (err error) {
	defer wrap(&err, "remote picture %d failed", id)
	_, err = db.q.Exec(ctx, `update media set fetched = $2, fetch_error = $3 where id = $1`, id, db.Now(), truncate(reason, 200))
	return err
}

// MediaOf is a picture of the account; another's is ErrNotFound.
func (db *DB) MediaOf(ctx context.Context, accountID, id int64) (_ *Media, err error) {
	defer wrap(&err, "media %d of %d", id, accountID)
	m, err := db.Media(ctx, id)
	if err == nil && m.AccountID != accountID {
		return nil, ErrNotFound
	}
	return m, err
}

// Media is one picture row, whosever it is.
func (db *DB) Media(ctx context.Context, id int64) (_ *Media, err error) {
	defer wrap(&err, "media %d", id)
	found, err := db.mediaByID(ctx, []int64{id})
	if err != nil {
		return nil, err
	}
	if found[id] == nil {
		return nil, ErrNotFound
	}
	return found[id], nil
}

func (db *DB) mediaByID(ctx context.Context, ids []int64) (map[int64]*Media, error) {
	list, err := db.mediaWhere(ctx, `id = any($1)`, ids)
	if err != nil {
		return nil, err
	}
	byID := make(map[int64]*Media, len(list))
	for i := range list {
		byID[list[i].ID] = &list[i]
	}
	return byID, nil
}

func (db *DB) mediaWhere(ctx context.Context, where string, args ...any) ([]Media, error) {
	rows, err := db.q.Query(ctx, `select `+mediaColumns+` from media where `+where, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[Media])
}

// DescribeMedia changes the text and the focal point of a picture of the account; nil leaves them alone.
func (db *DB) DescribeMedia(ctx context.Context, accountID, id int64, alt *string, focalX, focalY *float32) (_ *Media, err error) {
	defer wrap(&err, "describe media %d", id)
	e := &Invalid{}
	if alt != nil {
		tidy := tidyText(*alt)
		checkText("description", tidy, maxAlt, true, e)
		alt = &tidy
	}
	for _, f := range []*float32{focalX, focalY} {
		if f != nil && !(*f >= -1 && *f <= 1) { // not a number is no focus either
			e.Add("focus", "focus", "use two numbers from -1 to 1")
		}
	}
	if err := e.Err(); err != nil {
		return nil, err
	}
	tag, err := db.q.Exec(ctx, `update media set alt = coalesce($3, alt), focal_x = coalesce($4, focal_x), focal_y = coalesce($5, focal_y)
		where id = $1 and account_id = $2`, id, accountID, alt, focalX, focalY)
	if err != nil {
		return nil, err
	}
	if tag.RowsAffected() == 0 {
		return nil, ErrNotFound
	}
	return db.Media(ctx, id)
}

// attach hangs pictures of the account on a post in the given order and takes all others off it.
func (db *DB) attach(ctx context.Context, accountID, postID int64, mediaIDs []int64) error {
	if len(mediaIDs) > MaxPhotos {
		return invalid("media_ids", "too_many", "at most %d pictures", MaxPhotos)
	}
	if _, err := db.q.Exec(ctx, `update media set post_id = null, position = 0 where post_id = $1 and id <> all($2)`, postID, mediaIDs); err != nil {
		return err
	}
	for i, id := range mediaIDs {
		tag, err := db.q.Exec(ctx, `update media set post_id = $3, position = $4
			where id = $1 and account_id = $2 and remote_url = '' and (post_id is null or post_id = $3)`, id, accountID, postID, i)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return invalid(fmt.Sprintf("media_ids[%d]", i), "media_unknown", "no such picture of yours that is still free")
		}
	}
	return nil
}

// orphaned is how long a picture may hang on nothing: an upload whose form was never sent, or a deleted post's.
const orphaned = 24 * time.Hour

// PruneMedia deletes up to limit pictures, files first, that hang on no post and no profile.
func (db *DB) PruneMedia(ctx context.Context, limit int) (n int, err error) {
	defer wrap(&err, "prune media")
	list, err := db.mediaWhere(ctx, `post_id is null and created < $1 and not exists (select from accounts a where a.avatar_id = media.id)
		and not exists (select from accounts a where a.header_id = media.id) order by id limit $2`, db.Now().Add(-orphaned), limit)
	if err != nil {
		return 0, err
	}
	for _, m := range list {
		for _, s := range m.Sizes {
			if err := db.cfg.Blobs.Delete(ctx, s.Key); err != nil && !errors.Is(err, ErrNotFound) {
				return n, err
			}
		}
		// Taken up again meanwhile (attached to a post) it stays as a row without files rather than vanish from the post.
		if _, err := db.q.Exec(ctx, `delete from media where id = $1 and post_id is null`, m.ID); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}
