package federation

import (
	"fmt"
	"net/netip"
)

// allowed decides whether the node may connect to an address: anything inside AllowNetworks; else only public unicast
// addresses, over https, on port 80, 443 or from 1024 up, since no web server of a stranger listens on the rest and
// mail and shell servers do.
func (c *Client) allowed(addr netip.Addr, port uint16, plain bool) error {
	addr = addr.Unmap().WithZone("")
	for _, network := range c.cfg.AllowNetworks {
		if network.Contains(addr) {
			return nil
		}
	}
	switch {
	case plain:
		return fmt.Errorf("%w: plain http to %s", ErrBlockedAddress, addr)
	case !isPublic(addr):
		return fmt.Errorf("%w: %s", ErrBlockedAddress, addr)
	case port != 80 && port != 443 && port < 1024:
		return fmt.Errorf("%w: port %d", ErrBlockedAddress, port)
	}
	return nil
}

// isPublic reports whether addr is an ordinary address of the internet, by IANA's registries of special addresses.
// For IPv6 the list is of what is good: 2000::/3, the only part that is given to networks, less what special uses have
// taken from it; and NAT64's well-known prefix where the address inside is public, since a node behind NAT64 reaches
// every IPv4 host that way.
func isPublic(addr netip.Addr) bool {
	addr = addr.Unmap()
	if nat64Prefix.Contains(addr) {
		b := addr.As16()
		return isPublic(netip.AddrFrom4([4]byte(b[12:])))
	}
	if addr.Is6() && !globalUnicastIPv6.Contains(addr) {
		return false // unspecified, loopback, unique local, link-local, multicast, IPv4-translated, 64:ff9b:1::/48, ...
	}
	for _, network := range specialNetworks {
		if network.Contains(addr) {
			return false
		}
	}
	return addr.IsValid()
}

var (
	nat64Prefix       = netip.MustParsePrefix("64:ff9b::/96")
	globalUnicastIPv6 = netip.MustParsePrefix("2000::/3")

	specialNetworks = [...]netip.Prefix{
		netip.MustParsePrefix("0.0.0.0/8"),        // this network
		netip.MustParsePrefix("10.0.0.0/8"),       // private
		netip.MustParsePrefix("100.64.0.0/10"),    // carrier-grade NAT, and one cloud's metadata
		netip.MustParsePrefix("127.0.0.0/8"),      // loopback
		netip.MustParsePrefix("168.63.129.16/32"), // one cloud's host agent, on a public address
		netip.MustParsePrefix("169.254.0.0/16"),   // link-local, and most clouds' metadata
		netip.MustParsePrefix("172.16.0.0/12"),    // private
		netip.MustParsePrefix("192.0.0.0/24"),     // protocol assignments
		netip.MustParsePrefix("192.0.2.0/24"),     // documentation
		netip.MustParsePrefix("192.88.99.0/24"),   // 6to4 relays
		netip.MustParsePrefix("192.168.0.0/16"),   // private
		netip.MustParsePrefix("198.18.0.0/15"),    // benchmarks
		netip.MustParsePrefix("198.51.100.0/24"),  // documentation
		netip.MustParsePrefix("203.0.113.0/24"),   // documentation
		netip.MustParsePrefix("224.0.0.0/4"),      // multicast
		netip.MustParsePrefix("240.0.0.0/4"),      // reserved, broadcast
		netip.MustParsePrefix("2001::/23"),        // protocol assignments: Teredo, ORCHID, benchmarks
		netip.MustParsePrefix("2001:db8::/32"),    // documentation
		netip.MustParsePrefix("2002::/16"),        // 6to4: any IPv4 address inside, deprecated by RFC 7526
		netip.MustParsePrefix("3fff::/20"),        // documentation
	}
)
