package pgstore

import (
	"context"
	"embed"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// migrationLock is the advisory lock under which migrations run; the number is that of nobody else by chance.
const migrationLock = 0x64617461_6578706f // "dataexpo"

// Migrate brings the tables of the store up to date. It creates them, where no schema of the connection's search_path has
// them, in the first. Programs call it when they start; several may do so at the same time. All of it is one transaction.
// It is an error, and nothing changes, if a newer version of this package has been at the database. A role that may not
// create tables can call it too, if there is nothing to do.
func Migrate(ctx context.Context, pool *pgxpool.Pool) error {
	migrations, err := readMigrations(migrationFiles)
	if err != nil {
		return err
	}
	return explain(ctx, migrate(ctx, New(pool, Options{}), migrations))
}

// A migration takes the tables from one version to the next.
type migration struct {
	name       string
	statements string
}

// readMigrations returns the migrations in order. Their names begin with their version, counted from 0001.
func readMigrations(files fs.FS) ([]migration, error) {
	names, err := fs.Glob(files, "migrations/*.sql")
	if err != nil {
		return nil, err
	}
	migrations := make([]migration, len(names))
	for i, name := range names {
		statements, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		migrations[i] = migration{name, string(statements)}
	}
	return migrations, nil
}

func migrate(ctx context.Context, s *Store, migrations []migration) error {
	return s.transact(ctx, changing, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", int64(migrationLock)); err != nil {
			return err
		}
		version, err := schemaVersion(ctx, tx)
		if err != nil {
			return err
		}
		if version > len(migrations) {
			return fmt.Errorf("the tables are of version %d, made by a newer program; this one knows versions up to %d",
				version, len(migrations))
		}
		for i := version; i < len(migrations); i++ {
			if err := apply(ctx, tx, i+1, migrations[i]); err != nil {
				return fmt.Errorf("migration %s: %w", migrations[i].name, err)
			}
		}
		return nil
	})
}

func schemaVersion(ctx context.Context, tx pgx.Tx) (version int, err error) {
	var there bool
	if err := tx.QueryRow(ctx, "SELECT to_regclass('dataexport_migrations') IS NOT NULL").Scan(&there); err != nil {
		return 0, err
	}
	if !there { // asked for first, since IF NOT EXISTS is a notice in the log of every start
		_, err = tx.Exec(ctx, `CREATE TABLE dataexport_migrations (
			version    integer     NOT NULL PRIMARY KEY,
			name       text        NOT NULL,
			applied_at timestamptz NOT NULL DEFAULT now()
		)`)
		if err != nil {
			return 0, err
		}
	}
	err = tx.QueryRow(ctx, "SELECT coalesce(max(version), 0) FROM dataexport_migrations").Scan(&version)
	return version, err
}

func apply(ctx context.Context, tx pgx.Tx, version int, m migration) error {
	if _, err := tx.Exec(ctx, m.statements); err != nil { // without arguments it may be many statements
		return err
	}
	_, err := tx.Exec(ctx, "INSERT INTO dataexport_migrations (version, name) VALUES ($1, $2)", version, m.name)
	return err
}
