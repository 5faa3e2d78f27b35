package federation

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

const testDocument = `{"@context":"https://www.w3.org/ns/activitystreams","id":"%s","type":"Note"}`

// peer is a remote server on a loopback address; hits counts what reached it.
type peer struct {
	*httptest.Server
	hits atomic.Int64
}

// newPeer listens on addr (an address, or one with a port), over TLS when secure.
func newPeer(t *testing.T, addr string, secure bool, handler http.HandlerFunc) *peer {
	t.Helper()
	if !strings.Contains(addr, ":") {
		addr += ":0"
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	p := &peer{}
	p.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.hits.Add(1)
		handler(w, r)
	}))
	p.Listener.Close()
	p.Listener = listener
	p.EnableHTTP2 = true
	if secure {
		p.StartTLS()
	} else {
		p.Start()
	}
	t.Cleanup(p.Close)
	return p
}

func document(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", activityMedia)
	fmt.Fprintf(w, testDocument, "http://"+r.Host+r.URL.Path)
}

// reaching returns a client that may reach these networks and trusts these servers.
func reaching(t *testing.T, cfg FetchConfig, networks string, trusted ...*peer) *Client {
	t.Helper()
	for network := range strings.FieldsSeq(networks) {
		cfg.AllowNetworks = append(cfg.AllowNetworks, netip.MustParsePrefix(network))
	}
	if len(trusted) > 0 {
		cfg.RootCAs = x509.NewCertPool()
		for _, p := range trusted {
			cfg.RootCAs.AddCert(p.Certificate())
		}
	}
	c := NewClient(cfg)
	t.Cleanup(c.CloseIdle)
	return c
}

func TestDocument(t *testing.T) {
	t.Parallel()
	var protocol, agent, accept, signature atomic.Value
	p := newPeer(t, "127.0.0.1", true, func(w http.ResponseWriter, r *http.Request) {
		protocol.Store(r.Proto)
		agent.Store(r.UserAgent())
		accept.Store(r.Header.Get("Accept"))
		signature.Store(r.Header.Get("Signature"))
		w.Header().Set("Content-Type", `application/ld+json; profile="https://www.w3.org/ns/activitystreams"; charset=UTF-8`)
		fmt.Fprintf(w, testDocument, "https://"+r.Host+"/users/anna")
	})
	c := reaching(t, FetchConfig{UserAgent: "Souk/1 (+https://shop.example/)"}, "127.0.0.1/32", p)
	f, err := c.Document(t.Context(), p.URL+"/users/anna?x=1#main-key", func(r *http.Request) error {
		return SignCavage(r, nil, testKeyID, testKey(), testNow)
	})
	if err != nil {
		t.Fatal(err)
	}
	if f.FinalURL != p.URL+"/users/anna?x=1" || f.ContentType != ldMedia {
		t.Errorf("final URL %q, type %q", f.FinalURL, f.ContentType)
	}
	if id, err := f.ID(); err != nil || id != p.URL+"/users/anna" {
		t.Errorf("id %q, %v", id, err)
	}
	if protocol.Load() != "HTTP/2.0" || agent.Load() != "Souk/1 (+https://shop.example/)" {
		t.Errorf("%v from %v", protocol.Load(), agent.Load())
	}
	if accept.Load() != `application/ld+json; profile="https://www.w3.org/ns/activitystreams", application/activity+json` {
		t.Errorf("Accept: %v", accept.Load())
	}
	if s := signature.Load().(string); !strings.Contains(s, `headers="(request-target) host date accept"`) {
		t.Errorf("Signature: %q", s)
	}

	// The same server, not allowed, and not trusted.
	if _, err := reaching(t, FetchConfig{}, "", p).Document(t.Context(), p.URL, nil); !errors.Is(err, ErrBlockedAddress) {
		t.Errorf("loopback: %v, want ErrBlockedAddress", err)
	}
	var untrusted x509.UnknownAuthorityError
	if _, err := reaching(t, FetchConfig{}, "127.0.0.1/32").Document(t.Context(), p.URL, nil); !errors.As(err, &untrusted) {
		t.Errorf("unknown certificate: %v, want UnknownAuthorityError", err)
	}
	if n := p.hits.Load(); n != 1 {
		t.Errorf("%d requests arrived, want 1", n)
	}
}

