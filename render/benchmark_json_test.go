package render

import (
	"context"
	"encoding/json"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/memory"
)

// benchmarkRenderer renders the rows over and over, as one long document, and reports the size of a record.
func benchmarkRenderer(b *testing.B, renderer dataexport.Renderer, rows []dataexport.Row) {
	b.Helper()
	written := &countingWriter{}
	info := memory.Info()
	encoder, err := renderer.Open(context.Background(), written, &dataexport.Doc{Info: info})
	require.NoError(b, err)
	defer func() { require.NoError(b, encoder.Close()) }()
	require.NoError(b, encoder.Begin(&info.Collections[0]))
	row := make(dataexport.Row, len(rows[0]))
	b.ReportAllocs()
	next := 0
	for b.Loop() {
		copy(row, rows[next]) // as a source fills one row again and again
		if next++; next == len(rows) {
			next = 0
		}
		if err := encoder.Row(row); err != nil {
			b.Fatal(err)
		}
	}
	require.NoError(b, encoder.Finish(dataexport.Summary{Counts: []int64{int64(b.N)}, Records: int64(b.N)}))
	b.ReportMetric(float64(written.bytes)/float64(b.N), "B/record")
}

type countingWriter struct{ bytes int64 }

func (w *countingWriter) Write(p []byte) (int, error) {
	w.bytes += int64(len(p))
	return len(p), nil
}

func BenchmarkJSON(b *testing.B) {
	records := benchmarkRecords(1000)
	rows := benchmarkRows(b, records)
	b.Run("render", func(b *testing.B) { benchmarkRenderer(b, JSON(), rows) })
	b.Run("encoding-json", func(b *testing.B) {
		equal := make([]jsonRecord, len(records))
		for i := range records {
			equal[i] = jsonRecord(records[i])
		}
		encoder := json.NewEncoder(io.Discard)
		encoder.SetEscapeHTML(false)
		b.ReportAllocs()
		next := 0
		for b.Loop() {
			if err := encoder.Encode(&equal[next]); err != nil {
				b.Fatal(err)
			}
			if next++; next == len(equal) {
				next = 0
			}
		}
	})
}

// A jsonRecord is a memory.Record as a host would write it for encoding/json. Its fields are those of the record, so that
// one can be converted to the other.
type jsonRecord struct {
	ID             string          `json:"id"`
	WorkspaceID    string          `json:"workspace_id"`
	Content        string          `json:"content"`
	UserID         *string         `json:"user_id"`
	AgentID        *string         `json:"agent_id"`
	SessionID      *string         `json:"session_id"`
	Priority       *string         `json:"priority"`
	Status         *string         `json:"status"`
	Categories     []string        `json:"categories"`
	Metadata       json.RawMessage `json:"metadata"`
	AccessCount    *int64          `json:"access_count"`
	LastAccessedAt *time.Time      `json:"last_accessed_at"`
	CreatedAt      time.Time       `json:"created_at"`
	UpdatedAt      *time.Time      `json:"updated_at"`
}
