package database

import (
	"context"
	"fmt"
	"io"
	"iter"
	"log/slog"

	"github.com/dataexport/dataexport/memory"
)

// Columns are the columns of an export of memories in the order of memory.Info.
const Columns = "id, workspace_id, content, user_id, agent_id, session_id, priority, status, categories, metadata, " +
	"access_count, last_accessed_at, created_at, updated_at"

// The places of the columns that the next page begins after.
const (
	ColumnID        = 0
	ColumnCreatedAt = 12
)

// DefaultPageSize is how many memories one statement reads. Between two pages the database is free of us, so that an export
// that takes an hour keeps nothing in it from being cleaned up for an hour.
const DefaultPageSize = 5000

// ImportMemories fills a database that holds no memories, from a file or, if its name is empty and there is no account
// either, with the sample. All of it is one transaction: after a bad line, or a crash, there are still no memories.
func ImportMemories(ctx context.Context, db DB, file string, log *slog.Logger) error {
	from := file
	if file == "" {
		from = "the built-in sample"
	}
	var imported int64
	var workspaces int
	done := false
	err := db.Fill(ctx, func(tx Filling) error {
		full, err := holdsMemories(ctx, tx, file == "")
		if err != nil {
			return fmt.Errorf("looking for memories: %w", err)
		}
		if full {
			if file != "" {
				log.Warn("-memories is ignored: the database holds memories already; import into an empty one", slog.String("file", file))
			}
			return nil
		}
		lines, err := openLines(file)
		if err != nil {
			return err
		}
		defer lines.Close() // it was only read
		if imported, err = tx.InsertMemories(ctx, ReadMemories(ctx, lines)); err != nil {
			return fmt.Errorf("importing %s: %w", from, err)
		}
		workspaces, err = tx.Workspaces(ctx)
		done = true
		return err
	})
	if err != nil || !done {
		return err
	}
	if err := db.Tidy(ctx); err != nil {
		return err
	}
	log.Info("memories are imported", slog.Int64("memories", imported), slog.Int("workspaces", workspaces), slog.String("from", from))
	return nil
}

// holdsMemories reports whether there are memories already, or, where the sample would be imported, an account in place of
// it.
func holdsMemories(ctx context.Context, tx Filling, sample bool) (bool, error) {
	full, err := tx.HasMemories(ctx)
	if err != nil || full || !sample {
		return full, err
	}
	return tx.HasAccounts(ctx)
}

// ReadMemories reads JSON Lines until ctx is done, which is then the error.
func ReadMemories(ctx context.Context, lines io.Reader) iter.Seq2[*memory.Record, error] {
	return func(yield func(*memory.Record, error) bool) {
		for record, err := range memory.ReadJSONLines(lines) {
			if ctx.Err() != nil {
				err = ctx.Err()
			}
			if !yield(record, err) || err != nil {
				return
			}
		}
	}
}
