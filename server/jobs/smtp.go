package jobs

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/smtp"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"time"
)

// post hands mails to a mail server: smtp:// with STARTTLS where the server has it, smtps:// with TLS from the start.
type post struct {
	server *url.URL
	helo   string         // the name of this node
	roots  *x509.CertPool // nil: the system's
}

// sendTimeout bounds the whole conversation with the mail server.
const sendTimeout = time.Minute

// errPermanent is what a mail server refused for good (RFC 5321, 4.2.1: 5yz): the same mail would be refused again.
var errPermanent = errors.New("refused for good")

// send hands one message over. Nothing is sent to a server that has a password to read without encryption.
func (p *post) send(ctx context.Context, from, to string, message []byte) (err error) {
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	c, err := p.connect(ctx)
	if err != nil {
		return fmt.Errorf("mail server: %w", err)
	}
	defer func() {
		if cerr := c.Close(); err == nil && cerr != nil && !errors.Is(cerr, net.ErrClosed) {
			err = cerr
		}
	}()
	if err := p.authenticate(c); err != nil {
		return fmt.Errorf("sign in to the mail server: %w", err)
	}
	if err := c.Mail(from); err != nil {
		return permanent("sender", err)
	}
	if err := c.Rcpt(to); err != nil {
		return permanent("recipient", err)
	}
	w, err := c.Data()
	if err != nil {
		return permanent("message", err)
	}
	if _, err := w.Write(message); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return permanent("message", err)
	}
	// The message is taken: what the server says to the goodbye changes nothing, and an error would send it again.
	_ = c.Quit()
	return nil
}

func (p *post) port() string {
	switch {
	case p.server.Port() != "":
		return p.server.Port()
	case p.server.Scheme == "smtps":
		return "465" // RFC 8314, 7.3
	}
	return "587" // RFC 6409
}

func (p *post) connect(ctx context.Context) (*smtp.Client, error) {
	host := p.server.Hostname()
	conn, err := (&net.Dialer{Timeout: 20 * time.Second}).DialContext(ctx, "tcp", net.JoinHostPort(host, p.port()))
	if err != nil {
		return nil, err
	}
	deadline, _ := ctx.Deadline()
	if err := conn.SetDeadline(deadline); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	secure := &tls.Config{ServerName: host, RootCAs: p.roots}
	if p.server.Scheme == "smtps" {
		conn = tls.Client(conn, secure)
	}
	c, err := smtp.NewClient(conn, host)
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	if err := p.greet(c, secure); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

func (p *post) greet(c *smtp.Client, secure *tls.Config) error {
	if err := c.Hello(p.helo); err != nil {
		return err
	}
	if offered, _ := c.Extension("STARTTLS"); offered && p.server.Scheme == "smtp" {
		return c.StartTLS(secure)
	}
	if _, encrypted := c.TLSConnectionState(); !encrypted && p.server.User != nil && !loopback(p.server.Hostname()) {
		return errors.New("it offers no encryption, and the password would be read on the way")
	}
	return nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (p *post) authenticate(c *smtp.Client) error {
	if p.server.User == nil {
		return nil
	}
	user := p.server.User.Username()
	password, _ := p.server.User.Password()
	offered, ways := c.Extension("AUTH")
	known := strings.Fields(strings.ToUpper(ways))
	switch {
	case !offered:
		return errors.New("it takes no password")
	case slices.Contains(known, "PLAIN"):
		return c.Auth(smtp.PlainAuth("", user, password, p.server.Hostname()))
	case slices.Contains(known, "LOGIN"):
		return c.Auth(&loginAuth{user, password})
	}
	return fmt.Errorf("it knows none of our ways to sign in, only %.100q", ways)
}

// permanent marks the answers that would be the same tomorrow.
func permanent(about string, err error) error {
	var answer *textproto.Error
	if errors.As(err, &answer) && answer.Code >= 500 {
		return fmt.Errorf("%s %w: %d", about, errPermanent, answer.Code)
	}
	return fmt.Errorf("%s: %w", about, err)
}

// loginAuth is what some large providers offer instead: name and password, each when it is asked for.
type loginAuth struct{ user, password string }

func (a *loginAuth) Start(*smtp.ServerInfo) (string, []byte, error) { return "LOGIN", nil, nil }

func (a *loginAuth) Next(question []byte, more bool) ([]byte, error) {
	switch {
	case !more:
		return nil, nil
	case strings.HasPrefix(strings.ToLower(string(question)), "user"):
		return []byte(a.user), nil
	case strings.HasPrefix(strings.ToLower(string(question)), "pass"):
		return []byte(a.password), nil
	}
	return nil, errors.New("unexpected question of the server")
}
