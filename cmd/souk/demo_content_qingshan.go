package main

import "souk"

// demoPottery is node A: a potter in Longquan, who writes in Chinese and English.
func demoPottery() demoShop {
	return demoShop{
		account: souk.NewAccount{Name: "qingshan", Role: souk.RoleOwner, DisplayName: "青山陶作 Qingshan Pottery", Email: "lin@qingshan.example", Lang: "en"},
		shop: souk.Shop{
			Name: "Qingshan Pottery 青山陶作", Tagline: "Cups, bowls and vases from a small wood kiln in Longquan. 龙泉山里的一座小柴窑。",
			About: "Lin Qiu throws, Zhou Ming fires. We make about forty pieces a week in a village above Longquan, with clay from our own hillside " +
				"and pine from the next one. Nothing here is stock from a factory; when something is gone, it comes back with one of the next firings.\n\n" +
				"林秋拉坯，周鸣烧窑。我们在龙泉山上的村子里，每周做四十来件。泥是自家山坡上的，松柴来自隔壁的山。卖完的器物，会在之后的某一窑里回来。",
			Country: "CN", Currency: "CNY", Lang: "en", Payments: []string{souk.PayTransfer, souk.PayCash, souk.PayArrange},
			PaymentNote:  "Bank of Longquan, account 6222 0000 1234 5678, Lin Qiu. Please write the order number with it.\n转账时请备注订单号。这是演示店铺，请不要真的付款。",
			DeliveryNote: "Packed in straw and paper, sent within two days. Broken on the way? Send a photo, we make it good. 稻草加纸包装，两天内发出，破损包赔。",
			Pickup:       true, Shipping: true, ShippingFee: 3500, Open: true,
		},
		bio: "Wood-fired celadon and other quiet pots from the hills above Longquan. Lin Qiu throws, Zhou Ming fires.\n\n龙泉山里的柴烧青瓷。林秋拉坯，周鸣烧窑。",
		fields: []souk.Field{{Name: "Kiln", Value: "Nine metres, climbing, pine"}, {Name: "窑口", Value: "浙江龙泉"},
			{Name: "Next firing", Value: "First week of the month"}},
		portrait: demoPicture{kind: "potter", alt: "Lin Qiu in a grey apron by the window of the studio"},
		listings: potteryListings(),
		posts:    potteryPosts(),
	}
}

