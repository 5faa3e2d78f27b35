package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/jpeg"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/PuerkitoBio/goquery"

	"souk"
)

// The steps of the story that happen in shops: products, search, orders.

// apiListing is what of the commerce API's listing the story reads.
type apiListing struct {
	ID    string     `json:"id"`
	URL   string     `json:"url"`
	URI   string     `json:"uri"`
	Price souk.Money `json:"price"`
}

const (
	bowlTitle = "Moonwhite rain bowl 月白雨点碗"
	bowlStock = 5
	firstYuan = 268_00
	newYuan   = 238_00
)

func (s *story) api(n *demoNode, path string) string { return n.base() + "/api/souk/v1" + path }

// publish uploads the photo and makes the listing.
func (s *story) publish(ctx context.Context) error {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("file", "IMG_0412.jpg")
	if err != nil {
		return err
	}
	if _, err := part.Write(s.photo); err != nil {
		return err
	}
	if err := errors.Join(form.WriteField("description", "A white bowl by a window"), form.Close()); err != nil {
		return err
	}
	a, err := s.visitor.ask(ctx, http.MethodPost, s.api(s.pottery, "/media"), body.Bytes(), "Authorization", bearer(s.token), "Content-Type", form.FormDataContentType())
	if err != nil {
		return err
	}
	var media struct{ ID string }
	if err := a.decode(&media, http.StatusCreated); err != nil {
		return err
	}
	err = s.visitor.call(ctx, http.MethodPost, s.api(s.pottery, "/listings"), s.token, map[string]any{
		"title": bowlTitle, "description": "Glazed moonwhite, with raindrops of iron. 月白釉上点铁斑，像刚下过雨。",
		"price": souk.Money{Amount: firstYuan, Currency: "CNY"}, "quantity": bowlStock, "tags": []string{"rainbowl", "月白"},
		"category": "Home/Kitchen/Bowls", "condition": "new", "state": "published", "announce": true, "media_ids": []string{media.ID},
	}, &s.listing, http.StatusCreated)
	if err != nil {
		return err
	}
	if s.listing.Price.Amount != firstYuan || !strings.HasPrefix(s.listing.URI, s.pottery.base()+"/listings/") {
		return fmt.Errorf("expected a listing of %s for %d, saw %+v", s.pottery.base(), firstYuan, s.listing)
	}
	return s.shows(ctx, s.listing.URL, bowlTitle, "268")
}

// servesPhoto looks at every size of the photo that the product's page offers.
func (s *story) servesPhoto(ctx context.Context) error {
	page, err := s.visitor.page(ctx, s.listing.URL)
	if err != nil {
		return err
	}
	addresses := map[string]bool{}
	page.Find("main img").Each(func(_ int, img *goquery.Selection) {
		for _, candidate := range append(strings.Split(img.AttrOr("srcset", ""), ","), img.AttrOr("src", "")) {
			if fields := strings.Fields(candidate); len(fields) > 0 && strings.Contains(fields[0], "/media/") {
				addresses[fields[0]] = true
			}
		}
	})
	if len(addresses) < 2 {
		return fmt.Errorf("expected the photo in several sizes on %s, saw %v", s.listing.URL, addresses)
	}
	at, err := url.Parse(s.listing.URL)
	if err != nil {
		return err
	}
	for address := range addresses {
		full, err := at.Parse(address)
		if err != nil {
			return err
		}
		a, err := s.visitor.ask(ctx, http.MethodGet, full.String(), nil)
		if err != nil {
			return err
		}
		picture, err := jpeg.DecodeConfig(bytes.NewReader(a.body))
		if err != nil {
			return fmt.Errorf("expected %s to be a JPEG, saw %d, %w", full, a.status, err)
		}
		if picture.Height <= picture.Width {
			return fmt.Errorf("expected %s upright, saw %d x %d", full, picture.Width, picture.Height)
		}
		if bytes.Contains(a.body, []byte("Exif")) || bytes.Contains(a.body, s.photo[30:150]) {
			return fmt.Errorf("expected %s without EXIF, saw some", full)
		}
	}
	return nil
}

// followCatalogue asks B's API to follow A, as an owner's program does.
func (s *story) followCatalogue(ctx context.Context) error {
	owner, err := s.prints.db.Owner(ctx)
	if err != nil {
		return err
	}
	token, err := s.prints.db.CreateToken(ctx, owner.ID, "souk demo", []string{"admin:write"}, s.prints.db.Now().Add(hour))
	if err != nil {
		return err
	}
	if err := s.visitor.call(ctx, http.MethodPost, s.api(s.prints, "/node/follow"), token, map[string]string{"node": s.pottery.address}, nil,
		http.StatusOK, http.StatusCreated, http.StatusAccepted); err != nil {
		return err
	}
	mine, err := s.prints.db.Catalogue(ctx)
	if err != nil {
		return err
	}
	theirs, err := s.prints.fed.ResolveActor(ctx, s.pottery.base()+"/catalogue")
	if err != nil {
		return err
	}
	return s.prints.accepted(ctx, mine, theirs)
}

