package dataexport_test

import (
	"context"
	"errors"
	"iter"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/memory"
	"github.com/dataexport/dataexport/store/memblob"
	"github.com/dataexport/dataexport/store/memstore"
)

func TestNewRefusesWhatCannotWork(t *testing.T) {
	valid := func() dataexport.Config {
		return dataexport.Config{
			Datasets:  []dataexport.Dataset{memory.Slice(nil)},
			Renderers: []dataexport.Renderer{lines{name: "lines"}},
			Store:     memstore.New(), Blobs: memblob.New(),
		}
	}
	tests := map[string]func(*dataexport.Config){
		"Datasets is empty":                func(c *dataexport.Config) { c.Datasets = nil },
		"Renderers is empty":               func(c *dataexport.Config) { c.Renderers = nil },
		"Store is nil":                     func(c *dataexport.Config) { c.Store = nil },
		"Blobs is nil":                     func(c *dataexport.Config) { c.Blobs = nil },
		"two datasets have the name":       func(c *dataexport.Config) { c.Datasets = append(c.Datasets, memory.Slice(nil)) },
		"two renderers write the format":   func(c *dataexport.Config) { c.Renderers = append(c.Renderers, lines{name: "lines"}) },
		"the format name \"a b\"":          func(c *dataexport.Config) { c.Renderers = []dataexport.Renderer{lines{name: "a b"}} },
		"Lease cannot be negative":         func(c *dataexport.Config) { c.Lease = -1 },
		"Lease must be at least 10ms":      func(c *dataexport.Config) { c.Lease = time.Millisecond },
		"MaxAttempts cannot be negative":   func(c *dataexport.Config) { c.MaxAttempts = -1 },
		"SweepInterval cannot be negative": func(c *dataexport.Config) { c.SweepInterval = -1 },
	}
	for want, change := range tests {
		t.Run(want, func(t *testing.T) {
			c := valid()
			change(&c)
			_, err := dataexport.New(c)
			require.ErrorIs(t, err, dataexport.ErrInvalid)
			assert.ErrorContains(t, err, want)
		})
	}
	_, err := dataexport.New(valid())
	require.NoError(t, err)
}

func TestCreateReportsEveryFaultAtOnce(t *testing.T) {
	f := newFixture(t, memory.Slice(nil), nil)
	_, _, err := f.Create(t.Context(), dataexport.CreateRequest{
		Scope: scope, Dataset: "nonsense", Format: "docx", IdempotencyKey: "a b",
		Filter: dataexport.Filter{Priority: "low", Categories: []string{}},
	})
	var faults *dataexport.ValidationError
	require.ErrorAs(t, err, &faults)
	assert.Equal(t, []dataexport.FieldError{
		{Field: "dataset", Message: "dataset must be one of: memories"},
		{Field: "format", Message: "format must be one of: lines"},
		{Field: "Idempotency-Key", Message: "the key must be of visible ASCII characters"},
		{Field: "priority", Message: "priority must be LOW, MEDIUM or HIGH, in capitals"},
		{Field: "categories", Message: "categories names none; leave it out instead"},
	}, faults.Fields)
}

func TestCreateRefusesWhatTheDatasetOrTheRendererCannotDo(t *testing.T) {
	type invoice struct {
		Number string `export:"number,id,key"`
	}
	invoices, err := dataexport.NewDataset("invoices", noRecords[invoice], dataexport.DatasetOptions{
		Personal: true, Filters: []string{dataexport.FilterCreatedAfter},
	})
	require.NoError(t, err)
	f := newFixture(t, invoices, func(c *dataexport.Config) {
		c.Renderers = append(c.Renderers, lines{name: "zip", check: errors.New("zip is for archives")})
	})
	_, _, err = f.Create(t.Context(), dataexport.CreateRequest{
		Scope: dataexport.Scope{WorkspaceID: "acme"}, Format: "zip", Filter: dataexport.Filter{UserID: "u", CreatedAfter: time.Now()},
	})
	var faults *dataexport.ValidationError
	require.ErrorAs(t, err, &faults)
	assert.Equal(t, []dataexport.FieldError{
		{Field: "user_id", Message: "the dataset invoices cannot be filtered by user_id"},
		{Field: "dataset", Message: "the dataset invoices belongs to one person, and the request does not say whose it is"},
		{Field: "format", Message: "zip is for archives"},
	}, faults.Fields)
}

func TestAScopeWithoutAWorkspaceGetsNothing(t *testing.T) {
	f := newFixture(t, memory.Slice(nil), nil)
	nobody := dataexport.Scope{Subject: "ana"}
	_, _, err := f.Create(t.Context(), dataexport.CreateRequest{Scope: nobody})
	assert.ErrorIs(t, err, dataexport.ErrInvalid)
	_, err = f.Get(t.Context(), nobody, uuid.NewString())
	assert.ErrorIs(t, err, dataexport.ErrInvalid)
	_, _, err = f.List(t.Context(), nobody, dataexport.ListQuery{Limit: 1})
	assert.ErrorIs(t, err, dataexport.ErrInvalid)
	assert.ErrorIs(t, f.Delete(t.Context(), nobody, uuid.NewString()), dataexport.ErrInvalid)
	_, err = f.Open(t.Context(), nobody, uuid.NewString())
	assert.ErrorIs(t, err, dataexport.ErrInvalid)
}

