package themes

import (
	"html/template"
	"time"
)

func (f *fixtureShop) people(add func(string, Page)) {
	profile := ProfilePage{
		Frame: f.frame("/@qingshan", f.seller().Name, "profile"), Person: f.seller(), Header: picture("winter", ""),
		Bio:       f.rich("<p>Two kilns, four hands. Stoneware and celadon since 2009.</p>", "<p>两口窑，四只手。2009 年起做青瓷与粗陶。</p>"),
		Fields:    []ProfileField{{Name: f.l("Website", "网站"), Value: RichText{HTML: `<a href="https://qingshan.example" rel="me">qingshan.example</a>`}, Verified: true}, {Name: f.l("Visits", "参观"), Value: f.rich("Fridays, after a message", "周五，请先留言")}},
		Followers: 1236, Following: 48, PostCount: 312, Joined: f.ago(900 * 24 * time.Hour), Products: f.shelf()[4:8], Posts: f.olderPosts()[1:], Pager: Pager{Next: "?page=2"},
	}
	profile.PinnedProducts, profile.PinnedPosts = f.shelf()[:3], append([]PostCard{f.leadPost()}, f.olderPosts()[:1]...)
	add("profile", profile)
	memory := profile
	memory.Person.Memorial, memory.Person.FollowURL = true, ""
	add("profile-memorial", memory)
	moved := profile
	moved.Person.FollowURL, moved.PinnedProducts, moved.Products, moved.Posts, moved.Pager = "", nil, nil, nil, Pager{}
	moved.MovedTo = &Person{Name: hostile, Handle: "@qingshan@" + unbroken + ".example", URL: "https://new.example/@qingshan"}
	add("profile-moved", moved)
	add("profile-bare", ProfilePage{Frame: f.frame("/@x", "x", "profile"), Person: Seller{Person: Person{Name: hostile, Handle: "@" + unbroken + "@x.example"}},
		Fields: []ProfileField{{Name: hostile, Value: RichText{HTML: template.HTML(unbroken)}}}})

	follow := FollowPage{Frame: f.frame("/follow", f.l("Follow", "关注"), ""), Seller: f.seller(), Action: "/follow", QR: "https://qingshan.example/@qingshan",
		Feeds: []Feed{{Title: "Atom", URL: "/feed.atom", Type: "application/atom+xml"}, {Title: "RSS", URL: "/feed.rss", Type: "application/rss+xml"}}}
	add("follow", follow)
	wrong := follow
	wrong.Account = Field{`me@"><script>alert(6)</script>`, f.l("This is no handle or domain. Example: @mira@social.example", "这不是账号地址或域名，例如 @mira@social.example")}
	add("follow-wrong", wrong)
	unknown := follow
	unknown.Unknown, unknown.Account.Value, unknown.Remember = true, "me@social.example", &Choice{Value: "me@social.example", Label: "social.example"}
	unknown.Intent, unknown.Object, unknown.About = "reply", "https://qingshan.example/posts/1", f.leadPost().Title
	add("follow-reply-unknown", unknown)

	add("authorize", AuthorizePage{Frame: f.frame("/authorize_interaction", f.l("Sign in", "登录"), ""), Target: "@mira@social.example", SignInURL: "/console/login"})
	me := f.seller().Person
	found := AuthorizePage{Frame: f.frame("/authorize_interaction", f.l("Follow Mira", "关注 Mira"), ""), Target: "@mira@social.example", Me: me, Action: "/authorize_interaction",
		Found: &Person{Name: "Mira", Handle: "@mira@social.example", URL: "https://social.example/@mira"}}
	add("authorize-confirm", found)
	found.Action, found.State = "", "pending"
	add("authorize-pending", found)
	found.Found = &Person{Handle: "@mira@social.example", URL: "https://social.example/@mira", Memorial: true}
	add("authorize-memorial", found)
	add("authorize-problem", AuthorizePage{Frame: f.frame("/authorize_interaction", "x", ""), Problem: f.l("This address could not be understood.", "无法识别这个地址。")})

	f.searches(add)
}

