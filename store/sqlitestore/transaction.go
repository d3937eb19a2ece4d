package sqlitestore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"strings"
	"time"
)

// How a transaction begins. A writer takes its lock at once: a transaction that first reads and then wants to write can
// fail for good when another has written in between.
const (
	reading = "BEGIN DEFERRED"
	writing = "BEGIN IMMEDIATE"
)

// One statement waits for a lock for this long. It is short, since no context can end that wait; the operation is tried
// again until the patience of the Store is at its end.
const busyTimeout = 100 * time.Millisecond

// pause is how long to wait before trying again, since SQLite does not wait for every kind of lock.
const pause = 5 * time.Millisecond

// transact runs work in a transaction and commits it if work returns nil. It may run work more than once, each time on the
// state as it is then.
func (s *Store) transact(ctx context.Context, begin string, work func(*sql.Conn) error) error {
	return s.retry(ctx, func() error {
		return s.onConnection(ctx, func(conn *sql.Conn) error { return transactOn(ctx, conn, begin, work) })
	})
}

// retry tries again as long as the database is locked.
func (s *Store) retry(ctx context.Context, try func() error) error {
	for deadline := time.Now().Add(s.patience); ; {
		err := try()
		if !matches(err, locked) || !time.Now().Before(deadline) {
			return explain(ctx, err)
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return explain(ctx, err)
		case <-timer.C:
		}
	}
}

// onConnection runs work on a connection that waits for locks. The busy timeout that the connection had is given back with
// it, since the pool may be the host's own.
func (s *Store) onConnection(ctx context.Context, work func(*sql.Conn) error) error {
	conn, err := s.db.Conn(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return unavailable(err)
	}
	defer conn.Close() // it only gives the connection back
	var before int64
	if err := conn.QueryRowContext(ctx, "PRAGMA busy_timeout").Scan(&before); err != nil {
		return err
	}
	if err := setBusyTimeout(ctx, conn, busyTimeout.Milliseconds()); err != nil {
		return err
	}
	defer func() { _ = setBusyTimeout(context.WithoutCancel(ctx), conn, before) }() // a connection that fails is not used again
	return work(conn)
}

func setBusyTimeout(ctx context.Context, conn *sql.Conn, milliseconds int64) error {
	_, err := conn.ExecContext(ctx, fmt.Sprintf("PRAGMA busy_timeout = %d", milliseconds))
	return err
}

func transactOn(ctx context.Context, conn *sql.Conn, begin string, work func(*sql.Conn) error) error {
	committed := false
	defer func() { // also when work panics
		if !committed {
			rollBack(ctx, conn)
		}
	}()
	if _, err := conn.ExecContext(ctx, begin); err != nil {
		return err
	}
	if err := work(conn); err != nil {
		return err
	}
	// A commit that has begun is not interrupted: nobody could tell whether it was made.
	_, err := conn.ExecContext(context.WithoutCancel(ctx), "COMMIT")
	if err != nil && !matches(err, locked) {
		return unavailable(err)
	}
	committed = err == nil
	return err
}

// rollBack ends a transaction, if there is one, whatever has become of ctx. A connection of which it is not certain that
// none is left open is closed.
func rollBack(ctx context.Context, conn *sql.Conn) {
	_, err := conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
	if err == nil || strings.Contains(err.Error(), "no transaction is active") {
		return
	}
	_ = conn.Raw(func(any) error { return driver.ErrBadConn }) // returns the same error
}
