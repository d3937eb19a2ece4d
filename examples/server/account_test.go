package main

import (
	"bytes"
	"context"
	"database/sql"
	"iter"
	"math"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/archive"
	"github.com/dataexport/dataexport/archive/archivetest"
	"github.com/dataexport/dataexport/archive/threengram"
	"github.com/dataexport/dataexport/render"
	"github.com/dataexport/dataexport/store/sqlitestore"
)

var (
	anna = dataexport.Scope{WorkspaceID: "w", Subject: "anna"}
	noon = time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)
)

func testArchive(t testing.TB) *archive.Archive {
	t.Helper()
	a, err := accountArchive()
	require.NoError(t, err)
	return a
}

// A record has the name of its collection.
type accountRecord struct {
	collection string
	value      any
}

// insertAccount inserts records in one transaction.
func insertAccount(t testing.TB, db *sql.DB, owner dataexport.Scope, records ...accountRecord) {
	t.Helper()
	tx, err := db.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	inserts, err := prepareInserts(t.Context(), tx)
	require.NoError(t, err)
	for _, r := range records {
		values, err := accountValues(r.value)
		require.NoError(t, err)
		_, err = inserts[r.collection].Exec(append([]any{owner.WorkspaceID, owner.Subject}, values...)...)
		require.NoError(t, err)
	}
	require.NoError(t, tx.Commit())
}

func accountID(n byte) uuid.UUID { return uuid.UUID{0: n, 15: n} }

func someAccount() accountRecord {
	return accountRecord{"account", &threengram.Account{CreatedAt: noon, Email: "anna@example.com", ID: accountID(1), UpdatedAt: noon}}
}

func someMemory(n byte) accountRecord {
	return accountRecord{"memories", &threengram.Memory{Content: "c", CreatedAt: noon, ID: accountID(n), UpdatedAt: noon}}
}

func someEvent(n byte) accountRecord {
	return accountRecord{"memoryEvents", &threengram.MemoryEvent{CreatedAt: noon, ID: accountID(n), MemoryID: accountID(n)}}
}

// exportAccount writes the archive of an account.
func exportAccount(t testing.TB, d dataexport.Dataset, owner dataexport.Scope) string {
	t.Helper()
	var b bytes.Buffer
	_, err := dataexport.Export(t.Context(), &b, d, render.JSON(), dataexport.Query{Scope: owner, AsOf: noon})
	require.NoError(t, err)
	return b.String()
}

// TestNoTableIsForgotten compares the archive and its inventory with the database. Whoever adds a table must say whether it
// is in the archive, and if not, why.
func TestNoTableIsForgotten(t *testing.T) {
	db := testDatabase(t)
	require.NoError(t, sqlitestore.Migrate(t.Context(), db))
	rows, err := db.QueryContext(t.Context(), `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\'`)
	require.NoError(t, err)
	defer rows.Close()
	var tables []string
	for rows.Next() {
		var name string
		require.NoError(t, rows.Scan(&name))
		tables = append(tables, name)
	}
	require.NoError(t, rows.Err())
	require.Contains(t, tables, "memories")
	archivetest.CheckTables(t, testArchive(t), tables)
}

// TestTablesFollowTheArchive compares the columns with the fields of the records, one by one.
func TestTablesFollowTheArchive(t *testing.T) {
	collections := testArchive(t).Info().Collections
	require.Len(t, accountTables, len(collections))
	capital := regexp.MustCompile("[A-Z]")
	for i, c := range collections {
		var columns []string
		for _, column := range c.Columns {
			name := capital.ReplaceAllStringFunc(column.Name, func(s string) string { return "_" + strings.ToLower(s) })
			if name == "subject" {
				name = "about"
			}
			columns = append(columns, name)
		}
		assert.Equal(t, c.Name, accountTables[i].collection)
		assert.Equal(t, strings.Join(columns, ", "), accountTables[i].columns)
	}
}

