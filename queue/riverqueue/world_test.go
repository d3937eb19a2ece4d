package riverqueue_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivertype"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/memory"
	"github.com/dataexport/dataexport/queue/riverqueue"
	"github.com/dataexport/dataexport/render"
	"github.com/dataexport/dataexport/store/memblob"
	"github.com/dataexport/dataexport/store/pgstore"
	"github.com/dataexport/dataexport/store/pgstore/postgrestest"
)

var postgres postgrestest.Shared

func TestMain(m *testing.M) { os.Exit(postgres.Main(m)) }

// A world is a service whose exports are done by River, in a database of its own.
type world struct {
	*dataexport.Service
	t       *testing.T
	pool    *pgxpool.Pool
	queue   *riverqueue.Queue
	store   *pgstore.Store
	blobs   *memblob.Store
	sources *sources
	log     *safeBuffer
	client  *river.Client[pgx.Tx] // what an operator uses
}

// A setting changes how a world is made.
type setting struct {
	schema  string // of River's tables
	options func(*riverqueue.Options)
	config  func(*dataexport.Config)
}

// newWorld makes a world in which lost jobs and sweeps are noticed soon.
func newWorld(t *testing.T, s setting) *world {
	t.Helper()
	return newWorldAt(t, postgres.NewDatabase(t), s)
}

func newWorldAt(t *testing.T, database string, s setting) *world {
	t.Helper()
	w := newMember(t, database, s)
	if s.schema != "" {
		w.exec("CREATE SCHEMA " + s.schema)
	}
	require.NoError(t, riverqueue.Migrate(t.Context(), w.pool, s.schema))
	require.NoError(t, pgstore.Migrate(t.Context(), w.pool))
	return w
}

// newMember makes a world in a database that is ready, as another process of the same service would.
func newMember(t *testing.T, database string, s setting) *world {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), database)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	w := &world{t: t, pool: pool, blobs: memblob.New(), sources: newSources(), log: new(safeBuffer)}
	logger := w.logger()
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(w.log.String())
		}
	})
	options := riverqueue.Options{
		FetchPollInterval: 50 * time.Millisecond, SweepInterval: time.Second, LostAfter: 300 * time.Millisecond,
		DrainTimeout: time.Millisecond, Logger: logger, Schema: s.schema,
	}
	if s.options != nil {
		s.options(&options)
	}
	w.queue, err = riverqueue.New(pool, options)
	require.NoError(t, err)
	w.store = pgstore.New(pool, pgstore.Options{OnCreate: w.queue.Insert})
	config := dataexport.Config{
		Datasets:  []dataexport.Dataset{w.sources.dataset()},
		Renderers: render.Standard(),
		Store:     w.store,
		Blobs:     w.blobs,
		Logger:    logger,
		Limits:    dataexport.Limits{ActiveJobs: -1},
	}
	if s.config != nil {
		s.config(&config)
	}
	w.Service, err = dataexport.New(config)
	require.NoError(t, err)
	w.client, err = river.NewClient(riverpgxv5.New(pool), &river.Config{Logger: logger, Schema: s.schema})
	require.NoError(t, err)
	return w
}

// run has exports done until stop is called or the test ends.
func (w *world) run() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.queue.Run(ctx, w.Service, w.store) }()
	stop = sync.OnceFunc(func() {
		cancel()
		require.NoError(w.t, <-ended)
	})
	w.t.Cleanup(stop)
	return stop
}

// create orders an export for a workspace.
func (w *world) create(workspace string) dataexport.Job {
	w.t.Helper()
	job, _, err := w.Create(w.t.Context(), dataexport.CreateRequest{Scope: dataexport.Scope{WorkspaceID: workspace, Subject: "ana"}})
	require.NoError(w.t, err)
	return job
}

// find returns an export.
func (w *world) find(id string) dataexport.Job {
	w.t.Helper()
	job, err := w.store.Find(w.t.Context(), id)
	require.NoError(w.t, err)
	return job
}

// until waits for a condition.
func (w *world) until(what string, condition func() bool) {
	w.t.Helper()
	require.Eventually(w.t, condition, 30*time.Second, 10*time.Millisecond, what)
}

// untilStatus waits until an export is in a state, and returns it.
func (w *world) untilStatus(id string, status dataexport.Status) dataexport.Job {
	w.t.Helper()
	w.until(fmt.Sprintf("export %s should become %s", id, status), func() bool { return w.find(id).Status == status })
	return w.find(id)
}

// riverJobs returns the River jobs of an export, the oldest first.
func (w *world) riverJobs(id string) []*rivertype.JobRow {
	w.t.Helper()
	jobs, err := w.listRiverJobs(id)
	require.NoError(w.t, err)
	return jobs
}

func (w *world) listRiverJobs(id string) ([]*rivertype.JobRow, error) {
	page, err := w.client.JobList(w.t.Context(), river.NewJobListParams().Kinds(riverqueue.ExportKind).
		Where("args ->> 'export_id' = @id", river.NamedArgs{"id": id}))
	if err != nil {
		return nil, err
	}
	return page.Jobs, nil
}

