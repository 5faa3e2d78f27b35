package federation

import (
	"net/http"
	"testing"
)

// A host that was asked before is asked again without a whole handshake, over a new connection.
func TestSessionIsResumed(t *testing.T) {
	t.Parallel()
	resumed := make(chan bool, 2)
	p := newPeer(t, "127.0.0.1", true, func(w http.ResponseWriter, r *http.Request) {
		resumed <- r.TLS.DidResume
		w.WriteHeader(http.StatusAccepted)
	})
	c := reaching(t, FetchConfig{}, "127.0.0.1/32", p)
	for _, want := range []bool{false, true} {
		if _, err := c.Post(t.Context(), p.URL, []byte(testBody), activityMedia, func(*http.Request) error { return nil }); err != nil {
			t.Fatal(err)
		}
		if got := <-resumed; got != want {
			t.Errorf("resumed: %v, want %v", got, want)
		}
		p.CloseClientConnections()
	}
}
