package storetest_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/dataexport/dataexport"
)

// A fault is a way in which a store breaks its contract, and the test of the suite that finds it.
type fault struct {
	name    string
	foundBy string
	make    func(*faulty)
}

func faults() []fault {
	return slices.Concat(faultsOfCreate(), faultsOfReading(), faultsOfClaim(), faultsOfUpdate(), faultsOfDue(), faultsOfStats())
}

func faultsOfCreate() []fault {
	change := func(change func(n *dataexport.NewJob)) func(*faulty) {
		return func(f *faulty) {
			f.create = func(ctx context.Context, n dataexport.NewJob) (dataexport.Job, bool, error) {
				change(&n)
				return f.Store.Create(ctx, n)
			}
		}
	}
	return []fault{
		{"no idempotency", "Create/replays a key", change(func(n *dataexport.NewJob) { n.IdempotencyKey = "" })},
		{"key of any case", "Create/replays a key", change(func(n *dataexport.NewJob) {
			n.IdempotencyKey = strings.ToLower(n.IdempotencyKey)
		})},
		{"no bound of active jobs", "Create/bounds the active jobs", change(func(n *dataexport.NewJob) { n.MaxActive = 0 })},
		{"one active job too many", "Create/bounds the active jobs", change(func(n *dataexport.NewJob) {
			if n.MaxActive > 0 {
				n.MaxActive++
			}
		})},
		{"no bound of ready jobs", "Create/bounds the ready jobs", change(func(n *dataexport.NewJob) { n.MaxReady = 0 })},
		{"personal jobs are shared", "Visible/personal", change(func(n *dataexport.NewJob) { n.Personal = false })},
		{"workspace of any case", "Visible/workspaces with similar names", change(func(n *dataexport.NewJob) {
			n.Scope.WorkspaceID = strings.ToLower(n.Scope.WorkspaceID)
		})},
		{"filter loses nanoseconds", "Fields/round trip", change(func(n *dataexport.NewJob) {
			n.Filter.CreatedAfter = n.Filter.CreatedAfter.Truncate(time.Microsecond)
		})},
		{"text loses its blanks", "Fields/strange text", change(func(n *dataexport.NewJob) {
			n.Fingerprint = strings.TrimSpace(n.Fingerprint)
		})},
		{"text ends at a NUL", "Fields/strange text", change(func(n *dataexport.NewJob) {
			n.Fingerprint, _, _ = strings.Cut(n.Fingerprint, "\x00")
		})},
		{"fingerprint not compared", "Create/refuses a key with another fingerprint", change(func(n *dataexport.NewJob) {
			n.Fingerprint = "all alike"
		})},
		{"quota before key", "Create/replays although the quota is full", func(f *faulty) {
			f.create = func(ctx context.Context, n dataexport.NewJob) (dataexport.Job, bool, error) {
				_, total, err := f.Store.List(ctx, n.Scope, dataexport.ListQuery{Limit: 1, Status: dataexport.StatusPending})
				if err == nil && n.MaxActive > 0 && total >= n.MaxActive {
					return dataexport.Job{}, false, dataexport.ErrTooManyExports
				}
				return f.Store.Create(ctx, n)
			}
		}},
		{"clock of milliseconds", "Fields/times", func(f *faulty) {
			f.create = func(ctx context.Context, n dataexport.NewJob) (dataexport.Job, bool, error) {
				j, replayed, err := f.Store.Create(ctx, n)
				j.CreatedAt = j.CreatedAt.Truncate(time.Millisecond)
				return j, replayed, err
			}
		}},
	}
}

