package main

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"souk"

	"github.com/spf13/pflag"
)

// written loads the configuration of a file's text, variables and flags; file == "" is no file.
func written(t *testing.T, file string, environ []string, args ...string) (*Config, error) {
	t.Helper()
	if file != "" {
		args = append(args, "--config", writeFile(t, "souk.toml", file))
	}
	flags := pflag.NewFlagSet("souk", pflag.ContinueOnError)
	addSettingFlags(flags)
	if err := flags.Parse(args); err != nil {
		t.Fatal(err)
	}
	return loadConfig(flags, environ)
}

func writeFile(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestPrecedence(t *testing.T) {
	t.Parallel()
	const file = "\ndomain = \"file.example\"\nrate_limit = 2.5\n"
	for _, tt := range []struct {
		name    string
		file    string
		environ []string
		args    []string
		domain  string
		source  string
	}{
		{"default", "", nil, nil, "localhost:8080", "default"},
		{"file", file, nil, nil, "file.example", "souk.toml:2"},
		{"variable over file", file, []string{"SOUK_DOMAIN=env.example"}, nil, "env.example", "SOUK_DOMAIN"},
		{"empty variable is none", file, []string{"SOUK_DOMAIN="}, nil, "file.example", "souk.toml:2"},
		{"last variable counts", "", []string{"SOUK_DOMAIN=a.example", "SOUK_DOMAIN=b.example"}, nil, "b.example", "SOUK_DOMAIN"},
		{"flag over all", file, []string{"SOUK_DOMAIN=env.example"}, []string{"--domain", "flag.example"}, "flag.example", "--domain"},
		{"empty flag is the default", file, nil, []string{"--domain", ""}, "localhost:8080", "default"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, err := written(t, tt.file, tt.environ, tt.args...)
			if err != nil {
				t.Fatal(err)
			}
			if c.Domain != tt.domain {
				t.Errorf("domain %q, want %q", c.Domain, tt.domain)
			}
			if got := filepath.Base(c.sources["domain"].String()); got != tt.source {
				t.Errorf("source %q, want %q", got, tt.source)
			}
		})
	}
}

func TestDefaultsThatDepend(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		environ []string
		base    string
		handle  string
		listen  string
		local   bool
	}{
		{nil, "http://localhost:8080", "localhost:8080", "127.0.0.1:8080", true},
		{[]string{"SOUK_LISTEN=127.0.0.1:9000"}, "http://localhost:9000", "localhost:9000", "127.0.0.1:9000", true},
		{[]string{"SOUK_DOMAIN=Shop.Example"}, "https://shop.example", "shop.example", "127.0.0.1:8080", false},
		{[]string{"SOUK_DOMAIN=shop.example:443"}, "https://shop.example", "shop.example", "127.0.0.1:8080", false},
		{[]string{"SOUK_DOMAIN=shop.example:80"}, "https://shop.example:80", "shop.example:80", "127.0.0.1:8080", false},
		{[]string{"SOUK_DOMAIN=shop.example", "SOUK_HANDLE_DOMAIN=example"}, "https://shop.example", "example", "127.0.0.1:8080", false},
		{[]string{"SOUK_DOMAIN=shop.example", "SOUK_TLS=auto"}, "https://shop.example", "shop.example", ":443 :80", false},
		{[]string{"SOUK_DOMAIN=127.0.0.2:7001"}, "http://127.0.0.2:7001", "127.0.0.2:7001", "127.0.0.1:8080", true},
		{[]string{"SOUK_DOMAIN=[::1]:7001"}, "http://[::1]:7001", "[::1]:7001", "127.0.0.1:8080", true},
		{[]string{"SOUK_DOMAIN=192.0.2.7"}, "https://192.0.2.7", "192.0.2.7", "127.0.0.1:8080", false},
		{[]string{"SOUK_DOMAIN=商店.example"}, "https://xn--czrs0t.example", "xn--czrs0t.example", "127.0.0.1:8080", false},
		{[]string{"SOUK_DOMAIN=shop.example", "SOUK_SCHEME=http"}, "http://shop.example", "shop.example", "127.0.0.1:8080", false},
	} {
		t.Run(strings.Join(tt.environ, " "), func(t *testing.T) {
			t.Parallel()
			c, err := written(t, "", tt.environ)
			if err != nil {
				t.Fatal(err)
			}
			if c.BaseURL() != tt.base || c.HandleDomain != tt.handle || c.Local() != tt.local {
				t.Errorf("%s, %s, local %v; want %s, %s, %v", c.BaseURL(), c.HandleDomain, c.Local(), tt.base, tt.handle, tt.local)
			}
			if got := strings.Join(c.Listen, " "); got != tt.listen {
				t.Errorf("listens on %s, want %s", got, tt.listen)
			}
		})
	}
}

