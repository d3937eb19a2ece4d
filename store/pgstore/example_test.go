package pgstore_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/store/pgstore"
)

func Example() {
	ctx := context.Background()
	pool, err := pgxpool.New(ctx, os.Getenv("DATABASE_URL"))
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()
	if err := pgstore.Migrate(ctx, pool); err != nil {
		log.Fatal(err)
	}
	store := pgstore.New(pool, pgstore.Options{}) // goes into dataexport.Config

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
	fmt.Println(job.Status, job.Scope.WorkspaceID, job.Format) // PROCESSING acme csv
}
