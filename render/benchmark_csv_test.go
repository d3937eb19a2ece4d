package render

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"io"
	"strconv"
	"testing"
	"time"

	"github.com/gocarina/gocsv"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport/memory"
)

func BenchmarkCSV(b *testing.B) {
	records := benchmarkRecords(1000)
	rows := benchmarkRows(b, records)
	b.Run("render", func(b *testing.B) { benchmarkRenderer(b, CSV(), rows) })
	b.Run("encoding-csv", func(b *testing.B) {
		w := csv.NewWriter(io.Discard)
		cells := make([]string, 14)
		b.ReportAllocs()
		next := 0
		for b.Loop() {
			csvCells(cells, &records[next])
			if err := w.Write(cells); err != nil {
				b.Fatal(err)
			}
			if next++; next == len(records) {
				next = 0
			}
		}
		w.Flush()
	})
	b.Run("gocsv", func(b *testing.B) {
		equal := make([]*csvMemory, len(records))
		for i := range records {
			record := csvMemory(records[i])
			equal[i] = &record
		}
		b.ReportAllocs()
		for n := 0; n < b.N; n += len(equal) {
			some := equal[:min(len(equal), b.N-n)]
			if err := gocsv.MarshalCSVWithoutHeaders(some, gocsv.NewSafeCSVWriter(csv.NewWriter(io.Discard))); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// csvCells does what a host does that writes its records with encoding/csv.
func csvCells(cells []string, r *memory.Record) {
	text := func(s *string) string {
		if s == nil {
			return ""
		}
		return *s
	}
	instant := func(t *time.Time) string {
		if t == nil {
			return ""
		}
		return t.UTC().Format(time.RFC3339Nano)
	}
	categories, count := "", ""
	if r.Categories != nil {
		list, err := json.Marshal(r.Categories)
		if err != nil {
			panic(err) // a list of text can always be marshaled
		}
		categories = string(list)
	}
	if r.AccessCount != nil {
		count = strconv.FormatInt(*r.AccessCount, 10)
	}
	copy(cells, []string{
		r.ID, r.WorkspaceID, r.Content, text(r.UserID), text(r.AgentID), text(r.SessionID), text(r.Priority), text(r.Status),
		categories, string(r.Metadata), count, instant(r.LastAccessedAt), instant(&r.CreatedAt), instant(r.UpdatedAt),
	})
}

// gocsv alone has no sub-benchmark: it does not read null times.
func BenchmarkReadCSV(b *testing.B) {
	records := benchmarkRecords(1000)
	file := render(b, CSV(), memory.Info(), benchmarkRows(b, records))
	b.Run("ReadCSV", func(b *testing.B) {
		b.SetBytes(int64(len(file)))
		for b.Loop() {
			for _, err := range ReadCSV[csvMemory](bytes.NewReader(file), CSVReadOptions{}) {
				require.NoError(b, err)
			}
		}
	})
	b.Run("CSVReader", func(b *testing.B) {
		b.SetBytes(int64(len(file)))
		for b.Loop() {
			_, _, err := readFields(bytes.NewReader(file), CSVReadOptions{})
			require.NoError(b, err)
		}
	})
	b.Run("encoding-csv", func(b *testing.B) {
		b.SetBytes(int64(len(file)))
		for b.Loop() {
			_, err := csv.NewReader(bytes.NewReader(file)).ReadAll()
			require.NoError(b, err)
		}
	})
}
