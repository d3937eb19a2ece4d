package sqlitestore

import (
	"context"
	"database/sql"
	"time"
)

// nextHeld finds when the first lease or delay ends, or null if there is no active job.
const nextHeld = `SELECT min(held_until) FROM dataexport_jobs WHERE status IN ('PENDING', 'PROCESSING')`

// WaitForWork implements dataexport.WorkWaiter. It returns when a job can be claimed that was there when it began, that
// this Store has made or handed back since, or that time has made claimable. Of jobs that another process, or another
// Store, makes in the meantime it learns nothing: workers must look for those from time to time, ending the wait by its
// context.
func (s *Store) WaitForWork(ctx context.Context) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		changed := s.watch() // before looking, so that nothing falls in between
		wait, found := s.outlook(ctx)
		if found && wait <= 0 {
			return nil
		}
		if err := sleep(ctx, changed, wait, found); err != nil {
			return err
		}
	}
}

// outlook returns how long it takes until a job is claimable. It has found none also if the database cannot be read: then
// the worker's next look will tell what is wrong.
func (s *Store) outlook(ctx context.Context) (wait time.Duration, found bool) {
	var held sql.NullInt64
	err := s.transact(ctx, reading, func(conn *sql.Conn) error {
		return conn.QueryRowContext(ctx, nextHeld).Scan(&held)
	})
	if err != nil || !held.Valid {
		return 0, false
	}
	return instant(held.Int64).Sub(now()), true
}

// sleep returns when the wait is over, if there is one, when changed is closed, or with the error of ctx.
func sleep(ctx context.Context, changed <-chan struct{}, wait time.Duration, limited bool) error {
	var over <-chan time.Time
	if limited {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		over = timer.C
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-changed:
	case <-over:
	}
	return nil
}

// watch returns a channel that is closed when this Store has changed what can be claimed.
func (s *Store) watch() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

// announce wakes all who wait for work.
func (s *Store) announce() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.changed)
	s.changed = make(chan struct{})
}
