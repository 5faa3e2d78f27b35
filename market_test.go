package souk

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"souk/migrations/pgtest"
)

// market is a node with an owner who sells, a second seller, and a clock that stands still until it is moved.
type market struct {
	*DB
	t      *testing.T
	owner  *Account
	seller *Account

	mu  sync.Mutex
	now time.Time
}

// newMarket sets a node up: The Lane in Germany, in euros, 4.90 shipping.
func newMarket(t *testing.T) *market {
	t.Helper()
	m := newNode(t)
	ctx := t.Context()
	token := must(m.NewSetupToken(ctx))(t)
	m.owner = must(m.SetUp(ctx, token, Setup{Name: "The Lane", Country: "DE",
		Account: NewAccount{Name: "ada", Email: "ada@shop.example", Password: "market lane 1"}}))(t)
	m.seller = must(m.CreateAccount(ctx, NewAccount{Name: "bo", Role: RoleSeller, Password: "market lane 2"}))(t)
	shop := must(m.Shop(ctx))(t)
	shop.ShippingFee = 490
	if err := m.SaveShop(ctx, m.owner.ID, *shop); err != nil {
		t.Fatal(err)
	}
	return m
}

// newNode is a node that nobody owns yet.
func newNode(t *testing.T) *market {
	t.Helper()
	m := &market{t: t, now: time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC)}
	m.DB = must(New(pgtest.New(t), Config{BaseURL: "https://shop.example", Now: m.clock, HoldFor: 48 * time.Hour}))(t)
	t.Cleanup(m.Close)
	return m
}

func (m *market) clock() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now
}

// pass moves the clock on.
func (m *market) pass(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now = m.now.Add(d)
}

// must ends the test with the error of a call: must(f())(t).
func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// goods is a listing with one variant for each price; it returns the listing and its variants.
func (m *market) goods(seller *Account, title string, quantity int, prices ...int64) (listing int64, variants []int64) {
	m.t.Helper()
	id := m.NewID()
	m.exec(`insert into posts (id, kind, account_id, uri, local, visibility, thread_id, published) values ($1, 'listing', $2, $3, true, 'public', $1, $4)`,
		id, seller.ID, fmt.Sprintf("https://shop.example/listings/%d", id), m.Now())
	m.exec(`insert into listings (id, seller_id, title, state, currency, first_published, created, updated) values ($1, $2, $3, 'published', 'EUR', $4, $4, $4)`,
		id, seller.ID, title, m.Now())
	for i, price := range prices {
		v := m.NewID()
		m.exec(`insert into variants (id, listing_id, position, title, price, quantity) values ($1, $2, $3, $4, $5, $6)`,
			v, id, i, fmt.Sprintf("%s %d", title, i), price, quantity)
		variants = append(variants, v)
	}
	return id, variants
}

func (m *market) exec(sql string, args ...any) {
	m.t.Helper()
	if _, err := m.q.Exec(m.t.Context(), sql, args...); err != nil {
		m.t.Fatal(err)
	}
}

// count is the one number that a query answers.
func (m *market) count(sql string, args ...any) (n int) {
	m.t.Helper()
	if err := m.q.QueryRow(m.t.Context(), sql, args...).Scan(&n); err != nil {
		m.t.Fatal(err)
	}
	return n
}

// stock checks what a variant has for sale and what is held of it.
func (m *market) stock(variant int64, sale, held int) {
	m.t.Helper()
	var gotSale, gotHeld int
	err := m.q.QueryRow(m.t.Context(), `select quantity, held from variants where id = $1`, variant).Scan(&gotSale, &gotHeld)
	if err != nil {
		m.t.Fatal(err)
	}
	if gotSale != sale || gotHeld != held {
		m.t.Errorf("stock: %d for sale and %d held, want %d and %d", gotSale, gotHeld, sale, held)
	}
}

// mails are the kinds of mail queued about an order, in order.
func (m *market) mails(order int64) []string {
	m.t.Helper()
	rows, err := m.q.Query(m.t.Context(), `select args->>'mail' from river_job where kind = 'mail' and (args->>'order_id')::bigint = $1 order by id`, order)
	if err != nil {
		m.t.Fatal(err)
	}
	defer rows.Close()
	var mails []string
	for rows.Next() {
		var mail string
		if err := rows.Scan(&mail); err != nil {
			m.t.Fatal(err)
		}
		mails = append(mails, mail)
	}
	if err := rows.Err(); err != nil {
		m.t.Fatal(err)
	}
	return mails
}

// guest is an order for one listing that nothing is wrong with.
func guest(listing int64, quantity int) NewOrder {
	return NewOrder{Lines: []NewOrderLine{{ListingID: listing, Quantity: quantity}}, Name: "Lin Mei", Email: "lin@buyer.example",
		Country: "de", Address: "Gasse 1\r\n10115 Berlin", Payment: PayTransfer, Lang: "zh-CN"}
}

// wrongFields are the fields and codes that an error names: "field code", sorted.
func wrongFields(t *testing.T, err error) []string {
	t.Helper()
	var e *Invalid
	if !errors.As(err, &e) {
		t.Fatalf("error %v, want *Invalid", err)
	}
	var fields []string
	for _, p := range e.Problems {
		fields = append(fields, p.Field+" "+p.Code)
	}
	slices.Sort(fields)
	return fields
}

func wantFields(t *testing.T, err error, want ...string) {
	t.Helper()
	slices.Sort(want)
	if got := wrongFields(t, err); !slices.Equal(got, want) {
		t.Errorf("wrong fields:\n got %q\nwant %q", got, want)
	}
}

func wantErr(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}

// together runs f n times at once and waits for all of them.
func together(n int, f func(i int)) {
	var group sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		group.Go(func() {
			<-start
			f(i)
		})
	}
	close(start)
	group.Wait()
}
