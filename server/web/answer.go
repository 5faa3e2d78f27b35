package web

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"
)

const htmlType = "text/html; charset=utf-8"

// smallBody is the size below which compressing does not save a packet.
const smallBody = 1024

// answer is what a public address answers to everybody: written many times, changed by nobody.
type answer struct {
	status   int
	kind     string // Content-Type
	language string // Content-Language; may be empty
	location string // of a redirect
	body     []byte
	zipped   []byte // body in gzip; nil where that saves nothing
	etag     string
	cache    string // Cache-Control; empty means that of pages
	// keep says that the answer may stay in memory. Answers whose addresses a stranger can invent without end (searches,
	// pages of lists, what was not found) are made for those who ask at this moment and forgotten.
	keep bool
}

// finish makes what writing needs, once.
func (a *answer) finish() {
	if a.status != http.StatusOK {
		return
	}
	sum := sha256.Sum256(a.body)
	// Weak: the compressed form has the same tag (RFC 9110, 8.8.3).
	a.etag = `W/"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
	if len(a.body) < smallBody {
		return
	}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	// A buffer takes everything.
	_, _ = z.Write(a.body)
	_ = z.Close()
	if b.Len() < len(a.body) {
		a.zipped = b.Bytes()
	}
}

// write answers a request with a, as any cache may keep it.
func (a *answer) write(c echo.Context) error {
	h := c.Response().Header()
	// Accept: an address may be a page and an ActivityPub object. Accept-Encoding: the compressed body must not reach a
	// client that cannot read it by way of a shared cache (RFC 9110, 12.5.5).
	h.Set("Vary", "Accept, Accept-Encoding")
	h.Set("Cache-Control", cmp.Or(a.cache, "public, max-age=60, stale-while-revalidate=300"))
	if a.location != "" {
		return c.Redirect(a.status, a.location)
	}
	if a.language != "" {
		h.Set("Content-Language", a.language)
	}
	if a.status != http.StatusOK { // the gate
		h.Set("Cache-Control", "no-store")
		h.Set("Retry-After", gateRetry)
		return c.Blob(a.status, a.kind, a.body)
	}
	h.Set("ETag", a.etag)
	if matches(c.Request().Header.Get("If-None-Match"), a.etag) {
		return c.NoContent(http.StatusNotModified)
	}
	body := a.body
	if a.zipped != nil && acceptsGzip(c.Request().Header.Get("Accept-Encoding")) {
		h.Set("Content-Encoding", "gzip")
		body = a.zipped
	}
	h.Set("Content-Length", strconv.Itoa(len(body))) // for HEAD, which has no body to count
	return c.Blob(a.status, a.kind, body)
}

// matches compares an If-None-Match with a weak tag (RFC 9110, 13.1.2: the comparison is weak).
func matches(header, etag string) bool {
	for tag := range strings.SplitSeq(header, ",") {
		tag = strings.TrimSpace(tag)
		if tag == "*" || tag != "" && strings.TrimPrefix(tag, "W/") == strings.TrimPrefix(etag, "W/") {
			return true
		}
	}
	return false
}

func acceptsGzip(header string) bool {
	for part := range strings.SplitSeq(header, ",") {
		coding, params, _ := strings.Cut(part, ";")
		if strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			q := strings.ReplaceAll(params, " ", "")
			return q != "q=0" && !strings.HasPrefix(q, "q=0.0")
		}
	}
	return false
}

// redirect is an answer that sends elsewhere on this node.
func redirect(status int, location string) *answer {
	return &answer{status: status, location: location, keep: true}
}
