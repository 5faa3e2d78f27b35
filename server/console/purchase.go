package console

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"souk"
)

// purchasesPage lists what an account ordered at other nodes.
type purchasesPage struct {
	frame
	Address   string // of a product to order, as typed
	Purchases []purchase
	Pager     pager
}

type purchase struct {
	souk.Agreement
	Seller  string // handle
	Profile string // address of the seller
	Host    string // where URL leads
}

// purchasePage asks before an order at another node is cancelled.
type purchasePage struct {
	frame
	Purchase *souk.Agreement
}

// Purchases lists what one ordered at other nodes, and how it stands. What is shown is no news any more.
func (c *Console) Purchases(v *Visit) error {
	return c.purchasesPage(v, http.StatusOK, purchasesPage{frame: v.frame("purchases", "purchases.title")})
}

func (c *Console) purchasesPage(v *Visit, status int, page purchasesPage) error {
	if err := c.DB.MarkRead(v.ctx(), v.me.ID, c.DB.NewID(), souk.NotifyPurchase); err != nil {
		return err
	}
	list, err := c.DB.Purchases(v.ctx(), v.me.ID, v.page())
	if err != nil {
		return err
	}
	for _, a := range list {
		p := purchase{Agreement: a}
		if u, err := url.Parse(a.URL); err == nil {
			p.Host = u.Host
		}
		seller, err := c.DB.Account(v.ctx(), a.SellerID)
		switch {
		case err == nil:
			p.Seller, p.Profile = c.DB.Handle(seller), seller.URL
		case !errors.Is(err, souk.ErrGone):
			return err
		}
		page.Purchases = append(page.Purchases, p)
	}
	if n := len(list); n > 0 {
		page.Pager = v.pager(n, list[n-1].ID)
	}
	return c.render(v, status, "purchases", page)
}

// FindProduct opens the product of another node whose address was typed, where it can be ordered.
func (c *Console) FindProduct(v *Visit) error {
	page := purchasesPage{frame: v.frame("purchases", "purchases.title"), Address: v.value("address")}
	p, err := c.Federation.ResolvePost(v.ctx(), page.Address)
	switch {
	case err == nil && p.Listing != nil && p.Local:
		return v.Redirect(http.StatusSeeOther, "/products/"+p.Listing.Slug)
	case err == nil && p.Listing != nil:
		return v.Redirect(http.StatusSeeOther, "/console/posts/"+formatID(p.ID))
	case err == nil, errors.Is(err, souk.ErrForbidden), v.unanswered(err):
		page.Problems = []problem{{"address", v.t("purchases.not_found")}}
		return c.purchasesPage(v, http.StatusUnprocessableEntity, page)
	}
	return err
}

// Buy orders the listing of another node that the path names.
func (c *Console) Buy(v *Visit) error {
	p, err := c.visiblePost(v)
	if err != nil {
		return err
	}
	page := talkPage{frame: v.frame("posts", "talk.title"), Quantity: v.value("quantity")}
	quantity, _ := strconv.Atoi(page.Quantity) // what is no number is 0, which nobody can order
	_, err = c.DB.SendOffer(v.ctx(), v.me.ID, p.ID, quantity)
	switch {
	case v.wrong(&page.frame, err, nil):
		return c.talkPage(v, http.StatusUnprocessableEntity, p, page)
	case errors.Is(err, souk.ErrConflict):
		page.Problems = []problem{{Field: "quantity", Message: v.t("purchases.waits")}}
		return c.talkPage(v, http.StatusConflict, p, page)
	case err != nil:
		return err
	}
	return v.see("/console/purchases", "bought")
}

// CancelPurchaseForm asks before an order at another node is cancelled.
func (c *Console) CancelPurchaseForm(v *Visit) error {
	id, err := v.id()
	if err != nil {
		return err
	}
	a, err := c.DB.Purchase(v.ctx(), v.me.ID, id)
	if err != nil {
		return err
	}
	return c.render(v, http.StatusOK, "purchase-cancel", purchasePage{v.frame("purchases", "purchases.cancel_ask"), a})
}

// CancelPurchase takes an order at another node back; what is paid meanwhile is shown as it is.
func (c *Console) CancelPurchase(v *Visit) error {
	id, err := v.id()
	if err != nil {
		return err
	}
	err = c.DB.TakeOfferBack(v.ctx(), v.me.ID, id)
	if errors.Is(err, souk.ErrConflict) {
		return v.see("/console/purchases", "")
	}
	if err != nil {
		return err
	}
	return v.see("/console/purchases", "purchase_cancelled")
}
