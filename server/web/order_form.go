package web

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"souk"
	"souk/server/middleware"
	"souk/themes"
)

const (
	// maxOfOne is how many the form offers at once. It does not follow the stock, whose exact number the form would tell.
	maxOfOne = 99
	// sameOrderFor is how long the same order sent again is the same order: a double tap, a reload, the way back.
	sameOrderFor = 15 * time.Minute
	// maxSameOrders is how often somebody may order the very same thing again.
	maxSameOrders = 20
)

// orderForm is the empty form of a product; nil where it cannot be ordered. It holds no key of its own: the page is the
// same for everybody, and a key that all visitors share would make one order of theirs. PlaceOrder gets its key from
// what was typed (sameKey).
func (v *view) orderForm(l *souk.Listing) *themes.OrderForm {
	if !v.shop.Open || !l.OnSale() {
		return nil
	}
	f := v.contactForm(l.Currency)
	if !f.Ships && !f.Pickup {
		return nil
	}
	f.Action, f.MaxQuantity = v.url("/products/"+l.Slug+"/order"), maxOfOne
	if l.Quantity() == 1 {
		f.MaxQuantity = 1
	}
	if f.MaxQuantity == 1 && len(l.Variants) == 1 && f.Ships != f.Pickup {
		f.Total = v.money(l.Price().Amount+v.fee(f.Ships), l.Currency)
	}
	return f
}

// fee is what sending an order costs.
func (v *view) fee(ships bool) int64 {
	if ships {
		return v.shop.ShippingFee
	}
	return 0
}

// completeForm is the empty form on the page of an order that an account of another node placed.
func (v *view) completeForm(o *souk.Order) *themes.OrderForm {
	f := v.contactForm(o.Currency)
	f.Action, f.MaxQuantity, f.Open, f.Completes = v.url("/orders/"+o.Token+"/complete"), 1, true, true
	if f.Ships != f.Pickup {
		f.Total = v.money(o.Goods+v.fee(f.Ships), o.Currency)
	}
	return f
}

// contactForm is what every order is asked: who, where to, how it is paid.
func (v *view) contactForm(currency string) *themes.OrderForm {
	f := &themes.OrderForm{Pickup: v.shop.Pickup,
		// The fee is not converted into another currency, so such a product is only handed out.
		Ships:     v.shop.Shipping && (v.shop.ShippingFee == 0 || currency == v.shop.Currency),
		Countries: v.countries[v.lang], Country: themes.Field{Value: v.shop.Country}}
	if f.Ships {
		f.Shipping = []themes.ShippingPrice{{Region: v.say("order.everywhere"), Price: v.money(v.shop.ShippingFee, v.shop.Currency)}}
	}
	for _, p := range v.shop.Payments {
		choice := themes.Choice{Value: p, Label: v.say("payment." + p)}
		if p == souk.PayCash || p == souk.PayArrange {
			choice.Hint = v.say("payment." + p + "_hint")
		}
		f.Payments = append(f.Payments, choice)
	}
	return f
}

// Order takes the form of a product page: a new order, and on to its page; or the form again with what is wrong.
func (w *Web) Order(c echo.Context) error {
	ctx := c.Request().Context()
	s, err := w.state(ctx)
	if err != nil {
		return err
	}
	v := w.view(c, s)
	v.path = strings.TrimSuffix(v.path, "/order") // all links of a failed form lead to the product
	a, err := v.gate(true)
	if err != nil {
		return err
	}
	if a != nil {
		return a.write(c)
	}
	l, err := w.DB.ListingBySlug(ctx, 0, v.route["slug"])
	if err != nil {
		return err
	}
	form, err := c.FormParams()
	if err != nil {
		return echo.NewHTTPError(http.StatusBadRequest, "the form cannot be read")
	}
	wanted := readOrder(l, form.Get)
	wanted.Lang = v.lang
	o, err := v.place(ctx, wanted, sender(c))
	if err == nil {
		return c.Redirect(http.StatusSeeOther, v.url("/orders/"+o.Token))
	}
	return v.orderFailed(c, l, wanted, form.Get, err)
}

