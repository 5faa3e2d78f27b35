package console

import (
	"net/http"
	"strings"

	"souk"
)

const pullPath = "/console/settings/account/followers"

// maxFailedPulls is how many followers who could not be told a page lists.
const maxFailedPulls = 100

type pullPage struct {
	frame
	List    string // as typed or uploaded
	Olds    []option
	Pulls   []souk.Pull
	Waiting int // in all of them
	Failed  []souk.PulledFollower
	More    bool // failed, and not listed
}

// PullForm asks for a list of followers of an old account whose server is gone, and shows how far they were told.
func (c *Console) PullForm(v *Visit) error {
	return c.pullPage(v, http.StatusOK, pullPage{frame: v.frame("settings", "pull.title")})
}

func (c *Console) pullPage(v *Visit, status int, page pullPage) (err error) {
	for _, uri := range v.me.AlsoKnownAs {
		if !strings.HasPrefix(uri, c.DB.BaseURL()+"/") {
			page.Olds = append(page.Olds, option{Value: uri, Label: uri, Current: uri == v.value("old")})
		}
	}
	if page.Pulls, err = c.DB.Pulls(v.ctx(), v.me.ID); err != nil {
		return err
	}
	for _, p := range page.Pulls {
		page.Waiting += p.Waiting
	}
	if page.Failed, err = c.DB.FailedPulls(v.ctx(), v.me.ID, maxFailedPulls+1); err != nil {
		return err
	}
	if page.More = len(page.Failed) > maxFailedPulls; page.More {
		page.Failed = page.Failed[:maxFailedPulls]
	}
	return c.render(v, status, "pull", page)
}

// Pull has the followers of a list told, or stops that.
func (c *Console) Pull(v *Visit) error {
	if v.FormValue("do") == "stop" {
		if err := c.DB.StopPull(v.ctx(), v.me.ID); err != nil {
			return err
		}
		return v.see(pullPath, "pull_stop")
	}
	page := pullPage{frame: v.frame("settings", "pull.title")}
	var err error
	if page.List, err = v.list(souk.MaxFollowerList); err != nil {
		return err
	}
	followers, err := souk.ParseFollowerList(page.List)
	if err == nil {
		err = c.Federation.StartPull(v.ctx(), v.me.ID, v.value("old"), followers)
	}
	switch {
	case v.wrongLines(&page.frame, err, page.List, nil):
		return c.pullPage(v, http.StatusUnprocessableEntity, page)
	case err != nil:
		return err
	}
	return v.see(pullPath, "pull_start")
}
