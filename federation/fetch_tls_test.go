package federation

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"testing"
)

// A host that was asked before is asked again without a whole handshake, over a new connection.
func TestSessionIsResumed(t *testing.T) {
	t.Parallel()
	resumed := make(chan bool, 2)
	p := newPeer(t, "127.0.0.1", true, func(w http.ResponseWriter, r *http.Request) {
		resumed <- r.TLS.DidResume
		w.WriteHeader(http.StatusAccepted)
	})
	p.Config.SetKeepAlivesEnabled(false)
	c := reaching(t, FetchConfig{}, "127.0.0.1/32", p)
	for _, want := range []bool{false, true} {
		if _, err := c.Post(t.Context(), p.URL, []byte(testBody), activityMedia, func(*http.Request) error { return nil }); err != nil {
			t.Fatal(err)
		}
		if got := <-resumed; got != want {
			t.Errorf("resumed: %v, want %v", got, want)
		}
	}
}

// Servers close connections that were idle for too long, often just when something is sent: that is no failure of theirs.
func TestPostOverAClosedConnection(t *testing.T) {
	t.Parallel()
	listener := ok(net.Listen("tcp", "127.0.0.1:0"))(t)
	t.Cleanup(func() { listener.Close() })
	got := make(chan http.Header, 10)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			// One request is answered as if there could be more; the next one meets a closed door.
			r, err := http.ReadRequest(bufio.NewReader(conn))
			if err == nil {
				_, err = io.Copy(io.Discard, r.Body)
			}
			if err == nil {
				got <- r.Header
				_, err = io.WriteString(conn, "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
			}
			if one := make([]byte, 1); err == nil {
				_, err = conn.Read(one)
			}
			if conn.Close(); err != nil {
				return
			}
		}
	}()
	c := reaching(t, FetchConfig{}, "127.0.0.1/32")
	for range 3 {
		res, err := c.Post(t.Context(), "http://"+listener.Addr().String()+"/inbox", []byte(testBody), activityMedia, nil)
		if err != nil || res.Status != http.StatusAccepted {
			t.Fatalf("%+v, %v", res, err)
		}
		if _, sent := (<-got)["Idempotency-Key"]; sent {
			t.Error("the header went out")
		}
	}
}
