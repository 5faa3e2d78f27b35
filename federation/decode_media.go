package federation

import (
	"encoding/json"
	"html"
	"path"
	"slices"
	"strings"

	"souk"
)

// media are the pictures, films and sounds attached. What else is attached becomes a line with a link under the text.
func (o object) media(body *string) []souk.RemoteMedia {
	var list []souk.RemoteMedia
	links := 0
	for _, a := range o.attached() {
		address, mediaType := attachmentURL(a)
		if !validIRI(address) || a.is("PropertyValue") {
			continue
		}
		if played := playable(mediaType, address); played != "" {
			mediaType = played
		} else if !isPicture(a, mediaType, address) {
			if links++; links <= 10 && !strings.Contains(*body, html.EscapeString(address)) {
				*body += paragraphLink(address, linkText(a, address))
			}
			continue
		}
		m := souk.RemoteMedia{URL: address, MIME: mediaType, Width: a.number("width", 100_000), Height: a.number("height", 100_000),
			Blurhash: a.text("blurhash"), Alt: a.first("name", "summary")}
		if focus := a.values("focalPoint"); len(focus) == 2 {
			m.FocalX, m.FocalY = fraction(focus[0]), fraction(focus[1])
		}
		if !slices.ContainsFunc(list, func(known souk.RemoteMedia) bool { return known.URL == address }) {
			list = append(list, m)
		}
	}
	return list
}

// attached are the attachments, an address alone taken as a Link. In titled types the picture of the whole, and where a film
// has none its thumbnail, count among them.
func (o object) attached() []object {
	var list []object
	for _, v := range o.values("attachment") {
		switch v := v.(type) {
		case map[string]any:
			list = append(list, v)
		case string:
			list = append(list, object{"type": "Document", "url": v})
		}
	}
	if !o.titled() {
		return list
	}
	list = append(list, o.objects("image")...)
	if icons := o.objects("icon"); o.is("Video", "Audio") && len(icons) > 0 {
		list = append(list, slices.MaxFunc(icons, func(a, b object) int { return a.number("width", 100_000) - b.number("width", 100_000) }))
	}
	return list
}

// attachmentURL is the address of an attachment: a string, or the first usable of its Links.
func attachmentURL(a object) (address, mediaType string) {
	mediaType = a.text("mediaType")
	for _, v := range append(a.values("url"), a.values("href")...) {
		address, linked := link(v)
		if linked == "" {
			linked = mediaType
		}
		if validIRI(address) {
			return address, linked
		}
	}
	return "", ""
}

// playable is the type of a film or sound as pages play it, "" for anything else. Where it is not said, the name tells.
func playable(mediaType, address string) string {
	if mediaType == "" {
		mediaType = map[string]string{".mp4": "video/mp4", ".webm": "video/webm", ".mov": "video/quicktime", ".mp3": "audio/mpeg", ".ogg": "audio/ogg", ".oga": "audio/ogg",
			".opus": "audio/ogg", ".m4a": "audio/mp4", ".flac": "audio/flac", ".wav": "audio/wav"}[strings.ToLower(path.Ext(lastSegment(address)))]
	}
	mediaType, _ = mediaTypeOf(mediaType)
	return filmTypes[mediaType]
}

func isPicture(a object, mediaType, address string) bool {
	switch {
	case strings.HasPrefix(mediaType, "image/svg"):
		return false
	case strings.HasPrefix(mediaType, "image/"):
		return true
	case mediaType != "" || a.is("Link", "Video", "Audio"):
		return false
	case a.is("Image"):
		return true
	}
	return slices.Contains([]string{".jpg", ".jpeg", ".png", ".gif", ".webp", ".avif"}, strings.ToLower(path.Ext(lastSegment(address))))
}

func linkText(a object, address string) string {
	if name := cut(a.first("name", "summary"), 100); name != "" {
		return name
	}
	return cut(address, 100)
}

func fraction(v any) float32 {
	n, ok := v.(json.Number)
	if !ok {
		return 0
	}
	f, err := n.Float64()
	if err != nil {
		return 0
	}
	return float32(f)
}
