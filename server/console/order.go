package console

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"souk"
)

type ordersPage struct {
	frame
	Views  views
	State  string
	Orders []souk.Order
	Pager  pager
}

type orderPage struct {
	frame
	Order    *souk.Order
	Next     string // the usual next state; empty where there is none
	Back     string // the state that a step back leads to; empty where there is none
	Cancels  bool
	History  []orderEvent
	Tracking string // as typed
	Note     string
	Seller   string // the seller's note, as typed
	Foreign  bool   // of another seller of this node

	Buyer       *souk.Account // who ordered by an Offer from another node; nil: a guest
	BuyerHandle string
}

// orderEvent is a state that an order came into, with who caused it.
type orderEvent struct {
	souk.OrderEvent
	By string
}

// Orders lists the orders that one may see by state.
func (c *Console) Orders(v *Visit) error {
	counts, err := c.DB.OrderCounts(v.ctx(), v.me.ID)
	if err != nil {
		return err
	}
	page := ordersPage{frame: v.frame("orders", "orders.title"), State: v.QueryParam("state")}
	if page.State != "" && !slices.Contains(souk.OrderStates(), page.State) {
		return souk.ErrNotFound
	}
	total := 0
	for _, n := range counts {
		total += n
	}
	page.Views.Label = v.t("orders.views")
	for _, state := range append([]string{""}, souk.OrderStates()...) {
		o := option{Value: "/console/orders", Label: v.t("orders.all"), Hint: strconv.Itoa(total), Current: page.State == state}
		if state != "" {
			o.Value, o.Label, o.Hint = o.Value+"?state="+url.QueryEscape(state), v.t("orders_in."+state), strconv.Itoa(counts[state])
		}
		page.Views.Options = append(page.Views.Options, o)
	}
	if page.Orders, err = c.DB.Orders(v.ctx(), v.me.ID, souk.OrderFilter{State: page.State}, v.page()); err != nil {
		return err
	}
	if n := len(page.Orders); n > 0 {
		page.Pager = v.pager(n, page.Orders[n-1].ID)
	}
	return c.render(v, http.StatusOK, "orders", page)
}

// order is the order that the path names, where the account that asks may see it.
func (c *Console) order(v *Visit) (*souk.Order, error) {
	id, err := v.id()
	if err != nil {
		return nil, err
	}
	return c.DB.Order(v.ctx(), v.me.ID, id)
}

// Order shows one order; printed, it is the packing slip.
func (c *Console) Order(v *Visit) error {
	o, err := c.order(v)
	if err != nil {
		return err
	}
	return c.orderPage(v, http.StatusOK, o, orderPage{Tracking: o.Tracking, Seller: o.SellerNote}, nil)
}

// MoveOrder takes an order to another state, with a word to the buyer.
func (c *Console) MoveOrder(v *Visit) error {
	o, err := c.order(v)
	if err != nil {
		return err
	}
	to := v.FormValue("do")
	page := orderPage{Tracking: v.value("tracking"), Note: v.value("note"), Seller: o.SellerNote}
	_, err = c.DB.SetOrderState(v.ctx(), v.me.ID, o.ID, to, page.Note, page.Tracking)
	f := v.frame("orders", "order.title", "Number", formatID(o.Number))
	switch {
	case v.wrong(&f, err, nil):
		return c.orderPage(v, http.StatusUnprocessableEntity, o, page, f.Problems)
	case errors.Is(err, souk.ErrConflict):
		if o, err = c.order(v); err != nil {
			return err
		}
		return c.orderPage(v, http.StatusConflict, o, page, []problem{{Message: v.t("order.conflict")}})
	case err != nil:
		return err
	}
	return v.see("/console/orders/"+formatID(o.ID), "order_"+to)
}

// CancelOrderForm asks before an order is cancelled, and says what that does.
func (c *Console) CancelOrderForm(v *Visit) error {
	o, err := c.order(v)
	if err != nil {
		return err
	}
	page := orderPage{frame: v.frame("orders", "order.cancel_ask", "Number", formatID(o.Number)), Order: o}
	return c.render(v, http.StatusOK, "order-cancel", page)
}

// NoteOrder keeps what the seller wants to remember about an order.
func (c *Console) NoteOrder(v *Visit) error {
	o, err := c.order(v)
	if err != nil {
		return err
	}
	note := v.value("seller_note")
	err = c.DB.SetSellerNote(v.ctx(), v.me.ID, o.ID, note)
	f := v.frame("orders", "orders.title")
	if v.wrong(&f, err, nil) {
		return c.orderPage(v, http.StatusUnprocessableEntity, o, orderPage{Tracking: o.Tracking, Seller: note}, f.Problems)
	} else if err != nil {
		return err
	}
	return v.see("/console/orders/"+formatID(o.ID), "saved")
}

// orderPage shows the order; page has what was typed.
func (c *Console) orderPage(v *Visit, status int, o *souk.Order, page orderPage, problems []problem) error {
	page.frame = v.frame("orders", "order.title", "Number", formatID(o.Number))
	page.Problems, page.Order, page.Foreign = problems, o, o.SellerID != v.me.ID
	if o.BuyerID != 0 {
		buyer, err := c.DB.Account(v.ctx(), o.BuyerID)
		switch {
		case err == nil:
			page.Buyer, page.BuyerHandle = buyer, c.DB.Handle(buyer)
		case !errors.Is(err, souk.ErrGone):
			return err
		}
	}
	place := slices.Index(souk.OrderStates(), o.State)
	for _, to := range c.DB.OrderSteps(o) {
		switch {
		case to == souk.OrderCancelled:
			page.Cancels = true
		case slices.Index(souk.OrderStates(), to) < place:
			page.Back = to
		default:
			page.Next = to
		}
	}
	for _, e := range o.Events {
		by := ""
		switch {
		case e.ByID == v.me.ID:
			by = v.t("order.by_you")
		case e.ByID != 0:
			a, err := c.DB.Account(v.ctx(), e.ByID)
			if err != nil && !errors.Is(err, souk.ErrGone) {
				return err
			} else if err == nil {
				by = a.Title()
			}
		case e.Note == souk.OrderByBuyer || e.Note == souk.OrderExpired:
			by, e.Note = v.t("order.by_"+e.Note), ""
		}
		page.History = append(page.History, orderEvent{e, by})
	}
	return c.render(v, status, "order", page)
}
