package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"database/sql"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/dataexport/dataexport/memory"
)

//go:embed sample.jsonl
var sample []byte

// importOnce fills a database that holds no memories, from a file or, if its name is empty and there is no account either,
// with the sample. All of it is one transaction: after a bad line, or a crash, there are still no memories.
func importOnce(ctx context.Context, db *sql.DB, file string, log *slog.Logger) error {
	// Not with ctx: database/sql would roll back on a goroutine of its own, which nobody waits for, and the process could
	// end in the middle of it.
	tx, err := db.BeginTx(context.WithoutCancel(ctx), nil)
	if err != nil {
		return fmt.Errorf("importing memories: %w", err)
	}
	defer tx.Rollback() //nolint:errcheck // after a commit it has nothing to do, and after an error that one counts
	var full bool
	if err := tx.QueryRowContext(ctx, filled, file == "").Scan(&full); err != nil {
		return fmt.Errorf("looking for memories: %w", err)
	}
	if full {
		if file != "" {
			log.Warn("-memories is ignored: the database holds memories already; use another -data to import", slog.String("file", file))
		}
		return nil
	}
	lines, err := openLines(file)
	if err != nil {
		return err
	}
	defer lines.Close() // it was only read
	n, err := importLines(ctx, tx, lines)
	if err != nil {
		return fmt.Errorf("importing %s: %w", source(file), err)
	}
	var workspaces int
	if err := tx.QueryRowContext(ctx, "SELECT count(DISTINCT workspace_id) FROM memories").Scan(&workspaces); err != nil {
		return fmt.Errorf("importing %s: %w", source(file), err)
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("importing memories: %w", err)
	}
	if err := foldLog(ctx, db); err != nil {
		return fmt.Errorf("importing memories: %w", err)
	}
	log.Info("memories are imported", slog.Int64("memories", n), slog.Int("workspaces", workspaces), slog.String("from", source(file)))
	return nil
}

// foldLog folds up the write-ahead log, which has grown as large as what was imported: its space is given back now and not
// when the server stops.
func foldLog(ctx context.Context, db *sql.DB) error {
	_, err := db.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
	return err
}

// filled asks whether there are memories already, or, where the sample would be imported, an account in place of it.
const filled = "SELECT EXISTS (SELECT 1 FROM memories) OR ? AND EXISTS (SELECT 1 FROM accounts)"

func source(file string) string {
	if file == "" {
		return "the built-in sample"
	}
	return file
}

// openLines opens the file, or the sample. What begins like gzip is unpacked, whatever its name.
func openLines(file string) (io.ReadCloser, error) {
	if file == "" {
		return io.NopCloser(bytes.NewReader(sample)), nil
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("-memories: %w", err)
	}
	buffered := bufio.NewReaderSize(f, 256<<10)
	start, err := buffered.Peek(2)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, errors.Join(fmt.Errorf("-memories %s: %w", file, err), f.Close())
	}
	var lines io.Reader = buffered
	if string(start) == "\x1f\x8b" { // RFC 1952, section 2.3.1
		if lines, err = gzip.NewReader(buffered); err != nil {
			return nil, errors.Join(fmt.Errorf("-memories %s: %w", file, err), f.Close())
		}
	}
	return struct {
		io.Reader
		io.Closer
	}{lines, f}, nil
}

const insertMemory = "INSERT INTO memories (" + columns + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"

// importLines inserts one memory a line and returns how many. An error names its line.
func importLines(ctx context.Context, tx *sql.Tx, lines io.Reader) (n int64, err error) {
	insert, err := tx.PrepareContext(ctx, insertMemory)
	if err != nil {
		return 0, err
	}
	defer insert.Close() // the transaction says what went wrong
	for record, err := range memory.ReadJSONLines(lines) {
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
		if err != nil {
			return 0, err
		}
		n++ // also the number of the line: no line is passed over
		if err := insertOne(insert, record); err != nil {
			return 0, fmt.Errorf("line %d: %w", n, err)
		}
	}
	return n, nil
}

func insertOne(insert *sql.Stmt, r *memory.Record) error {
	categories, err := categoriesText(r.Categories)
	if err != nil {
		return err
	}
	// Without ctx, which importLines looks at: watching it costs as much as the insert.
	result, err := insert.Exec(r.ID, r.WorkspaceID, r.Content, r.UserID, r.AgentID, r.SessionID, r.Priority, r.Status,
		categories, metadataText(r.Metadata), r.AccessCount, instantText(r.LastAccessedAt), formatInstant(r.CreatedAt), instantText(r.UpdatedAt))
	if err != nil {
		return err
	}
	inserted, err := result.RowsAffected()
	if err == nil && inserted == 0 {
		return fmt.Errorf("the workspace %q has a memory with the id %q already", r.WorkspaceID, r.ID)
	}
	return err
}

// categoriesText returns the list as the database keeps it, nil being null.
func categoriesText(list []string) (any, error) {
	if list == nil {
		return nil, nil
	}
	text, err := json.Marshal(list)
	return string(text), err
}

func metadataText(raw json.RawMessage) any {
	if raw == nil {
		return nil
	}
	return string(raw)
}

func instantText(t *time.Time) any {
	if t == nil {
		return nil
	}
	return formatInstant(*t)
}
