package souk

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// privateRead is a read that is meant for some, called with who reads; it returns how much it found.
type privateRead struct {
	method string
	may    string // who, of the kinds of accounts in TestReadsAskWhoReads
	others error  // what all others get; nil: nothing, of what could be theirs
	call   func(by int64) (found int, err error)
}

func many[T any](list []T, err error) (int, error) { return len(list), err }

func one[T any](_ T, err error) (int, error) { return 1, err }

func sum(counts map[string]int, err error) (n int, _ error) {
	for _, c := range counts {
		n += c
	}
	return n, err
}

// privateReads are all reads that take who reads, of a node where each finds something.
func privateReads(t *testing.T, m *market, member, far *Account) []privateRead {
	ctx := t.Context()
	if err := m.BlockHosts(ctx, m.owner.ID, []HostBlock{{Domain: "bad.example", Severity: Suspend}}); err != nil {
		t.Fatal(err)
	}
	if err := m.ReceiveFollow(ctx, far.URI+"#1", far, m.owner, false); err != nil {
		t.Fatal(err)
	}
	list := must(m.SubscribeBlockList(ctx, m.owner.ID, "https://lists.example/a.csv"))(t)
	if err := m.BlockListRead(ctx, list, []HostBlock{{Domain: "far.example", Severity: Suspend}}, "", ""); err != nil {
		t.Fatal(err)
	}
	report := must(m.FileReport(ctx, member.ID, NewReport{TargetID: far.ID, Category: ReportSpam}))(t)
	tea, _ := m.goods(m.seller, "Tea", 9, 1200)
	sold := m.offered(m.offer(1, far, tea, 1))
	bought := must(m.SendOffer(ctx, m.seller.ID, m.theirs(nil).ID, 1))(t)
	if err := m.tellBuyer(ctx, bought); err != nil {
		t.Fatal(err)
	}
	post := m.told(m.seller, far)
	picture := m.NewID()
	m.exec(`insert into media (id, account_id, mime, created) values ($1, $2, 'image/png', $3)`, picture, m.seller.ID, m.Now())
	must(m.CreateToken(ctx, m.seller.ID, "till", []string{"read"}, m.Now().AddDate(1, 0, 0)))(t)
	news := m.count(`select min(id) from notifications where account_id = $1`, m.seller.ID)

	const owner, seller, both = "owner", "seller", "owner seller"
	return []privateRead{
		{"People", owner, ErrForbidden, func(by int64) (int, error) { return many(m.People(ctx, by)) }},
		{"HostFor", owner, ErrForbidden, func(by int64) (int, error) { return one(m.HostFor(ctx, by, "far.example")) }},
		{"HostBlocks", owner, ErrForbidden, func(by int64) (int, error) { return many(m.HostBlocks(ctx, by, "", 0)) }},
		{"HostBlock", owner, ErrForbidden, func(by int64) (int, error) { return one(m.HostBlock(ctx, by, "bad.example")) }},
		{"HostBlockCount", owner, ErrForbidden, func(by int64) (int, error) { return m.HostBlockCount(ctx, by) }},
		{"PreviewHostBlocks", owner, ErrForbidden, func(by int64) (int, error) {
			return many(m.PreviewHostBlocks(ctx, by, []HostBlock{{Domain: "far.example", Severity: Suspend}}))
		}},
		{"BlockSubscriptions", owner, ErrForbidden, func(by int64) (int, error) { return many(m.BlockSubscriptions(ctx, by)) }},
		{"BlockSubscription", owner, ErrForbidden, func(by int64) (int, error) { return one(m.BlockSubscription(ctx, by, list)) }},
		{"ProposedBlocks", owner, ErrForbidden, func(by int64) (int, error) { return many(m.ProposedBlocks(ctx, by)) }},
		{"Report", owner, ErrForbidden, func(by int64) (int, error) { return one(m.Report(ctx, by, report.ID)) }},
		{"Reports", owner, ErrForbidden, func(by int64) (int, error) { return many(m.Reports(ctx, by, ReportOpen, Page{})) }},
		{"ReportsAbout", owner, ErrForbidden, func(by int64) (int, error) { return many(m.ReportsAbout(ctx, by, far.ID, 9)) }},
		{"ReportCounts", owner, ErrForbidden, func(by int64) (int, error) { return sum(m.ReportCounts(ctx, by)) }},
		{"Queue", owner, ErrForbidden, func(by int64) (int, error) { return many(m.Queue(ctx, by, QueueFilter{})) }},
		{"DeliveryStates", owner, ErrForbidden, func(by int64) (int, error) {
			return many(m.DeliveryStates(ctx, by, QueueFilter{Host: "far.example"}, Page{}))
		}},
		{"DeliveryStates", both, ErrForbidden, func(by int64) (int, error) {
			return many(m.DeliveryStates(ctx, by, QueueFilter{PostID: post.ID}, Page{}))
		}},
		{"Deliveries", owner, ErrForbidden, func(by int64) (int, error) { return many(m.Deliveries(ctx, by, 0, "", "", Page{})) }},
		{"Deliveries", both, ErrForbidden, func(by int64) (int, error) { return many(m.Deliveries(ctx, by, post.ID, "", "", Page{})) }},
		{"WhyNot", both, ErrForbidden, func(by int64) (int, error) { return one(m.WhyNot(ctx, by, post, "far.example")) }},
		{"Order", both, ErrNotFound, func(by int64) (int, error) { return one(m.Order(ctx, by, sold.OrderID)) }},
		{"Orders", both, nil, func(by int64) (int, error) { return many(m.Orders(ctx, by, OrderFilter{}, Page{})) }},
		{"OrderCounts", both, nil, func(by int64) (int, error) { return sum(m.OrderCounts(ctx, by)) }},
		{"AgreementSold", both, ErrNotFound, func(by int64) (int, error) { return one(m.AgreementSold(ctx, by, sold.ID)) }},
		{"Purchase", seller, ErrNotFound, func(by int64) (int, error) { return one(m.Purchase(ctx, by, bought.ID)) }},
		{"Purchases", seller, nil, func(by int64) (int, error) { return many(m.Purchases(ctx, by, Page{})) }},
		{"PurchaseNews", seller, nil, func(by int64) (int, error) { return many(m.PurchaseNews(ctx, by, 9)) }},
		{"MediaOf", seller, ErrNotFound, func(by int64) (int, error) { return one(m.MediaOf(ctx, by, picture)) }},
		{"Tokens", seller, nil, func(by int64) (int, error) { return many(m.Tokens(ctx, by)) }},
		{"Notification", seller, ErrNotFound, func(by int64) (int, error) { return one(m.Notification(ctx, by, int64(news))) }},
	}
}

