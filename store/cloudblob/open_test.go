package cloudblob_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gocloud.dev/blob/memblob"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/store/cloudblob"
	"github.com/dataexport/dataexport/store/cloudblob/s3test"
)

// A download takes one request to open the blob and one for what is read of it. Seeking takes none.
func TestRequests(t *testing.T) {
	want := content(3 << 20)
	for _, c := range []struct {
		name, method, header, value string
		status                      int
		operations                  []string
		body                        []byte
	}{
		{"whole", "GET", "", "", 200, []string{"HeadObject", "GetObject"}, want},
		{"head", "HEAD", "", "", 200, []string{"HeadObject"}, nil},
		{"not modified", "GET", "If-None-Match", `"tag"`, 304, []string{"HeadObject"}, nil},
		{"range", "GET", "Range", "bytes=1000000-1999999", 206, []string{"HeadObject", "GetObject"}, want[1_000_000:2_000_000]},
		{"end", "GET", "Range", "bytes=-10", 206, []string{"HeadObject", "GetObject"}, want[len(want)-10:]},
		{"no such range", "GET", "Range", "bytes=9000000-", 416, []string{"HeadObject"}, []byte("invalid range: failed to overlap\n")},
	} {
		t.Run(c.name, func(t *testing.T) {
			onServers(t, func(t *testing.T, server *s3test.Server) {
				bucket, wire := through(t, server, nil)
				store := withStorage(t, bucket)
				require.NoError(t, put(t.Context(), store, "job/1", want))
				wire.take()

				request := httptest.NewRequestWithContext(t.Context(), c.method, "/", nil)
				request.Header.Set(c.header, c.value)
				answer := httptest.NewRecorder()
				answer.Header().Set("Content-Type", "application/json") // or else it reads some bytes to find out
				answer.Header().Set("Etag", `"tag"`)
				b, err := store.Open(t.Context(), "job/1")
				require.NoError(t, err)
				http.ServeContent(answer, request, "", time.Time{}, b)
				require.NoError(t, b.Close())
				assert.Equal(t, c.status, answer.Code)
				assert.Equal(t, c.operations, wire.take())
				assert.Equal(t, len(c.body), answer.Body.Len())
				assert.True(t, string(c.body) == answer.Body.String())
			})
		})
	}
}

// Each read that goes on elsewhere is one request, and no other.
func TestSeek(t *testing.T) {
	onServers(t, func(t *testing.T, server *s3test.Server) {
		bucket, wire := through(t, server, nil)
		store := withStorage(t, bucket)
		want := content(100_000)
		require.NoError(t, put(t.Context(), store, "job/1", want))
		wire.take()
		b, err := store.Open(t.Context(), "job/1")
		require.NoError(t, err)
		read := func(offset int64, operations ...string) {
			t.Helper()
			_, err := b.Seek(99, io.SeekStart)
			require.NoError(t, err)
			_, err = b.Seek(offset, io.SeekStart)
			require.NoError(t, err)
			got := make([]byte, 100)
			_, err = io.ReadFull(b, got)
			require.NoError(t, err)
			assert.Equal(t, want[offset:offset+100], got)
			assert.Equal(t, operations, wire.take())
		}
		read(0, "HeadObject", "GetObject")
		read(100)
		read(200)
		read(50_000, "GetObject")
		read(300, "GetObject")
		_, err = b.Seek(0, io.SeekEnd)
		require.NoError(t, err)
		n, err := b.Read(make([]byte, 10))
		assert.Zero(t, n)
		require.ErrorIs(t, err, io.EOF)
		require.NoError(t, b.Close())
		_, err = b.Read(make([]byte, 10))
		require.Error(t, err)
		_, err = b.Seek(0, io.SeekStart)
		require.Error(t, err)
		assert.Empty(t, wire.take())
	})
}

// Of a blob that is put anew, nothing is mixed with the old one, even if only its content differs.
func TestReplacedWhileOpen(t *testing.T) {
	test := func(t *testing.T, store *cloudblob.Store, size int) {
		t.Helper()
		require.NoError(t, put(t.Context(), store, "job/1", content(1000)))
		for name, use := range map[string]func(dataexport.Blob){
			"size": func(b dataexport.Blob) { b.Size() },
			"read": func(b dataexport.Blob) { _, _ = b.Read(make([]byte, 10)); _, _ = b.Seek(1, io.SeekStart) },
			"seek": func(b dataexport.Blob) { _, _ = b.Seek(0, io.SeekEnd); _, _ = b.Seek(0, io.SeekStart) },
		} {
			b, err := store.Open(t.Context(), "job/1")
			require.NoError(t, err)
			use(b)
			require.NoError(t, put(t.Context(), store, "job/1", []byte(name+string(content(size))[len(name):])))
			_, err = b.Read(make([]byte, 10))
			require.ErrorContains(t, err, "put anew", name)
			require.NoError(t, b.Close())
		}
	}
	onServers(t, func(t *testing.T, server *s3test.Server) { test(t, withStorage(t, server.OpenBucket(t)), 1000) })
	t.Run("memory", func(t *testing.T) {
		test(t, cloudblob.New(closing(t, memblob.OpenBucket(nil)), cloudblob.Options{}), 1000)
	})
}

func TestDeletedWhileOpen(t *testing.T) {
	onServers(t, func(t *testing.T, server *s3test.Server) {
		store := withStorage(t, server.OpenBucket(t))
		require.NoError(t, put(t.Context(), store, "job/1", content(1000)))
		b, err := store.Open(t.Context(), "job/1")
		require.NoError(t, err)
		require.NoError(t, store.Delete(t.Context(), "job/1"))
		_, err = b.Read(make([]byte, 10))
		require.ErrorIs(t, err, dataexport.ErrNotFound)
		require.NoError(t, b.Close())
	})
}

// A connection that breaks is no end of the blob.
func TestBrokenBody(t *testing.T) {
	server := s3test.Start(t)
	bucket, _ := through(t, server, func(operation string, _ *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
		response, err := send()
		if operation == "GetObject" && err == nil {
			response.Body = &broken{ReadCloser: response.Body}
		}
		return response, err
	})
	store := withStorage(t, bucket)
	require.NoError(t, put(t.Context(), store, "job/1", content(10_000)))
	b, err := store.Open(t.Context(), "job/1")
	require.NoError(t, err)
	got, err := io.ReadAll(b)
	assert.Equal(t, content(10_000)[:len(got)], got)
	require.ErrorIs(t, err, dataexport.ErrUnavailable)
	require.NoError(t, b.Close())
}

// A broken body ends too early, as HTTP without a length would.
type broken struct {
	io.ReadCloser
	read int
}

func (b *broken) Read(p []byte) (int, error) {
	if b.read >= 5000 {
		return 0, io.EOF
	}
	n, err := b.ReadCloser.Read(p[:min(len(p), 1000)])
	b.read += n
	return n, err
}
