package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"
)

// The name of a program in /proc/PID/stat may look like the fields behind it.
func TestParseStat(t *testing.T) {
	t.Parallel()
	got, err := parseStat([]byte("4021 (souk) S 1 (x) R 17 4021 4021 0 -1 4194560 2650 91 0 0 250 50 7 3 20 0 9 0 5000 1 2\n"))
	want := processStat{parent: 17, own: 3 * time.Second, children: 100 * time.Millisecond}
	if err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	for _, broken := range []string{"", "4021 souk S 1", "4021 (souk) S 1 2 3", "4021 (souk) S one 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1"} {
		if _, err := parseStat([]byte(broken)); err == nil {
			t.Errorf("%q was read", broken)
		}
	}
}

func TestParseKilobytes(t *testing.T) {
	t.Parallel()
	text := "Rss:               44712 kB\nPss:               41200 kB\nPss_Anon:          9 kB\n"
	if got, err := parseKilobytes(text, "Pss:"); err != nil || got != 41200<<10 {
		t.Errorf("got %d, %v", got, err)
	}
	if _, err := parseKilobytes(text, "VmHWM:"); err == nil {
		t.Error("a line that is not there was read")
	}
}

// This process is the child of its parent, and has used time.
func TestProcesses(t *testing.T) {
	t.Parallel()
	children, err := childrenOf(os.Getppid())
	if err != nil || !slices.Contains(children, os.Getpid()) {
		t.Errorf("children of %d are %v, %v: %d is missing", os.Getppid(), children, err, os.Getpid())
	}
	own, err := ownTime()
	if err != nil || own <= 0 {
		t.Errorf("own time %s, %v", own, err)
	}
	m, err := readMemory(os.Getpid(), os.Getpid())
	if err != nil || m.node <= 0 || m.highest <= 0 || m.postgres < m.node/2 {
		t.Errorf("memory %+v, %v", m, err)
	}
	if _, err := processorTime(1 << 30); !gone(err) {
		t.Errorf("a process that is not there: %v", err)
	}
}

func TestDurations(t *testing.T) {
	t.Parallel()
	var list durations
	for i := range 100 {
		list = append(list, time.Duration(100-i)*time.Millisecond)
	}
	if a, b := list.median(), list.at(0.99); a != 51*time.Millisecond || b != 100*time.Millisecond {
		t.Errorf("median %s, 99 of 100 %s", a, b)
	}
	if durations(nil).median() != 0 {
		t.Error("the median of nothing is something")
	}
}

// Every line fits into 120 columns, and a limit that is passed is told and fails nothing.
func TestBenchTable(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	table := &benchTable{out: &out, progress: io.Discard}
	rows := table.begin(benchPart{name: "x", title: "A part"})
	table.note("%d things", 3)
	table.add(inMillis("word, category, price, cheapest first 12", 1234567*time.Microsecond).over("a floor with a name this long", 12.5).most(1000))
	table.add(perSecond("in time", 30, time.Second).over("peer", 60).mostRatio(1.4))
	table.add(perSecond("too slow", 30, time.Second).least(31))
	table.add(benchRow{What: "两个汉字", Figure: 0.01234, Unit: "ms"})
	table.finish()
	for line := range strings.Lines(out.String()) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 120 || strings.HasSuffix(line, " \n") {
			t.Errorf("%d characters: %q", n, line)
		}
	}
	for _, want := range []string{"1235 ms", "12.5 ms", "x 98.8", "1000 ms over", ">= 31.0 under", "30.0 /s", "x 0.500", "0.012 ms"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in\n%s", want, out.String())
		}
	}
	text, err := json.Marshal(rows)
	if err != nil || !strings.Contains(string(text), `"limit":1000,"limit_of":"figure","over_limit":true`) {
		t.Errorf("JSON %s, %v", text, err)
	}
	if rows.Rows[1].OverLimit || rows.Rows[1].Ratio != 0.5 {
		t.Errorf("half of the peer is %+v", rows.Rows[1])
	}
}

func TestBenchParts(t *testing.T) {
	t.Parallel()
	all, err := benchParts(nil)
	if err != nil || len(all) != len(allBenchParts()) {
		t.Errorf("without --only: %d parts, %v", len(all), err)
	}
	some, err := benchParts([]string{"memory"})
	if err != nil || len(some) != 2 {
		t.Errorf("memory: %d parts, %v", len(some), err)
	}
	if _, err := benchParts([]string{"luck"}); err == nil || !strings.Contains(err.Error(), "ingest") {
		t.Errorf("a row that is not there: %v", err)
	}
}

