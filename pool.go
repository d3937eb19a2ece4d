package dataexport

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// orphanInterval is how often Run looks for orphans after the first time: each look reads the whole list of files.
const orphanInterval = 10 * time.Minute

// Run works on the jobs and sweeps until ctx is done. Then every worker stops what it does and hands its job back,
// without charging the attempt, and Run returns nil: no goroutine is left, but for that of a source that does not stop
// within Config.StopTimeout. Faults of the store do not end it; they are logged, and it goes on when the store does.
// From the moment that ctx is done Create is refused. Run may be called again after it has returned, not before.
func (s *Service) Run(ctx context.Context) error {
	if !s.running.CompareAndSwap(false, true) {
		return fmt.Errorf("%w: Run is running already", ErrConflict)
	}
	defer s.running.Store(false)
	s.stopping.Store(false)
	refused := make(chan struct{})
	stopRefusing := context.AfterFunc(ctx, func() {
		defer close(refused)
		s.stopping.Store(true)
	})

	p := &pool{runner: s.runner, config: &s.config}
	p.waiter, _ = s.config.Store.(WorkWaiter)
	var group sync.WaitGroup
	group.Go(func() { p.sweep(ctx) })
	group.Go(func() { p.sweepOrphans(ctx) })
	for range s.config.Workers {
		group.Go(func() { p.work(ctx) })
	}
	group.Wait()
	if !stopRefusing() {
		<-refused // not to meddle with the next Run
	}
	s.stopping.Store(true)
	return nil
}

// A pool is what Run consists of.
type pool struct {
	runner *Runner
	config *Config
	waiter WorkWaiter // or nil
}

// work runs one job after the other.
func (p *pool) work(ctx context.Context) {
	for ctx.Err() == nil {
		_, err := p.runner.RunNext(ctx)
		switch {
		case err == nil || errors.Is(err, errLeaseLost):
		case errors.Is(err, ErrNoJob):
			p.waitForWork(ctx)
		default:
			if ctx.Err() == nil {
				p.config.Logger.Error("a worker could not run a job", slog.Any("error", err))
				_ = sleep(ctx, p.config.PollInterval)
			}
		}
	}
}

// waitForWork waits until the store says that there is work, or for the poll interval.
func (p *pool) waitForWork(ctx context.Context) {
	if p.waiter == nil {
		_ = sleep(ctx, p.config.PollInterval)
		return
	}
	waiting, cancel := context.WithTimeout(ctx, p.config.PollInterval)
	defer cancel()
	if err := p.waiter.WaitForWork(waiting); err != nil && waiting.Err() == nil {
		p.config.Logger.Error("waiting for work", slog.Any("error", err))
		_ = sleep(waiting, p.config.PollInterval)
	}
}

// sweep cleans up at once, when something is due, and at least every SweepInterval.
func (p *pool) sweep(ctx context.Context) {
	for ctx.Err() == nil {
		next, err := p.runner.Sweep(ctx)
		if err != nil && ctx.Err() == nil {
			p.config.Logger.Error("the sweep could not clean everything", slog.Any("error", err))
		}
		_ = sleep(ctx, p.untilSweep(next, err))
	}
}

// sweepOrphans looks for orphans at once and then every orphanInterval, beside the sweep, which must not wait for it. What
// failed is tried again with the next sweep.
func (p *pool) sweepOrphans(ctx context.Context) {
	for ctx.Err() == nil {
		wait := orphanInterval
		if err := p.runner.SweepOrphans(ctx); err != nil && ctx.Err() == nil {
			p.config.Logger.Error("orphans could not be removed", slog.Any("error", err))
			wait = min(wait, p.config.SweepInterval)
		}
		_ = sleep(ctx, wait)
	}
}

// untilSweep returns how long to wait. A job that becomes READY meanwhile is due after its retention and grace at the
// earliest, so that no sweep is late for it.
func (p *pool) untilSweep(next time.Duration, err error) time.Duration {
	wait := min(p.config.SweepInterval, p.config.Retention+p.config.fileGrace())
	if next >= 0 && err == nil {
		wait = min(wait, next)
	}
	return max(wait, 10*time.Millisecond)
}
