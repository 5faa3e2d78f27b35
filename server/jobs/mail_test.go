package jobs_test

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivertype"

	"souk"
	"souk/migrations/pgtest"
	"souk/server/jobs"
)

// must ends the test with the error of a call: must(f())(t).
func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// office is a node of anna, in English, whose jobs are worked by River.
type office struct {
	*souk.DB
	t      *testing.T
	owner  *souk.Account
	cup    *souk.Listing
	log    *logged
	events <-chan *river.Event
}

// logged collects what is logged.
type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func openOffice(t *testing.T, smtp *url.URL, roots *x509.CertPool) *office {
	t.Helper()
	ctx := t.Context()
	o := &office{t: t, log: &logged{}}
	pool := pgtest.New(t)
	o.DB = must(souk.New(pool, souk.Config{BaseURL: "https://shop.example"}))(t)
	t.Cleanup(o.Close)
	if err := o.EnsureShop(ctx); err != nil {
		t.Fatal(err)
	}
	setup := must(o.NewSetupToken(ctx))(t)
	o.owner = must(o.SetUp(ctx, setup, souk.Setup{Name: "Töpferei \"Anna\"", Country: "DE",
		Account: souk.NewAccount{Name: "anna", DisplayName: "Anna", Email: "anna@shop.example", Password: "market lane 1"}}))(t)
	shop := must(o.Shop(ctx))(t)
	shop.ShippingFee, shop.PaymentNote, shop.Pickup = 490, "IBAN DE00 1234", true
	if err := o.SaveShop(ctx, o.owner.ID, *shop); err != nil {
		t.Fatal(err)
	}
	o.cup = must(o.CreateListing(ctx, o.owner.ID, souk.NewListing{Title: "Celadon cup", Price: souk.Money{Amount: 2400, Currency: "EUR"}, Quantity: 50}))(t)

	workers := river.NewWorkers()
	if err := jobs.AddWorkers(workers, jobs.Config{DB: o.DB, SMTP: smtp, Roots: roots, Log: slog.New(slog.NewTextHandler(o.log, nil))}); err != nil {
		t.Fatal(err)
	}
	// The jobs of other layers wait: nobody works them here.
	client := must(river.NewClient(riverpgxv5.New(pool), &river.Config{Workers: workers, Queues: map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: 1}},
		FetchCooldown: 5 * time.Millisecond, FetchPollInterval: 50 * time.Millisecond, Logger: slog.New(slog.DiscardHandler), TestOnly: true}))(t)
	var cancel func()
	o.events, cancel = client.Subscribe(river.EventKindJobCompleted, river.EventKindJobCancelled, river.EventKindJobFailed)
	t.Cleanup(cancel)
	if err := client.Start(ctx); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { <-client.Stopped() })
	return o
}

// done waits until the named mail was worked and returns its job.
func (o *office) done(name string) *rivertype.JobRow {
	o.t.Helper()
	late := time.After(3 * time.Minute)
	for {
		select {
		case e := <-o.events:
			if e.Job.Kind == (souk.MailArgs{}).Kind() && strings.Contains(string(e.Job.EncodedArgs), fmt.Sprintf("%q", name)) {
				return e.Job
			}
		case <-late:
			o.t.Fatalf("nobody worked the mail %s", name)
		}
	}
}

// order is one of Li Na, for a cup.
func (o *office) order(change func(*souk.NewOrder)) *souk.Order {
	o.t.Helper()
	n := souk.NewOrder{Lines: []souk.NewOrderLine{{ListingID: o.cup.ID, Quantity: 2}}, Name: "Li Na", Email: "li.na@example.org", Country: "DE",
		Address: "Gasse 1\n10115 Berlin", Payment: souk.PayTransfer, Note: "Buy gold at https://evil.example", Lang: "en"}
	if change != nil {
		change(&n)
	}
	return must(o.PlaceOrder(o.t.Context(), n))(o.t)
}

// parsed is a mail as a reader sees it.
type parsed struct {
	t      *testing.T
	header mail.Header
	text   string
}

func parse(t *testing.T, d delivered) parsed {
	t.Helper()
	for line := range strings.SplitSeq(d.data, "\r\n") {
		if len(line) > 200 || strings.ContainsAny(line, "\r\n") || strings.ContainsFunc(line, func(r rune) bool { return r > 126 }) {
			t.Errorf("line %q", line)
		}
	}
	m := must(mail.ReadMessage(strings.NewReader(d.data)))(t)
	text := string(must(io.ReadAll(quotedprintable.NewReader(m.Body)))(t))
	return parsed{t, m.Header, strings.ReplaceAll(text, "\r\n", "\n")}
}