// arrives waits for what A published before it was followed, and for what is in B's index.
func (s *story) arrives(ctx context.Context) error {
	if _, err := s.prints.arrived(ctx, s.listing.URI); err != nil {
		return err
	}
	return until(ctx, "the product in B's index", func(ctx context.Context) (string, bool) {
		_, seen, yes := s.hit(ctx, "rainbowl")
		return seen, yes
	})
}

// apiHit is what of a hit of the search API the story reads.
type apiHit struct {
	Type, Title, URL, URI, Node string
	Price                       souk.Money
}

// hit searches on B by the API for the story's product; seen is what was found instead.
func (s *story) hit(ctx context.Context, query string) (hit apiHit, seen string, yes bool) {
	var found struct{ Hits []apiHit }
	err := s.visitor.call(ctx, http.MethodGet, s.api(s.prints, "/search?type=listing&q="+url.QueryEscape(query)), "", nil, &found, http.StatusOK)
	if err != nil {
		return hit, err.Error(), false
	}
	i := slices.IndexFunc(found.Hits, func(h apiHit) bool { return h.URI == s.listing.URI })
	if i < 0 {
		return hit, fmt.Sprintf("%d other hits", len(found.Hits)), false
	}
	return found.Hits[i], "", true
}

func (s *story) searchEnglish(ctx context.Context) error { return s.search(ctx, "raindrops", "") }
func (s *story) searchChinese(ctx context.Context) error { return s.search(ctx, "雨点碗", "/zh") }

// search finds the product on B, by the API and on the page of a language, and follows the link to A.
func (s *story) search(ctx context.Context, query, language string) error {
	hit, seen, yes := s.hit(ctx, query)
	if !yes {
		return fmt.Errorf("expected the product for %q, saw %s", query, seen)
	}
	if hit.Title != bowlTitle || hit.Price != (souk.Money{Amount: firstYuan, Currency: "CNY"}) || hit.Node != s.pottery.address {
		return fmt.Errorf("expected %s of %s for %d, saw %+v", bowlTitle, s.pottery.address, firstYuan, hit)
	}
	page, err := s.visitor.page(ctx, s.prints.base()+language+"/search?q="+url.QueryEscape(query))
	if err != nil {
		return err
	}
	link := page.Find(`main a[href^="`+s.pottery.base()+`/"]`).FilterFunction(func(_ int, a *goquery.Selection) bool {
		return strings.Contains(a.Text(), "月白")
	}).First().AttrOr("href", "")
	if link == "" {
		return fmt.Errorf("expected a link to A on B's search page for %q, saw %s", query, strings.Join(strings.Fields(page.Find("main").Text()), " "))
	}
	return s.shows(ctx, link, bowlTitle)
}

// shows waits until a page shows all of the texts: pages are kept for a moment.
func (s *story) shows(ctx context.Context, address string, texts ...string) error {
	return until(ctx, fmt.Sprintf("%q on %s", texts, address), func(ctx context.Context) (string, bool) {
		page, err := s.visitor.page(ctx, address)
		if err != nil {
			return err.Error(), false
		}
		text := page.Find("main").Text()
		for _, t := range texts {
			if !strings.Contains(text, t) {
				return "no " + t, false
			}
		}
		return "", true
	})
}

// changePrice lowers the price, and looks for it at B.
func (s *story) changePrice(ctx context.Context) error {
	price := souk.Money{Amount: newYuan, Currency: "CNY"}
	err := s.visitor.call(ctx, http.MethodPatch, s.api(s.pottery, "/listings/"+s.listing.ID), s.token, map[string]any{"price": price}, &s.listing, http.StatusOK)
	if err != nil {
		return err
	}
	if err := s.shows(ctx, s.listing.URL, "238"); err != nil {
		return err
	}
	return until(ctx, fmt.Sprintf("the price of %d in B's search", newYuan), func(ctx context.Context) (string, bool) {
		hit, seen, yes := s.hit(ctx, "rainbowl")
		return fmt.Sprint(hit.Price, " ", seen), yes && hit.Price == price
	})
}

// orderByForm fills the form of the product's page, sends it twice, as people do who tap twice, and reads the order's page.
func (s *story) orderByForm(ctx context.Context) error {
	page, err := s.visitor.page(ctx, s.listing.URL)
	if err != nil {
		return err
	}
	var orders []string
	for range 2 {
		a, err := s.visitor.submit(ctx, s.listing.URL, page.Find("form#order"), map[string]string{"name": "Wanda Guest", "email": "wanda@visitor.example",
			"country": "CN", "address": "12 Garden Lane\nHangzhou", "payment": souk.PayTransfer})
		if err != nil {
			return err
		}
		receipt, err := a.page()
		if err != nil {
			return err
		}
		if !strings.Contains(a.url.Path, "/orders/") || !strings.Contains(receipt.Find("main").Text(), bowlTitle) {
			return fmt.Errorf("expected the page of an order of %s, saw %s %s", bowlTitle, a.url, a)
		}
		orders = append(orders, a.url.Path)
	}
	if orders[0] != orders[1] {
		return fmt.Errorf("expected one order for the same form sent twice, saw %v", orders)
	}
	return s.inStock(ctx, bowlStock-1)
}

