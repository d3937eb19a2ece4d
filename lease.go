package dataexport

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// errLeaseLost says that a job is no longer the worker's: deleted, or given to another after its lease had run out.
var errLeaseLost = fmt.Errorf("%w: it was deleted or given to another worker", ErrConflict)

// errDeleted says that the job was deleted in this process.
var errDeleted = fmt.Errorf("%w: %w", errLeaseLost, ErrNotFound)

// errStalled says that a source, or what it waits for, hangs.
var errStalled = errors.New("dataexport: there was no new record for longer than Config.StallTimeout")

// gone reports whether a store has said that a job is no longer the caller's.
func gone(err error) bool { return errors.Is(err, ErrConflict) || errors.Is(err, ErrNotFound) }

// A lease is a worker's hold on a job: the latest version of it that the worker has written, and until when it is held.
// The version is the fence; the time only tells the worker when there is no point in going on. It is measured from before
// each call of the store, so that the worker never believes in a lease for longer than the store does.
type lease struct {
	store    Store
	duration time.Duration

	mu    sync.Mutex
	job   Job
	until time.Time
}

func newLease(store Store, job Job, duration time.Duration, began time.Time) *lease {
	return &lease{store: store, duration: duration, job: job, until: began.Add(duration)}
}

// current returns the latest version of the job.
func (l *lease) current() Job {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.job
}

// replace sets what the next version will be made of.
func (l *lease) replace(job Job) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.job = job
}

// end returns until when the job is held.
func (l *lease) end() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.until
}

// progressInterval is how often a job shows its progress, and how soon a worker learns that its job was deleted elsewhere.
const progressInterval = 2 * time.Second

// keepRenewing renews the lease and writes down the progress, at least three times within its duration, whatever becomes of ctx,
// until the function that it returns is called, which waits for the end. It calls cancel with the reason if the lease is
// lost, or if there was no new record for the time of stall.
func (l *lease) keepRenewing(
	ctx context.Context, cancel context.CancelCauseFunc, p *progress, stall time.Duration, log *slog.Logger,
) (stop func()) {
	ctx, stopRenewing := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		ticker := time.NewTicker(min(l.duration/3, progressInterval))
		defer ticker.Stop()
		records, lastRecord := int64(0), time.Now()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
			err := l.renew(ctx, p)
			if errors.Is(err, errLeaseLost) {
				cancel(err)
				return
			}
			if err != nil {
				log.WarnContext(ctx, "a lease could not be renewed; it will be tried again", slog.Any("error", err))
			}
			if n := p.records.Load(); n != records {
				records, lastRecord = n, time.Now()
			}
			if time.Since(lastRecord) >= stall {
				cancel(errStalled)
			}
		}
	}()
	return func() {
		stopRenewing()
		<-done
	}
}

// write writes a version of the job. A store that does not answer may have made the change all the same, and then takes
// the next try for a conflict. So a conflict is looked into: what is there may be what was to be written.
func (l *lease) write(ctx context.Context, wanted Job, d time.Duration) (Job, error) {
	updated, err := l.store.Update(ctx, wanted, d)
	if !errors.Is(err, ErrConflict) {
		return updated, err
	}
	found, findErr := l.store.Find(ctx, wanted.ID)
	switch {
	case findErr == nil && wroteThis(&found, &wanted):
		return found, nil
	case findErr != nil && !gone(findErr):
		return Job{}, findErr
	}
	return Job{}, err
}

// wroteThis reports whether a stored job is what an update with the wanted job has made. Nobody else can have made it: a
// worker that claims the job begins another attempt.
func wroteThis(found, wanted *Job) bool {
	return found.Version == wanted.Version+1 && found.Status == wanted.Status && found.Attempts == wanted.Attempts &&
		found.BlobKey == wanted.BlobKey && found.StartedAt.Equal(wanted.StartedAt)
}

// renew extends the lease once. The call is not cancelled when renewing stops: it must be known whether it took place,
// since every one that does changes the version.
func (l *lease) renew(ctx context.Context, p *progress) error {
	began := time.Now()
	job := l.current()
	job.Progress = p.value()
	ctx, cancel := context.WithDeadline(context.WithoutCancel(ctx), l.end())
	defer cancel()
	updated, err := l.write(ctx, job, l.duration)
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case err == nil:
		l.job = updated
		l.until = began.Add(l.duration)
		return nil
	case gone(err):
		return fmt.Errorf("%w: %w", errLeaseLost, err)
	case !time.Now().Before(l.until):
		return fmt.Errorf("%w: it could not be renewed in time: %w", errLeaseLost, err)
	}
	return err
}
