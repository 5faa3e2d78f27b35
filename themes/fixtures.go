package themes

import (
	"encoding/json"
	"html/template"
	"time"
)

// Fixture is one page of the fixture shop (T-14).
type Fixture struct {
	Name string // template and what is special about it: "product-many"
	Page Page
}

// Fixtures are pages of one invented shop in lang, at the time now: every template with usual, missing, long, hostile and
// extreme values. Theme authors, the checks and the tests use the same ones.
func Fixtures(lang string, now time.Time) []Fixture {
	f := &fixtureShop{lang: lang, zh: baseLanguage(lang) == "zh", now: now}
	var all []Fixture
	add := func(name string, p Page) { all = append(all, Fixture{name, p}) }
	f.front(add)
	f.goods(add)
	f.talk(add)
	f.people(add)
	f.orders(add)
	f.notices(add)
	return all
}

// fixtureShop says everything in one of two languages.
type fixtureShop struct {
	lang string
	zh   bool
	now  time.Time
}

func (f *fixtureShop) l(en, zh string) string {
	if f.zh {
		return zh
	}
	return en
}

func (f *fixtureShop) ago(d time.Duration) time.Time { return f.now.Add(-d) }

func yuan(n int64) Money { return Money{Amount: n * 100, Currency: "CNY", Narrow: true} }

const (
	unbroken = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" +
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	hostile = `"><script>alert(1)</script><img src=x onerror=alert(2)>' & </title>`
	arabic  = "إبريق شاي من الفخار الأرجواني"
	german  = "Donaudampfschifffahrtsgesellschaftskapitänsbecher aus Steinzeug, handgedreht"
)

func (f *fixtureShop) frame(path, title, kind string) Frame {
	prefix := ""
	if f.zh {
		prefix = "/zh"
	}
	base := "https://qingshan.example"
	return Frame{
		Site: Site{
			Name: f.l("Qingshan Pottery", "青山陶作"), Handle: "@qingshan@qingshan.example", Avatar: portrait("face"), Currency: "CNY",
			Tagline: f.l("Stoneware from a two-kiln studio in Longquan. New firing every second Friday.",
				"龙泉两口窑的小工作室，做青瓷与粗陶。隔周周五出窑。"),
			BaseURL: base, HomeURL: prefix + "/", ProductsURL: prefix + "/products", PostsURL: prefix + "/posts",
			SearchURL: prefix + "/search", FollowURL: prefix + "/follow", ConsoleURL: "/console",
			Nav: []Link{{Key: "products", URL: prefix + "/products"}, {Key: "posts", URL: prefix + "/posts"}, {Key: "about", URL: prefix + "/@qingshan"}},
			Footer: f.l("Sells from Longquan, ships to 14 countries. Returns within 30 days.",
				"龙泉发货，寄往 14 个国家。30 天内可退。"),
			Links:   []Link{{Label: f.l("Shipping", "配送"), URL: prefix + "/policies/shipping"}, {Label: f.l("Returns", "退货"), URL: prefix + "/policies/returns"}},
			Feeds:   []Feed{{Title: f.l("Posts (Atom)", "动态（Atom）"), URL: "/feed.atom", Type: "application/atom+xml"}},
			Version: "0.1.0", SourceURL: "https://qingshan.example/source",
		},
		Head: Head{
			Title: title, Description: f.l("Stoneware from a two-kiln studio in Longquan.", "龙泉两口窑的小工作室。"), Canonical: base + prefix + path,
			Kind: kind, Section: map[string]string{"/products": "products", "/posts": "posts"}[path], Creator: "@qingshan@qingshan.example",
			Languages: []Language{
				{Tag: "en", Name: "English", URL: base + path, Current: !f.zh, Default: true},
				{Tag: "zh-Hans", Name: "简体中文", URL: base + "/zh" + path, Current: f.zh},
			},
		},
	}
}

func (f *fixtureShop) seller() Seller {
	s := f.frame("/", "", "").Site
	return Seller{
		Person: Person{Name: s.Name, Handle: s.Handle, URL: "/@qingshan", Avatar: s.Avatar, Seller: true},
		Bio:    s.Tagline, FollowURL: s.FollowURL,
	}
}

func (f *fixtureShop) rich(en, zh string) RichText {
	return RichText{HTML: template.HTML(f.l(en, zh))}
}