// The other hosts answer on every one of their addresses, over either HTTP, near and far; they tell what they got, what they
// got twice, and what was not what its digest says; the faulty ones are so while they are told to be.
func TestBenchHosts(t *testing.T) {
	t.Parallel()
	in, hold := io.Pipe()
	out, said := io.Pipe()
	ended := make(chan error, 1)
	authority := filepath.Join(t.TempDir(), "authority.pem")
	go func() { ended <- serveHosts(t.Context(), 15, authority, in, said) }()
	peers := &benchPeers{hosts: 15}
	if _, err := fmt.Fscan(out, &peers.port, &peers.control); err != nil {
		t.Fatal(err)
	}
	bare, err := newBareClient(authority)
	if err != nil {
		t.Fatal(err)
	}
	for _, how := range []peerManners{{}, {rtt: 20 * time.Millisecond}} {
		if err := peers.behave(t.Context(), how); err != nil {
			t.Fatal(err)
		}
		body := []byte("hello " + how.rtt.String())
		f, err := bare.fanout(t.Context(), peers, body)
		if err != nil {
			t.Fatal(err)
		}
		if f.elapsed < 3*how.rtt {
			t.Errorf("three round trips of %s took %s", how.rtt, f.elapsed)
		}
		if r, err := peers.report(t.Context()); err != nil || r != (peerReport{Healthy: 12, Faulty: 3}) {
			t.Errorf("%+v: got %+v, %v", how, r, err)
		}
		if _, err := bare.fanout(t.Context(), peers, body); err != nil {
			t.Fatal(err)
		}
		if r, err := peers.report(t.Context()); err != nil || r.Doubled != 15 {
			t.Errorf("once more: got %+v, %v", r, err)
		}
	}
	if err := peers.behave(t.Context(), peerManners{faulty: true}); err != nil {
		t.Fatal(err)
	}
	for i, want := range map[int]bool{0: true, 4: false, 9: false, 14: false} { // hangs, says 503, hangs up
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		status, err := bare.post(ctx, "https://"+peers.address(i)+"/inbox", []byte("later"))
		cancel()
		if got := err == nil && status == http.StatusAccepted; got != want {
			t.Errorf("host %d: %d, %v", i, status, err)
		}
	}
	if r, err := peers.report(t.Context()); err != nil || r.Refused < 3 || r.Healthy != 1 || r.Faulty != 0 {
		t.Errorf("of the faulty: got %+v, %v", r, err)
	}
	if err := hold.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Errorf("the hosts ended: %v", err)
	}
}

// A load goes over kept-alive connections, each request once, and ends with the first answer that is not as it should be.
func TestFire(t *testing.T) {
	t.Parallel()
	var got atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			http.NotFound(w, r)
			return
		}
		got.Add(1)
		w.WriteHeader(http.StatusAccepted)
	}))
	t.Cleanup(server.Close)
	address := server.Listener.Addr().String()
	var requests [][]byte
	for range 20 {
		request, err := wire(http.MethodPost, address, "/inbox", http.Header{"Content-Type": {"text/plain"}}, []byte("hello"))
		if err != nil {
			t.Fatal(err)
		}
		requests = append(requests, request)
	}
	if v, err := fire(t.Context(), address, 4, http.StatusAccepted, from(requests)); err != nil || len(v.each) != 20 || got.Load() != 20 {
		t.Errorf("%+v, %v; %d arrived", v, err, got.Load())
	}
	request, err := wire(http.MethodGet, address, "/elsewhere", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fire(t.Context(), address, 1, http.StatusOK, from([][]byte{request})); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("an answer of another status: %v", err)
	}
}

// The same seed makes the same listings and the same queries, in both languages.
func TestBenchGoods(t *testing.T) {
	t.Parallel()
	made := func() (text string, langs map[string]int) {
		goods := newBenchGoods(3)
		langs = map[string]int{}
		for d, err := range goods.documents(200) {
			if err != nil {
				t.Fatal(err)
			}
			text += d.URI + d.Title + d.Body
			langs[d.Lang]++
		}
		for _, c := range goods.classes() {
			text += c.name + c.make().Text
		}
		return text, langs
	}
	first, langs := made()
	if second, _ := made(); first != second {
		t.Error("two runs differ")
	}
	if langs["en"] != 120 || langs["zh"] != 80 {
		t.Errorf("languages %v", langs)
	}
}

// A note as the writers sign it is one that anybody can read.
func TestWriterNote(t *testing.T) {
	t.Parallel()
	w := &writer{host: "127.9.0.1:1"}
	a := remotePerson(w.host, "writer")
	w.account = &a
	body, err := w.note(7)
	if err != nil {
		t.Fatal(err)
	}
	var note struct {
		ID, Type, Actor string
		Object          struct{ ID, AttributedTo, Content string }
	}
	if err := json.Unmarshal(body, &note); err != nil {
		t.Fatal(err)
	}
	if note.Type != "Create" || note.Actor != a.URI || note.Object.AttributedTo != a.URI || !strings.HasPrefix(note.ID, note.Object.ID+"/") {
		t.Errorf("note %+v", note)
	}
}

func TestPauseEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := pause(ctx, time.Hour); err == nil {
		t.Error("it waited")
	}
}
