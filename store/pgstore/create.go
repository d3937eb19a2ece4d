package pgstore

import (
	"cmp"
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
func (o *order) createJob() (statement string, args []any) {
	args = []any{
		o.ID, o.Scope.WorkspaceID, o.Scope.Subject, o.Dataset, o.Format, o.Personal, o.filter, o.IdempotencyKey, o.Fingerprint,
	}
	statement = insertJob
	if o.MaxActive > 0 {
		args = append(args, o.MaxActive)
		statement += fmt.Sprintf(activeQuota, len(args))
	}
	if o.MaxReady > 0 {
		args = append(args, o.MaxReady)
		statement += fmt.Sprintf(readyQuota, len(args))
	}
	if o.IdempotencyKey == "" {
		return statement + ` RETURNING false, ` + columns, args
	}
	return earlier + `, inserted AS (` + statement + ` AND NOT EXISTS (SELECT FROM earlier) RETURNING *)
	SELECT true, ` + columns + ` FROM earlier UNION ALL SELECT false, ` + columns + ` FROM inserted`, args
}

// announceJob wakes those who wait for work. It does not where so many jobs wait that nobody can be idle, since each worker
// that is woken wakes another while there is more: a commit with a notification waits for all others that have one. Jobs that
// the same transaction has made do not count.
const announceJob = `
	SELECT pg_notify('` + channel + `', '') WHERE 16 > (SELECT count(*) FROM (
		SELECT FROM dataexport_jobs
		WHERE status IN ('PENDING', 'PROCESSING') AND held_until <= statement_timestamp() AND created_at < now()
		ORDER BY held_until LIMIT 16) AS waiting)`

// ordersTogether is how many jobs are made in a transaction at the most.
const ordersTogether = 32

// Create implements dataexport.Store. A job with an id that is no UUID or is taken, without a workspace, or with text that
// PostgreSQL cannot hold, is an ErrInvalid. Jobs that are ordered from this Store at the same time are made together.
func (s *Store) Create(ctx context.Context, n dataexport.NewJob) (dataexport.Job, bool, error) {
	if err := checkNewJob(&n); err != nil {
		return dataexport.Job{}, false, err
	}
	filter, err := json.Marshal(n.Filter)
	if err != nil {
		return dataexport.Job{}, false, fmt.Errorf("%w: the filter: %w", dataexport.ErrInvalid, err)
	}
	made, err := s.orders.do(ctx, order{NewJob: n, filter: string(filter)})
	switch err = cmp.Or(err, made.err); {
	case violates(err, "dataexport_jobs_pkey"):
		return dataexport.Job{}, false, fmt.Errorf("%w: there is a job with the id %s already", dataexport.ErrInvalid, n.ID)
	case err != nil:
		return dataexport.Job{}, false, explain(ctx, err)
	case made.refused:
		return dataexport.Job{}, false, dataexport.ErrTooManyExports
	case made.replayed && made.job.Fingerprint != n.Fingerprint:
		return dataexport.Job{}, false, dataexport.ErrIdempotencyKeyReused
	}
	if !made.replayed {
		s.turns.ordered(ownedJob{id: made.job.ID, workspace: made.job.Scope.WorkspaceID}, made.job.CreatedAt)
		s.announce()
	}
	return made.job, made.replayed, nil
}

// An order is one call of Create.
type order struct {
	dataexport.NewJob
	filter string
}

// locks reports whether the workspace must be locked while the job is made.
func (o *order) locks() bool { return o.IdempotencyKey != "" || o.MaxActive > 0 || o.MaxReady > 0 }

// A madeJob is what has come of an order.
type madeJob struct {
	job      dataexport.Job
	replayed bool // it was there already
	refused  bool // there is none, since a quota is full
	err      error
}

// createTogether makes the jobs of several orders in one transaction, and has the host add what belongs to them.
func (s *Store) createTogether(ctx context.Context, orders []order) (made []madeJob, err error) {
	if s.onCreate == nil {
		err = s.send(ctx, func(batch *pgx.Batch) { made = s.fill(batch, orders) })
		return made, err
	}
	err = s.transact(ctx, changing, func(tx pgx.Tx) error {
		var batch pgx.Batch
		made = s.fill(&batch, orders)
		if err := tx.SendBatch(ctx, &batch).Close(); err != nil {
			return err
		}
		var created []dataexport.Job
		for _, m := range made {
			if !m.replayed && !m.refused && m.err == nil {
				created = append(created, m.job.Clone())
			}
		}
		if len(created) == 0 {
			return nil
		}
		return callHost(ctx, tx, created, s.onCreate)
	})
	return made, err
}

// fill adds the statements that make jobs or find them, and returns where it will be seen what has come of the orders.
func (s *Store) fill(batch *pgx.Batch, orders []order) []madeJob {
	if orders[0].locks() { // then all do, and are of one workspace
		batch.Queue(lockWorkspace, workspaceLock, orders[0].Scope.WorkspaceID)
	}
	made := make([]madeJob, len(orders))
	for i, o := range orders {
		statement, args := o.createJob()
		batch.Queue(statement, args...).QueryRow(func(row pgx.Row) error {
			job, at, err := scan(prefixedRow{row, &made[i].replayed})
			switch {
			case errors.Is(err, pgx.ErrNoRows):
				made[i].refused = true
			case errors.As(err, new(*unreadable)):
				made[i].err = err
			default:
				made[i].job = job.At(at)
				return err
			}
			return nil
		})
	}
	if !s.quiet {
		batch.Queue(announceJob)
	}
	return made
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
