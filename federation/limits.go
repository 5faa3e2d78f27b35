package federation

import (
	"math"
	"slices"
	"sync"
	"time"

	"souk"

	"golang.org/x/time/rate"
)

// Budget is how much of something one sender may do: Burst at once, and one more after each Every.
type Budget struct {
	Burst int
	Every time.Duration
}

// Budgets are what those who have proved who they are may send. An activity that its sender did not sign never counts but
// for the address that it came from: a stranger could silence a peer. Each is kept for an actor and for a domain, where all hosts under one registrable
// domain count as one. The zero value stands for the defaults of each; Config.RateLimit multiplies them.
type Budgets struct {
	// Actor and Domain are activities of any kind: 1000 and 20 a second for an actor, which lets a group or the catalogue
	// of a large shop through; 3000 and 50 a second for a domain. What is over is answered 429 and not stored.
	Actor, Domain Budget
	// TellActor and TellDomain are what is said to people here: mentions, replies, direct messages, questions such as that to
	// follow. 30 and 3 a minute for an actor, 500 and 30 a minute for a domain. What is over is kept, and told to nobody; but
	// direct messages to those who follow their author always are.
	TellActor, TellDomain Budget
	// ReactActor and ReactDomain are, in the same way, what is done to people and posts here: likes, shares and follows. As many.
	ReactActor, ReactDomain Budget
	// Source is what one address (a /64 of IPv6) may send whose signature needs a key that is not known, and then does not
	// verify: 20 and 6 a minute, so that it takes many addresses to use up what any host is asked for keys. What is over is
	// answered 429; it costs nothing to those whose actors have signed from there.
	Source Budget
	// Mentions is how many accounts a post may mention and still tell those of this node; 0 means 30.
	Mentions int
}

func (b Budgets) withDefaults() Budgets {
	def := func(to *Budget, burst int, every time.Duration) {
		if to.Burst == 0 {
			*to = Budget{Burst: burst, Every: every}
		}
	}
	def(&b.Actor, 1000, time.Second/20)
	def(&b.Domain, 3000, time.Second/50)
	def(&b.TellActor, 30, 20*time.Second)
	def(&b.TellDomain, 500, 2*time.Second)
	def(&b.ReactActor, 30, 20*time.Second)
	def(&b.ReactDomain, 500, 2*time.Second)
	def(&b.Source, 20, 10*time.Second)
	if b.Mentions == 0 {
		b.Mentions = 30
	}
	return b
}

// limiter makes what counts a budget down; nil where there is no limit.
func (b Budget) limiter(factor float64) *rate.Limiter {
	if factor <= 0 {
		return nil
	}
	return rate.NewLimiter(rate.Limit(factor/b.Every.Seconds()), max(1, int(math.Ceil(float64(b.Burst)*factor))))
}

// maxSenders is how many actors, and how many domains, are remembered at once.
const maxSenders = 20_000

// spending is one budget of many senders.
type spending struct {
	mu      sync.Mutex
	senders roster[rate.Limiter]
}

func newSpending(b Budget, factor float64) *spending {
	if factor <= 0 {
		return nil
	}
	return &spending{senders: roster[rate.Limiter]{max: maxSenders, fresh: func() *rate.Limiter { return b.limiter(factor) }, idle: full}}
}

func full(l *rate.Limiter, now time.Time) bool { return l.TokensAt(now) >= float64(l.Burst()) }

