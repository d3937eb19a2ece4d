package archive

import (
	"errors"
	"fmt"
	"io"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/render"
)

// readTableFile reads the file of a collection. That a file is missing is reported as the collection that is missing.
func (z *zipReading) readTableFile(number int) error {
	part := &z.parts[number]
	name := part.collection.Name
	if z.files[tableFile(name)] == nil {
		return nil
	}
	part.begun = true
	whole, err := z.readFile(tableFile(name), name, func(r io.Reader) error { return z.readTable(number, r) })
	part.damaged = part.damaged || !whole
	if err != nil || part.damaged || !part.collection.Single || part.found == 1 {
		return err
	}
	return z.fault(Fault{Collection: name, Record: -1, Problem: fmt.Sprintf("there are %d records, and there must be one", part.found)})
}

// readTable reads a table as render.CSV writes it, up to a fault of its form, which it reports.
func (z *zipReading) readTable(number int, r io.Reader) error {
	part := &z.parts[number]
	rows := &rowReader{in: r}
	table := render.NewCSVReader(rows, render.CSVReadOptions{MaxCell: maxRecord})
	rows.begin()
	header, err := table.Header()
	if err != nil {
		return z.endTable(part, -1, err)
	}
	columns, err := z.matchColumns(part, header)
	if err != nil {
		return err
	}
	for {
		rows.begin()
		fields, err := table.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return z.endTable(part, int(part.found), err)
		}
		if err := z.readRow(number, columns, fields); err != nil {
			return err
		}
	}
}

// endTable makes a fault of an error after which a table cannot be read any further.
func (z *zipReading) endTable(part *partState, record int, err error) error {
	form := (*render.CSVError)(nil)
	if !errors.As(err, &form) && !errors.Is(err, errRowSize) {
		return err
	}
	part.damaged = true
	return z.fault(Fault{Collection: part.collection.Name, Record: record, Problem: err.Error()})
}

// matchColumns returns the column that each cell of a row belongs to, or -1 for none. It reports unknown and missing ones.
func (z *zipReading) matchColumns(part *partState, header []string) ([]int, error) {
	columns := make([]int, len(header))
	seen := make(map[string]bool, len(part.columns))
	fault := func(field, problem string) error {
		return z.fault(Fault{Collection: part.collection.Name, Record: -1, Field: shorten(field), Problem: problem})
	}
	for i, name := range header {
		column, known := part.columns[name]
		columns[i] = -1
		var err error
		switch {
		case !known:
			err = fault(name, "the column is unknown")
		case seen[name]:
			err = fault(name, "the column is there twice")
		default:
			columns[i], seen[name] = column, true
		}
		if err != nil {
			return nil, err
		}
	}
	for _, c := range part.collection.Columns {
		if !seen[c.Name] {
			if err := fault(c.Name, "the column is missing"); err != nil {
				return nil, err
			}
		}
	}
	return columns, nil
}

func (z *zipReading) readRow(number int, columns []int, fields []render.CSVField) error {
	draft := z.draft(number)
	for i := range draft.seen {
		draft.seen[i] = true // A column that is missing has been reported once.
	}
	for i, field := range fields {
		if columns[i] < 0 {
			continue
		}
		column := &draft.part.collection.Columns[columns[i]]
		v, problem := parseCell(column.Kind, field)
		if problem == "" {
			problem = draft.set(columns[i], v)
		}
		if problem == "" {
			continue
		}
		if err := draft.fault(column.Name, field.Text, problem); err != nil {
			return err
		}
	}
	return draft.finish()
}

func parseCell(kind dataexport.Kind, field render.CSVField) (v dataexport.Value, problem string) {
	switch {
	case field.Null:
		return v, ""
	case kind == dataexport.KindJSON || kind == dataexport.KindStrings:
		return parseJSONText(kind, field.Text)
	default:
		return parseText(kind, field.Text)
	}
}

// maxRow is the number of bytes of the largest row. Each quotation mark of a record is there twice.
const maxRow = 2 * maxRecord

// errRowSize says that a row is larger than that of a record may be.
var errRowSize = fmt.Errorf("the row is larger than %d bytes", maxRow)

// A rowReader ends a row that is too large, before its cells take too much memory. A row may be larger by what had been
// read ahead.
type rowReader struct {
	in   io.Reader
	left int
}

// begin gives the next row its size.
func (r *rowReader) begin() { r.left = maxRow + readAhead }

// readAhead is more than a render.CSVReader reads ahead.
const readAhead = 1 << 20

func (r *rowReader) Read(p []byte) (int, error) {
	n, err := r.in.Read(p)
	if r.left -= n; r.left < 0 {
		return 0, errRowSize
	}
	return n, err
}
