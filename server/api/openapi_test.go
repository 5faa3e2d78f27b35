package api_test

import (
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// document is the parts of an OpenAPI document that the tests read.
type document struct {
	OpenAPI string                          `json:"openapi"`
	Paths   map[string]map[string]operation `json:"paths"`
}

type operation struct {
	OperationID string                  `json:"operationId"`
	Summary     string                  `json:"summary"`
	Security    []map[string][]string   `json:"security"`
	Parameters  []parameter             `json:"parameters"`
	RequestBody *content                `json:"requestBody"`
	Responses   map[string]responseBody `json:"responses"`
}

type parameter struct {
	Name     string
	In       string
	Required bool
	Example  string
	Schema   any
}

type content struct {
	Content map[string]struct {
		Schema  any             `json:"schema"`
		Example json.RawMessage `json:"example"`
	} `json:"content"`
}

type responseBody struct {
	content
	Ref string `json:"$ref"`
}

func (s *shop) document() (doc document, raw object) {
	s.t.Helper()
	r := s.send("GET", "/openapi.json", "", "").is(200)
	if err := json.Unmarshal(r.raw, &doc); err != nil {
		s.t.Fatal(err)
	}
	return doc, r.body.(object)
}

// calls are all calls of the contract and those that programs of sellers need.
const calls = `DELETE /listings/{id}
DELETE /posts/{id}
GET /account
GET /listings
GET /listings/{id}
GET /node/following
GET /orders
GET /orders/{id}
GET /posts
GET /posts/{id}
GET /search
GET /shop
PATCH /listings/{id}
PATCH /media/{id}
PATCH /orders/{id}
PATCH /shop
POST /listings
POST /media
POST /node/follow
POST /orders
POST /posts`

func TestDocument(t *testing.T) {
	t.Parallel()
	s := annasShop(t, 0)
	doc, raw := s.document()
	if !strings.HasPrefix(doc.OpenAPI, "3.1") {
		t.Errorf("OpenAPI %q", doc.OpenAPI)
	}
	var got []string
	ids := map[string]bool{}
	for path, operations := range doc.Paths {
		for method, op := range operations {
			name := strings.ToUpper(method) + " " + path
			got = append(got, name)
			if op.OperationID == "" || ids[op.OperationID] || op.Summary == "" || op.Security == nil {
				t.Errorf("%s: name %q, summary %q, security %v", name, op.OperationID, op.Summary, op.Security)
			}
			ids[op.OperationID] = true
			for _, in := range regexp.MustCompile(`\{(\w+)\}`).FindAllStringSubmatch(path, -1) {
				if !slices.ContainsFunc(op.Parameters, func(p parameter) bool { return p.In == "path" && p.Name == in[1] && p.Required }) {
					t.Errorf("%s: parameter %s is not described", name, in[1])
				}
			}
			// What is described is there: no path answers 404 for a method of its own without saying what is missing.
			r := s.send(strings.ToUpper(method), strings.ReplaceAll(path, "{id}", "1"), s.token, "{}")
			if r.status == 405 || r.status >= 500 || r.status == 404 && !strings.Contains(path, "{id}") {
				t.Errorf("%s: %d", name, r.status)
			}
			if op.Responses[itoa(r.status)].Ref == "" && op.Responses[itoa(r.status)].Content == nil {
				t.Errorf("%s answers %d, which is not described", name, r.status)
			}
		}
	}
	slices.Sort(got)
	if strings.Join(got, "\n") != calls {
		t.Errorf("calls:\n%s", strings.Join(got, "\n"))
	}
	if _, err := resolve(raw, "#/components/schemas/none"); err == nil {
		t.Error("no body has a schema")
	}
	refs := references(raw)
	for _, ref := range refs {
		if _, err := resolve(raw, ref); err != nil {
			t.Errorf("%s: %v", ref, err)
		}
	}
	if len(refs) < 20 {
		t.Errorf("only %d references", len(refs))
	}
}

// Each example of the document is sent, and its answer is what the document says.
func TestDocumentExamples(t *testing.T) {
	t.Parallel()
	s := annasShop(t, 0)
	doc, raw := s.document()
	check := checker{document: raw}
	examples := 0
	for path, operations := range doc.Paths {
		for method, op := range operations {
			if path == "/node/follow" || path == "/media" {
				continue // the first asks another node, the second is no JSON; their own tests send them
			}
			name := strings.ToUpper(method) + " " + path
			target, body := s.example(path, op)
			if body != "" {
				var value any
				if err := json.Unmarshal([]byte(body), &value); err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				for _, problem := range check.against(op.RequestBody.Content["application/json"].Schema, value) {
					t.Errorf("the example of %s: %s", name, problem)
				}
				examples++
			}
			token := s.tokenOf(s.owner, "read", "write", "admin:read")
			r := s.send(strings.ToUpper(method), target, token, body, "Idempotency-Key", "example")
			response, described := op.Responses[itoa(r.status)]
			if r.status >= 300 || !described {
				t.Errorf("%s: %d %s", name, r.status, r.raw)
				continue
			}
			if r.status == 204 {
				continue
			}
			for _, problem := range check.against(response.Content["application/json"].Schema, r.body) {
				t.Errorf("the answer of %s: %s", name, problem)
			}
		}
	}
	if examples < 7 {
		t.Errorf("%d examples", examples)
	}
	missing := s.send("POST", "/orders", "", "{}", "Idempotency-Key", "none").refuses(422)
	for _, problem := range check.against(object{"$ref": "#/components/responses/Problem/content/application~1problem+json/schema"}, missing.body) {
		t.Errorf("a problem: %s", problem)
	}
	picture := s.upload("x")
	for _, problem := range check.against(object{"$ref": "#/components/schemas/Media"}, picture.body) {
		t.Errorf("a picture: %s", problem)
	}
}

// example is what the document's example of a call is sent to and with: ids in it become those of rows that are there.
func (s *shop) example(path string, op operation) (target, body string) {
	s.t.Helper()
	id := s.cup(`, "category": "Home/Cups"`).text("id")
	s.index()
	if op.RequestBody != nil {
		body = regexp.MustCompile(`"listing_id":\s*"\d+"`).ReplaceAllString(string(op.RequestBody.Content["application/json"].Example), `"listing_id": "`+id+`"`)
	}
	switch {
	case strings.HasPrefix(path, "/media/"):
		id = s.upload("x").text("id")
	case strings.HasPrefix(path, "/orders"):
		id = s.send("POST", "/orders", "", order(id, 1), "Idempotency-Key", "of "+id).is(201).text("id")
		if strings.HasSuffix(path, "orders") && body != "" {
			body = strings.Replace(body, regexp.MustCompile(`"listing_id": "\d+"`).FindString(body), `"listing_id": "`+s.cup("").text("id")+`"`, 1)
		}
	case strings.HasPrefix(path, "/posts/"):
		id = s.send("POST", "/posts", s.token, `{"text": "Hello"}`).is(201).text("id")
	}
	target = strings.ReplaceAll(path, "{id}", id)
	q := url.Values{}
	for _, p := range op.Parameters {
		if p.In == "query" && p.Example != "" {
			q.Set(p.Name, p.Example)
		}
	}
	if len(q) > 0 {
		target += "?" + q.Encode()
	}
	return target, body
}
