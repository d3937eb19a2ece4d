package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport/examples/server/internal/database/databasetest"
	"github.com/dataexport/dataexport/store/cloudblob/s3test"
)

// A cluster is what several servers share: a database in PostgreSQL and a bucket.
type cluster struct {
	t     *testing.T
	store string // the URL of the database
	s3    *s3test.Server
}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	return &cluster{t: t, store: postgresServer.NewDatabase(t), s3: s3test.Start(t)}
}

// launch starts a server of the cluster on a free port, unless -addr is among the arguments, and waits for nothing.
func (c *cluster) launch(args ...string) *process {
	c.t.Helper()
	return launch(c.t, c.s3.Environ(), append([]string{"-addr", "127.0.0.1:0", "-store", c.store, "-blobs", c.s3.URL()}, args...)...)
}

// queues are the two ways in which jobs come to the workers.
func queues(t *testing.T, test func(t *testing.T, queue string)) {
	for _, queue := range []string{queuePool, queueRiver} {
		t.Run(queue, func(t *testing.T) {
			t.Parallel()
			test(t, queue)
		})
	}
}

var exportTime = regexp.MustCompile(`(?m)^Time of the export: .*$`)

// TestPostgresEqualsSQLite imports the same memories into both databases, and demands the same files of both, byte for byte
// but for the time of the export in Markdown.
func TestPostgresEqualsSQLite(t *testing.T) {
	t.Parallel()
	memories := databasetest.File(t, "memories.jsonl", []byte(crashLines(3, 1_500)))
	keys := []string{"-memories", memories, "-key", "w0=w0", "-key", "w1=w1"}
	small := start(t, t.TempDir(), keys...)
	queues(t, func(t *testing.T, queue string) {
		large := newCluster(t).launch(append(keys, "-queue", queue)...).waitForWelcome()
		for _, query := range []string{
			"format=json", "format=csv", "format=markdown", "format=csv&user_id=user-3&priority=LOW",
			"format=json&categories=c1,c5&created_after=2025-03-01T05:00:00Z&created_before=2025-03-02", "format=csv&user_id=none",
		} {
			for _, key := range []string{"w0", "w1"} {
				want, got := small.order(query, key), large.order(query, key)
				assert.Equal(t, want.RecordCount, got.RecordCount)
				_, wanted := small.download(want.ID, key)
				_, found := large.download(got.ID, key)
				const same = "Time of the export: some time"
				assert.Equal(t, exportTime.ReplaceAllString(string(wanted), same), exportTime.ReplaceAllString(string(found), same), query)
			}
		}
		assert.Equal(t, 1_500, large.order("", "w0").RecordCount)
		large.terminate()
	})
}

// TestServersStartTogether starts three servers on one empty database at the same time. One of them imports, all have the
// same demo key, and each has the files of the others.
func TestServersStartTogether(t *testing.T) {
	t.Parallel()
	queues(t, func(t *testing.T, queue string) {
		c := newCluster(t)
		memories := databasetest.File(t, "memories.jsonl", []byte(strings.ReplaceAll(databasetest.Lines(5_000), `"w"`, `"demo"`)))
		var servers []*process
		for range 3 {
			servers = append(servers, c.launch("-memories", memories, "-queue", queue, "-workers", "1"))
		}
		for _, p := range servers {
			p.waitForWelcome()
			assert.Equal(t, servers[0].demoKey(), p.demoKey())
		}
		key := servers[0].demoKey()
		for _, p := range servers {
			done := p.order("format=csv", key)
			assert.Equal(t, 5_000, done.RecordCount)
			_, want := p.download(done.ID, key)
			for _, other := range servers {
				_, found := other.download(done.ID, key)
				assert.Equal(t, string(want), string(found))
			}
		}
		imported, ignored := 0, 0
		for _, p := range servers {
			p.terminate() // then all of its output is there
			imported += strings.Count(p.output.String(), "memories are imported")
			ignored += strings.Count(p.output.String(), "-memories is ignored")
		}
		assert.Equal(t, []int{1, 2}, []int{imported, ignored})
	})
}

