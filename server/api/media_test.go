package api_test

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestMedia(t *testing.T) {
	t.Parallel()
	s := annasShop(t, 0)
	kind, body := form(t, picture(t, 900), "description", "A pale cup", "focus", "0, -0.5")
	made := s.sendAs("POST", "/media", s.token, kind, body).is(201).
		has("type", "image", "width", 900, "height", 450, "description", "A pale cup", "focus.x", 0, "focus.y", -0.5)
	if len(made.text("blurhash")) < 6 || made.text("url") == made.text("preview_url") {
		t.Errorf("%s", made.raw)
	}
	for _, field := range []string{"url", "preview_url"} {
		answer := must(http.Get(made.text(field)))(t)
		b := must(io.ReadAll(answer.Body))(t)
		answer.Body.Close()
		if answer.StatusCode != 200 || answer.Header.Get("Content-Type") != made.text("mime") || len(b) == 0 {
			t.Errorf("%s: %d %q, %d bytes", field, answer.StatusCode, answer.Header.Get("Content-Type"), len(b))
		}
	}
	path := "/media/" + made.text("id")
	s.send("PATCH", path, s.token, `{"description": "A cup", "focus": {"x": 1, "y": 0.25}}`).is(200).has("description", "A cup", "focus.x", 1, "focus.y", 0.25)
	s.send("PATCH", path, s.token, `{"focus": {"x": 2, "y": 0}}`).refuses(422, "focus")
	s.send("PATCH", path, s.token, `{"focus": {"x": 1}}`).refuses(422, "focus.y")
	s.send("PATCH", path, s.token, `{"description": null}`).is(200).has("description", "A cup")
}

func TestMediaRefused(t *testing.T) {
	t.Parallel()
	s := annasShop(t, 0)
	send := func(file []byte, fields ...string) *reply {
		t.Helper()
		kind, body := form(t, file, fields...)
		return s.sendAs("POST", "/media", s.token, kind, body)
	}
	send([]byte("no picture at all")).refuses(422, "file")
	send([]byte{}).refuses(422, "file")
	send(nil, "description", "x").refuses(422, "file")
	send(picture(t, 20), "descripton", "x", "focus", "left").refuses(422, "descripton", "focus")
	send(picture(t, 20), "focus", "NaN,0").refuses(422, "focus")
	send(picture(t, 20), "description", strings.Repeat("x", 1501)).refuses(422, "description")
	send(bytes.Repeat([]byte{0xff}, 25<<20+1)).refuses(422, "file")
	send(bytes.Repeat([]byte{0xff}, 27<<20)).refuses(413)

	kind, body := form(t, picture(t, 900))
	half := must(io.ReadAll(body))(t)
	s.sendAs("POST", "/media", s.token, kind, bytes.NewReader(half[:len(half)/2])).refuses(400).has("type", "/problems/malformed")
	s.sendAs("POST", "/media", s.token, kind, strings.NewReader("no form")).refuses(400)
	s.send("POST", "/media", s.token, `{}`).refuses(415)
	kind, body = form(t, picture(t, 20))
	s.sendAs("POST", "/media", "", kind, body).refuses(401)
	kind, body = form(t, picture(t, 20))
	s.sendAs("POST", "/media", s.tokenOf(s.owner, "write:listings"), kind, body).refuses(403)
}
