package web

import "testing"

func TestHeadline(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, heading, rest string }{
		{"Opening the kiln\n\nEighteen hours.", "Opening the kiln", "Eighteen hours."},
		{"开窑\n六十只杯子", "开窑", "六十只杯子"},
		{"We opened the kiln.\nMore", "We opened the kiln.", "More"},
		{"我们搬家了。\n以后", "我们搬家了。", "以后"},
		{"What is new:\n- a cup", "", "What is new:\n- a cup"},
		{"Only one line", "", "Only one line"},
		{"#celadon #tea\nText", "", "#celadon #tea\nText"},
		{"", "", ""},
	} {
		if heading, rest := headline(c.text); heading != c.heading || rest != c.rest {
			t.Errorf("%q: %q, %q", c.text, heading, rest)
		}
	}
}
