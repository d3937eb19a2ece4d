package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"time"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/httpadapter"
	"github.com/dataexport/dataexport/render"
	"github.com/dataexport/dataexport/store/fileblob"
	"github.com/dataexport/dataexport/store/sqlitestore"
)

// shutdownTimeout is how long downloads under way may go on after the server was told to stop.
const shutdownTimeout = 5 * time.Second

// serve puts the parts together and works until ctx is done.
func serve(ctx context.Context, s settings, out, logOutput io.Writer) (err error) {
	log := slog.New(slog.NewTextHandler(logOutput, nil))
	listener, err := net.Listen("tcp", s.addr) // first, so that a port in use is told before a long import
	if err != nil {
		return fmt.Errorf("-addr: %w", err)
	}
	defer listener.Close() // closes it only if the HTTP server was never started
	db, err := openDatabase(ctx, s.data, connections(s.workers))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	files, err := fileblob.New(filepath.Join(s.data, "files"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, files.Close()) }()
	if err := sqlitestore.Migrate(ctx, db); err != nil {
		return err
	}
	keys, demo, err := accessKeys(ctx, db, s.keys)
	if err != nil {
		return err
	}
	accounts, err := accountArchive()
	if err != nil {
		return err
	}
	owner := dataexport.Scope{WorkspaceID: keys[0].Principal.WorkspaceID, Subject: keys[0].Principal.Subject}
	if err := importAccount(ctx, db, accounts, s.account, owner, log); err != nil {
		return err
	}
	if err := importOnce(ctx, db, s.memories, log); err != nil {
		return err
	}
	hasAccount, err := accountExists(ctx, db, owner)
	if err != nil {
		return err
	}
	service, err := dataexport.New(dataexport.Config{
		Datasets:  []dataexport.Dataset{newMemories(db, defaultPageSize), newAccount(db, accounts)},
		Renderers: []dataexport.Renderer{render.JSON(), render.CSV(), render.Markdown(), render.Zip()},
		Store:     sqlitestore.New(db),
		Blobs:     files,
		Retention: s.retention,
		Workers:   s.workers,
		Logger:    log,
	})
	if err != nil {
		return err
	}
	printWelcome(out, listener.Addr(), demo, hasAccount)
	return work(ctx, service, newServer(service, keys, log), listener, log)
}

// maxStreams is how many archives of accounts may be streamed at the same time.
const maxStreams = 4

// connections is how many statements may run at the same time: a page of memories or the view of an account for each worker,
// the view of an account for each stream, and some for requests, heartbeats and the sweep.
func connections(workers int) int { return workers + maxStreams + 6 }

// accessKeys returns the keys that are let in: those of the command line, or else the demo key, which it also returns by
// itself.
func accessKeys(ctx context.Context, db *sql.DB, given []httpadapter.APIKey) (keys []httpadapter.APIKey, demo string, err error) {
	if len(given) > 0 {
		return given, "", nil
	}
	if demo, err = demoKey(ctx, db); err != nil {
		return nil, "", err
	}
	return []httpadapter.APIKey{newKey(demo, demoWorkspace, subjectOf(demo), allPermissions)}, demo, nil
}

func newServer(service *dataexport.Service, keys []httpadapter.APIKey, log *slog.Logger) *http.Server {
	options := httpadapter.Options{Authenticate: httpadapter.APIKeys(keys), Logger: log}
	mux := http.NewServeMux()
	mux.Handle("/v1/", http.StripPrefix("/v1", httpadapter.New(service, options)))
	mux.Handle("/api/v1/export", httpadapter.Stream(service, "account", "json", httpadapter.StreamOptions{
		Options: options, MaxStreams: maxStreams,
	}))
	mux.HandleFunc("GET /{$}", help)
	return &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second, // no request of ours has a body
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		// No WriteTimeout: it would cut long downloads off.
	}
}

// work serves requests and works on exports until ctx is done or one of the two fails, and returns when both have stopped.
func work(ctx context.Context, service *dataexport.Service, server *http.Server, listener net.Listener, log *slog.Logger) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	errs := make([]error, 2)
	var tasks sync.WaitGroup
	tasks.Go(func() {
		defer stop()
		errs[0] = service.Run(ctx)
	})
	tasks.Go(func() {
		defer stop()
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			errs[1] = err
		}
	})
	<-ctx.Done()
	log.Info("stopping")
	shutDown(ctx, server, log)
	tasks.Wait()
	return errors.Join(errs...)
}

// shutDown lets requests under way end, within shutdownTimeout.
func shutDown(ctx context.Context, server *http.Server, log *slog.Logger) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		log.Warn("requests that did not end in time are cut off", slog.Any("error", err))
		_ = server.Close() // there is nothing left to do about an error
	}
}
