package program

import (
	"context"
	"io"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/bench/internal/records"
	"github.com/dataexport/dataexport/memory"
	"github.com/dataexport/dataexport/store/pgstore/pgrows"
)

// exportPostgres exports the table memories as a host does that uses dataexport.
func exportPostgres(ctx context.Context, w io.Writer, task *Task) (int64, error) {
	pool, err := pgxpool.New(ctx, task.Database)
	if err != nil {
		return 0, err
	}
	defer pool.Close()
	table := pgrows.Table{
		Collection: memory.Info().Collections[0],
		Where: pgrows.Conditions{
			Workspace: "workspace_id", UserID: "user_id", AgentID: "agent_id", SessionID: "session_id", Priority: "priority",
			Categories: "categories", CreatedAt: "created_at",
		}.Where,
	}
	open := pgrows.Snapshot{DB: pool, Tables: []pgrows.Table{table}, Connections: task.Connections}.Open
	if task.Pages {
		open = pgrows.Pages{DB: pool, Table: table}.Open
	}
	return export(ctx, w, memory.RowDataset(open), task)
}

// export writes all records of the workspace.
func export(ctx context.Context, w io.Writer, d dataexport.Dataset, task *Task) (int64, error) {
	r, err := rendererOf(task.Format)
	if err != nil {
		return 0, err
	}
	query := dataexport.Query{Scope: dataexport.Scope{WorkspaceID: records.Workspace}}
	if task.Unhashed {
		return ExportUnhashed(ctx, w, d, r, query)
	}
	summary, err := dataexport.Export(ctx, w, d, r, query)
	return summary.Bytes, err
}
