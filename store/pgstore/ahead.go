package pgstore

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/dataexport/dataexport"
)

// aheadMost is how many jobs Ahead names at the most, and aheadLimit the same for a statement.
const (
	aheadMost  = 5
	aheadLimit = "5"
)

// The most jobs that ask in one look at the database, and the most workspaces that it sees.
const (
	turnsTogether  = 64
	rivalsTogether = 2 * turnsTogether
)

// What is known of rivals is relied on for several times as long as it took to find out, but for rivalsKnownFor at the most.
const (
	rivalsKnownTimes = 16
	rivalsKnownFor   = 100 * time.Millisecond
)

// Ahead tells an engine that brings jobs in an order of its own whether a job is in turn. If it is, there are no ids. If it is
// not, Ahead returns the ids of the oldest jobs, a few at most, of the workspace that goes first. The job is one that can be
// given out; workspace is its own, or "" if it is not known. For a job that is not there or has ended the answer means nothing.
//
// Each job is a turn of its workspace. A workspace that has had at least two turns more than another gives way to it, if that has
// waited since before the latest of them; so does one that has at least two jobs more in work. So workspaces share evenly, also
// where one job is worked on at a time, and jobs of workspaces that have one each go in the order in which they came.
//
// A job has had its turn when Ahead says that it is in turn, and is to be claimed at once then, or when it is claimed by its
// id without that. One that cannot be claimed has had none. The first job that is named is expected to be asked for soon.
// Turns are counted by each Store for itself. It sees what other Stores do a tenth of a second later, and the time of a look
// at the database.
func (s *Store) Ahead(ctx context.Context, workspace, id string) (ids []string, err error) {
	if !validID(id) {
		return nil, nil
	}
	if workspace == "" {
		job, err := s.Find(ctx, id)
		if err != nil {
			if errors.Is(err, dataexport.ErrNotFound) {
				err = nil
			}
			return nil, err
		}
		workspace = job.Scope.WorkspaceID
	}
	job := ownedJob{id: id, workspace: workspace}
	if ids, decided := s.turns.ahead(job, false); decided {
		return ids, nil
	}
	ids, err = s.asks.do(ctx, job)
	return ids, explain(ctx, err)
}

// rivals finds the workspaces that have active jobs, with a few jobs of each that can be given out and are not among $2:
// the workspaces $1, and those that go before others, as many as $3 in all.
const rivals = workspaces + `, rival AS MATERIALIZED (
		SELECT workspace.id, coalesce(held.jobs, 0) AS held, coalesce(known.served, 0) AS served, known.served_at
		FROM workspace
		LEFT JOIN held ON held.workspace_id = workspace.id
		LEFT JOIN dataexport_workspaces AS known ON known.workspace_id = workspace.id
		ORDER BY workspace.id = ANY ($1) DESC, workspace.held_until <= statement_timestamp() DESC,
			held, served, workspace.created_at, workspace.id
		LIMIT $3
	)
	SELECT workspace.id, served_at, held, waiting.id::text, waiting.created_at FROM rival AS workspace LEFT JOIN LATERAL (` +
	waitingOf + ` AND id <> ALL ($2) ORDER BY created_at, id LIMIT ` + aheadLimit + `) AS waiting ON true`

// aheadOf returns what Ahead returns, for several jobs, and decides on one after the other.
func (s *Store) aheadOf(ctx context.Context, asked []ownedJob) (found [][]string, err error) {
	found = make([][]string, len(asked))
	var open []int // those on which nothing is decided yet: another call may have looked while they were waiting
	for i, job := range asked {
		var decided bool
		if found[i], decided = s.turns.ahead(job, false); !decided {
			open = append(open, i)
		}
	}
	if len(open) == 0 {
		return found, nil
	}
	owners, excluded := make([]string, len(open)), s.turns.jobs()
	for i, place := range open {
		owners[i] = asked[place].workspace
		excluded = append(excluded, asked[place].id)
	}
	var known map[string]*rival
	begin := time.Now()
	err = s.send(ctx, func(batch *pgx.Batch) {
		known = make(map[string]*rival)
		batch.Queue(rivals, owners, excluded, rivalsTogether).Query(func(rows pgx.Rows) error { return scanRivals(rows, known) })
	})
	if err != nil {
		return nil, err
	}
	s.turns.meet(known, len(known) < rivalsTogether, time.Since(begin))
	for _, place := range open {
		found[place], _ = s.turns.ahead(asked[place], true)
	}
	return found, nil
}

// scanRivals reads rows of rivals.
func scanRivals(rows pgx.Rows, known map[string]*rival) error {
	var row rival
	var id *string // null if the workspace has no job to give out
	var servedAt, since *time.Time
	_, err := pgx.ForEachRow(rows, []any{&row.workspace, &servedAt, &row.held, &id, &since}, func() error {
		r := known[row.workspace]
		if r == nil {
			r = &rival{workspace: row.workspace, held: row.held, servedAt: instant(servedAt)}
			known[r.workspace] = r
		}
		if id != nil {
			r.waiting = append(r.waiting, waitingJob{id: *id, since: instant(since)})
		}
		return nil
	})
	for _, r := range known {
		slices.SortFunc(r.waiting, func(a, b waitingJob) int { return cmp.Or(a.since.Compare(b.since), strings.Compare(a.id, b.id)) })
		r.more = len(r.waiting) == aheadMost
	}
	return err
}
