package pgstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/dataexport/dataexport"
)

// The conditions that PostgreSQL reports and this package acts on, by their codes (PostgreSQL, Appendix A).
const (
	serializationFailure = "40001"
	deadlockDetected     = "40P01"
	uniqueViolation      = "23505"
	undefinedTable       = "42P01"
	undefinedColumn      = "42703"
	characterNotKnown    = "22021" // text that is not in the encoding of the database, or has a NUL
	textNotHeld          = "22P05" // a character that the encoding does not have
	notPermitted         = "42501"
	noSchema             = "3F000" // the search_path names none that is there
	readOnly             = "25006" // a standby
)

// unavailableConditions are codes, and beginnings of codes, of a server that cannot serve now and may later.
var unavailableConditions = []string{
	"08",    // connection exception
	"53",    // insufficient resources, such as too many connections
	"57P",   // the server is stopping, starting, or its administrator has cut the connection
	"58",    // system error
	"57014", // a timeout of the server's; a cancelled context is told apart before
	"55P03", // a lock timeout
	"25P03", // a transaction was idle for too long
	readOnly, serializationFailure, deadlockDetected,
}

// retries is how often the database may undo a transaction for the sake of another before that is an error.
const retries = 5

// retry calls a function again when the database had to undo what it did.
func retry(ctx context.Context, do func() error) error {
	for tried := 1; ; tried++ {
		err := do()
		if err == nil || tried == retries || ctx.Err() != nil || !hasCode(err, serializationFailure, deadlockDetected) {
			return err
		}
	}
}

// violates reports whether a row was refused by a unique index of ours.
func violates(err error, index string) bool {
	var reported *pgconn.PgError
	return !errors.As(err, new(*hostError)) && errors.As(err, &reported) && reported.Code == uniqueViolation && reported.ConstraintName == index
}

func hasCode(err error, codes ...string) bool {
	var reported *pgconn.PgError
	return errors.As(err, &reported) && slices.Contains(codes, reported.Code)
}

// explain turns an error of the driver into one that the contract of dataexport.Store knows. Its own errors pass as they
// are.
func explain(ctx context.Context, err error) error {
	switch {
	case err == nil || known(err):
		return err
	case errors.As(err, new(*hostError)) && !unavailable(err):
		return err
	case ctx.Err() != nil:
		return fmt.Errorf("pgstore: %w", ctx.Err())
	case unavailable(err):
		return fmt.Errorf("%w: PostgreSQL: %w", dataexport.ErrUnavailable, err)
	case hasCode(err, undefinedTable, undefinedColumn):
		return fmt.Errorf("pgstore: the tables are missing or old, run pgstore.Migrate first: %w", err)
	case hasCode(err, notPermitted, noSchema):
		return fmt.Errorf("pgstore: the role lacks a privilege, or its search_path a schema, see the package's documentation: %w", err)
	case hasCode(err, characterNotKnown, textNotHeld):
		return fmt.Errorf("%w: PostgreSQL cannot hold the text: %w", dataexport.ErrInvalid, err)
	}
	return fmt.Errorf("pgstore: %w", err)
}

// known reports whether an error is one that the methods of the Store have decided on.
func known(err error) bool {
	return slices.ContainsFunc([]error{
		dataexport.ErrInvalid, dataexport.ErrNotFound, dataexport.ErrConflict, dataexport.ErrNoJob,
		dataexport.ErrTooManyExports, dataexport.ErrIdempotencyKeyReused, dataexport.ErrUnavailable,
	}, func(target error) bool { return errors.Is(err, target) })
}

// unavailable reports whether the server cannot be reached, or cannot serve for now.
func unavailable(err error) bool {
	var connecting *pgconn.ConnectError
	if errors.As(err, &connecting) { // also if it is for a password
		return true
	}
	var reported *pgconn.PgError
	if errors.As(err, &reported) {
		return slices.ContainsFunc(unavailableConditions, func(code string) bool { return strings.HasPrefix(reported.Code, code) })
	}
	var network net.Error
	return errors.As(err, &network) || pgconn.SafeToRetry(err) ||
		slices.ContainsFunc([]error{io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, pgconn.ErrConnClosed},
			func(target error) bool { return errors.Is(err, target) }) ||
		strings.Contains(err.Error(), "closed pool") // of a package below pgxpool
}

// A text is what goes into a column of type text.
type text struct{ name, value string }

// checkTexts returns an ErrInvalid that names the first text which PostgreSQL cannot hold: it would have to be altered.
func checkTexts(texts ...text) error {
	for _, t := range texts {
		switch {
		case strings.IndexByte(t.value, 0) >= 0:
			return fmt.Errorf("%w: %s has a NUL character, which PostgreSQL cannot hold in a text", dataexport.ErrInvalid, t.name)
		case !utf8.ValidString(t.value):
			return fmt.Errorf("%w: %s is not valid UTF-8", dataexport.ErrInvalid, t.name)
		}
	}
	return nil
}
