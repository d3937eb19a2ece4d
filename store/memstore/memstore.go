// Package memstore keeps export jobs in memory: for tests, for programs that may forget their jobs when they end, and as
// the plainest example of a dataexport.Store.
package memstore

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/dataexport/dataexport"
)

// A Store is a dataexport.Store, a dataexport.WorkWaiter and a dataexport.StatsReader in memory. It is safe for concurrent use. Its clock is
// time.Now, so that it can be tested in a bubble of testing/synctest; it starts no goroutine.
//
// Every method takes time in proportion to the jobs that it has to look at: those of one workspace for Create and List,
// those that are still to be done for Claim, all of them for Due and Stats.
type Store struct {
	mu         sync.Mutex
	jobs       map[string]*dataexport.Job // by id; a Job in here is shared with nobody
	workspaces map[string]*workspace      // by id; kept when its jobs are gone, since it must be known when it was last served
	claims     int64                      // how many jobs have been given out
	changed    chan struct{}              // closed and replaced when a job may have become claimable
}

// A workspace is what the store knows of one tenant.
type workspace struct {
	jobs   []*dataexport.Job // all of them, oldest first
	active []*dataexport.Job // those that are still to be done, oldest first
	served int64             // Store.claims when it was last given a job, 0 for never
}

var (
	_ dataexport.Store       = (*Store)(nil)
	_ dataexport.WorkWaiter  = (*Store)(nil)
	_ dataexport.StatsReader = (*Store)(nil)
)

// New returns an empty store.
func New() *Store {
	return &Store{
		jobs:       make(map[string]*dataexport.Job),
		workspaces: make(map[string]*workspace),
		changed:    make(chan struct{}),
	}
}

// now returns the time without its monotonic part, which jobs that come from a database do not have either.
func now() time.Time { return time.Now().Round(0).UTC() }

