package console

import (
	"net/http"

	"souk"
)

type shopPage struct {
	frame
	Form       shopForm
	Currency   string // that the fee is read in
	Payments   []option
	Countries  []option
	Currencies []option
	Languages  []option
}

type shopForm struct {
	Name, Tagline, About, Country, Currency, Lang, PaymentNote, DeliveryNote, Fee, Pickup, Shipping, Open string
	Payments                                                                                              []string
}

// ShopForm shows what the owner sets about the shop.
func (c *Console) ShopForm(v *Visit) error {
	s := v.shop
	form := shopForm{Name: s.Name, Tagline: s.Tagline, About: s.About, Country: s.Country, Currency: s.Currency, Lang: s.Lang, Payments: s.Payments,
		PaymentNote: s.PaymentNote, DeliveryNote: s.DeliveryNote, Fee: souk.Money{Amount: s.ShippingFee, Currency: s.Currency}.Decimal(),
		Pickup: box(s.Pickup), Shipping: box(s.Shipping), Open: box(s.Open)}
	return c.shopPage(v, http.StatusOK, shopPage{frame: v.frame("settings", "settings.shop"), Form: form})
}

// box is the value of a box that is ticked or not.
func box(ticked bool) string {
	if ticked {
		return "1"
	}
	return ""
}

// SaveShop saves what the owner sets about the shop.
func (c *Console) SaveShop(v *Visit) error {
	page := shopPage{frame: v.frame("settings", "settings.shop"), Form: shopForm{Name: v.value("name"), Tagline: v.value("tagline"), About: v.value("about"),
		Country: v.value("country"), Currency: v.value("currency"), Lang: v.value("lang"), Payments: v.values("payments"),
		PaymentNote: v.value("payment_note"), DeliveryNote: v.value("delivery_note"), Fee: v.value("shipping_fee"), Pickup: v.value("pickup"),
		Shipping: v.value("shipping"), Open: v.value("open")}}
	f := page.Form
	shop := souk.Shop{Name: f.Name, Tagline: f.Tagline, About: f.About, Country: f.Country, Currency: f.Currency, Lang: f.Lang, Payments: f.Payments,
		PaymentNote: f.PaymentNote, DeliveryNote: f.DeliveryNote, Pickup: f.Pickup != "", Shipping: f.Shipping != "", Open: f.Open != ""}
	if f.Fee != "" {
		fee, err := souk.ParseMoney(f.Fee, f.Currency)
		if err != nil && !v.wrong(&page.frame, err, map[string]string{"price": "shipping_fee"}) {
			return err
		}
		shop.ShippingFee = fee.Amount
	}
	if len(page.Problems) > 0 {
		return c.shopPage(v, http.StatusUnprocessableEntity, page)
	}
	err := c.DB.SaveShop(v.ctx(), v.me.ID, shop)
	switch {
	case v.wrong(&page.frame, err, nil):
		return c.shopPage(v, http.StatusUnprocessableEntity, page)
	case err != nil:
		return err
	}
	return v.see("/console/settings/shop", "saved")
}

func (c *Console) shopPage(v *Visit, status int, page shopPage) error {
	for _, p := range souk.Payments() {
		page.Payments = append(page.Payments, option{Value: p, Label: v.t("payment." + p), Hint: v.t("payment_is." + p)})
	}
	page.Currency, page.Countries, page.Currencies, page.Languages = v.shop.Currency, countries(v.lang), currencies(), c.languages()
	return c.render(v, status, "shop", page)
}
