package federation

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// FetchConfig is what a Client needs. The zero value is a client that reaches only public addresses over https.
type FetchConfig struct {
	// AllowNetworks are the private networks that requests may reach, with plain http and on any port too.
	AllowNetworks []netip.Prefix
	UserAgent     string
	Timeout       time.Duration // of a whole request with its redirects and body; 10 s
	MaxBytes      int64         // of a body, decompressed; 1 MiB
	MaxRedirects  int           // 3; negative: none
	MaxDepth      int           // of JSON; 32
	MaxConns      int           // per host; 8

	// Refused reports whether nothing may be asked of a host, of which address is (souk.DB.Refused). It is asked where another host
	// redirects there: of the first one whoever fetches knows it. nil: none is.
	Refused func(ctx context.Context, host, address string) (bool, error)
	// MediaRefused is asked besides where Media and Film are redirected (souk.DB.MediaRefused).
	MediaRefused func(ctx context.Context, host string) (bool, error)

	Resolver *net.Resolver    // nil: the system's
	RootCAs  *x509.CertPool   // nil: the system's, which SSL_CERT_FILE names
	Now      func() time.Time // for Retry-After dates; nil: time.Now
}

var (
	// ErrBlockedAddress: the host is, or resolves to, an address that the node must not reach.
	ErrBlockedAddress = errors.New("address is not allowed")
	// ErrBadURL: not an absolute http(s) address, or one with a user name, or plain http to a public host.
	ErrBadURL = errors.New("URL is not allowed")
	// ErrTooLarge: the body is longer than the limit.
	ErrTooLarge = errors.New("response is too large")
	// ErrContentType: the answer is not of a type that was asked for.
	ErrContentType = errors.New("unexpected content type")
	// ErrRedirect: too many redirects, one from https to http, or one to a host that is refused.
	ErrRedirect = errors.New("redirect is not followed")
	// ErrGone: what a StatusError of 404 or 410 is, by errors.Is.
	ErrGone = errors.New("not there")
)

// StatusError is an answer other than 2xx.
type StatusError struct {
	Code            int
	RetryAfter      time.Duration // zero when not said; at most a week
	AcceptSignature string        // RFC 9421, 5.1: the peer says how to sign
}

func (e *StatusError) Error() string { return "status " + strconv.Itoa(e.Code) }

// Is makes errors.Is(err, ErrGone) true for 404 and 410.
func (e *StatusError) Is(target error) bool {
	return target == ErrGone && (e.Code == http.StatusNotFound || e.Code == http.StatusGone)
}

// Client makes the requests that leave the node: documents, pictures and deliveries. It reaches no address that a
// stranger could use the node to look at, whatever the name resolves to and wherever a redirect points; see allowed.
// Safe for concurrent use; make it with NewClient.
type Client struct {
	cfg    FetchConfig
	secure *http.Client
	plain  *http.Client // its dialer reaches AllowNetworks only
}

// NewClient returns a client with the defaults of FetchConfig filled in. It reads no proxy from the environment: a proxy
// would resolve names out of sight of the guard.
func NewClient(cfg FetchConfig) *Client {
	def := func(v *int, otherwise int) {
		if *v == 0 {
			*v = otherwise
		}
	}
	def(&cfg.MaxRedirects, 3)
	def(&cfg.MaxDepth, 32)
	def(&cfg.MaxConns, 8)
	if cfg.Timeout == 0 {
		cfg.Timeout = 10 * time.Second
	}
	if cfg.MaxBytes == 0 {
		cfg.MaxBytes = 1 << 20
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	c := &Client{cfg: cfg}
	c.secure, c.plain = c.httpClient(false), c.httpClient(true)
	return c
}

// CloseIdle closes the connections that nobody uses.
func (c *Client) CloseIdle() {
	c.secure.CloseIdleConnections()
	c.plain.CloseIdleConnections()
}

// maxSessions is of how many hosts the TLS session is remembered, some KiB each: followers' hosts are posted to again and
// again, and a session that is resumed needs no chain of certificates verified, which costs as much as a signature.
const maxSessions = 512

func (c *Client) httpClient(plain bool) *http.Client {
	dialer := &net.Dialer{
		Timeout:  c.cfg.Timeout,
		Resolver: c.cfg.Resolver,
		// Here the name is resolved and the socket is not connected: what is checked is what is dialled, so a name
		// that changes its answer between check and use gains nothing.
		ControlContext: func(_ context.Context, _, address string, _ syscall.RawConn) error {
			target, err := netip.ParseAddrPort(address)
			if err != nil {
				return fmt.Errorf("%w: %s", ErrBlockedAddress, address)
			}
			return c.allowed(target.Addr(), target.Port(), plain)
		},
	}
	return &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			Proxy:       nil,
			DialContext: dialer.DialContext,
			TLSClientConfig: &tls.Config{RootCAs: c.cfg.RootCAs, MinVersion: tls.VersionTLS12,
				ClientSessionCache: tls.NewLRUClientSessionCache(maxSessions)},
			ForceAttemptHTTP2:      true, // a dialer of one's own turns it off otherwise
			TLSHandshakeTimeout:    c.cfg.Timeout,
			ResponseHeaderTimeout:  c.cfg.Timeout,
			ExpectContinueTimeout:  time.Second,
			IdleConnTimeout:        time.Minute,
			MaxIdleConns:           256,
			MaxIdleConnsPerHost:    2,
			MaxConnsPerHost:        c.cfg.MaxConns,
			MaxResponseHeaderBytes: 64 << 10,
		},
	}
}

