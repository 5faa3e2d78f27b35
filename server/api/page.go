package api

import (
	"net/url"

	"souk"
)

// Paging asks for a page of a list, newest first.
type Paging struct {
	Cursor ID  `query:"cursor" doc:"Where the page begins; take it from the Link to the next page."`
	Limit  int `query:"limit" doc:"How many, 20 where nothing is said." min:"1" max:"80"`
}

func (p Paging) page() souk.Page { return souk.Page{Before: int64(p.Cursor), Limit: p.Limit} }

// full is how many entries a page has that is not the last one.
func (p Paging) full() int {
	if p.Limit == 0 {
		return 20
	}
	return p.Limit
}

// link names the next page of a list in the header Link (RFC 8288), and the first one where this is not it. The last id
// of the list is the cursor of the next.
func (r *request) link(p Paging, n int, last int64) {
	base := r.address(nil)
	if n > 0 && n >= p.full() {
		next := r.address(map[string]string{"cursor": formatID(last)})
		r.Response().Header().Add("Link", "<"+next+`>; rel="next"`)
	}
	if p.Cursor != 0 {
		r.Response().Header().Add("Link", "<"+base+`>; rel="first"`)
	}
}

// address is that of this request with other parameters; the cursor is left out unless it is among them.
func (r *request) address(set map[string]string) string {
	q := url.Values{}
	for name, values := range r.QueryParams() {
		q[name] = values
	}
	q.Del("cursor")
	for name, value := range set {
		q.Set(name, value)
	}
	u := r.base + r.Request().URL.Path
	if len(q) > 0 {
		u += "?" + q.Encode()
	}
	return u
}