// told is a post of the account that waits to be delivered to the other.
func (m *market) told(author, to *Account) *Post {
	m.t.Helper()
	p := must(m.CreatePost(m.t.Context(), author.ID, NewPost{Source: "hello"}))(m.t)
	id := m.NewID()
	if err := m.QueueActivity(m.t.Context(), Activity{ID: id, URI: "https://shop.example/activities/" + p.URI, AccountID: author.ID, Type: "Create", PostID: &p.ID, Body: []byte("{}")},
		[]Recipient{{Inbox: to.Inbox, Host: to.Host}}); err != nil {
		m.t.Fatal(err)
	}
	return p
}

// TestReadsAskWhoReads calls every read that is meant for some as each kind of account, as if no route had looked before.
func TestReadsAskWhoReads(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	ctx := t.Context()
	if err := m.EnsureNodeActors(ctx); err != nil {
		t.Fatal(err)
	}
	account := func(name, role string) *Account {
		return must(m.CreateAccount(ctx, NewAccount{Name: name, Role: role, Password: "market lane 3"}))(t)
	}
	other, gone, suspended, member := account("di", RoleSeller), account("eli", RoleSeller), account("fay", RoleSeller), account("cy", RoleMember)
	far := m.buyer("mira", "far.example")
	theirs := map[*Account]*Post{gone: m.told(gone, far), suspended: m.told(suspended, far)}
	reads := privateReads(t, m, member, far)
	noneForgotten(t, reads)
	if err := m.DeleteAccount(ctx, m.owner.ID, gone.ID); err != nil {
		t.Fatal(err)
	}
	if err := m.SuspendAccount(ctx, m.owner.ID, suspended.ID); err != nil {
		t.Fatal(err)
	}
	who := map[string]int64{"owner": m.owner.ID, "seller": m.seller.ID, "another seller": other.ID, "member": member.ID, "who left": gone.ID, "suspended": suspended.ID,
		"another node's": far.ID, "the catalogue": must(m.Catalogue(ctx))(t).ID, "stranger": 0, "nobody": 1}
	for _, r := range reads {
		for kind, by := range who {
			found, err := r.call(by)
			switch may := slices.Contains(strings.Fields(r.may), kind); {
			case may && (err != nil || found == 0):
				t.Errorf("%s as %s found %d: %v", r.method, kind, found, err)
			case !may && r.others == nil && (err != nil || found != 0):
				t.Errorf("%s as %s found %d: %v, want nothing", r.method, kind, found, err)
			case !may && r.others != nil && !errors.Is(err, r.others):
				t.Errorf("%s as %s: %v, want %v", r.method, kind, err, r.others)
			}
		}
	}
	for who, p := range theirs {
		_, err := m.DeliveryStates(ctx, who.ID, QueueFilter{PostID: p.ID}, Page{})
		wantErr(t, "who may not sign in any more, of a post of theirs", err, ErrForbidden)
	}
}

