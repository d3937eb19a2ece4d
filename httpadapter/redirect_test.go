package httpadapter_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/store/memblob"
)

const signedURL = "https://bucket.example/exports/file?signature=secret"

// A signingStore signs URLs, or fails to.
type signingStore struct {
	*memblob.Store
	err error

	key     string // what it was asked for last
	options dataexport.SignedURLOptions
}

func (s *signingStore) SignURL(_ context.Context, key string, o dataexport.SignedURLOptions) (string, error) {
	s.key, s.options = key, o
	return signedURL, s.err
}

func redirecting(blobs dataexport.BlobStore, expiry time.Duration) func(*fixture) {
	return func(f *fixture) {
		f.config.Blobs = blobs
		f.options.SignedDownloads = expiry
	}
}

func TestDownloadRedirectsToASignedURL(t *testing.T) {
	blobs := &signingStore{Store: memblob.New()}
	f := newFixture(t, redirecting(blobs, time.Minute))
	id := f.ready("?format=csv")
	answer := f.do(http.MethodGet, "/exports/"+id+"/download", "Range", "bytes=0-4")
	assert.Equal(t, http.StatusTemporaryRedirect, answer.Code)
	assert.Equal(t, signedURL, answer.Header().Get("Location"))
	assert.Equal(t, "private, no-store", answer.Header().Get("Cache-Control"))
	assert.Equal(t, "no-referrer", answer.Header().Get("Referrer-Policy"))
	assert.Zero(t, answer.Body.Len())
	assert.NotContains(t, f.log.String(), "secret")

	job, err := f.service.Get(t.Context(), dataexport.Scope{WorkspaceID: "ws-1", Subject: "ann"}, id)
	require.NoError(t, err)
	assert.Equal(t, job.BlobKey, blobs.key)
	assert.Equal(t, dataexport.SignedURLOptions{
		Expiry:             time.Minute,
		ContentType:        "text/csv; charset=utf-8",
		ContentDisposition: `attachment; filename="memories-` + job.CreatedAt.Format("20060102-150405") + `.csv"`,
	}, blobs.options)

	// A signed URL is good for one method.
	answer = f.do(http.MethodHead, "/exports/"+id+"/download")
	assert.Equal(t, http.StatusOK, answer.Code)
	assert.NotEmpty(t, answer.Header().Get("ETag"))
}

func TestSignedURLDoesNotOutliveTheExport(t *testing.T) {
	blobs := &signingStore{Store: memblob.New()}
	f := newFixture(t, redirecting(blobs, 24*time.Hour), func(f *fixture) { f.config.Retention = time.Hour })
	id := f.ready("")
	assert.Equal(t, http.StatusTemporaryRedirect, f.do(http.MethodGet, "/exports/"+id+"/download").Code)
	assert.LessOrEqual(t, blobs.options.Expiry, time.Hour)
	assert.Greater(t, blobs.options.Expiry, 55*time.Minute)

	// With less than a second left there is nothing to sign.
	f = newFixture(t, redirecting(blobs, 24*time.Hour), func(f *fixture) { f.config.Retention = 900 * time.Millisecond })
	id = f.ready("")
	assert.Contains(t, []int{http.StatusOK, http.StatusGone}, f.do(http.MethodGet, "/exports/"+id+"/download").Code)
}

func TestDownloadWithoutRedirect(t *testing.T) {
	for name, f := range map[string]*fixture{
		"not asked for":              newFixture(t, redirecting(&signingStore{Store: memblob.New()}, 0)),
		"a storage that cannot":      newFixture(t, redirecting(memblob.New(), time.Minute)),
		"a storage that cannot here": newFixture(t, redirecting(&signingStore{Store: memblob.New(), err: errors.ErrUnsupported}, time.Minute)),
	} {
		t.Run(name, func(t *testing.T) {
			id := f.ready("?format=csv")
			answer := f.do(http.MethodGet, "/exports/"+id+"/download")
			assert.Equal(t, http.StatusOK, answer.Code)
			assert.NotZero(t, answer.Body.Len())
		})
	}
}

func TestRedirectAnswersTheSameErrors(t *testing.T) {
	blobs := &signingStore{Store: memblob.New()}
	f := newFixture(t, redirecting(blobs, time.Minute))
	ready := f.ready("")
	for path, want := range map[string]int{
		"/exports/" + f.failed() + "/download":                   http.StatusConflict,
		"/exports/" + f.processing("") + "/download":             http.StatusConflict,
		"/exports/019bc0f5-3a80-7000-8000-000000000001/download": http.StatusNotFound,
		"/exports/" + ready + "/download?inline=1":               http.StatusBadRequest,
	} {
		assert.Equal(t, want, f.do(http.MethodGet, path).Code, path)
	}
	assert.Equal(t, http.StatusNotFound, f.do(http.MethodGet, "/exports/"+ready+"/download", "X-Api-Key", keyOther).Code)
	assert.Empty(t, blobs.key, "nothing was signed")

	blobs.err = errors.New("the credentials of the storage are wrong")
	answer := f.do(http.MethodGet, "/exports/"+ready+"/download")
	assert.Equal(t, http.StatusInternalServerError, answer.Code)
	assert.NotContains(t, answer.Body.String(), "credentials")
	assert.Contains(t, f.log.String(), "credentials")
	assert.Contains(t, f.log.String(), `"workspace":"ws-1"`)
	assert.Contains(t, f.log.String(), `"job":"`+ready+`"`)
}
