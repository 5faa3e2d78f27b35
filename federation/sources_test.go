package federation

import (
	"fmt"
	"testing"
	"time"
)

// A domain is remembered at the addresses that it was heard from last: many new ones push out none that goes on being heard.
func TestProofsKeepWhoIsHeard(t *testing.T) {
	t.Parallel()
	p := newProofs()
	for i := range 3 * addressesProved {
		p.add("192.0.2.1", "a.host.example", time.Time{})
		p.add(fmt.Sprintf("198.51.100.%d", i), "b.host.example", time.Time{})
	}
	if !p.has("192.0.2.1", "c.host.example") || p.has("198.51.100.0", "host.example") {
		t.Error("the address that is heard all the time is forgotten, or one that was heard once is not")
	}
}
