package themes

import "time"

// Person is an account as others see it: author of a post or of a reply, here or elsewhere.
type Person struct {
	Name     string   // display name, plain text; empty: the handle is shown
	Handle   string   // "@name@domain"
	URL      string   // profile: ours for local accounts, theirs for remote ones
	Avatar   *Picture // nil: a drawn face
	Seller   bool     // sells in this shop; marked in conversations
	Memorial bool     // who it was has died
	Deleted  bool     // the account is gone; everything else may be empty
}

// Seller is a person who sells, with what a buyer needs to trust and to follow.
type Seller struct {
	Person
	Bio       string // one or two lines, plain text
	FollowURL string // page on which a visitor follows this seller
}

// ProfileField is a line of a profile that its owner filled.
type ProfileField struct {
	Name     string
	Value    RichText
	Verified bool // the page behind the value links back with rel=me
}

// ProfilePage shows one local account: /@{name}.
type ProfilePage struct {
	Frame
	Person    Seller
	Bio       RichText
	Header    *Picture
	Fields    []ProfileField
	Followers int
	Following int
	PostCount int
	Joined    time.Time
	MovedTo   *Person // as which this account goes on; nil: it stays. Its URL is of another server, or empty

	// What the account pins, the newest pin first, on the first page only; neither Products nor Posts have it again.
	PinnedProducts []ProductCard // up to 8
	PinnedPosts    []PostCard    // up to 5

	Products []ProductCard // the newest of this seller; up to 8
	Posts    []PostCard
	Pager    Pager // of Posts
}

// Template implements Page.
func (ProfilePage) Template() string { return "profile" }

// FollowPage offers the ways to follow a seller, or to answer a post from one's own server. Its form posts the field "account".
type FollowPage struct {
	Frame
	Seller   Seller
	Intent   string  // "follow" or "reply"; empty means follow
	Object   string  // hidden field "object": address of what is answered; empty when Intent is follow
	About    string  // title of Object, plain text
	Action   string  // where the form posts to
	Account  Field   // handle, domain or profile address of the visitor
	Search   string  // what to paste into one's own app when no server could be asked; empty: the handle, or Object
	Feeds    []Feed  // for people without an account
	QR       string  // text of the QR code, an absolute address; empty: none
	Unknown  bool    // the visitor's server was found but names no page for this: tell to paste Search there
	Remember *Choice // the visitor's own server from an earlier visit, as a one-tap button; nil: none
}

// Template implements Page.
func (FollowPage) Template() string { return "follow" }

// AuthorizePage receives a visitor from another server (authorize_interaction). Who is not signed in is asked to sign in
// first, and nothing is fetched before (S-44); who is, sees who is meant and confirms. It follows nothing by itself. Its form
// posts the hidden field "uri" with Target.
type AuthorizePage struct {
	Frame
	Target    string  // address or handle as it was given
	SignInURL string  // sign-in that comes back here; empty: already signed in, or not possible here
	Problem   string  // Target could not be understood or found, as a sentence; empty: fine
	Found     *Person // who is meant; nil: not asked yet, or not found
	Me        Person  // who is signed in
	Action    string  // where the form that follows Found posts to; empty: there is nothing to confirm
	State     string  // how Me stands to Found: "" , "pending" or "accepted"
}

// Template implements Page.
func (AuthorizePage) Template() string { return "authorize" }
