package federation

// guard is one check of the product: the line that holds it, what stands there when it is taken out, and the test that must
// notice.
type guard struct {
	name    string
	file    string
	line    string // exactly once in the file
	instead string
	test    string
	pkg     string // the folder of the test
}

func guards() []guard {
	return []guard{
		{name: "an activity's id is of its actor's origin", file: "federation/inbox.go",
			line: "case !SameOrigin(h.id, h.actor):", instead: "case false:", test: "TestReceiveRefuses", pkg: "federation"},
		{name: "nobody outside is an actor of this node", file: "federation/inbox.go",
			line: "case f.own(h.actor):", instead: "case false:", test: "TestReceiveRefuses", pkg: "federation"},
		{name: "JSON that two readers read differently is refused", file: "federation/inbox.go",
			line: "if err := CheckJSON(req.Body, maxJSONDepth); err != nil {", instead: "if err := CheckJSON(req.Body, maxJSONDepth); err != nil && false {", test: "TestReceiveRefuses", pkg: "federation"},
		{name: "the actor names the key, and the key is the one that signed", file: "federation/inbox.go",
			line: "	if a.KeyID != s.KeyID {", instead: "	if false {", test: "TestReceiveRefuses", pkg: "federation"},
		{name: "a key says whose it is", file: "federation/decode_actor.go",
			line: `owner != "" && owner != id {`, instead: `owner != "" && false {`, test: "TestReceiveRefuses", pkg: "federation"},
		{name: "the digest is the body's", file: "federation/signature_digest.go",
			line: `		if !digestMatches(algorithm, value, body) {
			return refuse("the digest does not match the body")`,
			instead: `		if !digestMatches(algorithm, value, body) && false {
			return refuse("the digest does not match the body")`, test: "TestReceiveRefuses", pkg: "federation"},
		{name: "a signature has an age", file: "federation/signature.go",
			line: "if signed.Before(now.Add(-signatureMaxAge)) {", instead: "if false {", test: "TestReceiveRefuses", pkg: "federation"},
		{name: "a signature is not from the future", file: "federation/signature.go",
			line: "if signed.After(now.Add(signatureMaxSkew)) {", instead: "if false {", test: "TestReceiveRefuses", pkg: "federation"},
		{name: "a signature covers address and host", file: "federation/signature_cavage.go",
			line: "		if !s.covers(c) {", instead: "		if !s.covers(c) && false {", test: "TestHeaderGames", pkg: "federation"},
		{name: "an object is by its actor", file: "federation/apply_post.go",
			line: "if !o.owner(in.Actor) {", instead: "if false {", test: "TestForgedCreate", pkg: "federation"},
		{name: "arrays are bounded", file: "federation/decode.go",
			line: "if len(v) > maxElements {", instead: "if false {", test: "TestForgedCreate", pkg: "federation"},
		{name: "what is deleted is of the actor's origin", file: "federation/apply_post.go",
			line: "if !SameOrigin(id, by.URI) {", instead: "if false {", test: "TestForgedDelete", pkg: "federation"},
		{name: "what is deleted is the actor's", file: "post_remote.go",
			line: "if p.AccountID != actor.ID || p.Local {", instead: "if false {", test: "TestForgedDelete", pkg: "federation"},
		{name: "a document speaks for its own origin", file: "federation/fetch_document.go",
			line: "if !SameOrigin(head.ID, f.FinalURL) {", instead: "if false {", test: "TestForgedReaction", pkg: "federation"},
		{name: "the address dialled is the one that was checked", file: "federation/fetch.go",
			line: "return c.allowed(target.Addr(), target.Port(), plain)", instead: "return c.allowed(netip.MustParseAddr(\"127.0.0.2\"), target.Port(), plain)", test: "TestRebinding", pkg: "federation"},
		{name: "only ActivityStreams documents are read as such", file: "federation/fetch_document.go",
			line: "max: c.cfg.MaxBytes, typed: isActivity})", instead: "max: c.cfg.MaxBytes, typed: func(string, map[string]string) bool { return true }})", test: "TestBodies", pkg: "federation"},
		{name: "an actor and its domain have a budget", file: "federation/inbox.go",
			line: "; wait > 0 {", instead: "; wait < 0 {", test: "TestFloodOfActivities", pkg: "federation"},
		{name: "people are told only so often", file: "federation/limits.go",
			line: "if crowd || !f.limits.tells(by, f.db.Now()) {", instead: "if crowd {", test: "TestFloodOfMentions", pkg: "federation"},
		{name: "a crowd of mentions tells nobody", file: "federation/limits.go",
			line: "if crowd || !f.limits.tells(by, f.db.Now()) {", instead: "if crowd && false || !f.limits.tells(by, f.db.Now()) {", test: "TestFloodOfMentions", pkg: "federation"},
		{name: "the hosts of one domain share a budget", file: "host.go",
			line: "publicsuffix.EffectiveTLDPlusOne(host); err == nil {", instead: "publicsuffix.EffectiveTLDPlusOne(host); err == nil && false {", test: "TestRegistrable", pkg: "federation"},
		{name: "short and long RSA keys are refused", file: "federation/signature_key.go",
			line: "bits < minRSABits || bits > maxRSABits", instead: "bits < 0", test: "TestKeyConfusion", pkg: "federation"},
		{name: "a key's text is one block", file: "federation/signature_key.go",
			line: `len(rest) > 0 || !strings.HasPrefix(text, "-----BEGIN")`, instead: `len(rest) < 0`, test: "TestKeyConfusion", pkg: "federation"},
		{name: "a field sent twice is refused", file: "federation/signature.go",
			line: "case len(values) > 1:", instead: "case len(values) > 1 && false:", test: "TestHeaderGames", pkg: "federation"},
		{name: "HTML of others is made safe", file: "post_remote.go",
			line: "HTML: Sanitise(truncate(r.HTML, maxRemotePost)), ", instead: "HTML: r.HTML, ", test: "TestReceiveNote", pkg: "federation"},
		{name: "an actor pins to its own profile", file: "federation/featured.go",
			line: "case target != in.by.FeaturedURI:", instead: "case false:", test: "TestForgedOthers", pkg: "federation"},
		{name: "an actor pins its own posts", file: "pin.go",
			line: "p.id = $1 and p.account_id = $2 and not p.local", instead: "p.id = $1 and $2::bigint > 0 and not p.local", test: "TestForgedOthers", pkg: "federation"},
		{name: "the new account knows of the move", file: "federation/move.go",
			line: "case !slices.Contains(to.AlsoKnownAs, in.Actor):", instead: "case false:", test: "TestForgedOthers", pkg: "federation"},
		{name: "a quote is in a post of who asks", file: "federation/quote.go",
			line: "case !SameOrigin(quoting, in.Actor), embedded != nil && !embedded.owner(in.Actor):", instead: "case false:", test: "TestForgedOthers", pkg: "federation"},
		{name: "only an account's server speaks of its followers", file: "federation/follow_sync.go",
			line: `params["collectionId"] != a.FollowersURI || `, instead: "", test: "TestSyncFieldGames", pkg: "federation"},
		{name: "a list of followers is at their account's origin", file: "federation/follow_sync.go",
			line: `|| !SameOrigin(params["url"], actorURI) ||`, instead: "||", test: "TestSyncFieldGames", pkg: "federation"},
		{name: "ids that are given here are nobody's", file: "federation/inbox.go",
			line: "case strings.Contains(h.id, madeID):", instead: "case false:", test: "TestActivityWithoutID", pkg: "federation"},
		{name: "strangers bring no headings", file: "text.go",
			line: "return WithoutHeadings(sanitised(fragment))", instead: "return sanitised(fragment)", test: "TestSanitiseKeepsWhatMastodonKeeps"},
	}
}
