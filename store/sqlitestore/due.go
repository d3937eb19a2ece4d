package sqlitestore

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

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

// due returns the condition of jobs that are due, with a time and a limit to fill in.
func (k *kind) due() string {
	return k.where + " AND " + k.column + " <= ? ORDER BY " + k.column + " LIMIT ?"
}

// upcoming returns the query for the first time in the column that is later than one to fill in.
func (k *kind) upcoming() string {
	return "SELECT min(" + k.column + ") FROM dataexport_jobs WHERE " + k.where + " AND " + k.column + " > ?"
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
	at := now()
	var due []dueJob
	err = s.transact(ctx, reading, func(conn *sql.Conn) error {
		due, next = nil, -1
		for _, k := range kinds(q) {
			if due, err = k.appendDue(ctx, conn, due, at, q.Limit+1); err != nil {
				return err
			}
			wait, err := k.wait(ctx, conn, at)
			if err != nil {
				return err
			}
			if wait > 0 && (next < 0 || wait < next) {
				next = wait
			}
		}
		return nil
	})
	if err != nil {
		return nil, 0, err
	}
	slices.SortStableFunc(due, func(a, b dueJob) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.job.ID, b.job.ID)) })
	if len(due) > q.Limit {
		due, next = due[:q.Limit], 0
	}
	jobs = make([]dataexport.Job, len(due))
	for i := range due {
		jobs[i] = due[i].job.At(at)
	}
	return jobs, next, nil
}

// appendDue appends the jobs of a kind that are due, at most limit.
func (k *kind) appendDue(
	ctx context.Context, conn *sql.Conn, due []dueJob, at time.Time, limit int,
) ([]dueJob, error) {
	jobs, err := findAll(ctx, conn, k.due(), nanoseconds(at.Add(-k.after)), limit)
	for _, j := range jobs {
		due = append(due, dueJob{j, k.at(&j).Add(k.after)})
	}
	return due, err
}

// wait returns how long it takes until the next job of a kind is due, or a negative duration if none is in sight.
func (k *kind) wait(ctx context.Context, conn *sql.Conn, at time.Time) (time.Duration, error) {
	var first sql.NullInt64
	err := conn.QueryRowContext(ctx, k.upcoming(), nanoseconds(at.Add(-k.after))).Scan(&first)
	if err != nil || !first.Valid {
		return -1, err
	}
	return instant(first.Int64).Add(k.after).Sub(at), nil
}
