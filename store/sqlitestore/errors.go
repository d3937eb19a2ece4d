package sqlitestore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/dataexport/dataexport"
)

// A condition is a primary result code of SQLite (https://www.sqlite.org/rescode.html) with the message that SQLite has
// for it. Drivers that do not give the code as an int give at least the message.
type condition struct {
	code    int
	message string
}

var (
	// locked says that someone else is at work on the database, so that trying again is likely to help.
	locked = []condition{
		{5, "database is locked"},       // SQLITE_BUSY
		{6, "database table is locked"}, // SQLITE_LOCKED
		{6, "database schema is locked"},
	}
	// unreachable says that the file cannot be used as things are.
	unreachable = []condition{
		{8, "attempt to write a readonly database"}, // SQLITE_READONLY
		{10, "disk I/O error"},                      // SQLITE_IOERR
		{13, "database or disk is full"},            // SQLITE_FULL
		{14, "unable to open database file"},        // SQLITE_CANTOPEN
		{15, "locking protocol"},                    // SQLITE_PROTOCOL
	}
)

// matches reports whether an error of a driver is one of the conditions.
func matches(err error, conditions []condition) bool {
	if err == nil {
		return false
	}
	var coded interface{ Code() int }
	if errors.As(err, &coded) {
		primary := coded.Code() & 0xff // the higher bits of an extended code say more than is asked here
		return slices.ContainsFunc(conditions, func(c condition) bool { return c.code == primary })
	}
	text := err.Error()
	return slices.ContainsFunc(conditions, func(c condition) bool { return strings.Contains(text, c.message) })
}

// explain turns an error of the driver into one that the contract of dataexport.Store knows. Its own errors pass as they
// are.
func explain(ctx context.Context, err error) error {
	switch {
	case err == nil || known(err):
		return err
	case ctx.Err() != nil:
		return fmt.Errorf("sqlitestore: %w", ctx.Err())
	case matches(err, locked), matches(err, unreachable), errors.Is(err, driver.ErrBadConn), errors.Is(err, sql.ErrConnDone):
		return unavailable(err)
	case strings.Contains(err.Error(), "no such table: dataexport_"), strings.Contains(err.Error(), "no such column: "):
		return fmt.Errorf("sqlitestore: the tables are missing or old, run sqlitestore.Migrate first: %w", err)
	}
	return fmt.Errorf("sqlitestore: %w", err)
}

func unavailable(err error) error {
	return fmt.Errorf("%w: SQLite: %w", dataexport.ErrUnavailable, err)
}

// known reports whether an error is one that the methods of the Store have decided on.
func known(err error) bool {
	return slices.ContainsFunc([]error{
		dataexport.ErrInvalid, dataexport.ErrNotFound, dataexport.ErrConflict, dataexport.ErrNoJob,
		dataexport.ErrTooManyExports, dataexport.ErrIdempotencyKeyReused, dataexport.ErrUnavailable,
	}, func(target error) bool { return errors.Is(err, target) })
}
