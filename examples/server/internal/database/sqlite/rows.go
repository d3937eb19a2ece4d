package sqlite

import (
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/examples/server/internal/database"
	"github.com/dataexport/dataexport/memory"
)

// newMemoryReader makes a reader of the columns of memories.
func newMemoryReader() *rowReader {
	return newRowReader(memory.Info().Collections[0].Columns, dataexport.TrustedJSONValue) // import has checked and compacted it
}

// A rowReader makes rows of what the driver gives. It uses the same row, lists and buffers for all of them: the driver's own
// values are the only thing that is allocated for a row.
type rowReader struct {
	columns []dataexport.Column
	json    func([]byte) dataexport.Value
	values  []any          // as the driver made them: string, int64, float64 or nil
	bytes   []sql.RawBytes // of JSON and UUIDs, in the buffer of database/sql; there is no way to get the bytes of a string
	targets []any          // where Scan puts them: one of the two
	lists   [][]string
	row     dataexport.Row
}

// newRowReader makes a reader of statements that select these columns, and of JSON by that function.
func newRowReader(columns []dataexport.Column, json func([]byte) dataexport.Value) *rowReader {
	n := len(columns)
	r := &rowReader{
		columns: columns, json: json,
		values: make([]any, n), bytes: make([]sql.RawBytes, n), targets: make([]any, n), lists: make([][]string, n), row: make(dataexport.Row, n),
	}
	for i, column := range columns {
		if column.Kind == dataexport.KindJSON || column.Kind == dataexport.KindUUID {
			r.targets[i] = &r.bytes[i]
		} else {
			r.targets[i] = &r.values[i]
		}
	}
	return r
}

// scan reads the row that rows.Next has found. It is valid until the next one is asked for.
func (r *rowReader) scan(rows *sql.Rows) (dataexport.Row, error) {
	if err := rows.Scan(r.targets...); err != nil {
		return nil, fmt.Errorf("reading a row: %w", err)
	}
	for i := range r.row {
		var err error
		if r.row[i], err = r.value(i); err != nil {
			return nil, fmt.Errorf("reading a row, column %s: %w", r.columns[i].Name, err)
		}
	}
	return r.row, nil
}

// value makes a value of one column.
func (r *rowReader) value(i int) (dataexport.Value, error) {
	if raw := r.bytes[i]; raw != nil {
		return r.raw(r.columns[i].Kind, raw)
	}
	switch v := r.values[i].(type) {
	case nil:
		return dataexport.Value{}, nil
	case int64:
		if r.columns[i].Kind == dataexport.KindBool {
			return dataexport.BoolValue(v != 0), nil
		}
		return dataexport.IntValue(v), nil
	case float64:
		return dataexport.FloatValue(v), nil
	case string:
		return r.text(i, v)
	default:
		return dataexport.Value{}, fmt.Errorf("the database holds a %T", v)
	}
}

// raw makes a value of a column that is read in place.
func (r *rowReader) raw(kind dataexport.Kind, raw sql.RawBytes) (dataexport.Value, error) {
	switch {
	case kind == dataexport.KindJSON:
		return r.json(raw), nil
	case len(raw) == 16:
		return dataexport.UUIDValue((*[16]byte)(raw)), nil
	default:
		return dataexport.Value{}, fmt.Errorf("the database holds an id that is none: %d bytes", len(raw))
	}
}

// text makes a value of a column that the database keeps as text.
func (r *rowReader) text(i int, text string) (dataexport.Value, error) {
	switch r.columns[i].Kind {
	case dataexport.KindTime:
		t, err := database.ParseInstant(text)
		return dataexport.TimeValue(t), err
	case dataexport.KindStrings:
		r.lists[i] = r.lists[i][:0]
		if err := json.Unmarshal([]byte(text), &r.lists[i]); err != nil {
			return dataexport.Value{}, fmt.Errorf("the database holds a list that is none: %w", err)
		}
		return dataexport.StringsValue(r.lists[i]), nil
	case dataexport.KindDecimal:
		return dataexport.DecimalValue(text), nil
	default:
		return dataexport.StringValue(text), nil
	}
}
