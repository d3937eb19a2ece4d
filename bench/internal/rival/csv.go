package rival

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"io"
	"iter"
	"strconv"
	"time"

	"github.com/gocarina/gocsv"

	"github.com/dataexport/dataexport/memory"
)

// CSV returns the writers of CSV.
func CSV() []Writer {
	return []Writer{
		{"encoding/csv", writeEncodingCSV},
		{"gocsv", writeGocsv},
	}
}

func writeEncodingCSV(w io.Writer, list iter.Seq[*memory.Record]) error {
	b := bufio.NewWriterSize(w, bufferSize)
	writer := csv.NewWriter(b)
	writer.UseCRLF = true
	if err := writer.Write(columns()); err != nil {
		return err
	}
	cells := make([]string, 0, 14)
	for r := range list {
		var err error
		if cells, err = appendCells(cells[:0], r); err != nil {
			return err
		}
		if err := writer.Write(cells); err != nil {
			return err
		}
	}
	writer.Flush()
	if err := writer.Error(); err != nil {
		return err
	}
	return b.Flush()
}

func columns() []string {
	return []string{
		"id", "workspace_id", "content", "user_id", "agent_id", "session_id", "priority", "status",
		"categories", "metadata", "access_count", "last_accessed_at", "created_at", "updated_at",
	}
}

func appendCells(cells []string, r *memory.Record) ([]string, error) {
	categories, count := "", ""
	if r.Categories != nil {
		list, err := json.Marshal(r.Categories)
		if err != nil {
			return nil, err
		}
		categories = string(list)
	}
	if r.AccessCount != nil {
		count = strconv.FormatInt(*r.AccessCount, 10)
	}
	return append(cells,
		r.ID, r.WorkspaceID, r.Content, textOf(r.UserID), textOf(r.AgentID), textOf(r.SessionID), textOf(r.Priority), textOf(r.Status),
		categories, string(r.Metadata), count, instantOf(r.LastAccessedAt), instantOf(&r.CreatedAt), instantOf(r.UpdatedAt),
	), nil
}

func textOf(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func instantOf(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// A CSVRecord is a memory.Record with tags for gocsv, and types that it can write.
type CSVRecord struct {
	ID             string     `csv:"id"`
	WorkspaceID    string     `csv:"workspace_id"`
	Content        string     `csv:"content"`
	UserID         *string    `csv:"user_id"`
	AgentID        *string    `csv:"agent_id"`
	SessionID      *string    `csv:"session_id"`
	Priority       *string    `csv:"priority"`
	Status         *string    `csv:"status"`
	Categories     Texts      `csv:"categories"`
	Metadata       RawJSON    `csv:"metadata"`
	AccessCount    *int64     `csv:"access_count"`
	LastAccessedAt *time.Time `csv:"last_accessed_at"`
	CreatedAt      time.Time  `csv:"created_at"`
	UpdatedAt      *time.Time `csv:"updated_at"`
}

// Texts are a list that is written as a JSON array.
type Texts []string

// MarshalCSV implements gocsv.TypeMarshaller.
func (list Texts) MarshalCSV() (string, error) {
	if list == nil {
		return "", nil
	}
	text, err := json.Marshal([]string(list))
	return string(text), err
}

// RawJSON is a JSON text.
type RawJSON []byte

// MarshalCSV implements gocsv.TypeMarshaller.
func (raw RawJSON) MarshalCSV() (string, error) { return string(raw), nil }

// CSVRecordOf converts a record without copying what it points at.
func CSVRecordOf(r *memory.Record) CSVRecord {
	return CSVRecord{
		r.ID, r.WorkspaceID, r.Content, r.UserID, r.AgentID, r.SessionID, r.Priority, r.Status,
		r.Categories, RawJSON(r.Metadata), r.AccessCount, r.LastAccessedAt, r.CreatedAt, r.UpdatedAt,
	}
}

// gocsvBatch is how many records are given to gocsv at once. It looks at the type again for each call.
const gocsvBatch = 1000

func writeGocsv(w io.Writer, list iter.Seq[*memory.Record]) error {
	b := bufio.NewWriterSize(w, bufferSize)
	writer := csv.NewWriter(b)
	writer.UseCRLF = true
	safe := gocsv.NewSafeCSVWriter(writer)
	batch := make([]CSVRecord, 0, gocsvBatch)
	marshal := gocsv.MarshalCSV // with the header, once
	flush := func() error {
		err := marshal(batch, safe)
		marshal, batch = gocsv.MarshalCSVWithoutHeaders, batch[:0]
		return err
	}
	for r := range list {
		batch = append(batch, CSVRecordOf(r))
		if len(batch) == cap(batch) {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if err := flush(); err != nil {
		return err
	}
	return b.Flush()
}
