package databasetest

import (
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/examples/server/internal/database"
	"github.com/dataexport/dataexport/memory"
)

var memoriesTests = map[string]func(*testing.T, *Subject){
	"MemoriesEqualSlice":     testMemoriesEqualSlice,
	"Pages":                  testPages,
	"WritesBetweenRows":      testWritesBetweenRows,
	"RowsStopWithTheContext": testRowsStopWithTheContext,
	"RowsStopWithTheLoop":    testRowsStopWithTheLoop,
	"MemoryIsFlat":           testMemoryIsFlat,
}

// testMemoriesEqualSlice compares what SQL finds with what Go finds, over random memories and random queries.
func testMemoriesEqualSlice(t *testing.T, s *Subject) {
	for seed := range uint64(4) {
		random := rand.New(rand.NewPCG(seed, 0))
		s.empty(t)
		records := make([]memory.Record, 400)
		for i := range records {
			records[i] = someRecord(random, i)
			if !s.HoldsNUL {
				withoutNUL(&records[i])
			}
		}
		Insert(t, s, records...)
		found := 0
		for range 100 {
			q := someQuery(random)
			want := read(t, memory.Slice(records), q)
			got := read(t, s.Memories(1+random.IntN(50)), q)
			require.Equal(t, want, got, "seed %d, query %+v", seed, q)
			found += len(got)
		}
		assert.Greater(t, found, 500, "the queries find something")
	}
}

// testPages reads with page sizes around the number of memories, whose times of creation are equal over whole pages.
func testPages(t *testing.T, s *Subject) {
	list := Records(600)
	Insert(t, s, list...)
	q := dataexport.Query{Scope: demo}
	want := read(t, memory.Slice(list), q)
	for _, size := range []int{1, 7, 299, 300, 599, 600, 601, database.DefaultPageSize} {
		require.Equal(t, want, read(t, s.Memories(size), q), "page size %d", size)
	}
}

// testWritesBetweenRows inserts and deletes while the memories are read. What was there all the time is read once and in order.
func testWritesBetweenRows(t *testing.T, s *Subject) {
	list := Records(500)
	Insert(t, s, list...)
	source, err := s.Memories(20).Open(t.Context(), dataexport.Query{Scope: demo})
	require.NoError(t, err)
	var ids []string
	for row, err := range source.Rows(t.Context(), 0) {
		require.NoError(t, err)
		id := strings.Clone(row[database.ColumnID].Text())
		ids = append(ids, id)
		switch len(ids) % 50 {
		case 10: // behind and ahead of where we are
			for _, other := range []string{id + "-behind", "000499-ahead-" + id} {
				r := record(0)
				r.ID = other
				r.CreatedAt = row[database.ColumnCreatedAt].Time().Add(-time.Nanosecond)
				if strings.Contains(other, "ahead") {
					r.CreatedAt = r.CreatedAt.Add(time.Hour)
				}
				Insert(t, s, r)
			}
		case 20:
			require.NoError(t, s.Exec(t.Context(), "DELETE FROM memories WHERE workspace_id = 'demo' AND id = '"+id+"'"))
		}
	}
	assert.True(t, slices.IsSorted(ids))
	for _, r := range list {
		assert.Equal(t, 1, countOf(ids, r.ID), r.ID)
	}
	assert.Len(t, ids, 510, "the ten that were inserted ahead are read, those behind are not")
}

func testRowsStopWithTheContext(t *testing.T, s *Subject) {
	Insert(t, s, Records(3000)...)
	for _, size := range []int{10, 5000} {
		source, err := s.Memories(size).Open(t.Context(), dataexport.Query{Scope: demo})
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		n := 0
		var last error
		for _, err := range source.Rows(ctx, 0) {
			if last = err; err != nil {
				break
			}
			if n++; n == 25 {
				cancel()
			}
		}
		cancel()
		assert.ErrorIs(t, last, context.Canceled)
		assert.Less(t, n, 3000)
	}
	require.Eventually(t, func() bool { return s.InUse() == 0 }, 10*time.Second, time.Millisecond)
}

func testRowsStopWithTheLoop(t *testing.T, s *Subject) {
	Insert(t, s, Records(30)...)
	source, err := s.Memories(10).Open(t.Context(), dataexport.Query{Scope: demo})
	require.NoError(t, err)
	for _, err := range source.Rows(t.Context(), 0) {
		require.NoError(t, err)
		break
	}
	assert.Zero(t, s.InUse())
}

// testMemoryIsFlat reads thirty times as many memories and needs no more memory for it.
func testMemoryIsFlat(t *testing.T, s *Subject) {
	Insert(t, s, Records(6_000)...)
	peak := func(limit int) (most uint64) {
		source, err := s.Memories(database.DefaultPageSize).Open(t.Context(), dataexport.Query{Scope: demo})
		require.NoError(t, err)
		n := 0
		for _, err := range source.Rows(t.Context(), 0) {
			require.NoError(t, err)
			if n++; n%200 == 0 {
				most = max(most, heap())
			}
			if n == limit {
				break
			}
		}
		require.Equal(t, limit, n)
		return most
	}
	short := peak(200)
	assert.Less(t, peak(6_000), short+1<<20)
}

func countOf(list []string, s string) (n int) {
	for _, each := range list {
		if each == s {
			n++
		}
	}
	return n
}
