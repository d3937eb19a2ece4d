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

// turnsTogether is of how many jobs a statement finds out who goes ahead at the most.
const turnsTogether = 64

// ahead finds for each of the jobs $1 the waiting jobs of the workspace that goes before its own, if one does, no more than
// $2. Who has as many jobs held
// goes first if it waits since before the other was last given a job, and was itself given one longer ago.
const ahead = workspaces + `, rival AS MATERIALIZED (
		SELECT workspace.id, coalesce(held.jobs, 0) AS held, coalesce(known.served, 0) AS served, job.id AS job, job.created_at
		FROM workspace
		LEFT JOIN held ON held.workspace_id = workspace.id
		LEFT JOIN dataexport_workspaces AS known ON known.workspace_id = workspace.id
		CROSS JOIN LATERAL (` + waitingOf + ` ORDER BY created_at, id LIMIT 1) AS job
		WHERE (SELECT count(*) FROM workspace) > 1
	), own AS MATERIALIZED (
		SELECT asked.place, coalesce((SELECT jobs FROM held WHERE workspace_id = job.workspace_id), 0) AS held,
			coalesce((SELECT served FROM dataexport_workspaces WHERE workspace_id = job.workspace_id), 0) AS served,
			(SELECT max(started_at) FROM (
				SELECT started_at FROM dataexport_jobs AS earlier
				WHERE earlier.workspace_id = job.workspace_id AND (earlier.created_at, earlier.id) < (job.created_at, job.id)
				ORDER BY earlier.created_at DESC, earlier.id DESC LIMIT ` + servedLook + `) AS looked_at) AS served_at
		FROM unnest($1::uuid[]) WITH ORDINALITY AS asked (id, place)
		JOIN dataexport_jobs AS job ON job.id = asked.id
		WHERE (SELECT count(*) FROM workspace) > 1
	)
	SELECT own.place, ARRAY(
		SELECT id::text FROM dataexport_jobs
		WHERE status IN ('PENDING', 'PROCESSING') AND workspace_id = first.id AND held_until <= statement_timestamp()
		ORDER BY created_at, id LIMIT $2)
	FROM own CROSS JOIN LATERAL (
		SELECT rival.id FROM rival
		WHERE (own.held > 0 OR own.served_at IS NOT NULL) AND (rival.held < own.held
			OR rival.held = own.held AND rival.served < own.served AND rival.created_at < own.served_at)
		ORDER BY rival.held, rival.served, rival.created_at, rival.job
		LIMIT 1) AS first`

// Ahead returns the ids of the oldest jobs, some twenty at most, that the workspace could be given which goes before that of
// a job: it has fewer jobs held by a lease; or it has as many, was given a job longer ago, and has waited since before the
// other was last given one. So workspaces take turns even where one job is worked on at a time, which
// looking at held jobs alone would not bring about; and jobs of workspaces that have one each go in the order in which they
// came. There are none if the job goes first or is not there. An engine that brings jobs in an order of its own learns
// from it what to bring instead.
func (s *Store) Ahead(ctx context.Context, id string) (ids []string, err error) {
	if !validID(id) {
		return nil, nil
	}
	ids, err = s.turns.do(ctx, id)
	return ids, explain(ctx, err)
}

// aheadOf returns what Ahead returns, for several jobs.
func (s *Store) aheadOf(ctx context.Context, asked []string) ([][]string, error) {
	found := make([][]string, len(asked))
	err := s.send(ctx, func(batch *pgx.Batch) {
		batch.Queue(ahead, asked, aheadLimit).Query(func(rows pgx.Rows) error {
			var place int
			var ids []string
			_, err := pgx.ForEachRow(rows, []any{&place, &ids}, func() error {
				found[place-1] = ids
				ids = nil
				return nil
			})
			return err
		})
	})
	return found, err
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
