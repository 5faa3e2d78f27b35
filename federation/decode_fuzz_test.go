package federation

import (
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"souk"
)

// FuzzDecode reads anything as a post, a listing and an actor: no panic, and what is accepted can be stored.
func FuzzDecode(f *testing.F) {
	files, err := filepath.Glob("testdata/*/*.json")
	if err != nil {
		f.Fatal(err)
	}
	seeds := 0
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		var s scene
		switch filepath.Base(filepath.Dir(file)) {
		case "offers":
			f.Add(body)
		case "peers":
			if err := json.Unmarshal(body, &s); err != nil {
				f.Fatal(err)
			}
		}
		for _, step := range s.Steps {
			seed, err := json.Marshal(step.Send["object"])
			if err != nil {
				f.Fatal(err)
			}
			seeds++
			f.Add(seed)
		}
	}
	if seeds == 0 {
		f.Fatal("no fixtures")
	}
	f.Add([]byte(noteStart + `,"attachment":[{"type":"Image","url":["https://a.example/x.png"],"focalPoint":[0.1,1e400]}]}`))
	f.Add([]byte(`{"id":"https://a.example/u","type":"Person","preferredUsername":"u","inbox":"https://a.example/i","publicKey":[{}],"attachment":[{"type":"PropertyValue"}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if CheckJSON(body, maxJSONDepth) != nil {
			return
		}
		o, err := parseObject(body)
		if err != nil {
			return
		}
		_, _ = headOf(o, body)
		_, _ = peek(body)
		author := &souk.Account{URI: o.id("attributedTo"), FollowersURI: o.id("cc")}
		if p, err := testDecoder().post(o, author); err == nil {
			storable(t, append([]string{p.URI, p.URL}, p.MentionURIs...))
			if p.InReplyToURI != "" {
				storable(t, []string{p.InReplyToURI})
			}
			for _, m := range p.Media {
				storable(t, []string{m.URL})
			}
			if !utf8.ValidString(p.HTML) || p.Published.After(decodeNow) {
				t.Errorf("post %+v", p)
			}
		}
		if l, found, err := testDecoder().listing(o, author); err == nil && found {
			if _, err := souk.CurrencyExponent(l.Price.Currency); err != nil || l.Price.Amount < 0 || l.Price.Amount > souk.MaxAmount || l.Title == "" {
				t.Errorf("listing %+v", l)
			}
		}
		if a, err := decodeActor(o, "", decodeNow); err == nil {
			storable(t, []string{a.URI, a.URL, a.Inbox})
			if a.Name == "" || strings.ContainsAny(a.Name, "@/ ") || a.Host == "" {
				t.Errorf("actor %+v", a)
			}
		}
	})
}

func storable(t *testing.T, addresses []string) {
	t.Helper()
	for _, s := range addresses {
		u, err := url.Parse(s)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || len(s) > maxIRI {
			t.Errorf("address %q", s)
		}
	}
}
