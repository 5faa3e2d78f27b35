package web

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"souk"
	"souk/federation"
	"souk/server/middleware"
	"souk/themes"
)

const (
	filmsAtOnce   = 32 // streams through the node
	filmsOfOne    = 4  // of them for one visitor
	filmsWaitFor  = 10 // seconds, after which who was refused may come again
	filmReadsIn   = 30 * time.Second
	filmReadBytes = 32 << 10 // so many must have gone to the visitor in that time
)

// playing counts the streams at work.
type playing struct {
	mu    sync.Mutex
	all   int
	of    map[string]int
	every int // at most in all; of one visitor filmsOfOne
}

func (p *playing) begin(who string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.all >= p.every || p.of[who] >= filmsOfOne {
		return false
	}
	p.all++
	p.of[who]++
	return true
}

func (p *playing) end(who string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all--
	if p.of[who]--; p.of[who] == 0 {
		delete(p.of, who)
	}
}

// Film passes a film or sound of another node on, whole or in the part that the player asks for, so that its server learns nothing
// of who looks. Nothing is kept. As with pictures only what a stranger may see here: the node is no proxy for anybody.
func (w *Web) Film(c echo.Context) error {
	number, err := souk.ParseID(c.Param("id"))
	if err != nil {
		return err
	}
	r := c.Request()
	m, err := w.visibleMedia(r.Context(), number)
	if err != nil {
		return err
	}
	if !m.Plays() {
		return souk.ErrNotFound
	}
	h := c.Response().Header()
	who := middleware.Client(c)
	if !w.playing.begin(who) {
		h.Set("Retry-After", strconv.Itoa(filmsWaitFor))
		return echo.NewHTTPError(http.StatusTooManyRequests, "too many films at once")
	}
	defer w.playing.end(who)
	film, err := w.films.Film(r.Context(), m.RemoteURL, r.Header.Get("Range"))
	if err != nil {
		return noFilm(m, err)
	}
	defer film.Body.Close()
	h.Set("Content-Type", film.ContentType)
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("Cache-Control", "private, max-age=3600")
	h.Set("Content-Disposition", "inline")
	h.Set("Cross-Origin-Resource-Policy", "same-origin") // no page elsewhere plays it at this node's cost
	if film.Ranges {
		h.Set("Accept-Ranges", "bytes")
	}
	if film.ContentRange != "" {
		h.Set("Content-Range", film.ContentRange)
	}
	if film.Length >= 0 {
		h.Set("Content-Length", strconv.FormatInt(film.Length, 10))
	}
	c.Response().WriteHeader(film.Status)
	if middleware.SentMethod(r) == http.MethodHead {
		return nil
	}
	w.pass(r.Context(), c.Response(), film)
	return nil
}

// pass sends a film on as long as it comes and the visitor reads. What is cut off is not told as whole: the connection ends.
func (w *Web) pass(ctx context.Context, to http.ResponseWriter, film *federation.Stream) {
	out := http.NewResponseController(to)
	buffer := make([]byte, filmReadBytes)
	for {
		n, err := film.Body.Read(buffer)
		if n > 0 {
			// The listener's own limit is for pages.
			if out.SetWriteDeadline(time.Now().Add(filmReadsIn)) != nil {
				return
			}
			if _, err := to.Write(buffer[:n]); err != nil || out.Flush() != nil {
				return
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return
		case err != nil:
			if ctx.Err() == nil {
				w.Log.Info("film cut off", "error", err)
			}
			// In the past: what was written cannot be ended well any more.
			_ = out.SetWriteDeadline(time.Unix(1, 0))
			return
		}
	}
}

// noFilm is why a film cannot be passed on, as a visitor is told.
func noFilm(m *souk.Media, err error) error {
	var status *federation.StatusError
	if errors.As(err, &status) && status.Code == http.StatusRequestedRangeNotSatisfiable {
		return echo.NewHTTPError(status.Code, "no such part")
	}
	return errors.Join(souk.ErrNotFound, err)
}

// films are the films and sounds of a post as pages play them.
func films(list []souk.Media) []themes.Film {
	var all []themes.Film
	for _, m := range list {
		all = append(all, themes.Film{URL: m.Path(0), Sound: m.Sound(), Alt: m.Alt, Width: m.Width, Height: m.Height, Origin: m.RemoteURL})
	}
	return all
}
