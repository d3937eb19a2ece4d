package main

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport/examples/server/internal/database/databasetest"
)

func TestBadStores(t *testing.T) {
	t.Parallel()
	const form = "its form is postgres://"
	for _, test := range []struct {
		args    []string
		problem string
	}{
		{[]string{"-store", "mysql://u:s3cret@h/d"}, "-store must be the URL of a PostgreSQL database"},
		{[]string{"-store", "host=h password=s3cret"}, "-store must be the URL of a PostgreSQL database"},
		{[]string{"-store", "postgres://u:s3cret@h:port/d"}, form},
		{[]string{"-store", "postgres://u:s3/cret@h/d"}, form},
		{[]string{"-store", "postgres://u:9/s3cret@h/d"}, form},
		{[]string{"-store", "postgres://u:9?s3cret@h/d"}, form},
		{[]string{"-store", "postgres://u:9#s3cret@h/d"}, form},
		{[]string{"-store", "postgres://u:s3cret%@h/d"}, form},
		{[]string{"-store", "postgres://u:s3cret@h/d?sslmode=s3cret"}, "sslmode is invalid"},
		{[]string{"-store", "postgres://u:s3cret@h/d?pool_max_conns=0"}, "pool_max_conns"},
		{[]string{"-queue", "river"}, "-queue river keeps its jobs in PostgreSQL"},
		{[]string{"-queue", "rabbit"}, `-queue must be pool or river, not "rabbit"`},
		{[]string{"-blobs", "s3cret://bucket"}, "this program has no storage"},
		{[]string{"-blobs", "gs://bucket"}, "-tags gcs"},
		{[]string{"-redirect", "5m"}, "-redirect needs storage that signs URLs"},
		{[]string{"-redirect", "5"}, "such as 72h"},
		{[]string{"-redirect", "-5m", "-blobs", "mem://"}, "-redirect must not be negative"},
		{[]string{"-redirect", "169h", "-blobs", "mem://"}, "-redirect must be at most 168h0m0s"},
		{[]string{"-lease", "0"}, "-lease must be at least 1s"},
		{[]string{"-attempts", "0"}, "-attempts must be at least 1"},
	} {
		says := fail(t, t.TempDir(), test.args...)
		assert.Contains(t, says, test.problem, test.args)
		if test.args[0] == "-store" {
			assert.NotContains(t, says, "s3", test.args)
			assert.NotContains(t, says, "cret", test.args)
		}
	}
}

// TestStoresThatRefuse are databases that answer, but not as it was hoped. Trying again would not help.
func TestStoresThatRefuse(t *testing.T) {
	t.Parallel()
	store := postgresServer.NewDatabase(t)
	for name, test := range map[string]struct {
		change  func(*url.URL)
		problem string
	}{
		"no such database": {func(u *url.URL) { u.Path = "/nowhere" }, `database "nowhere" does not exist`},
		"no such role":     {func(u *url.URL) { u.User = url.UserPassword("nobody", "s3cret") }, `role "nobody" does not exist`},
		"no TLS":           {func(u *url.URL) { u.RawQuery = "sslmode=require" }, "refused TLS"},
	} {
		t.Run(name, func(t *testing.T) {
			changed, err := url.Parse(store)
			require.NoError(t, err)
			test.change(changed)
			says := fail(t, t.TempDir(), "-store", changed.String())
			assert.Contains(t, says, test.problem)
			assert.NotContains(t, says, "s3cret")
		})
	}
}

// TestImportWithNUL imports a text that PostgreSQL cannot hold.
func TestImportWithNUL(t *testing.T) {
	t.Parallel()
	store := postgresServer.NewDatabase(t)
	bad := databasetest.File(t, "bad.jsonl", []byte(databasetest.Lines(2)+
		`{"id":"x","workspace_id":"w","content":"a\u0000b","created_at":"2026-01-15T10:30:00Z"}`+"\n"))
	assert.Contains(t, fail(t, t.TempDir(), "-store", store, "-memories", bad), "line 3: content has a NUL character")
	p := launch(t, nil, "-addr", "127.0.0.1:0", "-store", store, "-data", t.TempDir(), "-key", "w=w").waitForWelcome()
	assert.Zero(t, p.order("", "w").RecordCount, "nothing was imported but the sample")
	p.terminate()
}
