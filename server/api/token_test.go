package api_test

import (
	"strings"
	"testing"
	"time"
)

func TestToken(t *testing.T) {
	t.Parallel()
	s := annasShop(t, 0)
	const body = `{"title": "a", "description": "d", "price": {"amount": 100, "currency": "EUR"}}`
	missing := s.send("POST", "/listings", "", body).refuses(401).has("type", "/problems/token-missing")
	if h := missing.header.Get("WWW-Authenticate"); h != `Bearer realm="souk"` {
		t.Errorf("missing: %q", h)
	}
	wrong := s.send("POST", "/listings", "souk_nonsense", body).refuses(401).has("type", "/problems/token-invalid")
	if h := wrong.header.Get("WWW-Authenticate"); !strings.Contains(h, `error="invalid_token"`) {
		t.Errorf("wrong: %q", h)
	}
	s.send("GET", "/listings", "souk_nonsense", "").refuses(401) // who believes to be signed in must learn of it
	narrow := s.send("POST", "/listings", s.tokenOf(s.owner, "read", "write:statuses"), body).refuses(403).has("type", "/problems/insufficient-scope")
	if h := narrow.header.Get("WWW-Authenticate"); !strings.Contains(h, `error="insufficient_scope", scope="write:listings"`) {
		t.Errorf("narrow: %q", h)
	}
	s.send("POST", "/listings", s.tokenOf(s.owner, "write:listings"), body).is(201)
	s.send("POST", "/listings", "", body, "Authorization", "bearer "+s.token).is(201)

	who := s.send("GET", "/account", s.tokenOf(s.owner, "follow"), "").is(200).has("name", "anna", "role", "owner", "token.scopes.0", "follow")
	if cache := who.header.Get("Cache-Control"); !strings.Contains(cache, "private") {
		t.Errorf("an answer to a token: Cache-Control %q", cache)
	}
	tokens := must(s.Tokens(t.Context(), s.owner.ID))(t)
	for _, token := range tokens {
		if err := s.RevokeToken(t.Context(), s.owner.ID, token.ID); err != nil {
			t.Fatal(err)
		}
	}
	s.send("GET", "/account", s.token, "").refuses(401)
}

func TestCrossOrigin(t *testing.T) {
	t.Parallel()
	s := annasShop(t, 0)
	for _, path := range []string{"/listings", "/openapi.json", "/listings/1"} {
		r := s.send("GET", path, "", "", "Origin", "https://elsewhere.example")
		if r.header.Get("Access-Control-Allow-Origin") != "*" || !strings.Contains(r.header.Get("Access-Control-Expose-Headers"), "Link") || r.header.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s: %v", path, r.header)
		}
	}
	r := s.send("OPTIONS", "/orders", "", "", "Origin", "https://elsewhere.example", "Access-Control-Request-Method", "POST").is(204)
	for header, want := range map[string]string{"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Methods": "PATCH", "Access-Control-Allow-Headers": "Idempotency-Key"} {
		if !strings.Contains(r.header.Get(header), want) {
			t.Errorf("%s: %q", header, r.header.Get(header))
		}
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	s := annasShop(t, 0.02) // six reads at once
	first := s.send("GET", "/shop", "", "").is(200)
	if first.header.Get("X-RateLimit-Limit") != "6" || first.header.Get("X-RateLimit-Remaining") != "5" {
		t.Errorf("%v", first.header)
	}
	if reset := must(time.Parse(time.RFC3339, first.header.Get("X-RateLimit-Reset")))(t); reset.Before(s.clock()) {
		t.Errorf("reset at %v", reset)
	}
	for range 5 {
		s.send("GET", "/shop", "", "").is(200)
	}
	over := s.send("GET", "/shop", "", "").refuses(429)
	if over.header.Get("Retry-After") != "5" || over.header.Get("X-RateLimit-Remaining") != "0" || over.header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("%v", over.header)
	}
	s.send("GET", "/search", "", "").is(200) // counted apart
}

func TestUnknownCall(t *testing.T) {
	t.Parallel()
	s := annasShop(t, 0)
	s.send("GET", "/nothing", "", "").refuses(404)
	r := s.send("PUT", "/listings", s.token, "{}").refuses(405)
	if allow := r.header.Get("Allow"); !strings.Contains(allow, "POST") || !strings.Contains(allow, "GET") {
		t.Errorf("Allow %q", allow)
	}
}
