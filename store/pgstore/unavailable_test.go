package pgstore

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/store/pgstore/postgrestest"
)

// calls returns a call of every method of a store.
func calls(s *Store) map[string]func(context.Context) error {
	n := newJob("a")
	job := dataexport.Job{ID: n.ID, Version: 1, Status: dataexport.StatusPending}
	return map[string]func(context.Context) error{
		"Create": func(ctx context.Context) error { _, _, err := s.Create(ctx, newJob("a")); return err },
		"Get":    func(ctx context.Context) error { _, err := s.Get(ctx, n.Scope, n.ID); return err },
		"Find":   func(ctx context.Context) error { _, err := s.Find(ctx, n.ID); return err },
		"List": func(ctx context.Context) error {
			_, _, err := s.List(ctx, n.Scope, dataexport.ListQuery{Limit: 1})
			return err
		},
		"Delete": func(ctx context.Context) error { _, err := s.Delete(ctx, n.Scope, n.ID); return err },
		"Claim": func(ctx context.Context) error {
			_, err := s.Claim(ctx, dataexport.ClaimOptions{Lease: time.Hour})
			return err
		},
		"Claim one": func(ctx context.Context) error {
			_, err := s.Claim(ctx, dataexport.ClaimOptions{ID: n.ID, Lease: time.Hour})
			return err
		},
		"Update":       func(ctx context.Context) error { _, err := s.Update(ctx, job, time.Hour); return err },
		"handing back": func(ctx context.Context) error { _, err := s.Update(ctx, job, 0); return err },
		"Due":          func(ctx context.Context) error { _, _, err := s.Due(ctx, dataexport.DueQuery{Limit: 1}); return err },
		"Stats":        func(ctx context.Context) error { _, err := s.Stats(ctx); return err },
		"Ahead":        func(ctx context.Context) error { _, err := s.Ahead(ctx, n.Scope.WorkspaceID, n.ID); return err },
		"Waiting":      func(ctx context.Context) error { _, err := s.Waiting(ctx, 0, "", 1); return err },
		"Migrate":      func(ctx context.Context) error { return Migrate(ctx, s.pool) },
	}
}

func allUnavailable(t *testing.T, s *Store) {
	t.Helper()
	for name, call := range calls(s) {
		err := call(t.Context())
		require.ErrorIs(t, err, dataexport.ErrUnavailable, name)
		require.NotContains(t, err.Error(), "secret", name)
	}
}

func works(t *testing.T, s *Store) {
	t.Helper()
	_, err := s.Delete(t.Context(), dataexport.Scope{WorkspaceID: "a"}, orderFor(t, s, "a"))
	require.NoError(t, err)
}

func TestServerGoesAwayAndComesBack(t *testing.T) {
	server := postgrestest.Run(t, postgrestest.Options{})
	pool := openPool(t, strings.Replace(server.URL("postgres"), "postgres@", "postgres:secret@", 1))
	require.NoError(t, Migrate(t.Context(), pool))
	s := New(pool, Options{})
	for _, how := range []postgrestest.Shutdown{postgrestest.Fast, postgrestest.Immediate} {
		works(t, s)
		require.NoError(t, server.Halt(how))
		allUnavailable(t, s)
		require.NoError(t, server.Resume())
		works(t, s)
	}

	_, err := pool.Exec(t.Context(), "ALTER SYSTEM SET default_transaction_read_only = on; SELECT pg_reload_conf()")
	if err != nil { // the two cannot be one transaction
		_, err = pool.Exec(t.Context(), "ALTER SYSTEM SET default_transaction_read_only = on")
		require.NoError(t, err)
		_, err = pool.Exec(t.Context(), "SELECT pg_reload_conf()")
		require.NoError(t, err)
	}
	require.Eventually(t, func() bool {
		_, _, err := s.Create(t.Context(), newJob("a"))
		return err != nil
	}, patience, 10*time.Millisecond)
	_, _, err = s.Create(t.Context(), newJob("a"))
	require.ErrorIs(t, err, dataexport.ErrUnavailable, "a database that is read only for now")
}

func TestTooManyConnections(t *testing.T) {
	server := postgrestest.Run(t, postgrestest.Options{Settings: []string{"max_connections=4", "superuser_reserved_connections=0", "max_wal_senders=0"}})
	pool := openPool(t, server.URL("postgres"))
	require.NoError(t, Migrate(t.Context(), pool))
	pool.Reset()
	hog := openPool(t, server.URL("postgres")+"&pool_max_conns=10")
	var held []*pgxpool.Conn
	for {
		conn, err := hog.Acquire(t.Context())
		if err != nil {
			break
		}
		held = append(held, conn)
	}
	s := New(pool, Options{})
	allUnavailable(t, s)
	for _, conn := range held {
		conn.Release()
	}
	hog.Close()
	require.Eventually(t, func() bool { _, err := s.Stats(t.Context()); return err == nil }, patience, 10*time.Millisecond)
	works(t, s)
}

