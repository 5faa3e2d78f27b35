package web_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"souk"
)

// cinema is another node's films.
func cinema(t *testing.T, film []byte) (base string, asked *atomic.Int32) {
	t.Helper()
	asked = &atomic.Int32{}
	held := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if r.Header.Get("Cookie")+r.Header.Get("Referer")+r.Header.Get("X-Forwarded-For") != "" {
			t.Errorf("the visitor is told of: %v", r.Header)
		}
		w.Header().Set("Content-Type", "video/mp4; codecs=avc1")
		w.Header().Set("Set-Cookie", "tracked=1")
		switch r.URL.Path {
		case "/good.mp4":
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(film))
		case "/page.mp4":
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, "<script>alert(1)</script>")
		case "/picture.mp4":
			w.Header().Set("Content-Type", "image/svg+xml")
		case "/packed.mp4":
			w.Header().Set("Content-Encoding", "br")
		case "/large.mp4":
			w.Header().Set("Content-Length", fmt.Sprint(int64(1)<<40))
		case "/part.mp4":
			w.Header().Set("Content-Range", "bytes 0-9/1099511627776")
			w.WriteHeader(http.StatusPartialContent)
		case "/inside.mp4":
			http.Redirect(w, r, "http://10.0.0.1/film.mp4", http.StatusFound)
		case "/metadata.mp4":
			http.Redirect(w, r, "https://169.254.169.254/film.mp4", http.StatusFound)
		case "/endless.mp4":
			chunk := make([]byte, 1<<20)
			for { // until the node has had enough
				if _, err := w.Write(chunk); err != nil {
					return
				}
			}
		case "/held.mp4":
			_, _ = io.WriteString(w, "begin")
			_ = http.NewResponseController(w).Flush()
			select {
			case <-held:
			case <-r.Context().Done():
			}
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(func() { close(held); server.Close() })
	return server.URL, asked
}

// plays is a public answer of a stranger with a film.
func (s *street) plays(from *souk.Account, to, name, visibility, address, kind string) *souk.Post {
	s.t.Helper()
	uri := "https://" + from.Host + "/posts/" + name
	p := must(s.ReceivePost(s.t.Context(), souk.RemotePost{URI: uri, URL: uri, Author: from, HTML: "<p>Look</p>", Visibility: visibility, InReplyToURI: to,
		MentionURIs: []string{s.owner.URI}, Published: s.clock(), Media: []souk.RemoteMedia{{URL: address, MIME: kind, Alt: "Throwing a cup", Width: 640, Height: 360}}}))(s.t)
	s.pass(time.Second)
	return p
}

func TestFilmPlaysThroughTheNode(t *testing.T) {
	t.Parallel()
	s := annasShop(t)
	film := bytes.Repeat([]byte("0123456789"), 50_000)
	base, asked := cinema(t, film)
	p, mira := s.says(s.owner, souk.NewPost{Source: "Show me"}), s.stranger("mira", "social.example")
	path := s.plays(mira, p.URI, "1", souk.Public, base+"/good.mp4", "video/mp4").Films[0].Path(0)
	s.plays(mira, p.URI, "2", souk.Public, base+"/song.mp3", "audio/mpeg")
	d := s.page("/posts/"+tail(p.URI), 200)
	want(t, d, ".reply video@src", path)
	want(t, d, ".reply video@preload", "none")
	want(t, d, ".reply video@width", "640")
	want(t, d, ".reply video@aria-label", "Throwing a cup")
	want(t, d, ".reply audio@preload", "none")
	wantCount(t, d, ".reply :is(video, audio):not([controls])", 0)
	wantCount(t, d, ".reply .snaps", 0)
	if policy := s.get("/posts/" + tail(p.URI)).Header.Get("Content-Security-Policy"); !strings.Contains(policy, "media-src 'self'") {
		t.Errorf("the page may not play it: %s", policy)
	}
	if n := asked.Load(); n != 0 {
		t.Errorf("asked %d times before anybody pressed play", n)
	}

	whole := s.get(path, "Cookie", "a=b", "Referer", s.url+"/x")
	h := whole.Header
	if whole.StatusCode != 200 || !bytes.Equal(whole.body, film) || h.Get("Content-Type") != "video/mp4" || h.Get("X-Content-Type-Options") != "nosniff" ||
		h.Get("Content-Security-Policy") != "default-src 'none'; sandbox" || h.Get("Accept-Ranges") != "bytes" || h.Get("Set-Cookie") != "" ||
		h.Get("Cross-Origin-Resource-Policy") != "same-origin" {
		t.Errorf("%d, %d bytes, %v", whole.StatusCode, len(whole.body), h)
	}
	for part, want := range map[string]string{"bytes=10-19": "bytes 10-19/500000", "bytes=499990-": "bytes 499990-499999/500000", "bytes=-10": "bytes 499990-499999/500000"} {
		r := s.get(path, "Range", part)
		if r.StatusCode != http.StatusPartialContent || string(r.body) != "0123456789" || r.Header.Get("Content-Range") != want || r.Header.Get("Content-Length") != "10" {
			t.Errorf("%s: %d %q %v", part, r.StatusCode, r.body, r.Header)
		}
	}
	if r := s.get(path, "Range", "bytes=900000-"); r.StatusCode != http.StatusRequestedRangeNotSatisfiable {
		t.Errorf("beyond the end: %d", r.StatusCode)
	}
	for _, odd := range []string{"bytes=0-1,3-4", "lines=1-2", "bytes=a-b"} {
		if r := s.get(path, "Range", odd); r.StatusCode != 200 || len(r.body) != len(film) {
			t.Errorf("%s: %d, %d bytes", odd, r.StatusCode, len(r.body))
		}
	}
	if r := s.get(strings.Replace(path, "film", "remote", 1)); r.StatusCode != http.StatusNotFound {
		t.Errorf("as a picture: %d", r.StatusCode)
	}
}

