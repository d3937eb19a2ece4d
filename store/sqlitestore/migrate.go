package sqlitestore

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// Migrate brings the tables of the store up to date, creating them where there are none, and switches the database to a
// write-ahead log. Programs call it when they start; several may do so at the same time. It is an error, and nothing
// changes, if a newer version of this package has been at the database.
func Migrate(ctx context.Context, db *sql.DB) error {
	migrations, err := readMigrations(migrationFiles)
	if err != nil {
		return err
	}
	return migrate(ctx, New(db), migrations)
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
	if err := s.retry(ctx, func() error {
		return s.onConnection(ctx, func(conn *sql.Conn) error { return useWriteAheadLog(ctx, conn) })
	}); err != nil {
		return err
	}
	return s.transact(ctx, writing, func(conn *sql.Conn) error {
		version, err := schemaVersion(ctx, conn)
		if err != nil {
			return err
		}
		if version > len(migrations) {
			return fmt.Errorf("the tables are of version %d, made by a newer program; this one knows versions up to %d",
				version, len(migrations))
		}
		for i := version; i < len(migrations); i++ {
			if err := apply(ctx, conn, i+1, migrations[i]); err != nil {
				return fmt.Errorf("migration %s: %w", migrations[i].name, err)
			}
		}
		return nil
	})
}

func schemaVersion(ctx context.Context, conn *sql.Conn) (version int, err error) {
	_, err = conn.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS dataexport_migrations (
		version    INTEGER NOT NULL PRIMARY KEY,
		name       TEXT    NOT NULL,
		applied_at INTEGER NOT NULL -- nanoseconds since 1970-01-01T00:00:00Z
	) STRICT`)
	if err != nil {
		return 0, err
	}
	err = conn.QueryRowContext(ctx, "SELECT coalesce(max(version), 0) FROM dataexport_migrations").Scan(&version)
	return version, err
}

func apply(ctx context.Context, conn *sql.Conn, version int, m migration) error {
	if _, err := conn.ExecContext(ctx, m.statements); err != nil {
		return err
	}
	_, err := conn.ExecContext(ctx, "INSERT INTO dataexport_migrations (version, name, applied_at) VALUES (?, ?, ?)",
		version, m.name, nanoseconds(now()))
	return err
}

// useWriteAheadLog switches the journal mode, which the file keeps. A database in memory has a mode of its own, and needs
// no other.
func useWriteAheadLog(ctx context.Context, conn *sql.Conn) error {
	var mode string
	if err := conn.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&mode); err != nil {
		return err
	}
	if mode == "wal" || mode == "memory" {
		return nil
	}
	if err := conn.QueryRowContext(ctx, "PRAGMA journal_mode = WAL").Scan(&mode); err != nil {
		return err
	}
	if mode != "wal" {
		return fmt.Errorf("the database stays in journal mode %q; a write-ahead log needs a file on a local disk", mode)
	}
	return nil
}
