package postgres

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/examples/server/internal/database"
	"github.com/dataexport/dataexport/memory"
	"github.com/dataexport/dataexport/store/pgstore/pgrows"
)

// Memories is that of database.DB. While a statement runs nothing that it may see can be cleaned up in the whole database;
// hence the pages.
func (d *DB) Memories(pageSize int) dataexport.Dataset {
	asIs := memory.Info().Collections[0]
	pages := pgrows.Pages{
		DB:    d.Pool,
		Table: pgrows.Table{Collection: keptAs(asIs), From: "memories", Where: whereMemories},
		Size:  pageSize,
	}
	return memory.RowDataset(func(ctx context.Context, q dataexport.Query) (dataexport.Source, error) {
		if !holdable(&q) {
			return nothing{}, nil
		}
		p := pages
		// Only a count that the index alone answers is worth its time.
		p.Count = database.OnlyIndexed(&q.Filter)
		source, err := p.Open(ctx, q)
		if err != nil {
			return nil, Explain(err)
		}
		return restore(source, asIs), nil
	})
}

// whereMemories says which memories a query asks for. A host whose times are timestamptz has pgrows.Conditions say it.
func whereMemories(q dataexport.Query) (string, pgx.NamedArgs, error) {
	c := database.NewCondition(&q)
	f := &q.Filter
	if !f.CreatedAfter.IsZero() {
		c.Add("created_at > ?", database.FormatInstant(f.CreatedAfter))
	}
	if f.Categories != nil {
		c.Add("categories && ?", slices.DeleteFunc(slices.Clone(f.Categories), func(name string) bool { return !isText(name) }))
	}
	condition, args := named(c)
	return condition, args, nil
}

// holdable reports whether PostgreSQL can hold the texts that a query asks for; otherwise there is nothing that equals them.
func holdable(q *dataexport.Query) bool {
	f := &q.Filter
	for _, text := range []string{q.Scope.WorkspaceID, f.UserID, f.AgentID, f.SessionID, string(f.Priority)} {
		if !isText(text) {
			return false
		}
	}
	return f.Categories == nil || slices.ContainsFunc(f.Categories, isText)
}