func (f *fixtureShop) searches(add func(string, Page)) {
	hits := []Hit{
		{Type: "listing", URL: "/products/cup", Title: []Span{{f.l("Celadon tea ", "青瓷"), false}, {f.l("cup", "茶杯"), true}}, Text: []Span{{f.l("Each ", "每只"), false}, {f.l("cup", "杯子"), true}, {f.l(" differs by a few millimetres.", "相差几毫米。"), false}},
			Picture: picture("cup", ""), Price: Money{Amount: 16800, Currency: "CNY"}, From: true, Stock: StockIn, Why: []string{f.l("The word is in the title.", "标题中有这个词。")}},
		{Type: "listing", URL: "https://zen.example/products/5", Title: []Span{{f.l("Red clay ", "红泥"), false}, {f.l("cup", "茶杯"), true}}, Text: []Span{{hostile, true}}, Picture: picture("mug", ""),
			Price: Money{Amount: 2400, Currency: "EUR"}, Was: Money{Amount: 3000, Currency: "EUR"}, Stock: StockOut, Node: "zen.example", NodeURL: "https://zen.example/", Checked: f.ago(3 * time.Hour)},
		{Type: "post", URL: "/posts/1", Title: []Span{{f.leadPost().Title, false}}, Text: []Span{{f.leadPost().Text, false}}, Author: f.seller().Person, Published: f.ago(50 * time.Hour), Picture: picture("winter", "")},
		{Type: "post", URL: "https://x.example/1", Text: []Span{{arabic, false}}, Lang: "ar", Author: Person{Deleted: true}, Published: f.ago(time.Hour), Node: "x.example"},
		{Type: "account", URL: "/@qingshan", Title: []Span{{f.seller().Name, false}}, Author: f.seller().Person, Picture: portrait("face"), Text: []Span{{f.seller().Bio, false}}},
	}
	types := []Filter{{Key: "all", URL: "?q=cup", Count: 248, Active: true}, {Key: "listing", URL: "?type=listing", Count: 201}, {Key: "post", URL: "?type=post", Count: 46}, {Key: "account", URL: "?type=account", Count: 1}}
	page := SearchPage{Frame: f.frame("/search", f.l("Search: cup", "搜索：茶杯"), ""), Query: f.l("cup", "茶杯"), Types: types, Currency: "CNY", Nodes: []Choice{{Value: "zen.example", Label: "zen.example"}},
		Sort: "relevance", Hits: hits, Total: 248, Pager: Pager{Next: "?cursor=2"}, Popular: f.shelf()[:4]}
	page.Head.NoIndex = true
	add("search", page)
	filtered := page
	filtered.Filtered, filtered.MinPrice, filtered.InStock, filtered.Type, filtered.Node = true, Field{"abc", f.l("This is no amount. Example: 24.50", "这不是金额，例如 24.50")}, true, "listing", "zen.example"
	filtered.Hits, filtered.Total, filtered.Pager, filtered.ClearURL, filtered.Near = nil, 0, Pager{}, "/search?q=cup", []Link{{Label: f.l("Celadon tea cup", "青瓷茶杯"), URL: "/products/cup"}}
	add("search-none", filtered)
	add("search-hostile", SearchPage{Frame: f.frame("/search", hostile, ""), Query: hostile, Currency: "CNY"})
	add("search-start", SearchPage{Frame: f.frame("/search", f.l("Search", "搜索"), ""), Currency: "CNY", Popular: f.shelf()[:4]})
	add("search-down", SearchPage{Frame: f.frame("/search", "x", ""), Query: "x", Currency: "CNY", Problem: f.l("Search does not answer right now. Try again in a minute.", "搜索暂时没有回应，请过一分钟再试。")})
}

func (f *fixtureShop) orderForm() *OrderForm {
	return &OrderForm{
		Action: "/products/cup/order#order", Key: "5f0c7c1e", MaxQuantity: 12, Ships: true, Pickup: true, PickupPlace: f.l("the studio in Longquan", "龙泉工作室"),
		Countries: []string{"CN", "DE", "FR", "GB", "HK", "IT", "JP", "KR", "MY", "NL", "SG", "TW", "US", "VN"},
		Shipping: []ShippingPrice{
			{Region: f.l("Germany", "德国"), Price: yuan(60), FreeOver: yuan(500), Note: f.l("6 to 9 days", "6 至 9 天")},
			{Region: f.l("China", "中国"), Price: yuan(0), Note: f.l("2 days", "2 天")},
		},
		Payments: []Choice{
			{Value: "transfer", Label: f.l("Bank transfer", "银行转账"), Hint: f.l("You see the account after ordering", "下单后显示账号")},
			{Value: "pickup", Label: f.l("Cash when you pick it up", "自提时付现")},
		},
	}
}

