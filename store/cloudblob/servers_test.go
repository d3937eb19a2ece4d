package cloudblob_test

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gocloud.dev/blob"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/store/cloudblob"
	"github.com/dataexport/dataexport/store/cloudblob/s3storage"
	"github.com/dataexport/dataexport/store/cloudblob/s3test"
)

// onServers runs a test with each server there is.
func onServers(t *testing.T, test func(t *testing.T, server *s3test.Server)) {
	t.Run("gofakes3", func(t *testing.T) { test(t, s3test.Start(t)) })
	t.Run("versitygw", func(t *testing.T) { test(t, s3test.StartGateway(t)) })
}

// onUploaders is onServers with each way to write: that of s3storage, with small parts, and that of the driver.
func onUploaders(t *testing.T, test func(t *testing.T, server *s3test.Server, open opener)) {
	onServers(t, func(t *testing.T, server *s3test.Server) {
		t.Run("s3storage", func(t *testing.T) { test(t, server, withStorage) })
		t.Run("driver", func(t *testing.T) {
			test(t, server, func(_ *testing.T, bucket *blob.Bucket) *cloudblob.Store {
				return cloudblob.New(bucket, cloudblob.Options{PartSize: partSize})
			})
		})
	})
}

type opener = func(t *testing.T, bucket *blob.Bucket) *cloudblob.Store

// partSize is the smallest one, so that a few of them are soon written.
const partSize = cloudblob.MinPartSize

func withStorage(t *testing.T, bucket *blob.Bucket) *cloudblob.Store {
	t.Helper()
	storage, err := s3storage.New(bucket, s3storage.Options{PartSize: partSize})
	require.NoError(t, err)
	return cloudblob.New(bucket, cloudblob.Options{Storage: storage})
}

// A wire is a transport that notes the operations of S3 that pass it. A test may answer them itself.
type wire struct {
	next   http.RoundTripper
	answer func(operation string, r *http.Request, send func() (*http.Response, error)) (*http.Response, error)

	mu         sync.Mutex
	operations []string
}

// through opens the bucket of a server through a wire.
func through(t *testing.T, server *s3test.Server, answer func(string, *http.Request, func() (*http.Response, error)) (*http.Response, error)) (*blob.Bucket, *wire) {
	t.Helper()
	w := &wire{answer: answer}
	bucket := server.OpenBucketThrough(t, func(next http.RoundTripper) http.RoundTripper {
		w.next = next
		return w
	})
	return bucket, w
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	operation := operationOf(r)
	w.mu.Lock()
	w.operations = append(w.operations, operation)
	w.mu.Unlock()
	send := func() (*http.Response, error) { return w.next.RoundTrip(r) }
	if w.answer == nil {
		return send()
	}
	return w.answer(operation, r, send)
}

// take returns the operations since the last call.
func (w *wire) take() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	operations := w.operations
	w.operations = nil
	return operations
}

// operationOf names the operation as the API reference of Amazon S3 does.
func operationOf(r *http.Request) string {
	query := r.URL.Query()
	upload, uploads := query.Has("uploadId"), query.Has("uploads")
	for _, o := range []struct {
		name string
		is   bool
	}{
		{"UploadPart", r.Method == http.MethodPut && upload},
		{"PutObject", r.Method == http.MethodPut},
		{"CreateMultipartUpload", r.Method == http.MethodPost && uploads},
		{"CompleteMultipartUpload", r.Method == http.MethodPost && upload},
		{"AbortMultipartUpload", r.Method == http.MethodDelete && upload},
		{"DeleteObject", r.Method == http.MethodDelete},
		{"ListMultipartUploads", r.Method == http.MethodGet && uploads},
		{"ListObjectsV2", r.Method == http.MethodGet && query.Has("list-type")},
		{"GetObject", r.Method == http.MethodGet},
		{"HeadObject", r.Method == http.MethodHead},
	} {
		if o.is {
			return o.name
		}
	}
	return r.Method + " " + r.URL.RequestURI()
}

// refusal is how S3 answers what it does not do.
func refusal(r *http.Request, status int, code string) (*http.Response, error) {
	if r.Body != nil {
		_, _ = io.Copy(io.Discard, r.Body)
		_ = r.Body.Close()
	}
	return &http.Response{
		StatusCode: status, ProtoMajor: 1, ProtoMinor: 1, Request: r, Header: http.Header{"Content-Type": {"application/xml"}},
		Body: io.NopCloser(strings.NewReader("<Error><Code>" + code + "</Code><Message>no</Message></Error>")),
	}, nil
}

func format() dataexport.Format {
	return dataexport.Format{Name: "csv", MediaType: "text/csv", Extension: "csv"}
}

// content returns n bytes that are the same each time and do not repeat.
func content(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(b) // it never fails
	return b
}

// writing returns what Put is given to write b in pieces.
func writing(b []byte) func(io.Writer) error {
	return func(w io.Writer) error {
		for piece := range slices.Chunk(b, 100_003) {
			if _, err := w.Write(piece); err != nil {
				return err
			}
		}
		return nil
	}
}

func put(ctx context.Context, s *cloudblob.Store, key string, b []byte) error {
	return s.Put(ctx, key, format(), writing(b))
}

func wantContent(t *testing.T, s *cloudblob.Store, key string, want []byte) {
	t.Helper()
	b, err := s.Open(t.Context(), key)
	require.NoError(t, err)
	got, err := io.ReadAll(b)
	require.NoError(t, err)
	assert.True(t, bytes.Equal(want, got), "%q has %d bytes, not the %d that were put", key, len(got), len(want))
	require.NoError(t, b.Close())
}

// wantNothing checks that nothing is on the server, in the way that it says itself.
func wantNothing(t *testing.T, server *s3test.Server) {
	t.Helper()
	assert.Empty(t, server.Objects(t))
	assert.Empty(t, server.Uploads(t))
}

func list(t *testing.T, s *cloudblob.Store, prefix string) (infos []dataexport.BlobInfo) {
	t.Helper()
	for info, err := range s.List(t.Context(), prefix) {
		require.NoError(t, err)
		infos = append(infos, info)
	}
	return infos
}
