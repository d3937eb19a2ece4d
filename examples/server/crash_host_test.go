//go:build unix

package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/examples/server/internal/database"
	"github.com/dataexport/dataexport/examples/server/internal/database/databasetest"
	"github.com/dataexport/dataexport/examples/server/internal/database/sqlite"
	"github.com/dataexport/dataexport/memory"
	"github.com/dataexport/dataexport/render"
	"github.com/dataexport/dataexport/store/fileblob"
	"github.com/dataexport/dataexport/store/sqlitestore"
)

var crashScope = dataexport.Scope{WorkspaceID: "w0", Subject: "s"}

// crashData is what there is to export.
type crashData struct {
	lines    string                     // JSON Lines
	records  map[string][]memory.Record // by workspace
	database string                     // a file that holds them, to be copied; empty for none
}

// newCrashData makes memories in the workspaces w0, w1 and so on.
func newCrashData(t *testing.T, workspaces, each int) *crashData {
	t.Helper()
	data := &crashData{lines: crashLines(workspaces, each), records: make(map[string][]memory.Record)}
	for r, err := range memory.ReadJSONLines(strings.NewReader(data.lines)) {
		require.NoError(t, err)
		data.records[r.WorkspaceID] = append(data.records[r.WorkspaceID], *r)
	}
	return data
}

// newCrashDatabase makes memories in the workspace w0, in a database too.
func newCrashDatabase(t *testing.T, memories int) *crashData {
	t.Helper()
	data := newCrashData(t, 1, memories)
	dir := t.TempDir()
	db, err := openPrepared(t.Context(), dir, 1)
	require.NoError(t, err)
	require.NoError(t, sqlitestore.Migrate(t.Context(), db.SQL))
	require.NoError(t, database.ImportMemories(t.Context(), db, databasetest.File(t, "memories.jsonl", []byte(data.lines)), databasetest.Quiet()))
	require.NoError(t, db.Close())
	data.database = filepath.Join(dir, sqlite.FileName)
	return data
}

func crashLines(workspaces, each int) string {
	var b strings.Builder
	begin := time.Date(2025, 3, 1, 0, 0, 0, 0, time.UTC)
	for i := range each {
		for w := range workspaces {
			fmt.Fprintf(&b, `{"id":"m-%07d","workspace_id":"w%d","content":%q,"user_id":"user-%d","priority":%q,`+
				`"categories":["all","c%d"],"metadata":{"n":%d},"created_at":%q}`+"\n",
				i, w, fmt.Sprintf("Memory %d of w%d. ", i, w)+strings.Repeat("She likes long texts. ", i%17), i%5,
				[]string{"LOW", "MEDIUM", "HIGH"}[i%3], i%7, i, begin.Add(time.Duration(i)*time.Minute).Format(time.RFC3339))
		}
	}
	return b.String()
}

// render exports without jobs, files or processes, as if the order had been created at a time.
func (d *crashData) render(t *testing.T, format string, q dataexport.Query) (string, dataexport.Summary) {
	t.Helper()
	for _, r := range render.Standard() {
		if r.Format().Name == format {
			var b bytes.Buffer
			summary, err := dataexport.Export(t.Context(), &b, memory.Slice(d.records[q.Scope.WorkspaceID]), r, q)
			require.NoError(t, err)
			return b.String(), summary
		}
	}
	t.Fatalf("there is no format %s", format)
	return "", dataexport.Summary{}
}

// A crashHost is a data directory, and what the test knows of the jobs in it. It opens the directory only while no process
// is to be killed, so that each finds it as its predecessor has left it.
type crashHost struct {
	t         *testing.T
	data      *crashData
	dir       string
	ids       []string // of the jobs that are ordered
	retention time.Duration
	keep      time.Duration
}

func newCrashHost(t *testing.T, data *crashData) *crashHost {
	t.Helper()
	h := &crashHost{t: t, data: data, dir: t.TempDir()}
	copyFile(t, data.database, filepath.Join(h.dir, sqlite.FileName))
	return h
}

