package httpadapter_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/httpadapter"
	"github.com/dataexport/dataexport/memory"
	"github.com/dataexport/dataexport/render"
	"github.com/dataexport/dataexport/store/memblob"
	"github.com/dataexport/dataexport/store/memstore"
)

// The API is mounted under /v1 for the owner of one key. In a program, Service.Run does the jobs in the background.
func ExampleNew() {
	service, err := dataexport.New(dataexport.Config{
		Datasets:  []dataexport.Dataset{memory.Slice([]memory.Record{{ID: "m-1", WorkspaceID: "acme", Content: "Prefers tea."}})},
		Renderers: render.Standard(),
		Store:     memstore.New(),
		Blobs:     memblob.New(),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	exports := httpadapter.New(service, httpadapter.Options{
		Authenticate: httpadapter.APIKeys([]httpadapter.APIKey{{
			Digest: httpadapter.DigestKey("secret"),
			Principal: httpadapter.Principal{
				WorkspaceID: "acme",
				Permissions: []httpadapter.Permission{httpadapter.PermissionRead, httpadapter.PermissionWrite},
			},
		}}),
	})
	mux := http.NewServeMux()
	mux.Handle("/v1/", http.StripPrefix("/v1", exports))

	order := httptest.NewRequest(http.MethodPost, "/v1/exports?format=markdown", nil)
	order.Header.Set("X-Api-Key", "secret")
	accepted := httptest.NewRecorder()
	mux.ServeHTTP(accepted, order)
	fmt.Println(accepted.Code)

	if _, err := service.Runner().RunNext(context.Background()); err != nil {
		fmt.Println(err)
		return
	}
	download := httptest.NewRequest(http.MethodGet, "/v1/"+accepted.Header().Get("Location")+"/download", nil)
	download.Header.Set("X-Api-Key", "secret")
	file := httptest.NewRecorder()
	mux.ServeHTTP(file, download)
	fmt.Println(file.Code, file.Header().Get("Content-Type"))
	// Output:
	// 202
	// 200 text/markdown; charset=utf-8
}
