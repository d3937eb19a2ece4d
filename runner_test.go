package dataexport_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/memory"
)

func TestReadyMeansThatTheFileIsThereWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, memory.Slice(memories("acme", 1000)), nil)
		stop := f.start(t)
		defer stop()
		job := f.create(t)
		synctest.Wait()

		job = f.get(t, job.ID)
		require.Equal(t, dataexport.StatusReady, job.Status, f.log)
		want := wholeFile(1000)
		sum := sha256.Sum256([]byte(want))
		assert.Equal(t, want, f.read(t, job.ID))
		assert.Equal(t, hex.EncodeToString(sum[:]), job.SHA256)
		assert.EqualValues(t, len(want), job.FileSize)
		assert.EqualValues(t, 1000, job.RecordCount)
		assert.EqualValues(t, 1000, job.Progress.Records)
		assert.Equal(t, job.CompletedAt.Add(72*time.Hour), job.ExpiresAt)
		assert.Equal(t, 1, job.Attempts)
		assert.Equal(t, []string{job.BlobKey}, f.keys(t))
	})
}

func TestFilterAndCutOffAreFrozenAtCreation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var records []memory.Record
		f := newFixture(t, sourceFunc(func(ctx context.Context, q dataexport.Query) iter.Seq2[*memory.Record, error] {
			return func(yield func(*memory.Record, error) bool) {
				for i := range records {
					if q.Match(records[i].Attributes()) && !yield(&records[i], nil) {
						return
					}
				}
			}
		}), nil)
		records = memories("acme", 3)
		job := f.create(t)
		atCreation := memory.Record{ID: "same-instant", WorkspaceID: "acme", CreatedAt: job.CreatedAt}
		later := memory.Record{ID: "later", WorkspaceID: "acme", CreatedAt: job.CreatedAt.Add(1)}
		records = append(records, atCreation, later)

		done, err := f.Runner().RunJob(t.Context(), job.ID)
		require.NoError(t, err)
		assert.EqualValues(t, 4, done.RecordCount)
		assert.Contains(t, f.read(t, job.ID), "same-instant\n4 in all")
	})
}

