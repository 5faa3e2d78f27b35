package main

import (
	"time"

	"souk"
)

// demoShop is what one of the demonstration's people has: an account, a shop and what happened in it. The people, their
// shops and their words are invented.
type demoShop struct {
	account  souk.NewAccount
	shop     souk.Shop
	bio      string
	fields   []souk.Field
	portrait demoPicture
	listings []demoListing
	posts    []demoPost
}

// demoPicture is a picture that drawPicture draws. The zero value is none.
type demoPicture struct {
	kind, finish string
	seed         int64
	alt          string
}

// demoListing is a product. key is how posts and conversations of the content name it.
type demoListing struct {
	key      string
	ago      time.Duration
	title    string
	text     string
	lang     string
	category string
	tags     []string
	price    int64
	quantity int
	quiet    bool // published without telling followers
	pictures []demoPicture
}

// demoPost is a post. [[key]] in a text stands for the address of that product.
type demoPost struct {
	key     string
	ago     time.Duration
	text    string
	lang    string
	picture demoPicture
}

const (
	hour = time.Hour
	day  = 24 * time.Hour
)

// brief is the shop with little of everything, for --check.
func (s demoShop) brief() demoShop {
	s.portrait = demoPicture{}
	s.listings = append([]demoListing(nil), s.listings[:min(3, len(s.listings))]...)
	for i := range s.listings {
		if i > 0 {
			s.listings[i].pictures = nil
		} else {
			s.listings[i].pictures = s.listings[i].pictures[:1]
		}
	}
	s.posts = nil
	return s
}

// demoReader is node C: nobody who sells, somebody who follows.
func demoReader() demoShop {
	return demoShop{
		account: souk.NewAccount{Name: "mira", Role: souk.RoleOwner, DisplayName: "Mira Lindqvist", Email: "mira@reader.example", Lang: "en"},
		shop: souk.Shop{Name: "Mira reads", Tagline: "A small node for one reader in Gothenburg", Country: "SE", Currency: "SEK", Lang: "en",
			Payments: []string{souk.PayArrange}, Pickup: true, About: "Nothing is for sale here. I keep a node so that what I write stays mine."},
		bio:      "Librarian, tea drinker, owner of too many cups. I follow people who make things with their hands.",
		portrait: demoPicture{kind: "reader", seed: 0, alt: "Mira, with short hair, by a window"},
		posts: []demoPost{
			{key: "reader-hello", ago: 9 * day, lang: "en", text: "New node, same me. If you make cups, prints or cloth and write about it, I would like to follow you."},
		},
	}
}

// demoReplies is what Mira and Inês wrote under what they follow, and what was answered, by the key of what it replies to.
// Every reply crosses from one node to another.
func demoReplies() []demoReply {
	return []demoReply{
		{by: "C", to: "mug", lang: "en", ago: 20 * hour, text: "Does the oatmeal mug survive a dishwasher? Mine would see one every day.",
			answer: "It does. The glaze is fired at 1280 °C and closes the clay completely; only the foot ring stays raw. Put it on the upper rack so that it does not knock against pans."},
		{by: "B", to: "kiln", lang: "en", ago: 5 * hour, text: "We print with soy ink and wait three days for it to dry. Eighteen hours at the kiln door sounds almost quick. How do you know when to stop feeding it?",
			answer: "With the ear, mostly. When the pine burns clean the fire goes quiet, and then I pull a test ring out through the spy hole. If the ring runs like honey, we stop."},
		{by: "C", to: "cup", lang: "en", ago: 3 * hour, text: "I have had mine for a year now and the crackle has gone the colour of tea. It sings a little when I pour. Is that normal?",
			answer: "That is the glaze still moving: it shrinks more than the clay, for about a year after the firing. 我们叫它“开片”，声音叫“惊釉”。 Enjoy it while it lasts."},
	}
}

// demoReply is a question from one node and the answer of the seller whom it reached.
type demoReply struct {
	by           string // letter of the node
	to           string // key
	lang         string
	ago          time.Duration
	text, answer string
}
