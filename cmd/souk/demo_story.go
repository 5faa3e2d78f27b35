package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"souk"
)

// story is the demonstration played as a test: every step says what it expects, and what it saw instead.
type story struct {
	*demo
	visitor *visitor
	photo   []byte // as a phone's camera stores it: on its side, with the place where it was taken

	seller, mira *souk.Account
	token        string // of A's owner, for the commerce API
	listing      apiListing
	home         []string // what Mira's home timeline showed before the price changed
	post, reply  *souk.Post
	deliveries   int
}

// step is one line of the story.
type step struct {
	name, what string
	play       func(context.Context) error
}

func (s *story) steps() []step {
	return []step{
		{"meet", "Mira on C finds A's seller by handle and follows", s.meet},
		{"publish", "A publishes a product with a photo and a price through the API", s.publish},
		{"photo", "A serves the photo upright, without where it was taken", s.servesPhoto},
		{"follow", "B's node follows A's catalogue", s.followCatalogue},
		{"arrive", "the product arrives at B over signed ActivityPub", s.arrives},
		{"search", "a visitor on B finds it by an English word, page and API", s.searchEnglish},
		{"search zh", "a visitor on B finds it by a Chinese word, and is led to A", s.searchChinese},
		{"timeline", "A's post and product come to Mira's home timeline", s.timeline},
		{"reply", "Mira replies on C; A's page shows it", s.answer},
		{"price", "A changes the price: B's index shows it", s.changePrice},
		{"quiet", "and Mira's timeline has no new post", s.noNewPost},
		{"order", "the visitor orders on A as a guest, by the form", s.orderByForm},
		{"order once", "the same Idempotency-Key twice through the API is one order", s.orderOnce},
		{"forgery", "A refuses an activity without a signature", s.refuse},
		{"withdraw", "A deletes the product: it leaves B's search", s.withdraw},
		{"gone", "A answers 410 to people and to servers", s.gone},
		{"deliveries", "nothing failed on the way", s.delivered},
	}
}

