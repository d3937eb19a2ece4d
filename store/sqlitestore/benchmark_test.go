package sqlitestore_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/store/sqlitestore"
)

func newJob(t testing.TB, workspace string) dataexport.NewJob {
	t.Helper()
	id, err := uuid.NewV7()
	require.NoError(t, err)
	return dataexport.NewJob{
		ID:          id.String(),
		Scope:       dataexport.Scope{WorkspaceID: workspace, Subject: "someone"},
		Dataset:     "memories",
		Format:      "json",
		Fingerprint: "same",
	}
}

// BenchmarkClaim claims from a queue that stays as long as it is, since each lease lapses at once. The databases differ in
// what a commit costs: nothing in memory, a write in a file, and by default also a wait for the disk.
func BenchmarkClaim(b *testing.B) {
	for _, database := range []struct{ name, path, setting string }{
		{"memory", ":memory:", ""},
		{"synchronous=NORMAL", "", "PRAGMA synchronous = NORMAL"},
		{"synchronous=FULL", "", "PRAGMA synchronous = FULL"},
	} {
		for _, queue := range []struct{ jobs, workspaces int }{{50, 50}, {1_000, 50}, {20_000, 50}, {1_000, 1_000}} {
			b.Run(fmt.Sprintf("%s/jobs=%d/workspaces=%d", database.name, queue.jobs, queue.workspaces), func(b *testing.B) {
				path := database.path
				if path == "" {
					path = b.TempDir() + "/exports.db"
				}
				db := openFile(b, path)
				db.SetMaxOpenConns(1) // the settings are the connection's
				require.NoError(b, sqlitestore.Migrate(b.Context(), db))
				_, err := db.ExecContext(b.Context(), "PRAGMA synchronous = OFF")
				require.NoError(b, err)
				store := sqlitestore.New(db)
				for i := range queue.jobs {
					_, _, err := store.Create(b.Context(), newJob(b, fmt.Sprint("workspace ", i%queue.workspaces)))
					require.NoError(b, err)
				}
				_, err = db.ExecContext(b.Context(), database.setting)
				require.NoError(b, err)
				for b.Loop() {
					_, err := store.Claim(b.Context(), dataexport.ClaimOptions{Lease: time.Nanosecond})
					require.NoError(b, err)
				}
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "claims/s")
			})
		}
	}
}
