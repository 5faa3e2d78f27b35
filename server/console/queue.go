package console

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"souk"
)

type deliveriesPage struct {
	frame
	Post       *souk.Post
	Host       string // asked about, as typed
	Absent     string // why the post is not addressed to Host, as a sentence
	Deliveries []deliveryRow
	Owner      bool
	Pager      pager
}

// deliveryRow is one delivery in words.
type deliveryRow struct {
	souk.DeliveryState
	What   string // the kind of activity
	Why    string
	Advice string     // what to do about it; empty: nothing
	Next   *time.Time // the next try, where one is ahead
}

// Retries reports whether the owner may have it tried now.
func (r deliveryRow) Retries() bool {
	return !r.Blocked && !r.Held && (r.State == "failed" || r.State == "dropped" || r.State == "queued" && r.Next != nil)
}

// Deliveries shows on which nodes a post arrived, and why not on others.
func (c *Console) Deliveries(v *Visit) error {
	p, err := c.ownPost(v)
	if err != nil {
		return err
	}
	page := deliveriesPage{frame: v.frame("posts", "deliveries.title"), Post: p, Host: v.QueryParam("host"), Owner: v.me.Role == souk.RoleOwner}
	host := hostIn(page.Host)
	list, err := c.DB.DeliveryStates(v.ctx(), v.me.ID, souk.QueueFilter{PostID: p.ID, Host: host}, v.page())
	if err != nil {
		return err
	}
	for _, d := range list {
		row := deliveryRow{DeliveryState: d, What: d.Type, Why: v.t("delivery_why." + d.Why())}
		if what := "delivery_type." + d.Type; c.words.Has(what) {
			row.What = v.t(what)
		}
		if advice := "delivery_advice." + d.Why(); c.words.Has(advice) {
			row.Advice = v.t(advice)
		}
		if next := d.NextTry(); d.State == "queued" && !d.Held && next.After(c.DB.Now()) {
			row.Next = &next
		}
		page.Deliveries = append(page.Deliveries, row)
	}
	if host != "" && len(list) == 0 {
		code, err := c.DB.WhyNot(v.ctx(), v.me.ID, p, host)
		if err != nil {
			return err
		}
		page.Absent = v.t("delivery_absent."+code, "Host", host)
	}
	if n := len(list); n > 0 {
		page.Pager = v.pager(n, list[n-1].ID)
	}
	return c.render(v, http.StatusOK, "deliveries", page)
}

// hostIn is the host in what people write for a node: its address, somebody's handle, or itself.
func hostIn(text string) string {
	text = strings.TrimSpace(text)
	if _, after, ok := strings.Cut(text, "://"); ok {
		text = after
	}
	text, _, _ = strings.Cut(text, "/")
	return strings.ToLower(text[strings.LastIndex(text, "@")+1:])
}

type queuePage struct {
	frame
	Hosts []queueRow
	Total int    // deliveries that wait, for all hosts
	Host  string // asked about, as typed
	More  int    // hosts that are not shown
}

// queueHosts is how many hosts the page shows: those for which most waits. Another is found by its name.
const queueHosts = 100

// queueRow is what waits for one host, in words.
type queueRow struct {
	souk.QueuedHost
	Why  string
	Next *time.Time
}

// Queue shows what waits to be delivered, by host.
func (c *Console) Queue(v *Visit) error {
	page := queuePage{frame: v.frame("nodes", "queue.title"), Host: v.QueryParam("host")}
	hosts, err := c.DB.Queue(v.ctx(), v.me.ID, souk.QueueFilter{Host: hostIn(page.Host)})
	if err != nil {
		return err
	}
	for i, h := range hosts {
		page.Total += h.Waiting
		if i >= queueHosts {
			page.More++
			continue
		}
		row := queueRow{QueuedHost: h, Why: v.t("delivery_why." + h.Why())}
		if h.NextAt != nil && h.State != souk.QueueHeld && h.NextAt.After(c.DB.Now()) {
			row.Next = h.NextAt
		}
		page.Hosts = append(page.Hosts, row)
	}
	return c.render(v, http.StatusOK, "queue", page)
}

// ChangeQueue tries again, drops, holds or lets go what the form names: a host's deliveries, or one of a post.
func (c *Console) ChangeQueue(v *Visit) error {
	f := souk.QueueFilter{Host: v.value("host")}
	back := "/console/queue"
	if post, err := strconv.ParseInt(v.value("post"), 10, 64); err == nil {
		if f.DeliveryID, err = strconv.ParseInt(v.value("delivery"), 10, 64); err != nil {
			return souk.ErrNotFound
		}
		back = "/console/posts/" + formatID(post) + "/deliveries"
	}
	var err error
	done := v.value("do")
	switch done {
	case "retry":
		_, err = c.DB.RetryDeliveries(v.ctx(), v.me.ID, f)
	case "drop":
		_, err = c.DB.DropDeliveries(v.ctx(), v.me.ID, f)
	case "hold", "release":
		err = c.DB.HoldHost(v.ctx(), v.me.ID, f.Host, done == "hold")
	default:
		err = souk.ErrNotFound
	}
	if err != nil {
		return err
	}
	return v.Redirect(http.StatusSeeOther, back+"?"+url.Values{"done": {"queue_" + done}}.Encode())
}
