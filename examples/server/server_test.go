package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/examples/server/internal/database/databasetest"
	"github.com/dataexport/dataexport/memory"
	"github.com/dataexport/dataexport/render"
)

// request makes a request and returns the answer and its body.
func (p *process) request(method, path, key string) (*http.Response, []byte) {
	p.t.Helper()
	request, err := http.NewRequestWithContext(p.t.Context(), method, p.url+path, nil)
	require.NoError(p.t, err)
	request.Header.Set("X-Api-Key", key)
	response, err := http.DefaultClient.Do(request)
	require.NoError(p.t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(p.t, err)
	return response, body
}

// A job is what the API tells of one, as far as the tests care.
type job struct {
	ID          string    `json:"id"`
	Format      string    `json:"format"`
	Status      string    `json:"status"`
	RecordCount int       `json:"record_count"`
	ExpiresAt   time.Time `json:"expires_at"`
	CompletedAt time.Time `json:"completed_at"`
}

// order orders an export and waits for it.
func (p *process) order(query, key string) job {
	p.t.Helper()
	response, body := p.request(http.MethodPost, "/v1/exports?"+query, key)
	require.Equal(p.t, http.StatusAccepted, response.StatusCode, "%s", body)
	var ordered job
	require.NoError(p.t, json.Unmarshal(body, &ordered))
	var done job
	require.Eventually(p.t, func() bool {
		response, body := p.request(http.MethodGet, "/v1/exports/"+ordered.ID, key)
		require.Equal(p.t, http.StatusOK, response.StatusCode, "%s", body)
		require.NoError(p.t, json.Unmarshal(body, &done))
		require.NotEqual(p.t, "FAILED", done.Status, "%s", body)
		return done.Status == "READY"
	}, time.Minute, 10*time.Millisecond)
	return done
}

func (p *process) download(id, key string) (*http.Response, []byte) {
	p.t.Helper()
	response, body := p.request(http.MethodGet, "/v1/exports/"+id+"/download", key)
	require.Equal(p.t, http.StatusOK, response.StatusCode, "%s", body)
	return response, body
}

func recordsOf(all []memory.Record, workspace string) int {
	return len(slices.DeleteFunc(slices.Clone(all), func(r memory.Record) bool { return r.WorkspaceID != workspace }))
}

// expected renders the sample without the server.
func expected(t *testing.T, all []memory.Record, workspace string, r dataexport.Renderer) string {
	t.Helper()
	var b bytes.Buffer
	_, err := dataexport.Export(t.Context(), &b, memory.Slice(all), r, dataexport.Query{Scope: dataexport.Scope{WorkspaceID: workspace}})
	require.NoError(t, err)
	return b.String()
}

// TestExports goes the documented way: order, look, list, download; for each format.
func TestExports(t *testing.T) {
	p := start(t, t.TempDir())
	key := p.demoKey()
	all := databasetest.Sample(t)
	n := recordsOf(all, "demo")
	var ids []string
	for _, format := range []string{"json", "csv", "markdown"} {
		done := p.order("format="+format, key)
		ids = append([]string{done.ID}, ids...)
		assert.Equal(t, n, done.RecordCount)
		assert.Equal(t, 72*time.Hour, done.ExpiresAt.Sub(done.CompletedAt))
		response, body := p.download(done.ID, key)
		assert.Contains(t, response.Header.Get("Content-Disposition"), "attachment; filename=")
		switch format {
		case "json":
			assert.Contains(t, response.Header.Get("Content-Type"), "application/json")
			var records []map[string]any
			require.NoError(t, json.Unmarshal(body, &records))
			assert.Len(t, records, n)
			assert.Equal(t, expected(t, all, "demo", render.JSON()), string(body))
		case "csv":
			assert.Contains(t, response.Header.Get("Content-Type"), "text/csv")
			lines, err := csv.NewReader(bytes.NewReader(body)).ReadAll()
			require.NoError(t, err)
			assert.Len(t, lines, n+1)
			assert.Equal(t, expected(t, all, "demo", render.CSV()), string(body))
		case "markdown":
			assert.Contains(t, response.Header.Get("Content-Type"), "text/markdown")
			assert.Equal(t, n, strings.Count(string(body), "\n## "))
		}
	}
	var list struct {
		Data  []job `json:"data"`
		Total int   `json:"total"`
	}
	response, body := p.request(http.MethodGet, "/v1/exports", key)
	require.Equal(t, http.StatusOK, response.StatusCode)
	require.NoError(t, json.Unmarshal(body, &list))
	assert.Equal(t, 3, list.Total)
	for i := range list.Data {
		assert.Equal(t, ids[i], list.Data[i].ID, "newest first")
	}
	filtered := p.order("priority=HIGH&categories=work,preferences&created_after=2026-01-01", key)
	assert.Positive(t, filtered.RecordCount)
	assert.Less(t, filtered.RecordCount, n)
	response, _ = p.request(http.MethodDelete, "/v1/exports/"+filtered.ID, key)
	assert.Equal(t, http.StatusNoContent, response.StatusCode)
	p.terminate()
}

// TestPrintedCommands runs what a newcomer would paste into a shell.
func TestPrintedCommands(t *testing.T) {
	needTools(t, "sh", "curl", "sed")
	p := start(t, t.TempDir())
	var commands []string
	for line := range strings.Lines(p.output.String()) {
		if command, found := strings.CutPrefix(line, "  "); found {
			commands = append(commands, command)
		}
	}
	require.Len(t, commands, 4)
	wait := `until ` + strings.TrimSpace(commands[1]) + ` | grep -q '"status":"READY"'; do :; done` + "\n"
	shell := exec.Command("sh", "-e", "-c", commands[0]+wait+commands[1]+commands[2]+commands[3])
	shell.Dir = t.TempDir()
	out, err := shell.CombinedOutput()
	require.NoError(t, err, "%s", out)
	downloaded, err := os.ReadFile(filepath.Join(shell.Dir, "memories.csv"))
	require.NoError(t, err)
	assert.Equal(t, expected(t, databasetest.Sample(t), "demo", render.CSV()), string(downloaded))
	p.terminate()
}

// TestSecondStart finds the same key and the files of the first.
func TestSecondStart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a dir?with%41#signs", "data")
	first := start(t, dir)
	key := first.demoKey()
	done := first.order("format=csv", key)
	_, before := first.download(done.ID, key)
	first.stop(os.Interrupt)
	assertOnlyDocumentedFiles(t, dir, 1)

	second := start(t, dir)
	assert.Equal(t, key, second.demoKey())
	_, after := second.download(done.ID, key)
	assert.Equal(t, before, after)
	again := second.order("format=csv", key)
	assert.Equal(t, done.RecordCount, again.RecordCount, "the sample is imported once")
	second.terminate()
	assertOnlyDocumentedFiles(t, dir, 2)

	third := start(t, dir, "-key", "other=demo")
	assert.NotContains(t, third.output.String(), "demo key")
	assert.NotContains(t, third.output.String(), key)
	response, _ := third.request(http.MethodGet, "/v1/exports", key)
	assert.Equal(t, http.StatusUnauthorized, response.StatusCode, "with -key there is no demo key")
	third.terminate()
}

