package console

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"souk"
)

type listingsPage struct {
	frame
	Views    views
	State    string
	Listings []souk.Listing
	Pager    pager
}

// views are the tabs above a list.
type views struct {
	Label   string
	Options []option
}

// listingPage makes or changes a product.
type listingPage struct {
	frame
	ID         int64 // 0: a new one
	State      string
	Told       bool   // followers were told of it
	PublicURL  string // of its page in the shop; empty while it has none
	Currency   string
	Form       listingForm
	Gallery    gallery
	Saved      *souk.Listing // what somebody else saved meanwhile
	Categories []string
	Conditions []option
	Languages  []option
}

type listingForm struct {
	Title, Price, Quantity, Description, Condition, Category, Tags, Lang, Announce, Version string
}

// Listings lists one's own products by state.
func (c *Console) Listings(v *Visit) error {
	counts, err := c.DB.ListingCounts(v.ctx(), v.me.ID)
	if err != nil {
		return err
	}
	page := listingsPage{frame: v.frame("products", "products.title"), State: v.QueryParam("state")}
	states := []string{"", souk.ListingPublished, souk.ListingDraft, souk.ListingSoldOut, souk.ListingWithdrawn}
	total := 0
	for _, n := range counts {
		total += n
	}
	page.Views.Label = v.t("products.views")
	for _, state := range states {
		o := option{Value: "/console/products", Label: v.t("products.all"), Hint: strconv.Itoa(total), Current: page.State == state}
		if state != "" {
			o.Value, o.Label, o.Hint = o.Value+"?state="+url.QueryEscape(state), v.t("listing_state."+state), strconv.Itoa(counts[state])
		}
		page.Views.Options = append(page.Views.Options, o)
	}
	if page.Listings, err = c.DB.SellerListings(v.ctx(), v.me.ID, page.State, v.page()); err != nil {
		return err
	}
	if n := len(page.Listings); n > 0 {
		page.Pager = v.pager(n, page.Listings[n-1].ID)
	}
	return c.render(v, http.StatusOK, "products", page)
}

// NewListing shows the empty form of a product.
func (c *Console) NewListing(v *Visit) error {
	form := listingForm{Quantity: "1", Condition: "new", Lang: v.shop.Lang, Announce: "1"}
	return c.listingPage(v, http.StatusOK, listingPage{frame: v.frame("products", "product.new"), Form: form})
}

// CreateListing makes a product of the form, as a draft or for sale.
func (c *Console) CreateListing(v *Visit) error {
	done, err := v.parseForm()
	if err != nil {
		return err
	}
	defer done()
	page := listingPage{frame: v.frame("products", "product.new"), Form: readListingForm(v), Currency: v.shop.Currency}
	stay, err := c.readListing(v, &page)
	if err != nil {
		return err
	}
	n, ok := page.newListing(v)
	if stay || len(page.Problems) > 0 || !ok {
		return c.listingAgain(v, page, stay)
	}
	var made *souk.Listing
	err = c.DB.Tx(v.ctx(), func(tx *souk.DB) error {
		if err := page.Gallery.describe(v, tx); err != nil {
			return err
		}
		made, err = tx.CreateListing(v.ctx(), v.me.ID, n)
		return err
	})
	switch {
	case v.wrong(&page.frame, err, listingFields()):
		return c.listingAgain(v, page, false)
	case err != nil:
		return err
	}
	return v.afterListing(made)
}

// Listing shows a product in its form.
func (c *Console) Listing(v *Visit) error {
	l, err := c.ownListing(v)
	if err != nil {
		return err
	}
	return c.listingPage(v, http.StatusOK, v.pageOfListing(l))
}

// ownListing is the living product that the path names, of the account that asks.
func (c *Console) ownListing(v *Visit) (*souk.Listing, error) {
	id, err := v.id()
	if err != nil {
		return nil, err
	}
	l, err := c.DB.Listing(v.ctx(), v.me.ID, id)
	switch {
	case err != nil:
		return nil, err
	case l.SellerID != v.me.ID:
		return nil, souk.ErrNotFound
	case l.State == souk.ListingWithdrawn:
		return nil, souk.ErrGone
	}
	return l, nil
}

