package federation

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
	"unicode"
)

// Response is a peer's answer to a delivery, whatever its status.
type Response struct {
	Status          int
	RetryAfter      time.Duration // zero when not said; at most a week
	AcceptSignature string        // RFC 9421, 5.1: the peer says how to sign
	BodySnippet     string        // the start of the body as one printable line, for a person who asks why
}

// Post delivers body. sign is called with the finished request and may be nil. No redirect is followed: the signature
// names the address, and who answers for another one has to say so in the actor. Any status is a Response, not an
// error; errors are ErrBadURL, ErrBlockedAddress, a context's, or of the network.
func (c *Client) Post(ctx context.Context, address string, body []byte, contentType string, sign func(*http.Request) error) (*Response, error) {
	res, err := c.post(ctx, address, body, contentType, sign)
	if err != nil {
		return nil, fmt.Errorf("post to %.200q: %w", address, err)
	}
	return res, nil
}

func (c *Client) post(ctx context.Context, address string, body []byte, contentType string, sign func(*http.Request) error) (*Response, error) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	u, err := c.target(address)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBadURL, err)
	}
	req.Header.Set("Content-Type", contentType)
	// Not sent, being empty: net/http makes the request again over another connection where one that was kept alive turns
	// out to be closed. An activity is told apart by its id, so that no harm is done where it had arrived.
	req.Header["Idempotency-Key"] = nil
	if sign != nil {
		if err := sign(req); err != nil {
			return nil, err
		}
	}
	res, err := c.do(req)
	if err != nil {
		return nil, err
	}
	defer discard(res.Body)
	return &Response{
		Status:          res.StatusCode,
		RetryAfter:      retryAfter(res.Header.Get("Retry-After"), c.cfg.Now()),
		AcceptSignature: acceptSignature(res.Header),
		BodySnippet:     snippet(res.Body),
	}, nil
}

// snippet reads the start of a body. The status has been received, so a body that breaks off changes nothing.
func snippet(body io.Reader) string {
	start, _ := io.ReadAll(io.LimitReader(body, 500))
	line := strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(string(start), ""))
	return strings.Join(strings.Fields(line), " ")
}
