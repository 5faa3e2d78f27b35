package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"souk"
	"souk/federation"
)

// The limits of a fan-out: how long the call that publishes may take; the node's processor time for a delivery, in times of a
// bare client that signs and posts the same over new TLS connections; deliveries a second where every round trip takes
// farAway; how long healthy hosts wait while others are faulty, in times of a fan-out without faults; and how often a host
// that is well again is tried until it has what it missed.
const (
	publishTime  = 20 // ms
	deliveryTime = 1.4
	farRate      = 500 // /s
	faultyTime   = 1.2
	revivedAfter = 2
)

const fanoutRounds = 3

// farAway is the round trip to another continent, more or less.
const farAway = 50 * time.Millisecond

// measureFanout publishes posts of the owner to followers on distinct hosts, and in turn lets a bare client sign and post
// the same to the same hosts; then over a long way; then while every fifth host is faulty.
func (b *bench) measureFanout(ctx context.Context) error {
	n, err := b.running(ctx)
	if err != nil {
		return err
	}
	b.table.say("%d hosts begin to follow", b.peers.hosts)
	if err := b.followers(ctx, n, b.peers); err != nil {
		return err
	}
	bare, err := newBareClient(b.authority())
	if err != nil {
		return err
	}
	sign, err := bare.signTime()
	if err != nil {
		return err
	}
	var told, floor []fanout
	for round := range fanoutRounds + 1 {
		b.table.say("post %d of %d", round+1, fanoutRounds+1)
		one, body, err := n.fanout(ctx, b.peers, peerManners{})
		if err != nil {
			return err
		}
		other, err := bare.fanout(ctx, b.peers, body)
		if err != nil {
			return err
		}
		if round > 0 { // the first only warms up
			told, floor = append(told, one), append(floor, other)
		}
	}
	b.fanoutRows(b.peers.hosts, sign, told, floor)
	b.table.say("over a long way")
	far, body, err := n.fanout(ctx, b.peers, peerManners{rtt: farAway})
	if err != nil {
		return err
	}
	bareFar, err := bare.fanout(ctx, b.peers, body)
	if err != nil {
		return err
	}
	b.table.add(perSecond("deliveries, a round trip takes 50 ms", b.peers.hosts, far.elapsed).
		over("bare client", rate(b.peers.hosts, bareFar.elapsed)).least(farRate))
	return b.measureFaulty(ctx, n, medianOf(told, fanout.whole))
}

// fanout is what telling all hosts of one post came to.
type fanout struct {
	call     time.Duration // of publishing
	elapsed  time.Duration // until the last host had it
	each     time.Duration // processor time of who sends
	postgres time.Duration // and of PostgreSQL, each
}

func (f fanout) whole() time.Duration { return f.elapsed }

func medianOf(list []fanout, part func(fanout) time.Duration) time.Duration {
	var all durations
	for _, f := range list {
		all = append(all, part(f))
	}
	return all.median()
}

func (b *bench) fanoutRows(hosts int, sign time.Duration, told, floor []fanout) {
	each := func(f fanout) time.Duration { return f.each }
	bare := millis(medianOf(floor, each))
	b.table.note("%d hosts, each connection a new one with TLS 1.3, every other host with HTTP/2; median of %d posts", hosts, fanoutRounds)
	b.table.add(inMillis("publishing call", medianOf(told, func(f fanout) time.Duration { return f.call })).most(publishTime))
	b.table.add(perSecond("deliveries", hosts, medianOf(told, fanout.whole)).over("bare client", rate(hosts, medianOf(floor, fanout.whole))))
	b.table.add(inMillis("processor time of the node each", medianOf(told, each)).over("bare client: sign, TLS, POST", bare).mostRatio(deliveryTime))
	b.table.add(inMillis("  the same", medianOf(told, each)).over("raw RSA-2048 signature", millis(sign)))
	b.table.add(inMillis("processor time of PostgreSQL each", medianOf(told, func(f fanout) time.Duration { return f.postgres })))
}

