package riverqueue

import (
	"context"
	"log/slog"
	"time"

	"github.com/riverqueue/river"

	"github.com/dataexport/dataexport"
)

// SweepKind is the kind of the River jobs that clean up.
const SweepKind = "dataexport.sweep"

// A task is something to clean up.
type task string

// What there is to clean up.
const (
	taskExpired task = "expired" // files and jobs whose time is over
	taskOrphans task = "orphans" // files that no job needs
	taskLost    task = "lost"    // exports without a River job, and River jobs without a worker
)

// orphanInterval is how often orphans are looked for: each look reads the whole list of files.
const orphanInterval = 10 * time.Minute

// sweepTimeout is after which a sweep is taken for stuck. The next one does not wait for it.
const sweepTimeout = time.Hour

// SweepArgs are the arguments of a River job that cleans up.
type SweepArgs struct {
	Task task `json:"task"`
}

// Kind implements river.JobArgs.
func (SweepArgs) Kind() string { return SweepKind }

// sweepSuffix makes the name of the queue of the sweeps of that of the exports.
const sweepSuffix = "_sweep"

func (q *Queue) sweepQueue() string { return q.options.Queue + sweepSuffix }

func (q *Queue) interval(t task) time.Duration {
	if t == taskOrphans {
		return max(orphanInterval, q.options.SweepInterval)
	}
	return q.options.SweepInterval
}

// periodicJobs has River's leader start each sweep when it becomes the leader and then at intervals. At most one is inserted
// for each interval. A sweep that failed is not tried again: the next one comes soon.
func (q *Queue) periodicJobs() []*river.PeriodicJob {
	var jobs []*river.PeriodicJob
	for _, t := range []task{taskExpired, taskOrphans, taskLost} {
		insert := func() (river.JobArgs, *river.InsertOpts) {
			return SweepArgs{Task: t}, &river.InsertOpts{
				Queue: q.sweepQueue(), MaxAttempts: 1, UniqueOpts: river.UniqueOpts{ByArgs: true, ByPeriod: q.interval(t)},
			}
		}
		jobs = append(jobs, river.NewPeriodicJob(river.PeriodicInterval(q.interval(t)), insert,
			&river.PeriodicJobOpts{ID: q.sweepQueue() + "_" + string(t), RunOnStart: true}))
	}
	return jobs
}

// A sweepWorker cleans up.
type sweepWorker struct {
	river.WorkerDefaults[SweepArgs]
	queue  *Queue
	runner *dataexport.Runner
	store  Store
}

// Timeout implements river.Worker.
func (w *sweepWorker) Timeout(*river.Job[SweepArgs]) time.Duration { return sweepTimeout }

// Work implements river.Worker. Its error goes to the log, and to River's tools.
func (w *sweepWorker) Work(ctx context.Context, job *river.Job[SweepArgs]) error {
	age := time.Since(job.CreatedAt)
	interval := w.queue.interval(job.Args.Task)
	if age > 2*interval { // the queue was paused, or nobody worked on it; newer ones have come since
		return nil
	}
	var err error
	next := time.Duration(-1)
	switch job.Args.Task {
	case taskExpired:
		next, err = w.runner.Sweep(ctx)
	case taskOrphans:
		err = w.runner.SweepOrphans(ctx)
	case taskLost:
		err = w.findLost(ctx)
	}
	switch {
	case ctx.Err() != nil:
		return river.JobSnooze(0) // told to stop; another process does it
	case err != nil:
		w.queue.options.Logger.ErrorContext(ctx, "a sweep could not do everything", slog.String("task", string(job.Args.Task)), slog.Any("error", err))
		return err
	case next >= 0 && age+next < interval: // more is due before the next sweep
		return river.JobSnooze(max(next, time.Second))
	}
	return nil
}
