package dataexport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"
)

// A Runner executes jobs: one job becomes one file. Service.Run drives it, or an outside engine does. Its methods are
// safe for concurrent use.
type Runner struct {
	config Config // with its defaults filled in
	store  Store

	mu      sync.Mutex
	working map[string]*context.CancelCauseFunc // of the latest attempt under way in this process, by job
}

// deleted ends the attempt at a job at once, if it is under way in this process. Another process learns of it when it
// renews its lease.
func (r *Runner) deleted(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if cancel := r.working[id]; cancel != nil {
		(*cancel)(errDeleted)
	}
}

// begin notes that an attempt is under way until the function that it returns is called.
func (r *Runner) begin(id string, cancel context.CancelCauseFunc) (end func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.working[id] = &cancel
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.working[id] == &cancel { // else a later attempt has taken over from one that was too slow
			delete(r.working, id)
		}
	}
}

// RunNext claims a job that waits and makes one attempt at it. It returns the job as the attempt left it, which is READY,
// FAILED, or PENDING again until HeldUntil. It returns ErrNoJob if none waits, ErrConflict if the job was taken away
// meanwhile, because its user deleted it or its lease ran out and another worker has it, and another error if the store fails.
//
// When ctx is cancelled, the job is handed back: PENDING, the attempt not counted. When the deadline of ctx is over, the
// attempt has failed. When ctx is cancelled with a *PublicError as its cause (context.WithCancelCause), the attempt has
// failed with that.
func (r *Runner) RunNext(ctx context.Context) (Job, error) {
	a, ctx, err := r.claim(ctx, "")
	if err != nil {
		return Job{}, err
	}
	return a.run(ctx)
}

// RunJob is RunNext for one job, even if another would be next. It returns ErrNotFound if there is no such job. If it cannot
// be claimed, it returns the job as it is together with ErrNoJob: it has ended, or nobody can have it before HeldUntil.
func (r *Runner) RunJob(ctx context.Context, id string) (Job, error) {
	return r.onJob(ctx, id, (*attempt).run)
}

// onJob claims one job and does something to it.
func (r *Runner) onJob(ctx context.Context, id string, do func(*attempt, context.Context) (Job, error)) (Job, error) {
	if id == "" {
		return Job{}, fmt.Errorf("%w: the id of the job is missing", ErrInvalid)
	}
	a, attemptCtx, err := r.claim(ctx, id)
	switch {
	case err == nil:
		return do(a, attemptCtx)
	case !errors.Is(err, ErrNoJob):
		return Job{}, err
	}
	job, findErr := r.store.Find(ctx, id)
	if findErr != nil {
		return Job{}, findErr
	}
	return job, err
}

// firstClaimed is the version of a job that is claimed for the first time: every change raises it by one.
const firstClaimed = 2

// claim begins an attempt at a job, any if the id is empty. The context is that of the attempt.
func (r *Runner) claim(ctx context.Context, id string) (*attempt, context.Context, error) {
	began := time.Now()
	job, err := r.store.Claim(ctx, ClaimOptions{ID: id, Lease: r.config.Lease})
	if err != nil {
		return nil, nil, err
	}
	r.config.tell(ctx, Event{Kind: EventStarted, Job: job})
	ctx = r.config.attemptContext(ctx, job)
	return &attempt{
		runner: r,
		began:  began,
		lease:  newLease(r.store, job, r.config.Lease, began),
		key:    attemptKey(job),
		first:  job.Version == firstClaimed,
		log:    r.config.logOf(&job),
	}, ctx, nil
}

// FailJob ends a job that waits, so that it will not be worked on: FAILED with the reason. It returns ErrNotFound if there
// is no such job, the job as it is together with ErrNoJob if it has ended or nobody can have it before HeldUntil, and
// ErrInvalid without a reason. A reason that is not Permanent ends the job too.
func (r *Runner) FailJob(ctx context.Context, id string, reason *PublicError) (Job, error) {
	if reason == nil {
		return Job{}, fmt.Errorf("%w: the reason why the job is to fail is missing", ErrInvalid)
	}
	return r.onJob(ctx, id, func(a *attempt, ctx context.Context) (Job, error) {
		return a.fail(ctx, reason)
	})
}

