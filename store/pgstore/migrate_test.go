package pgstore

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
)

func ourMigrations(t *testing.T) []migration {
	t.Helper()
	migrations, err := readMigrations(migrationFiles)
	require.NoError(t, err)
	return migrations
}

// value returns the single value of a query.
func value[T any](t *testing.T, pool *pgxpool.Pool, query string, args ...any) (v T) {
	t.Helper()
	require.NoError(t, pool.QueryRow(t.Context(), query, args...).Scan(&v))
	return v
}

// with returns a pool like another whose connections have one more setting.
func with(t *testing.T, pool *pgxpool.Pool, setting, value string) *pgxpool.Pool {
	t.Helper()
	config := pool.Config()
	config.ConnConfig.RuntimeParams[setting] = value
	changed, err := pgxpool.NewWithConfig(t.Context(), config)
	require.NoError(t, err)
	t.Cleanup(changed.Close)
	return changed
}

func TestMigrationsAreNumbered(t *testing.T) {
	migrations := ourMigrations(t)
	require.NotEmpty(t, migrations)
	for i, m := range migrations {
		require.Regexp(t, fmt.Sprintf(`^migrations/%04d_[a-z_]+\.sql$`, i+1), m.name)
	}
}

func TestMigrateAtOnceAndAgain(t *testing.T) {
	database := postgres.NewDatabase(t)
	var group sync.WaitGroup
	for range 8 {
		pool := openPool(t, database)
		group.Go(func() { assert.NoError(t, Migrate(t.Context(), pool)) })
	}
	group.Wait()
	pool := openPool(t, database)
	id := orderFor(t, New(pool, Options{}), "a")
	require.NoError(t, Migrate(t.Context(), pool))
	_, err := New(pool, Options{}).Find(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, len(ourMigrations(t)), value[int](t, pool, "SELECT count(*)::int FROM dataexport_migrations"))
}

func TestMigrateRefusesNewerDatabase(t *testing.T) {
	pool := migrated(t)
	newer := append(ourMigrations(t), migration{"migrations/9999_future.sql", "ALTER TABLE dataexport_jobs ADD COLUMN future text"})
	require.NoError(t, migrate(t.Context(), New(pool, Options{}), newer))
	require.ErrorContains(t, Migrate(t.Context(), pool), "made by a newer program")
	require.Equal(t, len(newer), value[int](t, pool, "SELECT max(version) FROM dataexport_migrations"))
	works(t, New(pool, Options{}))
}

func TestMigrateIsAllOrNothing(t *testing.T) {
	pool := openPool(t, postgres.NewDatabase(t))
	_, err := pool.Exec(t.Context(), "CREATE TABLE jobs (x integer); INSERT INTO jobs VALUES (7)")
	require.NoError(t, err)
	broken := append(ourMigrations(t), migration{"broken", "CREATE TABLE dataexport_half (x integer); SELECT 1/0"})
	require.ErrorContains(t, migrate(t.Context(), New(pool, Options{}), broken), "migration broken")
	const ours = `SELECT count(*)::int FROM pg_class WHERE relname LIKE 'dataexport%'`
	require.Zero(t, value[int](t, pool, ours))
	require.NoError(t, Migrate(t.Context(), pool))
	require.NotZero(t, value[int](t, pool, ours))
	require.Equal(t, 7, value[int](t, pool, "SELECT x FROM jobs"))
}

func TestSchemaOfTheSearchPath(t *testing.T) {
	pool := migrated(t)
	_, err := pool.Exec(t.Context(), "CREATE SCHEMA exports")
	require.NoError(t, err)
	other := with(t, pool, "search_path", "exports")
	require.NoError(t, Migrate(t.Context(), other))
	id := orderFor(t, New(other, Options{}), "a")
	require.Equal(t, 1, value[int](t, pool, "SELECT count(*)::int FROM exports.dataexport_jobs"))
	_, err = New(pool, Options{}).Find(t.Context(), id)
	require.ErrorIs(t, err, dataexport.ErrNotFound)

	nowhere := with(t, pool, "search_path", "missing")
	require.ErrorContains(t, Migrate(t.Context(), nowhere), "search_path")
}

func TestRoleThatMayNotCreate(t *testing.T) {
	pool := openPool(t, postgres.NewDatabase(t))
	role := "role_" + value[string](t, pool, "SELECT replace(gen_random_uuid()::text, '-', '')")
	_, err := pool.Exec(t.Context(), "CREATE ROLE "+role+"; REVOKE CREATE ON SCHEMA public FROM PUBLIC")
	require.NoError(t, err)
	t.Cleanup(func() {
		_, err := pool.Exec(context.WithoutCancel(t.Context()), "DROP OWNED BY "+role+"; DROP ROLE "+role)
		assert.NoError(t, err)
	})
	limited := with(t, pool, "role", role)
	err = Migrate(t.Context(), limited)
	require.ErrorContains(t, err, "lacks a privilege")
	require.NotErrorIs(t, err, dataexport.ErrUnavailable)

	require.NoError(t, Migrate(t.Context(), pool))
	_, err = pool.Exec(t.Context(), `GRANT SELECT, INSERT, UPDATE, DELETE ON dataexport_jobs, dataexport_workspaces, dataexport_migrations TO `+role+`;
		GRANT USAGE ON SEQUENCE dataexport_served TO `+role)
	require.NoError(t, err)
	require.NoError(t, Migrate(t.Context(), limited), "there is nothing to do")
	s := New(limited, Options{})
	works(t, s)
	hold(t, s, orderFor(t, s, "a"))()
}
