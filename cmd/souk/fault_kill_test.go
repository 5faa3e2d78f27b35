package main

import (
	"bytes"
	"context"
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"souk"
	"souk/federation"
)

// kill -9 of the node, of its postmaster and of both, in an order that a seed decides, again and again, while servers post
// signed activities over several connections and the node delivers posts and deletions of its own. What holds:
//
//   - What was answered with 202 is there, whole, and once; what was answered otherwise or not at all is there whole or not
//     at all. A sender that repeats until it has its 202, as servers do, makes nothing double.
//   - What was answered with 201 or 204 over the API reaches every inbox, with a signature that holds. Nothing is sent that
//     is not in the database afterwards, and a deletion never comes before what it deletes.
//   - An activity comes to an inbox a second time only where node or database died between the sending and the note of it:
//     then nobody can know whether it arrived, and it goes again, before anything else goes there, with the same id and the
//     same bytes, by which the receiver knows it (TestFaults shows that Souk does). Otherwise it comes once.
//   - No hand is needed: the node starts by itself.
func TestKilled(t *testing.T) {
	t.Parallel()
	seed := uint64(1)
	if text := os.Getenv("SOUK_TEST_FAULT_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("SOUK_TEST_FAULT_SEED=%d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	k := newKilled(t)
	working, stop := context.WithCancel(t.Context())
	defer stop()
	var group sync.WaitGroup
	for i := range 4 {
		group.Go(func() { k.sends(working, i) })
	}
	group.Go(func() { k.publishes(working) })
	kinds := []string{"node", "node", "node", "node", "node", "postmaster", "postmaster", "postmaster", "both"}
	r.Shuffle(len(kinds), func(i, j int) { kinds[i], kinds[j] = kinds[j], kinds[i] })
	for _, kind := range kinds {
		// Only when all of it works again is there something to interrupt.
		k.moves(t, 20+r.IntN(30))
		k.kill(t, kind)
	}
	k.moves(t, 20)
	stop()
	group.Wait()
	if err := k.node.open(t.Context()); err != nil {
		t.Fatal(err)
	}
	quiet(t, &faultNode{demoNode: k.node})
	k.whole(t)
	k.delivered(t)
}

// killed is a node that dies often, and those who live on.
type killed struct {
	t     *testing.T
	node  *demoNode
	owner *souk.Account
	key   crypto.PublicKey // of the owner
	token string
	peers []*killPeer

	lock     sync.Mutex
	answers  map[int]int       // statuses of what was posted, and how often; 0: none
	accepted map[string]string // posts that were answered with 202, by id; with their number
	open     map[string]string // those that are not answered
	said     []string          // what was published over the API: ids of posts
	unsaid   map[string]bool   // which of them were deleted
	deaths   []death
}

// death is when something was killed, and when all worked again.
type death struct {
	kind     string
	from, to time.Time
}

// killPeer is a server that others write on, who are followed by the owner of the node and follow it.
type killPeer struct {
	*writer
	k    *killed
	lock sync.Mutex
	got  []arrival
	sent map[string]string // by id of the activity: its bytes
	last map[string]string // by object: the type that came last
}

// arrival is an activity that came to an inbox.
type arrival struct {
	id string
	at time.Time
}

func newKilled(t *testing.T) *killed {
	t.Helper()
	ctx := t.Context()
	n, err := newDemoNode(nodeDir(t), "A", "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	settings := filepath.Join(n.dir, configName)
	text, err := os.ReadFile(settings)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(settings, append(text, "rate_limit = 0\n"...), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := n.start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(n.close(context.WithoutCancel(ctx)), n.stop(), n.remove()); err != nil {
			t.Error(err)
		}
	})
	if err := n.ready(ctx); err != nil {
		t.Fatal(err)
	}
	if err := n.open(ctx); err != nil {
		t.Fatal(err)
	}
	k := &killed{t: t, node: n, answers: map[int]int{}, accepted: map[string]string{}, open: map[string]string{}, unsaid: map[string]bool{}}
	if k.owner, err = n.db.CreateAccount(ctx, souk.NewAccount{Name: "anna", Role: souk.RoleOwner}); err != nil {
		t.Fatal(err)
	}
	if k.token, err = n.db.CreateToken(ctx, k.owner.ID, "test", []string{"read", "write"}, time.Time{}); err != nil {
		t.Fatal(err)
	}
	if err := until(ctx, "the owner's key", func(ctx context.Context) (string, bool) {
		k.owner, err = n.db.Account(ctx, k.owner.ID)
		return fmt.Sprint(err), err == nil && k.owner.PublicKey != ""
	}); err != nil {
		t.Fatal(err)
	}
	if k.key, err = federation.NewKeyCache(1).Public(k.owner.PublicKey); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		k.peers = append(k.peers, k.newPeer(t))
	}
	if err := n.close(ctx); err != nil { // it would not outlive the first postmaster
		t.Fatal(err)
	}
	return k
}