// TestAccountInPostgres imports an account, exports it both ways, and imports what was exported in a fresh database.
func TestAccountInPostgres(t *testing.T) {
	t.Parallel()
	original, err := os.ReadFile(accountFile)
	require.NoError(t, err)
	original = databasetest.WithoutNUL(original)
	says := fail(t, t.TempDir(), append([]string{"-store", postgresServer.NewDatabase(t), "-account", accountFile}, accountKeys...)...)
	assert.Contains(t, says, "memories[0].content has a NUL character")
	var streamed []byte
	next := databasetest.File(t, "account.json", original)
	for range 2 {
		p := newCluster(t).launch(append([]string{"-account", next}, accountKeys...)...).waitForWelcome()
		again := p.stream("owner")
		assert.Equal(t, meaning(t, original), meaning(t, again))
		if streamed != nil {
			assert.Equal(t, untimed(t, streamed), untimed(t, again), "nothing changes any more")
		}
		streamed = again
		for _, digits := range []string{"9007199254740993", "12345678901234567890.10", "123456789012345678901234567890", "1e400", "-0.0", "1.10"} {
			assert.Contains(t, string(streamed), digits)
		}
		done := p.order("dataset=account&format=json", "owner")
		assert.Equal(t, 23, done.RecordCount)
		_, body := p.download(done.ID, "owner")
		assert.Equal(t, untimed(t, streamed), untimed(t, body), "both ways out are one archive")
		response, _ := p.request(http.MethodGet, "/api/v1/export", "stranger")
		assert.Equal(t, http.StatusNotFound, response.StatusCode)
		zip := p.order("dataset=account&format=zip", "owner")
		_, body = p.download(zip.ID, "owner")
		next = databasetest.File(t, "account.zip", body)
		p.terminate()
	}
}

// TestPostgresGoesAway cuts the connections to PostgreSQL while a server works. It stays up, says what is wrong, and goes on
// when PostgreSQL is there again, with the order that was under way.
func TestPostgresGoesAway(t *testing.T) {
	t.Parallel()
	queues(t, func(t *testing.T, queue string) {
		c := newCluster(t)
		link := c.throughProxy()
		p := c.launch("-queue", queue, "-key", "k=demo").waitForWelcome()
		before := p.order("format=csv", "k")
		p.assertHealth(http.StatusOK, "ok\n")

		link.cut()
		for _, test := range []struct{ method, path string }{
			{http.MethodPost, "/v1/exports"}, {http.MethodGet, "/v1/exports"}, {http.MethodGet, "/v1/exports/" + before.ID},
			{http.MethodGet, "/v1/exports/" + before.ID + "/download"}, {http.MethodDelete, "/v1/exports/" + before.ID},
			{http.MethodGet, "/api/v1/export"},
		} {
			response, body := p.request(test.method, test.path, "k")
			assert.Equal(t, http.StatusServiceUnavailable, response.StatusCode, "%s %s: %s", test.method, test.path, body)
			assert.NotEmpty(t, response.Header.Get("Retry-After"))
			assert.Contains(t, string(body), `"code":"UNAVAILABLE"`)
		}
		p.waitForHealth(http.StatusServiceUnavailable, "not ready: the database cannot be reached\n")

		link.mend()
		p.waitForHealth(http.StatusOK, "ok\n")
		after := p.order("format=csv", "k")
		assert.Equal(t, before.RecordCount, after.RecordCount)
		p.download(before.ID, "k")
		p.end()
	})
}

// throughProxy has the servers of the cluster reach PostgreSQL by a link that can be cut.
func (c *cluster) throughProxy() *proxy {
	c.t.Helper()
	parsed, err := url.Parse(c.store)
	require.NoError(c.t, err)
	link := newProxy(c.t, parsed.Host)
	parsed.Host = link.address
	c.store = parsed.String()
	return link
}

// end ends a server that may have had something to complain about.
func (p *process) end() {
	p.t.Helper()
	require.NoError(p.t, p.cmd.Process.Signal(os.Interrupt))
	<-p.closed
	require.NoError(p.t, p.cmd.Wait(), p.output.String())
}

// assertHealth demands that the server lives, and an answer of /readyz.
func (p *process) assertHealth(status int, text string) {
	p.t.Helper()
	for path, want := range map[string]struct {
		status int
		text   string
	}{"/healthz": {http.StatusOK, "ok\n"}, "/readyz": {status, text}} {
		response, body := p.request(http.MethodGet, path, "")
		assert.Equal(p.t, want.status, response.StatusCode, path)
		assert.Equal(p.t, want.text, string(body), path)
	}
}

