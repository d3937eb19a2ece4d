package pgstore

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/dataexport/dataexport"
)

// A hostError is what Options.OnCreate has returned. It is not taken for an error of the store's own tables.
type hostError struct{ err error }

func (e *hostError) Error() string { return "pgstore: Options.OnCreate: " + e.err.Error() }

func (e *hostError) Unwrap() error { return e.err }

// errEndedByHost says that Options.OnCreate has done what it must not.
var errEndedByHost = errors.New("it must not end the transaction: the store does")

// A hostTx is a transaction that cannot be ended by the host.
type hostTx struct {
	pgx.Tx
	ended bool // the host has tried to
}

func (t *hostTx) Commit(context.Context) error {
	t.ended = true
	return errEndedByHost
}

func (t *hostTx) Rollback(context.Context) error {
	t.ended = true
	return errEndedByHost
}

// A valueless context is that of several calls: it has the values of none.
type valueless struct{ context.Context }

func (valueless) Value(any) any { return nil }

// callHost calls Options.OnCreate in a transaction, which is there and sound when it returns nil.
func callHost(
	ctx context.Context, tx pgx.Tx, jobs []dataexport.Job, onCreate func(context.Context, pgx.Tx, []dataexport.Job) error,
) error {
	guarded := &hostTx{Tx: tx}
	err := onCreate(valueless{ctx}, guarded, jobs)
	switch {
	case err != nil:
		return &hostError{err}
	case guarded.ended:
		return &hostError{errEndedByHost}
	}
	const inTransaction = 'T' // see "Message Formats" of the protocol, ReadyForQuery
	if status := tx.Conn().PgConn().TxStatus(); status != inTransaction {
		return &hostError{fmt.Errorf("the transaction is over or has failed (its status is %q): %w", status, errEndedByHost)}
	}
	return nil
}
