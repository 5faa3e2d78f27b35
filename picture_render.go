package souk

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"

	"github.com/buckket/go-blurhash"
	"golang.org/x/image/draw"
)

const (
	longestEdge   = 1600      // of the largest size
	jpegQuality   = 82        // about 170 KB at 1280 pixels
	pngSmall      = 600 << 10 // a larger PNG with transparency becomes a JPEG on white
	thumbnailEdge = 64        // enough for blurhash and the average colour
)

// pictureWidths returns the widths of all sizes of a picture whose largest is width wide.
func pictureWidths(width int) []int {
	var widths []int
	for _, w := range []int{320, 640, 1280} {
		if w < width {
			widths = append(widths, w)
		}
	}
	return append(widths, width)
}

// render makes every size of a decoded picture. A frame smaller than its canvas (GIF) keeps its place on it.
func render(ctx context.Context, decoded image.Image, canvas image.Rectangle, orientation int) (*Picture, error) {
	reduced, err := reduce(ctx, decoded, canvas)
	if err != nil {
		return nil, err
	}
	largest := fit(upright(reduced, orientation), longestEdge)
	mime := "image/jpeg"
	if !largest.Opaque() {
		body, err := encodePicture(largest, "image/png")
		if err != nil {
			return nil, err
		}
		if len(body) <= pngSmall {
			mime = "image/png"
		}
	}
	onWhite := flatten(largest)
	if mime == "image/jpeg" {
		largest = onWhite
	}
	picture := &Picture{Width: largest.Rect.Dx(), Height: largest.Rect.Dy(), MIME: mime}
	if err := picture.describe(onWhite); err != nil {
		return nil, err
	}
	for _, width := range pictureWidths(picture.Width) {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		img := scale(largest, width, max(1, (picture.Height*width+picture.Width/2)/picture.Width))
		body, err := encodePicture(img, mime)
		if err != nil {
			return nil, err
		}
		picture.Sizes = append(picture.Sizes, PictureSize{Width: width, Height: img.Rect.Dy(), MIME: mime, Bytes: body})
	}
	picture.Hash = pictureHash(picture.Sizes[len(picture.Sizes)-1].Bytes)
	return picture, nil
}

// describe sets what stands in for the picture while it loads, from its pixels on white.
func (p *Picture) describe(onWhite *image.RGBA) error {
	across, down := 4, 3
	if p.Height > p.Width {
		across, down = 3, 4
	}
	thumbnail := fit(onWhite, thumbnailEdge)
	hash, err := blurhash.Encode(across, down, thumbnail)
	if err != nil {
		return fmt.Errorf("blurhash: %w", err)
	}
	var red, green, blue, n uint64
	for i := 0; i+3 < len(thumbnail.Pix); i += 4 {
		red, green, blue, n = red+uint64(thumbnail.Pix[i]), green+uint64(thumbnail.Pix[i+1]), blue+uint64(thumbnail.Pix[i+2]), n+1
	}
	p.Blurhash = hash
	p.Colour = fmt.Sprintf("#%02x%02x%02x", (red+n/2)/n, (green+n/2)/n, (blue+n/2)/n)
	return nil
}

// reduce copies src into RGBA, shrunk by averaging as many whole pixels as leave the longest edge at 1600 or more. It works in
// strips, so that a 50 megapixel picture is never held twice, and is several times faster than one wide filter.
func reduce(ctx context.Context, src image.Image, canvas image.Rectangle) (*image.RGBA, error) {
	width, height := canvas.Dx(), canvas.Dy()
	factor := max(1, max(width, height)/longestEdge)
	dst := image.NewRGBA(image.Rect(0, 0, max(1, width/factor), max(1, height/factor)))
	strip := image.NewRGBA(image.Rect(0, 0, width, min(height, 2*factor)))
	for y := range dst.Rect.Dy() {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		top, bottom := y*height/dst.Rect.Dy(), (y+1)*height/dst.Rect.Dy()
		area := image.Rect(0, 0, width, bottom-top)
		draw.Draw(strip, area, image.Transparent, image.Point{}, draw.Src)
		// A frame that covers part of the canvas draws only there.
		frame := src.Bounds().Intersect(image.Rect(0, top, width, bottom))
		draw.Draw(strip, frame.Sub(image.Pt(0, top)), src, frame.Min, draw.Src)
		averageRow(dst.Pix[y*dst.Stride:][:dst.Stride], strip, area)
	}
	return dst, nil
}

