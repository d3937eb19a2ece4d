// Package postgrestest gives tests a real PostgreSQL: a throw-away server made of the machine's own binaries, or one that
// runs already.
//
// Most tests need a database and do not care which. A package of them shares one server, which is started when the first
// test asks and stopped when all have ended:
//
//	var postgres postgrestest.Shared
//
//	func TestMain(m *testing.M) { os.Exit(postgres.Main(m)) }
//
//	func TestSomething(t *testing.T) {
//		pool, err := pgxpool.New(t.Context(), postgres.NewDatabase(t))
//		…
//	}
//
// A test that stops and restarts the server has one of its own, see Run and Start.
//
// The binaries are looked for with PATH, with pg_config and in the folders of Linux distributions; the newest version wins.
// Where there are none the tests are skipped, with a message that says what to install. Two environment variables change
// this:
//
//   - DATAEXPORT_TEST_POSTGRES is the URL of a server to use instead, as a role that may create databases. Tests that
//     restart a server still start their own.
//   - DATAEXPORT_TEST_REQUIRED set to 1 makes tests fail that would be skipped.
//
// Servers are started on Linux alone, where the kernel ends them together with the process that started them, even if that
// panics or is killed. A server that root starts runs as the user postgres, since PostgreSQL refuses root.
package postgrestest

import (
	"errors"
	"fmt"
	"os"
	"testing"
)

// The environment variables that this package looks at.
const (
	serverVariable   = "DATAEXPORT_TEST_POSTGRES"
	requiredVariable = "DATAEXPORT_TEST_REQUIRED"
)

// ErrNoPostgres says that this machine has no PostgreSQL that can be started.
var ErrNoPostgres = errors.New("postgrestest: there is no PostgreSQL server to test with")

// explainMissing returns an ErrNoPostgres that says what is wrong and how to help it.
func explainMissing(reason string) error {
	return fmt.Errorf("%w: %s; install one (apt-get install postgresql) or set %s to the URL of one whose role may create databases",
		ErrNoPostgres, reason, serverVariable)
}

// skip ends a test that lacks PostgreSQL: skipped, or failed where the environment says that nothing may be skipped. Any
// other error is a failure.
func skip(tb testing.TB, err error) {
	tb.Helper()
	if errors.Is(err, ErrNoPostgres) && os.Getenv(requiredVariable) != "1" {
		tb.Skip(err)
	}
	tb.Fatal(err)
}

// Run starts a server for one test and stops it when the test ends. It skips the test, or fails it where
// DATAEXPORT_TEST_REQUIRED is 1, if there is no PostgreSQL.
func Run(tb testing.TB, o Options) *Server {
	tb.Helper()
	server, err := Start(o)
	if err != nil {
		skip(tb, err)
	}
	tb.Cleanup(func() {
		if err := server.Stop(); err != nil {
			tb.Error(err)
		}
	})
	return server
}
