package web_test

import (
	"bytes"
	"image/png"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"souk"
)

func TestMedia(t *testing.T) {
	t.Parallel()
	s := annasShop(t)
	l := s.cup(nil)
	for _, size := range l.Post.Media[0].Sizes {
		r := s.get("/media/" + size.Key)
		if r.StatusCode != 200 || len(r.body) != size.Bytes || r.Header.Get("Content-Type") != size.MIME ||
			r.Header.Get("Cache-Control") != "public, max-age=31536000, immutable" || r.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %d, %d bytes, %v", size.Key, r.StatusCode, len(r.body), r.Header)
		}
		part := s.get("/media/"+size.Key, "Range", "bytes=10-19")
		if part.StatusCode != http.StatusPartialContent || !bytes.Equal(part.body, r.body[10:20]) {
			t.Errorf("range of %s: %d, %d bytes", size.Key, part.StatusCode, len(part.body))
		}
		if again := s.get("/media/"+size.Key, "If-None-Match", r.Header.Get("ETag")); again.StatusCode != http.StatusNotModified {
			t.Errorf("%s again: %d", size.Key, again.StatusCode)
		}
	}
	for _, path := range []string{"/media/", "/media/00/1-320.jpg", "/media/../../etc/passwd", "/media/%2e%2e/%2e%2e/etc/passwd", "/media/.arriving/x",
		"/media/00/1-320.svg", "/media//etc/passwd", "/media/00%2f1-320.jpg", "/media/00\\1.jpg", "/media/00/1-320.jpg%00.png", "/media/remote/1", "/media/remote/x"} {
		if r := s.get(path); r.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d", path, r.StatusCode)
		}
	}
}

// gallery is another node's pictures; it counts how often each is asked for.
type gallery struct {
	url  string
	mu   sync.Mutex
	seen map[string]int
}

func newGallery(t *testing.T) *gallery {
	g := &gallery{seen: map[string]int{}}
	picture := drawing(t, 700)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.mu.Lock()
		g.seen[r.URL.Path]++
		g.mu.Unlock()
		switch {
		case strings.HasPrefix(r.URL.Path, "/good"):
			w.Header().Set("Content-Type", "image/png")
			_, _ = w.Write(picture)
		case r.URL.Path == "/page":
			w.Header().Set("Content-Type", "image/png")
			_, _ = w.Write([]byte("<script>alert(1)</script>"))
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(server.Close)
	g.url = server.URL
	return g
}

func (g *gallery) asked(path string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.seen[path]
}

// shows is a public post of a stranger with a picture, in answer to one of ours.
func (s *street) shows(from *souk.Account, to, name, visibility, picture string) *souk.Media {
	s.t.Helper()
	uri := "https://" + from.Host + "/posts/" + name
	p := must(s.ReceivePost(s.t.Context(), souk.RemotePost{URI: uri, URL: uri, Author: from, HTML: "<p>Look</p>", Visibility: visibility, InReplyToURI: to,
		MentionURIs: []string{s.owner.URI}, Published: s.clock(), Media: []souk.RemoteMedia{{URL: picture, MIME: "image/png", Alt: "A find"}}}))(s.t)
	s.pass(time.Second)
	return &p.Media[0]
}

func TestRemoteMediaIsFetchedOnceAndKept(t *testing.T) {
	t.Parallel()
	s, g := annasShop(t), newGallery(t)
	p := s.says(s.owner, souk.NewPost{Source: "Show me"})
	mira := s.stranger("mira", "social.example")
	m := s.shows(mira, p.URI, "1", souk.Public, g.url+"/good.png")
	path := "/media/remote/" + id(m.ID)
	want(t, s.page("/posts/"+tail(p.URI), 200), ".reply .snaps img@src", path)
	kept := make([]string, 20)
	if err := atOnce(len(kept), func(i int) error {
		kept[i] = s.get(path).Header.Get("Location")
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for _, k := range kept {
		if k == "" || k != kept[0] {
			t.Fatalf("readers were sent to %v", kept)
		}
	}
	if n := g.asked("/good.png"); n != 1 {
		t.Errorf("fetched %d times", n)
	}
	r := s.get(kept[0])
	if _, err := png.Decode(bytes.NewReader(r.body)); r.Header.Get("Content-Type") == "image/png" && err != nil {
		t.Error(err)
	}
	if r.StatusCode != 200 {
		t.Errorf("%s: %d", kept[0], r.StatusCode)
	}
	s.pass(time.Hour)
	if src := s.page("/posts/"+tail(p.URI), 200).Find(".reply .snaps img").AttrOr("src", ""); strings.Contains(src, "remote") || src == "" {
		t.Errorf("the page still asks for %q", src)
	}
}

func TestRemoteMediaThatFailsIsLeftAlone(t *testing.T) {
	t.Parallel()
	s, g := annasShop(t), newGallery(t)
	p := s.says(s.owner, souk.NewPost{Source: "Show me"})
	mira := s.stranger("mira", "social.example")
	for i, picture := range []string{"/missing.png", "/page"} {
		path := "/media/remote/" + id(s.shows(mira, p.URI, id(int64(i)), souk.Public, g.url+picture).ID)
		for range 3 {
			if r := s.get(path); r.StatusCode != http.StatusNotFound {
				t.Errorf("%s: %d", picture, r.StatusCode)
			}
		}
		if n := g.asked(picture); n != 1 {
			t.Errorf("%s was asked for %d times", picture, n)
		}
		s.pass(25 * time.Hour)
		s.get(path)
		if n := g.asked(picture); n != 2 {
			t.Errorf("%s a day later: asked for %d times", picture, n)
		}
	}
}

func TestRemoteMediaOnlyOfWhatStrangersMaySee(t *testing.T) {
	t.Parallel()
	s, g := annasShop(t), newGallery(t)
	p := s.says(s.owner, souk.NewPost{Source: "Show me"})
	mira, otto := s.stranger("mira", "social.example"), s.stranger("otto", "blocked.example")
	hidden := s.shows(mira, p.URI, "1", souk.Direct, g.url+"/good1.png")
	blocked := s.shows(otto, p.URI, "2", souk.Public, g.url+"/good2.png")
	if err := s.BlockHost(t.Context(), s.owner.ID, "blocked.example", souk.Suspend, ""); err != nil {
		t.Fatal(err)
	}
	quiet := s.stranger("quiet", "nomedia.example")
	refused := s.shows(quiet, p.URI, "3", souk.Public, g.url+"/good3.png")
	if err := s.BlockHosts(t.Context(), s.owner.ID, []souk.HostBlock{{Domain: "nomedia.example", RejectMedia: true}}); err != nil {
		t.Fatal(err)
	}
	taken := s.shows(mira, p.URI, "4", souk.Direct, g.url+"/good4.png")
	if _, err := s.Pool().Exec(t.Context(), `update media set post_id = null where id = $1`, taken.ID); err != nil { // as an edit does
		t.Fatal(err)
	}
	for name, m := range map[string]*souk.Media{"/good1.png": hidden, "/good2.png": blocked, "/good3.png": refused, "/good4.png": taken} {
		if r := s.get("/media/remote/" + id(m.ID)); r.StatusCode != http.StatusNotFound || g.asked(name) != 0 {
			t.Errorf("%s: %d, asked %d times", name, r.StatusCode, g.asked(name))
		}
	}
}
