package api

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"souk"
	"souk/search"
	"souk/server/problem"
)

// limit is which of the request limits a call counts for.
type limit string

const (
	reading   limit = "reading"
	searching limit = "searching"
	writing   limit = "writing"
	ordering  limit = "ordering"
	uploading limit = "uploading"
)

// anyToken as the scope of a call takes every token that works.
const anyToken = "*"

// call is one entry of the table: where it lies, who may, what it reads and answers, what its documentation says.
type call struct {
	Method  string
	Path    string // below Base; {id} stands for a value
	Name    string // operationId
	Summary string
	About   string
	Scope   string // of the token; empty: no token is asked for, but one that is sent is read
	Limit   limit
	Status  int      // of success
	Headers []header // that it reads, besides Authorization
	Errors  []int    // that it may answer, besides those that every call may
	Paged   bool     // answers a list and a Link to the next page
	Example string   // of the body
	Query   string   // example of a query

	in, out reflect.Type
	serve   func(*request) (any, error)
}

// header is a request header that a call reads.
type header struct {
	Name     string
	Required bool
	About    string
}

// none is the body of calls that read or answer none.
type none struct{}

// on binds a handler to its entry. In is what it reads: the query where the method is GET, else the body.
func on[In, Out any](c call, f func(*request, In) (Out, error)) call {
	c.in, c.out = reflect.TypeFor[In](), reflect.TypeFor[Out]()
	c.serve = func(r *request) (any, error) {
		var in In
		if err := r.read(&in); err != nil {
			return nil, err
		}
		return f(r, in)
	}
	return c
}

// request is one call being answered.
type request struct {
	echo.Context
	account *souk.Account // whose token it carries; nil: a stranger
	token   *souk.Token
	base    string // scheme://host of the node
}

// viewer is the account that asks, where its token covers the scope; 0 is a stranger.
func (r *request) viewer(scope string) int64 {
	if r.token == nil || !r.token.Allows(scope) {
		return 0
	}
	return r.account.ID
}

// id is the id in the path.
func (r *request) id() (int64, error) { return souk.ParseID(r.Param("id")) }

func (r *request) header(name string) string { return r.Request().Header.Get(name) }

// read fills the struct that into points to from the query or the body.
func (r *request) read(into any) error {
	if _, nothing := into.(*none); nothing {
		return nil
	}
	if r.Request().Method == http.MethodGet {
		return decodeQuery(r.QueryParams(), into)
	}
	if _, form := into.(*NewMedia); form {
		return nil // its handler reads it piece by piece
	}
	kind, _, err := mime.ParseMediaType(r.header("Content-Type"))
	if err != nil || kind != "application/json" {
		return &problem.Error{Status: http.StatusUnsupportedMediaType, Type: "/problems/media-type", Title: "Not JSON",
			Detail: "Send the body as JSON, with the header Content-Type: application/json."}
	}
	body, err := io.ReadAll(r.Request().Body)
	if err != nil {
		return err
	}
	return decode(body, into)
}

// handle answers a call: who asks, may they, what do they say, and what is the answer.
func (a *API) handle(c call) echo.HandlerFunc {
	return func(ec echo.Context) error {
		r, err := a.identify(ec, c.Scope)
		if err != nil {
			return err
		}
		out, err := c.serve(r)
		if err != nil {
			return failed(err)
		}
		return r.answer(c.Status, out)
	}
}

// failed gives errors of the layer below the form that the table of problems knows.
func failed(err error) error {
	var query *search.QueryError
	switch {
	case errors.As(err, &query):
		e := &souk.Invalid{}
		e.Add(query.Field, "query", "%s", query.Problem)
		return e
	case errors.Is(err, search.ErrUnavailable), errors.Is(err, search.ErrTimeout):
		return &problem.Error{Status: http.StatusServiceUnavailable, Type: "/problems/search-unavailable", Title: "Search is not available",
			Detail: "The search engine does not answer in time. Try again in a moment.", Cause: err}
	}
	return err
}

// versioned is an answer whose ETag begins with a version that If-Match can name.
type versioned interface{ version() int64 }

// located is an answer about something that has an address in this API.
type located interface{ location() string }

// answer sends the value as JSON. What is read carries an ETag of its bytes, and is not sent again to who has it.
func (r *request) answer(status int, out any) error {
	h := r.Response().Header()
	h.Set("Cache-Control", "no-cache")
	if r.account != nil {
		h.Set("Cache-Control", "private, no-cache")
	}
	h.Add("Vary", "Authorization")
	if _, nothing := out.(none); nothing {
		return r.NoContent(status)
	}
	body, err := json.Marshal(out)
	if err != nil {
		return err
	}
	tag := `"` + etag(out, body) + `"`
	h.Set("ETag", tag)
	if l, ok := out.(located); ok && status == http.StatusCreated {
		h.Set("Location", l.location())
	}
	if r.Request().Method == http.MethodGet && matches(r.header("If-None-Match"), tag) {
		return r.NoContent(http.StatusNotModified)
	}
	return r.Blob(status, echo.MIMEApplicationJSON, body)
}

func etag(out any, body []byte) string {
	sum := sha256.Sum256(body)
	hash := hex.EncodeToString(sum[:8])
	if v, ok := out.(versioned); ok {
		return fmt.Sprintf("%d-%s", v.version(), hash)
	}
	return hash
}

// matches reports whether a list of entity tags (RFC 9110, 8.8.3) has the tag.
func matches(list, tag string) bool {
	for t := range strings.SplitSeq(list, ",") {
		if t = strings.TrimSpace(t); t == tag || t == "*" || strings.TrimPrefix(t, "W/") == tag {
			return true
		}
	}
	return false
}

// expected is the version that If-Match asks for; 0 where it asks for none.
func (r *request) expected() (int64, error) {
	tag := strings.TrimSpace(r.header("If-Match"))
	if tag == "" || tag == "*" {
		return 0, nil
	}
	text, _, _ := strings.Cut(strings.Trim(tag, `"`), "-")
	version, err := strconv.ParseInt(text, 10, 64)
	if err != nil || version <= 0 {
		e := &souk.Invalid{}
		e.Add("If-Match", "etag", "send the ETag of the state that you want to change, as it was answered")
		return 0, e
	}
	return version, nil
}

// preconditionFailed makes 412 of the conflict with a version that If-Match asked for (RFC 9110, 15.5.13).
func preconditionFailed(err error, version int64) error {
	if version != 0 && errors.Is(err, souk.ErrConflict) {
		return &problem.Error{Status: http.StatusPreconditionFailed, Type: "/problems/changed-meanwhile", Title: "Changed meanwhile",
			Detail: "It has another version by now. Read it again, and send your change with its new ETag.", Cause: err}
	}
	return err
}