func TestForeignID(t *testing.T) {
	t.Parallel()
	p := newPeer(t, "127.0.0.1", false, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", activityMedia)
		_, _ = io.WriteString(w, r.URL.Query().Get("body"))
	})
	c := reaching(t, FetchConfig{}, "127.0.0.1/32")
	for body, want := range map[string]error{
		fmt.Sprintf(testDocument, p.URL+"/other"):         nil,
		fmt.Sprintf(testDocument, "https://shop.example"): ErrForeignID,
		fmt.Sprintf(testDocument, ""):                     ErrForeignID,
		`{"type":"Note"}`:                                 ErrForeignID,
		`{"id":7}`:                                        ErrJSON,
		`[]`:                                              ErrJSON,
	} {
		f, err := c.Document(t.Context(), p.URL+"/?body="+url.QueryEscape(body), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.ID(); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", body, err, want)
		}
	}
}

func TestRedirects(t *testing.T) {
	t.Parallel()
	inner := newPeer(t, "127.0.0.3", false, document)
	plain := newPeer(t, "127.0.0.1", false, document)
	var keys atomic.Int64
	secure := newPeer(t, "127.0.0.1", true, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Signature") != "" {
			if err := verify(&SignedRequest{Method: r.Method, URL: mustURL("https://" + r.Host + r.RequestURI), Header: r.Header}, &testKey().PublicKey, testNow); err == nil {
				keys.Add(1)
			}
		}
		var hop int
		if _, err := fmt.Sscanf(r.URL.Path, "/hop/%d", &hop); err == nil && hop > 0 {
			http.Redirect(w, r, fmt.Sprintf("/hop/%d#x", hop-1), http.StatusFound)
			return
		}
		if to := r.URL.Query().Get("to"); to != "" {
			http.Redirect(w, r, to, http.StatusTemporaryRedirect)
			return
		}
		document(w, r)
	})
	c := reaching(t, FetchConfig{}, "127.0.0.1/32", secure)
	sign := func(r *http.Request) error { return SignCavage(r, nil, testKeyID, testKey(), testNow) }

	f, err := c.Document(t.Context(), secure.URL+"/hop/3", sign)
	if err != nil {
		t.Fatal(err)
	}
	if f.FinalURL != secure.URL+"/hop/0" || keys.Load() != 4 {
		t.Errorf("ended at %s with %d good signatures, want 4", f.FinalURL, keys.Load())
	}
	for to, want := range map[string]error{
		secure.URL + "/hop/4":                ErrRedirect,
		to(secure, plain.URL):                ErrRedirect, // from https to http
		to(secure, inner.URL):                ErrBlockedAddress,
		to(secure, "http://127.0.0.4:22/"):   ErrBlockedAddress,
		to(secure, "http://[::1]/"):          ErrBlockedAddress,
		to(secure, "http://169.254.169.254"): ErrBlockedAddress,
		to(secure, "https://a@127.0.0.1/"):   ErrBadURL,
		to(secure, "file:///etc/passwd"):     ErrBadURL,
		to(secure, "//127.0.0.3/"):           ErrBlockedAddress,
		to(secure, secure.URL+"/ok"):         nil,
		to(secure, "/ok"):                    nil,
	} {
		if _, err := c.Document(t.Context(), to, nil); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", to, err, want)
		}
	}
	if n := inner.hits.Load() + plain.hits.Load(); n != 0 {
		t.Errorf("%d requests arrived where none may", n)
	}
	both := reaching(t, FetchConfig{}, "127.0.0.0/8", secure)
	for _, address := range []string{plain.URL, inner.URL, to(secure, "/ok"), to(inner, "/ok")} {
		if _, err := both.Document(t.Context(), address, nil); err != nil {
			t.Errorf("control: %v", err)
		}
	}

	before := secure.hits.Load()
	res, err := c.Post(t.Context(), to(secure, "/ok"), []byte("{}"), activityMedia, nil)
	if err != nil || res.Status != http.StatusTemporaryRedirect || secure.hits.Load() != before+1 {
		t.Errorf("post: %+v, %v after %d requests: a delivery must not follow redirects", res, err, secure.hits.Load()-before)
	}
}

func to(p *peer, address string) string { return p.URL + "/?to=" + url.QueryEscape(address) }

func mustURL(address string) *url.URL {
	u, err := url.Parse(address)
	if err != nil {
		panic(err)
	}
	return u
}

