package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"iter"

	"github.com/google/uuid"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/archive"
	"github.com/dataexport/dataexport/examples/server/internal/database"
	"github.com/dataexport/dataexport/memory"
)

// Fill is that of database.DB. Others wait, since a transaction is a writer from its beginning.
func (d *DB) Fill(ctx context.Context, fill func(database.Filling) error) error {
	// Not with ctx: database/sql would roll back on a goroutine of its own, which nobody waits for, and the process could
	// end in the middle of it.
	tx, err := d.SQL.BeginTx(context.WithoutCancel(ctx), nil)
	if err != nil {
		return fmt.Errorf("beginning to import: %w", err)
	}
	defer tx.Rollback() //nolint:errcheck // after a commit it has nothing to do, and after an error that one counts
	if err := fill(&filling{tx}); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("ending the import: %w", err)
	}
	return nil
}

// Tidy is that of database.DB. It folds up the write-ahead log, which has grown as large as what was imported: its space is
// given back now and not when the server stops.
func (d *DB) Tidy(ctx context.Context) error {
	if _, err := d.SQL.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		return fmt.Errorf("folding up the log of the import: %w", err)
	}
	return nil
}

// A filling is a database.Filling.
type filling struct{ tx *sql.Tx }

func (f *filling) HasMemories(ctx context.Context) (bool, error) { return f.has(ctx, "memories") }

func (f *filling) HasAccounts(ctx context.Context) (bool, error) { return f.has(ctx, "accounts") }

func (f *filling) has(ctx context.Context, table string) (found bool, err error) {
	err = f.tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM "+table+")").Scan(&found)
	return found, err
}

func (f *filling) HasAccount(ctx context.Context, owner dataexport.Scope) (bool, error) {
	return hasAccount(ctx, f.tx, owner)
}

func (f *filling) Workspaces(ctx context.Context) (n int, err error) {
	err = f.tx.QueryRowContext(ctx, "SELECT count(DISTINCT workspace_id) FROM memories").Scan(&n)
	return n, err
}

const insertMemory = "INSERT INTO memories (" + database.Columns + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"

func (f *filling) InsertMemories(ctx context.Context, records iter.Seq2[*memory.Record, error]) (n int64, err error) {
	insert, err := f.tx.PrepareContext(ctx, insertMemory)
	if err != nil {
		return 0, err
	}
	defer insert.Close() // the transaction says what went wrong
	for record, err := range records {
		if err != nil {
			return 0, err
		}
		n++ // also the number of the line
		if err := insertOne(insert, record); err != nil {
			return 0, fmt.Errorf("line %d: %w", n, err)
		}
	}
	return n, nil
}

// insertOne works without a context: watching it costs as much as the insert.
func insertOne(insert *sql.Stmt, r *memory.Record) error {
	categories, err := listText(r.Categories)
	if err != nil {
		return err
	}
	result, err := insert.Exec(r.ID, r.WorkspaceID, r.Content, r.UserID, r.AgentID, r.SessionID, r.Priority, r.Status,
		categories, metadataText(r.Metadata), r.AccessCount, database.InstantText(r.LastAccessedAt), database.FormatInstant(r.CreatedAt),
		database.InstantText(r.UpdatedAt))
	if err != nil {
		return err
	}
	inserted, err := result.RowsAffected()
	if err == nil && inserted == 0 {
		return fmt.Errorf("the workspace %q has a memory with the id %q already", r.WorkspaceID, r.ID)
	}
	return err
}

// listText returns a list as the database keeps it, nil being null.
func listText(list []string) (any, error) {
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

func (f *filling) InsertAccount(
	ctx context.Context, _ *archive.Archive, owner dataexport.Scope, read func(insert func(archive.Record) error) error,
) (n int64, err error) {
	inserts, err := f.prepareInserts(ctx)
	if err != nil {
		return 0, err
	}
	err = read(func(r archive.Record) error {
		values, err := accountValues(r.Value)
		if err != nil {
			return err
		}
		if _, err = inserts[r.Collection].Exec(append(database.OwnerArgs(owner), values...)...); err != nil {
			return fmt.Errorf("%s[%d]: %w", r.Collection, r.Index, err)
		}
		n++
		return nil
	})
	return n, err
}

// prepareInserts returns the statements by collection. They end with the transaction.
func (f *filling) prepareInserts(ctx context.Context) (map[string]*sql.Stmt, error) {
	inserts := make(map[string]*sql.Stmt)
	for _, t := range database.AccountTables {
		insert, err := f.tx.PrepareContext(ctx, t.InsertRow()) //nolint:sqlclosecheck // the transaction closes it
		if err != nil {
			return nil, err
		}
		inserts[t.Collection] = insert
	}
	return inserts, nil
}

// accountValues returns a record of an archive as SQLite keeps it: ids as bytes, lists as JSON.
func accountValues(record any) ([]any, error) {
	values, err := database.AccountValues(record)
	if err != nil {
		return nil, err
	}
	for i, value := range values {
		switch v := value.(type) {
		case uuid.UUID:
			values[i] = v[:]
		case *uuid.UUID:
			values[i] = nil
			if v != nil {
				values[i] = v[:]
			}
		case []string:
			if values[i], err = listText(v); err != nil {
				return nil, err
			}
		}
	}
	return values, nil
}
