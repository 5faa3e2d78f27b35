package souk

import (
	"fmt"
	"strings"
	"testing"
)

// A post of several languages is read in the reader's own, and offers the others.
func TestPostIn(t *testing.T) {
	t.Parallel()
	p := &Post{Lang: "de", HTML: "hallo", Texts: []Text{{Lang: "zh-Hant", HTML: "你好嗎"}, {Lang: "en-GB", HTML: "hello", Summary: "greeting"}, {Lang: "zh", HTML: "你好吗"}}}
	for want, html := range map[string]string{"de": "hallo", "de-AT": "hallo", "en": "hello", "zh-Hans": "你好吗", "zh": "你好吗", "zh-TW": "你好嗎", "fr": "hallo", "": "hallo"} {
		read := p.In(want)
		if read.HTML != html {
			t.Errorf("%s: %s", want, read.HTML)
		}
		said := read.HTML
		for _, other := range read.Texts {
			said += other.HTML
		}
		if len(read.Texts) != 3 || len(said) != len("hallohello你好吗你好嗎") {
			t.Errorf("%s: the others are %v", want, read.Texts)
		}
	}
	if read := p.In("en"); read.Summary != "greeting" || p.HTML != "hallo" || read.Texts[0].Lang != "de" {
		t.Errorf("%+v", read)
	}
}

// Texts of other languages are made safe, and bounded in number and size; an edit replaces them, a deletion ends them.
func TestReceiveTexts(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	ben := n.remote(t, "ben", "far.example")
	r := RemotePost{URI: ben.URI + "/1", URL: ben.URI + "/1", Author: ben, HTML: "<p>one</p>", Lang: "en", Visibility: Public, Published: n.Now(),
		Texts: []Text{{Lang: "en", HTML: "<p>again</p>"}, {Lang: "de", HTML: `<p onclick="x()">eins</p><script>x()</script>`, Summary: "<b>Zahl</b>"}, {Lang: "", HTML: "<p>?</p>"},
			{Lang: "fr", HTML: ""}}}
	for i := range 30 {
		r.Texts = append(r.Texts, Text{Lang: fmt.Sprintf("x-%d", i), HTML: "<p>" + strings.Repeat("w", 9000) + "</p>"})
	}
	p, err := n.ReceivePost(ctx, r)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Texts) != 8 || p.Texts[0] != (Text{Lang: "de", HTML: "<p>eins</p>", Summary: "Zahl"}) { // 1 and 7 of 9 kB
		t.Errorf("%d texts, the first %+v", len(p.Texts), p.Texts[0])
	}
	r.Texts = nil
	for i := range 30 {
		r.Texts = append(r.Texts, Text{Lang: fmt.Sprintf("x-%d", i), HTML: "<p>short</p>"})
	}
	later := n.Now().Add(1)
	later = later.Add(1e9)
	r.Edited = &later
	if err := n.ReceivePostEdit(ctx, r); err != nil {
		t.Fatal(err)
	}
	if p, err = n.Post(ctx, 0, p.ID); err != nil || len(p.Texts) != 10 {
		t.Errorf("%d texts, %v", len(p.Texts), err)
	}
	if err := n.ReceiveDelete(ctx, ben, r.URI); err != nil {
		t.Fatal(err)
	}
	if p, err = n.PostForDelivery(ctx, p.ID); err != nil || len(p.Texts) != 0 {
		t.Errorf("deleted: %d texts, %v", len(p.Texts), err)
	}
}
