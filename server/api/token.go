package api

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"souk"
	"souk/server/problem"
)

// identify finds whose token the request carries (RFC 6750, 2.1) and whether it covers the scope. A wrong token is
// refused where none was needed too: a program that believes itself signed in must learn that it is not.
func (a *API) identify(c echo.Context, scope string) (*request, error) {
	r := &request{Context: c, base: a.DB.BaseURL()}
	secret, sent := bearer(c.Request().Header.Get("Authorization"))
	if !sent {
		if scope == "" {
			return r, nil
		}
		return r, r.require(scope)
	}
	account, token, err := a.DB.TokenAccount(c.Request().Context(), secret)
	if errors.Is(err, souk.ErrUnauthorized) {
		c.Response().Header().Set("WWW-Authenticate", `Bearer realm="souk", error="invalid_token"`)
		return nil, &problem.Error{Status: http.StatusUnauthorized, Type: "/problems/token-invalid", Title: "The token does not work",
			Detail: "The token is unknown, has expired or was revoked.", Cause: err}
	}
	if err != nil {
		return nil, err
	}
	r.account, r.token = account, token
	if scope == "" {
		return r, nil
	}
	return r, r.require(scope)
}

// require refuses requests without a token that covers the scope.
func (r *request) require(scope string) error {
	switch h := r.Response().Header(); {
	case r.token == nil:
		h.Set("WWW-Authenticate", `Bearer realm="souk"`)
		return &problem.Error{Status: http.StatusUnauthorized, Type: "/problems/token-missing", Title: "A token is needed",
			Detail: "Send a token of your account in the header Authorization: Bearer ..."}
	case scope != anyToken && !r.token.Allows(scope):
		h.Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="souk", error="insufficient_scope", scope=%q`, scope))
		return &problem.Error{Status: http.StatusForbidden, Type: "/problems/insufficient-scope", Title: "The token may not do this",
			Detail: "This call needs the scope " + scope + "; the token has " + strings.Join(r.token.Scopes, " ") + "."}
	}
	return nil
}

// bearer is the secret in an Authorization header; the scheme is read in any case (RFC 9110, 11.1).
func bearer(header string) (secret string, sent bool) {
	scheme, secret, _ := strings.Cut(strings.TrimSpace(header), " ")
	return strings.TrimSpace(secret), strings.EqualFold(scheme, "Bearer")
}
