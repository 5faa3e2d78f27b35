package themes

import (
	"fmt"
	"html"
	"net/http"
	"strings"
)

// bareWords are the sentences of BareError. They live here and not in a message file, because this page has to work when
// nothing else does.
type bareWords struct{ title, text, notFound, notFoundText, id, home string }

var (
	bareEnglish = bareWords{
		"Something went wrong on our side", "Nothing you entered was wrong. Try again in a minute.",
		"There is nothing at this address", "It may have moved.",
		"If it stays, tell the seller this number:", "Back to the shop",
	}
	bareChinese = bareWords{
		"我们这边出了问题", "不是你的操作有误。请过一分钟再试。",
		"这个地址没有内容", "它可能搬走了。",
		"若问题持续，请把这个编号告诉店主：", "返回店铺",
	}
)

// BareError is a whole error page that needs neither a theme nor a database: what is served when Render itself fails
// (T-06). requestID may be empty. It has no style: every browser shows it well, in light and in dark.
func BareError(status int, requestID, lang string) []byte {
	w, tag := bareEnglish, "en"
	if baseLanguage(lang) == "zh" {
		w, tag = bareChinese, "zh-Hans"
	}
	title, text := w.title, w.text
	switch {
	case status == http.StatusNotFound || status == http.StatusGone:
		title, text = w.notFound, w.notFoundText
	case status < 500:
		title, text = http.StatusText(status), ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<!doctype html><html lang="%s"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">`, tag)
	fmt.Fprintf(&b, `<meta name="robots" content="noindex"><meta name="color-scheme" content="light dark"><title>%s</title></head>`, html.EscapeString(title))
	fmt.Fprintf(&b, `<body><main><h1>%s</h1><p>%s</p>`, html.EscapeString(title), html.EscapeString(text))
	if requestID != "" {
		fmt.Fprintf(&b, `<p>%s <code>%s</code></p>`, w.id, html.EscapeString(requestID))
	}
	fmt.Fprintf(&b, `<p><a href="/">%s</a></p></main></body></html>`, w.home)
	return []byte(b.String())
}
