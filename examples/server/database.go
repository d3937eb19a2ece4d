package main

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
)

var (
	//go:embed schema.sql
	schema string
	//go:embed account.sql
	accountSchema string
)

const (
	databaseName  = "dataexport.db"
	fileMode      = 0o600
	directoryMode = 0o700
)

// openDatabase opens the database in a directory, and makes both if they are missing. Up to that many statements run at
// the same time.
func openDatabase(ctx context.Context, dir string, connections int) (*sql.DB, error) {
	if err := os.MkdirAll(dir, directoryMode); err != nil {
		return nil, fmt.Errorf("making the data directory: %w", err)
	}
	path, err := filepath.Abs(filepath.Join(dir, databaseName))
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
	if _, err := db.ExecContext(ctx, schema+accountSchema); err != nil {
		return nil, errors.Join(fmt.Errorf("opening the database %s: %w", path, err), db.Close())
	}
	return db, nil
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
