package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/examples/server/internal/database"
	"github.com/dataexport/dataexport/httpadapter"
	"github.com/dataexport/dataexport/render"
)

const (
	// shutdownTimeout is how long downloads under way may go on after the server was told to stop.
	shutdownTimeout = 5 * time.Second
	// cleanupTimeout is how long requests may take after that to see that nobody waits for their answer, and to remove the
	// files that they are about to remove, for which the service gives them ten seconds.
	cleanupTimeout = 15 * time.Second
)

// serve puts the parts together and works until ctx is done.
func serve(ctx context.Context, s settings, out, logOutput io.Writer) (err error) {
	log := slog.New(slog.NewTextHandler(logOutput, nil))
	listener, err := net.Listen("tcp", s.addr) // first, so that a port in use is told before a long import
	if err != nil {
		return fmt.Errorf("-addr: %w", err)
	}
	defer listener.Close() // closes it only if the HTTP server was never started
	kept, err := openBackend(&s, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, kept.close()) }()
	files, err := openFiles(ctx, &s, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, files.close()) }()
	front := newFront(log)
	return together(ctx,
		func(ctx context.Context) error { return answer(ctx, front, listener, log) },
		func(ctx context.Context) error {
			h := &host{settings: s, backend: kept, files: files, addr: listener.Addr(), log: log}
			return h.work(ctx, front, func(p *prepared) { printWelcome(out, listener.Addr(), p, s.redirect > 0) })
		})
}

// together runs functions until ctx is done or one of them returns, which ends the others too. It returns when all have
// returned.
func together(ctx context.Context, functions ...func(context.Context) error) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	errs := make([]error, len(functions))
	var running sync.WaitGroup
	for i, function := range functions {
		running.Go(func() {
			defer stop()
			errs[i] = function(ctx)
		})
	}
	running.Wait()
	return errors.Join(errs...)
}

// answer answers requests until ctx is done, and then lets those under way end.
func answer(ctx context.Context, front *front, listener net.Listener, log *slog.Logger) error {
	var running requests
	server := &http.Server{
		Handler:           running.counted(front),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second, // no request of ours has a body
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		// No WriteTimeout: it would cut long downloads off.
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	front.health.stop()
	if front.api.Load() != nil { // otherwise it has never quite started
		log.Info("stopping")
	}
	shutDown(ctx, server, &running, log)
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// shutDown lets requests under way end, within shutdownTimeout. Then it closes their connections, and returns when they are
// done with what they use.
func shutDown(ctx context.Context, server *http.Server, running *requests, log *slog.Logger) {
	ctx = context.WithoutCancel(ctx)
	stopping, cancel := context.WithTimeout(ctx, shutdownTimeout)
	defer cancel()
	if err := server.Shutdown(stopping); err != nil {
		log.Warn("requests that did not end in time are cut off", slog.Any("error", err))
		_ = server.Close() // there is nothing left to do about an error
	}
	ending, cancel := context.WithTimeout(ctx, cleanupTimeout)
	defer cancel()
	if err := running.close(ending); err != nil {
		log.Error("requests are still under way", slog.Any("error", err))
	}
}

// A host is the service with all that it needs.
type host struct {
	settings settings
	backend  *backend
	files    *files
	addr     net.Addr // on which the server listens already
	log      *slog.Logger
}

// work prepares the database, opens the front, and works on exports until ctx is done.
func (h *host) work(ctx context.Context, front *front, welcome func(*prepared)) error {
	p, err := h.prepare(ctx, front.health)
	if err != nil {
		return err
	}
	service, err := dataexport.New(dataexport.Config{
		Datasets:    []dataexport.Dataset{h.backend.db.Memories(database.DefaultPageSize), h.backend.db.Accounts(p.accounts)},
		Renderers:   []dataexport.Renderer{render.JSON(), render.CSV(), render.Markdown(), render.Zip()},
		Store:       h.backend.store,
		Blobs:       h.files.store,
		Retention:   h.settings.retention,
		Workers:     h.settings.workers,
		Lease:       h.settings.lease,
		MaxAttempts: h.settings.attempts,
		Logger:      h.log,
		Hooks:       []dataexport.Hooks{logEvents(h.log)},
	})
	if err != nil {
		return err
	}
	front.open(newAPI(service, p.keys, h.settings.redirect, h.log),
		part{"the database", h.backend.db.Ping}, part{"the files", h.files.ready})
	welcome(p)
	h.log.Info("serving", slog.String("addr", h.addr.String()), slog.String("database", h.backend.name), slog.String("queue", h.settings.queue), slog.String("files", h.files.name))
	return h.backend.run(ctx, service)
}

// maxStreams is how many archives of accounts may be streamed at the same time.
const maxStreams = 4

// newAPI makes the handler of everything that needs a key, and of the help.
func newAPI(service *dataexport.Service, keys []httpadapter.APIKey, redirect time.Duration, log *slog.Logger) http.Handler {
	options := httpadapter.Options{Authenticate: httpadapter.APIKeys(keys), SignedDownloads: redirect, Logger: log}
	mux := http.NewServeMux()
	mux.Handle("/v1/", http.StripPrefix("/v1", httpadapter.New(service, options)))
	mux.Handle("/api/v1/export", httpadapter.Stream(service, "account", "json", httpadapter.StreamOptions{
		Options: options, MaxStreams: maxStreams,
	}))
	mux.HandleFunc("GET /{$}", help)
	return mux
}
