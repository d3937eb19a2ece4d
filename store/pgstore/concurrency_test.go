package pgstore

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
)

// Many claim at once what waits in many workspaces: each job is given out once, nobody is told that there is none while
// there are some, and at no time has a workspace been given much more than another that still waits.
func TestClaimersAtOnce(t *testing.T) {
	const claimers = 16
	for workspaces, jobs := range map[int]int{1: 300, 5: 300, 50: 2_000} {
		t.Run(fmt.Sprint(workspaces), func(t *testing.T) {
			database := migrated(t).Config().ConnString() + "&pool_max_conns=16"
			pool := openPool(t, database)
			fill(t, pool, filling{waiting: jobs, workspaces: workspaces, ended: 100})
			_, err := pool.Exec(t.Context(), "DELETE FROM dataexport_jobs WHERE status = 'PROCESSING'")
			require.NoError(t, err)
			s := New(pool, Options{})
			var mu sync.Mutex
			given := make(map[string]bool, jobs)
			held := make(map[string]int)
			var group sync.WaitGroup
			for range claimers {
				group.Go(func() {
					for {
						job, err := s.Claim(t.Context(), dataexport.ClaimOptions{Lease: time.Hour})
						if errors.Is(err, dataexport.ErrNoJob) {
							return
						}
						if !assert.NoError(t, err) {
							return
						}
						mu.Lock()
						assert.False(t, given[job.ID], "given out twice")
						given[job.ID] = true
						held[job.Scope.WorkspaceID]++
						if len(given) == jobs/2 {
							least, most := jobs, 0
							for i := range workspaces {
								n := held[fmt.Sprint("workspace ", i)]
								least, most = min(least, n), max(most, n)
							}
							// Each claimer may be about to tell of one more.
							assert.LessOrEqual(t, most-least, 1+claimers/2, "%v", held)
						}
						mu.Unlock()
					}
				})
			}
			group.Wait()
			require.Len(t, given, jobs)
			require.Equal(t, jobs, value[int](t, pool, "SELECT count(*)::int FROM dataexport_jobs WHERE version = 2 AND attempts = 2"))
		})
	}
}

// All methods at once, on few workspaces, with keys and quotas: no deadlock, no other error than the contract's, and never
// more active jobs than the quota.
func TestEverythingAtOnce(t *testing.T) {
	const quota, workers, rounds = 5, 12, 60
	pool := openPool(t, migrated(t).Config().ConnString()+"&pool_max_conns=12")
	s := New(pool, Options{})
	expected := []error{
		dataexport.ErrTooManyExports, dataexport.ErrNoJob, dataexport.ErrConflict, dataexport.ErrNotFound, dataexport.ErrIdempotencyKeyReused,
	}
	check := func(err error) {
		for _, target := range expected {
			if errors.Is(err, target) {
				return
			}
		}
		assert.NoError(t, err)
	}
	var group sync.WaitGroup
	for worker := range workers {
		group.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(worker)))
			for range rounds {
				n := newJob(fmt.Sprint("w", random.IntN(2)))
				n.MaxActive = quota
				n.IdempotencyKey = fmt.Sprint("key", random.IntN(20))
				_, _, err := s.Create(t.Context(), n)
				check(err)
				_, active, err := s.List(t.Context(), n.Scope, dataexport.ListQuery{Status: dataexport.StatusPending, Limit: 1})
				check(err)
				assert.LessOrEqual(t, active, quota)
				job, err := s.Claim(t.Context(), dataexport.ClaimOptions{Lease: time.Duration(1+random.IntN(20)) * time.Millisecond})
				check(err)
				if err != nil {
					continue
				}
				switch random.IntN(4) {
				case 0:
					_, err = s.Delete(t.Context(), job.Scope, job.ID)
				case 1:
					job.Status = dataexport.StatusPending
					_, err = s.Update(t.Context(), job, 0)
				default:
					job.Status = dataexport.StatusReady
					_, err = s.Update(t.Context(), job, time.Hour)
				}
				check(err)
			}
		})
	}
	group.Wait()
	require.LessOrEqual(t, value[int](t, pool, `SELECT coalesce(max(n), 0)::int FROM (SELECT count(*) AS n FROM dataexport_jobs
		WHERE status IN ('PENDING', 'PROCESSING') GROUP BY workspace_id) AS active`), quota)
}

