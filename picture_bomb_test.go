package souk

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"runtime"
	"strings"
	"testing"
)

// endless is an upload that never ends; it counts what is taken of it.
type endless struct {
	begin []byte
	taken int64
}

func (e *endless) Read(p []byte) (int, error) {
	n := copy(p, e.begin)
	e.begin = e.begin[n:]
	if n == 0 {
		n = len(p)
		clear(p)
	}
	e.taken += int64(n)
	return n, nil
}

// An upload without end is refused after the limit, not read on.
func TestProcessEndlessUpload(t *testing.T) {
	t.Parallel()
	const limit = 1 << 20
	e := &endless{begin: jpegOf(t, corners(40, 30))}
	picture, err := NewPictures(PictureConfig{MaxBytes: limit}).Process(t.Context(), e)
	if refused := new(Invalid); picture != nil || !errors.As(err, &refused) || refused.Problems[0].Code != "picture_bytes" {
		t.Errorf("picture %v, error %v", picture, err)
	}
	if e.taken > 2*limit {
		t.Errorf("%d bytes were read", e.taken)
	}
}

// Pixels that unpack to much more than the picture's sides allow cost neither memory nor time.
func TestProcessDecompressionBomb(t *testing.T) {
	// Not parallel: it counts what is allocated.
	var packed bytes.Buffer
	z, err := zlib.NewWriterLevel(&packed, zlib.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	for zeros, i := make([]byte, 1<<20), 0; i < 256; i++ {
		if _, err := z.Write(zeros); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	picture := func(width uint32, idat string) []byte {
		body := []byte("\x89PNG\r\n\x1a\n")
		header := append(binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, width), 30), 8, 2, 0, 0, 0)
		for _, c := range []string{string(chunk("IHDR", string(header))), idat, string(chunk("IEND", ""))} {
			body = append(body, c...)
		}
		return body
	}
	for name, body := range map[string][]byte{
		"pixels":        picture(40, string(chunk("IDAT", packed.String()))),
		"a profile":     picture(40, string(chunk("iCCP", "x\x00\x00"+packed.String()))),
		"a packed text": picture(40, string(chunk("zTXt", "x\x00\x00"+packed.String()))),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if p, err := NewPictures(PictureConfig{}).Process(t.Context(), bytes.NewReader(body)); err == nil || p != nil {
			t.Errorf("%s: %v, %v", name, p, err)
		}
		runtime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; used > 32<<20 {
			t.Errorf("%s: %d MB for a file of %d KB", name, used>>20, len(body)>>10)
		}
	}
}

// A file that is a picture and a page at once becomes a picture only, and a page that begins like none is refused.
func TestProcessPolyglots(t *testing.T) {
	t.Parallel()
	const page = "<!DOCTYPE html><script>alert(1)</script>"
	img := corners(40, 30)
	for name, body := range map[string][]byte{
		"a JPEG with a page in a comment": jpegOf(t, img, segment(0xfe, page)),
		"a JPEG with a page behind it":    append(jpegOf(t, img), page...),
		"a PNG with a page in a text":     pngOf(t, img, chunk("tEXt", "Comment\x00"+page)),
		"a PNG with a page behind it":     append(pngOf(t, img), page...),
	} {
		p := process(t, body)
		for _, size := range p.Sizes {
			size.decoded(t)
			if bytes.Contains(size.Bytes, []byte("script")) {
				t.Errorf("%s: the page is still there", name)
			}
		}
	}
	for _, body := range []string{page + string(jpegOf(t, img)), "GIF89a=1;" + page, strings.Repeat(" ", 512) + page} {
		if p, err := NewPictures(PictureConfig{}).Process(t.Context(), strings.NewReader(body)); err == nil {
			t.Errorf("%.20q became %v", body, p.Sizes)
		}
	}
}
