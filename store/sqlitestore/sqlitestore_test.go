package sqlitestore_test

import (
	"database/sql"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/store/sqlitestore"
	"github.com/dataexport/dataexport/store/storetest"
)

// openFile opens a database file with no settings at all, as a program might.
func openFile(t testing.TB, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

// openFresh opens a migrated database in a file of its own.
func openFresh(t testing.TB) (db *sql.DB, path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "exports.db")
	db = openFile(t, path)
	require.NoError(t, sqlitestore.Migrate(t.Context(), db))
	return db, path
}

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) dataexport.Store {
		db, _ := openFresh(t)
		return sqlitestore.New(db)
	})
}

// TestStoreInMemory also shows that one connection is enough.
func TestStoreInMemory(t *testing.T) {
	storetest.Run(t, func(t *testing.T) dataexport.Store {
		db := openFile(t, ":memory:")
		db.SetMaxOpenConns(1) // each connection would have a database of its own
		require.NoError(t, sqlitestore.Migrate(t.Context(), db))
		return sqlitestore.New(db)
	})
}
