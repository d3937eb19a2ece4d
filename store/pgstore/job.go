package pgstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/dataexport/dataexport"
)

// jobColumns are those of a job in the order of scan.
const jobColumns = `id::text, version, workspace_id, subject, dataset, format, personal, filter, status,
	created_at, updated_at, started_at, completed_at, expires_at, nullif(held_until, '-infinity'), attempts,
	progress_records, progress_total, error_code, error_message, record_count, file_size, sha256, blob_key,
	idempotency_key, fingerprint`

// columns are those of a job, and the time of the statement by the clock of the database.
const columns = jobColumns + ", statement_timestamp()"

// scan reads a job as it is stored, and the time.
func scan(row pgx.Row) (j dataexport.Job, at time.Time, err error) {
	var (
		filter                            string
		started, completed, expires, held *time.Time
		errorCode, errorMessage           *string
	)
	err = row.Scan(
		&j.ID, &j.Version, &j.Scope.WorkspaceID, &j.Scope.Subject, &j.Dataset, &j.Format, &j.Personal, &filter, &j.Status,
		&j.CreatedAt, &j.UpdatedAt, &started, &completed, &expires, &held, &j.Attempts,
		&j.Progress.Records, &j.Progress.Total, &errorCode, &errorMessage, &j.RecordCount, &j.FileSize, &j.SHA256, &j.BlobKey,
		&j.IdempotencyKey, &j.Fingerprint, &at,
	)
	if err != nil {
		return dataexport.Job{}, time.Time{}, err
	}
	if err := json.Unmarshal([]byte(filter), &j.Filter); err != nil {
		return dataexport.Job{}, time.Time{}, &unreadable{fmt.Errorf("job %s: its filter: %w", j.ID, err)}
	}
	j.CreatedAt, j.UpdatedAt = j.CreatedAt.UTC(), j.UpdatedAt.UTC()
	j.StartedAt, j.CompletedAt, j.ExpiresAt, j.HeldUntil = instant(started), instant(completed), instant(expires), instant(held)
	if errorCode != nil {
		j.Error = &dataexport.JobError{Code: *errorCode, Message: *errorMessage}
	}
	return j, at, nil
}

func instant(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}

// querier runs queries: a pool or a transaction.
type querier interface {
	Query(ctx context.Context, statement string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, statement string, args ...any) pgx.Row
}

// findAll returns the jobs of all rows of a query, as they read by the clock. The list is never nil.
func findAll(ctx context.Context, q querier, statement string, args ...any) ([]dataexport.Job, error) {
	rows, err := q.Query(ctx, statement, args...)
	if err != nil {
		return nil, err
	}
	jobs := []dataexport.Job{}
	defer rows.Close()
	for rows.Next() {
		j, at, err := scan(rows)
		if err != nil {
			return nil, err
		}
		jobs = append(jobs, j.At(at))
	}
	return jobs, rows.Err()
}

// An unreadable row holds what no version of this package has written.
type unreadable struct{ err error }

func (e *unreadable) Error() string { return e.err.Error() }

func (e *unreadable) Unwrap() error { return e.err }

// eachPlace calls a function with the jobs of all rows of a query, which have one more column in front: the place, from 1,
// of the argument that the row answers. The function gets it from 0. A row that is unreadable is no reason to
// leave the others out: what they tell has happened.
func eachPlace(rows pgx.Rows, do func(place int, j dataexport.Job, err error)) error {
	defer rows.Close()
	for rows.Next() {
		var place int
		j, at, err := scan(prefixedRow{rows, &place})
		if err != nil && !errors.As(err, new(*unreadable)) {
			return err
		}
		do(place-1, j.At(at), err)
	}
	return rows.Err()
}

// A prefixedRow is the row of a job with one more column in front.
type prefixedRow struct {
	row    pgx.Row
	prefix any
}

func (r prefixedRow) Scan(targets ...any) error {
	return r.row.Scan(append([]any{r.prefix}, targets...)...)
}

// one returns the job of a row, as it reads by the clock, or ErrNotFound if there is no row.
func one(row pgx.Row) (dataexport.Job, error) {
	j, at, err := scan(row)
	if errors.Is(err, pgx.ErrNoRows) {
		return dataexport.Job{}, dataexport.ErrNotFound
	}
	return j.At(at), err
}

// validID reports whether an id is a UUID as it is written here. PostgreSQL would read other forms too.
func validID(id string) bool {
	parsed, err := uuid.Parse(id)
	return err == nil && parsed.String() == id
}
