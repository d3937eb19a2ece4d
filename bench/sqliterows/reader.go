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
func (r *reader) read() (err error) {
	for i := range r.columns {
		switch kind := r.columns[i].Kind; kind {
		case dataexport.KindInt, dataexport.KindFloat, dataexport.KindBool:
			r.row[i], err = r.number(i, kind)
		default:
			r.row[i], err = r.text(i, kind)
		}
		if err != nil {
			return columnError(&r.columns[i], err)
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

func (r *reader) text(i int, kind dataexport.Kind) (dataexport.Value, error) {
	content, err := r.bytes(i)
	switch {
	case err != nil || len(content) == 0 && r.statement.ColumnType(i) == sqlite.TypeNull:
		return dataexport.Value{}, err
	case kind == dataexport.KindDecimal:
		return dataexport.DecimalValue(dataexport.BytesValue(content).Text()), nil
	case kind == dataexport.KindJSON:
		return dataexport.JSONValue(content), nil
	default:
		return dataexport.BytesValue(content), nil
	}
}

// content is an io.Writer that remembers what was written to it last.
type content struct{ bytes []byte }

func (c *content) Write(b []byte) (int, error) {
	c.bytes = b
	return len(b), nil
}

// bytes returns a text or blob as it lies in SQLite's memory. The driver has no function for that, but its readers show it to
// whom they write to.
func (r *reader) bytes(i int) ([]byte, error) {
	r.content.bytes = nil
	_, err := r.statement.ColumnReader(i).WriteTo(&r.content)
	return r.content.bytes, err
}
