package databasetest

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport/examples/server/internal/database"
	"github.com/dataexport/dataexport/memory"
)

// Quiet is a logger that logs nothing.
func Quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// Line is a memory of the workspace w, as JSON Lines.
func Line(id string) string {
	return `{"id":"` + id + `","workspace_id":"w","content":"c","created_at":"2026-01-15T10:30:00Z"}` + "\n"
}

// Lines are that many memories of the workspace w.
func Lines(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(Line(fmt.Sprint(i)))
	}
	return b.String()
}

// Gzip compresses a text.
func Gzip(t testing.TB, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := io.WriteString(w, text)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.Bytes()
}

// File makes a file until the end of the test and returns its path.
func File(t testing.TB, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, content, 0o600))
	return path
}

func record(number int) memory.Record {
	return memory.Record{
		ID: fmt.Sprintf("%06d", number), WorkspaceID: "demo", Content: strings.Repeat("x", 200), UserID: new("u"),
		Categories: []string{"work"}, Metadata: json.RawMessage(`{"a":1}`), CreatedAt: time.Date(2026, 1, 1, 0, 0, number/1000, 0, time.UTC),
	}
}

// Records are that many memories of the workspace demo, in their order. A thousand have the same time.
func Records(n int) []memory.Record {
	list := make([]memory.Record, n)
	for i := range list {
		list[i] = record(i)
	}
	return list
}

// Sample are the memories of the sample.
func Sample(t testing.TB) []memory.Record {
	t.Helper()
	var all []memory.Record
	for r, err := range memory.ReadJSONLines(bytes.NewReader(database.Sample)) {
		require.NoError(t, err)
		all = append(all, *r)
	}
	return all
}

// Insert inserts memories, without looking whether there are any.
func Insert(t testing.TB, db database.DB, records ...memory.Record) {
	t.Helper()
	require.NoError(t, db.Fill(t.Context(), func(tx database.Filling) error {
		_, err := tx.InsertMemories(t.Context(), sequence(records))
		return err
	}))
}

func sequence(records []memory.Record) iter.Seq2[*memory.Record, error] {
	return func(yield func(*memory.Record, error) bool) {
		for i := range records {
			if !yield(&records[i], nil) {
				return
			}
		}
	}
}

func (s *Subject) count(t testing.TB, table string) int {
	t.Helper()
	n, err := s.Count(context.WithoutCancel(t.Context()), table)
	require.NoError(t, err)
	return n
}

// empty makes the database forget all memories.
func (s *Subject) empty(t testing.TB) {
	t.Helper()
	require.NoError(t, s.Exec(t.Context(), "DELETE FROM memories"))
}

// heap returns how much memory is in use.
func heap() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}
