package themes

import (
	"html/template"
	"time"
)

func (f *fixtureShop) leadPost() PostCard {
	return PostCard{
		URL: "/posts/1", Title: f.l("Why this glaze only works in winter", "为什么这种釉只在冬天成功"),
		Text: f.l("Celadon needs a slow, wet cooling. Between November and February the kiln loses heat just fast enough for the ice-crack lines to open without breaking the foot. Here are six test tiles and the three cups that survived.",
			"青瓷要慢而潮的降温。十一月到二月，窑温下降的速度刚好让冰裂纹打开，又不伤底足。这里有六块试片，和留下来的三只杯子。"),
		Picture: picture("winter", f.l("Tall green vase in morning light", "晨光里的绿色长颈瓶")), Author: f.seller().Person, Published: f.ago(50 * time.Hour),
		Boosts: 34, Likes: 112, Replies: 18, LatestReply: f.ago(5 * time.Minute), Products: f.shelf()[:2],
	}
}

func (f *fixtureShop) olderPosts() []PostCard {
	me := f.seller().Person
	return []PostCard{
		{URL: "/posts/2", Title: f.l("Kiln diary, firing 41", "窑记 41"), Picture: picture("bowl", f.l("Bowls on a rack", "架上的碗")), Author: me, Published: f.ago(9 * 24 * time.Hour), Replies: 1,
			Text: f.l("Two shelves of bowls, one of them crooked. The crooked ones are half price from Friday, because they hold soup just as well.", "两层碗，其中一层歪了。歪的从周五起半价，盛汤一样好用。"), Products: f.shelf()[3:4]},
		{URL: "/posts/3", Text: f.l("The pine arrived. Eighteen hours of fire from tonight, and I am not going to sleep.", "松柴到了。今晚起烧十八个小时，不睡了。"), Author: me, Published: f.ago(12 * 24 * time.Hour), Boosts: 3},
		{URL: "/posts/4", Title: f.l("How to season a teapot without tears", "怎样给新壶开壶"), Picture: picture("teapot", ""), Author: me, Published: f.ago(20 * 24 * time.Hour), Likes: 9,
			Text: f.l("Water, an old leaf, an hour. That is all.", "清水、旧茶、一小时，足够了。")},
	}
}

func (f *fixtureShop) extremePosts() []PostCard {
	return []PostCard{
		{URL: "/posts/5", Title: unbroken, Text: unbroken, Author: Person{Deleted: true}, Published: f.ago(time.Second), Boosts: 1234567, Likes: 1, Replies: 2},
		{URL: "/posts/6", Title: hostile, Text: hostile, Author: Person{Name: hostile, Handle: "@" + unbroken + "@x.example"}, Published: f.ago(-time.Hour)},
		{URL: "/posts/7", Text: arabic + "، " + arabic, Lang: "ar", Author: f.seller().Person, Published: f.ago(30 * time.Second)},
		{URL: "/posts/8", Warning: f.l("Broken pots", "碎瓷"), Text: "hidden", Picture: picture("plate", ""), Author: f.seller().Person, Published: f.ago(time.Hour)},
		{URL: "/posts/9", Author: Person{Handle: "@nameless@x.example"}, Published: f.ago(time.Hour)},
	}
}

func (f *fixtureShop) mira() Person {
	return Person{Name: "Mira", Handle: "@mira@social.example", URL: "https://social.example/@mira", Avatar: portrait("face2")}
}

func (f *fixtureShop) conversation() Conversation {
	return Conversation{
		URL: "/products/cup#conversation", Title: f.l("Celadon tea cup", "青瓷茶杯"), Picture: picture("cup", ""), Total: 6, Latest: f.ago(5 * time.Minute),
		ReplyURL: "/follow?object=https://qingshan.example/listings/1", Object: "https://qingshan.example/listings/1",
		Replies: []Reply{
			{ID: "21", Author: f.mira(), Content: f.rich("<p>Does it survive a dishwasher?</p>", "<p>能进洗碗机吗？</p>"), Published: f.ago(3 * time.Hour), URL: "https://social.example/@mira/1",
				Texts: []Translation{{Content: RichText{HTML: "<p>Ist sie spülmaschinenfest?</p>", Lang: "de"}}, {Warning: f.l("Long", "长文"), Content: RichText{HTML: template.HTML("<p>" + arabic + unbroken + "</p>"), Lang: "ar"}}}},
			{ID: "22", Author: f.seller().Person, Content: f.rich("<p>It does. The glaze is fired at 1280 °C; only the foot stays raw.</p>", "<p>可以。釉面 1280 度烧成，只有底足是素胎。</p>"), Published: f.ago(2 * time.Hour), Depth: 1},
			{ID: "23", Author: f.mira(), Content: f.rich("<p>Thank you, then two of them.</p>", "<p>谢谢，那就要两只。</p>"), Published: f.ago(time.Hour), Depth: 2, Pictures: []Picture{*picture("mug", "")},
				Films: []Film{{URL: "/media/film/1", Alt: hostile, Width: 1080, Height: 1920, Origin: "https://social.example/1.mp4"}, {URL: "/media/film/2", Sound: true, Origin: "https://social.example/2.mp3"}}},
			{ID: "24", Author: Person{Deleted: true}, Deleted: true, Depth: 0, Published: f.ago(40 * time.Minute)},
			{ID: "25", Author: Person{Name: "Tomás", Handle: "@tomas@pixel.example", URL: "https://pixel.example/tomas"}, Depth: 1, Published: f.ago(20 * time.Minute),
				Content: RichText{HTML: template.HTML("<p>" + arabic + "</p>"), Lang: "ar"}, Warning: f.l("Long", "长文")},
			{ID: "26", Author: Person{Name: hostile, Handle: "@x@" + unbroken + ".example"}, Depth: 9, Published: f.ago(5 * time.Minute), Content: RichText{HTML: template.HTML("<p>" + unbroken + "</p>")}},
		},
	}
}

