package main

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"runtime"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"souk"
	"souk/federation"
)

// The limits of the inbox: processor time of node and PostgreSQL for an activity until it is stored and can be seen, the
// slowest of a hundred answers, and how long after the last answer all can be seen.
const (
	ingestTime    = 1.5 // ms
	ingestAnswer  = 50  // ms
	ingestVisible = 2   // s
)

// ingestActors is how many people of other nodes write, each on a host of its own.
const ingestActors = 10

// writer is somebody of another node whom the owner follows.
type writer struct {
	account *souk.Account
	key     *rsa.PrivateKey
	host    string
}

// measureIngest posts activities that people of other nodes signed, as fast as the node answers.
func (b *bench) measureIngest(ctx context.Context) error {
	n, err := b.running(ctx)
	if err != nil {
		return err
	}
	writers, err := b.writers(ctx, n, "writer")
	if err != nil {
		return err
	}
	count, warmUp := b.amount(3000, 20_000), 200
	b.table.say("signing %d activities", count+warmUp)
	bodies, requests, err := signedNotes(n, writers, count+warmUp)
	if err != nil {
		return err
	}
	verify, err := verifyTime(writers[0].key)
	if err != nil {
		return err
	}
	insert, err := n.bareInserts(ctx, bodies[warmUp:])
	if err != nil {
		return err
	}
	b.table.say("posting them")
	if _, err := n.ingest(ctx, requests[:warmUp]); err != nil {
		return err
	}
	got, err := n.ingest(ctx, requests[warmUp:])
	if err != nil {
		return err
	}
	b.ingestRows(count, len(bodies[0]), got, insert, verify)
	return nil
}

// ingested is what a load on the inbox came to.
type ingested struct {
	answers *volley
	visible time.Duration // from the last answer until all posts are in the timeline
	until   usage         // until then
	behind  usage         // from then on, until nothing is left to do
}

func (b *bench) ingestRows(count, size int, got *ingested, insert *bareLoad, verify time.Duration) {
	share := func(d time.Duration) time.Duration { return oneOf(d, count) }
	add := b.table.add
	b.table.note("%d activities of %d bytes, of %d people whom the owner follows and search may not show", count, size, ingestActors)
	add(perSecond("answered with 202", count, got.answers.elapsed).over("bare INSERTs of the bytes", rate(count, insert.elapsed)))
	add(inMillis("answer, median", got.answers.each.median()).over("bare INSERT, median", millis(insert.each.median())))
	add(inMillis("answer, 99 of 100", got.answers.each.at(0.99)).over("bare INSERT, 99 of 100", millis(insert.each.at(0.99))).most(ingestAnswer))
	add(benchRow{What: "all visible after the last answer", Figure: got.visible.Seconds(), Unit: "s"}.most(ingestVisible))
	add(inMillis("processor time each, both", share(got.until.sum())).over("verification and INSERT", millis(verify+insert.postgres)).most(ingestTime))
	add(inMillis("  of the node", share(got.until.node)).over("raw RSA-2048 verification", millis(verify)))
	add(inMillis("  of PostgreSQL", share(got.until.postgres)).over("bare INSERT", millis(insert.postgres)))
	add(inMillis("indexing and the like, afterwards, both", share(got.behind.sum())))
}

// writers makes the people who write, and lets the owner follow them. Their actors are known to the node, as those of
// people whom somebody follows are.
func (b *bench) writers(ctx context.Context, n *benchNode, name string) ([]*writer, error) {
	hosts, err := b.otherHosts()
	if err != nil {
		return nil, err
	}
	var list []*writer
	for i := range ingestActors {
		w, err := newWriter(ctx, n.db, hosts.address(i), name)
		if err != nil {
			return nil, err
		}
		f, err := n.db.Follow(ctx, n.owner.ID, w.account.ID)
		if err != nil {
			return nil, err
		}
		if _, err := n.db.FollowAnswered(ctx, w.account, f.URI, n.owner.URI, true); err != nil {
			return nil, err
		}
		list = append(list, w)
	}
	return list, n.quiet(ctx)
}

func newWriter(ctx context.Context, db *souk.DB, host, name string) (*writer, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return nil, err
	}
	a := remotePerson(host, name)
	a.PublicKey = string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	account, err := db.UpsertRemoteAccount(ctx, souk.RemoteAccount{Account: a})
	if err != nil {
		return nil, err
	}
	return &writer{account, key, host}, nil
}

// remotePerson is an actor at a host, as Mastodon would describe it.
func remotePerson(host, name string) souk.Account {
	uri := "https://" + host + "/users/" + name
	return souk.Account{Host: host, Name: name, Kind: "Person", URI: uri, URL: "https://" + host + "/@" + name, Inbox: uri + "/inbox",
		SharedInbox: "https://" + host + "/inbox", Outbox: uri + "/outbox", FollowersURI: uri + "/followers", FollowingURI: uri + "/following",
		DisplayName: "Person of " + host, KeyID: uri + "#main-key", Discoverable: true}
}

