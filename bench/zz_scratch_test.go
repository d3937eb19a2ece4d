//go:build scratch

package main

import (
	"os"
	"testing"
	"time"
	"github.com/dataexport/dataexport/bench/internal/records"
	"github.com/dataexport/dataexport/store/pgstore/postgrestest"
)

func TestServe(t *testing.T) {
	server, err := postgrestest.Start(postgrestest.Options{Settings: []string{"shared_buffers=256MB"}})
	if err != nil { t.Fatal(err) }
	defer server.Stop()
	table := &postgresTable{url: server.URL("postgres"), generator: records.NewGenerator(records.Dirty)}
	if err := table.grow(t.Context(), 300_000); err != nil { t.Fatal(err) }
	os.WriteFile("/tmp/pg_url", []byte(server.URL("postgres")), 0o600)
	for { if _, err := os.Stat("/tmp/pg_stop"); err == nil { return }; time.Sleep(time.Second) }
}
