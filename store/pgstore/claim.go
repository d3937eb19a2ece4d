package pgstore

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/jackc/pgx/v5"

	"github.com/dataexport/dataexport"
)

// workspaces steps through the workspaces that have active jobs, from each straight to the next, and finds the oldest
// active job of each. It also counts the jobs that are held by a lease, in one go since there are about as many as workers.
const workspaces = `
	WITH RECURSIVE workspace (id, job, created_at, held_until) AS (
		(SELECT workspace_id, id, created_at, held_until FROM dataexport_jobs
			WHERE status IN ('PENDING', 'PROCESSING') ORDER BY workspace_id, created_at, id LIMIT 1)
		UNION ALL
		SELECT next.* FROM workspace CROSS JOIN LATERAL (
			SELECT workspace_id, id, created_at, held_until FROM dataexport_jobs
			WHERE status IN ('PENDING', 'PROCESSING') AND workspace_id > workspace.id
			ORDER BY workspace_id, created_at, id LIMIT 1) AS next
	), held (workspace_id, jobs) AS MATERIALIZED (
		SELECT workspace_id, count(*) FROM dataexport_jobs
		WHERE status = 'PROCESSING' AND held_until > statement_timestamp() GROUP BY workspace_id
	)`

// waitingOf lists jobs of the workspace of a row of workspaces that can be given out, the oldest in front. A limit follows,
// which is a constant, since PostgreSQL takes one that it does not know for a tenth of all.
const waitingOf = `SELECT id, created_at FROM dataexport_jobs
	WHERE status IN ('PENDING', 'PROCESSING') AND workspace_id = workspace.id AND held_until <= statement_timestamp()`

// fairest lists the jobs that can be given out, the one whose turn it is in front, and chooses the first that no other claim
// has locked. Several who claim at the same time must get different jobs, so where there are few workspaces, no more than
// $2, it takes several jobs of each: the second of a workspace stands where it would if the first were held already.
//
// The last join goes through the candidates in their order, and stops at the first: a sort after it would lock all.
const fairest = workspaces + `, candidate AS MATERIALIZED (
		SELECT job.id
		FROM workspace
		CROSS JOIN LATERAL (
			SELECT workspace.job AS id, workspace.created_at, 1 AS place
			WHERE workspace.held_until <= statement_timestamp() AND (SELECT count(*) FROM workspace) > $2
			UNION ALL
			(SELECT id, created_at, 1 FROM (` + waitingOf + `
				AND (SELECT count(*) FROM workspace) > $2 AND workspace.held_until > statement_timestamp()
				ORDER BY created_at, id LIMIT 1) AS first)
			UNION ALL
			SELECT id, created_at, row_number() OVER (ORDER BY created_at, id) FROM (` + waitingOf + `
				AND (SELECT count(*) FROM workspace) <= $2
				ORDER BY created_at, id LIMIT 64) AS several
		) AS job
		LEFT JOIN held ON held.workspace_id = workspace.id
		LEFT JOIN dataexport_workspaces AS known ON known.workspace_id = workspace.id
		ORDER BY coalesce(held.jobs, 0) + job.place, known.served NULLS FIRST, job.created_at, job.id
	), chosen AS MATERIALIZED (
		SELECT job.id, job.workspace_id FROM candidate CROSS JOIN LATERAL (
			SELECT id, workspace_id FROM dataexport_jobs
			WHERE id = candidate.id AND status IN ('PENDING', 'PROCESSING') AND held_until <= statement_timestamp()
			FOR UPDATE SKIP LOCKED) AS job
		LIMIT 1
	)`

// asked chooses the job with the id $2.
const asked = `
	WITH chosen AS MATERIALIZED (
		SELECT id, workspace_id FROM dataexport_jobs
		WHERE id = $2 AND status IN ('PENDING', 'PROCESSING') AND held_until <= statement_timestamp()
		FOR UPDATE SKIP LOCKED
	)`

// ownHeld counts the jobs held by a lease of the workspace that has the job with the id $2.
const ownHeld = `SELECT count(*) FROM dataexport_jobs
	WHERE status = 'PROCESSING' AND held_until > statement_timestamp()
		AND workspace_id = (SELECT workspace_id FROM dataexport_jobs WHERE id = $2)`

