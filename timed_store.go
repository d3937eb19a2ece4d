package dataexport

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// A timedStore bounds every call of a store in time, so that a store that hangs is an ErrUnavailable and not a hung request.
type timedStore struct {
	store   Store
	timeout time.Duration
}

// within runs one call under the bound.
func (s *timedStore) within(ctx context.Context, call func(context.Context) error) error {
	timed, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	err := call(timed)
	if err != nil && ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%w: the store did not answer within %s: %w", ErrUnavailable, s.timeout, err)
	}
	return err
}

func (s *timedStore) Create(ctx context.Context, n NewJob) (j Job, replayed bool, err error) {
	err = s.within(ctx, func(ctx context.Context) error {
		j, replayed, err = s.store.Create(ctx, n)
		return err
	})
	return j, replayed, err
}

func (s *timedStore) Get(ctx context.Context, scope Scope, id string) (j Job, err error) {
	err = s.within(ctx, func(ctx context.Context) error {
		j, err = s.store.Get(ctx, scope, id)
		return err
	})
	return j, err
}

func (s *timedStore) Find(ctx context.Context, id string) (j Job, err error) {
	err = s.within(ctx, func(ctx context.Context) error {
		j, err = s.store.Find(ctx, id)
		return err
	})
	return j, err
}

func (s *timedStore) List(ctx context.Context, scope Scope, q ListQuery) (page []Job, total int, err error) {
	err = s.within(ctx, func(ctx context.Context) error {
		page, total, err = s.store.List(ctx, scope, q)
		return err
	})
	return page, total, err
}

func (s *timedStore) Delete(ctx context.Context, scope Scope, id string) (j Job, err error) {
	err = s.within(ctx, func(ctx context.Context) error {
		j, err = s.store.Delete(ctx, scope, id)
		return err
	})
	return j, err
}

func (s *timedStore) Claim(ctx context.Context, o ClaimOptions) (j Job, err error) {
	err = s.within(ctx, func(ctx context.Context) error {
		j, err = s.store.Claim(ctx, o)
		return err
	})
	return j, err
}

func (s *timedStore) Update(ctx context.Context, job Job, d time.Duration) (j Job, err error) {
	err = s.within(ctx, func(ctx context.Context) error {
		j, err = s.store.Update(ctx, job, d)
		return err
	})
	return j, err
}

func (s *timedStore) Due(ctx context.Context, q DueQuery) (jobs []Job, next time.Duration, err error) {
	err = s.within(ctx, func(ctx context.Context) error {
		jobs, next, err = s.store.Due(ctx, q)
		return err
	})
	return jobs, next, err
}
