package pgrows_test

import (
	"context"
	"iter"
	"log"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/memory"
	"github.com/dataexport/dataexport/render"
	"github.com/dataexport/dataexport/store/pgstore/pgrows"
)

// memories are the rows of a table of the same name whose columns have the names of those of memory.Record. It needs
//
//	CREATE UNIQUE INDEX ON memories (workspace_id, created_at, id);
func memories(pool *pgxpool.Pool) pgrows.Pages {
	return pgrows.Pages{
		DB: pool,
		Table: pgrows.Table{
			Collection: memory.Info().Collections[0],
			Where: pgrows.Conditions{
				Workspace: "workspace_id", UserID: "user_id", AgentID: "agent_id", SessionID: "session_id", Priority: "priority",
				Categories: "categories", CreatedAt: "created_at",
			}.Where,
		},
	}
}

func ExamplePages() {
	ctx := context.Background()
	pool, err := pgxpool.New(ctx, os.Getenv("DATABASE_URL"))
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()
	pages := memories(pool)
	if err := pages.Check(ctx); err != nil { // the table does not fit
		log.Fatal(err)
	}
	dataset := memory.RowDataset(pages.Open) // goes into dataexport.Config, or straight to a file:
	_, err = dataexport.Export(ctx, os.Stdout, dataset, render.CSV(), dataexport.Query{Scope: dataexport.Scope{WorkspaceID: "acme"}})
	if err != nil {
		log.Fatal(err)
	}
}

// invoices are of the host's own making: the record is described by its columns, and read by a query.
func invoices(pool *pgxpool.Pool) dataexport.Dataset {
	info := dataexport.Info{Name: "invoices", Collections: []dataexport.Collection{{Name: "invoices", Columns: []dataexport.Column{
		{Name: "number", Kind: dataexport.KindString, Role: dataexport.RoleID, Key: 1},
		{Name: "total", Kind: dataexport.KindDecimal},
		{Name: "paid_at", Kind: dataexport.KindTime, Nullable: true},
	}}}}
	const sql = `SELECT number, total, paid_at FROM invoices WHERE tenant = $1 ORDER BY number COLLATE "C"`
	return pgrows.Dataset(info, func(_ context.Context, q dataexport.Query) (dataexport.Source, error) {
		return dataexport.SourceFunc(func(ctx context.Context, _ int) iter.Seq2[dataexport.Row, error] {
			return pgrows.Query(ctx, pool, info.Collections[0].Columns, sql, q.Scope.WorkspaceID)
		}), nil
	})
}

func ExampleQuery() {
	ctx := context.Background()
	pool, err := pgxpool.New(ctx, os.Getenv("DATABASE_URL"))
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()
	_, err = dataexport.Export(ctx, os.Stdout, invoices(pool), render.CSV(), dataexport.Query{Scope: dataexport.Scope{WorkspaceID: "acme"}})
	if err != nil {
		log.Fatal(err)
	}
}

// What the examples show, run on a real PostgreSQL.
func TestExamples(t *testing.T) {
	pool := pgrows.NewTestPool(t)
	execute := func(sql string) {
		_, err := pool.Exec(t.Context(), sql)
		require.NoError(t, err)
	}
	execute(pgrows.MemoriesTable)
	execute(`INSERT INTO memories (id, workspace_id, content, categories, created_at) VALUES ('m1', 'acme', 'likes "tea"', '{a,b}', '2026-01-15T10:30:00Z')`)
	execute("CREATE TABLE invoices (number text, tenant text, total numeric(12, 2), paid_at timestamptz)")
	execute("INSERT INTO invoices VALUES ('b', 'acme', 19.9, NULL), ('B', 'acme', 5, '2026-01-15T10:30:00Z'), ('c', 'other', 1, NULL)")
	export := func(d dataexport.Dataset) string {
		var b strings.Builder
		_, err := dataexport.Export(t.Context(), &b, d, render.CSV(), dataexport.Query{Scope: dataexport.Scope{WorkspaceID: "acme"}})
		require.NoError(t, err)
		return b.String()
	}
	require.NoError(t, memories(pool).Check(t.Context()))
	assert.Equal(t, "id,workspace_id,content,user_id,agent_id,session_id,priority,status,categories,metadata,access_count,last_accessed_at,created_at,updated_at\r\n"+
		`m1,acme,"likes ""tea""",,,,,,"[""a"",""b""]",,,,2026-01-15T10:30:00.000Z,`+"\r\n", export(memory.RowDataset(memories(pool).Open)))
	assert.Equal(t, "number,total,paid_at\r\nB,5.00,2026-01-15T10:30:00.000Z\r\nb,19.90,\r\n", export(invoices(pool)))
}
