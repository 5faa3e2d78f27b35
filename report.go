package souk

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

// States and categories of a report.
const (
	ReportOpen     = "open"
	ReportResolved = "resolved"

	ReportOther     = "other"
	ReportSpam      = "spam"
	ReportLegal     = "legal"     // against the law
	ReportViolation = "violation" // against the rules of this node
)

// ReportCategories are the categories, in the order in which a form offers them.
func ReportCategories() []string {
	return []string{ReportSpam, ReportViolation, ReportLegal, ReportOther}
}

const (
	maxReportComment = 1000
	maxReportPosts   = 20
	// Reports that a host, and that a person of this node, may make in a day; more of them are no help to anybody.
	reportsPerHost   = 50
	reportsPerPerson = 20
)

// Report says that an account, or posts of it, need to be looked at. One who reports the same account again while the
// first report is open adds to that.
type Report struct {
	ID         int64
	URI        string // of the Flag that it came as; empty for ours
	Host       string // the node that it came from; empty: this one
	ReporterID *int64 // whoever made it; of another node often its instance actor
	TargetID   int64
	Category   string
	Comment    string // plain text, of strangers
	State      string
	Forward    bool       // to be told to the target's node
	ForwardAs  string     // what to say there: only what was written to be read there, by the reporter or by the owner
	Forwarded  *time.Time // when it was
	Created    time.Time
	Updated    time.Time
	Resolved   *time.Time
	ResolvedBy *int64

	Reporter *Account     `db:"-"`
	Target   *Account     `db:"-"`
	Posts    []Post       `db:"-"`
	Notes    []ReportNote `db:"-"` // of DB.Report only
}

const reportColumns = `r.id, r.uri, r.host, r.reporter_id, r.target_id, r.category, r.comment, r.state, r.forward, r.forward_as, r.forwarded, r.created, r.updated,
	r.resolved, r.resolved_by`

// What is written down about a report, besides the actions of ReportAct.
const (
	NoteAdded     = "added"     // reported again; Note is the further comment
	NoteForwarded = "forwarded" // told to the target's node
)

// ReportNote is one thing that was said or done about a report.
type ReportNote struct {
	ID       int64
	ReportID int64
	At       time.Time
	ByID     *int64
	Action   string
	Note     string
	By       *Account `db:"-"`
}

// NewReport is what somebody of this node reports.
type NewReport struct {
	TargetID int64
	PostIDs  []int64 // of the target, which the reporter may see; at most 20
	Category string  // empty: other
	Comment  string
	Forward  bool // tell the target's node too, in the name of this one, with the comment
}

// FileReport reports an account, of this node or another, in the name of a person of this node, and tells the owner.
// *Invalid names "comment", "category", "posts" or "account".
func (db *DB) FileReport(ctx context.Context, by int64, n NewReport) (_ *Report, err error) {
	defer wrap(&err, "report %d by %d", n.TargetID, by)
	n.Comment = tidyText(n.Comment)
	if n.Category == "" {
		n.Category = ReportOther
	}
	e := &Invalid{}
	checkText("comment", n.Comment, maxReportComment, true, e)
	if !slices.Contains(ReportCategories(), n.Category) {
		e.Add("category", "report_category", "use spam, violation, legal or other")
	}
	if len(n.PostIDs) > maxReportPosts {
		e.Add("posts", "too_many", "at most %d posts", maxReportPosts)
	}
	if by == n.TargetID {
		e.Add("account", "report_self", "this is your own account")
	}
	if err := e.Err(); err != nil {
		return nil, err
	}
	r := &Report{TargetID: n.TargetID, ReporterID: &by, Category: n.Category, Comment: n.Comment}
	err = db.Tx(ctx, func(tx *DB) error {
		reporter, err := tx.Account(ctx, by)
		if err != nil {
			return err
		}
		if !reporter.Person() || reporter.Suspended != nil {
			return ErrForbidden
		}
		target, err := tx.Account(ctx, n.TargetID)
		if err != nil {
			return err
		}
		if target.Local() && !target.Person() {
			return ErrForbidden
		}
		for _, id := range n.PostIDs {
			p, err := tx.Post(ctx, by, id)
			if err != nil {
				return err
			}
			if p.AccountID != target.ID {
				return invalid("posts", "report_posts", "this post is of somebody else")
			}
		}
		var today int
		if err := tx.q.QueryRow(ctx, `select count(*) from reports where reporter_id = $1 and host = '' and created > $2`, by,
			tx.Now().Add(-24*time.Hour)).Scan(&today); err != nil {
			return err
		}
		if today >= reportsPerPerson {
			return invalid("comment", "report_many", "you reported much today; write to the owner of the node")
		}
		if r.Forward = n.Forward && !target.Local(); r.Forward {
			r.ForwardAs = r.Comment
		}
		if err := tx.fileReport(ctx, r, n.PostIDs); err != nil {
			return err
		}
		return tx.forwardReport(ctx, r.ID, nil, "")
	})
	return r, err
}

