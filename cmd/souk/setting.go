package main

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/idna"
)

// setting is one row of the table from which flags, environment, file, checks and documentation are made.
type setting struct {
	name    string // as in the file; SOUK_NAME in the environment, --na-me as a flag
	doc     string // for people; lines of at most 100 characters
	value   string // the shape of a value, one word
	example string // for the documented file, where there is no default
	kind    settingKind
	secret  secrecy
	// fallback is the value when none is given, "" for none; given tells what was given for another setting, as
	// written. Fields of c are set for the rows above this one.
	fallback func(c *Config, given func(name string) string) string
	// set parses value into c and returns it in its canonical spelling. Its error is a *valueError.
	set func(c *Config, value string) (canonical string, err error)
}

// settingKind says how a value is written in the file.
type settingKind int

const (
	textSetting   settingKind = iota
	numberSetting             // a TOML number
	listSetting               // a TOML array of strings, or one string with commas
)

// secrecy says what of a value is hidden from every output. A value with a secret may also come from the file that
// name_file names.
type secrecy int

const (
	notSecret     secrecy = iota
	secretText            // all of it
	secretAddress         // a URL: the password, and the parameters that may be keys
)

func (s setting) env() string  { return "SOUK_" + strings.ToUpper(s.name) }
func (s setting) flag() string { return strings.ReplaceAll(s.name, "_", "-") }

// valueError says what is wrong with a value and what to do; for a secret it must not quote the value.
type valueError struct{ problem, fix string }

func (e *valueError) Error() string { return e.problem }

func wrong(fix, format string, args ...any) error {
	return &valueError{problem: fmt.Sprintf(format, args...), fix: fix}
}

// always is a default that depends on nothing.
func always(value string) func(*Config, func(string) string) string {
	return func(*Config, func(string) string) string { return value }
}

// settings is the table, in the order in which it is documented and resolved.
func settings() []setting {
	return slices.Concat(addressSettings(), storeSettings(), networkSettings())
}

func addressSettings() []setting {
	return []setting{
		{
			name: "domain", value: "HOST",
			doc: "Public host name of the node: shop.example. In development it may carry a port.\n" +
				"It is part of every address that other servers remember: choose it before the first follower.",
			fallback: func(_ *Config, given func(string) string) string {
				if given("tls") == "" || given("tls") == TLSOff {
					if _, port, err := net.SplitHostPort(given("listen")); err == nil {
						return "localhost:" + port
					}
				}
				return "localhost:8080"
			},
			set: func(c *Config, v string) (s string, err error) { c.Domain, err = parseDomain(v); return c.Domain, err },
		},
		{
			name: "handle_domain", value: "HOST",
			doc: "Host name in handles (@name@example), if it is another than the domain. That host must redirect\n" +
				"/.well-known/webfinger to this node.",
			fallback: func(c *Config, _ func(string) string) string { return c.Domain },
			set: func(c *Config, v string) (s string, err error) {
				c.HandleDomain, err = parseDomain(v)
				return c.HandleDomain, err
			},
		},
		{
			name: "tls", value: "off|auto|files",
			doc: "off: plain http, for this machine or behind a reverse proxy. auto: certificates by ACME (ports 443 and 80\n" +
				"must be reachable). files: the certificate of tls_cert and tls_key.",
			fallback: always(TLSOff),
			set:      choice(func(c *Config) *string { return &c.TLS }, TLSOff, TLSAuto, TLSFiles),
		},
		{
			name: "tls_cert", value: "FILE", example: "/etc/souk/fullchain.pem",
			doc: "PEM file with the certificate and its chain, for tls = \"files\".",
			set: func(c *Config, v string) (s string, err error) { c.TLSCert, err = absolute(v); return c.TLSCert, err },
		},
		{
			name: "tls_key", value: "FILE", example: "/etc/souk/privkey.pem",
			doc: "PEM file with the private key, for tls = \"files\".",
			set: func(c *Config, v string) (s string, err error) { c.TLSKey, err = absolute(v); return c.TLSKey, err },
		},
		{
			name: "listen", value: "ADDRESS", kind: listSetting,
			doc: "Address to listen on. With TLS a second one may follow, for plain http that only redirects.\n" +
				"With tls = \"auto\" the default is [\":443\", \":80\"].",
			fallback: func(c *Config, _ func(string) string) string {
				if c.TLS == TLSAuto {
					return ":443,:80"
				}
				return "127.0.0.1:8080"
			},
			set: setListen,
		},
		{
			name: "scheme", value: "https|http",
			doc: "Scheme of public addresses: https, or http for localhost and loopback addresses without TLS.",
			fallback: func(c *Config, _ func(string) string) string {
				if c.Local() && c.TLS == TLSOff {
					return "http"
				}
				return "https"
			},
			set: choice(func(c *Config) *string { return &c.Scheme }, "https", "http"),
		},
	}
}

