package pgstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

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

// locked finds the job with the id that follows and locks it, and claimableJob is whether it can be given out then. The limit in between
// keeps PostgreSQL from looking for the id among all jobs that can be, which it takes for few while the tables are small.
const (
	locked       = `SELECT id, workspace_id, created_at, status, held_until FROM dataexport_jobs WHERE id = `
	claimableJob = `job.status IN ('PENDING', 'PROCESSING') AND job.held_until <= statement_timestamp()`
)

// fairest lists the jobs that can be given out, the one whose turn it is in front, and chooses the first that no other claim
// has locked, as many as there are leases in $1. Several who claim at the same time must get different jobs, so where there are few workspaces, no more than
// $2, it takes several jobs of each: the second of a workspace stands where it would if the first were held already.
//
// The last join goes through the candidates in their order, and stops when it has enough: a sort after it would lock all.
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
	), free AS MATERIALIZED (
		SELECT job.id, job.workspace_id, job.created_at FROM candidate CROSS JOIN LATERAL (` + locked + `candidate.id LIMIT 1 FOR UPDATE SKIP LOCKED) AS job
		WHERE ` + claimableJob + `
		LIMIT cardinality($1::interval[])
	), chosen AS MATERIALIZED (
		SELECT id AS job, workspace_id AS workspace, created_at AS since, row_number() OVER () AS place FROM free
	)`

// asked chooses the jobs with the ids $2 that can be given out.
const asked = `
	WITH chosen AS MATERIALIZED (
		SELECT job.id AS job, job.workspace_id AS workspace, job.created_at AS since, asked.place
		FROM unnest($2::uuid[]) WITH ORDINALITY AS asked (id, place)
		CROSS JOIN LATERAL (` + locked + `asked.id LIMIT 1 FOR UPDATE SKIP LOCKED) AS job
		WHERE ` + claimableJob + `
	)`

// claimChosen holds the chosen jobs, each for the time in its place of $1, as dataexport.Job.Claimed says. That a workspace
// was served is not written down while another claim does the same: it would only wait to write a later number. Those that
// are served together are so in the order in which their jobs have come.
const claimChosen = `, served AS MATERIALIZED (
		SELECT workspace, nextval('dataexport_served') AS number
		FROM (SELECT workspace, max(since) AS latest FROM chosen GROUP BY workspace ORDER BY latest) AS ordered
	), served_again AS (
		UPDATE dataexport_workspaces SET served = served.number, served_at = statement_timestamp()
		FROM served WHERE workspace_id = served.workspace AND workspace_id IN (
			SELECT workspace_id FROM dataexport_workspaces WHERE workspace_id IN (SELECT workspace FROM served) FOR UPDATE SKIP LOCKED)
	), served_first AS (
		INSERT INTO dataexport_workspaces (workspace_id, served, served_at)
		SELECT workspace, number, statement_timestamp()
		FROM (SELECT * FROM served ORDER BY workspace) AS ordered -- as all others do, who would wait for each other
		WHERE NOT EXISTS (SELECT FROM dataexport_workspaces WHERE workspace_id = workspace)
		ON CONFLICT DO NOTHING
	)
	UPDATE dataexport_jobs SET
		version = version + 1, status = 'PROCESSING', attempts = attempts + 1, progress_records = 0, progress_total = NULL,
		started_at = statement_timestamp(), updated_at = statement_timestamp(),
		held_until = statement_timestamp() + ($1::interval[])[chosen.place]
	FROM chosen WHERE id = chosen.job
	RETURNING place, ` + columns

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

// claimsTogether is how many jobs a statement gives out at the most: no more than fairest looks at where all are of one
// workspace.
const claimsTogether = 64

// Claim implements dataexport.Store. A lease that is not more than 0 is an ErrInvalid. Claims of this Store at the same time
// are made together, and those of different Stores do not wait for each other:
// of several at the same time, each gives out what would be next after the others. A claim takes time in proportion to the
// workspaces that have active jobs, however many these are.
func (s *Store) Claim(ctx context.Context, o dataexport.ClaimOptions) (dataexport.Job, error) {
	if o.Lease <= 0 {
		return dataexport.Job{}, fmt.Errorf("%w: a lease must be more than 0, not %s", dataexport.ErrInvalid, o.Lease)
	}
	if o.ID != "" && !validID(o.ID) {
		return dataexport.Job{}, dataexport.ErrNoJob
	}
	claims := s.claimsOfAny
	if o.ID != "" {
		claims = s.claimsOfOne
	}
	given, err := claims.do(ctx, o)
	if err = cmp.Or(err, given.err); err != nil {
		return dataexport.Job{}, explain(ctx, err)
	}
	return given.job, nil
}

// A claimed is what has come of a call of Claim.
type claimed struct {
	job dataexport.Job
	err error // ErrNoJob, or why it is not known
}

// claimAny gives out the next jobs. It has found too few only when there are not more, not when all that it looked at were
// locked by other claims.
func (s *Store) claimAny(ctx context.Context, claims []dataexport.ClaimOptions) ([]claimed, error) {
	given, err := s.claim(ctx, fairest+claimChosen, claims, fewWorkspaces)
	if err != nil {
		return nil, err
	}
	for range claimRounds {
		first := slices.IndexFunc(given, func(c claimed) bool { return errors.Is(c.err, dataexport.ErrNoJob) })
		if first < 0 {
			break
		}
		var more bool
		if err = s.pool.QueryRow(ctx, claimable).Scan(&more); errors.Is(err, pgx.ErrNoRows) {
			break
		}
		var later []claimed
		if err == nil && more {
			later, err = s.claim(ctx, fairest+claimChosen, claims[first:], anyWorkspaces)
		}
		if err != nil {
			for i := range given[first:] {
				given[first+i].err = err
			}
		}
		if !more || err != nil {
			break
		}
		copy(given[first:], later)
	}
	return given, nil
}

// claimOne gives out the jobs that are asked for.
func (s *Store) claimOne(ctx context.Context, claims []dataexport.ClaimOptions) ([]claimed, error) {
	ids := make([]string, len(claims))
	for i, claim := range claims {
		ids[i] = claim.ID
	}
	given, err := s.claim(ctx, asked+claimChosen, claims, ids)
	for i, c := range given {
		if err == nil && c.err == nil {
			s.turns.claimed(ownedJob{id: c.job.ID, workspace: c.job.Scope.WorkspaceID})
		} else {
			s.turns.refused(ids[i])
		}
	}
	return given, err
}

// claim runs a statement that gives out jobs. What comes of each claim is at its place.
func (s *Store) claim(ctx context.Context, statement string, claims []dataexport.ClaimOptions, argument any) (given []claimed, err error) {
	leases := make([]time.Duration, len(claims))
	for i, claim := range claims {
		leases[i] = claim.Lease
	}
	err = s.send(ctx, func(batch *pgx.Batch) {
		given = slices.Repeat([]claimed{{err: dataexport.ErrNoJob}}, len(claims))
		batch.Queue(statement, leases, argument).Query(func(rows pgx.Rows) error {
			return eachPlace(rows, func(place int, job dataexport.Job, err error) { given[place] = claimed{job, err} })
		})
	})
	return given, err
}
