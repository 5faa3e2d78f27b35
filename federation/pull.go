package federation

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"souk"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/riverqueue/river"
)

const (
	// pullFor is after what time a job takes up no more followers: the next one comes each minute.
	pullFor = 50 * time.Second
	// pullLease is for how long a follower is kept from other jobs: longer than all requests of one take.
	pullLease = 5 * time.Minute
)

// pullWorker tells followers of old accounts where those go on.
type pullWorker struct {
	river.WorkerDefaults[souk.PullArgs]
	f *Federation
}

// Timeout is long enough for one more follower whose server is slow.
func (w *pullWorker) Timeout(*river.Job[souk.PullArgs]) time.Duration { return pullLease }

func (w *pullWorker) Work(ctx context.Context, _ *river.Job[souk.PullArgs]) error {
	return w.f.Pull(ctx)
}

// Alias is the actor id that a person means by a handle or an address. Where nobody answers for it any more it is taken as it
// is, or as this node knows the handle, and answered is false. Errors as of ResolveAccount.
func (f *Federation) Alias(ctx context.Context, text string) (uri string, answered bool, err error) {
	defer wrap(&err, "alias %.200q", text)
	a, err := f.ResolveAccount(ctx, text)
	if err == nil {
		return a.URI, true, nil
	}
	var invalid *souk.Invalid
	var database *pgconn.PgError
	if ctx.Err() != nil || errors.As(err, &invalid) || errors.As(err, &database) || errors.Is(err, souk.ErrForbidden) || errors.Is(err, souk.ErrGone) ||
		errors.Is(err, ErrBlockedAddress) {
		return "", false, err
	}
	if strings.Contains(text, "://") {
		if !validIRI(text) || f.own(text) {
			return "", false, err
		}
		return text, false, nil
	}
	name, host, serr := splitHandle(text)
	if serr != nil {
		return "", false, serr
	}
	known, kerr := f.db.AccountByHandle(ctx, name, host)
	if kerr != nil || known.Local() {
		return "", false, err
	}
	return known.URI, false, nil
}

// StartPull has the listed followers of an old account, whose server is dead, told that it goes on as this one (FEP-7628, pull
// mode). Errors as of souk.DB.StartPull; *souk.Invalid, field "old", too, where the old account is there and says nothing of a move.
func (f *Federation) StartPull(ctx context.Context, accountID int64, old string, list []souk.ListedFollower) (err error) {
	defer wrap(&err, "start pull of %.200q", old)
	by, err := f.db.Account(ctx, accountID)
	if err != nil {
		return err
	}
	if slices.Contains(by.AlsoKnownAs, old) { // else nobody is asked
		a, err := f.freshActor(ctx, old)
		switch {
		case err == nil && a.MovedTo != by.URI:
			return &souk.Invalid{Problems: []souk.Problem{{Field: "old", Code: "pull_lives", Message: "the server of the old account answers: move from there"}}}
		case errors.Is(err, souk.ErrGone), errors.Is(err, souk.ErrForbidden), errors.Is(err, ErrBlockedAddress):
			return &souk.Invalid{Problems: []souk.Problem{{Field: "old", Code: "pull_gone", Message: "the old account was deleted, or its server is blocked here"}}}
		case ctx.Err() != nil:
			return ctx.Err()
		}
	}
	return f.db.StartPull(ctx, accountID, old, list)
}

// Pull tells the followers of old accounts who are due, one after another, for about a minute.
func (f *Federation) Pull(ctx context.Context) (err error) {
	defer wrap(&err, "pull")
	for until := f.db.Now().Add(pullFor); !f.db.Now().After(until); {
		p, err := f.db.NextPulled(ctx, pullLease)
		if errors.Is(err, souk.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := f.pullOne(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

// pullOne has one follower told. What stands in the way is noted, and is no error.
func (f *Federation) pullOne(ctx context.Context, p *souk.PulledFollower) error {
	follower, err := f.ResolveHandle(ctx, p.Handle)
	if err == nil && follower.Local() {
		err = f.pullHere(ctx, p)
	}
	var database *pgconn.PgError
	var ruled *verdict
	here := follower != nil && follower.Local()
	switch {
	case err == nil:
		return f.db.Pulled(ctx, p, follower)
	case ctx.Err() != nil, errors.As(err, &database):
		return err
	case errors.Is(err, ErrTooMany):
		return f.db.PutOffPulls(ctx, p, time.Minute)
	case errors.Is(err, souk.ErrForbidden):
		return f.db.PullFails(ctx, p, souk.PullBlocked)
	case here && (errors.As(err, &ruled) || errors.Is(err, ErrForeign) || errors.Is(err, souk.ErrConflict) || errors.Is(err, souk.ErrGone)):
		return f.db.PullFails(ctx, p, souk.PullUnnamed)
	case !here && (final(err) || errors.Is(err, souk.ErrNotFound)):
		return f.db.PullFails(ctx, p, souk.PullUnknown)
	}
	f.cfg.Log.Info("follower not found yet", "handle", p.Handle, "error", err)
	return f.db.PutOffPulls(ctx, p, 0)
}

// pullHere makes the followers of this node follow along, by the rule that holds for a Move that arrives.
func (f *Federation) pullHere(ctx context.Context, p *souk.PulledFollower) error {
	from, err := f.db.AccountByURI(ctx, p.OldURI)
	if errors.Is(err, souk.ErrNotFound) {
		return nil // nobody here follows who is not known
	}
	if err != nil {
		return err
	}
	if concerns, err := f.db.FollowedOrBlocked(ctx, from.ID); err != nil || !concerns {
		return err
	}
	to, err := f.db.Account(ctx, p.AccountID)
	if err != nil {
		return err
	}
	if err := f.mayMove(ctx, from, to, true); err != nil {
		return err
	}
	return f.db.ReceiveMove(ctx, from, to)
}

// pull tells a follower of an old account that it goes on as this one.
func (t teller) pull(ctx context.Context) (note string, err error) {
	by, follower, err := t.pair(ctx)
	if err != nil {
		return "", err
	}
	if by.MovedTo != "" || !slices.Contains(by.AlsoKnownAs, t.URI) {
		return "taken back before it was told", nil
	}
	to := inboxOf(follower, true)
	if len(to) == 0 {
		return "the other account has no inbox", nil
	}
	id := t.db.NewID()
	_, err = t.queue(ctx, id, t.pullOf(t.activityURI(id), by, t.URI, follower), by.ID, t.URI, nil, false, to)
	return "", err
}

// pullOf is the Move by which an account asks a follower of an old one of its own to follow along (FEP-7628, pull mode).
func (e encoder) pullOf(id string, by *souk.Account, old string, follower *souk.Account) activity {
	return activity{Context: plainContext(), ID: id, Type: "Move", Actor: by.URI, To: []string{follower.URI}, Object: old, Target: by.URI}
}
