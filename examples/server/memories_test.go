package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/memory"
)

func testDatabase(t testing.TB) *sql.DB {
	t.Helper()
	db, err := openDatabase(t.Context(), t.TempDir(), 4)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, db.Close()) })
	return db
}

func insert(t testing.TB, db *sql.DB, records ...memory.Record) {
	t.Helper()
	tx, err := db.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	statement, err := tx.PrepareContext(t.Context(), insertMemory)
	require.NoError(t, err)
	defer statement.Close()
	for i := range records {
		require.NoError(t, insertOne(statement, &records[i]))
	}
	require.NoError(t, tx.Commit())
}

// read returns the rows that a dataset has for a query, in a form that can be compared.
func read(t testing.TB, d dataexport.Dataset, q dataexport.Query) [][]any {
	t.Helper()
	source, err := d.Open(t.Context(), q)
	require.NoError(t, err)
	defer func() { require.NoError(t, source.Close()) }()
	rows := [][]any{}
	for row, err := range source.Rows(t.Context(), 0) {
		require.NoError(t, err)
		rows = append(rows, plain(row))
	}
	if counter, ok := source.(dataexport.Counter); ok {
		n, err := counter.Count(t.Context())
		require.NoError(t, err)
		require.Equal(t, int64(len(rows)), n)
	}
	return rows
}

func plain(row dataexport.Row) []any {
	cells := make([]any, len(row))
	for i, v := range row {
		switch v.Kind() {
		case dataexport.KindNull:
		case dataexport.KindInt:
			cells[i] = v.Int()
		case dataexport.KindTime:
			cells[i] = v.Time()
		case dataexport.KindStrings:
			list := []string{}
			for _, s := range v.Strings() {
				list = append(list, strings.Clone(s))
			}
			cells[i] = list
		default:
			cells[i] = v.Kind().String() + " " + strings.Clone(v.Text())
		}
	}
	return cells
}

func pick[T any](random *rand.Rand, from ...T) T { return from[random.IntN(len(from))] }

func maybe[T any](random *rand.Rand, from ...T) *T {
	if random.IntN(4) == 0 {
		return nil
	}
	return new(pick(random, from...))
}

