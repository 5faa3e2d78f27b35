package jobs

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/mail"
	"slices"
	"strings"
	"time"

	"github.com/riverqueue/river"

	"souk"
	"souk/themes"
)

//go:embed locales/*.toml
var locales embed.FS

// sellerPlaced is the mail to the seller about a new order; the others are to the buyer, and named by the state.
const sellerPlaced = "seller_placed"

// mailWorker writes and sends the mails about orders. Running twice sends a mail twice at worst, both with the same
// Message-ID, by which mail programs know that they are one.
type mailWorker struct {
	river.WorkerDefaults[souk.MailArgs]
	db    *souk.DB
	words *themes.Words
	post  *post // nil: mails are written to the log
	from  string
	log   *slog.Logger
}

func newMailWorker(cfg Config) (*mailWorker, error) {
	words, err := themes.NewWords(locales, "locales/*.toml")
	if err != nil {
		return nil, err
	}
	w := &mailWorker{db: cfg.DB, words: words, log: cfg.Log, from: cfg.From}
	if w.log == nil {
		w.log = slog.New(slog.DiscardHandler)
	}
	host := hostname(cfg.DB.HandleDomain())
	if cfg.SMTP != nil {
		w.post = &post{server: cfg.SMTP, helo: hostname(cfg.DB.Domain()), roots: cfg.Roots}
		if w.from == "" {
			w.from = cfg.SMTP.Query().Get("from")
		}
	}
	if w.from == "" {
		w.from = "shop@" + host
	}
	if _, err := mail.ParseAddress(w.from); err != nil {
		return nil, fmt.Errorf("sender of mails %q: %w", w.from, err)
	}
	return w, nil
}

// hostname is a domain without its port.
func hostname(domain string) string {
	if host, _, err := net.SplitHostPort(domain); err == nil {
		return host
	}
	return domain
}

// giveUpAfter is for how long a mail is tried (RFC 5321, 4.5.4.1: four to five days).
const giveUpAfter = 5 * 24 * time.Hour

// NextRetry is as patient as deliveries to other nodes are: seconds first, then longer and longer.
func (w *mailWorker) NextRetry(job *river.Job[souk.MailArgs]) time.Time {
	return w.db.Now().Add(min(w.db.Backoff(job.Attempt), giveUpAfter/5))
}

// Work sends one mail. What the mail server refuses for good is not tried again: the seller sees the order in the console
// either way.
func (w *mailWorker) Work(ctx context.Context, job *river.Job[souk.MailArgs]) error {
	l, err := w.letter(ctx, job.Args)
	if err != nil || l.to.Address == "" {
		return err
	}
	if w.post == nil {
		w.log.Info("mail, not sent since there is no SOUK_SMTP_URL", "to", address(l.to), "subject", l.subject, "text", l.text)
		return nil
	}
	shop, err := w.db.Shop(ctx)
	if err != nil {
		return err
	}
	from, err := mail.ParseAddress(w.from)
	if err != nil {
		return err
	}
	if from.Name == "" {
		from.Name = shop.Name
	}
	_, domain, _ := strings.Cut(from.Address, "@")
	message, err := l.message(*from, fmt.Sprintf("order-%d-%d@%s", job.Args.OrderID, job.ID, domain), job.CreatedAt)
	if err != nil {
		return err
	}
	err = w.post.send(ctx, from.Address, l.to.Address, message)
	if errors.Is(err, errPermanent) || err != nil && w.db.Now().Sub(job.CreatedAt) > giveUpAfter {
		w.log.Warn("mail not sent", "order", job.Args.OrderID, "mail", job.Args.Mail, "error", err)
		return river.JobCancel(err)
	}
	return err
}

// letter is the mail that the job asks for. It is to nobody where the order has moved on, or whom it is for gave no
// address.
func (w *mailWorker) letter(ctx context.Context, args souk.MailArgs) (*letter, error) {
	o, err := w.db.OrderToMail(ctx, args.OrderID)
	if err != nil {
		return nil, err
	}
	shop, err := w.db.Shop(ctx)
	if err != nil {
		return nil, err
	}
	seller, err := w.db.Account(ctx, o.SellerID)
	if errors.Is(err, souk.ErrGone) {
		return &letter{}, nil
	} else if err != nil {
		return nil, err
	}
	if shop.Name == "" {
		shop.Name = w.db.Domain()
	}
	theirs := mail.Address{Name: seller.Title()}
	if seller.Email != nil {
		theirs.Address = *seller.Email
	}
	x := &writer{words: w.words, base: w.db.BaseURL(), order: o, shop: shop}
	l := &letter{to: mail.Address{Name: o.Name, Address: o.Email}, replyTo: &theirs, lang: w.words.Match(o.Lang, shop.Lang)}
	x.lang = l.lang
	if args.Mail == sellerPlaced {
		l.lang = w.words.Match(seller.Lang, shop.Lang)
		l.to, *l.replyTo, x.lang = theirs, l.to, l.lang
		x.toSeller()
	} else {
		x.toBuyer(args.Mail)
	}
	if !stillTrue(args.Mail, o.State) {
		return &letter{}, nil
	}
	if l.replyTo.Address == "" {
		l.replyTo = nil
	}
	l.subject, l.text = x.say("subject."+args.Mail, "Total", x.money(o.Total)), x.text()
	return l, nil
}

// stillTrue reports whether a mail about a state still says something true: it may be late, and its order cancelled or
// taken a step back meanwhile. Nobody is to be asked to pay for what is cancelled.
func stillTrue(state, now string) bool {
	if state == souk.OrderCancelled || now == souk.OrderCancelled {
		return state == now
	}
	if state == sellerPlaced {
		return true
	}
	return slices.Index(souk.OrderStates(), state) <= slices.Index(souk.OrderStates(), now)
}
