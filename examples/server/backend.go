package main

import (
	"context"
	"log/slog"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/examples/server/internal/database"
	"github.com/dataexport/dataexport/examples/server/internal/database/sqlite"
	"github.com/dataexport/dataexport/store/sqlitestore"
)

// A backend is where memories, accounts and jobs are kept, and what brings the jobs to the workers. Here alone the
// databases are told apart.
type backend struct {
	name  string // for the log
	db    database.DB
	store dataexport.Store

	// prepare makes the tables that are missing.
	prepare func(context.Context) error
	// unreachable reports whether an error says that the database does not answer at the moment.
	unreachable func(error) bool
	// run works on jobs until ctx is done.
	run   func(context.Context, *dataexport.Service) error
	close func() error
}

// openBackend chooses. It does not wait for a database that is elsewhere.
func openBackend(s *settings, log *slog.Logger) (*backend, error) {
	if s.store != "" {
		return openPostgres(s, log)
	}
	return openSQLite(s)
}

// openSQLite keeps everything in a file below -data.
func openSQLite(s *settings) (*backend, error) {
	db, err := sqlite.Open(s.data, connections(s.workers))
	if err != nil {
		return nil, err
	}
	return &backend{
		name:  "SQLite",
		db:    db,
		store: sqlitestore.New(db.SQL),
		prepare: func(ctx context.Context) error {
			if err := db.Prepare(ctx); err != nil {
				return err
			}
			return sqlitestore.Migrate(ctx, db.SQL)
		},
		unreachable: func(error) bool { return false },
		run:         func(ctx context.Context, service *dataexport.Service) error { return service.Run(ctx) },
		close:       db.Close,
	}, nil
}

// connections is how many statements may run at the same time: a page of memories or the view of an account for each worker,
// the view of an account for each stream, and some for requests, heartbeats and the sweep.
func connections(workers int) int { return workers + maxStreams + 6 }
