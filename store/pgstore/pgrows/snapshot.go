package pgrows

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/dataexport/dataexport"
)

// A Beginner begins transactions: a *pgxpool.Pool, a *pgxpool.Conn or a *pgx.Conn.
type Beginner interface {
	BeginTx(ctx context.Context, o pgx.TxOptions) (pgx.Tx, error)
}

// Snapshot reads the tables of a dataset in one read-only transaction that reads repeatably: all of them show the database
// as it was when the source was opened. Until the source is closed it has a connection for itself, and PostgreSQL keeps old
// versions of all rows of the database.
type Snapshot struct {
	DB Beginner

	// Tables are those of the collections of the dataset, in their order.
	Tables []Table

	// Count has the sources count their records before they are read, for the progress of a job.
	Count bool

	// Connections is how many connections of DB, which must be a pool then, read a table at the same time. The default is 1.
	// While a table is read, the further ones join the snapshot of the first (PostgreSQL's pg_export_snapshot), so that the
	// records and their order are the same. A pool that has none to spare is not waited for: those that are there read on.
	// See the package's documentation on when this pays, and which index it needs.
	Connections int
}

// Open returns a source of all tables. It is what archive.Archive.Dataset and Dataset take. A table whose collection is
// single and that has no record for the query's scope is a dataexport.ErrNotFound: there is no such account.
func (s Snapshot) Open(ctx context.Context, q dataexport.Query) (dataexport.Source, error) {
	view, err := s.open(ctx, q)
	if err != nil {
		return nil, err
	}
	if err := view.checkSingles(ctx); err != nil {
		return nil, errors.Join(err, view.Close())
	}
	if s.Count {
		return countedView{view}, nil
	}
	return view, nil
}

// Check reports what would be wrong with every export, such as a column that a table does not have, or has as another type.
// It reads no record but has PostgreSQL look at the queries; a host does well to call it when it starts.
func (s Snapshot) Check(ctx context.Context) error {
	view, err := s.open(ctx, dataexport.Query{Scope: someone})
	if err != nil {
		return err
	}
	var faults []error
	for _, statement := range view.statements {
		_, _, err := statement.prepared(ctx, view.tx)
		if err == nil {
			continue
		}
		faults = append(faults, fmt.Errorf("collection %q: %w", statement.table.Collection.Name, err))
		if !errors.Is(err, dataexport.ErrInvalid) {
			break // PostgreSQL refuses everything in a transaction after an error
		}
	}
	return errors.Join(append(faults, view.Close())...)
}

func (s Snapshot) open(ctx context.Context, q dataexport.Query) (*view, error) {
	if err := s.checkConnections(); err != nil {
		return nil, err
	}
	v := &view{db: s.DB, connections: s.Connections, statements: make([]*statement, len(s.Tables))}
	for i := range s.Tables {
		var err error
		if v.statements[i], err = s.Tables[i].statement(q); err != nil {
			return nil, err
		}
	}
	var err error
	v.tx, err = s.DB.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return nil, explain(ctx, err)
	}
	// The first query of the transaction is the moment that it shows.
	if _, err := v.tx.Exec(ctx, "SELECT 1"); err != nil {
		return nil, errors.Join(explain(ctx, err), v.Close())
	}
	return v, nil
}

// A view is an open transaction.
type view struct {
	db          Beginner
	connections int
	tx          pgx.Tx
	id          string // of the snapshot, once others may join it
	statements  []*statement
}

// checkSingles reports that something is not there that there must be one of.
func (v *view) checkSingles(ctx context.Context) error {
	for _, s := range v.statements {
		if !s.table.Collection.Single {
			continue
		}
		var found bool
		if err := v.tx.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM "+s.table.from()+" WHERE "+s.where+")", s.args).Scan(&found); err != nil {
			return explain(ctx, err)
		}
		if !found {
			return fmt.Errorf("%w: pgrows: collection %q has no record for the scope", dataexport.ErrNotFound, s.table.Collection.Name)
		}
	}
	return nil
}

// Rows reads a table by one statement, in order of its key.
func (v *view) Rows(ctx context.Context, collection int) iter.Seq2[dataexport.Row, error] {
	return func(yield func(dataexport.Row, error) bool) {
		if collection < 0 || collection >= len(v.statements) {
			yield(nil, fmt.Errorf("%w: pgrows: the snapshot has %d tables, and none for collection %d", dataexport.ErrInvalid, len(v.statements), collection))
			return
		}
		if err := v.read(ctx, v.statements[collection], yield); err != nil {
			yield(nil, err)
		}
	}
}

// read reads a table over as many connections as there may be, and as pay.
func (v *view) read(ctx context.Context, s *statement, yield func(dataexport.Row, error) bool) error {
	r, key, err := s.prepared(ctx, v.tx)
	if err != nil {
		return err
	}
	if v.connections > 1 && len(key) > 0 {
		if p, err := v.parallel(ctx, s, r, key); err != nil {
			return err
		} else if p != nil {
			return p.read(ctx, yield)
		}
	}
	sql := s.rows()
	if len(key) > 0 {
		sql += " ORDER BY " + strings.Join(key, ", ")
	}
	return r.query(ctx, v.tx, sql, []any{s.args}, yield)
}

// closeTime is how long PostgreSQL may take to end a transaction before the connection is closed instead.
const closeTime = 5 * time.Second

// Close ends the transaction and gives its connection back. That PostgreSQL cannot be told is no fault of what was read; it
// ends the transaction when the connection is closed.
func (v *view) Close() error {
	rollback(v.tx)
	return nil
}

func rollback(tx pgx.Tx) {
	ctx, cancel := context.WithTimeout(context.Background(), closeTime)
	defer cancel()
	_ = tx.Rollback(ctx)
}

// countedView can count too.
type countedView struct{ *view }

// Count counts the records of all collections but the single ones.
func (v countedView) Count(ctx context.Context) (int64, error) {
	var lists []*statement
	for _, s := range v.statements {
		if !s.table.Collection.Single {
			lists = append(lists, s)
		}
	}
	return queryCount(ctx, v.tx, lists...)
}