func (f *fixtureShop) front(add func(string, Page)) {
	lead, older := f.leadPost(), f.olderPosts()
	home := HomePage{Frame: f.frame("/", "", "website"), Lead: &lead, Products: f.shelf(), Conversations: f.conversations(), Posts: older, Followers: 1236}
	home.Head.Data = json.RawMessage(`{"@context":"https://schema.org","@type":"Store","name":"</script><script>alert(1)</script>"}`)
	add("home", home)
	add("home-empty", HomePage{Frame: f.frame("/", "", "website")})
	bare := f.olderPosts()[1]
	add("home-first-post", HomePage{Frame: f.frame("/", "", "website"), Lead: &bare, Followers: 1})
	extreme := HomePage{Frame: f.frame("/", "", "website"), Products: f.extremes(), Conversations: f.conversations()[:1], Posts: f.extremePosts()}
	extreme.Site.Name, extreme.Site.Tagline, extreme.Site.Avatar = unbroken, hostile, nil
	add("home-extreme", extreme)

	tag := TagPage{Frame: f.frame("/tags/celadon", "#celadon", ""), Tag: f.l("celadon", "青瓷"), Products: f.shelf()[:3], Posts: older, Pager: Pager{Next: "?page=2"}}
	add("tag", tag)
	add("tag-empty", TagPage{Frame: f.frame("/tags/x", "#x", ""), Tag: unbroken})
}

// shelf is the usual: eight products with pictures.
func (f *fixtureShop) shelf() []ProductCard {
	card := func(pic, en, zh string, price int64) ProductCard {
		return ProductCard{URL: "/products/" + pic, Title: f.l(en, zh), Picture: picture(pic, f.l(en, zh)), Price: yuan(price), Stock: StockIn}
	}
	all := []ProductCard{
		card("cup", "Celadon tea cup", "青瓷茶杯", 168), card("mug", "Oatmeal mug, 300 ml", "燕麦色马克杯 300 ml", 120),
		card("teapot", "Purple clay teapot", "紫砂壶", 980), card("bowl", "Ash-glaze bowl", "灰釉碗", 210),
		card("vase", "Winter vase, tall", "冬日长颈瓶", 460), card("plate", "Serving plate, iron", "铁釉盘", 320),
		card("gaiwan", "Gaiwan, white", "白瓷盖碗", 240), card("pourer", "Pouring cup", "公道杯", 150),
	}
	all[0].From = true
	all[2].Stock = StockFew
	all[3].Was = yuan(260)
	all[4].Stock = StockOut
	return all
}

// extremes are products that break careless templates.
func (f *fixtureShop) extremes() []ProductCard {
	focal := picture("vase", hostile)
	focal.FocalX, focal.FocalY = -1, 0.5
	return []ProductCard{
		{URL: "/products/1", Title: unbroken, Price: Money{Amount: 0, Currency: "EUR"}, Stock: StockIn},
		{URL: "/products/2", Title: arabic, Lang: "ar", Picture: focal, Price: Money{Amount: 1250, Currency: "KWD"}, Was: Money{Amount: 2500, Currency: "KWD"}},
		{URL: "/products/3", Title: german, Lang: "de", Picture: picture("mug", ""), Price: Money{Amount: 123456789, Currency: "EUR"}, Stock: StockFew},
		{URL: "javascript:alert(3)", Title: hostile, Picture: &Picture{URL: "javascript:alert(4)", Alt: hostile}, Price: Money{Amount: 1200, Currency: "JPY"}, Stock: StockOut},
		{URL: "https://zen.example/products/5", Title: "🍵👩‍🎨🇨🇳 emoji", Picture: picture("bowl", "🍵"), Price: Money{Amount: 2400, Currency: "EUR"}, Node: "zen.example"},
	}
}