// assertOnlyDocumentedFiles looks at what a stopped server leaves: the database and a file for each export.
func assertOnlyDocumentedFiles(t *testing.T, dir string, exports int) {
	t.Helper()
	var files []string
	require.NoError(t, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		require.NoError(t, err)
		if entry.IsDir() {
			assert.Equal(t, fs.FileMode(0o700), info.Mode().Perm(), path)
			return nil
		}
		assert.Equal(t, fs.FileMode(0o600), info.Mode().Perm(), path)
		files = append(files, path)
		return nil
	}))
	assert.Len(t, files, 1+exports)
	top, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, top, 2)
	assert.Equal(t, "dataexport.db", top[0].Name())
	assert.Equal(t, "files", top[1].Name())
}

func TestKeys(t *testing.T) {
	p := start(t, t.TempDir(), "-key", "s3cret-a=acme-support", "-key", "s3cret-r=studio-nord/anna:export.read", "-key", "s3cret-w=studio-nord:export.write")
	all := databasetest.Sample(t)
	done := p.order("format=json", "s3cret-a")
	assert.Equal(t, recordsOf(all, "acme-support"), done.RecordCount)
	_, body := p.download(done.ID, "s3cret-a")
	assert.Equal(t, expected(t, all, "acme-support", render.JSON()), string(body))
	for _, test := range []struct {
		method, path, key string
		status            int
	}{
		{http.MethodGet, "/v1/exports/" + done.ID, "s3cret-r", http.StatusNotFound},
		{http.MethodGet, "/v1/exports/" + done.ID + "/download", "s3cret-r", http.StatusNotFound},
		{http.MethodPost, "/v1/exports", "s3cret-r", http.StatusForbidden},
		{http.MethodPost, "/v1/exports", "s3cret-w", http.StatusAccepted},
		{http.MethodGet, "/v1/exports", "s3cret-w", http.StatusForbidden},
		{http.MethodGet, "/v1/exports", "s3cret-r", http.StatusOK},
		{http.MethodGet, "/v1/exports", "s3cret", http.StatusUnauthorized},
		{http.MethodGet, "/v1/exports", "", http.StatusUnauthorized},
		{http.MethodGet, "/v1/nothing", "s3cret-r", http.StatusNotFound},
		{http.MethodGet, "/", "", http.StatusOK},
		{http.MethodGet, "/favicon.ico", "", http.StatusNotFound},
	} {
		response, body := p.request(test.method, test.path, test.key)
		assert.Equal(t, test.status, response.StatusCode, "%s %s with %s: %s", test.method, test.path, test.key, body)
	}
	_, help := p.request(http.MethodGet, "/", "")
	for _, name := range dataexport.FilterNames() {
		assert.Contains(t, string(help), name)
	}
	assert.Contains(t, string(help), "/api/v1/export ")
	p.terminate()
	assert.NotContains(t, p.output.String(), "s3cret", "no key is printed")
}