// Reported are the living people of this node, and posts by the account that wrote them, among the addresses: what a
// report of another node can be about. An account stands in the map also where only posts of it are named.
func (db *DB) Reported(ctx context.Context, addresses []string) (_ map[int64][]int64, err error) {
	defer wrap(&err, "reported")
	rows, err := db.q.Query(ctx, `select id, 0 from accounts where uri = any($1) and role in ('owner', 'seller', 'member') and deleted is null
		union all select p.account_id, p.id from posts p where p.uri = any($1) and p.local and p.deleted is null and p.kind <> 'boost' order by 1, 2`, addresses)
	if err != nil {
		return nil, err
	}
	reported := map[int64][]int64{}
	var account, post int64
	_, err = pgx.ForEachRow(rows, []any{&account, &post}, func() error {
		posts := reported[account]
		if post != 0 {
			posts = append(posts, post)
		}
		reported[account] = posts
		return nil
	})
	return reported, err
}

// RemoteReport is a report that another node sent about an account of this one.
type RemoteReport struct {
	URI      string
	From     *Account // its instance actor, or a person there
	TargetID int64
	PostIDs  []int64 // posts of others than the target are left out
	Comment  string
}

// ReceiveReport stores a report of another node and tells the owner. taken is false where the host reports too much, or
// its reports are rejected (HostBlock): then nothing is stored.
func (db *DB) ReceiveReport(ctx context.Context, n RemoteReport) (taken bool, err error) {
	defer wrap(&err, "receive report %s", n.URI)
	r := &Report{URI: n.URI, Host: n.From.Host, ReporterID: &n.From.ID, TargetID: n.TargetID, Category: ReportOther,
		Comment: truncate(tidyText(n.Comment), maxReportComment)}
	if len(n.PostIDs) > maxReportPosts {
		n.PostIDs = n.PostIDs[:maxReportPosts]
	}
	err = db.Tx(ctx, func(tx *DB) error {
		var rejected bool
		var today int
		if err := tx.q.QueryRow(ctx, `select exists (select from hosts where host = $1 and reject_reports),
			(select count(*) from reports where host = $1 and created > $2)`, r.Host, tx.Now().Add(-24*time.Hour)).Scan(&rejected, &today); err != nil {
			return err
		}
		if taken = !rejected && today < reportsPerHost; !taken {
			return nil
		}
		return tx.fileReport(ctx, r, n.PostIDs)
	})
	return taken, err
}

