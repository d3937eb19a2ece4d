package sqliterows

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/dataexport/dataexport"
)

// A reader makes a row of the one that a statement is at.
type reader struct {
	statement *sqlite.Stmt
	columns   []dataexport.Column
	row       dataexport.Row
	buffer    []byte // what the values of the row point at; it grows to the size of the largest row
	used      int
	lists     [][]string // of each column that is a list
}

const firstBufferSize = 4 << 10

func newReader(statement *sqlite.Stmt, columns []dataexport.Column) *reader {
	return &reader{
		statement: statement, columns: columns,
		row: make(dataexport.Row, len(columns)), buffer: make([]byte, firstBufferSize), lists: make([][]string, len(columns)),
	}
}

// read fills the row.
func (r *reader) read() error {
	r.used = 0
	for i := range r.columns {
		v, err := r.value(i)
		if err != nil {
			return fmt.Errorf("%w: sqliterows: column %q: %w", dataexport.ErrBadRow, r.columns[i].Name, err)
		}
		r.row[i] = v
	}
	return nil
}

func (r *reader) value(i int) (dataexport.Value, error) {
	switch kind := r.columns[i].Kind; kind {
	case dataexport.KindInt, dataexport.KindFloat, dataexport.KindBool:
		return r.number(i, kind)
	default:
		content := r.bytes(i)
		if len(content) == 0 && r.statement.ColumnType(i) == sqlite.TypeNull {
			return dataexport.Value{}, nil
		}
		return r.text(i, kind, content)
	}
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

func (r *reader) text(i int, kind dataexport.Kind, content []byte) (dataexport.Value, error) {
	switch kind {
	case dataexport.KindString:
		return dataexport.BytesValue(content), nil
	case dataexport.KindDecimal:
		return dataexport.DecimalValue(dataexport.BytesValue(content).Text()), nil
	case dataexport.KindJSON:
		return dataexport.JSONValue(content), nil
	case dataexport.KindTime:
		instant, err := time.Parse(time.RFC3339, dataexport.BytesValue(content).Text()) // takes a fraction too
		return dataexport.TimeValue(instant), err
	case dataexport.KindStrings:
		list, err := appendStrings(r.lists[i][:0], content)
		r.lists[i] = list
		return dataexport.StringsValue(list), err
	case dataexport.KindUUID:
		if len(content) != 16 {
			return dataexport.Value{}, fmt.Errorf("it has %d bytes, and a UUID has 16", len(content))
		}
		return dataexport.UUIDValue((*[16]byte)(content)), nil
	default:
		return dataexport.Value{}, fmt.Errorf("there is no form of kind %s in SQLite", kind)
	}
}

// bytes copies a text or blob behind what the row has already. SQLite's own memory would do, and the driver does not give it out.
func (r *reader) bytes(i int) []byte {
	free := r.buffer[r.used:]
	n := r.statement.ColumnBytes(i, free)
	if n == len(free) { // there may be more
		size := r.statement.ColumnLen(i)
		r.buffer = make([]byte, max(2*len(r.buffer), 2*size)) // what was read before stays where it is
		r.used = 0
		free = r.buffer
		n = r.statement.ColumnBytes(i, free)
	}
	r.used += n
	return free[:n:n]
}

// appendStrings appends the elements of a JSON array of strings. It takes them as they stand if nothing in them is escaped.
func appendStrings(list []string, array []byte) ([]string, error) {
	text := dataexport.BytesValue(array).Text()
	if strings.IndexByte(text, '\\') < 0 {
		if simple, ok := appendPlainStrings(list, text); ok {
			return simple, nil
		}
	}
	return parseStrings(array)
}

// parseStrings takes any array of strings apart. Unlike json.Unmarshal it takes no null for a string.
func parseStrings(array []byte) ([]string, error) {
	var elements []*string
	if err := json.Unmarshal(array, &elements); err != nil {
		return nil, fmt.Errorf("it is no JSON array of strings: %w", err)
	}
	if elements == nil {
		return nil, errors.New("it is no JSON array of strings but null")
	}
	list := make([]string, len(elements))
	for i, element := range elements {
		if element == nil {
			return nil, errors.New("it is no JSON array of strings: there is a null in it")
		}
		list[i] = *element
	}
	return list, nil
}

// appendPlainStrings takes an array apart that has no escapes and no white space. Otherwise it returns false.
func appendPlainStrings(list []string, text string) ([]string, bool) {
	if text == "[]" {
		return list, true
	}
	rest, ok := strings.CutPrefix(text, "[")
	for ok {
		if rest, ok = strings.CutPrefix(rest, `"`); !ok {
			break
		}
		var element string
		if element, rest, ok = strings.Cut(rest, `"`); !ok {
			break
		}
		list = append(list, element)
		if rest == "]" {
			return list, true
		}
		rest, ok = strings.CutPrefix(rest, ",")
	}
	return nil, false
}