func storeSettings() []setting {
	return []setting{
		{
			name: "data_dir", value: "DIRECTORY",
			doc:      "Everything that is not in the database. A relative path counts from the working directory.",
			fallback: always("./souk-data"),
			set:      func(c *Config, v string) (s string, err error) { c.DataDir, err = absolute(v); return c.DataDir, err },
		},
		{
			name: "database_url", value: "URL", secret: secretAddress, example: "postgres://souk@/souk?host=/run/postgresql",
			doc: "PostgreSQL to use. Without it the node keeps a private cluster in the data directory.",
			set: func(c *Config, v string) (string, error) {
				if _, err := parseURL(v, "postgres", "postgresql"); err != nil {
					return "", err
				}
				c.DatabaseURL = v
				return v, nil
			},
		},
		{
			name: "meili_url", value: "URL", example: "http://127.0.0.1:7700",
			doc: "Meilisearch to use. Without it the built-in search in PostgreSQL is used.",
			set: func(c *Config, v string) (s string, err error) {
				if c.MeiliURL, err = parseURL(v, "http", "https"); err != nil {
					return "", err
				}
				if c.MeiliURL.Host == "" || c.MeiliURL.User != nil {
					c.MeiliURL = nil
					return "", wrong("write http://127.0.0.1:7700, and the key as SOUK_MEILI_KEY", "needs a host and no password")
				}
				return c.MeiliURL.String(), nil
			},
		},
		{
			name: "meili_key", value: "KEY", secret: secretText, example: "a key that may do everything with the indexes souk_*",
			doc: "API key of that Meilisearch.",
			set: func(c *Config, v string) (string, error) { c.MeiliKey = v; return v, nil },
		},
		{
			name: "media_url", value: "URL", secret: secretAddress,
			doc:      "Where pictures lie: file: (the folder media of the data directory), or file:/another/directory.",
			fallback: always("file:"),
			set:      setMediaURL,
		},
		{
			name: "smtp_url", value: "URL", secret: secretAddress, example: "smtp://user:password@mail.example:587?from=shop@shop.example",
			doc: "Mail server: smtp:// (STARTTLS) or smtps://. Without it mail is written to the log.",
			set: func(c *Config, v string) (s string, err error) {
				if c.SMTPURL, err = parseURL(v, "smtp", "smtps"); err != nil {
					return "", err
				}
				if c.SMTPURL.Hostname() == "" {
					c.SMTPURL = nil
					return "", wrong("write smtp://user:password@mail.example:587", "names no host")
				}
				return v, nil
			},
		},
	}
}