func faultsOfReading() []fault {
	list := func(list func(*faulty, context.Context, dataexport.Scope, dataexport.ListQuery) ([]dataexport.Job, int, error)) func(*faulty) {
		return func(f *faulty) {
			f.list = func(ctx context.Context, s dataexport.Scope, q dataexport.ListQuery) ([]dataexport.Job, int, error) {
				return list(f, ctx, s, q)
			}
		}
	}
	return []fault{
		{"reads any scope", "Visible/own workspace", func(f *faulty) {
			f.get = func(ctx context.Context, _ dataexport.Scope, id string) (dataexport.Job, error) {
				return f.Find(ctx, id)
			}
		}},
		{"local time", "Fields/times", list(func(f *faulty, ctx context.Context, s dataexport.Scope, q dataexport.ListQuery) ([]dataexport.Job, int, error) {
			page, total, err := f.Store.List(ctx, s, q)
			for i := range page {
				page[i].CreatedAt = page[i].CreatedAt.In(time.FixedZone("CET", 3600))
			}
			return page, total, err
		})},
		{"expiry needs a sweep", "Expiry/by the clock, however it is read", func(f *faulty) {
			f.get = func(ctx context.Context, s dataexport.Scope, id string) (dataexport.Job, error) {
				j, err := f.Store.Get(ctx, s, id)
				if j.Status == dataexport.StatusExpired && j.BlobKey != "" {
					j.Status = dataexport.StatusReady
				}
				return j, err
			}
		}},
		{"nil page", "List/empty", list(func(f *faulty, ctx context.Context, s dataexport.Scope, q dataexport.ListQuery) ([]dataexport.Job, int, error) {
			page, total, err := f.Store.List(ctx, s, q)
			if len(page) == 0 {
				page = nil
			}
			return page, total, err
		})},
		{"oldest first", "List/order and pages", list(func(f *faulty, ctx context.Context, s dataexport.Scope, q dataexport.ListQuery) ([]dataexport.Job, int, error) {
			page, total, err := f.Store.List(ctx, s, q)
			slices.Reverse(page)
			return page, total, err
		})},
		{"total of the page", "List/order and pages", list(func(f *faulty, ctx context.Context, s dataexport.Scope, q dataexport.ListQuery) ([]dataexport.Job, int, error) {
			page, _, err := f.Store.List(ctx, s, q)
			return page, len(page), err
		})},
		{"no filter by format", "List/filters", list(func(f *faulty, ctx context.Context, s dataexport.Scope, q dataexport.ListQuery) ([]dataexport.Job, int, error) {
			q.Format = ""
			return f.Store.List(ctx, s, q)
		})},
		{"keeps what is being made", "Delete/in every state", func(f *faulty) {
			f.delete = func(ctx context.Context, s dataexport.Scope, id string) (dataexport.Job, error) {
				if j, err := f.Find(ctx, id); err == nil && j.Status == dataexport.StatusProcessing {
					return dataexport.Job{}, dataexport.ErrConflict
				}
				return f.Store.Delete(ctx, s, id)
			}
		}},
		{"deletes for anyone", "Delete/of a job that the scope does not see", func(f *faulty) {
			f.delete = func(ctx context.Context, _ dataexport.Scope, id string) (dataexport.Job, error) {
				j, err := f.Find(ctx, id)
				if err != nil {
					return j, err
				}
				return f.Store.Delete(ctx, j.Scope, id)
			}
		}},
	}
}