// A cutter is between a pool and its server, and cuts connections after so many bytes from the client.
type cutter struct {
	net.Listener
	server string

	mu    sync.Mutex
	after int // 0 for never
}

func newCutter(t *testing.T, server string) *cutter {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	c := &cutter{Listener: listener, server: server}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go c.serve(client)
		}
	}()
	return c
}

func (c *cutter) set(after int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.after = after
}

// take counts bytes, and reports whether the connection may go on.
func (c *cutter) take(n int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.after == 0 {
		return true
	}
	c.after = max(1, c.after-n)
	return c.after > 1
}

func (c *cutter) serve(client net.Conn) {
	server, err := net.Dial("tcp", c.server)
	if err != nil {
		_ = client.Close()
		return
	}
	closeBoth := func() { _, _ = client.Close(), server.Close() }
	pipe := func(to, from net.Conn) {
		defer closeBoth()
		buffer := make([]byte, 4096)
		for {
			n, err := from.Read(buffer)
			if err != nil || !c.take(n) {
				return
			}
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
	}
	go pipe(server, client)
	pipe(client, server)
}

// A connection that is cut anywhere is an ErrUnavailable, and the next call gets another connection.
func TestConnectionIsCut(t *testing.T) {
	database := postgres.NewDatabase(t)
	direct := openPool(t, database)
	require.NoError(t, Migrate(t.Context(), direct))
	config := direct.Config().ConnConfig
	proxy := newCutter(t, net.JoinHostPort(config.Host, fmt.Sprint(config.Port)))
	address := strings.Replace(database, net.JoinHostPort(config.Host, fmt.Sprint(config.Port)), proxy.Addr().String(), 1)
	pool := openPool(t, address)
	s := New(pool, Options{})
	orderFor(t, s, "a")
	for name, call := range calls(s) {
		cut := 0
		for after := 2; after < 12_000; after += 701 {
			require.NoError(t, pool.Ping(t.Context()))
			proxy.set(after)
			err := call(t.Context())
			proxy.set(0)
			if errIsAnswer(err) {
				continue // it had come to its end
			}
			cut++
			require.ErrorIs(t, err, dataexport.ErrUnavailable, "%s after %d bytes", name, after)
			require.Eventually(t, func() bool { return pool.Ping(t.Context()) == nil }, patience, time.Millisecond)
		}
		assert.NotZero(t, cut, name)
	}
	works(t, s)
}

// errIsAnswer reports whether the server has answered a call.
func errIsAnswer(err error) bool {
	return err == nil || known(err) && !strings.Contains(err.Error(), "PostgreSQL")
}

func TestTimeouts(t *testing.T) {
	pool := migrated(t)
	config := pool.Config()
	config.ConnConfig.RuntimeParams["statement_timeout"] = "50"
	impatient, err := pgxpool.NewWithConfig(t.Context(), config)
	require.NoError(t, err)
	t.Cleanup(impatient.Close)
	s := New(impatient, Options{})
	n := newJob("a")
	n.MaxActive = 1
	require.NoError(t, blocked(t, pool, func() {
		_, _, err := s.Create(t.Context(), n)
		require.ErrorIs(t, err, dataexport.ErrUnavailable)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		_, _, err = s.Create(ctx, n)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.NotErrorIs(t, err, dataexport.ErrUnavailable)
	}))
	works(t, s)
}

// blocked does something while all jobs are locked.
func blocked(t *testing.T, pool *pgxpool.Pool, do func()) error {
	t.Helper()
	tx, err := pool.Begin(t.Context())
	if err != nil {
		return err
	}
	if _, err := tx.Exec(t.Context(), "LOCK TABLE dataexport_jobs"); err != nil {
		return err
	}
	do()
	return tx.Rollback(t.Context())
}

func TestContextThatIsDone(t *testing.T) {
	s := New(migrated(t), Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, call := range calls(s) {
		err := call(ctx)
		require.ErrorIs(t, err, context.Canceled, name)
		require.NotErrorIs(t, err, dataexport.ErrUnavailable, name)
	}
	works(t, s)
}

func TestMissingTables(t *testing.T) {
	s := New(openPool(t, postgres.NewDatabase(t)), Options{})
	for name, call := range calls(s) {
		if name == "Migrate" {
			continue
		}
		err := call(t.Context())
		require.ErrorContains(t, err, "pgstore.Migrate", name)
		require.NotErrorIs(t, err, dataexport.ErrUnavailable, name)
	}
}
