package web

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"souk"
)

const (
	// forEver is for what never changes under its address.
	forEver = "public, max-age=31536000, immutable"

	remoteBytes = 16 << 20         // the largest picture that is fetched from another node
	remoteFor   = 20 * time.Second // for one picture, with the waiting
	remoteAgain = 24 * time.Hour   // after which a picture that could not be had is tried once more
	// remoteAtOnce bounds the pictures that are fetched and decoded at the same time.
	remoteAtOnce = 4
)

// Asset answers a file of the theme. Its address holds its hash, so that it may be kept for ever; under an old hash the
// file is gone.
func (w *Web) Asset(c echo.Context) error {
	hash, name := c.Param("hash"), c.Param("*")
	asset, ok := w.Theme.Asset(name)
	if !ok || asset.Hash != hash {
		return souk.ErrNotFound
	}
	// Not of the shop's version: an asset is what its hash says.
	a, err := w.pages.get(c.Request().Context(), "asset "+asset.URL(), 0, w.DB.Now(), func(context.Context) (*answer, error) {
		return &answer{status: http.StatusOK, kind: asset.ContentType, body: asset.Body, cache: forEver, keep: true}, nil
	})
	if err != nil {
		return err
	}
	return a.write(c)
}

// mediaKey is the shape of the keys that pictures are kept under; nothing else in the store is served.
var mediaKey = regexp.MustCompile(`^[0-9a-f]{2}/[0-9a-f]{1,32}-[0-9]{1,5}\.(jpg|png)$`)

// Media answers the bytes of a picture, whole or in ranges.
func (w *Web) Media(c echo.Context) error {
	key := c.Param("*")
	if !mediaKey.MatchString(key) {
		return souk.ErrNotFound
	}
	body, err := w.DB.Blobs().Open(c.Request().Context(), key)
	if err != nil {
		return err
	}
	defer body.Close()
	kind := "image/jpeg"
	if strings.HasSuffix(key, ".png") {
		kind = "image/png"
	}
	h := c.Response().Header()
	h.Set("Content-Type", kind)
	h.Set("Cache-Control", forEver)
	h.Set("ETag", `"`+key+`"`)
	h.Set("Access-Control-Allow-Origin", "*") // client apps in browsers draw pictures on a canvas
	// The zero time: pictures have no Last-Modified, their ETag never changes.
	http.ServeContent(c.Response(), c.Request(), "", time.Time{}, body)
	return nil
}

// RemoteMedia answers a picture of another node: it is fetched once, when somebody first looks, and from then on it is
// ours. Only for what a stranger may see here: without that the node would be a proxy for anybody.
func (w *Web) RemoteMedia(c echo.Context) error {
	number, err := souk.ParseID(c.Param("id"))
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	m, err := w.visibleMedia(ctx, number)
	if err != nil {
		return err
	}
	if m.Plays() {
		return souk.ErrNotFound
	}
	if len(m.Sizes) == 0 {
		if m, err = w.fetchOnce(ctx, m); err != nil {
			return err
		}
	}
	h := c.Response().Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Cache-Control", "public, max-age=86400")
	return c.Redirect(http.StatusFound, m.Path(1200))
}

// visibleMedia is a remote picture that strangers may see: of a post that they may see, or the face of an account whose
// node is not blocked.
func (w *Web) visibleMedia(ctx context.Context, number int64) (*souk.Media, error) {
	m, err := w.DB.Media(ctx, number)
	if err != nil {
		return nil, err
	}
	if m.RemoteURL == "" {
		return nil, souk.ErrNotFound
	}
	a, err := w.DB.Account(ctx, m.AccountID)
	if err != nil {
		return nil, err
	}
	if a.Suspended != nil {
		return nil, souk.ErrNotFound
	}
	if m.PostID != nil {
		if _, err := w.DB.Post(ctx, 0, *m.PostID); err != nil {
			return nil, err
		}
	} else if !isFace(m, a) {
		return nil, souk.ErrNotFound // taken off a post, which may be one for a few
	}
	// Pictures may lie elsewhere than their account.
	refused, err := w.DB.PicturesRefused(ctx, m)
	if err == nil && refused {
		err = souk.ErrNotFound
	}
	return m, err
}

func isFace(m *souk.Media, a *souk.Account) bool {
	return a.AvatarID != nil && *a.AvatarID == m.ID || a.HeaderID != nil && *a.HeaderID == m.ID
}

// fetchOnce brings a picture here; all who ask meanwhile wait for the same fetch. A failure is remembered for a day.
func (w *Web) fetchOnce(ctx context.Context, m *souk.Media) (*souk.Media, error) {
	if m.FetchError != "" && m.Fetched != nil && w.DB.Now().Sub(*m.Fetched) < remoteAgain {
		return nil, fmt.Errorf("remote picture %d: %s: %w", m.ID, m.FetchError, souk.ErrNotFound)
	}
	return shared(ctx, &w.remote, id(m.ID), remoteFor, func(ctx context.Context) (*souk.Media, error) {
		select {
		case w.fetching <- struct{}{}:
			defer func() { <-w.fetching }()
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		// Another flight may have landed since the row was read.
		if now, err := w.DB.Media(ctx, m.ID); err != nil || len(now.Sizes) > 0 {
			return now, err
		}
		picture, err := w.fetchPicture(ctx, m.RemoteURL)
		if err == nil {
			return w.DB.KeepRemotePicture(ctx, m.ID, picture)
		}
		// What went wrong may have been the time that was up: the note of it has its own.
		own, cancel := context.WithTimeout(context.WithoutCancel(ctx), errorFor)
		defer cancel()
		if noted := w.DB.RemotePictureFailed(own, m.ID, err.Error()); noted != nil {
			return nil, noted
		}
		return nil, fmt.Errorf("remote picture %d: %v: %w", m.ID, err, souk.ErrNotFound)
	})
}

func (w *Web) fetchPicture(ctx context.Context, address string) (*souk.Picture, error) {
	fetched, err := w.Client.Media(ctx, address, remoteBytes)
	if err != nil {
		return nil, err
	}
	return w.Pictures.Process(ctx, bytes.NewReader(fetched.Body))
}
