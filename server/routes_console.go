package server

import (
	"time"

	"github.com/labstack/echo/v4"

	"souk"
	"souk/server/console"
	"souk/server/middleware"
)

// consoleRoutes is the part of the route table that people sign in for. Its forms carry a cookie, so none is taken from
// another site, and none may be larger than what it asks for; guessing passwords and setup links is slow.
func (s *Server) consoleRoutes() {
	c, e := s.console, s.echo
	limits := middleware.Limits{Multiplier: s.cfg.RateLimit, Now: s.cfg.DB.Now}
	door := limits.By(middleware.Limit{Burst: 10, Every: 12 * time.Second}, middleware.Client)
	ask := limits.By(middleware.Limit{Burst: 20, Every: 3 * time.Second}, middleware.Client) // questions to other nodes
	form := []echo.MiddlewareFunc{middleware.SameOrigin, middleware.BodyLimit(1 << 20)}
	// A password costs 19 MiB while it is hashed, and door counts each address for itself.
	hashing := middleware.AtOnce(8, 10*time.Second)
	knock := []echo.MiddlewareFunc{door, middleware.SameOrigin, middleware.BodyLimit(64 << 10), hashing}
	upload := []echo.MiddlewareFunc{middleware.SameOrigin, middleware.BodyLimit(console.MaxUpload)}

	e.GET("/setup", c.Open(c.SetupForm))
	e.POST("/setup", c.Open(c.SetUp), knock...)
	e.GET("/console/sign-in", c.Open(c.SignInForm))
	e.POST("/console/sign-in", c.Open(c.SignIn), knock...)
	e.POST("/console/sign-out", c.Open(c.SignOut), form...)
	e.GET("/console/assets/:hash/console.css", c.Style)

	e.GET("/console", c.Member(c.Today))
	e.GET("/console/more", c.Member(c.More))

	e.GET("/console/posts", c.Member(c.Posts))
	e.GET("/console/posts/new", c.Member(c.NewPost))
	e.POST("/console/posts/new", c.Member(c.CreatePost), upload...)
	e.GET("/console/posts/:id", c.Member(c.Conversation))
	e.POST("/console/posts/:id/reply", c.Member(c.Reply), form...)
	e.POST("/console/posts/:id/order", c.Member(c.Buy), form...)
	e.POST("/console/posts/:id/react", c.Member(c.React), form...)
	e.POST("/console/posts/:id/pin", c.Member(c.Pin), form...)
	e.GET("/console/posts/:id/edit", c.Member(c.EditPostForm))
	e.POST("/console/posts/:id/edit", c.Member(c.EditPost), upload...)
	e.GET("/console/posts/:id/delete", c.Member(c.DeletePostForm))
	e.POST("/console/posts/:id/delete", c.Member(c.DeletePost), form...)
	e.GET("/console/posts/:id/history", c.Member(c.History))
	e.GET("/console/posts/:id/deliveries", c.Member(c.Deliveries))

	e.GET("/console/products", c.Seller(c.Listings))
	e.GET("/console/products/new", c.Seller(c.NewListing))
	e.POST("/console/products/new", c.Seller(c.CreateListing), upload...)
	e.GET("/console/products/:id", c.Seller(c.Listing))
	e.POST("/console/products/:id", c.Seller(c.ChangeListing), upload...)
	e.GET("/console/products/:id/preview", c.Seller(c.PreviewListing))
	e.GET("/console/products/:id/withdraw", c.Seller(c.WithdrawForm))
	e.POST("/console/products/:id/withdraw", c.Seller(c.Withdraw), form...)

	e.GET("/console/orders", c.Seller(c.Orders))
	e.GET("/console/orders/:id", c.Seller(c.Order))
	e.POST("/console/orders/:id", c.Seller(c.MoveOrder), form...)
	e.GET("/console/orders/:id/cancel", c.Seller(c.CancelOrderForm))
	e.POST("/console/orders/:id/note", c.Seller(c.NoteOrder), form...)

	e.GET("/console/purchases", c.Member(c.Purchases))
	e.POST("/console/purchases", c.Member(c.FindProduct), append(form, ask)...)
	e.GET("/console/purchases/:id/cancel", c.Member(c.CancelPurchaseForm))
	e.POST("/console/purchases/:id/cancel", c.Member(c.CancelPurchase), form...)

	e.GET("/console/people", c.Member(c.People))
	e.POST("/console/people/follow", c.Member(c.Follow), append(form, ask)...)
	e.POST("/console/people/:id", c.Member(c.Relate), form...)
	e.GET("/console/queue", c.Owner(c.Queue))
	e.POST("/console/queue", c.Owner(c.ChangeQueue), form...)
	e.GET("/console/nodes", c.Owner(c.Nodes))
	e.POST("/console/nodes", c.Owner(c.FollowNode), append(form, ask)...)
	e.POST("/console/nodes/:id", c.Owner(c.UnfollowNode), form...)

	e.GET("/console/posts/:id/report", c.Member(c.ReportPostForm))
	e.POST("/console/posts/:id/report", c.Member(c.ReportPost), form...)
	e.GET("/console/people/:id/report", c.Member(c.ReportAccountForm))
	e.POST("/console/people/:id/report", c.Member(c.ReportAccount), form...)
	lists := []echo.MiddlewareFunc{middleware.SameOrigin, middleware.BodyLimit(2*souk.MaxBlockList + 1<<20)}
	e.GET("/console/moderation/reports", c.Owner(c.Reports))
	e.GET("/console/moderation/reports/:id", c.Owner(c.Report))
	e.POST("/console/moderation/reports/:id", c.Owner(c.ActOnReport), form...)
	e.GET("/console/moderation/hosts", c.Owner(c.HostBlocks))
	e.POST("/console/moderation/hosts", c.Owner(c.SetHostBlock), form...)
	e.GET("/console/moderation/hosts/import", c.Owner(c.ImportHostBlocksForm))
	e.POST("/console/moderation/hosts/import", c.Owner(c.ImportHostBlocks), lists...)
	e.GET("/console/moderation/hosts/export", c.Owner(c.ExportHostBlocks))
	e.GET("/console/moderation/lists", c.Owner(c.BlockLists))
	e.POST("/console/moderation/lists", c.Owner(c.SubscribeBlockList), form...)
	e.POST("/console/moderation/lists/decide", c.Owner(c.DecideProposed), form...)
	e.GET("/console/moderation/lists/:id", c.Owner(c.UnsubscribeBlockListForm))
	e.POST("/console/moderation/lists/:id", c.Owner(c.ChangeBlockList), form...)
	e.GET("/console/moderation/accounts/:id", c.Owner(c.SuspendForm))
	e.POST("/console/moderation/accounts/:id", c.Owner(c.Suspend), form...)

	e.GET("/console/settings", c.Member(c.Settings))
	e.GET("/console/settings/shop", c.Owner(c.ShopForm))
	e.POST("/console/settings/shop", c.Owner(c.SaveShop), form...)
	e.GET("/console/settings/access", c.Owner(c.AccessForm))
	e.POST("/console/settings/access", c.Owner(c.SaveAccess), form...)
	e.GET("/console/settings/profile", c.Member(c.ProfileForm))
	e.POST("/console/settings/profile", c.Member(c.SaveProfile), upload...)
	e.GET("/console/settings/account", c.Member(c.AccountForm))
	e.POST("/console/settings/account", c.Member(c.ChangeAccount), append(form, door, hashing)...)
	e.GET("/console/settings/account/followers", c.Member(c.PullForm))
	e.POST("/console/settings/account/followers", c.Member(c.Pull), append([]echo.MiddlewareFunc{middleware.SameOrigin, middleware.BodyLimit(2*souk.MaxFollowerList + 1<<20)}, ask)...)
	e.GET("/console/settings/password", c.Member(c.PasswordForm))
	e.POST("/console/settings/password", c.Member(c.ChangePassword), append(form, door, hashing)...)
	e.POST("/console/settings/sessions", c.Member(c.SignOutOthers), form...)
	e.GET("/console/settings/tokens", c.Member(c.Tokens))
	e.POST("/console/settings/tokens", c.Member(c.CreateToken), form...)
	e.POST("/console/settings/tokens/:id", c.Member(c.RevokeToken), form...)
}
