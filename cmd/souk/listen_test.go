package main

import (
	"bufio"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
)

// What a client says before its request has an end: floods of header fields, fields beyond measure and endless request
// lines are refused, and never reach a handler.
func TestListenBoundsHeaders(t *testing.T) {
	t.Parallel()
	f, err := listen(&Config{TLS: TLSOff, Listen: []string{"127.0.0.1:0"}}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.close(); err != nil {
			t.Error(err)
		}
	})
	f.serve(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	fields := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "X-%d: y\r\n", i)
		}
		return b.String()
	}
	for name, test := range map[string]struct {
		target, fields string
		status         int
	}{
		"as everybody":                   {"/", "", http.StatusNoContent},
		"many fields, as proxies add":    {"/", fields(100), http.StatusNoContent},
		"a signature of some length":     {"/", "Signature: " + strings.Repeat("a", 8<<10) + "\r\n", http.StatusNoContent},
		"a field beyond measure":         {"/", "Signature: " + strings.Repeat("a", 128<<10) + "\r\n", http.StatusRequestHeaderFieldsTooLarge},
		"a flood of fields":              {"/", fields(20_000), http.StatusRequestHeaderFieldsTooLarge},
		"an address beyond measure":      {"/" + strings.Repeat("a", 128<<10), "", http.StatusRequestHeaderFieldsTooLarge},
		"a field folded over two lines":  {"/", "X: a\r\n b\r\n", http.StatusNoContent},
		"a space before the colon":       {"/", "X : a\r\n", http.StatusBadRequest},
		"two lengths":                    {"/", "Content-Length: 3\r\nContent-Length: 4\r\n", http.StatusBadRequest},
		"two hosts":                      {"/", "Host: evil.example\r\n", http.StatusBadRequest},
		"a NUL in a field":               {"/", "X: a\x00b\r\n", http.StatusBadRequest},
		"a line that ends in the middle": {"/", "X: a\rb\r\n", http.StatusBadRequest},
	} {
		conn, err := net.Dial("tcp", f.addresses[0])
		if err != nil {
			t.Fatal(err)
		}
		// The server may answer and close before it has read all: then writing fails, and the answer is there.
		_, sent := fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n%s\r\n", test.target, test.fields)
		got, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Errorf("%s: %v", name, errors.Join(err, sent))
		} else if got.StatusCode != test.status {
			t.Errorf("%s: %d, want %d", name, got.StatusCode, test.status)
		}
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	}
}