func (v *Visit) pageOfListing(l *souk.Listing) listingPage {
	page := listingPage{frame: v.frame("products", "product.edit"), Form: listingForm{Title: l.Title, Price: l.Price().Decimal(), Quantity: strconv.Itoa(l.Quantity()),
		Description: l.Description, Condition: l.Condition, Category: l.Category, Tags: strings.Join(l.Tags, " "), Lang: l.Post.Lang,
		Version: strconv.FormatInt(l.Version, 10)}, Gallery: galleryOf(l.Post.Media)}
	if l.State == souk.ListingDraft && l.Price().Amount == 0 {
		page.Form.Price = "" // not decided yet: a price of nothing must be typed
	}
	if l.Announce {
		page.Form.Announce = "1"
	}
	page.describes(l)
	page.Title = l.Title
	return page
}

// describes takes over what the form does not change.
func (p *listingPage) describes(l *souk.Listing) {
	p.ID, p.State, p.Currency = l.ID, l.State, l.Currency
	p.Told = l.Post.InTimeline && l.State != souk.ListingDraft
	if l.State != souk.ListingDraft {
		p.PublicURL = l.Post.URL
	}
}

// ChangeListing saves the form of a product, and publishes a draft where that was asked for. Where somebody else saved it
// meanwhile, it shows both and changes nothing.
func (c *Console) ChangeListing(v *Visit) error {
	l, err := c.ownListing(v)
	if err != nil {
		return err
	}
	done, err := v.parseForm()
	if err != nil {
		return err
	}
	defer done()
	page := v.pageOfListing(l)
	page.Form = readListingForm(v)
	stay, err := c.readListing(v, &page)
	if err != nil {
		return err
	}
	n, ok := page.newListing(v)
	if stay || len(page.Problems) > 0 || !ok {
		return c.listingAgain(v, page, stay)
	}
	change := page.change(n)
	err = c.DB.Tx(v.ctx(), func(tx *souk.DB) error {
		if err := page.Gallery.describe(v, tx); err != nil {
			return err
		}
		l, err = tx.ChangeListing(v.ctx(), v.me.ID, page.ID, change)
		return err
	})
	switch {
	case v.wrong(&page.frame, err, listingFields()):
		return c.listingAgain(v, page, false)
	case errors.Is(err, souk.ErrConflict):
		return c.listingConflict(v, page)
	case err != nil:
		return err
	}
	return v.afterListing(l)
}

// change is the form as what the domain is to change; the state only where a draft is published.
func (p *listingPage) change(n souk.NewListing) souk.ListingChange {
	change := souk.ListingChange{Title: &n.Title, Description: &n.Description, Price: &n.Price, Quantity: &n.Quantity, Condition: &n.Condition,
		Category: &n.Category, Tags: n.Tags, MediaIDs: n.MediaIDs, Announce: &n.Announce, Lang: &n.Lang}
	if p.State == souk.ListingDraft {
		change.State = &n.State
	}
	if version, err := strconv.ParseInt(p.Form.Version, 10, 64); err == nil {
		change.Version = version
	}
	return change
}

// listingConflict shows what was saved meanwhile above the form that was not: saving again replaces it knowingly.
func (c *Console) listingConflict(v *Visit, page listingPage) error {
	saved, err := c.DB.Listing(v.ctx(), v.me.ID, page.ID)
	if err != nil {
		return err
	}
	page.Saved = saved
	page.Form.Version = strconv.FormatInt(saved.Version, 10)
	page.Problems = []problem{{Message: v.t("product.conflict")}}
	return c.listingPage(v, http.StatusConflict, page)
}

// afterListing leads on from a saved product.
func (v *Visit) afterListing(l *souk.Listing) error {
	path := "/console/products/" + formatID(l.ID)
	switch do := v.FormValue("do"); {
	case do == "preview":
		return v.see(path+"/preview", "")
	case l.State == souk.ListingDraft:
		return v.see(path, "draft_saved")
	case do == "publish":
		return v.see(path, "published")
	}
	return v.see(path, "saved")
}

// listingAgain shows the form again: as it is after a button of its gallery, or with what is wrong.
func (c *Console) listingAgain(v *Visit, page listingPage, stay bool) error {
	status := http.StatusUnprocessableEntity
	if stay && page.Gallery.Problem == "" {
		status, page.Problems = http.StatusOK, nil
	}
	return c.listingPage(v, status, page)
}

func (c *Console) listingPage(v *Visit, status int, page listingPage) error {
	if page.Currency == "" {
		page.Currency = v.shop.Currency
	}
	known, err := c.DB.Categories(v.ctx())
	if err != nil {
		return err
	}
	for _, k := range known {
		page.Categories = append(page.Categories, k.Value)
	}
	for _, condition := range []string{"new", "used", "refurbished"} {
		page.Conditions = append(page.Conditions, option{Value: condition, Label: v.t("condition." + condition)})
	}
	page.Languages = contentLanguages(page.Form.Lang)
	page.Gallery.Hint = v.t("product.photos_hint")
	return c.render(v, status, "product", page)
}

