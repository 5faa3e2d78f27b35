package main

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"testing"

	"souk"
)

func demoKinds() []string {
	return []string{"cup", "mug", "bowl", "vase", "teapot", "plate", "print", "cloth", "notebook", "potter", "printer", "reader"}
}

func TestDrawPictureIsAPhonesPicture(t *testing.T) {
	t.Parallel()
	body, err := drawPicture("cup", "", 1)
	if err != nil {
		t.Fatal(err)
	}
	lying, err := jpeg.DecodeConfig(bytes.NewReader(body))
	if err != nil || lying.Width != 2000 || lying.Height != 1600 {
		t.Errorf("stored %d x %d (%v), want it on its side, 2000 x 1600", lying.Width, lying.Height, err)
	}
	latitude := []byte{0, 0, 0, 28, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 1} // 28 degrees, 4 minutes
	if !bytes.Contains(body[:400], latitude) {
		t.Error("holds no GPS position")
	}
	picture, err := souk.NewPictures(souk.PictureConfig{}).Process(t.Context(), bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if picture.Width != 1280 || picture.Height != 1600 {
		t.Errorf("upright %d x %d, want 1280 x 1600", picture.Width, picture.Height)
	}
	for _, size := range picture.Sizes {
		if bytes.Contains(size.Bytes, latitude) || bytes.Contains(size.Bytes, []byte("Exif")) {
			t.Errorf("%d wide: still says where it was taken", size.Width)
		}
	}
	again, err := drawPicture("cup", "", 1)
	if err != nil || !bytes.Equal(body, again) {
		t.Errorf("drawn again it differs (%v)", err)
	}
}

func TestFromPhoneTurnsBackUpright(t *testing.T) {
	t.Parallel()
	upright := image.NewRGBA(image.Rect(0, 0, 64, 80))
	for y := range 80 {
		for x := range 64 {
			upright.SetRGBA(x, y, color.RGBA{uint8(60 + 2*x), uint8(40 + 2*y), 90, 255})
		}
	}
	for _, taken := range []place{{28.0746, 119.1411}, {-33.9, -18.4}} {
		body, err := asFromPhone(upright, taken)
		if err != nil {
			t.Fatal(err)
		}
		picture, err := souk.NewPictures(souk.PictureConfig{}).Process(t.Context(), bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		got, err := jpeg.Decode(bytes.NewReader(picture.Sizes[0].Bytes))
		if err != nil {
			t.Fatal(err)
		}
		for _, at := range []image.Point{{4, 4}, {60, 4}, {4, 76}, {60, 76}} {
			is, want := color.RGBAModel.Convert(got.At(at.X, at.Y)).(color.RGBA), upright.RGBAAt(at.X, at.Y)
			if math.Abs(float64(is.R)-float64(want.R)) > 8 || math.Abs(float64(is.G)-float64(want.G)) > 8 {
				t.Errorf("pixel %v is %v, want about %v", at, is, want)
			}
		}
	}
}

// Every kind shows something: what stands in the middle differs from the wall, and no light is lost or not a number.
func TestEveryStillShowsSomething(t *testing.T) {
	t.Parallel()
	for _, kind := range demoKinds() {
		for seed := range int64(6) {
			t.Run(fmt.Sprintf("%s %d", kind, seed), func(t *testing.T) {
				t.Parallel()
				scene, err := newStill(kind, "", seed)
				if err != nil {
					t.Fatal(err)
				}
				const width, height = 40, 50
				film := scene.photograph(width, height)
				for i, c := range film {
					if !(c.x >= 0 && c.y >= 0 && c.z >= 0 && c.x < 8 && c.y < 8 && c.z < 8) {
						t.Fatalf("pixel %d,%d is %v", i%width, i/width, c)
					}
				}
				middle, wall := film[height/2*width+width/2], film[2*width+2]
				if kind != "print" && middle.sub(wall).length() < 0.05 {
					t.Errorf("the middle, %v, looks like the wall, %v", middle, wall)
				}
			})
		}
	}
}

func TestSeedsDiffer(t *testing.T) {
	t.Parallel()
	seen := map[string]int64{}
	for seed := range int64(9) {
		scene, err := newStill("mug", "", seed)
		if err != nil {
			t.Fatal(err)
		}
		key := fmt.Sprint(scene.photograph(20, 25))
		if other, ok := seen[key]; ok {
			t.Errorf("seeds %d and %d give one picture", other, seed)
		}
		seen[key] = seed
	}
}

func TestDrawPictureRefuses(t *testing.T) {
	t.Parallel()
	for _, test := range [][2]string{{"", ""}, {"car", ""}, {"cup", "gold"}, {"cloth", "celadon"}} {
		if body, err := drawPicture(test[0], test[1], 1); err == nil || body != nil {
			t.Errorf("%q with %q was drawn", test[0], test[1])
		}
	}
}

func BenchmarkDrawPicture(b *testing.B) {
	for _, kind := range demoKinds() {
		b.Run(kind, func(b *testing.B) {
			for b.Loop() {
				if _, err := drawPicture(kind, "", 0); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