func networkSettings() []setting {
	return []setting{
		{
			name: "allow_networks", value: "CIDR,...", kind: listSetting, example: "10.0.0.0/8",
			doc: "Private networks that outgoing requests may reach. For development and tests: a public node needs none.",
			set: func(c *Config, v string) (s string, err error) {
				c.AllowNetworks, s, err = parseNetworks(v)
				return s, err
			},
		},
		{
			name: "trusted_proxies", value: "CIDR,...", kind: listSetting,
			doc:      "Networks of reverse proxies whose forwarding headers count; \"none\" trusts nobody.",
			fallback: always("127.0.0.0/8,::1/128"),
			set: func(c *Config, v string) (s string, err error) {
				c.TrustedProxies, s, err = parseNetworks(v)
				return s, err
			},
		},
		{
			name: "role", value: "all|web|worker",
			doc:      "What this process does. Several processes may share one database: then set database_url.",
			fallback: always(RoleAll),
			set:      choice(func(c *Config) *string { return &c.Role }, RoleAll, RoleWeb, RoleWorker),
		},
		{
			name: "rate_limit", value: "NUMBER", kind: numberSetting,
			doc:      "Multiplies every limit on requests; 0 turns them off, for load tests only.",
			fallback: always("1"),
			set: func(c *Config, v string) (string, error) {
				f, err := strconv.ParseFloat(v, 64)
				if err != nil || f < 0 || math.IsInf(f, 0) || math.IsNaN(f) {
					return "", wrong("write a number such as 1, 2.5 or 0", "%q is not a number of 0 or more", v)
				}
				c.RateLimit = f
				return strconv.FormatFloat(f, 'f', -1, 64), nil
			},
		},
		{
			name: "metrics_listen", value: "ADDRESS", example: "127.0.0.1:9090",
			doc: "Address of a listener with figures for Prometheus. Without it there is none.",
			set: func(c *Config, v string) (string, error) {
				if err := checkAddress(v); err != nil {
					return "", err
				}
				c.MetricsListen = v
				return v, nil
			},
		},
		{
			name: "log_level", value: "debug|info|warn|error",
			doc:      "The least of what is logged.",
			fallback: always("info"),
			set: func(c *Config, v string) (string, error) {
				if err := c.LogLevel.UnmarshalText([]byte(v)); err != nil {
					c.LogLevel = slog.LevelInfo
					return "", wrong("write debug, info, warn or error", "%q is not a level", v)
				}
				return strings.ToLower(c.LogLevel.String()), nil
			},
		},
	}
}

// choice sets a field to one of the words.
func choice(field func(*Config) *string, words ...string) func(*Config, string) (string, error) {
	return func(c *Config, v string) (string, error) {
		if !slices.Contains(words, v) {
			last := len(words) - 1
			return "", wrong("write "+strings.Join(words[:last], ", ")+" or "+words[last], "%q is none of its values", v)
		}
		*field(c) = v
		return v, nil
	}
}

// parseDomain returns "host" or "host:port", lower case, internationalised names in their ASCII form.
func parseDomain(v string) (string, error) {
	fix := "write a host name such as shop.example, without https:// and without a path"
	if v == "" || strings.ContainsAny(v, "/@?# ") {
		return "", wrong(fix, "%q is not a host name", v)
	}
	host, port := v, ""
	if strings.Contains(v, ":") && !strings.HasSuffix(v, "]") {
		var err error
		if host, port, err = net.SplitHostPort(v); err != nil {
			return "", wrong(fix, "%q is not a host name with a port", v)
		}
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return "", wrong("write a port from 1 to 65535, or none", "%q has no usable port", v)
		}
	}
	host = strings.Trim(host, "[]")
	if ip, err := netip.ParseAddr(host); err == nil {
		host = ip.String()
		if ip.Is6() {
			host = "[" + host + "]"
		}
	} else {
		ascii, err := idna.Lookup.ToASCII(strings.TrimSuffix(host, "."))
		if err != nil || ascii == "" {
			return "", wrong(fix, "%q is not a host name", v)
		}
		host = ascii
	}
	if port != "" {
		host += ":" + port
	}
	return host, nil
}

func setListen(c *Config, v string) (string, error) {
	list := splitList(v)
	if len(list) == 0 || len(list) > 2 {
		return "", wrong("write one address, or with TLS two: :443,:80", "%q is not one or two addresses", v)
	}
	for _, address := range list {
		if err := checkAddress(address); err != nil {
			return "", err
		}
	}
	c.Listen = list
	return strings.Join(list, ","), nil
}

