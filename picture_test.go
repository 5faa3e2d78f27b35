package souk

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/buckket/go-blurhash"
)

func process(t *testing.T, body []byte) *Picture {
	t.Helper()
	picture, err := NewPictures(PictureConfig{}).Process(t.Context(), bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return picture
}

func (s PictureSize) decoded(t *testing.T) image.Image {
	t.Helper()
	img, kind, err := image.Decode(bytes.NewReader(s.Bytes))
	if err != nil {
		t.Fatal(err)
	}
	if "image/"+kind != s.MIME {
		t.Errorf("bytes are %s, said to be %s", kind, s.MIME)
	}
	if img.Bounds() != image.Rect(0, 0, s.Width, s.Height) {
		t.Errorf("bounds %v, said to be %d x %d", img.Bounds(), s.Width, s.Height)
	}
	return img
}

// checkPixel compares one pixel with a colour, within what JPEG does to a flat area.
func checkPixel(t *testing.T, img image.Image, x, y int, want color.NRGBA) {
	t.Helper()
	got := color.NRGBAModel.Convert(img.At(x, y)).(color.NRGBA)
	for _, d := range []int{int(got.R) - int(want.R), int(got.G) - int(want.G), int(got.B) - int(want.B), int(got.A) - int(want.A)} {
		if d < -8 || d > 8 {
			t.Errorf("pixel %d,%d is %v, want about %v", x, y, got, want)
			return
		}
	}
}

func checkCorners(t *testing.T, img image.Image) {
	t.Helper()
	b, want := img.Bounds(), seen()
	right, bottom := b.Dx()-6, b.Dy()-6
	checkPixel(t, img, 5, 5, want[0])
	checkPixel(t, img, right, 5, want[1])
	checkPixel(t, img, right, bottom, want[2])
	checkPixel(t, img, 5, bottom, want[3])
}

// stored returns img as a camera held in that orientation writes it. EXIF states which side of the scene the first row and
// the first column are: a row counts from its side inward, a column from its own.
func stored(img *image.NRGBA, firstRow, firstColumn string) *image.NRGBA {
	width, height := img.Rect.Dx(), img.Rect.Dy()
	out := image.NewNRGBA(image.Rect(0, 0, width, height))
	if firstRow == "left" || firstRow == "right" {
		out = image.NewNRGBA(image.Rect(0, 0, height, width))
	}
	for row := range out.Rect.Dy() {
		for column := range out.Rect.Dx() {
			x, y := 0, 0
			for side, inward := range map[string]int{firstRow: row, firstColumn: column} {
				switch side {
				case "top":
					y = inward
				case "bottom":
					y = height - 1 - inward
				case "left":
					x = inward
				case "right":
					x = width - 1 - inward
				}
			}
			out.SetNRGBA(column, row, img.NRGBAAt(x, y))
		}
	}
	return out
}

func TestProcessTurnsUpright(t *testing.T) {
	t.Parallel()
	for orientation, sides := range map[uint16][2]string{
		1: {"top", "left"}, 2: {"top", "right"}, 3: {"bottom", "right"}, 4: {"bottom", "left"},
		5: {"left", "top"}, 6: {"right", "top"}, 7: {"right", "bottom"}, 8: {"left", "bottom"},
	} {
		turned := stored(corners(96, 64), sides[0], sides[1])
		for name, body := range map[string][]byte{
			"jpeg little endian": jpegOf(t, turned, app1(binary.LittleEndian, orientation)),
			"jpeg big endian":    jpegOf(t, turned, app1(binary.BigEndian, orientation)),
			"png":                pngOf(t, turned, chunk("eXIf", exif(binary.BigEndian, orientation))),
		} {
			t.Run(fmt.Sprintf("%d %s", orientation, name), func(t *testing.T) {
				t.Parallel()
				picture := process(t, body)
				if picture.Width != 96 || picture.Height != 64 {
					t.Fatalf("%d x %d, want 96 x 64", picture.Width, picture.Height)
				}
				checkCorners(t, picture.Sizes[0].decoded(t))
			})
		}
	}
}

func TestProcessSizes(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		width, height int
		want          []string
	}{
		{3200, 2400, []string{"320x240", "640x480", "1280x960", "1600x1200"}},
		{1500, 1000, []string{"320x213", "640x427", "1280x853", "1500x1000"}},
		{1600, 2000, []string{"320x400", "640x800", "1280x1600"}},
		{2000, 1601, []string{"320x256", "640x512", "1280x1025", "1600x1281"}},
		{320, 200, []string{"320x200"}},
		{7, 9, []string{"7x9"}},
		{1, 1, []string{"1x1"}},
		{3, 4801, []string{"1x1600"}},
		{5000, 2, []string{"320x1", "640x1", "1280x1", "1600x1"}},
	} {
		t.Run(fmt.Sprintf("%dx%d", test.width, test.height), func(t *testing.T) {
			t.Parallel()
			picture := process(t, jpegOf(t, corners(test.width, test.height)))
			var got []string
			for _, size := range picture.Sizes {
				got = append(got, fmt.Sprintf("%dx%d", size.Width, size.Height))
				img := size.decoded(t)
				if size.Height > 20 && size.Width > 20 {
					checkCorners(t, img)
				}
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("sizes %v, want %v", got, test.want)
			}
			if last := picture.Sizes[len(picture.Sizes)-1]; picture.Width != last.Width || picture.Height != last.Height {
				t.Errorf("picture is %d x %d, its largest size %d x %d", picture.Width, picture.Height, last.Width, last.Height)
			}
		})
	}
}