// readOrder is what a form asks for. A number that is none becomes one that the domain refuses.
func readOrder(l *souk.Listing, form func(string) string) souk.NewOrder {
	line := souk.NewOrderLine{ListingID: l.ID}
	line.Quantity, _ = strconv.Atoi(strings.TrimSpace(form("quantity")))
	if text := form("variant"); text != "" {
		var err error
		if line.VariantID, err = souk.ParseID(text); err != nil {
			line.VariantID = -1
		}
	}
	n := readContact(form)
	n.Lines, n.IdempotencyKey = []souk.NewOrderLine{line}, form("key")
	return n
}

func readContact(form func(string) string) souk.NewOrder {
	return souk.NewOrder{Name: form("name"), Email: form("email"), Phone: form("phone"), Pickup: form("delivery") == themes.DeliveryPickup,
		Country: form("country"), Address: form("address"), Payment: form("payment"), Note: form("note")}
}

// sender tells one buyer's browser from another's as far as that goes without a cookie.
func sender(c echo.Context) string { return middleware.Client(c) + "\n" + c.Request().UserAgent() }

// place makes the order, or finds the one that the same sender's same form made a moment ago. What was cancelled, or is
// older, is another order: somebody wants the same thing again.
func (v *view) place(ctx context.Context, wanted souk.NewOrder, sender string) (*souk.Order, error) {
	content, err := json.Marshal(wanted)
	if err != nil {
		return nil, err
	}
	for n := range maxSameOrders {
		wanted.IdempotencyKey = v.sameKey(sender, content, n)
		o, err := v.DB.PlaceOrder(ctx, wanted)
		if err != nil {
			return nil, err
		}
		if o.State != souk.OrderCancelled && v.DB.Now().Sub(o.Created) < sameOrderFor {
			return o, nil
		}
	}
	return nil, souk.ErrConflict
}

// sameKey is the idempotency key of the sender's n-th order with this content. The sender is in it because the answer is
// a link that shows the order and cancels it: who merely knows what somebody else typed must not get that. It is keyed
// with a secret, so that the stored key tells nobody the sender's address and cannot be sent to the API.
func (w *Web) sameKey(sender string, content []byte, n int) string {
	mac := hmac.New(sha256.New, w.orderSecret[:])
	// What hash functions take never fails.
	_, _ = fmt.Fprintf(mac, "%d %q %s", n, sender, content)
	return "form:" + hex.EncodeToString(mac.Sum(nil))
}

// orderFailed answers the form again, filled as it was sent, with each message beside its field. Any other error is
// passed on.
func (v *view) orderFailed(c echo.Context, l *souk.Listing, wanted souk.NewOrder, form func(string) string, cause error) error {
	var invalid *souk.Invalid
	var sold *souk.SoldOut
	status := http.StatusUnprocessableEntity
	switch {
	case errors.As(cause, &sold):
		status = http.StatusConflict
	case !errors.As(cause, &invalid):
		return cause
	}
	ctx := c.Request().Context()
	// What sold out meanwhile has another state now.
	l, err := v.DB.Listing(ctx, 0, l.ID)
	if err != nil {
		return err
	}
	page, err := v.productPage(ctx, l)
	if err != nil {
		return err
	}
	page.Head.NoIndex = true
	page.Order = v.orderForm(l)
	if page.Order != nil {
		fill(page.Order, form)
		for i := range page.Variants {
			page.Variants[i].Selected = page.Variants[i].ID == form("variant")
		}
		v.explain(page.Order, invalid, sold)
		v.total(page.Order, l, wanted)
	} else {
		page.Problem = v.theme(themes.ProblemSoldOut)
	}
	a, err := v.render(page)
	if err != nil {
		return err
	}
	c.Response().Header().Set("Cache-Control", "no-store")
	return c.Blob(status, a.kind, a.body)
}

