// Package problem is the one table from the domain's errors to HTTP, and their form as RFC 9457 problem documents.
// server, its API packages and its pages read it, so that an error means the same everywhere.
package problem

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/labstack/echo/v4"

	"souk"
)

// ContentType of problem documents (RFC 9457, 3).
const ContentType = "application/problem+json"

// Document is a problem as APIs answer it. Error repeats the detail under the name that Mastodon clients read.
type Document struct {
	Type      string  `json:"type"`
	Title     string  `json:"title"`
	Status    int     `json:"status"`
	Detail    string  `json:"detail,omitempty"`
	Error     string  `json:"error"`
	RequestID string  `json:"request_id,omitempty"`
	Errors    []Field `json:"errors,omitempty"`
}

// Field is one wrong input.
type Field struct {
	Field   string `json:"field"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

// Error is a problem that says itself what its document holds. Detail may be shown to anybody; Cause is for the log.
type Error struct {
	Status int
	Type   string // a stable name that programs compare, such as /problems/token-invalid
	Title  string
	Detail string
	Cause  error
}

func (e *Error) Error() string {
	if e.Cause != nil {
		return e.Title + ": " + e.Cause.Error()
	}
	return e.Title + ": " + e.Detail
}

func (e *Error) Unwrap() error { return e.Cause }

// Status is what an error means in HTTP.
func Status(err error) int {
	var invalid *souk.Invalid
	var httpError *echo.HTTPError
	var tooLarge *http.MaxBytesError
	var own *Error
	switch {
	case err == nil:
		return http.StatusOK
	case errors.As(err, &own):
		return own.Status
	case errors.As(err, &tooLarge):
		return http.StatusRequestEntityTooLarge
	case errors.As(err, &invalid):
		return http.StatusUnprocessableEntity
	case errors.Is(err, souk.ErrGone):
		return http.StatusGone
	case errors.Is(err, souk.ErrNotFound):
		return http.StatusNotFound
	case errors.Is(err, souk.ErrUnauthorized):
		return http.StatusUnauthorized
	case errors.Is(err, souk.ErrForbidden):
		return http.StatusForbidden
	case errors.Is(err, souk.ErrConflict):
		return http.StatusConflict
	case errors.As(err, &httpError):
		return httpError.Code
	case errors.Is(err, souk.ErrUnavailable):
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// From is the problem document of an error. What only the node should know stays in the log: a stranger reads
// "Internal error" and the request id.
func From(err error, requestID string) Document {
	status := Status(err)
	d := Document{Type: "about:blank", Title: http.StatusText(status), Status: status, RequestID: requestID}
	var invalid *souk.Invalid
	var soldOut *souk.SoldOut
	var httpError *echo.HTTPError
	var tooLarge *http.MaxBytesError
	var own *Error
	switch {
	case errors.As(err, &own):
		d.Type, d.Title, d.Detail = own.Type, own.Title, own.Detail
	case errors.As(err, &tooLarge):
		d.Type, d.Detail = "/problems/too-large", fmt.Sprintf("The request is larger than %d bytes, which is the limit here.", tooLarge.Limit)
	case errors.As(err, &invalid):
		d.Type, d.Title = "/problems/invalid", "Some of the input is not right"
		d.Detail = invalid.Error()
		for _, p := range invalid.Problems {
			d.Errors = append(d.Errors, Field{Field: p.Field, Code: p.Code, Message: p.Message})
		}
	case errors.As(err, &soldOut):
		d.Type, d.Title, d.Detail = "/problems/sold-out", "Not enough in stock", soldOut.Error()
	case status == http.StatusConflict:
		d.Type, d.Detail = "/problems/conflict", "The state has changed meanwhile, or the same key was used for another request."
	case errors.As(err, &httpError):
		if text, ok := httpError.Message.(string); ok && status < 500 {
			d.Detail = text
		}
	case status == http.StatusServiceUnavailable:
		d.Detail = "The database does not answer just now: try again in a moment."
	case status >= 500:
		d.Title, d.Detail = "Internal error", "The node failed; its log has the reason under the request id."
	}
	d.Error = d.Detail
	if d.Error == "" {
		d.Error = d.Title
	}
	return d
}

// Write answers with a problem document.
func Write(c echo.Context, err error, requestID string) error {
	d := From(err, requestID)
	body, merr := json.Marshal(d)
	if merr != nil {
		return merr
	}
	return c.Blob(d.Status, ContentType, body)
}