// orderOnce places an order through the API twice with one key.
func (s *story) orderOnce(ctx context.Context) error {
	order := map[string]any{
		"lines":   []map[string]any{{"listing_id": s.listing.ID, "quantity": 1}},
		"contact": map[string]string{"name": "Wanda Guest", "email": "wanda@visitor.example"},
		"payment": souk.PayTransfer, "shipping": map[string]any{"pickup": true},
	}
	var placed [2]struct {
		ID, URL, State string
		Total          souk.Money
	}
	for i := range placed {
		if err := s.visitor.callWith(ctx, http.MethodPost, s.api(s.pottery, "/orders"), "", "story-of-the-demo-1", order, &placed[i],
			http.StatusCreated, http.StatusOK); err != nil {
			return err
		}
	}
	if placed[0] != placed[1] || placed[0].State != souk.OrderPlaced || placed[0].Total.Amount != newYuan {
		return fmt.Errorf("expected one order of %d, saw %+v", newYuan, placed)
	}
	if err := s.shows(ctx, placed[0].URL, bowlTitle); err != nil {
		return err
	}
	return s.inStock(ctx, bowlStock-2)
}

func (s *story) inStock(ctx context.Context, want int) error {
	id, err := souk.ParseID(s.listing.ID)
	if err != nil {
		return err
	}
	l, err := s.pottery.db.Listing(ctx, s.seller.ID, id)
	if err != nil {
		return err
	}
	if l.Quantity() != want {
		return fmt.Errorf("expected %d in stock, saw %d", want, l.Quantity())
	}
	return nil
}

// refuse sends A a reply in Mira's name that nobody signed.
func (s *story) refuse(ctx context.Context) error {
	note := s.reader.base() + "/posts/1"
	forged := fmt.Sprintf(`{"@context":"https://www.w3.org/ns/activitystreams","id":%q,"type":"Create","actor":%q,"to":["https://www.w3.org/ns/activitystreams#Public"],
		"object":{"id":%q,"type":"Note","attributedTo":%q,"content":"Never buy here","inReplyTo":%q,"to":["https://www.w3.org/ns/activitystreams#Public"]}}`,
		note+"#create", s.mira.URI, note, s.mira.URI, s.post.URI)
	a, err := s.visitor.ask(ctx, http.MethodPost, s.pottery.base()+"/inbox", []byte(forged), "Content-Type", "application/activity+json")
	if err != nil {
		return err
	}
	if a.status != http.StatusUnauthorized {
		return fmt.Errorf("expected 401 for an activity without a signature, saw %s", a)
	}
	if err := until(ctx, "A's inbox to be empty", func(ctx context.Context) (string, bool) {
		n, err := s.pottery.db.InboxWaiting(ctx)
		return fmt.Sprint(n, " waiting ", err), err == nil && n == 0
	}); err != nil {
		return err
	}
	if _, err := s.pottery.db.PostByURI(ctx, 0, note); !errors.Is(err, souk.ErrNotFound) {
		return fmt.Errorf("expected nothing of the forged reply at A, saw %v", err)
	}
	return nil
}

// withdraw deletes the product and waits until neither the API nor the page of B's search has it, and C forgot it.
func (s *story) withdraw(ctx context.Context) error {
	if err := s.visitor.call(ctx, http.MethodDelete, s.api(s.pottery, "/listings/"+s.listing.ID), s.token, nil, nil, http.StatusNoContent, http.StatusOK); err != nil {
		return err
	}
	if err := until(ctx, "B's search without the product", func(ctx context.Context) (string, bool) {
		var found struct{ Hits []apiHit }
		err := s.visitor.call(ctx, http.MethodGet, s.api(s.prints, "/search?q=rainbowl"), "", nil, &found, http.StatusOK)
		return fmt.Sprint(found.Hits, " ", err), err == nil && !slices.ContainsFunc(found.Hits, func(h apiHit) bool { return h.URI == s.listing.URI })
	}); err != nil {
		return err
	}
	page, err := s.visitor.page(ctx, s.prints.base()+"/search?q=rainbowl")
	if err != nil {
		return err
	}
	if strings.Contains(page.Find("main").Text(), bowlTitle) {
		return errors.New("expected B's search page without the product, saw it")
	}
	return until(ctx, "Mira's timeline without the product", func(ctx context.Context) (string, bool) {
		home, err := s.homeOf(ctx)
		return fmt.Sprint(home, " ", err), err == nil && !slices.Contains(home, s.listing.URI)
	})
}

// gone asks A for the product as a browser does, and as a server.
func (s *story) gone(ctx context.Context) error {
	for _, ask := range [][2]string{{s.listing.URL, "text/html"}, {s.listing.URI, "application/activity+json"}} {
		a, err := s.visitor.ask(ctx, http.MethodGet, ask[0], nil, "Accept", ask[1])
		if err != nil {
			return err
		}
		if a.status != http.StatusGone {
			return fmt.Errorf("expected %s as %s to answer 410, saw %s", ask[0], ask[1], a)
		}
	}
	return nil
}
