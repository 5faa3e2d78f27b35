package federation

import (
	"encoding/json"
	"html"

	"souk"
)

// orderStatuses are the words of schema.org for states of agreements. They are read only.
var orderStatuses = map[string]string{souk.AgreementAccepted: "sdo:OrderPaymentDue", souk.AgreementPaid: "sdo:OrderProcessing",
	souk.AgreementShipped: "sdo:OrderInTransit", souk.AgreementDone: "sdo:OrderDelivered", souk.AgreementCancelled: "sdo:OrderCancelled"}

// previews are the names of states in an agreement's preview, after Mitra's.
var previews = map[string]string{souk.AgreementAccepted: "Open", souk.AgreementPaid: "Paid", souk.AgreementShipped: "Shipped",
	souk.AgreementDone: "Completed", souk.AgreementCancelled: "Cancelled"}

// agreement is what a seller of this node promised (FEP-0837): no name, address or note of the buyer, since activities lie
// readable at both servers; those stand on the order's page alone.
func (e encoder) agreement(a *souk.Agreement, o *souk.Order, seller *souk.Account) *agreement {
	state := o.State
	if state == souk.OrderPlaced {
		state = souk.AgreementAccepted
	}
	doc := e.stipulated(a)
	doc.ID, doc.AttributedTo, doc.Name = a.URI, seller.URI, a.Title
	doc.Published, doc.Updated = timestamp(a.Created), timestamp(o.Updated)
	doc.Stipulates.ID = a.URI + "#primary"
	if doc.Reciprocal != nil {
		doc.Reciprocal.ID = a.URI + "#reciprocal"
	}
	doc.URL = &paymentLink{Type: "Link", Href: e.db.BaseURL() + "/orders/" + o.Token, MediaType: "text/html", Rel: []string{"payment"}} // FEP-0ea0
	doc.Preview = &preview{Type: "Note", Name: previews[state]}
	doc.OrderStatus = orderStatuses[state]
	return doc
}

// agreementDocument is an agreement at its own address.
func (e encoder) agreementDocument(a *souk.Agreement, o *souk.Order, seller *souk.Account) *agreement {
	doc := e.agreement(a, o, seller)
	doc.Context = agreementContext()
	return doc
}

// stipulated is an agreement before anybody agreed: what for what.
func (e encoder) stipulated(a *souk.Agreement) *agreement {
	price := souk.Money{Amount: a.Amount, Currency: a.Currency}
	doc := &agreement{Type: "Agreement", Stipulates: commits{Type: "Commitment", Satisfies: a.Intent, ResourceQuantity: units(formatID(int64(a.Quantity)))},
		Reciprocal: &commits{Type: "Commitment", Satisfies: a.Reciprocal, ResourceQuantity: units(price.Decimal())}}
	if a.Reciprocal == "" {
		doc.Reciprocal = nil
	}
	return doc
}

func agreementContext() json.RawMessage { return json.RawMessage(contextAgreement) }

// offerOf is what a buyer of this node asks for.
func (e encoder) offerOf(a *souk.Agreement, buyer, seller *souk.Account) activity {
	return activity{Context: agreementContext(), ID: a.OfferURI, Type: "Offer", Actor: buyer.URI, Published: timestamp(a.Created), To: []string{seller.URI},
		Object: e.stipulated(a)}
}

// accepted is the seller's yes. Its object is the id of the Offer (FEP-0837).
func (e encoder) accepted(id string, a *souk.Agreement, o *souk.Order, seller, buyer *souk.Account) activity {
	return activity{Context: agreementContext(), ID: id, Type: "Accept", Actor: seller.URI, To: []string{buyer.URI}, Object: a.OfferURI,
		Result: e.agreement(a, o, seller)}
}

// rejected is the seller's no, in words: those of the shop's language (BCP 47) first.
func (e encoder) rejected(id string, a *souk.Agreement, seller, buyer *souk.Account, lang string) activity {
	words := offerReasons[a.Reason]
	if words == nil {
		words = offerReasons["not_for_sale"]
	}
	texts := map[string]string{}
	for l, text := range words {
		texts[l] = "<p>" + html.EscapeString(text) + "</p>"
	}
	first, ok := texts[lang]
	if !ok {
		first = texts["en"]
	}
	return activity{Context: plainContext(), ID: id, Type: "Reject", Actor: seller.URI, To: []string{buyer.URI}, Object: a.OfferURI, Content: first, ContentMap: texts}
}

// agreementUpdate says how an agreement stands.
func (e encoder) agreementUpdate(id string, a *souk.Agreement, o *souk.Order, seller, buyer *souk.Account) activity {
	return activity{Context: agreementContext(), ID: id, Type: "Update", Actor: seller.URI, Published: timestamp(o.Updated), To: []string{buyer.URI},
		Object: e.agreement(a, o, seller)}
}

// receipt confirms that an agreement is fulfilled.
func (e encoder) receipt(a *souk.Agreement, o *souk.Order, seller, buyer *souk.Account) activity {
	doc := &receipt{ID: a.URI + "/receipt", Type: "Document", AttributedTo: seller.URI, Name: "Receipt", Agreement: a.URI, To: []string{buyer.URI},
		Published: timestamp(o.Updated)}
	return activity{Context: plainContext(), ID: doc.ID + "/create", Type: "Create", Actor: seller.URI, Published: doc.Published, To: []string{buyer.URI}, Object: doc}
}

// offerReasons are what a buyer reads for a code of Agreement.Reason. They are read only.
var offerReasons = map[string]map[string]string{
	souk.OfferSoldOut:    {"en": "It is sold out.", "zh": "已售罄。"},
	souk.OfferFewLeft:    {"en": "Fewer are left than you asked for.", "zh": "库存不足，没有这么多件了。"},
	souk.OfferPrice:      {"en": "It has another price now. Look at the listing again.", "zh": "价格已变动，请重新查看商品。"},
	souk.OfferUnit:       {"en": "It is sold by the piece: use the unit “one”.", "zh": "本商品按件出售，单位请用“one”。"},
	souk.OfferSeveral:    {"en": "Order one product at a time.", "zh": "每次只能订购一种商品。"},
	souk.OfferVariants:   {"en": "It comes in several variants. Choose one on its page.", "zh": "本商品有多种规格，请到商品页面选择。"},
	souk.OfferNoDelivery: {"en": "It can be neither sent nor fetched at the moment.", "zh": "目前既不能发货，也不能自取。"},
	souk.OfferTooMany:    {"en": "Too many orders of yours, or of your node, are not paid yet. Pay or cancel one first.", "zh": "你或你所在的节点有太多未付款的订单，请先付款或取消。"},
	souk.OfferHeld: {"en": "Too many are kept for orders that are not filled in yet. Fill yours in first, ask for fewer, or order on its page.",
		"zh": "尚未填写的订单已占用太多库存。请先填写你的订单、减少数量，或到商品页面订购。"},
	souk.OfferRefused: {"en": "The seller does not accept this order.", "zh": "卖家不接受此订单。"},
	"not_for_sale":    {"en": "This is not for sale here.", "zh": "这里不出售该商品。"},
	"quantity":        {"en": "Ask for a whole number from 1 to 99.", "zh": "数量须为 1 到 99 的整数。"},
	"shop_closed":     {"en": "The shop takes no orders at the moment.", "zh": "本店暂不接受订单。"},
	"total_large":     {"en": "The total is too large.", "zh": "总金额过大。"},
}
