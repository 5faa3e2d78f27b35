package api

import (
	"encoding/json"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"souk/server/problem"
)

// openAPI is the OpenAPI 3.1 document of the table.
func (a *API) openAPI() ([]byte, error) {
	s := &schemas{named: map[string]schema{}, inputs: map[string]bool{}}
	for _, c := range a.calls {
		if c.out != reflect.TypeFor[none]() {
			s.of(c.out, false)
		}
	}
	paths := map[string]map[string]any{}
	for _, c := range a.calls {
		if paths[c.Path] == nil {
			paths[c.Path] = map[string]any{}
		}
		paths[c.Path][strings.ToLower(c.Method)] = c.operation(s)
	}
	problemSchema := s.of(reflect.TypeFor[problem.Document](), false)
	return json.Marshal(map[string]any{
		"openapi": "3.1.0",
		"info": map[string]any{"title": "Souk commerce API", "version": "1.0.0",
			"description": "What a shop sells, its orders, posts and pictures, and the search over all nodes that it knows. Money is in minor units. Ids are strings of decimals. " +
				"Errors are problem documents (RFC 9457) whose type stays the same; those of input name every wrong field. Lists are paged by the header Link (RFC 8288). " +
				"What is read carries an ETag. Answers may gain fields. Requests with unknown fields are refused."},
		"servers": []any{map[string]any{"url": a.DB.BaseURL() + Base, "description": "This node, version " + a.Version}},
		"paths":   paths,
		"components": map[string]any{
			"schemas": s.named,
			"securitySchemes": map[string]any{"token": map[string]any{"type": "http", "scheme": "bearer",
				"description": "A token of an account, made with souk token create or by OAuth. The scope read covers every read:..., write every write:...; admin:... is covered by nothing else."}},
			"responses": map[string]any{"Problem": map[string]any{"description": "What went wrong.",
				"content": map[string]any{problem.ContentType: map[string]any{"schema": problemSchema}}}},
		},
	})
}

// operation is the entry of a call in the document.
func (c call) operation(s *schemas) map[string]any {
	group, _, _ := strings.Cut(strings.TrimPrefix(c.Path, "/"), "/")
	op := map[string]any{"operationId": c.Name, "summary": c.Summary, "tags": []string{group}, "parameters": c.parameterObjects(s), "responses": c.responses(s)}
	if c.About != "" {
		op["description"] = c.About
	}
	switch c.Scope {
	case "":
		op["security"] = []any{map[string]any{}, map[string]any{"token": []string{}}}
	case anyToken:
		op["security"] = []any{map[string]any{"token": []string{}}}
	default:
		op["security"] = []any{map[string]any{"token": []string{c.Scope}}}
	}
	if c.hasBody() {
		media := map[string]any{"schema": s.of(c.in, true)}
		if c.Example != "" {
			media["example"] = json.RawMessage(c.Example)
		}
		op["requestBody"] = map[string]any{"required": true, "content": map[string]any{c.bodyType(): media}}
	}
	return op
}

func (c call) hasBody() bool { return c.Method != http.MethodGet && c.in != reflect.TypeFor[none]() }

func (c call) bodyType() string {
	if c.in == reflect.TypeFor[NewMedia]() {
		return echo.MIMEMultipartForm
	}
	return echo.MIMEApplicationJSON
}

func (c call) parameterObjects(s *schemas) []any {
	list := []any{}
	for _, name := range c.parameters() {
		list = append(list, map[string]any{"name": name, "in": "path", "required": true, "schema": s.of(idType, false)})
	}
	for _, h := range c.Headers {
		list = append(list, map[string]any{"name": h.Name, "in": "header", "required": h.Required, "description": h.About, "schema": schema{"type": "string"}})
	}
	if c.Method != http.MethodGet {
		return list
	}
	examples, err := url.ParseQuery(c.Query)
	for _, f := range fields(c.in) {
		p := map[string]any{"name": f.name, "in": "query", "schema": s.field(f, true)}
		if example := examples.Get(f.name); err == nil && example != "" {
			p["example"] = example
		}
		list = append(list, p)
	}
	return list
}

func (c call) responses(s *schemas) map[string]any {
	success := map[string]any{"description": http.StatusText(c.Status)}
	if c.out != reflect.TypeFor[none]() {
		success["content"] = map[string]any{echo.MIMEApplicationJSON: map[string]any{"schema": s.of(c.out, false)}}
		headers := map[string]any{"ETag": headerObject("Of these bytes.")}
		if c.Paged {
			headers["Link"] = headerObject("The address of the next page (rel=next), and of the first.")
		}
		success["headers"] = headers
	}
	out := map[string]any{strconv.Itoa(c.Status): success, "default": problemResponse()}
	for _, status := range c.failures() {
		out[strconv.Itoa(status)] = problemResponse()
	}
	return out
}

func headerObject(about string) map[string]any {
	return map[string]any{"description": about, "schema": schema{"type": "string"}}
}

func problemResponse() map[string]any {
	return map[string]any{"$ref": "#/components/responses/Problem"}
}

// failures are the statuses that a call may fail with, ascending.
func (c call) failures() []int {
	list := append([]int{http.StatusTooManyRequests}, c.Errors...)
	if c.Scope != "" {
		list = append(list, http.StatusUnauthorized, http.StatusForbidden)
	}
	if len(c.parameters()) > 0 {
		list = append(list, http.StatusNotFound)
	}
	if c.hasBody() {
		list = append(list, http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	}
	if c.in != reflect.TypeFor[none]() {
		list = append(list, http.StatusUnprocessableEntity)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// openAPIDocument answers the document.
func (a *API) openAPIDocument(c echo.Context) error {
	h := c.Response().Header()
	tag := `"` + etag(nil, a.document) + `"`
	h.Set("ETag", tag)
	h.Set("Cache-Control", "public, max-age=300")
	if matches(c.Request().Header.Get("If-None-Match"), tag) {
		return c.NoContent(http.StatusNotModified)
	}
	return c.Blob(http.StatusOK, echo.MIMEApplicationJSON, a.document)
}
