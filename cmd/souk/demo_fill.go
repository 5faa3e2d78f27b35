package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"souk"
)

// made is what the content has become: by its key the address that names it on every node, and its page.
type made struct {
	lock  sync.Mutex
	uris  map[string]string
	pages map[string]string
	ids   map[string]int64
}

// fill opens the shops, lets them follow each other, and plays what happened in them, the oldest first.
func (d *demo) fill(ctx context.Context, shops []demoShop) error {
	nodes := d.nodes()
	people := make([]*souk.Account, len(nodes))
	if err := each(ctx, nodes, func(ctx context.Context, i int) (err error) {
		people[i], err = nodes[i].openShop(ctx, shops[i], d.studio)
		return err
	}); err != nil {
		return err
	}
	if !d.check { // the story lets them meet later
		if err := d.acquaint(ctx); err != nil {
			return err
		}
	}
	m := &made{uris: map[string]string{}, pages: map[string]string{}, ids: map[string]int64{}}
	if err := each(ctx, nodes, func(ctx context.Context, i int) error {
		return nodes[i].play(ctx, shops[i], people[i].ID, d.studio, m)
	}); err != nil {
		return err
	}
	if d.check {
		return nil
	}
	if err := d.converse(ctx, people, m); err != nil {
		return err
	}
	return d.orders(ctx, people[0].ID, m)
}

// each works on all nodes at once.
func each(ctx context.Context, nodes []*demoNode, work func(ctx context.Context, i int) error) error {
	group, ctx := errgroup.WithContext(ctx)
	for i, n := range nodes {
		group.Go(func() error {
			if err := work(ctx, i); err != nil {
				return fmt.Errorf("node %s: %w", n.letter, err)
			}
			return nil
		})
	}
	return group.Wait()
}

// openShop makes the account of the owner and sets the shop up.
func (n *demoNode) openShop(ctx context.Context, s demoShop, studio *studio) (*souk.Account, error) {
	a, err := n.db.CreateAccount(ctx, s.account)
	if err != nil {
		return nil, err
	}
	if err := n.db.SaveShop(ctx, a.ID, s.shop); err != nil {
		return nil, err
	}
	profile := souk.Profile{Bio: &s.bio, Fields: s.fields}
	if s.portrait.kind != "" {
		id, err := studio.hang(ctx, n.db, a.ID, s.portrait)
		if err != nil {
			return nil, err
		}
		profile.AvatarID = &id
	}
	if _, err := n.db.SaveProfile(ctx, a.ID, profile); err != nil {
		return nil, err
	}
	// The key is made by the node's own worker; others can read the actor only with it.
	return a, until(ctx, "a key for "+a.Name, func(ctx context.Context) (string, bool) {
		a, err = n.db.Account(ctx, a.ID)
		if err != nil {
			return err.Error(), false
		}
		return "none", a.PublicKey != ""
	})
}

// event is one thing of a shop's past: a product or a post.
type event struct {
	ago     time.Duration
	listing *demoListing
	post    *demoPost
}

func (e event) pictures() []demoPicture {
	if e.listing != nil {
		return e.listing.pictures
	}
	if e.post.picture.kind == "" {
		return nil
	}
	return []demoPicture{e.post.picture}
}

// timeline is what happened in the shop, the oldest first.
func (s demoShop) timeline() []event {
	var all []event
	for i := range s.listings {
		all = append(all, event{ago: s.listings[i].ago, listing: &s.listings[i]})
	}
	for i := range s.posts {
		all = append(all, event{ago: s.posts[i].ago, post: &s.posts[i]})
	}
	slices.SortFunc(all, func(a, b event) int { return cmp.Compare(b.ago, a.ago) })
	return all
}

