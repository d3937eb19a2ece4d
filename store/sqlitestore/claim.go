package sqlitestore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/dataexport/dataexport"
)

// fairest finds the job that is to be given out, by the time, twice. It steps through the workspaces that have
// active jobs, from each straight to the next, and looks up in the indexes what they are measured by.
const fairest = `
	WITH RECURSIVE workspace (id) AS (
		SELECT min(workspace_id) FROM dataexport_jobs WHERE status IN ('PENDING', 'PROCESSING')
		UNION ALL
		SELECT (SELECT min(workspace_id) FROM dataexport_jobs
			WHERE status IN ('PENDING', 'PROCESSING') AND workspace_id > workspace.id)
		FROM workspace WHERE workspace.id IS NOT NULL
	)
	SELECT job.id FROM workspace JOIN dataexport_jobs AS job ON job.id = (
		SELECT id FROM dataexport_jobs
		WHERE status IN ('PENDING', 'PROCESSING') AND workspace_id = workspace.id AND held_until <= ?
		ORDER BY created_at, id LIMIT 1)
	ORDER BY
		(SELECT count(*) FROM dataexport_jobs
			WHERE status = 'PROCESSING' AND workspace_id = workspace.id AND held_until > ?),
		(SELECT served FROM dataexport_workspaces WHERE workspace_id = workspace.id), -- null, which sorts first, for never
		job.created_at, job.id
	LIMIT 1`

// countServed notes that a workspace has been given a job.
const countServed = `
	INSERT INTO dataexport_workspaces (workspace_id, served)
	VALUES (?, (SELECT coalesce(max(served), 0) + 1 FROM dataexport_workspaces))
	ON CONFLICT (workspace_id) DO UPDATE SET served = excluded.served`

// Claim implements dataexport.Store. A lease that is not more than 0 is an ErrInvalid.
func (s *Store) Claim(ctx context.Context, o dataexport.ClaimOptions) (j dataexport.Job, err error) {
	if o.Lease <= 0 {
		return dataexport.Job{}, fmt.Errorf("%w: a lease must be more than 0, not %s", dataexport.ErrInvalid, o.Lease)
	}
	err = s.transact(ctx, writing, func(conn *sql.Conn) error {
		at := now()
		if j, err = next(ctx, conn, o.ID, at); err != nil {
			return err
		}
		j = j.Claimed(at, o.Lease)
		if err := save(ctx, conn, &j); err != nil {
			return err
		}
		_, err := conn.ExecContext(ctx, countServed, j.Scope.WorkspaceID)
		return err
	})
	if err != nil {
		return dataexport.Job{}, err
	}
	return j, nil
}

// next returns the job that is to be given out, that with the id unless it is empty, or ErrNoJob.
func next(ctx context.Context, conn *sql.Conn, id string, at time.Time) (dataexport.Job, error) {
	if id == "" {
		err := conn.QueryRowContext(ctx, fairest, nanoseconds(at), nanoseconds(at)).Scan(&id)
		if errors.Is(err, sql.ErrNoRows) {
			return dataexport.Job{}, dataexport.ErrNoJob
		}
		if err != nil {
			return dataexport.Job{}, err
		}
	}
	j, err := find(ctx, conn, "id = ?", id)
	if errors.Is(err, dataexport.ErrNotFound) || err == nil && !j.Claimable(at) {
		return dataexport.Job{}, dataexport.ErrNoJob
	}
	return j, err
}
