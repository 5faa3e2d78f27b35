package jobs

import (
	"mime"
	"net/mail"
	"slices"
	"strings"
	"testing"
	"time"

	"souk"
	"souk/themes"
)

// Names and subjects that try to begin another header, or the body, do not.
func TestMessageKeepsItsHeaders(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"Li\r\nBcc: all@example.org", "Li\nSubject: gold\n\nBuy", "Li\r\n\r\n<script>", "\"><x@y.example>", "李\r\nBcc: x@y.z", strings.Repeat("长", 100), "a\x00b\x7f", "=?utf-8?q?=0D=0ABcc:_x?="} {
		l := &letter{to: mail.Address{Name: name, Address: "li@example.org"}, replyTo: &mail.Address{Name: name, Address: "anna@shop.example"}, lang: "en", subject: name, text: ".\n.hidden\nend"}
		raw, err := l.message(mail.Address{Name: name, Address: "shop@shop.example"}, "1@shop.example", time.Unix(0, 0))
		if err != nil {
			t.Fatal(err)
		}
		m, err := mail.ReadMessage(strings.NewReader(string(raw)))
		if err != nil {
			t.Fatalf("%q: %v", name, err)
		}
		var names []string
		for h := range m.Header {
			names = append(names, h)
		}
		slices.Sort(names)
		if got := strings.Join(names, " "); got != "Auto-Submitted Content-Language Content-Transfer-Encoding Content-Type Date From Message-Id Mime-Version Reply-To Subject To" {
			t.Errorf("%q: headers %s", name, got)
		}
		for header, want := range map[string]string{"To": "li@example.org", "From": "shop@shop.example", "Reply-To": "anna@shop.example"} {
			list, err := m.Header.AddressList(header)
			if err != nil || len(list) != 1 || list[0].Address != want {
				t.Errorf("%q: %s is %v, %v", name, header, list, err)
			}
		}
		subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
		if err != nil || strings.ContainsAny(subject, "\r\n\x00") && !strings.HasPrefix(name, "=?") {
			t.Errorf("%q: subject %q, %v", name, subject, err)
		}
	}
}

func TestWordsAreComplete(t *testing.T) {
	t.Parallel()
	words, err := themes.NewWords(locales, "locales/*.toml")
	if err != nil {
		t.Fatal(err)
	}
	for _, flaw := range words.Flaws() {
		t.Error(flaw)
	}
	for _, lang := range souk.Langs() {
		if words.Match(lang) == themes.SourceLanguage && lang != themes.SourceLanguage {
			t.Errorf("no mails in %s", lang)
		}
	}
	for _, p := range souk.Payments() {
		if !words.Has("payment." + p) {
			t.Errorf("no word for payment by %s", p)
		}
	}
	for _, m := range []string{souk.OrderPlaced, souk.OrderPaid, souk.OrderShipped, souk.OrderCancelled, sellerPlaced} {
		if !words.Has("subject." + m) {
			t.Errorf("no subject for the mail %s", m)
		}
	}
}
