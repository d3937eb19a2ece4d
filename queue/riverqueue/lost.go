package riverqueue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/dataexport/dataexport"
)

const lostBatch = 500 // exports or River jobs that are looked at together

// findLost mends what has fallen between exports and River.
func (w *sweepWorker) findLost(ctx context.Context) error {
	return errors.Join(w.releaseLost(ctx), w.restoreLost(ctx))
}

// releaseLost gives River jobs free that run by what River knows and whose worker is dead by what the lease of their export
// says. River's rescuer leaves them alone, since nothing tells it how long an export may take.
func (w *sweepWorker) releaseLost(ctx context.Context) error {
	params := river.NewJobListParams().Kinds(ExportKind).States(rivertype.JobStateRunning).First(lostBatch).
		Where("attempted_at < now() - @longest::interval", river.NamedArgs{"longest": w.queue.options.LostAfter})
	for {
		page, err := w.queue.client.JobList(ctx, params)
		if err != nil {
			return fmt.Errorf("riverqueue: looking for River jobs whose worker is lost: %w", err)
		}
		var lost []int64
		for _, job := range page.Jobs {
			held, err := w.held(ctx, job)
			if err != nil {
				return err
			}
			if !held {
				lost = append(lost, job.ID)
			}
		}
		if err := w.queue.release(ctx, lost); err != nil {
			return err
		}
		if len(page.Jobs) < lostBatch {
			return nil
		}
		params = params.After(page.LastCursor)
	}
}

// held reports whether some worker may be busy with the export of a River job: it holds the lease, or has let go of it a
// moment ago.
func (w *sweepWorker) held(ctx context.Context, job *rivertype.JobRow) (bool, error) {
	var args ExportArgs
	if err := json.Unmarshal(job.EncodedArgs, &args); err != nil {
		return false, nil //nolint:nilerror // once it is free, River itself finds what is wrong with it
	}
	export, err := w.store.Find(ctx, args.ExportID)
	if errors.Is(err, dataexport.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("riverqueue: looking at export %s: %w", args.ExportID, err)
	}
	latest := export.UpdatedAt
	if export.Status.Active() && export.HeldUntil.After(latest) {
		latest = export.HeldUntil
	}
	return time.Since(latest) < w.queue.options.LostAfter, nil
}

// release makes River jobs available that were running. River's own rescue does the same and cannot be asked for. Jobs
// that were to be cancelled are cancelled now.
func (q *Queue) release(ctx context.Context, ids []int64) error {
	if len(ids) == 0 {
		return nil
	}
	q.options.Logger.WarnContext(ctx, "the workers of some River jobs are lost; they are given to others", slog.Any("river_jobs", ids))
	_, err := q.pool.Exec(ctx, `
		UPDATE `+q.table+` SET
			state = CASE WHEN metadata ? 'cancel_attempted_at' THEN 'cancelled' WHEN true THEN 'available' ELSE state END,
			finalized_at = CASE WHEN metadata ? 'cancel_attempted_at' THEN now() END,
			scheduled_at = now(),
			attempt = greatest(attempt - 1, 0),
			errors = array_append(errors, jsonb_build_object(
				'at', to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), 'attempt', attempt,
				'error', 'the worker was lost: the lease of the export has run out', 'trace', ''))
		WHERE id = ANY($1) AND state = 'running' AND attempted_at < now() - $2::interval`,
		ids, q.options.LostAfter)
	if err != nil {
		return fmt.Errorf("riverqueue: releasing River jobs whose workers are lost: %w", err)
	}
	return nil
}

// restoreLost looks at the exports that wait for long. One whose River job is gone gets another. One whose River job was
// cancelled has failed.
func (w *sweepWorker) restoreLost(ctx context.Context) error {
	for after := ""; ; {
		ids, err := w.store.Waiting(ctx, w.queue.options.LostAfter, after, lostBatch)
		if err != nil {
			return fmt.Errorf("riverqueue: looking for exports that wait: %w", err)
		}
		states, err := w.queue.states(ctx, ids)
		if err != nil {
			return err
		}
		for _, id := range ids {
			if err := w.restore(ctx, id, states[id]); err != nil {
				return err
			}
		}
		if len(ids) < lostBatch {
			return nil
		}
		after = ids[len(ids)-1]
	}
}

// states returns the state of the latest River job of each export that has any. A live one counts as the latest.
func (q *Queue) states(ctx context.Context, ids []string) (map[string]rivertype.JobState, error) {
	states := make(map[string]rivertype.JobState)
	if len(ids) == 0 {
		return states, nil
	}
	rows, err := q.pool.Query(ctx, `
		SELECT export, job.state FROM unnest($1::text[]) AS export
		CROSS JOIN LATERAL (SELECT state, id FROM `+q.table+` WHERE kind = '`+ExportKind+`' AND args->>'export_id' = export OFFSET 0) AS job
		ORDER BY job.id`, ids)
	if err != nil {
		return nil, fmt.Errorf("riverqueue: looking for the River jobs of exports: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		var state rivertype.JobState
		if err := rows.Scan(&id, &state); err != nil {
			return nil, fmt.Errorf("riverqueue: looking for the River jobs of exports: %w", err)
		}
		if !slices.Contains(liveStates, states[id]) {
			states[id] = state
		}
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("riverqueue: looking for the River jobs of exports: %w", err)
	}
	return states, nil
}

// restore does what is to be done for an export that waits, given the state of its latest River job, or "" if it has none.
func (w *sweepWorker) restore(ctx context.Context, id string, state rivertype.JobState) error {
	if slices.Contains(liveStates, state) {
		return nil
	}
	if state == rivertype.JobStateCancelled {
		_, err := w.runner.FailJob(ctx, id, errCancelled)
		if errors.Is(err, dataexport.ErrNoJob) || errors.Is(err, dataexport.ErrNotFound) || errors.Is(err, dataexport.ErrConflict) {
			return nil // it was deleted, or is held by somebody; there will be another look
		}
		return err
	}
	export, err := w.store.Find(ctx, id)
	if errors.Is(err, dataexport.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("riverqueue: looking at export %s: %w", id, err)
	}
	w.queue.options.Logger.WarnContext(ctx, "an export had no River job and gets another", slog.String("job", id),
		slog.String("workspace", export.Scope.WorkspaceID), slog.Int("attempt", export.Attempts), slog.String("river_state", string(state)))
	options, err := w.queue.insertOptions(&export)
	if err != nil {
		return err
	}
	if _, err := w.queue.client.Insert(ctx, ExportArgs{ExportID: id}, options); err != nil {
		return fmt.Errorf("riverqueue: inserting the River job of export %s: %w", id, err)
	}
	return nil
}
