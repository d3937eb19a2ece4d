package httpadapter_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/dataexport/dataexport"
	"github.com/stretchr/testify/require"
)

// TestServiceErrors goes through the errors that a service may return, on every path.
func TestServiceErrors(t *testing.T) {
	const secret = "dial tcp 10.0.0.7:5432"
	tests := []struct {
		err        error
		status     int
		code       string
		retryAfter string
		level      string // of the log; empty for no line
	}{
		{dataexport.ErrNotFound, 404, "EXPORT_NOT_FOUND", "", ""},
		{dataexport.ErrNotReady, 409, "EXPORT_NOT_READY", "2", ""},
		{dataexport.ErrFailed, 409, "EXPORT_FAILED", "", ""},
		{dataexport.ErrExpired, 410, "EXPORT_EXPIRED", "", ""},
		{dataexport.ErrIdempotencyKeyReused, 422, "IDEMPOTENCY_KEY_REUSED", "", ""},
		{dataexport.ErrTooManyExports, 429, "TOO_MANY_EXPORTS", "30", ""},
		{dataexport.ErrUnavailable, 503, "UNAVAILABLE", "5", "WARN"},
		{dataexport.ErrInvalid, 500, "INTERNAL", "", "ERROR"},
		{dataexport.ErrConflict, 500, "INTERNAL", "", "ERROR"},
		{errors.New("unexpected"), 500, "INTERNAL", "", "ERROR"},
		{context.Canceled, 500, "INTERNAL", "", "ERROR"}, // not of this request, so something is wrong
	}
	const path = "/exports/a1b2c3d4-e5f6-7890-abcd-ef1234567890"
	for _, r := range []struct{ method, path string }{{"POST", "/exports"}, {"GET", "/exports"}, {"GET", path}, {"GET", path + "/download"}, {"DELETE", path}} {
		for _, test := range tests {
			t.Run(r.method+r.path+" "+test.err.Error(), func(t *testing.T) {
				f := newFixture(t, withFailingStore)
				f.failStore(fmt.Errorf("%s: %w", secret, test.err))
				w := f.do(r.method, r.path)
				requireProblem(t, w, test.status, test.code)
				require.Equal(t, test.retryAfter, w.Header().Get("Retry-After"))
				require.NotContains(t, w.Body.String(), secret)
				lines := f.log.lines(t)
				if test.level == "" {
					require.Empty(t, lines)
					return
				}
				require.Len(t, lines, 1)
				require.Equal(t, test.level, lines[0].Level)
				require.Equal(t, "request-1", lines[0].RequestID)
				require.Contains(t, lines[0].Error, secret)
			})
		}
	}
}

func TestCancelledRequestIsNoErrorInTheLog(t *testing.T) {
	for _, err := range []error{context.Canceled, errors.New("driver: bad connection"), dataexport.ErrUnavailable} {
		f := newFixture(t, withFailingStore)
		f.failStore(err)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		requireProblem(t, f.send(f.request("GET", "/exports").WithContext(ctx)), 503, "UNAVAILABLE")
		require.Len(t, f.log.lines(t), 1)
		require.Equal(t, "DEBUG", f.log.lines(t)[0].Level)
	}
}

func TestStoppingServiceIsUnavailable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- f.service.Run(ctx) }()
		synctest.Wait()
		require.Equal(t, 202, f.do("POST", "/exports").Code)
		synctest.Wait()
		cancel()
		require.NoError(t, <-ended)
		synctest.Wait()
		w := f.do("POST", "/exports")
		requireProblem(t, w, 503, "UNAVAILABLE")
		require.NotEmpty(t, w.Header().Get("Retry-After"))
		require.Equal(t, 200, f.do("GET", "/exports").Code, "what is there can still be seen")
	})
}

func TestDelete(t *testing.T) {
	f := newFixture(t)
	for state, id := range map[string]string{
		"pending": f.create(""), "processing": f.processing(""), "ready": f.ready(""), "failed": f.failed(),
	} {
		t.Run(state, func(t *testing.T) {
			w := f.do("DELETE", "/exports/"+id)
			require.Equal(t, 204, w.Code)
			require.Zero(t, w.Body.Len())
			requireProblem(t, f.do("GET", "/exports/"+id), 404, "EXPORT_NOT_FOUND")
			requireProblem(t, f.do("GET", "/exports/"+id+"/download"), 404, "EXPORT_NOT_FOUND")
			requireProblem(t, f.do("DELETE", "/exports/"+id), 404, "EXPORT_NOT_FOUND")
		})
	}
	require.Zero(t, f.total())
	for blob, err := range f.config.Blobs.List(t.Context(), "") {
		require.NoError(t, err)
		require.Fail(t, "a file is left", blob.Key)
	}
}

func TestDeleteFreesTheIdempotencyKey(t *testing.T) {
	f := newFixture(t)
	id := f.create("", "Idempotency-Key", "k")
	require.Equal(t, 204, f.do("DELETE", "/exports/"+id).Code)
	require.NotEqual(t, id, f.create("?format=csv", "Idempotency-Key", "k"))
}
