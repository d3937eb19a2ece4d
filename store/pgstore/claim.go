package pgstore

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/dataexport/dataexport"
)

// activeWorkspaces steps through the workspaces that have active jobs, from each straight to the next.
const activeWorkspaces = `
	WITH RECURSIVE stepped (id) AS (
		(SELECT workspace_id FROM dataexport_jobs WHERE status IN ('PENDING', 'PROCESSING') ORDER BY workspace_id LIMIT 1)
		UNION ALL
		SELECT (SELECT workspace_id FROM dataexport_jobs
			WHERE status IN ('PENDING', 'PROCESSING') AND workspace_id > stepped.id ORDER BY workspace_id LIMIT 1)
		FROM stepped WHERE stepped.id IS NOT NULL
	), workspace (id) AS (SELECT id FROM stepped WHERE id IS NOT NULL)`

// heldBy counts the jobs that are held by a lease, of the workspace that follows.
const heldBy = `(SELECT count(*) FROM dataexport_jobs
	WHERE status = 'PROCESSING' AND held_until > statement_timestamp() AND workspace_id = `

// fairest lists the jobs that can be given out, the one whose turn it is in front. Of each workspace it takes as many as $2
// says, so that several who claim at the same time, each of whom passes over what another has locked, get different ones:
// the second job of a workspace stands where it would if the first were held already.
const fairest = activeWorkspaces + `, candidate AS (
		SELECT job.id, workspace.id AS workspace_id, job.created_at,
			` + heldBy + `workspace.id) + job.place AS held,
			(SELECT served FROM dataexport_workspaces WHERE workspace_id = workspace.id) AS served
		FROM workspace CROSS JOIN LATERAL (
			SELECT id, created_at, row_number() OVER (ORDER BY created_at, id) AS place FROM (
				SELECT id, created_at FROM dataexport_jobs
				WHERE status IN ('PENDING', 'PROCESSING') AND workspace_id = workspace.id AND held_until <= statement_timestamp()
				ORDER BY created_at, id LIMIT $2) AS waiting) AS job
	), chosen AS MATERIALIZED (
		SELECT job.id, job.workspace_id FROM candidate JOIN dataexport_jobs AS job USING (id)
		WHERE job.status IN ('PENDING', 'PROCESSING') AND job.held_until <= statement_timestamp()
		ORDER BY candidate.held, candidate.served NULLS FIRST, candidate.created_at, candidate.id
		LIMIT 1 FOR UPDATE OF job SKIP LOCKED
	)`

// asked chooses the job with the id $2.
const asked = `
	WITH chosen AS MATERIALIZED (
		SELECT id, workspace_id FROM dataexport_jobs
		WHERE id = $2 AND status IN ('PENDING', 'PROCESSING') AND held_until <= statement_timestamp()
		FOR UPDATE SKIP LOCKED
	)`

// askedInTurn chooses the job with the id $2 if no workspace that has a job to give out has fewer jobs held than its own.
const askedInTurn = activeWorkspaces + `, own AS MATERIALIZED (
		SELECT workspace_id, ` + heldBy + `asked.workspace_id) AS held FROM dataexport_jobs AS asked WHERE id = $2
	), chosen AS MATERIALIZED (
		SELECT job.id, job.workspace_id FROM dataexport_jobs AS job
		WHERE id = $2 AND status IN ('PENDING', 'PROCESSING') AND held_until <= statement_timestamp()
			AND ((SELECT held FROM own) = 0 OR NOT EXISTS (
				SELECT FROM workspace
				WHERE EXISTS (SELECT FROM dataexport_jobs
						WHERE status IN ('PENDING', 'PROCESSING') AND workspace_id = workspace.id AND held_until <= statement_timestamp())
					AND ` + heldBy + `workspace.id) < (SELECT held FROM own)))
		FOR UPDATE OF job SKIP LOCKED
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

// claimable asks whether there is any job to give out.
const claimable = `SELECT EXISTS (
	SELECT FROM dataexport_jobs WHERE status IN ('PENDING', 'PROCESSING') AND held_until <= statement_timestamp())`

// How many jobs of each workspace a claim looks at first, and how many when others have been faster.
const (
	candidatesFirst = 2
	candidatesThen  = 50
	candidateRounds = 10
)

// Claim implements dataexport.Store. A lease that is not more than 0 is an ErrInvalid. Claims do not wait for each other:
// of several at the same time, each gives out what would be next after the others.
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
	candidates := candidatesFirst
	for range candidateRounds {
		j, err = s.claim(ctx, fairest+claimChosen, o, candidates)
		if !errors.Is(err, dataexport.ErrNoJob) {
			return j, err
		}
		var more bool
		if err := s.pool.QueryRow(ctx, claimable).Scan(&more); err != nil {
			return dataexport.Job{}, explain(ctx, err)
		}
		if !more {
			break
		}
		candidates = candidatesThen
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
