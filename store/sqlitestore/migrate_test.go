package sqlitestore

import (
	"database/sql"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"

	"github.com/dataexport/dataexport"
)

func openPath(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

func ourMigrations(t *testing.T) []migration {
	t.Helper()
	migrations, err := readMigrations(migrationFiles)
	require.NoError(t, err)
	return migrations
}

func versionsOf(t *testing.T, db *sql.DB) (count, highest int) {
	t.Helper()
	require.NoError(t, db.QueryRow("SELECT count(*), coalesce(max(version), 0) FROM dataexport_migrations").Scan(&count, &highest))
	return count, highest
}

func TestMigrationsAreNumbered(t *testing.T) {
	migrations := ourMigrations(t)
	require.NotEmpty(t, migrations)
	for i, m := range migrations {
		require.Regexp(t, fmt.Sprintf(`^migrations/%04d_[a-z_]+\.sql$`, i+1), m.name)
	}
}

func TestMigrateTwice(t *testing.T) {
	db := openPath(t, t.TempDir()+"/exports.db")
	require.NoError(t, Migrate(t.Context(), db))
	created, _, err := New(db).Create(t.Context(), dataexport.NewJob{ID: "id", Scope: scope})
	require.NoError(t, err)

	require.NoError(t, Migrate(t.Context(), db))
	count, highest := versionsOf(t, db)
	require.Equal(t, len(ourMigrations(t)), count)
	require.Equal(t, count, highest)
	found, err := New(db).Find(t.Context(), "id")
	require.NoError(t, err)
	require.Equal(t, created, found)
}

func TestMigrateUsesWriteAheadLog(t *testing.T) {
	path := t.TempDir() + "/exports.db"
	require.NoError(t, Migrate(t.Context(), openPath(t, path)))
	var mode string
	require.NoError(t, openPath(t, path).QueryRow("PRAGMA journal_mode").Scan(&mode))
	require.Equal(t, "wal", mode)
}

func TestMigrateLeavesOtherTablesAlone(t *testing.T) {
	db := openPath(t, t.TempDir()+"/exports.db")
	_, err := db.Exec("CREATE TABLE jobs (x); INSERT INTO jobs VALUES (7); PRAGMA user_version = 5")
	require.NoError(t, err)
	require.NoError(t, Migrate(t.Context(), db))
	var others, userVersion int
	require.NoError(t, db.QueryRow(`SELECT count(*) FROM sqlite_schema
		WHERE tbl_name NOT LIKE 'dataexport@_%' ESCAPE '@' AND tbl_name <> 'jobs'`).Scan(&others))
	require.Zero(t, others)
	require.NoError(t, db.QueryRow("PRAGMA user_version").Scan(&userVersion))
	require.Equal(t, 5, userVersion)
}

func TestMigrateAtOnce(t *testing.T) {
	path := t.TempDir() + "/exports.db"
	var group sync.WaitGroup
	for range 6 {
		db := openPath(t, path)
		group.Go(func() { assert.NoError(t, Migrate(t.Context(), db)) })
	}
	group.Wait()
	count, _ := versionsOf(t, openPath(t, path))
	require.Equal(t, len(ourMigrations(t)), count)
}

func TestMigrateRefusesNewerDatabase(t *testing.T) {
	db := openPath(t, t.TempDir()+"/exports.db")
	newer := append(ourMigrations(t), migration{"migrations/9999_future.sql", "ALTER TABLE dataexport_jobs ADD COLUMN future TEXT"})
	require.NoError(t, migrate(t.Context(), New(db), newer))

	err := Migrate(t.Context(), db)
	require.ErrorContains(t, err, "made by a newer program")
	_, highest := versionsOf(t, db)
	require.Equal(t, len(newer), highest)
}

func TestMigrateKeepsJobs(t *testing.T) {
	db := openPath(t, t.TempDir()+"/exports.db")
	require.NoError(t, Migrate(t.Context(), db))
	created, _, err := New(db).Create(t.Context(), dataexport.NewJob{ID: "id", Scope: scope})
	require.NoError(t, err)

	newer := append(ourMigrations(t), migration{"next", "ALTER TABLE dataexport_jobs ADD COLUMN future TEXT NOT NULL DEFAULT ''"})
	require.NoError(t, migrate(t.Context(), New(db), newer))
	found, err := New(db).Find(t.Context(), "id")
	require.NoError(t, err)
	require.Equal(t, created, found)
	_, err = db.Exec("UPDATE dataexport_jobs SET future = 'there'")
	require.NoError(t, err)
}

func TestMigrateIsAllOrNothing(t *testing.T) {
	db := openPath(t, t.TempDir()+"/exports.db")
	broken := append(ourMigrations(t), migration{"broken", "CREATE TABLE dataexport_half (x); CREATE TABLE dataexport_half (x)"})
	require.ErrorContains(t, migrate(t.Context(), New(db), broken), "migration broken")
	var tables int
	require.NoError(t, db.QueryRow("SELECT count(*) FROM sqlite_schema").Scan(&tables))
	require.Zero(t, tables)
	require.NoError(t, Migrate(t.Context(), db))
}

func TestWithoutMigrate(t *testing.T) {
	_, err := New(openPath(t, t.TempDir()+"/exports.db")).Find(t.Context(), "id")
	require.ErrorContains(t, err, "run sqlitestore.Migrate first")
	require.NotErrorIs(t, err, dataexport.ErrUnavailable)
}
