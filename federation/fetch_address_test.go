package federation

import (
	"context"
	"errors"
	"net/netip"
	"testing"
)

func TestAllowed(t *testing.T) {
	t.Parallel()
	c := NewClient(FetchConfig{})
	for _, text := range []string{
		"1.1.1.1", "93.184.216.34", "172.15.255.255", "172.32.0.1", "100.63.255.255", "100.128.0.1", "192.0.1.1",
		"198.17.255.255", "198.20.0.1", "223.255.255.255", "168.63.129.17",
		"2606:4700::1111", "2a00:1450:4001::1", "2400:cb00::1", "::ffff:1.1.1.1", "64:ff9b::1.1.1.1",
	} {
		if err := c.allowed(netip.MustParseAddr(text), 443, false); err != nil {
			t.Errorf("%s: %v, want allowed", text, err)
		}
	}
	for _, text := range []string{
		"0.0.0.0", "0.1.2.3", "10.0.0.1", "127.0.0.1", "127.255.255.254", "100.64.0.1", "100.100.100.200", "169.254.169.254",
		"172.16.0.1", "172.31.255.255", "192.168.1.1", "192.0.0.192", "192.0.2.1", "192.88.99.1", "198.18.0.1", "198.19.255.255",
		"198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "168.63.129.16",
		"::", "::1", "fe80::1", "fe80::1%eth0", "fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1",
		"::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", // mapped
		"::127.0.0.1", "::ffff:0:127.0.0.1", // compatible, translated
		"64:ff9b::7f00:1", "64:ff9b::169.254.169.254", "64:ff9b:1::1", // NAT64
		"2002:7f00:1::", "2002:a00:1::1", "2002:101:101::1", // 6to4
		"2001::1", "2001:0:53aa:64c:0:5efe:80ff:fffe", "2001:db8::1", "2001:20::1", "3fff::1", "100::1", "5f00::1",
	} {
		if err := c.allowed(netip.MustParseAddr(text), 443, false); !errors.Is(err, ErrBlockedAddress) {
			t.Errorf("%s: %v, want ErrBlockedAddress", text, err)
		}
	}
	if err := c.allowed(netip.Addr{}, 443, false); err == nil {
		t.Error("no address was allowed")
	}

	public := netip.MustParseAddr("1.1.1.1")
	for port, want := range map[uint16]bool{443: true, 80: true, 8443: true, 1024: true, 22: false, 25: false, 0: false, 1023: false} {
		if err := c.allowed(public, port, false); (err == nil) != want {
			t.Errorf("port %d: %v, want allowed = %v", port, err, want)
		}
	}

	inside := NewClient(FetchConfig{AllowNetworks: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("fd00::/8")}})
	for text, want := range map[string]bool{
		"10.1.2.3": true, "::ffff:10.1.2.3": true, "fd12::1": true, "10.2.0.1": false, "127.0.0.1": false, "1.1.1.1": false,
	} {
		if err := inside.allowed(netip.MustParseAddr(text), 22, true); (err == nil) != want {
			t.Errorf("plain http to %s: %v, want allowed = %v", text, err, want)
		}
	}
}

