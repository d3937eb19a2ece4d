//go:build unix

package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/examples/server/internal/database/databasetest"
)

// endLimit is how long all jobs may take to end once nobody kills the server any more: the lease of the last one that was
// killed is 30 seconds.
const endLimit = 90 * time.Second

// TestServerKilledAtAnyTime kills the server while it imports, while jobs wait, while files are written and committed, at
// random, then lets it work in peace, and demands: no order that was answered is lost and none is there twice; every job
// has ended; each file is the one that an undisturbed export makes; and there is no other file and no empty directory.
func TestServerKilledAtAnyTime(t *testing.T) {
	t.Parallel()
	data := newCrashData(t, 4, 6000)
	memories := databasetest.File(t, "memories.jsonl", []byte(data.lines))
	s := newSiege(t, []string{"w0", "w1", "w2", "w3"}, "-memories", memories, "-workers", "4")
	rounds := 6
	if testing.Short() {
		rounds = 2
	}
	s.kill(moment{importing, 50 * time.Millisecond}, 0)
	for range rounds {
		s.kill(moment{started, 600 * time.Millisecond}, 5) // about as long as the import takes
	}
	for range rounds {
		s.kill(moment{listening, 400 * time.Millisecond}, 8)
		s.kill(moment{answered, 20 * time.Millisecond}, 8)
		s.kill(moment{fileBegun, 150 * time.Millisecond}, 8)
		s.kill(moment{fileCommitted, 4 * time.Millisecond}, 8)
	}
	p := start(t, s.dir, s.args...)
	s.settle(p)
	for _, what := range []string{noMemories, jobInWork, jobReady, fileHalf} {
		assert.Contains(t, s.found, what, "the server was never killed when there was this")
	}
	s.waitForEnd(p)
	var all, ready []string
	for _, o := range s.customer.remaining(p) {
		j, found := s.customer.get(p, o)
		require.True(t, found)
		all = append(all, j.ID)
		if j.Status == "FAILED" { // after five kills, where they take so long that its lease runs out between them
			require.NotNil(t, j.Error)
			assert.Equal(t, []any{"INTERRUPTED", 5}, []any{j.Error.Code, j.Attempts})
			continue
		}
		require.Equal(t, "READY", j.Status)
		s.checkFile(p, data, o, &j)
		ready = append(ready, j.ID)
		require.NoError(t, s.customer.place(t.Context(), http.DefaultClient, p.url, o))
	}
	slices.Sort(ready)
	waitFor(t, 10*time.Second, "one file for each READY job, and no others", func() bool {
		return oneFileEach(tree(t, s.files()), ready)
	}, func() string { return fmt.Sprintf("jobs %q, files %q", ready, tree(t, s.files())) })
	assert.ElementsMatch(t, all, slices.Collect(maps.Keys(s.customer.jobs(p))), "ordering again has made new jobs")
	s.stop(p)
}

// stop ends the server in good order. Its only errors are of jobs that were given up.
func (s *siege) stop(p *process) {
	s.t.Helper()
	require.NoError(s.t, p.cmd.Process.Signal(syscall.SIGTERM))
	<-p.closed
	require.NoError(s.t, p.cmd.Wait(), p.output.String())
	for line := range strings.Lines(p.output.String()) {
		if strings.Contains(line, "level=ERROR") {
			assert.Contains(s.t, line, "INTERRUPTED")
		}
	}
}

// oneFileEach reports whether there is one directory for each job with one file in it, and nothing else.
func oneFileEach(paths, jobs []string) bool {
	if len(paths) != 2*len(jobs) {
		return false
	}
	for i, id := range jobs {
		dir, name := paths[2*i], paths[2*i+1]
		if dir != id+"/" || !strings.HasPrefix(name, dir) || !strings.HasSuffix(name, "+blob") {
			return false
		}
	}
	return true
}