// Whatever goes wrong while a file is made, no part of it is ever called READY, and the user learns a reason but no internals.
func TestNeverPartialDataAsSuccess(t *testing.T) {
	failing := func(err error) dataexport.Dataset {
		return sourceFunc(func(context.Context, dataexport.Query) iter.Seq2[*memory.Record, error] {
			return func(yield func(*memory.Record, error) bool) {
				records := memories("acme", 1)
				if yield(&records[0], nil) {
					yield(nil, err)
				}
			}
		})
	}
	yielding := func(records ...memory.Record) dataexport.Dataset {
		return sourceFunc(func(context.Context, dataexport.Query) iter.Seq2[*memory.Record, error] {
			return func(yield func(*memory.Record, error) bool) {
				for i := range records {
					if !yield(&records[i], nil) {
						return
					}
				}
			}
		})
	}
	two := memories("acme", 2)
	tests := []struct {
		name     string
		dataset  dataexport.Dataset
		change   func(*dataexport.Config)
		attempts int
		want     dataexport.JobError
	}{
		{
			name: "a source error is tried again and then given up", dataset: failing(errSecret), attempts: 5,
			want: dataexport.JobError{Code: "EXPORT_FAILED", Message: "The export could not be completed. Please try again later."},
		},
		{
			name:     "a public error is shown",
			dataset:  failing(&dataexport.PublicError{Code: "GONE", Message: "It is gone.", Permanent: true, Err: errSecret}),
			attempts: 1,
			want:     dataexport.JobError{Code: "GONE", Message: "It is gone."},
		},
		{
			name: "a row of another workspace", dataset: yielding(two[0], memories("other", 2)[1]), attempts: 1,
			want: dataexport.JobError{Code: "BAD_DATA", Message: "The data holds a record that cannot be exported."},
		},
		{
			name: "rows out of order", dataset: yielding(two[1], two[0]), attempts: 1,
			want: dataexport.JobError{Code: "BAD_DATA", Message: "The data holds a record that cannot be exported."},
		},
		{
			name: "the same row twice", dataset: yielding(two[0], two[0]), attempts: 1,
			want: dataexport.JobError{Code: "BAD_DATA", Message: "The data holds a record that cannot be exported."},
		},
		{
			name: "too many records", dataset: memory.Slice(memories("acme", 11)), attempts: 1,
			change: func(c *dataexport.Config) { c.Limits.Records = 10 },
			want: dataexport.JobError{
				Code:    "LIMIT_EXCEEDED",
				Message: "The export has more than 10 records, which is the most that is allowed. Narrow it with filters.",
			},
		},
		{
			name: "too many bytes", dataset: memory.Slice(memories("acme", 11)), attempts: 1,
			change: func(c *dataexport.Config) { c.Limits.Bytes = 20 },
			want: dataexport.JobError{
				Code:    "LIMIT_EXCEEDED",
				Message: "The export has more than 20 bytes, which is the most that is allowed. Narrow it with filters.",
			},
		},
		{
			name: "the renderer panics", dataset: memory.Slice(memories("acme", 3)), attempts: 5,
			change: func(c *dataexport.Config) {
				c.Renderers = []dataexport.Renderer{lines{name: "lines", row: func(dataexport.Row) error { panic(errSecret) }}}
			},
			want: dataexport.JobError{Code: "EXPORT_FAILED", Message: "The export could not be completed. Please try again later."},
		},
		{
			name: "the blob store fails", dataset: memory.Slice(memories("acme", 3)), attempts: 5,
			change: func(c *dataexport.Config) { c.Blobs = failingWriter{c.Blobs, errSecret} },
			want:   dataexport.JobError{Code: "EXPORT_FAILED", Message: "The export could not be completed. Please try again later."},
		},
		{
			name: "the writer of the blob store panics", dataset: memory.Slice(memories("acme", 3)), attempts: 5,
			change: func(c *dataexport.Config) { c.Blobs = panickingWriter{c.Blobs} },
			want:   dataexport.JobError{Code: "EXPORT_FAILED", Message: "The export could not be completed. Please try again later."},
		},
		{
			name: "the scope has nothing", attempts: 1,
			dataset: memory.RowDataset(func(context.Context, dataexport.Query) (dataexport.Source, error) {
				return nil, fmt.Errorf("account: %w", dataexport.ErrNotFound)
			}),
			want: dataexport.JobError{Code: "NOTHING_TO_EXPORT", Message: "What was to be exported does not exist."},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t, test.dataset, test.change)
				defer f.start(t)()
				job := f.create(t)
				time.Sleep(5 * time.Minute) // more than all delays between the attempts

				job = f.get(t, job.ID)
				require.Equal(t, dataexport.StatusFailed, job.Status)
				assert.Equal(t, &test.want, job.Error)
				assert.Equal(t, test.attempts, job.Attempts)
				assert.False(t, job.CompletedAt.IsZero())
				assert.Zero(t, job.ExpiresAt)
				assert.Empty(t, f.keys(t), "a file was left")
				assert.Contains(t, f.log.String(), "job="+job.ID, "the cause must be in the log")
				_, err := f.Open(t.Context(), scope, job.ID)
				assert.ErrorIs(t, err, dataexport.ErrFailed)
			})
		})
	}
}

// failingWriter is a blob store that fails while a file is written.
type failingWriter struct {
	dataexport.BlobStore
	err error
}

func (s failingWriter) Put(ctx context.Context, key string, f dataexport.Format, write func(io.Writer) error) error {
	return s.BlobStore.Put(ctx, key, f, func(io.Writer) error { return write(writerFunc(func([]byte) (int, error) { return 0, s.err })) })
}

// panickingWriter is a blob store with a bug.
type panickingWriter struct{ dataexport.BlobStore }

func (s panickingWriter) Put(ctx context.Context, key string, f dataexport.Format, write func(io.Writer) error) error {
	return s.BlobStore.Put(ctx, key, f, func(io.Writer) error { return write(writerFunc(func([]byte) (int, error) { panic("bug") })) })
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

func TestRetriesWaitLongerEachTimeAndCanSucceed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var attempts []time.Time
		f := newFixture(t, sourceFunc(func(context.Context, dataexport.Query) iter.Seq2[*memory.Record, error] {
			return func(yield func(*memory.Record, error) bool) {
				if attempts = append(attempts, time.Now()); len(attempts) < 4 {
					yield(nil, errSecret)
				}
			}
		}), nil)
		defer f.start(t)()
		job := f.create(t)
		time.Sleep(time.Minute)

		job = f.get(t, job.ID)
		assert.Equal(t, dataexport.StatusReady, job.Status)
		assert.Equal(t, 4, job.Attempts)
		require.Len(t, attempts, 4)
		for i, least := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second} {
			waited := attempts[i+1].Sub(attempts[i])
			assert.GreaterOrEqual(t, waited, least)
			assert.LessOrEqual(t, waited, least+time.Second, "at the latest the next poll finds it")
		}
	})
}

