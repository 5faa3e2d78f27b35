package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"souk"
	"souk/themes"
)

// maxTarget bounds what another server may name.
const maxTarget = 2000

// Authorize receives somebody whom another server sent here to follow an account, or to answer a post or order a product,
// from an account of this node: uri is a handle, acct:, or an address. A post is opened in the console. Nothing is fetched
// for who is not signed in, or the node would fetch for anybody; and nothing is followed without Confirm.
func (w *Web) Authorize(c echo.Context) error {
	v, page, err := w.authorizePage(c, c.QueryParam("uri"))
	if err != nil {
		return err
	}
	me, err := w.SignedIn(c)
	switch {
	case errors.Is(err, souk.ErrUnauthorized):
		page.SignInURL = "/console/sign-in?" + url.Values{"next": {v.with("/authorize_interaction", "uri", page.Target)}}.Encode()
		return v.show(c, http.StatusOK, page)
	case err != nil:
		return err
	case page.Problem != "":
		return v.show(c, http.StatusUnprocessableEntity, page)
	}
	found, post, err := w.interactWith(c.Request().Context(), page.Target)
	if err != nil {
		return v.notFound(c, page, err)
	}
	if post != nil { // read, answered and ordered in the console
		return c.Redirect(http.StatusFound, "/console/posts/"+id(post.ID))
	}
	return v.confirm(c, page, me, found)
}

// Confirm follows the account that Authorize showed.
func (w *Web) Confirm(c echo.Context) error {
	v, page, err := w.authorizePage(c, c.FormValue("uri"))
	if err != nil {
		return err
	}
	me, err := w.SignedIn(c)
	if err != nil {
		return err
	}
	if page.Problem != "" {
		return v.show(c, http.StatusUnprocessableEntity, page)
	}
	ctx := c.Request().Context()
	found, _, err := w.interactWith(ctx, page.Target)
	if err != nil {
		return v.notFound(c, page, err)
	}
	if found.ID != me.ID {
		if _, err := w.DB.Follow(ctx, me.ID, found.ID); err != nil {
			return err
		}
	}
	return c.Redirect(http.StatusSeeOther, v.with("/authorize_interaction", "uri", page.Target))
}

func (w *Web) authorizePage(c echo.Context, target string) (*view, themes.AuthorizePage, error) {
	s, err := w.state(c.Request().Context())
	if err != nil {
		return nil, themes.AuthorizePage{}, err
	}
	v := w.view(c, s)
	page := themes.AuthorizePage{Target: strings.TrimSpace(target), Frame: v.frame(themes.Head{Title: v.theme("authorize.open"), NoIndex: true})}
	page.Head.Canonical = ""
	// The other language is of the same target.
	for i := range page.Head.Languages {
		page.Head.Languages[i].URL += "?" + url.Values{"uri": {page.Target}}.Encode()
	}
	if page.Target == "" || len(page.Target) > maxTarget || !isAddress(page.Target) && !isHandle(page.Target) {
		page.Problem = v.theme(themes.ProblemTarget)
		if len(page.Target) > 100 {
			page.Target = ""
		}
	}
	return v, page, nil
}

func isAddress(target string) bool {
	u, err := url.Parse(target)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil
}

func isHandle(target string) bool {
	h, ok := readHome(target)
	return ok && h.name != ""
}

// interactWith finds the account that a target names, or the post and its author.
func (w *Web) interactWith(ctx context.Context, target string) (*souk.Account, *souk.Post, error) {
	if !isAddress(target) {
		h, _ := readHome(target)
		if h.host == w.DB.Domain() || h.host == w.DB.HandleDomain() {
			a, err := w.DB.LocalAccount(ctx, h.name)
			return a, nil, err
		}
		a, err := w.Federation.ResolveHandle(ctx, h.name+"@"+h.host)
		return a, nil, err
	}
	a, err := w.Federation.ResolveActor(ctx, target)
	if err == nil {
		return a, nil, nil
	}
	// It may be a post: which of the two an address is only its origin knows.
	p, failed := w.Federation.ResolvePost(ctx, target)
	if failed != nil {
		return nil, nil, errors.Join(failed, err)
	}
	if p.Account == nil {
		return nil, nil, souk.ErrNotFound
	}
	return p.Account, p, nil
}

// notFound says that the target is nothing that this node can read; the reason stays in the log.
func (v *view) notFound(c echo.Context, page themes.AuthorizePage, cause error) error {
	v.Log.Info("interaction target not found", "error", cause)
	page.Problem = v.theme(themes.ProblemTarget)
	return v.show(c, http.StatusUnprocessableEntity, page)
}

func (v *view) confirm(c echo.Context, page themes.AuthorizePage, me, found *souk.Account) error {
	state, err := v.DB.FollowState(c.Request().Context(), me.ID, found.ID)
	if err != nil {
		return err
	}
	person := v.person(found)
	page.Found, page.Me, page.State = &person, v.person(me), state
	if state == "" && found.ID != me.ID {
		page.Action = v.url("/authorize_interaction")
	}
	page.Head.Title = v.theme("follow.title", "Name", found.Title())
	return v.show(c, http.StatusOK, page)
}
