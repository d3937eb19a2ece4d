package render

import (
	"context"
	"fmt"
	"io"
	"strconv"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/internal/jsontext"
	"github.com/dataexport/dataexport/internal/scalar"
)

// CSVOptions are what CSVWith can be told. The zero value is what CSV does.
type CSVOptions struct {
	// BOM puts the byte order mark U+FEFF in front. Some spreadsheets take a file without one for another encoding than UTF-8.
	BOM bool

	// NoFormulaGuard writes texts that a spreadsheet would take for a formula as they are. Such a file must not be opened in
	// a spreadsheet unless all of its texts are trusted.
	NoFormulaGuard bool
}

// CSV returns the renderer of CSV (RFC 4180): a header row, also if there are no records, then a row a record, lines ended
// by CR LF. It writes datasets that are one list of records. ReadCSV reads the file back without loss.
//
// Null is an empty cell, an empty text is `""`. A list of text is a JSON array, JSON is compacted, times and truth values
// are as in JSON. A row of one column that is null is an empty line, which many readers skip; CSVReader does not.
//
// A spreadsheet takes a cell for a formula if it begins with one of = + - @, and some take one after a tab or a line end.
// So a text that begins with one of them, with one of their full-width forms, or with an apostrophe gets an apostrophe in
// front, which CSVReader takes off again. Cells of other kinds than text are never changed.
func CSV() dataexport.Renderer { return CSVWith(CSVOptions{}) }

// CSVWith is CSV with options.
func CSVWith(o CSVOptions) dataexport.Renderer { return csvRenderer{options: o} }

const byteOrderMark = "\uFEFF"

type csvRenderer struct{ options CSVOptions }

func (csvRenderer) Format() dataexport.Format {
	return dataexport.Format{Name: "csv", MediaType: "text/csv", Extension: "csv"}
}

func (csvRenderer) Check(info dataexport.Info) error {
	switch {
	case len(info.Collections) > 1:
		return fmt.Errorf("csv holds one list of records, and %s is made of %d; choose another format", info.Name, len(info.Collections))
	case len(info.Collections) < 1 || info.Collections[0].Single || info.Layout.Object:
		return fmt.Errorf("csv holds one list of records, and %s is an object; choose another format", info.Name)
	}
	return nil
}

func (r csvRenderer) Open(_ context.Context, w io.Writer, _ *dataexport.Doc) (dataexport.Encoder, error) {
	e := &csvEncoder{output: newOutput(w), text: csvText{guard: !r.options.NoFormulaGuard}}
	if r.options.BOM {
		e.buffer = append(e.buffer, byteOrderMark...)
	}
	return e, nil
}

type csvEncoder struct {
	output
	columns []column
	text    csvText
	json    []byte // a cell that is JSON, before it is quoted
}

// Begin writes the header row. The names of columns are the host's and are not guarded.
func (e *csvEncoder) Begin(c *dataexport.Collection) error {
	e.columns = make([]column, len(c.Columns))
	for i := range e.columns {
		if i > 0 {
			e.buffer = append(e.buffer, ',')
		}
		e.columns[i].name = c.Columns[i].Name
		e.columns[i].shape.DoubleQuotes = true
		e.buffer = e.text.appendName(e.buffer, c.Columns[i].Name)
	}
	e.buffer = append(e.buffer, '\r', '\n')
	return nil
}

func (e *csvEncoder) Row(row dataexport.Row) error {
	buffer, columns := e.buffer, e.columns
	row = row[:len(columns)]
	for i := range columns {
		v := &row[i]
		switch v.Kind() {
		case dataexport.KindNull:
		case dataexport.KindString:
			buffer = e.text.append(buffer, v.Text())
		case dataexport.KindTime:
			seconds, nanoseconds := v.Unix()
			var ok bool
			if buffer, ok = columns[i].times.Append(buffer, seconds, nanoseconds); !ok {
				return errTime(columns[i].name)
			}
		default:
			var err error
			if buffer, err = e.appendValue(buffer, v, &columns[i]); err != nil {
				return err
			}
		}
		buffer = append(buffer, ',')
	}
	buffer[len(buffer)-1] = '\r' // in place of the comma behind the last column
	e.buffer = append(buffer, '\n')
	return e.writeFull()
}

// appendValue appends a value of any kind but null, text and time.
func (e *csvEncoder) appendValue(dst []byte, v *dataexport.Value, c *column) ([]byte, error) {
	switch kind := v.Kind(); kind {
	case dataexport.KindInt:
		return scalar.AppendInt(dst, v.Int()), nil
	case dataexport.KindFloat:
		return scalar.AppendFloat(dst, v.Float()), nil
	case dataexport.KindBool:
		return strconv.AppendBool(dst, v.Bool()), nil
	case dataexport.KindJSON:
		return e.appendJSON(dst, v, c)
	case dataexport.KindStrings:
		return e.appendStrings(dst, v.Strings()), nil
	case dataexport.KindUUID:
		return scalar.AppendUUID(dst, v.UUID()), nil
	case dataexport.KindDecimal:
		if digits := v.Text(); isDecimal(digits) {
			return append(dst, digits...), nil
		}
		return e.text.append(dst, v.Text()), nil
	default:
		return dst, errKind(c.name, kind)
	}
}

// appendStrings appends a list as a JSON array: each item right where it belongs, with its quotation marks twice, as long as
// no item has something to be escaped.
func (e *csvEncoder) appendStrings(dst []byte, list []string) []byte {
	begin := len(dst)
	dst = append(dst, '"', '[')
	for i, item := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, '"')
		start := len(dst)
		dst = jsontext.AppendString(dst, item)
		if escaped := len(dst)-start > len(item)+2; escaped {
			e.json = jsontext.AppendStrings(e.json[:0], list)
			return appendCSVCell(dst[:begin], e.json)
		}
		dst = append(dst, '"')
	}
	if len(list) == 0 {
		return append(dst[:begin], '[', ']')
	}
	return append(dst, ']', '"')
}

// appendJSON appends JSON: of a shape that is known, right where it belongs, in quotation marks, since its members have names.
func (e *csvEncoder) appendJSON(dst []byte, v *dataexport.Value, c *column) ([]byte, error) {
	raw := v.Text()
	if v.Trusted() {
		return appendCSVCell(dst, stringBytes(raw)), nil
	}
	if c.shape.Fits(raw) {
		return append(c.shape.Append(append(dst, '"'), raw), '"'), nil
	}
	var err error
	if e.json, err = c.appendUnknownJSON(e.json[:0], raw); err != nil {
		return dst, err
	}
	return appendCSVCell(dst, e.json), nil
}

// isDecimal reports whether a text is nothing but a number, so that no spreadsheet can take it for a formula. A decimal
// that is not is treated as a text.
func isDecimal(s string) bool {
	if s != "" && (s[0] == '-' || s[0] == '+') {
		s = s[1:]
	}
	if s == "" || s[0] < '0' || s[0] > '9' {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case '0' <= c && c <= '9', c == '.':
		case (c == 'e' || c == 'E') && i+1 < len(s):
		case (c == '-' || c == '+') && (s[i-1] == 'e' || s[i-1] == 'E') && i+1 < len(s):
		default:
			return false
		}
	}
	return true
}

func (e *csvEncoder) Finish(dataexport.Summary) error { return e.write() }

func (e *csvEncoder) Close() error {
	e.close()
	e.columns, e.text, e.json = nil, csvText{}, nil
	return nil
}
