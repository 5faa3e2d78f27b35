package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"time"

	"souk"
)

const (
	pageFor = 3 * time.Second // how long each address is asked for
	// newPages is how many pages are asked for once each, so that none of them was made before.
	newPages = 40
)

// measurePage reads a product page again and again, as many readers would, and a static file of the same server.
func (b *bench) measurePage(ctx context.Context) error {
	n, err := b.running(ctx)
	if err != nil {
		return err
	}
	b.table.say("making products")
	page, once, err := n.products(ctx)
	if err != nil {
		return err
	}
	markup, err := n.read(ctx, page)
	if err != nil {
		return err
	}
	found := regexp.MustCompile(`href="(/assets/[^"]+\.css)"`).FindSubmatch(markup)
	if found == nil {
		return fmt.Errorf("%s names no stylesheet of the node", page)
	}
	asset := string(found[1])
	style, err := n.read(ctx, asset)
	if err != nil {
		return err
	}
	product, err := n.readers(ctx, page)
	if err != nil {
		return err
	}
	file, err := n.readers(ctx, asset)
	if err != nil {
		return err
	}
	first, err := n.readOnce(ctx, once)
	if err != nil {
		return err
	}
	b.table.note("page of %d bytes, stylesheet of %d; both sent in gzip; for %s each", len(markup), len(style), pageFor)
	b.table.add(perSecond("page", len(product.each), product.elapsed).over("stylesheet", rate(len(file.each), file.elapsed)))
	b.table.add(inMillis("page, median", product.each.median()).over("stylesheet, median", millis(file.each.median())))
	b.table.add(inMillis("page, 99 of 100", product.each.at(0.99)).over("stylesheet, 99 of 100", millis(file.each.at(0.99))))
	b.table.add(inMillis("processor time of the node each", product.time.node).over("stylesheet", millis(file.time.node)))
	b.table.add(inMillis("page not made before, median", first.median()).over("page again", millis(product.each.median())))
	return nil
}

// products makes a product with a picture and a conversation, and others for pages that nobody has seen. It returns the
// paths of their pages.
func (n *benchNode) products(ctx context.Context) (page string, once []string, err error) {
	drawn, err := drawPicture("cup", "", 1)
	if err != nil {
		return "", nil, err
	}
	picture, err := souk.NewPictures(souk.PictureConfig{}).Process(ctx, bytes.NewReader(drawn))
	if err != nil {
		return "", nil, err
	}
	asker, err := n.db.CreateAccount(ctx, souk.NewAccount{Name: "asker", DisplayName: "Somebody who asks", Password: rand.Text()})
	if err != nil {
		return "", nil, err
	}
	for i := range newPages + 1 {
		media, err := n.db.AddPicture(ctx, n.owner.ID, picture, "A cup on a table, in window light")
		if err != nil {
			return "", nil, err
		}
		l, err := n.db.CreateListing(ctx, n.owner.ID, souk.NewListing{Title: fmt.Sprintf("Cup with ash glaze, number %d", i+1),
			Description: "Thrown in spring, fired with *pine* for three days.\n\nHolds **two hundred millilitres**. Every one is a little different: " +
				"write to us which of them you would like.", Price: souk.Money{Amount: 2400, Currency: "EUR"}, Quantity: 1000,
			Category: "Home/Kitchen/Cups", Tags: []string{"pottery", "cup", "celadon"}, MediaIDs: []int64{media.ID}, Lang: "en"})
		if err != nil {
			return "", nil, err
		}
		for _, text := range []string{"Does it go into the dishwasher?", "How high is it?", "Mine has come, and it is lovely."} {
			if _, err := n.db.CreatePost(ctx, asker.ID, souk.NewPost{Source: text, Lang: "en", InReplyTo: l.ID}); err != nil {
				return "", nil, err
			}
		}
		if i == 0 {
			page = "/products/" + l.Slug
		} else {
			once = append(once, "/products/"+l.Slug)
		}
	}
	return page, once, n.quiet(ctx)
}

// read is the body of a page of the node.
func (n *benchNode) read(ctx context.Context, path string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, n.base()+path, nil)
	if err != nil {
		return nil, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if answer.StatusCode != http.StatusOK {
		err = errors.Join(err, fmt.Errorf("GET %s: %s", path, answer.Status))
	}
	return body, err
}

// readership is what reading one address came to.
type readership struct {
	*volley
	time usage // of each request
}

// readers ask for the path over and over.
func (n *benchNode) readers(ctx context.Context, path string) (r readership, err error) {
	request, err := n.get(path)
	if err != nil {
		return r, err
	}
	before, err := n.usage()
	if err != nil {
		return r, err
	}
	if r.volley, err = fire(ctx, n.address, loadConnections, http.StatusOK, during(pageFor, request)); err != nil {
		return r, err
	}
	after, err := n.usage()
	used := after.since(before)
	r.time = usage{oneOf(used.node, len(r.each)), oneOf(used.postgres, len(r.each))}
	return r, err
}

// readOnce asks for each path once, one after another.
func (n *benchNode) readOnce(ctx context.Context, paths []string) (durations, error) {
	var requests [][]byte
	for _, p := range paths {
		request, err := n.get(p)
		if err != nil {
			return nil, err
		}
		requests = append(requests, request)
	}
	v, err := fire(ctx, n.address, 1, http.StatusOK, from(requests))
	if err != nil {
		return nil, err
	}
	return v.each, nil
}

func (n *benchNode) get(path string) ([]byte, error) {
	return wire(http.MethodGet, n.address, path, http.Header{"Accept": {"text/html"}, "Accept-Encoding": {"gzip"}}, nil)
}