// play lets the past of a shop happen, with the node's clock set back to when it happened.
func (n *demoNode) play(ctx context.Context, s demoShop, accountID int64, studio *studio, m *made) error {
	defer n.clock.set(0)
	for _, e := range s.timeline() {
		var media []int64
		n.clock.set(0) // a picture of last month that hangs on nothing yet would be cleaned away
		for _, p := range e.pictures() {
			id, err := studio.hang(ctx, n.db, accountID, p)
			if err != nil {
				return err
			}
			media = append(media, id)
		}
		n.clock.set(e.ago)
		var err error
		if e.listing != nil {
			err = n.sell(ctx, accountID, e.listing, media, m)
		} else {
			err = n.write(ctx, accountID, e.post, media, m)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (n *demoNode) sell(ctx context.Context, sellerID int64, l *demoListing, media []int64, m *made) error {
	currency := "CNY"
	if shop, err := n.db.Shop(ctx); err != nil {
		return err
	} else if shop.Currency != "" {
		currency = shop.Currency
	}
	listing, err := n.db.CreateListing(ctx, sellerID, souk.NewListing{Title: l.title, Description: l.text, Lang: l.lang, Category: l.category, Tags: l.tags,
		Price: souk.Money{Amount: l.price, Currency: currency}, Quantity: l.quantity, MediaIDs: media, Announce: !l.quiet})
	if err != nil {
		return err
	}
	m.add(l.key, listing.ID, listing.Post.URI, n.base()+"/products/"+listing.Slug)
	return nil
}

func (n *demoNode) write(ctx context.Context, authorID int64, p *demoPost, media []int64, m *made) error {
	post, err := n.db.CreatePost(ctx, authorID, souk.NewPost{Source: m.linked(p.text), Lang: p.lang, MediaIDs: media})
	if err != nil {
		return err
	}
	m.add(p.key, post.ID, post.URI, post.URL)
	return nil
}

func (m *made) add(key string, id int64, uri, page string) {
	m.lock.Lock()
	defer m.lock.Unlock()
	m.ids[key], m.uris[key], m.pages[key] = id, uri, page
}

// linked puts the addresses of products into a text.
func (m *made) linked(text string) string {
	m.lock.Lock()
	defer m.lock.Unlock()
	for key, page := range m.pages {
		text = strings.ReplaceAll(text, "[["+key+"]]", page)
	}
	return text
}

// orders lets guests order at the potter's: one order is new, one is paid, one is on its way.
func (d *demo) orders(ctx context.Context, sellerID int64, m *made) error {
	n := d.pottery
	defer n.clock.set(0)
	for _, o := range []struct {
		ago                  time.Duration
		name, email, address string
		key                  string
		quantity             int
		to                   []string
	}{
		{2*day - hour, "Jonas Weber", "jonas@buyer.example", "Gartenstr. 12\n20144 Hamburg\nGermany", "mug", 4, []string{souk.OrderPaid, souk.OrderShipped}},
		{19 * hour, "陈小满", "xiaoman@buyer.example", "上海市徐汇区永嘉路 200 弄 6 号", "cup", 2, []string{souk.OrderPaid}},
		{2 * hour, "Amélie Roux", "amelie@buyer.example", "3 rue des Vinaigriers\n75010 Paris\nFrance", "teapot", 1, nil},
	} {
		n.clock.set(o.ago)
		order, err := n.db.PlaceOrder(ctx, souk.NewOrder{Lines: []souk.NewOrderLine{{ListingID: m.ids[o.key], Quantity: o.quantity}}, Name: o.name,
			Email: o.email, Country: "CN", Address: o.address, Payment: souk.PayTransfer, IdempotencyKey: "demo-" + o.email})
		if err != nil {
			return err
		}
		for i, state := range o.to {
			n.clock.set(o.ago - time.Duration(i+1)*hour)
			tracking := ""
			if state == souk.OrderShipped {
				tracking = "EMS 1029 3847 56 CN"
			}
			if _, err := n.db.SetOrderState(ctx, sellerID, order.ID, state, "", tracking); err != nil {
				return err
			}
		}
	}
	return nil
}
