package pgstore

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// aheadLimit is how many exports Ahead names at the most.
const aheadLimit = 20

// servedLook is how many earlier jobs of a workspace are looked at to see when it was last given one.
const servedLook = "20"

// ahead finds the waiting jobs of the workspace that goes before that of the job $2, if one does. Who has as many jobs held
// goes first if it waits since before the other was last given a job, and was itself given one longer ago.
const ahead = workspaces + `, own AS MATERIALIZED (
		SELECT (` + ownHeld + `) AS held,
			(SELECT served FROM dataexport_workspaces WHERE workspace_id = asked.workspace_id) AS served,
			(SELECT max(started_at) FROM (
				SELECT started_at FROM dataexport_jobs AS earlier
				WHERE earlier.workspace_id = asked.workspace_id AND (earlier.created_at, earlier.id) < (asked.created_at, asked.id)
				ORDER BY earlier.created_at DESC, earlier.id DESC LIMIT ` + servedLook + `) AS looked_at) AS served_at
		FROM dataexport_jobs AS asked WHERE id = $2
	), first AS MATERIALIZED (
		SELECT workspace.id FROM own CROSS JOIN workspace
		LEFT JOIN held ON held.workspace_id = workspace.id
		LEFT JOIN dataexport_workspaces AS known ON known.workspace_id = workspace.id
		CROSS JOIN LATERAL (` + waitingOf + ` ORDER BY created_at, id LIMIT 1) AS job
		WHERE (own.held > 0 OR own.served_at IS NOT NULL) AND (coalesce(held.jobs, 0) < own.held
			OR coalesce(held.jobs, 0) = own.held AND known.served < own.served AND job.created_at < own.served_at)
		ORDER BY coalesce(held.jobs, 0), known.served, job.created_at, job.id
		LIMIT 1
	)
	SELECT id::text FROM dataexport_jobs
	WHERE status IN ('PENDING', 'PROCESSING') AND workspace_id = (SELECT id FROM first) AND held_until <= statement_timestamp()
	ORDER BY created_at, id LIMIT $1`

// Ahead returns the ids of the oldest jobs, some twenty at most, that the workspace could be given which goes before that of
// a job: it has fewer jobs held by a lease; or it has as many, was given a job longer ago, and has waited since before the
// other was last given one. So workspaces take turns even where one job is worked on at a time, which
// dataexport.ClaimOptions.InTurn alone does not bring about; and jobs of workspaces that have one each go in the order in which they
// came. There are none if the job goes first or is not there. An engine that brings jobs in an order of its own learns
// from it what to bring instead.
func (s *Store) Ahead(ctx context.Context, id string) (ids []string, err error) {
	if !validID(id) {
		return nil, nil
	}
	return s.ids(ctx, ahead, aheadLimit, id)
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