func faultsOfClaim() []fault {
	return []fault{
		{"ignores the id", "Claim/by id", func(f *faulty) {
			f.claim = func(ctx context.Context, o dataexport.ClaimOptions) (dataexport.Job, error) {
				o.ID = ""
				return f.Store.Claim(ctx, o)
			}
		}},
		{"short lease", "Claim/holds the job", func(f *faulty) {
			f.claim = func(ctx context.Context, o dataexport.ClaimOptions) (dataexport.Job, error) {
				o.Lease /= 60
				return f.Store.Claim(ctx, o)
			}
		}},
		{"an id only for the workspace that is next", "Claim/by id", func(f *faulty) {
			f.claim = func(ctx context.Context, o dataexport.ClaimOptions) (dataexport.Job, error) {
				next, err := f.Store.Claim(ctx, dataexport.ClaimOptions{Lease: o.Lease})
				if err != nil || o.ID == "" || next.ID == o.ID {
					return next, err
				}
				next.Status = dataexport.StatusPending
				_, _ = f.Store.Update(ctx, next, 0)
				if asked, err := f.Find(ctx, o.ID); err == nil && asked.Scope.WorkspaceID != next.Scope.WorkspaceID {
					return dataexport.Job{}, dataexport.ErrNoJob
				}
				return f.Store.Claim(ctx, o)
			}
		}},
		{"first come, first served", "Fairness/fewest held jobs", func(f *faulty) { inOrder(f, func(ids []string) []string { return ids }) }},
		{"last come, first served", "Fairness/oldest job of a workspace", func(f *faulty) {
			inOrder(f, func(ids []string) []string {
				ids = slices.Clone(ids)
				slices.Reverse(ids)
				return ids
			})
		}},
		{"never wakes", "WorkWaiter/wakes for a new job", func(f *faulty) {
			f.wait = func(ctx context.Context) error {
				<-ctx.Done()
				return ctx.Err()
			}
		}},
		{"hides the end of the context", "WorkWaiter/returns the error of its context", func(f *faulty) {
			f.wait = func(ctx context.Context) error {
				if err := f.Store.WaitForWork(ctx); err != nil {
					return errors.New("it took too long")
				}
				return nil
			}
		}},
	}
}

// inOrder makes Claim give out the first job that can be claimed in an order of all jobs by age.
func inOrder(f *faulty, order func(ids []string) []string) {
	var ids []string // the faulty tests that use it create from one goroutine before others claim
	f.create = func(ctx context.Context, n dataexport.NewJob) (dataexport.Job, bool, error) {
		ids = append(ids, n.ID)
		return f.Store.Create(ctx, n)
	}
	f.claim = func(ctx context.Context, o dataexport.ClaimOptions) (dataexport.Job, error) {
		if o.ID != "" {
			return f.Store.Claim(ctx, o)
		}
		for _, id := range order(ids) {
			o.ID = id
			if j, err := f.Store.Claim(ctx, o); err == nil {
				return j, nil
			}
		}
		return dataexport.Job{}, dataexport.ErrNoJob
	}
}

func faultsOfUpdate() []fault {
	after := func(change func(j *dataexport.Job)) func(*faulty) {
		return func(f *faulty) {
			f.update = func(ctx context.Context, j dataexport.Job, d time.Duration) (dataexport.Job, error) {
				change(&j)
				return f.Store.Update(ctx, j, d)
			}
		}
	}
	return []fault{
		{"does not compare the version", "Update/refuses another version", func(f *faulty) {
			f.update = func(ctx context.Context, j dataexport.Job, d time.Duration) (dataexport.Job, error) {
				if stored, err := f.Find(ctx, j.ID); err == nil {
					j.Version = stored.Version
				}
				return f.Store.Update(ctx, j, d)
			}
		}},
		{"conflict of a job that is gone", "Update/of a job that is gone", func(f *faulty) {
			f.update = func(ctx context.Context, j dataexport.Job, d time.Duration) (dataexport.Job, error) {
				updated, err := f.Store.Update(ctx, j, d)
				if errors.Is(err, dataexport.ErrNotFound) {
					err = dataexport.ErrConflict
				}
				return updated, err
			}
		}},
		{"loses the error", "Update/writes its fields and no others", after(func(j *dataexport.Job) { j.Error = nil })},
		{"loses a total of 0", "Fields/round trip", after(func(j *dataexport.Job) {
			if j.Progress.Total != nil && *j.Progress.Total == 0 {
				j.Progress.Total = nil
			}
		})},
		{"numbers of 32 bits", "Update/writes its fields and no others", after(func(j *dataexport.Job) { j.FileSize = int64(int32(j.FileSize)) })}, //nolint:gosec // the fault
		{"moves the creation", "Update/writes its fields and no others", func(f *faulty) {
			f.update = func(ctx context.Context, j dataexport.Job, d time.Duration) (dataexport.Job, error) {
				updated, err := f.Store.Update(ctx, j, d)
				updated.CreatedAt = j.CreatedAt
				return updated, err
			}
		}},
		{"a day less of retention", "Update/completes a job", func(f *faulty) {
			f.update = func(ctx context.Context, j dataexport.Job, d time.Duration) (dataexport.Job, error) {
				if j.Status == dataexport.StatusReady && d > 24*time.Hour {
					d -= 24 * time.Hour
				}
				return f.Store.Update(ctx, j, d)
			}
		}},
		{"no delay", "Claim/after the delay", func(f *faulty) {
			f.update = func(ctx context.Context, j dataexport.Job, d time.Duration) (dataexport.Job, error) {
				if j.Status == dataexport.StatusPending {
					d = 0
				}
				return f.Store.Update(ctx, j, d)
			}
		}},
	}
}