func TestWrongSettings(t *testing.T) {
	t.Parallel()
	secret := writeFile(t, "secret", "postgres://souk@db/souk\n")
	for _, tt := range []struct {
		name    string
		file    string
		environ []string
		args    []string
		want    []string // each a pattern of one error, in order
	}{
		{"unknown key", "\n\ndomian = \"a.example\"\n", nil, nil,
			[]string{`^domian: .*souk\.toml:3: there is no such setting \(the nearest name is domain\)`}},
		{"table", "[server]\nlisten = \"x\"\n", nil, nil, []string{`^server: .*souk\.toml:1: there is no such setting`}},
		{"syntax", "domain = \"a.example\"\nrole = all\n", nil, nil, []string{`^config: .*souk\.toml:2: `}},
		{"types", "domain = 5\nrate_limit = \"many\"\nlisten = [1]\n", nil, nil, []string{
			`^domain: .*toml:1: is not a text in quotes`, `^listen: .*toml:3: is not a list`, `^rate_limit: .*toml:2: "many" is not a number`}},
		{"no file", "", []string{"SOUK_CONFIG=/nowhere/souk.toml"}, nil, []string{`^config: SOUK_CONFIG: .*no such file`}},
		{"all at once", "role = \"cook\"\n", []string{"SOUK_DOMAIN=https://a.example/"}, []string{"--tls", "maybe", "--listen", "80"}, []string{
			`^domain: SOUK_DOMAIN: .*not a host name \(write a host name`, `^tls: --tls: "maybe".*write off, auto or files`,
			`^listen: --listen: `, `^role: .*toml:1: "cook"`}},
		{"role without database", "", []string{"SOUK_ROLE=worker"}, nil, []string{`^role: SOUK_ROLE: worker shares`}},
		{"files missing", "", []string{"SOUK_TLS=files"}, nil, []string{`^tls_cert: is missing`, `^tls_key: is missing`}},
		{"files unreadable", "", []string{"SOUK_TLS=files", "SOUK_TLS_CERT=/nowhere/c", "SOUK_TLS_KEY=/nowhere/k"}, nil,
			[]string{`^tls_cert: SOUK_TLS_CERT: .*no such file`, `^tls_key: SOUK_TLS_KEY: .*no such file`}},
		{"http over TLS", "", []string{"SOUK_TLS=auto", "SOUK_DOMAIN=a.example", "SOUK_SCHEME=http"}, nil, []string{`^scheme: SOUK_SCHEME: `}},
		{"two addresses without TLS", "", []string{"SOUK_LISTEN=:80,:81"}, nil, []string{`^listen: SOUK_LISTEN: a second address`}},
		{"secret twice", "", []string{"SOUK_DATABASE_URL=postgres://a/b", "SOUK_DATABASE_URL_FILE=" + secret}, nil,
			[]string{`^database_url: SOUK_DATABASE_URL: is given as a value and as a file \(SOUK_DATABASE_URL_FILE\)`}},
		{"secret file missing", "smtp_url_file = \"/nowhere/smtp\"\n", nil, nil, []string{`^smtp_url: .*toml:1 \(/nowhere/smtp\): .*no such file`}},
		{"password is not quoted", "", []string{"SOUK_DATABASE_URL=postgres://souk:hun/ter2@db/souk"}, nil,
			[]string{`^database_url: SOUK_DATABASE_URL: is not an address \(.*%2F`}},
		{"networks", "allow_networks = [\"10.0.0.0/8\", \"mars\"]\n", nil, nil, []string{`^allow_networks: .*"mars" is not a network`}},
		{"rates", "rate_limit = -1\n", nil, nil, []string{`^rate_limit: .*"-1" is not a number of 0 or more`}},
		{"bucket", "", []string{"SOUK_MEDIA_URL=s3://K:ter2@x"}, nil, []string{`^media_url: SOUK_MEDIA_URL: storage in S3 is not built yet`}},
		{"other database", "", []string{"SOUK_DATABASE_URL=mysql://a/b"}, nil, []string{`^database_url: .*does not start with postgres:`}},
		{"port", "", []string{"SOUK_DOMAIN=a.example:0"}, nil, []string{`^domain: .*no usable port`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := written(t, tt.file, tt.environ, tt.args...)
			found, ok := err.(ConfigErrors)
			if !ok || len(found) != len(tt.want) {
				t.Fatalf("want %d errors, found %v", len(tt.want), err)
			}
			for i, e := range found {
				if !regexp.MustCompile(tt.want[i]).MatchString(e.Error()) {
					t.Errorf("%q does not match %s", e.Error(), tt.want[i])
				}
				if strings.Contains(e.Error(), "ter2") {
					t.Errorf("an error shows a secret: %s", e)
				}
				if e.Fix == "" {
					t.Errorf("%s says nothing to do", e)
				}
			}
		})
	}
}