func (h *crashHost) files() string { return filepath.Join(h.dir, "files") }

// observe opens the directory beside other processes.
func (h *crashHost) observe(look func(*dataexport.Service)) {
	h.t.Helper()
	db, err := openPrepared(h.t.Context(), h.dir, 2)
	require.NoError(h.t, err)
	defer func() { assert.NoError(h.t, db.Close()) }()
	files, err := fileblob.New(h.files())
	require.NoError(h.t, err)
	defer func() { assert.NoError(h.t, files.Close()) }()
	service, err := dataexport.New(dataexport.Config{
		Datasets:  []dataexport.Dataset{memory.Slice(nil)},
		Renderers: render.Standard(),
		Store:     sqlitestore.New(db.SQL),
		Blobs:     files,
		Logger:    databasetest.Quiet(),
	})
	require.NoError(h.t, err)
	look(service)
}

// request is the order of the job of that number.
func (h *crashHost) request(number int) dataexport.CreateRequest {
	return dataexport.CreateRequest{
		Scope:          crashScope,
		Format:         []string{"json", "csv", "markdown"}[number%3],
		Filter:         dataexport.Filter{Categories: []string{"all"}},
		IdempotencyKey: fmt.Sprint("order-", number),
	}
}

func (h *crashHost) create(service *dataexport.Service, number int) (j dataexport.Job, replayed bool) {
	h.t.Helper()
	j, replayed, err := service.Create(h.t.Context(), h.request(number))
	require.NoError(h.t, err)
	return j, replayed
}

// order orders the next job, which must have that number, and reports whether it was there already.
func (h *crashHost) order(number int) (replayed bool) {
	h.t.Helper()
	require.Len(h.t, h.ids, number)
	h.observe(func(service *dataexport.Service) {
		var j dataexport.Job
		j, replayed = h.create(service, number)
		h.ids = append(h.ids, j.ID)
	})
	return replayed
}

// waitForEnd waits until no job is active.
func (h *crashHost) waitForEnd(service *dataexport.Service) {
	h.t.Helper()
	waitFor(h.t, time.Minute, "all jobs to end", func() bool {
		page, _, err := service.List(h.t.Context(), crashScope, dataexport.ListQuery{Limit: 100})
		require.NoError(h.t, err)
		for _, j := range page {
			if j.Status.Active() {
				return false
			}
		}
		return true
	})
}

// checkJob checks a job that has ended, and its file.
func (h *crashHost) checkJob(service *dataexport.Service, number int, want outcome) dataexport.Job {
	t := h.t
	t.Helper()
	j, err := service.Get(t.Context(), crashScope, h.ids[number])
	require.NoError(t, err)
	assert.Equal(t, want, outcome{j.Status, j.Attempts}, "job %d", number)
	if j.Status != dataexport.StatusReady {
		require.NotNil(t, j.Error)
		assert.Equal(t, "INTERRUPTED", j.Error.Code)
		return j
	}
	file, err := service.Open(t.Context(), crashScope, j.ID)
	require.NoError(t, err)
	defer func() { assert.NoError(t, file.Close()) }()
	content, err := io.ReadAll(file)
	require.NoError(t, err)
	expected, summary := h.data.render(t, j.Format, dataexport.Query{Scope: j.Scope, Filter: j.Filter, AsOf: j.CreatedAt})
	require.NotZero(t, summary.Records)
	assert.True(t, expected == string(content), "the file of job %d is not what an undisturbed export makes", number)
	assert.Equal(t, int64(len(content)), j.FileSize)
	assert.Equal(t, fmt.Sprintf("%x", sha256.Sum256(content)), j.SHA256)
	assert.Equal(t, summary.Records, j.RecordCount)
	return j
}

// A childProcess is a running child.
type childProcess struct {
	t       *testing.T
	command *exec.Cmd
	context context.Context // done when it has taken too long and is killed
	input   io.WriteCloser
	output  *bufio.Scanner
	errors  lockedBuffer
}

