package console

import (
	"fmt"
	"math"
	"net/http"
	"strings"
	"time"

	"souk"
)

// ladderDays is the time that the ladder looks back over.
const ladderDays = 30

// perTodo is how many entries of one kind the first page lists.
const perTodo = 3

type todayPage struct {
	frame
	Sells     bool
	Steps     []step
	Todos     []todo
	NextSteps []nextStep
	StepsLeft int
}

// step is one step of the ladder. Known is false where nothing counts it.
type step struct {
	Key    string
	Count  int
	Known  bool
	Height int // in CSS pixels
}

// todo is one thing that waits for the seller.
type todo struct {
	Text   string // of people, plain
	Lang   string
	Title  string // what it is about
	Action string // on the button
	URL    string
}

// nextStep is a piece of advice that ticks itself.
type nextStep struct {
	Key  string
	URL  string
	Done bool
}

// Today is the first page: the ladder, what waits, and what to do next.
func (c *Console) Today(v *Visit) error {
	now := c.DB.Now()
	since := now.Add(-ladderDays * 24 * time.Hour)
	l, err := c.DB.Ladder(v.ctx(), v.me.ID, since)
	if err != nil {
		return err
	}
	page := todayPage{frame: v.frame("today", "today.title"), Sells: v.me.Sells()}
	steps := []step{{Key: "visitors"}, {Key: "followers", Count: l.Followers, Known: true}, {Key: "participants", Count: l.Participants, Known: true}}
	if page.Sells {
		steps = append(steps, step{Key: "buyers", Count: l.Buyers, Known: true}, step{Key: "regulars", Count: l.Regulars, Known: true})
	}
	page.Steps = scaled(steps)
	if page.Todos, err = c.todos(v, since); err != nil {
		return err
	}
	if page.NextSteps, err = c.nextSteps(v, l); err != nil {
		return err
	}
	for _, s := range page.NextSteps {
		if !s.Done {
			page.StepsLeft++
		}
	}
	return c.render(v, http.StatusOK, "today", page)
}

// todos are the reports, orders, answers to one's own orders, people and pictures that wait, the most pressing first.
func (c *Console) todos(v *Visit, since time.Time) ([]todo, error) {
	var all []todo
	if v.me.Role == souk.RoleOwner {
		counts, err := c.DB.ReportCounts(v.ctx(), v.me.ID)
		if err != nil {
			return nil, err
		}
		if n := counts[souk.ReportOpen]; n > 0 {
			all = append(all, todo{Title: c.words.N(v.lang, "today.reports", n), Action: v.t("today.check"), URL: "/console/moderation/reports"})
		}
	}
	if v.me.Sells() {
		orders, err := c.orderTodos(v)
		if err != nil {
			return nil, err
		}
		all = append(all, orders...)
	}
	bought, err := c.purchaseTodos(v)
	if err != nil {
		return nil, err
	}
	all = append(all, bought...)
	posts, err := c.DB.Unanswered(v.ctx(), v.me.ID, since, perTodo)
	if err != nil {
		return nil, err
	}
	for _, p := range posts {
		all = append(all, todo{Title: v.t("today.asked", "Name", p.Account.Title()), Text: excerpt(p.HTML, 90), Lang: p.Lang,
			Action: v.t("today.answer"), URL: "/console/posts/" + formatID(p.ID)})
	}
	requests, err := c.DB.Followers(v.ctx(), v.me.ID, souk.FollowPending, souk.Page{Limit: perTodo})
	if err != nil {
		return nil, err
	}
	for _, r := range requests {
		all = append(all, todo{Title: v.t("today.request", "Name", r.Account.Title()), Text: c.DB.Handle(&r.Account),
			Action: v.t("today.decide"), URL: "/console/people"})
	}
	undescribed, err := c.DB.Undescribed(v.ctx(), v.me.ID, perTodo)
	if err != nil {
		return nil, err
	}
	for _, p := range undescribed {
		entry := todo{Title: v.t("today.undescribed"), Text: excerpt(p.HTML, 60), Lang: p.Lang, Action: v.t("today.describe"),
			URL: "/console/posts/" + formatID(p.ID) + "/edit"}
		if p.Listing != nil {
			entry.Text, entry.URL = p.Listing.Title, "/console/products/"+formatID(p.ID)
		}
		all = append(all, entry)
	}
	return all, nil
}