// An attempt is one try at one job by one worker. It writes a file under a key of its own, so that no other attempt can
// be in its way.
type attempt struct {
	runner *Runner
	began  time.Time
	lease  *lease
	key    string
	first  bool // no attempt was before it that could have left a file
	log    *slog.Logger
}

// errStopping is why the work of an attempt ends when its worker is told to stop.
var errStopping = errors.New("dataexport: the worker is stopping")

// errAbandoned says that a source did not stop in time. Its goroutine goes on and can change nothing any more.
var errAbandoned = errors.New("dataexport: the source did not stop in time and was left behind")

// run makes the attempt and writes down how it ended. What it must write down is written even if ctx is done.
func (a *attempt) run(ctx context.Context) (Job, error) {
	job := a.lease.current()
	if job.Attempts > a.runner.config.MaxAttempts {
		job.Attempts = a.runner.config.MaxAttempts
		a.lease.replace(job)
		return a.fail(ctx, &PublicError{
			Code:    "INTERRUPTED",
			Message: fmt.Sprintf("The export was interrupted %d times and was given up.", job.Attempts),
		})
	}
	a.log.DebugContext(ctx, "export begins", slog.String("dataset", job.Dataset), slog.String("format", job.Format))
	summary, err := a.work(ctx, &job)
	switch {
	case err == nil:
		return a.complete(ctx, summary)
	case errors.Is(err, errLeaseLost):
		return Job{}, a.takenAway(ctx, err)
	case stopped(ctx):
		return a.handBack(ctx, err, 0)
	case errors.As(err, new(unsupportedError)) && (job.StartedAt.Sub(job.CreatedAt) < unsupportedPatience || job.Version < unsupportedVersions):
		return a.handBack(ctx, err, unsupportedDelay)
	case given(ctx) != nil:
		err = given(ctx)
	}
	if permanent(err) || job.Attempts >= a.runner.config.MaxAttempts {
		return a.fail(ctx, err)
	}
	return a.retry(ctx, err)
}

// stopped reports whether the worker was told to stop. A deadline of an engine's is no such thing: the attempt took too
// long, and counts. So does an attempt that was cancelled for a reason.
func stopped(ctx context.Context) bool {
	return ctx.Err() != nil && !errors.Is(context.Cause(ctx), context.DeadlineExceeded) && given(ctx) == nil
}

// given returns the reason that the attempt was cancelled for, or nil.
func given(ctx context.Context) error {
	var reason *PublicError
	if errors.As(context.Cause(ctx), &reason) {
		return reason
	}
	return nil
}

// tell tells the hooks how the attempt ended.
func (a *attempt) tell(ctx context.Context, kind EventKind, job Job, err error) {
	a.runner.config.tell(ctx, Event{Kind: kind, Job: job, Err: err, Elapsed: time.Since(a.began)})
}

// work exports to the blob store while the lease is renewed, and stops when ctx is done or the lease is lost. The lease is
// renewed until the export has stopped.
func (a *attempt) work(ctx context.Context, job *Job) (Summary, error) {
	dataset, ok := a.runner.config.dataset(job.Dataset)
	if !ok {
		return Summary{}, unsupportedError{"dataset", job.Dataset}
	}
	renderer, ok := a.runner.config.renderer(job.Format)
	if !ok {
		return Summary{}, unsupportedError{"format", job.Format}
	}
	e := &export{
		dataset: dataset, info: dataset.Info(), renderer: renderer,
		query:        Query{Scope: job.Scope, Filter: job.Filter, AsOf: job.CreatedAt},
		documentTime: job.CreatedAt,
		limits:       a.runner.config.Limits,
	}
	working, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cancel(nil)
	stopWatching := context.AfterFunc(ctx, func() { cancel(errStopping) })
	defer stopWatching()
	defer a.runner.begin(job.ID, cancel)()
	stopRenewing := a.lease.keepRenewing(ctx, cancel, &e.progress, a.runner.config.StallTimeout, a.log)

	type result struct {
		summary Summary
		err     error
	}
	results := make(chan result, 1)
	go func() {
		res := result{err: errors.New("dataexport: the goroutine of the source was ended (runtime.Goexit)")}
		defer func() { results <- res }()
		res.summary, res.err = a.store(working, e)
	}()
	var res result
	select {
	case res = <-results:
	case <-working.Done():
		res = waitFor(results, a.runner.config.StopTimeout, result{err: errAbandoned})
	}
	stopRenewing()
	cause := context.Cause(working)
	if res.err != nil && (errors.Is(cause, errLeaseLost) || errors.Is(cause, errStalled)) {
		return Summary{}, cause
	}
	return res.summary, res.err
}

