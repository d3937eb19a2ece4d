package main

import (
	"io"
	"net/http"
	"net/url"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport/store/cloudblob/s3test"
)

// TestBucket keeps the files of a server with SQLite in a bucket, which goes away and comes back.
func TestBucket(t *testing.T) {
	t.Parallel()
	s3 := s3test.Start(t)
	endpoint, err := url.Parse(s3.Endpoint)
	require.NoError(t, err)
	link := newProxy(t, endpoint.Host)
	s3.Endpoint = "http://" + link.address
	p := launch(t, s3.Environ(), "-addr", "127.0.0.1:0", "-data", t.TempDir(), "-blobs", s3.URL(), "-key", "k=demo").waitForWelcome()
	done := p.order("format=csv", "k")
	_, want := p.download(done.ID, "k")
	p.assertHealth(http.StatusOK, "ok\n")
	link.cut()
	p.waitForHealth(http.StatusServiceUnavailable, "not ready: the files cannot be reached\n")
	link.mend()
	p.waitForHealth(http.StatusOK, "ok\n")
	_, found := p.download(done.ID, "k")
	assert.Equal(t, string(want), string(found))
	p.end()
}

func TestBucketThatIsNotThere(t *testing.T) {
	t.Parallel()
	s3 := s3test.Start(t)
	s3.Bucket = "nowhere"
	p := launch(t, s3.Environ(), "-addr", "127.0.0.1:0", "-data", t.TempDir(), "-blobs", s3.URL())
	<-p.closed
	require.Error(t, p.cmd.Wait())
	assert.Equal(t, "server: -blobs: there is no bucket s3://nowhere\n", p.output.String())
}

// TestRedirect downloads from the bucket itself, without the key of the API.
func TestRedirect(t *testing.T) {
	t.Parallel()
	s3 := s3test.Start(t)
	p := launch(t, s3.Environ(), "-addr", "127.0.0.1:0", "-data", t.TempDir(), "-blobs", s3.URL(), "-redirect", "5m").waitForWelcome()
	key := p.demoKey()
	done := p.order("format=csv", key)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.url+"/v1/exports/"+done.ID+"/download", nil)
	require.NoError(t, err)
	request.Header.Set("X-Api-Key", key)
	response, err := http.DefaultTransport.RoundTrip(request)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusTemporaryRedirect, response.StatusCode)
	location := response.Header.Get("Location")
	assert.True(t, strings.HasPrefix(location, s3.Endpoint+"/"), location)
	assert.NotContains(t, location, key)
	response, err = http.Get(location) //nolint:gosec,noctx // it is the bucket of this test
	require.NoError(t, err)
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	assert.Equal(t, done.RecordCount+1, strings.Count(string(body), "\r\n"))

	if _, err := exec.LookPath("curl"); err == nil {
		command := regexp.MustCompile(`(?m)^  (curl .* -o memories\.csv .*)$`).FindString(p.output.String())
		require.NotEmpty(t, command, p.output.String())
		shell := exec.Command("sh", "-e", "-c", strings.Replace(command, "-o memories.csv", "", 1))
		shell.Env = append(shell.Environ(), "ID="+done.ID)
		out, err := shell.Output()
		require.NoError(t, err, command)
		assert.Equal(t, string(body), string(out))
	}
	p.terminate()
}
