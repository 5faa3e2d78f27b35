package console

import "net/http"

type accessPage struct {
	frame
	Secure string // the box's value
}

// AccessForm shows who may read this node's documents from other servers.
func (c *Console) AccessForm(v *Visit) error {
	on, err := c.DB.SecureMode(v.ctx())
	if err != nil {
		return err
	}
	return c.render(v, http.StatusOK, "access", accessPage{v.frame("settings", "settings.access"), box(on)})
}

// SaveAccess turns secure mode on or off.
func (c *Console) SaveAccess(v *Visit) error {
	if err := c.DB.SetSecureMode(v.ctx(), v.me.ID, v.value("secure") != ""); err != nil {
		return err
	}
	return v.see("/console/settings/access", "saved")
}
