package pgrows

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
)

var numbers = []dataexport.Column{{Name: "n", Kind: dataexport.KindInt}}

const (
	endless = "SELECT generate_series(1, 1000000000000) AS n" // in FROM, PostgreSQL would gather all before the first
	few     = "SELECT generate_series(1, 1000) AS n"
)

// oneConnection makes a pool in which a connection that is not given back is missed at once.
func oneConnection(c *pgxpool.Config) { c.MaxConns = 1 }

func requireUsable(t *testing.T, pool *pgxpool.Pool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
	defer cancel()
	var one int
	require.NoError(t, pool.QueryRow(ctx, "SELECT 1").Scan(&one)) // waits until a closed connection is out of the pool
	require.Zero(t, pool.Stat().AcquiredConns())
}

func TestQueryGivesTheConnectionBack(t *testing.T) {
	pool := newPool(t, oneConnection)
	for _, sql := range []string{few, endless} {
		t.Run("the consumer stops", func(t *testing.T) {
			for row, err := range Query(t.Context(), pool, numbers, sql) {
				require.NoError(t, err)
				require.Equal(t, int64(1), row[0].Int())
				break
			}
			requireUsable(t, pool)
		})
		t.Run("the consumer panics", func(t *testing.T) {
			assert.PanicsWithValue(t, "consumer", func() {
				for _, err := range Query(t.Context(), pool, numbers, sql) {
					require.NoError(t, err)
					panic("consumer")
				}
			})
			requireUsable(t, pool)
		})
	}
	t.Run("a value is at fault", func(t *testing.T) {
		columns := []dataexport.Column{{Name: "n", Kind: dataexport.KindTime}}
		var faults []error
		for _, err := range Query(t.Context(), pool, columns, "SELECT 'x' || generate_series(1, 1000000000000) AS n") {
			faults = append(faults, err)
		}
		require.Len(t, faults, 1)
		require.ErrorIs(t, faults[0], dataexport.ErrBadRow)
		requireUsable(t, pool)
	})
	t.Run("PostgreSQL finds a fault in the middle", func(t *testing.T) {
		n, last := 0, error(nil)
		for _, err := range Query(t.Context(), pool, numbers, "SELECT (1000 / (500 - g))::int AS n FROM generate_series(1, 1000) g") {
			n, last = n+1, err
		}
		assert.Equal(t, 500, n)
		require.ErrorContains(t, last, "division by zero")
		requireUsable(t, pool)
	})
}

// A result that ends soon is read to its end, so that a transaction goes on.
func TestStoppingEarlyInATransaction(t *testing.T) {
	pool := newPool(t)
	tx, err := pool.Begin(t.Context())
	require.NoError(t, err)
	for _, err := range Query(t.Context(), tx, numbers, few) {
		require.NoError(t, err)
		break
	}
	for row, err := range Query(t.Context(), tx, numbers, "SELECT 5 AS n") {
		require.NoError(t, err)
		assert.Equal(t, int64(5), row[0].Int())
	}
	require.NoError(t, tx.Commit(t.Context()))
}

func TestQueryEndsWithItsContext(t *testing.T) {
	pool := newPool(t, oneConnection)
	cause := errors.New("told to stop")
	for name, sql := range map[string]string{"running": endless, "waiting": "SELECT count(*) AS n FROM pg_sleep(3600)"} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			defer time.AfterFunc(20*time.Millisecond, func() { cancel(cause) }).Stop()
			var last error
			for _, err := range Query(ctx, pool, numbers, sql) {
				last = err
			}
			require.ErrorIs(t, last, context.Canceled)
			requireUsable(t, pool)
		})
	}
	t.Run("before", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		n := 0
		for _, err := range Query(ctx, pool, numbers, few) {
			require.ErrorIs(t, err, context.Canceled)
			n++
		}
		assert.Equal(t, 1, n)
		requireUsable(t, pool)
	})
}