func potteryListings() []demoListing {
	return []demoListing{
		{key: "cup", ago: 26 * hour, title: "Celadon tea cup 青瓷品茗杯", lang: "en", category: "Home/Kitchen/Cups", tags: []string{"celadon", "tea", "青瓷"},
			price: 168_00, quantity: 12, pictures: []demoPicture{
				{"cup", "celadon", 0, "A pale green tea cup on a wooden table in morning light"},
				{"cup", "celadon", 1, "The rim and the glaze of the cup from nearby"},
				{"cup", "celadon", 2, "The cup from above"}},
			text: "Hand-thrown on a slow wheel, glazed three times, fired with pine for eighteen hours. Each cup differs by a few millimetres. " +
				"The crackle keeps opening for about a year; that is the sound you hear when you pour. Holds 120 ml.\n\n" +
				"手拉坯，三次上釉，松柴烧十八个小时。每只杯子都有几毫米的不同。开片会持续一年左右，倒茶时听到的细响就是它。容量 120 毫升。"},
		{key: "mug", ago: 2 * day, title: "Oatmeal mug, 300 ml 燕麦釉马克杯", lang: "en", category: "Home/Kitchen/Cups", tags: []string{"mug", "stoneware", "马克杯"},
			price: 120_00, quantity: 20, pictures: []demoPicture{
				{"mug", "oatmeal", 3, "A speckled, oat-coloured mug with a round handle"},
				{"mug", "oatmeal", 4, "The handle of the mug, where the glaze breaks brown"}},
			text: "The mug we use ourselves. A handle for three fingers, a lip that does not drip, and a foot left raw so that you feel the clay. " +
				"Dishwasher and microwave are fine.\n\n我们自己每天用的杯子。三指把手，口沿不挂水，底足露胎。可以进洗碗机和微波炉。"},
		{key: "bowl", ago: 3 * day, title: "Ash-glaze noodle bowl 灰釉面碗", lang: "en", category: "Home/Kitchen/Bowls", tags: []string{"ashglaze", "bowl", "灰釉"},
			price: 210_00, quantity: 2, pictures: []demoPicture{
				{"bowl", "ash", 6, "A wide bowl with a grey-green ash glaze"},
				{"bowl", "ash", 8, "The inside of the bowl from above, where the glaze has pooled"}},
			text: "The glaze is the ash of our own kiln, sieved and washed for a month. It runs where it wants, so every bowl has its own shoreline. " +
				"Wide enough for noodles, deep enough for soup.\n\n釉料是自家窑里的草木灰，筛洗一个月才能用。釉水怎么流，由火说了算，所以每只碗都有自己的“岸线”。盛面够宽，盛汤够深。"},
		{key: "teapot", ago: 4 * day, title: "Purple clay teapot 紫砂小壶", lang: "en", category: "Home/Kitchen/Teapots", tags: []string{"teapot", "tea", "紫砂"},
			price: 680_00, quantity: 4, pictures: []demoPicture{
				{"teapot", "purple", 12, "A small, round teapot of brown-purple clay"},
				{"teapot", "purple", 14, "The teapot from above, its lid sitting flush"}},
			text: "Beaten from slabs, not cast. The lid is ground to its pot with water and sand until it turns without a sound. " +
				"Pours in a thin arc and stops at once. 160 ml, for two people who talk slowly.\n\n拍身筒成型，不灌浆。壶盖用水和细砂磨到转动无声。出水细而有力，收水利落。160 毫升，两个人慢慢喝。"},
		{key: "plate", ago: 6 * day, title: "Iron-glaze plate, 24 cm 铁釉平盘", lang: "en", category: "Home/Kitchen/Plates", tags: []string{"plate", "tenmoku", "铁釉"},
			price: 320_00, quantity: 9, pictures: []demoPicture{{"plate", "iron", 15, "A dark, almost black plate with a rust-red rim"}},
			text: "Black where the glaze is thick, rust where it thins out over the rim. It makes a green salad look expensive.\n\n" +
				"釉厚处是黑，口沿薄处泛出铁锈红。哪怕只放一份凉菜，也显得郑重。"},
		{key: "vase", ago: 11 * day, title: "Winter vase, tall 冬瓶", lang: "en", category: "Home/Vases", tags: []string{"vase", "porcelain", "白瓷"},
			price: 460_00, quantity: 0, pictures: []demoPicture{
				{"vase", "white", 9, "A tall white vase with a narrow neck and a branch of buds"}},
			text: "For one branch, not for a bunch. White porcelain with a clear glaze that is faintly blue where it gathers. The last one of this firing has found its home; the next comes in spring.\n\n" +
				"插一枝就好。白胎透明釉，积釉处微微泛蓝。这一窑的最后一件已经有了主人，下一窑在春天。"},
		{key: "cups", ago: 8 * day, title: "Four iron cups 铁釉小杯四只", lang: "en", category: "Home/Kitchen/Cups", tags: []string{"tea", "tenmoku", "铁釉"},
			price: 360_00, quantity: 6, pictures: []demoPicture{{"cup", "iron", 24, "A small cup, black with a brown rim"}},
			text: "Four small cups from one lump of clay and one place in the kiln, so that they belong together and still are not the same. In a box of straw.\n\n" +
				"同一团泥、同一个窑位的四只小杯，像兄弟，不像复制品。稻草盒包装。"},
		{key: "bud", ago: 5 * day, title: "Bud vase, second choice 青瓷小花插（微瑕）", lang: "en", category: "Home/Vases", tags: []string{"celadon", "seconds", "微瑕"},
			price: 95_00, quantity: 5, quiet: true, pictures: []demoPicture{{"vase", "celadon", 21, "A small green vase with one branch"}},
			text: "It leans by two degrees, which is why it costs half. Holds water, holds a flower, holds its head a little to the side.\n\n" +
				"歪了两度，所以半价。不漏水，插得住花，只是微微歪着头。"},
	}
}

func potteryPosts() []demoPost {
	return []demoPost{
		{key: "hello", ago: 12 * day, lang: "zh", text: "我们搬家了。\n\n以后窑里的事、卖的东西、你们的提问，都在自己的节点上。\n\n" +
			"以前在平台上，关注我们的人要靠平台决定能不能看到新的一窑。现在你在任何一个联邦宇宙的应用里关注 @qingshan，就能直接看到。#柴烧 #青瓷"},
		{key: "glaze", ago: 4*day + 5*hour, lang: "en", text: "A good glaze is three coats and three waits.\n\nA celadon glaze is mostly patience: dip, dry for a day, scrape the foot, dip again. " +
			"Too thin and the green turns to dishwater, too thick and it crawls off the edge in the fire. The [noodle bowls]([[bowl]]) on the shelf are from the batch where we got it right on the second try. #celadon #glaze",
			picture: demoPicture{"bowl", "celadon", 27, "Bowls with a fresh coat of celadon glaze"}},
		{key: "kiln", ago: 7 * hour, lang: "en", text: "We opened the autumn kiln this morning.\n\nEighteen hours of feeding pine into the mouth of the kiln, three days of waiting until it is cool enough to touch, " +
			"and then the bricks come out one by one. Of sixty [tea cups]([[cup]]) fifty-one are good, which is a record for us. The nine others will be ground up and become clay again.\n\n" +
			"开窑了。六十只杯子成了五十一只，是我们最好的一次。剩下的九只会磨成粉，再做回泥。 #celadon #柴烧 #kiln",
			picture: demoPicture{"teapot", "celadon", 30, "A celadon teapot, just out of the kiln, in window light"}},
	}
}