func TestProcessStripsMetadata(t *testing.T) {
	t.Parallel()
	img := corners(700, 500)
	transparent := corners(700, 500)
	transparent.SetNRGBA(0, 0, color.NRGBA{})
	xmp := "http://ns.adobe.com/xap/1.0/\x00<x:xmpmeta>" + secret + "</x:xmpmeta>"
	chunks := [][]byte{chunk("eXIf", exif(binary.BigEndian, 1)), chunk("tEXt", "Comment\x00"+secret), chunk("iTXt", "XML:com.adobe.xmp\x00\x00\x00\x00\x00"+secret)}
	palette := color.Palette{color.White, color.Black}
	comment := append([]byte{0x21, 0xfe, byte(len(secret))}, secret+"\x00"...)
	still := gifOf(t, &gif.GIF{Image: []*image.Paletted{filled(image.Rect(0, 0, 40, 40), palette, 1)}, Delay: []int{0}})
	for name, body := range map[string][]byte{
		"jpeg": jpegOf(t, img, app1(binary.LittleEndian, 1), segment(0xe1, xmp), segment(0xe2, "ICC_PROFILE\x00\x01\x01"+secret),
			segment(0xed, "Photoshop 3.0\x00"+secret), segment(0xfe, secret)),
		"jpeg, a film behind it": append(jpegOf(t, img), secret...),
		"png":                    pngOf(t, img, chunks...),
		"png with transparency":  pngOf(t, transparent, chunks...),
		"gif":                    slices.Concat(still[:len(still)-1], comment, still[len(still)-1:]),
		"webp": riff(vp8x(0x0c, 400, 300), vp8l(400, 300, 10, 20, 255), riffChunk("EXIF", exif(binary.LittleEndian, 1)),
			riffChunk("XMP ", xmp)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if !bytes.Contains(body, []byte(secret)) {
				t.Fatal("the upload holds no secret")
			}
			for _, size := range process(t, body).Sizes {
				for _, mark := range []string{secret, secret[:8], "Exif", "eXIf", "adobe", "ICC_PROFILE", "Photoshop", "tEXt", "iTXt"} {
					if bytes.Contains(size.Bytes, []byte(mark)) {
						t.Errorf("%d wide: still holds %q", size.Width, mark)
					}
				}
			}
		})
	}
}

