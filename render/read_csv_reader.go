package render

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// CSVReadOptions are what NewCSVReader and ReadCSV can be told.
type CSVReadOptions struct {
	// NoFormulaGuard says that the file was written with CSVOptions.NoFormulaGuard: no apostrophe is taken off.
	NoFormulaGuard bool

	// MaxCell is the size in bytes of the largest cell that is read; a larger one is an error. 0 means 64 MiB.
	MaxCell int
}

const (
	defaultMaxCell = 64 << 20
	maxCSVColumns  = 1 << 14
)

// A CSVError says what is wrong with a CSV file and where.
type CSVError struct {
	Line    int    // from 1; a line end inside a cell begins a new line, too
	Column  int    // the byte in the line, from 1
	Problem string // for example "a quotation mark stands in a cell that is not in quotes"
	Err     error  // the cause, if there is one
}

func (e *CSVError) Error() string {
	text := fmt.Sprintf("csv: line %d, column %d: %s", e.Line, e.Column, e.Problem)
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns the cause.
func (e *CSVError) Unwrap() error { return e.Err }

// A CSVField is one cell of a row.
type CSVField struct {
	Text string // without quotes and guard; empty if null
	Null bool   // the cell is empty and not in quotes
}

// A CSVReader reads the cells of a file that CSV has written. It is strict: whatever CSV does not write is a *CSVError,
// such as a line end other than CR LF, a quotation mark inside of a cell that is not in quotes, a row that has not as many
// cells as the header, and a file that ends within a row. A byte order mark in front is left out. It keeps one row in
// memory. A CSVReader is used by one goroutine.
type CSVReader struct {
	input   csvInput
	options CSVReadOptions
	header  []string
	row     csvRow
	fields  []CSVField
	err     error
}

// A csvRow is the row that is being read: the texts of its cells one after the other.
type csvRow struct {
	line  int // on which it begins
	bytes []byte
	cells []csvCell
}

type csvCell struct {
	end  int // of the cell in csvRow.bytes
	null bool
}

// NewCSVReader returns a reader of the file r.
func NewCSVReader(r io.Reader, o CSVReadOptions) *CSVReader {
	if o.MaxCell <= 0 {
		o.MaxCell = defaultMaxCell
	}
	return &CSVReader{input: csvInput{Reader: bufio.NewReaderSize(r, outputSize), line: 1}, options: o}
}

// Header returns the names of the columns. It reads them when it is called for the first time. The slice must not be
// changed.
func (c *CSVReader) Header() ([]string, error) {
	if c.header != nil {
		return c.header, nil
	}
	if c.err != nil {
		return nil, c.err
	}
	mark, err := c.input.Peek(len(byteOrderMark))
	if err != nil && !errors.Is(err, io.EOF) {
		c.err = err
		return nil, err
	}
	if string(mark) == byteOrderMark {
		_, _ = c.input.Discard(len(byteOrderMark)) // They are in the buffer.
	}
	switch err := c.readRow(maxCSVColumns); {
	case errors.Is(err, io.EOF):
		c.err = c.input.fail("the file has no header row")
	case err != nil:
		c.err = err
	default:
		c.header = c.names()
	}
	return c.header, c.err
}

func (c *CSVReader) names() []string {
	names := make([]string, len(c.row.cells))
	start := 0
	for i, cell := range c.row.cells {
		names[i] = string(c.row.bytes[start:cell.end])
		start = cell.end
	}
	return names
}

// Line returns the line on which the row that was read last begins, from 1.
func (c *CSVReader) Line() int { return c.row.line }

// Read returns the cells of the next record, or io.EOF after the last one. The slice is valid until the next call; the
// texts stay valid. After an error it returns the same error again.
func (c *CSVReader) Read() ([]CSVField, error) {
	header, err := c.Header()
	if err == nil {
		err = c.err
	}
	if err != nil {
		return nil, err
	}
	if c.err = c.readRow(len(header)); c.err != nil {
		return nil, c.err
	}
	if n := len(c.row.cells); n < len(header) {
		c.err = c.input.fail("the row has %d cells, and the header has %d", n, len(header))
		return nil, c.err
	}
	return c.cells(), nil
}

// cells makes the fields of the row that was read. Their texts share one string.
func (c *CSVReader) cells() []CSVField {
	c.fields = c.fields[:0]
	text := string(c.row.bytes)
	start := 0
	for _, cell := range c.row.cells {
		field := CSVField{Text: text[start:cell.end], Null: cell.null}
		if !c.options.NoFormulaGuard {
			field.Text = withoutGuard(field.Text)
		}
		c.fields = append(c.fields, field)
		start = cell.end
	}
	return c.fields
}

// withoutGuard takes off the apostrophe that guards a formula. A text that begins with an apostrophe itself is written with
// another one in front, so what has an apostrophe and something to guard behind it was guarded.
func withoutGuard(text string) string {
	if len(text) >= 2 && text[0] == '\'' && needsGuard(text[1:]) {
		return text[1:]
	}
	return text
}

// readRow reads a row of at most so many cells into c.row. It returns io.EOF if there is none.
func (c *CSVReader) readRow(most int) error {
	c.row.bytes, c.row.cells = c.row.bytes[:0], c.row.cells[:0]
	if _, err := c.input.Peek(1); err != nil {
		return err
	}
	c.row.line = c.input.nextLine()
	for {
		last, err := c.readCell()
		if err != nil {
			return err
		}
		if last {
			return nil
		}
		if len(c.row.cells) == most {
			return c.input.fail("the row has more than %d cells", most)
		}
	}
}

// readCell reads a cell and the comma or line end behind it. It reports whether the cell is the last one of its row.
func (c *CSVReader) readCell() (last bool, err error) {
	b, err := c.input.next()
	if err != nil {
		return false, err
	}
	if b == '"' {
		return c.readQuoted()
	}
	start := len(c.row.bytes)
	for b != ',' && b != '\r' {
		switch b {
		case '\n':
			return false, c.input.fail("a line ends with LF alone, and must end with CR LF")
		case '"':
			return false, c.input.fail("a quotation mark stands in a cell that is not in quotes")
		}
		if err := c.add(b, start); err != nil {
			return false, err
		}
		c.addRun(start, indexUnquoted)
		if b, err = c.input.next(); err != nil {
			return false, err
		}
	}
	c.endCell(len(c.row.bytes) == start)
	return b == '\r', c.endLine(b)
}

// readQuoted reads the rest of a cell that is in quotes, and what is behind it.
func (c *CSVReader) readQuoted() (last bool, err error) {
	start := len(c.row.bytes)
	for {
		c.addRun(start, indexQuote)
		b, err := c.input.next()
		if err != nil {
			return false, err
		}
		if b == '"' {
			if b, err = c.input.next(); err != nil {
				return false, err
			}
			if b == ',' || b == '\r' {
				c.endCell(false)
				return b == '\r', c.endLine(b)
			}
			if b != '"' {
				return false, c.input.fail("there is more behind the quotation mark that ends a cell; inside of one it must be doubled")
			}
		}
		if err := c.add(b, start); err != nil {
			return false, err
		}
	}
}

// add appends a byte to the cell that begins at start.
func (c *CSVReader) add(b byte, start int) error {
	if len(c.row.bytes)-start >= c.options.MaxCell {
		return c.input.fail("the cell is larger than %d bytes, the MaxCell of the options", c.options.MaxCell)
	}
	c.row.bytes = append(c.row.bytes, b)
	return nil
}

// addRun appends what is buffered of the cell that begins at start, up to a byte that means something, which the function
// index finds, and up to the largest size of a cell.
func (c *CSVReader) addRun(start int, index func([]byte) int) {
	run := c.input.buffered()
	run = run[:min(len(run), c.options.MaxCell-(len(c.row.bytes)-start))]
	if end := index(run); end >= 0 {
		run = run[:end]
	}
	c.row.bytes = append(c.row.bytes, run...)
	c.input.skip(run)
}

func indexQuote(b []byte) int { return bytes.IndexByte(b, '"') }

func indexUnquoted(b []byte) int {
	for i, c := range b {
		if c == ',' || c == '"' || c == '\r' || c == '\n' {
			return i
		}
	}
	return -1
}

func (c *CSVReader) endCell(null bool) {
	c.row.cells = append(c.row.cells, csvCell{end: len(c.row.bytes), null: null})
}

// endLine reads the line feed that must follow if the byte behind a cell was a carriage return.
func (c *CSVReader) endLine(b byte) error {
	if b != '\r' {
		return nil
	}
	b, err := c.input.next()
	if err == nil && b != '\n' {
		err = c.input.fail("a carriage return stands alone, and a line must end with CR LF")
	}
	return err
}
