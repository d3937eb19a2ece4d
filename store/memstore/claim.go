package memstore

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/dataexport/dataexport"
)

// Claim implements dataexport.Store. A lease that is not more than 0 is an ErrInvalid.
func (s *Store) Claim(ctx context.Context, o dataexport.ClaimOptions) (dataexport.Job, error) {
	if err := ctx.Err(); err != nil {
		return dataexport.Job{}, err
	}
	if o.Lease <= 0 {
		return dataexport.Job{}, fmt.Errorf("%w: a lease must be more than 0, not %s", dataexport.ErrInvalid, o.Lease)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	at := now()
	j := s.jobs[o.ID]
	if o.ID == "" {
		j = s.next(at)
	}
	if j == nil || !j.Claimable(at) {
		return dataexport.Job{}, dataexport.ErrNoJob
	}
	s.claims++
	s.workspaces[j.Scope.WorkspaceID].served = s.claims
	*j = j.Claimed(at, o.Lease)
	return view(j, at), nil
}

// A candidate is the job that a workspace would be given, and what it is measured by against other workspaces.
type candidate struct {
	job    *dataexport.Job
	held   int   // how many jobs of the workspace are held by a lease
	served int64 // when the workspace was last given a job
}

// next returns the job that is to be given out, or nil.
func (s *Store) next(at time.Time) *dataexport.Job {
	var best candidate
	for _, w := range s.workspaces {
		c := w.candidate(at)
		if c.job != nil && (best.job == nil || c.compare(best) < 0) {
			best = c
		}
	}
	return best.job
}

func (w *workspace) candidate(at time.Time) candidate {
	c := candidate{served: w.served}
	for _, j := range w.active {
		switch {
		case !j.Claimable(at):
			if j.Status == dataexport.StatusProcessing {
				c.held++
			}
		case c.job == nil:
			c.job = j
		}
	}
	return c
}

func (c candidate) compare(other candidate) int {
	return cmp.Or(
		cmp.Compare(c.held, other.held),
		cmp.Compare(c.served, other.served),
		byAge(c.job, other.job),
	)
}

// WaitForWork implements dataexport.WorkWaiter. It also returns when time makes a job claimable: at the end of a lease or
// of a delay.
func (s *Store) WaitForWork(ctx context.Context) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		changed, wait := s.outlook()
		if wait == 0 {
			return nil
		}
		if err := sleep(ctx, changed, wait); err != nil {
			return err
		}
	}
}

// outlook returns how long it takes until a job is claimable, negative if no job will be, unless changed is closed before.
func (s *Store) outlook() (changed <-chan struct{}, wait time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := now()
	wait = -1
	for _, w := range s.workspaces {
		for _, j := range w.active {
			d := max(0, j.HeldUntil.Sub(at))
			if wait < 0 || d < wait {
				wait = d
			}
		}
	}
	return s.changed, wait
}

// sleep returns when the wait is over, unless it is negative, when changed is closed, or with the error of ctx.
func sleep(ctx context.Context, changed <-chan struct{}, wait time.Duration) error {
	var over <-chan time.Time
	if wait >= 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		over = timer.C
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-changed:
	case <-over:
	}
	return nil
}

// announce wakes all who wait for work.
func (s *Store) announce() {
	close(s.changed)
	s.changed = make(chan struct{})
}
