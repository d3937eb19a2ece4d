package cloudblob_test

import (
	"io"
	"net/http"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gocloud.dev/blob"

	"github.com/dataexport/dataexport/store/cloudblob"
	"github.com/dataexport/dataexport/store/cloudblob/s3test"
)

// Memory does not grow with the blob: a Put holds one part and little else.
func TestMemoryOfPut(t *testing.T) {
	server := s3test.StartGateway(t)
	store := newStore(t, server.OpenBucket(t))
	require.NoError(t, put(t.Context(), store, "job/1", content(1000))) // what is made once
	before := liveMemory()
	var most uint64
	piece := content(1 << 20)
	require.NoError(t, store.Put(t.Context(), "job/2", format(), func(w io.Writer) error {
		for range 100 {
			if _, err := w.Write(piece); err != nil {
				return err
			}
			most = max(most, liveMemory())
		}
		return nil
	}))
	assert.Less(t, most, before+cloudblob.DefaultPartSize+4<<20)
	assert.Greater(t, most, before+cloudblob.DefaultPartSize/2, "nothing was measured")
}

// liveMemory returns how many bytes are in use.
func liveMemory() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

// BenchmarkPut compares the two ways to write to S3. Peak memory is that of the heap, as the garbage collector lets it grow.
func BenchmarkPut(b *testing.B) {
	piece := content(1 << 20)
	for name, open := range ways() {
		b.Run(name, func(b *testing.B) {
			server := s3test.StartGateway(b)
			store := open(b, server.OpenBucket(b))
			const pieces = 1 << 10
			b.SetBytes(pieces * int64(len(piece)))
			var most uint64
			runtime.GC()
			for b.Loop() {
				require.NoError(b, store.Put(b.Context(), "job/1", format(), func(w io.Writer) error {
					for i := range pieces {
						if _, err := w.Write(piece); err != nil {
							return err
						}
						if i%8 == 0 {
							var stats runtime.MemStats
							runtime.ReadMemStats(&stats)
							most = max(most, stats.HeapInuse)
						}
					}
					return nil
				}))
			}
			b.ReportMetric(float64(most)/(1<<20), "peak-MiB")
		})
	}
}

// BenchmarkOpen reads a large blob, beside a plain GET of the same object.
func BenchmarkOpen(b *testing.B) {
	server := s3test.StartGateway(b)
	bucket := server.OpenBucket(b)
	store := ways()["s3storage"](b, bucket)
	piece := content(1 << 20)
	const pieces = 1 << 10
	require.NoError(b, store.Put(b.Context(), "job/1", format(), func(w io.Writer) error {
		for range pieces {
			if _, err := w.Write(piece); err != nil {
				return err
			}
		}
		return nil
	}))
	b.Run("Open", func(b *testing.B) {
		b.SetBytes(pieces * int64(len(piece)))
		for b.Loop() {
			blob, err := store.Open(b.Context(), "job/1")
			require.NoError(b, err)
			n, err := io.Copy(io.Discard, blob)
			require.NoError(b, err)
			require.EqualValues(b, pieces*len(piece), n)
			require.NoError(b, blob.Close())
		}
	})
	b.Run("GET", func(b *testing.B) {
		address, err := store.SignURL(b.Context(), "job/1", signing(cloudblob.MaxExpiry))
		require.NoError(b, err)
		client := &http.Client{Transport: &http.Transport{}}
		defer client.CloseIdleConnections()
		b.SetBytes(pieces * int64(len(piece)))
		for b.Loop() {
			response, err := client.Get(address)
			require.NoError(b, err)
			_, err = io.Copy(io.Discard, response.Body)
			require.NoError(b, err)
			require.NoError(b, response.Body.Close())
		}
	})
}

func ways() map[string]func(testing.TB, *blob.Bucket) *cloudblob.Store {
	return map[string]func(testing.TB, *blob.Bucket) *cloudblob.Store{
		"s3storage": newStore,
		"driver": func(_ testing.TB, bucket *blob.Bucket) *cloudblob.Store {
			return cloudblob.New(bucket, cloudblob.Options{})
		},
	}
}