func TestProcessHashIsOfThePixels(t *testing.T) {
	t.Parallel()
	img := corners(400, 300)
	plain, tagged := process(t, jpegOf(t, img)), process(t, jpegOf(t, img, app1(binary.BigEndian, 1)))
	other := process(t, jpegOf(t, corners(400, 302)))
	if len(plain.Hash) != 64 || plain.Hash != tagged.Hash {
		t.Errorf("hashes %s and %s, want one", plain.Hash, tagged.Hash)
	}
	if plain.Hash == other.Hash {
		t.Error("another picture has the same hash")
	}
}

func TestProcessTransparency(t *testing.T) {
	t.Parallel()
	small := corners(800, 600)
	for i := range 400 {
		for y := range 300 {
			small.SetNRGBA(i, y, color.NRGBA{200, 30, 30, 0})
		}
	}
	picture := process(t, pngOf(t, small))
	if picture.MIME != "image/png" {
		t.Fatalf("a small picture with transparency is %s", picture.MIME)
	}
	for _, size := range picture.Sizes {
		img := size.decoded(t)
		checkPixel(t, img, 2, 2, color.NRGBA{})
		checkPixel(t, img, size.Width-3, size.Height-3, seen()[2])
	}

	noisy := image.NewNRGBA(image.Rect(0, 0, 900, 900))
	source := rand.New(rand.NewPCG(1, 2))
	for i := range noisy.Pix {
		noisy.Pix[i] = byte(source.Uint32())
	}
	for i := 3; i < 64*noisy.Stride; i += 4 {
		noisy.Pix[i] = 0
	}
	picture = process(t, pngOf(t, noisy))
	if picture.MIME != "image/jpeg" {
		t.Fatalf("a large picture with transparency is %s", picture.MIME)
	}
	checkPixel(t, picture.Sizes[0].decoded(t), 5, 5, color.NRGBA{255, 255, 255, 255})
}

func TestProcessGIF(t *testing.T) {
	t.Parallel()
	palette := color.Palette{color.NRGBA{0, 0, 0, 0}, color.NRGBA{200, 30, 30, 255}, color.NRGBA{40, 60, 190, 255}}
	body := gifOf(t, &gif.GIF{
		Image: []*image.Paletted{
			filled(image.Rect(30, 20, 100, 80), palette, 1),
			filled(image.Rect(0, 0, 100, 80), palette, 2),
		},
		Delay: []int{10, 10}, Disposal: []byte{gif.DisposalNone, gif.DisposalNone},
		Config: image.Config{ColorModel: palette, Width: 100, Height: 80},
	})
	picture := process(t, body)
	if picture.Width != 100 || picture.Height != 80 || len(picture.Sizes) != 1 {
		t.Fatalf("%d x %d in %d sizes, want the canvas, 100 x 80, in one", picture.Width, picture.Height, len(picture.Sizes))
	}
	img := picture.Sizes[0].decoded(t)
	checkPixel(t, img, 10, 10, color.NRGBA{})
	checkPixel(t, img, 31, 21, color.NRGBA{200, 30, 30, 255})
	checkPixel(t, img, 99, 79, color.NRGBA{200, 30, 30, 255})

	opaque := gifOf(t, &gif.GIF{Image: []*image.Paletted{filled(image.Rect(0, 0, 40, 30), palette[1:], 1)}, Delay: []int{0}})
	picture = process(t, opaque)
	if picture.MIME != "image/jpeg" {
		t.Errorf("an opaque GIF is %s", picture.MIME)
	}
	checkPixel(t, picture.Sizes[0].decoded(t), 20, 15, color.NRGBA{40, 60, 190, 255})
}

