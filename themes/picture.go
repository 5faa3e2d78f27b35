package themes

import (
	"fmt"
	"html"
	"html/template"
	"math"
	"net/url"
	"strconv"
	"strings"

	qrcode "github.com/skip2/go-qrcode"
)

// sizesOf says how wide a picture is shown, by the name of its place in the default theme's grid.
func sizesOf(place string) (string, error) {
	switch place {
	case "card":
		return "(min-width:1192px) 275px, (min-width:760px) 24vw, 46vw", nil
	case "lead":
		return "(min-width:1192px) 600px, (min-width:860px) 52vw, 94vw", nil
	case "shot":
		return "(min-width:1192px) 590px, (min-width:860px) 50vw, 92vw", nil
	case "half":
		return "(min-width:860px) 290px, 46vw", nil
	case "wide":
		return "(min-width:760px) 720px, 94vw", nil
	case "thumb":
		return "96px", nil
	case "face":
		return "88px", nil
	}
	return "", fmt.Errorf("no picture size %q", place)
}

// img writes p (a Picture, or a *Picture that may be nil) for a place of the page. The picture's own text, else alt,
// describes it; a face is decoration beside a name. Only the first picture of a page is loaded at once.
func (h *helpers) img(p any, place, alt string, first bool) (template.HTML, error) {
	var pic Picture
	switch v := p.(type) {
	case Picture:
		pic = v
	case *Picture:
		if v == nil {
			return "", nil
		}
		pic = *v
	default:
		return "", fmt.Errorf("img: %T is no picture", p)
	}
	sizes, err := sizesOf(place)
	if err != nil {
		return "", err
	}
	src := pictureURL(pic.URL)
	if src == "" {
		return "", nil
	}
	if pic.Alt != "" {
		alt = pic.Alt
	}
	if place == "face" {
		alt = ""
	}
	var b strings.Builder
	attr := func(name, value string) {
		b.WriteString(" " + name + `="` + html.EscapeString(value) + `"`)
	}
	b.WriteString("<img")
	attr("src", src)
	if set := srcset(pic.Sizes); set != "" {
		attr("srcset", set)
		attr("sizes", sizes)
	}
	if pic.Width > 0 && pic.Height > 0 {
		attr("width", strconv.Itoa(pic.Width))
		attr("height", strconv.Itoa(pic.Height))
	}
	attr("alt", alt)
	if c := strings.TrimSpace(focalClass(pic) + " " + toneClass(pic.Colour)); c != "" {
		attr("class", c)
	}
	if first {
		attr("fetchpriority", "high")
	} else {
		attr("loading", "lazy")
		attr("decoding", "async")
	}
	b.WriteString(">")
	return template.HTML(b.String()), nil
}

// pictureURL is u when it is an http address or lies on this site, else empty.
func pictureURL(u string) string {
	parsed, err := url.Parse(u)
	if err != nil || (parsed.Scheme != "" && parsed.Scheme != "https" && parsed.Scheme != "http") {
		return ""
	}
	return u
}

func srcset(sizes []PictureSize) string {
	var parts []string
	for _, s := range sizes {
		u := pictureURL(s.URL)
		if u != "" && s.Width > 0 && !strings.ContainsAny(u, " ,") {
			parts = append(parts, u+" "+strconv.Itoa(s.Width)+"w")
		}
	}
	return strings.Join(parts, ", ")
}

// focalClass names the classes that keep the focal point in view when the picture is cropped: five steps each way, since
// a strict content security policy allows no style attribute.
func focalClass(p Picture) string {
	if p.FocalX == 0 && p.FocalY == 0 {
		return ""
	}
	step := func(v float64) int { return int(math.Round((math.Max(-1, math.Min(1, v)) + 1) * 2)) }
	return fmt.Sprintf("fx%d fy%d", step(p.FocalX), step(-p.FocalY))
}

// toneClass names the placeholder colour nearest to "#rrggbb": three levels of each channel, see toneCSS.
func toneClass(colour string) string {
	if len(colour) != 7 || colour[0] != '#' {
		return ""
	}
	v, err := strconv.ParseUint(colour[1:], 16, 32)
	if err != nil {
		return ""
	}
	level := func(c uint64) uint64 { return min(c*3/256, 2) }
	return fmt.Sprintf("tone%d", level(v>>16)*9+level(v>>8&255)*3+level(v&255))
}

// toneCSS is the style sheet of toneClass and focalClass.
func toneCSS() string {
	var b strings.Builder
	levels := [3]int{0x52, 0x9c, 0xe2}
	for i := range 27 {
		fmt.Fprintf(&b, ".tone%d{background:#%02x%02x%02x}", i, levels[i/9], levels[i/3%3], levels[i%3])
	}
	for i := range 5 {
		fmt.Fprintf(&b, ".fx%d{--fx:%d%%}.fy%d{--fy:%d%%}", i, i*25, i, i*25)
	}
	return b.String() + "\n"
}

// qr draws text as a QR code with a title for those who cannot see it.
func qr(text, title string) (template.HTML, error) {
	code, err := qrcode.New(text, qrcode.Medium)
	if err != nil {
		return "", fmt.Errorf("qr: %w", err)
	}
	bits := code.Bitmap() // with the quiet zone of four modules
	var path strings.Builder
	for y, row := range bits {
		for x := 0; x < len(row); x++ {
			if !row[x] {
				continue
			}
			run := 1
			for x+run < len(row) && row[x+run] {
				run++
			}
			fmt.Fprintf(&path, "M%d %dh%dv1h-%dz", x, y, run, run)
			x += run
		}
	}
	return template.HTML(fmt.Sprintf(
		`<svg class="qr" viewBox="0 0 %d %d" role="img" shape-rendering="crispEdges"><title>%s</title><path fill="#fff" d="M0 0h%dv%dH0z"/><path fill="#000" d="%s"/></svg>`,
		len(bits), len(bits), html.EscapeString(title), len(bits), len(bits), path.String())), nil
}
