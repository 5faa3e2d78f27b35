package federation

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"souk"

	"github.com/riverqueue/river"
)

// maxBlockList is how many bytes a list may have that is read from elsewhere: the longest known have a tenth of that.
const maxBlockList = 4 << 20

// blockListWorker reads lists of domain blocks that the owner subscribed to.
type blockListWorker struct {
	river.WorkerDefaults[souk.BlockListArgs]
	f *Federation
}

func (w *blockListWorker) Timeout(*river.Job[souk.BlockListArgs]) time.Duration {
	return 15 * time.Minute
}

func (w *blockListWorker) Work(ctx context.Context, job *river.Job[souk.BlockListArgs]) error {
	if job.Args.ListID != 0 {
		return w.f.ReadBlockList(ctx, job.Args.ListID)
	}
	due, err := w.f.db.DueBlockLists(ctx)
	if err != nil {
		return err
	}
	var failed error
	for _, id := range due {
		failed = errors.Join(failed, w.f.ReadBlockList(ctx, id))
	}
	return failed
}

// ReadBlockList reads a list that the owner subscribed to and puts it in force. Where its server does not give it, or gives
// something else, that is kept for the owner to read and is no error, as is a subscription that ended.
func (f *Federation) ReadBlockList(ctx context.Context, id int64) (err error) {
	defer wrap(&err, "read block list %d", id)
	s, err := f.db.BlockListToRead(ctx, id)
	if errors.Is(err, souk.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	fetched, err := f.cfg.Client.Text(ctx, s.URL, maxBlockList, Validators{ETag: s.ETag, LastModified: s.LastModified})
	var status *StatusError
	if errors.As(err, &status) && status.Code == http.StatusNotModified && s.Fetched != nil {
		return f.db.BlockListUnchanged(ctx, id)
	}
	var list souk.BlockList
	if err == nil {
		list, err = souk.ParseBlockList(string(fetched.Body))
	}
	if err == nil {
		err = f.db.BlockListRead(ctx, id, list.Blocks, fetched.Validators.ETag, fetched.Validators.LastModified)
		if errors.Is(err, souk.ErrNotFound) {
			return nil
		}
		return err
	}
	if ctx.Err() != nil {
		return err
	}
	f.cfg.Log.Info("block list not read", "list", s.URL, "error", err)
	code, detail := listTrouble(err)
	return f.db.BlockListFailed(ctx, id, code, detail)
}

// listTrouble is why a list could not be read, as souk.BlockSubscription has it.
func listTrouble(err error) (code, detail string) {
	var status *StatusError
	var invalid *souk.Invalid
	switch {
	case errors.Is(err, ErrGone):
		return souk.ListGone, ""
	case errors.As(err, &status):
		return souk.ListStatus, strconv.Itoa(status.Code)
	case errors.Is(err, ErrTooLarge):
		return souk.ListLarge, ""
	case errors.Is(err, ErrContentType):
		return souk.ListType, ""
	case errors.As(err, &invalid):
		return souk.ListContent, invalid.Problems[0].Message
	case errors.Is(err, ErrBlockedAddress), errors.Is(err, ErrBadURL), errors.Is(err, ErrRedirect):
		return souk.ListAddress, ""
	}
	return souk.ListUnreachable, ""
}
