package sqliterows

import (
	"fmt"

	"zombiezen.com/go/sqlite"

	"github.com/dataexport/dataexport"
)

// A reader makes a row of the one that a statement is at, without parsing it. What its values point at is SQLite's own memory,
// which is valid until the statement goes on.
type reader struct {
	statement *sqlite.Stmt
	columns   []dataexport.Column
	row       dataexport.Row
	content   content
}

func newReader(statement *sqlite.Stmt, columns []dataexport.Column) *reader {
	return &reader{statement: statement, columns: columns, row: make(dataexport.Row, len(columns))}
}

// read fills the row. What the parser is to parse is a string.
func (r *reader) read() error {
	for i := range r.columns {
		column, value := &r.columns[i], &r.row[i]
		switch column.Kind {
		case dataexport.KindInt, dataexport.KindFloat, dataexport.KindBool:
			number, err := r.number(i, column.Kind)
			if err != nil {
				return columnError(column, err)
			}
			*value = number
		default:
			*value = r.text(i, column.Kind)
		}
	}
	return nil
}

func columnError(column *dataexport.Column, err error) error {
	return fmt.Errorf("%w: sqliterows: column %q: %w", dataexport.ErrBadRow, column.Name, err)
}

func (r *reader) number(i int, kind dataexport.Kind) (dataexport.Value, error) {
	switch stored := r.statement.ColumnType(i); {
	case stored == sqlite.TypeNull:
		return dataexport.Value{}, nil
	case stored == sqlite.TypeInteger && kind == dataexport.KindInt:
		return dataexport.IntValue(r.statement.ColumnInt64(i)), nil
	case stored == sqlite.TypeInteger && kind == dataexport.KindBool:
		return dataexport.BoolValue(r.statement.ColumnBool(i)), nil
	case (stored == sqlite.TypeFloat || stored == sqlite.TypeInteger) && kind == dataexport.KindFloat:
		return dataexport.FloatValue(r.statement.ColumnFloat(i)), nil
	default:
		return dataexport.Value{}, fmt.Errorf("it is stored as %s, which is no %s", stored, kind)
	}
}

func (r *reader) text(i int, kind dataexport.Kind) dataexport.Value {
	content := r.bytes(i)
	switch {
	case content == nil && r.statement.ColumnType(i) == sqlite.TypeNull:
		return dataexport.Value{}
	case kind == dataexport.KindJSON:
		return dataexport.JSONValue(content)
	case kind == dataexport.KindDecimal:
		return dataexport.DecimalValue(dataexport.BytesValue(content).Text())
	default:
		return dataexport.BytesValue(content)
	}
}

// content is an io.Writer that remembers what was written to it last.
type content struct{ bytes []byte }

func (c *content) Write(b []byte) (int, error) {
	c.bytes = b
	return len(b), nil
}

// bytes returns a text or blob as it lies in SQLite's memory, or nil if it is empty or null. The driver has no function for
// that, but its readers show it to whom they write to.
func (r *reader) bytes(i int) []byte {
	r.content.bytes = nil
	_, _ = r.statement.ColumnReader(i).WriteTo(&r.content) // which returns no error
	return r.content.bytes
}
