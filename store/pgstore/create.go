package pgstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/dataexport/dataexport"
)

// workspaceLock is the class of the advisory locks under which jobs of a workspace are made, one after the other: what
// one finds, its key and its quota, must not change before it is there. Workspaces of the same hash wait for each other.
const workspaceLock = 0x64617461 // "data"

const lockWorkspace = "SELECT pg_advisory_xact_lock($1, hashtext($2))"

// createJob finds the job with an idempotency key, of which there can be two, one of them personal: the one with the same
// fingerprint goes first. Or else it makes a job if the quotas let it. It returns whether the job was found, and no row if
// a quota is full.
const createJob = `
	WITH earlier AS (
		SELECT * FROM dataexport_jobs
		WHERE workspace_id = $2 AND idempotency_key = $8 AND idempotency_key <> '' AND (NOT personal OR subject = $3)
		ORDER BY fingerprint = $9 DESC LIMIT 1
	), inserted AS (
		INSERT INTO dataexport_jobs (id, workspace_id, subject, dataset, format, personal, filter, idempotency_key, fingerprint,
			version, status, created_at, updated_at, held_until, attempts, progress_records, record_count, file_size, sha256, blob_key)
		SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9,
			1, 'PENDING', statement_timestamp(), statement_timestamp(), '-infinity', 0, 0, 0, 0, '', ''
		WHERE NOT EXISTS (SELECT FROM earlier)
			AND ($10 <= 0 OR (SELECT count(*) FROM (
				SELECT FROM dataexport_jobs WHERE workspace_id = $2 AND status IN ('PENDING', 'PROCESSING') LIMIT greatest($10, 0)) AS active) < $10)
			AND ($11 <= 0 OR (SELECT count(*) FROM (
				SELECT FROM dataexport_jobs WHERE workspace_id = $2 AND status = 'READY' AND expires_at > statement_timestamp()
				LIMIT greatest($11, 0)) AS ready) < $11)
		RETURNING *
	), known AS (
		INSERT INTO dataexport_workspaces (workspace_id) SELECT workspace_id FROM inserted
		ON CONFLICT DO NOTHING
	)
	SELECT true, ` + columns + ` FROM earlier UNION ALL SELECT false, ` + columns + ` FROM inserted`

// announceJob wakes those who wait for work, unless there is another job that they could have: then they do not wait.
const announceJob = `
	SELECT pg_notify($2, '') WHERE NOT EXISTS (
		SELECT FROM dataexport_jobs
		WHERE status IN ('PENDING', 'PROCESSING') AND held_until <= statement_timestamp() AND id <> $1)`

// Create implements dataexport.Store. A job with an id that is no UUID or is taken, without a workspace, or with text that
// PostgreSQL cannot hold, is an ErrInvalid.
func (s *Store) Create(ctx context.Context, n dataexport.NewJob) (job dataexport.Job, replayed bool, err error) {
	if err := checkNewJob(&n); err != nil {
		return dataexport.Job{}, false, err
	}
	filter, err := json.Marshal(n.Filter)
	if err != nil {
		return dataexport.Job{}, false, fmt.Errorf("%w: the filter: %w", dataexport.ErrInvalid, err)
	}
	err = s.transact(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error {
		if job, replayed, err = create(ctx, tx, &n, string(filter)); err != nil || replayed || s.onCreate == nil {
			return err
		}
		if err := s.onCreate(ctx, tx, job.Clone()); err != nil {
			return fmt.Errorf("pgstore: Options.OnCreate: %w", err)
		}
		return nil
	})
	switch {
	case hasCode(err, uniqueViolation):
		return dataexport.Job{}, false, fmt.Errorf("%w: there is a job with the id %s already", dataexport.ErrInvalid, n.ID)
	case err != nil:
		return dataexport.Job{}, false, explain(ctx, err)
	}
	if !replayed {
		s.announce()
	}
	return job, replayed, nil
}

func checkNewJob(n *dataexport.NewJob) error {
	switch {
	case !validID(n.ID):
		return fmt.Errorf("%w: the id %q of a new job is not a UUID in lower case", dataexport.ErrInvalid, n.ID)
	case n.Scope.WorkspaceID == "":
		return fmt.Errorf("%w: a new job needs a workspace", dataexport.ErrInvalid)
	}
	texts := []text{
		{"the workspace", n.Scope.WorkspaceID}, {"the subject", n.Scope.Subject}, {"the dataset", n.Dataset}, {"the format", n.Format},
		{"the idempotency key", n.IdempotencyKey}, {"the fingerprint", n.Fingerprint},
	}
	return checkTexts(texts...)
}

// create makes the job or finds it, on one way to the server and back.
func create(ctx context.Context, tx pgx.Tx, n *dataexport.NewJob, filter string) (job dataexport.Job, replayed bool, err error) {
	var batch pgx.Batch
	batch.Queue(lockWorkspace, workspaceLock, n.Scope.WorkspaceID)
	batch.Queue(createJob, n.ID, n.Scope.WorkspaceID, n.Scope.Subject, n.Dataset, n.Format, n.Personal, filter,
		n.IdempotencyKey, n.Fingerprint, n.MaxActive, n.MaxReady).QueryRow(func(row pgx.Row) error {
		var at time.Time
		job, at, err = scan(replayRow{row, &replayed})
		job = job.At(at)
		return err
	})
	batch.Queue(announceJob, n.ID, channel)
	err = tx.SendBatch(ctx, &batch).Close()
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return dataexport.Job{}, false, dataexport.ErrTooManyExports
	case err != nil:
		return dataexport.Job{}, false, err
	case replayed && job.Fingerprint != n.Fingerprint:
		return dataexport.Job{}, false, dataexport.ErrIdempotencyKeyReused
	}
	return job, replayed, nil
}

// A replayRow is the row of a job with one more column in front.
type replayRow struct {
	row      pgx.Row
	replayed *bool
}

func (r replayRow) Scan(targets ...any) error {
	return r.row.Scan(append([]any{r.replayed}, targets...)...)
}