func (f *fixtureShop) conversations() []Conversation {
	a, b := f.conversation(), f.conversation()
	a.Replies = a.Replies[:2]
	b.Title, b.Picture, b.Replies, b.Total = f.l("Winter vase, tall", "冬日长颈瓶"), picture("vase", ""), []Reply{
		{Author: Person{Name: f.l("Tomás", "小满"), Handle: "@tomas@pixel.example"}, Content: f.rich("<p>Will the tall vase come back before the holidays?</p>", "<p>长颈瓶年前还会再出一窑吗？</p>"), Published: f.ago(time.Hour)},
	}, 1
	return []Conversation{a, b}
}

func (f *fixtureShop) talk(add func(string, Page)) {
	post := PostPage{
		Frame: f.frame("/posts/1", f.l("Why this glaze only works in winter", "为什么这种釉只在冬天成功"), "article"), Title: f.leadPost().Title, Author: f.seller(),
		Content: f.rich(`<p>Celadon needs a slow, wet cooling. Between November and February the kiln loses heat just fast enough for the ice-crack lines to open without breaking the foot.</p><blockquote><p>Ask the clay, not the calendar.</p></blockquote><p>Here are six test tiles and the <a href="https://qingshan.example/products/cup">three cups</a> that survived.</p>`,
			`<p>青瓷要慢而潮的降温。十一月到二月，窑温下降的速度刚好让冰裂纹打开，又不伤底足。</p><blockquote><p>问泥，不问历。</p></blockquote><p>这里有六块试片，和留下来的<a href="https://qingshan.example/products/cup">三只杯子</a>。</p>`),
		Pictures: []Picture{*picture("winter", f.l("Tall green vase in morning light", "晨光里的绿色长颈瓶"))}, Published: f.ago(50 * time.Hour), Edited: f.ago(time.Hour), HistoryURL: "/posts/1/history",
		Boosts: 34, Likes: 112, Tags: []Link{{Label: f.l("#celadon", "#青瓷"), URL: "/tags/celadon"}}, Products: f.shelf()[:3],
		URL: "https://qingshan.example/posts/1", Conversation: f.conversation(), Newer: &Link{URL: "/posts/0"}, Older: &Link{URL: "/posts/2"},
	}
	post.Head.ActivityPub, post.Head.Image = post.URL, picture("winter", "")
	add("post", post)
	bare := PostPage{Frame: f.frame("/posts/3", "", "article"), Author: Seller{Person: Person{Handle: "@nameless@x.example"}}, Published: f.ago(time.Hour),
		Content: RichText{HTML: template.HTML("<p>" + arabic + "</p>"), Lang: "ar"}, Warning: hostile, ParentURL: "https://social.example/@mira/1", ParentAuthor: f.mira()}
	add("post-bare", bare)
	album := post
	album.Title, album.Products, album.Conversation = "", nil, Conversation{}
	for _, n := range []string{"cup", "bowl", "vase", "plate"} {
		album.Pictures = append(album.Pictures, *picture(n, n))
	}
	add("post-album", album)

	history := HistoryPage{Frame: f.frame("/posts/1/history", f.l("Earlier versions", "编辑记录"), ""), Author: f.seller(), PostURL: "/posts/1", Edited: f.ago(time.Hour), Pager: Pager{Next: "?page=2"},
		Versions: []PostVersion{
			{From: f.ago(2 * time.Hour), Content: f.rich("<p>Celadon needs a slow cooling. Here are six test tiles.</p>", "<p>青瓷要慢慢降温。这里有六块试片。</p>"), Pictures: []string{f.l("Tall green vase in morning light", "晨光里的绿色长颈瓶"), ""}},
			{From: f.ago(40 * time.Hour), Content: RichText{HTML: template.HTML("<p>" + arabic + "</p>"), Lang: "ar"}, Warning: f.l("Broken pots", "碎瓷"), Pictures: []string{hostile}},
			{From: f.ago(50 * time.Hour), Content: RichText{HTML: template.HTML("<p>" + unbroken + "</p>")}, Warning: hostile},
		}}
	history.Head.NoIndex = true
	add("history", history)
	add("history-empty", HistoryPage{Frame: history.Frame, Author: Seller{Person: Person{Handle: "@" + unbroken + "@x.example"}}, PostURL: "/posts/3"})

	add("posts", PostsPage{Frame: f.frame("/posts", f.l("Posts", "动态"), ""), Posts: append([]PostCard{f.leadPost()}, append(f.olderPosts(), f.extremePosts()...)...), Pager: Pager{Next: "?page=2"}})
	add("posts-empty", PostsPage{Frame: f.frame("/posts", f.l("Posts", "动态"), "")})
}
