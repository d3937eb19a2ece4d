// Package postgres keeps memories, accounts and settings in a PostgreSQL database, which several servers can share. To learn
// how a host gives its own data to the library, read memories.go, and account.go for an archive of many tables.
package postgres

import (
	"context"
	_ "embed"
	"fmt"
	"net/url"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/archive"
)

var (
	//go:embed schema.sql
	schema string
	//go:embed account.sql
	accountSchema string
)

// A DB is a database.DB. Pool is the connections to it, for the store of the jobs, which keeps them in the same database.
type DB struct{ Pool *pgxpool.Pool }

// Open makes a DB of the URL of a database, without waiting for it. Up to that many connections are open at the same time,
// unless the URL sets pool_max_conns.
func Open(text string, connections int) (*DB, error) {
	config, err := parseURL(text)
	if err != nil {
		return nil, err
	}
	if parsed, err := url.Parse(text); err == nil && !parsed.Query().Has("pool_max_conns") {
		config.MaxConns = int32(connections) //nolint:gosec // a handful
	}
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		return nil, fmt.Errorf("-store: %w", err)
	}
	return &DB{pool}, nil
}

// Prepare is that of database.DB.
func (d *DB) Prepare(ctx context.Context) error {
	return d.locked(ctx, fillLock, func(tx pgx.Tx) error {
		var encoding string
		if err := tx.QueryRow(ctx, "SELECT current_setting('server_encoding')").Scan(&encoding); err != nil {
			return Explain(err)
		}
		if encoding != "UTF8" {
			return fmt.Errorf("-store: the database has the encoding %s, which cannot hold every text; make one with ENCODING 'UTF8'", encoding)
		}
		if _, err := tx.Exec(ctx, schema+accountSchema); err != nil {
			return fmt.Errorf("making the tables: %w", Explain(err))
		}
		return nil
	})
}

// The locks under which several servers that start together do something one after the other.
const (
	fillLock  = "dataexport server: schema and import"
	otherLock = "dataexport server: other schema"
)

// Alone calls a function that uses the database while no other process is in its own, for a schema whose owner does not
// see to that.
func (d *DB) Alone(ctx context.Context, do func(context.Context) error) error {
	return d.locked(ctx, otherLock, func(pgx.Tx) error { return Explain(do(ctx)) })
}

// locked calls a function with a transaction that only one process can be in, and commits it.
func (d *DB) locked(ctx context.Context, lock string, do func(pgx.Tx) error) error {
	tx, err := d.Pool.Begin(ctx)
	if err != nil {
		return Explain(err)
	}
	_, err = tx.Exec(ctx, "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", lock)
	if err = Explain(err); err == nil {
		err = do(tx) // not explained: it may be an error of a file that is imported
	}
	if err == nil {
		err = Explain(tx.Commit(ctx))
	}
	if err == nil {
		return nil
	}
	// Not with ctx, which may be done. If even this fails the connection is gone, and the transaction with it.
	_ = tx.Rollback(context.WithoutCancel(ctx))
	return err
}

// OtherTables is that of database.DB.
func (d *DB) OtherTables() []archive.Table {
	return []archive.Table{
		archive.Excluded("dataexport_jobs", "orders of exports, kept for 30 days at the most; whoever ordered them can list them"),
		archive.Excluded("dataexport_workspaces", "when each workspace was last served; nothing in it is of a person"),
		archive.Excluded("dataexport_migrations", "the version of the tables of the jobs; nothing in it is of a person"),
		archive.Excluded("river_job", "River's orders to work on an export, which name it and nothing else; River removes them in time"),
		archive.Excluded("river_leader", "which process starts River's periodic jobs; nothing in it is of a person"),
		archive.Excluded("river_migration", "the version of River's tables; nothing in it is of a person"),
		archive.Excluded("river_notification", "what River's processes tell each other; nothing in it is of a person"),
		archive.Excluded("river_queue", "River's queues; nothing in it is of a person"),
	}
}

// HasAccount is that of database.DB.
func (d *DB) HasAccount(ctx context.Context, owner dataexport.Scope) (bool, error) {
	found, err := hasAccount(ctx, d.Pool, owner)
	return found, Explain(err)
}

// Setting is that of database.DB.
func (d *DB) Setting(ctx context.Context, name, value string) (kept string, err error) {
	if _, err := d.Pool.Exec(ctx, "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING", name, value); err != nil {
		return "", Explain(err)
	}
	return kept, Explain(d.Pool.QueryRow(ctx, "SELECT value FROM settings WHERE name = $1", name).Scan(&kept))
}

// Ping is that of database.DB.
func (d *DB) Ping(ctx context.Context) error { return Explain(d.Pool.Ping(ctx)) }

// Close is that of database.DB. It waits until all connections are given back.
func (d *DB) Close() error {
	d.Pool.Close()
	return nil
}
