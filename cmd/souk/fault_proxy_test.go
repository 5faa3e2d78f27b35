package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// fault is what a bad network, or a bad server in between, does to one request.
type fault string

const (
	faultDelay     fault = "delay"          // it comes late
	faultCut       fault = "cut before"     // the connection ends before anything was passed on
	faultCutBody   fault = "cut in body"    // the node gets half of the body
	faultCutAnswer fault = "cut answer"     // the node does all of it, and its answer is lost: the sender must send it again
	faultTruncated fault = "truncated"      // half of the answer arrives
	fault5xx       fault = "5xx"            // somebody in between says that it cannot be done now
	faultBusy      fault = "429"            // or that it is too much, with Retry-After
	faultTwice     fault = "duplicate"      // passed on twice, one after the other or at once
	faultLate      fault = "late duplicate" // passed on, and once more when later ones have passed
	faultReorder   fault = "reorder"        // accepted, and passed on only after later ones
)

// deck is dealt from: in every so many requests each fault happens at least once, in an order that the seed decides.
func deck() []fault {
	cards := make([]fault, 54)
	return append(cards, faultDelay, faultDelay, faultDelay, faultCut, faultCutBody, faultCutAnswer, faultCutAnswer, faultTruncated, fault5xx, faultBusy,
		faultTwice, faultTwice, faultLate, faultLate, faultReorder, faultReorder, faultReorder, faultReorder)
}

// faultProxy stands before a node and has its public address. Posts to the node suffer every fault, other requests those
// that such a request can suffer. Without faults it is a plain proxy.
type faultProxy struct {
	t       *testing.T
	address string // where it listens
	node    string // where the node does
	client  *http.Client
	server  *httptest.Server

	lock   sync.Mutex
	rand   *rand.Rand
	cards  []fault
	on     bool
	passed int            // POSTs that went through
	held   []*heldPost    // those that wait for later ones
	counts map[fault]int  // of POSTs
	gets   int            // of other requests that suffered
	group  sync.WaitGroup // of held posts on their way
}

// heldPost is a request that goes on when later ones have passed.
type heldPost struct {
	path   string
	header http.Header
	body   []byte
	after  int // passed
}

func newFaultProxy(t *testing.T, address, node string, seed uint64) *faultProxy {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	p := &faultProxy{t: t, address: address, node: node, rand: rand.New(rand.NewPCG(seed, 7)), counts: map[fault]int{},
		client: &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{DisableKeepAlives: true},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	p.server = &httptest.Server{Listener: l, Config: &http.Server{Handler: p, ReadHeaderTimeout: time.Minute}}
	p.server.Start()
	t.Cleanup(func() {
		p.server.Close()
		p.group.Wait()
	})
	return p
}

// deal is the fault of the next request; release are held posts whose time has come.
func (p *faultProxy) deal(post bool) (f fault, pause time.Duration, at float64) {
	p.lock.Lock()
	defer p.lock.Unlock()
	if !p.on {
		return "", 0, 0
	}
	if len(p.cards) == 0 {
		p.cards = deck()
		p.rand.Shuffle(len(p.cards), func(i, j int) { p.cards[i], p.cards[j] = p.cards[j], p.cards[i] })
	}
	f, p.cards = p.cards[0], p.cards[1:]
	switch {
	case f == "":
	case post:
		p.counts[f]++
	case f == faultLate || f == faultReorder || f == faultCutBody || f == faultTwice: // of no meaning to a question
		f = faultDelay
		fallthrough
	default:
		p.gets++
	}
	return f, time.Duration(20+p.rand.IntN(200)) * time.Millisecond, p.rand.Float64()
}

// calm ends the faults and passes on all that is held.
func (p *faultProxy) calm() {
	p.lock.Lock()
	p.on = false
	held := p.held
	p.held = nil
	p.lock.Unlock()
	p.rand.Shuffle(len(held), func(i, j int) { held[i], held[j] = held[j], held[i] })
	for _, h := range held {
		p.deliver(h)
	}
	p.group.Wait()
}

func (p *faultProxy) start() {
	p.lock.Lock()
	defer p.lock.Unlock()
	p.on = true
}

// hold keeps a request until a few later ones have passed.
func (p *faultProxy) hold(path string, header http.Header, body []byte) {
	p.lock.Lock()
	defer p.lock.Unlock()
	p.held = append(p.held, &heldPost{path, header, body, p.passed + 1 + p.rand.IntN(4)})
}

// went counts a POST that was passed on, and sends those on their way that waited for it.
func (p *faultProxy) went() {
	p.lock.Lock()
	defer p.lock.Unlock()
	p.passed++
	kept := p.held[:0]
	for _, h := range p.held {
		if h.after > p.passed {
			kept = append(kept, h)
			continue
		}
		p.group.Go(func() { p.deliver(h) })
	}
	p.held = kept
}

// deliver passes a held request on until it is taken: whoever took it over answers for it.
func (p *faultProxy) deliver(h *heldPost) {
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for {
		answer, err := p.pass(context.Background(), http.MethodPost, h.path, h.header, h.body)
		if err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusAccepted {
				return
			}
			if answer.StatusCode < 500 && answer.StatusCode != http.StatusTooManyRequests {
				p.t.Errorf("a request that came late was answered %d: %s", answer.StatusCode, h.body)
				return
			}
		}
		<-again.C
	}
}

