package console

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"slices"

	"souk"
)

type peoplePage struct {
	frame
	Views    views
	Kind     string // followers, following, blocked, accounts
	Requests []person
	People   []person
	Handle   string // whom to follow, as typed
	Pager    pager
}

// person is one row of a list of people.
type person struct {
	souk.Account
	Address string // handle
	Pending bool   // our follow is not answered yet
}

// peopleKinds are the lists of people that an account sees, the first without a name in the address.
func peopleKinds(me *souk.Account) []string {
	kinds := []string{"followers", "following", "blocked"}
	if me.Role == souk.RoleOwner {
		kinds = append(kinds, "accounts")
	}
	return kinds
}

// People lists followers with their requests, those whom one follows, those whom one blocks, and for the owner the
// accounts of this node.
func (c *Console) People(v *Visit) error {
	page, err := newPeoplePage(v)
	if err != nil {
		return err
	}
	return c.peoplePage(v, http.StatusOK, page)
}

// newPeoplePage is the page of the list that the address names, without the people.
func newPeoplePage(v *Visit) (peoplePage, error) {
	named, kinds := cmp.Or(v.QueryParam("list"), "followers"), peopleKinds(v.me)
	if !slices.Contains(kinds, named) {
		return peoplePage{}, souk.ErrNotFound
	}
	page := peoplePage{frame: v.frame("people", "people_list."+named), Views: views{Label: v.t("people.views")}, Kind: named}
	for _, kind := range kinds {
		page.Views.Options = append(page.Views.Options, option{Value: "/console/people?list=" + url.QueryEscape(kind),
			Label: v.t("people_list." + kind), Current: kind == named})
	}
	return page, nil
}

func (c *Console) peoplePage(v *Visit, status int, page peoplePage) error {
	if err := c.fillPeople(v, &page); err != nil {
		return err
	}
	return c.render(v, status, "people", page)
}

func (c *Console) fillPeople(v *Visit, page *peoplePage) error {
	var accounts []souk.Account
	var follows []souk.FollowEntry
	var err error
	switch page.Kind {
	case "followers":
		var requests []souk.FollowEntry
		if requests, err = c.DB.Followers(v.ctx(), v.me.ID, souk.FollowPending, souk.Page{Limit: pageSize}); err != nil {
			return err
		}
		page.Requests = c.persons(requests)
		follows, err = c.DB.Followers(v.ctx(), v.me.ID, souk.FollowAccepted, v.page())
	case "following":
		var pending []souk.FollowEntry
		if pending, err = c.DB.Following(v.ctx(), v.me.ID, souk.FollowPending, souk.Page{Limit: pageSize}); err != nil {
			return err
		}
		if v.QueryParam("before") == "" {
			page.People = c.persons(pending)
		}
		follows, err = c.DB.Following(v.ctx(), v.me.ID, souk.FollowAccepted, v.page())
	case "blocked":
		accounts, err = c.DB.Blocked(v.ctx(), v.me.ID)
	case "accounts":
		accounts, err = c.DB.People(v.ctx(), v.me.ID)
	}
	if err != nil {
		return err
	}
	page.People = append(page.People, c.persons(follows)...)
	for _, a := range accounts {
		page.People = append(page.People, person{Account: a, Address: c.DB.Handle(&a)})
	}
	if n := len(follows); n > 0 {
		page.Pager = v.pager(n, follows[n-1].ID)
	}
	return nil
}

func (c *Console) persons(follows []souk.FollowEntry) []person {
	var all []person
	for _, f := range follows {
		all = append(all, person{Account: f.Account, Address: c.DB.Handle(&f.Account), Pending: f.State == souk.FollowPending})
	}
	return all
}

// Follow follows somebody by their handle, on any node.
func (c *Console) Follow(v *Visit) error {
	page, err := newPeoplePage(v)
	if err != nil {
		return err
	}
	page.Handle = v.value("handle")
	a, err := c.Federation.ResolveHandle(v.ctx(), page.Handle)
	if err == nil {
		_, err = c.DB.Follow(v.ctx(), v.me.ID, a.ID)
	}
	switch {
	case err == nil:
		return v.Redirect(http.StatusSeeOther, "/console/people?list=following&done=people_follow")
	case v.wrong(&page.frame, err, map[string]string{"account": "handle"}):
	case errors.Is(err, souk.ErrForbidden):
		page.Problems = []problem{{"handle", v.t("people.refused")}}
	case v.unanswered(err):
		page.Problems = []problem{{"handle", v.t("people.not_found")}}
	default:
		return err
	}
	return c.peoplePage(v, http.StatusUnprocessableEntity, page)
}

// Relate changes how one stands to the account that the path names.
func (c *Console) Relate(v *Visit) error {
	id, err := v.id()
	if err != nil {
		return err
	}
	done, list := v.FormValue("do"), "followers"
	switch done {
	case "accept", "reject":
		err = c.DB.AnswerFollow(v.ctx(), v.me.ID, id, done == "accept")
	case "remove":
		err = c.DB.RemoveFollower(v.ctx(), v.me.ID, id)
	case "block":
		err = c.DB.Block(v.ctx(), v.me.ID, id)
	case "unblock":
		list, err = "blocked", c.DB.Unblock(v.ctx(), v.me.ID, id)
	case "unfollow":
		list, err = "following", c.DB.Unfollow(v.ctx(), v.me.ID, id)
	default:
		err = souk.ErrNotFound
	}
	if err != nil {
		return err
	}
	return v.Redirect(http.StatusSeeOther, "/console/people?"+url.Values{"list": {list}, "done": {"people_" + done}}.Encode())
}