// TestRowsOfTheDatabaseAreTheRecords reads extreme values back.
func TestRowsOfTheDatabaseAreTheRecords(t *testing.T) {
	first, last := time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 999999999, time.UTC)
	view := &threengram.View{Account: threengram.Account{CreatedAt: first, EmailVerifiedAt: &last, UpdatedAt: last}}
	for i, f := range []float64{0, 1, -1, 0.1, math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64, 1 << 53, 1<<63 + 2048, 1e15 + 0.5, math.Pi} {
		view.Facts = join(view.Facts, &threengram.Fact{Confidence: &f, ID: accountID(byte(i)), Subject: "\x00a", Value: "\u2028"})
	}
	for i, n := range []int64{0, 1<<53 + 1, math.MaxInt64, math.MinInt64} {
		view.LLMUsage = join(view.LLMUsage, &threengram.LLMUsage{CostUSD: "-00.10e+2", ID: accountID(byte(i)), InputTokens: n, OutputTokens: -n})
	}
	for i, payload := range []string{`0`, `-0.0`, `1e400`, `9007199254740993`, `"null"`, `""`, `[]`, `{"a":[null]}`, `true`} {
		view.MemoryEvents = join(view.MemoryEvents, &threengram.MemoryEvent{ID: accountID(byte(128 + i)), Payload: []byte(payload)})
	}
	view.Scopes = join(view.Scopes, &threengram.Scope{ID: accountID(1)})
	view.Scopes = join(view.Scopes, &threengram.Scope{ID: accountID(255), Aliases: []string{"", "a\x00", `"\`, "<&>", "\u2028"}})
	db := testDatabase(t)
	records := []accountRecord{{"account", &view.Account}}
	records = append(records, ofCollection(t, "facts", view.Facts)...)
	records = append(records, ofCollection(t, "llmUsage", view.LLMUsage)...)
	records = append(records, ofCollection(t, "memoryEvents", view.MemoryEvents)...)
	records = append(records, ofCollection(t, "scopes", view.Scopes)...)
	insertAccount(t, db, anna, records...)
	want, err := threengram.Dataset(func(context.Context, dataexport.Scope) (*threengram.View, error) { return view, nil })
	require.NoError(t, err)
	assert.Equal(t, exportAccount(t, want, anna), exportAccount(t, newAccount(db, testArchive(t)), anna))
}

func join[T any](list iter.Seq2[*T, error], last *T) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		if list != nil {
			for r, err := range list {
				if !yield(r, err) {
					return
				}
			}
		}
		yield(last, nil)
	}
}

func ofCollection[T any](t *testing.T, name string, list iter.Seq2[*T, error]) (records []accountRecord) {
	t.Helper()
	for r, err := range list {
		require.NoError(t, err)
		records = append(records, accountRecord{name, r})
	}
	return records
}

// TestTheViewIsOfOneMoment writes between two collections, and between two rows of one, while an account is read. The view
// shows nothing of it, and the next one all.
func TestTheViewIsOfOneMoment(t *testing.T) {
	db := testDatabase(t)
	insertAccount(t, db, anna, someAccount(), someMemory(1), someMemory(2), someMemory(3), someEvent(1))
	d := newAccount(db, testArchive(t))
	before := exportAccount(t, d, anna)

	source, err := d.Open(t.Context(), dataexport.Query{Scope: anna})
	require.NoError(t, err)
	change := func(n byte) {
		insertAccount(t, db, anna, someMemory(n), someEvent(n))
		for _, statement := range []string{
			"UPDATE accounts SET email = 'new'", "UPDATE account_memories SET content = content || ' new'",
			"DELETE FROM account_memories WHERE rowid = (SELECT max(rowid) FROM account_memories WHERE id < x'05')",
		} {
			_, err := db.ExecContext(t.Context(), statement)
			require.NoError(t, err)
		}
	}
	change(10) // before anything is read but whether there is an account
	between := &writing{Source: source, after: func(collection, row int) {
		if row == 0 { // the end of a collection, or the first row
			change(byte(20 + 2*collection))
		}
	}}
	seen := exportAccount(t, fixedDataset{d.Info(), between}, anna)
	assert.Equal(t, before, seen)
	after := exportAccount(t, d, anna)
	assert.Contains(t, after, `"email":"new"`)
	assert.Contains(t, after, `"memories":12,"memoryEvents":13,`)
	assert.Zero(t, db.Stats().InUse)
}

// writing calls a function after the first row of each collection.
type writing struct {
	dataexport.Source
	after func(collection, row int)
}

func (w *writing) Rows(ctx context.Context, collection int) iter.Seq2[dataexport.Row, error] {
	return func(yield func(dataexport.Row, error) bool) {
		n := 0
		for row, err := range w.Source.Rows(ctx, collection) {
			if !yield(row, err) {
				return
			}
			w.after(collection, n)
			n++
		}
		if n == 0 {
			w.after(collection, n)
		}
	}
}

type fixedDataset struct {
	info   dataexport.Info
	source dataexport.Source
}

func (d fixedDataset) Info() dataexport.Info { return d.info }

func (d fixedDataset) Open(context.Context, dataexport.Query) (dataexport.Source, error) {
	return d.source, nil
}

func TestAnAccountIsItsOwnersAlone(t *testing.T) {
	db := testDatabase(t)
	ben, other := dataexport.Scope{WorkspaceID: "w", Subject: "ben"}, dataexport.Scope{WorkspaceID: "x", Subject: "anna"}
	insertAccount(t, db, anna, someAccount(), someMemory(1))
	insertAccount(t, db, ben, someAccount(), someMemory(1), someMemory(2))
	d := newAccount(db, testArchive(t))
	for owner, n := range map[dataexport.Scope]int64{anna: 1, ben: 2} {
		source, err := d.Open(t.Context(), dataexport.Query{Scope: owner})
		require.NoError(t, err)
		counted, err := source.(dataexport.Counter).Count(t.Context())
		require.NoError(t, err)
		assert.Equal(t, n, counted)
		require.NoError(t, source.Close())
	}
	_, err := d.Open(t.Context(), dataexport.Query{Scope: other})
	require.ErrorIs(t, err, dataexport.ErrNotFound)
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = d.Open(canceled, dataexport.Query{Scope: anna})
	require.ErrorIs(t, err, context.Canceled)
	assert.Zero(t, db.Stats().InUse)
}

func TestAccountStopsWithItsContext(t *testing.T) {
	db := testDatabase(t)
	insertAccount(t, db, anna, someAccount(), someMemory(1), someMemory(2), someMemory(3))
	source, err := newAccount(db, testArchive(t)).Open(t.Context(), dataexport.Query{Scope: anna})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	var last error
	for _, err := range source.Rows(ctx, 5) {
		cancel()
		last = err
	}
	cancel()
	require.ErrorIs(t, last, context.Canceled)
	require.NoError(t, source.Close())
	assert.Zero(t, db.Stats().InUse)
}

// TestAccountPlans asks SQLite how it would read an account: in order, without a sort, and counting by the index alone.
func TestAccountPlans(t *testing.T) {
	db := testDatabase(t)
	for _, table := range accountTables {
		plan := explain(t, db, table.selectRows(), []any{"w", "anna"})
		assert.Equal(t, []string{"SEARCH " + table.name + " USING INDEX sqlite_autoindex_" + table.name + "_1 (workspace_id=? AND subject=?)"}, plan)
		plan = explain(t, db, "SELECT count(*) FROM "+table.name+ofOwner, []any{"w", "anna"})
		assert.Contains(t, plan[0], " USING COVERING INDEX ")
	}
}

func TestMemoryOfAnAccountIsFlat(t *testing.T) {
	db := testDatabase(t)
	records := []accountRecord{someAccount()}
	payload := []byte(`"` + strings.Repeat("x", 1000) + `"`)
	for i := range 6_000 {
		id := uuid.UUID{14: byte(i >> 8), 15: byte(i)}
		records = append(records, accountRecord{"memoryEvents", &threengram.MemoryEvent{CreatedAt: noon, ID: id, Payload: payload}})
	}
	insertAccount(t, db, anna, records...)
	peak := func(limit int) (most uint64) {
		source, err := newAccount(db, testArchive(t)).Open(t.Context(), dataexport.Query{Scope: anna})
		require.NoError(t, err)
		defer func() { require.NoError(t, source.Close()) }()
		n := 0
		for _, err := range source.Rows(t.Context(), 6) {
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
	runtime.KeepAlive(records)
}
