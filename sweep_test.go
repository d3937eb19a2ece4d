package dataexport_test

import (
	"cmp"
	"context"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/mock/gomock"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/internal/mocks"
	"github.com/dataexport/dataexport/memory"
	"github.com/dataexport/dataexport/store/memblob"
	"github.com/dataexport/dataexport/store/memstore"
)

// Expiry is the clock's: nothing sweeps here.
func TestExpiryNeedsNoSweep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, memory.Slice(memories("acme", 3)), nil)
		job, err := f.Runner().RunJob(t.Context(), f.create(t).ID)
		require.NoError(t, err)

		time.Sleep(72*time.Hour - time.Microsecond)
		download, err := f.Open(t.Context(), scope, job.ID)
		require.NoError(t, err)
		time.Sleep(time.Microsecond)
		_, err = f.Open(t.Context(), scope, job.ID)
		assert.ErrorIs(t, err, dataexport.ErrExpired)
		assert.Equal(t, dataexport.StatusExpired, f.get(t, job.ID).Status)
		page, total, err := f.List(t.Context(), scope, dataexport.ListQuery{Status: dataexport.StatusExpired, Limit: 10})
		require.NoError(t, err)
		assert.Equal(t, 1, total)
		assert.Equal(t, job.ID, page[0].ID)

		content, err := io.ReadAll(download)
		require.NoError(t, err)
		assert.Equal(t, wholeFile(3), string(content), "a download that is under way ends")
		require.NoError(t, download.Close())
	})
}

func TestTheSweepRemovesFilesAndMuchLaterJobs(t *testing.T) {
	for _, test := range []struct{ retention, grace, keep time.Duration }{
		{72 * time.Hour, 10 * time.Minute, 0}, // the default, 30 days
		{2 * time.Second, 2 * time.Second, time.Hour},
	} {
		t.Run(test.retention.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t, memory.Slice(memories("acme", 3)), func(c *dataexport.Config) {
					c.Retention, c.JobRetention, c.PollInterval = test.retention, test.keep, 24*time.Hour
				})
				defer f.start(t)()
				_, _, err := f.Create(t.Context(), dataexport.CreateRequest{Scope: scope, IdempotencyKey: "key"})
				require.NoError(t, err)
				synctest.Wait()
				require.Len(t, f.keys(t), 1)

				time.Sleep(test.retention + test.grace - time.Millisecond)
				assert.Len(t, f.keys(t), 1, "the grace is not over")
				time.Sleep(time.Second)
				assert.Empty(t, f.keys(t))

				keep := cmp.Or(test.keep, 30*24*time.Hour)
				time.Sleep(keep - test.grace - time.Minute)
				_, replayed, err := f.Create(t.Context(), dataexport.CreateRequest{Scope: scope, IdempotencyKey: "key"})
				require.NoError(t, err)
				assert.True(t, replayed, "the job and its key are kept")
				time.Sleep(3 * time.Minute)
				_, total, err := f.List(t.Context(), scope, dataexport.ListQuery{Limit: 10})
				require.NoError(t, err)
				assert.Zero(t, total)
			})
		})
	}
}

func TestTheSweepGoesOnWhereItCould(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stuck := true
		blobs := memblob.New()
		f := newFixture(t, memory.Slice(nil), func(c *dataexport.Config) {
			c.Blobs = &stuckBlobs{BlobStore: blobs, stuck: &stuck}
			c.Retention = time.Minute
		})
		f.blobs = blobs
		for range 3 {
			_, err := f.Runner().RunJob(t.Context(), f.create(t).ID)
			require.NoError(t, err)
		}
		time.Sleep(time.Hour)
		_, err := f.Runner().Sweep(t.Context())
		assert.ErrorIs(t, err, errSecret)
		assert.Len(t, f.keys(t), 1, "one that cannot be removed does not keep the others")
		stuck = false
		_, err = f.Runner().Sweep(t.Context())
		require.NoError(t, err)
		assert.Empty(t, f.keys(t))
	})
}

// stuckBlobs cannot delete the first blob that it is asked to delete.
type stuckBlobs struct {
	dataexport.BlobStore
	stuck *bool
	first string
}

func (s *stuckBlobs) Delete(ctx context.Context, key string) error {
	if s.first == "" {
		s.first = key
	}
	if *s.stuck && key == s.first {
		return errSecret
	}
	return s.BlobStore.Delete(ctx, key)
}

func TestManyDueJobsAreSweptInOneGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, memory.Slice(nil), func(c *dataexport.Config) { c.Limits.ActiveJobs = -1 })
		for range 250 {
			_, err := f.Runner().RunJob(t.Context(), f.create(t).ID)
			require.NoError(t, err)
		}
		time.Sleep(73 * time.Hour)
		next, err := f.Runner().Sweep(t.Context())
		require.NoError(t, err)
		assert.Empty(t, f.keys(t))
		assert.Equal(t, 30*24*time.Hour-time.Hour, next, "the jobs themselves are next")
	})
}

// Orphans are files that no job will ever name. Anything else stays.
func TestOrphans(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, memory.Slice(memories("acme", 3)), func(c *dataexport.Config) { c.MaxAttempts = 1 })
		put := func(key string) string {
			t.Helper()
			require.NoError(t, f.blobs.Put(t.Context(), key, dataexport.Format{}, func(w io.Writer) error {
				_, err := io.WriteString(w, "x")
				return err
			}))
			return key
		}
		ready, err := f.Runner().RunJob(t.Context(), f.create(t).ID)
		require.NoError(t, err)
		failed, err := f.store.Claim(t.Context(), dataexport.ClaimOptions{ID: f.create(t).ID, Lease: time.Second})
		require.NoError(t, err)
		failed.Status = dataexport.StatusFailed
		_, err = f.store.Update(t.Context(), failed, 0)
		require.NoError(t, err)
		active := f.create(t)
		deleted := f.create(t)
		require.NoError(t, f.Delete(t.Context(), scope, deleted.ID))

		stay := []string{ready.BlobKey, put(active.ID + "/2"), put("host/logo.png"), put("manifest")}
		put(ready.ID + "/1")
		put(ready.ID + "/9")
		put(failed.ID + "/2")
		put(deleted.ID + "/2")
		missing, err := uuid.NewV7()
		require.NoError(t, err)
		put(missing.String() + "/2")
		require.NoError(t, f.Runner().SweepOrphans(t.Context()))
		assert.ElementsMatch(t, stay, f.keys(t))
	})
}

// A twice is a BlobStore that has begun some uploads twice.
type twice struct {
	dataexport.BlobStore
	mu    sync.Mutex
	twice []string
}

func (b *twice) List(ctx context.Context, prefix string) iter.Seq2[dataexport.BlobInfo, error] {
	return func(yield func(dataexport.BlobInfo, error) bool) {
		for info, err := range b.BlobStore.List(ctx, prefix) {
			if !yield(info, err) {
				return
			}
		}
		b.mu.Lock()
		keys := slices.Clone(b.twice)
		b.mu.Unlock()
		for _, key := range keys {
			if strings.HasPrefix(key, prefix) && !yield(dataexport.BlobInfo{Key: key, Unfinished: true}, nil) {
				return
			}
		}
	}
}

func (b *twice) DeleteUnfinished(_ context.Context, key string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.twice = slices.DeleteFunc(b.twice, func(other string) bool { return other == key })
	return nil
}

// newTwice makes a service whose uploads may be begun twice.
func newTwice(t *testing.T) (*fixture, *twice) {
	blobs := new(twice)
	return newFixture(t, memory.Slice(memories("acme", 3)), func(c *dataexport.Config) {
		blobs.BlobStore = c.Blobs
		c.Blobs = blobs
	}), blobs
}

// An upload that was begun twice has one left over under the very key of the file.
func TestOrphansOfTheKeyOfAFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, blobs := newTwice(t)
		ready, err := f.Runner().RunJob(t.Context(), f.create(t).ID)
		require.NoError(t, err)
		blobs.twice = []string{ready.BlobKey}
		require.NoError(t, f.Runner().SweepOrphans(t.Context()))
		assert.Empty(t, blobs.twice)
		assert.Equal(t, []string{ready.BlobKey}, f.keys(t))
	})
}

// After several attempts the last one clears up, also under its own key.
func TestTheLastAttemptClearsUpItsKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, blobs := newTwice(t)
		lost, err := f.store.Claim(t.Context(), dataexport.ClaimOptions{ID: f.create(t).ID, Lease: time.Second})
		require.NoError(t, err)
		time.Sleep(2 * time.Second)
		key := lost.ID + "/" + strconv.FormatInt(lost.Version+1, 10)
		blobs.twice = []string{key}
		ready, err := f.Runner().RunJob(t.Context(), lost.ID)
		require.NoError(t, err)
		require.Equal(t, key, ready.BlobKey)
		assert.Empty(t, blobs.twice)
		assert.Equal(t, []string{key}, f.keys(t))
	})
}

