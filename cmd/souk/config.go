package main

import (
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Config is the configuration in force, every setting parsed and checked. What a seller changes is not here: it
// lives in the database and the console.
type Config struct {
	// Domain is the public host of the node, lower case and in its ASCII form, with ":port" where the port is not
	// the scheme's own. HandleDomain stands after the second @ of handles; the same form.
	Domain       string
	HandleDomain string
	// Scheme is that of public addresses: "https" or "http".
	Scheme string

	// Listen are the addresses to listen on, "host:port". With TLS on, the first speaks TLS, and a second one plain
	// http: certificate challenges and redirects only.
	Listen []string
	// TLS is one of the TLS constants; Cert and Key are PEM files, set with TLSFiles only.
	TLS             string
	TLSCert, TLSKey string

	// DataDir is an absolute path.
	DataDir string
	// DatabaseURL is a postgres:// address with its password, or empty for the private cluster in DataDir.
	DatabaseURL string
	// MeiliURL is nil for the built-in search.
	MeiliURL *url.URL
	MeiliKey string
	// MediaURL has the scheme file and an absolute Path.
	MediaURL *url.URL
	// SMTPURL is nil where mail goes to the log.
	SMTPURL *url.URL

	// AllowNetworks are the private networks that outgoing requests may reach; TrustedProxies those whose forwarding
	// headers count.
	AllowNetworks  []netip.Prefix
	TrustedProxies []netip.Prefix
	// Role is one of the Role constants.
	Role string
	// RateLimit multiplies every request limit; 0 turns limits off.
	RateLimit float64
	// MetricsListen is the address of the Prometheus listener, or empty for none.
	MetricsListen string
	LogLevel      slog.Level
	// Backoff is the schedule of retries, no setting; nil means souk.DefaultBackoff.
	Backoff []time.Duration

	// Warnings are what works but is probably not meant: one for each setting that has no effect as things stand.
	Warnings []SettingError
	// sources tells for every setting, by name, where its value came from, and texts the value in its canonical spelling.
	sources map[string]source
	texts   map[string]string
}

// The values of Config.TLS.
const (
	TLSOff   = "off"
	TLSAuto  = "auto"
	TLSFiles = "files"
)

// The values of Config.Role: both kinds of work, requests only, background work only.
const (
	RoleAll    = "all"
	RoleWeb    = "web"
	RoleWorker = "worker"
)

// BaseURL is the origin of the node, without a slash at its end: "https://shop.example".
func (c *Config) BaseURL() string { return c.Scheme + "://" + c.Domain }

// Hostname is Domain without its port, and without the brackets of an IPv6 address.
func (c *Config) Hostname() string { return hostOf(c.Domain) }

// Local reports whether the node's public address is one that only this machine reaches: localhost or loopback.
func (c *Config) Local() bool { return isLocalHost(c.Hostname()) }

// hostOf is host of "host" or "host:port", without brackets.
func hostOf(domain string) string {
	if host, _, err := net.SplitHostPort(domain); err == nil {
		return host
	}
	return strings.Trim(domain, "[]")
}

func isLocalHost(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// source says where a value came from.
type source struct {
	kind sourceKind
	name string // the flag, the variable, or the file
	line int    // in the file
	via  string // the file that a ..._file setting named, whose content is the value
}

type sourceKind int

const (
	fromDefault sourceKind = iota
	fromFile
	fromEnv
	fromFlag
)

func (s source) String() string {
	text := "default"
	switch s.kind {
	case fromFile:
		text = s.name
		if s.line > 0 {
			text += ":" + strconv.Itoa(s.line)
		}
	case fromEnv, fromFlag:
		text = s.name
	}
	if s.via != "" {
		text += " (" + s.via + ")"
	}
	return text
}

// label is String for an error: empty for a default, which nobody wrote.
func (s source) label() string {
	if s.kind == fromDefault {
		return ""
	}
	return s.String()
}

// SettingError says what is wrong with one setting, and what to do. It never holds a secret's value.
type SettingError struct {
	Name    string // as in the file: data_dir
	Source  string // where the value came from; empty when none was given
	Problem string
	Fix     string
}

func (e SettingError) where() string {
	if e.Source == "" {
		return ""
	}
	return e.Source + ": "
}

func (e SettingError) Error() string {
	text := e.Name + ": " + e.where() + e.Problem
	if e.Fix != "" {
		text += " (" + e.Fix + ")"
	}
	return text
}

// ConfigErrors are all that is wrong with a configuration, in the order of the settings.
type ConfigErrors []SettingError

func (e ConfigErrors) Error() string {
	lines := make([]string, len(e))
	for i, one := range e {
		lines[i] = one.Error()
	}
	return strings.Join(lines, "\n")
}

// check finds what no setting can see alone. broken names the settings that are already known to be wrong: nothing is
// concluded from them.
func (c *Config) check(broken map[string]bool) (found ConfigErrors) {
	finding := func(name, fix, format string, args ...any) SettingError {
		return SettingError{Name: name, Source: c.sources[name].label(), Problem: fmt.Sprintf(format, args...), Fix: fix}
	}
	bad := func(name, fix, format string, args ...any) {
		found = append(found, finding(name, fix, format, args...))
	}
	odd := func(name, fix, format string, args ...any) {
		c.Warnings = append(c.Warnings, finding(name, fix, format, args...))
	}
	if c.Role != RoleAll && c.DatabaseURL == "" && !broken["database_url"] {
		bad("role", "set SOUK_DATABASE_URL, or use the role all, which may keep its own database",
			"%s shares a database with other processes, and none is set", c.Role)
	}
	for _, pem := range []struct{ name, file string }{{"tls_cert", c.TLSCert}, {"tls_key", c.TLSKey}} {
		switch {
		case c.TLS != TLSFiles && pem.file != "":
			odd(pem.name, "set SOUK_TLS=files to use it", "has no effect while tls is %s", c.TLS)
		case c.TLS == TLSFiles && pem.file == "":
			bad(pem.name, "set SOUK_"+strings.ToUpper(pem.name)+" to a PEM file", "is missing, and tls is files")
		case c.TLS == TLSFiles:
			f, err := os.Open(pem.file)
			if err != nil {
				bad(pem.name, "name a file that this user may read", "%v", err)
				continue
			}
			f.Close()
		}
	}
	if c.TLS != TLSOff && c.Scheme == "http" {
		bad("scheme", "leave SOUK_SCHEME out, or set SOUK_TLS=off", "public addresses cannot be http while tls is %s", c.TLS)
	}
	if c.TLS == TLSOff && len(c.Listen) > 1 && !broken["tls"] {
		bad("listen", "name one address", "a second address is for plain http beside TLS, and tls is off")
	}
	if c.TLS == TLSAuto && c.Local() && !broken["domain"] {
		odd("tls", "set SOUK_DOMAIN to the name that visitors use", "no public authority gives a certificate for %s", c.Hostname())
	}
	if c.MeiliURL != nil {
		odd("meili_url", "leave it out", "this version has no Meilisearch engine yet: the built-in search is used")
	}
	if c.MetricsListen != "" {
		odd("metrics_listen", "leave it out", "this version has no metrics listener yet")
	}
	if c.MeiliKey != "" && c.MeiliURL == nil && !broken["meili_url"] {
		odd("meili_key", "set SOUK_MEILI_URL to use Meilisearch", "has no effect without meili_url")
	}
	return found
}

// withoutDefaultPort drops the port of domain when it is the scheme's own, so that one origin has one spelling.
func withoutDefaultPort(domain, scheme string) string {
	port := map[string]string{"http": ":80", "https": ":443"}[scheme]
	return strings.TrimSuffix(domain, port)
}

// absolute is path from the working directory on: the program may move later.
func absolute(path string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("cannot be made an absolute path: %w", err)
	}
	return abs, nil
}
