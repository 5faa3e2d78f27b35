package console

import (
	"net/http"

	"souk"
)

type reportsPage struct {
	frame
	Views   views
	Reports []reportRow
	Pager   pager
}

// reportRow is a report with the handles that a page shows.
type reportRow struct {
	souk.Report
	Target string
	By     string // who reported: a handle, or a node
}

func (c *Console) reportRow(r souk.Report) reportRow {
	row := reportRow{Report: r, Target: c.DB.Handle(r.Target), By: r.Host}
	if r.Host == "" && r.Reporter != nil {
		row.By = c.DB.Handle(r.Reporter)
	}
	return row
}

// Reports lists what was reported.
func (c *Console) Reports(v *Visit) error {
	page := reportsPage{frame: v.frame("moderation", "reports.title"), Views: v.moderationViews("reports")}
	state := souk.ReportOpen
	if v.QueryParam("state") == souk.ReportResolved {
		state = souk.ReportResolved
		page.Views = v.moderationViews("resolved")
	}
	list, err := c.DB.Reports(v.ctx(), v.me.ID, state, v.page())
	if err != nil {
		return err
	}
	counts, err := c.DB.ReportCounts(v.ctx(), v.me.ID)
	if err != nil {
		return err
	}
	if n := counts[souk.ReportOpen]; n > 0 {
		page.Views.Options[0].Hint = formatID(int64(n))
	}
	for _, r := range list {
		page.Reports = append(page.Reports, c.reportRow(r))
	}
	if n := len(list); n > 0 {
		page.Pager = v.pager(n, list[n-1].ID)
	}
	return c.render(v, http.StatusOK, "reports", page)
}

// moderationViews are the lists of moderation.
func (v *Visit) moderationViews(current string) views {
	w := views{Label: v.t("moderation.title")}
	for _, view := range []struct{ name, url string }{{"reports", "/console/moderation/reports"}, {"resolved", "/console/moderation/reports?state=resolved"}, {"hosts", "/console/moderation/hosts"},
		{"lists", "/console/moderation/lists"}} {
		w.Options = append(w.Options, option{Value: view.url, Label: v.t("moderation_view." + view.name), Current: view.name == current})
	}
	return w
}

type reportPage struct {
	frame
	Report  reportRow
	Host    *souk.Host // of the target; nil where it is of this node
	History []reportRow
	Note    string // as typed
	Told    string // as typed, for the target's node
}

// Report shows one report with everything about it.
func (c *Console) Report(v *Visit) error {
	return c.reportPage(v, http.StatusOK, reportPage{frame: v.frame("moderation", "report.title")})
}

func (c *Console) reportPage(v *Visit, status int, page reportPage) error {
	id, err := v.id()
	if err != nil {
		return err
	}
	r, err := c.DB.Report(v.ctx(), v.me.ID, id)
	if err != nil {
		return err
	}
	page.Report = c.reportRow(*r)
	if !r.Target.Local() {
		if page.Host, err = c.DB.HostFor(v.ctx(), v.me.ID, r.Target.Host); err != nil {
			return err
		}
	}
	history, err := c.DB.ReportsAbout(v.ctx(), v.me.ID, r.TargetID, 11)
	if err != nil {
		return err
	}
	for _, other := range history {
		if other.ID != id {
			page.History = append(page.History, c.reportRow(other))
		}
	}
	return c.render(v, status, "report", page)
}

// ActOnReport does what the owner decided about a report.
func (c *Console) ActOnReport(v *Visit) error {
	id, err := v.id()
	if err != nil {
		return err
	}
	act := souk.ReportAct{Action: v.FormValue("do"), Note: v.value("note")}
	if post := v.FormValue("post"); post != "" {
		if act.PostID, err = souk.ParseID(post); err != nil {
			return err
		}
	}
	page := reportPage{frame: v.frame("moderation", "report.title"), Note: act.Note, Told: v.value("told")}
	field := map[string]string{}
	if act.Action == souk.ActForward { // the note is for the owner alone
		act.Note, field["note"] = page.Told, "told"
	}
	err = c.DB.ActOnReport(v.ctx(), v.me.ID, id, act)
	switch {
	case v.wrong(&page.frame, err, field):
		return c.reportPage(v, http.StatusUnprocessableEntity, page)
	case err != nil:
		return err
	}
	return v.see("/console/moderation/reports/"+formatID(id), "report_"+act.Action)
}

// reportForm is how somebody of this node reports a post or an account.
type reportForm struct {
	frame
	Post     *souk.Post // nil: the account as such
	Target   *souk.Account
	Address  string // handle of the target
	Category string
	Comment  string
	Forward  string
	Back     string
}

// ReportPostForm asks what is wrong with the post that the path names.
func (c *Console) ReportPostForm(v *Visit) error { return c.fileReport(v, true) }

// ReportPost reports the post that the path names.
func (c *Console) ReportPost(v *Visit) error { return c.fileReport(v, true) }

// ReportAccountForm asks what is wrong with the account that the path names.
func (c *Console) ReportAccountForm(v *Visit) error { return c.fileReport(v, false) }

// ReportAccount reports the account that the path names.
func (c *Console) ReportAccount(v *Visit) error { return c.fileReport(v, false) }

// fileReport shows the form and takes it.
func (c *Console) fileReport(v *Visit, ofPost bool) error {
	page := reportForm{frame: v.frame("people", "report_form.title"), Category: souk.ReportSpam, Back: "/console/people"}
	n := souk.NewReport{}
	if ofPost {
		p, err := c.visiblePost(v)
		if err != nil {
			return err
		}
		page.Post, page.Target, page.Back = p, p.Account, "/console/posts/"+formatID(p.ID)
		n.PostIDs = []int64{p.ID}
	} else {
		id, err := v.id()
		if err != nil {
			return err
		}
		a, err := c.DB.Account(v.ctx(), id)
		if err != nil {
			return err
		}
		page.Target = a
	}
	page.Address, n.TargetID = c.DB.Handle(page.Target), page.Target.ID
	if v.Request().Method != http.MethodPost {
		return c.render(v, http.StatusOK, "report-form", page)
	}
	page.Category, page.Comment, page.Forward = v.value("category"), v.value("comment"), v.value("forward")
	n.Category, n.Comment, n.Forward = page.Category, page.Comment, v.checked("forward")
	_, err := c.DB.FileReport(v.ctx(), v.me.ID, n)
	switch {
	case v.wrong(&page.frame, err, map[string]string{"account": "", "posts": ""}):
		return c.render(v, http.StatusUnprocessableEntity, "report-form", page)
	case err != nil:
		return err
	}
	return v.see(page.Back, "reported")
}

// Categories are the answers to what is wrong.
func (p reportForm) Categories() []string { return souk.ReportCategories() }
