// Package sqlite keeps memories, accounts and settings in an SQLite database. To learn how a host gives its own data to the
// library, read memories.go, and account.go for an archive of many tables.
package sqlite

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	_ "modernc.org/sqlite" // the driver "sqlite", in pure Go

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/archive"
)

var (
	//go:embed schema.sql
	schema string
	//go:embed account.sql
	accountSchema string
)

// FileName is the name of the database in its directory.
const FileName = "dataexport.db"

const (
	fileMode      = 0o600
	directoryMode = 0o700
)

// A DB is a database.DB. SQL is the connections to it, for the store of the jobs, which keeps them in the same database.
type DB struct{ SQL *sql.DB }

// Open opens the database in a directory, and makes both if they are missing. Up to that many statements run at the same
// time.
func Open(dir string, connections int) (*DB, error) {
	if err := os.MkdirAll(dir, directoryMode); err != nil {
		return nil, fmt.Errorf("making the data directory: %w", err)
	}
	path, err := filepath.Abs(filepath.Join(dir, FileName))
	if err != nil {
		return nil, fmt.Errorf("the data directory: %w", err)
	}
	if err := makePrivateFile(path); err != nil {
		return nil, fmt.Errorf("making the database: %w", err)
	}
	db, err := sql.Open("sqlite", dataSource(path))
	if err != nil {
		return nil, fmt.Errorf("opening the database %s: %w", path, err)
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return &DB{db}, nil
}

// makePrivateFile makes an empty file, which is an empty database, unless there is a file. SQLite would make one that
// others can read; to the files that it puts beside this one it gives the same mode.
func makePrivateFile(path string) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, fileMode)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return file.Close()
}

// dataSource names the database for the driver, as a URI, in which no character of the path has a meaning of its own.
//
// With a write-ahead log readers and the writer do not wait for each other. Writers wait for one another, up to the busy
// timeout; a transaction is a writer from its beginning, since one that becomes a writer later could not wait.
func dataSource(path string) string {
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // C:/data
	}
	query := url.Values{
		"_pragma": {"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(ON)"},
		"_txlock": {"immediate"},
		"_dqs":    {"0"}, // a misspelt column is an error, not a text
	}
	return (&url.URL{Scheme: "file", Path: path, RawQuery: query.Encode()}).String()
}

// Prepare is that of database.DB.
func (d *DB) Prepare(ctx context.Context) error {
	if _, err := d.SQL.ExecContext(ctx, schema+accountSchema); err != nil {
		return fmt.Errorf("making the tables: %w", err)
	}
	return nil
}

// OtherTables is that of database.DB.
func (d *DB) OtherTables() []archive.Table {
	return []archive.Table{
		archive.Excluded("dataexport_jobs", "orders of exports, kept for 30 days at the most; whoever ordered them can list them"),
		archive.Excluded("dataexport_workspaces", "when each workspace was last served; nothing in it is of a person"),
		archive.Excluded("dataexport_migrations", "the version of the tables of the jobs; nothing in it is of a person"),
	}
}

// HasAccount is that of database.DB.
func (d *DB) HasAccount(ctx context.Context, owner dataexport.Scope) (bool, error) {
	return hasAccount(ctx, d.SQL, owner)
}

// Setting is that of database.DB.
func (d *DB) Setting(ctx context.Context, name, value string) (kept string, err error) {
	if _, err := d.SQL.ExecContext(ctx, "INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING", name, value); err != nil {
		return "", fmt.Errorf("keeping the %s: %w", name, err)
	}
	if err := d.SQL.QueryRowContext(ctx, "SELECT value FROM settings WHERE name = ?", name).Scan(&kept); err != nil {
		return "", fmt.Errorf("reading the %s: %w", name, err)
	}
	return kept, nil
}

// Ping is that of database.DB. It reads: to the driver a connection answers without.
func (d *DB) Ping(ctx context.Context) error {
	var version int
	return d.SQL.QueryRowContext(ctx, "PRAGMA schema_version").Scan(&version)
}

// Close is that of database.DB.
func (d *DB) Close() error { return d.SQL.Close() }
