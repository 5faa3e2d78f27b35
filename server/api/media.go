package api

import (
	"errors"
	"io"
	"math"
	"mime/multipart"
	"net/http"
	"strconv"
	"strings"

	"souk"
	"souk/server/problem"
)

// Media is a picture of this node, or of another one.
type Media struct {
	ID          ID     `json:"id"`
	Type        string `json:"type" enum:"image"`
	URL         string `json:"url" doc:"The largest rendition."`
	PreviewURL  string `json:"preview_url" doc:"A rendition about 640 pixels wide."`
	MIME        string `json:"mime"`
	Width       int    `json:"width" doc:"Of the largest rendition, in pixels; 0 where it is not known."`
	Height      int    `json:"height"`
	Blurhash    string `json:"blurhash"`
	Colour      string `json:"colour" doc:"The average colour, #rrggbb."`
	Description string `json:"description" doc:"The text for those who cannot see it."`
	Focus       Focus  `json:"focus"`
}

// Focus is the point of a picture that must stay visible where it is cut.
type Focus struct {
	X float32 `json:"x" need:"yes" doc:"From -1 (left) to 1 (right)."`
	Y float32 `json:"y" need:"yes" doc:"From -1 (bottom) to 1 (top)."`
}

// NewMedia is an upload: a form of the type multipart/form-data.
type NewMedia struct {
	File        []byte `json:"file" need:"yes" format:"binary" doc:"The picture: JPEG, PNG, GIF or WebP, at most 25 MB."`
	Description string `json:"description" maxlen:"1500" doc:"The text for those who cannot see it."`
	Focus       string `json:"focus" doc:"Two numbers from -1 to 1 with a comma between them: what must stay visible where it is cut."`
}

// MediaChange changes what goes with a picture.
type MediaChange struct {
	Description *string `json:"description" maxlen:"1500" doc:"The text for those who cannot see it."`
	Focus       *Focus  `json:"focus"`
}

const previewWidth = 640

func (a *API) media(m *souk.Media) Media {
	return Media{ID: ID(m.ID), Type: "image", URL: a.DB.BaseURL() + m.Path(math.MaxInt), PreviewURL: a.DB.BaseURL() + m.Path(previewWidth),
		MIME: m.MIME, Width: m.Width, Height: m.Height, Blurhash: m.Blurhash, Colour: m.Colour, Description: m.Alt, Focus: Focus{m.FocalX, m.FocalY}}
}

func (a *API) mediaList(list []souk.Media) []Media {
	out := make([]Media, len(list))
	for i := range list {
		out[i] = a.media(&list[i])
	}
	return out
}

// createMedia takes an upload. The form is read piece by piece, so that a picture is in memory once and nowhere else.
func (a *API) createMedia(r *request, _ NewMedia) (Media, error) {
	u, err := a.upload(r)
	if err != nil {
		return Media{}, err
	}
	ctx := r.Request().Context()
	m, err := a.DB.AddPicture(ctx, r.account.ID, u.picture, u.description)
	if err != nil {
		return Media{}, err
	}
	if u.focus != nil {
		if m, err = a.DB.DescribeMedia(ctx, r.account.ID, m.ID, nil, &u.focus.X, &u.focus.Y); err != nil {
			return Media{}, err
		}
	}
	return a.media(m), nil
}

// upload is a form that was read.
type upload struct {
	picture     *souk.Picture
	description string
	focus       *Focus
}

func (a *API) upload(r *request) (*upload, error) {
	form, err := r.Request().MultipartReader()
	if err != nil {
		return nil, &problem.Error{Status: http.StatusUnsupportedMediaType, Type: "/problems/media-type", Title: "Not a form",
			Detail: "Send the picture as multipart/form-data, in the field file.", Cause: err}
	}
	u, e := &upload{}, &souk.Invalid{}
	for {
		part, err := form.NextPart()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, unreadable(err)
		}
		if err := a.take(r, part, u, e); errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, unreadable(err)
		} else if err != nil {
			return nil, err
		}
	}
	if u.picture == nil {
		e.Add("file", "required", "send a picture in the field file")
	}
	return u, e.Err()
}

// take reads one part of the form.
func (a *API) take(r *request, part *multipart.Part, u *upload, e *souk.Invalid) (err error) {
	name := part.FormName()
	switch {
	case name == "file" && u.picture != nil:
		e.Add("file", "too_many", "send one picture at a time")
	case name == "file":
		u.picture, err = a.Pictures.Process(r.Request().Context(), part)
	case name == "description" || name == "focus":
		text, err := io.ReadAll(io.LimitReader(part, 16<<10))
		if err != nil {
			return err
		}
		if name == "description" {
			u.description = strings.ReplaceAll(strings.ToValidUTF8(string(text), "\uFFFD"), "\x00", "")
		} else {
			u.focus = parseFocus(string(text), e)
		}
	default:
		form := fieldList{{name: "file"}, {name: "description"}, {name: "focus"}}
		e.Add(abridged(name), "unknown", "%s", form.unknown(name))
	}
	return err
}

// unreadable is a form that ends early or is none; one that is too large stays what it is.
func unreadable(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return err
	}
	return &problem.Error{Status: http.StatusBadRequest, Type: "/problems/malformed", Title: "Not a valid form", Detail: "The form cannot be read to its end.", Cause: err}
}

func parseFocus(text string, e *souk.Invalid) *Focus {
	x, y, _ := strings.Cut(strings.TrimSpace(text), ",")
	fx, xerr := strconv.ParseFloat(strings.TrimSpace(x), 32)
	fy, yerr := strconv.ParseFloat(strings.TrimSpace(y), 32)
	if xerr != nil || yerr != nil || !(math.Abs(fx) <= 1 && math.Abs(fy) <= 1) {
		e.Add("focus", "focus", "use two numbers from -1 to 1 with a comma between them")
		return nil
	}
	return &Focus{float32(fx), float32(fy)}
}

func (a *API) changeMedia(r *request, in MediaChange) (Media, error) {
	id, err := r.id()
	if err != nil {
		return Media{}, err
	}
	var x, y *float32
	if in.Focus != nil {
		x, y = &in.Focus.X, &in.Focus.Y
	}
	m, err := a.DB.DescribeMedia(r.Request().Context(), r.account.ID, id, in.Description, x, y)
	if err != nil {
		return Media{}, err
	}
	return a.media(m), nil
}
