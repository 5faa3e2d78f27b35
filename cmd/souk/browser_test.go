package main

import (
	"context"
	"flag"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"souk"
)

// screenshots names the folder that TestScreenshots writes to; without it there is nothing to take.
var screenshots = flag.String("screenshots", "", "write pictures of the demonstration's pages into `FOLDER`")

// tab is a tab of Chromium, and where it has asked for something.
type tab struct {
	ctx   context.Context
	lock  sync.Mutex
	hosts []string
}

// newTab starts a browser of its own. It can reach this machine only.
func newTab(t *testing.T) *tab {
	t.Helper()
	// Where pages scroll smoothly a click would land where its target was a moment ago.
	options := []chromedp.ExecAllocatorOption{chromedp.Flag("force-prefers-reduced-motion", true), chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.*"), chromedp.Flag("hide-scrollbars", true)}
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	deadline, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	t.Cleanup(cancel)
	ctx, closeTab := chromedp.NewContext(deadline, chromedp.WithAllocatorOptions(options...))
	t.Cleanup(closeTab)
	b := &tab{ctx: ctx}
	if err := chromedp.Listen(ctx, func(event any) {
		e, ok := event.(*network.EventRequestWillBeSent)
		if !ok {
			return
		}
		if u, err := url.Parse(e.Request.URL); err == nil && u.Host != "" {
			b.lock.Lock()
			defer b.lock.Unlock()
			b.hosts = append(b.hosts, u.Host)
		}
	}); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *tab) do(t *testing.T, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		t.Fatal(err)
	}
}

func read[T any](t *testing.T, b *tab, a chromedp.Action[T]) T {
	t.Helper()
	v, err := chromedp.Run(b.ctx, a)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// follow does the steps, which lead to another page, and waits for it.
func (b *tab) follow(t *testing.T, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if answer, err := chromedp.RunResponse(b.ctx, steps...); err != nil || answer.Status != 200 {
		t.Fatalf("led to %+v (%v)", answer, err)
	}
}

// onlyAsked fails where the tab asked another host than these for anything.
func (b *tab) onlyAsked(t *testing.T, hosts ...string) {
	t.Helper()
	b.lock.Lock()
	defer b.lock.Unlock()
	if len(b.hosts) == 0 {
		t.Error("the browser asked nobody for anything")
	}
	for _, h := range b.hosts {
		if !slices.Contains(hosts, h) {
			t.Errorf("the page asked %s for something", h)
		}
	}
}

func withoutScripts() chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		return err
	})
}

// orderOnAPhone orders as a guest on a phone whose browser runs no scripts: from the shop's home page to the receipt.
func orderOnAPhone(t *testing.T, d *demo) {
	b := newTab(t)
	b.do(t, chromedp.EmulateViewport(390, 844, chromedp.EmulateMobile, chromedp.EmulateTouch), withoutScripts())
	b.follow(t, chromedp.Navigate(d.pottery.base()+"/"))
	b.follow(t, chromedp.Click(chromedp.CSS(`main a[href*="/products/celadon-tea-cup"]`)))
	if wide := read(t, b, chromedp.EvaluateAsDevTools[int](`document.documentElement.scrollWidth`)); wide > 390 {
		t.Errorf("the product's page is %d pixels wide on a phone of 390", wide)
	}
	b.do(t,
		chromedp.Click(chromedp.CSS(`.buy a[href="#order"]`)),
		chromedp.SendKeys(chromedp.CSS(`#order [name="name"]`), "陈小满"),
		chromedp.SendKeys(chromedp.CSS(`#order [name="phone"]`), "+86 138 0013 8000"),
		chromedp.SendKeys(chromedp.CSS(`#order [name="address"]`), "上海市徐汇区永嘉路 200 弄 6 号"))
	b.follow(t, chromedp.Click(chromedp.CSS(`#order button.primary`)))
	if at := read(t, b, chromedp.Location()); !strings.HasPrefix(at, d.pottery.base()+"/orders/") {
		t.Errorf("the order leads to %s", at)
	}
	if text := read(t, b, chromedp.Text(chromedp.CSS("main"))); !strings.Contains(text, "Celadon tea cup") || !strings.Contains(text, "203") {
		t.Errorf("the receipt says\n%s\nwant the cup, and 168 and 35 for the post together", text)
	}
	b.onlyAsked(t, d.pottery.address)
	seller, err := d.pottery.db.Owner(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	orders, err := d.pottery.db.Orders(t.Context(), seller.ID, souk.OrderFilter{}, souk.Page{})
	if err != nil {
		t.Fatal(err)
	}
	if len(orders) == 0 || orders[0].Name != "陈小满" || orders[0].Total != 203_00 || orders[0].Lines[0].Quantity != 1 {
		t.Errorf("the seller has %+v", orders)
	}
}

// TestScreenshots takes the pictures that the README and the documentation show: go test ./cmd/souk -run Screenshots -screenshots docs/screenshots
func TestScreenshots(t *testing.T) {
	if *screenshots == "" {
		return // asked for, not tested: what pages show is tested elsewhere
	}
	d, _ := startDemo(t, false)
	b := newTab(t)
	a := d.pottery.base()
	b.follow(t, chromedp.Navigate(a+"/"))
	product := read(t, b, chromedp.EvaluateAsDevTools[string](`document.querySelector('a[href*="/products/celadon-tea-cup"]').href`))
	pages := [][2]string{{"home", a + "/"}, {"home-zh", a + "/zh/"}, {"product", product}, {"search", d.prints.base() + "/search?q=celadon"},
		{"console", a + "/console"}, {"orders", a + "/console/orders"}}
	b.follow(t, chromedp.Navigate(a+"/console"))
	b.do(t, chromedp.SendKeys(chromedp.CSS(`[name="name"]`), "qingshan"), chromedp.SendKeys(chromedp.CSS(`[name="password"]`), d.password))
	b.follow(t, chromedp.Click(chromedp.CSS(`main form button`)))
	for _, size := range []struct {
		name          string
		width, height int64
	}{{"phone", 390, 844}, {"desktop", 1366, 900}} {
		b.do(t, chromedp.EmulateViewport(size.width, size.height, chromedp.EmulateScale(1)))
		for _, page := range pages {
			b.follow(t, chromedp.Navigate(page[1]))
			path := filepath.Join(*screenshots, page[0]+"-"+size.name+".png")
			if err := os.WriteFile(path, read(t, b, chromedp.CaptureScreenshot()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}
