// Package embed is the code of the README: what a host adds to have exports.
package embed

import (
	"context"
	"database/sql"
	"iter"
	"net/http"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/httpadapter"
	"github.com/dataexport/dataexport/memory"
	"github.com/dataexport/dataexport/render"
	"github.com/dataexport/dataexport/store/fileblob"
	"github.com/dataexport/dataexport/store/sqlitestore"
)

// Mount adds the exports API to a router. The function that it returns works on the jobs until its context is done.
func Mount(
	ctx context.Context, mux *http.ServeMux, db *sql.DB, dir string,
	memories func(context.Context, dataexport.Query) iter.Seq2[*memory.Record, error], // your rows
	authenticate func(*http.Request) (httpadapter.Principal, error), // your login
) (run func(context.Context) error, err error) {
	if err := sqlitestore.Migrate(ctx, db); err != nil {
		return nil, err
	}
	files, err := fileblob.New(dir)
	if err != nil {
		return nil, err
	}
	service, err := dataexport.New(dataexport.Config{
		Datasets:  []dataexport.Dataset{memory.Dataset(memories)},
		Renderers: render.Standard(), // JSON, CSV, Markdown
		Store:     sqlitestore.New(db),
		Blobs:     files,
	})
	if err != nil {
		return nil, err
	}
	adapter := httpadapter.New(service, httpadapter.Options{Authenticate: authenticate})
	mux.Handle("/v1/", http.StripPrefix("/v1", adapter))
	return service.Run, nil
}