// Create implements dataexport.Store. A job without an id or a workspace, or with an id that is taken, is an ErrInvalid.
func (s *Store) Create(ctx context.Context, n dataexport.NewJob) (job dataexport.Job, replayed bool, err error) {
	if err := ctx.Err(); err != nil {
		return dataexport.Job{}, false, err
	}
	if n.ID == "" || n.Scope.WorkspaceID == "" {
		return dataexport.Job{}, false, fmt.Errorf("%w: a new job needs an id and a workspace", dataexport.ErrInvalid)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	at := now()
	w := s.workspaces[n.Scope.WorkspaceID]
	if w == nil {
		w = &workspace{}
	}
	if n.IdempotencyKey != "" {
		if earlier := w.keyed(n); earlier != nil {
			if earlier.Fingerprint != n.Fingerprint {
				return dataexport.Job{}, false, dataexport.ErrIdempotencyKeyReused
			}
			return view(earlier, at), true, nil
		}
	}
	if n.MaxActive > 0 && len(w.active) >= n.MaxActive || n.MaxReady > 0 && w.ready(at) >= n.MaxReady {
		return dataexport.Job{}, false, dataexport.ErrTooManyExports
	}
	if s.jobs[n.ID] != nil {
		return dataexport.Job{}, false, fmt.Errorf("%w: there is a job with the id %s already", dataexport.ErrInvalid, n.ID)
	}
	j := keep(n.Job(at))
	s.jobs[j.ID] = j
	s.workspaces[j.Scope.WorkspaceID] = w
	w.jobs = insert(w.jobs, j)
	w.active = insert(w.active, j)
	s.announce()
	return view(j, at), false, nil
}

// Get implements dataexport.Store.
func (s *Store) Get(ctx context.Context, scope dataexport.Scope, id string) (dataexport.Job, error) {
	return s.read(ctx, id, func(j *dataexport.Job) bool { return j.VisibleTo(scope) })
}

// Find implements dataexport.Store.
func (s *Store) Find(ctx context.Context, id string) (dataexport.Job, error) {
	return s.read(ctx, id, func(*dataexport.Job) bool { return true })
}

func (s *Store) read(ctx context.Context, id string, visible func(*dataexport.Job) bool) (dataexport.Job, error) {
	if err := ctx.Err(); err != nil {
		return dataexport.Job{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	j := s.jobs[id]
	if j == nil || !visible(j) {
		return dataexport.Job{}, dataexport.ErrNotFound
	}
	return view(j, now()), nil
}

// List implements dataexport.Store. A Limit below 1 or a negative Offset is an ErrInvalid.
func (s *Store) List(
	ctx context.Context, scope dataexport.Scope, q dataexport.ListQuery,
) (page []dataexport.Job, total int, err error) {
	if err := ctx.Err(); err != nil {
		return nil, 0, err
	}
	if q.Limit < 1 || q.Offset < 0 {
		return nil, 0, fmt.Errorf("%w: a list has a limit of at least 1 and an offset of at least 0", dataexport.ErrInvalid)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	page = []dataexport.Job{}
	w := s.workspaces[scope.WorkspaceID]
	if w == nil {
		return page, 0, nil
	}
	at := now()
	for _, j := range slices.Backward(w.jobs) {
		if !j.VisibleTo(scope) ||
			q.Status != "" && j.At(at).Status != q.Status ||
			q.Format != "" && j.Format != q.Format {
			continue
		}
		if total >= q.Offset && len(page) < q.Limit {
			page = append(page, view(j, at))
		}
		total++
	}
	return page, total, nil
}

// Delete implements dataexport.Store.
func (s *Store) Delete(ctx context.Context, scope dataexport.Scope, id string) (dataexport.Job, error) {
	if err := ctx.Err(); err != nil {
		return dataexport.Job{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	j := s.jobs[id]
	if j == nil || !j.VisibleTo(scope) {
		return dataexport.Job{}, dataexport.ErrNotFound
	}
	w := s.workspaces[j.Scope.WorkspaceID]
	delete(s.jobs, id)
	w.jobs = remove(w.jobs, j)
	w.active = remove(w.active, j)
	return view(j, now()), nil
}

// Update implements dataexport.Store. A status that is none is an ErrInvalid.
func (s *Store) Update(ctx context.Context, j dataexport.Job, d time.Duration) (dataexport.Job, error) {
	if err := ctx.Err(); err != nil {
		return dataexport.Job{}, err
	}
	if !j.Status.Valid() {
		return dataexport.Job{}, fmt.Errorf("%w: a job cannot have the status %q", dataexport.ErrInvalid, j.Status)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	stored := s.jobs[j.ID]
	switch {
	case stored == nil:
		return dataexport.Job{}, dataexport.ErrNotFound
	case stored.Version != j.Version:
		return dataexport.Job{}, dataexport.ErrConflict
	}
	at := now()
	*stored = stored.Updated(j, at, d).Clone()
	w := s.workspaces[stored.Scope.WorkspaceID]
	w.active = remove(w.active, stored)
	if stored.Status.Active() {
		w.active = insert(w.active, stored)
		s.announce()
	}
	return view(stored, at), nil
}

// keyed returns the job that the scope of n sees under the idempotency key of n, or nil. There can be two where one of
// them is personal; the one that n repeats goes first.
func (w *workspace) keyed(n dataexport.NewJob) (found *dataexport.Job) {
	for _, j := range w.jobs {
		if j.IdempotencyKey == n.IdempotencyKey && j.VisibleTo(n.Scope) && (found == nil || j.Fingerprint == n.Fingerprint) {
			found = j
		}
	}
	return found
}

// ready counts the jobs whose file can be downloaded.
func (w *workspace) ready(at time.Time) (count int) {
	for _, j := range w.jobs {
		if j.At(at).Status == dataexport.StatusReady {
			count++
		}
	}
	return count
}

// insert puts a job in its place in a list that is ordered by age, oldest first.
func insert(jobs []*dataexport.Job, j *dataexport.Job) []*dataexport.Job {
	i, _ := slices.BinarySearchFunc(jobs, j, byAge)
	return slices.Insert(jobs, i, j)
}

// remove takes a job out of a list that is ordered by age, if it is in there.
func remove(jobs []*dataexport.Job, j *dataexport.Job) []*dataexport.Job {
	if i, found := slices.BinarySearchFunc(jobs, j, byAge); found {
		return slices.Delete(jobs, i, i+1)
	}
	return jobs
}

func byAge(a, b *dataexport.Job) int {
	return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID))
}
