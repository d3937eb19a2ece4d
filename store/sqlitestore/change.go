package sqlitestore

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/dataexport/dataexport"
)

// Delete implements dataexport.Store.
func (s *Store) Delete(ctx context.Context, scope dataexport.Scope, id string) (j dataexport.Job, err error) {
	err = s.transact(ctx, writing, func(conn *sql.Conn) error {
		if j, err = find(ctx, conn, "id = ?", id); err != nil {
			return err
		}
		if !j.VisibleTo(scope) {
			return dataexport.ErrNotFound
		}
		_, err := conn.ExecContext(ctx, "DELETE FROM dataexport_jobs WHERE id = ?", id)
		return err
	})
	if err != nil {
		return dataexport.Job{}, err
	}
	return j.At(now()), nil
}

// Update implements dataexport.Store. A status that is none is an ErrInvalid.
func (s *Store) Update(ctx context.Context, j dataexport.Job, d time.Duration) (updated dataexport.Job, err error) {
	if !j.Status.Valid() {
		return dataexport.Job{}, fmt.Errorf("%w: a job cannot have the status %q", dataexport.ErrInvalid, j.Status)
	}
	var at time.Time
	err = s.transact(ctx, writing, func(conn *sql.Conn) error {
		stored, err := find(ctx, conn, "id = ?", j.ID)
		if err != nil {
			return err
		}
		if stored.Version != j.Version {
			return dataexport.ErrConflict
		}
		at = now()
		stored = stored.Updated(j, at, d)
		if err := save(ctx, conn, &stored); err != nil {
			return err
		}
		updated, err = find(ctx, conn, "id = ?", j.ID)
		return err
	})
	if err != nil {
		return dataexport.Job{}, err
	}
	if updated.Status.Active() {
		s.announce()
	}
	return updated.At(at), nil
}