func TestWarnings(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		environ []string
		want    string
	}{
		{[]string{"SOUK_DOMIAN=a.example"}, "domain: SOUK_DOMIAN: is no setting"},
		{[]string{"SOUK_MEILI_KEY=k"}, "meili_key: SOUK_MEILI_KEY: has no effect"},
		{[]string{"SOUK_TLS_CERT=/x"}, "tls_cert: SOUK_TLS_CERT: has no effect while tls is off"},
		{[]string{"SOUK_TLS=auto"}, "tls: SOUK_TLS: no public authority gives a certificate for localhost"},
		{[]string{"SOUK_TEST_DATABASE_URL=x", "SOUK_SERVICE_HOST=10.0.0.1", "SOUK_PORT=tcp://10.0.0.1:80"}, ""},
	} {
		c, err := written(t, "", tt.environ)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, w := range c.Warnings {
			got += w.Error()
		}
		if !strings.HasPrefix(got, tt.want) || tt.want == "" && got != "" {
			t.Errorf("%v: warned %q, want %q", tt.environ, got, tt.want)
		}
	}
}

func TestSecretsFromFiles(t *testing.T) {
	t.Parallel()
	const address = "postgres://souk:hunter2@db/souk"
	secret := writeFile(t, "secret", address+"\n")
	for _, tt := range []struct {
		name    string
		file    string
		environ []string
		args    []string
	}{
		{"variable", "", []string{"SOUK_DATABASE_URL=" + address}, nil},
		{"variable's file", "", []string{"SOUK_DATABASE_URL_FILE=" + secret}, nil},
		{"file's file", "database_url_file = \"" + secret + "\"\n", nil, nil},
		{"flag's file over a value below", "", []string{"SOUK_DATABASE_URL=postgres://other/db"}, []string{"--database-url-file", secret}},
	} {
		c, err := written(t, tt.file, tt.environ, tt.args...)
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		if c.DatabaseURL != address {
			t.Errorf("%s: %q", tt.name, c.DatabaseURL)
		}
	}
}

func TestParsedValues(t *testing.T) {
	t.Parallel()
	c, err := written(t, "allow_networks = [\"10.1.2.3/8\", \"192.0.2.1\"]\ntrusted_proxies = \"none\"\nrate_limit = 0\n",
		[]string{"SOUK_DATA_DIR=/srv/souk", "SOUK_MEILI_URL=http://127.0.0.1:7700"})
	if err != nil {
		t.Fatal(err)
	}
	if len(c.AllowNetworks) != 2 || c.AllowNetworks[0].String() != "10.0.0.0/8" || c.AllowNetworks[1].String() != "192.0.2.1/32" {
		t.Errorf("allow_networks %v", c.AllowNetworks)
	}
	if len(c.TrustedProxies) != 0 {
		t.Errorf("trusted_proxies %v, want none", c.TrustedProxies)
	}
	if c.RateLimit != 0 {
		t.Errorf("rate_limit %v, want 0", c.RateLimit)
	}
	if c.MediaURL.Scheme != "file" || c.MediaURL.Path != "/srv/souk/media" {
		t.Errorf("media_url %v, want the data directory's", c.MediaURL)
	}
	if c.MeiliURL.Host != "127.0.0.1:7700" {
		t.Errorf("meili_url %v", c.MeiliURL)
	}
}

