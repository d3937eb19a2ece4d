package program

import (
	"context"
	"database/sql"
	"errors"
	"io"

	"github.com/gocarina/gocsv"
	"github.com/jackc/pgx/v5/pgtype"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	"github.com/dataexport/dataexport/bench/internal/records"
	"github.com/dataexport/dataexport/bench/internal/rival"
)

// exportTypically exports the table memories as most programs do: it reads all of it into a slice with database/sql and has
// gocsv write that.
func exportTypically(ctx context.Context, w io.Writer, task *Task) (n int64, err error) {
	db, err := sql.Open("pgx", task.Database)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	list, err := selectRecords(ctx, db)
	if err != nil {
		return 0, err
	}
	counted := &countingWriter{target: w}
	err = gocsv.Marshal(list, counted)
	return counted.bytes, err
}

func selectRecords(ctx context.Context, db *sql.DB) (list []rival.CSVRecord, err error) {
	rows, err := db.QueryContext(ctx, `SELECT id, workspace_id, content, user_id, agent_id, session_id, priority, status,
		categories, metadata, access_count, last_accessed_at, created_at, updated_at
		FROM memories WHERE workspace_id = $1 ORDER BY created_at, id`, records.Workspace)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	types := pgtype.NewMap()
	for rows.Next() {
		var r rival.CSVRecord
		if err := rows.Scan(&r.ID, &r.WorkspaceID, &r.Content, &r.UserID, &r.AgentID, &r.SessionID, &r.Priority, &r.Status,
			types.SQLScanner((*[]string)(&r.Categories)), (*[]byte)(&r.Metadata), &r.AccessCount, &r.LastAccessedAt, &r.CreatedAt, &r.UpdatedAt); err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	return list, rows.Err()
}

// A countingWriter counts what it passes on.
type countingWriter struct {
	target io.Writer
	bytes  int64
}

func (w *countingWriter) Write(b []byte) (int, error) {
	n, err := w.target.Write(b)
	w.bytes += int64(n)
	return n, err
}
