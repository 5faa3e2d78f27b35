package api

import "souk"

// Shop is what the owner set about the shop.
type Shop struct {
	Name         string   `json:"name"`
	URL          string   `json:"url"`
	Tagline      string   `json:"tagline"`
	About        string   `json:"about" doc:"Markdown."`
	Country      string   `json:"country" doc:"ISO 3166-1 alpha-2; may be empty."`
	Currency     string   `json:"currency" doc:"ISO 4217."`
	Lang         string   `json:"lang" enum:"en,zh"`
	Payments     []string `json:"payments" doc:"How buyers may pay: transfer, cash, link, arrange."`
	PaymentNote  *string  `json:"payment_note,omitempty" doc:"What those who ordered are told about paying. Only the owner sees it here."`
	DeliveryNote string   `json:"delivery_note"`
	Pickup       bool     `json:"pickup"`
	Shipping     bool     `json:"shipping"`
	ShippingFee  Money    `json:"shipping_fee" doc:"Of one order."`
	Open         bool     `json:"open" doc:"Whether it takes orders."`
}

// ShopChange changes the shop; what is not sent stays.
type ShopChange struct {
	Name         *string  `json:"name" maxlen:"80"`
	Tagline      *string  `json:"tagline" maxlen:"160"`
	About        *string  `json:"about" maxlen:"20000" doc:"Markdown."`
	Country      *string  `json:"country" doc:"ISO 3166-1 alpha-2."`
	Currency     *string  `json:"currency" doc:"ISO 4217, of new listings and of the shipping fee."`
	Lang         *string  `json:"lang" enum:"en,zh"`
	Payments     []string `json:"payments" doc:"All of them: transfer, cash, link, arrange."`
	PaymentNote  *string  `json:"payment_note" maxlen:"2000"`
	DeliveryNote *string  `json:"delivery_note" maxlen:"2000"`
	Pickup       *bool    `json:"pickup"`
	Shipping     *bool    `json:"shipping"`
	ShippingFee  *Money   `json:"shipping_fee" doc:"In the shop's currency."`
	Open         *bool    `json:"open"`
}

func (a *API) shopAnswer(r *request, s *souk.Shop) Shop {
	out := Shop{Name: s.Name, URL: a.DB.BaseURL() + "/", Tagline: s.Tagline, About: s.About, Country: s.Country, Currency: s.Currency, Lang: s.Lang,
		Payments: append([]string{}, s.Payments...), DeliveryNote: s.DeliveryNote, Pickup: s.Pickup, Shipping: s.Shipping,
		ShippingFee: Money{s.ShippingFee, s.Currency}, Open: s.Open}
	if s.OwnerID != 0 && r.viewer("read:shop") == s.OwnerID {
		out.PaymentNote = &s.PaymentNote
	}
	return out
}

func (a *API) shop(r *request, _ none) (Shop, error) {
	s, err := a.DB.Shop(r.Request().Context())
	if err != nil {
		return Shop{}, err
	}
	return a.shopAnswer(r, s), nil
}

func (a *API) changeShop(r *request, in ShopChange) (Shop, error) {
	ctx := r.Request().Context()
	var s *souk.Shop
	err := a.DB.Tx(ctx, func(tx *souk.DB) error {
		var err error
		if s, err = tx.Shop(ctx); err != nil {
			return err
		}
		if err := in.apply(s); err != nil {
			return err
		}
		if err := tx.SaveShop(ctx, r.account.ID, *s); err != nil {
			return err
		}
		s, err = tx.Shop(ctx)
		return err
	})
	if err != nil {
		return Shop{}, err
	}
	return a.shopAnswer(r, s), nil
}

// apply puts what was sent into the shop.
func (in ShopChange) apply(s *souk.Shop) error {
	for _, f := range []struct{ to, from *string }{{&s.Name, in.Name}, {&s.Tagline, in.Tagline}, {&s.About, in.About}, {&s.Country, in.Country},
		{&s.Currency, in.Currency}, {&s.Lang, in.Lang}, {&s.PaymentNote, in.PaymentNote}, {&s.DeliveryNote, in.DeliveryNote}} {
		if f.from != nil {
			*f.to = *f.from
		}
	}
	for _, f := range []struct{ to, from *bool }{{&s.Pickup, in.Pickup}, {&s.Shipping, in.Shipping}, {&s.Open, in.Open}} {
		if f.from != nil {
			*f.to = *f.from
		}
	}
	if in.Payments != nil {
		s.Payments = in.Payments
	}
	if in.ShippingFee != nil {
		if in.ShippingFee.Currency != s.Currency {
			e := &souk.Invalid{}
			e.Add("shipping_fee.currency", "fee_currency", "the fee is in the shop's currency, %s", s.Currency)
			return e
		}
		s.ShippingFee = in.ShippingFee.Amount
	}
	return nil
}

// Account is whose token it is.
type Account struct {
	ID      ID           `json:"id"`
	Name    string       `json:"name"`
	Title   string       `json:"title" doc:"The display name."`
	Handle  string       `json:"handle" doc:"@name@domain"`
	URL     string       `json:"url" doc:"The profile."`
	URI     string       `json:"uri" doc:"The ActivityPub id."`
	Role    string       `json:"role" enum:"owner,seller,member"`
	Lang    string       `json:"lang"`
	Token   AccountToken `json:"token"`
	Version string       `json:"version" doc:"Of the node's software."`
}

// AccountToken is the token that the call was made with.
type AccountToken struct {
	Name   string   `json:"name"`
	Scopes []string `json:"scopes"`
}

func (a *API) whoAmI(r *request, _ none) (Account, error) {
	return Account{ID: ID(r.account.ID), Name: r.account.Name, Title: r.account.Title(), Handle: a.DB.Handle(r.account), URL: r.account.URL, URI: r.account.URI,
		Role: r.account.Role, Lang: r.account.Lang, Token: AccountToken{r.token.Name, append([]string{}, r.token.Scopes...)}, Version: a.Version}, nil
}
