// Package sqliterows makes rows of dataexport from what zombiezen.com/go/sqlite reads. It goes around database/sql, which
// allocates for every value: here nothing is allocated for a row.
//
// Nothing in it is about benchmarks. A host may copy it.
package sqliterows

import (
	"context"
	"fmt"
	"iter"

	"zombiezen.com/go/sqlite"

	"github.com/dataexport/dataexport"
)

// Query runs a statement when it is ranged over and yields its result as rows under the columns of a collection, which are in the same order.
// This is what is read as what:
//
//	string, decimal   TEXT
//	int               INTEGER
//	float             REAL or INTEGER
//	bool              INTEGER
//	time              TEXT of RFC 3339
//	json              TEXT; renderers check it
//	strings           TEXT that is a JSON array of strings
//	uuid              BLOB of sixteen bytes
//
// The database must be in UTF-8, as databases are unless they were made otherwise. NULL is null. A value that does not fit is a dataexport.ErrBadRow that names the column. A row is borrowed: it is valid
// until the next is asked for. When ctx is done the statement is interrupted. The connection can be used for something else
// when the range is over.
//
// SQLite works in the process of the host, and keeps a core busy. It does so on a goroutine of its own, ahead of the
// consumer, until the range is over.
func Query(ctx context.Context, conn *sqlite.Conn, columns []dataexport.Column, sql string, arguments ...string) iter.Seq2[dataexport.Row, error] {
	read := dataexport.ReadAhead(func(yield func(dataexport.Row, error) bool) {
		if err := query(ctx, conn, columns, sql, arguments, yield); err != nil {
			yield(nil, err)
		}
	})
	return func(yield func(dataexport.Row, error) bool) {
		p := newParser(columns)
		for row, err := range read {
			if err == nil {
				row, err = p.parse(row)
			}
			if !yield(row, err) || err != nil {
				return
			}
		}
	}
}

// query returns nil also if the consumer has stopped.
func query(ctx context.Context, conn *sqlite.Conn, columns []dataexport.Column, sql string, arguments []string, yield func(dataexport.Row, error) bool) (err error) {
	defer conn.SetInterrupt(conn.SetInterrupt(ctx.Done()))
	statement, _, err := conn.PrepareTransient(sql)
	if err != nil {
		return fmt.Errorf("sqliterows: %w", err)
	}
	defer func() {
		if failed := statement.Finalize(); err == nil && failed != nil {
			err = fmt.Errorf("sqliterows: %w", failed)
		}
	}()
	if n := statement.ColumnCount(); n != len(columns) {
		return fmt.Errorf("%w: sqliterows: the statement has %d columns, and the collection has %d", dataexport.ErrInvalid, n, len(columns))
	}
	for i, argument := range arguments {
		statement.BindText(i+1, argument)
	}
	r := newReader(statement, columns)
	for {
		found, err := statement.Step()
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			return fmt.Errorf("sqliterows: %w", err)
		case !found:
			return nil
		}
		if err := r.read(); err != nil {
			return err
		}
		if !yield(r.row, nil) {
			return nil
		}
	}
}
