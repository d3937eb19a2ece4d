package riverqueue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/riverqueue/river"
)

// turnTimeout is how long it may take to find out whose turn it is.
const turnTimeout = 5 * time.Second

// givesWay reports whether the export of a job is not in turn, and another is that River can bring. River brings that one
// next, and this one before those of its workspace that came later: they have the same right, and it has waited for longer.
// A worker never gives way to an export that has no River job, or whose River job another worker has in hand: it would
// wait for nothing.
func (w *exportWorker) givesWay(ctx context.Context, job *river.Job[ExportArgs]) bool {
	ctx, cancel := context.WithTimeout(ctx, turnTimeout)
	defer cancel()
	var about metadata
	_ = json.Unmarshal(job.Metadata, &about) // else the store looks it up
	ahead, err := w.store.Ahead(ctx, about.Workspace, job.Args.ExportID)
	brought := false
	if err == nil && len(ahead) > 0 {
		brought, err = w.queue.bringForward(ctx, job.ID, ahead)
	}
	if err != nil && !errors.Is(ctx.Err(), context.Canceled) { // being fair is not worth failing for
		w.queue.options.Logger.WarnContext(ctx, "it is not known whose turn it is", slog.String("job", job.Args.ExportID), slog.Any("error", err))
	}
	return brought
}

// bringForward has River bring the waiting job of the first of some exports that has one before others, together with a
// job that gives way to it and is about to be snoozed. River has no function for it.
func (q *Queue) bringForward(ctx context.Context, ownID int64, exports []string) (brought bool, err error) {
	tag, err := q.pool.Exec(ctx, `
		WITH brought AS (
			UPDATE `+q.table+` SET priority = $1, scheduled_at = least(scheduled_at, now()), state = 'available'
			WHERE id = (
				SELECT id FROM `+q.table+` WHERE state IN ('available', 'scheduled') AND id = (
					SELECT job.id FROM unnest($3::text[]) WITH ORDINALITY AS export (id, place) CROSS JOIN LATERAL (
						SELECT id FROM `+q.table+`
						WHERE kind = '`+ExportKind+`' AND args->>'export_id' = export.id AND state IN ('available', 'scheduled') LIMIT 1) AS job
					ORDER BY place LIMIT 1)
				FOR UPDATE SKIP LOCKED)
			RETURNING id)
		UPDATE `+q.table+` SET priority = $1 WHERE id = $2 AND EXISTS (SELECT FROM brought)`,
		priorityInTurn, ownID, exports)
	if err != nil {
		return false, fmt.Errorf("riverqueue: bringing a River job forward: %w", err)
	}
	return tag.RowsAffected() > 0, nil
}
