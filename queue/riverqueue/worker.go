package riverqueue

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/dataexport/dataexport"
)

// How long River jobs are snoozed for reasons other than the backoff of their export.
const (
	notInTurnWait = 200 * time.Millisecond // another workspace goes first
	lookAgainWait = time.Second            // the export was changed meanwhile
	storeWait     = 5 * time.Second        // the store does not answer
)

// errCancelled is what an export fails with whose River job an operator has cancelled.
var errCancelled = &dataexport.PublicError{
	Code: "CANCELLED", Message: "The export was cancelled by an operator.", Permanent: true, Err: rivertype.ErrJobCancelledRemotely,
}

// An exportWorker runs exports.
type exportWorker struct {
	river.WorkerDefaults[ExportArgs]
	queue  *Queue
	runner *dataexport.Runner
	store  Store
}

// Timeout implements river.Worker: there is none. It also has River's rescuer leave the jobs alone, see releaseLost.
func (w *exportWorker) Timeout(*river.Job[ExportArgs]) time.Duration { return -1 }

// NextRetry implements river.Worker. River asks only after a panic, since all errors become snoozes.
func (w *exportWorker) NextRetry(*river.Job[ExportArgs]) time.Time { return time.Now().Add(storeWait) }

// Work implements river.Worker. It makes one attempt at the export, and tells River what is to become of its job.
func (w *exportWorker) Work(ctx context.Context, job *river.Job[ExportArgs]) error {
	id := job.Args.ExportID
	if w.givesWay(ctx, job) {
		return river.JobSnooze(jitter(notInTurnWait))
	}
	attemptCtx, stop := withCancelReason(ctx)
	defer stop()
	export, err := w.runner.RunJob(attemptCtx, id)
	if err == nil || errors.Is(err, dataexport.ErrNoJob) {
		return w.report(ctx, export)
	}
	switch {
	case errors.Is(err, dataexport.ErrNotFound): // it was deleted
		return river.JobCancel(err)
	case errors.Is(err, dataexport.ErrConflict): // another worker has it, and the next look tells how it stands
		return river.JobSnooze(jitter(lookAgainWait))
	case ctx.Err() != nil: // told to stop before it had begun
		return river.JobSnooze(0)
	}
	w.queue.options.Logger.ErrorContext(ctx, "an export could not be run; it will be tried again", slog.String("job", id),
		slog.Int64("river_job", job.ID), slog.String("metadata", string(job.Metadata)), slog.Any("error", err))
	return river.JobSnooze(jitter(storeWait))
}

// report tells River how an export stands.
func (w *exportWorker) report(ctx context.Context, export dataexport.Job) error {
	out := output{Status: string(export.Status), Attempts: export.Attempts}
	if export.Error != nil {
		out.Error = export.Error.Code
	}
	if err := river.RecordOutput(ctx, out); err != nil {
		w.queue.options.Logger.WarnContext(ctx, "the state of an export is not in River's metadata", slog.String("job", export.ID), slog.Any("error", err))
	}
	if export.Status.Active() {
		return river.JobSnooze(untilClaimable(export, time.Now()))
	}
	if export.Error != nil && export.Error.Code == errCancelled.Code && errors.Is(context.Cause(ctx), rivertype.ErrJobCancelledRemotely) {
		return river.JobCancel(errCancelled)
	}
	return nil
}

// untilClaimable returns how long an export is held or has to wait. HeldUntil is by the clock of the database, like UpdatedAt;
// what lies between the two is right whatever the clock of this process says.
func untilClaimable(export dataexport.Job, now time.Time) time.Duration {
	return max(0, min(export.HeldUntil.Sub(now), export.HeldUntil.Sub(export.UpdatedAt)))
}

// withCancelReason returns a context that is cancelled with ctx. Where River has cancelled the job, the cause says so in
// the words that a Runner fails an export with.
func withCancelReason(ctx context.Context) (derived context.Context, stop func()) {
	derived, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	stopWatching := context.AfterFunc(ctx, func() {
		if cause := context.Cause(ctx); !errors.Is(cause, rivertype.ErrJobCancelledRemotely) {
			cancel(cause)
			return
		}
		cancel(errCancelled)
	})
	return derived, func() {
		stopWatching()
		cancel(nil)
	}
}

// jitter returns a duration between half and one and a half of d, so that what waits for the same thing does not come back
// all at once.
func jitter(d time.Duration) time.Duration { return d/2 + rand.N(d) }