// measureFaulty publishes while every fifth host hangs, fails or hangs up: first to all who are well, then, when those are
// well again, to them.
func (b *bench) measureFaulty(ctx context.Context, n *benchNode, without time.Duration) error {
	b.table.say("while every fifth host is faulty")
	if err := b.peers.behave(ctx, peerManners{faulty: true}); err != nil {
		return err
	}
	start := time.Now()
	post, err := n.publish(ctx)
	if err != nil {
		return err
	}
	healthy, faulty := 0, 0
	for i := range b.peers.hosts {
		if isFaulty(i) {
			faulty++
		} else {
			healthy++
		}
	}
	if err := b.peers.until(ctx, "the healthy hosts to have it", func(r peerReport) bool { return r.Healthy >= healthy }); err != nil {
		return err
	}
	took := time.Since(start)
	if err := b.peers.behave(ctx, peerManners{keep: true}); err != nil {
		return err
	}
	well := time.Now()
	// A trial that hangs now is one that began before.
	var attempts int
	if err := n.store.pool.QueryRow(ctx, `select coalesce(max(d.attempts), 0) from deliveries d join activities a on a.id = d.activity_id
		where a.post_id = $1 and d.state = 'queued'`, post.ID).Scan(&attempts); err != nil {
		return err
	}
	b.table.say("until those have it that were faulty")
	if err := b.peers.until(ctx, "the faulty hosts to have it", func(r peerReport) bool { return r.Faulty >= faulty }); err != nil {
		return err
	}
	recovered := time.Since(well)
	if err := n.quiet(ctx); err != nil {
		return err
	}
	var most int
	if err := n.store.pool.QueryRow(ctx, `select max(d.attempts) from deliveries d join activities a on a.id = d.activity_id
		where a.post_id = $1`, post.ID).Scan(&most); err != nil {
		return err
	}
	r, err := b.peers.report(ctx)
	if err != nil {
		return err
	}
	b.table.add(inMillis("every fifth host faulty: the others have it", took).over("without faults", millis(without)).mostRatio(faultyTime))
	b.table.add(benchRow{What: "  the faulty have it, after they are well", Figure: recovered.Seconds(), Unit: "s"})
	b.table.add(benchRow{What: "  retries until then, at most", Figure: float64(most - attempts)}.most(revivedAfter))
	b.table.add(benchRow{What: "  got twice, or broken", Figure: float64(r.Doubled + r.Broken)}.none())
	return nil
}

// until waits until what the hosts got is enough.
func (p *benchPeers) until(ctx context.Context, what string, enough func(peerReport) bool) error {
	limited, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	for {
		r, err := p.report(limited)
		if err == nil && enough(r) {
			return nil
		}
		if err == nil {
			err = pause(limited, lookEvery)
		}
		if err != nil {
			return fmt.Errorf("wait for %s (now %+v): %w", what, r, err)
		}
	}
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

// publish makes the owner publish a post, to all followers.
func (n *benchNode) publish(ctx context.Context) (*souk.Post, error) {
	return n.db.CreatePost(ctx, n.owner.ID, souk.NewPost{Lang: "en", Source: "The shop is open until eight tonight. " +
		"There is tea, and whoever brings a chipped cup gets it mended while they wait. " + time.Now().Format(time.TimeOnly)})
}

// fanout publishes a post and waits until every host has it. It returns what was sent.
func (n *benchNode) fanout(ctx context.Context, hosts *benchPeers, how peerManners) (f fanout, body []byte, err error) {
	if err := hosts.behave(ctx, how); err != nil {
		return f, nil, err
	}
	before, err := n.usage()
	if err != nil {
		return f, nil, err
	}
	start := time.Now()
	post, err := n.publish(ctx)
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
	got, err := hosts.report(ctx)
	if err != nil {
		return f, nil, err
	}
	if got.Healthy+got.Faulty != hosts.hosts || got.Doubled+got.Broken > 0 {
		return f, nil, fmt.Errorf("the hosts got %+v of one post to %d", got, hosts.hosts)
	}
	return f, body, n.store.pool.QueryRow(ctx, `select body from activities where post_id = $1`, post.ID).Scan(&body)
}

// bareClient signs and posts, and does nothing else: no queue, no order, no retry, no guard.
type bareClient struct {
	client *http.Client
	key    *rsa.PrivateKey
}

// newBareClient makes one that trusts what the certificates of a file signed.
func newBareClient(authority string) (*bareClient, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(authority)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("no certificate in %s", authority)
	}
	return &bareClient{key: key, client: &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}}}, nil
}

// bareAtOnce is to how many hosts the bare client posts at once: as many as the node does.
const bareAtOnce = 128

func (c *bareClient) fanout(ctx context.Context, hosts *benchPeers, body []byte) (f fanout, err error) {
	start := time.Now()
	f.each, err = ownTimeOf(hosts.hosts, func() error {
		group, ctx := errgroup.WithContext(ctx)
		group.SetLimit(bareAtOnce)
		for i := range hosts.hosts {
			group.Go(func() error {
				_, err := c.post(ctx, "https://"+hosts.address(i)+"/inbox", body)
				return err
			})
		}
		return group.Wait()
	})
	f.elapsed = time.Since(start)
	return f, err
}

func (c *bareClient) post(ctx context.Context, inbox string, body []byte) (status int, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, inbox, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	request.Header.Set("Content-Type", "application/activity+json")
	if err := federation.SignCavage(request, body, "https://127.0.0.1/users/bench#main-key", c.key, time.Now()); err != nil {
		return 0, err
	}
	answer, err := c.client.Do(request)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	_, err = io.Copy(io.Discard, answer.Body)
	return answer.StatusCode, err
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