func (k *killed) newPeer(t *testing.T) *killPeer {
	t.Helper()
	ctx := t.Context()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &killPeer{k: k, sent: map[string]string{}, last: map[string]string{}}
	server := &http.Server{Handler: p, ReadHeaderTimeout: time.Minute}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		<-ended
	})
	if p.writer, err = newWriter(ctx, k.node.db, l.Addr().String(), "writer"); err != nil {
		t.Fatal(err)
	}
	// It speaks plain http.
	a := *p.account
	for _, address := range []*string{&a.URI, &a.URL, &a.Inbox, &a.SharedInbox, &a.Outbox, &a.FollowersURI, &a.FollowingURI, &a.KeyID} {
		*address = strings.Replace(*address, "https://", "http://", 1)
	}
	a.Name = "plain"
	if p.account, err = k.node.db.UpsertRemoteAccount(ctx, souk.RemoteAccount{Account: a}); err != nil {
		t.Fatal(err)
	}
	f, err := k.node.db.Follow(ctx, k.owner.ID, p.account.ID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.node.db.FollowAnswered(ctx, p.account, f.URI, k.owner.URI, true); err != nil {
		t.Fatal(err)
	}
	if err := k.node.db.ReceiveFollow(ctx, p.account.URI+"#follow", p.account, k.owner, false); err != nil {
		t.Fatal(err)
	}
	return p
}

// ServeHTTP is the inbox: what holds is noted before it is answered.
func (p *killPeer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // whoever died while sending it did not send it
	}
	if r.Method != http.MethodPost {
		http.NotFound(w, r)
		return
	}
	var a struct {
		ID, Type, Actor string
		Object          json.RawMessage
	}
	if err := errors.Join(json.Unmarshal(body, &a), p.verify(r, body)); err != nil {
		p.k.t.Errorf("a delivery that does not hold: %v\n%s", err, body)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	var object struct{ ID string }
	_ = json.Unmarshal(a.Object, &object) // of an Accept or Follow it may be a string
	p.lock.Lock()
	defer p.lock.Unlock()
	first, again := p.sent[a.ID]
	if again && first != string(body) {
		p.k.t.Errorf("%s came with other bytes than before:\n%s\n%s", a.ID, first, body)
	}
	if last := p.last[object.ID]; last == "Delete" && a.Type != "Delete" && !again {
		p.k.t.Errorf("%s of %s came after its Delete", a.Type, object.ID)
	}
	p.sent[a.ID], p.last[object.ID] = string(body), a.Type
	p.got = append(p.got, arrival{a.ID, time.Now()})
	w.WriteHeader(http.StatusAccepted)
}

// verify proves that the owner's key signed the request, with its body.
func (p *killPeer) verify(r *http.Request, body []byte) error {
	if !strings.HasPrefix(r.URL.Path, "/inbox") && !strings.HasSuffix(r.URL.Path, "/inbox") {
		return fmt.Errorf("posted to %s", r.URL.Path)
	}
	req, err := federation.NewSignedRequest(r, &url.URL{Scheme: "http", Host: p.host}, body)
	if err != nil {
		return err
	}
	s, err := federation.ParseSignature(req)
	if err != nil {
		return err
	}
	return s.Verify(req, p.k.key, time.Now())
}

