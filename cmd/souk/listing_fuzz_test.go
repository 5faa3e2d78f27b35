package main

import (
	"errors"
	"testing"
	"unicode/utf8"

	"souk"
)

// FuzzReadRows reads anything as the CSV of an import: rows of text that can be stored, or what is wrong and where.
func FuzzReadRows(f *testing.F) {
	f.Add([]byte("id,title,price,currency\n,Cup,24.00,EUR\n"))
	f.Add([]byte("\ufefftitle;price\nCup;24,00\n"))
	f.Add([]byte("title,title\n\"a\nb\",\"\n"))
	f.Add([]byte("Handle,Title,Variant Price\r\ncup,Cup,24\r\n"))
	f.Add([]byte("title\n\xff\x00"))
	f.Fuzz(func(t *testing.T, body []byte) {
		rows, err := readRows(body)
		if err != nil {
			return
		}
		for _, r := range rows {
			e := &souk.Invalid{}
			n := r.listing(e)
			_ = r.change(e)
			if !utf8.ValidString(n.Title) || !utf8.ValidString(n.Description) {
				t.Errorf("title %q", n.Title)
			}
			var invalid *souk.Invalid
			if err := e.Err(); err != nil && !errors.As(err, &invalid) {
				t.Errorf("%v", err)
			}
		}
	})
}
