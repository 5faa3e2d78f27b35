package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/cookiejar"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/jackc/pgx/v5"

	"souk/migrations/cluster"
	"souk/migrations/pgtest"
)

// These tests run the node as people do: as a process of its own, by its command line.

// TestMain makes the test binary the souk command where it is called as one: with a command, not with the flags of go
// test. So what is tested is what was compiled, and nothing is built twice.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && !strings.HasPrefix(os.Args[1], "-") {
		main()
	}
	os.Exit(m.Run())
}

// nodeDir is a folder for a node that the user of PostgreSQL can reach. What lies in it is deleted with the test.
func nodeDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "souk-node-")
	if err == nil {
		err = os.Chmod(dir, 0o711)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, data := range []string{"data", "souk-data"} {
			if err := cluster.Remove(cluster.Config{Dir: filepath.Join(dir, data)}); err != nil {
				t.Error(err)
			}
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// serveFor starts souk serve with the arguments in dir, waits until it answers at address, and stops it with the test.
func serveFor(t *testing.T, dir, address string, args ...string) *child {
	t.Helper()
	c, err := startChild(strings.Join(append([]string{"souk serve"}, args...), " "), dir, append([]string{"serve"}, args...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		select {
		case <-c.gone:
		default:
			if err := c.stop(); err != nil {
				t.Error(err)
			}
		}
	})
	if err := c.answers(t.Context(), "http://"+address+"/readyz", 20*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	return c
}

func loopback(t *testing.T) string {
	t.Helper()
	address, err := freeAddress("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// banner waits for the five lines with which a node says that it runs, and returns their texts by name.
func banner(t *testing.T, c *child) map[string]string {
	t.Helper()
	line := regexp.MustCompile(`(?m)^(?:ok     |warning)  (\S+(?: \S+)?) +(.*)$`)
	var found [][]string
	if err := until(t.Context(), "a banner of five lines", func(context.Context) (string, bool) {
		out := c.output.last(keptLines, "")
		found = line.FindAllStringSubmatch(out, -1)
		return out, len(found) >= 5
	}); err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	var names []string
	for _, f := range found {
		names = append(names, f[1])
		texts[f[1]] = f[2]
	}
	third := "console"
	if texts["set up"] != "" {
		third = "set up"
	}
	if got, want := strings.Join(names, ","), "souk,shop,"+third+",data,warnings"; got != want {
		t.Errorf("the banner says %s, want %s", got, want)
	}
	return texts
}

// With no setting but the address: the banner, the setup link, a stop, a second start, a second node.
func TestServeFirstRun(t *testing.T) {
	t.Parallel()
	dir, address := nodeDir(t), loopback(t)
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	base := "http://localhost:" + port
	flags := []string{"--listen", address, "--domain", "localhost:" + port}
	node := serveFor(t, dir, address, flags...)
	says := banner(t, node)
	if !strings.HasPrefix(says["shop"], base+"/ ") || says["data"] != filepath.Join(dir, "souk-data") || says["warnings"] != "none" {
		t.Errorf("the banner says %v", says)
	}
	if strings.Contains(node.output.last(keptLines, ""), "level=WARN") {
		t.Errorf("a first start warns:\n%s", node.output)
	}
	link := regexp.MustCompile(regexp.QuoteMeta(base) + `/setup\?token=[\w-]{20,}`).FindString(says["set up"])
	setUpBy(t, base, link)

	second, err := startChild("the second node", dir, append([]string{"serve"}, "--listen", loopback(t), "--domain", "localhost:"+port)...)
	if err != nil {
		t.Fatal(err)
	}
	if err := until(t.Context(), "the second node on the same data to end", func(context.Context) (string, bool) {
		select {
		case <-second.gone:
			return "", true
		default:
			return second.output.String(), false
		}
	}); err != nil {
		t.Error(err, second.stop())
	}
	if code := second.cmd.ProcessState.ExitCode(); code != 1 || !strings.Contains(second.output.String(), "in use") {
		t.Errorf("the second node on the same data ends with %d:\n%s", code, second.output)
	}

	if err := node.stop(); err != nil {
		t.Errorf("stopped by SIGTERM: %v", err)
	}
	again := serveFor(t, dir, address, flags...)
	if says := banner(t, again); says["set up"] != "" || says["console"] != base+"/console" {
		t.Errorf("started again, the banner says %v", says)
	}
	status(t, link, http.StatusGone, http.StatusNotFound, http.StatusForbidden)
}

// setUpBy sets the node up by the link, as somebody without scripts does; the link works once.
func setUpBy(t *testing.T, base, link string) {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	v := &visitor{client: &http.Client{Jar: jar, Timeout: waitFor}}
	page, err := v.page(t.Context(), link)
	if err != nil {
		t.Fatal(err)
	}
	fill := map[string]string{"shop.name": "Anna's bowls", "name": "anna", "password": "correct horse", "shop.country": "DE"}
	page.Find(`form[action="/setup"] input[type="checkbox"]`).Each(func(_ int, box *goquery.Selection) {
		fill[box.AttrOr("name", "")] = box.AttrOr("value", "on")
	})
	a, err := v.submit(t.Context(), link, page.Find(`form[action="/setup"]`), fill)
	if err != nil {
		t.Fatal(err)
	}
	if a.status != http.StatusOK || !strings.HasPrefix(a.url.Path, "/console") {
		t.Fatalf("setting up led to %s: %s", a.url, a)
	}
	home, err := v.page(t.Context(), base+"/")
	if err != nil {
		t.Fatal(err)
	}
	if name := home.Find("h1").First().Text(); !strings.Contains(name, "Anna's bowls") {
		t.Errorf("the shop is called %q", name)
	}
	status(t, link, http.StatusGone, http.StatusNotFound, http.StatusForbidden)
}

// status asks for a page as a stranger and wants one of the statuses.
func status(t *testing.T, address string, want ...int) {
	t.Helper()
	a, err := newVisitor().ask(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range want {
		if a.status == w {
			return
		}
	}
	t.Errorf("GET %s is %s, want one of %v", address, a, want)
}

// Two processes that start at once on one empty database are one node.
func TestTwoProcessesOneDatabase(t *testing.T) {
	t.Parallel()
	database := pgtest.Empty(t)
	dirs := []string{nodeDir(t), nodeDir(t)}
	addresses := []string{loopback(t), loopback(t)}
	media := filepath.Join(dirs[0], "media")
	started := make([]*child, len(dirs))
	for i, dir := range dirs {
		settings := fmt.Sprintf("domain = %q\nscheme = \"http\"\nlisten = %q\ndata_dir = \"data\"\nmedia_url = %q\ndatabase_url = %q\n",
			addresses[0], addresses[i], "file:"+media, database)
		if err := os.WriteFile(filepath.Join(dir, configName), []byte(settings), 0o600); err != nil {
			t.Fatal(err)
		}
		var err error
		if started[i], err = startChild(fmt.Sprint("process ", i), dir, "serve"); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := started[i].stop(); err != nil {
				t.Error(err)
			}
		})
	}
	for i, c := range started {
		if err := c.answers(t.Context(), "http://"+addresses[i]+"/readyz", 20*time.Millisecond); err != nil {
			t.Fatal(err)
		}
		if says := banner(t, c); !strings.Contains(says["data"], "database by SOUK_DATABASE_URL") {
			t.Errorf("the banner says %v", says)
		}
		if _, err := os.Stat(filepath.Join(dirs[i], "data", "postgres")); err == nil {
			t.Error("made a private cluster although a database is named")
		}
	}
	conn, err := pgx.Connect(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	var shops, actors int
	if err := conn.QueryRow(t.Context(), `select (select count(*) from shop), (select count(*) from accounts)`).Scan(&shops, &actors); err != nil {
		t.Fatal(err)
	}
	if shops != 1 || actors != 2 {
		t.Errorf("%d shops and %d actors of the node, want 1 and 2", shops, actors)
	}
	// What one process is told, the other answers.
	var link string
	for _, c := range started {
		link = strings.Fields(banner(t, c)["set up"])[0]
	}
	setUpBy(t, "http://"+addresses[0], link)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+addresses[1]+"/", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = addresses[0]
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	page, err := goquery.NewDocumentFromReader(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	if name := page.Find("h1").First().Text(); !strings.Contains(name, "Anna's bowls") {
		t.Errorf("the other process calls the shop %q", name)
	}
}

// Ctrl-C while the demonstration is still being made ends it, and leaves nothing behind.
func TestDemoStopsEarly(t *testing.T) {
	t.Parallel()
	dir := nodeDir(t)
	d, err := startChild("souk demo", dir, "demo", "--dir", filepath.Join(dir, "nodes"))
	if err != nil {
		t.Fatal(err)
	}
	if err := until(t.Context(), "three nodes", func(context.Context) (string, bool) {
		return d.output.String(), strings.Contains(d.output.String(), "three are running")
	}); err != nil {
		t.Error(err)
	}
	if err := d.stop(); err != nil {
		t.Errorf("stopped while it makes its content: %v", err)
	}
	if out := d.output.String(); strings.Contains(out, "failed") {
		t.Errorf("stopped while it makes its content it says\n%s", out)
	}
	for _, letter := range []string{"a", "b", "c"} {
		data := filepath.Join(dir, "nodes", letter, "data")
		if _, err := os.Stat(filepath.Join(data, "postgres", "data", "postmaster.pid")); err == nil {
			t.Errorf("the PostgreSQL of node %s still runs", letter)
		}
		if err := cluster.Remove(cluster.Config{Dir: data}); err != nil {
			t.Error(err)
		}
	}
}