// What answers without being told who asks, since it is for everybody, or is the own work of the node: federation, search,
// workers, the terminal. No page may show the second kind to anybody without asking first.
const (
	readsForAll = `Account LocalAccount AccountByHandle AccountByURI AccountsByURI InstanceActor Catalogue Owner FindablePosts FindablePostsAfter FindableAccounts
		FindableAccountsAfter Refused Listings ListingCount ListingTags Categories Media MediaRefused PicturesRefused CatalogueEntries CatalogueHead PublicPages IsPinned Quote
		SecureMode Shop ShopVersion PublicTimeline ShopPosts TagTimeline Conversations PlaceOrder`
	ownWork = `Agreement AgreementOfOrder AgreementOfOffer Agreed BlockListToRead DueBlockLists ClaimHosts DueDeliveries Delivered SharedInbox HostSignatures NextDelivery
		Events TakeToIndex IndexBacklog FollowAnswered Host HostIsDead ReceiveActivity Sender ClaimInbox InboxWaiting ReceiveListing KeepRemotePicture OrderToMail NextPulled Announced
		KnownInboxes Activity Reached PostForDelivery ReceivePost KeepPost KnownPost Standing UpsertRemoteAccount KeyOwner ReadAt Reported ReceiveReport ReportForDelivery
		ShopKey CreateAccount PruneAgreements PruneInbox PruneKeys PruneMedia PruneOutbox PruneUndone GiveUpDeliveries ExpireRemoteListings ExpireHolds ExpireSessions NewSetupToken`
	// These change something too; their own tests ask who may.
	changes = `SendOffer ImportHostBlocks SubscribeBlockList ChangeListing SetOrderState RetryDeliveries DropDeliveries FileReport`
)

// noneForgotten goes through the exported methods of DB that answer something: each takes by, and is one of the reads; or takes the
// account whose it is, or whose eyes it is read with; or is named above. It cannot know whether a method heeds the account that
// it takes.
func noneForgotten(t *testing.T, reads []privateRead) {
	t.Helper()
	named := map[string]string{} // who should ask, by method
	for _, name := range strings.Fields(readsForAll + " " + ownWork) {
		named[name] = "nobody"
	}
	for _, name := range strings.Fields(changes) {
		named[name] = "by"
	}
	for _, r := range reads {
		named[r.method] = "by"
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		for _, d := range must(parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution))(t).Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || !answers(f) {
				continue
			}
			switch name, asks := f.Name.Name, whoAsks(f); {
			case asks == "account" && named[name] != "nobody":
			case named[name] != asks:
				t.Errorf("%s: %s is told %q of who asks, and %q stands here: let it ask and add it to the reads, or name it", file, name, asks, named[name])
			}
			delete(named, f.Name.Name)
		}
	}
	for name := range named {
		t.Errorf("there is no %s", name)
	}
}

// answers reports whether a method of DB is exported, asks the database, and returns more than an error.
func answers(f *ast.FuncDecl) bool {
	if f.Recv == nil || !f.Name.IsExported() || types.ExprString(f.Recv.List[0].Type) != "*DB" || f.Type.Results == nil || len(f.Type.Params.List) == 0 {
		return false
	}
	return types.ExprString(f.Type.Params.List[0].Type) == "context.Context" && types.ExprString(f.Type.Results.List[0].Type) != "error"
}

// whoAsks is "by", "account" for another parameter that is an account or what stands for one, else "nobody".
func whoAsks(f *ast.FuncDecl) string {
	asks := "nobody"
	for _, p := range f.Type.Params.List {
		for _, name := range p.Names {
			switch kind := types.ExprString(p.Type); {
			case name.Name == "by" && kind == "int64":
				return "by"
			case kind == "Reader", name.Name == "viewer", name.Name == "token", name.Name == "secret", name.Name == "password", name.Name == "accountID",
				kind == "int64" && slices.Contains([]string{"authorID", "sellerID", "followerID", "followeeID", "blockerID"}, name.Name):
				asks = "account"
			}
		}
	}
	return asks
}
