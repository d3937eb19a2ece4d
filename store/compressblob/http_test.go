package compressblob_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/httpadapter"
	"github.com/dataexport/dataexport/memory"
	"github.com/dataexport/dataexport/render"
	"github.com/dataexport/dataexport/store/compressblob"
	"github.com/dataexport/dataexport/store/fileblob"
	"github.com/dataexport/dataexport/store/memstore"
)

const apiKey = "secret"

// served makes an export of many memories, keeps it as the options say, and returns the URL of its download.
func served(t *testing.T, o compressblob.Options) string {
	inner, err := fileblob.New(t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { _ = inner.Close() })
	memories := make([]memory.Record, 5000)
	for i := range memories {
		memories[i] = memory.Record{ID: fmt.Sprintf("m-%06d", i), WorkspaceID: "acme", Content: string(lines(200, uint64(i)))}
	}
	service, err := dataexport.New(dataexport.Config{
		Datasets:  []dataexport.Dataset{memory.Slice(memories)},
		Renderers: render.Standard(),
		Store:     memstore.New(),
		Blobs:     newStore(t, inner, o),
		Logger:    slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	server := httptest.NewServer(httpadapter.New(service, httpadapter.Options{
		Authenticate: httpadapter.APIKeys([]httpadapter.APIKey{{
			Digest: httpadapter.DigestKey(apiKey),
			Principal: httpadapter.Principal{
				WorkspaceID: "acme",
				Permissions: []httpadapter.Permission{httpadapter.PermissionRead, httpadapter.PermissionWrite},
			},
		}}),
	}))
	t.Cleanup(server.Close)

	answer, body := ask(t, http.MethodPost, server.URL+"/exports?format=json")
	require.Equal(t, http.StatusAccepted, answer.StatusCode, string(body))
	var job struct{ ID string }
	require.NoError(t, json.Unmarshal(body, &job))
	done, err := service.Runner().RunJob(t.Context(), job.ID)
	require.NoError(t, err)
	require.Equal(t, dataexport.StatusReady, done.Status)
	return server.URL + "/exports/" + job.ID + "/download"
}

// ask sends a request without an Accept-Encoding of its own, and returns the answer as it came.
func ask(t *testing.T, method, url string, header ...string) (*http.Response, []byte) {
	t.Helper()
	return send(t, &http.Transport{DisableCompression: true}, method, url, header...)
}

func send(t *testing.T, transport *http.Transport, method, url string, header ...string) (*http.Response, []byte) {
	t.Helper()
	defer transport.CloseIdleConnections()
	r, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	require.NoError(t, err)
	r.Header.Set("X-Api-Key", apiKey)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	answer, err := transport.RoundTrip(r)
	require.NoError(t, err)
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	return answer, body
}

func TestDownload(t *testing.T) {
	for _, o := range []compressblob.Options{
		{Coding: compressblob.Gzip}, smallChunks(compressblob.Gzip), {Coding: compressblob.Zstd}, smallChunks(compressblob.Zstd),
	} {
		t.Run(fmt.Sprintf("%s in chunks of %d", o.Coding, o.ChunkSize), func(t *testing.T) {
			url := served(t, o)
			answer, content := ask(t, http.MethodGet, url)
			require.Equal(t, http.StatusOK, answer.StatusCode)
			require.True(t, json.Valid(content))
			require.Empty(t, answer.Header.Get("Content-Encoding"))
			require.EqualValues(t, len(content), answer.ContentLength)
			t.Run("part of it", func(t *testing.T) { testParts(t, url, content) })
			t.Run("Go client", func(t *testing.T) { testGoClient(t, url, content, o.Coding == compressblob.Gzip) })
			t.Run("curl", func(t *testing.T) { testCurl(t, url, content) })
			if o.Coding == compressblob.Gzip {
				t.Run("part of the coding", func(t *testing.T) { testPartsOfCoding(t, url, content) })
			}
		})
	}
}

func testParts(t *testing.T, url string, content []byte) {
	size := len(content)
	for _, part := range [][2]int{{0, 0}, {1, 99}, {4095, 4096}, {size / 2, size/2 + 100_000}, {size - 1, size - 1}} {
		answer, body := ask(t, http.MethodGet, url, "Range", fmt.Sprintf("bytes=%d-%d", part[0], part[1]))
		require.Equal(t, http.StatusPartialContent, answer.StatusCode)
		require.True(t, bytes.Equal(content[part[0]:part[1]+1], body), part)
	}
	answer, body := ask(t, http.MethodGet, url, "Range", "bytes=0-9,100000-100009")
	require.Equal(t, http.StatusPartialContent, answer.StatusCode)
	require.Contains(t, string(body), string(content[100000:100010]))
}

// The standard client asks for gzip by itself and decodes it unseen.
func testGoClient(t *testing.T, url string, content []byte, coded bool) {
	answer, body := send(t, &http.Transport{}, http.MethodGet, url)
	assert.Equal(t, coded, answer.Uncompressed)
	assert.True(t, bytes.Equal(content, body))
}

func testCurl(t *testing.T, url string, content []byte) {
	curl := program(t, "curl", true)
	for _, arguments := range [][]string{{"--compressed"}, {"--compressed", "--limit-rate", "10M"}, {}} {
		command := exec.Command(curl, append(arguments, "--silent", "--show-error", "--fail", "--noproxy", "*",
			"--header", "X-Api-Key: "+apiKey, url)...)
		var errors bytes.Buffer
		command.Stderr = &errors
		got, err := command.Output()
		require.NoError(t, err, errors.String())
		require.True(t, bytes.Equal(content, got))
	}
}

// A download that broke off is resumed within the coding.
func testPartsOfCoding(t *testing.T, url string, content []byte) {
	whole, file := ask(t, http.MethodGet, url, "Accept-Encoding", "gzip")
	require.Equal(t, "gzip", whole.Header.Get("Content-Encoding"))
	require.Less(t, len(file), len(content)/2)
	var joined []byte
	for _, part := range []string{"bytes=0-9999", "bytes=10000-"} {
		answer, body := ask(t, http.MethodGet, url, "Accept-Encoding", "gzip", "Range", part, "If-Range", whole.Header.Get("ETag"))
		require.Equal(t, http.StatusPartialContent, answer.StatusCode)
		joined = append(joined, body...)
	}
	assert.True(t, bytes.Equal(file, joined))
	assert.Equal(t, content, gunzip(t, joined))
}
