package api_test

import (
	"testing"

	"souk"
)

func TestPosts(t *testing.T) {
	t.Parallel()
	s := annasShop(t, 0)
	media := s.upload("the kiln").text("id")
	made := s.send("POST", "/posts", s.token, `{"text": "The **kiln** is cooling #pottery", "lang": "en", "media_ids": ["`+media+`"]}`).is(201).
		has("visibility", "public", "tags.0", "pottery", "author.handle", "@anna@"+s.HandleDomain(), "media.0.description", "the kiln", "in_reply_to_id", nil)
	id := made.text("id")
	if made.header.Get("Location") != s.url+"/api/souk/v1/posts/"+id || made.text("uri") != s.url+"/posts/"+id {
		t.Errorf("%v %s", made.header, made.raw)
	}
	reply := s.send("POST", "/posts", s.token, `{"text": "Still warm", "in_reply_to_id": `+id+`, "visibility": "followers", "summary": "patience"}`).is(201).
		has("in_reply_to_id", id, "sensitive", true).text("id")
	s.send("GET", "/posts", "", "").is(200).has("0.id", id, "1", nil)
	s.send("GET", "/posts/"+reply, "", "").refuses(404)
	s.send("GET", "/posts/"+reply, s.tokenOf(s.owner, "write"), "").refuses(404)
	s.send("GET", "/posts/"+reply, s.token, "").is(200)

	s.send("POST", "/posts", s.token, `{"text": ""}`).refuses(422, "text")
	s.send("POST", "/posts", s.token, `{"text": "x", "visibility": "secret", "in_reply_to_id": "a"}`).refuses(422, "in_reply_to_id")
	s.send("POST", "/posts", s.token, `{"text": "x", "visibility": "secret"}`).refuses(422, "visibility")
	s.send("POST", "/posts", s.token, `{"text": "x", "in_reply_to_id": "77"}`).refuses(422, "in_reply_to_id")

	mia := must(s.CreateAccount(t.Context(), souk.NewAccount{Name: "mia"}))(t)
	s.send("DELETE", "/posts/"+id, s.tokenOf(mia, "write"), "").refuses(403)
	s.send("DELETE", "/posts/"+id, s.token, "").is(204)
	s.send("GET", "/posts/"+id, "", "").refuses(410)
}

func TestShop(t *testing.T) {
	t.Parallel()
	s := annasShop(t, 0)
	s.send("GET", "/shop", "", "").is(200).has("name", "The Lane", "currency", "EUR", "shipping_fee.amount", 490, "payment_note", nil, "open", true)
	s.send("GET", "/shop", s.token, "").is(200).has("payment_note", "IBAN DE00 1234")
	s.send("PATCH", "/shop", s.token, `{"tagline": "Pots", "pickup": false, "payments": ["cash"]}`).is(200).
		has("tagline", "Pots", "pickup", false, "payments.0", "cash", "payments.1", nil, "name", "The Lane")
	s.send("PATCH", "/shop", s.token, `{"name": "", "country": "Germany", "payments": ["gold"]}`).refuses(422, "name", "country", "payments")
	s.send("PATCH", "/shop", s.token, `{"shipping_fee": {"amount": 100, "currency": "JPY"}}`).refuses(422, "shipping_fee.currency")
	ben := must(s.CreateAccount(t.Context(), souk.NewAccount{Name: "ben", Role: souk.RoleSeller}))(t)
	s.send("PATCH", "/shop", s.tokenOf(ben, "write"), `{"tagline": "Ben's"}`).refuses(403)
	s.send("GET", "/shop", s.tokenOf(ben, "read"), "").is(200).has("payment_note", nil, "tagline", "Pots")
}

func TestNodeFollow(t *testing.T) {
	t.Parallel()
	s := annasShop(t, 0)
	admin := s.tokenOf(s.owner, "admin:write", "admin:read")
	s.send("POST", "/node/follow", s.token, `{"node": "shop.example"}`).refuses(403)
	s.send("POST", "/node/follow", admin, `{"node": ""}`).refuses(422, "node")
	s.send("POST", "/node/follow", admin, `{"node": "`+s.url+`"}`).refuses(422, "node")
	// The client of this node may not reach private networks.
	s.send("POST", "/node/follow", admin, `{"node": "http://127.0.0.1:9"}`).refuses(502).has("type", "/problems/node-unreachable")
	s.send("GET", "/node/following", s.token, "").refuses(403)
	s.send("GET", "/node/following", admin, "").is(200).has("0", nil)
}
