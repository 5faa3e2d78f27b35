package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/jpeg"
	"math"
)

// drawPicture draws a picture for the demo and returns it as a phone's camera would send it: JPEG, 1600 x 2000 pixels to look at
// (a portrait 1600 x 1600), stored lying on its side with the EXIF orientation that turns it upright, and with the GPS position
// of the studio. Publishing one shows that a node turns pictures and strips what is nobody's business.
//
// Kinds: of the potter cup, mug, bowl, vase, teapot, plate; of the printer print, cloth, notebook; portraits potter, printer,
// reader. finish names a pot's glaze (celadon, oatmeal, iron, ash, purple, white); "" is the kind's own. Seeds that differ show
// another piece; of three seeds in a row from a multiple of three, the second comes closer and the third looks from above.
// The same arguments give the same bytes on one machine.
func drawPicture(kind, finish string, seed int64) ([]byte, error) {
	scene, err := newStill(kind, finish, seed)
	if err != nil {
		return nil, err
	}
	// What is rendered is enlarged: a lens is no sharper, and it takes a fifth of the time.
	const width, filmWidth = 1600, 720
	height, filmHeight := 2000, 900
	if scene.portrait {
		height, filmHeight = width, filmWidth
	}
	film := scene.photograph(filmWidth, filmHeight)
	picture := develop(film, filmWidth, filmHeight, width, height, seed)
	body, err := asFromPhone(picture, scene.place)
	if err != nil {
		return nil, fmt.Errorf("draw %s: %w", kind, err)
	}
	return body, nil
}

// place is where a picture was taken, in degrees north and east.
type place struct{ north, east float64 }

// asFromPhone encodes a picture turned on its side, with the EXIF orientation 6 that turns it back.
func asFromPhone(picture *image.RGBA, taken place) ([]byte, error) {
	width, height := picture.Rect.Dx(), picture.Rect.Dy()
	lying := image.NewRGBA(image.Rect(0, 0, height, width))
	for row := range width { // orientation 6: the first row is the right side, the first column the top
		to := lying.Pix[row*lying.Stride:]
		for column := range height {
			copy(to[4*column:4*column+4], picture.Pix[picture.PixOffset(width-1-row, column):])
		}
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, lying, &jpeg.Options{Quality: 88}); err != nil {
		return nil, err
	}
	exif := "Exif\x00\x00" + phoneExif(6, taken)
	app1 := binary.BigEndian.AppendUint16([]byte{0xff, 0xd8, 0xff, 0xe1}, uint16(len(exif)+2))
	return append(append(app1, exif...), out.Bytes()[2:]...), nil
}

// phoneExif is a TIFF structure (EXIF 2.32, 4.6) with two directories: the orientation, and the GPS position.
func phoneExif(orientation uint16, taken place) string {
	const (
		short, ascii, long, rational = 3, 2, 4, 5
		first                        = 8
		gps                          = first + 2 + 2*12 + 4
		values                       = gps + 2 + 4*12 + 4 // the two rational triples lie behind the directories
	)
	b := binary.BigEndian
	out := b.AppendUint32([]byte("MM\x00*"), first)
	entry := func(tag, kind uint16, count uint32, value []byte) {
		out = b.AppendUint16(out, tag)
		out = b.AppendUint16(out, kind)
		out = b.AppendUint32(out, count)
		out = append(out, append(value, 0, 0, 0, 0)[:4]...)
	}
	number := func(n uint32) []byte { return b.AppendUint32(nil, n) }
	letter := func(positive, negative byte, degrees float64) []byte {
		if degrees < 0 {
			return []byte{negative}
		}
		return []byte{positive}
	}
	end := func() { out = append(out, 0, 0, 0, 0) } // no further directory

	out = b.AppendUint16(out, 2)
	entry(0x0112, short, 1, b.AppendUint16(nil, orientation))
	entry(0x8825, long, 1, number(gps))
	end()
	out = b.AppendUint16(out, 4)
	entry(1, ascii, 2, letter('N', 'S', taken.north))
	entry(2, rational, 3, number(values))
	entry(3, ascii, 2, letter('E', 'W', taken.east))
	entry(4, rational, 3, number(values+24))
	end()
	for _, degrees := range []float64{math.Abs(taken.north), math.Abs(taken.east)} {
		minutes := (degrees - math.Floor(degrees)) * 60
		seconds := (minutes - math.Floor(minutes)) * 60
		for _, part := range [][2]uint32{{uint32(degrees), 1}, {uint32(minutes), 1}, {uint32(seconds * 100), 100}} {
			out = b.AppendUint32(b.AppendUint32(out, part[0]), part[1])
		}
	}
	return string(out)
}

// newStill sets up the scene of a kind of picture.
func newStill(kind, finish string, seed int64) (*still, error) {
	piece := uint64(seed) / 3
	s := &still{
		noise: newNoise(int64(piece)*31 + int64(len(kind))), edge: -2.1, elevation: 0.27, look: vec{0, 0.62, 0}, span: 2.7,
		key: vec{-0.64, 0.60, 0.48}.unit(), window: vec{-0.80, 0.12, 0.60}.unit(),
		place: place{28.0746, 119.1411}, // Longquan
		turn:  0.5 * (float64(piece%7)/6 - 0.5),
	}
	made := map[string]struct {
		finish string
		set    func(ware)
	}{
		"cup": {"celadon", s.cup}, "mug": {"oatmeal", s.mug}, "bowl": {"ash", s.bowl}, "vase": {"white", s.vase},
		"teapot": {"purple", s.teapot}, "plate": {"iron", s.plate},
	}
	other := map[string]func(){
		"print": s.framed, "cloth": s.cloth, "notebook": s.notebooks,
		"potter": s.potter, "printer": s.printer, "reader": s.reader,
	}
	if pot, ok := made[kind]; ok {
		if finish == "" {
			finish = pot.finish
		}
		glazed, ok := wareOf(finish)
		if !ok {
			return nil, fmt.Errorf("draw %s: no glaze %q", kind, finish)
		}
		s.wall, s.table = glazed.wall, glazed.table
		pot.set(glazed)
	} else if set, ok := other[kind]; ok && finish == "" {
		if kind != "potter" {
			s.place = place{41.1456, -8.6109} // Porto
		}
		set()
	} else {
		return nil, fmt.Errorf("draw: no picture of kind %q with finish %q", kind, finish)
	}
	if s.portrait {
		return s, nil
	}
	switch uint64(seed) % 3 {
	case 1:
		s.span *= 0.74
		s.look = s.look.add(vec{0.10, 0.06, 0})
	case 2:
		s.elevation = min(s.elevation+0.30, 1.0)
		s.edge -= 1.2
	}
	return s, nil
}

// hex is an sRGB colour in linear light.
func hex(rgb uint32) vec {
	linear := func(c uint32) float64 {
		x := float64(c&255) / 255
		if x <= 0.04045 {
			return x / 12.92
		}
		return math.Pow((x+0.055)/1.055, 2.4)
	}
	return vec{linear(rgb >> 16), linear(rgb >> 8), linear(rgb)}
}
