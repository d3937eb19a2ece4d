package dataexport_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/memory"
	"github.com/dataexport/dataexport/render"
	"github.com/dataexport/dataexport/store/memblob"
	"github.com/dataexport/dataexport/store/memstore"
)

// BenchmarkTinyJobs is what a job costs besides its data: ordering it and making a file of three records, in memory.
func BenchmarkTinyJobs(b *testing.B) {
	service, err := dataexport.New(dataexport.Config{
		Datasets:  []dataexport.Dataset{memory.Slice(memories("acme", 3))},
		Renderers: render.Standard(),
		Store:     memstore.New(),
		Blobs:     memblob.New(),
		Limits:    dataexport.Limits{ActiveJobs: -1, ReadyFiles: -1},
	})
	require.NoError(b, err)
	b.ReportAllocs()
	for b.Loop() {
		job, _, err := service.Create(b.Context(), dataexport.CreateRequest{Scope: scope})
		require.NoError(b, err)
		done, err := service.Runner().RunNext(b.Context())
		require.NoError(b, err)
		require.Equal(b, dataexport.StatusReady, done.Status)
		require.NoError(b, service.Delete(b.Context(), scope, job.ID))
	}
}
