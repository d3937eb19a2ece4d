package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/dataexport/dataexport/bench/internal/program"
	"github.com/dataexport/dataexport/bench/internal/race"
	"github.com/dataexport/dataexport/bench/internal/records"
	"github.com/dataexport/dataexport/memory"
)

// The sides of the races from SQLite.
const (
	columns = "dataexport, column by column"
	shell   = "sqlite3 shell"
)

// runSQLite exports a table of a SQLite database.
func runSQLite(ctx context.Context, b *bench) error {
	path, err := exec.LookPath("sqlite3")
	if err != nil {
		b.skip(fmt.Sprintf("the sqlite3 shell is missing: %v", err), append(sqliteRatios("csv"), sqliteRatios("json")...)...)
		return nil
	}
	t := &sqliteTable{file: filepath.Join(b.directory, "database", "memories.db"), generator: records.NewGenerator(records.Dirty)}
	return b.runDatabase(ctx, t, []string{"csv", "json"}, func(format string, records int) *race.Race {
		return sqliteRace(t.file, path, b.directory, format, records)
	})
}

func sqliteRatios(format string) []race.Ratio {
	target := 1.4
	if format == "json" {
		target = 1.8
	}
	return []race.Ratio{{Name: "sqlite-" + format + "/shell", Target: target, Ours: columns, Theirs: []string{shell}}}
}

func sqliteRace(file, path, directory, format string, records int) *race.Race {
	output := func(name string) string { return filepath.Join(directory, "sqlite-"+name+"."+format) }
	r := &race.Race{Title: "SQLite to a file of " + format, Ratios: sqliteRatios(format), Sides: []race.Side{
		program.Side(columns, program.Task{Program: "sqlite", Database: file, Format: format, Output: output("columns")}),
		program.Foreign(shell, output("shell"), true, path, "-readonly", "-batch", "-header", "-"+format, file, selection),
	}}
	if format == "json" && records == million {
		r.Sides = append(r.Sides, program.Side(withoutHash, program.Task{
			Program: "sqlite", Database: file, Format: format, Output: output("unhashed"), Unhashed: true,
		}))
		r.Ratios = append(r.Ratios, hashRatio("sqlite", columns))
	}
	return r
}

// A sqliteTable is the table memories.
type sqliteTable struct {
	file      string
	generator *records.Generator
}

// Times are text, which the shell writes as it is. Lists are JSON.
const sqliteSchema = `CREATE TABLE IF NOT EXISTS memories (
	workspace_id     TEXT NOT NULL,
	id               TEXT NOT NULL,
	content          TEXT NOT NULL,
	user_id          TEXT,
	agent_id         TEXT,
	session_id       TEXT,
	priority         TEXT,
	status           TEXT,
	categories       TEXT,
	metadata         TEXT,
	access_count     INTEGER,
	last_accessed_at TEXT,
	created_at       TEXT NOT NULL,
	updated_at       TEXT,
	PRIMARY KEY (workspace_id, id)
) STRICT;
CREATE INDEX IF NOT EXISTS memories_in_order ON memories (workspace_id, created_at, id);`

// grow adds records to the table.
func (t *sqliteTable) grow(ctx context.Context, n int) (err error) {
	conn, err := sqlite.OpenConn(t.file, sqlite.OpenReadWrite, sqlite.OpenCreate)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	defer conn.SetInterrupt(conn.SetInterrupt(ctx.Done()))
	if err := sqlitex.ExecuteTransient(conn, "PRAGMA synchronous = off", nil); err != nil {
		return err
	}
	if err := sqlitex.ExecuteScript(conn, sqliteSchema, nil); err != nil {
		return err
	}
	defer sqlitex.Transaction(conn)(&err)
	insert, err := conn.Prepare("INSERT INTO memories VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
	if err != nil {
		return err
	}
	for range n {
		r := t.generator.Next()
		if err := bindRecord(insert, &r); err != nil {
			return err
		}
		if _, err := insert.Step(); err != nil {
			return err
		}
		if err := insert.Reset(); err != nil {
			return err
		}
	}
	return nil
}

func bindRecord(insert *sqlite.Stmt, r *memory.Record) error {
	text := func(column int, s *string) {
		if s == nil {
			insert.BindNull(column)
		} else {
			insert.BindText(column, *s)
		}
	}
	instant := func(column int, t *time.Time) {
		if t == nil {
			insert.BindNull(column)
		} else {
			insert.BindText(column, t.UTC().Format("2006-01-02T15:04:05.000Z07:00"))
		}
	}
	text(1, &r.WorkspaceID)
	text(2, &r.ID)
	text(3, &r.Content)
	text(4, r.UserID)
	text(5, r.AgentID)
	text(6, r.SessionID)
	text(7, r.Priority)
	text(8, r.Status)
	if r.AccessCount == nil {
		insert.BindNull(11)
	} else {
		insert.BindInt64(11, *r.AccessCount)
	}
	instant(12, r.LastAccessedAt)
	instant(13, &r.CreatedAt)
	instant(14, r.UpdatedAt)
	metadata := string(r.Metadata)
	text(10, nullIf(r.Metadata == nil, &metadata))
	var categories strings.Builder
	encoder := json.NewEncoder(&categories)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(r.Categories)
	list := strings.TrimSuffix(categories.String(), "\n")
	text(9, nullIf(r.Categories == nil, &list))
	return err
}

func nullIf(null bool, s *string) *string {
	if null {
		return nil
	}
	return s
}
