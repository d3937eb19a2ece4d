package dataexport_test

import (
	"context"
	"fmt"
	"io"
	"iter"
	"os"
	"time"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/memory"
	"github.com/dataexport/dataexport/render"
	"github.com/dataexport/dataexport/store/memblob"
	"github.com/dataexport/dataexport/store/memstore"
)

// Any struct can be exported: its fields are the columns.
func ExampleNewDataset() {
	type invoice struct {
		Number string    `export:"number,id,key"`
		Tenant string    `export:"tenant,tenant"`
		Issued time.Time `export:"issued"`
		Total  string    `export:"total,decimal"`
	}
	invoices, err := dataexport.NewDataset("invoices", func(ctx context.Context, q dataexport.Query) iter.Seq2[*invoice, error] {
		return func(yield func(*invoice, error) bool) { // in earnest: SELECT … WHERE tenant = $1 ORDER BY number
			yield(&invoice{"2026-001", q.Scope.WorkspaceID, time.Date(2026, 1, 15, 10, 30, 0, 0, time.UTC), "19.90"}, nil)
		}
	}, dataexport.DatasetOptions{})
	if err != nil {
		panic(err)
	}

	query := dataexport.Query{Scope: dataexport.Scope{WorkspaceID: "acme"}}
	if _, err := dataexport.Export(context.Background(), os.Stdout, invoices, render.JSON(), query); err != nil {
		panic(err)
	}
	// Output:
	// [
	// {"number":"2026-001","tenant":"acme","issued":"2026-01-15T10:30:00.000Z","total":"19.90"}
	// ]
}

// The whole way of a job, without HTTP.
func ExampleService() {
	records := []memory.Record{{
		ID: "m1", WorkspaceID: "acme", Content: "Prefers tea, not coffee.", CreatedAt: time.Date(2026, 1, 15, 10, 30, 0, 0, time.UTC),
	}}
	service, err := dataexport.New(dataexport.Config{
		Datasets:  []dataexport.Dataset{memory.Slice(records)},
		Renderers: render.Standard(),
		Store:     memstore.New(),
		Blobs:     memblob.New(),
	})
	if err != nil {
		panic(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- service.Run(ctx) }()

	scope := dataexport.Scope{WorkspaceID: "acme"}
	job, _, err := service.Create(ctx, dataexport.CreateRequest{Scope: scope, Format: "markdown"})
	for err == nil && job.Status.Active() {
		job, err = service.Get(ctx, scope, job.ID)
	}
	if err != nil {
		panic(err)
	}
	file, err := service.Open(ctx, scope, job.ID)
	if err != nil {
		panic(err)
	}
	content, err := io.ReadAll(file)
	if err != nil {
		panic(err)
	}
	_ = file.Close()
	fmt.Println(job.Status, job.RecordCount, len(content) == int(job.FileSize))

	stop()
	fmt.Println(<-ended)
	// Output:
	// READY 1 true
	// <nil>
}