func TestProcessWebP(t *testing.T) {
	t.Parallel()
	lossless := process(t, riff(vp8l(60, 40, 10, 30, 255)))
	img := lossless.Sizes[0].decoded(t)
	checkPixel(t, img, 10, 20, color.NRGBA{10, 220, 30, 255})
	checkPixel(t, img, 50, 20, color.NRGBA{10, 60, 30, 255})

	turned := process(t, riff(vp8x(0x08, 60, 40), vp8l(60, 40, 10, 30, 255), riffChunk("EXIF", exif(binary.BigEndian, 6))))
	if turned.Width != 40 || turned.Height != 60 {
		t.Fatalf("%d x %d, want 40 x 60", turned.Width, turned.Height)
	}
	checkPixel(t, turned.Sizes[0].decoded(t), 20, 10, color.NRGBA{10, 220, 30, 255})

	seeThrough := process(t, riff(vp8l(60, 40, 10, 30, 128)))
	if seeThrough.MIME != "image/png" {
		t.Errorf("a WebP with transparency is %s", seeThrough.MIME)
	}

	lossy := process(t, riff(vp8(33, 17)))
	if lossy.Width != 33 || lossy.Height != 17 {
		t.Fatalf("%d x %d, want 33 x 17", lossy.Width, lossy.Height)
	}
	checkPixel(t, lossy.Sizes[0].decoded(t), 20, 10, color.NRGBA{128, 128, 128, 255})
}

func TestProcessDescribes(t *testing.T) {
	t.Parallel()
	flat := image.NewNRGBA(image.Rect(0, 0, 200, 300))
	for i := range flat.Pix {
		flat.Pix[i] = [4]byte{0x9d, 0xb8, 0xa6, 0xff}[i%4]
	}
	picture := process(t, pngOf(t, flat))
	if picture.Colour != "#9db8a6" {
		t.Errorf("colour %s, want #9db8a6", picture.Colour)
	}
	for _, test := range []struct {
		picture      *Picture
		across, down int
	}{{picture, 3, 4}, {process(t, jpegOf(t, corners(300, 200))), 4, 3}} {
		across, down, err := blurhash.Components(test.picture.Blurhash)
		if err != nil || across != test.across || down != test.down {
			t.Errorf("blurhash %q has %d x %d components (%v), want %d x %d", test.picture.Blurhash, across, down, err, test.across, test.down)
		}
	}
	blurred, err := blurhash.Decode(picture.Blurhash, 8, 8, 1)
	if err != nil {
		t.Fatal(err)
	}
	checkPixel(t, blurred, 4, 4, color.NRGBA{0x9d, 0xb8, 0xa6, 0xff})
}

func TestProcessAcceptsDeepPNG(t *testing.T) {
	t.Parallel()
	deep := image.NewNRGBA64(image.Rect(0, 0, 30, 20))
	grey := image.NewGray(image.Rect(0, 0, 30, 20))
	for i := range deep.Pix {
		deep.Pix[i] = 0xff
	}
	for i := range grey.Pix {
		grey.Pix[i] = 0xff
	}
	for _, img := range []image.Image{deep, grey} {
		checkPixel(t, process(t, pngOf(t, img)).Sizes[0].decoded(t), 3, 3, color.NRGBA{255, 255, 255, 255})
	}
}