func (h *crashHost) startChild(s step) *childProcess {
	t := h.t
	t.Helper()
	task := childTask{
		Dir: h.dir, Role: s.role, Event: s.at, Nth: s.nth, Hold: s.hold, Fail: s.fail, Pause: s.pause,
		Retention: h.retention, JobRetention: h.keep, Request: h.request(0),
	}
	if len(h.ids) > 0 {
		task.Job = h.ids[0]
	}
	text, err := json.Marshal(task)
	require.NoError(t, err)
	binary, err := os.Executable()
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	c := &childProcess{t: t, command: exec.CommandContext(ctx, binary), context: ctx}
	c.command.Env = append(os.Environ(), childVariable+"="+string(text))
	c.command.Stderr = &c.errors
	c.input, err = c.command.StdinPipe()
	require.NoError(t, err)
	output, err := c.command.StdoutPipe()
	require.NoError(t, err)
	c.output = bufio.NewScanner(output)
	require.NoError(t, c.command.Start())
	return c
}

// run carries out one step.
func (h *crashHost) run(s step) {
	h.t.Helper()
	c := h.startChild(s)
	if s.at == "" {
		h.observe(h.waitForEnd)
		c.stop()
		return
	}
	c.die(s.stop)
	h.endLeases()
}

// endLeases makes the leases of all jobs end now. They are of the usual length, so that no slow machine takes a job away from
// a process before its time has come, and the tests have no time to wait for them; those of the whole server do.
func (h *crashHost) endLeases() {
	h.t.Helper()
	db, err := openPrepared(h.t.Context(), h.dir, 1)
	require.NoError(h.t, err)
	defer func() { assert.NoError(h.t, db.Close()) }()
	_, err = db.SQL.ExecContext(h.t.Context(), "UPDATE dataexport_jobs SET held_until = 1 WHERE status = 'PROCESSING'")
	require.NoError(h.t, err)
}

// die waits until the child has killed itself. If it is told to stop, then not before it holds an export.
func (c *childProcess) die(stop bool) {
	c.t.Helper()
	reached := false
	for c.output.Scan() {
		reached = reached || c.output.Text() == reachedLine
		if stop && c.output.Text() == heldLine {
			require.NoError(c.t, c.input.Close())
		}
	}
	err := c.command.Wait()
	require.NoError(c.t, c.context.Err(), "the child takes too long: %s", &c.errors)
	require.True(c.t, reached, "the child never came to the place where it was to be killed: %v\n%s", err, &c.errors)
	status, ok := c.command.ProcessState.Sys().(syscall.WaitStatus)
	require.True(c.t, ok)
	require.Equal(c.t, syscall.SIGKILL, status.Signal())
}

// waitForEvent waits until the child has come to its event.
func (c *childProcess) waitForEvent() {
	c.t.Helper()
	for c.output.Scan() {
		if c.output.Text() == reachedLine {
			return
		}
	}
	c.t.Fatalf("the child ended before it was to be paused: %s", &c.errors)
}

// stop ends the child in good order.
func (c *childProcess) stop() {
	c.t.Helper()
	require.NoError(c.t, c.input.Close())
	for c.output.Scan() {
		continue
	}
	require.NoError(c.t, c.command.Wait(), "%s", &c.errors)
}

// waitFor waits until a condition holds, and fails with what was waited for and, if given, how things are.
func waitFor(t *testing.T, limit time.Duration, what string, holds func() bool, state ...func() string) {
	t.Helper()
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for !holds() {
		select {
		case <-ticker.C:
		case <-deadline.C:
			for _, s := range state {
				what += ": " + s()
			}
			t.Fatalf("waited %s for %s", limit, what)
		}
	}
}

// tree returns the paths of all that is in a directory, in order; those of directories end with a slash.
func tree(t *testing.T, dir string) (paths []string) {
	t.Helper()
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil // it has gone just now, or was never made
		case err != nil:
			return err
		case path == ".":
			return nil
		case entry.IsDir():
			path += "/"
		}
		paths = append(paths, path)
		return nil
	})
	require.NoError(t, err)
	return paths
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	content, err := os.ReadFile(from)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(to, content, 0o600))
}
