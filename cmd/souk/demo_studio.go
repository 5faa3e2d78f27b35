package main

import (
	"bytes"
	"context"
	"fmt"
	"runtime"

	"souk"
)

// studio draws the pictures of the content while the nodes start, in the order in which they are wanted.
type studio struct {
	pictures map[demoPicture]*drawn
	ready    *souk.Pictures
}

// drawn is a picture on its way.
type drawn struct {
	done    chan struct{}
	picture *souk.Picture
	err     error
}

// newStudio starts to draw every picture of the shops. What is not begun when ctx ends is not drawn.
func newStudio(ctx context.Context, shops []demoShop) *studio {
	s := &studio{pictures: map[demoPicture]*drawn{}, ready: souk.NewPictures(souk.PictureConfig{})}
	var order []demoPicture
	add := func(p demoPicture) {
		if p.kind != "" && s.pictures[p] == nil {
			s.pictures[p] = &drawn{done: make(chan struct{})}
			order = append(order, p)
		}
	}
	for _, shop := range shops {
		add(shop.portrait) // others see it with the first word that somebody says
	}
	for _, shop := range shops {
		for _, l := range shop.timeline() {
			for _, p := range l.pictures() {
				add(p)
			}
		}
	}
	queue := make(chan demoPicture, len(order))
	for _, p := range order {
		queue <- p
	}
	close(queue)
	for range runtime.NumCPU() {
		go func() {
			for p := range queue {
				s.draw(ctx, p)
			}
		}()
	}
	return s
}

func (s *studio) draw(ctx context.Context, p demoPicture) {
	d := s.pictures[p]
	defer close(d.done)
	if d.err = ctx.Err(); d.err != nil {
		return
	}
	body, err := drawPicture(p.kind, p.finish, p.seed)
	if err != nil {
		d.err = err
		return
	}
	d.picture, d.err = s.ready.Process(ctx, bytes.NewReader(body))
}

// hang stores a picture of the content for an account, when it is drawn.
func (s *studio) hang(ctx context.Context, db *souk.DB, accountID int64, p demoPicture) (int64, error) {
	d := s.pictures[p]
	if d == nil {
		return 0, fmt.Errorf("picture %v is not in the content", p)
	}
	select {
	case <-d.done:
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	if d.err != nil {
		return 0, d.err
	}
	m, err := db.AddPicture(ctx, accountID, d.picture, p.alt)
	if err != nil {
		return 0, err
	}
	return m.ID, nil
}
