package pgstore

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

// aheadLimit is how many jobs Ahead names at the most.
const aheadLimit = "5"

// turnsTogether is of how many jobs it is found out together whose turn it is at the most, and rivalsTogether how many
// workspaces are looked at for that.
const (
	turnsTogether  = 64
	rivalsTogether = 2 * turnsTogether
)

// Ahead returns the ids of the oldest jobs, a few at most, that the workspace could be given which goes before that of
// a job. Each job is a turn of its workspace, and who has had more turns gives way, if the other has waited since before the
// latest of them; so does who has at least two jobs more in work. So workspaces share evenly, also where one job is worked on at a
// time, and jobs of workspaces that have one each go in the order in which they came. There are none if the job goes first or
// is not there. An engine that brings jobs in an order of its own learns from it what to bring instead.
//
// A turn begins when Ahead says that a job may go, or names it first as one that goes before another: an engine is expected
// to have it claimed at once. Turns are counted by each Store for itself.
func (s *Store) Ahead(ctx context.Context, id string) (ids []string, err error) {
	if !validID(id) {
		return nil, nil
	}
	ids, err = s.asks.do(ctx, id)
	return ids, explain(ctx, err)
}

// askers finds the workspaces of the jobs $1.
const askers = `
	SELECT place, workspace_id FROM unnest($1::uuid[]) WITH ORDINALITY AS asked (id, place)
	JOIN dataexport_jobs AS job ON job.id = asked.id`

// rivals finds the workspaces that have active jobs, with a few jobs of each that can be given out and are not among $2:
// those of the jobs $1, and those that go before others, as many as $3 in all.
const rivals = workspaces + `, rival AS MATERIALIZED (
		SELECT workspace.id, coalesce(held.jobs, 0) AS held, coalesce(known.served, 0) AS served, known.served_at
		FROM workspace
		LEFT JOIN held ON held.workspace_id = workspace.id
		LEFT JOIN dataexport_workspaces AS known ON known.workspace_id = workspace.id
		WHERE (SELECT count(*) FROM workspace) > 1
		ORDER BY workspace.id IN (SELECT workspace_id FROM dataexport_jobs WHERE id = ANY ($1)) DESC,
			workspace.held_until <= statement_timestamp() DESC, held, served, workspace.created_at, workspace.id
		LIMIT $3
	)
	SELECT workspace.id, held, served_at, oldest, ids FROM rival AS workspace CROSS JOIN LATERAL (
		SELECT min(created_at) AS oldest, array_agg(id::text ORDER BY created_at, id) AS ids FROM (` + waitingOf + `
			AND id <> ALL ($2) ORDER BY created_at, id LIMIT ` + aheadLimit + `) AS first) AS waiting`

// aheadOf returns what Ahead returns, for several jobs, and decides on one after the other.
func (s *Store) aheadOf(ctx context.Context, asked []string) (found [][]string, err error) {
	var owners []string
	var known map[string]*rival
	inHand := s.turns.jobs()
	err = s.send(ctx, func(batch *pgx.Batch) {
		owners, known = make([]string, len(asked)), make(map[string]*rival)
		batch.Queue(askers, asked).Query(func(rows pgx.Rows) error {
			var place int
			var workspace string
			_, err := pgx.ForEachRow(rows, []any{&place, &workspace}, func() error {
				owners[place-1] = workspace
				return nil
			})
			return err
		})
		batch.Queue(rivals, asked, slices.Concat(asked, inHand), rivalsTogether).Query(func(rows pgx.Rows) error {
			for rows.Next() {
				r := new(rival)
				var servedAt, oldest *time.Time
				if err := rows.Scan(&r.workspace, &r.held, &servedAt, &oldest, &r.waiting); err != nil {
					return err
				}
				r.servedAt, r.oldest = instant(servedAt), instant(oldest)
				known[r.workspace] = r
			}
			return rows.Err()
		})
	})
	if err != nil {
		return nil, err
	}
	s.turns.meet(known, len(known) < rivalsTogether)
	found = make([][]string, len(asked))
	for i, id := range asked {
		if known[owners[i]] != nil {
			found[i] = s.turns.ahead(id, owners[i], known)
		}
	}
	return found, nil
}
