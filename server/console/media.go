package console

import (
	"errors"
	"fmt"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"souk"
)

const (
	// MaxUpload bounds the body of a form with pictures: as many as a post may have, of the size that one may have, and
	// room for the texts.
	MaxUpload = souk.MaxPhotos*(25<<20) + 1<<20
	// formMemory is how much of a form is held in memory; larger files wait on disk.
	formMemory = 4 << 20
	maxAltText = 1500
)

// gallery is the pictures part of a form: those uploaded already, in order, each with its text. They are rows of the
// database that hang on nothing until the form is saved, so they survive whatever is wrong with the rest of it.
type gallery struct {
	Photos  []photo
	Problem string
	Focus   string // id of the control to go on with
	Hint    string
}

// photo is one picture of a form.
type photo struct {
	souk.Media
	Alt   string // as typed, which may not be stored yet
	First bool
	Last  bool
}

// Room is how many more pictures fit.
func (g gallery) Room() int { return souk.MaxPhotos - len(g.Photos) }

// IDs are the pictures in order, for the domain.
func (g gallery) IDs() []int64 {
	ids := make([]int64, len(g.Photos))
	for i, p := range g.Photos {
		ids[i] = p.ID
	}
	return ids
}

// galleryOf shows the pictures that a post has.
func galleryOf(media []souk.Media) gallery {
	var g gallery
	for _, m := range media {
		g.Photos = append(g.Photos, photo{Media: m, Alt: m.Alt})
	}
	return g.placed()
}

// placed marks the ends, so that they offer no step beyond.
func (g gallery) placed() gallery {
	for i := range g.Photos {
		g.Photos[i].First, g.Photos[i].Last = i == 0, i == len(g.Photos)-1
	}
	return g
}

// parseForm reads a form with pictures; the caller must call the function that it returns when it is done with them.
func (v *Visit) parseForm() (done func(), err error) {
	r := v.Request()
	err = r.ParseMultipartForm(formMemory)
	var tooLarge *http.MaxBytesError
	switch {
	case err == nil, errors.Is(err, http.ErrNotMultipart):
	case errors.As(err, &tooLarge):
		return nil, err
	default:
		return nil, echo.NewHTTPError(http.StatusBadRequest, "the form did not arrive whole").SetInternal(err)
	}
	return func() {
		if r.MultipartForm != nil {
			if err := r.MultipartForm.RemoveAll(); err != nil {
				v.console.Log.Warn("temporary files of a form not removed", "error", err)
			}
		}
	}, nil
}

// gallery takes the pictures of a form that was sent: those it names already, and those that came with it as files. The
// button that was pressed may have moved one or taken it away; then stay is true, and the form is only to be shown again.
func (c *Console) gallery(v *Visit, f *frame) (g gallery, stay bool, err error) {
	for _, text := range v.values("photo") {
		id, err := souk.ParseID(text)
		if err != nil {
			continue
		}
		m, err := c.DB.MediaOf(v.ctx(), v.me.ID, id)
		if errors.Is(err, souk.ErrNotFound) {
			continue
		} else if err != nil {
			return g, false, err
		}
		g.Photos = append(g.Photos, photo{Media: *m, Alt: v.value("alt-" + text)})
	}
	var problems []string
	if form := v.Request().MultipartForm; form != nil {
		for _, file := range form.File["photos"] {
			said, err := c.addPhoto(v, &g, file)
			if err != nil {
				return g, false, err
			}
			if said != "" {
				problems = append(problems, said)
			}
		}
	}
	for _, p := range g.Photos {
		if utf8.RuneCountInString(p.Alt) > maxAltText {
			problems = append(problems, v.t("problem.alt_long"))
		}
	}
	stay = g.press(v.FormValue("do"))
	if g.Problem = strings.Join(problems, " "); g.Problem != "" {
		f.Problems = append(f.Problems, problem{Field: "photos", Message: g.Problem})
	}
	g = g.placed()
	return g, stay, nil
}

// addPhoto stores an uploaded file as a picture of the gallery, or says by its name what is wrong with it.
func (c *Console) addPhoto(v *Visit, g *gallery, file *multipart.FileHeader) (said string, err error) {
	if file.Filename == "" && file.Size == 0 {
		return "", nil // the input was left empty
	}
	if g.Room() <= 0 {
		return v.t("problem.photo_room", "File", file.Filename, "Max", souk.MaxPhotos), nil
	}
	m, err := c.storePhoto(v, file)
	var invalid *souk.Invalid
	if errors.As(err, &invalid) {
		return v.t("problem.photo", "File", file.Filename, "Reason", v.explain(invalid.Problems[0])), nil
	} else if err != nil {
		return "", err
	}
	g.Photos = append(g.Photos, photo{Media: *m})
	if g.Focus == "" {
		g.Focus = "alt-" + formatID(m.ID)
	}
	return "", nil
}

func (c *Console) storePhoto(v *Visit, file *multipart.FileHeader) (*souk.Media, error) {
	body, err := file.Open()
	if err != nil {
		return nil, fmt.Errorf("uploaded file: %w", err)
	}
	defer body.Close() // only read from
	picture, err := c.Pictures.Process(v.ctx(), body)
	if err != nil {
		return nil, err
	}
	return c.DB.AddPicture(v.ctx(), v.me.ID, picture, "")
}

// press does what a button of the gallery says: "earlier-ID", "later-ID", "remove-ID", "upload". It is false for buttons
// of other parts of the form.
func (g *gallery) press(button string) bool {
	if button == "upload" {
		return true
	}
	verb, text, found := strings.Cut(button, "-")
	id, err := souk.ParseID(text)
	if !found || err != nil {
		return false
	}
	i := slices.IndexFunc(g.Photos, func(p photo) bool { return p.ID == id })
	if i < 0 {
		return true
	}
	switch verb {
	case "earlier":
		if i > 0 {
			g.Photos[i-1], g.Photos[i] = g.Photos[i], g.Photos[i-1]
		}
		if g.Focus = button; i <= 1 {
			g.Focus = "later-" + text // the moved picture is the first now
		}
	case "later":
		if i < len(g.Photos)-1 {
			g.Photos[i+1], g.Photos[i] = g.Photos[i], g.Photos[i+1]
		}
		if g.Focus = button; i >= len(g.Photos)-2 {
			g.Focus = "earlier-" + text
		}
	case "remove":
		g.Photos = slices.Delete(g.Photos, i, i+1)
		g.Focus = "photos"
	}
	return true
}

// describe stores the texts of the pictures, in the transaction that saves the form.
func (g gallery) describe(v *Visit, tx *souk.DB) error {
	for _, p := range g.Photos {
		if p.Alt == p.Media.Alt {
			continue
		}
		if _, err := tx.DescribeMedia(v.ctx(), v.me.ID, p.ID, &p.Alt, nil, nil); err != nil {
			return err
		}
	}
	return nil
}
