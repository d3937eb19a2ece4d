package pgstore

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/dataexport/dataexport"
)

const countJobs = `
	SELECT CASE WHEN status = 'READY' AND expires_at <= now() THEN 'EXPIRED' ELSE status END COLLATE "C" AS seen, dataset, format, count(*)
	FROM dataexport_jobs GROUP BY seen, dataset, format ORDER BY seen, dataset, format`

// longestWaiting finds how long the job that has waited the longest could have been claimed, or null. Jobs that were never
// delayed come first in the index, the oldest in front; of the others the one whose delay ended first.
const longestWaiting = `
	SELECT now() - min(since) FROM (
		(SELECT created_at AS since FROM dataexport_jobs
			WHERE status IN ('PENDING', 'PROCESSING') AND held_until = '-infinity' ORDER BY created_at LIMIT 1)
		UNION ALL
		(SELECT held_until FROM dataexport_jobs
			WHERE status IN ('PENDING', 'PROCESSING') AND held_until > '-infinity' AND held_until <= now() ORDER BY held_until LIMIT 1)
	) AS waiting`

// Stats implements dataexport.StatsReader. It reads all jobs.
func (s *Store) Stats(ctx context.Context) (stats dataexport.Stats, err error) {
	err = s.transact(ctx, view, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, countJobs)
		if err != nil {
			return err
		}
		stats.Jobs, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (c dataexport.JobCount, err error) {
			err = row.Scan(&c.Status, &c.Dataset, &c.Format, &c.Jobs)
			return c, err
		})
		if err != nil {
			return err
		}
		var waiting *time.Duration
		if err := tx.QueryRow(ctx, longestWaiting).Scan(&waiting); err != nil {
			return err
		}
		stats.Waiting = 0
		if waiting != nil {
			stats.Waiting = max(0, *waiting)
		}
		return nil
	})
	if err != nil {
		return dataexport.Stats{}, explain(ctx, err)
	}
	return stats, nil
}
