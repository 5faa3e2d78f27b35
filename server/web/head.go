package web

import (
	"encoding/json"
	"slices"

	"souk"
	"souk/themes"
)

// frame is what every page shares, around what head says of this one. Title and Section stay as they are given; address,
// languages and the shop around it are filled in.
func (v *view) frame(head themes.Head) themes.Frame {
	if head.Canonical == "" {
		head.Canonical = v.DB.BaseURL() + v.self()
	}
	head.Languages = v.languages()
	return themes.Frame{Site: v.site(), Head: head}
}

// languages is this page in every language of the node, the shop's own first.
func (v *view) languages() []themes.Language {
	langs := souk.Langs()
	slices.SortStableFunc(langs, func(a, b string) int {
		switch v.shop.Lang {
		case a:
			return -1
		case b:
			return 1
		}
		return 0
	})
	var all []themes.Language
	for _, lang := range langs {
		prefix := ""
		if lang != v.shop.Lang {
			prefix = "/" + lang
		}
		all = append(all, themes.Language{Tag: tagOf(lang), Name: languageNames[lang], URL: v.DB.BaseURL() + v.own(prefix, v.query),
			Current: lang == v.lang, Default: lang == v.shop.Lang})
	}
	return all
}

func (v *view) site() themes.Site {
	s := themes.Site{
		Name: v.shopName(), Tagline: v.shop.Tagline, Currency: v.shop.Currency, BaseURL: v.DB.BaseURL(),
		HomeURL: v.url("/"), ProductsURL: v.url("/products"), PostsURL: v.url("/posts"), SearchURL: v.url("/search"),
		ConsoleURL: "/console", Version: v.Version,
	}
	if v.shop.About != "" {
		s.Description = rich(souk.RenderMarkdown(v.shop.About, souk.Links{BaseURL: v.DB.BaseURL()}).HTML, v.foreign(v.shop.Lang))
	}
	s.Nav = []themes.Link{{Key: "products", URL: s.ProductsURL}, {Key: "posts", URL: s.PostsURL}}
	if v.owner != nil {
		s.FollowURL = v.followURL(v.owner)
		s.Handle, s.Avatar = v.DB.Handle(v.owner), picture(v.owner.Avatar)
		s.Nav = append(s.Nav, themes.Link{Key: "about", URL: v.url("/@" + v.owner.Name)})
	}
	s.Feeds = []themes.Feed{
		{Title: v.say("feed.posts"), URL: v.url("/posts.atom"), Type: atomType},
		{Title: v.say("feed.products"), URL: v.url("/products.atom"), Type: atomType},
	}
	return s
}

// shopName is what the shop is called, also before anybody named it.
func (v *view) shopName() string {
	switch {
	case v.shop.Name != "":
		return v.shop.Name
	case v.owner != nil:
		return v.owner.Title()
	}
	return v.DB.Domain()
}

// feeds are the three forms of one feed.
func (v *view) feeds(title, path string) []themes.Feed {
	return []themes.Feed{
		{Title: title, URL: v.url(path + ".atom"), Type: atomType},
		{Title: title, URL: v.url(path + ".rss"), Type: rssType},
		{Title: title, URL: v.url(path + ".json"), Type: jsonFeedType},
	}
}

// linked is a schema.org document for a page (I-10). encoding/json writes <, > and & as escapes, so that no text can end
// the script element that holds it.
func linked(document map[string]any) (json.RawMessage, error) {
	document["@context"] = "https://schema.org"
	return json.Marshal(document)
}

// organisation describes the shop.
func (v *view) organisation() map[string]any {
	shop := map[string]any{"@type": "OnlineStore", "@id": v.DB.BaseURL() + "/#shop", "name": v.shopName(), "url": v.DB.BaseURL() + v.url("/")}
	if v.shop.Tagline != "" {
		shop["description"] = v.shop.Tagline
	}
	if v.owner != nil {
		shop["sameAs"] = []string{v.owner.URL}
		if v.owner.Avatar != nil {
			shop["logo"] = v.DB.BaseURL() + v.owner.Avatar.Path(640)
		}
	}
	return shop
}

// trail is where a page stands below the front page: names and paths in turn.
func (v *view) trail(steps ...string) map[string]any {
	items := []any{}
	for i := 0; i+1 < len(steps); i += 2 {
		items = append(items, map[string]any{"@type": "ListItem", "position": i/2 + 1, "name": steps[i], "item": v.DB.BaseURL() + v.url(steps[i+1])})
	}
	return map[string]any{"@type": "BreadcrumbList", "itemListElement": items}
}