// A worker that is paused past its lease comes back to a job that another worker has done. It changes neither job nor file.
func TestALostLeaseChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := newBlocking()
		slow.ignoreCancel = true // as a paused process does
		f := newFixture(t, slow.dataset(), func(c *dataexport.Config) { c.Store = &deafStore{Store: c.Store} })
		job := f.create(t)

		first := make(chan error, 1)
		go func() {
			_, err := f.Runner().RunNext(t.Context())
			first <- err
		}()
		<-slow.started
		time.Sleep(31 * time.Second) // the store did not hear the renewals: the lease is over

		other := newFixture(t, memory.Slice(memories("acme", 7)), func(c *dataexport.Config) { c.Store, c.Blobs = f.store, f.blobs })
		done, err := other.Runner().RunNext(t.Context())
		require.NoError(t, err)
		require.Equal(t, dataexport.StatusReady, done.Status)
		require.Equal(t, 2, done.Attempts)

		close(slow.release)
		assert.ErrorIs(t, <-first, dataexport.ErrConflict)
		synctest.Wait()
		assert.Equal(t, done, f.get(t, job.ID))
		assert.Equal(t, wholeFile(7), f.read(t, job.ID))
		assert.Equal(t, []string{done.BlobKey}, f.keys(t))
	})
}

// deafStore does not hear that a lease is renewed.
type deafStore struct{ dataexport.Store }

func (s *deafStore) Update(ctx context.Context, j dataexport.Job, d time.Duration) (dataexport.Job, error) {
	if j.Status == dataexport.StatusProcessing {
		return dataexport.Job{}, errors.New("connection refused")
	}
	return s.Store.Update(ctx, j, d)
}

func TestALongExportKeepsItsLeaseAndShowsProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := newBlocking()
		f := newFixture(t, slow.dataset(), func(c *dataexport.Config) { c.StallTimeout = time.Hour })
		defer f.start(t)()
		job := f.create(t)
		time.Sleep(30 * time.Minute)

		running := f.get(t, job.ID)
		assert.Equal(t, dataexport.StatusProcessing, running.Status)
		assert.Equal(t, 1, running.Attempts)
		assert.EqualValues(t, 1, running.Progress.Records)
		close(slow.release)
		synctest.Wait()
		assert.Equal(t, dataexport.StatusReady, f.get(t, job.ID).Status)
	})
}

func TestAGracefulStopHandsTheJobBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := newBlocking()
		f := newFixture(t, slow.dataset(), nil)
		stop := f.start(t)
		job := f.create(t)
		<-slow.started
		began := time.Now()
		stop()
		assert.Zero(t, time.Since(began), "a source that heeds its context stops at once")

		job = f.get(t, job.ID)
		assert.Equal(t, dataexport.StatusPending, job.Status)
		assert.Zero(t, job.Attempts)
		assert.Empty(t, f.keys(t))
		_, _, err := f.Create(t.Context(), dataexport.CreateRequest{Scope: scope})
		assert.ErrorIs(t, err, dataexport.ErrUnavailable, "a stopped service takes no orders")

		close(slow.release)
		defer f.start(t)()
		synctest.Wait()
		job = f.get(t, job.ID)
		assert.Equal(t, dataexport.StatusReady, job.Status)
		assert.Equal(t, 1, job.Attempts)
	})
}

func TestAGracefulStopHasADeadlineForSourcesThatIgnoreTheirContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		deaf := newBlocking()
		deaf.ignoreCancel = true
		f := newFixture(t, deaf.dataset(), func(c *dataexport.Config) { c.StopTimeout, c.Lease = 20*time.Second, 15*time.Second })
		stop := f.start(t)
		job := f.create(t)
		<-deaf.started
		began := time.Now()
		stop()
		assert.Equal(t, 20*time.Second, time.Since(began))
		job = f.get(t, job.ID)
		assert.Equal(t, dataexport.StatusPending, job.Status, "the lease was renewed while the worker waited")
		assert.Zero(t, job.Attempts)

		close(deaf.release) // what was left behind goes on and ends, without effect
		synctest.Wait()
		assert.Equal(t, job, f.get(t, job.ID))
		assert.Empty(t, f.keys(t))
	})
}

