package federation

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"souk"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
)

const (
	// readEvery is how often the end of a followed catalogue is looked at, for what a delivery did not bring.
	readEvery = 6 * time.Hour
	// readAgain is how often a catalogue is read from its beginning: what still stands in it is renewed, well before
	// souk.RemoteListingLife ends.
	readAgain = 7 * 24 * time.Hour
	// readLater is when a catalogue that could not be read is tried again.
	readLater = 15 * time.Minute
	// readPages is how many pages are read in one go; then other work comes first, for readPause.
	readPages = 100
	readPause = 10 * time.Second
)

// FollowNode makes this node's catalogue follow that of another node, given by its host name or any address on it. What
// is for sale there is read once the other node has accepted. It returns the other catalogue's account.
//
// Only the owner may (souk.ErrForbidden). *souk.Invalid where node cannot be read, is this one, or has no catalogue;
// else the errors of DescribeHost and ResolveActor.
func (f *Federation) FollowNode(ctx context.Context, by int64, node string) (_ *souk.Account, err error) {
	defer wrap(&err, "follow node %.200q", node)
	owner, err := f.db.Account(ctx, by)
	if err != nil {
		return nil, err
	}
	if owner.Role != souk.RoleOwner {
		return nil, souk.ErrForbidden
	}
	invalid := func(code, message string) error {
		return &souk.Invalid{Problems: []souk.Problem{{Field: "node", Code: code, Message: message}}}
	}
	address := strings.TrimSpace(node)
	if !strings.Contains(address, "://") {
		address = "https://" + address
	}
	host := hostOf(address)
	switch {
	case host == "":
		return nil, invalid("node", "write a host name such as shop.example")
	case f.ownDomain(host):
		return nil, invalid("node_self", "this is the node itself")
	}
	described, err := f.DescribeHost(ctx, host)
	if err != nil {
		return nil, err
	}
	if described.CatalogueURI == "" {
		return nil, invalid("node_catalogue", "this server has no catalogue to follow")
	}
	theirs, err := f.ResolveActor(ctx, described.CatalogueURI)
	if err != nil {
		return nil, err
	}
	ours, err := f.db.Catalogue(ctx)
	if err != nil {
		return nil, err
	}
	_, err = f.db.Follow(ctx, ours.ID, theirs.ID)
	return theirs, err
}

// backfillWorker reads the catalogue of a node that is followed, and then comes back again and again for as long as it is.
type backfillWorker struct {
	river.WorkerDefaults[souk.BackfillArgs]
	f *Federation
}

func (w *backfillWorker) Timeout(*river.Job[souk.BackfillArgs]) time.Duration {
	return 15 * time.Minute
}

func (w *backfillWorker) Work(ctx context.Context, job *river.Job[souk.BackfillArgs]) error {
	again, err := w.f.Backfill(ctx, job.Args.AccountID)
	if err != nil || again == 0 {
		return err
	}
	return river.JobSnooze(again)
}

// catalogueRead is how far a catalogue was read; see the table.
type catalogueRead struct {
	Next     string
	Started  time.Time
	Finished *time.Time
}