// TestBadURLs never reaches a network: each address is refused as it is written.
func TestBadURLs(t *testing.T) {
	t.Parallel()
	c := NewClient(FetchConfig{AllowNetworks: []netip.Prefix{netip.MustParsePrefix("127.0.0.2/32")}})
	for address, want := range map[string]error{
		"":                                 ErrBadURL,
		"shop.example":                     ErrBadURL,
		"//shop.example/x":                 ErrBadURL,
		"/users/anna":                      ErrBadURL,
		"ftp://shop.example/":              ErrBadURL,
		"file:///etc/passwd":               ErrBadURL,
		"gopher://127.0.0.1:6379/_x":       ErrBadURL,
		"https:shop.example":               ErrBadURL,
		"https://":                         ErrBadURL,
		"https:///path":                    ErrBadURL,
		"https://user@shop.example/":       ErrBadURL,
		"https://user:pw@shop.example/":    ErrBadURL,
		"https://@shop.example/":           ErrBadURL,
		"https://shop.example./":           ErrBadURL,
		"https://shop..example/":           ErrBadURL,
		"https://shop.example:0/":          ErrBadURL,
		"https://shop.example:65536/":      ErrBadURL,
		"https://shop.example:x/":          ErrBadURL,
		"https://shop example/":            ErrBadURL,
		"https://shop.example\\@evil.test": ErrBadURL,
		"https://a,b/":                     ErrBadURL,
		"https://[::1%25lo]/":              ErrBadURL,
		"https://x\r\nHost: y/":            ErrBadURL,
		"https://127.0.0.1/":               ErrBlockedAddress,
		"https://127.0.0.1:5432/":          ErrBlockedAddress,
		"https://[::1]/":                   ErrBlockedAddress,
		"https://[::ffff:127.0.0.1]/":      ErrBlockedAddress,
		"https://[::ffff:7f00:1]:8080/":    ErrBlockedAddress,
		"https://[64:ff9b::7f00:1]/":       ErrBlockedAddress,
		"https://[2002:7f00:1::]/":         ErrBlockedAddress,
		"http://169.254.169.254/latest/":   ErrBlockedAddress,
		"https://1.1.1.1:25/":              ErrBlockedAddress,
		"http://1.1.1.1/":                  ErrBlockedAddress,
	} {
		if _, err := c.Document(context.Background(), address, nil); !errors.Is(err, want) {
			t.Errorf("document %q: %v, want %v", address, err, want)
		}
		if _, err := c.Post(context.Background(), address, []byte("{}"), activityMedia, nil); !errors.Is(err, want) {
			t.Errorf("post %q: %v, want %v", address, err, want)
		}
	}
	for _, address := range []string{
		"https://shop.example/users/anna", "HTTPS://Shop.Example:8443/", "https://1.1.1.1/", "https://my_shop.example/?q=a%20b#main-key",
		"https://[2606:4700::1111]/", "http://127.0.0.2:4000/", "https://bücher.example/",
	} {
		if _, err := c.target(address); err != nil {
			t.Errorf("%q: %v, want accepted", address, err)
		}
	}
	if _, err := NewClient(FetchConfig{}).target("http://shop.example/"); !errors.Is(err, ErrBadURL) {
		t.Errorf("plain http without AllowNetworks: %v, want ErrBadURL", err)
	}
}

func TestOriginOf(t *testing.T) {
	t.Parallel()
	for iri, want := range map[string]string{
		"https://shop.example/users/anna#main-key": "https://shop.example",
		"HTTPS://SHOP.Example":                     "https://shop.example",
		"https://shop.example:443/":                "https://shop.example",
		"http://shop.example:80/":                  "http://shop.example",
		"https://shop.example:80/":                 "https://shop.example:80",
		"https://shop.example:0443/":               "https://shop.example",
		"https://shop.example:/":                   "https://shop.example",
		"http://127.0.0.2:4000/actor":              "http://127.0.0.2:4000",
		"https://[2606:4700:0::1111]:443/":         "https://[2606:4700::1111]",
		"https://bücher.example/":                  "https://xn--bcher-kva.example",
		"https://XN--BCHER-KVA.example/":           "https://xn--bcher-kva.example",
		"https://中文.example/x":                     "https://xn--fiq228c.example",
	} {
		if got, err := OriginOf(iri); err != nil || got != want {
			t.Errorf("%q: %q, %v, want %q", iri, got, err, want)
		}
	}
	for _, iri := range []string{"", "acct:anna@shop.example", "did:key:z6Mk", "https://a@shop.example/", "https:/shop.example/", "urn:uuid:1"} {
		if got, err := OriginOf(iri); !errors.Is(err, ErrBadURL) {
			t.Errorf("%q: %q, %v, want ErrBadURL", iri, got, err)
		}
		if SameOrigin(iri, iri) {
			t.Errorf("%q: an address without an origin has the same origin as itself", iri)
		}
	}
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"https://shop.example/a", "https://SHOP.example:443/b", true},
		{"https://shop.example/a", "http://shop.example/a", false},
		{"https://shop.example/a", "https://shop.example:8443/a", false},
		{"https://shop.example/a", "https://shop.example.evil.test/a", false},
		{"https://shop.example/a", "https://evil.test/https://shop.example/a", false},
	} {
		if got := SameOrigin(c.a, c.b); got != c.want {
			t.Errorf("%q, %q: %v, want %v", c.a, c.b, got, c.want)
		}
	}
}
