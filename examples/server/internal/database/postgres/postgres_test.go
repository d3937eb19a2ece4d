package postgres

import (
	"context"
	"os"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport/examples/server/internal/database/databasetest"
	"github.com/dataexport/dataexport/queue/riverqueue"
	"github.com/dataexport/dataexport/store/pgstore"
	"github.com/dataexport/dataexport/store/pgstore/postgrestest"
)

var server postgrestest.Shared

func TestMain(m *testing.M) { os.Exit(server.Main(m)) }

func testDatabase(t testing.TB) *DB {
	t.Helper()
	db, err := Open(server.NewDatabase(t), 6)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, db.Close()) })
	require.NoError(t, db.Prepare(t.Context()))
	return db
}

func TestDatabase(t *testing.T) {
	databasetest.Run(t, func(t testing.TB) *databasetest.Subject {
		db := testDatabase(t)
		require.NoError(t, pgstore.Migrate(t.Context(), db.Pool))
		require.NoError(t, riverqueue.Migrate(t.Context(), db.Pool, ""))
		return &databasetest.Subject{
			DB: db,
			Exec: func(ctx context.Context, statement string) error {
				_, err := db.Pool.Exec(ctx, statement)
				return err
			},
			Count: func(ctx context.Context, table string) (n int, err error) {
				err = db.Pool.QueryRow(ctx, "SELECT count(*) FROM "+table).Scan(&n)
				return n, err
			},
			Tables: db.tables,
			InUse:  func() int { return int(db.Pool.Stat().AcquiredConns()) },
		}
	})
}

func (d *DB) tables(ctx context.Context) ([]string, error) {
	rows, err := d.Pool.Query(ctx, "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}
