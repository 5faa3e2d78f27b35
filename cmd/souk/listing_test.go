package main

import (
	"bytes"
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"souk"
	"souk/migrations/pgtest"
)

// csvNode is a database with the owner "maria" and the seller "li", and the commands on it.
func csvNode(t *testing.T) (environ []string, command func(in string, args ...string) (int, string, string)) {
	t.Helper()
	environ = []string{"SOUK_DATABASE_URL=" + pgtest.URL(t), "SOUK_DATA_DIR=" + t.TempDir(), "SOUK_DOMAIN=shop.example"}
	command = func(in string, args ...string) (int, string, string) {
		var out, errOut bytes.Buffer
		code := run(t.Context(), args, environ, strings.NewReader(in), &out, &errOut)
		return code, out.String(), errOut.String()
	}
	for name, role := range map[string]string{"maria": "owner", "li": "seller", "zoe": "member"} {
		if code, _, errOut := command("", "account", "create", name, "--role", role); code != 0 {
			t.Fatal(errOut)
		}
	}
	return environ, command
}

func TestListingImportExport(t *testing.T) {
	t.Parallel()
	environ, command := csvNode(t)
	const file = "\xef\xbb\xbfTitle;Price;Currency;Quantity;Tags;State;Description;Category;Lang\r\n" +
		"Blue cup;24,50;EUR;3;pottery, cup;published;\"Thrown; by \"\"hand\"\"\nand foot\";Home/Cups;en\r\n" +
		"青瓷茶杯;168;JPY;0;茶具，青瓷;draft;;;zh\r\n"
	path := filepath.Join(t.TempDir(), "products.csv")
	if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, out, errOut := command("", "listing", "import", path, "--dry-run"); code != 0 || !strings.Contains(out, "2 to put up, 0 to change") {
		t.Fatalf("exit %d, %q %q", code, out, errOut)
	}
	if code, out, _ := command("", "listing", "export"); code != 0 || strings.Count(out, "\n") != 1 {
		t.Fatalf("after a dry run: exit %d, %q", code, out)
	}
	if code, out, errOut := command("", "listing", "import", path); code != 0 || !strings.Contains(out, "2 put up, 0 changed") {
		t.Fatalf("exit %d, %q %q", code, out, errOut)
	}
	_, out, _ := command("", "listing", "export")
	rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	if err != nil || len(rows) != 3 {
		t.Fatalf("%v, %q", err, out)
	}
	// The newest first.
	if got := strings.Join(rows[1][1:11], "|"); got != "青瓷茶杯||168|JPY|0||new|茶具, 青瓷|draft|zh" {
		t.Errorf("row %q", got)
	}
	if got := strings.Join(rows[2][1:12], "|"); got != "Blue cup|Thrown; by \"hand\"\nand foot|24.50|EUR|3|Home/Cups|new|pottery, cup|published|en|https://shop.example/products/blue-cup" {
		t.Errorf("row %q", got)
	}
	// What was exported is imported again, changed, and says the same.
	changed := strings.ReplaceAll(strings.ReplaceAll(out, "24.50", "22.00"), "Blue cup", "Bluer cup")
	if code, out, errOut := command(changed, "listing", "import", "-"); code != 0 || !strings.Contains(out, "0 put up, 2 changed") {
		t.Fatalf("exit %d, %q %q", code, out, errOut)
	}
	if _, again, _ := command("", "listing", "export"); again != strings.ReplaceAll(changed, "/blue-cup", "/bluer-cup") {
		t.Errorf("exported\n%s\nimported\n%s", again, changed)
	}
	withDB(t, environ, func(db *souk.DB) {
		list, err := db.Listings(t.Context(), souk.ListingFilter{}, souk.Page{})
		if err != nil || len(list) != 1 || list[0].Post.InTimeline {
			t.Errorf("%d public listings, %v", len(list), err)
		}
	})
}

func TestListingImportRefused(t *testing.T) {
	t.Parallel()
	_, command := csvNode(t)
	if code, _, errOut := command("title,price,currency\nCup,1.00,EUR\n", "listing", "import", "-"); code != 0 {
		t.Fatal(errOut)
	}
	_, before, _ := command("", "listing", "export")
	id := strings.SplitN(strings.SplitN(before, "\n", 2)[1], ",", 2)[0]
	for name, tt := range map[string]struct {
		in, account string
		err         []string
	}{
		"every wrong row, and none taken": {"title,price,currency,quantity\nGood,1.00,EUR,1\n,1.00,EUR,1\nX,\"1,000.00\",EUR,many\nY,1,XXQ,\n", "",
			[]string{"line 3 title", "line 4 price", "line 4 quantity", "line 5 currency"}},
		"another shop's file":  {"Handle,Title,Body (HTML),Vendor\na,b,c,d\n", "", []string{`"handle", "body (html)", "vendor"`}},
		"a column twice":       {"title,Title\na,b\n", "", []string{"twice"}},
		"not UTF-8":            {"title,price,currency\n\xb2\xe8,1,CNY\n", "", []string{"CSV UTF-8"}},
		"empty":                {"", "", []string{"empty"}},
		"no such id":           {"id,title\n77,x\nab,y\n", "", []string{"line 2 id", "line 3 id"}},
		"somebody else's":      {"id,title\n" + id + ",Mine now\n", "li", []string{"line 2 id"}},
		"nobody":               {"title\nx\n", "nobody", []string{"there is no account"}},
		"a member":             {"title\nx\n", "zoe", []string{"sells nothing"}},
		"a row that is short":  {"title,price\nx\n", "", []string{"wrong number of fields"}},
		"a quote without end":  {"title\n\"x\n", "", []string{"quote"}},
		"a state that is none": {"title,price,currency,state\nx,1,EUR,lost\n", "", []string{"line 2 state"}},
	} {
		code, out, errOut := command(tt.in, "listing", "import", "-", "--account", tt.account)
		for _, want := range tt.err {
			if code != 1 || out != "" || !strings.Contains(errOut, want) {
				t.Errorf("%s: exit %d, printed %q and %q, want %q", name, code, out, errOut, want)
			}
		}
	}
	if _, after, _ := command("", "listing", "export"); after != before {
		t.Errorf("refused files changed\n%s to\n%s", before, after)
	}
}