func TestProcessRefuses(t *testing.T) {
	t.Parallel()
	const kinds = "JPEG, PNG, GIF or WebP"
	photo := jpegOf(t, corners(600, 400))
	drawing := pngOf(t, corners(600, 400))
	lossless := riff(vp8l(60, 40, 10, 30, 255))
	ftyp := func(brand string) []byte {
		return []byte("\x00\x00\x00\x18ftyp" + brand + "\x00\x00\x00\x00mif1" + brand + strings.Repeat("\x00", 64))
	}
	scans := append(jpegHeader(0xc2, 8, 8), bytes.Repeat([]byte{0xff, 0xda, 0x00, 0x02}, 32)...)
	for _, test := range []struct {
		name string
		body []byte
		want []string
	}{
		{"empty", nil, []string{"empty"}},
		{"HEIC", ftyp("heic"), []string{"HEIC", kinds}},
		{"AVIF", ftyp("avif"), []string{"AVIF", kinds}},
		{"SVG", []byte(`<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>`), []string{"SVG", kinds}},
		{"bare SVG", []byte(`<svg onload="1"/>`), []string{"SVG", kinds}},
		{"page", []byte("<!DOCTYPE html><script>1</script>"), []string{kinds}},
		{"PDF", []byte("%PDF-1.7\n"), []string{kinds}},
		{"program", []byte("\x7fELF\x02\x01\x01"), []string{kinds}},
		{"TIFF", []byte("II*\x00\x08\x00\x00\x00"), []string{kinds}},
		{"BMP", []byte("BM\x00\x00\x00\x00"), []string{kinds}},
		{"26 MB", append(slices.Clone(photo), make([]byte, 26<<20)...), []string{"25 MB"}},
		{"51 megapixels, JPEG", jpegHeader(0xc0, 8500, 6000), []string{"8500 x 6000", "51.0 megapixels", "50 megapixels"}},
		{"51 megapixels, PNG", pngHeader(8500, 6000, 8), []string{"51.0 megapixels", "50 megapixels"}},
		{"a PNG of the largest sides", pngHeader(1<<31-1, 1<<31-1, 8), nil},
		{"GIF of the largest sides", []byte("GIF89a\xff\xff\xff\xff\x00\x00\x00;"), []string{"65535 x 65535", "50 megapixels"}},
		{"WebP of large sides", riff(vp8x(0, 16384, 16384), vp8l(16384, 4, 1, 1, 1)), []string{"50 megapixels"}},
		{"small canvas, large WebP", riff(vp8x(0, 4, 4), vp8l(16384, 16384/64, 1, 1, 1)), []string{"damaged"}},
		{"26 megapixels, progressive", jpegHeader(0xc2, 6500, 4000), []string{"26.0 megapixels", "progressive JPEG is 25"}},
		{"26 megapixels, deep", pngHeader(6500, 4000, 16), []string{"26.0 megapixels", "16 bits a channel is 25"}},
		{"scans", scans, []string{"33 scans", "32"}},
		{"no width", jpegHeader(0xc0, 0, 10), nil},
		{"animated WebP", riff(vp8x(0x02, 60, 40), vp8l(60, 40, 1, 1, 1)), []string{"animated WebP"}},
		{"JPEG, cut", photo[:len(photo)/2], []string{"damaged or cut short"}},
		{"JPEG, its header cut", photo[:20], []string{"damaged or cut short"}},
		{"PNG, cut", drawing[:len(drawing)-40], []string{"damaged or cut short"}},
		{"PNG, a byte changed", slices.Concat(drawing[:60], []byte{drawing[60] ^ 1}, drawing[61:]), []string{"damaged"}},
		{"WebP, cut", lossless[:len(lossless)-30], []string{"damaged or cut short"}},
		{"GIF, cut", []byte("GIF89a\x10\x00\x10\x00\x00\x00\x00,"), []string{"damaged or cut short"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			picture, err := NewPictures(PictureConfig{}).Process(t.Context(), bytes.NewReader(test.body))
			var refused *Invalid
			if !errors.As(err, &refused) || picture != nil {
				t.Fatalf("picture %v, error %v, want an *Invalid", picture, err)
			}
			if problem := refused.Problems[0]; problem.Field != "file" || !strings.HasPrefix(problem.Code, "picture_") {
				t.Errorf("field %q, code %q, want file and picture_...", problem.Field, problem.Code)
			}
			for _, part := range test.want {
				if !strings.Contains(refused.Error(), part) {
					t.Errorf("%q does not say %q", refused.Error(), part)
				}
			}
		})
	}
}

