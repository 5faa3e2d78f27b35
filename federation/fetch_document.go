package federation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strings"
)

const (
	activityStreamsProfile = "https://www.w3.org/ns/activitystreams"
	activityMedia          = "application/activity+json"
	ldMedia                = "application/ld+json"
	documentAccept         = ldMedia + `; profile="` + activityStreamsProfile + `", ` + activityMedia
)

// ErrForeignID: a document claims an id of another origin than it came from.
var ErrForeignID = errors.New("id is of another origin")

// Fetched is the answer to a GET.
type Fetched struct {
	Body        []byte
	FinalURL    string // after redirects, normalised as OriginOf does, without fragment
	ContentType string // media type, lower case, without parameters
	Validators  Validators
}

// Validators are what an answer says by which its next version is told from it (RFC 9110, 8.8).
type Validators struct{ ETag, LastModified string }

// ask makes a request one for what has changed since (RFC 9110, 13.1.2 and 13.1.3).
func (v Validators) ask(h http.Header) {
	if v.ETag != "" {
		h.Set("If-None-Match", v.ETag)
	}
	if v.LastModified != "" {
		h.Set("If-Modified-Since", v.LastModified)
	}
}

// ID returns the id of a fetched document. A document speaks only for its own origin: where the id's differs from that
// of the address it came from, the error is ErrForeignID, and the caller who wants the object fetches its id instead.
func (f *Fetched) ID() (string, error) {
	var head struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(f.Body, &head); err != nil {
		return "", fmt.Errorf("%w: %w", ErrJSON, err)
	}
	if !SameOrigin(head.ID, f.FinalURL) {
		return "", fmt.Errorf("%w: %.200q at %.200q", ErrForeignID, head.ID, f.FinalURL)
	}
	return head.ID, nil
}

// Document fetches ActivityPub JSON (ActivityPub 3.2). sign, when not nil, signs each request, those after a redirect
// too. The answer is checked: status 200, an ActivityStreams type, and all that CheckJSON does. The caller compares ids
// by Fetched.ID.
//
// Errors: ErrBadURL, ErrBlockedAddress, ErrRedirect, *StatusError (ErrGone by errors.Is), ErrContentType, ErrTooLarge,
// ErrJSON, a context's error, or of the network.
func (c *Client) Document(ctx context.Context, iri string, sign func(*http.Request) error) (*Fetched, error) {
	return c.fetchJSON(ctx, iri, fetchRequest{accept: documentAccept, sign: sign, max: c.cfg.MaxBytes, typed: isActivity})
}

// JSON fetches other JSON, as WebFinger and NodeInfo are, unsigned. accept are the media types to ask for, the best
// first; application/json is always accepted. Errors as of Document.
func (c *Client) JSON(ctx context.Context, address string, accept ...string) (*Fetched, error) {
	if !slices.Contains(accept, "application/json") {
		accept = append(slices.Clone(accept), "application/json")
	}
	return c.fetchJSON(ctx, address, fetchRequest{
		accept: strings.Join(accept, ", "),
		max:    c.cfg.MaxBytes,
		typed: func(mediaType string, params map[string]string) bool {
			return isUTF8(params) && slices.Contains(accept, mediaType)
		},
	})
}

func (c *Client) fetchJSON(ctx context.Context, address string, r fetchRequest) (*Fetched, error) {
	f, err := c.get(ctx, address, r)
	if err == nil {
		err = CheckJSON(f.Body, c.cfg.MaxDepth)
	}
	if err != nil {
		return nil, fmt.Errorf("fetch %.200q: %w", address, err)
	}
	return f, nil
}

// Media fetches a picture of at most max bytes, unsigned. Only the declared type is checked, any image but SVG, which is
// a document that can hold scripts: whoever decodes decides what it is. Errors as of Document, without ErrJSON.
func (c *Client) Media(ctx context.Context, address string, max int64) (*Fetched, error) {
	f, err := c.get(ctx, address, fetchRequest{
		media:  true,
		accept: "image/avif, image/webp, image/jpeg, image/png, image/gif, image/*;q=0.5",
		max:    max,
		typed: func(mediaType string, _ map[string]string) bool {
			return strings.HasPrefix(mediaType, "image/") && !strings.HasPrefix(mediaType, "image/svg")
		},
	})
	if err != nil {
		return nil, fmt.Errorf("fetch %.200q: %w", address, err)
	}
	return f, nil
}

// Text fetches a text of at most max bytes, JSON and CSV among them but no page, unsigned. An answer that is the one the
// caller knows is a *StatusError of 304. Errors else as of Document, without ErrJSON.
func (c *Client) Text(ctx context.Context, address string, max int64, known Validators) (*Fetched, error) {
	f, err := c.get(ctx, address, fetchRequest{
		accept: "text/csv, application/json, text/plain, */*;q=0.1",
		known:  known,
		max:    max,
		typed: func(mediaType string, params map[string]string) bool {
			switch mediaType {
			case "text/html":
				return false
			case "", "application/json", "application/csv", "application/octet-stream":
				return isUTF8(params)
			}
			return isUTF8(params) && strings.HasPrefix(mediaType, "text/")
		},
	})
	if err != nil {
		return nil, fmt.Errorf("fetch %.200q: %w", address, err)
	}
	return f, nil
}

// isActivity knows the two types of ActivityStreams documents. Anything else may be a user's upload on the peer's
// domain, which must not pass as a statement of the peer (FEP-fe34).
func isActivity(mediaType string, params map[string]string) bool {
	switch mediaType {
	case activityMedia:
		return isUTF8(params)
	case ldMedia:
		return isUTF8(params) && slices.Contains(strings.Fields(params["profile"]), activityStreamsProfile)
	}
	return false
}

func isUTF8(params map[string]string) bool {
	charset := params["charset"]
	return charset == "" || strings.EqualFold(charset, "utf-8")
}

// mediaTypeOf splits a Content-Type; both are empty where it cannot be read.
func mediaTypeOf(contentType string) (string, map[string]string) {
	mediaType, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return "", nil
	}
	return mediaType, params
}
