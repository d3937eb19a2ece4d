package main

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport/examples/server/internal/database/sqlite"
)

// openPrepared opens the SQLite database in a directory, and makes its tables.
func openPrepared(ctx context.Context, dir string, connections int) (*sqlite.DB, error) {
	db, err := sqlite.Open(dir, connections)
	if err != nil {
		return nil, err
	}
	if err := db.Prepare(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

func countRows(t testing.TB, db *sqlite.DB, table string) (n int) {
	t.Helper()
	require.NoError(t, db.SQL.QueryRowContext(context.WithoutCancel(t.Context()), "SELECT count(*) FROM "+table).Scan(&n))
	return n
}
