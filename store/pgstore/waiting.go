package pgstore

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

const waiting = `
	SELECT id::text FROM dataexport_jobs
	WHERE status IN ('PENDING', 'PROCESSING') AND greatest(held_until, created_at) <= statement_timestamp() - $1::interval
		AND held_until <= statement_timestamp() - $1::interval AND id > $2
	ORDER BY id LIMIT $3`

// Waiting returns the ids, in ascending order and above the id after, which may be empty, of jobs that could have been
// claimed for at least the given time. It returns limit of them at the most, and looks at all jobs that wait.
func (s *Store) Waiting(ctx context.Context, atLeast time.Duration, after string, limit int) (ids []string, err error) {
	if after == "" {
		after = "00000000-0000-0000-0000-000000000000"
	}
	rows, err := s.pool.Query(ctx, waiting, atLeast, after, limit)
	if err != nil {
		return nil, explain(ctx, err)
	}
	if ids, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
		return nil, explain(ctx, fmt.Errorf("looking for jobs that wait: %w", err))
	}
	return ids, nil
}
