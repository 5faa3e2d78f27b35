package api

import "net/http"

// idempotencyKey is the header that makes sending an order again harmless.
func idempotencyKey() header {
	return header{Name: "Idempotency-Key", Required: true, About: "A value of your own for each order, at most 255 bytes. The same key with the same content answers the order that it made; with other content it is refused (409)."}
}

// ifMatch is the header that keeps two programs from writing over each other.
func ifMatch() header {
	return header{Name: "If-Match", About: "The ETag of the state that the change is made to: where it has changed meanwhile, the answer is 412."}
}

// table is every call of the API.
func (a *API) table() []call {
	return append(a.sellingTable(), a.nodeTable()...)
}

func (a *API) sellingTable() []call {
	const get, post, patch, del = http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodDelete
	return []call{
		on(call{Method: post, Path: "/media", Name: "createMedia", Scope: "write:media", Limit: uploading, Status: 201, Summary: "Upload a picture",
			About: "It is kept for a day, and for as long as a listing, post or profile has it. Metadata such as the place where it was taken is removed."}, a.createMedia),
		on(call{Method: patch, Path: "/media/{id}", Name: "changeMedia", Scope: "write:media", Limit: writing, Status: 200, Summary: "Describe a picture",
			Example: `{"description": "A cup with a blue glaze", "focus": {"x": 0, "y": 0.25}}`}, a.changeMedia),

		on(call{Method: post, Path: "/listings", Name: "createListing", Scope: "write:listings", Limit: writing, Status: 201, Summary: "Put up a product",
			Example: `{"title": "Blue cup", "description": "Thrown by hand, **dishwasher safe**.", "price": {"amount": 2400, "currency": "EUR"}, "quantity": 3, "tags": ["pottery"], "category": "Home/Kitchen/Cups", "condition": "new", "lang": "en"}`}, a.createListing),
		on(call{Method: get, Path: "/listings", Name: "listings", Limit: reading, Status: 200, Paged: true, Summary: "What is for sale",
			Query: "category=Home&in_stock=true&limit=10"}, a.listings),
		on(call{Method: get, Path: "/listings/{id}", Name: "listing", Limit: reading, Status: 200, Errors: []int{410}, Summary: "One product",
			About: "410 where it was withdrawn."}, a.oneListing),
		on(call{Method: patch, Path: "/listings/{id}", Name: "changeListing", Scope: "write:listings", Limit: writing, Status: 200, Errors: []int{409, 410, 412},
			Headers: []header{ifMatch()}, Summary: "Change a product", About: "Price and quantity are those of its first variant. Followers hear of a new price, or that it is sold out, at most once an hour and only by a correction of what they have.",
			Example: `{"price": {"amount": 2200, "currency": "EUR"}, "quantity": 2}`}, a.changeListing),
		on(call{Method: del, Path: "/listings/{id}", Name: "withdrawListing", Scope: "write:listings", Limit: writing, Status: 204, Errors: []int{410}, Summary: "Withdraw a product",
			About: "For good: its address answers 410, and other nodes are told. Orders keep what they say about it."}, a.withdrawListing),

		on(call{Method: post, Path: "/orders", Name: "placeOrder", Limit: ordering, Status: 201, Errors: []int{409}, Headers: []header{idempotencyKey()},
			Summary: "Order as a guest", About: "Needs no token. 409 where the stock is gone (/problems/sold-out), or the key was used for another order.",
			Example: `{"lines": [{"listing_id": "113000000000000000", "quantity": 1}], "contact": {"name": "Li Na", "email": "li.na@example.org"}, "shipping": {"country": "DE", "address": "Gasse 1\n10115 Berlin"}, "payment": "transfer", "lang": "en"}`}, a.placeOrder),
		on(call{Method: get, Path: "/orders", Name: "orders", Scope: "read:orders", Limit: reading, Status: 200, Paged: true, Summary: "Your orders, newest first",
			About: "All of the node for its owner, their own for a seller.", Query: "state=placed"}, a.orders),
		on(call{Method: get, Path: "/orders/{id}", Name: "order", Scope: "read:orders", Limit: reading, Status: 200, Summary: "One order"}, a.oneOrder),
		on(call{Method: patch, Path: "/orders/{id}", Name: "changeOrder", Scope: "write:orders", Limit: writing, Status: 200, Errors: []int{409}, Summary: "Move an order on",
			About:   "From placed to paid or cancelled; from paid to shipped (done, where it is fetched) or cancelled; from shipped to done; and one step back from paid and from shipped. Any other step is 409. The buyer is mailed.",
			Example: `{"state": "paid", "note": "Thank you. It leaves tomorrow."}`}, a.changeOrder),
	}
}

func (a *API) nodeTable() []call {
	const get, post, patch, del = http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodDelete
	return []call{
		on(call{Method: get, Path: "/search", Name: "search", Limit: searching, Status: 200, Paged: true, Errors: []int{503}, Summary: "Search this node and those that it knows",
			About: "Nothing that orders the hits reads sales, followers or money; why says how a place came about.", Query: "q=cup&type=listing&max_price=5000&currency=EUR&in_stock=true&sort=price"}, a.search),

		on(call{Method: post, Path: "/posts", Name: "createPost", Scope: "write:statuses", Limit: writing, Status: 201, Summary: "Publish a post",
			Example: `{"text": "The kiln is cooling. #pottery", "visibility": "public", "lang": "en"}`}, a.createPost),
		on(call{Method: get, Path: "/posts", Name: "posts", Limit: reading, Status: 200, Paged: true, Summary: "Public posts of this node", Query: "limit=5"}, a.posts),
		on(call{Method: get, Path: "/posts/{id}", Name: "post", Limit: reading, Status: 200, Errors: []int{410}, Summary: "One post"}, a.onePost),
		on(call{Method: del, Path: "/posts/{id}", Name: "deletePost", Scope: "write:statuses", Limit: writing, Status: 204, Errors: []int{410}, Summary: "Delete a post"}, a.deletePost),

		on(call{Method: get, Path: "/shop", Name: "shop", Limit: reading, Status: 200, Summary: "The shop"}, a.shop),
		on(call{Method: patch, Path: "/shop", Name: "changeShop", Scope: "write:shop", Limit: writing, Status: 200, Summary: "Change the shop", About: "For the owner.",
			Example: `{"tagline": "Cups for every day", "shipping_fee": {"amount": 490, "currency": "EUR"}}`}, a.changeShop),
		on(call{Method: get, Path: "/account", Name: "account", Scope: anyToken, Limit: reading, Status: 200, Summary: "Whose token this is"}, a.whoAmI),

		on(call{Method: post, Path: "/node/follow", Name: "followNode", Scope: "admin:write", Limit: writing, Status: 200, Errors: []int{502}, Summary: "Follow the catalogue of another node",
			About: "For the owner. What is for sale there is read once it has accepted, and found here.", Example: `{"node": "shop.example"}`}, a.followNode),
		on(call{Method: get, Path: "/node/following", Name: "followedNodes", Scope: "admin:read", Limit: reading, Status: 200, Paged: true, Summary: "The nodes whose catalogue is followed"}, a.followedNodes),
	}
}
