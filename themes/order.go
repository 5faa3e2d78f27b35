package themes

import "time"

// Ways to receive an order: values of OrderForm.Way and of the form field "delivery".
const (
	DeliveryShip   = "ship"
	DeliveryPickup = "pickup"
)

// States of an order, in the order in which they happen; OrderCancelled may follow any of them.
const (
	OrderPlaced    = "placed"
	OrderPaid      = "paid"
	OrderShipped   = "shipped"
	OrderDone      = "done"
	OrderCancelled = "cancelled"
)

// OrderForm is the guest order on a product page. It posts these fields:
//
//	key        idempotency key (hidden)
//	variant    id of the variant, where there are variants
//	quantity   whole number from 1 to MaxQuantity
//	name       one field
//	email, phone   one of the two is needed
//	delivery   "ship" or "pickup"; sent as a hidden field where there is only one way
//	country    ISO 3166 two-letter code, with delivery=ship
//	address    several lines, with delivery=ship
//	payment    Value of one of Payments
//	note       free text, may be empty
//
// A form that failed comes back with what was typed, an Error at each wrong field, and Problem above.
type OrderForm struct {
	Action      string // where it posts to
	Key         string // makes a repeated submit one order; empty: the server tells repeats apart otherwise
	Open        bool   // show at once, without a tap on the order button; set after a failed submit
	Completes   bool   // the order is placed already, and its buyer says the rest (OrderPage.Form)
	Problem     string // what is wrong with the whole: "Sold out meanwhile"; empty: nothing
	Variant     Field
	Quantity    Field
	MaxQuantity int // of one order
	Name        Field
	Email       Field
	Phone       Field
	Way         Field    // DeliveryShip or DeliveryPickup
	Ships       bool     // can be sent
	Pickup      bool     // can be fetched
	PickupPlace string   // where, plain text
	Countries   []string // ISO 3166 codes it can be sent to; the theme names and the server sorts them
	Country     Field
	Address     Field
	Shipping    []ShippingPrice // what sending costs, known before ordering (S-22)
	Payment     Field
	Payments    []Choice
	Note        Field
	Total       Money // to pay when it is known already, named on the button (S-34); Zero: the price of one
}

// ShippingPrice is what sending to some countries costs.
type ShippingPrice struct {
	Region   string // plain text: "Germany", "Rest of Europe"
	Price    Money  // Amount 0: free
	FreeOver Money  // order value from which sending is free; Zero: never
	Note     string // "3 to 5 days"
}

// OrderStep is a state that the order reached, or will reach when all goes well.
type OrderStep struct {
	State string    // OrderPlaced, OrderPaid, ...
	At    time.Time // zero: not reached yet
}

// OrderLine is one product in an order, as it was when ordered.
type OrderLine struct {
	Title    string
	Lang     string
	Variant  string
	URL      string // empty when the product is gone
	Picture  *Picture
	Quantity int
	Price    Money // of one
	Total    Money
}

// OrderPage is what a buyer sees behind the unguessable link of an order, also years later and on paper.
type OrderPage struct {
	Frame
	Number       string // short, for people: "1042"
	State        string // OrderPlaced ... OrderCancelled
	JustPlaced   bool   // shown right after ordering: says thank you and asks to keep the link
	URL          string // absolute address of this page, to be kept
	Steps        []OrderStep
	Lines        []OrderLine
	Subtotal     Money
	Shipping     Money // Zero: not known yet, the seller will say
	Total        Money
	PaymentLabel string   // "Bank transfer"
	PaymentText  RichText // how to pay; shown while not paid
	PaymentQR    *Picture // a picture the seller gave, shown while not paid
	Reference    string   // what to write on the payment
	Name         string   // of the buyer
	Email        string
	Phone        string
	Way          string // DeliveryShip or DeliveryPickup
	Country      string // ISO 3166 code
	Address      string // several lines
	PickupPlace  string
	Note         string // of the buyer
	Carrier      string
	TrackingCode string
	TrackingURL  string
	Reason       string     // why it was cancelled, plain text
	Form         *OrderForm // ordered from another server: what is still to be said; nil: nothing
	KeptUntil    time.Time  // until when an unpaid order keeps its goods; zero: not said
	CancelURL    string     // where the buyer's form to cancel posts to; empty: it is too late for that
	Seller       Seller
	SellerEmail  string // how to reach the seller; each may be empty
	SellerPhone  string
	Placed       time.Time
}

// Template implements Page.
func (OrderPage) Template() string { return "order" }
