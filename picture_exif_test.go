package souk

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"testing"
)

func TestExifOrientation(t *testing.T) {
	t.Parallel()
	little, big := exif(binary.LittleEndian, 6), exif(binary.BigEndian, 8)
	edit := func(at int, with string) string { return little[:at] + with + little[at+len(with):] }
	for _, test := range []struct {
		name, tiff string
		want       int
	}{
		{"little endian", little, 6},
		{"big endian", big, 8},
		{"nothing", "", 1},
		{"no byte order", "XX*\x00" + little[4:], 1},
		{"wrong magic", "II+\x00" + little[4:], 1},
		{"directory outside", edit(4, "\xff\xff\xff\xff"), 1},
		{"directory at the last byte", edit(4, string(rune(len(little)-1))), 1},
		{"more entries than bytes", edit(8, "\xff\xff"), 6},
		{"no entry", edit(8, "\x00\x00"), 1},
		{"orientation 0", edit(18, "\x00\x00"), 1},
		{"orientation 9", edit(18, "\x09\x00"), 1},
		{"orientation as a LONG", edit(12, "\x04\x00"), 1},
		{"two orientations", edit(14, "\x02\x00\x00\x00"), 1},
		{"cut in the entry", little[:17], 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := exifOrientation([]byte(test.tiff)); got != test.want {
				t.Errorf("orientation %d, want %d", got, test.want)
			}
		})
	}
}

func TestJPEGFacts(t *testing.T) {
	t.Parallel()
	img := corners(16, 16)
	exif3, exif5 := app1(binary.BigEndian, 3), app1(binary.LittleEndian, 5)
	film := bytes.Repeat([]byte{0xff, 0xda, 0x00, 0x02}, 100)
	for _, test := range []struct {
		name string
		body []byte
		want pictureFacts
	}{
		{"plain", jpegOf(t, img), pictureFacts{orientation: 1, scans: 1}},
		{"the first EXIF counts", jpegOf(t, img, exif3, exif5), pictureFacts{orientation: 3, scans: 1}},
		{"XMP before it", jpegOf(t, img, segment(0xe1, "http://ns.adobe.com/xap/1.0/\x00<x/>"), exif5), pictureFacts{orientation: 5, scans: 1}},
		{"fill bytes before it", jpegOf(t, img, []byte{0xff, 0xff, 0xff}, exif5), pictureFacts{orientation: 5, scans: 1}},
		{"a scan inside a comment", jpegOf(t, img, segment(0xfe, "\xff\xda\x00\x02")), pictureFacts{orientation: 1, scans: 1}},
		{"a film after the end", append(jpegOf(t, img), film...), pictureFacts{orientation: 1, scans: 1}},
		{"scans", append(jpegHeader(0xc2, 8, 8), film...), pictureFacts{orientation: 1, scans: 101, progressive: true}},
		{"cut", exif3[:1], pictureFacts{orientation: 1}},
		{"length beyond the end", []byte{0xff, 0xd8, 0xff, 0xe1, 0xff, 0xff, 'E'}, pictureFacts{orientation: 1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := jpegFacts(test.body); got != test.want {
				t.Errorf("facts %+v, want %+v", got, test.want)
			}
		})
	}
}

// FuzzPictureFacts: whatever the bytes, the walkers end and answer in range.
func FuzzPictureFacts(f *testing.F) {
	img := corners(16, 16)
	f.Add(jpegOf(f, img, app1(binary.BigEndian, 6)))
	f.Add(pngOf(f, img, chunk("eXIf", exif(binary.LittleEndian, 7))))
	f.Add(riff(vp8x(0x08, 16, 16), vp8l(16, 16, 1, 2, 255), riffChunk("EXIF", exif(binary.BigEndian, 5))))
	f.Add([]byte(exif(binary.LittleEndian, 3)))
	f.Fuzz(func(t *testing.T, body []byte) {
		for name, facts := range map[string]pictureFacts{
			"jpeg": jpegFacts(body), "png": pngFacts(body), "webp": webpFacts(body),
			"tiff": {orientation: exifOrientation(body)},
		} {
			if facts.orientation < 1 || facts.orientation > 8 {
				t.Errorf("%s: orientation %d", name, facts.orientation)
			}
			if facts.scans > len(body)/4 {
				t.Errorf("%s: %d scans in %d bytes", name, facts.scans, len(body))
			}
		}
	})
}

// FuzzProcess: an upload is either a picture with sizes, or an *Invalid; nothing else, and no panic.
func FuzzProcess(f *testing.F) {
	img := corners(16, 16)
	f.Add(jpegOf(f, img, app1(binary.BigEndian, 6)))
	f.Add(pngOf(f, img, chunk("eXIf", exif(binary.LittleEndian, 7))))
	f.Add(riff(vp8x(0x08, 16, 16), vp8l(16, 16, 1, 2, 255), riffChunk("EXIF", exif(binary.BigEndian, 5))))
	f.Add(riff(vp8(16, 16)))
	f.Add([]byte("GIF89a"))
	pictures := NewPictures(PictureConfig{MaxBytes: 1 << 16, MaxPixels: 1 << 16})
	f.Fuzz(func(t *testing.T, body []byte) {
		picture, err := pictures.Process(context.Background(), bytes.NewReader(body))
		var refused *Invalid
		switch {
		case err == nil && (len(picture.Sizes) == 0 || len(picture.Sizes[0].Bytes) == 0):
			t.Error("no error and no size")
		case err != nil && !errors.As(err, &refused):
			t.Errorf("not an *Invalid: %v", err)
		}
	})
}
