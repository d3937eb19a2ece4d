package render

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"text/template"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/memory"
)

// BenchmarkMarkdown compares with what a host would write without this package, which escapes nothing.
func BenchmarkMarkdown(b *testing.B) {
	records := benchmarkRecords(1000)
	rows := benchmarkRows(b, records)
	b.Run("render", func(b *testing.B) { benchmarkRenderer(b, Markdown(), rows) })
	b.Run("fmt", func(b *testing.B) {
		w := bufio.NewWriterSize(io.Discard, 64<<10)
		b.ReportAllocs()
		next := 0
		for b.Loop() {
			fprintRecord(w, &records[next])
			if next++; next == len(records) {
				next = 0
			}
		}
	})
	b.Run("text-template", func(b *testing.B) {
		w := bufio.NewWriterSize(io.Discard, 64<<10)
		b.ReportAllocs()
		next := 0
		for b.Loop() {
			if err := recordTemplate.Execute(w, &records[next]); err != nil {
				b.Fatal(err)
			}
			if next++; next == len(records) {
				next = 0
			}
		}
	})
}

// fprintRecord writes a record in the layout of Markdown.
func fprintRecord(w io.Writer, r *memory.Record) {
	fmt.Fprintf(w, "\n## %s\n\n- **id:** %s\n- **workspace_id:** %s\n", r.ID, r.ID, r.WorkspaceID)
	text := func(name string, s *string) {
		if s != nil {
			fmt.Fprintf(w, "- **%s:** %s\n", name, *s)
		}
	}
	instant := func(name string, t *time.Time) {
		if t != nil {
			fmt.Fprintf(w, "- **%s:** %s\n", name, t.UTC().Format("2006-01-02T15:04:05.000Z07:00"))
		}
	}
	text("user_id", r.UserID)
	text("agent_id", r.AgentID)
	text("session_id", r.SessionID)
	text("priority", r.Priority)
	text("status", r.Status)
	if r.Categories != nil {
		fmt.Fprintf(w, "- **categories:** %s\n", strings.Join(r.Categories, ", "))
	}
	if r.Metadata != nil {
		fmt.Fprintf(w, "- **metadata:** `%s`\n", r.Metadata)
	}
	if r.AccessCount != nil {
		fmt.Fprintf(w, "- **access_count:** %d\n", *r.AccessCount)
	}
	instant("last_accessed_at", r.LastAccessedAt)
	instant("created_at", &r.CreatedAt)
	instant("updated_at", r.UpdatedAt)
	fmt.Fprintf(w, "\n%s\n", r.Content)
}

var recordTemplate = template.Must(template.New("record").Funcs(template.FuncMap{
	"join":    strings.Join,
	"instant": func(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z07:00") },
}).Parse(`
## {{.ID}}

- **id:** {{.ID}}
- **workspace_id:** {{.WorkspaceID}}
{{with .UserID}}- **user_id:** {{.}}
{{end}}{{with .AgentID}}- **agent_id:** {{.}}
{{end}}{{with .SessionID}}- **session_id:** {{.}}
{{end}}{{with .Priority}}- **priority:** {{.}}
{{end}}{{with .Status}}- **status:** {{.}}
{{end}}{{with .Categories}}- **categories:** {{join . ", "}}
{{end}}{{with .Metadata}}- **metadata:** ` + "`{{printf \"%s\" .}}`" + `
{{end}}{{with .AccessCount}}- **access_count:** {{.}}
{{end}}{{with .LastAccessedAt}}- **last_accessed_at:** {{instant .}}
{{end}}- **created_at:** {{instant .CreatedAt}}
{{with .UpdatedAt}}- **updated_at:** {{instant .}}
{{end}}
{{.Content}}
`))

func TestMarkdownNoAllocation(t *testing.T) {
	info := memory.Info()
	rows := benchmarkRows(t, benchmarkRecords(100))
	encoder, err := Markdown().Open(context.Background(), io.Discard, &dataexport.Doc{Info: info})
	require.NoError(t, err)
	require.NoError(t, encoder.Begin(&info.Collections[0]))
	write := func() {
		for _, row := range rows {
			if err := encoder.Row(row); err != nil {
				t.Fatal(err)
			}
		}
	}
	write() // the buffers grow to their size
	require.Zero(t, testing.AllocsPerRun(50, write))
}
