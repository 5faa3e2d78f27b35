package console

import (
	"github.com/labstack/echo/v4"

	"souk"
)

// SignedIn is who is signed in to the console with the browser that asks, else souk.ErrUnauthorized; for the few
// addresses outside of the console that depend on it.
func (c *Console) SignedIn(ctx echo.Context) (*souk.Account, error) {
	cookie, err := ctx.Cookie(sessionCookie)
	if err != nil {
		return nil, souk.ErrUnauthorized // the only error: there is no such cookie
	}
	return c.DB.Session(ctx.Request().Context(), cookie.Value)
}
