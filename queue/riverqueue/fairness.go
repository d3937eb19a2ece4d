package riverqueue

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"

	"github.com/riverqueue/river"
)

// givesWay reports whether the export of a job is not in turn. Then River brings the one that goes first next, and this one
// before those of its workspace that came later: they have the same right, and it has waited for longer.
func (w *exportWorker) givesWay(ctx context.Context, job *river.Job[ExportArgs]) bool {
	first, err := w.store.Ahead(ctx, job.Args.ExportID)
	if err == nil && first != "" {
		err = w.queue.bringForward(ctx, job.ID, first)
	}
	if err != nil && ctx.Err() == nil { // being fair is not worth failing for
		w.queue.options.Logger.WarnContext(ctx, "it is not known whose turn it is", slog.String("job", job.Args.ExportID), slog.Any("error", err))
	}
	return err == nil && first != ""
}

// bringForward has River bring the waiting job of an export before others, as well as a job that is about to be snoozed.
// River has no function for it. It does not matter if the job of the export is gone or running by now.
func (q *Queue) bringForward(ctx context.Context, ownID int64, exportID string) error {
	args, err := json.Marshal(ExportArgs{ExportID: exportID})
	if err != nil {
		return err
	}
	_, err = q.pool.Exec(ctx, `
		UPDATE `+q.table+` SET priority = $1,
			scheduled_at = CASE WHEN state = 'running' THEN scheduled_at ELSE least(scheduled_at, now()) END,
			state = CASE WHEN state = 'scheduled' THEN 'available' ELSE state END
		WHERE id = $2 OR kind = $3 AND args @> $4 AND state IN ('available', 'scheduled')`,
		priorityInTurn, ownID, ExportKind, args)
	if err != nil {
		return fmt.Errorf("riverqueue: bringing the River job of export %s forward: %w", exportID, err)
	}
	return nil
}