// fileReport stores a report, or adds it to the open one of the same reporter or host; r gets the id that it has then.
func (db *DB) fileReport(ctx context.Context, r *Report, postIDs []int64) error {
	r.ID, r.State, r.Created, r.Updated = db.NewID(), ReportOpen, db.Now(), db.Now()
	own := r.ID
	if err := db.q.QueryRow(ctx, `insert into reports (id, uri, host, reporter_id, target_id, category, comment, forward, created, updated, forward_as)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $10)
		on conflict (target_id, host, (case when host = '' then reporter_id else 0 end)) where state = 'open'
			do update set updated = excluded.updated, forward = reports.forward or excluded.forward,
				forward_as = case when reports.forward then reports.forward_as else excluded.forward_as end returning id`,
		r.ID, r.URI, r.Host, r.ReporterID, r.TargetID, r.Category, r.Comment, r.Forward, r.Created, r.ForwardAs).Scan(&r.ID); err != nil {
		return err
	}
	if _, err := db.q.Exec(ctx, `insert into report_posts (report_id, post_id) select $1, p.id from posts p
		where p.id = any($2) and p.account_id = $3 and p.kind <> 'boost' on conflict do nothing`, r.ID, postIDs, r.TargetID); err != nil {
		return err
	}
	if r.ID != own {
		return db.noteReport(ctx, r.ID, r.ReporterID, NoteAdded, r.Comment)
	}
	_, err := db.q.Exec(ctx, `insert into notifications (id, account_id, kind, report_id, created)
		select $1, id, 'report', $2, $3 from accounts where id = `+ownerID+` and id is distinct from $4`, db.NewID(), r.ID, db.Now(), r.ReporterID)
	return err
}

// maxReportNotes bounds what a host can add to one report.
const maxReportNotes = 200

func (db *DB) noteReport(ctx context.Context, reportID int64, by *int64, action, note string) error {
	_, err := db.q.Exec(ctx, `insert into report_notes (id, report_id, at, by_id, action, note) select $1, $2, $3, $4, $5, $6
		where $5 <> '`+NoteAdded+`' or (select count(*) from report_notes where report_id = $2) < $7`,
		db.NewID(), reportID, db.Now(), by, action, note, maxReportNotes)
	return err
}

// forwardReport queues the telling of a report to the target's node, where that is wanted and did not happen yet. by and
// note are the owner, and what is said there, where the owner does it.
func (db *DB) forwardReport(ctx context.Context, id int64, by *int64, note string) error {
	tag, err := db.q.Exec(ctx, `update reports set forwarded = $2 where id = $1 and forward and forwarded is null`, id, db.Now())
	if err != nil || tag.RowsAffected() == 0 {
		return err
	}
	node, err := db.InstanceActor(ctx)
	if err != nil {
		return err
	}
	if err := db.noteReport(ctx, id, by, NoteForwarded, note); err != nil {
		return err
	}
	return db.emit(ctx, Event{Kind: EventReported, AccountID: node.ID, ObjectID: id}, true)
}

// ReportForDelivery is a report with its target and posts, whoever may see it; for federation.
func (db *DB) ReportForDelivery(ctx context.Context, id int64) (_ *Report, err error) {
	defer wrap(&err, "report %d", id)
	list, err := db.reportsWhere(ctx, `r.id = $1`, id)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, ErrNotFound
	}
	return &list[0], nil
}

// Report is a report with everything about it. Only the owner may see it.
func (db *DB) Report(ctx context.Context, by, id int64) (_ *Report, err error) {
	defer wrap(&err, "report %d", id)
	if err := db.requireOwner(ctx, by); err != nil {
		return nil, err
	}
	r, err := db.ReportForDelivery(ctx, id)
	if err != nil {
		return nil, err
	}
	rows, err := db.q.Query(ctx, `select id, report_id, at, by_id, action, note from report_notes where report_id = $1 order by id`, id)
	if err != nil {
		return nil, err
	}
	if r.Notes, err = pgx.CollectRows(rows, pgx.RowToStructByName[ReportNote]); err != nil {
		return nil, err
	}
	var ids []int64
	for _, n := range r.Notes {
		if n.ByID != nil {
			ids = append(ids, *n.ByID)
		}
	}
	accounts, err := db.accountsByID(ctx, ids)
	for i, n := range r.Notes {
		if n.ByID != nil {
			r.Notes[i].By = accounts[*n.ByID]
		}
	}
	return r, err
}

