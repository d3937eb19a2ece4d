package rival

import (
	"bufio"
	"fmt"
	"io"
	"iter"
	"strings"
	"time"

	"github.com/dataexport/dataexport/memory"
)

// Markdown returns the writers of Markdown.
func Markdown() []Writer { return []Writer{{"fmt", writeFmt}} }

// writeFmt writes the layout of render.Markdown. It escapes nothing, so that it does less.
func writeFmt(w io.Writer, list iter.Seq[*memory.Record]) error {
	b := bufio.NewWriterSize(w, bufferSize)
	fmt.Fprint(b, "# memories\n")
	count := 0
	for r := range list {
		fprintRecord(b, r)
		count++
	}
	fmt.Fprintf(b, "\n%d records\n", count)
	return b.Flush() // bufio.Writer keeps its first error
}

func fprintRecord(w io.Writer, r *memory.Record) {
	fmt.Fprintf(w, "\n## %s\n\n- **id:** %s\n- **workspace_id:** %s\n", r.ID, r.ID, r.WorkspaceID)
	fprintText(w, "user_id", r.UserID)
	fprintText(w, "agent_id", r.AgentID)
	fprintText(w, "session_id", r.SessionID)
	fprintText(w, "priority", r.Priority)
	fprintText(w, "status", r.Status)
	if r.Categories != nil {
		fmt.Fprintf(w, "- **categories:** %s\n", strings.Join(r.Categories, ", "))
	}
	if r.Metadata != nil {
		fmt.Fprintf(w, "- **metadata:** `%s`\n", r.Metadata)
	}
	if r.AccessCount != nil {
		fmt.Fprintf(w, "- **access_count:** %d\n", *r.AccessCount)
	}
	fprintInstant(w, "last_accessed_at", r.LastAccessedAt)
	fprintInstant(w, "created_at", &r.CreatedAt)
	fprintInstant(w, "updated_at", r.UpdatedAt)
	fmt.Fprintf(w, "\n%s\n", r.Content)
}

func fprintText(w io.Writer, name string, s *string) {
	if s != nil {
		fmt.Fprintf(w, "- **%s:** %s\n", name, *s)
	}
}

func fprintInstant(w io.Writer, name string, t *time.Time) {
	if t != nil {
		fmt.Fprintf(w, "- **%s:** %s\n", name, t.UTC().Format("2006-01-02T15:04:05.000Z07:00"))
	}
}
