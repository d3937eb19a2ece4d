package render

import (
	"fmt"
	"strconv"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/internal/scalar"
)

type markdownEncoder struct {
	output
	values  markdownValues
	columns []markdownColumn // in the order of the bullets
	id      int              // the index of the column of the heading, or -1
	body    int              // the index of the column of the body, or -1
	records int64
}

// A markdownColumn is a column that has a bullet.
type markdownColumn struct {
	index int
	name  string
	label string // what stands in front of the value
}

func (e *markdownEncoder) Begin(c *dataexport.Collection) error {
	e.id, e.body = c.Column(dataexport.RoleID), c.Column(dataexport.RoleBody)
	e.columns = make([]markdownColumn, 0, len(c.Columns))
	if e.id >= 0 {
		e.columns = append(e.columns, newMarkdownColumn(c, e.id))
	}
	for i := range c.Columns {
		if i != e.id && i != e.body {
			e.columns = append(e.columns, newMarkdownColumn(c, i))
		}
	}
	return nil
}

func newMarkdownColumn(c *dataexport.Collection, index int) markdownColumn {
	name := c.Columns[index].Name
	return markdownColumn{index: index, name: name, label: "- **" + string(appendMarkdownName(nil, name)) + ":** "}
}

func (e *markdownEncoder) Row(row dataexport.Row) error {
	e.records++
	dst, err := e.appendHeading(e.buffer, row)
	if err != nil {
		return fmt.Errorf("record %d: %w", e.records, err)
	}
	first := true
	for i := range e.columns {
		column := &e.columns[i]
		value := &row[column.index]
		if value.IsNull() {
			continue
		}
		if first {
			dst = append(dst, '\n')
			first = false
		}
		dst = append(dst, column.label...)
		if dst, err = e.values.append(dst, column.name, value); err != nil {
			return fmt.Errorf("record %d: %w", e.records, err)
		}
		dst = append(trimBlanks(dst), '\n')
	}
	if e.body >= 0 && !row[e.body].IsNull() {
		dst = appendMarkdownBody(dst, row[e.body].Text())
	}
	e.buffer = dst
	return e.writeFull()
}

// appendHeading begins the section of a record. It names the record by its id, which stays the same from export to
// export, and by its number only where there is no id to be seen.
func (e *markdownEncoder) appendHeading(dst []byte, row dataexport.Row) (_ []byte, err error) {
	dst = append(dst, "\n## "...)
	empty := len(dst)
	if e.id >= 0 && !row[e.id].IsNull() {
		if dst, err = e.values.append(dst, e.columns[0].name, &row[e.id]); err != nil {
			return dst, err
		}
		dst = trimBlanks(dst)
	}
	if len(dst) <= empty {
		dst = append(dst[:empty-len(" ")], " Record "...)
		dst = strconv.AppendInt(dst, e.records, 10)
	}
	return append(dst, '\n'), nil
}

// trimBlanks takes off the blanks and tabs at the end of dst, which ends a line.
func trimBlanks(dst []byte) []byte {
	end := len(dst)
	for end > 0 && (dst[end-1] == ' ' || dst[end-1] == '\t') {
		end--
	}
	return dst[:end]
}

// Finish sets the count apart by a thematic break, which no content can make, so that it is not taken for the end of the
// last body.
func (e *markdownEncoder) Finish(dataexport.Summary) error {
	e.buffer = append(e.buffer, "\n---\n\n"...)
	e.buffer = strconv.AppendInt(e.buffer, e.records, 10)
	if e.records == 1 {
		e.buffer = append(e.buffer, " record.\n"...)
	} else {
		e.buffer = append(e.buffer, " records.\n"...)
	}
	return e.write()
}

func (e *markdownEncoder) Close() error {
	e.close()
	e.values = markdownValues{}
	return nil
}

// markdownValues writes values as one line each.
type markdownValues struct {
	times   scalar.Times
	scratch []byte // holds a text that must be known in full before it can be written
}