// store writes the export to the blob store. The errors of the two are told apart: what a store of files cannot find says
// nothing of the data.
func (a *attempt) store(ctx context.Context, e *export) (s Summary, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = panicError(v)
		}
	}()
	var exportErr error
	err = a.runner.config.Blobs.Put(ctx, a.key, e.renderer.Format(), func(w io.Writer) error {
		file := &failingWriter{w: w}
		s, exportErr = e.run(ctx, file)
		if file.err != nil {
			exportErr = storingError(file.err)
		}
		return exportErr
	})
	if exportErr != nil {
		return Summary{}, exportErr
	}
	if err != nil {
		return Summary{}, storingError(err)
	}
	return s, nil
}

// storingError is an error of the blob store, which is not wrapped: what a store of files cannot find says nothing of the
// data. That a file is too large for it does.
func storingError(err error) error {
	if errors.Is(err, ErrLimitExceeded) {
		return fmt.Errorf("dataexport: storing the file: %w", err)
	}
	return fmt.Errorf("dataexport: storing the file: %s", err) //nolint:errorlint // see above
}

// A failingWriter remembers that a writer has failed.
type failingWriter struct {
	w   io.Writer
	err error
}

func (w *failingWriter) Write(p []byte) (int, error) {
	n, err := w.w.Write(p)
	if err != nil {
		w.err = err
	}
	return n, err
}

// waitFor returns what comes through a channel, or otherwise if nothing comes in time.
func waitFor[T any](c <-chan T, d time.Duration, otherwise T) T {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case v := <-c:
		return v
	case <-timer.C:
		return otherwise
	}
}

// unsupportedPatience is how old a job may become that this process cannot do, before it fails: another process, of a
// newer or an older version of the program, may know the dataset and the format. So long it goes back every
// unsupportedDelay, for that process to have its chance. A job that is old because it had to wait has the same chance: two
// versions each time.
const (
	unsupportedPatience = 15 * time.Minute
	unsupportedDelay    = 5 * time.Second
	unsupportedVersions = 2 * 120
)

// An unsupportedError says that this process does not know what a job asks for.
type unsupportedError struct{ what, name string }

func (e unsupportedError) Error() string {
	return fmt.Sprintf("dataexport: this process does not offer the %s %s", e.what, e.name)
}

// complete makes the job READY. The file is there already: if the job can no longer be made READY, the file goes.
func (a *attempt) complete(ctx context.Context, s Summary) (Job, error) {
	job, err := a.conclude(ctx, StatusReady, a.runner.config.Retention, func(j *Job) {
		j.Progress = Progress{Records: s.Records, Total: &s.Records}
		j.RecordCount = s.Records
		j.FileSize = s.Bytes
		j.SHA256 = fmt.Sprintf("%x", s.SHA256)
		j.BlobKey = a.key
	})
	switch {
	case err == nil:
		a.log.InfoContext(ctx, "export is ready", slog.Int64("records", s.Records), slog.Int64("bytes", s.Bytes))
		a.tell(ctx, EventReady, job, nil)
		if !a.first {
			a.runner.removeFiles(context.WithoutCancel(ctx), job, a.key)
		}
	case errors.Is(err, errLeaseLost):
		a.runner.removeUnneeded(context.WithoutCancel(ctx), a.key, a.log)
		return Job{}, a.takenAway(ctx, err)
	}
	// After any other error the job may be READY or not, and the file stays: the sweep removes it if the job is not.
	return job, err
}

// fail ends the job. The cause goes to the log, and only what is public of it to the user.
func (a *attempt) fail(ctx context.Context, cause error) (Job, error) {
	job, err := a.conclude(ctx, StatusFailed, 0, func(j *Job) { j.Error = publicError(cause) })
	if errors.Is(err, errLeaseLost) {
		return Job{}, a.takenAway(ctx, err)
	}
	a.log.ErrorContext(ctx, "export failed", slog.Any("error", cause))
	if err == nil {
		a.tell(ctx, EventFailed, job, cause)
		a.runner.removeFiles(context.WithoutCancel(ctx), job, "")
	}
	return job, err
}

