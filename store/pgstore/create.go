package pgstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/dataexport/dataexport"
)

// workspaceLock is the class of the advisory locks under which jobs of a workspace are made, one after the other: what
// one finds, its key and its quota, must not change before it is there. Workspaces of the same hash wait for each other.
const workspaceLock = 0x64617461 // "data"

const lockWorkspace = "SELECT pg_advisory_xact_lock($1, hashtext($2))"

// insertJob makes a job where what follows it holds.
const insertJob = `
		INSERT INTO dataexport_jobs (id, workspace_id, subject, dataset, format, personal, filter, idempotency_key, fingerprint,
			version, status, created_at, updated_at, held_until, attempts, progress_records, record_count, file_size, sha256, blob_key)
		SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9,
			1, 'PENDING', statement_timestamp(), statement_timestamp(), '-infinity', 0, 0, 0, 0, '', ''
		WHERE true`

// The quotas of a workspace, each for the number of the argument that it is.
const (
	activeQuota = `
			AND (SELECT count(*) FROM (
				SELECT FROM dataexport_jobs WHERE workspace_id = $2 AND status IN ('PENDING', 'PROCESSING') LIMIT $%[1]d) AS active) < $%[1]d`
	readyQuota = `
			AND (SELECT count(*) FROM (
				SELECT FROM dataexport_jobs WHERE workspace_id = $2 AND status = 'READY' AND expires_at > statement_timestamp()
				LIMIT $%[1]d) AS ready) < $%[1]d`
)

// earlier finds the job with an idempotency key, of which there can be two, one of them personal: the one with the same
// fingerprint goes first.
const earlier = `
	WITH earlier AS (
		SELECT * FROM dataexport_jobs
		WHERE workspace_id = $2 AND idempotency_key = $8 AND idempotency_key <> '' AND (NOT personal OR subject = $3)
		ORDER BY fingerprint = $9 DESC LIMIT 1
	)`

// createJob returns the statement that makes a job, and its arguments. It has no row if a quota is full, and otherwise that
// of the job and whether it was there already. The statement has nothing that is not needed: what it could do costs time too.
func (c *creation) createJob() (statement string, args []any) {
	args = []any{
		c.ID, c.Scope.WorkspaceID, c.Scope.Subject, c.Dataset, c.Format, c.Personal, c.filter, c.IdempotencyKey, c.Fingerprint,
	}
	statement = insertJob
	if c.MaxActive > 0 {
		args = append(args, c.MaxActive)
		statement += fmt.Sprintf(activeQuota, len(args))
	}
	if c.MaxReady > 0 {
		args = append(args, c.MaxReady)
		statement += fmt.Sprintf(readyQuota, len(args))
	}
	if c.IdempotencyKey == "" {
		return statement + ` RETURNING false, ` + columns, args
	}
	return earlier + `, inserted AS (` + statement + ` AND NOT EXISTS (SELECT FROM earlier) RETURNING *)
	SELECT true, ` + columns + ` FROM earlier UNION ALL SELECT false, ` + columns + ` FROM inserted`, args
}

// announceJob wakes those who wait for work. It does not where so many jobs wait that nobody can be idle: a commit with a
// notification waits for all others that have one.
const announceJob = `
	SELECT pg_notify('` + channel + `', '') WHERE 50 > (SELECT count(*) FROM (
		SELECT FROM dataexport_jobs
		WHERE status IN ('PENDING', 'PROCESSING') AND held_until <= statement_timestamp()
		ORDER BY held_until LIMIT 50) AS waiting)`

// Create implements dataexport.Store. A job with an id that is no UUID or is taken, without a workspace, or with text that
// PostgreSQL cannot hold, is an ErrInvalid.
func (s *Store) Create(ctx context.Context, n dataexport.NewJob) (dataexport.Job, bool, error) {
	c, err := newCreation(n, s.quiet)
	if err != nil {
		return dataexport.Job{}, false, err
	}
	if s.onCreate == nil {
		err = s.send(ctx, c.fill)
	} else {
		err = s.transact(ctx, changing, func(tx pgx.Tx) error { return s.createWithHost(ctx, tx, c) })
	}
	switch {
	case violates(err, "dataexport_jobs_pkey"):
		return dataexport.Job{}, false, fmt.Errorf("%w: there is a job with the id %s already", dataexport.ErrInvalid, n.ID)
	case err != nil:
		return dataexport.Job{}, false, explain(ctx, err)
	case c.replayed && c.job.Fingerprint != n.Fingerprint:
		return dataexport.Job{}, false, dataexport.ErrIdempotencyKeyReused
	}
	if !c.replayed {
		s.announce()
	}
	return c.job, c.replayed, nil
}

// createWithHost makes the job and has the host add what belongs to it.
func (s *Store) createWithHost(ctx context.Context, tx pgx.Tx, c *creation) error {
	var batch pgx.Batch
	c.fill(&batch)
	if err := tx.SendBatch(ctx, &batch).Close(); err != nil || c.replayed {
		return err
	}
	return callHost(ctx, tx, c.job.Clone(), s.onCreate)
}

// A creation is one call of Create.
type creation struct {
	dataexport.NewJob
	filter string
	quiet  bool // nobody is to be notified

	job      dataexport.Job // what has come of it
	replayed bool
}

func newCreation(n dataexport.NewJob, quiet bool) (*creation, error) {
	if err := checkNewJob(&n); err != nil {
		return nil, err
	}
	filter, err := json.Marshal(n.Filter)
	if err != nil {
		return nil, fmt.Errorf("%w: the filter: %w", dataexport.ErrInvalid, err)
	}
	return &creation{NewJob: n, filter: string(filter), quiet: quiet}, nil
}

// fill adds the statements that make the job or find it. If a quota is full, nothing is made, and the batch ends with
// ErrTooManyExports.
func (c *creation) fill(batch *pgx.Batch) {
	if c.IdempotencyKey != "" || c.MaxActive > 0 || c.MaxReady > 0 {
		batch.Queue(lockWorkspace, workspaceLock, c.Scope.WorkspaceID)
	}
	statement, args := c.createJob()
	batch.Queue(statement, args...).QueryRow(func(row pgx.Row) error {
		job, at, err := scan(prefixedRow{row, &c.replayed})
		if errors.Is(err, pgx.ErrNoRows) {
			return dataexport.ErrTooManyExports
		}
		c.job = job.At(at)
		return err
	})
	if !c.quiet {
		batch.Queue(announceJob)
	}
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
