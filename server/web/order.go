package web

import (
	"cmp"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"souk"
	"souk/themes"
)

// private keeps the page behind an order's link out of caches, of search engines, and of the Referer of what it links to:
// whoever has the address may see the order.
func private(c echo.Context) {
	h := c.Response().Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Robots-Tag", "noindex")
	h.Set("Referrer-Policy", "no-referrer")
}

// OrderPage answers what the buyer sees behind the link of an order.
func (w *Web) OrderPage(c echo.Context) error {
	private(c)
	ctx := c.Request().Context()
	s, err := w.state(ctx)
	if err != nil {
		return err
	}
	o, err := w.DB.OrderByToken(ctx, c.Param("token"))
	if err != nil {
		return err
	}
	v := w.view(c, s)
	page, err := v.orderPage(c, o)
	if err != nil {
		return err
	}
	a, err := v.render(page)
	if err != nil {
		return err
	}
	return c.Blob(http.StatusOK, a.kind, a.body)
}

// CancelOrder cancels an order for its buyer, while it is not paid, and goes back to its page. When it was too late the
// page says how the order stands.
func (w *Web) CancelOrder(c echo.Context) error {
	private(c)
	ctx := c.Request().Context()
	s, err := w.state(ctx)
	if err != nil {
		return err
	}
	v := w.view(c, s)
	o, err := w.DB.CancelByBuyer(ctx, c.Param("token"))
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, v.url("/orders/"+o.Token))
}

// CompleteOrder takes what a buyer of another node says on the page of the order, and goes back to it; or answers the page
// again with what is wrong. An order that is complete meanwhile is shown as it is.
func (w *Web) CompleteOrder(c echo.Context) error {
	private(c)
	ctx := c.Request().Context()
	s, err := w.state(ctx)
	if err != nil {
		return err
	}
	v := w.view(c, s)
	v.path = strings.TrimSuffix(v.path, "/complete")
	form, err := c.FormParams()
	if err != nil {
		return echo.NewHTTPError(http.StatusBadRequest, "the form cannot be read")
	}
	wanted := readContact(form.Get)
	wanted.Lang = v.lang
	_, err = w.DB.CompleteOrder(ctx, c.Param("token"), wanted)
	var invalid *souk.Invalid
	switch {
	case err == nil, errors.Is(err, souk.ErrConflict):
		return c.Redirect(http.StatusSeeOther, v.url("/orders/"+c.Param("token")))
	case !errors.As(err, &invalid):
		return err
	}
	o, err := w.DB.OrderByToken(ctx, c.Param("token"))
	if err != nil {
		return err
	}
	page, err := v.orderPage(c, o)
	if err != nil {
		return err
	}
	if page.Form != nil {
		fill(page.Form, form.Get)
		v.explain(page.Form, invalid, nil)
		page.Form.Total = v.money(o.Goods+v.fee(!wanted.Pickup), o.Currency)
	}
	a, err := v.render(page)
	if err != nil {
		return err
	}
	return c.Blob(http.StatusUnprocessableEntity, a.kind, a.body)
}

