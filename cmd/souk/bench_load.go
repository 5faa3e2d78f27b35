package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// loadConnections is over how many kept-alive connections a node is put under load.
const loadConnections = 16

// volley is what a load came to.
type volley struct {
	each    durations     // of every request, from its first byte sent to the last one received
	elapsed time.Duration // of all of them
}

// fire sends prepared requests to address over kept-alive connections, on each the next as soon as the last is answered.
// next returns the i-th request, whole as it goes over the wire, and nil where there are no more. An answer of another
// status than want ends it with an error. Requests are bytes, since making them would cost more than some answers do.
func fire(ctx context.Context, address string, connections int, want int, next func(i int) []byte) (*volley, error) {
	var count atomic.Int64
	found := make([]durations, connections)
	group, ctx := errgroup.WithContext(ctx)
	start := time.Now()
	for c := range connections {
		group.Go(func() error {
			conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
			if err != nil {
				return err
			}
			defer conn.Close()
			stop := context.AfterFunc(ctx, func() { conn.Close() })
			defer stop()
			in := bufio.NewReaderSize(conn, 32<<10)
			for {
				request := next(int(count.Add(1) - 1))
				if request == nil {
					return nil
				}
				sent := time.Now()
				if err := exchange(conn, in, request, want); err != nil {
					return errors.Join(ctx.Err(), err)
				}
				found[c] = append(found[c], time.Since(sent))
			}
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	v := &volley{elapsed: time.Since(start)}
	for _, f := range found {
		v.each = append(v.each, f...)
	}
	return v, nil
}

// exchange sends a request and reads its answer to the end.
func exchange(conn net.Conn, in *bufio.Reader, request []byte, want int) error {
	if _, err := conn.Write(request); err != nil {
		return err
	}
	answer, err := http.ReadResponse(in, nil)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != want {
		said, err := io.ReadAll(io.LimitReader(answer.Body, 300))
		return errors.Join(fmt.Errorf("status %d instead of %d: %s", answer.StatusCode, want, bytes.TrimSpace(said)), err)
	}
	_, err = io.Copy(io.Discard, answer.Body)
	return err
}

// wire is a request as it goes over the wire. header has everything but Host and Content-Length.
func wire(method, host, target string, header http.Header, body []byte) ([]byte, error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\n", method, target, host)
	if body != nil {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(body))
	}
	if err := header.Write(&b); err != nil {
		return nil, err
	}
	b.WriteString("\r\n")
	b.Write(body)
	return b.Bytes(), nil
}

// during returns what hands out the same request until the time is up.
func during(d time.Duration, request []byte) func(int) []byte {
	until := time.Now().Add(d)
	return func(int) []byte {
		if time.Now().After(until) {
			return nil
		}
		return request
	}
}

// from returns what hands out the requests in their order.
func from(requests [][]byte) func(int) []byte {
	return func(i int) []byte {
		if i >= len(requests) {
			return nil
		}
		return requests[i]
	}
}
