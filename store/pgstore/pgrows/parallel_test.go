package pgrows

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/render"
)

// thingsInfo describes the table things, whose key is a text whose order in a language is not that of its bytes, behind a time that many
// records share.
func thingsInfo() dataexport.Info {
	return dataexport.Info{Name: "things", Collections: []dataexport.Collection{{Name: "things", Columns: []dataexport.Column{
		{Name: "at", Kind: dataexport.KindTime, Key: 1}, {Name: "id", Kind: dataexport.KindString, Key: 2},
		{Name: "content", Kind: dataexport.KindString, Nullable: true}, {Name: "tags", Kind: dataexport.KindStrings},
	}}}}
}

// things fills the table. Contents have up to 200 bytes, some are null or empty, and some are larger than a chunk.
func things(t *testing.T, pool *pgxpool.Pool, count int) {
	execute(t, pool, "CREATE TABLE things (owner text, at timestamptz, id text, content text, tags text[])", fmt.Sprintf(`INSERT INTO things
		SELECT 'me', '2026-01-01'::timestamptz + g / 3000 * interval '1 s', (ARRAY['ä', 'z', 'Z', 'a', '_'])[g %% 5 + 1] || md5(g::text),
		CASE WHEN g %% 5000 = 77 THEN repeat('x', 200000 + g) WHEN g %% 11 = 0 THEN NULL ELSE repeat('c', g %% 200) END, ARRAY['t' || g]
		FROM generate_series(1, %d) g`, count), `CREATE INDEX ON things (owner, at, id COLLATE "C")`, "ANALYZE things")
}

func thingsSnapshot(db Beginner, connections int) Snapshot {
	return Snapshot{DB: db, Connections: connections, Tables: []Table{{Collection: thingsInfo().Collections[0], Where: Conditions{Workspace: "owner"}.Where}}}
}

var mine = dataexport.Query{Scope: dataexport.Scope{WorkspaceID: "me"}}

// digest reads all records and returns how many there are and what they are, in their order.
func digest(t *testing.T, source dataexport.Source) (n int, sum [sha256.Size]byte) {
	t.Helper()
	hash := sha256.New()
	for row, err := range source.Rows(t.Context(), 0) {
		require.NoError(t, err)
		content := "null"
		if !row[2].IsNull() {
			content = "text " + row[2].Text()
		}
		fmt.Fprintln(hash, row[0].Time(), row[1].Text(), content, row[3].Strings())
		n++
	}
	hash.Sum(sum[:0])
	return n, sum
}

// What several connections read, while others insert, delete and update, is what one connection reads in the same snapshot.
func TestConnectionsReadWhatOneReads(t *testing.T) {
	const count = 40_000
	pool := newPool(t)
	things(t, pool, count)
	ctx, stop := context.WithCancel(t.Context())
	var writing sync.WaitGroup
	defer writing.Wait()
	defer stop()
	writing.Go(func() {
		for i := 0; ctx.Err() == nil; i++ {
			for _, sql := range []string{
				"INSERT INTO things SELECT 'me', at, id || $1, content, tags FROM things WHERE tags[1] = 't' || (1 + $1::text::int * 997 % 40000)",
				"DELETE FROM things WHERE tags[1] = 't' || (1 + $1::text::int * 991 % 40000)",
				"UPDATE things SET at = at + interval '3 s' WHERE tags[1] = 't' || (1 + $1::text::int * 983 % 40000)",
			} {
				if _, err := pool.Exec(ctx, sql, fmt.Sprint(i)); ctx.Err() == nil {
					assert.NoError(t, err)
				}
			}
		}
	})
	for _, connections := range []int{2, 3} {
		source, err := thingsSnapshot(pool, connections).Open(t.Context(), mine)
		require.NoError(t, err)
		t.Cleanup(func() { assert.NoError(t, source.Close()) })
		several, sumOfSeveral := digest(t, source)
		again, sumOfAgain := digest(t, source)
		source.(*view).connections = 1
		one, sumOfOne := digest(t, source)
		require.Greater(t, one, count*9/10)
		require.Equal(t, one, several)
		require.Equal(t, sumOfOne, sumOfSeveral)
		require.Equal(t, one, again)
		require.Equal(t, sumOfOne, sumOfAgain)
		require.NoError(t, source.Close())
	}
}