// Reports are the reports in a state, the newest first, without their notes. Only the owner may see them.
func (db *DB) Reports(ctx context.Context, by int64, state string, page Page) (_ []Report, err error) {
	defer wrap(&err, "%s reports", state)
	if err := db.requireOwner(ctx, by); err != nil {
		return nil, err
	}
	list, err := db.reportsWhere(ctx, `r.state = $1 and r.id < $2 and r.id > $3 order by r.id `+page.order()+` limit $4`,
		state, page.before(), page.After, page.limit())
	return newestFirst(page, list), err
}

// ReportsAbout are the newest reports about an account, at most limit; for its history. Only the owner may see them.
func (db *DB) ReportsAbout(ctx context.Context, by, targetID int64, limit int) (_ []Report, err error) {
	defer wrap(&err, "reports about %d", targetID)
	if err := db.requireOwner(ctx, by); err != nil {
		return nil, err
	}
	return db.reportsWhere(ctx, `r.target_id = $1 order by r.id desc limit $2`, targetID, limit)
}

// ReportCounts are how many reports there are by state. Only the owner may know.
func (db *DB) ReportCounts(ctx context.Context, by int64) (_ map[string]int, err error) {
	defer wrap(&err, "count reports")
	if err := db.requireOwner(ctx, by); err != nil {
		return nil, err
	}
	rows, err := db.q.Query(ctx, `select state, count(*) from reports group by state`)
	if err != nil {
		return nil, err
	}
	counts := map[string]int{}
	var state string
	var n int
	_, err = pgx.ForEachRow(rows, []any{&state, &n}, func() error { counts[state] = n; return nil })
	return counts, err
}

func (db *DB) reportsWhere(ctx context.Context, where string, args ...any) ([]Report, error) {
	rows, err := db.q.Query(ctx, `select `+reportColumns+` from reports r where `+where, args...)
	if err != nil {
		return nil, err
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[Report])
	if err != nil || len(list) == 0 {
		return list, err
	}
	byID := make(map[int64]*Report, len(list))
	var ids, people []int64
	for i := range list {
		r := &list[i]
		byID[r.ID] = r
		ids, people = append(ids, r.ID), append(people, r.TargetID)
		if r.ReporterID != nil {
			people = append(people, *r.ReporterID)
		}
	}
	accounts, err := db.accountsByID(ctx, people)
	if err != nil {
		return nil, err
	}
	for i := range list {
		list[i].Target = accounts[list[i].TargetID]
		if by := list[i].ReporterID; by != nil {
			list[i].Reporter = accounts[*by]
		}
	}
	return list, db.fillReportPosts(ctx, ids, byID)
}

func (db *DB) fillReportPosts(ctx context.Context, ids []int64, byID map[int64]*Report) error {
	rows, err := db.q.Query(ctx, `select report_id, post_id from report_posts where report_id = any($1) order by 1, 2`, ids)
	if err != nil {
		return err
	}
	type pair struct{ ReportID, PostID int64 }
	pairs, err := pgx.CollectRows(rows, pgx.RowToStructByPos[pair])
	if err != nil || len(pairs) == 0 {
		return err
	}
	wanted := make([]int64, len(pairs))
	for i, p := range pairs {
		wanted[i] = p.PostID
	}
	posts, err := db.postsWhere(ctx, `p.id = any($1)`, wanted)
	if err != nil {
		return err
	}
	found := make(map[int64]*Post, len(posts))
	for i := range posts {
		found[posts[i].ID] = &posts[i]
	}
	for _, p := range pairs {
		if post := found[p.PostID]; post != nil {
			byID[p.ReportID].Posts = append(byID[p.ReportID].Posts, *post)
		}
	}
	return nil
}

// What the owner can do about a report.
const (
	ActResolve     = "resolve"
	ActReopen      = "reopen"
	ActNote        = "note"
	ActForward     = "forward"      // tell the target's node, with the note instead of what the reporter wrote for this one
	ActSuspend     = "suspend"      // the target
	ActUnsuspend   = "unsuspend"    // the target
	ActDeletePost  = "delete_post"  // PostID, of this node
	ActSilenceHost = "silence_host" // the target's, where it is not suspended
	ActSuspendHost = "suspend_host" // the target's
)

