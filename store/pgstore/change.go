package pgstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/dataexport/dataexport"
)

const deleteJob = `
	DELETE FROM dataexport_jobs WHERE id = $1 AND workspace_id = $2 AND (NOT personal OR subject = $3)
	RETURNING ` + columns

// Delete implements dataexport.Store.
func (s *Store) Delete(ctx context.Context, scope dataexport.Scope, id string) (dataexport.Job, error) {
	return s.read(ctx, id, deleteJob, id, scope.WorkspaceID, scope.Subject)
}

// updateJob says of a row what dataexport.Job.Updated says of a job.
const updateJob = `
	UPDATE dataexport_jobs SET
		version = version + 1, updated_at = statement_timestamp(),
		status = $4, attempts = $5, progress_records = $6, progress_total = $7, record_count = $8, file_size = $9, sha256 = $10,
		blob_key = $11, error_code = $12, error_message = $13,
		held_until = CASE WHEN $4 IN ('PENDING', 'PROCESSING') THEN statement_timestamp() + $3 ELSE held_until END,
		completed_at = CASE WHEN status = 'PROCESSING' AND $4 NOT IN ('PENDING', 'PROCESSING')
			THEN statement_timestamp() ELSE completed_at END,
		expires_at = CASE WHEN status = 'PROCESSING' AND $4 = 'READY' THEN statement_timestamp() + $3 ELSE expires_at END
	WHERE id = $1 AND version = $2
	RETURNING ` + columns

// Update implements dataexport.Store. A status that is none, and text that PostgreSQL cannot hold, are an ErrInvalid.
func (s *Store) Update(ctx context.Context, j dataexport.Job, d time.Duration) (updated dataexport.Job, err error) {
	if !j.Status.Valid() {
		return dataexport.Job{}, fmt.Errorf("%w: a job cannot have the status %q", dataexport.ErrInvalid, j.Status)
	}
	if !validID(j.ID) {
		return dataexport.Job{}, dataexport.ErrNotFound
	}
	var errorCode, errorMessage *string
	if j.Error != nil {
		errorCode, errorMessage = &j.Error.Code, &j.Error.Message
		if err := checkTexts(text{"the code of the error", j.Error.Code}, text{"the message of the error", j.Error.Message}); err != nil {
			return dataexport.Job{}, err
		}
	}
	if err := checkTexts(text{"the SHA-256", j.SHA256}, text{"the key of the file", j.BlobKey}); err != nil {
		return dataexport.Job{}, err
	}
	args := []any{
		j.ID, j.Version, d, string(j.Status), j.Attempts, j.Progress.Records, j.Progress.Total, j.RecordCount, j.FileSize, j.SHA256,
		j.BlobKey, errorCode, errorMessage,
	}
	if j.Status == dataexport.StatusPending && d <= 0 { // others may have it at once
		err = s.send(ctx, func(batch *pgx.Batch) {
			batch.Queue(updateJob, args...).QueryRow(func(row pgx.Row) (err error) {
				updated, err = one(row)
				return err
			})
			if !s.quiet {
				batch.Queue(announceJob)
			}
		})
	} else {
		err = retry(ctx, func() error {
			updated, err = one(s.pool.QueryRow(ctx, updateJob, args...))
			return err
		})
	}
	if errors.Is(err, dataexport.ErrNotFound) {
		return dataexport.Job{}, s.explainRefusal(ctx, j.ID)
	}
	if err != nil {
		return dataexport.Job{}, explain(ctx, err)
	}
	if updated.Status == dataexport.StatusPending {
		s.announce()
	}
	return updated, nil
}

// explainRefusal returns why no row was updated: the version is another, or there is no such job.
func (s *Store) explainRefusal(ctx context.Context, id string) error {
	if _, err := s.Find(ctx, id); err != nil {
		return err
	}
	return dataexport.ErrConflict
}
