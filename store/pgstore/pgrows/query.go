package pgrows

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/dataexport/dataexport"
)

// A DB is where queries run: a *pgxpool.Pool, a *pgxpool.Conn, a pgx.Tx or a *pgx.Conn, or a type of the host that embeds
// one of them.
type DB interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// Query runs a query when it is ranged over and yields its result as rows under the columns of a collection. The result
// has the same columns in the same order, by name; use AS in the query where names differ. Arguments are those of
// pgx.Conn.Query; pgx.NamedArgs can be used.
//
// A result that does not fit the columns is a dataexport.ErrInvalid and is found before the query runs. A value that has
// no place in an export is a dataexport.ErrBadRow. Both name the column. Other errors are those of pgx, or of ctx.
//
// A row is borrowed: what it points at is the memory of the connection, valid until the next row is asked for. When ctx is
// done the query ends and yields the error of ctx. Whoever stops early ends the query too: the rest is dropped if it comes
// at once; otherwise the connection is closed, which ends the transaction that the query was in, and a pool opens another
// when it needs one. While rows are read, nothing else can use the connection.
func Query(ctx context.Context, db DB, columns []dataexport.Column, sql string, args ...any) iter.Seq2[dataexport.Row, error] {
	return func(yield func(dataexport.Row, error) bool) {
		r := newReader(columns)
		if err := r.query(ctx, db, sql, args, yield); err != nil {
			yield(nil, err)
		}
	}
}

// query is Query with a reader that may have read another page before. It does not yield errors but returns them. That the
// consumer has stopped is none.
func (r *reader) query(ctx context.Context, db DB, sql string, args []any, yield func(dataexport.Row, error) bool) error {
	return r.queryRaw(ctx, db, sql, args, func(values [][]byte) (bool, error) {
		if err := r.decode(values); err != nil {
			return false, err
		}
		return yield(r.row, nil), nil
	})
}

// queryRaw passes on the values of each row as they come, until pass returns false or an error.
func (r *reader) queryRaw(ctx context.Context, db DB, sql string, args []any, pass func(values [][]byte) (bool, error)) error {
	conn, release, err := connection(ctx, db)
	if err != nil {
		return explain(ctx, err)
	}
	defer release()
	if sql, args, err = rewrite(ctx, conn, sql, args); err != nil {
		return err
	}
	if r.fields == nil {
		if err := r.describe(ctx, conn, sql); err != nil {
			return explain(ctx, err)
		}
	}
	if err := r.read(ctx, conn, sql, args, pass); err != nil {
		return explain(ctx, err)
	}
	return nil
}

// connection returns the connection of a DB and what gives it back.
func connection(ctx context.Context, db DB) (*pgx.Conn, func(), error) {
	switch db := db.(type) {
	case *pgx.Conn:
		return db, func() {}, nil
	case interface{ Conn() *pgx.Conn }:
		return db.Conn(), func() {}, nil
	case interface {
		Acquire(ctx context.Context) (*pgxpool.Conn, error)
	}:
		conn, err := db.Acquire(ctx)
		if err != nil {
			return nil, nil, err
		}
		return conn.Conn(), conn.Release, nil
	default:
		return nil, nil, fmt.Errorf("%w: pgrows: a %T gives no connection; use a *pgxpool.Pool, a *pgxpool.Conn, a pgx.Tx or a *pgx.Conn", dataexport.ErrInvalid, db)
	}
}

// rewrite puts the arguments that have names in their places, since statements are described before they run.
func rewrite(ctx context.Context, conn *pgx.Conn, sql string, args []any) (string, []any, error) {
	if len(args) == 0 {
		return sql, args, nil
	}
	rewriter, ok := args[0].(pgx.QueryRewriter)
	if !ok {
		return sql, args, nil
	}
	sql, args, err := rewriter.RewriteQuery(ctx, conn, sql, args[1:])
	if err != nil {
		return "", nil, fmt.Errorf("%w: pgrows: the arguments of the query: %w", dataexport.ErrInvalid, err)
	}
	return sql, args, nil
}

// describe has PostgreSQL say what a statement will result in, and plans how to read that.
func (r *reader) describe(ctx context.Context, conn *pgx.Conn, sql string) error {
	statement, err := conn.Prepare(ctx, "", sql)
	if err != nil {
		return err
	}
	r.fields, err = plan(ctx, conn, r.columns, statement.Fields)
	return err
}

// dropTime is how long the rest of a result that nobody wants is read, so that the connection can be used again.
const dropTime = 100 * time.Millisecond

// read runs a statement and passes its rows on, until the consumer stops.
func (r *reader) read(ctx context.Context, conn *pgx.Conn, sql string, args []any, pass func(values [][]byte) (bool, error)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	rows, err := conn.Query(ctx, sql, append([]any{binaryMode(conn), r.formats()}, args...)...)
	if err != nil {
		return err
	}
	complete := false
	defer func() { // also if the consumer panics
		if !complete {
			defer time.AfterFunc(dropTime, cancel).Stop()
		}
		rows.Close()
	}()
	for first := true; rows.Next(); first = false {
		if first {
			if err := r.checkFields(rows.FieldDescriptions()); err != nil {
				return err
			}
		}
		if more, err := pass(rows.RawValues()); err != nil || !more {
			return err
		}
	}
	complete = true
	return rows.Err()
}

// formats returns the formats in which the columns of the result are asked for.
func (r *reader) formats() pgx.QueryResultFormats {
	formats := make(pgx.QueryResultFormats, len(r.fields))
	for i := range r.fields {
		formats[i] = r.fields[i].format
	}
	return formats
}

// binaryMode returns the way of the connection to run statements if results can be binary in it. Otherwise it returns one
// in which they can, and that a pooler between us and PostgreSQL allows for: it leaves no prepared statement behind.
func binaryMode(conn *pgx.Conn) pgx.QueryExecMode {
	switch mode := conn.Config().DefaultQueryExecMode; mode {
	case pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol:
		return pgx.QueryExecModeCacheDescribe
	default:
		return mode
	}
}

// checkFields reports that a result is not what was described. The table may have been changed between two pages.
func (r *reader) checkFields(fields []pgconn.FieldDescription) error {
	if len(fields) != len(r.fields) {
		return fmt.Errorf("pgrows: the result has %d columns, and %d were described; was the table changed?", len(fields), len(r.fields))
	}
	for i := range fields {
		if fields[i].DataTypeOID != r.fields[i].oid || fields[i].Format != r.fields[i].format {
			return fmt.Errorf("pgrows: column %q of the result is not of the type and format that was described; was the table changed?", r.fields[i].name)
		}
	}
	return nil
}

// explain makes an error that is caused by the end of ctx say so, as dataexport.Source demands.
func explain(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil && !errors.Is(err, cause) {
		return fmt.Errorf("pgrows: %w: %w", cause, err)
	}
	if errors.Is(err, dataexport.ErrInvalid) || errors.Is(err, dataexport.ErrBadRow) {
		return err
	}
	return fmt.Errorf("pgrows: %w", err)
}
