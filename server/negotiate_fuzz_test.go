package server

import (
	"net/http"
	"testing"
)

// FuzzAccept reads anything as an Accept field: no panic, and a browser, which names text/html first, gets its page whatever
// else it takes.
func FuzzAccept(f *testing.F) {
	for _, s := range []string{"application/activity+json", `application/ld+json; profile="https://www.w3.org/ns/activitystreams"`, "text/html, application/activity+json;q=0.9",
		"*/*", "", "application/activity+json;q=0, text/html", ",;,=", "text/*;q=1e9", "application/activity+json;q=NaN", `application/ld+json;profile=https://a/b`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, accept string) {
		asks := func(accept string) form { return formOf(&http.Request{Header: http.Header{"Accept": {accept}}}) }
		asks(accept)
		if got := asks("text/html," + accept); got != pageForm {
			t.Errorf("text/html,%s: %d", accept, got)
		}
	})
}