// riverJob returns the only River job of an export.
func (w *world) riverJob(id string) *rivertype.JobRow {
	w.t.Helper()
	jobs := w.riverJobs(id)
	require.Len(w.t, jobs, 1)
	return jobs[0]
}

// untilRiver waits until the only River job of an export is in a state, and returns it.
func (w *world) untilRiver(id string, state rivertype.JobState) *rivertype.JobRow {
	w.t.Helper()
	w.until(fmt.Sprintf("the River job of %s should become %s", id, state), func() bool { return w.riverJob(id).State == state })
	return w.riverJob(id)
}

// eventuallyRiver is untilRiver where the database may still be away: the pool can hold connections that are dead.
func (w *world) eventuallyRiver(id string, state rivertype.JobState) {
	w.t.Helper()
	w.until(fmt.Sprintf("the River job of %s should become %s", id, state), func() bool {
		jobs, err := w.listRiverJobs(id)
		return err == nil && len(jobs) == 1 && jobs[0].State == state
	})
}

// content returns the file of an export.
func (w *world) content(job dataexport.Job) string {
	w.t.Helper()
	file, err := w.Open(w.t.Context(), job.Scope, job.ID)
	require.NoError(w.t, err)
	defer file.Close()
	var b bytes.Buffer
	_, err = b.ReadFrom(file)
	require.NoError(w.t, err)
	return b.String()
}

// eventuallyStatus waits until an export is in a state, whatever the database says meanwhile.
func (w *world) eventuallyStatus(job dataexport.Job, status dataexport.Status) {
	w.t.Helper()
	w.until(fmt.Sprintf("export %s should become %s", job.ID, status), func() bool {
		found, err := w.store.Find(w.t.Context(), job.ID)
		return err == nil && found.Status == status
	})
}

func (w *world) logger() *slog.Logger { return slog.New(slog.NewTextHandler(w.log, nil)) }

// startWith starts a client that the test has configured, and stops it when the test ends.
func (w *world) startWith(client *river.Client[pgx.Tx]) error {
	w.t.Cleanup(func() { require.NoError(w.t, client.Stop(context.Background())) })
	return client.Start(context.Background())
}

// soon is a retry policy for what River rescues.
type soon struct{}

func (soon) NextRetry(*rivertype.JobRow) time.Time { return time.Now().Add(time.Millisecond) }

func contains(log *safeBuffer, text string) bool { return strings.Contains(log.String(), text) }

func (w *world) exec(sql string, arguments ...any) {
	w.t.Helper()
	_, err := w.pool.Exec(w.t.Context(), sql, arguments...)
	require.NoError(w.t, err)
}

// valueOf returns a member of the metadata of a River job.
func valueOf(t *testing.T, job *rivertype.JobRow, member string) any {
	t.Helper()
	var metadata map[string]any
	require.NoError(t, json.Unmarshal(job.Metadata, &metadata))
	return metadata[member]
}

// sources is a dataset of one memory for each workspace, whose sources do what the test wants.
type sources struct {
	mu     sync.Mutex
	opened []string // the workspaces of the sources, in order
	open   func(ctx context.Context, q dataexport.Query, yield func(*memory.Record, error) bool)
}

func newSources() *sources { return &sources{} }

// each has every source call a function before its one record.
func (s *sources) each(open func(ctx context.Context, q dataexport.Query, yield func(*memory.Record, error) bool)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open = open
}

// order returns the workspaces of the sources so far.
func (s *sources) order() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.opened...)
}

func (s *sources) dataset() dataexport.Dataset {
	return memory.Dataset(func(ctx context.Context, q dataexport.Query) iter.Seq2[*memory.Record, error] {
		return func(yield func(*memory.Record, error) bool) {
			s.mu.Lock()
			s.opened = append(s.opened, q.Scope.WorkspaceID)
			open := s.open
			s.mu.Unlock()
			if open != nil {
				open(ctx, q, yield)
				return
			}
			yield(record(q), nil)
		}
	})
}

// oneRecord is what a source gives that does nothing special.
func oneRecord(_ context.Context, q dataexport.Query) iter.Seq2[*memory.Record, error] {
	return func(yield func(*memory.Record, error) bool) { yield(record(q), nil) }
}

func record(q dataexport.Query) *memory.Record {
	return &memory.Record{ID: "m1", WorkspaceID: q.Scope.WorkspaceID, Content: "tea", CreatedAt: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)}
}

// block has every source wait until it is released or cancelled, and returns what gets a value when one waits.
func (s *sources) block(release <-chan struct{}) (waiting <-chan struct{}) {
	started := make(chan struct{}, 10_000)
	s.each(func(ctx context.Context, q dataexport.Query, yield func(*memory.Record, error) bool) {
		started <- struct{}{}
		select {
		case <-release:
			yield(record(q), nil)
		case <-ctx.Done():
			yield(nil, ctx.Err())
		}
	})
	return started
}

// A safeBuffer takes the log of several goroutines.
type safeBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}
