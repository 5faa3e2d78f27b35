package themes

import "time"

// Person is an account as others see it: author of a post or of a reply, here or elsewhere.
type Person struct {
	Name    string   // display name, plain text; empty: the handle is shown
	Handle  string   // "@name@domain"
	URL     string   // profile: ours for local accounts, theirs for remote ones
	Avatar  *Picture // nil: a drawn face
	Seller  bool     // sells in this shop; marked in conversations
	Deleted bool     // the account is gone; everything else may be empty
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
	Products  []ProductCard // the newest of this seller; up to 8
	Posts     []PostCard
	Pager     Pager // of Posts
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

// AuthorizePage receives a visitor from another server (authorize_interaction) who is not signed in: it names the target,
// follows nothing, and asks to sign in first (S-44).
type AuthorizePage struct {
	Frame
	Target    string // address or handle as it was given
	SignInURL string // sign-in that comes back here; empty: sign-in is not possible here
	Problem   string // Target could not be understood, as a sentence; empty: fine
}

// Template implements Page.
func (AuthorizePage) Template() string { return "authorize" }
