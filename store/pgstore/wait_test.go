package pgstore

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/store/pgstore/postgrestest"
)

// patience is how long a test waits for what must happen.
const patience = 30 * time.Second

// waits counts how often a Store says that there may be work, until stop is called.
func waits(t *testing.T, s *Store) (returned <-chan struct{}, stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	returns := make(chan struct{}, 10_000)
	ended := make(chan error, 1)
	go func() {
		for {
			if err := s.WaitForWork(ctx); err != nil {
				ended <- err
				return
			}
			select {
			case returns <- struct{}{}:
			default:
			}
			if _, err := s.Claim(ctx, dataexport.ClaimOptions{Lease: time.Hour}); err == nil {
				returns <- struct{}{}
			}
		}
	}()
	return returns, func() error {
		cancel()
		return <-ended
	}
}

// listeners returns how many connections of a database have said LISTEN last, or are in the middle of it.
func listeners(t *testing.T, pool *pgxpool.Pool) (count int) {
	t.Helper()
	require.NoError(t, pool.QueryRow(t.Context(), `SELECT count(*) FROM pg_stat_activity
		WHERE datname = current_database() AND pid <> pg_backend_pid() AND wait_event = 'ClientRead'
			AND (query LIKE 'LISTEN %' OR query LIKE '%ORDER BY held_until LIMIT 1' AND query LIKE '%interval ''100 years''%')`).Scan(&count))
	return count
}

func untilListening(t *testing.T, pool *pgxpool.Pool, want int) {
	t.Helper()
	require.Eventually(t, func() bool { return listeners(t, pool) == want }, patience, time.Millisecond)
}

func untilGiven(t *testing.T, s *Store, id string) {
	t.Helper()
	require.Eventually(t, func() bool {
		j, err := s.Find(t.Context(), id)
		return err == nil && j.Status == dataexport.StatusProcessing
	}, patience, time.Millisecond)
}

// Nothing but NOTIFY can wake the waiter here: it has no deadline, and no other reason to look.
func TestWakesOtherProcesses(t *testing.T) {
	database := postgres.NewDatabase(t)
	pool, others := openPool(t, database), openPool(t, database)
	require.NoError(t, Migrate(t.Context(), pool))
	s, other := New(pool, Options{}), New(others, Options{})
	_, stop := waits(t, s)
	untilListening(t, others, 1)
	untilGiven(t, other, orderFor(t, other, "a"))

	first := orderFor(t, other, "a")
	untilGiven(t, other, first)
	job, err := other.Find(t.Context(), first)
	require.NoError(t, err)
	untilListening(t, others, 1)
	job.Status = dataexport.StatusPending
	_, err = other.Update(t.Context(), job, 0)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		again, err := other.Find(t.Context(), first)
		return err == nil && again.Attempts == 2
	}, patience, time.Millisecond)
	require.ErrorIs(t, stop(), context.Canceled)

	// The connection is clean and in the pool.
	require.Eventually(t, func() bool { return pool.Stat().AcquiredConns() == 0 }, patience, time.Millisecond)
	for range pool.Stat().TotalConns() {
		var listening int
		require.NoError(t, pool.QueryRow(t.Context(), "SELECT count(*) FROM pg_listening_channels()").Scan(&listening))
		require.Zero(t, listening)
	}
}

// One of those who wait holds the one connection. A job wakes one, who wakes the next if there is more.
func TestManyWaitOnOneConnection(t *testing.T) {
	pool := migrated(t)
	s := New(pool, Options{})
	ctx, cancel := context.WithCancel(t.Context())
	const callers = 20
	var group sync.WaitGroup
	claimed := make(chan string, callers)
	for range callers {
		group.Go(func() { // a worker that takes one job and never ends it
			for {
				job, err := s.Claim(ctx, dataexport.ClaimOptions{Lease: time.Hour})
				if err == nil {
					claimed <- job.ID
					return
				}
				if s.WaitForWork(ctx) != nil {
					return
				}
			}
		})
	}
	other := openPool(t, pool.Config().ConnString())
	untilListening(t, other, 1)
	require.Eventually(t, func() bool { return pool.Stat().AcquiredConns() == 1 }, patience, time.Millisecond)
	orders := New(other, Options{})
	for range callers - 1 {
		orderFor(t, orders, "a")
	}
	jobs := make(map[string]bool)
	for range callers - 1 {
		jobs[<-claimed] = true
	}
	require.Len(t, jobs, callers-1)
	cancel()
	group.Wait()
	require.Eventually(t, func() bool { return pool.Stat().AcquiredConns() == 0 }, patience, time.Millisecond)
}

