package console_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"souk"
)

// chromium is a real browser to which shop.example is the node.
func (n *node) chromium(t *testing.T) context.Context {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		t.Fatal("this test needs Chromium: apt-get install chromium fonts-noto-cjk")
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.DisableGPU,
		chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("host-resolver-rules", "MAP shop.example "+n.server.Listener.Addr().String()))
	if os.Geteuid() == 0 {
		opts = append(opts, chromedp.NoSandbox)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, opts...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	return ctx
}

// tooWide names what sticks out of the window at the side.
const tooWide = `(() => {
	if (document.documentElement.scrollWidth <= innerWidth) return "";
	const out = [...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest(".views, .sr"));
	return out.slice(0, 3).map(e => e.tagName + "." + e.className).join(", ") || "the page";
})()`

// Journey 7.1 as far as it goes: a phone, Chinese, from the setup link to a product with its photo and a first post.
func TestFirstMinutesInABrowser(t *testing.T) {
	t.Parallel()
	n := newNode(t, origin, 0)
	token, err := n.db.NewSetupToken(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	photo := filepath.Join(t.TempDir(), "碗.jpg")
	if err := os.WriteFile(photo, drawing(t, 40), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx := n.chromium(t)
	step := func(what string, actions ...chromedp.Action[chromedp.Void]) {
		t.Helper()
		if err := chromedp.Do(ctx, actions...); err != nil {
			where, _ := chromedp.Run(ctx, chromedp.Text("main"))
			t.Fatalf("%s: %v\n%s", what, err, where)
		}
		sticks, err := chromedp.Run(ctx, chromedp.Evaluate[string](tooWide))
		if err != nil || sticks != "" {
			t.Errorf("%s: too wide: %s %v", what, sticks, err)
		}
	}
	step("setup", chromedp.EmulateViewport(360, 640, chromedp.EmulateMobile), chromedp.Navigate(origin+"/setup?lang=zh&token="+token),
		chromedp.SendKeys(`[id="shop.name"]`, "青山陶作"), chromedp.SendKeys("#name", "qingshan"), chromedp.SendKeys("#password", "a long password"),
		chromedp.SetValue(`[id="shop.country"]`, "CN"), chromedp.Click(".door .btn.primary"), chromedp.WaitVisible(".ladder"))
	step("next step", chromedp.Click(`.steps a[href="/console/products/new"]`), chromedp.WaitVisible("#photos"))
	step("upload", chromedp.SetUploadFiles("#photos", []string{photo}), chromedp.SendKeys("#title", "青瓷碗"), chromedp.Click(`button[value="upload"]`),
		chromedp.WaitVisible(".shots img"))
	focus, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.activeElement.id.split("-")[0]`))
	if err != nil || focus != "alt" {
		t.Errorf("after the upload the focus is at %q, %v", focus, err)
	}
	step("publish", chromedp.SendKeys(`.shots input[name^="alt-"]`, "木桌上的碗"), chromedp.SendKeys("#price", "168"), chromedp.Click(`button[value="publish"]`),
		chromedp.WaitVisible(".done"))
	l := n.onlyListing(t, "qingshan")
	if l.Title != "青瓷碗" || l.State != souk.ListingPublished || l.Price() != (souk.Money{Amount: 16800, Currency: "CNY"}) || l.Post.Media[0].Alt != "木桌上的碗" {
		t.Errorf("listing %+v", l)
	}
	step("post", chromedp.Click(`.tabs a[href="/console/posts/new"]`), chromedp.WaitVisible("#text"), chromedp.SendKeys("#text", "开窑了 #青瓷"),
		chromedp.Click(".actions .btn.primary"), chromedp.WaitVisible(".talk"))

	// An empty post says so where the reader is.
	step("empty post", chromedp.Click(`.tabs a[href="/console/posts/new"]`), chromedp.WaitVisible("#text"), chromedp.Click(".actions .btn.primary"),
		chromedp.WaitVisible("#text-error"))
	focus, err = chromedp.Run(ctx, chromedp.Evaluate[string](`document.activeElement.id`))
	if err != nil || focus != "problems" {
		t.Errorf("after a failed form the focus is at %q, %v", focus, err)
	}

	step("small", chromedp.EmulateViewport(320, 568, chromedp.EmulateMobile))
	listing := "/console/products/" + id(l.ID)
	for _, path := range []string{"/console", "/console/more", "/console/products", listing, listing + "/preview", listing + "/withdraw", "/console/orders", "/console/posts",
		"/console/people?list=following", "/console/nodes", "/console/settings", "/console/settings/shop", "/console/settings/profile", "/console/settings/tokens",
		"/console/purchases", "/console/queue", "/console/moderation/reports", "/console/moderation/hosts", "/console/moderation/hosts/import", "/console/moderation/lists",
		"/console/settings/access", "/console/settings/account", "/console/settings/account/followers"} {
		step(path, chromedp.Navigate(origin+path))
	}
}
