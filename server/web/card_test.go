package web

import "testing"

func TestHeadline(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, heading, rest string }{
		{"Opening the kiln\n\nEighteen hours.", "Opening the kiln", "Eighteen hours."},
		{"开窑\n六十只杯子", "开窑", "六十只杯子"},
		{"It is done.\nMore", "", "It is done.\nMore"},
		{"搬家了。\n以后", "", "搬家了。\n以后"},
		{"Only one line", "", "Only one line"},
		{"#celadon #tea\nText", "", "#celadon #tea\nText"},
		{"", "", ""},
	} {
		if heading, rest := headline(c.text); heading != c.heading || rest != c.rest {
			t.Errorf("%q: %q, %q", c.text, heading, rest)
		}
	}
}