// is checks headers, decoded, in pairs.
func (p parsed) is(pairs ...string) {
	p.t.Helper()
	for i := 0; i+1 < len(pairs); i += 2 {
		got := must(new(mime.WordDecoder).DecodeHeader(p.header.Get(pairs[i])))(p.t)
		if got != pairs[i+1] {
			p.t.Errorf("%s: %q, want %q", pairs[i], got, pairs[i+1])
		}
	}
}

func (p parsed) says(parts ...string) {
	p.t.Helper()
	for _, part := range parts {
		if !strings.Contains(p.text, part) {
			p.t.Errorf("%q is not in:\n%s", part, p.text)
		}
	}
}

// take is the next mail to the address.
func (s *mailServer) take(to string) delivered {
	s.t.Helper()
	late := time.After(3 * time.Minute)
	for {
		select {
		case d := <-s.delivered:
			if d.to == to {
				return d
			}
		case <-late:
			s.t.Fatalf("no mail to %s", to)
		}
	}
}

func TestMailOfOrder(t *testing.T) {
	t.Parallel()
	server, _ := newMailServer(t, func(*mailServer) {})
	o := openOffice(t, server.url(t, "", "?from=orders@shop.example"), nil)
	order := o.order(nil)
	d := server.take("li.na@example.org")
	if d.from != "orders@shop.example" {
		t.Errorf("sender %q", d.from)
	}
	m := parse(t, d)
	m.is("From", `Töpferei "Anna" <orders@shop.example>`, "To", `"Li Na" <li.na@example.org>`, "Reply-To", `"Anna" <anna@shop.example>`,
		"Subject", `Order 1001 at Töpferei "Anna"`, "Auto-Submitted", "auto-generated", "Content-Language", "en", "Content-Type", "text/plain; charset=utf-8", "MIME-Version", "1.0")
	if id := m.header.Get("Message-ID"); !strings.HasPrefix(id, "<order-") || !strings.HasSuffix(id, "@shop.example>") {
		t.Errorf("Message-ID %q", id)
	}
	if at := must(m.header.Date())(t); time.Since(at) > time.Minute {
		t.Errorf("Date %v", at)
	}
	m.says("has your order 1001", "2 × Celadon cup: €48.00", "Delivery: €4.90", "Total: €52.90", "IBAN DE00 1234", "Write on the payment: 1001",
		"https://shop.example/orders/"+order.Token+"\n", "You can cancel it there")
	// What the buyer typed could be anything, and the address anybody's.
	for _, part := range []string{"evil.example", "Gasse"} {
		if strings.Contains(m.text, part) {
			t.Errorf("%q is in the buyer's mail", part)
		}
	}

	ctx := t.Context()
	must(o.SetOrderState(ctx, o.owner.ID, order.ID, souk.OrderPaid, "Thank you", ""))(t)
	paid := parse(t, server.take("li.na@example.org"))
	paid.is("Subject", `Order 1001 at Töpferei "Anna": paid`)
	paid.says("has arrived", "From the seller\nThank you")
	must(o.SetOrderState(ctx, o.owner.ID, order.ID, souk.OrderShipped, "", "DHL 77"))(t)
	parse(t, server.take("li.na@example.org")).says("is on its way", "Tracking number: DHL 77")
}

func TestMailToSeller(t *testing.T) {
	t.Parallel()
	server, _ := newMailServer(t, func(*mailServer) {})
	o := openOffice(t, server.url(t, "", ""), nil)
	order := o.order(nil)
	d := server.take("anna@shop.example")
	if d.from != "shop@shop.example" {
		t.Errorf("sender %q", d.from)
	}
	m := parse(t, d)
	m.is("To", `"Anna" <anna@shop.example>`, "Reply-To", `"Li Na" <li.na@example.org>`, "Subject", "New order 1001: €52.90")
	m.says("2 × Celadon cup: €48.00", "Li Na\nli.na@example.org", "Gasse 1\n10115 Berlin\nDE", "Buy gold", "Bank transfer", fmt.Sprintf("https://shop.example/console/orders/%d\n", order.ID))
}

func TestMailInChinese(t *testing.T) {
	t.Parallel()
	server, _ := newMailServer(t, func(*mailServer) {})
	o := openOffice(t, server.url(t, "", ""), nil)
	order := o.order(func(n *souk.NewOrder) {
		n.Lang, n.Name, n.Pickup, n.Address, n.Payment = "zh-CN", "李娜", true, "", souk.PayCash
	})
	m := parse(t, server.take("li.na@example.org"))
	m.is("To", "李娜 <li.na@example.org>", "Subject", `Töpferei "Anna" 订单 1001`, "Content-Language", "zh-Hans")
	m.says("已收到你的订单 1001", "Celadon cup × 2：", "现金", "https://shop.example/zh/orders/"+order.Token)
	must(o.CancelByBuyer(t.Context(), order.Token))(t)
	parse(t, server.take("li.na@example.org")).says("你取消了订单 1001")
}

