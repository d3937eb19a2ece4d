package riverqueue_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivertype"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/queue/riverqueue"
	"github.com/dataexport/dataexport/store/pgstore/postgrestest"
)

func TestOptionsThatMakeNoSense(t *testing.T) {
	for name, o := range map[string]riverqueue.Options{
		"queue":    {Queue: "no spaces please", Workers: 1},
		"workers":  {Workers: -1},
		"sweep":    {SweepInterval: time.Millisecond},
		"lost":     {LostAfter: -1},
		"drain":    {DrainTimeout: -1},
		"schema":   {Schema: "a b"},
		"cooldown": {FetchCooldown: time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := riverqueue.New(nil, o)
			require.ErrorIs(t, err, dataexport.ErrInvalid)
		})
	}
}

func TestRunSaysThatTheTablesAreMissing(t *testing.T) {
	w := newMember(t, postgres.NewDatabase(t), setting{})
	require.ErrorContains(t, w.queue.Run(t.Context(), w.Service, w.store), "Migrate")
}

func TestRunLeavesNothingBehind(t *testing.T) {
	w := newWorld(t, setting{})
	job := w.create("acme")
	before := goleak.IgnoreCurrent()
	stop := w.run()
	w.untilStatus(job.ID, dataexport.StatusReady)
	stop()
	goleak.VerifyNone(t, before)
}

// Two processes share the work, and no export is made twice.
func TestTwoClientsShareTheWork(t *testing.T) {
	database := postgres.NewDatabase(t)
	one := newWorldAt(t, database, setting{})
	two := newMember(t, database, setting{})
	const exports = 60
	ids := make([]string, exports)
	for i := range ids {
		ids[i] = one.create(fmt.Sprintf("workspace-%d", i%3)).ID
	}
	one.run()
	two.run()
	for _, id := range ids {
		assert.Equal(t, 1, one.untilStatus(id, dataexport.StatusReady).Attempts)
		one.untilRiver(id, rivertype.JobStateCompleted)
	}
	assert.Equal(t, exports, len(one.sources.order())+len(two.sources.order()))
	assert.NotContains(t, one.log.String()+two.log.String(), "level=ERROR")
}

type hostArgs struct {
	Stuck bool `json:"stuck"`
}

func (hostArgs) Kind() string { return "host.work" }

// A host has work of its own, and timeouts for it that would be far too short for an export. They do not apply to exports: an export that takes
// longer is neither killed nor rescued while the host's work is.
func TestTheClientOfAHost(t *testing.T) {
	w := newWorld(t, setting{})
	const timeout = 50 * time.Millisecond
	killed, rescued := make(chan error, 1), make(chan struct{})
	workers := river.NewWorkers()
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, job *river.Job[hostArgs]) error {
		if job.Args.Stuck {
			close(rescued)
			return nil
		}
		<-ctx.Done()
		killed <- context.Cause(ctx)
		return river.JobCancel(ctx.Err())
	}))
	config := &river.Config{
		Logger:               w.logger(),
		Workers:              workers,
		Queues:               map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: 1}},
		JobTimeout:           timeout,
		RescueStuckJobsAfter: timeout,
		RetryPolicy:          soon{},
		SoftStopTimeout:      time.Millisecond,
	}
	require.NoError(t, w.queue.Configure(config, w.Service, w.store))
	client, err := river.NewClient(riverpgxv5.New(w.pool), config)
	require.NoError(t, err)

	release := make(chan struct{})
	waiting := w.sources.block(release)
	job := w.create("acme")
	require.NoError(t, w.startWith(client))
	<-waiting
	running := w.riverJob(job.ID)
	// What River would rescue.
	w.exec("UPDATE river_job SET attempted_at = now() - interval '1 day' WHERE id = $1", running.ID)
	stuck, err := client.Insert(t.Context(), hostArgs{Stuck: true}, &river.InsertOpts{Queue: "nobody"})
	require.NoError(t, err)
	w.exec(`UPDATE river_job SET state = 'running', queue = 'default', attempt = 1, attempted_at = now() - interval '1 day' WHERE id = $1`, stuck.Job.ID)
	_, err = client.Insert(t.Context(), hostArgs{}, nil)
	require.NoError(t, err)

	require.ErrorIs(t, <-killed, context.DeadlineExceeded, "River kills what has a timeout")
	<-rescued // by a second leader's look if the first was too early
	after := w.riverJob(job.ID)
	assert.Equal(t, rivertype.JobStateRunning, after.State)
	assert.Equal(t, 1, after.Attempt)
	close(release)
	assert.Equal(t, 1, w.untilStatus(job.ID, dataexport.StatusReady).Attempts)
	w.untilRiver(job.ID, rivertype.JobStateCompleted)
}