func TestQueryTakesAllKindsOfConnections(t *testing.T) {
	pool := newPool(t)
	held, err := pool.Acquire(t.Context())
	require.NoError(t, err)
	defer held.Release()
	tx, err := held.Begin(t.Context())
	require.NoError(t, err)
	single, err := pgx.ConnectConfig(t.Context(), pool.Config().ConnConfig)
	require.NoError(t, err)
	defer func() { assert.NoError(t, single.Close(context.WithoutCancel(t.Context()))) }()
	for _, db := range []DB{pool, held, tx, single, struct{ *pgxpool.Pool }{pool}, struct{ pgx.Tx }{tx}} {
		n := int64(0)
		for row, err := range Query(t.Context(), db, numbers, few) {
			require.NoError(t, err, "%T", db)
			n += row[0].Int()
		}
		assert.Equal(t, int64(500500), n, "%T", db)
	}
	for _, err := range Query(t.Context(), struct{ DB }{pool}, numbers, few) {
		require.ErrorIs(t, err, dataexport.ErrInvalid)
	}
}

// A query that is ranged over twice runs twice.
func TestQueryTwice(t *testing.T) {
	pool := newPool(t)
	q := Query(t.Context(), pool, numbers, "SELECT g AS n FROM generate_series(1, $1::int) g", 3)
	for range 2 {
		n := 0
		for _, err := range q {
			require.NoError(t, err)
			n++
		}
		assert.Equal(t, 3, n)
	}
}

// A missing argument is never NULL by accident.
func TestQueryArguments(t *testing.T) {
	pool := newPool(t)
	for _, err := range Query(t.Context(), pool, numbers, "SELECT @n::int AS n", pgx.StrictNamedArgs{"m": 1}) {
		require.ErrorIs(t, err, dataexport.ErrInvalid)
	}
	for _, err := range Query(t.Context(), pool, numbers, "SELECT $1::int AS n") {
		require.ErrorContains(t, err, "expected 1 arguments, got 0")
	}
}

// What is read of each row costs no allocation. A run has some hundred, for the query itself.
func TestAllocations(t *testing.T) {
	const rows = 50_000
	pool := newPool(t)
	columns := []dataexport.Column{
		{Name: "s", Kind: dataexport.KindString}, {Name: "i", Kind: dataexport.KindInt}, {Name: "f", Kind: dataexport.KindFloat},
		{Name: "r", Kind: dataexport.KindFloat}, {Name: "b", Kind: dataexport.KindBool}, {Name: "t", Kind: dataexport.KindTime},
		{Name: "d", Kind: dataexport.KindTime}, {Name: "x", Kind: dataexport.KindTime}, {Name: "j", Kind: dataexport.KindJSON},
		{Name: "l", Kind: dataexport.KindStrings}, {Name: "u", Kind: dataexport.KindUUID}, {Name: "ut", Kind: dataexport.KindString},
		{Name: "n", Kind: dataexport.KindDecimal}, {Name: "ni", Kind: dataexport.KindDecimal}, {Name: "z", Kind: dataexport.KindString, Nullable: true},
	}
	const sql = `SELECT 'text ' || g AS s, g AS i, g / 7.0::float8 AS f, (g / 7.0)::real AS r, g % 2 = 0 AS b, now() + g * interval '1 ms' AS t,
		current_date + g % 1000 AS d, to_char(now(), 'YYYY-MM-DD"T"HH24:MI:SSOF":00"') AS x, jsonb_build_object('g', g) AS j, ARRAY['a', 'b' || g] AS l,
		gen_random_uuid() AS u, gen_random_uuid() AS ut, g / 7.0 AS n, g AS ni, NULL::text AS z FROM generate_series(1, $1::int) g`
	allocations := testing.AllocsPerRun(3, func() {
		n := 0
		for _, err := range Query(t.Context(), pool, columns, sql, rows) {
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
		if n != rows {
			t.Fatal(n, "rows")
		}
	})
	t.Logf("%.0f allocations for %d rows", allocations, rows)
	assert.Less(t, allocations/rows, 0.01)
}
