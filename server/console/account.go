package console

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"souk"
	"souk/federation"
)

// accountPage is what concerns the account as a whole: other accounts of the same person, a move, its key, its end.
type accountPage struct {
	frame
	Aliases string // one a line
	Target  string // where it moves to, as typed
}

// AccountForm shows what can be done with the account as a whole.
func (c *Console) AccountForm(v *Visit) error {
	return c.render(v, http.StatusOK, "account", accountPage{frame: v.frame("settings", "settings.account"), Aliases: strings.Join(v.me.AlsoKnownAs, "\n")})
}

// ChangeAccount does what the form says. What cannot be taken back at once asks for the password.
func (c *Console) ChangeAccount(v *Visit) error {
	page := accountPage{frame: v.frame("settings", "settings.account"), Aliases: strings.Join(v.me.AlsoKnownAs, "\n"), Target: v.value("target")}
	do, err := v.FormValue("do"), error(nil)
	done := "account_" + do
	switch do {
	case "aliases":
		page.Aliases = v.value("aliases")
		var kept bool
		if kept, err = c.saveAliases(v, page.Aliases); kept {
			done = "account_aliases_kept"
		}
	case "move":
		if err = c.DB.CheckPassword(v.ctx(), v.me.ID, v.FormValue("password")); err == nil {
			_, err = c.Federation.Move(v.ctx(), v.me.ID, page.Target)
		}
	case "unmove":
		err = c.DB.Unmove(v.ctx(), v.me.ID)
	case "key":
		_, err = federation.RotateKey(v.ctx(), c.DB, v.me.ID)
	case "delete":
		if err = c.DB.CheckPassword(v.ctx(), v.me.ID, v.FormValue("delete_password")); err == nil {
			err = c.DB.DeleteAccount(v.ctx(), v.me.ID, v.me.ID)
		}
		if err == nil {
			v.SetCookie(v.cookie(sessionCookie, "", -1))
			return v.see("/console/sign-in", "account_delete")
		}
	default:
		return souk.ErrNotFound
	}
	field := map[string]string{"aliases": "aliases", "move": "target"}[do]
	names := map[string]string{"also_known_as": "aliases", "handle": field}
	if do == "delete" {
		names["password"] = "delete_password"
	}
	switch {
	case err == nil:
		return v.see("/console/settings/account", done)
	case v.wrong(&page.frame, err, names):
	case errors.Is(err, souk.ErrConflict):
		page.Problems = []problem{{"", v.t("account.key_soon")}}
	case field != "" && (errors.Is(err, souk.ErrForbidden) || v.unanswered(err)):
		page.Problems = []problem{{field, v.t("people.not_found")}}
	default:
		return err
	}
	return c.render(v, http.StatusUnprocessableEntity, "account", page)
}

// saveAliases takes handles and addresses, one a line. Nobody is asked again about those that stand there already; kept says
// that one does not answer, and is taken as it was written.
func (c *Console) saveAliases(v *Visit, text string) (kept bool, err error) {
	aliases := []string{}
	for _, line := range strings.Fields(text) {
		uri, answered := line, true
		if !slices.Contains(v.me.AlsoKnownAs, line) {
			if uri, answered, err = c.Federation.Alias(v.ctx(), line); err != nil {
				return false, err
			}
		}
		kept = kept || !answered
		aliases = append(aliases, uri)
		if len(aliases) > 10 {
			break // the domain says that these are too many
		}
	}
	_, err = c.DB.SaveProfile(v.ctx(), v.me.ID, souk.Profile{AlsoKnownAs: aliases})
	return kept, err
}

// Pin pins a post or product of one's own, or unpins it.
func (c *Console) Pin(v *Visit) error {
	p, err := c.ownPost(v)
	if err != nil {
		return err
	}
	page := talkPage{frame: v.frame("posts", "talk.title")}
	switch do := v.FormValue("do"); do {
	case "pin":
		err = c.DB.Pin(v.ctx(), v.me.ID, p.ID)
	case "unpin":
		err = c.DB.Unpin(v.ctx(), v.me.ID, p.ID)
	default:
		return souk.ErrNotFound
	}
	switch {
	case v.wrong(&page.frame, err, map[string]string{"post": ""}):
		return c.talkPage(v, http.StatusUnprocessableEntity, p, page)
	case err != nil:
		return err
	}
	return v.see("/console/posts/"+formatID(p.ID), v.FormValue("do")+"ned")
}
