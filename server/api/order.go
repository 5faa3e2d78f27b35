package api

import (
	"net/http"
	"time"

	"souk"
	"souk/server/problem"
)

// NewOrder is what a guest orders.
type NewOrder struct {
	Lines    []NewOrderLine `json:"lines" need:"yes" doc:"At most 50, of one seller and one currency."`
	Contact  Contact        `json:"contact" need:"yes"`
	Shipping Shipping       `json:"shipping" need:"yes"`
	Payment  string         `json:"payment" need:"yes" enum:"transfer,cash,link,arrange" doc:"One of those that the shop takes."`
	Note     string         `json:"note" maxlen:"1000" doc:"For the seller."`
	Lang     string         `json:"lang" format:"lang" doc:"Of the mails; the shop's where nothing is said."`
}

// NewOrderLine is one thing that is ordered.
type NewOrderLine struct {
	ListingID ID   `json:"listing_id" need:"yes"`
	VariantID ID   `json:"variant_id" doc:"Needed where the listing has several."`
	Quantity  *int `json:"quantity" min:"1" max:"10000" doc:"1 where nothing is said."`
}

// Contact is how the buyer is reached: by e-mail, phone or both.
type Contact struct {
	Name  string `json:"name" need:"yes" maxlen:"100"`
	Email string `json:"email"`
	Phone string `json:"phone"`
}

// Shipping is where it goes, or that it is fetched.
type Shipping struct {
	Pickup  bool   `json:"pickup" doc:"true: the buyer fetches it, and there is no address."`
	Country string `json:"country" doc:"ISO 3166-1 alpha-2; the shop's where nothing is said."`
	Address string `json:"address" maxlen:"500" doc:"Lines of text."`
}

// Order is an order as it was placed, in its state of now. Amounts stay as they were then.
type Order struct {
	ID                  ID           `json:"id"`
	Number              int64        `json:"number" doc:"For people; without gaps."`
	URL                 string       `json:"url" doc:"The buyer's page. Who has this address may see the order, and cancel it while it is not paid."`
	State               string       `json:"state" enum:"placed,paid,shipped,done,cancelled"`
	Lines               []OrderLine  `json:"lines"`
	Goods               Money        `json:"goods"`
	ShippingFee         Money        `json:"shipping_fee"`
	Total               Money        `json:"total"`
	Contact             Contact      `json:"contact"`
	Shipping            Shipping     `json:"shipping"`
	Payment             string       `json:"payment,omitempty" enum:"transfer,cash,link,arrange" doc:"Missing while a buyer of another node has not said it."`
	PaymentInstructions string       `json:"payment_instructions,omitempty" doc:"Where to pay, while the order is not paid."`
	Note                string       `json:"note"`
	Lang                string       `json:"lang"`
	Tracking            string       `json:"tracking"`
	SellerNote          *string      `json:"seller_note,omitempty" doc:"Only for the seller."`
	HeldUntil           *time.Time   `json:"held_until" doc:"Until when an unpaid order keeps its goods."`
	Events              []OrderEvent `json:"events,omitempty" doc:"The oldest first; not in lists."`
	Created             time.Time    `json:"created"`
	Updated             time.Time    `json:"updated"`
}

// OrderLine is one thing ordered, as it was called and cost then.
type OrderLine struct {
	ListingID ID     `json:"listing_id"`
	VariantID ID     `json:"variant_id"`
	Title     string `json:"title"`
	Variant   string `json:"variant"`
	Quantity  int    `json:"quantity"`
	Price     Money  `json:"price" doc:"Of one."`
}

// OrderEvent is a state that an order came into.
type OrderEvent struct {
	State string    `json:"state" enum:"placed,paid,shipped,done,cancelled"`
	At    time.Time `json:"at"`
	By    string    `json:"by" enum:"seller,buyer,clock" doc:"clock: it was not paid in time."`
	Note  string    `json:"note" doc:"Of the seller, to the buyer."`
}

// OrderChange moves an order on.
type OrderChange struct {
	State      *string `json:"state" enum:"placed,paid,shipped,done,cancelled" doc:"The state that it is in already takes only a new tracking number."`
	Tracking   string  `json:"tracking" maxlen:"100" doc:"Needs state."`
	Note       string  `json:"note" maxlen:"1000" doc:"To the buyer, with the change of state. Needs state."`
	SellerNote *string `json:"seller_note" maxlen:"2000" doc:"The buyer never sees it."`
}

// OrderQuery narrows a list of orders.
type OrderQuery struct {
	Paging
	State string `query:"state" enum:"placed,paid,shipped,done,cancelled"`
}

