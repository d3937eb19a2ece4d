package pgstore

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// aheadLimit is how many exports Ahead names at the most.
const aheadLimit = 20

// ahead finds the waiting jobs of the workspace that goes before that of the job $1, if one does.
const ahead = activeWorkspaces + `, own AS MATERIALIZED (
		SELECT workspace_id, ` + heldBy + `asked.workspace_id) AS held FROM dataexport_jobs AS asked WHERE id = $1
	), first AS MATERIALIZED (
		SELECT workspace.id FROM workspace CROSS JOIN own
		CROSS JOIN LATERAL (SELECT created_at, id FROM dataexport_jobs
			WHERE status IN ('PENDING', 'PROCESSING') AND workspace_id = workspace.id AND held_until <= statement_timestamp()
			ORDER BY created_at, id LIMIT 1) AS job
		CROSS JOIN LATERAL (SELECT ` + heldBy + `workspace.id) AS held) AS theirs
		WHERE own.held > 0 AND theirs.held < own.held
		ORDER BY theirs.held, (SELECT served FROM dataexport_workspaces WHERE workspace_id = workspace.id) NULLS FIRST, job.created_at, job.id
		LIMIT 1
	)
	SELECT id::text FROM dataexport_jobs
	WHERE status IN ('PENDING', 'PROCESSING') AND workspace_id = (SELECT id FROM first) AND held_until <= statement_timestamp()
	ORDER BY created_at, id LIMIT $2`

// Ahead returns the ids of the oldest jobs, some twenty at most, that the workspace could be given which goes before that of
// a job: it has fewer jobs held by a lease. There are none if the job is in turn, see dataexport.ClaimOptions.InTurn, or
// is not there. An engine that brings jobs in an order of its own learns from it what to bring instead.
func (s *Store) Ahead(ctx context.Context, id string) (ids []string, err error) {
	if !validID(id) {
		return nil, nil
	}
	return s.ids(ctx, ahead, id, aheadLimit)
}

const waiting = `
	SELECT id::text FROM dataexport_jobs
	WHERE status IN ('PENDING', 'PROCESSING') AND greatest(held_until, created_at) <= statement_timestamp() - $1::interval
		AND held_until <= statement_timestamp() - $1::interval AND id > $2
	ORDER BY id LIMIT $3`

// Waiting returns the ids, in ascending order and above the id after, which may be empty, of jobs that could have been
// claimed for at least the given time. It returns limit of them at the most, and looks at all jobs that wait.
func (s *Store) Waiting(ctx context.Context, atLeast time.Duration, after string, limit int) (ids []string, err error) {
	if after == "" {
		after = "00000000-0000-0000-0000-000000000000"
	}
	return s.ids(ctx, waiting, atLeast, after, limit)
}

func (s *Store) ids(ctx context.Context, statement string, args ...any) ([]string, error) {
	rows, err := s.pool.Query(ctx, statement, args...)
	if err != nil {
		return nil, explain(ctx, err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, explain(ctx, fmt.Errorf("looking for jobs that wait: %w", err))
	}
	return ids, nil
}