// Backfill reads the catalogue of another node from where it was left, and keeps how far it came after each page. again
// is when to go on: soon where there is more, later to look for news, 0 where the catalogue is not followed any more, or
// was read just now by another job. A catalogue that cannot be read is no error.
func (f *Federation) Backfill(ctx context.Context, accountID int64) (again time.Duration, err error) {
	defer wrap(&err, "backfill from %d", accountID)
	theirs, err := f.db.Account(ctx, accountID)
	if errors.Is(err, souk.ErrGone) || errors.Is(err, souk.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	ours, err := f.db.Catalogue(ctx)
	if err != nil {
		return 0, err
	}
	if state, err := f.db.FollowState(ctx, ours.ID, theirs.ID); err != nil || state != souk.FollowAccepted {
		return 0, err
	}
	read, err := f.catalogueRead(ctx, theirs.ID)
	if err != nil {
		return 0, err
	}
	now := f.db.Now()
	if read.Finished != nil && now.Sub(*read.Finished) < readEvery/2 {
		return 0, nil
	}
	if read.Finished != nil && now.Sub(read.Started) > readAgain {
		read.Next, read.Started = "", now
	}
	done, err := f.readCatalogue(ctx, theirs, read)
	var failed *readError
	switch {
	case errors.As(err, &failed):
		f.cfg.Log.Info("catalogue not read", "catalogue", theirs.URI, "page", read.Next, "error", failed.err)
		again = readLater
		if final(failed.err) {
			read.Next, again = "", readEvery // the origin knows this page no more, or something else stands there
		}
		return again, f.saveRead(ctx, theirs.ID, read, failed.err.Error())
	case err != nil:
		return 0, err
	case done:
		now := f.db.Now()
		read.Finished = &now
		return readEvery, f.saveRead(ctx, theirs.ID, read, "")
	}
	return readPause, nil
}

// readError is a page or entry that could not be had from its origin.
type readError struct{ err error }

func (e *readError) Error() string { return e.err.Error() }
func (e *readError) Unwrap() error { return e.err }

// readCatalogue reads pages from read.Next on and moves it along; done is that the end was reached. Errors of the other
// side are a *readError.
func (f *Federation) readCatalogue(ctx context.Context, theirs *souk.Account, read *catalogueRead) (done bool, err error) {
	if read.Next == "" {
		if read.Next, err = f.firstPage(ctx, theirs); err != nil || read.Next == "" {
			return err == nil, err
		}
	}
	for range readPages {
		page, err := f.document(ctx, read.Next)
		if err != nil {
			return false, f.readFailed(ctx, err)
		}
		if err := f.readEntries(ctx, theirs, page); err != nil {
			return false, err
		}
		next := page.id("next")
		if next == "" || next == read.Next {
			return true, nil
		}
		if !SameOrigin(next, theirs.URI) {
			return false, &readError{foreign("next page %.200q", next)}
		}
		read.Next = next
		if err := f.saveRead(ctx, theirs.ID, read, ""); err != nil {
			return false, err
		}
	}
	return false, nil
}

// firstPage is where the outbox of a catalogue begins; "" where there is nothing in it.
func (f *Federation) firstPage(ctx context.Context, theirs *souk.Account) (string, error) {
	if !SameOrigin(theirs.Outbox, theirs.URI) {
		return "", &readError{foreign("outbox %.200q of %.200q", theirs.Outbox, theirs.URI)}
	}
	outbox, err := f.document(ctx, theirs.Outbox)
	if err != nil {
		return "", f.readFailed(ctx, err)
	}
	first := outbox.id("first")
	if first != "" && !SameOrigin(first, theirs.URI) {
		return "", &readError{foreign("first page %.200q", first)}
	}
	return first, nil
}

// readFailed tells what is the other side's from a job that must stop.
func (f *Federation) readFailed(ctx context.Context, err error) error {
	var pg interface{ SQLState() string }
	if ctx.Err() != nil || errors.As(err, &pg) {
		return err
	}
	return &readError{err}
}

// readEntries applies what a page of a catalogue holds, in order, as if it had come into the inbox. What is not in order
// is passed over; where the origin does not answer the page is read again later.
func (f *Federation) readEntries(ctx context.Context, theirs *souk.Account, page object) error {
	for _, entry := range page.objects("orderedItems") {
		inner := entry.object("object")
		if !entry.is("Announce") || entry.id("actor") != theirs.URI || inner == nil || !inner.is("Create", "Update", "Delete", "Remove") {
			continue
		}
		err := f.readEntry(ctx, theirs, inner)
		if err == nil || judged(err) != nil && ctx.Err() == nil {
			continue
		}
		if !SameOrigin(inner.id("object"), theirs.URI) && ctx.Err() == nil {
			continue // another node's, which may be gone for good: it must not hold up this one's
		}
		return f.readFailed(ctx, fmt.Errorf("entry %.200q: %w", entry.id("id"), err))
	}
	return nil
}

func (f *Federation) readEntry(ctx context.Context, theirs *souk.Account, inner object) error {
	do, err := f.applyAnnounced(ctx, theirs, inner)
	if err != nil {
		return err
	}
	return f.db.Tx(ctx, func(tx *souk.DB) error { return do(ctx, tx) })
}

// catalogueRead loads how far the catalogue of an account was read.
func (f *Federation) catalogueRead(ctx context.Context, accountID int64) (*catalogueRead, error) {
	rows, err := f.db.Pool().Query(ctx, `insert into catalogue_reads (account_id, started) values ($1, $2)
		on conflict (account_id) do update set account_id = excluded.account_id returning next, started, finished`, accountID, f.db.Now())
	if err != nil {
		return nil, err
	}
	return pgx.CollectExactlyOneRow(rows, pgx.RowToAddrOfStructByName[catalogueRead])
}

func (f *Federation) saveRead(ctx context.Context, accountID int64, read *catalogueRead, failure string) error {
	_, err := f.db.Pool().Exec(ctx, `update catalogue_reads set next = $2, started = $3, finished = $4, error = left($5, 500) where account_id = $1`,
		accountID, read.Next, read.Started, read.Finished, failure)
	return err
}
