package souk

import (
	"slices"
	"testing"
	"time"
)

func TestNotifications(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	ctx := t.Context()
	to := m.owner.ID
	tea, _ := m.goods(m.owner, "Tea", 1, 1200)
	tell := func(accountID int64, kind string, fromID, postID int64) {
		t.Helper()
		m.pass(time.Second)
		if err := m.notify(ctx, accountID, kind, fromID, postID, 0); err != nil {
			t.Fatal(err)
		}
	}
	var names []int64
	for _, name := range []string{"cy", "di", "eve"} {
		names = append(names, must(m.CreateAccount(ctx, NewAccount{Name: name, Password: "market lane 3"}))(t).ID)
	}
	m.exec(`insert into blocks (blocker_id, blocked_id, uri, created) values ($1, $2, 'x', $3)`, to, names[2], m.Now())
	tell(to, NotifyFollow, names[0], 0)
	tell(to, NotifyFollow, names[0], 0)  // again
	tell(to, NotifyLike, names[0], tea)  // another kind
	tell(to, NotifyLike, names[1], tea)  // another person
	tell(to, NotifyFollow, to, 0)        // oneself
	tell(to, NotifyFollow, names[2], 0)  // blocked
	tell(names[1], NotifyFollow, to, 0)  // to somebody else
	tell(1, NotifyFollow, names[0], tea) // to nobody

	all := must(m.Notifications(ctx, to, Page{}))(t)
	var got []string
	for _, n := range all {
		got = append(got, n.Kind)
	}
	if !slices.Equal(got, []string{NotifyLike, NotifyLike, NotifyFollow}) || all[0].FromID != names[1] || all[0].PostID != tea || all[0].Read != nil {
		t.Fatalf("told: %+v", all)
	}
	page := func(p Page, kinds ...string) (ids []int64) {
		for _, n := range must(m.Notifications(ctx, to, p, kinds...))(t) {
			ids = append(ids, n.ID)
		}
		return ids
	}
	for what, c := range map[string]struct{ got, want []int64 }{
		"first":   {page(Page{Limit: 2}), []int64{all[0].ID, all[1].ID}},
		"next":    {page(Page{Limit: 2, Before: all[1].ID}), []int64{all[2].ID}},
		"upwards": {page(Page{Limit: 1, After: all[2].ID}), []int64{all[1].ID}},
		"between": {page(Page{After: all[2].ID, Before: all[0].ID}), []int64{all[1].ID}},
		"follows": {page(Page{}, NotifyFollow, NotifyMention), []int64{all[2].ID}},
	} {
		if !slices.Equal(c.got, c.want) {
			t.Errorf("%s: %v, want %v", what, c.got, c.want)
		}
	}

	if err := m.MarkRead(ctx, to, all[1].ID); err != nil {
		t.Fatal(err)
	}
	if n := must(m.UnreadCount(ctx, to))(t); n != 1 {
		t.Errorf("%d unread, want 1", n)
	}
	if n := must(m.UnreadCount(ctx, names[1]))(t); n != 1 {
		t.Errorf("%d unread of somebody else, want 1", n)
	}
	must(m.Notification(ctx, to, all[0].ID))(t)
	_, err := m.Notification(ctx, names[0], all[0].ID)
	wantErr(t, "another's notification", err, ErrNotFound)
}
