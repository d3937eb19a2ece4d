package sqlitestore_test

import (
	"context"
	"database/sql"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	_ "modernc.org/sqlite" // or any other SQLite driver

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/store/sqlitestore"
)

func Example() {
	folder, err := os.MkdirTemp("", "exports")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder) // a temporary folder

	ctx := context.Background()
	db, err := sql.Open("sqlite", filepath.Join(folder, "exports.db"))
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close() // the example ends
	if err := sqlitestore.Migrate(ctx, db); err != nil {
		log.Fatal(err)
	}
	store := sqlitestore.New(db) // goes into dataexport.Config

	_, _, err = store.Create(ctx, dataexport.NewJob{
		ID:      "019bc0f5-3a80-7000-8000-000000000001",
		Scope:   dataexport.Scope{WorkspaceID: "acme", Subject: "alice"},
		Dataset: "memories",
		Format:  "csv",
	})
	if err != nil {
		log.Fatal(err)
	}
	job, err := store.Claim(ctx, dataexport.ClaimOptions{Lease: time.Minute})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(job.Status, job.Scope.WorkspaceID, job.Format)
	// Output: PROCESSING acme csv
}
