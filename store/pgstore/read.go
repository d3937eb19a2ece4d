package pgstore

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/dataexport/dataexport"
)

const (
	findJob = "SELECT " + columns + " FROM dataexport_jobs WHERE id = $1"
	getJob  = findJob + " AND workspace_id = $2 AND (NOT personal OR subject = $3)"
)

// Get implements dataexport.Store.
func (s *Store) Get(ctx context.Context, scope dataexport.Scope, id string) (dataexport.Job, error) {
	return s.read(ctx, id, getJob, id, scope.WorkspaceID, scope.Subject)
}

// Find implements dataexport.Store. A standby does not know that a job is missing: the job may not have reached it yet, and
// whoever asks may be about to remove the files of what is not there. So what a standby cannot find is an ErrUnavailable.
func (s *Store) Find(ctx context.Context, id string) (j dataexport.Job, err error) {
	if !validID(id) {
		return dataexport.Job{}, dataexport.ErrNotFound
	}
	err = s.pool.AcquireFunc(ctx, func(conn *pgxpool.Conn) error {
		j, err = one(conn.QueryRow(ctx, findJob, id))
		if !errors.Is(err, dataexport.ErrNotFound) {
			return err
		}
		var standby bool
		if err := conn.QueryRow(ctx, "SELECT pg_is_in_recovery()").Scan(&standby); err != nil {
			return err
		}
		if standby {
			return fmt.Errorf("%w: PostgreSQL: job %s is not to be found, but the server is a standby; connect to the primary, "+
				"with target_session_attrs=read-write if the connection string names several servers", dataexport.ErrUnavailable, id)
		}
		return dataexport.ErrNotFound
	})
	if err != nil {
		return dataexport.Job{}, explain(ctx, err)
	}
	return j, nil
}

func (s *Store) read(ctx context.Context, id, statement string, args ...any) (dataexport.Job, error) {
	if !validID(id) {
		return dataexport.Job{}, dataexport.ErrNotFound
	}
	j, err := one(s.pool.QueryRow(ctx, statement, args...))
	if err != nil {
		return dataexport.Job{}, explain(ctx, err)
	}
	return j, nil
}

// List implements dataexport.Store. A Limit below 1 or a negative Offset is an ErrInvalid.
func (s *Store) List(
	ctx context.Context, scope dataexport.Scope, q dataexport.ListQuery,
) (page []dataexport.Job, total int, err error) {
	if q.Limit < 1 || q.Offset < 0 {
		return nil, 0, fmt.Errorf("%w: a list has a limit of at least 1 and an offset of at least 0", dataexport.ErrInvalid)
	}
	where, args := listed(scope, q)
	err = s.transact(ctx, view, func(tx pgx.Tx) error {
		if err := tx.QueryRow(ctx, "SELECT count(*) FROM dataexport_jobs WHERE "+where, args...).Scan(&total); err != nil {
			return err
		}
		page, err = findAll(ctx, tx, pageOf(where, len(args)), append(args, q.Limit, q.Offset)...)
		return err
	})
	if err != nil {
		return nil, 0, explain(ctx, err)
	}
	return page, total, nil
}

// listed returns the condition that jobs of a list meet, with its arguments. The time is that of the transaction, the same
// for all of its statements.
func listed(scope dataexport.Scope, q dataexport.ListQuery) (where string, args []any) {
	where = "workspace_id = $1 AND (NOT personal OR subject = $2)"
	args = []any{scope.WorkspaceID, scope.Subject}
	switch q.Status {
	case "":
	case dataexport.StatusReady:
		where += " AND status = 'READY' AND expires_at > now()"
	case dataexport.StatusExpired:
		where += " AND (status = 'EXPIRED' OR status = 'READY' AND expires_at <= now())"
	default:
		args = append(args, string(q.Status))
		where += fmt.Sprintf(" AND status = $%d", len(args))
	}
	if q.Format != "" {
		args = append(args, q.Format)
		where += fmt.Sprintf(" AND format = $%d", len(args))
	}
	return where, args
}

// pageOf returns the query for a page of the jobs that meet a condition of so many arguments. Limit and offset follow them.
func pageOf(where string, args int) string {
	return fmt.Sprintf("SELECT %s, now() FROM dataexport_jobs WHERE %s ORDER BY created_at DESC, id DESC LIMIT $%d OFFSET $%d",
		jobColumns, where, args+1, args+2)
}