// However the reading ends, all connections are given back and no goroutine is left.
func TestConnectionsAreGivenBack(t *testing.T) {
	pool := newPool(t, func(c *pgxpool.Config) { c.MaxConns = 3 })
	things(t, pool, 30_000)
	cause := errors.New("told to stop")
	read := func(t *testing.T, ctx context.Context, until int, then func()) (n int, last error) {
		source, err := thingsSnapshot(pool, 3).Open(ctx, mine)
		require.NoError(t, err)
		defer func() { assert.NoError(t, source.Close()) }()
		for _, err := range source.Rows(ctx, 0) {
			if last = err; err != nil {
				continue // there must be nothing behind an error
			}
			if n++; n == until {
				if then == nil {
					break
				}
				then()
			}
		}
		return n, last
	}
	for _, until := range []int{1, 1024, 1025, 20_000, 29_999} {
		for name, test := range map[string]func(t *testing.T){
			"the consumer stops": func(t *testing.T) {
				n, err := read(t, t.Context(), until, nil)
				require.NoError(t, err)
				assert.Equal(t, until, n)
			},
			"the consumer panics": func(t *testing.T) {
				assert.PanicsWithValue(t, "consumer", func() { _, _ = read(t, t.Context(), until, func() { panic("consumer") }) })
			},
			"cancelled": func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				n, err := read(t, ctx, until, func() { cancel(cause) })
				if n < 30_000 || err != nil { // what was in a chunk already may come
					require.ErrorIs(t, err, cause)
				}
			},
		} {
			t.Run(fmt.Sprint(name, " at ", until), func(t *testing.T) {
				before := goleak.IgnoreCurrent()
				test(t)
				// Connections that were cut off leave the pool in the background.
				require.Eventually(t, func() bool { return pool.Stat().AcquiredConns() == 0 }, time.Minute, time.Millisecond)
				pool.Reset() // a pool has goroutines for a while that make connections
				goleak.VerifyNone(t, before, goleak.IgnoreAnyFunction("github.com/jackc/pgx/v5/pgxpool.(*Pool).backgroundHealthCheck"),
					goleak.IgnoreAnyFunction("github.com/jackc/pgx/v5/pgxpool.(*Pool).triggerHealthCheck.func1"))
			})
		}
	}
}

// A stop in the middle leaves a snapshot that can be read again.
func TestStoppingLeavesTheSnapshot(t *testing.T) {
	pool := newPool(t)
	things(t, pool, 20_000)
	source, err := thingsSnapshot(pool, 2).Open(t.Context(), mine)
	require.NoError(t, err)
	defer func() { assert.NoError(t, source.Close()) }()
	for _, err := range source.Rows(t.Context(), 0) {
		require.NoError(t, err)
		break
	}
	n, _ := digest(t, source)
	assert.Equal(t, 20_000, n)
}

// A pool that has no connection to spare is not waited for: the first connection reads on.
func TestConnectionsThatCannotBeHad(t *testing.T) {
	pool := newPool(t, oneConnection)
	things(t, pool, 20_000)
	source, err := thingsSnapshot(pool, 4).Open(t.Context(), mine)
	require.NoError(t, err)
	n, _ := digest(t, source)
	assert.Equal(t, 20_000, n)
	require.NoError(t, source.Close())
	requireUsable(t, pool)
}

// What fits into one piece is read over the one connection that is there.
func TestSmallTablesTakeOneConnection(t *testing.T) {
	pool := newPool(t)
	things(t, pool, leastPiece-1)
	pool.Reset()
	before := pool.Stat().NewConnsCount()
	source, err := thingsSnapshot(pool, 4).Open(t.Context(), mine)
	require.NoError(t, err)
	n, _ := digest(t, source)
	assert.Equal(t, leastPiece-1, n)
	require.NoError(t, source.Close())
	assert.Equal(t, before+1, pool.Stat().NewConnsCount())
}

// Numbers of records around those at which pieces end.
func TestConnectionsAtTheEdges(t *testing.T) {
	pool := newPool(t)
	things(t, pool, 4*leastPiece)
	for _, count := range []int{4 * leastPiece, 2*leastPiece + 1, 2 * leastPiece, leastPiece + 1, leastPiece, 1, 0} {
		execute(t, pool, fmt.Sprintf("DELETE FROM things WHERE ctid NOT IN (SELECT ctid FROM things LIMIT %d)", count))
		source, err := thingsSnapshot(pool, 2).Open(t.Context(), mine)
		require.NoError(t, err)
		n, _ := digest(t, source)
		assert.Equal(t, count, n)
		require.NoError(t, source.Close())
	}
}

