package jobs

import (
	"fmt"
	"net/mail"
	"strings"

	"souk"
	"souk/themes"
)

// letter is a mail about an order, before it is brought into the form in which mails travel.
type letter struct {
	to      mail.Address
	replyTo *mail.Address
	lang    string // BCP 47
	subject string
	text    string
}

// writer writes the letters about one order in one language.
type writer struct {
	words *themes.Words
	lang  string
	base  string // scheme://host of the node
	order *souk.Order
	shop  *souk.Shop
	parts []string
}

func (w *writer) say(id string, args ...any) string {
	return w.words.T(w.lang, id, append(args, "Number", fmt.Sprint(w.order.Number), "Shop", w.shop.Name)...)
}

func (w *writer) money(n int64) string { return themes.FormatMoney(w.lang, n, w.order.Currency, false) }

// add puts a paragraph under the others; empty lines of it are left out, an empty one altogether.
func (w *writer) add(lines ...string) {
	var kept []string
	for _, l := range lines {
		if l = strings.TrimSpace(l); l != "" {
			kept = append(kept, l)
		}
	}
	if len(kept) > 0 {
		w.parts = append(w.parts, strings.Join(kept, "\n"))
	}
}

// headed is add with a heading, unless there is nothing under it.
func (w *writer) headed(heading string, lines ...string) {
	if strings.TrimSpace(strings.Join(lines, "")) != "" {
		w.add(append([]string{w.say(heading)}, lines...)...)
	}
}

// toBuyer is what the buyer reads about a state. It holds nothing that the buyer wrote: an order can be placed with the
// address of somebody else, and a shop's mails must not carry what strangers want to tell them.
func (w *writer) toBuyer(state string) {
	w.add(w.say(w.opening(state)), w.tracking(state), w.refund(state))
	if event := w.event(state); event != nil && event.ByID != 0 {
		w.headed("letter.note", event.Note)
	}
	w.lines()
	if state == souk.OrderPlaced {
		w.howToPay()
	}
	link := "letter.link"
	if w.order.State == souk.OrderPlaced {
		link = "letter.link_cancel"
	}
	prefix := ""
	if w.order.Lang != w.shop.Lang {
		prefix = "/" + w.order.Lang
	}
	w.add(w.say(link), w.base+prefix+"/orders/"+w.order.Token, w.say("letter.keep"))
	w.add(w.say("letter.why"), w.base+"/")
}

// opening is the message with which a letter begins.
func (w *writer) opening(state string) string {
	switch {
	case state == souk.OrderCancelled:
		event := w.event(state)
		switch {
		case event == nil || event.ByID != 0:
			return "letter.cancelled_seller"
		case event.Note == souk.OrderExpired:
			return "letter.cancelled_clock"
		}
		return "letter.cancelled_buyer"
	case w.order.Pickup && (state == souk.OrderPlaced || state == souk.OrderPaid):
		return "letter." + state + "_pickup"
	}
	return "letter." + state
}

// event is the last one that brought the order into the state; nil where none did.
func (w *writer) event(state string) (last *souk.OrderEvent) {
	for i := range w.order.Events {
		if w.order.Events[i].State == state {
			last = &w.order.Events[i]
		}
	}
	return last
}

func (w *writer) tracking(state string) string {
	if state != souk.OrderShipped || w.order.Tracking == "" {
		return ""
	}
	return w.say("letter.tracking", "Tracking", w.order.Tracking)
}

// refund is what a buyer needs to know whose order was cancelled after it was paid.
func (w *writer) refund(state string) string {
	n := len(w.order.Events)
	if state != souk.OrderCancelled || n < 2 || w.order.Events[n-2].State != souk.OrderPaid {
		return ""
	}
	return w.say("letter.cancelled_paid")
}

func (w *writer) lines() {
	var lines []string
	for _, l := range w.order.Lines {
		title := l.Title
		if l.Variant != "" {
			title = w.say("letter.title_variant", "Title", l.Title, "Variant", l.Variant)
		}
		lines = append(lines, w.say("letter.line", "Quantity", l.Quantity, "Title", title, "Price", w.money(l.Price*int64(l.Quantity))))
	}
	if w.order.Shipping > 0 {
		lines = append(lines, w.say("letter.shipping", "Price", w.money(w.order.Shipping)))
	}
	w.headed("letter.lines", append(lines, w.say("letter.total", "Price", w.money(w.order.Total)))...)
}

func (w *writer) howToPay() {
	way := w.say("payment." + w.order.Payment)
	lines := []string{way}
	if w.order.Payment == souk.PayTransfer || w.order.Payment == souk.PayLink {
		note := w.shop.PaymentNote
		if note == "" {
			note = w.say("payment.wait")
		}
		lines = append(lines, note, w.say("letter.reference"))
	}
	if until := w.order.HeldUntil; until != nil {
		lines = append(lines, w.say("letter.held", "Date", until.UTC().Format("2006-01-02")))
	}
	w.headed("letter.pay", lines...)
}

// toSeller is what the seller reads about a new order.
func (w *writer) toSeller() {
	o := w.order
	w.add(w.say("letter.seller_placed"))
	w.lines()
	w.headed("letter.buyer", o.Name, o.Email, o.Phone)
	if o.Pickup {
		w.headed("letter.to", w.say("letter.pickup"))
	} else {
		w.headed("letter.to", append(strings.Split(o.Address, "\n"), o.Country)...)
	}
	w.add(w.say("letter.payment", "Way", w.say("payment."+o.Payment)))
	w.headed("letter.buyer_note", strings.Split(o.Note, "\n")...)
	w.add(w.say("letter.console"), w.base+"/console/orders/"+fmt.Sprint(o.ID))
}

func (w *writer) text() string { return strings.Join(w.parts, "\n\n") + "\n" }
