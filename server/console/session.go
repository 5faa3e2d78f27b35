package console

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"souk"
)

// cookieLife is how long a browser keeps the session cookie; the session itself ends 30 days after it was last seen.
const cookieLife = 365 * 24 * time.Hour

type signInPage struct {
	frame
	Name     string
	Next     string
	NotSetUp bool // nobody owns the node yet: the setup link is in its terminal
}

// SignInForm asks for name and password.
func (c *Console) SignInForm(v *Visit) error {
	next := localPath(v.QueryParam("next"))
	if v.me != nil {
		return v.Redirect(http.StatusSeeOther, next)
	}
	page := signInPage{frame: v.frame("", "sign_in.title"), Next: next, NotSetUp: v.shop.OwnerID == 0}
	return c.render(v, http.StatusOK, "sign-in", page)
}

// SignIn begins a session and leads to where the browser wanted to go on this node.
func (c *Console) SignIn(v *Visit) error {
	next, name := localPath(v.FormValue("next")), v.value("name")
	token, _, err := c.DB.SignIn(v.ctx(), name, v.FormValue("password"), v.Request().UserAgent())
	if errors.Is(err, souk.ErrUnauthorized) {
		page := signInPage{frame: v.frame("", "sign_in.title"), Name: name, Next: next, NotSetUp: v.shop.OwnerID == 0}
		page.Problems = []problem{{Field: "password", Message: v.t("sign_in.wrong")}}
		return c.render(v, http.StatusUnprocessableEntity, "sign-in", page)
	} else if err != nil {
		return err
	}
	if err := v.leave(); err != nil {
		return err
	}
	v.SetCookie(v.cookie(sessionCookie, token, cookieLife))
	return v.Redirect(http.StatusSeeOther, next)
}

// SignOut ends the session.
func (c *Console) SignOut(v *Visit) error {
	if err := v.leave(); err != nil {
		return err
	}
	v.SetCookie(v.cookie(sessionCookie, "", -time.Second))
	return v.see("/console/sign-in", "signed_out")
}

// begin signs the browser in as an account that proved who it is.
func (v *Visit) begin(account *souk.Account) error {
	token, err := v.console.DB.NewSession(v.ctx(), account.ID, v.Request().UserAgent())
	if err == nil {
		v.SetCookie(v.cookie(sessionCookie, token, cookieLife))
	}
	return err
}

// leave ends the session that the browser had, if it had one.
func (v *Visit) leave() error {
	if v.token == "" {
		return nil
	}
	return v.console.DB.SignOut(v.ctx(), v.token)
}

// localPath is next where it is a path of this node, else the console: no link may lead a seller elsewhere after the
// sign-in. Browsers read a backslash as a slash, and drop tabs and line ends.
func localPath(next string) string {
	const home = "/console"
	if !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\\t\r\n") {
		return home
	}
	u, err := url.Parse(next)
	if err != nil || u.Host != "" || u.Scheme != "" || strings.HasPrefix(u.Path, "//") || strings.HasPrefix(u.Path, "/console/sign-") {
		return home
	}
	return u.String()
}
