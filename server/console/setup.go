package console

import (
	"errors"
	"net/http"

	"souk"
)

// setupPage is the first run: one short form.
type setupPage struct {
	frame
	Token      string
	Domain     string // of handles
	Fleeting   bool   // the domain looks as if it will not stay
	Form       setupForm
	Countries  []option
	Currencies []option
	Languages  []option
}

type setupForm struct {
	Shop, Name, DisplayName, Email, Country, Currency, Lang string
	Stays                                                   string // the box about a domain that looks temporary
}

// setupClosedPage says why a setup link does not work and how to get one that does.
type setupClosedPage struct {
	frame
	Owned bool // the node has an owner: sign in
}

// SetupForm shows the form of the first run to who has the link.
func (c *Console) SetupForm(v *Visit) error {
	token := v.QueryParam("token")
	if err := c.DB.CheckSetupToken(v.ctx(), token); errors.Is(err, souk.ErrUnauthorized) {
		return c.setupClosed(v)
	} else if err != nil {
		return err
	}
	form := setupForm{Country: likelyCountry(v.Request().Header.Get("Accept-Language")), Lang: v.domainLang()}
	return c.setupPage(v, http.StatusOK, token, form, v.frame("", "setup.title"))
}

// SetUp makes the owner and the shop, signs the owner in and leads to the console.
func (c *Console) SetUp(v *Visit) error {
	token := v.FormValue("token")
	form := setupForm{Shop: v.value("shop.name"), Name: v.value("name"), DisplayName: v.value("display_name"), Email: v.value("email"),
		Country: v.value("shop.country"), Currency: v.value("shop.currency"), Lang: v.value("shop.lang"), Stays: v.value("stays")}
	if fleeting(c.DB.HandleDomain()) && form.Stays == "" {
		if err := c.DB.CheckSetupToken(v.ctx(), token); errors.Is(err, souk.ErrUnauthorized) {
			return c.setupClosed(v)
		} else if err != nil {
			return err
		}
		f := v.frame("", "setup.title")
		f.Problems = []problem{{Field: "stays", Message: v.t("setup.stays_needed")}}
		return c.setupPage(v, http.StatusUnprocessableEntity, token, form, f)
	}
	owner, err := c.DB.SetUp(v.ctx(), token, souk.Setup{
		Account: souk.NewAccount{Name: form.Name, DisplayName: form.DisplayName, Email: form.Email, Password: v.FormValue("password"), Lang: form.Lang},
		Name:    form.Shop, Country: form.Country, Currency: form.Currency, Lang: form.Lang,
	})
	f := v.frame("", "setup.title")
	switch {
	case errors.Is(err, souk.ErrUnauthorized), errors.Is(err, souk.ErrConflict):
		return c.setupClosed(v)
	case v.wrong(&f, err, nil):
		return c.setupPage(v, http.StatusUnprocessableEntity, token, form, f)
	case err != nil:
		return err
	}
	if err := v.begin(owner); err != nil {
		return err
	}
	return v.see("/console", "setup")
}

func (c *Console) setupPage(v *Visit, status int, token string, form setupForm, f frame) error {
	page := setupPage{frame: f, Token: token, Domain: c.DB.HandleDomain(), Fleeting: fleeting(c.DB.HandleDomain()), Form: form,
		Countries: countries(v.lang), Currencies: currencies(), Languages: c.languages()}
	return c.render(v, status, "setup", page)
}

func (c *Console) setupClosed(v *Visit) error {
	_, err := c.DB.Owner(v.ctx())
	if err != nil && !errors.Is(err, souk.ErrNotFound) {
		return err
	}
	page := setupClosedPage{frame: v.frame("", "setup.closed_title"), Owned: err == nil}
	return c.render(v, http.StatusGone, "setup-closed", page)
}

// languages are those that a shop can have, each by its own name.
func (c *Console) languages() []option {
	var all []option
	for _, lang := range souk.Langs() {
		all = append(all, option{Value: lang, Label: c.words.T(lang, "form.language_name"), Lang: c.words.Match(lang)})
	}
	return all
}
