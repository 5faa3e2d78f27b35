package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/caddyserver/certmagic"
)

// front is the node's listeners. Until serve gives it the node it answers /livez, and 503 to everything else.
type front struct {
	servers   []*http.Server
	addresses []string
	handler   atomic.Pointer[http.Handler]
	failed    chan error
}

// listen opens the listeners of the configuration and answers on them at once.
func listen(c *Config, log *slog.Logger) (*front, error) {
	f := &front{failed: make(chan error, 4)}
	f.serve(http.HandlerFunc(starting))
	tlsConfig, challenge, err := certificates(c)
	if err != nil {
		return nil, err
	}
	for _, address := range c.Listen {
		l, err := net.Listen("tcp", address)
		if err != nil {
			return nil, errors.Join(advise(fmt.Errorf("cannot listen on %s: %w", address, err), "name another address with --listen or SOUK_LISTEN"), f.close())
		}
		var handler http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (*f.handler.Load()).ServeHTTP(w, r) })
		_, port, _ := net.SplitHostPort(address)
		plain := tlsConfig == nil
		if !plain && port == "80" {
			plain, handler = true, challenge
		}
		s := &http.Server{Handler: handler, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
			ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 2 * time.Minute, WriteTimeout: 2 * time.Minute, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10}
		if !plain {
			s.TLSConfig = tlsConfig.Clone()
		}
		f.servers, f.addresses = append(f.servers, s), append(f.addresses, l.Addr().String())
		go func() {
			var err error
			if plain {
				err = s.Serve(l)
			} else {
				err = s.ServeTLS(l, "", "")
			}
			if !errors.Is(err, http.ErrServerClosed) {
				f.failed <- err
			}
		}()
	}
	return f, nil
}

func (f *front) serve(h http.Handler) { f.handler.Store(&h) }

// starting answers while the database is being opened and migrated.
func starting(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/livez" {
		fmt.Fprintln(w, "ok")
		return
	}
	w.Header().Set("Retry-After", "5")
	http.Error(w, "This node is starting.", http.StatusServiceUnavailable)
}

// close lets requests in progress finish, up to stopWithin, and then closes all connections.
func (f *front) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), stopWithin)
	defer cancel()
	var errs []error
	for _, s := range f.servers {
		if err := s.Shutdown(ctx); err != nil {
			errs = append(errs, err, s.Close())
		}
	}
	return errors.Join(errs...)
}

// certificates is how https is spoken: not at all (nil), with files, or with certificates obtained by ACME. challenge
// answers plain http beside it: the ACME challenge, and a redirect for everything else.
func certificates(c *Config) (config *tls.Config, challenge http.Handler, err error) {
	redirect := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "https://"+c.Domain+r.URL.RequestURI(), http.StatusPermanentRedirect)
	})
	switch c.TLS {
	case TLSOff:
		return nil, nil, nil
	case TLSFiles:
		pair, err := tls.LoadX509KeyPair(c.TLSCert, c.TLSKey)
		if err != nil {
			return nil, nil, fmt.Errorf("certificate: %w", err)
		}
		return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}, redirect, nil
	}
	var magic *certmagic.Config
	cache := certmagic.NewCache(certmagic.CacheOptions{GetConfigForCert: func(certmagic.Certificate) (*certmagic.Config, error) { return magic, nil }})
	magic = certmagic.New(cache, certmagic.Config{Storage: &certmagic.FileStorage{Path: filepath.Join(c.DataDir, "tls")}})
	issuer := certmagic.NewACMEIssuer(magic, certmagic.ACMEIssuer{Agreed: true})
	magic.Issuers = []certmagic.Issuer{issuer}
	names := []string{c.Hostname()}
	if h := hostOf(c.HandleDomain); !strings.EqualFold(h, c.Hostname()) {
		names = append(names, h)
	}
	if err := magic.ManageAsync(context.Background(), names); err != nil {
		return nil, nil, fmt.Errorf("certificate: %w", err)
	}
	config = magic.TLSConfig()
	config.NextProtos = append([]string{"h2", "http/1.1"}, config.NextProtos...)
	return config, issuer.HTTPChallengeHandler(redirect), nil
}
