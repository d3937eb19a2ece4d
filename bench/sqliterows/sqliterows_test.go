package sqliterows

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"zombiezen.com/go/sqlite"

	"github.com/dataexport/dataexport"
)

func open(t testing.TB) *sqlite.Conn {
	conn, err := sqlite.OpenConn(filepath.Join(t.TempDir(), "test.db"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	return conn
}

func columnsOf(kinds ...dataexport.Kind) []dataexport.Column {
	var columns []dataexport.Column
	for _, kind := range kinds {
		columns = append(columns, dataexport.Column{Name: kind.String(), Kind: kind, Nullable: true})
	}
	return columns
}

func collect(t *testing.T, conn *sqlite.Conn, columns []dataexport.Column, sql string, arguments ...string) ([]dataexport.Row, error) {
	var rows []dataexport.Row
	for row, err := range Query(t.Context(), conn, columns, sql, arguments...) {
		if err != nil {
			return rows, err
		}
		rows = append(rows, row.Clone())
	}
	return rows, nil
}

func TestQueryReadsEveryKind(t *testing.T) {
	columns := columnsOf(dataexport.KindString, dataexport.KindInt, dataexport.KindFloat, dataexport.KindFloat, dataexport.KindBool,
		dataexport.KindTime, dataexport.KindJSON, dataexport.KindStrings, dataexport.KindUUID, dataexport.KindDecimal)
	rows, err := collect(t, open(t), columns, `SELECT ?, 9223372036854775807, 1.5, 2, 1, '2026-01-15T12:30:00.0123+02:00', '{"a": 1}', '["x","y & z"]',
		x'000102030405060708090a0b0c0d0e0f', '19.90'`, "Zoë")
	require.NoError(t, err)
	require.Len(t, rows, 1)
	row := rows[0]
	assert.Equal(t, "Zoë", row[0].Text())
	assert.Equal(t, int64(9223372036854775807), row[1].Int())
	assert.Equal(t, 1.5, row[2].Float())
	assert.Equal(t, 2.0, row[3].Float())
	assert.True(t, row[4].Bool())
	assert.Equal(t, time.Date(2026, 1, 15, 10, 30, 0, 12_300_000, time.UTC), row[5].Time())
	assert.Equal(t, `{"a": 1}`, row[6].Text())
	assert.False(t, row[6].Trusted())
	assert.Equal(t, []string{"x", "y & z"}, row[7].Strings())
	assert.Equal(t, [16]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, *row[8].UUID())
	assert.Equal(t, "19.90", row[9].Text())
	assert.Equal(t, dataexport.KindDecimal, row[9].Kind())
}

func TestQueryTellsNullFromEmpty(t *testing.T) {
	columns := columnsOf(dataexport.KindString, dataexport.KindString, dataexport.KindStrings, dataexport.KindStrings, dataexport.KindInt, dataexport.KindTime)
	rows, err := collect(t, open(t), columns, `SELECT '', NULL, '[]', NULL, NULL, NULL`)
	require.NoError(t, err)
	row := rows[0]
	assert.Equal(t, dataexport.KindString, row[0].Kind())
	assert.Empty(t, row[0].Text())
	assert.True(t, row[1].IsNull())
	assert.Equal(t, dataexport.KindStrings, row[2].Kind())
	assert.Empty(t, row[2].Strings())
	for _, v := range row[3:] {
		assert.True(t, v.IsNull())
	}
}

// The buffer grows in the middle of a row; what was read before must stay.
func TestQueryReadsRowsOfAnySize(t *testing.T) {
	columns := columnsOf(dataexport.KindString, dataexport.KindString, dataexport.KindString)
	rows, err := collect(t, open(t), columns, `WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 300)
		SELECT 'first' || i, replace(hex(zeroblob(i * 50)), '0', 'x'), 'last' || i FROM n`)
	require.NoError(t, err)
	require.Len(t, rows, 301)
	for i, row := range rows {
		require.True(t, strings.HasPrefix(row[0].Text(), "first"))
		require.Equal(t, strings.Repeat("x", i*100), row[1].Text())
		require.True(t, strings.HasPrefix(row[2].Text(), "last"))
	}
}

func TestQueryRefusesWhatDoesNotFit(t *testing.T) {
	for _, test := range []struct {
		kind    dataexport.Kind
		value   string
		message string
	}{
		{dataexport.KindInt, `'seven'`, "stored as SQLITE_TEXT, which is no int"},
		{dataexport.KindInt, `1.5`, "stored as SQLITE_FLOAT, which is no int"},
		{dataexport.KindBool, `'true'`, "no bool"},
		{dataexport.KindFloat, `'1.5'`, "no float"},
		{dataexport.KindTime, `'yesterday'`, `cannot parse "yesterday"`},
		{dataexport.KindStrings, `'["a",1]'`, "no JSON array of strings"},
		{dataexport.KindStrings, `'["a",null]'`, "there is a null in it"},
		{dataexport.KindStrings, `'null'`, "no JSON array of strings but null"},
		{dataexport.KindStrings, `'["a"'`, "no JSON array of strings"},
		{dataexport.KindUUID, `x'00'`, "it has 1 bytes, and a UUID has 16"},
	} {
		_, err := collect(t, open(t), columnsOf(test.kind), "SELECT "+test.value)
		require.ErrorIs(t, err, dataexport.ErrBadRow, test.value)
		assert.ErrorContains(t, err, test.message)
		assert.ErrorContains(t, err, `column "`+test.kind.String()+`"`)
	}
	_, err := collect(t, open(t), columnsOf(dataexport.KindInt), "SELECT 1, 2")
	assert.ErrorIs(t, err, dataexport.ErrInvalid)
}

func TestAppendStrings(t *testing.T) {
	for array, want := range map[string][]string{
		`[]`:                      {},
		` [ ] `:                   {},
		`["a"]`:                   {"a"},
		`["a","b,c","d] ["]`:      {"a", "b,c", "d] ["},
		`[ "a" , "b" ]`:           {"a", "b"},
		`["\"","\\","\u00e9",""]`: {`"`, `\`, "é", ""},
	} {
		list, err := appendStrings([]string{"left", "over"}[:0], array)
		require.NoError(t, err, array)
		assert.Equal(t, want, append([]string{}, list...), array)
	}
}

func TestQueryStopsWithItsContext(t *testing.T) {
	conn := open(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	gone := errors.New("gone")
	rows := 0
	var last error
	for _, err := range Query(ctx, conn, columnsOf(dataexport.KindInt), `WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n`) {
		if last = err; err != nil {
			break
		}
		if rows++; rows == 10 {
			cancel(gone)
		}
	}
	require.ErrorIs(t, last, gone)
	after, err := collect(t, conn, columnsOf(dataexport.KindInt), "SELECT 1") // the connection is as it was
	require.NoError(t, err)
	require.Len(t, after, 1)
}

func TestQueryCanBeLeft(t *testing.T) {
	conn := open(t)
	for range 3 {
		for _, err := range Query(t.Context(), conn, columnsOf(dataexport.KindInt), "SELECT 1 UNION SELECT 2") {
			require.NoError(t, err)
			break
		}
	}
	require.NoError(t, drop(conn))
}

// drop fails while a statement runs.
func drop(conn *sqlite.Conn) error {
	statement, _, err := conn.PrepareTransient("VACUUM")
	if err != nil {
		return err
	}
	_, err = statement.Step()
	return errors.Join(err, statement.Finalize())
}

// The number of allocations must not depend on the number of rows.
func TestQueryAllocatesNothingForARow(t *testing.T) {
	conn := open(t)
	columns := columnsOf(dataexport.KindString, dataexport.KindInt, dataexport.KindTime, dataexport.KindJSON, dataexport.KindStrings)
	read := func(n string) func() {
		return func() {
			for _, err := range Query(context.Background(), conn, columns, `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < `+n+`)
				SELECT 'some text', i, '2026-01-15T10:30:00.000Z', '{"a":1}', '["x","y"]' FROM n`) {
				if err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	few, many := testing.AllocsPerRun(3, read("5000")), testing.AllocsPerRun(3, read("15000"))
	assert.InDelta(t, few, many, 50, "allocations for 10,000 rows more")
}
