package dataexport_test

import (
	"context"
	"fmt"
	"io"
	"iter"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/memory"
)

// lostAnswers is a store across a network that fails: an update is made, and its answer is lost.
type lostAnswers struct {
	dataexport.Store
	status dataexport.Status // of the updates that are answered by silence
	lost   int               // how many are still to be lost
}

func (s *lostAnswers) Update(ctx context.Context, j dataexport.Job, d time.Duration) (dataexport.Job, error) {
	updated, err := s.Store.Update(ctx, j, d)
	if err == nil && j.Status == s.status && s.lost > 0 {
		s.lost--
		return dataexport.Job{}, fmt.Errorf("%w: connection reset", dataexport.ErrUnavailable)
	}
	return updated, err
}

// The worker does not take its own change, whose answer was lost, for that of another worker.
func TestAChangeWhoseAnswerWasLostCounts(t *testing.T) {
	run := func(t *testing.T, status dataexport.Status, d dataexport.Dataset) (*fixture, dataexport.Job, error) {
		t.Helper()
		f := newFixture(t, d, func(c *dataexport.Config) {
			c.Store = &lostAnswers{Store: c.Store, status: status, lost: 1}
			c.MaxAttempts = 2
		})
		job := f.create(t)
		done, err := f.Runner().RunJob(t.Context(), job.ID)
		assert.Equal(t, f.get(t, job.ID), done)
		return f, done, err
	}
	t.Run("READY", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f, done, err := run(t, dataexport.StatusReady, memory.Slice(memories("acme", 3)))
			require.NoError(t, err)
			assert.Equal(t, dataexport.StatusReady, done.Status)
			assert.Equal(t, wholeFile(3), f.read(t, done.ID))
		})
	})
	broken := sourceFunc(func(context.Context, dataexport.Query) iter.Seq2[*memory.Record, error] {
		return func(yield func(*memory.Record, error) bool) { yield(nil, errSecret) }
	})
	t.Run("PENDING", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			_, done, err := run(t, dataexport.StatusPending, broken)
			require.NoError(t, err)
			assert.Equal(t, dataexport.StatusPending, done.Status)
			assert.Equal(t, 1, done.Attempts)
		})
	})
	t.Run("FAILED", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			_, done, err := run(t, dataexport.StatusFailed, memory.Slice([]memory.Record{memories("acme", 1)[0], memories("acme", 1)[0]}))
			require.NoError(t, err)
			assert.Equal(t, dataexport.StatusFailed, done.Status)
			assert.Equal(t, "BAD_DATA", done.Error.Code)
		})
	})
	t.Run("a renewal", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			slow := newBlocking()
			f := newFixture(t, slow.dataset(), func(c *dataexport.Config) {
				c.Store = &lostAnswers{Store: c.Store, status: dataexport.StatusProcessing, lost: 2}
			})
			job := f.create(t)
			defer f.start(t)()
			time.Sleep(5 * time.Minute)
			running := f.get(t, job.ID)
			assert.Equal(t, dataexport.StatusProcessing, running.Status)
			assert.Equal(t, 1, running.Attempts)
			close(slow.release)
			synctest.Wait()
			done := f.get(t, job.ID)
			assert.Equal(t, dataexport.StatusReady, done.Status)
			assert.Equal(t, 1, done.Attempts)
		})
	})
}

// A source that gives nothing does not keep its job in PROCESSING, nor its worker, for good.
func TestASourceThatHangsIsGivenUp(t *testing.T) {
	for _, deaf := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			hanging := newBlocking()
			hanging.ignoreCancel = deaf
			f := newFixture(t, hanging.dataset(), func(c *dataexport.Config) { c.MaxAttempts, c.Workers = 2, 1 })
			stop := f.start(t)
			job := f.create(t)
			time.Sleep(32 * time.Minute)
			job = f.get(t, job.ID)
			assert.Equal(t, dataexport.StatusFailed, job.Status)
			assert.Equal(t, 2, job.Attempts)
			assert.Contains(t, f.log.String(), "StallTimeout")
			stop()
			close(hanging.release)
		})
	}
}

// require.FailNow, for one, ends the goroutine that it is called on.
func TestASourceThatEndsItsGoroutineFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, sourceFunc(func(context.Context, dataexport.Query) iter.Seq2[*memory.Record, error] {
			return func(func(*memory.Record, error) bool) { runtime.Goexit() }
		}), func(c *dataexport.Config) { c.MaxAttempts = 1 })
		done, err := f.Runner().RunJob(t.Context(), f.create(t).ID)
		require.NoError(t, err)
		assert.Equal(t, dataexport.StatusFailed, done.Status)
		assert.Empty(t, f.keys(t))
	})
}

// An outside engine may give an attempt a deadline. That is no graceful stop: the attempt counts.
func TestADeadlineIsChargedAsAnAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := newBlocking()
		f := newFixture(t, slow.dataset(), nil)
		job := f.create(t)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		done, err := f.Runner().RunJob(ctx, job.ID)
		require.NoError(t, err)
		assert.Equal(t, dataexport.StatusPending, done.Status)
		assert.Equal(t, 1, done.Attempts)
		assert.True(t, done.HeldUntil.After(time.Now()), "it waits before the next attempt")
	})
}

