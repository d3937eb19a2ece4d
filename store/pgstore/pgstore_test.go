package pgstore

import (
	"os"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/store/pgstore/postgrestest"
	"github.com/dataexport/dataexport/store/storetest"
)

var postgres postgrestest.Shared

func TestMain(m *testing.M) { os.Exit(postgres.Main(m)) }

// openPool returns a pool of connections to a database, which is closed when the test ends.
func openPool(t testing.TB, database string) *pgxpool.Pool {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), database)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	return pool
}

// migrated returns a pool of connections to an empty store.
func migrated(t testing.TB) *pgxpool.Pool {
	t.Helper()
	pool := openPool(t, postgres.NewDatabase(t))
	require.NoError(t, Migrate(t.Context(), pool))
	return pool
}

func TestStore(t *testing.T) {
	for name, setting := range map[string]string{
		"prepared statements":    "",
		"no prepared statements": "&default_query_exec_mode=exec",
	} {
		t.Run(name, func(t *testing.T) {
			pool := openPool(t, migrated(t).Config().ConnString()+setting)
			storetest.Run(t, func(t *testing.T) dataexport.Store {
				_, err := pool.Exec(t.Context(), "TRUNCATE dataexport_jobs, dataexport_workspaces")
				require.NoError(t, err)
				return New(pool, Options{})
			})
		})
	}
}