// fill puts into a form what was typed.
func fill(f *themes.OrderForm, form func(string) string) {
	f.Open = true
	for name, field := range map[string]*themes.Field{"variant": &f.Variant, "quantity": &f.Quantity, "name": &f.Name, "email": &f.Email, "phone": &f.Phone,
		"delivery": &f.Way, "country": &f.Country, "address": &f.Address, "payment": &f.Payment, "note": &f.Note} {
		field.Value = form(name)
	}
}

// total names what is to pay on the button, where the quantity is clear.
func (v *view) total(f *themes.OrderForm, l *souk.Listing, wanted souk.NewOrder) {
	line := wanted.Lines[0]
	if line.Quantity < 1 || line.Quantity > f.MaxQuantity {
		return
	}
	for i, o := range l.Variants {
		if o.ID == line.VariantID || line.VariantID == 0 && i == 0 {
			f.Total = v.money(o.Price*int64(line.Quantity)+v.fee(!wanted.Pickup), l.Currency)
		}
	}
}

// explain puts the domain's problems beside the fields that they are about; what is about none of them stands above.
func (v *view) explain(f *themes.OrderForm, invalid *souk.Invalid, sold *souk.SoldOut) {
	if sold != nil {
		f.Problem = v.theme(themes.ProblemSoldOut)
		if sold.Left > 0 {
			f.Problem = v.theme(themes.ProblemFew, "Left", sold.Left)
			f.Quantity.Error = v.theme(themes.ProblemQuantity, "Max", sold.Left)
		}
		return
	}
	fields := map[string]*themes.Field{"contact.name": &f.Name, "contact.email": &f.Email, "contact.phone": &f.Phone, "shipping.country": &f.Country,
		"shipping.address": &f.Address, "shipping.pickup": &f.Way, "payment": &f.Payment, "note": &f.Note,
		"lines[0].quantity": &f.Quantity, "lines[0].variant_id": &f.Variant}
	limits := map[string]int{"contact.name": 100, "shipping.address": 500, "note": 1000}
	for _, p := range invalid.Problems {
		var text string
		switch {
		case p.Code == "required" && p.Field == "payment":
			text = v.theme(themes.ProblemPayment)
		case p.Code == "required" && p.Field == "shipping.country":
			text = v.theme(themes.ProblemCountry)
		case p.Code == "too_long" && limits[p.Field] > 0:
			text = v.theme(themes.ProblemLong, "Max", limits[p.Field])
		default:
			text = v.problem(p.Code, f.MaxQuantity)
		}
		switch field := fields[p.Field]; {
		case field == nil:
			f.Problem = text
		case field.Error == "":
			field.Error = text
		}
	}
	if f.Problem == "" {
		check := "order.check"
		if f.Completes {
			check = "order.check_complete"
		}
		f.Problem = v.say(check)
	}
}

// problem is the sentence for a code of the domain.
func (v *view) problem(code string, most int) string {
	switch code {
	case "required":
		return v.theme(themes.ProblemRequired)
	case "contact":
		return v.theme(themes.ProblemReach)
	case "email":
		return v.theme(themes.ProblemEmail)
	case "phone":
		return v.theme(themes.ProblemPhone)
	case "country":
		return v.theme(themes.ProblemCountry)
	case "payment":
		return v.theme(themes.ProblemPayment)
	case "quantity":
		return v.theme(themes.ProblemQuantity, "Max", most)
	case "no_pickup", "pickup_only":
		return v.theme(themes.ProblemDelivery)
	case "not_for_sale":
		return v.theme(themes.ProblemSoldOut)
	case "characters", "shop_closed", "fee_currency", "total_large":
		return v.say("problem." + code)
	}
	return v.say("problem.unknown")
}