var (
	someNames      = []string{"a", "b", "A", "a ", "é", "e\u0301", "😀", "\x00", "a\x00b", "a\x00c", `"\`, "%", "_", "1", "null", "<&>", "\u2028", "\ufffd"}
	somePriorities = []string{"LOW", "MEDIUM", "HIGH", "high", ""}
)

func someInstant(random *rand.Rand) time.Time {
	base := pick(random,
		time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(1969, 12, 31, 23, 59, 59, 999999999, time.UTC),
		time.Date(2026, 1, 15, 10, 30, 0, 0, time.UTC), time.Date(2026, 1, 15, 10, 30, 0, 100, time.UTC),
		time.Date(9999, 12, 31, 23, 59, 58, 0, time.UTC))
	return base.Add(time.Duration(random.IntN(3)) * pick(random, time.Nanosecond, time.Microsecond, time.Millisecond))
}

func someRecord(random *rand.Rand, number int) memory.Record {
	r := memory.Record{
		ID: pick(random, someNames...) + pick(random, someNames...) + fmt.Sprint(number), WorkspaceID: pick(random, "demo", "Demo", "demo\x00"),
		Content: strings.Repeat(pick(random, someNames...), random.IntN(4)),
		UserID:  maybe(random, someNames...), AgentID: maybe(random, someNames...), SessionID: maybe(random, "", "s", "S"),
		Priority: maybe(random, somePriorities...), Status: maybe(random, someNames...),
		AccessCount: maybe(random, int64(0), 1, -1, math.MaxInt64, math.MinInt64), CreatedAt: someInstant(random),
	}
	for range random.IntN(4) {
		r.Categories = append(r.Categories, pick(random, someNames...))
	}
	if r.Categories == nil && random.IntN(2) == 0 {
		r.Categories = []string{}
	}
	if random.IntN(3) > 0 {
		r.Metadata = json.RawMessage(pick(random, `{}`, `{"a":1.50,"b":[null,"\u0000"]}`, `{"big":12345678901234567890123}`))
	}
	if random.IntN(2) == 0 {
		r.UpdatedAt, r.LastAccessedAt = new(someInstant(random)), new(someInstant(random))
	}
	return r
}

func someQuery(random *rand.Rand) dataexport.Query {
	q := dataexport.Query{Scope: dataexport.Scope{WorkspaceID: pick(random, "demo", "Demo", "demo\x00", "other")}}
	sometimes := func() bool { return random.IntN(4) == 0 }
	if sometimes() {
		q.Filter.UserID = pick(random, someNames...)
	}
	if sometimes() {
		q.Filter.AgentID = pick(random, someNames...)
	}
	if sometimes() {
		q.Filter.SessionID = pick(random, "s", "S", "t")
	}
	if sometimes() {
		q.Filter.Priority = dataexport.Priority(pick(random, "LOW", "MEDIUM", "HIGH"))
	}
	if sometimes() {
		for range 1 + random.IntN(3) {
			q.Filter.Categories = append(q.Filter.Categories, pick(random, someNames...))
		}
	}
	if random.IntN(3) == 0 {
		q.Filter.CreatedAfter = someInstant(random)
	}
	if random.IntN(3) == 0 {
		q.Filter.CreatedBefore = someInstant(random)
	}
	if random.IntN(2) == 0 {
		q.AsOf = someInstant(random)
	}
	return q
}

// TestMemoriesEqualSlice compares what SQL finds with what Go finds, over random memories and random queries.
func TestMemoriesEqualSlice(t *testing.T) {
	for seed := range uint64(4) {
		random := rand.New(rand.NewPCG(seed, 0))
		db := testDatabase(t)
		records := make([]memory.Record, 400)
		for i := range records {
			records[i] = someRecord(random, i)
		}
		insert(t, db, records...)
		found := 0
		for range 100 {
			q := someQuery(random)
			want := read(t, memory.Slice(records), q)
			got := read(t, newMemories(db, 1+random.IntN(50)), q)
			require.Equal(t, want, got, "seed %d, query %+v", seed, q)
			found += len(got)
		}
		assert.Greater(t, found, 500, "the queries find something")
	}
}

func record(number int) memory.Record {
	return memory.Record{
		ID: fmt.Sprintf("%06d", number), WorkspaceID: "demo", Content: strings.Repeat("x", 200), UserID: new("u"),
		Categories: []string{"work"}, Metadata: json.RawMessage(`{"a":1}`), CreatedAt: time.Date(2026, 1, 1, 0, 0, number/1000, 0, time.UTC),
	}
}

func records(n int) []memory.Record {
	list := make([]memory.Record, n)
	for i := range list {
		list[i] = record(i)
	}
	return list
}

// TestPages reads with page sizes around the number of memories, whose times of creation are equal over whole pages.
func TestPages(t *testing.T) {
	db := testDatabase(t)
	list := records(600)
	insert(t, db, list...)
	q := dataexport.Query{Scope: dataexport.Scope{WorkspaceID: "demo"}}
	want := read(t, memory.Slice(list), q)
	for _, size := range []int{1, 7, 299, 300, 599, 600, 601, defaultPageSize} {
		require.Equal(t, want, read(t, newMemories(db, size), q), "page size %d", size)
	}
}

// TestNothingIsOpenBetweenPages reads a page over the only connection there is, which is free again after it.
func TestNothingIsOpenBetweenPages(t *testing.T) {
	db, err := openDatabase(t.Context(), t.TempDir(), 1)
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	insert(t, db, records(10)...)
	source := &memories{db: db, where: &condition{clauses: []string{"workspace_id = 'demo'"}}, pageSize: 5}
	reader := newMemoryReader()
	n := 0
	statement, args := source.page(true, reader)
	for _, err := range source.read(t.Context(), reader, statement, args) {
		require.NoError(t, err)
		n++
	}
	require.Equal(t, 5, n)
	assert.Zero(t, db.Stats().InUse)
	insert(t, db, record(5000))
}

// TestWritesBetweenRows inserts and deletes while the memories are read. What was there all the time is read once and in order.
func TestWritesBetweenRows(t *testing.T) {
	db := testDatabase(t)
	list := records(500)
	insert(t, db, list...)
	source, err := newMemories(db, 20).Open(t.Context(), dataexport.Query{Scope: dataexport.Scope{WorkspaceID: "demo"}})
	require.NoError(t, err)
	var ids []string
	for row, err := range source.Rows(t.Context(), 0) {
		require.NoError(t, err)
		id := strings.Clone(row[columnID].Text())
		ids = append(ids, id)
		switch len(ids) % 50 {
		case 10: // behind and ahead of where we are
			for _, other := range []string{id + "-behind", "000499-ahead-" + id} {
				r := record(0)
				r.ID = other
				r.CreatedAt = row[columnCreatedAt].Time().Add(-time.Nanosecond)
				if strings.Contains(other, "ahead") {
					r.CreatedAt = r.CreatedAt.Add(time.Hour)
				}
				insert(t, db, r)
			}
		case 20:
			_, err := db.ExecContext(t.Context(), "DELETE FROM memories WHERE workspace_id = 'demo' AND id = ?", id)
			require.NoError(t, err)
		}
	}
	assert.True(t, slices.IsSorted(ids))
	for _, r := range list {
		assert.Equal(t, 1, countOf(ids, r.ID), r.ID)
	}
	assert.Len(t, ids, 510, "the ten that were inserted ahead are read, those behind are not")
}

func countOf(list []string, s string) (n int) {
	for _, each := range list {
		if each == s {
			n++
		}
	}
	return n
}

func TestRowsStopWithTheContext(t *testing.T) {
	db := testDatabase(t)
	insert(t, db, records(3000)...)
	for _, size := range []int{10, 5000} {
		source, err := newMemories(db, size).Open(t.Context(), dataexport.Query{Scope: dataexport.Scope{WorkspaceID: "demo"}})
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
	require.Eventually(t, func() bool { return db.Stats().InUse == 0 }, 10*time.Second, time.Millisecond)
}

func TestRowsStopWithTheLoop(t *testing.T) {
	db := testDatabase(t)
	insert(t, db, records(30)...)
	source, err := newMemories(db, 10).Open(t.Context(), dataexport.Query{Scope: dataexport.Scope{WorkspaceID: "demo"}})
	require.NoError(t, err)
	for _, err := range source.Rows(t.Context(), 0) {
		require.NoError(t, err)
		break
	}
	assert.Zero(t, db.Stats().InUse)
}

// TestPlans asks SQLite how it would read the pages. A sort, or a scan of everything, would be seen here.
func TestPlans(t *testing.T) {
	db := testDatabase(t)
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	all := dataexport.Filter{UserID: "u", AgentID: "a", SessionID: "s", Priority: "LOW", Categories: []string{"c"}}
	for _, filter := range []dataexport.Filter{{}, {CreatedAfter: at}, {CreatedBefore: at}, {CreatedAfter: at, CreatedBefore: at.Add(1)}, all} {
		for _, asOf := range []time.Time{{}, at} {
			for _, first := range []bool{true, false} {
				source := open(t, db, dataexport.Query{Scope: dataexport.Scope{WorkspaceID: "demo"}, Filter: filter, AsOf: asOf})
				reader := newMemoryReader()
				reader.values[columnID], reader.values[columnCreatedAt] = "id", formatInstant(at)
				statement, args := source.page(first, reader)
				plan := explain(t, db, statement, args)
				bounds := "workspace_id=?"
				if !first {
					bounds += " AND (created_at,id)>(?,?)"
				} else if !filter.CreatedAfter.IsZero() {
					bounds += " AND created_at>?"
				}
				if !filter.CreatedBefore.IsZero() || !asOf.IsZero() {
					bounds += " AND created_at<?"
				}
				assert.Equal(t, "SEARCH memories USING INDEX memories_in_order ("+bounds+")", plan[0])
				assert.NotContains(t, strings.Join(plan, "\n"), "ORDER BY")
			}
		}
	}
	count := explain(t, db, "SELECT count(*) FROM memories WHERE workspace_id = ? AND created_at <= ?", []any{"demo", formatInstant(at)})
	assert.Equal(t, []string{"SEARCH memories USING COVERING INDEX memories_in_order (workspace_id=? AND created_at<?)"}, count)
}

func open(t testing.TB, db *sql.DB, q dataexport.Query) *memories {
	t.Helper()
	source, err := newMemories(db, defaultPageSize).Open(t.Context(), q)
	require.NoError(t, err)
	if counted, ok := source.(*countedMemories); ok {
		return counted.memories
	}
	return source.(*memories)
}

func explain(t testing.TB, db *sql.DB, statement string, args []any) (steps []string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+statement, args...)
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	for rows.Next() {
		var id, parent, unused int
		var step string
		require.NoError(t, rows.Scan(&id, &parent, &unused, &step))
		steps = append(steps, step)
	}
	require.NoError(t, rows.Err())
	require.NotEmpty(t, steps)
	return steps
}

func TestColumnsAreThoseOfTheDataset(t *testing.T) {
	var names []string
	for _, column := range memory.Info().Collections[0].Columns {
		names = append(names, column.Name)
	}
	assert.Equal(t, strings.Join(names, ", "), columns)
	assert.Equal(t, "id", names[columnID])
	assert.Equal(t, "created_at", names[columnCreatedAt])
}

// TestMemoryIsFlat reads thirty times as many memories and needs no more memory for it.
func TestMemoryIsFlat(t *testing.T) {
	db := testDatabase(t)
	insert(t, db, records(6_000)...)
	peak := func(limit int) (most uint64) {
		source := open(t, db, dataexport.Query{Scope: dataexport.Scope{WorkspaceID: "demo"}})
		n := 0
		for _, err := range source.Rows(t.Context(), 0) {
			require.NoError(t, err)
			if n++; n%200 == 0 {
				runtime.GC()
				var stats runtime.MemStats
				runtime.ReadMemStats(&stats)
				most = max(most, stats.HeapAlloc)
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
