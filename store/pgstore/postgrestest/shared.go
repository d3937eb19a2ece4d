package postgrestest

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Shared is one server for all tests of a package, started when the first of them needs it. The zero value is ready for
// use. It is safe for concurrent use.
type Shared struct {
	mu      sync.Mutex
	server  *Server
	address string // the URL of the database to create others from; empty as long as no test has asked
	err     error  // why there is no server
}

// Main runs the tests of a package and stops the server after them. It returns the code to exit with:
//
//	func TestMain(m *testing.M) { os.Exit(postgres.Main(m)) }
func (s *Shared) Main(m *testing.M) int {
	code := m.Run()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.server == nil {
		return code
	}
	if err := s.server.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	return code
}

// NewDatabase creates an empty database for one test and returns its URL. When the test ends, connections to it are cut
// and it is dropped. The test is skipped, or fails where DATAEXPORT_TEST_REQUIRED is 1, if there is no PostgreSQL.
func (s *Shared) NewDatabase(tb testing.TB) (databaseURL string) {
	tb.Helper()
	server, err := s.start()
	if err != nil {
		skip(tb, err)
	}
	name := "test_" + strings.ToLower(rand.Text())
	if err := execute(tb.Context(), server, "CREATE DATABASE "+name); err != nil {
		tb.Fatalf("postgrestest: creating a database for the test: %v", err)
	}
	tb.Cleanup(func() {
		if err := execute(context.WithoutCancel(tb.Context()), server, "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			tb.Errorf("postgrestest: dropping the database of the test: %v", err)
		}
	})
	address, err := withDatabase(server, name)
	if err != nil {
		tb.Fatal(err)
	}
	return address
}

// start returns the URL of the server, starting it if need be.
func (s *Shared) start() (address string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.address != "" || s.err != nil {
		return s.address, s.err
	}
	if address := os.Getenv(serverVariable); address != "" {
		s.address = address
		return s.address, nil
	}
	if s.server, s.err = Start(Options{}); s.err == nil {
		s.address = s.server.URL(superuser)
	}
	return s.address, s.err
}

func execute(ctx context.Context, address, statement string) error {
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		return err
	}
	defer conn.Close(ctx) // the statement has told already
	_, err = conn.Exec(ctx, statement)
	return err
}

// withDatabase returns the URL of another database of the same server.
func withDatabase(address, name string) (string, error) {
	parsed, err := url.Parse(address)
	if err != nil || parsed.Scheme != "postgres" && parsed.Scheme != "postgresql" {
		return "", fmt.Errorf("postgrestest: %s must be a URL such as postgres://user@host/postgres", serverVariable)
	}
	parsed.Path = "/" + name
	return parsed.String(), nil
}
