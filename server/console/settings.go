package console

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"souk"
)

// settingsPage is the list of everything that can be set.
type settingsPage struct{ frame }

// Settings lists everything that can be set.
func (c *Console) Settings(v *Visit) error {
	return c.render(v, http.StatusOK, "settings", settingsPage{v.frame("settings", "settings.title")})
}

type passwordPage struct{ frame }

// PasswordForm asks for the old and the new password.
func (c *Console) PasswordForm(v *Visit) error {
	return c.render(v, http.StatusOK, "password", passwordPage{v.frame("settings", "settings.password")})
}

// ChangePassword changes the password and signs all other browsers out.
func (c *Console) ChangePassword(v *Visit) error {
	page := passwordPage{v.frame("settings", "settings.password")}
	err := c.DB.ChangePassword(v.ctx(), v.me.ID, v.FormValue("old"), v.FormValue("password"), v.token)
	switch {
	case v.wrong(&page.frame, err, nil):
		return c.render(v, http.StatusUnprocessableEntity, "password", page)
	case err != nil:
		return err
	}
	return v.see("/console/settings", "password")
}

// SignOutOthers ends all sessions of the account but this one.
func (c *Console) SignOutOthers(v *Visit) error {
	if err := c.DB.SignOutOthers(v.ctx(), v.me.ID, v.token); err != nil {
		return err
	}
	return v.see("/console/settings", "others_out")
}

type tokensPage struct {
	frame
	Tokens []souk.Token
	Secret string // of the token just made: it is shown this once
	Name   string
	Scopes []string // as chosen
	Choice []option
	Days   string
	Ends   []option
}

// Tokens lists the tokens of programs and offers to make one.
func (c *Console) Tokens(v *Visit) error {
	return c.tokensPage(v, http.StatusOK, tokensPage{frame: v.frame("settings", "settings.tokens"), Scopes: []string{"read", "write"}, Days: "365"})
}

// CreateToken makes a token and shows its secret, once: it is answered in place, so that no address leads to it again.
func (c *Console) CreateToken(v *Visit) error {
	page := tokensPage{frame: v.frame("settings", "settings.tokens"), Name: v.value("name"), Scopes: v.values("scopes"), Days: v.value("days")}
	var expires time.Time
	if days, err := strconv.Atoi(page.Days); err == nil && days > 0 && days <= 3660 {
		expires = c.DB.Now().AddDate(0, 0, days)
	}
	secret, err := c.DB.CreateToken(v.ctx(), v.me.ID, page.Name, page.Scopes, expires)
	switch {
	case v.wrong(&page.frame, err, nil):
		return c.tokensPage(v, http.StatusUnprocessableEntity, page)
	case err != nil:
		return err
	}
	page.Secret = secret
	return c.tokensPage(v, http.StatusOK, page)
}

func (c *Console) tokensPage(v *Visit, status int, page tokensPage) error {
	var err error
	if page.Tokens, err = c.DB.Tokens(v.ctx(), v.me.ID); err != nil {
		return err
	}
	scopes := []string{"read", "write", "follow", "push", "profile"}
	if v.me.Role == souk.RoleOwner {
		scopes = append(scopes, "admin:read", "admin:write")
	}
	for _, s := range scopes {
		key := s
		if i := slices.Index([]string{"admin:read", "admin:write"}, s); i >= 0 {
			key = []string{"admin_read", "admin_write"}[i]
		}
		page.Choice = append(page.Choice, option{Value: s, Label: v.t("scope." + key), Code: s})
	}
	for _, days := range []string{"30", "90", "365", ""} {
		page.Ends = append(page.Ends, option{Value: days, Label: v.t("token_ends.d" + days)})
	}
	return c.render(v, status, "tokens", page)
}

// RevokeToken ends a token at once.
func (c *Console) RevokeToken(v *Visit) error {
	id, err := v.id()
	if err != nil {
		return err
	}
	if err := c.DB.RevokeToken(v.ctx(), v.me.ID, id); err != nil {
		return err
	}
	return v.see("/console/settings/tokens", "revoked")
}
