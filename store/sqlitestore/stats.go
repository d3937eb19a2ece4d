package sqlitestore

import (
	"context"
	"database/sql"
	"time"

	"github.com/dataexport/dataexport"
)

// countJobs counts the jobs of each kind, by the time.
const countJobs = `
	SELECT CASE WHEN status = 'READY' AND expires_at <= ? THEN 'EXPIRED' ELSE status END AS seen, dataset, format, count(*)
	FROM dataexport_jobs GROUP BY seen, dataset, format ORDER BY seen, dataset, format`

// longestWaiting finds since when the job that has waited the longest could have been claimed, by the time, or null.
const longestWaiting = `
	SELECT min(max(created_at, held_until)) FROM dataexport_jobs
	WHERE status IN ('PENDING', 'PROCESSING') AND held_until <= ?`

// Stats implements dataexport.StatsReader. It reads all jobs.
func (s *Store) Stats(ctx context.Context) (stats dataexport.Stats, err error) {
	at := now()
	err = s.transact(ctx, reading, func(conn *sql.Conn) error {
		if stats.Jobs, err = jobCounts(ctx, conn, at); err != nil {
			return err
		}
		var since sql.NullInt64
		if err := conn.QueryRowContext(ctx, longestWaiting, nanoseconds(at)).Scan(&since); err != nil {
			return err
		}
		if since.Valid {
			stats.Waiting = max(0, at.Sub(instant(since.Int64)))
		}
		return nil
	})
	return stats, err
}

func jobCounts(ctx context.Context, conn *sql.Conn, at time.Time) (counts []dataexport.JobCount, err error) {
	rows, err := conn.QueryContext(ctx, countJobs, nanoseconds(at))
	if err != nil {
		return nil, err
	}
	defer rows.Close() // rows.Err has told already
	for rows.Next() {
		var c dataexport.JobCount
		if err := rows.Scan(&c.Status, &c.Dataset, &c.Format, &c.Jobs); err != nil {
			return nil, err
		}
		counts = append(counts, c)
	}
	return counts, rows.Err()
}
