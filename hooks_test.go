package dataexport_test

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/memory"
)

// A witness remembers what hooks were told.
type witness struct {
	mu     sync.Mutex
	events []dataexport.Event
}

func (w *witness) hooks() []dataexport.Hooks {
	return []dataexport.Hooks{{Event: func(_ context.Context, e dataexport.Event) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.events = append(w.events, e)
	}}}
}

// kinds returns what was told of a job, and forgets it.
func (w *witness) kinds(t *testing.T, id string) (kinds []dataexport.EventKind) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range w.events {
		require.Equal(t, id, e.Job.ID)
		kinds = append(kinds, e.Kind)
	}
	w.events = nil
	return kinds
}

func (w *witness) last() dataexport.Event { return w.events[len(w.events)-1] }

func TestHooksAreToldOfAWholeLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &witness{}
		f := newFixture(t, memory.Slice(memories("acme", 3)), func(c *dataexport.Config) {
			c.Hooks = w.hooks()
			c.PollInterval, c.SweepInterval = 24*time.Hour, 24*time.Hour
		})
		job := f.create(t) // before there is a worker, which might be faster than the event
		stop := f.start(t)
		defer stop()
		synctest.Wait()
		ready := w.last()
		assert.Equal(t, f.get(t, job.ID), ready.Job)
		require.NoError(t, ready.Err)
		assert.Equal(t, []dataexport.EventKind{dataexport.EventCreated, dataexport.EventStarted, dataexport.EventReady}, w.kinds(t, job.ID))

		_, replayed, err := f.Create(t.Context(), dataexport.CreateRequest{Scope: scope, IdempotencyKey: "again"})
		require.NoError(t, err)
		require.False(t, replayed)
		synctest.Wait()
		other := w.last().Job.ID
		w.kinds(t, other)
		_, replayed, err = f.Create(t.Context(), dataexport.CreateRequest{Scope: scope, IdempotencyKey: "again"})
		require.NoError(t, err)
		require.True(t, replayed)
		require.NoError(t, f.Delete(t.Context(), scope, other))
		assert.Equal(t, []dataexport.EventKind{dataexport.EventDeleted}, w.kinds(t, other))

		time.Sleep(73 * time.Hour)
		synctest.Wait()
		assert.Equal(t, dataexport.StatusExpired, w.last().Job.Status)
		assert.Equal(t, []dataexport.EventKind{dataexport.EventExpired}, w.kinds(t, job.ID))
		time.Sleep(31 * 24 * time.Hour)
		synctest.Wait()
		assert.Equal(t, []dataexport.EventKind{dataexport.EventForgotten}, w.kinds(t, job.ID))
	})
}

func TestHooksAreToldOfFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &witness{}
		failing := sourceFunc(func(context.Context, dataexport.Query) iter.Seq2[*memory.Record, error] {
			return func(yield func(*memory.Record, error) bool) {
				time.Sleep(time.Minute)
				yield(nil, errSecret)
			}
		})
		f := newFixture(t, failing, func(c *dataexport.Config) { c.Hooks, c.MaxAttempts = w.hooks(), 2 })
		job := f.create(t)
		_, err := f.Runner().RunNext(t.Context())
		require.NoError(t, err)
		require.ErrorIs(t, w.last().Err, errSecret)
		assert.Equal(t, time.Minute, w.last().Elapsed)
		assert.Equal(t, dataexport.StatusPending, w.last().Job.Status)
		time.Sleep(time.Minute)
		_, err = f.Runner().RunNext(t.Context())
		require.NoError(t, err)
		require.ErrorIs(t, w.last().Err, errSecret)
		assert.Equal(t, []dataexport.EventKind{
			dataexport.EventCreated, dataexport.EventStarted, dataexport.EventRetried, dataexport.EventStarted, dataexport.EventFailed,
		}, w.kinds(t, job.ID))
	})
}

func TestHooksAreToldOfWhatEndsForNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &witness{}
		b := newBlocking()
		f := newFixture(t, b.dataset(), func(c *dataexport.Config) { c.Hooks = w.hooks() })
		job := f.create(t)
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			<-b.started
			cancel()
		}()
		_, err := f.Runner().RunNext(ctx)
		require.NoError(t, err)
		go func() {
			<-b.started
			assert.NoError(t, f.Delete(t.Context(), scope, job.ID))
		}()
		_, err = f.Runner().RunNext(t.Context())
		require.ErrorIs(t, err, dataexport.ErrConflict)
		synctest.Wait()
		assert.Equal(t, []dataexport.EventKind{
			dataexport.EventCreated, dataexport.EventStarted, dataexport.EventHandedBack,
			dataexport.EventStarted, dataexport.EventDeleted, dataexport.EventLost,
		}, w.kinds(t, job.ID))
	})
}

// A silentStore answers no update.
type silentStore struct{ dataexport.Store }

func (silentStore) Update(context.Context, dataexport.Job, time.Duration) (dataexport.Job, error) {
	return dataexport.Job{}, dataexport.ErrUnavailable
}

func TestHooksAreToldOfAnEndThatNobodyWroteDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &witness{}
		f := newFixture(t, memory.Slice(memories("acme", 3)), func(c *dataexport.Config) {
			c.Hooks, c.Store = w.hooks(), silentStore{c.Store}
		})
		job := f.create(t)
		_, err := f.Runner().RunNext(t.Context())
		require.ErrorIs(t, err, dataexport.ErrUnavailable)
		require.ErrorIs(t, w.last().Err, dataexport.ErrUnavailable)
		assert.Equal(t, []dataexport.EventKind{dataexport.EventCreated, dataexport.EventStarted, dataexport.EventLost}, w.kinds(t, job.ID))
	})
}

type contextKey struct{}

func TestTheContextOfAnAttempt(t *testing.T) {
	var atSource, atEnd, seenByOther any
	source := sourceFunc(func(ctx context.Context, _ dataexport.Query) iter.Seq2[*memory.Record, error] {
		return func(func(*memory.Record, error) bool) { atSource = ctx.Value(contextKey{}) }
	})
	f := newFixture(t, source, func(c *dataexport.Config) {
		c.Hooks = []dataexport.Hooks{
			{Attempt: func(ctx context.Context, j dataexport.Job) context.Context {
				return context.WithValue(ctx, contextKey{}, j.ID)
			}},
			{Attempt: func(ctx context.Context, _ dataexport.Job) context.Context {
				seenByOther = ctx.Value(contextKey{})
				return ctx
			}},
			{Event: func(ctx context.Context, e dataexport.Event) {
				if e.Kind == dataexport.EventReady {
					atEnd = ctx.Value(contextKey{})
				}
			}},
		}
	})
	job := f.create(t)
	_, err := f.Runner().RunNext(t.Context())
	require.NoError(t, err)
	assert.Equal(t, job.ID, atSource)
	assert.Equal(t, job.ID, atEnd)
	assert.Equal(t, job.ID, seenByOther)
}

func TestHooksThatPanicChangeNothing(t *testing.T) {
	told := 0
	f := newFixture(t, memory.Slice(memories("acme", 3)), func(c *dataexport.Config) {
		c.Hooks = []dataexport.Hooks{
			{
				Attempt: func(context.Context, dataexport.Job) context.Context { panic("no context") },
				Event:   func(context.Context, dataexport.Event) { panic("no event") },
			},
			{Event: func(context.Context, dataexport.Event) { told++ }},
		}
	})
	job := f.create(t)
	done, err := f.Runner().RunNext(t.Context())
	require.NoError(t, err)
	assert.Equal(t, dataexport.StatusReady, done.Status)
	assert.Contains(t, f.log.String(), `panic="no context"`)
	assert.Contains(t, f.log.String(), `panic="no event"`)
	assert.Contains(t, f.log.String(), job.ID)
	assert.Equal(t, 3, told, "the others are told all the same")
}