// What is unfinished of a key that an active job may be writing at this moment stays.
func TestUploadsOfActiveJobsStay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, blobs := newTwice(t)
		key := f.create(t).ID + "/2"
		blobs.twice = []string{key}
		require.NoError(t, f.Runner().SweepOrphans(t.Context()))
		assert.Equal(t, []string{key}, blobs.twice)
	})
}

func TestRunSweepsOrphansAtItsStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, memory.Slice(nil), nil)
		missing, err := uuid.NewV7()
		require.NoError(t, err)
		require.NoError(t, f.blobs.Put(t.Context(), missing.String()+"/2", dataexport.Format{}, func(io.Writer) error { return nil }))
		defer f.start(t)()
		synctest.Wait()
		assert.Empty(t, f.keys(t))
	})
}

// READY is written after the file is committed, never before.
func TestOrderOfCommitAndReady(t *testing.T) {
	control := gomock.NewController(t)
	store, blobs := mocks.NewMockStore(control), mocks.NewMockBlobStore(control)
	jobs := memstore.New()
	f := newFixture(t, memory.Slice(nil), func(c *dataexport.Config) { c.Store, c.Blobs = store, blobs })
	store.EXPECT().Create(gomock.Any(), gomock.Any()).DoAndReturn(jobs.Create)
	job := f.create(t)
	key := job.ID + "/2"
	gomock.InOrder(
		store.EXPECT().Claim(gomock.Any(), gomock.Any()).DoAndReturn(jobs.Claim),
		blobs.EXPECT().Put(gomock.Any(), key, gomock.Any(), gomock.Any()).DoAndReturn(
			func(_ context.Context, _ string, _ dataexport.Format, write func(io.Writer) error) error {
				return write(io.Discard)
			}),
		store.EXPECT().Update(gomock.Any(), gomock.Any(), 72*time.Hour).DoAndReturn(
			func(ctx context.Context, j dataexport.Job, d time.Duration) (dataexport.Job, error) {
				assert.Equal(t, dataexport.StatusReady, j.Status)
				assert.Equal(t, key, j.BlobKey)
				return jobs.Update(ctx, j, d)
			}),
	)
	// That is all: no attempt was before it that could have left a file.
	_, err := f.Runner().RunNext(t.Context())
	require.NoError(t, err)
}

// While the store is away the workers wait for it, and go on by themselves when it is back.
func TestRunOutlivesAStoreThatIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &absentStore{Store: memstore.New()}
		f := newFixture(t, memory.Slice(memories("acme", 3)), func(c *dataexport.Config) { c.Store = store })
		job := f.create(t)
		store.away.Store(true)
		stop := f.start(t)
		defer stop()
		time.Sleep(5 * time.Minute)
		_, _, err := f.Create(t.Context(), dataexport.CreateRequest{Scope: scope})
		assert.ErrorIs(t, err, dataexport.ErrUnavailable)
		store.away.Store(false)
		time.Sleep(12 * time.Second) // a claim that hangs is given up after 10 s
		assert.Equal(t, dataexport.StatusReady, f.get(t, job.ID).Status)
	})
}

// absentStore does not answer while it is away.
type absentStore struct {
	dataexport.Store
	away atomic.Bool
}

func (s *absentStore) Claim(ctx context.Context, o dataexport.ClaimOptions) (dataexport.Job, error) {
	if s.away.Load() {
		<-ctx.Done()
		return dataexport.Job{}, ctx.Err()
	}
	return s.Store.Claim(ctx, o)
}

func (s *absentStore) Create(ctx context.Context, n dataexport.NewJob) (dataexport.Job, bool, error) {
	if s.away.Load() {
		<-ctx.Done()
		return dataexport.Job{}, false, ctx.Err()
	}
	return s.Store.Create(ctx, n)
}

func TestRunCannotRunTwiceAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, memory.Slice(nil), nil)
		stop := f.start(t)
		synctest.Wait()
		assert.ErrorIs(t, f.Run(t.Context()), dataexport.ErrConflict)
		stop()
		f.start(t)()
	})
}