// retry puts the job back, not to be claimed for a while.
func (a *attempt) retry(ctx context.Context, cause error) (Job, error) {
	wait := a.runner.config.Backoff(a.lease.current().Attempts)
	job, err := a.conclude(ctx, StatusPending, wait, func(*Job) {})
	if errors.Is(err, errLeaseLost) {
		return Job{}, a.takenAway(ctx, err)
	}
	a.log.WarnContext(ctx, "export will be tried again", slog.Any("error", cause), slog.Duration("in", wait))
	if err == nil {
		a.tell(ctx, EventRetried, job, cause)
	}
	return job, err
}

// takenAway logs that the job is no longer the worker's, and returns why. What the attempt met with then, such as a file
// that was removed under it, is of no interest.
func (a *attempt) takenAway(ctx context.Context, err error) error {
	if errors.Is(err, ErrNotFound) || errors.Is(err, errDeleted) {
		a.log.InfoContext(ctx, "export was deleted meanwhile")
	} else {
		a.log.WarnContext(ctx, "export was taken away", slog.Any("error", err))
	}
	a.tell(ctx, EventLost, a.lease.current(), err)
	return err
}

// handBack puts the job back as if the attempt had not been made, not to be claimed for a while.
func (a *attempt) handBack(ctx context.Context, cause error, wait time.Duration) (Job, error) {
	job, err := a.conclude(ctx, StatusPending, wait, func(j *Job) { j.Attempts-- })
	if errors.Is(err, errLeaseLost) {
		return Job{}, a.takenAway(ctx, err)
	}
	a.log.InfoContext(ctx, "export is handed back", slog.Any("cause", cause))
	if err == nil {
		a.tell(ctx, EventHandedBack, job, cause)
	}
	return job, err
}

// conclude writes down how an attempt ended. While the lease lasts it does not give up on a store that fails: what the
// attempt has made would be lost.
func (a *attempt) conclude(ctx context.Context, status Status, d time.Duration, change func(*Job)) (Job, error) {
	ctx, cancel := context.WithDeadline(context.WithoutCancel(ctx), a.lease.end())
	defer cancel()
	job := a.lease.current()
	if err := job.become(status); err != nil {
		return Job{}, err
	}
	change(&job)
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, 2*time.Second) {
		updated, err := a.lease.write(ctx, job, d)
		switch {
		case err == nil:
			return updated, nil
		case gone(err):
			return Job{}, fmt.Errorf("%w: %w", errLeaseLost, err)
		}
		a.log.ErrorContext(ctx, "the end of an attempt could not be written down", slog.String("status", string(status)), slog.Any("error", err))
		if sleep(ctx, wait) != nil {
			err = fmt.Errorf("dataexport: job %s could not be made %s while its lease lasted: %w", job.ID, status, err)
			a.tell(ctx, EventLost, job, err)
			return Job{}, err
		}
	}
}

// sleep waits, or returns the error of ctx.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// permanent reports whether trying again cannot help.
func permanent(err error) bool {
	var public *PublicError
	if errors.As(err, &public) && public.Permanent {
		return true
	}
	return errors.As(err, new(unsupportedError)) || errors.Is(err, ErrInvalid) || errors.Is(err, ErrBadRow) || errors.Is(err, ErrLimitExceeded) || errors.Is(err, ErrNotFound)
}

// publicError returns what the user may be told of a cause.
func publicError(cause error) *JobError {
	var public *PublicError
	var unsupported unsupportedError
	switch {
	case errors.As(cause, &unsupported):
		return &JobError{Code: "UNSUPPORTED", Message: fmt.Sprintf("The %s %s is not offered.", unsupported.what, unsupported.name)}
	case errors.As(cause, &public):
		return &JobError{Code: public.Code, Message: public.Message}
	case errors.Is(cause, ErrBadRow):
		return &JobError{Code: "BAD_DATA", Message: "The data holds a record that cannot be exported."}
	case errors.Is(cause, ErrNotFound):
		return &JobError{Code: "NOTHING_TO_EXPORT", Message: "What was to be exported does not exist."}
	}
	return &JobError{Code: "EXPORT_FAILED", Message: "The export could not be completed. Please try again later."}
}
