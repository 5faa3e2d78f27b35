package console

import (
	"bytes"
	"html"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"souk"
)

type hostsPage struct {
	frame
	Views  views
	Blocks []souk.HostBlock
	Count  int
	Next   string // address of the next part
	Edit   souk.HostBlock
	Known  bool // Edit is in force
}

// HostBlocks lists the domain blocks, with a form to set one.
func (c *Console) HostBlocks(v *Visit) error {
	page := hostsPage{frame: v.frame("moderation", "hosts.title"), Edit: souk.HostBlock{Domain: v.QueryParam("domain"), Severity: souk.Silence}}
	if page.Edit.Domain != "" {
		if b, err := c.DB.HostBlock(v.ctx(), v.me.ID, page.Edit.Domain); err == nil {
			page.Edit, page.Known = *b, true
		}
	}
	return c.hostsPage(v, http.StatusOK, page)
}

func (c *Console) hostsPage(v *Visit, status int, page hostsPage) error {
	page.Views = v.moderationViews("hosts")
	var err error
	if page.Blocks, err = c.DB.HostBlocks(v.ctx(), v.me.ID, v.QueryParam("after"), pageSize+1); err != nil {
		return err
	}
	if len(page.Blocks) > pageSize {
		page.Blocks = page.Blocks[:pageSize]
		page.Next = "/console/moderation/hosts?" + url.Values{"after": {page.Blocks[pageSize-1].Domain}}.Encode()
	}
	if page.Count, err = c.DB.HostBlockCount(v.ctx(), v.me.ID); err != nil {
		return err
	}
	return c.render(v, status, "hosts", page)
}

type hostsConfirmPage struct {
	frame
	Block  souk.HostBlock
	Ending souk.EndingFollows
}

// SetHostBlock sets or lifts one domain block. Before a domain is suspended it says what ends, and asks.
func (c *Console) SetHostBlock(v *Visit) error {
	b := souk.HostBlock{Domain: v.value("host"), Severity: v.value("severity"), RejectMedia: v.checked("reject_media"), RejectReports: v.checked("reject_reports"),
		PublicComment: v.value("public_comment"), Reason: v.value("reason")}
	page := hostsPage{frame: v.frame("moderation", "hosts.title"), Edit: b}
	done, err := "host_blocked", error(nil)
	switch {
	case v.FormValue("do") == "lift":
		done, err = "host_lifted", c.DB.UnblockHost(v.ctx(), v.me.ID, b.Domain)
	case b.Severity == souk.Suspend && v.FormValue("sure") == "":
		changes, err := c.DB.PreviewHostBlocks(v.ctx(), v.me.ID, []souk.HostBlock{b})
		if v.wrong(&page.frame, err, nil) {
			return c.hostsPage(v, http.StatusUnprocessableEntity, page)
		}
		if err != nil {
			return err
		}
		if was := changes[0].Was; was == nil || was.Severity != souk.Suspend {
			return c.render(v, http.StatusOK, "hosts-confirm", hostsConfirmPage{frame: v.frame("moderation", "hosts.title"), Block: changes[0].HostBlock, Ending: changes[0].Ending})
		}
		fallthrough
	default:
		err = c.DB.BlockHosts(v.ctx(), v.me.ID, []souk.HostBlock{b})
	}
	switch {
	case v.wrong(&page.frame, err, nil):
		return c.hostsPage(v, http.StatusUnprocessableEntity, page)
	case err != nil:
		return err
	}
	return v.see("/console/moderation/hosts", done)
}

// ExportHostBlocks sends the domain blocks as CSV.
func (c *Console) ExportHostBlocks(v *Visit) error {
	blocks, err := c.DB.HostBlocks(v.ctx(), v.me.ID, "", 0)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := souk.WriteBlockList(&b, blocks); err != nil {
		return err
	}
	v.Response().Header().Set("Content-Disposition", `attachment; filename="domain-blocks.csv"`)
	return v.Blob(http.StatusOK, "text/csv; charset=utf-8", b.Bytes())
}

// maxPreview is how many changes a preview lists by name.
const maxPreview = 200

type hostsImportPage struct {
	frame
	List    string // as typed or uploaded
	Shown   bool   // the preview is shown
	Changes []souk.HostBlockChange
	More    int // changes that are not listed
	New     int
	Changed int
	Same    int
	Skipped int
	Follows int // that would end
}

// ImportHostBlocksForm asks for a list of blocks.
func (c *Console) ImportHostBlocksForm(v *Visit) error {
	return c.render(v, http.StatusOK, "hosts-import", hostsImportPage{frame: v.frame("moderation", "hosts_import.title")})
}

