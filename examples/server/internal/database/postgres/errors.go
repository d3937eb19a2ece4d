package postgres

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/dataexport/dataexport"
)

// Explain returns an error of package pgx so that it is a dataexport.ErrUnavailable if the database does not answer at the
// moment: it is down, restarts, fails over, has no connection left. Any other, such as a wrong password or a database that
// is not there, will stay until somebody does something about it.
func Explain(err error) error {
	switch {
	case err == nil || errors.Is(err, dataexport.ErrUnavailable):
		return err
	case errors.Is(err, context.Canceled):
		return err
	case transient(err):
		return fmt.Errorf("%w: %w", dataexport.ErrUnavailable, err)
	}
	// A connection is tried with TLS and without, at all addresses of the host, and what the server has said is in the
	// middle of a long story.
	failure, refusal := (*pgconn.ConnectError)(nil), (*pgconn.PgError)(nil)
	if errors.As(err, &failure) && errors.As(err, &refusal) {
		return fmt.Errorf("-store: connecting to the database %q at %s as %q: %w", failure.Config.Database, failure.Config.Host, failure.Config.User, refusal)
	}
	return err
}

// The codes of errors that go away by themselves (PostgreSQL, appendix A).
var (
	transientClasses = []string{
		"08", // the connection
		"40", // a transaction that was in the way of another
		"53", // no memory, disk or connection left
	}
	transientCodes = []string{
		"25006",                            // a standby, which may become the primary
		"57P01", "57P02", "57P03", "57P05", // it is shut down, was killed, starts, or has cut the connection
	}
)

func transient(err error) bool {
	if said := (*pgconn.PgError)(nil); errors.As(err, &said) {
		return slices.Contains(transientCodes, said.Code) || len(said.Code) > 2 && slices.Contains(transientClasses, said.Code[:2])
	}
	if certificate := (*tls.CertificateVerificationError)(nil); errors.As(err, &certificate) || strings.Contains(err.Error(), "refused TLS") {
		return false
	}
	operation, failure := (*net.OpError)(nil), (*pgconn.ConnectError)(nil)
	return errors.As(err, &failure) || errors.As(err, &operation) || pgconn.SafeToRetry(err) || pgconn.Timeout(err) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed)
}