// The quota holds exactly also where the database has another isolation level for its default.
func TestQuotaUnderOtherDefaults(t *testing.T) {
	for _, level := range []string{"read committed", "repeatable read", "serializable"} {
		t.Run(level, func(t *testing.T) {
			s := New(with(t, migrated(t), "default_transaction_isolation", level), Options{})
			var made, refused int
			var mu sync.Mutex
			var group sync.WaitGroup
			for range 20 {
				group.Go(func() {
					n := newJob("a")
					n.MaxActive = 3
					_, _, err := s.Create(context.WithoutCancel(t.Context()), n)
					mu.Lock()
					defer mu.Unlock()
					switch {
					case err == nil:
						made++
					case errors.Is(err, dataexport.ErrTooManyExports):
						refused++
					default:
						assert.NoError(t, err)
					}
				})
			}
			group.Wait()
			require.Equal(t, 3, made)
			require.Equal(t, 17, refused)
		})
	}
}

// Somebody who holds the lock of a workspace for long stops orders of that workspace alone.
func TestALockedWorkspaceStopsNoOther(t *testing.T) {
	pool := migrated(t)
	s := New(pool, Options{})
	locked := make(chan error, 1)
	err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(t.Context(), lockWorkspace, workspaceLock, "a"); err != nil {
			return err
		}
		go func() {
			n := newJob("a")
			n.MaxActive = 10
			_, _, err := s.Create(t.Context(), n)
			locked <- err
		}()
		require.Eventually(t, func() bool {
			return value[int](t, pool, "SELECT count(*)::int FROM pg_locks WHERE locktype = 'advisory' AND NOT granted") == 1
		}, patience, time.Millisecond)
		for _, workspace := range []string{"b", "c"} {
			n := newJob(workspace)
			n.MaxActive = 10
			if _, _, err := s.Create(t.Context(), n); err != nil {
				return err
			}
		}
		_, _, err := s.Create(t.Context(), newJob("a")) // without a quota
		return err
	})
	require.NoError(t, err)
	require.NoError(t, <-locked)
	require.Empty(t, s.orders.byWorkspace)
}

// A row that cannot be read is an error of whoever claims it, and of nobody else: the others are given out.
func TestUnreadableRowAmongOthers(t *testing.T) {
	pool := migrated(t)
	s := New(pool, Options{})
	orderFor(t, s, "a")
	bad := orderFor(t, s, "a")
	orderFor(t, s, "a")
	_, err := pool.Exec(t.Context(), "UPDATE dataexport_jobs SET filter = 'no JSON' WHERE id = $1", bad)
	require.NoError(t, err)
	given, err := s.claimAny(t.Context(), slices.Repeat([]dataexport.ClaimOptions{{Lease: time.Hour}}, 4))
	require.NoError(t, err)
	require.NoError(t, given[0].err)
	require.ErrorContains(t, given[1].err, bad)
	require.NoError(t, given[2].err)
	require.ErrorIs(t, given[3].err, dataexport.ErrNoJob)
	require.Equal(t, 3, value[int](t, pool, "SELECT count(*)::int FROM dataexport_jobs WHERE version = 2"))
}

// Jobs that are made together do not count as a queue that keeps everybody busy.
func TestABurstIsAnnounced(t *testing.T) {
	pool := migrated(t)
	s := New(pool, Options{})
	conn, err := pool.Acquire(t.Context())
	require.NoError(t, err)
	defer conn.Release()
	_, err = conn.Exec(t.Context(), "LISTEN "+channel)
	require.NoError(t, err)
	var burst []order
	for range ordersTogether {
		burst = append(burst, order{NewJob: newJob("a"), filter: "{}"})
	}
	_, err = s.createTogether(t.Context(), burst)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	_, err = conn.Conn().WaitForNotification(ctx)
	require.NoError(t, err)
}
