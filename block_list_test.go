package souk

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestParseBlockList(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text    string
		want    []HostBlock
		skipped int
	}{
		"Mastodon": {"#domain,#severity,#reject_media,#reject_reports,#public_comment,#obfuscate\nEvil.example,suspend,false,true,\"spam, \"\"and\"\" more\",true\n" +
			"loud.example,silence,True,False,,\nbücher.example,noop,true,false,,\nev*l.example,suspend,,,,\n",
			[]HostBlock{{Domain: "evil.example", Severity: Suspend, RejectReports: true, PublicComment: `spam, "and" more`, Obfuscate: true},
				{Domain: "loud.example", Severity: Silence, RejectMedia: true}, {Domain: "xn--bcher-kva.example", RejectMedia: true}}, 1},
		"a header with less": {"domain\nevil.example\n\n", []HostBlock{{Domain: "evil.example", Severity: Suspend}}, 0},
		"byte order mark":    {"\ufeff#domain,#severity\r\nevil.example,suspend\r\n", []HostBlock{{Domain: "evil.example", Severity: Suspend}}, 0},
		"plain":              {"# my list\nevil.example\n\n  *.worse.example # because\nx*x.example", []HostBlock{{Domain: "evil.example", Severity: Suspend}, {Domain: "worse.example", Severity: Suspend}}, 1},
		"GoToSocial": {`[{"domain":"evil.example","suspended_at":"2020-05-13T13:29:12.000Z","public_comment":"bad"},{"domain":"worse.example","comment":"also"}]`,
			[]HostBlock{{Domain: "evil.example", Severity: Suspend, PublicComment: "bad"}, {Domain: "worse.example", Severity: Suspend, PublicComment: "also"}}, 0},
	} {
		got, err := ParseBlockList(c.text)
		if err != nil || !slices.Equal(got.Blocks, c.want) || got.Skipped != c.skipped {
			t.Errorf("%s: %+v %v", name, got, err)
		}
	}
	for name, c := range map[string]struct{ text, field string }{
		"empty": {" \n", "list"}, "remarks only": {"# nothing\n", "list"}, "a wrong domain": {"evil.example\nhttps://evil.example/x\n", "line[2]"},
		"a wrong severity": {"#domain,#severity\nevil.example,suspend\nb.example,burn\n", "line[3]"},
		"broken CSV":       {"#domain,#severity\n\"evil.example,suspend\n", "line[2]"}, "broken JSON": {`[{"domain":`, "list"},
		"JSON of numbers": {`[1,2]`, "list"}, "a wrong entry": {`[{"domain":"a.example"},{"domain":"a b"}]`, "line[2]"},
		"too long": {strings.Repeat("a.example\n", MaxBlockList/10+1), "list"},
	} {
		if _, err := ParseBlockList(c.text); !isInvalid(err, c.field) {
			t.Errorf("%s: %v, want %s", name, err, c.field)
		}
	}
}

func FuzzParseBlockList(f *testing.F) {
	for _, s := range []string{"#domain,#severity\nevil.example,suspend\n", "evil.example\n", `[{"domain":"evil.example"}]`, "\"", "domain\n\"a", "[", "*.", "[::1]:80\n", "a:1:2"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		list, err := ParseBlockList(text)
		if err != nil {
			return
		}
		for _, b := range list.Blocks {
			if again, ok := NormalDomain(b.Domain); !ok || again != b.Domain {
				t.Errorf("%q is read as %q, and that as %q", text, b.Domain, again)
			}
		}
	})
}

func TestImportHostBlocks(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	n.follows(t, n.remote(t, "ben", "a.evil.example"))
	if err := n.BlockHost(ctx, n.owner.ID, "loud.example", Silence, "by hand"); err != nil {
		t.Fatal(err)
	}
	list, err := ParseBlockList("#domain,#severity,#public_comment\nevil.example,suspend,bad\nloud.example,silence,\nnew.example,silence,\nevil.example,silence,again\n")
	if err != nil {
		t.Fatal(err)
	}
	changes, err := n.PreviewHostBlocks(ctx, n.owner.ID, list.Blocks)
	if err != nil || len(changes) != 3 || changes[0].Ending != (EndingFollows{Following: 1}) || !changes[0].Changes() || changes[1].Changes() || changes[2].Ending.Count() != 0 {
		t.Fatalf("%+v %v", changes, err)
	}
	if blocks, err := n.HostBlocks(ctx, n.owner.ID, "", 0); err != nil || len(blocks) != 1 {
		t.Errorf("the preview set %+v %v", blocks, err)
	}
	own := append(slices.Clone(list.Blocks), HostBlock{Domain: "shop.example", Severity: Suspend})
	if _, err := n.ImportHostBlocks(ctx, n.owner.ID, own); !isInvalid(err, "host[4]") {
		t.Errorf("the own domain: %v", err)
	}
	if _, err := n.ImportHostBlocks(ctx, n.remote(t, "eve", "x.example").ID, list.Blocks); !errors.Is(err, ErrForbidden) {
		t.Errorf("by a stranger: %v", err)
	}
	if count, err := n.ImportHostBlocks(ctx, n.owner.ID, list.Blocks); err != nil || count != 2 {
		t.Errorf("imported %d %v", count, err)
	}
	if yes, err := n.Refused(ctx, "a.evil.example", ""); err != nil || !yes {
		t.Errorf("refused: %v %v", yes, err)
	}
	blocks, err := n.HostBlocks(ctx, n.owner.ID, "", 0)
	if err != nil || blocks[1].Reason != "by hand" { // what changes nothing is left alone
		t.Errorf("%+v %v", blocks, err)
	}
	var out strings.Builder
	if err := WriteBlockList(&out, blocks); err != nil {
		t.Fatal(err)
	}
	want := "#domain,#severity,#reject_media,#reject_reports,#public_comment,#obfuscate\nevil.example,suspend,false,false,bad,false\n" +
		"loud.example,silence,false,false,,false\nnew.example,silence,false,false,,false\n"
	if out.String() != want {
		t.Errorf("export:\n%s", out.String())
	}
	if again, err := ParseBlockList(out.String()); err != nil || len(again.Blocks) != 3 {
		t.Errorf("what was exported: %+v %v", again, err)
	}
}
