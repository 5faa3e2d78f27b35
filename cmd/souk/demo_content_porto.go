package main

import "souk"

// demoPrintshop is node B: a print and cloth workshop in Porto.
func demoPrintshop() demoShop {
	return demoShop{
		account: souk.NewAccount{Name: "tintaelinho", Role: souk.RoleOwner, DisplayName: "Tinta e Linho", Email: "ines@tintaelinho.example", Lang: "en"},
		shop: souk.Shop{
			Name: "Tinta e Linho", Tagline: "Linocuts, linen and notebooks from a back yard in Porto",
			About:   "Inês Tavares cuts, prints and sews in a former stable behind Rua do Almada. The press is from 1926, the linen from Guimarães, the ink from soy.",
			Country: "PT", Currency: "EUR", Lang: "en", Payments: []string{souk.PayTransfer, souk.PayCash},
			PaymentNote:  "IBAN PT50 0000 0000 0000 0000 0000 0, Inês Tavares. This is a demonstration: please do not pay.",
			DeliveryNote: "Prints travel flat, between boards. Letters leave on Tuesdays and Fridays.",
			Pickup:       true, Shipping: true, ShippingFee: 650, Open: true,
		},
		bio:      "Linocuts, block-printed linen, sewn notebooks. One woman, one press from 1926, one very old dog.",
		fields:   []souk.Field{{Name: "Workshop", Value: "Rua do Almada, Porto"}, {Name: "Open", Value: "Saturdays, when the gate is open"}},
		portrait: demoPicture{kind: "printer", alt: "Inês with rolled-up sleeves by the press"},
		listings: printshopListings(),
		posts: []demoPost{
			{key: "press", ago: 30 * hour, lang: "en", text: "The press turned a hundred this week.\n\nNobody could tell me its birthday, but the foundry mark says 1926, and so it got a new felt blanket and a day off. " +
				"Tomorrow it prints the second run of the [harbour]([[harbour]]). #linocut #letterpress",
				picture: demoPicture{"notebook", "", 6, "Notebooks, sewn and stacked on the bench"}},
		},
	}
}

func printshopListings() []demoListing {
	return []demoListing{
		{key: "harbour", ago: 2*day + 3*hour, title: "Linocut “Harbour at six”, 30 × 40 cm", lang: "en", category: "Art/Prints", tags: []string{"linocut", "print", "porto"},
			price: 48_00, quantity: 14, pictures: []demoPicture{{"print", "", 0, "A framed linocut on a white wall"}},
			text: "Three blocks, three colours, forty prints, signed and numbered. The Douro at six in the morning, when the boats are still arguing about who goes first. On cotton paper, without the frame."},
		{key: "towel", ago: 3*day + 2*hour, title: "Linen kitchen towel, block-printed", lang: "en", category: "Home/Textiles", tags: []string{"linen", "textile"},
			price: 22_00, quantity: 30, pictures: []demoPicture{{"cloth", "", 0, "A folded linen cloth with a printed pattern"}},
			text: "Washed linen from Guimarães, printed by hand with a block the size of a stamp, seven hundred times. Gets softer with every wash; the print stays."},
		{key: "notebook", ago: 5*day + 4*hour, title: "Notebook, thread-sewn, dotted", lang: "en", category: "Office/Notebooks", tags: []string{"notebook", "paper"},
			price: 16_00, quantity: 25, pictures: []demoPicture{{"notebook", "", 0, "Two notebooks with printed covers"}},
			text: "A5, 128 pages that lie flat on the first day. The cover is a misprint of one of our posters, so no two are the same."},
		{key: "tile", ago: 7*day + 6*hour, title: "Linocut “Tile factory”, second state", lang: "en", category: "Art/Prints", tags: []string{"linocut", "azulejo"},
			price: 60_00, quantity: 1, pictures: []demoPicture{{"print", "", 3, "A linocut with the pattern of a tile factory, framed"}},
			text: "The block broke after nineteen prints. I glued it, cut the crack into a chimney, and printed on. This is the last one with the chimney."},
	}
}
