package pgstore

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/store/pgstore/postgrestest"
)

// BenchmarkLife measures the steps of tiny jobs, one kind of step after the other, with a server that waits for the disk
// and one that does not. Run it with -benchtime=1000x and compare within one run.
func BenchmarkLife(b *testing.B) {
	for _, durable := range []bool{false, true} {
		server, err := postgrestest.Start(postgrestest.Options{Durable: durable})
		if err != nil {
			b.Skip(err)
		}
		pool, err := pgxpool.New(b.Context(), server.URL("postgres")+"&pool_max_conns=20")
		require.NoError(b, err)
		require.NoError(b, Migrate(b.Context(), pool))
		for _, workers := range []int{1, 8} {
			for _, workspaces := range []int{1, 300} {
				b.Run(fmt.Sprintf("durable=%t/workers=%d/workspaces=%d", durable, workers, workspaces), func(b *testing.B) {
					live(b, New(pool, Options{}), workers, workspaces)
				})
			}
		}
		pool.Close()
		require.NoError(b, server.Stop())
	}
}

// live takes b.N jobs through their life and reports how many make each step in a second.
func live(b *testing.B, s *Store, workers, workspaces int) {
	jobs := make([]dataexport.Job, b.N)
	began := time.Now()
	step := func(name string, do func(i int) error) {
		began := time.Now()
		var next atomic.Int64
		var group sync.WaitGroup
		for range workers {
			group.Go(func() {
				for i := next.Add(1) - 1; i < int64(b.N); i = next.Add(1) - 1 {
					if err := do(int(i)); err != nil {
						b.Error(err)
						return
					}
				}
			})
		}
		group.Wait()
		b.ReportMetric(float64(b.N)/time.Since(began).Seconds(), name+"/s")
	}
	step("create", func(i int) error {
		n := newJob(fmt.Sprint("workspace ", i%workspaces))
		n.IdempotencyKey = n.ID // so that it takes the lock of its workspace
		_, _, err := s.Create(b.Context(), n)
		return err
	})
	step("claim", func(i int) (err error) {
		jobs[i], err = s.Claim(b.Context(), dataexport.ClaimOptions{Lease: time.Hour})
		return err
	})
	step("finish", func(i int) error {
		jobs[i].Status = dataexport.StatusReady
		_, err := s.Update(b.Context(), jobs[i], time.Hour)
		return err
	})
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(b.N)/time.Since(began).Seconds(), "life/s")
}
