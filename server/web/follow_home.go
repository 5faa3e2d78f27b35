package web

import (
	"net/netip"
	"net/url"
	"regexp"
	"strings"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
)

// home is where a visitor has an account: the host, and the name where it was given.
type home struct {
	host string // ASCII, lower case, with the port where it is not the usual one
	name string
}

// account names the visitor to the visitor's own server; a bare host stands for itself.
func (h home) account() string {
	if h.name == "" {
		return "https://" + h.host
	}
	return "acct:" + h.name + "@" + h.host
}

var (
	// userName is what fediverse servers take as names.
	userName = regexp.MustCompile(`^[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,62}[A-Za-z0-9_])?$`)
	hostName = regexp.MustCompile(`^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$`)
	portEnd  = regexp.MustCompile(`:([0-9]{1,5})$`)
)

// readHome understands what people write for the place where their account is (S-41): a handle with or without its first
// @, acct:, a bare host, the address of a profile; in any case, with full-width signs. ok is false for anything else.
func readHome(text string) (h home, ok bool) {
	// NFKC turns full-width letters, ＠ and ． into the usual ones; 。 is what a Chinese keyboard writes for a dot.
	text = norm.NFKC.String(strings.ReplaceAll(text, "。", "."))
	text = strings.Map(func(r rune) rune {
		switch r {
		case '\u200b', '\u200e', '\u200f', '\u2060', '\ufeff': // copied along, and not to be seen
			return -1
		}
		return r
	}, text)
	text = strings.TrimSpace(text)
	if scheme, rest, found := strings.Cut(text, ":"); found && strings.EqualFold(scheme, "acct") {
		text = rest
	}
	if strings.Contains(text, "/") {
		return readProfile(text)
	}
	name, host, found := strings.Cut(strings.TrimPrefix(text, "@"), "@")
	if !found {
		if strings.HasPrefix(text, "@") {
			return h, false // a name without a server
		}
		name, host = "", name
	} else if name == "" {
		return h, false
	}
	return newHome(name, host)
}

// readProfile understands the address of a profile, or of anything on a server.
func readProfile(text string) (h home, ok bool) {
	if !strings.Contains(text, "://") {
		text = "https://" + text
	}
	u, err := url.Parse(text)
	if err != nil || u.User != nil || !strings.EqualFold(u.Scheme, "https") && !strings.EqualFold(u.Scheme, "http") {
		return h, false
	}
	first, rest, _ := strings.Cut(strings.Trim(u.Path, "/"), "/")
	name := ""
	switch {
	case strings.HasPrefix(first, "@"):
		name, _, _ = strings.Cut(first[1:], "@")
	case first == "users" || first == "u" || first == "profile":
		name, _, _ = strings.Cut(rest, "/")
	}
	if !userName.MatchString(name) {
		name = ""
	}
	return newHome(name, u.Host)
}

func newHome(name, host string) (h home, ok bool) {
	if name != "" && !userName.MatchString(name) {
		return h, false
	}
	port := portEnd.FindString(host)
	bare := strings.TrimSuffix(strings.TrimSuffix(host, port), ".")
	if _, err := netip.ParseAddr(bare); err != nil && bare != "localhost" {
		if bare, err = idna.Lookup.ToASCII(bare); err != nil || len(bare) > 253 || !hostName.MatchString(bare) {
			return h, false
		}
	}
	if port == ":443" {
		port = ""
	}
	return home{host: bare + port, name: name}, true
}
