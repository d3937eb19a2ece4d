//go:build unix

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dataexport/dataexport/examples/server/internal/database/sqlite"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What a killed server may have left.
const (
	noMemories    = "no memories yet"
	jobWaiting    = "a job that waited"
	jobInWork     = "a job in work"
	jobReady      = "a READY job"
	jobSwept      = "a job whose file was removed"
	fileHalf      = "a file half written"
	fileUnnamed   = "a file that its active job did not name yet"
	fileOrphan    = "a file that no job needed"
	directoryBare = "an empty directory"
)

// A census counts the kills after which something was there.
type census map[string]int

// add looks at a copy of what a killed server has left, so that the next one finds it as it is.
func (c census) add(t *testing.T, dir string) {
	t.Helper()
	found := make(map[string]bool)
	jobs := jobsAfterKill(t, dir)
	for _, j := range jobs {
		found[j.find()] = true
	}
	if jobs == nil {
		found[noMemories] = true
	}
	paths := tree(t, filepath.Join(dir, "files"))
	for i, path := range paths {
		hasMore := i+1 < len(paths) && strings.HasPrefix(paths[i+1], path)
		if what := findFile(path, hasMore, jobs); what != "" {
			found[what] = true
		}
	}
	for what := range found {
		c[what]++
	}
}

// A storedJob is a row of the table of jobs.
type storedJob struct{ status, blobKey string }

func (j storedJob) active() bool { return j.status == "PENDING" || j.status == "PROCESSING" }

func (j storedJob) find() string {
	switch {
	case j.status == "PENDING":
		return jobWaiting
	case j.status == "PROCESSING":
		return jobInWork
	case j.blobKey != "":
		return jobReady
	}
	return jobSwept
}

// jobsAfterKill returns the jobs by id, or nil if the memories are not imported yet. The
// table of jobs must be whole.
func jobsAfterKill(t *testing.T, dir string) map[string]storedJob {
	t.Helper()
	twin := t.TempDir()
	for _, suffix := range []string{"", "-wal"} {
		if _, err := os.Stat(filepath.Join(dir, sqlite.FileName+suffix)); err == nil {
			copyFile(t, filepath.Join(dir, sqlite.FileName+suffix), filepath.Join(twin, sqlite.FileName+suffix))
		}
	}
	db, err := openPrepared(t.Context(), twin, 1)
	require.NoError(t, err)
	defer func() {
		assert.NoError(t, db.Close())
		assert.NoError(t, os.RemoveAll(twin)) // now, for it is large
	}()
	if countRows(t, db, "memories") == 0 {
		return nil
	}
	var verdict string
	require.NoError(t, db.SQL.QueryRowContext(t.Context(), "PRAGMA integrity_check(dataexport_jobs)").Scan(&verdict))
	require.Equal(t, "ok", verdict)
	rows, err := db.SQL.QueryContext(t.Context(), "SELECT id, status, blob_key FROM dataexport_jobs")
	require.NoError(t, err)
	defer rows.Close()
	jobs := make(map[string]storedJob)
	for rows.Next() {
		var id string
		var j storedJob
		require.NoError(t, rows.Scan(&id, &j.status, &j.blobKey))
		jobs[id] = j
	}
	require.NoError(t, rows.Err())
	return jobs
}

// findFile says what a path among the files is, if it is not the file of a READY job or a directory with something in it.
func findFile(path string, hasMore bool, jobs map[string]storedJob) string {
	id, name, _ := strings.Cut(path, "/")
	job := jobs[id]
	switch {
	case name == "" && hasMore:
		return ""
	case name == "":
		return directoryBare
	case strings.Contains(name, "+part-"):
		return fileHalf
	case job.active():
		return fileUnnamed
	case job.blobKey+"+blob" != path:
		return fileOrphan
	}
	return ""
}