// waitForHealth waits for an answer of /readyz; the server may have an answer from the second before.
func (p *process) waitForHealth(status int, text string) {
	p.t.Helper()
	waitFor(p.t, time.Minute, fmt.Sprintf("/readyz to say %q", text), func() bool {
		response, body := p.request(http.MethodGet, "/readyz", "")
		return response.StatusCode == status && string(body) == text
	})
	p.assertHealth(status, text)
}

// TestPostgresIsAwayAtStart starts a server before its database.
func TestPostgresIsAwayAtStart(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	link := c.throughProxy()
	link.cut()
	p := c.launch("-key", "k=demo", "-workers", "1")
	addr := regexp.MustCompile(`addr=(\S+)`)
	waitFor(t, time.Minute, "the server to miss its database", func() bool { return addr.MatchString(p.output.String()) },
		func() string { return p.output.String() })
	p.url = "http://" + addr.FindStringSubmatch(p.output.String())[1]
	p.assertHealth(http.StatusServiceUnavailable, "not ready: the database does not answer\n")
	response, body := p.request(http.MethodPost, "/v1/exports", "k")
	assert.Equal(t, http.StatusServiceUnavailable, response.StatusCode)
	assert.NotEmpty(t, response.Header.Get("Retry-After"))
	var problem struct {
		Code   string
		Status int
	}
	require.NoError(t, json.Unmarshal(body, &problem))
	assert.Equal(t, "UNAVAILABLE", problem.Code)
	assert.Equal(t, http.StatusServiceUnavailable, problem.Status)
	assert.NotContains(t, p.output.String(), "listening on")

	link.mend()
	p.waitForWelcome()
	p.waitForHealth(http.StatusOK, "ok\n")
	assert.NotZero(t, p.order("", "k").RecordCount)
	p.terminate()
}

// TestStopWhilePostgresIsAway stops a server that waits for its database.
func TestStopWhilePostgresIsAway(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	c.throughProxy().cut()
	p := c.launch()
	waitFor(t, time.Minute, "the server to miss its database", func() bool { return strings.Contains(p.output.String(), "does not answer") })
	p.end()
}

// TestPostgresGoesAwayWhileImporting breaks the connection in the middle of an import, which is then made from its beginning.
func TestPostgresGoesAwayWhileImporting(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	observer := c.connect()
	link := c.throughProxy()
	p := c.launch("-key", "w=w", "-memories", manyMemories(t))
	waitForCopy(t, observer)
	link.cut()
	waitFor(t, time.Minute, "the server to miss its database", func() bool { return strings.Contains(p.output.String(), "does not answer") })
	link.mend()
	p.waitForWelcome()
	assert.Equal(t, 100_000, p.order("format=csv", "w").RecordCount)
	p.terminate()
	assert.Equal(t, 1, strings.Count(p.output.String(), "memories are imported"))
}

// TestStopWhileImportingIntoPostgres stops a server in the middle of its import. Nothing of it stays.
func TestStopWhileImportingIntoPostgres(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	p := c.launch("-memories", manyMemories(t))
	waitForCopy(t, c.connect())
	p.end()
	assert.NotContains(t, p.output.String(), "listening")
	again := c.launch().waitForWelcome()
	assert.Equal(t, recordsOf(databasetest.Sample(t), "demo"), again.order("", again.demoKey()).RecordCount)
	again.terminate()
}

func manyMemories(t *testing.T) string {
	t.Helper()
	return databasetest.File(t, "many.jsonl", []byte(databasetest.Lines(100_000)))
}

// connect connects to the database of the cluster until the end of the test.
func (c *cluster) connect() *pgx.Conn {
	c.t.Helper()
	conn, err := pgx.Connect(c.t.Context(), c.store)
	require.NoError(c.t, err)
	c.t.Cleanup(func() { assert.NoError(c.t, conn.Close(context.Background())) })
	return conn
}

// waitForCopy waits until PostgreSQL copies into the database.
func waitForCopy(t *testing.T, conn *pgx.Conn) {
	t.Helper()
	waitFor(t, time.Minute, "the import to be under way", func() bool {
		var copying bool
		require.NoError(t, conn.QueryRow(t.Context(),
			"SELECT EXISTS (SELECT 1 FROM pg_stat_progress_copy WHERE datname = current_database() AND tuples_processed > 0)").Scan(&copying))
		return copying
	})
}
