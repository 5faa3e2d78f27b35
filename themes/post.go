package themes

import "time"

// PostCard is a post in a list.
type PostCard struct {
	URL         string // of its page
	Title       string // plain text; most posts have none
	Text        string // body as plain text; the theme shortens it
	Lang        string // BCP 47 of Title and Text; empty: the page's
	Warning     string // content warning: Text and Picture are hidden behind it
	Picture     *Picture
	Author      Person
	Published   time.Time
	Boosts      int
	Likes       int
	Replies     int
	LatestReply time.Time     // zero: no reply
	Products    []ProductCard // products in the post; up to 3 are shown
}

// Reply is one answer in a conversation.
type Reply struct {
	ID        string // for the anchor of its address
	Author    Person
	Content   RichText // empty when Deleted
	Texts     []Translation
	Warning   string // content warning over Content, Texts and Pictures
	Pictures  []Picture
	Films     []Film
	Published time.Time
	URL       string // where it was written
	Depth     int    // 0 answers the post, 1 answers such an answer, ...
	Deleted   bool   // taken away, but others answered it
}

// Film is a film or a sound that plays in the page. Nothing of it is loaded before its reader presses play.
type Film struct {
	URL    string // of this node
	Sound  bool
	Alt    string // what is seen or heard; empty: not said
	Width  int    // 0: not known
	Height int
	Origin string // where it lies, for those who cannot play it here
}

// Translation is what somebody said in another language than the one that is shown.
type Translation struct {
	Warning string // content warning
	Content RichText
}

// Conversation is what people said to a post or a product. Replies are in reading order: each after what it answers.
type Conversation struct {
	URL      string   // page that shows all of it
	Title    string   // of the post or product it belongs to, plain text
	Lang     string   // BCP 47 of Title
	Picture  *Picture // of the post or product
	Replies  []Reply  // on the home page only the two or three that matter
	Total    int      // all replies that may be shown, also those not in Replies
	Latest   time.Time
	Pager    Pager
	ReplyURL string // page that leads to the visitor's own server to answer; empty: answers are closed
	Object   string // address to paste into one's own app to answer
}

// PostPage shows one post with its conversation: /posts/{id}.
type PostPage struct {
	Frame
	Title        string // plain text; most posts have none
	Author       Seller
	Content      RichText
	Warning      string
	Pictures     []Picture
	Published    time.Time
	Edited       time.Time // zero: never
	HistoryURL   string    // of the page that shows what the post said before; empty: not edited
	Boosts       int
	Likes        int
	Tags         []Link
	Products     []ProductCard // with the price and stock of now
	ParentURL    string        // of the post this one answers; empty: it answers none
	ParentAuthor Person
	URL          string // absolute address to share and to print
	Conversation Conversation
	Newer        *Link // neighbouring posts of the same author
	Older        *Link
}

// Template implements Page.
func (PostPage) Template() string { return "post" }

// HistoryPage shows what a post said before it was edited: /posts/{id}/history.
type HistoryPage struct {
	Frame
	Author   Seller
	PostURL  string // the post as it is now
	Edited   time.Time
	Versions []PostVersion // the newest first; empty: no earlier one is kept
	Pager    Pager
}

// PostVersion is one earlier form of a post.
type PostVersion struct {
	From     time.Time // since when it said so
	Content  RichText
	Warning  string   // content warning: Content and Pictures are hidden behind it
	Pictures []string // the descriptions of its pictures; an empty one is a picture without
}

// Template implements Page.
func (HistoryPage) Template() string { return "history" }

// PostsPage lists posts: /posts.
type PostsPage struct {
	Frame
	Posts []PostCard
	Pager Pager
}

// Template implements Page.
func (PostsPage) Template() string { return "posts" }
