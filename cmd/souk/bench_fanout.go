package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"souk"
	"souk/federation"
)

// The limits of a fan-out: how long the call that publishes may take, and the node's processor time for a delivery, in
// times of a bare client that signs and posts the same.
const (
	publishTime  = 20 // ms
	deliveryTime = 1.4
)

const fanoutRounds = 3

// measureFanout publishes posts of the owner to followers on distinct hosts, and in turn lets a bare client sign and post
// the same to the same hosts.
func (b *bench) measureFanout(ctx context.Context) error {
	n, err := b.running(ctx)
	if err != nil {
		return err
	}
	hosts, err := b.otherHosts()
	if err != nil {
		return err
	}
	b.table.say("%d hosts begin to follow", hosts.hosts)
	if err := b.followers(ctx, n, hosts); err != nil {
		return err
	}
	bare, err := newBareClient()
	if err != nil {
		return err
	}
	defer bare.client.CloseIdleConnections()
	sign, err := bare.signTime()
	if err != nil {
		return err
	}
	var told, floor []fanout
	for round := range fanoutRounds + 1 {
		b.table.say("post %d of %d", round+1, fanoutRounds+1)
		one, body, err := n.fanout(ctx, hosts)
		if err != nil {
			return err
		}
		other, err := bare.fanout(ctx, hosts, body)
		if err != nil {
			return err
		}
		if round > 0 { // the first only warms connections up
			told, floor = append(told, one), append(floor, other)
		}
	}
	b.fanoutRows(hosts.hosts, sign, told, floor)
	return nil
}

// fanout is what telling all hosts of one post came to.
type fanout struct {
	call     time.Duration // of publishing
	elapsed  time.Duration // until the last host had it
	each     time.Duration // processor time of who sends
	postgres time.Duration // and of PostgreSQL, each
}

func (b *bench) fanoutRows(hosts int, sign time.Duration, told, floor []fanout) {
	of := func(list []fanout, part func(fanout) time.Duration) time.Duration {
		var all durations
		for _, f := range list {
			all = append(all, part(f))
		}
		return all.median()
	}
	elapsed := func(f fanout) time.Duration { return f.elapsed }
	each := func(f fanout) time.Duration { return f.each }
	bare := millis(of(floor, each))
	b.table.note("%d hosts, median of %d posts", hosts, fanoutRounds)
	b.table.add(inMillis("publishing call", of(told, func(f fanout) time.Duration { return f.call })).most(publishTime))
	b.table.add(perSecond("deliveries", hosts, of(told, elapsed)).over("bare client", rate(hosts, of(floor, elapsed))))
	b.table.add(inMillis("processor time of the node each", of(told, each)).over("bare client: sign, POST", bare).mostRatio(deliveryTime))
	b.table.add(inMillis("  the same", of(told, each)).over("raw RSA-2048 signature", millis(sign)))
	b.table.add(inMillis("processor time of PostgreSQL each", of(told, func(f fanout) time.Duration { return f.postgres })))
}

// followers lets one person of every host follow the owner. Accepting them is delivered too: afterwards every host is
// known, as it is when somebody posts.
func (b *bench) followers(ctx context.Context, n *benchNode, hosts *benchPeers) error {
	group, inside := errgroup.WithContext(ctx)
	group.SetLimit(4)
	for i := range hosts.hosts {
		group.Go(func() error {
			follower, err := n.db.UpsertRemoteAccount(inside, souk.RemoteAccount{Account: remotePerson(hosts.address(i), "reader")})
			if err != nil {
				return err
			}
			return n.db.ReceiveFollow(inside, follower.URI+"#follow", follower, n.owner, false)
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return n.quiet(ctx)
}

// fanout publishes a post and waits until every host has it. It returns what was sent.
func (n *benchNode) fanout(ctx context.Context, hosts *benchPeers) (f fanout, body []byte, err error) {
	had, err := hosts.received(ctx)
	if err != nil {
		return f, nil, err
	}
	before, err := n.usage()
	if err != nil {
		return f, nil, err
	}
	start := time.Now()
	post, err := n.db.CreatePost(ctx, n.owner.ID, souk.NewPost{Lang: "en", Source: "The shop is open until eight tonight. " +
		"There is tea, and whoever brings a chipped cup gets it mended while they wait. " + start.Format(time.TimeOnly)})
	if err != nil {
		return f, nil, err
	}
	f.call = time.Since(start)
	if err := n.until(ctx, 2*time.Minute, "the deliveries to end", `select exists (select from activities where post_id = $1)
		and not exists (select from deliveries where state = 'queued')`, post.ID); err != nil {
		return f, nil, err
	}
	f.elapsed = time.Since(start)
	after, err := n.usage()
	if err != nil {
		return f, nil, err
	}
	used := after.since(before)
	f.each, f.postgres = oneOf(used.node, hosts.hosts), oneOf(used.postgres, hosts.hosts)
	have, err := hosts.received(ctx)
	if err != nil {
		return f, nil, err
	}
	if have-had != hosts.hosts {
		return f, nil, fmt.Errorf("%d hosts got the post, not %d", have-had, hosts.hosts)
	}
	return f, body, n.store.pool.QueryRow(ctx, `select body from activities where post_id = $1`, post.ID).Scan(&body)
}

// bareClient signs and posts, and does nothing else: no queue, no order, no retry, no guard.
type bareClient struct {
	client *http.Client
	key    *rsa.PrivateKey
}

func newBareClient() (*bareClient, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	// As many connections are kept as the node keeps.
	return &bareClient{key: key, client: &http.Client{Transport: &http.Transport{MaxIdleConns: 256, MaxIdleConnsPerHost: 2, IdleConnTimeout: time.Minute}}}, nil
}

// bareAtOnce is to how many hosts the bare client posts at once: as many as the node does.
const bareAtOnce = 64

func (c *bareClient) fanout(ctx context.Context, hosts *benchPeers, body []byte) (f fanout, err error) {
	start := time.Now()
	f.each, err = ownTimeOf(hosts.hosts, func() error {
		group, ctx := errgroup.WithContext(ctx)
		group.SetLimit(bareAtOnce)
		for i := range hosts.hosts {
			group.Go(func() error { return c.post(ctx, "http://"+hosts.address(i)+"/inbox", body) })
		}
		return group.Wait()
	})
	f.elapsed = time.Since(start)
	return f, err
}

func (c *bareClient) post(ctx context.Context, inbox string, body []byte) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, inbox, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/activity+json")
	if err := federation.SignCavage(request, body, "http://127.0.0.1/users/bench#main-key", c.key, time.Now()); err != nil {
		return err
	}
	answer, err := c.client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	_, err = io.Copy(io.Discard, answer.Body)
	return err
}

// signTime is the processor time of one raw signature with RSA-2048 and SHA-256.
func (c *bareClient) signTime() (time.Duration, error) {
	const rounds = 500
	sum := sha256.Sum256([]byte("what a signature is made of"))
	return ownTimeOf(rounds, func() error {
		for range rounds {
			if _, err := rsa.SignPKCS1v15(nil, c.key, crypto.SHA256, sum[:]); err != nil {
				return err
			}
		}
		return nil
	})
}
