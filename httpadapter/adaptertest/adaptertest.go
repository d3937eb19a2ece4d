// Package adaptertest checks that the exports API works where a host has mounted it: every documented request goes through
// a real server, the host's router and middleware, and httpadapter, to a service that keeps everything in memory.
package adaptertest

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/httpadapter"
	"github.com/dataexport/dataexport/memory"
	"github.com/dataexport/dataexport/render"
	"github.com/dataexport/dataexport/store/memblob"
	"github.com/dataexport/dataexport/store/memstore"
)

// Run runs the suite. mount puts the handler that it is given into a host and returns the host and the path under which
// the handler is reached there, for example "/v1", or "" for the root. It is called for each subtest.
// The suite brings its own credentials: the host must not ask for others.
func Run(t *testing.T, mount func(exports http.Handler) (host http.Handler, prefix string)) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, *api)
	}{
		{"CreatePollDownload", createPollDownload},
		{"JobObject", jobObject},
		{"Create", create},
		{"CreateRefuses", createRefuses},
		{"Idempotency", idempotency},
		{"List", list},
		{"Download", download},
		{"DownloadParts", downloadParts},
		{"DownloadBreaksOff", downloadBreaksOff},
		{"DownloadRefuses", downloadRefuses},
		{"Delete", remove},
		{"Head", head},
		{"Credentials", credentials},
		{"OtherWorkspace", otherWorkspace},
		{"PathsAndMethods", pathsAndMethods},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, start(t, mount)) })
	}
}

// The credentials of the suite.
const (
	keyOwner = "adaptertest-owner"
	keyRead  = "adaptertest-read"  // of the same workspace, without export.write
	keyOther = "adaptertest-other" // of another workspace
)

// An api is a server with the API in it, and what is behind it.
type api struct {
	t       *testing.T
	service *dataexport.Service
	store   *memstore.Store
	blobs   *blobs
	client  *http.Client
	base    string // the URL to which "/exports" is added
}

// start starts a server that ends with the test.
func start(t *testing.T, mount func(http.Handler) (http.Handler, string)) *api {
	t.Helper()
	a := &api{t: t, store: memstore.New(), blobs: &blobs{BlobStore: memblob.New()}}
	quiet := slog.New(slog.DiscardHandler)
	var err error
	a.service, err = dataexport.New(dataexport.Config{
		Datasets:  []dataexport.Dataset{memory.Slice(records())},
		Renderers: render.Standard(),
		Store:     a.store,
		Blobs:     a.blobs,
		Logger:    quiet,
	})
	if err != nil {
		t.Fatal(err)
	}
	handler, prefix := mount(httpadapter.New(a.service, httpadapter.Options{
		Authenticate: httpadapter.APIKeys(keys()), Logger: quiet,
	}))
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	a.client, a.base = server.Client(), server.URL+prefix
	a.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return a
}

// work has the workers run until the test ends.
func (a *api) work() {
	a.t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- a.service.Run(ctx) }()
	a.t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			a.t.Errorf("Run: %v", err)
		}
	})
}

func keys() []httpadapter.APIKey {
	read, write := httpadapter.PermissionRead, httpadapter.PermissionWrite
	return []httpadapter.APIKey{
		{Digest: httpadapter.DigestKey(keyOwner), Principal: httpadapter.Principal{
			WorkspaceID: "workspace-1", Subject: "ann", Permissions: []httpadapter.Permission{read, write}}},
		{Digest: httpadapter.DigestKey(keyRead), Principal: httpadapter.Principal{
			WorkspaceID: "workspace-1", Subject: "bob", Permissions: []httpadapter.Permission{read}}},
		{Digest: httpadapter.DigestKey(keyOther), Principal: httpadapter.Principal{
			WorkspaceID: "workspace-2", Subject: "eve", Permissions: []httpadapter.Permission{read, write}}},
	}
}

func records() []memory.Record {
	user := "user-123"
	return []memory.Record{
		{ID: "m-1", WorkspaceID: "workspace-1", Content: "likes tea", UserID: &user, CreatedAt: time.Unix(1, 0)},
		{ID: "m-2", WorkspaceID: "workspace-1", Content: "lives in Graz", CreatedAt: time.Unix(2, 0)},
		{ID: "m-3", WorkspaceID: "workspace-2", Content: "a secret of others", CreatedAt: time.Unix(3, 0)},
	}
}

// blobs are those of the service. They can be made to break off.
type blobs struct {
	dataexport.BlobStore
	breakOff bool
}

// Open opens a blob, maybe one that breaks off.
func (b *blobs) Open(ctx context.Context, key string) (dataexport.Blob, error) {
	blob, err := b.BlobStore.Open(ctx, key)
	if err == nil && b.breakOff {
		blob = &brokenBlob{blob}
	}
	return blob, err
}

// A brokenBlob can be read up to its last byte.
type brokenBlob struct{ dataexport.Blob }

// Read reads all bytes but the last, and then fails.
func (b *brokenBlob) Read(p []byte) (int, error) {
	at, err := b.Seek(0, io.SeekCurrent)
	if err != nil {
		return 0, err
	}
	left := b.Size() - 1 - at
	if left <= 0 {
		return 0, io.ErrUnexpectedEOF
	}
	return b.Blob.Read(p[:min(int64(len(p)), left)])
}