// checkFile downloads a file and compares it with what an undisturbed export makes.
func (s *siege) checkFile(p *process, data *crashData, o *order, j *exportDocument) {
	t := s.t
	t.Helper()
	_, content := p.download(o.id, o.workspace)
	created := j.CreatedAt
	if o.format == "markdown" {
		created = timeOfDocument(t, content)
		require.Equal(t, j.CreatedAt, created.Truncate(time.Millisecond))
	}
	want, summary := data.render(t, o.format, dataexport.Query{
		Scope: dataexport.Scope{WorkspaceID: o.workspace}, Filter: wishes[o.wish].filter, AsOf: created,
	})
	require.NotZero(t, summary.Records)
	assert.True(t, want == string(content), "the file of %+v is not what an undisturbed export makes", o)
	assert.Equal(t, summary.Records, j.RecordCount)
	assert.Equal(t, len(content), j.FileSize)
	assert.Equal(t, fmt.Sprintf("%x", sha256.Sum256(content)), j.SHA256)
}

// timeOfDocument returns the time that a Markdown document says. It is that of the order, which the API rounds.
func timeOfDocument(t *testing.T, content []byte) time.Time {
	t.Helper()
	_, after, found := bytes.Cut(content, []byte("\nTime of the export: "))
	require.True(t, found)
	line, _, _ := bytes.Cut(after, []byte("\n"))
	at, err := time.Parse(time.RFC3339Nano, string(line))
	require.NoError(t, err)
	return at
}

// TestServerKilledWhileFilesExpire kills a server whose files live for two seconds, while it makes and while it removes
// them, and demands that in the end all have expired and no file is left.
func TestServerKilledWhileFilesExpire(t *testing.T) {
	t.Parallel()
	s := newSiege(t, []string{"demo", "acme-support"}, "-retention", "2s")
	rounds := 4
	if testing.Short() {
		rounds = 1
	}
	for range rounds {
		s.kill(moment{listening, time.Second}, 12)
		s.kill(moment{fileRemoved, 3 * time.Millisecond}, 12)
		s.kill(moment{fileCommitted, 3 * time.Millisecond}, 12)
		s.kill(moment{fileRemoved, 30 * time.Millisecond}, 12)
	}
	p := start(t, s.dir, s.args...)
	s.settle(p)
	assert.Contains(t, s.found, jobReady, "the server was never killed when there was this")
	s.waitForEnd(p)
	remaining := s.customer.remaining(p)
	require.NotEmpty(t, remaining)
	waitFor(t, 30*time.Second, "all jobs to expire", func() bool {
		return s.count(p, "EXPIRED")+s.count(p, "FAILED") == len(remaining)
	})
	waitFor(t, 30*time.Second, "all files to be removed", func() bool { return len(tree(t, s.files())) == 0 },
		func() string { return fmt.Sprintf("%q", tree(t, s.files())) })
	assert.Less(t, s.count(p, "FAILED"), len(remaining)/2, "these were killed five times")
	for _, o := range remaining {
		if j, _ := s.customer.get(p, o); j.Status == "FAILED" {
			continue
		}
		response, body := p.request(http.MethodGet, "/v1/exports/"+o.id+"/download", o.workspace)
		assert.Equal(t, http.StatusGone, response.StatusCode, "%s", body)
	}
	s.stop(p)
}

// settle lets the customer learn what was not answered.
func (s *siege) settle(p *process) {
	s.t.Helper()
	there := s.customer.settle(p)
	s.t.Logf("%d orders taken, %d of them never answered; %d refused; %d kills", len(s.customer.orders), there, s.customer.refused, s.kills)
	for what, kills := range s.found {
		s.t.Logf("after %2d kills there was %s", kills, what)
	}
}

// count returns how many jobs have a status.
func (s *siege) count(p *process, status string) (n int) {
	s.t.Helper()
	for _, workspace := range s.customer.workspaces {
		n += s.customer.list(p, workspace, "page_size=1&status="+status).Total
	}
	return n
}

// waitForEnd waits until no job is active.
func (s *siege) waitForEnd(p *process) {
	s.t.Helper()
	active := func() int { return s.count(p, "PENDING") + s.count(p, "PROCESSING") }
	waitFor(s.t, endLimit, "all jobs to end", func() bool { return active() == 0 }, func() string { return fmt.Sprint(active(), " are active") })
}