func (c *Console) orderTodos(v *Visit) ([]todo, error) {
	var all []todo
	for _, state := range []string{souk.OrderPaid, souk.OrderPlaced} {
		orders, err := c.DB.Orders(v.ctx(), v.me.ID, souk.OrderFilter{State: state}, souk.Page{Limit: perTodo})
		if err != nil {
			return nil, err
		}
		for _, o := range orders {
			var things []string
			for _, l := range o.Lines {
				things = append(things, fmt.Sprintf("%d × %s", l.Quantity, l.Title))
			}
			action := "today.check"
			if state == souk.OrderPaid {
				action = "today.ship"
			}
			all = append(all, todo{Title: v.t("today.order_"+state, "Number", formatID(o.Number)), Text: strings.Join(things, ", "),
				Action: v.t(action), URL: "/console/orders/" + formatID(o.ID)})
		}
	}
	return all, nil
}

// purchaseTodos are the orders at other nodes that stand otherwise than when one last looked.
func (c *Console) purchaseTodos(v *Visit) ([]todo, error) {
	news, err := c.DB.PurchaseNews(v.ctx(), v.me.ID, perTodo)
	if err != nil {
		return nil, err
	}
	var all []todo
	for _, a := range news {
		entry := todo{Title: v.t("purchase_news." + a.State), Text: fmt.Sprintf("%d × %s", a.Quantity, a.Title), Action: v.t("today.check"),
			URL: "/console/purchases"}
		if a.Reason != "" {
			entry.Text += ": " + v.t("purchases.said", "Text", a.Reason)
		}
		all = append(all, entry)
	}
	return all, nil
}

// nextSteps are at most five pieces of advice; what the database says ticks them, never a click (C-06).
func (c *Console) nextSteps(v *Visit, l *souk.Ladder) ([]nextStep, error) {
	var steps []nextStep
	if v.me.Sells() {
		counts, err := c.DB.ListingCounts(v.ctx(), v.me.ID)
		if err != nil {
			return nil, err
		}
		offered := counts[souk.ListingPublished] + counts[souk.ListingSoldOut]
		steps = append(steps, nextStep{"product", "/console/products/new", offered > 0})
	}
	posts, err := c.DB.PostCount(v.ctx(), v.me.ID)
	if err != nil {
		return nil, err
	}
	steps = append(steps,
		nextStep{"post", "/console/posts/new", posts > 0},
		nextStep{"face", "/console/settings/profile", v.me.AvatarID != nil && v.me.Bio != ""})
	if v.me.Role == souk.RoleOwner {
		steps = append(steps, nextStep{"payment", "/console/settings/shop", v.shop.PaymentNote != "" || v.shop.DeliveryNote != ""})
	}
	return append(steps, nextStep{"follower", "/console/people", l.Followers > 0}), nil
}

// ladderHeight is how high the highest step is drawn, in CSS pixels.
const ladderHeight = 160

// scaled gives the steps their heights. The scale is logarithmic: every tenfold is as much higher, and a step of nobody is
// a line. What nothing counts has no height.
func scaled(steps []step) []step {
	highest := 10
	for _, s := range steps {
		highest = max(highest, s.Count)
	}
	for i, s := range steps {
		if s.Known {
			steps[i].Height = 3 + int((ladderHeight-3)*math.Log10(float64(s.Count)+1)/math.Log10(float64(highest)+1))
		}
	}
	return steps
}

// morePage is the menu of a phone: what the bottom bar has no room for.
type morePage struct{ frame }

// More shows the menu of a phone.
func (c *Console) More(v *Visit) error {
	return c.render(v, http.StatusOK, "more", morePage{v.frame("more", "nav.more")})
}