// TestRebinding serves a name that answers with an allowed address first and with another one of this machine later.
func TestRebinding(t *testing.T) {
	t.Parallel()
	outer := newPeer(t, "127.0.0.2", false, document)
	_, port, err := net.SplitHostPort(outer.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	inner := newPeer(t, "127.0.0.3:"+port, false, document)
	var answer atomic.Value
	answer.Store([4]byte{127, 0, 0, 2})
	c := reaching(t, FetchConfig{Resolver: resolver(t, func(string) [4]byte { return answer.Load().([4]byte) })}, "127.0.0.2/32")

	address := "http://rebind.test:" + port + "/note"
	if f, err := c.Document(t.Context(), address, nil); err != nil || f.FinalURL != address {
		t.Fatalf("before: %+v, %v", f, err)
	}
	c.CloseIdle()
	answer.Store([4]byte{127, 0, 0, 3})
	if _, err := c.Document(t.Context(), address, nil); !errors.Is(err, ErrBlockedAddress) {
		t.Errorf("after: %v, want ErrBlockedAddress", err)
	}
	if _, err := c.Post(t.Context(), address, []byte("{}"), activityMedia, nil); !errors.Is(err, ErrBlockedAddress) {
		t.Errorf("post after: %v, want ErrBlockedAddress", err)
	}
	if outer.hits.Load() != 1 || inner.hits.Load() != 0 {
		t.Errorf("%d requests outside, %d inside, want 1 and 0", outer.hits.Load(), inner.hits.Load())
	}
}

// resolver asks a name server of its own, which answers every A question by name.
func resolver(t *testing.T, answer func(name string) [4]byte) *net.Resolver {
	t.Helper()
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	go func() {
		buf := make([]byte, 1500)
		for {
			n, from, err := server.ReadFrom(buf)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buf[:n]) != nil || len(m.Questions) != 1 {
				continue
			}
			q := m.Questions[0]
			m.Response, m.Authoritative, m.Additionals = true, true, nil
			if q.Type == dnsmessage.TypeA {
				m.Answers = []dnsmessage.Resource{{
					Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class},
					Body:   &dnsmessage.AResource{A: answer(q.Name.String())},
				}}
			}
			if out, err := m.Pack(); err == nil {
				_, _ = server.WriteTo(out, from)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", server.LocalAddr().String())
	}}
}

func TestBodies(t *testing.T) {
	t.Parallel()
	zip := func(b []byte) []byte {
		var out bytes.Buffer
		w := gzip.NewWriter(&out)
		_, _ = w.Write(b)
		_ = w.Close()
		return out.Bytes()
	}
	padded := func(n int) []byte { return []byte(`{"id":"` + strings.Repeat("a", n-9) + `"}`) }
	const limit = 64 << 10
	for _, c := range []struct {
		name, contentType, encoding string
		body                        []byte
		want                        error
	}{
		{"control", activityMedia, "", padded(100), nil},
		{"exactly the limit", activityMedia, "", padded(limit), nil},
		{"one byte more", activityMedia, "", padded(limit + 1), ErrTooLarge},
		{"gzip", activityMedia, "gzip", zip(padded(limit)), nil},
		{"gzip bomb", activityMedia, "gzip", zip(padded(64 << 20)), ErrTooLarge},
		{"another encoding", activityMedia, "br", padded(100), ErrContentType},
		{"ld+json with profile", ldMedia + `;profile="x ` + activityStreamsProfile + `"`, "", padded(100), nil},
		{"ld+json without profile", ldMedia, "", padded(100), ErrContentType},
		{"plain JSON", "application/json", "", padded(100), ErrContentType},
		{"HTML", "text/html; charset=utf-8", "", padded(100), ErrContentType},
		{"no type", "", "", padded(100), ErrContentType},
		{"upper case", "Application/Activity+JSON", "", padded(100), nil},
		{"UTF-8 said", activityMedia + "; charset=utf-8", "", padded(100), nil},
		{"latin-1 said", activityMedia + "; charset=iso-8859-1", "", padded(100), ErrContentType},
		{"invalid UTF-8", activityMedia, "", []byte("{\"a\":\"\xff\"}"), ErrJSON},
		{"deep", activityMedia, "", []byte(strings.Repeat("[", 33) + strings.Repeat("]", 33)), ErrJSON},
		{"less deep", activityMedia, "", []byte(strings.Repeat("[", 32) + strings.Repeat("]", 32)), nil},
		{"key twice", activityMedia, "", []byte(`{"id":1,"id":2}`), ErrJSON},
		{"cut off", activityMedia, "", []byte(`{"id":`), ErrJSON},
		{"empty", activityMedia, "", nil, ErrJSON},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := newPeer(t, "127.0.0.1", false, func(w http.ResponseWriter, _ *http.Request) {
				w.Header()["Content-Type"] = nil
				if c.contentType != "" {
					w.Header().Set("Content-Type", c.contentType)
				}
				if c.encoding != "" {
					w.Header().Set("Content-Encoding", c.encoding)
				}
				_, _ = w.Write(c.body)
			})
			client := reaching(t, FetchConfig{MaxBytes: limit}, "127.0.0.1/32")
			if _, err := client.Document(t.Context(), p.URL, nil); !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
		})
	}
}

