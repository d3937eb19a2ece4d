package sqlitestore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
)

var scope = dataexport.Scope{WorkspaceID: "w"}

// migrated returns a store in a fresh file, and another connection to that file.
func migrated(t *testing.T) (s *Store, other *sql.DB) {
	t.Helper()
	path := t.TempDir() + "/exports.db"
	db := openPath(t, path)
	require.NoError(t, Migrate(t.Context(), db))
	other = openPath(t, path)
	other.SetMaxOpenConns(1)
	return New(db), other
}

func lock(t *testing.T, db *sql.DB, how string) (unlock func()) {
	t.Helper()
	_, err := db.Exec("BEGIN " + how)
	require.NoError(t, err)
	return func() {
		_, err := db.Exec("ROLLBACK")
		require.NoError(t, err)
	}
}

func TestLockedDatabaseIsUnavailable(t *testing.T) {
	s, other := migrated(t)
	s.patience = time.Millisecond
	j, _, err := s.Create(t.Context(), dataexport.NewJob{ID: "first", Scope: scope})
	require.NoError(t, err)

	unlock := lock(t, other, "IMMEDIATE")
	_, _, err = s.Create(t.Context(), dataexport.NewJob{ID: "second", Scope: scope})
	require.ErrorIs(t, err, dataexport.ErrUnavailable)
	_, err = s.Claim(t.Context(), dataexport.ClaimOptions{Lease: time.Hour})
	require.ErrorIs(t, err, dataexport.ErrUnavailable)
	_, err = s.Update(t.Context(), j, time.Hour)
	require.ErrorIs(t, err, dataexport.ErrUnavailable)
	_, err = s.Delete(t.Context(), scope, j.ID)
	require.ErrorIs(t, err, dataexport.ErrUnavailable)
	require.ErrorIs(t, Migrate(cancelledSoon(t), s.db), context.DeadlineExceeded)

	found, err := s.Find(t.Context(), j.ID) // readers do not wait for a writer
	require.NoError(t, err)
	require.Equal(t, j, found)

	unlock()
	_, total, err := s.List(t.Context(), scope, dataexport.ListQuery{Limit: 1})
	require.NoError(t, err)
	require.Equal(t, 1, total)
	_, _, err = s.Create(t.Context(), dataexport.NewJob{ID: "second", Scope: scope})
	require.NoError(t, err)
}

func cancelledSoon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	t.Cleanup(cancel)
	return ctx
}

// The context ends the wait for a lock, long before the store gives up by itself.
func TestContextEndsWaitForLock(t *testing.T) {
	s, other := migrated(t)
	s.patience = 24 * time.Hour
	defer lock(t, other, "IMMEDIATE")()
	_, _, err := s.Create(cancelledSoon(t), dataexport.NewJob{ID: "id", Scope: scope})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NotErrorIs(t, err, dataexport.ErrUnavailable)
}

func TestWaitsForLock(t *testing.T) {
	s, other := migrated(t)
	s.patience = 24 * time.Hour
	unlock := lock(t, other, "IMMEDIATE")
	created := make(chan error)
	go func() {
		_, _, err := s.Create(t.Context(), dataexport.NewJob{ID: "id", Scope: scope})
		created <- err
	}()
	// Longer than one busy timeout, so that more than one attempt is needed.
	select {
	case err := <-created:
		t.Fatalf("Create did not wait for the lock: %v", err)
	case <-time.After(3 * busyTimeout):
	}
	unlock()
	require.NoError(t, <-created)
}

func TestWaitsForConnection(t *testing.T) {
	s, _ := migrated(t)
	s.db.SetMaxOpenConns(1)
	conn, err := s.db.Conn(t.Context())
	require.NoError(t, err)
	_, err = s.Find(cancelledSoon(t), "id")
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NoError(t, conn.Close())
	_, err = s.Find(t.Context(), "id")
	require.ErrorIs(t, err, dataexport.ErrNotFound)
}

