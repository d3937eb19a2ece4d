package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/examples/server/internal/database"
)

// Fill is that of database.DB.
func (d *DB) Fill(ctx context.Context, fill func(database.Filling) error) error {
	return d.locked(ctx, fillLock, func(tx pgx.Tx) error { return fill(&filling{tx}) })
}

// Tidy is that of database.DB. PostgreSQL would plan the first exports for an empty table, and look at every row to count
// them, until its own cleaning has come round.
func (d *DB) Tidy(ctx context.Context) error {
	if _, err := d.Pool.Exec(ctx, "VACUUM (ANALYZE) memories"); err != nil {
		return fmt.Errorf("looking over what was imported: %w", Explain(err))
	}
	return nil
}

// A filling is a database.Filling.
type filling struct{ tx pgx.Tx }

func (f *filling) HasMemories(ctx context.Context) (bool, error) { return f.has(ctx, "memories") }

func (f *filling) HasAccounts(ctx context.Context) (bool, error) { return f.has(ctx, "accounts") }

func (f *filling) has(ctx context.Context, table string) (found bool, err error) {
	err = f.tx.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM "+table+")").Scan(&found)
	return found, Explain(err)
}

func (f *filling) HasAccount(ctx context.Context, owner dataexport.Scope) (bool, error) {
	found, err := hasAccount(ctx, f.tx, owner)
	return found, Explain(err)
}

func (f *filling) Workspaces(ctx context.Context) (n int, err error) {
	err = f.tx.QueryRow(ctx, "SELECT count(DISTINCT workspace_id) FROM memories").Scan(&n)
	return n, Explain(err)
}