func TestMailRefund(t *testing.T) {
	t.Parallel()
	server, _ := newMailServer(t, func(*mailServer) {})
	o := openOffice(t, server.url(t, "", ""), nil)
	order := o.order(nil)
	o.done("placed")
	must(o.SetOrderState(t.Context(), o.owner.ID, order.ID, souk.OrderPaid, "", ""))(t)
	o.done("paid")
	must(o.SetOrderState(t.Context(), o.owner.ID, order.ID, souk.OrderCancelled, "It broke", ""))(t)
	o.done("cancelled")
	for range 2 {
		server.take("li.na@example.org")
	}
	parse(t, server.take("li.na@example.org")).says("The seller cancelled order 1001", "gives the money back", "It broke")
}

func TestMailSignIn(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*mailServer){
		"STARTTLS and PLAIN": func(s *mailServer) { s.startTLS, s.auth = true, "LOGIN PLAIN" },
		"STARTTLS and LOGIN": func(s *mailServer) { s.startTLS, s.auth = true, "LOGIN" },
		"TLS from the start": func(s *mailServer) { s.implicit, s.auth = true, "PLAIN" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, roots := newMailServer(t, change)
			o := openOffice(t, server.url(t, "shop:p%3Ass@", ""), roots)
			o.order(nil)
			if d := server.take("li.na@example.org"); !d.encrypted || d.user != "shop" {
				t.Errorf("encrypted %t, as %q", d.encrypted, d.user)
			}
		})
	}
}

// A certificate that nobody vouches for ends the conversation before anything is said.
func TestMailUnknownCertificate(t *testing.T) {
	t.Parallel()
	server, _ := newMailServer(t, func(s *mailServer) { s.startTLS, s.auth = true, "PLAIN" })
	o := openOffice(t, server.url(t, "shop:p%3Ass@", ""), nil)
	o.order(nil)
	job := o.done("placed")
	if job.State != rivertype.JobStateRetryable || !strings.Contains(job.Errors[0].Error, "certificate") {
		t.Errorf("%s: %v", job.State, job.Errors)
	}
}

func TestMailRefused(t *testing.T) {
	t.Parallel()
	for verb, cases := range map[string]map[string]rivertype.JobState{
		"RCPT": {"550 nobody here": rivertype.JobStateCancelled, "451 later": rivertype.JobStateRetryable},
		"MAIL": {"553 not you": rivertype.JobStateCancelled},
		".":    {"554 spam": rivertype.JobStateCancelled, "452 full": rivertype.JobStateRetryable},
		"EHLO": {"554 away": rivertype.JobStateRetryable}, // says nothing of this mail
	} {
		for answer, want := range cases {
			t.Run(verb+" "+answer, func(t *testing.T) {
				t.Parallel()
				server, _ := newMailServer(t, func(s *mailServer) { s.refuse[verb], s.refuse["HELO"] = answer, answer })
				o := openOffice(t, server.url(t, "", ""), nil)
				o.order(nil)
				if job := o.done("placed"); job.State != want {
					t.Errorf("%s: %v", job.State, job.Errors)
				}
				if logged := o.log.String(); strings.Contains(logged, "li.na") {
					t.Errorf("the address is in the log: %s", logged)
				}
			})
		}
	}
}

func TestMailToLog(t *testing.T) {
	t.Parallel()
	o := openOffice(t, nil, nil)
	order := o.order(nil)
	o.done("placed")
	for _, part := range []string{"li.na@example.org", "Order 1001 at", order.Token, "IBAN DE00 1234"} {
		if !strings.Contains(o.log.String(), part) {
			t.Errorf("%q is not in %s", part, o.log)
		}
	}
}

// A mail that comes too late to be true is not sent.
func TestMailTooLate(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	o := openOffice(t, nil, nil)
	var order *souk.Order
	err := o.Tx(ctx, func(tx *souk.DB) error {
		var err error
		if order, err = tx.PlaceOrder(ctx, souk.NewOrder{Lines: []souk.NewOrderLine{{ListingID: o.cup.ID, Quantity: 1}}, Name: "Li", Email: "li@example.org", Pickup: true, Payment: souk.PayCash}); err != nil {
			return err
		}
		_, err = tx.CancelByBuyer(ctx, order.Token)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	o.done("cancelled")
	if n := strings.Count(o.log.String(), "mail, not sent"); n != 1 || !strings.Contains(o.log.String(), "You cancelled order") {
		t.Errorf("%d mails: %s", n, o.log)
	}
}
