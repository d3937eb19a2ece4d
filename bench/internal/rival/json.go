package rival

import (
	"bufio"
	"encoding/json"
	"io"
	"iter"
	"time"

	sonic "github.com/bytedance/sonic/encoder"
	goccy "github.com/goccy/go-json"
	segmentio "github.com/segmentio/encoding/json"

	"github.com/dataexport/dataexport/memory"
)

// A jsonRecord is a memory.Record with tags. Its fields are those of the record, so that one can be converted to the other.
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

// JSON returns the writers of JSON: encoding/json first, then libraries that promise to be faster. None escapes what only
// HTML needs to be escaped.
func JSON() []Writer {
	return []Writer{
		{"encoding/json", writeEncodingJSON},
		{"goccy/go-json", writeGoccy},
		{"bytedance/sonic", writeSonic},
		{"segmentio/encoding", writeSegmentio},
	}
}

// writeArray writes an array of what element writes for each record, without a comma or line end.
func writeArray(w io.Writer, list iter.Seq[*memory.Record], element func(*bufio.Writer, *jsonRecord) error) error {
	b := bufio.NewWriterSize(w, bufferSize)
	separator := "[\n"
	for r := range list {
		_, _ = b.WriteString(separator) // Flush returns the first error
		if err := element(b, (*jsonRecord)(r)); err != nil {
			return err
		}
		separator = ",\n"
	}
	_, _ = b.WriteString("\n]\n")
	return b.Flush()
}

func writeEncodingJSON(w io.Writer, list iter.Seq[*memory.Record]) error {
	var encoder *json.Encoder
	return writeArray(w, list, func(b *bufio.Writer, r *jsonRecord) error {
		if encoder == nil {
			encoder = json.NewEncoder(b)
			encoder.SetEscapeHTML(false)
		}
		return encoder.Encode(r)
	})
}

func writeGoccy(w io.Writer, list iter.Seq[*memory.Record]) error {
	var encoder *goccy.Encoder
	return writeArray(w, list, func(b *bufio.Writer, r *jsonRecord) error {
		if encoder == nil {
			encoder = goccy.NewEncoder(b)
			encoder.SetEscapeHTML(false)
		}
		return encoder.Encode(r)
	})
}

func writeSonic(w io.Writer, list iter.Seq[*memory.Record]) error {
	buffer := make([]byte, 0, 4096)
	return writeArray(w, list, func(b *bufio.Writer, r *jsonRecord) error {
		buffer = buffer[:0]
		if err := sonic.EncodeInto(&buffer, r, 0); err != nil {
			return err
		}
		_, err := b.Write(buffer)
		return err
	})
}

func writeSegmentio(w io.Writer, list iter.Seq[*memory.Record]) error {
	buffer := make([]byte, 0, 4096)
	return writeArray(w, list, func(b *bufio.Writer, r *jsonRecord) error {
		var err error
		if buffer, err = segmentio.Append(buffer[:0], r, 0); err != nil {
			return err
		}
		_, err = b.Write(buffer)
		return err
	})
}
