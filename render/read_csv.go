package render

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/gocarina/gocsv"
)

// ReadCSV reads the records of a file that CSV has written into structs of type T, one after the other: a record is read
// when it is asked for. An error ends the sequence; the record beside it is nil. A file that CSV has not written is a *CSVError.
//
// The package github.com/gocarina/gocsv binds cells to fields: the tag `csv:"content"` names the column of a field.
//
//   - A cell that is null leaves its field alone. So a *string is nil for null and points at "" for an empty text, and
//     other pointers, slices and json.RawMessage are nil for null. Pointers must not have the option omitempty.
//   - Lists and JSON are read into slices, structs and json.RawMessage as encoding/json does it; an empty list is a slice
//     that is not nil. Maps stay empty; read them as json.RawMessage.
//   - Times are read into time.Time, UUIDs into any type that has UnmarshalText.
//   - Columns without a field are left out, and fields without a column stay as they are.
//
// The settings of gocsv that hold for the whole process, such as FailIfUnmatchedStructTags, have their effect here too.
func ReadCSV[T any](r io.Reader, o CSVReadOptions) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		reader := NewCSVReader(r, o)
		header, err := reader.Header()
		if err != nil {
			yield(nil, err)
			return
		}
		binding := csvBinding{names: make([]string, len(header)), texts: make([]string, len(header)), columns: make([]int, len(header))}
		for {
			fields, err := reader.Read()
			if errors.Is(err, io.EOF) {
				return
			}
			var record *T
			if err == nil {
				record, err = bindCSV[T](&binding, header, fields, reader.Line())
			}
			if !yield(record, err) || err != nil {
				return
			}
		}
	}
}

// A csvBinding gives gocsv one record as if it were a file. The columns that are null come last in its header and are
// missing in its row, so that gocsv knows of them and does not touch their fields.
type csvBinding struct {
	names   []string // of the columns, those that are null last
	texts   []string // of the columns that are not null
	columns []int    // the place in the file of each of names
}

func bindCSV[T any](b *csvBinding, header []string, fields []CSVField, line int) (*T, error) {
	b.fill(header, fields)
	records := make([]*T, 0, 1)
	if err := gocsv.UnmarshalCSV(b, &records); err != nil {
		return nil, b.explain(err, line)
	}
	return records[0], nil
}

func (b *csvBinding) fill(header []string, fields []CSVField) {
	b.texts = b.texts[:0]
	end := len(header)
	for i, field := range fields {
		place := len(b.texts)
		if field.Null {
			end--
			place = end
		} else {
			b.texts = append(b.texts, field.Text)
		}
		b.names[place], b.columns[place] = header[i], i
	}
}

// ReadAll returns header and record. It makes b a gocsv.CSVReader.
func (b *csvBinding) ReadAll() ([][]string, error) { return [][]string{b.names, b.texts}, nil }

// Read is the other method of a gocsv.CSVReader. Nothing calls it.
func (b *csvBinding) Read() ([]string, error) { return nil, io.EOF }

// explain says where in the file an error of gocsv belongs.
func (b *csvBinding) explain(err error, line int) error {
	var parse *csv.ParseError
	if !errors.As(err, &parse) || parse.Column < 1 || parse.Column > len(b.names) {
		return fmt.Errorf("csv: line %d: %w", line, err)
	}
	place := parse.Column - 1
	return fmt.Errorf("csv: line %d, cell %d (%s): %w", line, b.columns[place]+1, b.names[place], parse.Err)
}
