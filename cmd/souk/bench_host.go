package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"
)

func newBenchPeersCommand() *cobra.Command {
	var hosts int
	var authority string
	cmd := &cobra.Command{
		Use:   "peers",
		Short: "Be the hosts that souk bench delivers to",
		Long: "Listens with TLS on as many loopback addresses, all with one port. Prints that port, and the address where it is told\n" +
			"how its hosts behave. Every POST is read, compared with its digest, and answered with 202; each connection serves one\n" +
			"request; every other host speaks HTTP/1.1 only. It ends with its standard input. souk bench starts it.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return serveHosts(cmd.Context(), hosts, authority, cmd.InOrStdin(), cmd.OutOrStdout())
		},
	}
	cmd.Flags().IntVar(&hosts, "hosts", 2000, "how many hosts to be, at most 60000")
	cmd.Flags().StringVar(&authority, "authority", "authority.pem", "write the certificate that theirs are signed with to `FILE`")
	return cmd
}

// peerManners is how the hosts behave.
type peerManners struct {
	faulty bool          // every fifth hangs for 30 s, answers 503, or hangs up, in turn
	keep   bool          // whatever they behave like, go on counting
	rtt    time.Duration // how long every answer is on its way, and a connection until it is there
}

// peerReport is what the hosts got.
type peerReport struct {
	Healthy int `json:"healthy"` // activities that hosts got that are never faulty
	Faulty  int `json:"faulty"`  // and that the others got
	Doubled int `json:"doubled"` // got once more
	Broken  int `json:"broken"`  // not what their digest says
	Refused int `json:"refused"` // that faulty hosts did not take
}

// Of every five hosts the last is faulty when it is told to be.
func isFaulty(host int) bool { return host%5 == 4 }

// hangFor is for how long a hanging host says nothing.
const hangFor = 30 * time.Second

// benchHosts are all hosts in one process.
type benchHosts struct {
	faulty atomic.Bool
	rtt    atomic.Int64

	mu     sync.Mutex
	report peerReport
	got    map[gotActivity]bool
}

type gotActivity struct {
	host   int
	digest [sha256.Size]byte
}

// serveHosts answers on the addresses of all hosts until in or ctx ends.
func serveHosts(ctx context.Context, hosts int, authority string, in io.Reader, out io.Writer) (err error) {
	h := &benchHosts{got: map[gotActivity]bool{}}
	listeners, port, err := listenAsPeers(hosts)
	defer func() {
		for _, l := range listeners {
			l.Close() // the server has closed it
		}
	}()
	if err != nil {
		return err
	}
	signer, err := newBenchAuthority(authority)
	if err != nil {
		return err
	}
	control, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	failed := make(chan error, len(listeners)+2)
	told := &http.Server{ReadHeaderTimeout: time.Minute, Handler: h.told()}
	defer func() { err = errors.Join(err, told.Close()) }()
	go func() { failed <- told.Serve(control) }()
	for i, l := range listeners {
		server, err := h.server(i, signer)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, server.Close()) }()
		go func() { failed <- server.ServeTLS(listener{l, h, i}, "", "") }()
	}
	go func() {
		_, err := io.Copy(io.Discard, in)
		failed <- err
	}()
	if _, err := fmt.Fprintln(out, port, control.Addr()); err != nil {
		return err
	}
	select {
	case err = <-failed:
	case <-ctx.Done():
	}
	return err
}

// server is the i-th host.
func (h *benchHosts) server(i int, signer *benchAuthority) (*http.Server, error) {
	certificate, err := signer.of(i)
	if err != nil {
		return nil, err
	}
	protocols := []string{"h2", "http/1.1"}
	if i%2 == 1 {
		protocols = protocols[1:]
	}
	s := &http.Server{ReadHeaderTimeout: time.Minute, ErrorLog: log.New(io.Discard, "", 0), Handler: h.host(i),
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{*certificate}, MinVersion: tls.VersionTLS13, NextProtos: protocols, SessionTicketsDisabled: true}}
	s.SetKeepAlivesEnabled(false)
	return s, nil
}

// host answers what is posted to the i-th host.
func (h *benchHosts) host(i int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			http.NotFound(w, r)
			return
		}
		if h.faulty.Load() && isFaulty(i) {
			h.count(func(r *peerReport) { r.Refused++ })
			if i/5%3 == 0 {
				select {
				case <-r.Context().Done():
					return
				case <-time.After(hangFor):
				}
			}
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // whoever sent half of it gets no answer
		}
		sum := sha256.Sum256(body)
		if want := r.Header.Get("Digest"); want != "" && want != "SHA-256="+base64.StdEncoding.EncodeToString(sum[:]) {
			h.count(func(r *peerReport) { r.Broken++ })
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		h.count(func(r *peerReport) {
			switch one := (gotActivity{i, sum}); {
			case h.got[one]:
				r.Doubled++
			case isFaulty(i):
				h.got[one], r.Faulty = true, r.Faulty+1
			default:
				h.got[one], r.Healthy = true, r.Healthy+1
			}
		})
		w.WriteHeader(http.StatusAccepted)
	}
}