// tellStory plays all steps and prints a line for each. The first that fails ends the story with exit code 1.
func (d *demo) tellStory(ctx context.Context) (err error) {
	s := &story{demo: d, visitor: newVisitor()}
	if err := s.begin(ctx); err != nil {
		return err
	}
	start := time.Now()
	for _, step := range s.steps() {
		began := time.Now()
		err := step.play(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		line := fmt.Sprintf("%-66s %6d ms", step.what, time.Since(began).Milliseconds())
		if err != nil {
			d.t.fail(step.name, line+"\n"+err.Error())
			for _, n := range d.nodes() {
				if w := n.output.warnings(); w != "" {
					d.t.warn("node "+n.letter, w)
				}
			}
			return exitCode(1)
		}
		d.t.ok(step.name, line)
	}
	d.t.ok("story", fmt.Sprintf("told to its end in %.1f s: %d deliveries made, 0 failed", time.Since(start).Seconds(), s.deliveries))
	return nil
}

// begin finds who acts, draws the photo and makes the token.
func (s *story) begin(ctx context.Context) (err error) {
	if s.seller, err = s.pottery.db.Owner(ctx); err != nil {
		return err
	}
	if s.mira, err = s.reader.db.Owner(ctx); err != nil {
		return err
	}
	if s.token, err = s.pottery.db.CreateToken(ctx, s.seller.ID, "souk demo", []string{"read", "write", "admin:write"}, time.Time{}); err != nil {
		return err
	}
	s.photo, err = drawPicture("bowl", "white", 18)
	return err
}

// meet follows a person: WebFinger, actor, Follow, Accept, all signed and over HTTP.
func (s *story) meet(ctx context.Context) error {
	if err := s.reader.follow(ctx, s.mira.Name, s.seller.Name+"@"+s.pottery.address); err != nil {
		return err
	}
	return until(ctx, "A to count a follower", func(ctx context.Context) (string, bool) {
		n, _, err := s.pottery.db.FollowCounts(ctx, s.seller.ID)
		return fmt.Sprint(n, " ", err), n == 1
	})
}

// timeline lets the seller write a post; the product was announced when it was published.
func (s *story) timeline(ctx context.Context) (err error) {
	s.post, err = s.pottery.db.CreatePost(ctx, s.seller.ID, souk.NewPost{Lang: "en",
		Source: "The bowls are out of the kiln. 新的一窑碗出来了。 " + s.listing.URL + " #kiln"})
	if err != nil {
		return err
	}
	for _, uri := range []string{s.listing.URI, s.post.URI} {
		if err := until(ctx, uri+" in Mira's home timeline", func(ctx context.Context) (string, bool) {
			s.home, err = s.homeOf(ctx)
			return fmt.Sprint(s.home, " ", err), slices.Contains(s.home, uri)
		}); err != nil {
			return err
		}
	}
	return nil
}

// homeOf is the addresses of what Mira's home timeline shows, the newest first.
func (s *story) homeOf(ctx context.Context) (uris []string, err error) {
	posts, err := s.reader.db.Home(ctx, s.mira.ID, souk.Page{})
	for _, p := range posts {
		uris = append(uris, p.URI)
	}
	return uris, err
}

const (
	miraAsks   = "Do they stack? My shelf is low, and I would like to have three of them."
	sellerSays = "They do, four of them come to 18 cm. 可以叠放，四只摞起来 18 厘米。"
)

// answer lets Mira ask on her node and the seller answer on theirs; both are read where the other sees them.
func (s *story) answer(ctx context.Context) error {
	seen, err := s.reader.arrived(ctx, s.post.URI)
	if err != nil {
		return err
	}
	if s.reply, err = s.reader.db.CreatePost(ctx, s.mira.ID, souk.NewPost{Source: miraAsks, Lang: "en", InReplyTo: seen.ID}); err != nil {
		return err
	}
	asked, err := s.pottery.arrived(ctx, s.reply.URI)
	if err != nil {
		return err
	}
	if err := s.shows(ctx, s.post.URL, miraAsks, "@mira@"+s.reader.address); err != nil {
		return err
	}
	answer, err := s.pottery.db.CreatePost(ctx, s.seller.ID, souk.NewPost{Source: sellerSays, Lang: "en", InReplyTo: asked.ID})
	if err != nil {
		return err
	}
	if _, err := s.reader.arrived(ctx, answer.URI); err != nil {
		return err
	}
	s.home, err = s.homeOf(ctx)
	return err
}

// noNewPost looks after the new price has gone through every queue of A and B.
func (s *story) noNewPost(ctx context.Context) error {
	now, err := s.homeOf(ctx)
	if err != nil {
		return err
	}
	if fmt.Sprint(now) != fmt.Sprint(s.home) {
		return fmt.Errorf("expected Mira's timeline to stay %v, saw %v", s.home, now)
	}
	return nil
}

// delivered waits until no node has anything left to deliver, and counts.
func (s *story) delivered(ctx context.Context) error {
	total := 0
	for _, n := range s.nodes() {
		if err := until(ctx, "node "+n.letter+" to have delivered everything", func(ctx context.Context) (string, bool) {
			at, err := n.db.NextDelivery(ctx)
			return fmt.Sprint("a delivery due at ", at, " ", err), errors.Is(err, souk.ErrNotFound)
		}); err != nil {
			return err
		}
		owner, err := n.db.Owner(ctx)
		if err != nil {
			return err
		}
		failed, err := n.db.Deliveries(ctx, owner.ID, 0, "", "failed", souk.Page{})
		if err != nil {
			return err
		}
		if len(failed) > 0 {
			f := failed[0]
			return fmt.Errorf("expected no delivery to fail, saw %s of %s to %s: %d %s", f.Type, f.ObjectURI, f.Inbox, f.Status, f.Error)
		}
		done, err := n.delivered(ctx, owner.ID)
		if err != nil {
			return err
		}
		total += done
	}
	if total < len(s.steps())/2 {
		return fmt.Errorf("expected many deliveries, saw %d", total)
	}
	s.deliveries = total
	return nil
}

// delivered is how many deliveries the node has made.
func (n *demoNode) delivered(ctx context.Context, owner int64) (total int, err error) {
	page := souk.Page{Limit: 100}
	for {
		list, err := n.db.Deliveries(ctx, owner, 0, "", "delivered", page)
		if err != nil || len(list) == 0 {
			return total, err
		}
		total += len(list)
		page.Before = list[len(list)-1].ID
	}
}
