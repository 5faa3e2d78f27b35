package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/PuerkitoBio/goquery"
)

// visitor is a browser without scripts and cookies, and a program that uses the commerce API.
type visitor struct{ client *http.Client }

func newVisitor() *visitor { return &visitor{client: &http.Client{Timeout: waitFor}} }

// answer is what a node answered, read to its end; url is where redirects led.
type answer struct {
	status int
	url    *url.URL
	body   []byte
}

// ask sends one request. header is pairs of name and value; an empty value leaves the header out.
func (v *visitor) ask(ctx context.Context, method, address string, body []byte, header ...string) (*answer, error) {
	request, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	for pair := range slices.Chunk(header, 2) {
		if pair[1] != "" {
			request.Header.Set(pair[0], pair[1])
		}
	}
	response, err := v.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	const most = 32 << 20
	text, err := io.ReadAll(io.LimitReader(response.Body, most))
	if err != nil {
		return nil, err
	}
	return &answer{status: response.StatusCode, url: response.Request.URL, body: text}, nil
}

// call calls the commerce API with a JSON body, or none where body is nil, and reads the answer into out where out is not
// nil. Another status than those wanted is an error that shows the answer.
func (v *visitor) call(ctx context.Context, method, address, token string, body, out any, want ...int) error {
	return v.callWith(ctx, method, address, token, "", body, out, want...)
}

// callWith is call with an Idempotency-Key.
func (v *visitor) callWith(ctx context.Context, method, address, token, key string, body, out any, want ...int) error {
	var text []byte
	kind := ""
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			return err
		}
		kind = "application/json"
	}
	a, err := v.ask(ctx, method, address, text, "Authorization", bearer(token), "Content-Type", kind, "Accept", "application/json", "Idempotency-Key", key)
	if err != nil {
		return err
	}
	return a.decode(out, want...)
}

// decode reads a JSON answer into out where out is not nil; another status than those wanted is an error.
func (a *answer) decode(out any, want ...int) error {
	if !slices.Contains(want, a.status) {
		return fmt.Errorf("expected %s to answer %v, saw %s", a.url, want, a)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(a.body, out); err != nil {
		return fmt.Errorf("%s: %w in %s", a.url, err, a)
	}
	return nil
}

func bearer(token string) string {
	if token == "" {
		return ""
	}
	return "Bearer " + token
}

// page reads a page; another status than 200 is an error.
func (v *visitor) page(ctx context.Context, address string) (*goquery.Document, error) {
	a, err := v.ask(ctx, http.MethodGet, address, nil, "Accept", "text/html")
	if err != nil {
		return nil, err
	}
	return a.page()
}

func (a *answer) page() (*goquery.Document, error) {
	if a.status != http.StatusOK {
		return nil, fmt.Errorf("expected %s to answer 200, saw %s", a.url, a)
	}
	return goquery.NewDocumentFromReader(bytes.NewReader(a.body))
}

// String shows status and beginning of an answer in one line.
func (a *answer) String() string {
	const most = 300
	text := strings.Join(strings.Fields(string(a.body)), " ")
	if len(text) > most {
		text = text[:most] + " ..."
	}
	return fmt.Sprintf("%d %s", a.status, text)
}

// submit fills a form as somebody without scripts does, and sends it; what is not in fill keeps the value of the page.
func (v *visitor) submit(ctx context.Context, page string, form *goquery.Selection, fill map[string]string) (*answer, error) {
	at, err := url.Parse(page)
	if err != nil {
		return nil, err
	}
	action, ok := form.Attr("action")
	if !ok {
		return nil, fmt.Errorf("expected a form on %s, saw none", page)
	}
	to, err := at.Parse(action)
	if err != nil {
		return nil, err
	}
	values := formValues(form)
	for name, value := range fill {
		if form.Find(`[name="`+name+`"]`).Length() == 0 {
			return nil, fmt.Errorf("expected a field %q in the form of %s, saw %v", name, page, values)
		}
		values.Set(name, value)
	}
	return v.ask(ctx, http.MethodPost, to.String(), []byte(values.Encode()), "Content-Type", "application/x-www-form-urlencoded",
		"Origin", at.Scheme+"://"+at.Host, "Accept", "text/html")
}

// formValues is what a browser would send of an untouched form.
func formValues(form *goquery.Selection) url.Values {
	values := url.Values{}
	form.Find("input[name], textarea[name], select[name]").Each(func(_ int, field *goquery.Selection) {
		name := field.AttrOr("name", "")
		value := field.AttrOr("value", "")
		_, checked := field.Attr("checked")
		switch kind := field.AttrOr("type", ""); {
		case goquery.NodeName(field) == "textarea":
			value = field.Text()
		case goquery.NodeName(field) == "select":
			value = chosen(field)
		case (kind == "radio" || kind == "checkbox") && !checked, kind == "submit", kind == "button":
			return
		}
		values.Set(name, value)
	})
	return values
}

// chosen is the selected option, else the first.
func chosen(field *goquery.Selection) string {
	option := field.Find("option[selected]").First()
	if option.Length() == 0 {
		option = field.Find("option").First()
	}
	return option.AttrOr("value", option.Text())
}

// waitFor is how long a step may take at most, on a small machine that does much else.
const waitFor = 2 * time.Minute

// until looks again and again, up to waitFor, until look says yes. seen is what it saw instead, for people.
func until(ctx context.Context, what string, look func(context.Context) (seen string, yes bool)) error {
	ctx, cancel := context.WithTimeout(ctx, waitFor)
	defer cancel()
	again := time.NewTicker(25 * time.Millisecond)
	defer again.Stop()
	last := "nothing"
	for {
		seen, yes := look(ctx)
		if yes {
			return nil
		}
		if ctx.Err() == nil {
			last = seen // what was cut off by the end tells nothing
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("expected %s, but after %s saw %s", what, waitFor, last)
		case <-again.C:
		}
	}
}