// target reads an address that a stranger may have written and returns it in the form that is sent: ASCII host, no
// fragment.
func (c *Client) target(address string) (*url.URL, error) {
	u, err := parseHTTP(address)
	if err != nil {
		return nil, err
	}
	if u.Scheme == "http" && len(c.cfg.AllowNetworks) == 0 {
		return nil, fmt.Errorf("%w: plain http", ErrBadURL)
	}
	if addr, err := netip.ParseAddr(u.Hostname()); err == nil {
		port := uint64(443)
		if u.Port() != "" {
			if port, err = strconv.ParseUint(u.Port(), 10, 16); err != nil {
				return nil, fmt.Errorf("%w: port", ErrBadURL)
			}
		} else if u.Scheme == "http" {
			port = 80
		}
		if err := c.allowed(addr, uint16(port), u.Scheme == "http"); err != nil {
			return nil, err
		}
	}
	u.Fragment, u.RawFragment = "", ""
	return u, nil
}

// do sends one request and reads the head of the answer. The caller closes the body.
func (c *Client) do(req *http.Request) (*http.Response, error) {
	if c.cfg.UserAgent != "" {
		req.Header.Set("User-Agent", c.cfg.UserAgent)
	}
	client := c.secure
	if req.URL.Scheme == "http" {
		client = c.plain
	}
	res, err := client.Do(req)
	var urlError *url.Error
	if errors.As(err, &urlError) {
		err = urlError.Err // the caller names the URL
	}
	return res, err
}

// fetchRequest is a GET with the types that its answer may have.
type fetchRequest struct {
	accept string
	sign   func(*http.Request) error // nil: unsigned; called again for each redirect
	known  Validators                // of the answer that the caller has
	part   string                    // a Range field
	media  bool                      // a picture, film or sound
	max    int64
	typed  func(mediaType string, params map[string]string) bool
}

// get follows redirects, each under the guard, and reads the body.
func (c *Client) get(ctx context.Context, address string, r fetchRequest) (*Fetched, error) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	res, from, err := c.open(ctx, address, r)
	if err != nil {
		return nil, err
	}
	return c.read(res, from, r)
}

func isRedirect(status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
		http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}

// follow is where a redirect leads; an error where the node does not go there, or not for media.
func (c *Client) follow(ctx context.Context, from *url.URL, location string, media bool) (*url.URL, error) {
	ref, err := url.Parse(location)
	if err != nil {
		return nil, fmt.Errorf("%w: unreadable Location", ErrRedirect)
	}
	to, err := c.target(from.ResolveReference(ref).String())
	if err != nil {
		return nil, err
	}
	if from.Scheme == "https" && to.Scheme != "https" {
		return nil, fmt.Errorf("%w: from https to http", ErrRedirect)
	}
	if to.Host == from.Host {
		return to, nil
	}
	refused := false
	if c.cfg.Refused != nil {
		refused, err = c.cfg.Refused(ctx, hostOf(to.String()), to.String())
	}
	if err == nil && !refused && media && c.cfg.MediaRefused != nil {
		refused, err = c.cfg.MediaRefused(ctx, to.Host)
	}
	if err != nil {
		return nil, err
	}
	if refused {
		return nil, fmt.Errorf("%w: %.200q is blocked here", ErrRedirect, to.Host)
	}
	return to, nil
}

// read checks the head of an answer and reads its body.
func (c *Client) read(res *http.Response, from *url.URL, r fetchRequest) (*Fetched, error) {
	defer discard(res.Body)
	if res.StatusCode != http.StatusOK {
		return nil, c.statusError(res)
	}
	contentType := res.Header.Get("Content-Type")
	mediaType, params := mediaTypeOf(contentType)
	if !r.typed(mediaType, params) {
		return nil, fmt.Errorf("%w: %.100q", ErrContentType, contentType)
	}
	// gzip was asked for by net/http, which undoes it and removes the field; the limit counts what comes out.
	if encoding := res.Header.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return nil, fmt.Errorf("%w: encoded as %.100q", ErrContentType, encoding)
	}
	if res.ContentLength > r.max {
		return nil, ErrTooLarge
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, r.max+1))
	if err != nil {
		return nil, fmt.Errorf("read body: %w", err)
	}
	if int64(len(body)) > r.max {
		return nil, ErrTooLarge
	}
	return &Fetched{Body: body, FinalURL: from.String(), ContentType: mediaType,
		Validators: Validators{ETag: res.Header.Get("ETag"), LastModified: res.Header.Get("Last-Modified")}}, nil
}

func (c *Client) statusError(res *http.Response) *StatusError {
	return &StatusError{
		Code:            res.StatusCode,
		RetryAfter:      retryAfter(res.Header.Get("Retry-After"), c.cfg.Now()),
		AcceptSignature: acceptSignature(res.Header),
	}
}

func acceptSignature(h http.Header) string {
	value := strings.Join(h.Values("Accept-Signature"), ", ")
	if len(value) > maxSignatureField {
		return ""
	}
	return value
}

// retryAfter reads seconds or a date (RFC 9110, 10.2.3).
func retryAfter(value string, now time.Time) time.Duration {
	const most = 7 * 24 * time.Hour
	if value == "" {
		return 0
	}
	if seconds, err := strconv.ParseInt(value, 10, 64); err == nil {
		return time.Duration(min(max(seconds, 0), int64(most/time.Second))) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return min(max(at.Sub(now), 0), most)
	}
	return 0
}

// discard reads what little is left, so that the connection can be used again, and closes.
func discard(body io.ReadCloser) {
	// Neither error matters: the answer has been judged, and a connection that cannot be reused is closed.
	_, _ = io.CopyN(io.Discard, body, 16<<10)
	_ = body.Close()
}
