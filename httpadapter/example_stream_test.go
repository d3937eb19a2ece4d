package httpadapter_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/archive/threengram"
	"github.com/dataexport/dataexport/httpadapter"
	"github.com/dataexport/dataexport/render"
	"github.com/dataexport/dataexport/store/memblob"
	"github.com/dataexport/dataexport/store/memstore"
)

// Everybody can take out what is kept of them: small archives at once, and large ones as a zip by a job.
func ExampleStream() {
	joined := time.Date(2026, 1, 15, 10, 30, 0, 0, time.UTC)
	accounts, err := threengram.Dataset(func(_ context.Context, s dataexport.Scope) (*threengram.View, error) {
		if s.Subject != "jsmith" {
			return nil, dataexport.ErrNotFound
		}
		// In a program, a transaction that reads repeatably, and lists that read from it.
		return &threengram.View{Account: threengram.Account{Email: "jsmith@example.com", CreatedAt: joined, UpdatedAt: joined}}, nil
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	service, err := dataexport.New(dataexport.Config{
		Datasets:  []dataexport.Dataset{accounts},
		Renderers: append(render.Standard(), render.Zip()),
		Store:     memstore.New(),
		Blobs:     memblob.New(),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	key := func(text, subject string) httpadapter.APIKey {
		return httpadapter.APIKey{Digest: httpadapter.DigestKey(text), Principal: httpadapter.Principal{
			WorkspaceID: "personal", Subject: subject, Permissions: []httpadapter.Permission{httpadapter.PermissionRead},
		}}
	}
	mux := http.NewServeMux()
	mux.Handle("/api/v1/export", httpadapter.Stream(service, "account", "json", httpadapter.StreamOptions{
		Options: httpadapter.Options{Authenticate: httpadapter.APIKeys([]httpadapter.APIKey{key("secret", "jsmith"), key("other", "nobody")})},
	}))
	server := httptest.NewServer(mux)
	defer server.Close()

	for _, secret := range []string{"secret", "other"} {
		request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, server.URL+"/api/v1/export", nil)
		if err != nil {
			fmt.Println(err)
			return
		}
		request.Header.Set("X-Api-Key", secret)
		answer, err := server.Client().Do(request)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(answer.StatusCode, answer.Header.Get("Content-Type"))
		_ = answer.Body.Close()
	}
	// Output:
	// 200 application/json
	// 404 application/problem+json
}
