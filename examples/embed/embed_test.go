package embed

import (
	"context"
	"database/sql"
	"iter"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "modernc.org/sqlite"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/httpadapter"
	"github.com/dataexport/dataexport/memory"
)

// The README shows this file as it is, so that its code compiles and does what it says.
func TestTheReadmeShowsThisCode(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("embed.go")
	if err != nil {
		t.Fatal(err)
	}
	_, function, found := strings.Cut(string(source), "\nfunc Mount(")
	if !found {
		t.Fatal("embed.go has no function Mount")
	}
	if !strings.Contains(string(readme), "```go\nfunc Mount("+function+"```\n") {
		t.Error("README.md does not show the function Mount as it is in embed.go")
	}
}

func TestMount(t *testing.T) {
	dir := t.TempDir()
	db, err := sql.Open("sqlite", filepath.Join(dir, "jobs.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	mux := http.NewServeMux()
	run, err := Mount(t.Context(), mux, db, filepath.Join(dir, "files"),
		func(context.Context, dataexport.Query) iter.Seq2[*memory.Record, error] {
			return func(func(*memory.Record, error) bool) {}
		},
		func(*http.Request) (httpadapter.Principal, error) {
			return httpadapter.Principal{WorkspaceID: "w", Permissions: []httpadapter.Permission{httpadapter.PermissionWrite}}, nil
		})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx) }()
	response := httptest.NewRecorder()
	mux.ServeHTTP(response, httptest.NewRequest(http.MethodPost, "/v1/exports", nil))
	if response.Code != http.StatusAccepted {
		t.Errorf("status %d, want 202: %s", response.Code, response.Body)
	}
	stop()
	if err := <-ended; err != nil {
		t.Errorf("run: %v", err)
	}
}