func (v *view) orderPage(c echo.Context, o *souk.Order) (page themes.OrderPage, err error) {
	number := id(o.Number)
	page = themes.OrderPage{Number: number, State: o.State, URL: v.DB.BaseURL() + v.url("/orders/"+o.Token), Steps: steps(o),
		JustPlaced: o.State == souk.OrderPlaced && v.DB.Now().Sub(o.Created) < sameOrderFor,
		Subtotal:   v.money(o.Goods, o.Currency), Shipping: v.money(o.Shipping, o.Currency), Total: v.money(o.Total, o.Currency),
		PaymentLabel: v.say("payment." + cmp.Or(o.Payment, souk.PayArrange)), Reference: number, Name: o.Name, Email: o.Email, Phone: o.Phone,
		Way: themes.DeliveryShip, Country: o.Country, Address: o.Address, Note: o.Note, TrackingCode: o.Tracking, Placed: o.Created}
	if o.Pickup {
		page.Way = themes.DeliveryPickup
	}
	if o.Incomplete() {
		page.PaymentLabel, page.Shipping, page.JustPlaced = "", themes.Money{}, false
	}
	if o.State == souk.OrderPlaced {
		if o.HeldUntil != nil {
			page.KeptUntil = *o.HeldUntil
		}
		if o.Incomplete() {
			page.Form = v.completeForm(o)
		} else {
			page.PaymentText = v.paymentText(o)
		}
		page.CancelURL = v.url("/orders/" + o.Token + "/cancel")
	}
	page.Reason = v.reason(o)
	seller, err := v.DB.Account(c.Request().Context(), o.SellerID)
	if err != nil {
		return page, err
	}
	page.Seller = v.seller(seller)
	if page.Lines, err = v.orderLines(c, o); err != nil {
		return page, err
	}
	page.Frame = v.frame(themes.Head{Title: v.theme("receipt.title", "Number", number), NoIndex: true})
	page.Head.Canonical = ""
	return page, nil
}

// orderLines are what was ordered, with a link and a picture where the product is still there.
func (v *view) orderLines(c echo.Context, o *souk.Order) ([]themes.OrderLine, error) {
	var all []themes.OrderLine
	for _, l := range o.Lines {
		line := themes.OrderLine{Title: l.Title, Variant: l.Variant, Quantity: l.Quantity,
			Price: v.money(l.Price, o.Currency), Total: v.money(l.Price*int64(l.Quantity), o.Currency)}
		listing, err := v.DB.Listing(c.Request().Context(), 0, l.ListingID)
		if err == nil {
			line.URL, line.Picture, line.Lang = v.url("/products/"+listing.Slug), firstPicture(listing.Post.Media), v.foreign(listing.Post.Lang)
		} else if !missing(err) {
			return nil, err
		}
		all = append(all, line)
	}
	return all, nil
}

// steps are the states that the order reached and will reach when all goes well.
func steps(o *souk.Order) []themes.OrderStep {
	order := souk.OrderStates()
	reached := func(state string) (step themes.OrderStep, ok bool) {
		step.State = state
		for _, e := range o.Events {
			if e.State == state {
				step.At, ok = e.At, true
			}
		}
		return step, ok
	}
	var all []themes.OrderStep
	for _, state := range order {
		step, ok := reached(state)
		switch {
		case state == souk.OrderCancelled:
			if o.State != state {
				continue
			}
		case o.State == souk.OrderCancelled && !ok, state == souk.OrderShipped && o.Pickup:
			continue
		case o.State != souk.OrderCancelled && slices.Index(order, state) > slices.Index(order, o.State):
			step = themes.OrderStep{State: state} // reached once, and taken back
		}
		all = append(all, step)
	}
	return all
}

// paymentText says how to pay: the seller's own words where money is sent, ours where it changes hands.
func (v *view) paymentText(o *souk.Order) themes.RichText {
	switch o.Payment {
	case souk.PayTransfer, souk.PayLink:
		if v.shop.PaymentNote != "" {
			return rich(souk.RenderMarkdown(v.shop.PaymentNote, souk.Links{BaseURL: v.DB.BaseURL()}).HTML, v.foreign(v.shop.Lang))
		}
		return rich("<p>"+v.say("payment.wait")+"</p>", "")
	}
	return rich("<p>"+v.say("payment."+o.Payment+"_hint")+"</p>", "")
}

// reason is why an order was cancelled.
func (v *view) reason(o *souk.Order) string {
	if o.State != souk.OrderCancelled || len(o.Events) == 0 {
		return ""
	}
	switch last := o.Events[len(o.Events)-1]; {
	case last.ByID != 0:
		return last.Note
	case last.Note == souk.OrderExpired:
		return v.say("order.expired")
	}
	return v.say("order.by_buyer")
}