// take takes one from the sender's budget. Where nothing is left, wait is how long until there is; else back returns it.
func (s *spending) take(sender string, now time.Time) (wait time.Duration, back func()) {
	if s == nil {
		return 0, func() {}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.senders.at(sender, now).ReserveN(now, 1)
	if wait = r.DelayFrom(now); wait > 0 {
		r.CancelAt(now)
	}
	return wait, func() { r.CancelAt(now) }
}

// both takes one from an actor's budget and one from its domain's, or nothing. An actor that sends too much uses up nothing
// of its neighbours' share.
func both(actors, domains *spending, actor, host string, now time.Time) time.Duration {
	wait, back := actors.take(actor, now)
	if wait > 0 {
		return wait
	}
	if wait, _ = domains.take(souk.Registrable(host), now); wait > 0 {
		back()
	}
	return wait
}

// limits are the budgets of all senders.
type limits struct {
	actors, domains           *spending
	tellActors, tellDomains   *spending
	reactActors, reactDomains *spending
	sources                   *spending
	proofs                    *proofs
	mentions                  int
}

func newLimits(b Budgets, factor float64) *limits {
	b = b.withDefaults()
	return &limits{actors: newSpending(b.Actor, factor), domains: newSpending(b.Domain, factor),
		tellActors: newSpending(b.TellActor, factor), tellDomains: newSpending(b.TellDomain, factor),
		reactActors: newSpending(b.ReactActor, factor), reactDomains: newSpending(b.ReactDomain, factor),
		sources: newSpending(b.Source, factor), proofs: newProofs(), mentions: b.Mentions}
}

// arrived takes one activity of a verified actor from its budgets; where one is used up it is how long until there is more.
func (l *limits) arrived(actor, host string, now time.Time) time.Duration {
	return both(l.actors, l.domains, actor, host, now)
}

// tells takes from the budgets of what is said to people here; false where one is used up.
func (l *limits) tells(by *souk.Account, now time.Time) bool {
	return both(l.tellActors, l.tellDomains, by.URI, by.Host, now) == 0
}

// reacts takes from the budgets of what is done to people and posts here; false where one is used up.
func (l *limits) reacts(by *souk.Account, now time.Time) bool {
	return both(l.reactActors, l.reactDomains, by.URI, by.Host, now) == 0
}

// heard is tx, or tx that tells nobody of what is done in it: where the actor, or its domain, has told people here enough
// for now; those who follow it hear of a direct message all the same. Posts are told of only where one of them mentions, or
// answers, somebody here.
func (f *Federation) heard(tx *souk.DB, by *souk.Account, posts ...remote) *souk.DB {
	if len(posts) > 0 && !slices.ContainsFunc(posts, func(r remote) bool {
		return f.own(r.post.InReplyToURI) || slices.ContainsFunc(r.post.MentionURIs, f.own)
	}) {
		return tx
	}
	crowd := slices.ContainsFunc(posts, func(r remote) bool { return len(r.post.MentionURIs) > f.limits.mentions })
	if crowd || !f.limits.tells(by, f.db.Now()) {
		f.overheard(by)
		if slices.ContainsFunc(posts, func(r remote) bool { return r.post.Visibility == souk.Direct && r.post.Author.ID == by.ID }) {
			return tx.QuietToStrangers()
		}
		return tx.Quiet()
	}
	return tx
}

// noticed is heard for likes, shares and follows, which come in numbers and must not keep a question from being heard.
func (f *Federation) noticed(tx *souk.DB, by *souk.Account) *souk.DB {
	if f.limits.reacts(by, f.db.Now()) {
		return tx
	}
	f.overheard(by)
	return tx.Quiet()
}

func (f *Federation) overheard(by *souk.Account) {
	f.cfg.Log.Info("told nobody", "actor", by.URI, "host", by.Host, "reason", "too much of this sender")
}

// roster keeps one S for each key and never more than max of them: when it is full those that are idle are forgotten,
// which changes nothing, and where they are few any others, down to three quarters. Its owner locks it.
type roster[S any] struct {
	max   int
	fresh func() *S
	idle  func(s *S, now time.Time) bool
	byKey map[string]*S
}

func (r *roster[S]) at(key string, now time.Time) *S {
	if known, ok := r.byKey[key]; ok {
		return known
	}
	if len(r.byKey) >= r.max {
		r.forget(now)
	}
	if r.byKey == nil {
		r.byKey = map[string]*S{}
	}
	made := r.fresh()
	r.byKey[key] = made
	return made
}

func (r *roster[S]) forget(now time.Time) {
	for key, known := range r.byKey {
		if r.idle(known, now) {
			delete(r.byKey, key)
		}
	}
	for key := range r.byKey { // all of them busy: whoever is forgotten starts anew
		if len(r.byKey) <= r.max*3/4 {
			break
		}
		delete(r.byKey, key)
	}
}