func readListingForm(v *Visit) listingForm {
	return listingForm{Title: v.value("title"), Price: v.value("price"), Quantity: v.value("quantity"), Description: v.value("description"),
		Condition: v.value("condition"), Category: v.value("category"), Tags: v.value("tags"), Lang: v.value("lang"), Announce: v.value("announce"),
		Version: v.value("version")}
}

// readListing takes the pictures of the form into the page.
func (c *Console) readListing(v *Visit, page *listingPage) (stay bool, err error) {
	page.Gallery, stay, err = c.gallery(v, &page.frame)
	return stay, err
}

// newListing is the form as the domain wants it; not ok where a number cannot be read, which then stands in the page.
// What else is wrong the domain says.
func (p *listingPage) newListing(v *Visit) (n souk.NewListing, ok bool) {
	n = souk.NewListing{Title: p.Form.Title, Description: p.Form.Description, Condition: p.Form.Condition, Category: p.Form.Category,
		Tags: splitTags(p.Form.Tags), MediaIDs: p.Gallery.IDs(), State: souk.ListingDraft, Announce: p.Form.Announce != "", Lang: p.Form.Lang}
	if do := v.FormValue("do"); do == "publish" || do == "save" && p.State != souk.ListingDraft {
		n.State = souk.ListingPublished
	}
	count := len(p.Problems)
	var err error
	if p.Form.Title == "" {
		p.Problems = append(p.Problems, problem{"title", v.t("problem.required")})
	}
	switch {
	case p.Form.Price == "" && n.State == souk.ListingDraft:
		n.Price.Currency = p.Currency
	case p.Form.Price == "":
		p.Problems = append(p.Problems, problem{"price", v.t("problem.required")})
	default:
		if n.Price, err = souk.ParseMoney(p.Form.Price, p.Currency); err != nil {
			v.wrong(&p.frame, err, nil)
		}
	}
	if n.Quantity, err = strconv.Atoi(toASCIIDigits(p.Form.Quantity)); err != nil {
		p.Problems = append(p.Problems, problem{"quantity", v.t("problem.quantity")})
	}
	return n, len(p.Problems) == count
}

// listingFields maps fields of the domain to those of the form where they differ.
func listingFields() map[string]string {
	return map[string]string{"media_ids": "photos", "description": "description"}
}

// splitTags reads tags as people type them: between spaces or commas, with or without a '#'.
func splitTags(s string) []string {
	tags := strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(" ,，、;；#＃\t\n\r\u3000", r) })
	if tags == nil {
		return []string{}
	}
	return tags
}

// toASCIIDigits reads the full-width digits of East Asian keyboards as plain ones.
func toASCIIDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '０' && r <= '９' {
			return r - '０' + '0'
		}
		return r
	}, s)
}

// contentLanguages are the languages that a text may be in, by their own names; one that it has already is among them.
func contentLanguages(current string) []option {
	codes := []string{"en", "zh", "ar", "de", "es", "fr", "id", "it", "ja", "ko", "nl", "pl", "pt", "ru", "th", "tr", "uk", "vi"}
	var all []option
	found := current == ""
	for _, code := range codes {
		found = found || code == current
		all = append(all, option{Value: code, Label: display.Self.Name(language.Make(code)), Lang: code})
	}
	if !found {
		all = append(all, option{Value: current, Label: current})
	}
	return all
}

// previewPage shows a product roughly as visitors will see it.
type previewPage struct {
	frame
	Listing *souk.Listing
}

// PreviewListing shows a product before it is published.
func (c *Console) PreviewListing(v *Visit) error {
	l, err := c.ownListing(v)
	if err != nil {
		return err
	}
	return c.render(v, http.StatusOK, "product-preview", previewPage{v.frame("products", "product.preview"), l})
}

type withdrawPage struct {
	frame
	Listing *souk.Listing
}

// WithdrawForm asks before a product is withdrawn, and says what that does.
func (c *Console) WithdrawForm(v *Visit) error {
	l, err := c.ownListing(v)
	if err != nil {
		return err
	}
	return c.render(v, http.StatusOK, "product-withdraw", withdrawPage{v.frame("products", "product.withdraw"), l})
}

// Withdraw takes a product off sale for good.
func (c *Console) Withdraw(v *Visit) error {
	id, err := v.id()
	if err != nil {
		return err
	}
	if err := c.DB.WithdrawListing(v.ctx(), v.me.ID, id); err != nil {
		return err
	}
	return v.see("/console/products", "withdrawn")
}
