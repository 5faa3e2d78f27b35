package server

import (
	"net/http"
	"testing"
)

// One address, two forms: what browsers, other servers and everything between them ask for (RFC 9110, 12.5.1; ActivityPub
// 3.2).
func TestNegotiation(t *testing.T) {
	t.Parallel()
	for accept, want := range map[string]form{
		"":    pageForm,
		" ":   pageForm,
		"*/*": pageForm,
		"text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8": pageForm, // browsers
		"application/activity+json":                                                                       activityForm,
		"application/activity+json, application/ld+json":                                                  activityForm, // Mastodon
		"application/activity+json, application/ld+json, text/html;q=0.1":                                 activityForm,
		`application/ld+json; profile="https://www.w3.org/ns/activitystreams"`:                            activityForm,
		`application/ld+json; profile=https://www.w3.org/ns/activitystreams`:                              activityForm, // without quotes
		`application/ld+json; profile="https://www.w3.org/ns/activitystreams", application/activity+json`: activityForm,
		`application/activity+json, application/ld+json; profile="https://www.w3.org/ns/activitystreams"`: activityForm, // Misskey
		"APPLICATION/ACTIVITY+JSON":                                                                       activityForm,
		"application/json":                                                                                activityForm,
		"application/*":                                                                                   activityForm,
		"text/html, application/activity+json":                                                            pageForm,
		"application/activity+json, text/html":                                                            activityForm,
		"text/html;q=0.5, application/activity+json":                                                      activityForm,
		"application/activity+json;q=0.5, text/html":                                                      pageForm,
		"application/activity+json;q=0, text/html":                                                        pageForm,
		"text/html;q=0, application/activity+json;q=0.1":                                                  activityForm,
		"application/activity+json, */*;q=0.1":                                                            activityForm,
		"application/activity+json;q=0.9, */*":                                                            pageForm,
		"*/*;q=0.1, application/activity+json;q=0.1":                                                      activityForm,
		"application/activity+json;q=0, */*":                                                              pageForm,
		"text/html;q=0, */*":                                                                              activityForm,
		"text/*, application/*":                                                                           pageForm,
		"application/*, text/*":                                                                           activityForm,
		"text/html;q=x, application/activity+json;q=7":                                                    noForm,
		"image/png":       noForm,
		"application/xml": noForm,
		"text/html;q=0":   noForm,
		"*/*;q=0":         noForm,
		",,;":             noForm,
	} {
		r := &http.Request{Header: http.Header{}}
		if accept != "" {
			r.Header.Set("Accept", accept)
		}
		if got := formOf(r); got != want {
			t.Errorf("%q: %d, want %d", accept, got, want)
		}
	}
}