// sends posts notes that name the owner, one after another, each until it is answered with 202.
func (k *killed) sends(ctx context.Context, connection int) {
	client := &http.Client{Timeout: patience, Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	for i := 0; pause(ctx, 30*time.Millisecond) == nil; i++ {
		w := k.peers[(connection+i)%len(k.peers)].writer
		number := fmt.Sprintf("%d-%d", connection, i)
		uri := w.account.URI + "/statuses/" + number
		body, err := k.mention(w, uri, number)
		if err != nil {
			k.t.Error(err)
			return
		}
		k.lock.Lock()
		k.open[uri] = number
		k.lock.Unlock()
		for ctx.Err() == nil {
			status := k.send(ctx, client, w, body)
			k.lock.Lock()
			k.answers[status]++
			if status == http.StatusAccepted {
				delete(k.open, uri)
				k.accepted[uri] = number
			}
			k.lock.Unlock()
			if status == http.StatusAccepted {
				break
			}
			if status != 0 && status != http.StatusAccepted && status != http.StatusServiceUnavailable {
				k.t.Errorf("a node that was killed, or whose database was, answers %d", status)
			}
			_ = pause(ctx, 20*time.Millisecond) // what the end of the work cuts
		}
	}
}

// mention is a post with a hashtag that names the owner: three tables and a notification.
func (k *killed) mention(w *writer, uri, number string) ([]byte, error) {
	const public = "https://www.w3.org/ns/activitystreams#Public"
	to := []string{public, k.owner.URI}
	return json.Marshal(map[string]any{"@context": "https://www.w3.org/ns/activitystreams", "id": uri + "/activity", "type": "Create", "actor": w.account.URI, "to": to,
		"object": map[string]any{"id": uri, "type": "Note", "attributedTo": w.account.URI, "published": time.Now().UTC().Format(time.RFC3339), "to": to,
			"content": "<p>Note " + number + "</p>", "tag": []map[string]string{{"type": "Hashtag", "name": "#kiln"}, {"type": "Mention", "name": "@anna", "href": k.owner.URI}}}})
}

// send posts a body, signed now, and returns the status; 0 where there was no answer.
func (k *killed) send(ctx context.Context, client *http.Client, w *writer, body []byte) int {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, k.node.base()+"/inbox", bytes.NewReader(body))
	if err != nil {
		k.t.Error(err)
		return 0
	}
	request.Header.Set("Content-Type", "application/activity+json")
	if err := federation.SignCavage(request, body, w.account.KeyID, w.key, time.Now()); err != nil {
		k.t.Error(err)
		return 0
	}
	answer, err := client.Do(request)
	if err != nil {
		return 0
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, answer.Body) // the status has come
	return answer.StatusCode
}

// publishes writes posts over the API and deletes every fourth.
func (k *killed) publishes(ctx context.Context) {
	v := newVisitor()
	for i := 0; pause(ctx, 50*time.Millisecond) == nil; i++ {
		var p struct{ ID, URI string }
		if v.call(ctx, http.MethodPost, k.node.base()+"/api/souk/v1/posts", k.token, map[string]string{"text": fmt.Sprint("Piece ", i)}, &p, http.StatusCreated) != nil {
			_ = pause(ctx, 20*time.Millisecond) // what the end of the work cuts
			continue
		}
		gone := i%4 == 3 && v.call(ctx, http.MethodDelete, k.node.base()+"/api/souk/v1/posts/"+p.ID, k.token, nil, nil, http.StatusNoContent) == nil
		k.lock.Lock()
		k.said = append(k.said, p.URI)
		if gone {
			k.unsaid[p.URI] = true
		}
		k.lock.Unlock()
	}
}

// moves waits until so many activities were accepted, and some delivered, once more.
func (k *killed) moves(t *testing.T, more int) {
	t.Helper()
	count := func() (in, out int) {
		k.lock.Lock()
		in = len(k.accepted)
		k.lock.Unlock()
		for _, p := range k.peers {
			p.lock.Lock()
			out += len(p.sent)
			p.lock.Unlock()
		}
		return in, out
	}
	in, out := count()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		i, o := count()
		if i >= in+more && o >= out+6 {
			return
		}
		if pause(ctx, 10*time.Millisecond) != nil {
			t.Fatalf("within %s %d activities were accepted and %d delivered. The node:\n%s", patience, i-in, o-out, k.node.output)
		}
	}
}

// kill kills, and waits until the node answers again.
func (k *killed) kill(t *testing.T, kind string) {
	t.Helper()
	d := death{kind: kind, from: time.Now()}
	before := k.postmaster(t)
	var errs []error
	if kind != "node" {
		errs = append(errs, syscall.Kill(before, syscall.SIGKILL))
	}
	if kind != "postmaster" {
		errs = append(errs, k.node.cmd.Process.Kill())
		<-k.node.gone
		errs = append(errs, k.node.start())
	}
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for k.postmaster(t) == before || !answersOK(ctx, k.node.base()+"/readyz") {
		select {
		case <-k.node.gone:
			t.Fatalf("after the death of %s the node ended:\n%s", kind, k.node.output)
		default:
		}
		if pause(ctx, 20*time.Millisecond) != nil {
			t.Fatalf("%s after the death of %s the node is not ready:\n%s", patience, kind, k.node.output)
		}
	}
	d.to = time.Now()
	t.Logf("kill -9 of %s: ready after %.1f s", kind, d.to.Sub(d.from).Seconds())
	k.lock.Lock()
	defer k.lock.Unlock()
	k.deaths = append(k.deaths, d)
}