// signedNotes makes posts of the writers in turn, and the requests that deliver them to the shared inbox.
func signedNotes(n *benchNode, writers []*writer, count int) (bodies, requests [][]byte, err error) {
	bodies, requests = make([][]byte, count), make([][]byte, count)
	var group errgroup.Group
	group.SetLimit(runtime.NumCPU())
	for i := range count {
		group.Go(func() (err error) {
			w := writers[i%len(writers)]
			if bodies[i], err = w.note(i); err != nil {
				return err
			}
			requests[i], err = w.signed(n, bodies[i])
			return err
		})
	}
	return bodies, requests, group.Wait()
}

// note is the i-th post, as Mastodon sends it.
func (w *writer) note(i int) ([]byte, error) {
	uri := fmt.Sprintf("%s/statuses/%d", w.account.URI, 116_000_000_000_000_000+i)
	public, followers := "https://www.w3.org/ns/activitystreams#Public", w.account.FollowersURI
	published := time.Now().UTC().Format(time.RFC3339)
	text := fmt.Sprintf("<p>The kiln was opened this morning, piece %d came out well. The glaze has run a little on the north side, as it does "+
		"when the wind turns; I like it better that way. Photographs tomorrow, when the light is kinder.</p>", i)
	return json.Marshal(map[string]any{
		"@context": []any{"https://www.w3.org/ns/activitystreams", map[string]any{"ostatus": "http://ostatus.org#", "atomUri": "ostatus:atomUri",
			"inReplyToAtomUri": "ostatus:inReplyToAtomUri", "conversation": "ostatus:conversation", "sensitive": "as:sensitive",
			"toot": "http://joinmastodon.org/ns#", "votersCount": "toot:votersCount"}},
		"id": uri + "/activity", "type": "Create", "actor": w.account.URI, "published": published, "to": []string{public}, "cc": []string{followers},
		"object": map[string]any{"id": uri, "type": "Note", "summary": nil, "inReplyTo": nil, "published": published, "url": uri,
			"attributedTo": w.account.URI, "to": []string{public}, "cc": []string{followers}, "sensitive": false, "atomUri": uri,
			"conversation": "tag:" + w.host + ":objectType=Conversation", "content": text, "contentMap": map[string]string{"en": text},
			"attachment": []any{}, "tag": []any{}, "replies": map[string]any{"id": uri + "/replies", "type": "Collection"}},
	})
}

// signed is the request that delivers a body to the shared inbox.
func (w *writer) signed(n *benchNode, body []byte) ([]byte, error) {
	request, err := http.NewRequest(http.MethodPost, n.base()+"/inbox", nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/activity+json")
	if err := federation.SignCavage(request, body, w.account.KeyID, w.key, time.Now()); err != nil {
		return nil, err
	}
	return wire(http.MethodPost, n.address, "/inbox", request.Header, body)
}

// ingest posts prepared activities, each with a post that is new to the node, and waits until all are in the timeline
// and nothing is left to do.
func (n *benchNode) ingest(ctx context.Context, requests [][]byte) (*ingested, error) {
	const followed = `from posts p join follows f on f.followee_id = p.account_id where f.follower_id = $1 and f.state = 'accepted'
		and p.in_timeline and p.deleted is null`
	var there int
	if err := n.store.pool.QueryRow(ctx, `select count(*) `+followed, n.owner.ID).Scan(&there); err != nil {
		return nil, err
	}
	before, err := n.usage()
	if err != nil {
		return nil, err
	}
	got := &ingested{}
	if got.answers, err = fire(ctx, n.address, loadConnections, http.StatusAccepted, from(requests)); err != nil {
		return nil, err
	}
	last := time.Now()
	// Looking is cheap while anything waits: then nothing is counted.
	if err := n.until(ctx, 2*time.Minute, "the posts to be seen", `select case when exists (select from inbox_queue) then false
		else (select count(*) `+followed+`) = $2 end`, n.owner.ID, there+len(requests)); err != nil {
		return nil, err
	}
	got.visible = time.Since(last)
	seen, err := n.usage()
	if err != nil {
		return nil, err
	}
	if err := n.quiet(ctx); err != nil {
		return nil, err
	}
	after, err := n.usage()
	got.until, got.behind = seen.since(before), after.since(seen)
	return got, err
}

// verifyTime is the processor time of one raw verification with RSA-2048 and SHA-256.
func verifyTime(key *rsa.PrivateKey) (time.Duration, error) {
	const rounds = 5000
	sum := sha256.Sum256([]byte("what a signature is made of"))
	signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
	if err != nil {
		return 0, err
	}
	return ownTimeOf(rounds, func() error {
		for range rounds {
			if err := rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA256, sum[:], signature); err != nil {
				return err
			}
		}
		return nil
	})
}

// bareInserts stores the bodies over as many connections as the load has, each in a transaction of its own that is on
// disk before the next: the least that acknowledging each can cost with this PostgreSQL on this disk.
func (n *benchNode) bareInserts(ctx context.Context, bodies [][]byte) (*bareLoad, error) {
	return n.bare(ctx, len(bodies), `create table bench_bare (id bigint primary key, body bytea not null)`, nil,
		func(ctx context.Context, pool *pgxpool.Pool, i int) error {
			_, err := pool.Exec(ctx, `insert into bench_bare values ($1, $2)`, i, bodies[i])
			return err
		})
}
