package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport/examples/server/internal/database/databasetest"
	"github.com/dataexport/dataexport/render"
)

// TestCompress downloads a compressed file as clients do that accept gzip, and as others do.
func TestCompress(t *testing.T) {
	t.Parallel()
	for coding, magic := range map[string]string{"gzip": "\x1f\x8b", "zstd": "\x50\x2a\x4d\x18"} {
		dir := t.TempDir()
		p := start(t, dir, "-compress", coding, "-key", "k=demo")
		done := p.order("format=csv", "k")
		want := expected(t, databasetest.Sample(t), "demo", render.CSV())

		stored, err := filepath.Glob(filepath.Join(dir, "files", done.ID, "*"))
		require.NoError(t, err)
		require.Len(t, stored, 1)
		content, err := os.ReadFile(stored[0])
		require.NoError(t, err)
		assert.Equal(t, magic, string(content[:len(magic)]), coding)

		plain := p.accept(done.ID, "identity")
		assert.Empty(t, plain.Header.Get("Content-Encoding"))
		assert.Equal(t, want, body(t, plain))

		accepted := p.accept(done.ID, "gzip, zstd")
		found := body(t, accepted)
		assert.Equal(t, fmt.Sprint(len(found)), accepted.Header.Get("Content-Length"))
		if coding == "zstd" { // not every client that accepts it can decode what is stored
			assert.Empty(t, accepted.Header.Get("Content-Encoding"))
			assert.Equal(t, want, found)
		} else {
			assert.Equal(t, "gzip", accepted.Header.Get("Content-Encoding"))
			for _, response := range []*http.Response{plain, accepted} {
				assert.Equal(t, "Accept-Encoding", response.Header.Get("Vary"))
			}
			assert.Equal(t, string(content), found)
			reader, err := gzip.NewReader(bytes.NewReader([]byte(found)))
			require.NoError(t, err)
			decoded, err := io.ReadAll(reader)
			require.NoError(t, err)
			assert.Equal(t, want, string(decoded))
		}
		p.terminate()
	}
}

// accept asks for a file in one of some codings, which net/http then leaves as it is.
func (p *process) accept(id, codings string) *http.Response {
	p.t.Helper()
	request, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, p.url+"/v1/exports/"+id+"/download", nil)
	require.NoError(p.t, err)
	request.Header.Set("X-Api-Key", "k")
	request.Header.Set("Accept-Encoding", codings)
	response, err := http.DefaultClient.Do(request)
	require.NoError(p.t, err)
	require.Equal(p.t, http.StatusOK, response.StatusCode)
	return response
}

func body(t *testing.T, response *http.Response) string {
	t.Helper()
	content, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	return string(content)
}
