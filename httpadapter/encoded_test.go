package httpadapter_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/store/memblob"
)

// A gzipStore keeps blobs compressed. It decodes a whole blob when that is opened.
type gzipStore struct{ *memblob.Store }

func (s gzipStore) Put(ctx context.Context, key string, f dataexport.Format, write func(io.Writer) error) error {
	return s.Store.Put(ctx, key, f, func(w io.Writer) error {
		z := gzip.NewWriter(w)
		if err := write(z); err != nil {
			return err
		}
		return z.Close()
	})
}

func (s gzipStore) Open(ctx context.Context, key string) (dataexport.Blob, error) {
	stored, err := s.Store.Open(ctx, key)
	if err != nil {
		return nil, err
	}
	z, err := gzip.NewReader(stored)
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(z)
	if err != nil {
		return nil, err
	}
	_, err = stored.Seek(0, io.SeekStart)
	return &gzipBlob{bytes.NewReader(content), stored}, err
}

type gzipBlob struct {
	*bytes.Reader
	stored dataexport.Blob
}

func (b *gzipBlob) Encoded() (string, dataexport.Blob) { return "gzip", b.stored }
func (b *gzipBlob) Close() error                       { return b.stored.Close() }

func unzip(t *testing.T, data []byte) string {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(data))
	require.NoError(t, err)
	content, err := io.ReadAll(z)
	require.NoError(t, err)
	return string(content)
}

func TestDownloadOfAnEncodedFile(t *testing.T) {
	f := newFixture(t, func(f *fixture) { f.config.Blobs = gzipStore{memblob.New()} })
	path := "/exports/" + f.ready("?format=markdown") + "/download"

	plain := f.do(http.MethodGet, path)
	require.Equal(t, http.StatusOK, plain.Code)
	assert.Equal(t, fileText, plain.Body.String())
	assert.Empty(t, plain.Header().Get("Content-Encoding"))
	assert.Equal(t, "Accept-Encoding", plain.Header().Get("Vary"))
	assert.NotEmpty(t, plain.Header().Get("Repr-Digest"))

	coded := f.do(http.MethodGet, path, "Accept-Encoding", "gzip, br")
	require.Equal(t, http.StatusOK, coded.Code)
	assert.Equal(t, fileText, unzip(t, coded.Body.Bytes()))
	assert.Equal(t, "gzip", coded.Header().Get("Content-Encoding"))
	assert.Equal(t, strconv.Itoa(coded.Body.Len()), coded.Header().Get("Content-Length"))
	assert.Equal(t, "Accept-Encoding", coded.Header().Get("Vary"))
	assert.Equal(t, "bytes", coded.Header().Get("Accept-Ranges"))
	assert.Empty(t, coded.Header().Get("Repr-Digest"), "it would be that of the coded file")
	assert.Equal(t, plain.Header().Get("Content-Type"), coded.Header().Get("Content-Type"))
	assert.Equal(t, plain.Header().Get("Content-Disposition"), coded.Header().Get("Content-Disposition"))
	assert.NotEqual(t, plain.Header().Get("ETag"), coded.Header().Get("ETag"))

	head := f.do(http.MethodHead, path, "Accept-Encoding", "gzip")
	assert.Equal(t, coded.Header().Get("Content-Length"), head.Header().Get("Content-Length"))
	assert.Equal(t, coded.Header().Get("ETag"), head.Header().Get("ETag"))

	t.Run("ranges are of the coding", func(t *testing.T) {
		var joined []byte
		for _, part := range []string{"bytes=0-9", "bytes=10-"} {
			answer := f.do(http.MethodGet, path, "Accept-Encoding", "gzip", "Range", part, "If-Range", coded.Header().Get("ETag"))
			require.Equal(t, http.StatusPartialContent, answer.Code)
			assert.Equal(t, "gzip", answer.Header().Get("Content-Encoding"))
			assert.Equal(t, strconv.Itoa(answer.Body.Len()), answer.Header().Get("Content-Length"))
			joined = append(joined, answer.Body.Bytes()...)
		}
		assert.Equal(t, coded.Body.Bytes(), joined)

		// Half of one coding is never completed with half of the other.
		answer := f.do(http.MethodGet, path, "Range", "bytes=10-", "If-Range", coded.Header().Get("ETag"))
		assert.Equal(t, http.StatusOK, answer.Code)
		assert.Equal(t, fileText, answer.Body.String())
		answer = f.do(http.MethodGet, path, "Range", "bytes=2-9")
		assert.Equal(t, fileText[2:10], answer.Body.String())
	})

	t.Run("conditions are of the coding", func(t *testing.T) {
		etag := coded.Header().Get("ETag")
		assert.Equal(t, http.StatusNotModified, f.do(http.MethodGet, path, "Accept-Encoding", "gzip", "If-None-Match", etag).Code)
		assert.Equal(t, http.StatusOK, f.do(http.MethodGet, path, "If-None-Match", etag).Code)
	})

	t.Run("errors are not encoded", func(t *testing.T) {
		answer := f.do(http.MethodGet, path, "Accept-Encoding", "gzip", "Range", "bytes=9999999-")
		assert.Equal(t, http.StatusRequestedRangeNotSatisfiable, answer.Code)
		assert.Equal(t, "bytes */"+strconv.Itoa(coded.Body.Len()), answer.Header().Get("Content-Range"))
		assert.Empty(t, answer.Header().Get("Content-Encoding"))
		assert.Equal(t, strconv.Itoa(answer.Body.Len()), answer.Header().Get("Content-Length"))
		answer = f.do(http.MethodGet, path, "Accept-Encoding", "gzip", "Range", "bytes=-0")
		assert.Equal(t, http.StatusRequestedRangeNotSatisfiable, answer.Code)
		assert.Equal(t, "bytes */"+strconv.Itoa(coded.Body.Len()), answer.Header().Get("Content-Range"))
	})
	assert.Empty(t, f.log.lines(t))
}
