package souk

import (
	"context"
	"html"
	"strings"
)

// refreshListing derives what follows from a listing's fields and stock: availability, state, the post's text and tags.
func (db *DB) refreshListing(ctx context.Context, id int64) error {
	if _, err := db.q.Exec(ctx, `update listings l set availability = s.availability, version = version + 1, updated = $2,
			state = case when l.state = 'published' and s.availability = 'sold_out' then 'sold_out'
				when l.state = 'sold_out' and s.availability <> 'sold_out' then 'published' else l.state end
		from (select case when n <= 0 then 'sold_out' when n <= $3 then 'few_left' else 'in_stock' end as availability
			from (select coalesce(sum(quantity), 0) as n from variants where listing_id = $1) t) s
		where l.id = $1`, id, db.Now(), fewLeft); err != nil {
		return err
	}
	l, err := db.livingListing(ctx, id)
	if err != nil {
		return err
	}
	url := db.BaseURL() + "/products/" + l.Slug
	if _, err := db.q.Exec(ctx, `update posts set html = $2, url = $3 where id = $1`, id, l.noteHTML(db.BaseURL(), url), url); err != nil {
		return err
	}
	return db.setTags(ctx, id, l.Tags)
}

// noteHTML is the listing as people on any server read it: title, price line, the beginning of the description, the
// link in the text (link cards are not shown beside pictures), hashtags.
func (l *Listing) noteHTML(baseURL, url string) string {
	var b strings.Builder
	b.WriteString("<p><strong>" + html.EscapeString(l.Title) + "</strong><br>" + html.EscapeString(l.priceLine()) + "</p>")
	if text := excerpt(Plain(l.HTML), 280); text != "" {
		b.WriteString("<p>" + strings.ReplaceAll(html.EscapeString(text), "\n", "<br>") + "</p>")
	}
	_, shown, _ := strings.Cut(url, "://")
	b.WriteString(`<p><a href="` + html.EscapeString(url) + `">` + html.EscapeString(shown) + `</a></p>`)
	if len(l.Tags) > 0 {
		b.WriteString("<p>")
		for i, t := range l.Tags {
			if i > 0 {
				b.WriteByte(' ')
			}
			b.WriteString(`<a href="` + baseURL + "/tags/" + html.EscapeString(FoldTag(t)) + `" class="mention hashtag" rel="tag">#` + html.EscapeString(t) + `</a>`)
		}
		b.WriteString("</p>")
	}
	return Sanitise(b.String())
}

// availabilityWords are what the price line says, by language.
var availabilityWords = map[string]map[string]string{
	"en": {InStock: "in stock", FewLeft: "few left", NoStock: "sold out"},
	"zh": {InStock: "有货", FewLeft: "库存不多", NoStock: "已售罄"},
}

func (l *Listing) priceLine() string {
	words := availabilityWords["en"]
	if strings.HasPrefix(l.Post.Lang, "zh") {
		words = availabilityWords["zh"]
	}
	return l.Price().Text() + " · " + words[l.Availability]
}

// signs are the currency signs that no reader takes for another currency.
var signs = map[string]string{"EUR": "€", "GBP": "£", "INR": "₹", "KRW": "₩", "UAH": "₴", "TRY": "₺", "VND": "₫", "ILS": "₪", "CNY": "CN¥", "JPY": "JP¥", "USD": "US$"}

// Text is the amount as plain texts (federated notes, mails) show it: "€24.00", "CHF 24.00".
func (m Money) Text() string {
	if sign, ok := signs[m.Currency]; ok {
		return sign + m.Decimal()
	}
	return m.Currency + " " + m.Decimal()
}

// excerpt is the beginning of a text, cut at a sentence or word within max runes.
func excerpt(text string, max int) string {
	runes := []rune(strings.TrimSpace(text))
	if len(runes) <= max {
		return string(runes)
	}
	cut := string(runes[:max])
	for _, end := range []string{"。", "！", "？", ". ", "! ", "? ", "\n"} {
		if i := strings.LastIndex(cut, end); i > len(cut)/2 {
			return strings.TrimSpace(cut[:i+len(end)])
		}
	}
	if i := strings.LastIndexAny(cut, " \n"); i > len(cut)/2 {
		cut = cut[:i]
	}
	return strings.TrimSpace(cut) + "…"
}