// checkAddress accepts what net.Listen does for tcp: "host:port" or ":port", the port a number.
func checkAddress(v string) error {
	fix := "write 127.0.0.1:8080, or :8080 for every address of this machine"
	_, port, err := net.SplitHostPort(v)
	if err != nil {
		return wrong(fix, "%q is not an address with a port", v)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return wrong(fix, "%q has no usable port", v)
	}
	return nil
}

// parseURL parses an address with one of the schemes. Errors do not quote it: it may hold a password.
func parseURL(v string, schemes ...string) (*url.URL, error) {
	form := "write it as " + schemes[0] + "://...; in a password write / as %2F, @ as %40, # as %23"
	u, err := url.Parse(v)
	if err != nil || u.Fragment != "" {
		return nil, wrong(form, "is not an address")
	}
	if !slices.Contains(schemes, u.Scheme) {
		return nil, wrong(form, "does not start with %s:", strings.Join(schemes, ": or "))
	}
	return u, nil
}

func setMediaURL(c *Config, v string) (string, error) {
	u, err := parseURL(v, "file", "s3")
	if err != nil {
		return "", err
	}
	if u.Scheme == "s3" {
		return "", wrong("use file: and a folder", "storage in S3 is not built yet")
	}
	if u.Host != "" {
		return "", wrong("write file:/var/lib/souk/media, with one slash or three", "has a host: a file has none")
	}
	path := u.Path
	switch {
	case path == "" && u.Opaque == "":
		path = filepath.Join(c.DataDir, "media")
	case path == "":
		path = filepath.Join(c.DataDir, filepath.FromSlash(u.Opaque))
	}
	c.MediaURL = &url.URL{Scheme: "file", Path: path}
	return "file:" + path, nil
}

// parseNetworks reads a list of prefixes; a single address is a network of itself, "none" alone the empty list.
func parseNetworks(v string) (list []netip.Prefix, canonical string, err error) {
	list = []netip.Prefix{}
	if v == "none" {
		return list, v, nil
	}
	var texts []string
	for _, item := range splitList(v) {
		p, err := netip.ParsePrefix(item)
		if err != nil {
			ip, ipErr := netip.ParseAddr(item)
			if ipErr != nil {
				return nil, "", wrong("write networks such as 10.0.0.0/8, with commas between them", "%q is not a network", item)
			}
			p = netip.PrefixFrom(ip.Unmap(), ip.Unmap().BitLen())
		}
		list = append(list, p.Masked())
		texts = append(texts, p.Masked().String())
	}
	return list, strings.Join(texts, ","), nil
}

func splitList(v string) []string {
	var list []string
	for item := range strings.SplitSeq(v, ",") {
		if item = strings.TrimSpace(item); item != "" {
			list = append(list, item)
		}
	}
	return list
}

// hidden is value without its secrets: nothing of a key; of an address neither its password nor the parameters that
// may be keys.
func (s setting) hidden(value string) string {
	if s.secret == notSecret || value == "" {
		return value
	}
	u, err := url.Parse(value)
	if err != nil || s.secret == secretText {
		return "(hidden)"
	}
	if _, has := u.User.Password(); has {
		u.User = url.UserPassword(u.User.Username(), "hidden")
	}
	shown := url.Values{}
	for key, values := range u.Query() {
		if slices.Contains(shownParameters(), key) {
			shown[key] = values
		}
	}
	u.RawQuery = shown.Encode()
	return u.String()
}

// shownParameters are the parameters of addresses that hold no secret and tell an admin what is in force.
func shownParameters() []string {
	return []string{"host", "port", "dbname", "user", "sslmode", "endpoint", "region", "from"}
}

// problemOf splits an error of set into what is wrong and what to do.
func problemOf(err error) (problem, fix string) {
	var value *valueError
	if errors.As(err, &value) {
		return value.problem, value.fix
	}
	return err.Error(), ""
}
