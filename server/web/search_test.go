package web_test

import (
	"encoding/xml"
	"strings"
	"testing"

	"souk"
)

// index brings what waits into the index.
func (s *street) index() {
	s.t.Helper()
	must(s.indexer.Drain(s.t.Context()))(s.t)
}

func TestSearch(t *testing.T) {
	t.Parallel()
	s := annasShop(t)
	s.cup(func(n *souk.NewListing) { n.Title = "青瓷茶杯 Celadon cup" })
	s.says(s.owner, souk.NewPost{Source: "Why celadon needs a slow fire <b>"})
	s.index()
	d := s.page("/search?q=celadon", 200)
	wantCount(t, d, "ol.hits > li", 2)
	want(t, d, "meta[name=robots]@content", "noindex")
	want(t, d, "input#q@value", "celadon")
	if marks := d.Find("ol.hits mark").Length(); marks < 2 {
		t.Errorf("%d words are marked", marks)
	}
	zh := s.page("/zh/search?q=%E8%8C%B6%E6%9D%AF&type=listing", 200)
	wantCount(t, zh, "ol.hits > li", 1)
	if href := zh.Find("ol.hits a").First().AttrOr("href", ""); !strings.HasPrefix(href, "/zh/products/") {
		t.Errorf("the hit leads to %q", href)
	}
	wantCount(t, s.page("/search?q=celadon&type=post", 200), "ol.hits > li", 1)
	wantCount(t, s.page("/search?q=celadon&type=listing&max_price=20", 200), "ol.hits > li", 0)
	wantCount(t, s.page("/search?q=celadon&type=listing&max_price=24%2C00&in_stock=true", 200), "ol.hits > li", 1)
	wrong := s.page("/search?q=celadon&min_price=1.000,00", 200)
	want(t, wrong, "#min_price-error", "This is no amount. Example: 24.50")
	none := s.page("/search?q="+strings.Repeat("x", 300), 200)
	wantCount(t, none, ".nothing", 1)
	wantCount(t, none, "section[aria-labelledby=popular] .grid > li", 1)
	for _, q := range []string{"%22%3E%3Cscript%3Ealert(1)%3C/script%3E", "%00", "%ff", "' or 1=1 --", "*", "-", "(", "a%20AND%20(", "\\"} {
		hostile := s.page("/search?q="+strings.ReplaceAll(q, " ", "+"), 200)
		wantCount(t, hostile, "script", 0)
	}
	s.page("/search?q=celadon&page=9999&type=none&sort=sales&node=nowhere.example", 200)
}

func TestSitemap(t *testing.T) {
	t.Parallel()
	s := annasShop(t)
	l := s.cup(nil)
	s.cup(func(n *souk.NewListing) { n.State, n.Title = souk.ListingDraft, "Secret" })
	p := s.says(s.owner, souk.NewPost{Source: "Hello"})
	s.says(s.owner, souk.NewPost{Source: "hidden", Visibility: souk.Unlisted})
	robots := string(s.get("/robots.txt").body)
	if !strings.Contains(robots, "Sitemap: "+s.url+"/sitemap.xml\n") || !strings.Contains(robots, "Disallow: /zh/search\n") {
		t.Errorf("robots.txt:\n%s", robots)
	}
	var index struct {
		Maps []string `xml:"sitemap>loc"`
	}
	if err := xml.Unmarshal(s.get("/sitemap.xml").body, &index); err != nil || len(index.Maps) != 3 {
		t.Fatalf("index: %v %v", err, index.Maps)
	}
	var found []string
	for _, address := range index.Maps {
		var set struct {
			URLs []struct {
				Loc   string `xml:"loc"`
				Links []struct {
					Lang string `xml:"hreflang,attr"`
					Href string `xml:"href,attr"`
				} `xml:"http://www.w3.org/1999/xhtml link"`
				Images []string `xml:"http://www.google.com/schemas/sitemap-image/1.1 image>loc"`
			} `xml:"url"`
		}
		if err := xml.Unmarshal(s.get(address).body, &set); err != nil {
			t.Fatal(err)
		}
		for _, u := range set.URLs {
			found = append(found, strings.TrimPrefix(u.Loc, s.url))
			if len(u.Links) != 2 || s.get(u.Links[1].Href).StatusCode != 200 || s.get(u.Loc).StatusCode != 200 {
				t.Errorf("%s with %v", u.Loc, u.Links)
			}
			if strings.Contains(u.Loc, l.Slug) && (len(u.Images) != 1 || s.get(u.Images[0]).StatusCode != 200) {
				t.Errorf("pictures of %s: %v", u.Loc, u.Images)
			}
		}
	}
	if got, expected := strings.Join(found, " "), "/ /products /posts /@anna /products/celadon-cup /posts/"+tail(p.URI); got != expected {
		t.Errorf("sitemap has %s, want %s", got, expected)
	}
}