func TestWakesWhenTimeHasCome(t *testing.T) {
	pool := migrated(t)
	s := New(pool, Options{})
	job, err := s.Claim(t.Context(), dataexport.ClaimOptions{ID: orderFor(t, s, "a"), Lease: time.Hour})
	require.NoError(t, err)
	job.Status = dataexport.StatusPending
	delayed, err := s.Update(t.Context(), job, 300*time.Millisecond)
	require.NoError(t, err)
	calls := 0
	for {
		require.NoError(t, s.WaitForWork(t.Context()))
		calls++
		job, err = s.Claim(t.Context(), dataexport.ClaimOptions{Lease: time.Hour})
		if err == nil {
			break
		}
		require.ErrorIs(t, err, dataexport.ErrNoJob)
	}
	require.False(t, job.StartedAt.Before(delayed.HeldUntil))
	require.Less(t, calls, 10)
}

// The waiter must not keep the one connection from those who make work.
func TestPoolOfOneConnection(t *testing.T) {
	config := migrated(t).Config()
	config.MaxConns = 1
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	s := New(pool, Options{})
	_, stop := waits(t, s)
	for range 5 {
		untilGiven(t, s, orderFor(t, s, "a"))
	}
	require.ErrorIs(t, stop(), context.Canceled)
}

// However the server goes away, the waiter does not spin, and waits for it to come back.
func TestWaitOutlastsTrouble(t *testing.T) {
	server := postgrestest.Run(t, postgrestest.Options{})
	pool := openPool(t, server.URL("postgres"))
	require.NoError(t, Migrate(t.Context(), pool))
	s := New(pool, Options{})
	var calls atomic.Int64
	start := func() (stop func()) {
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() {
			var err error
			for ; err == nil; err = s.WaitForWork(ctx) {
				calls.Add(1)
			}
			ended <- err
		}()
		return func() {
			cancel()
			require.ErrorIs(t, <-ended, context.Canceled)
		}
	}
	stop := start()
	untilListening(t, pool, 1)

	_, err := pool.Exec(t.Context(),
		"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
	require.NoError(t, err)
	untilListening(t, pool, 1)
	require.Less(t, calls.Load(), int64(5))

	require.NoError(t, server.Halt(postgrestest.Immediate))
	down := calls.Load()
	require.Eventually(t, func() bool { return calls.Load() >= down+2 }, patience, 10*time.Millisecond)
	require.Less(t, calls.Load(), down+10)
	require.NoError(t, server.Resume())
	require.Eventually(t, func() bool { return pool.Ping(t.Context()) == nil }, patience, 10*time.Millisecond)
	untilListening(t, pool, 1)

	stop() // Close waits for all connections
	pool.Close()
	defer start()()
	closed := calls.Load()
	require.Eventually(t, func() bool { return calls.Load() >= closed+2 }, patience, 10*time.Millisecond)
	require.Less(t, calls.Load(), closed+10)
}

func TestWaitLeavesNoGoroutine(t *testing.T) {
	pool := migrated(t)
	s := New(pool, Options{})
	before := goleak.IgnoreCurrent()
	for range 10 {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
		require.ErrorIs(t, s.WaitForWork(ctx), context.DeadlineExceeded)
		cancel()
	}
	orderFor(t, s, "a")
	require.NoError(t, s.WaitForWork(t.Context()))
	pool.Close() // which ends those of the pool
	goleak.VerifyNone(t, before)
}
