package pgstore

import (
	"cmp"
	"context"
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
	job, err := s.read(ctx, id, deleteJob, id, scope.WorkspaceID, scope.Subject)
	if err == nil {
		s.turns.deleted(ownedJob{id: id, workspace: scope.WorkspaceID})
		if job.Status == dataexport.StatusProcessing {
			s.turns.released(scope.WorkspaceID)
		}
	}
	return job, err
}

// wantedArguments are what updateFound is given: lists of as many values, one for each job.
const wantedArguments = `unnest($1::uuid[], $2::bigint[], $3::interval[], $4::text[], $5::int[], $6::bigint[], $7::bigint[], $8::bigint[],
		$9::bigint[], $10::text[], $11::text[], $12::text[], $13::text[]) WITH ORDINALITY
		AS wanted (job, at_version, hold, new_status, new_attempts, new_records, new_total, new_count, new_size, new_sha256,
			new_key, new_code, new_message, place)`

// findWanted finds the jobs that are as their updates expect. Those that are locked are left out if the statement goes on
// so, and are waited for otherwise.
const (
	findWanted = `
	WITH found AS MATERIALIZED (
		SELECT wanted.* FROM ` + wantedArguments + `
		JOIN dataexport_jobs ON id = wanted.job AND version = wanted.at_version
		FOR UPDATE OF dataexport_jobs`
	skipLocked = ` SKIP LOCKED`
)

// updateFound says of rows what dataexport.Job.Updated says of a job.
const updateFound = `
	)
	UPDATE dataexport_jobs SET
		version = version + 1, updated_at = statement_timestamp(),
		status = new_status, attempts = new_attempts, progress_records = new_records, progress_total = new_total,
		record_count = new_count, file_size = new_size, sha256 = new_sha256, blob_key = new_key,
		error_code = new_code, error_message = new_message,
		held_until = CASE WHEN new_status IN ('PENDING', 'PROCESSING') THEN statement_timestamp() + hold ELSE held_until END,
		completed_at = CASE WHEN status = 'PROCESSING' AND new_status NOT IN ('PENDING', 'PROCESSING')
			THEN statement_timestamp() ELSE completed_at END,
		expires_at = CASE WHEN status = 'PROCESSING' AND new_status = 'READY' THEN statement_timestamp() + hold ELSE expires_at END
	FROM found WHERE id = job AND version = at_version
	RETURNING place, ` + columns

// An update is one call of Update.
type update struct {
	job dataexport.Job // as it is wanted
	d   time.Duration
}

// updatesTogether is how many jobs a statement updates at the most.
const updatesTogether = 64

// Update implements dataexport.Store. A status that is none, and text that PostgreSQL cannot hold, are an ErrInvalid.
// Updates of this Store at the same time are made together, but for one that must wait for somebody else's lock, and one that
// gives a job to whoever wants it.
func (s *Store) Update(ctx context.Context, j dataexport.Job, d time.Duration) (updated dataexport.Job, err error) {
	if err := checkUpdate(&j); err != nil {
		return dataexport.Job{}, err
	}
	u := update{job: j, d: d}
	notifies := j.Status == dataexport.StatusPending && d <= 0 && !s.quiet // others may have it at once
	done := updatedJob{}
	if !notifies {
		done, err = s.updates.do(ctx, u)
	}
	if err == nil && !done.found {
		done, err = s.updateAlone(ctx, u, notifies)
	}
	switch err = cmp.Or(err, done.err); {
	case err != nil:
		return dataexport.Job{}, explain(ctx, err)
	case !done.found:
		return dataexport.Job{}, s.explainRefusal(ctx, j.ID)
	}
	if expired := j.Status == dataexport.StatusReady && j.BlobKey == ""; done.job.Status != dataexport.StatusProcessing && !expired {
		s.turns.released(done.job.Scope.WorkspaceID)
	}
	if done.job.Status == dataexport.StatusPending {
		s.announce()
	}
	return done.job, nil
}

// checkUpdate returns an ErrInvalid if a job cannot be written, and ErrNotFound if none can have its id.
func checkUpdate(j *dataexport.Job) error {
	if !j.Status.Valid() {
		return fmt.Errorf("%w: a job cannot have the status %q", dataexport.ErrInvalid, j.Status)
	}
	if !validID(j.ID) {
		return dataexport.ErrNotFound
	}
	texts := []text{{"the SHA-256", j.SHA256}, {"the key of the file", j.BlobKey}}
	if j.Error != nil {
		texts = append(texts, text{"the code of the error", j.Error.Code}, text{"the message of the error", j.Error.Message})
	}
	return checkTexts(texts...)
}

// An updatedJob is what has come of a call of Update: nothing is found if the job has another version, is not there, or is
// locked.
type updatedJob struct {
	job   dataexport.Job
	found bool
	err   error // the row is unreadable
}

// updateTogether makes several updates, but for those of locked jobs: one that is locked for long must not keep the others
// waiting, whose leases run out.
func (s *Store) updateTogether(ctx context.Context, updates []update) (done []updatedJob, err error) {
	args := arguments(updates)
	err = s.send(ctx, func(batch *pgx.Batch) {
		done = make([]updatedJob, len(updates))
		batch.Queue(findWanted+skipLocked+updateFound, args...).Query(func(rows pgx.Rows) error {
			return eachPlace(rows, func(place int, job dataexport.Job, err error) { done[place] = updatedJob{job, true, err} })
		})
	})
	return done, err
}

// updateAlone makes one update, waiting for who has locked the job, and notifies idle workers in the same transaction.
func (s *Store) updateAlone(ctx context.Context, u update, notifies bool) (done updatedJob, err error) {
	args := arguments([]update{u})
	err = s.send(ctx, func(batch *pgx.Batch) {
		done = updatedJob{}
		batch.Queue(findWanted+updateFound, args...).Query(func(rows pgx.Rows) error {
			return eachPlace(rows, func(_ int, job dataexport.Job, err error) { done = updatedJob{job, true, err} })
		})
		if notifies {
			batch.Queue(announceJob)
		}
	})
	return done, err
}

// arguments returns what updateFound is given.
func arguments(updates []update) []any {
	n := len(updates)
	var (
		ids, statuses, sums, keys        = make([]string, n), make([]string, n), make([]string, n), make([]string, n)
		versions, records, counts, sizes = make([]int64, n), make([]int64, n), make([]int64, n), make([]int64, n)
		attempts                         = make([]int, n)
		holds                            = make([]time.Duration, n)
		totals                           = make([]*int64, n)
		codes, messages                  = make([]*string, n), make([]*string, n)
	)
	for i, u := range updates {
		j := &u.job
		ids[i], versions[i], holds[i], statuses[i], attempts[i] = j.ID, j.Version, u.d, string(j.Status), j.Attempts
		records[i], totals[i], counts[i], sizes[i] = j.Progress.Records, j.Progress.Total, j.RecordCount, j.FileSize
		sums[i], keys[i] = j.SHA256, j.BlobKey
		if j.Error != nil {
			codes[i], messages[i] = &j.Error.Code, &j.Error.Message
		}
	}
	return []any{ids, versions, holds, statuses, attempts, records, totals, counts, sizes, sums, keys, codes, messages}
}

// explainRefusal returns why no row was updated: the version is another, or there is no such job.
func (s *Store) explainRefusal(ctx context.Context, id string) error {
	if _, err := s.Find(ctx, id); err != nil {
		return err
	}
	return dataexport.ErrConflict
}