func TestCrashesAreCountedAndCapped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, memory.Slice(nil), nil)
		job := f.create(t)
		for range 5 { // five workers that claim and are never heard of again
			_, err := f.store.Claim(t.Context(), dataexport.ClaimOptions{Lease: time.Second})
			require.NoError(t, err)
			time.Sleep(2 * time.Second)
		}
		defer f.start(t)()
		synctest.Wait()
		job = f.get(t, job.ID)
		assert.Equal(t, dataexport.StatusFailed, job.Status)
		assert.Equal(t, 5, job.Attempts)
		assert.Equal(t, &dataexport.JobError{
			Code: "INTERRUPTED", Message: "The export was interrupted 5 times and was given up.",
		}, job.Error)
	})
}

func TestDeleteWinsOverCompletion(t *testing.T) {
	for _, when := range []string{"while rendering", "while rendering in another process", "between commit and READY"} {
		t.Run(when, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				slow := newBlocking()
				f := newFixture(t, slow.dataset(), nil)
				var job dataexport.Job
				if when == "between commit and READY" {
					close(slow.release)
					f = newFixture(t, slow.dataset(), func(c *dataexport.Config) {
						c.Store = &beforeReady{Store: c.Store, do: func() { require.NoError(t, f.Delete(t.Context(), scope, job.ID)) }}
					})
				}
				job = f.create(t)
				defer f.start(t)()
				<-slow.started
				switch when {
				case "while rendering":
					require.NoError(t, f.Delete(t.Context(), scope, job.ID))
				case "while rendering in another process":
					other := newFixture(t, slow.dataset(), func(c *dataexport.Config) { c.Store, c.Blobs = f.store, f.blobs })
					require.NoError(t, other.Delete(t.Context(), scope, job.ID))
					time.Sleep(2 * time.Second) // the next renewal of the lease tells the worker
				}
				synctest.Wait()
				assert.Contains(t, f.log.String(), "export was deleted meanwhile")
				assert.NotContains(t, f.log.String(), "level=WARN")
				_, err := f.Get(t.Context(), scope, job.ID)
				assert.ErrorIs(t, err, dataexport.ErrNotFound)
				assert.Empty(t, f.keys(t))
				assert.ErrorIs(t, f.Delete(t.Context(), scope, job.ID), dataexport.ErrNotFound)
			})
		})
	}
}

// Whoever orders and deletes in a circle does not keep the workers busy.
func TestDeletingFreesTheWorkerAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := newBlocking()
		f := newFixture(t, slow.dataset(), func(c *dataexport.Config) { c.Workers = 1 })
		defer f.start(t)()
		began := time.Now()
		for range 10 {
			job := f.create(t)
			<-slow.started
			require.NoError(t, f.Delete(t.Context(), scope, job.ID))
		}
		assert.Zero(t, time.Since(began))
	})
}

// A job under way shows how far it is every two seconds.
func TestProgressIsShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := newBlocking()
		f := newFixture(t, slow.dataset(), nil)
		defer f.start(t)()
		job := f.create(t)
		<-slow.started
		time.Sleep(2 * time.Second)
		synctest.Wait()
		assert.Equal(t, dataexport.Progress{Records: 1}, f.get(t, job.ID).Progress)
	})
}

// beforeReady does something at the moment when a job is to become READY.
type beforeReady struct {
	dataexport.Store
	do func()
}

func (s *beforeReady) Update(ctx context.Context, j dataexport.Job, d time.Duration) (dataexport.Job, error) {
	if j.Status == dataexport.StatusReady {
		s.do()
	}
	return s.Store.Update(ctx, j, d)
}

// The store fails at the very end, when the file is there already. The worker does not drop what it has made.
func TestAStoreThatFailsForAWhileCostsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failures := 5
		f := newFixture(t, memory.Slice(memories("acme", 3)), nil)
		f = newFixture(t, memory.Slice(memories("acme", 3)), func(c *dataexport.Config) {
			c.Store = &flakyStore{Store: f.store, failures: &failures}
			c.Blobs = f.blobs
		})
		job := f.create(t)
		done, err := f.Runner().RunJob(t.Context(), job.ID)
		require.NoError(t, err)
		assert.Equal(t, dataexport.StatusReady, done.Status)
		assert.Zero(t, failures)
		assert.Equal(t, wholeFile(3), f.read(t, job.ID))
	})
}

// flakyStore fails a number of updates.
type flakyStore struct {
	dataexport.Store
	failures *int
}

func (s *flakyStore) Update(ctx context.Context, j dataexport.Job, d time.Duration) (dataexport.Job, error) {
	if *s.failures > 0 {
		*s.failures--
		return dataexport.Job{}, fmt.Errorf("%w: connection refused", dataexport.ErrUnavailable)
	}
	return s.Store.Update(ctx, j, d)
}

