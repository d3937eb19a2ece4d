package pgstore

import (
	"context"
	"errors"
	"math"
	"slices"
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
// wait at the same time listens for all, on a connection of the pool; when it ends, another takes
// over, which returns in its turn if there is more to do. So one job wakes one worker, which wakes the next if need be. While the server cannot be
// reached it returns every second. Behind a pooler that
// gives out connections for single transactions, and with a pool of one connection, which must stay free, it learns of
// what other Stores do only when it is called again: workers must look from time to time, ending the wait by its context.
func (s *Store) WaitForWork(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	woken, listener := s.join()
	for !listener {
		if err := await(ctx, woken, forever); err != nil {
			s.forget(woken)
			return err
		}
		if s.isListening() {
			return nil
		}
		woken, listener = s.join() // to take over listening, and see whether there is more to do
	}
	defer s.leave(woken)
	wait := s.outlook
	if s.listens {
		wait = s.listen
	}
	if err := wait(ctx, woken); err != nil && ctx.Err() == nil {
		return await(ctx, woken, troublePause)
	}
	return ctx.Err()
}

// join returns what is closed when the caller is to look for a job, and whether it is the one to listen.
func (s *Store) join() (woken chan struct{}, listener bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	woken = make(chan struct{})
	s.waiting = append(s.waiting, woken)
	listener = !s.listening
	s.listening = true
	return woken, listener
}

// isListening reports whether one of the calls listens.
func (s *Store) isListening() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.listening
}

// forget takes a call off the list of those that wait. If it was woken already, it wakes another in its place.
func (s *Store) forget(woken chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.Index(s.waiting, woken); i >= 0 {
		s.waiting = slices.Delete(s.waiting, i, i+1)
		return
	}
	s.wakeOne()
}

// leave ends listening and wakes another, so that somebody takes it over.
func (s *Store) leave(woken chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listening = false
	if i := slices.Index(s.waiting, woken); i >= 0 {
		s.waiting = slices.Delete(s.waiting, i, i+1)
	}
	s.wakeOne()
}

// announce wakes a call of WaitForWork.
func (s *Store) announce() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wakeOne()
}

// wakeOne wakes the call that has waited the longest. The caller holds the lock.
func (s *Store) wakeOne() {
	if len(s.waiting) > 0 {
		close(s.waiting[0])
		s.waiting = slices.Delete(s.waiting, 0, 1)
	}
}

// forever is the wait for what has no time.
const forever = time.Duration(math.MaxInt64)

// await returns when woken is closed, after some time, or with the error of ctx.
func await(ctx context.Context, woken <-chan struct{}, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-woken:
	case <-timer.C:
	}
	return nil
}

// outlook waits until a job may be claimable, without listening.
func (s *Store) outlook(ctx context.Context, woken <-chan struct{}) error {
	wait, err := untilClaimable(ctx, s.pool)
	if err != nil {
		return err
	}
	return await(ctx, woken, wait)
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
// connection, so that woken ends only the wait for a notification, which does not.
func (s *Store) listen(ctx context.Context, woken <-chan struct{}) error {
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
		case <-woken:
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
