package dataexport_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/memory"
)

// While a new version of a program replaces the old one, both work on one store.
func TestAJobThatAnotherProcessKnowsIsLeftToIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, memory.Slice(memories("acme", 3)), nil)
		stranger := newFixture(t, memory.Slice(nil), func(c *dataexport.Config) {
			c.Store, c.Blobs = f.store, f.blobs
			c.Renderers = []dataexport.Renderer{lines{name: "other"}}
		})
		job := f.create(t)
		stop := stranger.start(t)
		time.Sleep(14 * time.Minute)
		stop()
		waiting := f.get(t, job.ID)
		require.Equal(t, dataexport.StatusPending, waiting.Status)
		assert.Zero(t, waiting.Attempts)
		time.Sleep(time.Minute)
		done, err := f.Runner().RunJob(t.Context(), job.ID)
		require.NoError(t, err)
		assert.Equal(t, dataexport.StatusReady, done.Status)
		assert.Equal(t, 1, done.Attempts)
	})
}

// It has waited for long, and not for this process.
func TestAnOldJobIsLeftToAnotherProcessToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, memory.Slice(memories("acme", 3)), nil)
		stranger := newFixture(t, memory.Slice(nil), func(c *dataexport.Config) {
			c.Store, c.Blobs = f.store, f.blobs
			c.Renderers = []dataexport.Renderer{lines{name: "other"}}
		})
		job := f.create(t)
		time.Sleep(time.Hour)
		back, err := stranger.Runner().RunJob(t.Context(), job.ID)
		require.NoError(t, err)
		assert.Equal(t, dataexport.StatusPending, back.Status)
		assert.Zero(t, back.Attempts)
	})
}

func TestAJobWhoseDatasetOrFormatIsGoneFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, memory.Slice(nil), nil)
		job := f.create(t)
		later := newFixture(t, memory.Slice(nil), func(c *dataexport.Config) {
			c.Store, c.Blobs = f.store, f.blobs
			c.Renderers = []dataexport.Renderer{lines{name: "other"}}
		})
		defer later.start(t)()
		time.Sleep(16 * time.Minute)
		failed := f.get(t, job.ID)
		assert.Equal(t, dataexport.StatusFailed, failed.Status)
		assert.Equal(t, 1, failed.Attempts)
		assert.Equal(t, &dataexport.JobError{Code: "UNSUPPORTED", Message: "The format lines is not offered."}, failed.Error)
	})
}