// The file is committed, and then the process dies or loses its store for good. The next attempt makes the file again
// under another key, and removes the first.
func TestAFileOfALostAttemptIsRemovedByTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, memory.Slice(memories("acme", 3)), nil)
		failures := 1 << 30
		dying := newFixture(t, memory.Slice(memories("acme", 3)), func(c *dataexport.Config) {
			c.Store, c.Blobs = &flakyStore{Store: f.store, failures: &failures}, f.blobs
		})
		job := f.create(t)
		_, err := dying.Runner().RunNext(t.Context())
		require.ErrorIs(t, err, dataexport.ErrUnavailable)
		require.Equal(t, []string{job.ID + "/2"}, f.keys(t))
		require.NoError(t, f.Runner().SweepOrphans(t.Context()))
		require.Equal(t, []string{job.ID + "/2"}, f.keys(t), "the job is active: its worker may still be at it")

		time.Sleep(30 * time.Second)
		done, err := f.Runner().RunNext(t.Context())
		require.NoError(t, err)
		assert.Equal(t, dataexport.StatusReady, done.Status)
		assert.Equal(t, []string{job.ID + "/3"}, f.keys(t))
	})
}

func TestRunJobTakesOnlyTheJobThatIsAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, memory.Slice(nil), nil)
		first, second := f.create(t), f.create(t)
		done, err := f.Runner().RunJob(t.Context(), second.ID)
		require.NoError(t, err)
		assert.Equal(t, second.ID, done.ID)
		assert.Equal(t, dataexport.StatusPending, f.get(t, first.ID).Status)
		_, err = f.Runner().RunJob(t.Context(), second.ID)
		assert.ErrorIs(t, err, dataexport.ErrNoJob)
		_, err = f.Runner().RunJob(t.Context(), "")
		assert.ErrorIs(t, err, dataexport.ErrInvalid)
	})
}

// An error of the storage does not mean what it would mean if the data had it.
func TestAFaultOfTheStorageIsNoFaultOfTheData(t *testing.T) {
	for _, test := range []struct {
		err  error
		want dataexport.Status
	}{
		{fmt.Errorf("the bucket: %w", dataexport.ErrNotFound), dataexport.StatusPending},
		{fmt.Errorf("the part: %w", dataexport.ErrInvalid), dataexport.StatusPending},
		{dataexport.ErrUnavailable, dataexport.StatusPending},
		{fmt.Errorf("10,000 parts: %w", dataexport.ErrLimitExceeded), dataexport.StatusFailed},
	} {
		f := newFixture(t, memory.Slice(memories("acme", 3)), func(c *dataexport.Config) { c.Blobs = failingWriter{c.Blobs, test.err} })
		job := f.create(t)
		done, err := f.Runner().RunJob(t.Context(), job.ID)
		require.NoError(t, err)
		assert.Equal(t, test.want, done.Status, test.err)
		assert.Empty(t, f.keys(t))
	}
}

func TestOneWorkspaceDoesNotStarveAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var order []string
		f := newFixture(t, sourceFunc(func(_ context.Context, q dataexport.Query) iter.Seq2[*memory.Record, error] {
			order = append(order, q.Scope.WorkspaceID)
			return func(func(*memory.Record, error) bool) {}
		}), func(c *dataexport.Config) { c.Workers, c.Limits.ActiveJobs = 1, -1 })
		for range 1000 {
			f.create(t)
		}
		small := dataexport.Scope{WorkspaceID: "small"}
		_, _, err := f.Create(t.Context(), dataexport.CreateRequest{Scope: small})
		require.NoError(t, err)
		defer f.start(t)()
		synctest.Wait()
		require.Len(t, order, 1001)
		assert.Contains(t, order[:2], "small")
	})
}

func TestTheLogHasWhatTheUserDoesNotSee(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, sourceFunc(func(context.Context, dataexport.Query) iter.Seq2[*memory.Record, error] {
			return func(yield func(*memory.Record, error) bool) { yield(nil, errSecret) }
		}), func(c *dataexport.Config) { c.MaxAttempts = 1 })
		job := f.create(t)
		done, err := f.Runner().RunNext(t.Context())
		require.NoError(t, err)
		assert.NotContains(t, done.Error.Message, "admin")
		for _, want := range []string{job.ID, "workspace=acme", "attempt=1", "10.0.0.7"} {
			assert.True(t, strings.Contains(f.log.String(), want), "the log lacks %q: %s", want, f.log)
		}
	})
}
