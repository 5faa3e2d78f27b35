package console

import (
	"fmt"
	"slices"
)

// control is one field of a form with everything around it. Its id is its name.
type control struct {
	Name     string
	Label    string
	Value    string
	Error    string
	Hint     string
	Type     string // of an input; empty: text
	Mode     string // inputmode: which keyboard a phone shows
	Auto     string // autocomplete
	Max      string // characters
	Rows     string // of a textarea
	Before   string // text in front of the input
	After    string // text behind it
	Class    string
	Optional bool
	Required bool
	Focus    bool
	Options  []option
}

// newControl makes a control of a page's field; pairs are names and texts of its other properties in turn.
func newControl(page interface{ Problem(string) string }, name, value, label string, pairs ...string) (control, error) {
	c := control{Name: name, Label: label, Value: value, Error: page.Problem(name), Type: "text"}
	if len(pairs)%2 != 0 {
		return c, fmt.Errorf("control %s: %d properties, want pairs", name, len(pairs))
	}
	for i := 0; i < len(pairs); i += 2 {
		switch text := pairs[i+1]; pairs[i] {
		case "hint":
			c.Hint = text
		case "type":
			c.Type = text
		case "mode":
			c.Mode = text
		case "auto":
			c.Auto = text
		case "max":
			c.Max = text
		case "rows":
			c.Rows = text
		case "before":
			c.Before = text
		case "after":
			c.After = text
		case "class":
			c.Class = text
		case "need":
			c.Required, c.Optional = text == "yes", text == "no"
		case "focus":
			c.Focus = true
		default:
			return c, fmt.Errorf("control %s: no property %q", name, pairs[i])
		}
	}
	return c, nil
}

// pick gives the control its options; the one that is its value is chosen.
func (c control) pick(options []option) control { return c.pickAll(options, []string{c.Value}) }

// pickAll gives the control its options; those that values name are chosen.
func (c control) pickAll(options []option, values []string) control {
	c.Options = slices.Clone(options)
	for i := range c.Options {
		c.Options[i].Current = slices.Contains(values, c.Options[i].Value)
	}
	return c
}
