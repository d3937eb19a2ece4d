package riverqueue_test

import (
	"context"
	"errors"
	"os"
	"os/signal"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/memory"
	"github.com/dataexport/dataexport/queue/riverqueue"
	"github.com/dataexport/dataexport/render"
	"github.com/dataexport/dataexport/store/memblob"
	"github.com/dataexport/dataexport/store/pgstore"
)

// A service that has no River of its own.
func Example() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	pool, err := pgxpool.New(ctx, os.Getenv("DATABASE_URL"))
	if err != nil {
		panic(err)
	}
	defer pool.Close()
	if err := errors.Join(pgstore.Migrate(ctx, pool), riverqueue.Migrate(ctx, pool, "")); err != nil {
		panic(err)
	}
	queue, err := riverqueue.New(pool, riverqueue.Options{Workers: 4})
	if err != nil {
		panic(err)
	}
	service, store := newService(pool, queue)
	if err := queue.Run(ctx, service, store); err != nil { // until ctx is done
		panic(err)
	}
}

// A host that runs River already.
func ExampleQueue_Configure() {
	ctx := context.Background()
	pool, err := pgxpool.New(ctx, os.Getenv("DATABASE_URL"))
	if err != nil {
		panic(err)
	}
	queue, err := riverqueue.New(pool, riverqueue.Options{})
	if err != nil {
		panic(err)
	}
	service, store := newService(pool, queue)
	config := &river.Config{} // with the workers and queues of the host
	if err := queue.Configure(config, service, store); err != nil {
		panic(err)
	}
	client, err := river.NewClient(riverpgxv5.New(pool), config)
	if err != nil {
		panic(err)
	}
	if err := client.Start(ctx); err != nil {
		panic(err)
	}
}

// newService makes a service whose store tells the queue of new exports.
func newService(pool *pgxpool.Pool, queue *riverqueue.Queue) (*dataexport.Service, *pgstore.Store) {
	store := pgstore.New(pool, pgstore.Options{OnCreate: queue.Insert, Quiet: true})
	service, err := dataexport.New(dataexport.Config{
		Datasets:  []dataexport.Dataset{memory.Slice(nil)}, // those of the host
		Renderers: render.Standard(),
		Store:     store,
		Blobs:     memblob.New(), // in earnest one that all processes share
	})
	if err != nil {
		panic(err)
	}
	return service, store
}