// pass sends a request to the node as it came.
func (p *faultProxy) pass(ctx context.Context, method, target string, header http.Header, body []byte) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, "http://"+p.node+target, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header = header.Clone()
	request.Host = p.address
	return p.client.Do(request)
}

func (p *faultProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	post := r.Method == http.MethodPost
	header, target := r.Header, r.URL.RequestURI()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		p.cut(w)
		return
	}
	f, pause, at := p.deal(post)
	switch f {
	case faultDelay:
		<-time.After(pause)
	case faultCut:
		p.cut(w)
		return
	case faultCutBody:
		p.passHalf(header, target, body, at)
		p.cut(w)
		return
	case fault5xx:
		w.WriteHeader([]int{http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout}[int(at*4)])
		return
	case faultBusy:
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusTooManyRequests)
		return
	case faultReorder:
		p.hold(target, header, body)
		w.WriteHeader(http.StatusAccepted)
		return
	case faultTwice:
		p.twice(r, body, at < 0.5)
	case faultLate:
		p.hold(target, header, body)
	}
	answer, err := p.pass(r.Context(), r.Method, target, header, body)
	if err != nil {
		p.cut(w)
		return
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		p.cut(w)
		return
	}
	if post {
		p.went()
	}
	switch f {
	case faultCutAnswer:
		p.cut(w)
	case faultTruncated:
		p.truncate(w, answer, text, at)
	default:
		for name, values := range answer.Header {
			w.Header()[name] = values
		}
		w.WriteHeader(answer.StatusCode)
		_, _ = w.Write(text) // who went away does not read it
	}
}

// twice passes the request on once more than asked for, before the other or beside it.
func (p *faultProxy) twice(r *http.Request, body []byte, beside bool) {
	header, target := r.Header.Clone(), r.URL.RequestURI()
	once := func() {
		if answer, err := p.pass(context.Background(), http.MethodPost, target, header, body); err == nil {
			answer.Body.Close()
		}
	}
	if beside {
		p.group.Go(once)
	} else {
		once()
	}
}

// cut ends the connection without an answer.
func (p *faultProxy) cut(w http.ResponseWriter) {
	if conn, _, err := w.(http.Hijacker).Hijack(); err == nil {
		conn.Close()
	}
}

// passHalf sends the head and a part of the body to the node, and ends the connection.
func (p *faultProxy) passHalf(header http.Header, target string, body []byte, at float64) {
	conn, err := net.Dial("tcp", p.node)
	if err != nil {
		return
	}
	defer conn.Close()
	var head strings.Builder
	fmt.Fprintf(&head, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n", target, p.address, len(body))
	if err := header.WriteSubset(&head, map[string]bool{"Content-Length": true}); err != nil {
		p.t.Error(err)
	}
	w := bufio.NewWriter(conn)
	_, _ = w.WriteString(head.String() + "\r\n")
	_, _ = w.Write(body[:int(at*float64(len(body)))])
	_ = w.Flush() // whatever went wrong, the connection ends anyway
}

// truncate answers with a part of the answer.
func (p *faultProxy) truncate(w http.ResponseWriter, answer *http.Response, body []byte, at float64) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	var text bytes.Buffer
	fmt.Fprintf(&text, "HTTP/1.1 %s\r\n", answer.Status)
	_ = answer.Header.Write(&text)
	fmt.Fprintf(&text, "Content-Length: %d\r\n\r\n", len(body))
	head := text.Len()
	text.Write(body)
	most := text.Len() - 1
	if len(body) == 0 {
		most = head - 3 // within the head
	}
	_, _ = conn.Write(text.Bytes()[:max(1, int(at*float64(most)))])
}

// report tells what the network did, and requires that it did all of it.
func (p *faultProxy) report(t *testing.T, letter string) {
	t.Helper()
	t.Logf("before node %s: %d requests passed; %s; and %d questions suffered", letter, p.passed, counted(p.counts), p.gets)
	for _, f := range deck() {
		if f != "" && p.counts[f] == 0 {
			t.Errorf("before node %s the fault %q never happened", letter, f)
		}
	}
}
