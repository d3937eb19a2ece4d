package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/examples/server/internal/database/postgres"
	"github.com/dataexport/dataexport/queue/riverqueue"
	"github.com/dataexport/dataexport/store/pgstore"
)

// queueConnections are those that listen for work, River's among them, and that elect who starts its periodic jobs.
const queueConnections = 4

// openPostgres keeps everything in a PostgreSQL database, which other servers may share.
func openPostgres(s *settings, log *slog.Logger) (*backend, error) {
	db, err := postgres.Open(s.store, connections(s.workers)+queueConnections)
	if err != nil {
		return nil, err
	}
	b := &backend{
		name:        "PostgreSQL",
		db:          db,
		unreachable: func(err error) bool { return errors.Is(err, dataexport.ErrUnavailable) },
		close:       db.Close,
	}
	if s.queue == queueRiver {
		err = b.queueWithRiver(db, s, log)
	} else {
		b.queueWithPool(db)
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return b, nil
}

// queueWithPool has the workers of the library look for jobs in the store.
func (b *backend) queueWithPool(db *postgres.DB) {
	b.store = pgstore.New(db.Pool, pgstore.Options{})
	b.prepare = func(ctx context.Context) error {
		if err := db.Prepare(ctx); err != nil {
			return err
		}
		return postgres.Explain(pgstore.Migrate(ctx, db.Pool))
	}
	b.run = func(ctx context.Context, service *dataexport.Service) error { return service.Run(ctx) }
}

// queueWithRiver has River bring the jobs, each of which is inserted together with one of River's own.
func (b *backend) queueWithRiver(db *postgres.DB, s *settings, log *slog.Logger) error {
	notice := min(2*s.lease, time.Minute) // the death of another server, after its leases have run out
	queue, err := riverqueue.New(db.Pool, riverqueue.Options{Workers: s.workers, Logger: log, LostAfter: notice, SweepInterval: notice})
	if err != nil {
		return err
	}
	store := pgstore.New(db.Pool, pgstore.Options{OnCreate: queue.Insert, Quiet: true})
	b.store = store
	b.prepare = func(ctx context.Context) error {
		if err := db.Prepare(ctx); err != nil {
			return err
		}
		if err := pgstore.Migrate(ctx, db.Pool); err != nil {
			return postgres.Explain(err)
		}
		// River's migrations do not wait for those of another process.
		return db.Alone(ctx, func(ctx context.Context) error { return riverqueue.Migrate(ctx, db.Pool, "") })
	}
	b.run = func(ctx context.Context, service *dataexport.Service) error { return queue.Run(ctx, service, store) }
	return nil
}