func TestConfigShowHidesSecrets(t *testing.T) {
	t.Parallel()
	var out, errOut bytes.Buffer
	code := run(t.Context(), []string{"config", "show", "--rate-limit", "3"}, []string{
		"SOUK_DATABASE_URL=postgres://souk:hunter2@db/souk?sslmode=require&sslpassword=hunter2",
		"SOUK_MEILI_URL=http://127.0.0.1:7700", "SOUK_MEILI_KEY=x://hunter2",
		"SOUK_SMTP_URL=smtp://shop:hunter2@mail.example:587?from=shop@shop.example",
	}, nil, &out, &errOut)
	if code != 0 || errOut.Len() > 0 {
		t.Fatalf("exit %d: %s", code, errOut.String())
	}
	if strings.Contains(out.String(), "hunter2") {
		t.Errorf("a secret is shown:\n%s", out.String())
	}
	for _, line := range []string{
		`(?m)^database_url +postgres://souk:hidden@db/souk\?sslmode=require +SOUK_DATABASE_URL$`,
		`(?m)^meili_key +\(hidden\) +SOUK_MEILI_KEY$`,
		`(?m)^smtp_url +smtp://shop:hidden@mail.example:587\?from=shop%40shop.example +SOUK_SMTP_URL$`,
		`(?m)^rate_limit +3 +--rate-limit$`,
		`(?m)^domain +localhost:8080 +default$`,
	} {
		if !regexp.MustCompile(line).MatchString(out.String()) {
			t.Errorf("no line like %s in:\n%s", line, out.String())
		}
	}
}

// The file that describe prints must be one that load accepts, as printed and with every setting uncommented, and
// must name every setting.
func TestConfigDescribe(t *testing.T) {
	t.Parallel()
	text, err := describeConfig()
	if err != nil {
		t.Fatal(err)
	}
	plain, err := written(t, text, nil)
	if err != nil {
		t.Fatal(err)
	}
	if source := plain.sources["domain"].kind; source != fromDefault {
		t.Errorf("the printed file sets something: %v", source)
	}
	var lines []string
	for line := range strings.Lines(text) {
		if key, _, ok := strings.Cut(line, " = "); ok && strings.HasPrefix(key, "#") && !strings.HasPrefix(key, "# ") && !strings.HasSuffix(key, "_file") {
			line = line[1:]
		}
		lines = append(lines, line)
	}
	full, err := written(t, strings.Join(lines, ""), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range settings() {
		if full.sources[s.name].kind != fromFile {
			t.Errorf("%s is not in the described file", s.name)
		}
	}
	if full.BaseURL() != plain.BaseURL() || !slices.Equal(full.Listen, plain.Listen) || full.MediaURL.Path != plain.MediaURL.Path {
		t.Errorf("the described defaults are others than the defaults: %+v, %+v", full, plain)
	}
}

func TestConfigTest(t *testing.T) {
	t.Parallel()
	var out, errOut bytes.Buffer
	if code := run(t.Context(), []string{"config", "test", "--domain", "a.example"}, nil, nil, &out, &errOut); code != 0 {
		t.Errorf("exit %d for a good configuration: %s", code, errOut.String())
	}
	if !strings.Contains(out.String(), "https://a.example") {
		t.Errorf("printed %q", out.String())
	}
	out.Reset()
	if code := run(t.Context(), []string{"config", "test", "--domain", "a b", "--role", "x"}, nil, nil, &out, &errOut); code != 1 {
		t.Errorf("exit %d for a wrong configuration, want 1", code)
	}
	const want = "" +
		"failed   domain          --domain: \"a b\" is not a host name\n" +
		"                         -> write a host name such as shop.example, without https:// and without a path\n" +
		"failed   role            --role: \"x\" is none of its values\n" +
		"                         -> write all, web or worker\n"
	if errOut.String() != want {
		t.Errorf("printed\n%s\nwant\n%s", errOut.String(), want)
	}
}

func TestUnknownCommand(t *testing.T) {
	t.Parallel()
	var out, errOut bytes.Buffer
	if code := run(t.Context(), []string{"serv"}, nil, nil, &out, &errOut); code != 1 || !strings.HasPrefix(errOut.String(), "failed   souk") {
		t.Errorf("exit %d, printed %q", code, errOut.String())
	}
}

// What a seller changes lives in the database, what an admin changes here: no name may stand in both.
func TestNoSettingInTwoPlaces(t *testing.T) {
	t.Parallel()
	shop := reflect.TypeFor[souk.Shop]()
	if shop.NumField() < 5 {
		t.Fatalf("the shop has %d settings: nothing was compared", shop.NumField())
	}
	for i := range shop.NumField() {
		field := strings.ToLower(shop.Field(i).Name)
		for _, s := range settings() {
			if strings.ReplaceAll(s.name, "_", "") == field {
				t.Errorf("%s is a setting of the file and of the shop", s.name)
			}
		}
	}
}
