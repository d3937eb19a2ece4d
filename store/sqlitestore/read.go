package sqlitestore

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/dataexport/dataexport"
)

// Get implements dataexport.Store.
func (s *Store) Get(ctx context.Context, scope dataexport.Scope, id string) (dataexport.Job, error) {
	j, err := s.Find(ctx, id)
	if err == nil && !j.VisibleTo(scope) {
		return dataexport.Job{}, dataexport.ErrNotFound
	}
	return j, err
}

// Find implements dataexport.Store.
func (s *Store) Find(ctx context.Context, id string) (j dataexport.Job, err error) {
	err = s.transact(ctx, reading, func(conn *sql.Conn) error {
		j, err = find(ctx, conn, "id = ?", id)
		return err
	})
	if err != nil {
		return dataexport.Job{}, err
	}
	return j.At(now()), nil
}

// List implements dataexport.Store. A Limit below 1 or a negative Offset is an ErrInvalid.
func (s *Store) List(
	ctx context.Context, scope dataexport.Scope, q dataexport.ListQuery,
) (page []dataexport.Job, total int, err error) {
	if q.Limit < 1 || q.Offset < 0 {
		return nil, 0, fmt.Errorf("%w: a list has a limit of at least 1 and an offset of at least 0", dataexport.ErrInvalid)
	}
	at := now()
	where, args := listed(scope, q, at)
	err = s.transact(ctx, reading, func(conn *sql.Conn) error { // one transaction, one view
		err := conn.QueryRowContext(ctx, "SELECT count(*) FROM dataexport_jobs WHERE "+where, args...).Scan(&total)
		if err != nil {
			return err
		}
		page, err = findAll(ctx, conn, where+listOrder, append(args, q.Limit, q.Offset)...)
		return err
	})
	if err != nil {
		return nil, 0, err
	}
	for i := range page {
		page[i] = page[i].At(at)
	}
	return page, total, nil
}

const listOrder = " ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?"

// listed returns the condition that jobs of a list meet, with its arguments.
func listed(scope dataexport.Scope, q dataexport.ListQuery, at time.Time) (where string, args []any) {
	where = "workspace_id = ? AND (personal = 0 OR subject = ?)"
	args = []any{scope.WorkspaceID, scope.Subject}
	switch q.Status {
	case "":
	case dataexport.StatusReady:
		where += " AND status = 'READY' AND expires_at > ?"
		args = append(args, nanoseconds(at))
	case dataexport.StatusExpired:
		where += " AND (status = 'EXPIRED' OR status = 'READY' AND expires_at <= ?)"
		args = append(args, nanoseconds(at))
	default:
		where += " AND status = ?"
		args = append(args, string(q.Status))
	}
	if q.Format != "" {
		where += " AND format = ?"
		args = append(args, q.Format)
	}
	return where, args
}
