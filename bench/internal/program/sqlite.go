package program

import (
	"context"
	"errors"
	"io"
	"iter"

	"zombiezen.com/go/sqlite"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/bench/sqliterows"
	"github.com/dataexport/dataexport/memory"
)

// exportSQLite exports the table memories as a host does that uses dataexport.
func exportSQLite(ctx context.Context, w io.Writer, task *Task) (n int64, err error) {
	conn, err := sqlite.OpenConn(task.Database, sqlite.OpenReadOnly)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	info := memory.Info()
	open := func(_ context.Context, q dataexport.Query) (dataexport.Source, error) {
		return dataexport.SourceFunc(func(ctx context.Context, _ int) iter.Seq2[dataexport.Row, error] {
			return sqliterows.Query(ctx, conn, info.Collections[0].Columns, `SELECT id, workspace_id, content, user_id, agent_id,
				session_id, priority, status, categories, metadata, access_count, last_accessed_at, created_at, updated_at
				FROM memories WHERE workspace_id = ? ORDER BY created_at, id`, q.Scope.WorkspaceID)
		}), nil
	}
	return export(ctx, w, memory.RowDataset(open), task)
}
