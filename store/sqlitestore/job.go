package sqlitestore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/dataexport/dataexport"
)

// columns are in the order of values and scan; the first ten are written once.
const columns = `id, workspace_id, subject, dataset, format, personal, filter, created_at, idempotency_key, fingerprint,
	version, status, updated_at, started_at, completed_at, expires_at, held_until, attempts,
	progress_records, progress_total, error_code, error_message, record_count, file_size, sha256, blob_key`

func insert(ctx context.Context, conn *sql.Conn, j *dataexport.Job) error {
	filter, err := json.Marshal(j.Filter)
	if err != nil {
		return fmt.Errorf("%w: the filter: %w", dataexport.ErrInvalid, err)
	}
	_, err = conn.ExecContext(ctx, `INSERT INTO dataexport_jobs (`+columns+`)
		VALUES (?,?,?,?,?,?,?,?,?,?, ?,?,?,?,?,?,?,?, ?,?,?,?,?,?,?,?)`,
		append([]any{
			j.ID, j.Scope.WorkspaceID, j.Scope.Subject, j.Dataset, j.Format, j.Personal, string(filter),
			nanoseconds(j.CreatedAt), j.IdempotencyKey, j.Fingerprint,
		}, changing(j)...)...)
	return err
}

// save writes all that can change in a job.
func save(ctx context.Context, conn *sql.Conn, j *dataexport.Job) error {
	_, err := conn.ExecContext(ctx, `UPDATE dataexport_jobs SET
		version = ?, status = ?, updated_at = ?, started_at = ?, completed_at = ?, expires_at = ?, held_until = ?, attempts = ?,
		progress_records = ?, progress_total = ?, error_code = ?, error_message = ?,
		record_count = ?, file_size = ?, sha256 = ?, blob_key = ?
		WHERE id = ?`, append(changing(j), j.ID)...)
	return err
}

func changing(j *dataexport.Job) []any {
	var errorCode, errorMessage any
	if j.Error != nil {
		errorCode, errorMessage = j.Error.Code, j.Error.Message
	}
	var total any
	if j.Progress.Total != nil {
		total = *j.Progress.Total
	}
	return []any{
		j.Version, string(j.Status), nanoseconds(j.UpdatedAt), nanoseconds(j.StartedAt), nanoseconds(j.CompletedAt),
		nanoseconds(j.ExpiresAt), nanoseconds(j.HeldUntil), j.Attempts,
		j.Progress.Records, total, errorCode, errorMessage, j.RecordCount, j.FileSize, j.SHA256, j.BlobKey,
	}
}

// find returns the job of the first row of a query, as it is stored, or ErrNotFound.
func find(ctx context.Context, conn *sql.Conn, where string, args ...any) (dataexport.Job, error) {
	row := conn.QueryRowContext(ctx, "SELECT "+columns+" FROM dataexport_jobs WHERE "+where, args...)
	j, err := scan(row)
	if errors.Is(err, sql.ErrNoRows) {
		return dataexport.Job{}, dataexport.ErrNotFound
	}
	return j, err
}

// findAll returns the jobs of all rows of a query, as they are stored. The list is never nil.
func findAll(ctx context.Context, conn *sql.Conn, where string, args ...any) (jobs []dataexport.Job, err error) {
	rows, err := conn.QueryContext(ctx, "SELECT "+columns+" FROM dataexport_jobs WHERE "+where, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close() // rows.Err has told already
	jobs = []dataexport.Job{}
	for rows.Next() {
		j, err := scan(rows)
		if err != nil {
			return nil, err
		}
		jobs = append(jobs, j)
	}
	return jobs, rows.Err()
}

func scan(row interface{ Scan(targets ...any) error }) (j dataexport.Job, err error) {
	var (
		filter                                              string
		created, updated, started, completed, expires, held int64
		total                                               sql.NullInt64
		errorCode, errorMessage                             sql.NullString
	)
	if err := row.Scan(
		&j.ID, &j.Scope.WorkspaceID, &j.Scope.Subject, &j.Dataset, &j.Format, &j.Personal, &filter, &created,
		&j.IdempotencyKey, &j.Fingerprint,
		&j.Version, &j.Status, &updated, &started, &completed, &expires, &held, &j.Attempts,
		&j.Progress.Records, &total, &errorCode, &errorMessage, &j.RecordCount, &j.FileSize, &j.SHA256, &j.BlobKey,
	); err != nil {
		return dataexport.Job{}, err
	}
	if err := json.Unmarshal([]byte(filter), &j.Filter); err != nil {
		return dataexport.Job{}, fmt.Errorf("job %s: its filter: %w", j.ID, err)
	}
	j.CreatedAt, j.UpdatedAt, j.StartedAt = instant(created), instant(updated), instant(started)
	j.CompletedAt, j.ExpiresAt, j.HeldUntil = instant(completed), instant(expires), instant(held)
	if total.Valid {
		j.Progress.Total = &total.Int64
	}
	if errorCode.Valid {
		j.Error = &dataexport.JobError{Code: errorCode.String, Message: errorMessage.String}
	}
	return j, nil
}

// nanoseconds returns a time as it is stored. What lies beyond the year 2262 is stored as that end of all times.
func nanoseconds(t time.Time) int64 {
	switch {
	case t.IsZero():
		return 0
	case t.After(time.Unix(0, math.MaxInt64)):
		return math.MaxInt64
	}
	return t.UnixNano()
}

func instant(nanoseconds int64) time.Time {
	if nanoseconds == 0 {
		return time.Time{}
	}
	return time.Unix(0, nanoseconds).UTC()
}