// ImportHostBlocks shows what a list would change, and sets it once that was seen.
func (c *Console) ImportHostBlocks(v *Visit) error {
	page := hostsImportPage{frame: v.frame("moderation", "hosts_import.title")}
	var err error
	if page.List, err = v.list(souk.MaxBlockList); err != nil {
		return err
	}
	list, err := souk.ParseBlockList(page.List)
	if err == nil && v.FormValue("do") == "apply" {
		if _, err = c.DB.ImportHostBlocks(v.ctx(), v.me.ID, list.Blocks); err == nil {
			return v.see("/console/moderation/hosts", "hosts_imported")
		}
	}
	var changes []souk.HostBlockChange
	if err == nil {
		changes, err = c.DB.PreviewHostBlocks(v.ctx(), v.me.ID, list.Blocks)
	}
	if v.wrongLines(&page.frame, err, page.List, list.Blocks) {
		return c.render(v, http.StatusUnprocessableEntity, "hosts-import", page)
	}
	if err != nil {
		return err
	}
	page.Shown, page.Skipped = true, list.Skipped
	for _, change := range changes {
		switch {
		case !change.Changes():
			page.Same++
			continue
		case change.Was == nil:
			page.New++
		default:
			page.Changed++
		}
		page.Follows += change.Ending.Count()
		if len(page.Changes) < maxPreview {
			page.Changes = append(page.Changes, change)
		} else {
			page.More++
		}
	}
	return c.render(v, http.StatusOK, "hosts-import", page)
}

// list is a list that was uploaded as "file", else the one typed as "list". A file is read to one byte more than most.
func (v *Visit) list(most int64) (string, error) {
	typed := v.FormValue("list")
	file, _, err := v.Request().FormFile("file")
	if err != nil {
		return typed, nil // there is none
	}
	defer file.Close()
	body, err := io.ReadAll(io.LimitReader(file, most+1))
	if err != nil || len(body) == 0 {
		return typed, err
	}
	return string(body), nil
}

// maxLinesNamed is how many wrong lines of a list a page names; whoever reads more of them has another file.
const maxLinesNamed = 10

// wrongLines takes what is wrong with a list into the page, with the line of it, or the domain, that the error names by its place.
func (v *Visit) wrongLines(f *frame, err error, list string, blocks []souk.HostBlock) bool {
	if !v.wrong(f, err, map[string]string{"line": "list", "host": "list", "severity": "list"}) {
		return false
	}
	for i, p := range invalidProblems(err) {
		field, place, _ := strings.Cut(strings.TrimSuffix(p.Field, "]"), "[")
		at, err := strconv.Atoi(place)
		switch lines := strings.Split(list, "\n"); {
		case err != nil:
		case field == "line":
			f.Problems[i].Message = v.t("list_wrong."+p.Code, "Line", place)
			if at <= len(lines) && !strings.HasPrefix(strings.TrimSpace(list), "[") { // of JSON it is the number of the entry
				f.Problems[i].Message += " “" + excerpt(html.EscapeString(lines[at-1]), 60) + "”"
			}
		case at < len(blocks):
			f.Problems[i].Message = blocks[at].Domain + " – " + v.explain(p)
		}
	}
	if len(f.Problems) > maxLinesNamed {
		f.Problems = append(f.Problems[:maxLinesNamed], problem{Message: v.t("list_wrong.more")})
	}
	return true
}

type suspendPage struct {
	frame
	Account *souk.Account
	Address string
}

// SuspendForm asks whether an account shall be suspended, or kept in memory, or be so no more.
func (c *Console) SuspendForm(v *Visit) error {
	id, err := v.id()
	if err != nil {
		return err
	}
	a, err := c.DB.Account(v.ctx(), id)
	if err != nil {
		return err
	}
	title := "suspend.title"
	if a.Suspended != nil {
		title = "suspend.lift_title"
	}
	return c.render(v, http.StatusOK, "suspend", suspendPage{frame: v.frame("moderation", title), Account: a, Address: c.DB.Handle(a)})
}

// Suspend suspends an account or keeps it in memory, or ends that.
func (c *Console) Suspend(v *Visit) error {
	id, err := v.id()
	if err != nil {
		return err
	}
	done := "report_suspend"
	switch v.FormValue("do") {
	case "lift":
		done, err = "report_unsuspend", c.DB.UnsuspendAccount(v.ctx(), v.me.ID, id)
	case "memorial":
		done, err = "memorial", c.DB.SetMemorial(v.ctx(), v.me.ID, id, true)
	case "no_memorial":
		done, err = "no_memorial", c.DB.SetMemorial(v.ctx(), v.me.ID, id, false)
	default:
		err = c.DB.SuspendAccount(v.ctx(), v.me.ID, id)
	}
	if err != nil {
		return err
	}
	return v.see("/console/moderation/accounts/"+formatID(id), done)
}
