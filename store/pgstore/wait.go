package pgstore

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// channel is the one that LISTEN and NOTIFY use.
const channel = "dataexport_jobs"

// nextHeld finds how long it takes until a job can be claimed, negative or 0 if one can be now, or null.
const nextHeld = `
	SELECT least(greatest(held_until, now() - interval '1 hour') - now(), interval '100 years') FROM dataexport_jobs
	WHERE status IN ('PENDING', 'PROCESSING') ORDER BY held_until LIMIT 1`

// troublePause is after how long a call returns that could not listen: its caller then looks for itself.
const troublePause = time.Second

// WaitForWork implements dataexport.WorkWaiter. It returns when a job can be claimed that was there when it began, that
// any process has made or handed back since (LISTEN and NOTIFY), or that time has made claimable. One of the calls that
// wait at the same time listens for all, on a connection of the pool; when it ends they all return, too early maybe, and
// one of them is the next to listen. While the server cannot be reached it returns every second. Behind a pooler that
// gives out connections for single transactions, and with a pool of one connection, which must stay free, it learns of
// what other Stores do only when it is called again: workers must look from time to time, ending the wait by its context.
func (s *Store) WaitForWork(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	changed, listener := s.join()
	if !listener {
		return await(ctx, changed, forever)
	}
	defer s.leave()
	wait := s.outlook
	if s.listens {
		wait = s.listen
	}
	if err := wait(ctx, changed); err != nil && ctx.Err() == nil {
		return await(ctx, changed, troublePause)
	}
	return ctx.Err()
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

// forever is the wait for what has no time.
const forever = time.Duration(math.MaxInt64)

// await returns when changed is closed, after some time, or with the error of ctx.
func await(ctx context.Context, changed <-chan struct{}, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-changed:
	case <-timer.C:
	}
	return nil
}

// outlook waits until a job may be claimable, without listening.
func (s *Store) outlook(ctx context.Context, changed <-chan struct{}) error {
	wait, err := untilClaimable(ctx, s.pool)
	if err != nil {
		return err
	}
	return await(ctx, changed, wait)
}

// untilClaimable returns how long it takes until a job can be claimed as things are.
func untilClaimable(ctx context.Context, q querier) (time.Duration, error) {
	var wait time.Duration
	err := q.QueryRow(ctx, nextHeld).Scan(&wait)
	if errors.Is(err, pgx.ErrNoRows) {
		return forever, nil
	}
	return wait, err
}

// listen waits until a job may be claimable, on a connection of its own. A statement that is cancelled costs the
// connection, so that the end of changed ends only the wait for a notification, which does not.
func (s *Store) listen(ctx context.Context, changed <-chan struct{}) error {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer release(conn)
	if _, err := conn.Exec(ctx, "LISTEN "+channel); err != nil {
		return err
	}
	wait, err := untilClaimable(ctx, conn) // after LISTEN, so that nothing falls in between
	if err != nil || wait <= 0 {
		return err
	}
	waiting, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		select {
		case <-changed:
			cancel()
		case <-waiting.Done():
		}
	}()
	_, err = conn.Conn().WaitForNotification(waiting)
	if waiting.Err() != nil {
		err = nil
	}
	cancel()
	<-stopped
	return err
}

// unlistenTimeout bounds the last word with a connection that may be broken.
const unlistenTimeout = time.Second

// release gives a connection back that must not listen any more, or closes it.
func release(conn *pgxpool.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), unlistenTimeout)
	defer cancel()
	if _, err := conn.Exec(ctx, "UNLISTEN "+channel); err != nil {
		_ = conn.Conn().Close(ctx) // Release sees it and drops it
	}
	conn.Release()
}