func TestProcessKeepsToItsTurn(t *testing.T) {
	t.Parallel()
	body := jpegOf(t, corners(40, 30))
	synctest.Test(t, func(t *testing.T) {
		pictures := NewPictures(PictureConfig{})
		pictures.turn <- struct{}{} // another upload is being decoded
		ctx, cancel := context.WithCancel(t.Context())
		var waited, gaveUp error
		var picture *Picture
		var both sync.WaitGroup
		both.Go(func() { picture, waited = pictures.Process(t.Context(), bytes.NewReader(body)) })
		both.Go(func() { _, gaveUp = pictures.Process(ctx, bytes.NewReader(body)) })
		synctest.Wait()
		if picture != nil || waited != nil {
			t.Errorf("did not wait for its turn: %v, %v", picture, waited)
		}
		cancel()
		synctest.Wait()
		<-pictures.turn
		both.Wait()
		if picture == nil || waited != nil {
			t.Errorf("picture %v, error %v after the turn came", picture, waited)
		}
		if !errors.Is(gaveUp, context.Canceled) {
			t.Errorf("error %v, want canceled", gaveUp)
		}
		if len(pictures.turn) != 0 {
			t.Error("the turn was not given back")
		}
	})
}

func TestProcessStopsWhileDecoding(t *testing.T) {
	t.Parallel()
	body := jpegOf(t, corners(400, 300))
	decoder := &contextReader{t.Context(), bytes.NewReader(body)}
	if _, err := jpeg.Decode(decoder); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := jpeg.Decode(&contextReader{ctx, bytes.NewReader(body)}); !errors.Is(err, context.Canceled) {
		t.Errorf("decoder: %v, want canceled", err)
	}
	if _, err := render(ctx, corners(4, 4), image.Rect(0, 0, 4, 4), 1); !errors.Is(err, context.Canceled) {
		t.Errorf("render: %v, want canceled", err)
	}
}

func TestProcessPassesReadErrors(t *testing.T) {
	t.Parallel()
	broken := errors.New("connection reset")
	r := io.MultiReader(bytes.NewReader(jpegOf(t, corners(40, 30))), &failing{broken})
	_, err := NewPictures(PictureConfig{}).Process(t.Context(), r)
	var refused *Invalid
	if !errors.Is(err, broken) || errors.As(err, &refused) {
		t.Errorf("error %v, want the reader's own", err)
	}
}

type failing struct{ err error }

func (f *failing) Read([]byte) (int, error) { return 0, f.err }

func TestReduceKeepsTheMean(t *testing.T) {
	t.Parallel()
	// Stripes of one pixel: a filter that samples instead of averaging shows black or white.
	striped := image.NewGray(image.Rect(0, 0, 4803, 3301))
	for i := range striped.Pix {
		if i%striped.Stride%2 == 0 {
			striped.Pix[i] = 255
		}
	}
	reduced, err := reduce(t.Context(), striped, striped.Rect)
	if err != nil {
		t.Fatal(err)
	}
	if reduced.Rect.Dx() != 1601 || reduced.Rect.Dy() != 1100 {
		t.Fatalf("reduced to %v", reduced.Rect)
	}
	fitted := fit(reduced, 100)
	for _, x := range []int{0, 30, 99} {
		checkPixel(t, fitted, x, 40, color.NRGBA{128, 128, 128, 255})
	}
}

func BenchmarkProcess(b *testing.B) {
	var photo, drawing bytes.Buffer
	img := corners(4000, 3000)
	if err := errors.Join(jpeg.Encode(&photo, img, nil), png.Encode(&drawing, img)); err != nil {
		b.Fatal(err)
	}
	for name, body := range map[string][]byte{"jpeg12MP": photo.Bytes(), "png12MP": drawing.Bytes()} {
		b.Run(name, func(b *testing.B) {
			pictures := NewPictures(PictureConfig{})
			for b.Loop() {
				if _, err := pictures.Process(b.Context(), bytes.NewReader(body)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
