package console_test

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"souk"
)

func newProduct(title, price string) url.Values {
	return url.Values{"title": {title}, "price": {price}, "quantity": {"3"}, "condition": {"new"}, "lang": {"en"}, "do": {"publish"}}
}

func TestPublishProductWithPhotos(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	b := n.signedIn(t, "anna")
	if p := b.get("/console/products"); p.Find(`.empty a[href="/console/products/new"]`).Length() != 1 {
		t.Error("the empty list leads nowhere")
	}
	form := b.get("/console/products/new").form("main form")
	form.Set("title", "Blue bowl")
	form.Set("do", "upload")
	p := b.upload("/console/products/new", form, file{"one.jpg", drawing(t, 10)}, file{"two.jpg", drawing(t, 200)})
	p.want(http.StatusOK, "/console/products/new")
	if got := p.Find(".shots li").Length(); got != 2 {
		t.Fatalf("%d pictures", got)
	}
	if p.Find(".problems").Length() != 0 {
		t.Error("uploading complains about the rest of the form")
	}
	form = p.form("main form")
	first, second := form["photo"][0], form["photo"][1]
	if form.Get("title") != "Blue bowl" {
		t.Errorf("the name came back as %q", form.Get("title"))
	}
	form.Set("alt-"+first, "A blue bowl")
	form.Set("do", "later-"+first)
	p = b.upload("/console/products/new", form)
	form = p.form("main form")
	if got := form["photo"]; got[0] != second || got[1] != first {
		t.Errorf("order %v after moving the first one later", got)
	}
	if form.Get("alt-"+first) != "A blue bowl" {
		t.Error("moving lost the text")
	}
	if p.Find("button[autofocus]").AttrOr("value", "") != "earlier-"+first {
		t.Error("the focus did not stay at the picture")
	}

	// A wrong price keeps everything.
	form.Set("price", "1,000.00")
	form.Set("quantity", "4")
	form.Set("tags", "#bowl blue，瓷器")
	form.Set("do", "publish")
	p = b.upload("/console/products/new", form)
	p.want(http.StatusUnprocessableEntity, "/console/products/new").problem("price")
	form = p.form("main form")
	if len(form["photo"]) != 2 || form.Get("price") != "1,000.00" || form.Get("alt-"+first) != "A blue bowl" {
		t.Errorf("came back: %v", form)
	}
	form.Set("price", "24,50")
	form.Set("do", "publish")
	p = b.upload("/console/products/new", form)
	if p.status != http.StatusOK || text(p.Find(".done")) != "Published." {
		t.Fatalf("%d %s", p.status, text(p.Find("main")))
	}
	l := n.onlyListing(t, "anna")
	if l.State != souk.ListingPublished || l.Price() != (souk.Money{Amount: 2450, Currency: "EUR"}) || l.Quantity() != 4 || !l.Post.InTimeline ||
		strings.Join(l.Tags, " ") != "bowl blue 瓷器" || len(l.Post.Media) != 2 || l.Post.Media[1].Alt != "A blue bowl" {
		t.Errorf("listing %+v", l)
	}
	if href := p.Find(`.actions a[href*="/products/blue-bowl"]`); href.Length() != 1 {
		t.Error("no link to the page in the shop")
	}
	list := b.get("/console/products")
	if list.Find("tbody tr").Length() != 1 || !strings.Contains(text(list.Find("tbody tr")), "€24.50") {
		t.Errorf("list: %s", text(list.Find("tbody")))
	}
	if got := text(list.Find(`.views a[href$="state=published"] .count`)); got != "1" {
		t.Errorf("%s for sale", got)
	}
}

func (n *node) onlyListing(t *testing.T, name string) souk.Listing {
	t.Helper()
	list, err := n.db.SellerListings(t.Context(), n.account(t, name).ID, "", souk.Page{})
	if err != nil || len(list) != 1 {
		t.Fatalf("listings of %s: %d, %v", name, len(list), err)
	}
	return list[0]
}

func TestBadPhotosAreNamed(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	b := n.signedIn(t, "anna")
	form := newProduct("Bowl", "24")
	p := b.upload("/console/products/new", form, file{"good.jpg", drawing(t, 1)}, file{"letter.pdf", []byte("%PDF-1.4 and so on")})
	p.want(http.StatusUnprocessableEntity, "/console/products/new").problem("photos")
	if got := text(p.Find("[id=photos-error]")); !strings.Contains(got, "letter.pdf") || strings.Contains(got, "good.jpg") {
		t.Errorf("it says %q", got)
	}
	if p.Find(".shots li").Length() != 1 {
		t.Error("the good picture is lost")
	}
	form = p.form("main form")
	form.Set("do", "upload")
	var many []file
	for range 10 {
		many = append(many, file{"more.jpg", drawing(t, 2)})
	}
	p = b.upload("/console/products/new", form, many...)
	if got := p.Find(".shots li").Length(); got != souk.MaxPhotos || p.status != http.StatusUnprocessableEntity {
		t.Errorf("%d pictures, status %d", got, p.status)
	}
}

