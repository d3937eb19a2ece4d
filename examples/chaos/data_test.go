//go:build linux

package chaos

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/memory"
	"github.com/dataexport/dataexport/render"
)

// The workspaces, and how many memories there are in each. The key of each workspace is its name.
var workspaces = []struct {
	name     string
	memories int
	weight   int // how often it orders
}{
	{"none", 0, 1}, {"few", 9, 5}, {"some", 500, 7}, {"many", 6000, 6}, {"vast", 27_000, 1},
}

// owner is the key of the one who has an account. It belongs to a workspace that has memories too.
const owner = "anna"

// wishes are the filters that are ordered, each in every format.
var wishes = []struct {
	query  string
	filter dataexport.Filter
}{
	{"", dataexport.Filter{}},
	{"", dataexport.Filter{}}, // the largest more often
	{"&priority=HIGH", dataexport.Filter{Priority: "HIGH"}},
	{"&categories=c1,c2", dataexport.Filter{Categories: []string{"c1", "c2"}}},
	{"&user_id=user-3&created_after=2025-03-02", dataexport.Filter{
		UserID: "user-3", CreatedAfter: time.Date(2025, 3, 2, 0, 0, 0, 0, time.UTC),
	}},
}

var formats = []string{"json", "csv", "markdown"}

// data is what there is to export, and what must come of it.
type data struct {
	file    string                     // JSON Lines
	account string                     // an archive
	records map[string][]memory.Record // by workspace

	mu    sync.Mutex
	files map[string][]byte // that say no time, by what was ordered
}

func newData(t *testing.T) *data {
	t.Helper()
	text := memoryLines()
	d := &data{
		file: filepath.Join(t.TempDir(), "memories.jsonl"), account: filepath.Join(t.TempDir(), "account.json"),
		records: make(map[string][]memory.Record), files: make(map[string][]byte),
	}
	require.NoError(t, os.WriteFile(d.file, []byte(text), 0o600))
	account, err := os.ReadFile("../server/testdata/account.json")
	require.NoError(t, err)
	account = bytes.ReplaceAll(account, []byte(`\u0000`), nil) // which PostgreSQL cannot keep
	require.NoError(t, os.WriteFile(d.account, account, 0o600))
	for r, err := range memory.ReadJSONLines(strings.NewReader(text)) {
		require.NoError(t, err)
		d.records[r.WorkspaceID] = append(d.records[r.WorkspaceID], *r)
	}
	return d
}

func memoryLines() string {
	var b strings.Builder
	begin := time.Date(2025, 3, 1, 0, 0, 0, 0, time.UTC)
	for _, w := range workspaces {
		for i := range w.memories {
			content := fmt.Sprintf("Memory %d of %q; she said:\n\"Größe, 100 %%\", and then: ", i, w.name) + strings.Repeat("a long story. ", i%17)
			fmt.Fprintf(&b, `{"id":"m-%07d","workspace_id":%q,"content":%q,"user_id":"user-%d","priority":%q,`+
				`"categories":["all","c%d"],"metadata":{"n":%d},"created_at":%q}`+"\n",
				i, w.name, content, i%5, []string{"LOW", "MEDIUM", "HIGH"}[i%3], i%7, i, begin.Add(time.Duration(i)*time.Minute).Format(time.RFC3339))
		}
	}
	return b.String()
}

// keyFlags are the flags that let in all customers.
func (d *data) keyFlags() (flags []string) {
	flags = []string{"-key", owner + "=few/anna"} // first, so that the account is hers
	for _, w := range workspaces {
		flags = append(flags, "-key", w.name+"="+w.name)
	}
	return flags
}

// export returns the file that a quiet run makes of an order for memories.
func (d *data) export(t *testing.T, o *order, created time.Time) []byte {
	t.Helper()
	name := o.customer + "?" + o.query
	d.mu.Lock()
	defer d.mu.Unlock()
	if content, found := d.files[name]; found && o.format != "markdown" { // which says when it was ordered
		return content
	}
	scope := dataexport.Scope{WorkspaceID: o.customer}
	for _, r := range render.Standard() {
		if r.Format().Name != o.format {
			continue
		}
		var b bytes.Buffer
		q := dataexport.Query{Scope: scope, Filter: wishes[o.wish].filter, AsOf: created}
		_, err := dataexport.Export(t.Context(), &b, memory.Slice(d.records[o.customer]), r, q)
		require.NoError(t, err)
		d.files[name] = b.Bytes()
		return b.Bytes()
	}
	t.Fatalf("there is no format %s", o.format)
	return nil
}

var exportedAt = regexp.MustCompile(`"exportedAt": ?"([^"]*)"`)

// untimed returns the archive of an account without the time of its making. Of a zip it returns the files that are in it.
func untimed(t *testing.T, format string, content []byte) []byte {
	t.Helper()
	if format == "json" {
		require.Regexp(t, exportedAt, string(content))
		return exportedAt.ReplaceAll(content, nil)
	}
	archive, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	require.NoError(t, err)
	files := make(map[string][]byte)
	for _, f := range archive.File {
		opened, err := f.Open()
		require.NoError(t, err)
		files[f.Name], err = io.ReadAll(opened)
		require.NoError(t, err)
		require.NoError(t, opened.Close())
	}
	at := exportedAt.FindSubmatch(files["manifest.json"])
	require.NotNil(t, at, "%s", files["manifest.json"])
	var b bytes.Buffer
	for _, f := range archive.File {
		plain := bytes.ReplaceAll(files[f.Name], at[1], nil)
		for _, other := range files { // the manifest tells their sizes and checksums
			if bytes.Contains(other, at[1]) {
				entry := regexp.MustCompile(fmt.Sprintf(`"size": %d,\s*"sha256": "%x"`, len(other), sha256.Sum256(other)))
				plain = entry.ReplaceAll(plain, nil)
			}
		}
		fmt.Fprintf(&b, "%s\n%s\n", f.Name, plain)
	}
	return b.Bytes()
}