// However a transaction ends that is not committed, nothing of it stays, and its one connection can be used again.
func TestNothingStaysOfAFailedTransaction(t *testing.T) {
	failure := errors.New("failure")
	insertOne := func(conn *sql.Conn) {
		_, err := conn.ExecContext(t.Context(), "INSERT INTO dataexport_workspaces VALUES ('w', 1)")
		require.NoError(t, err)
	}
	for name, fail := range map[string]func(s *Store) error{
		"error": func(s *Store) error {
			return s.transact(t.Context(), writing, func(conn *sql.Conn) error {
				insertOne(conn)
				return failure
			})
		},
		"context": func(s *Store) error {
			ctx, cancel := context.WithCancel(t.Context())
			return s.transact(ctx, writing, func(conn *sql.Conn) error {
				insertOne(conn)
				cancel()
				_, err := conn.ExecContext(ctx, "INSERT INTO dataexport_workspaces VALUES ('w2', 1)")
				return err
			})
		},
		"deadline in a statement": func(s *Store) error {
			return s.transact(cancelledSoon(t), writing, func(conn *sql.Conn) error {
				insertOne(conn)
				_, err := conn.ExecContext(cancelledSoon(t), `INSERT INTO dataexport_workspaces
					WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT 'w' || i, i FROM n`)
				return err
			})
		},
		"panic": func(s *Store) (err error) {
			defer func() { err = fmt.Errorf("%v", recover()) }()
			return s.transact(t.Context(), writing, func(conn *sql.Conn) error {
				insertOne(conn)
				panic("in a transaction")
			})
		},
		"deferred constraint at the commit": func(s *Store) error {
			return s.transact(t.Context(), writing, func(conn *sql.Conn) error {
				insertOne(conn)
				_, err := conn.ExecContext(t.Context(), `PRAGMA defer_foreign_keys = ON;
					CREATE TABLE dataexport_child (x REFERENCES dataexport_workspaces (workspace_id));
					INSERT INTO dataexport_child VALUES ('none')`)
				return err
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, other := migrated(t)
			s.db.SetMaxOpenConns(1)
			_, err := s.db.Exec("PRAGMA foreign_keys = ON")
			require.NoError(t, err)
			require.Error(t, fail(s))

			lock(t, other, "IMMEDIATE")() // no lock has stayed
			var rows int
			require.NoError(t, other.QueryRow("SELECT count(*) FROM dataexport_workspaces").Scan(&rows))
			require.Zero(t, rows)
			_, _, err = s.Create(t.Context(), dataexport.NewJob{ID: "id", Scope: scope})
			require.NoError(t, err)
		})
	}
}

// A database in memory is gone with its connection, so that a context that ends must not cost it.
func TestContextDoesNotCostTheConnection(t *testing.T) {
	db := openPath(t, ":memory:")
	db.SetMaxOpenConns(1)
	require.NoError(t, Migrate(t.Context(), db))
	s := New(db)
	ctx, cancel := context.WithCancel(t.Context())
	err := s.transact(ctx, writing, func(conn *sql.Conn) error {
		_, err := conn.ExecContext(ctx, "INSERT INTO dataexport_workspaces VALUES ('w', 1)")
		require.NoError(t, err)
		cancel()
		return ctx.Err()
	})
	require.ErrorIs(t, err, context.Canceled)
	mustCreate(t, s, "id")
	var rows int
	require.NoError(t, db.QueryRow("SELECT count(*) FROM dataexport_workspaces").Scan(&rows))
	require.Zero(t, rows)
}

// A failingDriver is a driver of which one statement fails; it knows the statements that it was given.
type failingDriver struct {
	fails      string
	err        error
	statements []string
	closed     int
}

func (d *failingDriver) Connect(context.Context) (driver.Conn, error) { return failingConn{d}, nil }
func (d *failingDriver) Driver() driver.Driver                        { return nil }

type failingConn struct{ driver *failingDriver }

func (c failingConn) ExecContext(_ context.Context, statement string, _ []driver.NamedValue) (driver.Result, error) {
	if !strings.HasPrefix(statement, "PRAGMA") {
		c.driver.statements = append(c.driver.statements, statement)
	}
	if strings.HasPrefix(statement, c.driver.fails) {
		return nil, c.driver.err
	}
	return driver.RowsAffected(0), nil
}

// QueryContext answers what the busy timeout is.
func (c failingConn) QueryContext(context.Context, string, []driver.NamedValue) (driver.Rows, error) {
	return &oneNumber{}, nil
}

// oneNumber is a result of one row with the number 0.
type oneNumber struct{ read bool }

func (r *oneNumber) Columns() []string { return []string{"timeout"} }
func (r *oneNumber) Close() error      { return nil }
func (r *oneNumber) Next(row []driver.Value) error {
	if r.read {
		return io.EOF
	}
	r.read = true
	row[0] = int64(0)
	return nil
}

func (c failingConn) Prepare(string) (driver.Stmt, error) { return nil, errors.New("not in use") }
func (c failingConn) Begin() (driver.Tx, error)           { return nil, errors.New("not in use") }
func (c failingConn) Close() error                        { c.driver.closed++; return nil }

func TestConnections(t *testing.T) {
	noTransaction := errors.New("SQL logic error: cannot rollback - no transaction is active (1)")
	failure := errors.New("failure")
	for name, test := range map[string]struct {
		driver failingDriver
		result error // of the work
		want   error
		last   string // the last statement
		closed int
	}{
		"committed":           {failingDriver{fails: "nothing"}, nil, nil, "COMMIT", 0},
		"rolled back":         {failingDriver{fails: "nothing"}, failure, failure, "ROLLBACK", 0},
		"rolled back already": {failingDriver{fails: "ROLLBACK", err: noTransaction}, failure, failure, "ROLLBACK", 0},
		"still open, perhaps": {failingDriver{fails: "ROLLBACK", err: errors.New("broken")}, failure, failure, "ROLLBACK", 1},
		"commit uncertain":    {failingDriver{fails: "COMMIT", err: errors.New("broken")}, nil, dataexport.ErrUnavailable, "ROLLBACK", 0},
		"never begun":         {failingDriver{fails: "BEGIN", err: errors.New("broken")}, nil, errors.New("sqlitestore: broken"), "ROLLBACK", 0},
	} {
		t.Run(name, func(t *testing.T) {
			db := sql.OpenDB(&test.driver)
			err := New(db).transact(t.Context(), writing, func(*sql.Conn) error { return test.result })
			if test.want == nil {
				require.NoError(t, err)
			} else if !errors.Is(err, test.want) {
				require.EqualError(t, err, test.want.Error())
			}
			require.Equal(t, test.last, test.driver.statements[len(test.driver.statements)-1])
			require.Equal(t, test.closed, test.driver.closed)
			require.Equal(t, 1-test.closed, db.Stats().OpenConnections)
			require.NoError(t, db.Close())
		})
	}
}

func TestUnreachableDatabaseIsUnavailable(t *testing.T) {
	missing := New(openPath(t, t.TempDir()+"/no/such/folder/exports.db"))
	_, err := missing.Find(t.Context(), "id")
	require.ErrorIs(t, err, dataexport.ErrUnavailable)
	require.ErrorIs(t, Migrate(t.Context(), missing.db), dataexport.ErrUnavailable)

	db, err := sql.Open("sqlite", t.TempDir()+"/exports.db")
	require.NoError(t, err)
	require.NoError(t, Migrate(t.Context(), db))
	require.NoError(t, db.Close())
	_, err = New(db).Find(t.Context(), "id")
	require.ErrorIs(t, err, dataexport.ErrUnavailable)
}

func TestFullDatabaseIsUnavailable(t *testing.T) {
	s, _ := migrated(t)
	s.db.SetMaxOpenConns(1)
	_, err := s.db.Exec("PRAGMA max_page_count = 1") // SQLite sets it to as many as there are
	require.NoError(t, err)
	for i := 0; err == nil; i++ {
		require.Less(t, i, 10_000)
		_, _, err = s.Create(t.Context(), dataexport.NewJob{ID: fmt.Sprint(i), Scope: scope})
	}
	require.ErrorIs(t, err, dataexport.ErrUnavailable)
	_, total, err := s.List(t.Context(), scope, dataexport.ListQuery{Limit: 1})
	require.NoError(t, err)
	_, err = s.Delete(t.Context(), scope, "0")
	require.NoError(t, err)
	_, after, err := s.List(t.Context(), scope, dataexport.ListQuery{Limit: 1})
	require.NoError(t, err)
	require.Equal(t, total-1, after)
}

type codedError int

func (e codedError) Error() string { return fmt.Sprintf("some driver: error %d", int(e)) }
func (e codedError) Code() int     { return int(e) }

func TestErrorsOfDrivers(t *testing.T) {
	for _, test := range []struct {
		err                 error
		locked, unreachable bool
	}{
		{nil, false, false},
		{codedError(5), true, false},
		{codedError(5 | 2<<8), true, false}, // SQLITE_BUSY_SNAPSHOT
		{codedError(6), true, false},
		{codedError(13), false, true},
		{codedError(10 | 3<<8), false, true}, // SQLITE_IOERR_WRITE
		{codedError(14), false, true},
		{codedError(19), false, false}, // SQLITE_CONSTRAINT
		{fmt.Errorf("wrapped: %w", codedError(5)), true, false},
		{errors.New("database is locked"), true, false},
		{errors.New("sqlite3: database table is locked: dataexport_jobs"), true, false},
		{errors.New("database or disk is full"), false, true},
		{errors.New("disk I/O error: no such device"), false, true},
		{errors.New("unable to open database file: out of memory"), false, true},
		{errors.New("UNIQUE constraint failed"), false, false},
	} {
		require.Equal(t, test.locked, matches(test.err, locked), "%v", test.err)
		require.Equal(t, test.unreachable, matches(test.err, unreachable), "%v", test.err)
	}
}

// The pool may be the host's, which has set a busy timeout for its own statements.
func TestTheBusyTimeoutOfTheHostStays(t *testing.T) {
	db := openPath(t, t.TempDir()+"/exports.db")
	db.SetMaxOpenConns(1)
	_, err := db.ExecContext(t.Context(), "PRAGMA busy_timeout = 7000")
	require.NoError(t, err)
	require.NoError(t, Migrate(t.Context(), db))
	store := New(db)
	_, _, err = store.Create(t.Context(), dataexport.NewJob{ID: "first", Scope: scope})
	require.NoError(t, err)
	_, err = store.Claim(t.Context(), dataexport.ClaimOptions{ID: "no such job", Lease: time.Second})
	require.ErrorIs(t, err, dataexport.ErrNoJob)
	var after int
	require.NoError(t, db.QueryRowContext(t.Context(), "PRAGMA busy_timeout").Scan(&after))
	require.Equal(t, 7000, after)
}
