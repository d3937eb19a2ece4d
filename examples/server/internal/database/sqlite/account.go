package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/archive"
	"github.com/dataexport/dataexport/examples/server/internal/database"
)

// Accounts is that of database.DB.
func (d *DB) Accounts(a *archive.Archive) dataexport.Dataset {
	return a.Dataset(func(ctx context.Context, q dataexport.Query) (dataexport.Source, error) {
		return openAccount(ctx, d.SQL, a, q.Scope)
	})
}

// An account is one consistent view of all that belongs to a subject of a workspace: a transaction, and the connection that
// it holds. All collections show the database as it was when the view was opened, whatever is written meanwhile. Until it
// is closed the write-ahead log keeps what is written and grows.
type account struct {
	conn        *sql.Conn
	view        *sql.Tx
	owner       dataexport.Scope
	collections []dataexport.Collection
}

func openAccount(ctx context.Context, db *sql.DB, a *archive.Archive, owner dataexport.Scope) (dataexport.Source, error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("opening the account: %w", err)
	}
	// To the driver read-only means a transaction that does not wait for a writer. Not with ctx, for the reason that is told
	// in Fill: Close ends the transaction.
	view, err := conn.BeginTx(context.WithoutCancel(ctx), &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening the account: %w", err), conn.Close())
	}
	s := &account{conn: conn, view: view, owner: owner, collections: a.Info().Collections}
	// The first read is the moment of the view.
	found, err := hasAccount(ctx, view, owner)
	if err == nil && !found {
		err = fmt.Errorf("%w: the subject %q of the workspace %q has no account", dataexport.ErrNotFound, owner.Subject, owner.WorkspaceID)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// hasAccount reports whether a subject of a workspace has an account.
func hasAccount(ctx context.Context, db interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}, owner dataexport.Scope) (found bool, err error) {
	statement := "SELECT EXISTS (SELECT 1 FROM accounts" + database.OfOwner + ")"
	err = db.QueryRowContext(ctx, statement, database.OwnerArgs(owner)...).Scan(&found)
	if err != nil {
		return false, fmt.Errorf("looking for the account: %w", err)
	}
	return found, nil
}

// Rows reads a collection with one statement, row by row.
func (s *account) Rows(ctx context.Context, collection int) iter.Seq2[dataexport.Row, error] {
	return func(yield func(dataexport.Row, error) bool) {
		rows, err := s.view.QueryContext(ctx, database.AccountTables[collection].SelectRows(), database.OwnerArgs(s.owner)...)
		if err != nil {
			yield(nil, fmt.Errorf("reading the account: %w", err))
			return
		}
		defer rows.Close() // rows.Err tells what went wrong
		// Import keeps JSON as it came; renderers are to check and compact it.
		reader := newRowReader(s.collections[collection].Columns, dataexport.JSONValue)
		for rows.Next() {
			if err := ctx.Err(); err != nil { // package database/sql may take a while to notice
				yield(nil, err)
				return
			}
			row, err := reader.scan(rows)
			if !yield(row, err) || err != nil {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(nil, fmt.Errorf("reading the account: %w", err))
		}
	}
}

// Count counts all records but the account itself, by the indexes alone.
func (s *account) Count(ctx context.Context) (n int64, err error) {
	statement, args := database.CountRows(s.owner)
	if err := s.view.QueryRowContext(ctx, statement, args...).Scan(&n); err != nil {
		return 0, fmt.Errorf("counting the account: %w", err)
	}
	return n, nil
}

// Close ends the view and gives the connection back.
func (s *account) Close() error { return errors.Join(s.view.Rollback(), s.conn.Close()) }
