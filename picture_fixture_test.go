package souk

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"testing"
)

// Pictures for the tests, drawn here so that every byte of them is known.

// secret stands for everything that must not leave: it is put into each kind of metadata.
const secret = "GPS 28.07456N 119.14112E"

func corners(width, height int) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			c := color.NRGBA{200, 30, 30, 255} // top left
			switch right, low := x >= width/2, y >= height/2; {
			case right && low:
				c = color.NRGBA{230, 200, 40, 255}
			case right:
				c = color.NRGBA{30, 160, 60, 255}
			case low:
				c = color.NRGBA{40, 60, 190, 255}
			}
			img.SetNRGBA(x, y, c)
		}
	}
	return img
}

// seen is what the corners of corners(w, h) look like, clockwise from the top left.
func seen() [4]color.NRGBA {
	return [4]color.NRGBA{{200, 30, 30, 255}, {30, 160, 60, 255}, {230, 200, 40, 255}, {40, 60, 190, 255}}
}

func jpegOf(t testing.TB, img image.Image, segments ...[]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	out := append([]byte{0xff, 0xd8}, bytes.Join(segments, nil)...)
	return append(out, b.Bytes()[2:]...)
}

func segment(marker byte, payload string) []byte {
	out := []byte{0xff, marker}
	out = binary.BigEndian.AppendUint16(out, uint16(len(payload)+2))
	return append(out, payload...)
}

// exif returns a TIFF structure with an orientation and a GPS directory that holds the secret.
func exif(order binary.AppendByteOrder, orientation uint16) string {
	head := "II*\x00"
	if order == binary.AppendByteOrder(binary.BigEndian) {
		head = "MM\x00*"
	}
	b := order.AppendUint32([]byte(head), 8)
	b = order.AppendUint16(b, 2)
	entry := func(tag, kind uint16, count uint32) {
		b = order.AppendUint16(b, tag)
		b = order.AppendUint16(b, kind)
		b = order.AppendUint32(b, count)
	}
	entry(0x0112, 3, 1)
	b = order.AppendUint16(b, orientation)
	b = append(b, 0, 0)
	entry(0x8825, 4, 1)
	b = order.AppendUint32(b, 8+2+2*12+4)
	b = append(b, 0, 0, 0, 0)
	b = order.AppendUint16(b, 1)
	entry(0x001b, 7, uint32(len(secret)))
	b = order.AppendUint32(b, uint32(len(b)+8))
	b = append(b, 0, 0, 0, 0)
	return string(append(b, secret...))
}

func app1(order binary.AppendByteOrder, orientation uint16) []byte {
	return segment(0xe1, "Exif\x00\x00"+exif(order, orientation))
}

func pngOf(t testing.TB, img image.Image, chunks ...[]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	const head = 8 + 25 // signature and IHDR
	out := append([]byte{}, b.Bytes()[:head]...)
	return append(append(out, bytes.Join(chunks, nil)...), b.Bytes()[head:]...)
}

func chunk(kind, data string) []byte {
	out := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
	out = append(append(out, kind...), data...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[4:]))
}

// pngHeader claims a size and holds no pixel.
func pngHeader(width, height uint32, depth byte) []byte {
	ihdr := binary.BigEndian.AppendUint32(nil, width)
	ihdr = binary.BigEndian.AppendUint32(ihdr, height)
	ihdr = append(ihdr, depth, 2, 0, 0, 0)
	return append([]byte("\x89PNG\r\n\x1a\n"), chunk("IHDR", string(ihdr))...)
}

// jpegHeader claims a size in the frame header that marker begins (0xc0 baseline, 0xc2 progressive) and begins one scan.
func jpegHeader(marker byte, width, height uint16) []byte {
	frame := []byte{8}
	frame = binary.BigEndian.AppendUint16(frame, height)
	frame = binary.BigEndian.AppendUint16(frame, width)
	frame = append(frame, 3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0)
	out := append([]byte{0xff, 0xd8}, segment(marker, string(frame))...)
	return append(out, segment(0xda, "\x03\x01\x00\x02\x00\x03\x00\x00\x3f\x00")...)
}

func gifOf(t testing.TB, g *gif.GIF) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := gif.EncodeAll(&b, g); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func filled(bounds image.Rectangle, palette color.Palette, index uint8) *image.Paletted {
	img := image.NewPaletted(bounds, palette)
	for i := range img.Pix {
		img.Pix[i] = index
	}
	return img
}

func riff(chunks ...[]byte) []byte {
	body := append([]byte("WEBP"), bytes.Join(chunks, nil)...)
	return append(binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(body))), body...)
}

func riffChunk(kind, data string) []byte {
	out := binary.LittleEndian.AppendUint32([]byte(kind), uint32(len(data)))
	out = append(out, data...)
	if len(data)%2 == 1 {
		out = append(out, 0)
	}
	return out
}

// vp8x is the extended header: flags 0x02 animation, 0x08 EXIF, 0x04 XMP.
func vp8x(flags byte, width, height uint32) []byte {
	w, h := width-1, height-1
	return riffChunk("VP8X", string([]byte{flags, 0, 0, 0, byte(w), byte(w >> 8), byte(w >> 16), byte(h), byte(h >> 8), byte(h >> 16)}))
}

// vp8l writes a lossless WebP image by hand (RFC 9649, 3): no transform, no cache, one prefix code group whose red, blue and
// alpha have one symbol each and whose green has two, one bit a pixel: green 220 in the left half, 60 in the right.
func vp8l(width, height int, red, blue, alpha uint32) []byte {
	var out []byte
	var n uint
	put := func(value uint32, bits int) {
		for i := range bits {
			if n%8 == 0 {
				out = append(out, 0)
			}
			out[len(out)-1] |= byte(value>>i&1) << (n % 8)
			n++
		}
	}
	one := func(symbol uint32) { // a simple code of one symbol, eight bits
		put(1, 1)
		put(0, 1)
		put(1, 1)
		put(symbol, 8)
	}
	put(0x2f, 8)
	put(uint32(width-1), 14)
	put(uint32(height-1), 14)
	put(1, 1) // alpha is used
	put(0, 3) // version
	put(0, 1) // no transform
	put(0, 1) // no colour cache
	put(0, 1) // one group
	put(1, 1) // green: a simple code of two symbols
	put(1, 1)
	put(1, 1)
	put(60, 8)
	put(220, 8)
	one(red)
	one(blue)
	one(alpha)
	one(0) // distances
	for range height {
		for x := range width {
			if x < width/2 {
				put(1, 1)
			} else {
				put(0, 1)
			}
		}
	}
	return riffChunk("VP8L", string(out))
}

// vp8 is a lossy key frame (RFC 6386, 9.1) whose arithmetic-coded part is all zeros: every block predicts plain grey and
// corrects nothing.
func vp8(width, height uint16) []byte {
	const firstPartition = 64
	data := []byte{firstPartition << 5 & 0xff, firstPartition >> 3, 0}
	data[0] |= 1 << 4 // shown
	data = append(data, 0x9d, 0x01, 0x2a)
	data = binary.LittleEndian.AppendUint16(data, width)
	data = binary.LittleEndian.AppendUint16(data, height)
	return riffChunk("VP8 ", string(append(data, make([]byte, 2*firstPartition)...)))
}
