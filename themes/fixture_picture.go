package themes

import (
	"fmt"
	"path"
	"strings"
)

// fixturePictures is where the pictures of the fixture shop are served: fixturePictures + name + ".svg".
const fixturePictures = "/fixture/"

// still is one drawn picture of the fixture shop: a pot before a wall.
type still struct{ wall, clay, shape string }

var potShapes = map[string]string{
	"mug":   "M130 190h120v110a40 40 0 0 1-40 40h-40a40 40 0 0 1-40-40zM250 215h22a34 34 0 0 1 0 70h-22v-20h20a14 14 0 0 0 0-30h-20z",
	"bowl":  "M90 215h220c0 70-45 110-82 118v17h-56v-17c-37-8-82-48-82-118z",
	"pot":   "M125 235a75 70 0 0 1 150 0v50a60 60 0 0 1-60 60h-30a60 60 0 0 1-60-60zM275 250l52-34 6 12-44 50zM127 250c-50-6-50 66 4 60l-3-16c-24 2-24-30 0-28zM188 152h24v18h-24z",
	"vase":  "M175 120h50v40c0 30 50 55 50 115 0 45-30 75-75 75s-75-30-75-75c0-60 50-85 50-115z",
	"plate": "M75 270a125 46 0 1 0 250 0 125 46 0 1 0-250 0z",
	"cup":   "M140 210h120l-16 118a22 22 0 0 1-22 19h-44a22 22 0 0 1-22-19z",
}

var stills = map[string]still{
	"cup": {"#cfd8cf", "#9db8a6", "cup"}, "cup2": {"#d7ded7", "#8aa896", "cup"}, "mug": {"#e9dfcf", "#d8c5a6", "mug"},
	"teapot": {"#d9cdc6", "#6f4438", "pot"}, "bowl": {"#dfe3e0", "#8d9691", "bowl"}, "vase": {"#d7dde3", "#e9eef0", "vase"},
	"plate": {"#cfc9c1", "#3f3a36", "plate"}, "gaiwan": {"#ece7df", "#fbfaf7", "bowl"}, "pourer": {"#d5d9cf", "#a9b79c", "cup"},
	"winter": {"#dfe0cf", "#8fae9e", "vase"}, "face": {"#d9cdb8", "#0f5c56", ""}, "face2": {"#cbd5cf", "#c8741a", ""},
}

// FixturePicture draws the picture at an address of the fixture shop as an SVG document; false when it is none of them.
func FixturePicture(address string) ([]byte, bool) {
	address, _, _ = strings.Cut(address, "?")
	if !strings.HasPrefix(address, fixturePictures) {
		return nil, false
	}
	s, ok := stills[strings.TrimSuffix(path.Base(address), ".svg")]
	if !ok {
		return nil, false
	}
	const head = `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %[1]d %[2]d"><path fill="%[3]s" d="M0 0h%[1]dv%[2]dH0z"/>`
	if s.shape == "" {
		return fmt.Appendf(nil, head+`<circle cx="200" cy="160" r="70" fill="#5b4132"/><path d="M60 400c0-100 70-150 140-150s140 50 140 150z" fill="%[4]s"/></svg>`,
			400, 400, s.wall, s.clay), true
	}
	return fmt.Appendf(nil, head+`<defs><linearGradient id="l"><stop stop-color="#fff" stop-opacity=".35"/>`+
		`<stop offset=".4" stop-color="#fff" stop-opacity="0"/><stop offset="1" stop-opacity=".28"/></linearGradient></defs>`+
		`<path d="M0 345h400v155H0z" opacity=".07"/><ellipse cx="212" cy="349" rx="92" ry="9" opacity=".2"/>`+
		`<path fill="%[4]s" d="%[5]s"/><path fill="url(#l)" d="%[5]s"/></svg>`, 400, 500, s.wall, s.clay, potShapes[s.shape]), true
}

func picture(name, alt string) *Picture {
	at := fixturePictures + name + ".svg"
	return &Picture{
		URL: at + "?w=1200", Width: 1200, Height: 1500, Alt: alt, Colour: stills[name].wall,
		Sizes: []PictureSize{{at + "?w=320", 320}, {at + "?w=640", 640}, {at + "?w=1200", 1200}},
	}
}

func portrait(name string) *Picture {
	return &Picture{URL: fixturePictures + name + ".svg", Width: 400, Height: 400, Colour: stills[name].wall}
}