// order is what its seller sees; buyer hides what is not the buyer's.
func (a *API) order(o *souk.Order, shop *souk.Shop, buyer bool) Order {
	prefix := ""
	if o.Lang != shop.Lang {
		prefix = "/" + o.Lang
	}
	money := func(n int64) Money { return Money{n, o.Currency} }
	out := Order{ID: ID(o.ID), Number: o.Number, URL: a.DB.BaseURL() + prefix + "/orders/" + o.Token, State: o.State,
		Goods: money(o.Goods), ShippingFee: money(o.Shipping), Total: money(o.Total),
		Contact: Contact{o.Name, o.Email, o.Phone}, Shipping: Shipping{o.Pickup, o.Country, o.Address},
		Payment: o.Payment, Note: o.Note, Lang: o.Lang, Tracking: o.Tracking, HeldUntil: o.HeldUntil, Created: o.Created, Updated: o.Updated}
	if o.State == souk.OrderPlaced && (o.Payment == souk.PayTransfer || o.Payment == souk.PayLink) {
		out.PaymentInstructions = shop.PaymentNote
	}
	if !buyer {
		out.SellerNote = &o.SellerNote
	}
	out.Lines = make([]OrderLine, len(o.Lines))
	for i, l := range o.Lines {
		out.Lines[i] = OrderLine{ID(l.ListingID), ID(l.VariantID), l.Title, l.Variant, l.Quantity, money(l.Price)}
	}
	for _, e := range o.Events {
		event := OrderEvent{State: e.State, At: e.At, By: "buyer"}
		switch {
		case e.ByID != 0:
			event.By, event.Note = "seller", e.Note
		case e.Note == souk.OrderExpired:
			event.By = "clock"
		}
		out.Events = append(out.Events, event)
	}
	return out
}

func (a *API) placeOrder(r *request, in NewOrder) (Order, error) {
	key := r.header("Idempotency-Key")
	if key == "" {
		return Order{}, &problem.Error{Status: http.StatusBadRequest, Type: "/problems/idempotency-key", Title: "Idempotency-Key is missing",
			Detail: "Send the header Idempotency-Key with a value of your own for each order: then sending it again after a failure never orders twice."}
	}
	n := souk.NewOrder{Name: in.Contact.Name, Email: in.Contact.Email, Phone: in.Contact.Phone, Pickup: in.Shipping.Pickup,
		Country: in.Shipping.Country, Address: in.Shipping.Address, Payment: in.Payment, Note: in.Note, Lang: in.Lang, IdempotencyKey: key}
	for _, l := range in.Lines {
		line := souk.NewOrderLine{ListingID: int64(l.ListingID), VariantID: int64(l.VariantID), Quantity: 1}
		if l.Quantity != nil {
			line.Quantity = *l.Quantity
		}
		n.Lines = append(n.Lines, line)
	}
	ctx := r.Request().Context()
	o, err := a.DB.PlaceOrder(ctx, n)
	if err != nil {
		return Order{}, err
	}
	shop, err := a.DB.Shop(ctx)
	if err != nil {
		return Order{}, err
	}
	return a.order(o, shop, true), nil
}

func (a *API) orders(r *request, in OrderQuery) ([]Order, error) {
	ctx := r.Request().Context()
	shop, err := a.DB.Shop(ctx)
	if err != nil {
		return nil, err
	}
	list, err := a.DB.Orders(ctx, r.account.ID, souk.OrderFilter{State: in.State}, in.page())
	if err != nil {
		return nil, err
	}
	out := make([]Order, len(list))
	for i := range list {
		out[i] = a.order(&list[i], shop, false)
	}
	if len(list) > 0 {
		r.link(in.Paging, len(list), list[len(list)-1].ID)
	}
	return out, nil
}

func (a *API) oneOrder(r *request, _ none) (Order, error) {
	id, err := r.id()
	if err != nil {
		return Order{}, err
	}
	o, err := a.DB.Order(r.Request().Context(), r.account.ID, id)
	if err != nil {
		return Order{}, err
	}
	return a.sellersOrder(r, o)
}

func (a *API) sellersOrder(r *request, o *souk.Order) (Order, error) {
	shop, err := a.DB.Shop(r.Request().Context())
	if err != nil {
		return Order{}, err
	}
	return a.order(o, shop, false), nil
}

func (a *API) changeOrder(r *request, in OrderChange) (Order, error) {
	id, err := r.id()
	if err != nil {
		return Order{}, err
	}
	if in.State == nil && (in.Tracking != "" || in.Note != "") {
		e := &souk.Invalid{}
		e.Add("state", "required", "say the state with it: the one that the order is in leaves it there")
		return Order{}, e
	}
	var o *souk.Order
	ctx, by := r.Request().Context(), r.account.ID
	err = a.DB.Tx(ctx, func(tx *souk.DB) error {
		if in.State != nil {
			if _, err := tx.SetOrderState(ctx, by, id, *in.State, in.Note, in.Tracking); err != nil {
				return err
			}
		}
		if in.SellerNote != nil {
			if err := tx.SetSellerNote(ctx, by, id, *in.SellerNote); err != nil {
				return err
			}
		}
		o, err = tx.Order(ctx, by, id)
		return err
	})
	if err != nil {
		return Order{}, err
	}
	return a.sellersOrder(r, o)
}