func TestConfigureRefusesAQueueThatIsTaken(t *testing.T) {
	w := newWorld(t, setting{})
	config := &river.Config{Queues: map[string]river.QueueConfig{"dataexport": {MaxWorkers: 1}}}
	require.ErrorIs(t, w.queue.Configure(config, w.Service, w.store), dataexport.ErrInvalid)
	config = &river.Config{}
	require.NoError(t, w.queue.Configure(config, w.Service, w.store))
	require.ErrorIs(t, w.queue.Configure(config, w.Service, w.store), dataexport.ErrInvalid, "the workers are there already")
}

func TestAClientThatDoesNotLeadGetsNoPeriodicJobs(t *testing.T) {
	w := newWorld(t, setting{})
	config := &river.Config{LeaderElectionDisabled: true}
	require.NoError(t, w.queue.Configure(config, w.Service, w.store))
	assert.Empty(t, config.PeriodicJobs)
	_, err := river.NewClient(riverpgxv5.New(w.pool), config)
	require.NoError(t, err)
}

// Processes that start at the same time add the index once, and later ones do not touch the table.
func TestMigrateAddsAnIndex(t *testing.T) {
	w := newWorld(t, setting{})
	w.exec("DROP INDEX river_job_dataexport")
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() { assert.NoError(t, riverqueue.Migrate(t.Context(), w.pool, "")) })
	}
	group.Wait()
	err := pgx.BeginFunc(t.Context(), w.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(t.Context(), "LOCK TABLE river_job IN ROW EXCLUSIVE MODE"); err != nil {
			return err
		}
		return riverqueue.Migrate(t.Context(), w.pool, "")
	})
	require.NoError(t, err)
}

// While PostgreSQL is away nothing is lost, and all goes on by itself.
func TestPostgresGoesAway(t *testing.T) {
	server := postgrestest.Run(t, postgrestest.Options{})
	for name, leave := range map[string]func(w *world){
		"for a restart": func(w *world) { require.NoError(t, server.Restart(postgrestest.Fast)) },
		"in a crash":    func(w *world) { require.NoError(t, server.Restart(postgrestest.Immediate)) },
		"by the connections": func(w *world) {
			w.exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()")
		},
	} {
		t.Run(name, func(t *testing.T) {
			database := "test_" + fmt.Sprint(len(name))
			admin, err := pgxpool.New(t.Context(), server.URL("postgres"))
			require.NoError(t, err)
			defer admin.Close()
			_, err = admin.Exec(t.Context(), "CREATE DATABASE "+database)
			require.NoError(t, err)
			w := newWorldAt(t, server.URL(database), setting{config: func(c *dataexport.Config) { c.Lease = 2 * time.Second }})
			release := make(chan struct{})
			waiting := w.sources.block(release)
			under := w.create("acme")
			w.run()
			<-waiting
			leave(w)
			close(release)
			w.eventuallyStatus(under, dataexport.StatusReady)
			later := w.create("acme")
			w.eventuallyStatus(later, dataexport.StatusReady)
			w.eventuallyRiver(under.ID, rivertype.JobStateCompleted)
		})
	}
}

// A service may be started before its database.
func TestRunWaitsForPostgres(t *testing.T) {
	server := postgrestest.Run(t, postgrestest.Options{})
	w := newWorldAt(t, server.URL("postgres"), setting{})
	job := w.create("acme")
	require.NoError(t, server.Halt(postgrestest.Fast))
	w.run()
	w.until("the failed start should be logged", func() bool { return contains(w.log, "River could not be started") })
	require.NoError(t, server.Resume())
	w.eventuallyStatus(job, dataexport.StatusReady)
}

func TestRunThatCouldNotStartStops(t *testing.T) {
	server := postgrestest.Run(t, postgrestest.Options{})
	w := newWorldAt(t, server.URL("postgres"), setting{})
	require.NoError(t, server.Halt(postgrestest.Fast))
	stop := w.run()
	w.until("the failed start should be logged", func() bool { return contains(w.log, "River could not be started") })
	stop()
}
