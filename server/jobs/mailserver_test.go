package jobs_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"math/big"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"
)

// mailServer is a mail server on loopback, as RFC 5321 has it and no more.
type mailServer struct {
	t         *testing.T
	listener  net.Listener
	secure    *tls.Config
	startTLS  bool
	implicit  bool              // TLS from the start
	auth      string            // what it says after AUTH; empty: nothing
	refuse    map[string]string // answers to a verb instead of the usual one
	delivered chan delivered
}

// delivered is a mail that the server took.
type delivered struct {
	from, to  string
	data      string
	encrypted bool
	user      string // signed in as
}

// newMailServer listens until the test ends; change sets it up before.
func newMailServer(t *testing.T, change func(*mailServer)) (*mailServer, *x509.CertPool) {
	t.Helper()
	s := &mailServer{t: t, delivered: make(chan delivered, 10), refuse: map[string]string{}}
	var roots *x509.CertPool
	s.secure, roots = certificate(t)
	change(s)
	s.listener = must(net.Listen("tcp", "127.0.0.1:0"))(t)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := s.listener.Accept()
			if err != nil {
				return
			}
			s.talk(conn)
		}
	}()
	t.Cleanup(func() {
		s.listener.Close()
		<-done
	})
	return s, roots
}

func (s *mailServer) url(t testing.TB, userinfo, query string) *url.URL {
	t.Helper()
	scheme := "smtp://"
	if s.implicit {
		scheme = "smtps://"
	}
	return must(url.Parse(scheme + userinfo + s.listener.Addr().String() + query))(t)
}

// certificate is one for 127.0.0.1, and the pool that knows it.
func certificate(t testing.TB) (*tls.Config, *x509.CertPool) {
	t.Helper()
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(t)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der := must(x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key))(t)
	roots := x509.NewCertPool()
	roots.AddCert(must(x509.ParseCertificate(der))(t))
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, roots
}

// session is one conversation.
type session struct {
	*mailServer
	conn net.Conn
	in   *bufio.Reader
	mail delivered
}

func (s *mailServer) talk(conn net.Conn) {
	c := &session{mailServer: s, conn: conn}
	defer func() { c.conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		return
	}
	if s.implicit {
		c.conn, c.mail.encrypted = tls.Server(conn, s.secure), true
	}
	c.in = bufio.NewReader(c.conn)
	c.say("220 mail.example ready")
	for {
		line, err := c.in.ReadString('\n')
		if err != nil {
			return
		}
		verb, rest, _ := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
		if answer := s.refuse[verb]; answer != "" {
			c.say(answer)
			continue
		}
		if !c.command(verb, rest) {
			return
		}
	}
}

func (c *session) say(lines ...string) {
	// An error shows as the end of the conversation.
	_, _ = c.conn.Write([]byte(strings.Join(lines, "\r\n") + "\r\n"))
}

// command answers one line; false ends the conversation.
func (c *session) command(verb, rest string) bool {
	switch verb {
	case "EHLO":
		lines := []string{"250-mail.example"}
		if c.startTLS && !c.mail.encrypted {
			lines = append(lines, "250-STARTTLS")
		}
		if c.auth != "" {
			lines = append(lines, "250-AUTH "+c.auth)
		}
		c.say(append(lines, "250 8BITMIME")...)
	case "STARTTLS":
		c.say("220 go on")
		c.conn, c.mail.encrypted = tls.Server(c.conn, c.secure), true
		c.in = bufio.NewReader(c.conn)
	case "AUTH":
		c.signIn(rest)
	case "MAIL":
		c.mail.from = between(rest)
		c.say("250 ok")
	case "RCPT":
		c.mail.to = between(rest)
		c.say("250 ok")
	case "DATA":
		return c.data()
	case "QUIT":
		c.say("221 bye")
		return false
	default:
		c.say("502 unknown")
	}
	return true
}

// between is what stands in the angle brackets.
func between(s string) string {
	_, s, _ = strings.Cut(s, "<")
	s, _, _ = strings.Cut(s, ">")
	return s
}

func (c *session) signIn(rest string) {
	way, first, _ := strings.Cut(rest, " ")
	ask := func(question string) string {
		c.say("334 " + base64.StdEncoding.EncodeToString([]byte(question)))
		line, err := c.in.ReadString('\n')
		if err != nil {
			return ""
		}
		return decode(strings.TrimSpace(line))
	}
	var user, password string
	if way == "LOGIN" {
		user, password = ask("Username:"), ask("Password:")
	} else if parts := strings.Split(decode(first), "\x00"); len(parts) == 3 {
		user, password = parts[1], parts[2]
	}
	if password != "p:ss" {
		c.say("535 no")
		return
	}
	c.mail.user = user
	c.say("235 welcome")
}

func decode(s string) string {
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return ""
	}
	return string(b)
}

func (c *session) data() bool {
	c.say("354 go on")
	var text strings.Builder
	for {
		line, err := c.in.ReadString('\n')
		if err != nil {
			return false
		}
		if line == ".\r\n" {
			break
		}
		text.WriteString(strings.TrimPrefix(line, "."))
	}
	if answer := c.refuse["."]; answer != "" {
		c.say(answer)
		return true
	}
	c.mail.data = text.String()
	c.delivered <- c.mail
	c.say("250 taken")
	return true
}
