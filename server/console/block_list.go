package console

import (
	"net/http"
	"strings"

	"souk"
)

type blockListRow struct {
	souk.BlockSubscription
	Name   string // the address without its scheme
	Why    string // why it could not be read: a key of list_trouble
	Detail string // with it
}

type blockListsPage struct {
	frame
	Views    views
	Lists    []blockListRow
	Proposed []souk.ProposedBlock
	Names    map[int64]string
	URL      string // as typed
}

func blockListOf(s souk.BlockSubscription) blockListRow {
	row := blockListRow{BlockSubscription: s}
	_, row.Name, _ = strings.Cut(s.URL, "://")
	row.Why, row.Detail = s.Trouble()
	return row
}

// BlockLists shows the lists of blocked domains that the owner subscribed to, what they propose, and a form to subscribe.
func (c *Console) BlockLists(v *Visit) error {
	return c.blockListsPage(v, http.StatusOK, blockListsPage{frame: v.frame("moderation", "block_lists.title")})
}

func (c *Console) blockListsPage(v *Visit, status int, page blockListsPage) error {
	page.Views, page.Names = v.moderationViews("lists"), map[int64]string{}
	lists, err := c.DB.BlockSubscriptions(v.ctx(), v.me.ID)
	if err != nil {
		return err
	}
	for _, s := range lists {
		row := blockListOf(s)
		page.Lists, page.Names[s.ID] = append(page.Lists, row), row.Name
	}
	if page.Proposed, err = c.DB.ProposedBlocks(v.ctx(), v.me.ID); err != nil {
		return err
	}
	return c.render(v, status, "block-lists", page)
}

// SubscribeBlockList subscribes to a list.
func (c *Console) SubscribeBlockList(v *Visit) error {
	page := blockListsPage{frame: v.frame("moderation", "block_lists.title"), URL: v.value("url")}
	_, err := c.DB.SubscribeBlockList(v.ctx(), v.me.ID, page.URL)
	switch {
	case v.wrong(&page.frame, err, nil):
		return c.blockListsPage(v, http.StatusUnprocessableEntity, page)
	case err != nil:
		return err
	}
	return v.see("/console/moderation/lists", "list_subscribed")
}

// DecideProposed puts in force what lists propose about a domain, or leaves it alone.
func (c *Console) DecideProposed(v *Visit) error {
	confirm, done := v.FormValue("do") == "confirm", "list_declined"
	if confirm {
		done = "host_blocked"
	}
	if err := c.DB.DecideProposed(v.ctx(), v.me.ID, v.value("domain"), confirm); err != nil {
		return err
	}
	return v.see("/console/moderation/lists", done)
}

type blockListPage struct {
	frame
	List blockListRow
}

// UnsubscribeBlockListForm asks whether a subscription shall end.
func (c *Console) UnsubscribeBlockListForm(v *Visit) error {
	id, err := v.id()
	if err != nil {
		return err
	}
	s, err := c.DB.BlockSubscription(v.ctx(), v.me.ID, id)
	if err != nil {
		return err
	}
	return c.render(v, http.StatusOK, "block-list", blockListPage{frame: v.frame("moderation", "block_lists.leave_title"), List: blockListOf(*s)})
}

// ChangeBlockList has a list read now, or ends its subscription.
func (c *Console) ChangeBlockList(v *Visit) error {
	id, err := v.id()
	if err != nil {
		return err
	}
	done := "list_read"
	if v.FormValue("do") == "unsubscribe" {
		done, err = "list_unsubscribed", c.DB.UnsubscribeBlockList(v.ctx(), v.me.ID, id)
	} else {
		err = c.DB.ReadBlockListSoon(v.ctx(), v.me.ID, id)
	}
	if err != nil {
		return err
	}
	return v.see("/console/moderation/lists", done)
}