// An error of any connection ends the reading, behind the records that come before it.
func TestAnErrorOfAnyConnection(t *testing.T) {
	pool := newPool(t)
	things(t, pool, 30_000)
	for message, spoil := range map[string]func(*Snapshot){
		"division by zero": func(s *Snapshot) {
			s.Tables[0].Select = map[string]string{"content": "(1 / (26000 - substr(tags[1], 2)::int))::text"}
		},
		"has a NULL inside": func(s *Snapshot) {
			s.Tables[0].Select = map[string]string{"tags": "CASE WHEN tags[1] = 't26000' THEN ARRAY[NULL] ELSE tags END"}
		},
	} {
		s := thingsSnapshot(pool, 2)
		spoil(&s)
		source, err := s.Open(t.Context(), mine)
		require.NoError(t, err)
		n, last := 0, error(nil)
		for _, err := range source.Rows(t.Context(), 0) {
			require.NoError(t, last, "something came behind an error")
			if last = err; err == nil {
				n++
			}
		}
		require.ErrorContains(t, last, message)
		assert.Greater(t, n, 10_000)     // PostgreSQL may find the fault of a piece before its first record
		assert.LessOrEqual(t, n, 27_000) // the records of its second are in another order
		require.NoError(t, source.Close())
		requireUsable(t, pool)
	}
}

// The server ends the connection that has joined.
func TestAConnectionThatBreaks(t *testing.T) {
	pool := newPool(t)
	things(t, pool, 60_000)
	source, err := thingsSnapshot(pool, 2).Open(t.Context(), mine)
	require.NoError(t, err)
	defer func() { assert.NoError(t, source.Close()) }()
	n, ended, last := 0, false, error(nil)
	for _, err := range source.Rows(t.Context(), 0) {
		require.NoError(t, last)
		if last = err; err == nil {
			n++
		}
		if !ended && n%1000 == 0 { // it may not have joined yet
			sql := "SELECT count(pg_terminate_backend(pid)) > 0 FROM pg_stat_activity WHERE query LIKE 'SELECT%things%' AND pid NOT IN (pg_backend_pid(), $1)"
			require.NoError(t, pool.QueryRow(t.Context(), sql, int64(source.(*view).tx.Conn().PgConn().PID())).Scan(&ended))
		}
	}
	require.True(t, ended)
	require.Error(t, last)
	assert.Less(t, n, 60_000)
}

// A key that is not unique is seen by the engine, wherever a piece ends.
func TestConnectionsAndKeysThatAreNotUnique(t *testing.T) {
	pool := newPool(t)
	things(t, pool, 3*leastPiece)
	execute(t, pool, `INSERT INTO things SELECT t.* FROM (SELECT * FROM things ORDER BY at, id COLLATE "C" OFFSET `+fmt.Sprint(leastPiece-1)+" LIMIT 1) t, generate_series(1, 5)")
	_, err := dataexport.Export(t.Context(), &bytes.Buffer{}, Dataset(thingsInfo(), thingsSnapshot(pool, 2).Open), render.CSV(), mine)
	require.Error(t, err)
	assert.True(t, strings.Contains(err.Error(), "key") || strings.Contains(err.Error(), "order"), err)
}

func TestConnectionsNeedAPool(t *testing.T) {
	pool := newPool(t)
	conn, err := pgx.ConnectConfig(t.Context(), pool.Config().ConnConfig)
	require.NoError(t, err)
	defer func() { assert.NoError(t, conn.Close(context.WithoutCancel(t.Context()))) }()
	_, err = thingsSnapshot(conn, 2).Open(t.Context(), mine)
	require.ErrorIs(t, err, dataexport.ErrInvalid)
	assert.ErrorContains(t, err, "pgxpool.Pool")
	_, err = thingsSnapshot(conn, 1).Open(t.Context(), mine)
	require.NotErrorIs(t, err, dataexport.ErrInvalid) // there is no such table
}

// What several connections read costs no allocation for a record.
func TestAllocationsOfConnections(t *testing.T) {
	const rows = 50_000
	pool := newPool(t)
	execute(t, pool, "CREATE TABLE things (owner text, at timestamptz, id text, content text, tags text[])",
		"INSERT INTO things SELECT 'me', '2026-01-01'::timestamptz + g * interval '1 s', 'id', 'content ' || g, ARRAY['a', 'b'] FROM generate_series(1, 50000) g",
		`CREATE INDEX ON things (owner, at, id COLLATE "C")`, "ANALYZE things")
	source, err := thingsSnapshot(pool, 2).Open(t.Context(), mine)
	require.NoError(t, err)
	defer func() { assert.NoError(t, source.Close()) }()
	allocations := testing.AllocsPerRun(3, func() {
		n := 0
		for _, err := range source.Rows(t.Context(), 0) {
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
		if n != rows {
			t.Fatal(n, "records")
		}
	})
	t.Logf("%.0f allocations for %d records", allocations, rows)
	assert.Less(t, allocations/rows, 0.1)
}