func (f *fixtureShop) orders(add func(string, Page)) {
	at := f.frame("/orders/abc", f.l("Order 1042", "订单 1042"), "")
	at.Head.NoIndex = true
	order := OrderPage{
		Frame: at, Number: "1042", State: OrderPlaced, JustPlaced: true, URL: "https://qingshan.example/orders/7hJ2kQ9vXw3RtYb8LmNc", Placed: f.ago(2 * time.Minute),
		Steps: []OrderStep{{OrderPlaced, f.ago(2 * time.Minute)}, {OrderPaid, time.Time{}}, {OrderShipped, time.Time{}}, {OrderDone, time.Time{}}},
		Lines: []OrderLine{
			{Title: f.l("Celadon tea cup", "青瓷茶杯"), Variant: "120 ml", URL: "/products/cup", Picture: picture("cup", ""), Quantity: 2, Price: yuan(168), Total: yuan(336)},
			{Title: german, Lang: "de", Quantity: 1, Price: yuan(120), Total: yuan(120)},
		},
		Subtotal: yuan(456), Shipping: yuan(60), Total: yuan(516), PaymentLabel: f.l("Bank transfer", "银行转账"), Reference: "1042",
		PaymentText: f.rich("<p>Qingshan Pottery, Bank of Longquan<br>6222 0000 1234 5678</p>", "<p>青山陶作，龙泉银行<br>6222 0000 1234 5678</p>"), PaymentQR: portrait("face2"),
		Name: "Mira Lindqvist", Email: "mira@post.example", Phone: "+46 70 123 45 67", Way: DeliveryShip, Country: "SE", Address: "Storgatan 1\n<b>413 01</b> Göteborg", Note: f.l("A gift, please no invoice in the box.", "送礼用，请勿放发票。"),
		Seller: f.seller(), SellerEmail: "hello@qingshan.example", SellerPhone: "+86 578 000 0000",
	}
	add("order-placed", order)
	almost := order
	almost.JustPlaced, almost.Shipping, almost.Total, almost.KeptUntil, almost.Form = false, Money{}, yuan(456), f.now.Add(48*time.Hour), f.orderForm()
	almost.Form.Completes, almost.Form.Open, almost.Form.MaxQuantity, almost.Email, almost.Phone, almost.Address = true, true, 1, "", "", ""
	add("order-almost", almost)
	shipped := order
	shipped.JustPlaced, shipped.State, shipped.Carrier, shipped.TrackingCode, shipped.TrackingURL = false, OrderShipped, "EMS", "EA123456789CN", "https://track.example/EA123456789CN"
	shipped.Steps = []OrderStep{{OrderPlaced, f.ago(90 * time.Hour)}, {OrderPaid, f.ago(80 * time.Hour)}, {OrderShipped, f.ago(5 * time.Hour)}, {OrderDone, time.Time{}}}
	add("order-shipped", shipped)
	cancelled := order
	cancelled.JustPlaced, cancelled.State, cancelled.Reason, cancelled.Shipping, cancelled.Way, cancelled.PickupPlace = false, OrderCancelled, hostile, Money{}, DeliveryPickup, unbroken
	cancelled.Steps = []OrderStep{{OrderPlaced, f.ago(900 * time.Hour)}, {OrderCancelled, f.ago(time.Minute)}}
	add("order-cancelled", cancelled)
}

func (f *fixtureShop) notices(add func(string, Page)) {
	add("notfound", NotFoundPage{Frame: f.frame("/x", f.l("Not found", "未找到"), ""), Query: "celadon cup", Suggestions: f.shelf()[:4]})
	add("notfound-gone", NotFoundPage{Frame: f.frame("/x", f.l("Gone", "已撤下"), ""), Gone: true, Query: hostile})
	failure := func(name string, status int) {
		add(name, ErrorPage{Frame: f.frame("/x", "x", ""), Status: status, RequestID: "01JD" + hostile})
	}
	failure("error", 500)
	failure("error-busy", 429)
	failure("error-forbidden", 403)
	failure("error-request", 400)
	add("gate-closed", GatePage{Frame: f.frame("/", "", ""), OpensAt: f.now.Add(240 * time.Hour), Message: f.l("We are firing.\nBack soon.", "正在烧窑。\n很快回来。")})
	add("gate-new", GatePage{Frame: Frame{Site: Site{Name: "Souk"}}, NotSetUp: true})
}
