package federation

import (
	"errors"
	"strings"
	"testing"

	"souk"
)

// FuzzResource: whatever is asked for, it is one account, one address, or an error that says what to write.
func FuzzResource(f *testing.F) {
	for _, seed := range []string{"acct:anna@shop.example", "ACCT:@anna@shop.example:8080", "anna@shop.example", "https://shop.example/@anna", "http://shop.example",
		"https://u:p@shop.example/", "acct:a@b@c", "acct:", "https:", "mailto:a@b", "@", "acct:a@[::1]", "acct:anna@shop.example/..", "https://%zz", "acct:\x00@a"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, resource string) {
		name, domain, address, err := readResource(resource)
		var invalid *souk.Invalid
		switch {
		case err != nil:
			if !errors.As(err, &invalid) || name+domain != "" || address != nil {
				t.Errorf("%q: %q %q %v %v", resource, name, domain, address, err)
			}
		case address != nil:
			if address.User != nil || address.Host == "" || name+domain != "" {
				t.Errorf("%q: %q %q %v", resource, name, domain, address)
			}
		case name == "" || domain == "" || strings.ContainsAny(name, "@\x00") || strings.ContainsAny(domain, "@/ \x00"):
			t.Errorf("%q: %q at %q", resource, name, domain)
		}
	})
}
