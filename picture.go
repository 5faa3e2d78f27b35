package souk

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"strings"

	"github.com/gabriel-vasile/mimetype"
	"golang.org/x/image/webp"
)

// PictureConfig holds the limits of uploads. A zero field takes the default named beside it.
type PictureConfig struct {
	MaxBytes  int64 // size of the file: 25 MB (25 << 20)
	MaxPixels int64 // width times height: 8192 x 6144, what cameras sold as 50 megapixels write
}

// Pictures turns uploads into the pictures that a node serves. One process has one Pictures: it decodes one upload at a
// time, because 50 megapixels take 75 to 400 MB while they are decoded.
type Pictures struct {
	maxBytes  int64
	maxPixels int64
	turn      chan struct{}
}

// NewPictures returns a Pictures that keeps to config.
func NewPictures(config PictureConfig) *Pictures {
	if config.MaxBytes == 0 {
		config.MaxBytes = 25 << 20
	}
	if config.MaxPixels == 0 {
		config.MaxPixels = 8192 * 6144
	}
	return &Pictures{maxBytes: config.MaxBytes, maxPixels: config.MaxPixels, turn: make(chan struct{}, 1)}
}

// Picture is an upload made ready to serve: upright, without metadata, in every size that pages use.
type Picture struct {
	Width, Height int           // of the largest size, in pixels
	Blurhash      string        // 4x3 components, or 3x4 for a portrait
	Colour        string        // average, "#rrggbb", on white where transparent
	MIME          string        // of every size: image/jpeg, or image/png where there is transparency
	Hash          string        // hex SHA-256 of the largest size's bytes: equal pixels give equal hashes, whatever the metadata was
	Sizes         []PictureSize // ascending width; the last is the largest; at least one
}

// PictureSize is one rendition of a Picture.
type PictureSize struct {
	Width, Height int
	MIME          string
	Bytes         []byte
}

// Process reads an upload to its end and returns its renditions: 320, 640, 1280 and 1600 pixels wide, never wider than
// the original and no edge longer than 1600, the largest always among them.
//
// JPEG, PNG, GIF and WebP are accepted, told apart by their bytes. The orientation that EXIF states is applied;
// EXIF (GPS with it), XMP, comments and ICC profiles are dropped, and colours are not converted: the pixels of a picture with
// a wide-gamut profile are taken for sRGB. Of an animated GIF the first frame is kept. JPEG comes out as JPEG. What has
// transparency comes out as PNG when that stays small, else as JPEG on white.
//
// A file that cannot be taken gives an *Invalid for the field "file" whose message says why and what the limit is. Errors of r
// and of ctx come back wrapped. When ctx ends, the work stops within a fraction of a second.
func (p *Pictures) Process(ctx context.Context, r io.Reader) (_ *Picture, err error) {
	defer wrap(&err, "process picture")

	body, err := p.read(r)
	if err != nil {
		return nil, err
	}
	format, err := sniffPicture(body)
	if err != nil {
		return nil, err
	}
	// Reading above waits for the uploader; only what needs the memory waits for its turn.
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	canvas, orientation, err := p.inspect(format, body)
	if err != nil {
		return nil, err
	}
	decoded, err := format.decode(&contextReader{ctx, bytes.NewReader(body)})
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, errDamaged()
	}
	return render(ctx, decoded, canvas, orientation)
}

// read returns the whole upload, or an *Invalid when it is empty or larger than the limit.
func (p *Pictures) read(r io.Reader) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r, p.maxBytes+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read: %w", err)
	case int64(len(body)) > p.maxBytes:
		return nil, invalid("file", "picture_bytes", "the file is larger than %s, the limit for a picture", megabytes(p.maxBytes))
	case len(body) == 0:
		return nil, invalid("file", "picture_empty", "the file is empty")
	}
	return body, nil
}

