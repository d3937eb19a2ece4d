package pgrows

import (
	"context"
	"os"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/store/pgstore/postgrestest"
)

var postgres postgrestest.Shared

func TestMain(m *testing.M) { os.Exit(postgres.Main(m)) }

// newPool returns a pool of a database of the test's own.
func newPool(t testing.TB, change ...func(*pgxpool.Config)) *pgxpool.Pool {
	config, err := pgxpool.ParseConfig(postgres.NewDatabase(t))
	require.NoError(t, err)
	for _, c := range change {
		c(config)
	}
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	return pool
}

func execute(t testing.TB, pool *pgxpool.Pool, statements ...string) {
	t.Helper()
	for _, s := range statements {
		_, err := pool.Exec(context.WithoutCancel(t.Context()), s)
		require.NoError(t, err, s)
	}
}

// queryValue returns the only value of a query.
func queryValue(ctx context.Context, db DB, kind dataexport.Kind, expression string) (v dataexport.Value, err error) {
	columns := []dataexport.Column{{Name: "v", Kind: kind, Nullable: true}}
	for row, err := range Query(ctx, db, columns, "SELECT "+expression+" AS v") {
		if err != nil {
			return dataexport.Value{}, err
		}
		v = row.Clone()[0]
	}
	return v, nil
}

// For the examples, which are in a package of their own.
var NewTestPool = func(t *testing.T) *pgxpool.Pool { return newPool(t) }

const MemoriesTable = memoriesTable