// averageRow fills one row of RGBA pixels with the means of equal blocks of area. Premultiplied alpha makes the mean right
// at the edges of transparency.
func averageRow(row []byte, strip *image.RGBA, area image.Rectangle) {
	across := len(row) / 4
	for x := range across {
		left, right := x*area.Max.X/across, (x+1)*area.Max.X/across
		var sum [4]uint32
		for y := range area.Max.Y {
			block := strip.Pix[y*strip.Stride+4*left : y*strip.Stride+4*right]
			for ; len(block) >= 4; block = block[4:] {
				sum[0] += uint32(block[0])
				sum[1] += uint32(block[1])
				sum[2] += uint32(block[2])
				sum[3] += uint32(block[3])
			}
		}
		n := uint32((right - left) * area.Max.Y)
		for c := range sum {
			row[4*x+c] = byte((sum[c] + n/2) / n)
		}
	}
}

// upright undoes an EXIF orientation (EXIF 2.32, 4.6.5.1.6): the result is what the camera's holder saw.
func upright(src *image.RGBA, orientation int) *image.RGBA {
	if orientation == 1 {
		return src
	}
	width, height := src.Rect.Dx(), src.Rect.Dy()
	bounds := src.Rect
	if orientation >= 5 {
		bounds = image.Rect(0, 0, height, width)
	}
	dst := image.NewRGBA(bounds)
	right, bottom := width-1, height-1
	for y := range height {
		for x := range width {
			var to image.Point
			switch orientation {
			case 2: // mirrored
				to = image.Pt(right-x, y)
			case 3: // upside down
				to = image.Pt(right-x, bottom-y)
			case 4: // upside down and mirrored
				to = image.Pt(x, bottom-y)
			case 5: // first row is the left side
				to = image.Pt(y, x)
			case 6: // first row is the right side
				to = image.Pt(bottom-y, x)
			case 7: // first row is the right side, from below
				to = image.Pt(bottom-y, right-x)
			case 8: // first row is the left side, from below
				to = image.Pt(y, right-x)
			}
			copy(dst.Pix[dst.PixOffset(to.X, to.Y):][:4], src.Pix[src.PixOffset(x, y):][:4])
		}
	}
	return dst
}

// fit scales src so that no edge is longer than edge, never up.
func fit(src *image.RGBA, edge int) *image.RGBA {
	width, height := src.Rect.Dx(), src.Rect.Dy()
	longest := max(width, height)
	if longest <= edge {
		return src
	}
	return scale(src, max(1, (width*edge+longest/2)/longest), max(1, (height*edge+longest/2)/longest))
}

func scale(src *image.RGBA, width, height int) *image.RGBA {
	if src.Rect.Dx() == width && src.Rect.Dy() == height {
		return src
	}
	dst := image.NewRGBA(image.Rect(0, 0, width, height))
	draw.CatmullRom.Scale(dst, dst.Rect, src, src.Rect, draw.Src, nil)
	return dst
}

func flatten(src *image.RGBA) *image.RGBA {
	if src.Opaque() {
		return src
	}
	dst := image.NewRGBA(src.Rect)
	draw.Draw(dst, dst.Rect, image.NewUniform(color.White), image.Point{}, draw.Src)
	draw.Draw(dst, dst.Rect, src, src.Rect.Min, draw.Over)
	return dst
}

// encodePicture writes pixels and nothing else: neither encoder adds metadata.
func encodePicture(img image.Image, mime string) ([]byte, error) {
	var body bytes.Buffer
	var err error
	if mime == "image/png" {
		err = png.Encode(&body, img)
	} else {
		err = jpeg.Encode(&body, img, &jpeg.Options{Quality: jpegQuality})
	}
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", mime, err)
	}
	return body.Bytes(), nil
}
