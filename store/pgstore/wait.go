package pgstore

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// channel is the one that LISTEN and NOTIFY use.
const channel = "dataexport_jobs"

// nextHeld finds how long it takes until a job can be claimed, negative or 0 if one can be now, or null.
const nextHeld = `
	SELECT greatest(held_until, now() - interval '1 hour') - now() FROM dataexport_jobs
	WHERE status IN ('PENDING', 'PROCESSING') ORDER BY held_until LIMIT 1`

// WaitForWork implements dataexport.WorkWaiter. It returns when a job can be claimed that was there when it began, that
// any process has made or handed back since (LISTEN and NOTIFY), or that time has made claimable. One of the calls that
// wait at the same time listens for all; when it ends they all return, too early maybe, and one of them is the next to
// listen. Where the server cannot be reached, or cannot LISTEN, as behind a pooler that gives out connections for single
// transactions, it learns only of what this Store does: workers must look from time to time, ending the wait by its
// context.
func (s *Store) WaitForWork(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	changed, listener := s.join()
	if !listener {
		return await(ctx, changed)
	}
	defer s.leave()
	listening, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := make(chan struct{})
	stopped := make(chan struct{})
	go func() { // what this Store does itself ends the wait on the connection
		defer close(stopped)
		select {
		case <-changed:
			cancel()
		case <-stop:
		}
	}()
	err := s.listen(listening)
	close(stop)
	<-stopped
	if err == nil || ctx.Err() != nil || listening.Err() != nil {
		return ctx.Err()
	}
	return await(ctx, changed) // without the server
}

// join returns what is closed when a job may have become claimable, and whether the caller is the one to listen.
func (s *Store) join() (changed <-chan struct{}, listener bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	listener = !s.listening
	s.listening = true
	return s.changed, listener
}

// leave ends listening and wakes the others, so that one of them takes it over.
func (s *Store) leave() {
	s.mu.Lock()
	s.listening = false
	s.mu.Unlock()
	s.announce()
}

// announce wakes all calls of WaitForWork.
func (s *Store) announce() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.changed)
	s.changed = make(chan struct{})
}

func await(ctx context.Context, changed <-chan struct{}) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-changed:
		return nil
	}
}

// listen returns nil when a job may be claimable.
func (s *Store) listen(ctx context.Context) error {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer s.release(conn)
	if _, err := conn.Exec(ctx, "LISTEN "+channel); err != nil {
		return err
	}
	var wait *time.Duration
	err = conn.QueryRow(ctx, nextHeld).Scan(&wait) // after LISTEN, so that nothing falls in between
	switch {
	case err != nil && !errors.Is(err, pgx.ErrNoRows):
		return err
	case err == nil && wait != nil && *wait <= 0:
		return nil
	case err == nil && wait != nil:
		limited, cancel := context.WithTimeout(ctx, *wait)
		defer cancel()
		_, err = conn.Conn().WaitForNotification(limited)
		if errors.Is(limited.Err(), context.DeadlineExceeded) && ctx.Err() == nil {
			return nil
		}
		return err
	}
	_, err = conn.Conn().WaitForNotification(ctx)
	return err
}

// unlistenTimeout bounds the last word with a connection that may be broken.
const unlistenTimeout = time.Second

// release gives a connection back that must not listen any more, or closes it.
func (s *Store) release(conn *pgxpool.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), unlistenTimeout)
	defer cancel()
	if _, err := conn.Exec(ctx, "UNLISTEN *"); err != nil {
		_ = conn.Conn().Close(ctx) // Release sees it and drops it
	}
	conn.Release()
}