// inspect reads the headers alone, so that a small file that claims a huge picture costs nothing. It returns the size of
// the canvas as stored and the EXIF orientation, 1 to 8.
func (p *Pictures) inspect(format pictureFormat, body []byte) (canvas image.Rectangle, orientation int, err error) {
	config, err := format.header(bytes.NewReader(body))
	if err != nil {
		return canvas, 0, errDamaged()
	}
	if config.Width < 1 || config.Height < 1 {
		return canvas, 0, invalid("file", "picture_empty", "the picture is empty: its width or height is 0")
	}
	facts := format.facts(body)
	if facts.animated {
		return canvas, 0, invalid("file", "picture_animated", "animated WebP is not accepted; send a still JPEG, PNG, GIF or WebP")
	}
	if facts.scans > maxScans {
		return canvas, 0, invalid("file", "picture_scans",
			"the JPEG has %d scans, the limit is %d; save it anew and send that", facts.scans, maxScans)
	}
	limit, what := p.maxPixels, "picture"
	switch config.ColorModel {
	case color.RGBA64Model, color.NRGBA64Model:
		limit, what = limit/2, "picture with 16 bits a channel"
	}
	if facts.progressive {
		limit, what = limit/2, "progressive JPEG"
	}
	// A JPEG's and a PNG's sides fit 32 bits, so that the product fits 64.
	if pixels := int64(config.Width) * int64(config.Height); pixels > limit {
		return canvas, 0, invalid("file", "picture_pixels",
			"the picture is %d x %d, which is %.1f megapixels; the limit for a %s is %d megapixels",
			config.Width, config.Height, float64(pixels)/1e6, what, limit/1e6)
	}
	return image.Rect(0, 0, config.Width, config.Height), facts.orientation, nil
}

// maxScans bounds the passes over the pixels that a JPEG may ask for: a scan of some hundred bytes can visit 50 megapixels,
// and 25 MB hold a quarter of a million of them. Encoders write 1 to about 12.
const maxScans = 32

// pictureFormat is what differs between the accepted kinds.
type pictureFormat struct {
	header func(io.Reader) (image.Config, error)
	decode func(io.Reader) (image.Image, error)
	facts  func([]byte) pictureFacts
}

// sniffPicture tells the format by the first bytes. Anything but the accepted kinds gives an *Invalid that names them.
func sniffPicture(body []byte) (pictureFormat, error) {
	found := mimetype.Detect(body)
	for kind := found; kind != nil; kind = kind.Parent() { // APNG is a child of PNG: its still image is taken
		switch kind.String() {
		case "image/jpeg":
			return pictureFormat{jpeg.DecodeConfig, jpeg.Decode, jpegFacts}, nil
		case "image/png":
			return pictureFormat{png.DecodeConfig, png.Decode, pngFacts}, nil
		case "image/gif":
			return pictureFormat{gif.DecodeConfig, gif.Decode, gifFacts}, nil
		case "image/webp":
			return pictureFormat{webp.DecodeConfig, webp.Decode, webpFacts}, nil
		}
	}
	what := "this kind of file"
	switch name := strings.TrimPrefix(found.String(), "image/"); {
	case strings.HasPrefix(name, "hei"): // heic, heif, and their sequences
		what = "HEIC"
	case name == "avif":
		what = "AVIF"
	case strings.HasPrefix(name, "svg"), bytes.Contains(body[:min(len(body), 1024)], []byte("<svg")):
		what = "SVG"
	}
	return pictureFormat{}, invalid("file", "picture_kind", "%s is not accepted as a picture; send JPEG, PNG, GIF or WebP", what)
}

// errDamaged is what a person reads when a decoder gave up; what exactly it met is of no use to them.
func errDamaged() error {
	return invalid("file", "picture_damaged", "the picture is damaged or cut short; send it again, or save it anew as JPEG or PNG")
}

func megabytes(n int64) string { return fmt.Sprintf("%.3g MB", float64(n)/(1<<20)) }

func pictureHash(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// contextReader ends a decoder's reading when the context ends.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c *contextReader) Read(b []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(b)
}