func TestFilmsThatAreNotPassedOn(t *testing.T) {
	t.Parallel()
	s := annasShop(t)
	base, asked := cinema(t, nil)
	p, mira := s.says(s.owner, souk.NewPost{Source: "Show me"}), s.stranger("mira", "social.example")
	for i, address := range []string{base + "/page.mp4", base + "/picture.mp4", base + "/packed.mp4", base + "/large.mp4", base + "/part.mp4", base + "/missing.mp4",
		base + "/inside.mp4", base + "/metadata.mp4", "http://10.0.0.1/x.mp4", "https://[::1]/x.mp4", "file:///etc/passwd"} {
		path := s.plays(mira, p.URI, fmt.Sprint(i), souk.Public, address, "video/mp4").Films[0].Path(0)
		for _, part := range []string{"", "bytes=0-9"} {
			if r := s.get(path, "Range", part); r.StatusCode != http.StatusNotFound {
				t.Errorf("%s, %q: %d", address, part, r.StatusCode)
			}
		}
	}
	before := asked.Load()
	otto, quiet := s.stranger("otto", "blocked.example"), s.stranger("quiet", "nomedia.example")
	hidden := s.plays(mira, p.URI, "hidden", souk.Direct, base+"/good.mp4", "video/mp4").Films[0].Path(0)
	blocked := s.plays(otto, p.URI, "blocked", souk.Public, base+"/good.mp4", "video/mp4").Films[0].Path(0)
	refused := s.plays(quiet, p.URI, "refused", souk.Public, base+"/good.mp4", "video/mp4").Films[0].Path(0)
	if err := s.BlockHost(t.Context(), s.owner.ID, "blocked.example", souk.Suspend, ""); err != nil {
		t.Fatal(err)
	}
	if err := s.BlockHosts(t.Context(), s.owner.ID, []souk.HostBlock{{Domain: "nomedia.example", RejectMedia: true}}); err != nil {
		t.Fatal(err)
	}
	picture := strings.Replace(s.shows(mira, p.URI, "picture", souk.Public, base+"/good.mp4").Path(0), "remote", "film", 1)
	for _, path := range []string{hidden, blocked, refused, picture, "/media/film/1", "/media/film/x"} {
		if r := s.get(path); r.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d", path, r.StatusCode)
		}
	}
	if n := asked.Load() - before; n != 0 {
		t.Errorf("their servers were asked %d times", n)
	}
}

// A film without an end is cut off, and not told as whole.
func TestEndlessFilm(t *testing.T) {
	t.Parallel()
	s := annasShop(t)
	base, _ := cinema(t, nil)
	p, mira := s.says(s.owner, souk.NewPost{Source: "Show me"}), s.stranger("mira", "social.example")
	path := s.plays(mira, p.URI, "1", souk.Public, base+"/endless.mp4", "video/mp4").Films[0].Path(0)
	r, err := http.Get(s.url + path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	n, err := io.Copy(io.Discard, r.Body)
	if err == nil || n > 256<<20 || n < 200<<20 {
		t.Errorf("%d bytes, %v", n, err)
	}
}

// One visitor plays so many films at once and no more; one that is left makes room.
func TestFilmsAtOnce(t *testing.T) {
	t.Parallel()
	s := annasShop(t)
	base, _ := cinema(t, nil)
	p, mira := s.says(s.owner, souk.NewPost{Source: "Show me"}), s.stranger("mira", "social.example")
	path := s.plays(mira, p.URI, "1", souk.Public, base+"/held.mp4", "video/mp4").Films[0].Path(0)
	var open []*http.Response
	for range 4 {
		r, err := http.Get(s.url + path)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		if _, err := io.ReadFull(r.Body, make([]byte, 5)); err != nil {
			t.Fatal(err)
		}
		open = append(open, r)
	}
	if r := s.get(path); r.StatusCode != http.StatusTooManyRequests || r.Header.Get("Retry-After") == "" {
		t.Errorf("one more: %d %v", r.StatusCode, r.Header)
	}
	if err := open[0].Body.Close(); err != nil {
		t.Fatal(err)
	}
	for { // the node learns of it soon
		r, err := http.Get(s.url + path)
		if err != nil {
			t.Fatal(err)
		}
		status := r.StatusCode
		_ = r.Body.Close()
		if status == http.StatusOK {
			return
		}
		if status != http.StatusTooManyRequests || t.Context().Err() != nil {
			t.Fatalf("afterwards: %d", status)
		}
	}
}