// A film may take long, but not until it begins: a visitor waits for it, and takes the place of another.
func TestFilmThatDoesNotBegin(t *testing.T) {
	t.Parallel()
	p := newPeer(t, "127.0.0.1", false, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(http.StatusFound)
		_, _ = io.WriteString(w, "a redirect that has no end")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	c := reaching(t, FetchConfig{Timeout: 50 * time.Millisecond}, "127.0.0.1/32")
	patient, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if _, err := c.Film(patient, p.URL+"/film.mp4", ""); err == nil || patient.Err() != nil {
		t.Errorf("%v, %v", err, patient.Err())
	}
}

// TestSlowHosts: a host that never ends costs no more than the time and the bytes that it is given.
func TestSlowHosts(t *testing.T) {
	t.Parallel()
	p := newPeer(t, "127.0.0.1", false, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/hang" {
			_, _ = io.Copy(io.Discard, r.Body) // the server notices that the client left only after that
			<-r.Context().Done()
			return
		}
		w.Header().Set("Content-Type", activityMedia)
		chunk := bytes.Repeat([]byte(" "), 32<<10)
		for r.Context().Err() == nil {
			if _, err := w.Write(chunk); err != nil {
				return
			}
			if r.URL.Path == "/drip" {
				w.(http.Flusher).Flush()
				<-r.Context().Done()
			}
		}
	})
	c := reaching(t, FetchConfig{Timeout: time.Minute}, "127.0.0.1/32")
	if _, err := c.Document(t.Context(), p.URL+"/endless", nil); !errors.Is(err, ErrTooLarge) {
		t.Errorf("endless body: %v, want ErrTooLarge", err)
	}
	for _, path := range []string{"/hang", "/drip"} {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		if _, err := c.Document(ctx, p.URL+path, nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s with the caller's deadline: %v", path, err)
		}
		cancel()
		short := reaching(t, FetchConfig{Timeout: 50 * time.Millisecond}, "127.0.0.1/32")
		if _, err := short.Document(t.Context(), p.URL+path, nil); err == nil {
			t.Errorf("%s with the client's timeout: no error", path)
		}
	}
	short := reaching(t, FetchConfig{Timeout: 50 * time.Millisecond}, "127.0.0.1/32")
	if _, err := short.Post(t.Context(), p.URL+"/hang", []byte("{}"), activityMedia, nil); err == nil {
		t.Error("post to a hanging host: no error")
	}
}

func TestStatuses(t *testing.T) {
	t.Parallel()
	p := newPeer(t, "127.0.0.1", false, func(w http.ResponseWriter, r *http.Request) {
		var code int
		_, _ = fmt.Sscanf(r.URL.Path, "/%d", &code)
		w.Header().Set("Retry-After", r.URL.Query().Get("after"))
		w.Header().Set("Accept-Signature", `sig1=("@method")`)
		w.WriteHeader(code)
		_, _ = io.WriteString(w, "no:\x00\n <b>\xffwhy</b>"+strings.Repeat("x", 2000))
	})
	c := reaching(t, FetchConfig{Now: func() time.Time { return testNow }}, "127.0.0.1/32")
	for path, want := range map[string]StatusError{
		"/401":           {Code: 401},
		"/404":           {Code: 404},
		"/410":           {Code: 410},
		"/429?after=120": {Code: 429, RetryAfter: 2 * time.Minute},
		"/503?after=" + url.QueryEscape(testNow.Add(time.Hour).Format(http.TimeFormat)): {Code: 503, RetryAfter: time.Hour},
		"/503?after=99999999999999999": {Code: 503, RetryAfter: 7 * 24 * time.Hour},
		"/503?after=-5":                {Code: 503},
		"/500?after=soon":              {Code: 500},
		"/201":                         {Code: 201},
	} {
		want.AcceptSignature = `sig1=("@method")`
		var status *StatusError
		_, err := c.Document(t.Context(), p.URL+path, nil)
		if !errors.As(err, &status) || *status != want {
			t.Errorf("%s: %v, want %+v", path, err, want)
		}
		if gone := want.Code == 404 || want.Code == 410; errors.Is(err, ErrGone) != gone {
			t.Errorf("%s: gone = %v, want %v", path, !gone, gone)
		}
		res, err := c.Post(t.Context(), p.URL+path, []byte("{}"), activityMedia, nil)
		if err != nil {
			t.Fatal(err)
		}
		if res.Status != want.Code || res.RetryAfter != want.RetryAfter || res.AcceptSignature != want.AcceptSignature {
			t.Errorf("post %s: %+v, want %+v", path, res, want)
		}
		if !strings.HasPrefix(res.BodySnippet, "no: <b>why</b>xx") || len(res.BodySnippet) > 500 {
			t.Errorf("post %s: snippet %q", path, res.BodySnippet)
		}
	}
}