func TestMemoriesFlag(t *testing.T) {
	dir := t.TempDir()
	first := start(t, dir, "-key", "k=w", "-memories", databasetest.File(t, "memories.jsonl.gz", databasetest.Gzip(t, databasetest.Lines(5))))
	assert.Equal(t, 5, first.order("format=csv", "k").RecordCount)
	first.terminate()
	second := start(t, dir, "-key", "k=w", "-memories", "no longer there", "-retention", "90m", "-workers", "1")
	done := second.order("format=csv", "k")
	assert.Equal(t, 5, done.RecordCount)
	assert.Equal(t, 90*time.Minute, done.ExpiresAt.Sub(done.CompletedAt))
	second.terminate()
	assert.Contains(t, second.output.String(), "-memories is ignored")
}

func TestBadStarts(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, taken.Close()) }()
	bad := databasetest.File(t, "bad.jsonl", []byte(databasetest.Lines(2)+`{"id":"x"}`+"\n"))
	notDirectory := databasetest.File(t, "file", nil)
	for _, test := range []struct {
		args    []string
		problem string
	}{
		{[]string{"-addr", taken.Addr().String()}, "address already in use"},
		{[]string{"-addr", "nonsense"}, "-addr: "},
		{[]string{"-addr", "127.0.0.1:99999"}, "-addr: "},
		{[]string{"-data", ""}, "-data is empty"},
		{[]string{"-data", notDirectory}, "data directory"},
		{[]string{"-memories", bad}, "line 3: workspace_id is missing"},
		{[]string{"-memories", "/no/such/file"}, "no such file"},
		{[]string{"-workers", "0"}, "-workers must be at least 1"},
		{[]string{"-workers", "two"}, "-workers"},
		{[]string{"-retention", "0"}, "-retention must be more than 0"},
		{[]string{"-retention", "72"}, "such as 72h"},
		{[]string{"-compress", "brotli"}, `-compress must be gzip or zstd, not "brotli"`},
		{[]string{"-compress", "gzip", "-redirect", "5m", "-blobs", "mem://"}, "do not go together"},
		{[]string{"-verbose"}, "flag provided but not defined: -verbose"},
		{[]string{"-key"}, "flag needs an argument: -key"},
		{[]string{"-key", "s3cret"}, "-key number 1: there is no"},
		{[]string{"-key", "a=w", "-key", "s3cret=w:admin"}, "-key number 2: "},
		{[]string{"-key", "a=w", "s3cret=w"}, "belongs to no flag"},
	} {
		dir := t.TempDir()
		says := fail(t, dir, test.args...)
		assert.Contains(t, says, test.problem, test.args)
		assert.NotContains(t, says, "s3cret")
	}
}

func TestBadImportLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	bad := databasetest.File(t, "bad.jsonl", []byte(databasetest.Lines(2)+`{"id":"x"}`+"\n"))
	assert.Contains(t, fail(t, dir, "-memories", bad), "line 3: ")
	p := start(t, dir)
	assert.Equal(t, recordsOf(databasetest.Sample(t), "demo"), p.order("", p.demoKey()).RecordCount)
	p.terminate()
}

// TestStopWithAClient stops a server that has a connection open which asks for nothing.
func TestStopWithAClient(t *testing.T) {
	p := start(t, t.TempDir())
	idle, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
	require.NoError(t, err)
	defer func() { require.NoError(t, idle.Close()) }()
	p.stop(syscall.SIGINT)
}

// TestStopWhileImporting stops a server that is not yet listening, in the middle of its import.
func TestStopWhileImporting(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	cmd := exec.Command(binary, "-addr", "127.0.0.1:0", "-data", dir, "-memories", databasetest.File(t, "many.gz", databasetest.Gzip(t, databasetest.Lines(300_000))))
	var output lockedBuffer
	cmd.Stdout, cmd.Stderr = &output, &output
	require.NoError(t, cmd.Start())
	require.Eventually(t, func() bool {
		log, err := os.Stat(filepath.Join(dir, "dataexport.db-wal"))
		return err == nil && log.Size() > 1<<20
	}, time.Minute, time.Millisecond)
	require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
	require.NoError(t, cmd.Wait(), output.String())
	assert.NotContains(t, output.String(), "listening")
	assertOnlyDocumentedFiles(t, dir, 0)

	p := start(t, dir)
	assert.Equal(t, recordsOf(databasetest.Sample(t), "demo"), p.order("", p.demoKey()).RecordCount, "nothing was imported")
	p.terminate()
}

func TestHelp(t *testing.T) {
	out, err := exec.Command(binary, "-help").Output()
	require.NoError(t, err)
	for _, flag := range []string{"-addr", "-data", "-memories", "-account", "-key", "-retention", "-workers", "-store", "-queue", "-blobs", "-compress", "-redirect", "-lease", "-attempts"} {
		assert.Contains(t, string(out), "  "+flag)
	}
}