// ReportAct is one step of the owner about a report.
type ReportAct struct {
	Action string
	PostID int64
	Note   string
}

// ActOnReport does what the owner decided, and writes it down with the report, in one transaction. Errors are those of what
// is done; an unknown action, and a post that the report does not name, are ErrNotFound.
func (db *DB) ActOnReport(ctx context.Context, by, id int64, act ReportAct) (err error) {
	defer wrap(&err, "%s report %d", act.Action, id)
	act.Note = tidyText(act.Note)
	e := &Invalid{}
	if checkText("note", act.Note, maxReportComment, true, e); act.Action == ActNote && act.Note == "" {
		e.Add("note", "required", "write a note")
	}
	if err := e.Err(); err != nil {
		return err
	}
	return db.Tx(ctx, func(tx *DB) error {
		if err := tx.requireOwner(ctx, by); err != nil {
			return err
		}
		r, err := tx.ReportForDelivery(ctx, id)
		if err != nil {
			return err
		}
		if err := tx.actOnReport(ctx, by, r, act); err != nil {
			return err
		}
		if act.Action == ActForward { // which writes itself down
			return nil
		}
		return tx.noteReport(ctx, id, &by, act.Action, act.Note)
	})
}

func (db *DB) actOnReport(ctx context.Context, by int64, r *Report, act ReportAct) error {
	switch act.Action {
	case ActNote:
		return nil
	case ActResolve, ActReopen:
		return db.setReportState(ctx, by, r, act.Action == ActResolve)
	case ActForward:
		if r.Host != "" || r.Target.Local() {
			return ErrForbidden
		}
		if _, err := db.q.Exec(ctx, `update reports set forward = true, forward_as = $2 where id = $1 and forwarded is null`, r.ID, act.Note); err != nil {
			return err
		}
		return db.forwardReport(ctx, r.ID, &by, act.Note)
	case ActSuspend:
		return db.SuspendAccount(ctx, by, r.TargetID)
	case ActUnsuspend:
		return db.UnsuspendAccount(ctx, by, r.TargetID)
	case ActDeletePost:
		i := slices.IndexFunc(r.Posts, func(p Post) bool { return p.ID == act.PostID })
		switch {
		case i < 0:
			return ErrNotFound
		case r.Posts[i].Kind == KindListing:
			return db.WithdrawListing(ctx, by, act.PostID)
		}
		return db.DeletePost(ctx, by, act.PostID)
	case ActSilenceHost, ActSuspendHost:
		if r.Target.Local() {
			return ErrForbidden
		}
		severity := Suspend
		if act.Action == ActSilenceHost {
			severity = Silence
		}
		return db.raiseHost(ctx, by, r.Target.Host, severity, fmt.Sprintf("report %d", r.ID))
	}
	return ErrNotFound
}

// setReportState resolves or reopens a report; one that is as wished stays. Reopened beside a newer open report of the
// same is ErrConflict.
func (db *DB) setReportState(ctx context.Context, by int64, r *Report, resolved bool) error {
	sql := `update reports set state = 'open', resolved = null, resolved_by = null, updated = $2 where id = $1 and state = 'resolved' and $3::bigint is not null`
	if resolved {
		sql = `update reports set state = 'resolved', resolved = $2, resolved_by = $3, updated = $2 where id = $1 and state = 'open'`
	}
	_, err := db.q.Exec(ctx, sql, r.ID, db.Now(), by)
	if violates(err, "reports_open") {
		return fmt.Errorf("there is a newer report about the same: %w", ErrConflict)
	}
	if err == nil && resolved {
		_, err = db.q.Exec(ctx, `update notifications set read = $2 where report_id = $1 and read is null`, r.ID, db.Now())
	}
	return err
}
