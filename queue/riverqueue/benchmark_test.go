package riverqueue_test

import (
	"context"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/memory"
	"github.com/dataexport/dataexport/queue/riverqueue"
	"github.com/dataexport/dataexport/render"
	"github.com/dataexport/dataexport/store/memblob"
	"github.com/dataexport/dataexport/store/pgstore"
)

// How the contestants are equipped: as many who order as who work.
const (
	benchmarkWorkers   = 16
	benchmarkInserters = 16
)

// BenchmarkThroughput compares, in one run, how many tiny jobs a second River does that do nothing, how many exports of one record
// River does through this package, and how many dataexport.Service.Run does. Jobs are ordered one by one by many at the same time,
// while they are being worked on. Run it with -benchtime=5000x, several times.
func BenchmarkThroughput(b *testing.B) {
	for _, workspaces := range []int{1, 100} {
		b.Run("workspaces="+strconv.Itoa(workspaces), func(b *testing.B) {
			bare := throughputOfRiver(b)
			queued := throughputOfQueue(b, workspaces, true)
			pooled := throughputOfQueue(b, workspaces, false)
			b.ReportMetric(0, "ns/op") // would be of all three together
			b.ReportMetric(bare, "river/s")
			b.ReportMetric(queued, "riverqueue/s")
			b.ReportMetric(pooled, "pool/s")
			b.ReportMetric(queued/bare, "riverqueue/river")
			b.ReportMetric(pooled/bare, "pool/river")
		})
	}
}

func benchmarkPool(b *testing.B) *pgxpool.Pool {
	b.Helper()
	config, err := pgxpool.ParseConfig(postgres.NewDatabase(b))
	require.NoError(b, err)
	config.MaxConns = 20
	pool, err := pgxpool.NewWithConfig(b.Context(), config)
	require.NoError(b, err)
	b.Cleanup(pool.Close)
	require.NoError(b, riverqueue.Migrate(b.Context(), pool, ""))
	return pool
}

// rate inserts b.N jobs, waits until all are done, and returns how many were done in a second.
func rate(b *testing.B, done *atomic.Int64, insert func(i int) error) float64 {
	b.Helper()
	begin := time.Now()
	var next atomic.Int64
	var group sync.WaitGroup
	for range benchmarkInserters {
		group.Go(func() {
			for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
				if err := insert(int(i)); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	inserted := time.Since(begin)
	require.Eventually(b, func() bool { return done.Load() >= int64(b.N) }, 5*time.Minute, 2*time.Millisecond)
	b.Logf("%d inserted in %s, done in %s", b.N, inserted.Round(time.Millisecond), time.Since(begin).Round(time.Millisecond))
	return float64(b.N) / time.Since(begin).Seconds()
}

type nothingArgs struct {
	Number int `json:"number"`
}

func (nothingArgs) Kind() string { return "nothing" }

func throughputOfRiver(b *testing.B) float64 {
	pool := benchmarkPool(b)
	var done atomic.Int64
	workers := river.NewWorkers()
	river.AddWorker(workers, river.WorkFunc(func(context.Context, *river.Job[nothingArgs]) error {
		done.Add(1)
		return nil
	}))
	client, err := river.NewClient(riverpgxv5.New(pool), &river.Config{
		Logger: slog.New(slog.DiscardHandler), Workers: workers,
		Queues: map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: benchmarkWorkers, FetchCooldown: 5 * time.Millisecond}},
	})
	require.NoError(b, err)
	require.NoError(b, client.Start(b.Context()))
	defer func() { require.NoError(b, client.Stop(context.Background())) }()
	return rate(b, &done, func(i int) error {
		tx, err := pool.Begin(b.Context())
		if err != nil {
			return err
		}
		defer tx.Rollback(b.Context()) //nolint:errcheck // does nothing after the commit
		if _, err := client.InsertTx(b.Context(), tx, nothingArgs{Number: i}, nil); err != nil {
			return err
		}
		return tx.Commit(b.Context())
	})
}

func throughputOfQueue(b *testing.B, workspaces int, throughRiver bool) float64 {
	pool := benchmarkPool(b)
	require.NoError(b, pgstore.Migrate(b.Context(), pool))
	logger := slog.New(slog.DiscardHandler)
	queue, err := riverqueue.New(pool, riverqueue.Options{Workers: benchmarkWorkers, Logger: logger})
	require.NoError(b, err)
	var done atomic.Int64
	var options pgstore.Options
	if throughRiver {
		options.OnCreate, options.Quiet = queue.Insert, true
	}
	s := pgstore.New(pool, options)
	service, err := dataexport.New(dataexport.Config{
		Datasets:  []dataexport.Dataset{memory.Dataset(oneRecord)},
		Renderers: []dataexport.Renderer{render.JSON()},
		Store:     s,
		Blobs:     memblob.New(),
		Logger:    logger,
		Limits:    dataexport.Limits{ActiveJobs: -1, ReadyFiles: -1},
		Workers:   benchmarkWorkers,
		Hooks: []dataexport.Hooks{{Event: func(_ context.Context, e dataexport.Event) {
			if e.Kind == dataexport.EventReady {
				done.Add(1)
			}
		}}},
	})
	require.NoError(b, err)
	ctx, stop := context.WithCancel(b.Context())
	ended := make(chan error, 1)
	go func() {
		if throughRiver {
			ended <- queue.Run(ctx, service, s)
			return
		}
		ended <- service.Run(ctx)
	}()
	defer func() {
		stop()
		require.NoError(b, <-ended)
	}()
	return rate(b, &done, func(i int) error {
		_, _, err := service.Create(b.Context(), dataexport.CreateRequest{
			Scope: dataexport.Scope{WorkspaceID: "workspace-" + strconv.Itoa(i%workspaces), Subject: "ana"},
		})
		return err
	})
}