// Pictures of others cannot be taken into one's own product.
func TestPhotosOfOthersAreLeftOut(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ben := n.signedIn(t, "ben")
	form := newProduct("Ben's", "24")
	form.Set("do", "upload")
	his := ben.upload("/console/products/new", form, file{"his.jpg", drawing(t, 1)}).form("main form").Get("photo")
	anna := n.signedIn(t, "anna")
	form.Set("photo", his)
	if p := anna.upload("/console/products/new", form); p.Find(".shots li").Length() != 0 {
		t.Error("anna has ben's picture")
	}
}

func TestDraftPreviewWithdraw(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	b := n.signedIn(t, "ben")
	form := newProduct("Half a thought", "")
	form.Set("do", "draft")
	p := b.upload("/console/products/new", form)
	p.want(http.StatusOK, "/console/products/"+strconv.FormatInt(n.onlyListing(t, "ben").ID, 10))
	if text(p.Find(".head .state")) != "Draft" {
		t.Errorf("state %q", text(p.Find(".head .state")))
	}
	form = p.form("main form")
	form.Set("description", "Of *clay*")
	form.Set("do", "preview")
	preview := b.upload(p.path, form)
	preview.want(http.StatusOK, p.path+"/preview")
	if text(preview.Find(".prose em")) != "clay" {
		t.Error("the preview lacks the story")
	}
	form = b.get(p.path).form("main form")
	form.Set("do", "publish")
	b.upload(p.path, form).want(http.StatusUnprocessableEntity, p.path).problem("price")
	form.Set("price", "10")
	b.upload(p.path, form).want(http.StatusOK, p.path)
	if l := n.onlyListing(t, "ben"); l.State != souk.ListingPublished || l.Post.InTimeline {
		t.Errorf("published: %s, announced %t", l.State, l.Post.InTimeline)
	}

	// The owner has no part in another seller's forms, and nobody can reach it by guessing.
	n.signedIn(t, "anna").get(p.path).want(http.StatusNotFound, p.path)

	ask := b.get(p.path + "/withdraw")
	ask.want(http.StatusOK, p.path+"/withdraw")
	b.post(p.path+"/withdraw", nil).want(http.StatusOK, "/console/products")
	if l := n.onlyListing(t, "ben"); l.State != souk.ListingWithdrawn {
		t.Errorf("state %s", l.State)
	}
	b.get(p.path).want(http.StatusGone, p.path)
}

func TestLostUpdateIsShown(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	b := n.signedIn(t, "anna")
	edit := b.upload("/console/products/new", newProduct("Bowl", "24"))
	mine := edit.form("main form")
	theirs := edit.form("main form")
	theirs.Set("price", "30")
	theirs.Set("do", "save")
	b.upload(edit.path, theirs).want(http.StatusOK, edit.path)

	mine.Set("title", "Bowl, blue")
	mine.Set("do", "save")
	p := b.upload(edit.path, mine).want(http.StatusConflict, edit.path)
	if got := text(p.Find(".saved")); !strings.Contains(got, "€30.00") {
		t.Errorf("what was saved: %q", got)
	}
	again := p.form("main form")
	if again.Get("title") != "Bowl, blue" || again.Get("price") != "24.00" {
		t.Errorf("my version: %v", again)
	}
	if l := n.onlyListing(t, "anna"); l.Title != "Bowl" || l.Price().Amount != 3000 {
		t.Errorf("overwritten: %s %v", l.Title, l.Price())
	}
	again.Set("do", "save")
	b.upload(edit.path, again).want(http.StatusOK, edit.path)
	if l := n.onlyListing(t, "anna"); l.Title != "Bowl, blue" || l.Price().Amount != 2400 {
		t.Errorf("not replaced: %s %v", l.Title, l.Price())
	}
}

func TestMembersDoNotSell(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	b := n.signedIn(t, "cora")
	home := b.get("/console")
	if home.Find(`a[href^="/console/products"], a[href^="/console/orders"]`).Length() != 0 {
		t.Error("a member is led to products")
	}
	for _, path := range []string{"/console/products", "/console/products/new", "/console/products/1"} {
		b.get(path).want(http.StatusForbidden, path)
	}
	b.upload("/console/products/new", newProduct("Mine", "1")).want(http.StatusForbidden, "/console/products/new")
}
