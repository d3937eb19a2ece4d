// Package demo is what the small hosts in examples have in common, so that each shows nothing but its router: a service
// with a few memories that keeps everything in memory, one key, and a stop in good order.
package demo

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/httpadapter"
	"github.com/dataexport/dataexport/memory"
	"github.com/dataexport/dataexport/render"
	"github.com/dataexport/dataexport/store/memblob"
	"github.com/dataexport/dataexport/store/memstore"
)

// Main serves the exports API, mounted by a router, until the program is told to stop.
func Main(router func(exports http.Handler) http.Handler) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	listener, err := net.Listen("tcp", "localhost:8080")
	if err != nil {
		log.Fatal(err)
	}
	key := rand.Text()
	fmt.Printf("Order an export:\n\n  curl -X POST -H 'X-Api-Key: %s' 'http://%s/v1/exports?format=csv'\n\n", key, listener.Addr())
	if err := Run(ctx, listener, key, router); err != nil {
		log.Fatal(err)
	}
}

// Run serves until ctx is done, and then stops in good order: no new requests, the workers hand their jobs back.
func Run(ctx context.Context, listener net.Listener, key string, router func(exports http.Handler) http.Handler) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	service, err := dataexport.New(dataexport.Config{
		Datasets:  []dataexport.Dataset{memory.Slice(memories())},
		Renderers: render.Standard(),
		Store:     memstore.New(),
		Blobs:     memblob.New(),
	})
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler:     router(httpadapter.New(service, httpadapter.Options{Authenticate: authenticate(key)})),
		ReadTimeout: 10 * time.Second, // no WriteTimeout, which would cut long downloads off
	}
	working, serving := make(chan error, 1), make(chan error, 1)
	go func() { working <- service.Run(ctx) }()
	go func() { serving <- server.Serve(listener) }()
	select {
	case err := <-serving:
		stop()
		return errors.Join(err, <-working)
	case <-ctx.Done():
	}
	limited, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	return errors.Join(server.Shutdown(limited), <-working)
}

// authenticate knows one key, that of the workspace "demo".
func authenticate(key string) func(*http.Request) (httpadapter.Principal, error) {
	return httpadapter.APIKeys([]httpadapter.APIKey{{
		Digest: httpadapter.DigestKey(key),
		Principal: httpadapter.Principal{
			WorkspaceID: "demo",
			Subject:     "demo-user",
			Permissions: []httpadapter.Permission{httpadapter.PermissionRead, httpadapter.PermissionWrite},
		},
	}})
}

// memories stand for the data of the host, which would come from its database.
func memories() []memory.Record {
	user := "user-123"
	day := time.Date(2026, 1, 15, 10, 30, 0, 0, time.UTC)
	return []memory.Record{
		{ID: "m-1", WorkspaceID: "demo", Content: "Prefers tea to coffee.", UserID: &user, CreatedAt: day},
		{ID: "m-2", WorkspaceID: "demo", Content: "Lives in Graz.", Categories: []string{"home"}, CreatedAt: day.Add(time.Hour)},
	}
}