// postmaster is the process that the pid file names, 0 while there is none.
func (k *killed) postmaster(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(k.node.dataDir(), "postgres", "data", "postmaster.pid"))
	if errors.Is(err, os.ErrNotExist) {
		return 0
	}
	line, _, _ := strings.Cut(string(text), "\n")
	pid, perr := strconv.Atoi(line)
	if err != nil || perr != nil && line != "" {
		t.Fatal(err, perr)
	}
	return pid
}

// whole proves that what was accepted is there, whole and once, and nothing else is.
func (k *killed) whole(t *testing.T) {
	t.Helper()
	rows, err := k.node.store.pool.Query(t.Context(), `select p.uri, concat_ws(' ', p.html, (select count(*) from post_tags where post_id = p.id),
			(select count(*) from mentions where post_id = p.id and account_id = $1), (select count(*) from notifications where post_id = p.id and account_id = $1),
			(select count(*) from inbox where activity_id = p.uri || '/activity' and state = 'done'), p.deleted)
		from posts p where not p.local`, k.owner.ID)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	there := map[string]bool{}
	unanswered := 0
	for rows.Next() {
		var uri, is string
		if err := rows.Scan(&uri, &is); err != nil {
			t.Fatal(err)
		}
		number, accepted := k.accepted[uri]
		if !accepted {
			if number = k.open[uri]; number == "" {
				t.Errorf("nobody sent %s", uri)
			}
			unanswered++
		}
		there[uri] = true
		if want := fmt.Sprintf("<p>Note %s</p> 1 1 1 1", number); is != want {
			t.Errorf("%s is %q, want %q", uri, is, want)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	lost := 0
	for uri := range k.accepted {
		if !there[uri] {
			lost++
			t.Errorf("answered with 202 and lost: %s", uri)
		}
	}
	t.Logf("%d activities answered with 202, lost %d; %d more are there whole of %d not answered; answers %v", len(k.accepted), lost, unanswered, len(k.open), k.answers)
}

// delivered proves that what was published came to every peer, and twice only for a death.
func (k *killed) delivered(t *testing.T) {
	t.Helper()
	rows, err := k.node.store.pool.Query(t.Context(), `select a.uri, a.type, a.object_uri, d.inbox, d.state, d.attempts from activities a join deliveries d on d.activity_id = a.id`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	told := map[string]int{} // by object and type: to how many inboxes
	known := map[string]bool{}
	lost := 0
	for rows.Next() {
		var uri, kind, object, inbox, state string
		var attempts int
		if err := rows.Scan(&uri, &kind, &object, &inbox, &state, &attempts); err != nil {
			t.Fatal(err)
		}
		known[uri] = true
		told[kind+" "+object]++
		for _, p := range k.peers {
			if strings.HasPrefix(inbox, "http://"+p.host+"/") && (p.sent[uri] == "" || state != "delivered") {
				lost++
				t.Errorf("%s of %s to %s is %s after %d attempts, and came: %t", kind, object, inbox, state, attempts, p.sent[uri] != "")
			}
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	for _, uri := range k.said {
		// What was deleted before it was told is told to nobody.
		if n := told["Create "+uri]; n != len(k.peers) && !(n == 0 && k.unsaid[uri]) {
			t.Errorf("%s was told to %d of %d", uri, n, len(k.peers))
		}
		if n := told["Delete "+uri]; n != len(k.peers) && k.unsaid[uri] {
			t.Errorf("the end of %s was told to %d of %d", uri, n, len(k.peers))
		}
	}
	received, twice, unexplained := 0, 0, 0
	for _, p := range k.peers {
		before := map[string]int{}
		for i, a := range p.got {
			j, again := before[a.id]
			before[a.id] = i
			if !known[a.id] {
				t.Errorf("%s was sent, and is not in the database", a.id)
			}
			if !again {
				received++
				continue
			}
			if twice++; j != i-1 || !k.died(p.got[j].at, a.at) {
				unexplained++
				t.Errorf("%s came to %s again, %d later, though nothing died between %s and %s", a.id, p.host, i-j, p.got[j].at, a.at)
			}
		}
	}
	t.Logf("%d posts published, %d of them deleted; %d deliveries, lost %d; %d sent again after one of %d deaths between sending and note, %d without",
		len(k.said), len(k.unsaid), received, lost, twice-unexplained, len(k.deaths), unexplained)
	if most := len(k.deaths) * len(k.peers); twice > most {
		t.Errorf("%d were sent again, more than one for each death and host", twice)
	}
}

// died reports whether anything was dead at some time between the two.
func (k *killed) died(sent, again time.Time) bool {
	for _, d := range k.deaths {
		if sent.Before(d.to) && again.After(d.from) {
			return true
		}
	}
	return false
}
