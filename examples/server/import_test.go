package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"database/sql"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/memory"
)

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func line(id string) string {
	return `{"id":"` + id + `","workspace_id":"w","content":"c","created_at":"2026-01-15T10:30:00Z"}` + "\n"
}

func lines(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(line(fmt.Sprint(i)))
	}
	return b.String()
}

func zip(t testing.TB, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := io.WriteString(w, text)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.Bytes()
}

func file(t testing.TB, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, content, 0o600))
	return path
}

func memoryCount(t testing.TB, db *sql.DB) (n int) {
	t.Helper()
	require.NoError(t, db.QueryRowContext(context.WithoutCancel(t.Context()), "SELECT count(*) FROM memories").Scan(&n))
	return n
}

func TestSample(t *testing.T) {
	db := testDatabase(t)
	require.NoError(t, importOnce(t.Context(), db, "", quiet()))
	var all []memory.Record
	for r, err := range memory.ReadJSONLines(bytes.NewReader(sample)) {
		require.NoError(t, err)
		all = append(all, *r)
	}
	assert.Equal(t, len(all), memoryCount(t, db))
	for _, workspace := range []string{"demo", "acme-support", "studio-nord"} {
		q := dataexport.Query{Scope: dataexport.Scope{WorkspaceID: workspace}}
		want := read(t, memory.Slice(all), q)
		assert.NotEmpty(t, want)
		assert.Equal(t, want, read(t, newMemories(db, defaultPageSize), q))
	}
}

func TestImportFiles(t *testing.T) {
	long := strings.Replace(line("long"), `"c"`, `"`+strings.Repeat("x", memory.MaxLineBytes-len(line("long")))+`"`, 1)
	for name, content := range map[string][]byte{
		"plain":                     []byte(lines(3)),
		"plain, no last line feed":  []byte(strings.TrimSpace(lines(3))),
		"a blank line at the end":   []byte(lines(3) + "\n"),
		"gzip":                      zip(t, lines(3)),
		"gzip of several members":   append(zip(t, line("a")), zip(t, line("b")+line("c"))...),
		"with the longest line":     []byte(long + line("a") + line("b")),
		"with the longest, in gzip": zip(t, line("a")+long+line("b")),
	} {
		t.Run(name, func(t *testing.T) {
			db := testDatabase(t)
			require.NoError(t, importOnce(t.Context(), db, file(t, "memories", content), quiet()))
			assert.Equal(t, 3, memoryCount(t, db))
		})
	}
}

func TestImportRefuses(t *testing.T) {
	zipped := zip(t, lines(4_000))
	for name, test := range map[string]struct {
		content []byte
		problem string
	}{
		"bad line":           {[]byte(lines(2) + "{}\n" + line("a")), "line 3: id is missing"},
		"bad line in gzip":   {zip(t, lines(2)+"{}\n"), "line 3: id is missing"},
		"last line cut":      {[]byte(lines(2) + line("a")[:30]), "line 3: "},
		"blank line":         {[]byte(line("a") + "\n" + line("b")), "line 2: the line is blank"},
		"same id twice":      {[]byte(lines(5) + line("3")), `line 6: the workspace "w" has a memory with the id "3" already`},
		"gzip cut":           {zipped[:len(zipped)/2], "unexpected EOF"},
		"gzip damaged":       {append(zipped[:len(zipped)-8:len(zipped)-8], make([]byte, 8)...), "gzip: invalid checksum"},
		"gzip header damage": {[]byte("\x1f\x8b" + strings.Repeat("?", 20)), "gzip: invalid header"},
	} {
		t.Run(name, func(t *testing.T) {
			db := testDatabase(t)
			path := file(t, "memories", test.content)
			require.ErrorContains(t, importOnce(t.Context(), db, path, quiet()), test.problem)
			assert.Zero(t, memoryCount(t, db), "nothing is imported")
			require.NoError(t, importOnce(t.Context(), db, "", quiet()), "the database is as good as new")
			assert.NotZero(t, memoryCount(t, db))
		})
	}
}

func TestImportOnlyIntoAnEmptyDatabase(t *testing.T) {
	db := testDatabase(t)
	missing := filepath.Join(t.TempDir(), "missing.jsonl")
	require.ErrorIs(t, importOnce(t.Context(), db, missing, quiet()), os.ErrNotExist)

	require.NoError(t, importOnce(t.Context(), db, file(t, "none", nil), quiet()))
	assert.Zero(t, memoryCount(t, db), "a file without lines is no sample")

	require.NoError(t, importOnce(t.Context(), db, file(t, "two", []byte(lines(2))), quiet()))
	require.Equal(t, 2, memoryCount(t, db))

	var log bytes.Buffer
	require.NoError(t, importOnce(t.Context(), db, missing, slog.New(slog.NewTextHandler(&log, nil))))
	assert.Contains(t, log.String(), "-memories is ignored")
	log.Reset()
	require.NoError(t, importOnce(t.Context(), db, "", slog.New(slog.NewTextHandler(&log, nil))))
	assert.Empty(t, log.String())
	assert.Equal(t, 2, memoryCount(t, db))
}

// endlessLines reads as more and more memories, and calls look from time to time.
type endlessLines struct {
	number int
	rest   []byte
	look   func(number int)
}

func (e *endlessLines) Read(b []byte) (int, error) {
	if len(e.rest) == 0 {
		if e.number++; e.number%250 == 0 {
			e.look(e.number)
		}
		e.rest = []byte(line(fmt.Sprint(e.number)))
	}
	n := copy(b, e.rest)
	e.rest = e.rest[n:]
	return n, nil
}

func TestImportIsCancelled(t *testing.T) {
	db := testDatabase(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	tx, err := db.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	_, err = importLines(ctx, tx, &endlessLines{look: func(number int) {
		if number == 1000 {
			cancel()
		}
	}})
	require.ErrorIs(t, err, context.Canceled)
	require.NoError(t, tx.Rollback())
	assert.Zero(t, memoryCount(t, db))
}

// TestImportMemoryIsFlat imports ten times as many memories as were there when it began to measure.
func TestImportMemoryIsFlat(t *testing.T) {
	db := testDatabase(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	tx, err := db.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	var early, late uint64
	_, err = importLines(ctx, tx, &endlessLines{look: func(number int) {
		runtime.GC()
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		switch {
		case number <= 1000:
			early = max(early, stats.HeapAlloc)
		case number <= 10_000:
			late = max(late, stats.HeapAlloc)
		default:
			cancel()
		}
	}})
	require.ErrorIs(t, err, context.Canceled)
	assert.Less(t, late, early+1<<20)
	require.NoError(t, tx.Rollback())
}

func TestInstants(t *testing.T) {
	last := ""
	for _, instant := range []time.Time{
		time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(0, 1, 1, 0, 0, 0, 1, time.UTC), time.Date(999, 12, 31, 23, 59, 59, 999999999, time.UTC),
		time.Date(1000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 1, 15, 11, 30, 0, 100, time.FixedZone("", 3600)),
		time.Date(9999, 12, 31, 23, 59, 59, 999999999, time.UTC),
	} {
		text := formatInstant(instant)
		assert.Greater(t, text, last)
		last = text
		got, err := parseInstant(text)
		require.NoError(t, err)
		assert.Equal(t, instant.UTC(), got)
	}
	for _, text := range []string{"", "2026-01-15T10:30:00Z", "2026-01-15 10:30:00.000000000Z"} {
		_, err := parseInstant(text)
		assert.Error(t, err, text)
	}
}