// askedInTurn chooses the job with the id $2 if no workspace that has a job to give out has fewer jobs held than its own.
const askedInTurn = workspaces + `, own (held) AS MATERIALIZED (` + ownHeld + `
	), chosen AS MATERIALIZED (
		SELECT id, workspace_id FROM dataexport_jobs
		WHERE id = $2 AND status IN ('PENDING', 'PROCESSING') AND held_until <= statement_timestamp()
			AND ((SELECT held FROM own) = 0 OR NOT EXISTS (
				SELECT FROM workspace LEFT JOIN held ON held.workspace_id = workspace.id
				WHERE coalesce(held.jobs, 0) < (SELECT held FROM own)
					AND (workspace.held_until <= statement_timestamp() OR EXISTS (` + waitingOf + `))))
		FOR UPDATE SKIP LOCKED
	)`

// claimChosen holds the chosen job for the time $1, as dataexport.Job.Claimed says. That its workspace was served is not
// written down while another claim does the same: it would only wait to write a later number.
const claimChosen = `, served AS (
		UPDATE dataexport_workspaces SET served = nextval('dataexport_served')
		WHERE workspace_id = (SELECT workspace_id FROM dataexport_workspaces
			WHERE workspace_id = (SELECT workspace_id FROM chosen) FOR UPDATE SKIP LOCKED)
	)
	UPDATE dataexport_jobs SET
		version = version + 1, status = 'PROCESSING', attempts = attempts + 1, progress_records = 0, progress_total = NULL,
		started_at = statement_timestamp(), updated_at = statement_timestamp(), held_until = statement_timestamp() + $1
	WHERE id = (SELECT id FROM chosen)
	RETURNING ` + columns

// claimable asks whether there is any job to give out, and has no row if there is no active job. In the order of an index,
// it cannot be answered by reading the whole table.
const claimable = `
	SELECT held_until <= statement_timestamp() FROM dataexport_jobs
	WHERE status IN ('PENDING', 'PROCESSING') ORDER BY held_until LIMIT 1`

// Of how many workspaces at the most a claim looks at several jobs, first and when other claims have been faster.
const (
	fewWorkspaces = 16
	anyWorkspaces = math.MaxInt32
	claimRounds   = 10
)

// Claim implements dataexport.Store. A lease that is not more than 0 is an ErrInvalid. Claims do not wait for each other:
// of several at the same time, each gives out what would be next after the others. A claim takes time in proportion to the
// workspaces that have active jobs, however many these are.
func (s *Store) Claim(ctx context.Context, o dataexport.ClaimOptions) (dataexport.Job, error) {
	if o.Lease <= 0 {
		return dataexport.Job{}, fmt.Errorf("%w: a lease must be more than 0, not %s", dataexport.ErrInvalid, o.Lease)
	}
	statement := asked
	switch {
	case o.ID == "":
		return s.claimFairest(ctx, o)
	case !validID(o.ID):
		return dataexport.Job{}, dataexport.ErrNoJob
	case o.InTurn:
		statement = askedInTurn
	}
	return s.claim(ctx, statement+claimChosen, o, o.ID)
}

// claimFairest claims the next job. It has found none only when there is none, not when all that it looked at were locked by
// other claims.
func (s *Store) claimFairest(ctx context.Context, o dataexport.ClaimOptions) (j dataexport.Job, err error) {
	few := fewWorkspaces
	for range claimRounds {
		j, err = s.claim(ctx, fairest+claimChosen, o, few)
		if !errors.Is(err, dataexport.ErrNoJob) {
			return j, err
		}
		var more bool
		if err := s.pool.QueryRow(ctx, claimable).Scan(&more); err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return dataexport.Job{}, explain(ctx, err)
		}
		if !more {
			break
		}
		few = anyWorkspaces
	}
	return dataexport.Job{}, dataexport.ErrNoJob
}

func (s *Store) claim(ctx context.Context, statement string, o dataexport.ClaimOptions, argument any) (j dataexport.Job, err error) {
	err = retry(ctx, func() error {
		j, _, err = scan(s.pool.QueryRow(ctx, statement, o.Lease, argument))
		return err
	})
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return dataexport.Job{}, dataexport.ErrNoJob
	case err != nil:
		return dataexport.Job{}, explain(ctx, err)
	}
	return j, nil
}
