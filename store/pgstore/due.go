package pgstore

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/dataexport/dataexport"
)

// A kind is what the sweep cleans for one reason: the jobs for which a condition holds, each some time after the one that
// its column says.
type kind struct {
	where  string
	column string
	after  time.Duration
	at     func(*dataexport.Job) time.Time // the time in the column
}

func kinds(q dataexport.DueQuery) []kind {
	expires := func(j *dataexport.Job) time.Time { return j.ExpiresAt }
	return []kind{
		{"status IN ('READY', 'EXPIRED') AND blob_key <> ''", "expires_at", max(0, q.FileGrace), expires},
		{"status IN ('READY', 'EXPIRED') AND blob_key = ''", "expires_at", max(0, q.Keep), expires},
		{"status = 'FAILED'", "completed_at", q.Keep, func(j *dataexport.Job) time.Time { return j.CompletedAt }},
	}
}

// due returns the query for the jobs that are due, of a duration and a limit.
func (k *kind) due() string {
	return "SELECT " + jobColumns + ", now() FROM dataexport_jobs WHERE " + k.where + " AND " + k.column + " <= now() - $1::interval ORDER BY " +
		k.column + " LIMIT $2"
}

// upcoming returns the query for how long it takes until the next job is due, of the same duration. A time.Duration ends
// with 292 years.
func (k *kind) upcoming() string {
	return "SELECT least(" + k.column + " + $1::interval - now(), interval '100 years') FROM dataexport_jobs WHERE " + k.where + " AND " + k.column +
		" > now() - $1::interval ORDER BY " + k.column + " LIMIT 1"
}

// A dueJob is a job and when it was due.
type dueJob struct {
	job dataexport.Job
	at  time.Time
}

// Due implements dataexport.Store. A Limit below 1 is an ErrInvalid.
func (s *Store) Due(ctx context.Context, q dataexport.DueQuery) (jobs []dataexport.Job, next time.Duration, err error) {
	if q.Limit < 1 {
		return nil, 0, fmt.Errorf("%w: the limit must be at least 1, not %d", dataexport.ErrInvalid, q.Limit)
	}
	var due []dueJob
	err = s.transact(ctx, view, func(tx pgx.Tx) error {
		due, next = nil, -1
		for _, k := range kinds(q) {
			jobs, err := findAll(ctx, tx, k.due(), k.after, q.Limit+1)
			if err != nil {
				return err
			}
			for _, j := range jobs {
				due = append(due, dueJob{j, k.at(&j).Add(k.after)})
			}
			wait, found, err := k.wait(ctx, tx)
			if err != nil {
				return err
			}
			if found && (next < 0 || wait < next) {
				next = wait
			}
		}
		return nil
	})
	if err != nil {
		return nil, 0, explain(ctx, err)
	}
	slices.SortStableFunc(due, func(a, b dueJob) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.job.ID, b.job.ID)) })
	if len(due) > q.Limit {
		due, next = due[:q.Limit], 0
	}
	jobs = make([]dataexport.Job, len(due))
	for i := range due {
		jobs[i] = due[i].job
	}
	return jobs, next, nil
}

// wait returns how long it takes until the next job of a kind is due, if one is in sight.
func (k *kind) wait(ctx context.Context, tx pgx.Tx) (wait time.Duration, found bool, err error) {
	rows, err := tx.Query(ctx, k.upcoming(), k.after)
	if err != nil {
		return 0, false, err
	}
	waits, err := pgx.CollectRows(rows, pgx.RowTo[time.Duration])
	if err != nil || len(waits) == 0 {
		return 0, false, err
	}
	return waits[0], true, nil
}