// A personal job exists for its subject alone, a shared one for its workspace.
func TestAJobOfSomebodyElseIsAMissingJob(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, personal := range []bool{false, true} {
			type note struct {
				ID string `export:"id,id,key"`
			}
			notes, err := dataexport.NewDataset("notes", noRecords[note], dataexport.DatasetOptions{Personal: personal})
			require.NoError(t, err)
			f := newFixture(t, notes, nil)
			job, err := f.Runner().RunJob(t.Context(), f.create(t).ID)
			require.NoError(t, err)
			foreign := []dataexport.Scope{{WorkspaceID: "other", Subject: "ana"}}
			colleague := dataexport.Scope{WorkspaceID: "acme", Subject: "ben"}
			if personal {
				foreign = append(foreign, colleague)
			} else {
				_, err := f.Get(t.Context(), colleague, job.ID)
				assert.NoError(t, err)
			}
			for _, s := range foreign {
				_, err = f.Get(t.Context(), s, job.ID)
				assert.ErrorIs(t, err, dataexport.ErrNotFound)
				_, err = f.Open(t.Context(), s, job.ID)
				assert.ErrorIs(t, err, dataexport.ErrNotFound)
				assert.ErrorIs(t, f.Delete(t.Context(), s, job.ID), dataexport.ErrNotFound)
				page, total, err := f.List(t.Context(), s, dataexport.ListQuery{Limit: 10})
				require.NoError(t, err)
				assert.Zero(t, total)
				assert.Empty(t, page)
			}
			assert.Equal(t, "0 in all\n", f.read(t, job.ID))
		}
	})
}

func noRecords[T any](context.Context, dataexport.Query) iter.Seq2[*T, error] {
	return func(func(*T, error) bool) {}
}

func TestIdempotencyKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, memory.Slice(nil), func(c *dataexport.Config) { c.Limits.ActiveJobs = 1 })
		order := dataexport.CreateRequest{
			Scope: scope, IdempotencyKey: "k", Filter: dataexport.Filter{Categories: []string{"b", "a"}},
		}
		first, replayed, err := f.Create(t.Context(), order)
		require.NoError(t, err)
		assert.False(t, replayed)
		assert.Equal(t, []string{"b", "a"}, first.Filter.Categories)

		again := order
		again.Filter.Categories = []string{"a", "b"}
		again.Dataset, again.Format = "memories", "lines" // the defaults
		second, replayed, err := f.Create(t.Context(), again)
		require.NoError(t, err, "a replay is answered even where the quota is full")
		assert.True(t, replayed)
		assert.Equal(t, first, second)

		other := order
		other.Filter.Categories = []string{"a"}
		_, _, err = f.Create(t.Context(), other)
		assert.ErrorIs(t, err, dataexport.ErrIdempotencyKeyReused)

		other.IdempotencyKey = ""
		_, _, err = f.Create(t.Context(), other)
		assert.ErrorIs(t, err, dataexport.ErrTooManyExports)

		require.NoError(t, f.Delete(t.Context(), scope, first.ID))
		other.IdempotencyKey = "k"
		_, replayed, err = f.Create(t.Context(), other)
		require.NoError(t, err, "deleting frees the key")
		assert.False(t, replayed)
	})
}

func TestReadyFilesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, memory.Slice(nil), func(c *dataexport.Config) { c.Limits.ReadyFiles = 2 })
		for range 2 {
			_, err := f.Runner().RunJob(t.Context(), f.create(t).ID)
			require.NoError(t, err)
		}
		_, _, err := f.Create(t.Context(), dataexport.CreateRequest{Scope: scope})
		assert.ErrorIs(t, err, dataexport.ErrTooManyExports)
		time.Sleep(73 * time.Hour)
		f.create(t)
	})
}

func TestIdsSortByTimeOfCreation(t *testing.T) {
	f := newFixture(t, memory.Slice(nil), nil)
	last := ""
	for range 20 {
		job := f.create(t)
		id, err := uuid.Parse(job.ID)
		require.NoError(t, err)
		assert.EqualValues(t, 7, id.Version())
		assert.Greater(t, job.ID, last)
		last = job.ID
	}
}

// The file of a READY job was lost. That is a fault of ours, not a missing job.
func TestALostFileIsNoMissingJob(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, memory.Slice(nil), nil)
		job, err := f.Runner().RunJob(t.Context(), f.create(t).ID)
		require.NoError(t, err)
		require.NoError(t, f.blobs.Delete(t.Context(), job.BlobKey))
		_, err = f.Open(t.Context(), scope, job.ID)
		assert.ErrorContains(t, err, "is missing")
		assert.NotErrorIs(t, err, dataexport.ErrNotFound)
	})
}