func TestPost(t *testing.T) {
	t.Parallel()
	verdict := make(chan error, 1)
	p := newPeer(t, "127.0.0.1", true, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			var in *SignedRequest
			in, err = NewSignedRequest(r, mustURL("https://"+r.Host), body)
			if err == nil {
				err = verify(in, &testKey().PublicKey, testNow)
			}
		}
		if string(body) != testBody || r.Header.Get("Content-Type") != activityMedia || r.Method != "POST" {
			err = fmt.Errorf("%s of %s: %s", r.Method, r.Header.Get("Content-Type"), body)
		}
		verdict <- err
		w.WriteHeader(http.StatusAccepted)
	})
	c := reaching(t, FetchConfig{}, "127.0.0.1/32", p)
	for name, sign := range signers {
		res, err := c.Post(t.Context(), p.URL+"/inbox?x=%20", []byte(testBody), activityMedia, func(r *http.Request) error {
			return sign(r, []byte(testBody), testKeyID, testKey(), testNow)
		})
		if err != nil || res.Status != http.StatusAccepted || res.BodySnippet != "" {
			t.Fatalf("%s: %+v, %v", name, res, err)
		}
		if err := <-verdict; err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	unsigned := errors.New("no key")
	if _, err := c.Post(t.Context(), p.URL, nil, activityMedia, func(*http.Request) error { return unsigned }); !errors.Is(err, unsigned) {
		t.Errorf("%v, want the signer's error", err)
	}
}

func TestJSONAndMedia(t *testing.T) {
	t.Parallel()
	p := newPeer(t, "127.0.0.1", false, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", r.URL.Query().Get("type"))
		_, _ = io.WriteString(w, `{"subject":"acct:anna@shop.example"}`)
	})
	c := reaching(t, FetchConfig{}, "127.0.0.1/32")
	for mediaType, want := range map[string]error{
		"application/jrd+json":                           nil,
		"application/json":                               nil,
		`application/json; profile="http://nodeinfo.x#"`: nil,
		"text/html":                                      ErrContentType,
		"application/activity+json":                      ErrContentType,
		"application/jrd+json; charset=utf-16":           ErrContentType,
	} {
		if _, err := c.JSON(t.Context(), p.URL+"/?type="+url.QueryEscape(mediaType), "application/jrd+json"); !errors.Is(err, want) {
			t.Errorf("JSON as %s: %v, want %v", mediaType, err, want)
		}
	}
	for mediaType, want := range map[string]error{
		"image/jpeg": nil, "image/avif": nil, "image/svg+xml": ErrContentType, "text/html": ErrContentType, "": ErrContentType,
	} {
		f, err := c.Media(t.Context(), p.URL+"/?type="+url.QueryEscape(mediaType), 100)
		if !errors.Is(err, want) {
			t.Errorf("media as %q: %v, want %v", mediaType, err, want)
		}
		if want == nil && (f.ContentType != mediaType || len(f.Body) == 0) {
			t.Errorf("media as %q: %+v", mediaType, f)
		}
	}
	if _, err := c.Media(t.Context(), p.URL+"/?type=image/png", 10); !errors.Is(err, ErrTooLarge) {
		t.Errorf("media over the limit: %v, want ErrTooLarge", err)
	}
}

// TestNoProxy: a proxy in the environment would resolve names where the guard cannot see. The variables are read once a
// process, so this looks at the transport.
func TestNoProxy(t *testing.T) {
	t.Parallel()
	c := NewClient(FetchConfig{})
	for _, client := range []*http.Client{c.secure, c.plain} {
		if client.Transport.(*http.Transport).Proxy != nil || client.Jar != nil {
			t.Error("the client has a proxy or keeps cookies")
		}
	}
}
