package web_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"souk"
	"souk/themes"
)

func TestPublicHeaders(t *testing.T) {
	t.Parallel()
	s := annasShop(t)
	s.goods(nil)
	for _, path := range []string{"/", "/zh/", "/products", "/products/celadon-cup", "/posts", "/@anna", "/tags/celadon", "/posts.rss", "/products.json"} {
		r := s.get(path)
		if r.StatusCode != 200 || r.Header.Get("Set-Cookie") != "" || r.Header.Get("Cache-Control") != "public, max-age=60, stale-while-revalidate=300" ||
			!strings.Contains(r.Header.Get("Vary"), "Accept") || r.Header.Get("ETag") == "" {
			t.Errorf("%s: %d %v", path, r.StatusCode, r.Header)
		}
		if again := s.get(path+"?utm_source=x&fbclid=y", "If-None-Match", `"other", `+r.Header.Get("ETag")); again.StatusCode != http.StatusNotModified || len(again.body) > 0 {
			t.Errorf("%s unchanged: %d with %d bytes", path, again.StatusCode, len(again.body))
		}
		head := s.request(http.MethodHead, path, nil)
		if head.StatusCode != 200 || len(head.body) > 0 || head.ContentLength != int64(len(r.body)) || head.Header.Get("ETag") != r.Header.Get("ETag") {
			t.Errorf("HEAD %s: %d, %d bytes, length %d, want %d", path, head.StatusCode, len(head.body), head.ContentLength, len(r.body))
		}
		zipped := s.get(path, "Accept-Encoding", "gzip, br")
		if zipped.Header.Get("Content-Encoding") != "gzip" {
			continue // small
		}
		plain := must(io.ReadAll(must(gzip.NewReader(bytes.NewReader(zipped.body)))(t)))(t)
		if !bytes.Equal(plain, r.body) || len(zipped.body) >= len(r.body) || !strings.Contains(r.Header.Get("Vary"), "Accept-Encoding") {
			t.Errorf("%s compressed: %d bytes of %d", path, len(zipped.body), len(r.body))
		}
	}
}

func TestPageFollowsChanges(t *testing.T) {
	t.Parallel()
	s := annasShop(t)
	l := s.goods(nil)
	before := s.get("/products/celadon-cup")
	price := souk.Money{Amount: 1900, Currency: "EUR"}
	must(s.ChangeListing(t.Context(), s.owner.ID, l.ID, souk.ListingChange{Price: &price}))(t)
	s.pass(time.Second)
	after := s.get("/products/celadon-cup", "If-None-Match", before.Header.Get("ETag"))
	want(t, s.document(after, "changed", 200), ".tag-price", "€19.00")
}

// S-04: a link that is shared is fetched by every server at once.
func TestStormOfReaders(t *testing.T) {
	t.Parallel()
	s := annasShop(t)
	s.goods(nil)
	s.page("/", 200) // what is loaded once is loaded
	s.lookups.Store(0)
	var cookies atomic.Int32
	bodies := make([]string, 2000)
	if err := atOnce(len(bodies), func(i int) error {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/products/celadon-cup", nil)
		if err != nil {
			return err
		}
		r.Header.Set("User-Agent", fmt.Sprintf("agent %d", i%500))
		got, err := s.client.Do(r)
		if err != nil {
			return err
		}
		defer got.Body.Close()
		body, err := io.ReadAll(got.Body)
		bodies[i] = string(body)
		if got.Header.Get("Set-Cookie") != "" {
			cookies.Add(1)
		}
		if got.StatusCode != http.StatusOK {
			return fmt.Errorf("status %d", got.StatusCode)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	for _, b := range bodies {
		if b != bodies[0] {
			t.Fatal("two readers got different pages")
		}
	}
	if cookies.Load() > 0 {
		t.Errorf("%d cookies", cookies.Load())
	}
	if n := s.lookups.Load(); n < 1 || n > 3 {
		t.Errorf("rendered %d times", n)
	}
}

func TestAssets(t *testing.T) {
	t.Parallel()
	s := annasShop(t)
	theme := must(themes.Load(themes.Config{}))(t)
	css, _ := theme.Asset("theme.css")
	r := s.get(css.URL())
	if r.StatusCode != 200 || !bytes.Equal(r.body, css.Body) || r.Header.Get("Cache-Control") != "public, max-age=31536000, immutable" ||
		r.Header.Get("Content-Type") != css.ContentType || r.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("style sheet: %d %v", r.StatusCode, r.Header)
	}
	for _, path := range []string{"/assets/old/theme.css", "/assets/" + css.Hash + "/nothing.css", "/assets/" + css.Hash + "/../../etc/passwd", "/assets/" + css.Hash + "/"} {
		if r := s.get(path); r.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d", path, r.StatusCode)
		}
	}
	d := s.page("/", 200)
	want(t, d, "link[rel=stylesheet]@href", css.URL())
}

func TestFeeds(t *testing.T) {
	t.Parallel()
	s := annasShop(t)
	s.cup(func(n *souk.NewListing) { n.Title = "Cup " + hostile })
	p := s.says(s.owner, souk.NewPost{Source: "Hello & welcome <3 #Celadon"})
	for path, entries := range map[string]int{"/posts": 1, "/products": 1, "/tags/celadon": 1, "/zh/posts": 1, "/tags/none": 0} {
		var rss struct {
			Version string `xml:"version,attr"`
			Items   []struct {
				Title string `xml:"title"`
				GUID  string `xml:"guid"`
			} `xml:"channel>item"`
		}
		r := s.get(path + ".rss")
		if err := xml.Unmarshal(r.body, &rss); err != nil || rss.Version != "2.0" || len(rss.Items) != entries || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/rss+xml") {
			t.Errorf("%s.rss: %v, %+v", path, err, rss)
		}
		var atom struct {
			XMLName xml.Name `xml:"http://www.w3.org/2005/Atom feed"`
			ID      string   `xml:"id"`
			Updated string   `xml:"updated"`
			Entries []struct {
				ID      string `xml:"id"`
				Content string `xml:"content"`
			} `xml:"entry"`
		}
		if err := xml.Unmarshal(s.get(path+".atom").body, &atom); err != nil || len(atom.Entries) != entries || atom.ID != s.url+path+".atom" {
			t.Errorf("%s.atom: %v, %+v", path, err, atom)
		}
		if _, err := time.Parse(time.RFC3339, atom.Updated); err != nil {
			t.Errorf("%s.atom updated: %v", path, err)
		}
		var feed struct {
			Version string
			Items   []struct{ ID, ContentHTML string }
		}
		if err := json.Unmarshal(s.get(path+".json").body, &feed); err != nil || len(feed.Items) != entries || feed.Version != "https://jsonfeed.org/version/1.1" {
			t.Errorf("%s.json: %v, %+v", path, err, feed)
		}
		if entries > 0 && path == "/posts" && (rss.Items[0].GUID != p.URI || atom.Entries[0].ID != p.URI || feed.Items[0].ID != p.URI) {
			t.Errorf("ids of %s: %v", path, rss.Items)
		}
		if path == "/products" && rss.Items[0].Title != "Cup "+hostile {
			t.Errorf("title in the feed: %q", rss.Items[0].Title)
		}
	}
}

func TestPathsThatNoTextCanBe(t *testing.T) {
	t.Parallel()
	s := annasShop(t)
	for _, path := range []string{"/tags/%00", "/@%00", "/@%ff", "/products/%ff", "/orders/%00", "/users/%00", "/en/products/%00"} {
		if r := s.get(path); r.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d", path, r.StatusCode)
		}
	}
}
