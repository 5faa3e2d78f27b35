package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"souk"
)

// csvColumns are the columns of the files, in the order in which they are written.
func csvColumns() []string {
	return []string{"id", "title", "description", "price", "currency", "quantity", "category", "condition", "tags", "state", "lang", "url", "images", "seller"}
}

type rowWriter struct{ *csv.Writer }

func newRowWriter(out io.Writer) (rowWriter, error) {
	w := rowWriter{csv.NewWriter(out)}
	return w, w.Write(csvColumns())
}

func (w rowWriter) write(db *souk.DB, l *souk.Listing, seller string) error {
	images := make([]string, len(l.Post.Media))
	for i := range l.Post.Media {
		images[i] = db.BaseURL() + l.Post.Media[i].Path(math.MaxInt)
	}
	state := l.State
	if state == souk.ListingSoldOut {
		state = souk.ListingPublished // with the quantity 0
	}
	price := l.Price()
	return w.Write([]string{strconv.FormatInt(l.ID, 10), l.Title, l.Description, price.Decimal(), price.Currency, strconv.Itoa(l.Quantity()), l.Category,
		l.Condition, strings.Join(l.Tags, ", "), state, l.Post.Lang, db.BaseURL() + "/products/" + l.Slug, strings.Join(images, " "), seller})
}

func (w rowWriter) flush() error {
	w.Flush()
	return w.Error()
}

// csvRow is one product of a file, by column. A column that the file does not have is not in it.
type csvRow struct {
	line  int
	cells map[string]string
}

// readRows reads a whole file: UTF-8 with or without its mark, commas, semicolons or tabs between the cells, as
// spreadsheets of different countries write them.
func readRows(body []byte) ([]csvRow, error) {
	body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	if !utf8.Valid(body) {
		return nil, errors.New("the file is not UTF-8: save it as \"CSV UTF-8\"")
	}
	first, _, _ := bytes.Cut(body, []byte("\n"))
	r := csv.NewReader(bytes.NewReader(body))
	for _, comma := range ",;\t" {
		if bytes.Count(first, []byte(string(comma))) > bytes.Count(first, []byte(string(r.Comma))) {
			r.Comma = comma
		}
	}
	head, err := r.Read()
	if err == io.EOF {
		return nil, errors.New("the file is empty")
	}
	if err != nil {
		return nil, err
	}
	if err := checkHead(head); err != nil {
		return nil, err
	}
	var rows []csvRow
	for {
		cells, err := r.Read()
		if err == io.EOF {
			return rows, nil
		}
		if err != nil {
			return nil, err
		}
		row := csvRow{cells: make(map[string]string, len(head))}
		row.line, _ = r.FieldPos(0)
		for i, name := range head {
			row.cells[name] = strings.TrimSpace(cells[i])
		}
		rows = append(rows, row)
	}
}

// checkHead brings the names of the columns into their form and refuses what is not ours.
func checkHead(head []string) error {
	known := csvColumns()
	var unknown []string
	for i := range head {
		head[i] = strings.ToLower(strings.TrimSpace(head[i]))
		if !slices.Contains(known, head[i]) {
			unknown = append(unknown, strconv.Quote(head[i]))
		} else if slices.Contains(head[:i], head[i]) {
			return fmt.Errorf("the column %q is there twice", head[i])
		}
	}
	if len(unknown) > 0 {
		return fmt.Errorf("the columns %s are not known; there are %s", strings.Join(unknown, ", "), strings.Join(known, ", "))
	}
	return nil
}

// apply puts the product up, or changes the one that the id names.
func (r csvRow) apply(ctx context.Context, db *souk.DB, by *souk.Account, n *imported) error {
	e := &souk.Invalid{}
	if r.cells["id"] == "" {
		l := r.listing(e)
		if err := e.Err(); err != nil {
			return err
		}
		n.made++
		_, err := db.CreateListing(ctx, by.ID, l)
		return err
	}
	id, err := souk.ParseID(r.cells["id"])
	if err != nil {
		e.Add("id", "id", "%.40q is not an id", r.cells["id"])
		return e
	}
	c := r.change(e)
	if err := e.Err(); err != nil {
		return err
	}
	n.changed++
	_, err = db.ChangeListing(ctx, by.ID, id, c)
	if errors.Is(err, souk.ErrNotFound) || errors.Is(err, souk.ErrGone) || errors.Is(err, souk.ErrForbidden) {
		e.Add("id", "listing_unknown", "%s has no product with this id; leave it empty for a new one", by.Name)
		return e
	}
	return err
}

func (r csvRow) listing(e *souk.Invalid) souk.NewListing {
	l := souk.NewListing{Title: r.cells["title"], Description: r.cells["description"], Price: r.price(e), Quantity: 1, Condition: r.cells["condition"],
		Category: r.cells["category"], Tags: r.tags(), State: r.cells["state"], Lang: r.cells["lang"]}
	if q := r.quantity(e); q != nil {
		l.Quantity = *q
	}
	return l
}

func (r csvRow) change(e *souk.Invalid) souk.ListingChange {
	c := souk.ListingChange{Title: r.cell("title"), Description: r.cell("description"), Quantity: r.quantity(e), Condition: r.cell("condition"),
		Category: r.cell("category"), State: r.cell("state"), Lang: r.cell("lang"), Tags: r.tags()}
	if r.cells["price"] != "" {
		price := r.price(e)
		c.Price = &price
	}
	return c
}

// cell is nil where nothing is said.
func (r csvRow) cell(name string) *string {
	if s := r.cells[name]; s != "" {
		return &s
	}
	return nil
}

func (r csvRow) price(e *souk.Invalid) souk.Money {
	m, err := souk.ParseMoney(r.cells["price"], strings.ToUpper(r.cells["currency"]))
	var invalid *souk.Invalid
	if errors.As(err, &invalid) {
		e.Problems = append(e.Problems, invalid.Problems...)
	}
	return m
}

func (r csvRow) quantity(e *souk.Invalid) *int {
	text := r.cells["quantity"]
	if text == "" {
		return nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		e.Add("quantity", "quantity", "%.40q is not a whole number", text)
	}
	return &n
}

func (r csvRow) tags() []string {
	if r.cells["tags"] == "" {
		return nil
	}
	return strings.FieldsFunc(r.cells["tags"], func(c rune) bool { return c == ',' || c == '，' || c == ';' || c == ' ' })
}