func faultsOfDue() []fault {
	change := func(change func(q *dataexport.DueQuery)) func(*faulty) {
		return func(f *faulty) {
			f.due = func(ctx context.Context, q dataexport.DueQuery) ([]dataexport.Job, time.Duration, error) {
				change(&q)
				return f.Store.Due(ctx, q)
			}
		}
	}
	result := func(change func(jobs []dataexport.Job, next time.Duration) ([]dataexport.Job, time.Duration)) func(*faulty) {
		return func(f *faulty) {
			f.due = func(ctx context.Context, q dataexport.DueQuery) ([]dataexport.Job, time.Duration, error) {
				jobs, next, err := f.Store.Due(ctx, q)
				jobs, next = change(jobs, next)
				return jobs, next, err
			}
		}
	}
	type list = []dataexport.Job
	return []fault{
		{"no grace", "Due/files", change(func(q *dataexport.DueQuery) { q.FileGrace = 0 })},
		{"grace for all", "Due/files", change(func(q *dataexport.DueQuery) { q.FileGrace = q.Keep })},
		{"keeps nothing", "Due/failed jobs", change(func(q *dataexport.DueQuery) { q.Keep = 0 })},
		{"no limit", "Due/limit", change(func(q *dataexport.DueQuery) { q.Limit = 1000 })},
		{"any order", "Due/order", result(func(jobs list, next time.Duration) (list, time.Duration) {
			slices.Reverse(jobs)
			return jobs, next
		})},
		{"never in sight", "Due/files", result(func(jobs list, _ time.Duration) (list, time.Duration) { return jobs, -1 })},
		{"always in sight", "Due/nothing in sight", result(func(jobs list, next time.Duration) (list, time.Duration) {
			return jobs, max(next, 0)
		})},
		{"does not tell of a cut", "Due/limit", result(func(jobs list, next time.Duration) (list, time.Duration) {
			if next == 0 {
				next = -1
			}
			return jobs, next
		})},
		{"failed jobs stay", "Due/failed jobs", result(func(jobs list, next time.Duration) (list, time.Duration) {
			return slices.DeleteFunc(jobs, func(j dataexport.Job) bool { return j.Status == dataexport.StatusFailed }), next
		})},
	}
}

func faultsOfStats() []fault {
	stats := func(change func(*dataexport.Stats)) func(*faulty) {
		return func(f *faulty) {
			f.stats = func(ctx context.Context) (dataexport.Stats, error) {
				stats, err := f.Store.Stats(ctx)
				change(&stats)
				return stats, err
			}
		}
	}
	return []fault{
		{"formats are counted together", "StatsReader/counts", stats(func(s *dataexport.Stats) {
			for i := range s.Jobs {
				s.Jobs[i].Format = ""
			}
		})},
		{"expired jobs are counted as ready", "StatsReader/counts", stats(func(s *dataexport.Stats) {
			for i := range s.Jobs {
				if s.Jobs[i].Status == dataexport.StatusExpired {
					s.Jobs[i].Status = dataexport.StatusReady
				}
			}
		})},
		{"no job waits", "StatsReader/tells how long a job waits", stats(func(s *dataexport.Stats) { s.Waiting = 0 })},
	}
}
