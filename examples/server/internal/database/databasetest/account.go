package databasetest

import (
	"context"
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
	"github.com/dataexport/dataexport/archive/archivetest"
	"github.com/dataexport/dataexport/archive/threengram"
	"github.com/dataexport/dataexport/examples/server/internal/database"
)

var accountTests = map[string]func(*testing.T, *Subject){
	"NoTableIsForgotten":             testNoTableIsForgotten,
	"TablesFollowTheArchive":         testTablesFollowTheArchive,
	"RowsOfTheDatabaseAreTheRecords": testRowsOfTheDatabaseAreTheRecords,
	"TheViewIsOfOneMoment":           testTheViewIsOfOneMoment,
	"AnAccountIsItsOwnersAlone":      testAnAccountIsItsOwnersAlone,
	"AccountStopsWithItsContext":     testAccountStopsWithItsContext,
	"MemoryOfAnAccountIsFlat":        testMemoryOfAnAccountIsFlat,
	"NoHalfAccount":                  testNoHalfAccount,
	"AccountImportStops":             testAccountImportStops,
	"AccountsWithNUL":                testAccountsWithNUL,
}

// testNoTableIsForgotten compares the archive and its inventory with the database. Whoever adds a table must say whether it
// is in the archive, and if not, why.
func testNoTableIsForgotten(t *testing.T, s *Subject) {
	tables, err := s.Tables(t.Context())
	require.NoError(t, err)
	require.Contains(t, tables, "memories")
	archivetest.CheckTables(t, s.archive(t), tables)
}

// testTablesFollowTheArchive compares the columns with the fields of the records, one by one.
func testTablesFollowTheArchive(t *testing.T, s *Subject) {
	collections := s.archive(t).Info().Collections
	require.Len(t, database.AccountTables, len(collections))
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
		assert.Equal(t, c.Name, database.AccountTables[i].Collection)
		assert.Equal(t, strings.Join(columns, ", "), database.AccountTables[i].Columns)
	}
}

// testRowsOfTheDatabaseAreTheRecords reads extreme values back.
func testRowsOfTheDatabaseAreTheRecords(t *testing.T, s *Subject) {
	first, last := time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 999999999, time.UTC)
	nul := "\x00"
	if !s.HoldsNUL {
		nul = "\x01"
	}
	view := &threengram.View{Account: threengram.Account{CreatedAt: first, EmailVerifiedAt: &last, UpdatedAt: last}}
	for i, f := range []float64{0, 1, -1, 0.1, math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64, 1 << 53, 1<<63 + 2048, 1e15 + 0.5, math.Pi} {
		view.Facts = join(view.Facts, &threengram.Fact{Confidence: &f, ID: accountID(byte(i)), Subject: nul + "a", Value: "\u2028"})
	}
	for i, n := range []int64{0, 1<<53 + 1, math.MaxInt64, math.MinInt64} {
		view.LLMUsage = join(view.LLMUsage, &threengram.LLMUsage{CostUSD: "-00.10e+2", ID: accountID(byte(i)), InputTokens: n, OutputTokens: -n})
	}
	for i, payload := range []string{`0`, `-0.0`, `1e400`, `9007199254740993`, `"null"`, `""`, `[]`, `{"a":[null]}`, `true`} {
		view.MemoryEvents = join(view.MemoryEvents, &threengram.MemoryEvent{ID: accountID(byte(128 + i)), Payload: []byte(payload)})
	}
	view.Scopes = join(view.Scopes, &threengram.Scope{ID: accountID(1)})
	view.Scopes = join(view.Scopes, &threengram.Scope{ID: accountID(255), Aliases: []string{"", "a" + nul, `"\`, "<&>", "\u2028"}})
	records := []accountRecord{{"account", &view.Account}}
	records = append(records, ofCollection(t, "facts", view.Facts)...)
	records = append(records, ofCollection(t, "llmUsage", view.LLMUsage)...)
	records = append(records, ofCollection(t, "memoryEvents", view.MemoryEvents)...)
	records = append(records, ofCollection(t, "scopes", view.Scopes)...)
	insertAccount(t, s, anna, records...)
	want, err := threengram.Dataset(func(context.Context, dataexport.Scope) (*threengram.View, error) { return view, nil })
	require.NoError(t, err)
	assert.Equal(t, exportAccount(t, want, anna), exportAccount(t, s.Accounts(s.archive(t)), anna))
}

// testTheViewIsOfOneMoment writes between two collections, and between two rows of one, while an account is read. The view
// shows nothing of it, and the next one all.
func testTheViewIsOfOneMoment(t *testing.T, s *Subject) {
	insertAccount(t, s, anna, someAccount(), oldMemory(1), oldMemory(2), oldMemory(3), someEvent(1))
	d := s.Accounts(s.archive(t))
	before := exportAccount(t, d, anna)

	source, err := d.Open(t.Context(), dataexport.Query{Scope: anna})
	require.NoError(t, err)
	change := func(n byte) {
		insertAccount(t, s, anna, someMemory(n), someEvent(n))
		for _, statement := range []string{
			"UPDATE accounts SET email = 'new'", "UPDATE account_memories SET content = content || ' new'",
			"DELETE FROM account_memories WHERE id IN (SELECT id FROM account_memories WHERE status = 'old' ORDER BY id DESC LIMIT 1)",
		} {
			require.NoError(t, s.Exec(t.Context(), statement))
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
	assert.Zero(t, s.InUse())
}

func testAnAccountIsItsOwnersAlone(t *testing.T, s *Subject) {
	ben, other := dataexport.Scope{WorkspaceID: "w", Subject: "ben"}, dataexport.Scope{WorkspaceID: "x", Subject: "anna"}
	insertAccount(t, s, anna, someAccount(), someMemory(1))
	insertAccount(t, s, ben, someAccount(), someMemory(1), someMemory(2))
	d := s.Accounts(s.archive(t))
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
	assert.Zero(t, s.InUse())
}

func testAccountStopsWithItsContext(t *testing.T, s *Subject) {
	insertAccount(t, s, anna, someAccount(), someMemory(1), someMemory(2), someMemory(3))
	source, err := s.Accounts(s.archive(t)).Open(t.Context(), dataexport.Query{Scope: anna})
	require.NoError(t, err)
	defer func() { assert.NoError(t, source.Close()) }()
	ctx, cancel := context.WithCancel(t.Context())
	var last error
	for _, err := range source.Rows(ctx, 5) {
		cancel()
		last = err
	}
	cancel()
	require.ErrorIs(t, last, context.Canceled)
}

func testMemoryOfAnAccountIsFlat(t *testing.T, s *Subject) {
	records := []accountRecord{someAccount()}
	payload := []byte(`"` + strings.Repeat("x", 1000) + `"`)
	for i := range 6_000 {
		id := uuid.UUID{14: byte(i >> 8), 15: byte(i)}
		records = append(records, accountRecord{"memoryEvents", &threengram.MemoryEvent{CreatedAt: noon, ID: id, Payload: payload}})
	}
	insertAccount(t, s, anna, records...)
	peak := func(limit int) (most uint64) {
		source, err := s.Accounts(s.archive(t)).Open(t.Context(), dataexport.Query{Scope: anna})
		require.NoError(t, err)
		defer func() { require.NoError(t, source.Close()) }()
		n := 0
		for _, err := range source.Rows(t.Context(), 6) {
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
	runtime.KeepAlive(records)
}