func (f *fixtureShop) goods(add func(string, Page)) {
	sorts := []Filter{{Key: "newest", URL: "?sort=newest", Count: -1, Active: true}, {Key: "price", URL: "?sort=price", Count: -1}}
	facets := []Facet{
		{Key: "category", Filters: []Filter{{Label: f.l("Tea ware", "茶器"), URL: "?category=tea", Count: 18}, {Label: f.l("Table ware", "餐具"), URL: "?category=table", Count: 9}}},
		{Key: "tag", Filters: []Filter{{Label: f.l("celadon", "青瓷"), URL: "?tag=celadon", Count: 7, Active: true}, {Label: f.l("gift", "送礼"), URL: "?tag=gift", Count: 4}}},
	}
	list := ProductsPage{Frame: f.frame("/products", f.l("Products", "商品"), ""), Products: append(f.shelf(), f.shelf()...), Facets: facets, Sort: sorts,
		Total: 1043, AllURL: "/products", Filtered: true, Pager: Pager{Prev: "?page=1", Next: "?page=3"}}
	add("products", list)
	add("products-empty", ProductsPage{Frame: f.frame("/products", f.l("Products", "商品"), "")})
	none := list
	none.Products, none.Total, none.Pager = nil, 0, Pager{}
	add("products-none", none)
	extreme := ProductsPage{Frame: f.frame("/products", "x", ""), Title: hostile, Products: f.extremes(), Total: 5}
	add("products-extreme", extreme)

	cup := f.cup()
	add("product", cup)
	failed := f.cup()
	failed.Order.Open, failed.Order.Problem = true, f.l("Only 1 left. Nothing was ordered yet.", "仅剩 1 件，订单尚未提交。")
	failed.Order.Quantity = Field{"3", f.l("Choose a whole number from 1 to 1.", "请填写 1 到 1 之间的整数。")}
	failed.Order.Name = Field{hostile, ""}
	failed.Order.Email = Field{"mira@", f.l("This is no e-mail address. Example: mira@post.example", "这不是有效的电子邮箱，例如 mira@post.example")}
	failed.Order.Country = Field{"", f.l("Choose a country the seller sends to.", "请选择店主可以寄到的国家或地区。")}
	failed.Order.Address = Field{"1 Main St\n</textarea><script>alert(5)</script>", f.l("Fill this in.", "请填写此项。")}
	failed.Order.Total = yuan(168)
	add("product-failed", failed)
	out := f.cup()
	out.Order, out.Stock, out.Variants, out.From, out.Posts, out.Conversation.Replies, out.Conversation.Total = nil, StockOut, nil, false, nil, nil, 0
	out.Pictures = out.Pictures[:1]
	add("product-sold-out", out)
	bare := ProductPage{Frame: f.frame("/products/x", unbroken, "product"), Title: unbroken, Price: Money{Amount: 0, Currency: "CNY"}, Seller: Seller{Person: Person{Deleted: true}}}
	add("product-bare", bare)
	add("product-many", f.manyVariants())
}

// cup is the product that most looks are taken at.
func (f *fixtureShop) cup() ProductPage {
	return ProductPage{
		Frame: f.frame("/products/cup", f.l("Celadon tea cup", "青瓷茶杯"), "product"),
		Title: f.l("Celadon tea cup", "青瓷茶杯"), Price: yuan(168), VariantsName: f.l("Size", "容量"),
		Pictures: []Picture{*picture("cup", f.l("Pale green cup on a grey table", "灰色桌面上的淡绿色杯子")), *picture("cup2", ""), *picture("gaiwan", f.l("The glaze from near", "釉面近景"))},
		Variants: []Variant{
			{ID: "11", Label: "120 ml", Price: yuan(168), Stock: StockIn, Selected: true}, {ID: "12", Label: "180 ml", Price: yuan(188), Stock: StockFew},
			{ID: "13", Label: "240 ml", Price: yuan(208), Stock: StockOut},
		},
		Stock: StockIn, Condition: "new", Delivery: []string{f.l("Leaves in 2 days", "两天内发出")},
		Story: f.rich(`<p>Hand-thrown on a slow wheel, glazed three times, fired with pine for eighteen hours. Each cup differs by a few millimetres; the crack lines keep opening for about a year.</p><p>That is the sound you hear when you pour.</p>`,
			`<p>慢轮手拉坯，三次上釉，松柴烧十八小时。每只杯子相差几毫米；冰裂纹会继续开片一年左右。</p><p>倒水时听到的就是这个声音。</p>`),
		Specs: []Specification{{Key: "material", Value: f.l("Stoneware, celadon glaze", "粗陶，青瓷釉")}, {Key: "weight", Value: "210 g"}, {Name: f.l("Fired at", "烧成温度"), Value: "1280 °C"}},
		Tags:  []Link{{Label: f.l("#celadon", "#青瓷"), URL: "/tags/celadon"}, {Label: f.l("#teaware", "#茶器"), URL: "/tags/teaware"}},
		URL:   "https://qingshan.example/products/cup", Published: f.ago(400 * time.Hour), Seller: f.seller(), Order: f.orderForm(),
		Conversation: f.conversation(), Posts: f.olderPosts()[:2], Related: f.shelf()[1:5],
	}
}

func (f *fixtureShop) manyVariants() ProductPage {
	p := f.cup()
	p.From, p.Variants, p.Lang, p.Title, p.Left = true, nil, "de", german, 3
	for i := range 30 {
		s := []string{StockIn, StockFew, StockOut}[i%3]
		p.Variants = append(p.Variants, Variant{ID: string(rune('a' + i)), Label: "Größe " + FormatNumber("en", int64(i*10)), Price: yuan(int64(100 + i)), Stock: s})
	}
	for len(p.Pictures) < 12 {
		p.Pictures = append(p.Pictures, *picture("bowl", ""))
	}
	for len(p.Conversation.Replies) < 60 {
		p.Conversation.Replies = append(p.Conversation.Replies, f.conversation().Replies...)
	}
	p.Conversation.Total, p.Conversation.Pager = 120, Pager{Next: "?replies=2"}
	return p
}
