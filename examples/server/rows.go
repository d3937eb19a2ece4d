package main

import (
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/memory"
)

// columns are the columns of an export in the order of memory.Info.
const columns = "id, workspace_id, content, user_id, agent_id, session_id, priority, status, categories, metadata, " +
	"access_count, last_accessed_at, created_at, updated_at"

// The places of the columns that are not simply copied.
const (
	columnID        = 0
	columnMetadata  = 9
	columnCreatedAt = 12
	columnCount     = 14
)

// A rowReader makes rows of what the driver gives. It uses the same row, list and buffers for all of them: the driver's own
// values are the only thing that is allocated for a row.
type rowReader struct {
	kinds    [columnCount]dataexport.Kind
	values   [columnCount]any // as the driver made them: string, int64 or nil
	metadata sql.RawBytes     // in the buffer of database/sql; there is no way to get the bytes of a string
	targets  [columnCount]any // where Scan puts them
	list     []string
	row      dataexport.Row
}

func newRowReader() *rowReader {
	r := &rowReader{row: make(dataexport.Row, columnCount)}
	for i, column := range memory.Info().Collections[0].Columns {
		r.kinds[i] = column.Kind
		r.targets[i] = &r.values[i]
	}
	r.targets[columnMetadata] = &r.metadata
	return r
}

// id returns the id of the last row.
func (r *rowReader) id() any { return r.values[columnID] }

// createdAt returns when the memory of the last row was created, as the database keeps it.
func (r *rowReader) createdAt() any { return r.values[columnCreatedAt] }

// scan reads the row that rows.Next has found. It is valid until the next one is asked for.
func (r *rowReader) scan(rows *sql.Rows) (dataexport.Row, error) {
	if err := rows.Scan(r.targets[:]...); err != nil {
		return nil, fmt.Errorf("reading a memory: %w", err)
	}
	for i := range r.row {
		var err error
		if r.row[i], err = r.value(i); err != nil {
			return nil, fmt.Errorf("reading memory %v: %w", r.id(), err)
		}
	}
	return r.row, nil
}

// value makes a value of one column.
func (r *rowReader) value(i int) (dataexport.Value, error) {
	if i == columnMetadata {
		if r.metadata == nil {
			return dataexport.Value{}, nil
		}
		return dataexport.TrustedJSONValue(r.metadata), nil // import has checked and compacted it
	}
	switch v := r.values[i].(type) {
	case nil:
		return dataexport.Value{}, nil
	case int64:
		return dataexport.IntValue(v), nil
	case string:
		return r.text(r.kinds[i], v)
	default:
		return dataexport.Value{}, fmt.Errorf("column %d holds a %T", i, v)
	}
}

// text makes a value of a column that the database keeps as text.
func (r *rowReader) text(kind dataexport.Kind, text string) (dataexport.Value, error) {
	switch kind {
	case dataexport.KindTime:
		t, err := parseInstant(text)
		return dataexport.TimeValue(t), err
	case dataexport.KindStrings:
		r.list = r.list[:0]
		if err := json.Unmarshal([]byte(text), &r.list); err != nil {
			return dataexport.Value{}, fmt.Errorf("its categories: %w", err)
		}
		return dataexport.StringsValue(r.list), nil
	default:
		return dataexport.StringValue(text), nil
	}
}