// What the store of files cannot find is not what the user asked for.
func TestAMissingBucketIsNotMissingData(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, memory.Slice(nil), func(c *dataexport.Config) {
			c.Blobs, c.MaxAttempts = noBucket{c.Blobs}, 2
		})
		done, err := f.Runner().RunJob(t.Context(), f.create(t).ID)
		require.NoError(t, err)
		assert.Equal(t, dataexport.StatusPending, done.Status, "it is tried again")
	})
}

type noBucket struct{ dataexport.BlobStore }

func (noBucket) Put(context.Context, string, dataexport.Format, func(io.Writer) error) error {
	return fmt.Errorf("bucket: %w", dataexport.ErrNotFound)
}

// A blob store that hangs while it deletes does not keep Run from returning.
func TestRunReturnsAlthoughTheBlobStoreHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f *fixture
		var job dataexport.Job
		f = newFixture(t, memory.Slice(nil), func(c *dataexport.Config) {
			c.Store = &beforeReady{Store: c.Store, do: func() {
				_, err := f.store.Delete(t.Context(), scope, job.ID)
				require.NoError(t, err)
			}}
			c.Blobs = hangingDelete{c.Blobs}
		})
		job = f.create(t)
		stop := f.start(t)
		synctest.Wait()
		began := time.Now()
		stop()
		assert.LessOrEqual(t, time.Since(began), time.Minute)
	})
}

type hangingDelete struct{ dataexport.BlobStore }

func (hangingDelete) Delete(ctx context.Context, _ string) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestTheSweepIsNotHeldUpByManyStuckFiles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var stuck []string
		f := newFixture(t, memory.Slice(nil), func(c *dataexport.Config) {
			c.Limits.ActiveJobs = -1
			c.Blobs = refusingDelete{c.Blobs, &stuck}
		})
		for i := range 350 {
			job, err := f.Runner().RunJob(t.Context(), f.create(t).ID)
			require.NoError(t, err)
			if i < 150 {
				stuck = append(stuck, job.BlobKey)
			}
		}
		time.Sleep(73 * time.Hour)
		_, err := f.Runner().Sweep(t.Context())
		require.ErrorIs(t, err, errSecret)
		assert.ElementsMatch(t, stuck, f.keys(t))
	})
}

type refusingDelete struct {
	dataexport.BlobStore
	stuck *[]string
}

func (s refusingDelete) Delete(ctx context.Context, key string) error {
	if slices.Contains(*s.stuck, key) {
		return errSecret
	}
	return s.BlobStore.Delete(ctx, key)
}

// Keys that no Runner makes are the host's, however much they look like ours.
func TestTheSweepLeavesForeignKeysAlone(t *testing.T) {
	f := newFixture(t, memory.Slice(nil), nil)
	v7, err := uuid.NewV7()
	require.NoError(t, err)
	keys := []string{
		uuid.NewString() + "/2", v7.String() + "/avatar.png", v7.String() + "/2/c.pdf", v7.String() + "/02", v7.String() + "/0",
		"0190f3a2b4c87def8a1b2c3d4e5f6071/2", v7.String(), "A" + v7.String()[1:] + "/2", v7.String() + "/99999999999999999999",
	}
	for _, key := range keys {
		require.NoError(t, f.blobs.Put(t.Context(), key, dataexport.Format{}, func(io.Writer) error { return nil }))
	}
	require.NoError(t, f.Runner().SweepOrphans(t.Context()))
	assert.ElementsMatch(t, keys, f.keys(t))
}

func TestRunJobTellsAMissingJobFromOneThatMustWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, memory.Slice(nil), nil)
		_, err := f.Runner().RunJob(t.Context(), uuid.NewString())
		assert.ErrorIs(t, err, dataexport.ErrNotFound)
		job := f.create(t)
		_, err = f.store.Claim(t.Context(), dataexport.ClaimOptions{Lease: time.Minute})
		require.NoError(t, err)
		held, err := f.Runner().RunJob(t.Context(), job.ID)
		assert.ErrorIs(t, err, dataexport.ErrNoJob)
		assert.Equal(t, time.Now().Add(time.Minute).UTC(), held.HeldUntil)
	})
}

// An encoder that does not look at the errors of its writer cannot make a file that is too long a READY one.
func TestALimitHoldsAgainstACarelessEncoder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, memory.Slice(memories("acme", 100)), func(c *dataexport.Config) {
			c.Limits.Bytes = 200
			c.Renderers = []dataexport.Renderer{careless{lines{name: "lines"}}}
		})
		done, err := f.Runner().RunJob(t.Context(), f.create(t).ID)
		require.NoError(t, err)
		assert.Equal(t, dataexport.StatusFailed, done.Status)
		assert.Equal(t, "LIMIT_EXCEEDED", done.Error.Code)
	})
}

type careless struct{ lines }

func (c careless) Open(ctx context.Context, w io.Writer, doc *dataexport.Doc) (dataexport.Encoder, error) {
	return c.lines.Open(ctx, writerFunc(func(b []byte) (int, error) {
		_, _ = w.Write(b)
		return len(b), nil
	}), doc)
}
