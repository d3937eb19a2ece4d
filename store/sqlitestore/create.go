package sqlitestore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/dataexport/dataexport"
)

// The quotas, by workspace; of the second also the time.
const (
	countActive = `SELECT count(*) FROM dataexport_jobs WHERE workspace_id = ? AND status IN ('PENDING', 'PROCESSING')`
	countReady  = `SELECT count(*) FROM dataexport_jobs WHERE workspace_id = ? AND status = 'READY' AND expires_at > ?`
)

// Where a job with an idempotency key is that a scope sees: by workspace, key and subject. There can be two, of which one
// is personal; the one with the given fingerprint goes first.
const whereKey = `workspace_id = ? AND idempotency_key = ? AND idempotency_key <> '' AND (personal = 0 OR subject = ?)
	ORDER BY fingerprint = ? DESC LIMIT 1`

// Create implements dataexport.Store. A job without an id or a workspace, or with an id that is taken, is an ErrInvalid.
func (s *Store) Create(ctx context.Context, n dataexport.NewJob) (job dataexport.Job, replayed bool, err error) {
	if n.ID == "" || n.Scope.WorkspaceID == "" {
		return dataexport.Job{}, false, fmt.Errorf("%w: a new job needs an id and a workspace", dataexport.ErrInvalid)
	}
	err = s.transact(ctx, writing, func(conn *sql.Conn) error {
		at := now() // once the lock is ours, so that times are in the order of transactions
		job, replayed, err = create(ctx, conn, n, at)
		job = job.At(at)
		return err
	})
	if err != nil {
		return dataexport.Job{}, false, err
	}
	if !replayed {
		s.announce()
	}
	return job, replayed, nil
}

func create(ctx context.Context, conn *sql.Conn, n dataexport.NewJob, at time.Time) (dataexport.Job, bool, error) {
	if n.IdempotencyKey != "" {
		earlier, err := find(ctx, conn, whereKey, n.Scope.WorkspaceID, n.IdempotencyKey, n.Scope.Subject, n.Fingerprint)
		switch {
		case err == nil && earlier.Fingerprint == n.Fingerprint:
			return earlier, true, nil
		case err == nil:
			return dataexport.Job{}, false, dataexport.ErrIdempotencyKeyReused
		case !errors.Is(err, dataexport.ErrNotFound):
			return dataexport.Job{}, false, err
		}
	}
	if err := checkQuota(ctx, conn, n, at); err != nil {
		return dataexport.Job{}, false, err
	}
	switch _, err := find(ctx, conn, "id = ?", n.ID); {
	case err == nil:
		return dataexport.Job{}, false, fmt.Errorf("%w: there is a job with the id %s already", dataexport.ErrInvalid, n.ID)
	case !errors.Is(err, dataexport.ErrNotFound):
		return dataexport.Job{}, false, err
	}
	j := n.Job(at)
	if err := insert(ctx, conn, &j); err != nil {
		return dataexport.Job{}, false, err
	}
	// Read back, it shares nothing with n and says what is stored.
	j, err := find(ctx, conn, "id = ?", n.ID)
	return j, false, err
}

func checkQuota(ctx context.Context, conn *sql.Conn, n dataexport.NewJob, at time.Time) error {
	for _, quota := range []struct {
		bound int
		query string
		args  []any
	}{
		{n.MaxActive, countActive, []any{n.Scope.WorkspaceID}},
		{n.MaxReady, countReady, []any{n.Scope.WorkspaceID, nanoseconds(at)}},
	} {
		if quota.bound <= 0 {
			continue
		}
		var count int
		if err := conn.QueryRowContext(ctx, quota.query, quota.args...).Scan(&count); err != nil {
			return err
		}
		if count >= quota.bound {
			return dataexport.ErrTooManyExports
		}
	}
	return nil
}