func (h *benchHosts) count(change func(*peerReport)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	change(&h.report)
}

// told is where the hosts are told how to behave, and tell what they got.
func (h *benchHosts) told() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /report", func(w http.ResponseWriter, _ *http.Request) {
		h.mu.Lock()
		defer h.mu.Unlock()
		if err := json.NewEncoder(w).Encode(h.report); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})
	mux.HandleFunc("POST /behave", func(w http.ResponseWriter, r *http.Request) {
		faulty, err := strconv.ParseBool(r.FormValue("faulty"))
		rtt, err2 := time.ParseDuration(r.FormValue("rtt"))
		if err := errors.Join(err, err2); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		h.faulty.Store(faulty)
		h.rtt.Store(int64(rtt))
		if r.FormValue("keep") != "true" {
			h.count(func(r *peerReport) { *r = peerReport{} })
		}
	})
	return mux
}

// listener is that of the i-th host: it hangs up where the host is one that does, and makes the way as long as it is told.
type listener struct {
	net.Listener
	hosts *benchHosts
	i     int
}

func (l listener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if l.hosts.faulty.Load() && isFaulty(l.i) && l.i/5%3 == 2 {
			l.hosts.count(func(r *peerReport) { r.Refused++ })
			conn.Close() // that is what it is to do
			continue
		}
		if rtt := time.Duration(l.hosts.rtt.Load()); rtt > 0 {
			return newFarConn(conn, rtt), nil
		}
		return conn, nil
	}
}

// farConn is a connection over a long way: what is written arrives a round trip later, and the first thing is read a round
// trip late, as if the connection had taken that long to be there.
type farConn struct {
	net.Conn
	rtt   time.Duration
	begin sync.Once
	way   chan onItsWay
	stop  chan struct{}
	close func()
}

type onItsWay struct {
	at   time.Time
	data []byte
}

func newFarConn(conn net.Conn, rtt time.Duration) *farConn {
	c := &farConn{Conn: conn, rtt: rtt, way: make(chan onItsWay, 64), stop: make(chan struct{})}
	c.close = sync.OnceFunc(func() { close(c.stop) })
	go c.carry()
	return c
}

func (c *farConn) carry() {
	defer c.Conn.Close()
	for {
		var one onItsWay
		select {
		case one = <-c.way:
		case <-c.stop:
			select {
			case one = <-c.way: // what was written before it was closed still arrives
			default:
				return
			}
		}
		time.Sleep(time.Until(one.at))
		if _, err := c.Conn.Write(one.data); err != nil {
			return
		}
	}
}

func (c *farConn) Read(p []byte) (int, error) {
	c.begin.Do(func() { time.Sleep(c.rtt) })
	return c.Conn.Read(p)
}

func (c *farConn) Write(p []byte) (int, error) {
	select {
	case <-c.stop:
		return 0, net.ErrClosed
	case c.way <- onItsWay{time.Now().Add(c.rtt), append([]byte(nil), p...)}:
		return len(p), nil
	}
}

// SetWriteDeadline does nothing: whoever says that it will write no more must not stop what is on its way.
func (c *farConn) SetWriteDeadline(time.Time) error { return nil }

func (c *farConn) SetDeadline(t time.Time) error { return c.SetReadDeadline(t) }

func (c *farConn) Close() error {
	c.close()
	return nil
}

// listenAsPeers listens on the addresses of all hosts, with a port that is free on each.
func listenAsPeers(hosts int) (list []net.Listener, port int, err error) {
	if hosts < 1 || hosts > 60_000 {
		return nil, 0, errors.New("be 1 to 60000 hosts")
	}
	first, err := net.Listen("tcp", peerAddress(0, 0))
	if err != nil {
		return nil, 0, advise(err, "every address in 127.0.0.0/8 must be of this machine, as on Linux")
	}
	list, port = append(list, first), first.Addr().(*net.TCPAddr).Port
	for i := 1; i < hosts; i++ {
		l, err := net.Listen("tcp", peerAddress(i, port))
		if err != nil {
			return list, 0, err
		}
		list = append(list, l)
	}
	return list, port, nil
}

// benchAuthority signs those of the hosts.
type benchAuthority struct {
	authority *x509.Certificate
	key       *ecdsa.PrivateKey // of the authority and of every host
}

// newBenchAuthority makes an authority and writes its certificate to a file.
func newBenchAuthority(file string) (*benchAuthority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	authority := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "souk bench"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(24 * time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, authority, authority, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	if authority, err = x509.ParseCertificate(der); err != nil {
		return nil, err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return &benchAuthority{authority, key}, os.WriteFile(file, text, 0o644)
}

// of is the certificate of the i-th host.
func (c *benchAuthority) of(i int) (*tls.Certificate, error) {
	address, _, err := net.SplitHostPort(peerAddress(i, 0))
	if err != nil {
		return nil, err
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(int64(i) + 2), NotBefore: c.authority.NotBefore,
		NotAfter: c.authority.NotAfter, IPAddresses: []net.IP{net.ParseIP(address)}}, c.authority, &c.key.PublicKey, c.key)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{der, c.authority.Raw}, PrivateKey: c.key}, nil
}