// An engine that is told to give a job up says why, and the user learns it.
func TestAnAttemptThatIsCancelledForAReasonFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBlocking()
		f := newFixture(t, b.dataset(), nil)
		job := f.create(t)
		ctx, cancel := context.WithCancelCause(t.Context())
		go func() {
			<-b.started
			cancel(&dataexport.PublicError{Code: "CANCELLED", Message: "An operator cancelled the export.", Permanent: true})
		}()
		done, err := f.Runner().RunJob(ctx, job.ID)
		require.NoError(t, err)
		assert.Equal(t, dataexport.StatusFailed, done.Status)
		assert.Equal(t, &dataexport.JobError{Code: "CANCELLED", Message: "An operator cancelled the export."}, done.Error)
		assert.Empty(t, f.keys(t))
	})
}

func TestFailJob(t *testing.T) {
	reason := &dataexport.PublicError{Code: "CANCELLED", Message: "An operator cancelled the export.", Err: errors.New("button pressed")}
	f := newFixture(t, memory.Slice(memories("acme", 3)), nil)
	job := f.create(t)
	_, err := f.Runner().FailJob(t.Context(), job.ID, nil)
	require.ErrorIs(t, err, dataexport.ErrInvalid)
	assert.Equal(t, job, f.get(t, job.ID), "a call that makes no sense must not touch the job")
	failed, err := f.Runner().FailJob(t.Context(), job.ID, reason)
	require.NoError(t, err)
	assert.Equal(t, failed, f.get(t, job.ID))
	assert.Equal(t, dataexport.StatusFailed, failed.Status)
	assert.Equal(t, &dataexport.JobError{Code: "CANCELLED", Message: "An operator cancelled the export."}, failed.Error)

	again, err := f.Runner().FailJob(t.Context(), job.ID, reason)
	require.ErrorIs(t, err, dataexport.ErrNoJob)
	assert.Equal(t, failed, again)
	_, err = f.Runner().FailJob(t.Context(), "019bc0f5-3a80-7000-8000-000000000001", reason)
	require.ErrorIs(t, err, dataexport.ErrNotFound)
	_, err = f.Runner().FailJob(t.Context(), "", reason)
	require.ErrorIs(t, err, dataexport.ErrInvalid)
}

// Every line that the log has about a job says which job it is, whose, and at which attempt.
func TestLogLinesNameTheJob(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var lines []map[string]string
		failing := sourceFunc(func(context.Context, dataexport.Query) iter.Seq2[*memory.Record, error] {
			return func(yield func(*memory.Record, error) bool) { yield(nil, errSecret) }
		})
		f := newFixture(t, failing, func(c *dataexport.Config) {
			c.Logger = slog.New(&collecting{lines: &lines})
			c.MaxAttempts = 2
		})
		job := f.create(t)
		for range 2 {
			_, err := f.Runner().RunNext(t.Context())
			require.NoError(t, err)
			time.Sleep(time.Minute)
		}
		require.Len(t, lines, 4) // each attempt begins, one is tried again, the other fails
		for i, line := range lines {
			assert.Equal(t, job.ID, line["job"])
			assert.Equal(t, scope.WorkspaceID, line["workspace"])
			assert.Equal(t, []string{"1", "1", "2", "2"}[i], line["attempt"])
		}
	})
}

// A collecting handler keeps the attributes of every line.
type collecting struct {
	lines *[]map[string]string
	attrs []slog.Attr
}

func (h *collecting) Enabled(context.Context, slog.Level) bool { return true }

func (h *collecting) Handle(_ context.Context, r slog.Record) error {
	line := make(map[string]string)
	keep := func(a slog.Attr) bool {
		line[a.Key] = a.Value.String()
		return true
	}
	for _, a := range h.attrs {
		keep(a)
	}
	r.Attrs(keep)
	*h.lines = append(*h.lines, line)
	return nil
}

func (h *collecting) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &collecting{h.lines, append(h.attrs[:len(h.attrs):len(h.attrs)], attrs...)}
}

func (h *collecting) WithGroup(string) slog.Handler { return h }
