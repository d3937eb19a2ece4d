package memstore

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/dataexport/dataexport"
)

// Due implements dataexport.Store. A Limit below 1 is an ErrInvalid.
func (s *Store) Due(ctx context.Context, q dataexport.DueQuery) (jobs []dataexport.Job, next time.Duration, err error) {
	if err := ctx.Err(); err != nil {
		return nil, 0, err
	}
	if q.Limit < 1 {
		return nil, 0, fmt.Errorf("%w: the limit must be at least 1, not %d", dataexport.ErrInvalid, q.Limit)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	at := now()
	next = -1
	var due []*dataexport.Job
	for _, j := range s.jobs {
		when := dueAt(j, q)
		switch wait := when.Sub(at); {
		case when.IsZero():
		case wait <= 0:
			due = append(due, j)
		case next < 0 || wait < next:
			next = wait
		}
	}
	slices.SortFunc(due, func(a, b *dataexport.Job) int {
		return cmp.Or(dueAt(a, q).Compare(dueAt(b, q)), byAge(a, b))
	})
	if len(due) > q.Limit {
		due, next = due[:q.Limit], 0
	}
	jobs = make([]dataexport.Job, len(due))
	for i, j := range due {
		jobs[i] = view(j, at)
	}
	return jobs, next, nil
}

// dueAt returns when the sweep must clean a job, or zero if that cannot be foreseen.
func dueAt(j *dataexport.Job, q dataexport.DueQuery) time.Time {
	switch {
	case j.Status.Active():
		return time.Time{}
	case j.Status == dataexport.StatusFailed:
		return j.CompletedAt.Add(q.Keep)
	case j.BlobKey != "":
		return j.ExpiresAt.Add(max(0, q.FileGrace))
	default:
		return j.ExpiresAt.Add(max(0, q.Keep))
	}
}
