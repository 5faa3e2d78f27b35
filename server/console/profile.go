package console

import (
	"errors"
	"net/http"
	"strconv"

	"souk"
)

// profileRows is how many rows of the profile table the form offers; other servers show four.
const profileRows = 4

type profilePage struct {
	frame
	Form      profileForm
	Avatar    *souk.Media // new or old
	Languages []option
}

type profileForm struct {
	DisplayName, Bio, Lang, Locked, Discoverable, Indexable string
	Rows                                                    []profileRow
}

// profileRow is one row of the profile table.
type profileRow struct {
	Number      int
	Name, Value string
}

// ProfileForm shows what people see of the account.
func (c *Console) ProfileForm(v *Visit) error {
	a := v.me
	form := profileForm{DisplayName: a.DisplayName, Bio: a.BioSource, Lang: a.Lang, Locked: box(a.Locked), Discoverable: box(a.Discoverable), Indexable: box(a.Indexable)}
	for i := range profileRows {
		row := profileRow{Number: i + 1}
		if i < len(a.Fields) {
			row.Name, row.Value = a.Fields[i].Name, souk.Plain(a.Fields[i].Value)
		}
		form.Rows = append(form.Rows, row)
	}
	return c.profilePage(v, http.StatusOK, profilePage{frame: v.frame("settings", "settings.profile"), Form: form, Avatar: a.Avatar})
}

// SaveProfile saves what people see of the account.
func (c *Console) SaveProfile(v *Visit) error {
	done, err := v.parseForm()
	if err != nil {
		return err
	}
	defer done()
	page := profilePage{frame: v.frame("settings", "settings.profile"), Form: profileForm{DisplayName: v.value("display_name"), Bio: v.value("bio"),
		Lang: v.value("lang"), Locked: v.value("locked"), Discoverable: v.value("discoverable"), Indexable: v.value("indexable")}}
	fields := []souk.Field{}
	for i := range profileRows {
		n := strconv.Itoa(i + 1)
		row := profileRow{Number: i + 1, Name: v.value("row-name-" + n), Value: v.value("row-value-" + n)}
		page.Form.Rows = append(page.Form.Rows, row)
		if row.Name != "" && row.Value != "" {
			fields = append(fields, souk.Field{Name: row.Name, Value: row.Value})
		}
	}
	avatar, err := c.avatar(v, &page)
	if err != nil {
		return err
	}
	if len(page.Problems) > 0 {
		return c.profilePage(v, http.StatusUnprocessableEntity, page)
	}
	locked, discoverable, indexable := page.Form.Locked != "", page.Form.Discoverable != "", page.Form.Indexable != ""
	_, err = c.DB.SaveProfile(v.ctx(), v.me.ID, souk.Profile{DisplayName: &page.Form.DisplayName, Bio: &page.Form.Bio, Fields: fields, Lang: &page.Form.Lang,
		AvatarID: avatar, Locked: &locked, Discoverable: &discoverable, Indexable: &indexable})
	switch {
	case v.wrong(&page.frame, err, nil):
		return c.profilePage(v, http.StatusUnprocessableEntity, page)
	case err != nil:
		return err
	}
	v.remember("") // the language of the account is chosen anew
	return v.see("/console/settings/profile", "saved")
}

// avatar is the id of the picture to take: a new upload, one uploaded with an earlier try of this form, 0 for none; nil
// leaves it as it is.
func (c *Console) avatar(v *Visit, page *profilePage) (*int64, error) {
	page.Avatar = v.me.Avatar
	if v.checked("no_avatar") {
		none := int64(0)
		page.Avatar = nil
		return &none, nil
	}
	if form := v.Request().MultipartForm; form != nil && len(form.File["avatar"]) > 0 && form.File["avatar"][0].Size > 0 {
		file := form.File["avatar"][0]
		m, err := c.storePhoto(v, file)
		var invalid *souk.Invalid
		if errors.As(err, &invalid) {
			page.Problems = append(page.Problems, problem{"avatar", v.t("problem.photo", "File", file.Filename, "Reason", v.explain(invalid.Problems[0]))})
			return nil, nil
		} else if err != nil {
			return nil, err
		}
		page.Avatar = m
		return &m.ID, nil
	}
	id, err := souk.ParseID(v.value("avatar_id"))
	if err != nil || v.me.AvatarID != nil && *v.me.AvatarID == id {
		return nil, nil
	}
	m, err := c.DB.MediaOf(v.ctx(), v.me.ID, id)
	if errors.Is(err, souk.ErrNotFound) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	page.Avatar = m
	return &m.ID, nil
}

func (c *Console) profilePage(v *Visit, status int, page profilePage) error {
	page.Languages = c.languages()
	return c.render(v, status, "profile", page)
}
