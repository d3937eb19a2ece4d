package postgres

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/archive"
	"github.com/dataexport/dataexport/examples/server/internal/database"
	"github.com/dataexport/dataexport/store/pgstore/pgrows"
)

// Accounts is that of database.DB. The source of an account is one consistent view of all that belongs to it, a transaction
// with a connection of its own: all collections show the database as it was when the view was opened.
func (d *DB) Accounts(a *archive.Archive) dataexport.Dataset {
	collections := a.Info().Collections
	snapshot := pgrows.Snapshot{DB: d.Pool, Count: true}
	for i, c := range collections {
		snapshot.Tables = append(snapshot.Tables, pgrows.Table{
			Collection: keptAs(c), From: database.AccountTables[i].Name, Select: columnsOf(i, c.Columns), Where: whereOwner,
		})
	}
	return a.Dataset(func(ctx context.Context, q dataexport.Query) (dataexport.Source, error) {
		owner := q.Scope
		if !isText(owner.WorkspaceID) || !isText(owner.Subject) {
			return nil, fmt.Errorf("%w: the subject %q of the workspace %q has no account", dataexport.ErrNotFound, owner.Subject, owner.WorkspaceID)
		}
		source, err := snapshot.Open(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("opening the account of %q of the workspace %q: %w", owner.Subject, owner.WorkspaceID, Explain(err))
		}
		return restore(source, collections...), nil
	})
}

// columnsOf says which column of a table is which field of the records.
func columnsOf(table int, fields []dataexport.Column) map[string]string {
	columns := make(map[string]string)
	for i, name := range strings.Split(database.AccountTables[table].Columns, ", ") {
		columns[fields[i].Name] = name
	}
	return columns
}

// whereOwner says which rows belong to an account.
func whereOwner(q dataexport.Query) (string, pgx.NamedArgs, error) {
	return pgrows.Conditions{Workspace: "workspace_id", Subject: "subject"}.Where(dataexport.Query{Scope: q.Scope})
}

// hasAccount reports whether a subject of a workspace has an account.
func hasAccount(ctx context.Context, db interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}, owner dataexport.Scope) (found bool, err error) {
	if !isText(owner.WorkspaceID) || !isText(owner.Subject) {
		return false, nil
	}
	statement := numbered("SELECT EXISTS (SELECT 1 FROM accounts" + database.OfOwner + ")")
	err = db.QueryRow(ctx, statement, database.OwnerArgs(owner)...).Scan(&found)
	return found, err
}
