package federation

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const (
	maxFilm = 256 << 20        // bytes of a film or sound, and of what one answer passes on of it
	filmFor = 10 * time.Minute // for one answer, which is less where nothing comes
	// filmSilent is how long an answer may pause.
	filmSilent = 20 * time.Second
)

// filmTypes are what a page may play, as they are sent on. Nothing of them is a document, and browsers play them in no other way.
var filmTypes = map[string]string{"video/mp4": "video/mp4", "video/webm": "video/webm", "video/ogg": "video/ogg", "video/quicktime": "video/quicktime", "video/x-m4v": "video/mp4",
	"audio/mpeg": "audio/mpeg", "audio/mp3": "audio/mpeg", "audio/ogg": "audio/ogg", "audio/opus": "audio/ogg", "application/ogg": "audio/ogg", "audio/mp4": "audio/mp4",
	"audio/x-m4a": "audio/mp4", "audio/m4a": "audio/mp4", "audio/aac": "audio/aac", "audio/flac": "audio/flac", "audio/x-flac": "audio/flac", "audio/wav": "audio/wav",
	"audio/x-wav": "audio/wav", "audio/vnd.wave": "audio/wav", "audio/webm": "audio/webm"}

// Stream is a film or sound as it comes from another node. The caller closes Body.
type Stream struct {
	Status       int    // 200, or 206 with ContentRange
	ContentType  string // one of filmTypes
	ContentRange string
	Length       int64 // of Body; -1 where that is not said
	Ranges       bool  // the origin answers a part where that is asked for
	Body         io.ReadCloser
}

// Apart is a client under the same rules with connections of its own: what takes long there keeps nothing waiting here.
func (c *Client) Apart() *Client { return NewClient(c.cfg) }

// byteRange is one range as players ask for it; contentRange how it is answered (RFC 9110, 14).
var (
	byteRange    = regexp.MustCompile(`^bytes=(\d{1,15}-\d{0,15}|-\d{1,15})$`)
	contentRange = regexp.MustCompile(`^bytes \d{1,15}-\d{1,15}/(\d{1,15}|\*)$`)
)

// Film asks for a film or sound, or the part of it that a Range field names, unsigned, and returns when the head of the answer is
// there, which takes no longer than a whole request. Body ends with an error after maxFilm bytes, filmFor, or a silence. Errors else as of Media; what is not there is a
// *StatusError, of a part beyond the end one of 416.
func (c *Client) Film(ctx context.Context, address, part string) (_ *Stream, err error) {
	if !byteRange.MatchString(part) {
		part = "" // several, or of another unit: the whole is a valid answer (RFC 9110, 14.2)
	}
	ctx, cancel := context.WithTimeout(ctx, filmFor)
	silence := time.AfterFunc(c.cfg.Timeout, cancel) // until it begins: redirects, and a free connection to its host
	defer func() {
		if err != nil {
			silence.Stop()
			cancel()
			err = fmt.Errorf("fetch %.200q: %w", address, err)
		}
	}()
	res, _, err := c.open(ctx, address, fetchRequest{accept: "video/*, audio/*", part: part, media: true})
	if err != nil {
		return nil, err
	}
	s, err := c.film(res, part)
	if err != nil {
		_ = res.Body.Close() // not discarded: it may have no end
		return nil, err
	}
	silence.Reset(filmSilent)
	s.Body = &filmBody{body: res.Body, left: maxFilm, silence: silence, cancel: cancel}
	return s, nil
}

// film judges the head of an answer.
func (c *Client) film(res *http.Response, part string) (*Stream, error) {
	h := res.Header
	s := &Stream{Status: res.StatusCode, Length: res.ContentLength, Ranges: res.StatusCode == http.StatusPartialContent || strings.EqualFold(h.Get("Accept-Ranges"), "bytes")}
	mediaType, _ := mediaTypeOf(h.Get("Content-Type"))
	s.ContentType = filmTypes[mediaType]
	encoding := h.Get("Content-Encoding")
	total := s.Length
	switch {
	case s.Status == http.StatusPartialContent && part != "":
		s.ContentRange = h.Get("Content-Range")
		match := contentRange.FindStringSubmatch(s.ContentRange)
		if match == nil {
			return nil, fmt.Errorf("%w: a part of %.100q", ErrContentType, s.ContentRange)
		}
		if match[1] != "*" {
			total, _ = strconv.ParseInt(match[1], 10, 64)
		}
	case s.Status != http.StatusOK:
		return nil, c.statusError(res)
	}
	switch {
	case s.ContentType == "", encoding != "" && !strings.EqualFold(encoding, "identity"):
		return nil, fmt.Errorf("%w: %.100q, encoded as %.100q", ErrContentType, mediaType, encoding)
	case total > maxFilm, s.Length > maxFilm:
		return nil, ErrTooLarge
	}
	return s, nil
}

// filmBody ends what has no end, and what pauses.
type filmBody struct {
	body    io.ReadCloser
	left    int64
	silence *time.Timer
	cancel  context.CancelFunc
}

func (b *filmBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, ErrTooLarge
	}
	b.silence.Reset(filmSilent)
	n, err := b.body.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

func (b *filmBody) Close() error {
	b.silence.Stop()
	b.cancel()
	return b.body.Close()
}

// open follows redirects, each under the guard, to an answer. The caller closes its body.
func (c *Client) open(ctx context.Context, address string, r fetchRequest) (*http.Response, *url.URL, error) {
	u, err := c.target(address)
	if err != nil {
		return nil, nil, err
	}
	for redirects := 0; ; redirects++ {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
		if err != nil {
			return nil, nil, fmt.Errorf("%w: %w", ErrBadURL, err)
		}
		req.Header.Set("Accept", r.accept)
		r.known.ask(req.Header)
		if r.part != "" {
			req.Header.Set("Range", r.part)
		}
		if r.sign != nil {
			if err := r.sign(req); err != nil {
				return nil, nil, err
			}
		}
		res, err := c.do(req)
		if err != nil {
			return nil, nil, err
		}
		location := res.Header.Get("Location")
		if location == "" || !isRedirect(res.StatusCode) {
			return res, u, nil
		}
		discard(res.Body)
		if redirects >= c.cfg.MaxRedirects {
			return nil, nil, fmt.Errorf("%w: more than %d", ErrRedirect, redirects)
		}
		if u, err = c.follow(ctx, u, location, r.media); err != nil {
			return nil, nil, err
		}
	}
}
