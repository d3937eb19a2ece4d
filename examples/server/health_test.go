package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestHealth asks a real server, with every method.
func TestHealth(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := start(t, dir, "-key", "k=w")
	p.assertHealth(http.StatusOK, "ok\n")
	for _, path := range []string{"/healthz", "/readyz"} {
		response, body := p.request(http.MethodHead, path, "")
		assert.Equal(t, http.StatusOK, response.StatusCode)
		assert.Empty(t, body)
		assert.Equal(t, "text/plain; charset=utf-8", response.Header.Get("Content-Type"))
		assert.Equal(t, "no-store", response.Header.Get("Cache-Control"))
		for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions} {
			response, _ := p.request(method, path, "k")
			assert.Equal(t, http.StatusMethodNotAllowed, response.StatusCode, method)
			assert.Equal(t, "GET, HEAD", response.Header.Get("Allow"))
		}
	}
	require.NoError(t, os.Rename(filepath.Join(dir, "files"), filepath.Join(dir, "elsewhere")))
	p.waitForHealth(http.StatusServiceUnavailable, "not ready: the files cannot be reached\n")
	require.NoError(t, os.Rename(filepath.Join(dir, "elsewhere"), filepath.Join(dir, "files")))
	p.waitForHealth(http.StatusOK, "ok\n")
	p.terminate()
}

func TestReadiness(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked, failure := 0, error(nil)
		h := newHealth(slog.New(slog.DiscardHandler))
		ask := func() string {
			recorder := httptest.NewRecorder()
			h.ready(recorder, httptest.NewRequest(http.MethodGet, "/readyz", nil))
			assert.Equal(t, recorder.Body.String() == "ok\n", recorder.Code == http.StatusOK)
			return recorder.Body.String()
		}
		assert.Equal(t, "not ready: it is starting\n", ask())
		h.say("the database does not answer")
		assert.Equal(t, "not ready: the database does not answer\n", ask())
		h.ask(part{"a", func(context.Context) error { asked++; return failure }}, part{"b", func(ctx context.Context) error {
			if failure != nil {
				<-ctx.Done()
			}
			return ctx.Err()
		}})
		for range 10 {
			assert.Equal(t, "ok\n", ask())
		}
		assert.Equal(t, 1, asked, "an answer is good for a second")
		failure = errors.New("the password is s3cret")
		time.Sleep(checkInterval)
		assert.Equal(t, "not ready: a cannot be reached; b cannot be reached\n", ask())
		failure = nil
		time.Sleep(checkInterval)
		assert.Equal(t, "ok\n", ask())
		h.stop()
		assert.Equal(t, "not ready: it is stopping\n", ask())
	})
}
