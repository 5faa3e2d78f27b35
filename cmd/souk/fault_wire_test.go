package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"souk/federation"
)

// What HTTP/1.1 allows a server that delivers: bodies in chunks, to ask first (100-continue), several requests without
// waiting for answers. And what a bad network makes of it: half a body, half a head. Half of an activity is never stored.
func TestInboxOnTheWire(t *testing.T) {
	t.Parallel()
	k := newKilled(t)
	w := k.peers[0].writer
	// request is a signed delivery of a new post, as bytes: head and body.
	request := func(number string, head string) (uri, start string, body []byte) {
		t.Helper()
		uri = w.account.URI + "/statuses/" + number
		body, err := k.mention(w, uri, number)
		if err != nil {
			t.Fatal(err)
		}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, k.node.base()+"/inbox", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/activity+json")
		if err := federation.SignCavage(r, body, w.account.KeyID, w.key, time.Now()); err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		fmt.Fprintf(&b, "POST /inbox HTTP/1.1\r\nHost: %s\r\n%s", k.node.address, strings.ReplaceAll(head, "LENGTH", fmt.Sprint(len(body))))
		if err := r.Header.Write(&b); err != nil {
			t.Fatal(err)
		}
		return uri, b.String() + "\r\n", body
	}
	dial := func() net.Conn {
		t.Helper()
		conn, err := net.Dial("tcp", k.node.address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		return conn
	}
	send := func(conn net.Conn, text ...string) {
		t.Helper()
		if _, err := io.WriteString(conn, strings.Join(text, "")); err != nil {
			t.Fatal(err)
		}
	}
	status := func(in *bufio.Reader) int {
		t.Helper()
		answer, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		if _, err := io.Copy(io.Discard, answer.Body); err != nil {
			t.Fatal(err)
		}
		return answer.StatusCode
	}
	var stored, cut []string

	// In chunks of 100 bytes, by one connection after another request.
	conn := dial()
	in := bufio.NewReader(conn)
	uri, start, body := request("chunks", "Transfer-Encoding: chunked\r\n")
	send(conn, start)
	for rest := body; len(rest) > 0; {
		n := min(100, len(rest))
		send(conn, fmt.Sprintf("%x\r\n", n), string(rest[:n]), "\r\n")
		rest = rest[n:]
	}
	send(conn, "0\r\n\r\n")
	if got := status(in); got != http.StatusAccepted {
		t.Errorf("in chunks: %d", got)
	}
	stored = append(stored, uri)

	// Asks first.
	uri, start, body = request("asks", "Content-Length: LENGTH\r\nExpect: 100-continue\r\n")
	send(conn, start)
	if got := status(in); got != http.StatusContinue {
		t.Errorf("asked first: %d", got)
	}
	send(conn, string(body))
	if got := status(in); got != http.StatusAccepted {
		t.Errorf("after it was asked: %d", got)
	}
	stored = append(stored, uri)

	// Three at once, and the first of them once more: answered in order, stored once.
	var all string
	for i := range 3 {
		uri, start, body = request(fmt.Sprint("pipeline", i), "Content-Length: LENGTH\r\n")
		all += start + string(body)
		stored = append(stored, uri)
	}
	_, start, body = request("pipeline0", "Content-Length: LENGTH\r\n")
	send(conn, all+start+string(body))
	for i := range 4 {
		if got := status(in); got != http.StatusAccepted {
			t.Errorf("the %d. of several at once: %d", i+1, got)
		}
	}

	// Cut in the body, by a length that is not reached and by a chunk that does not end.
	for i, c := range []struct{ head, before string }{{"Content-Length: LENGTH\r\n", ""}, {"Transfer-Encoding: chunked\r\n", "fff\r\n"}, {"Transfer-Encoding: chunked\r\n", ""}} {
		uri, start, body = request(fmt.Sprint("cut", i), c.head)
		half := string(body[:len(body)/2])
		if i == 2 {
			half = fmt.Sprintf("%x\r\n%s\r\n", len(body), body) // all of it, but for the end that would say so
		}
		conn := dial()
		send(conn, start, c.before, half)
		if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if answer, err := http.ReadResponse(bufio.NewReader(conn), nil); err == nil && answer.StatusCode < 400 {
			t.Errorf("half of a body: %s", answer.Status)
		}
		cut = append(cut, uri)
	}
	// A body of another length than was signed, and two lengths.
	_, start, body = request("longer", "Content-Length: 1LENGTH\r\n")
	conn = dial()
	send(conn, start, string(body))
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if answer, err := http.ReadResponse(bufio.NewReader(conn), nil); err == nil && answer.StatusCode < 400 {
		t.Errorf("less than was said: %s", answer.Status)
	}
	_, start, body = request("both", "Content-Length: LENGTH\r\nContent-Length: 5\r\n")
	conn = dial()
	send(conn, start, string(body))
	if got := status(bufio.NewReader(conn)); got != http.StatusBadRequest {
		t.Errorf("two lengths: %d", got)
	}

	// Who never ends the head is let go, and keeps nobody waiting.
	slow := dial()
	send(slow, "POST /inbox HTTP/1.1\r\nHost: ", k.node.address, "\r\nX-Slow: ")
	began := time.Now()
	conn = dial()
	uri, start, body = request("beside", "Content-Length: LENGTH\r\n")
	send(conn, start, string(body))
	if got := status(bufio.NewReader(conn)); got != http.StatusAccepted {
		t.Errorf("beside a slow one: %d", got)
	}
	stored = append(stored, uri)
	if _, err := io.Copy(io.Discard, slow); err != nil && !strings.Contains(err.Error(), "reset") {
		t.Errorf("after %s: %v", time.Since(began), err)
	}
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("a head that does not end was waited for during %s", took)
	}

	if err := k.node.open(t.Context()); err != nil {
		t.Fatal(err)
	}
	quiet(t, &faultNode{demoNode: k.node})
	var known, half, others int
	if err := k.node.store.pool.QueryRow(t.Context(), `select count(*) filter (where uri = any($1)), count(*) filter (where uri = any($2)), count(*) filter (where uri <> all($1)) from posts`,
		stored, cut).Scan(&known, &half, &others); err != nil {
		t.Fatal(err)
	}
	if known != len(stored) || half != 0 || others != 0 {
		t.Errorf("%d of %d posts are there, %d of those that were cut, %d others", known, len(stored), half, others)
	}
}
