package federation

import (
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/net/idna"
)

// OriginOf returns the origin of an id or address: lower-case scheme, ASCII host, and the port unless it is the scheme's
// own, as "https://shop.example" or "http://127.0.0.2:4000". Only absolute http(s) addresses without a user name have
// one; else the error is ErrBadURL.
func OriginOf(iri string) (string, error) {
	u, err := parseHTTP(iri)
	if err != nil {
		return "", err
	}
	return u.Scheme + "://" + u.Host, nil
}

// SameOrigin reports whether both addresses have an origin and it is the same. FEP-fe34: what one address says of
// another is trusted only where their origins are the same.
func SameOrigin(a, b string) bool {
	left, err := OriginOf(a)
	if err != nil {
		return false
	}
	right, err := OriginOf(b)
	return err == nil && left == right
}

const maxURL = 4096 // bytes

// parseHTTP reads an absolute http(s) address and normalises scheme and host. It is strict where two readers could see
// two hosts: no user name, no trailing dot, nothing in a host but letters, digits, hyphens, underscores, dots and
// bracketed IPv6.
func parseHTTP(address string) (*url.URL, error) {
	if len(address) > maxURL {
		return nil, fmt.Errorf("%w: too long", ErrBadURL)
	}
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("%w: unreadable", ErrBadURL)
	}
	if u.Scheme != "https" && u.Scheme != "http" { // url.Parse makes it lower case
		return nil, fmt.Errorf("%w: scheme %.20q", ErrBadURL, u.Scheme)
	}
	if u.User != nil {
		return nil, fmt.Errorf("%w: user name", ErrBadURL)
	}
	host, err := normalHost(u.Hostname())
	if err != nil || u.Opaque != "" {
		return nil, fmt.Errorf("%w: host %.100q", ErrBadURL, u.Host)
	}
	port := u.Port()
	if n, err := strconv.ParseUint(port, 10, 16); port != "" && (err != nil || n == 0) {
		return nil, fmt.Errorf("%w: port %.10q", ErrBadURL, port)
	} else if port != "" {
		port = strconv.FormatUint(n, 10)
	}
	u.Host = host
	if port != "" && (u.Scheme != "https" || port != "443") && (u.Scheme != "http" || port != "80") {
		u.Host += ":" + port
	}
	return u, nil
}

// normalHost returns a host as it stands in a Host field.
func normalHost(host string) (string, error) {
	if addr, err := netip.ParseAddr(host); err == nil {
		switch {
		case addr.Zone() != "":
			return "", ErrBadURL
		case addr.Is4():
			return addr.String(), nil
		}
		return "[" + addr.String() + "]", nil
	}
	host = strings.ToLower(host)
	if !isASCII(host) {
		var err error
		if host, err = idna.Lookup.ToASCII(host); err != nil {
			return "", err
		}
	}
	if host == "" || len(host) > 253 || strings.HasPrefix(host, ".") || strings.HasSuffix(host, ".") || strings.Contains(host, "..") {
		return "", ErrBadURL
	}
	for _, c := range []byte(host) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '.' && c != '_' {
			return "", ErrBadURL
		}
	}
	return host, nil
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
