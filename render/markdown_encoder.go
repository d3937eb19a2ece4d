package render

import (
	"fmt"
	"strconv"

	"github.com/dataexport/dataexport"
)

type markdownEncoder struct {
	output
	values  markdownValues
	heading prefix           // what stands in front of the id in the heading
	id      markdownColumn   // of the id; its index is -1 if there is none
	columns []markdownColumn // of the other bullets
	body    int              // the index of the column of the body, or -1
	records int64
}

// A markdownColumn is a column that has a bullet.
type markdownColumn struct {
	index int
	label prefix // for example "\n- **status:** "
	column
}

func (e *markdownEncoder) Begin(c *dataexport.Collection) error {
	e.id = newMarkdownColumn(c, c.Column(dataexport.RoleID))
	e.body = c.Column(dataexport.RoleBody)
	e.heading = newPrefix("\n## ")
	e.columns = make([]markdownColumn, 0, len(c.Columns))
	for i := range c.Columns {
		if i != e.id.index && i != e.body {
			e.columns = append(e.columns, newMarkdownColumn(c, i))
		}
	}
	return nil
}

func newMarkdownColumn(c *dataexport.Collection, index int) markdownColumn {
	if index < 0 {
		return markdownColumn{index: index}
	}
	name := c.Columns[index].Name
	return markdownColumn{index: index, label: newPrefix("\n" + bulletLabel(name)), column: column{name: name}}
}

// bulletLabel returns the beginning of a bullet, up to its value.
func bulletLabel(name string) string { return "- **" + string(appendMarkdownName(nil, name)) + ":** " }

func (e *markdownEncoder) Row(row dataexport.Row) error {
	e.records++
	dst, err := e.appendSection(e.buffer, row)
	if err != nil {
		return fmt.Errorf("record %d: %w", e.records, err)
	}
	e.buffer = dst
	return e.writeFull()
}

func (e *markdownEncoder) appendSection(dst []byte, row dataexport.Row) (_ []byte, err error) {
	if dst, err = e.appendHeading(dst, row); err != nil {
		return dst, err
	}
	begin := len(dst)
	columns := e.columns
	for i := range columns {
		column := &columns[i]
		value := &row[column.index]
		switch value.Kind() {
		case dataexport.KindNull:
		case dataexport.KindString:
			dst = column.label.appendText(dst, value.Text())
		default:
			if label := &column.label; label.fits(dst) {
				dst = label.put(dst)
			} else {
				dst = label.appendSlowly(dst)
			}
			if value.Kind() == dataexport.KindTime {
				seconds, nanoseconds := value.Unix()
				var ok bool
				if dst, ok = column.times.Append(dst, seconds, nanoseconds); !ok {
					return dst, errTime(column.name)
				}
			} else if dst, err = e.values.append(dst, &column.column, value); err != nil {
				return dst, err
			}
		}
	}
	if len(dst) > begin || e.hasID(row) {
		dst = append(dst, '\n')
	}
	if e.body >= 0 && !row[e.body].IsNull() {
		dst = appendMarkdownBody(dst, row[e.body].Text())
	}
	return dst, nil
}

// appendHeading begins the section of a record: with the heading, and a bullet for the id, whose line it does not end. The
// heading names the record by its id, which stays the same from export to export, and by its number only where there is no
// id to be seen.
func (e *markdownEncoder) appendHeading(dst []byte, row dataexport.Row) (_ []byte, err error) {
	if !e.hasID(row) {
		return append(e.appendNumber(append(dst, "\n##"...)), '\n'), nil
	}
	begin := len(dst)
	if value := &row[e.id.index]; value.Kind() == dataexport.KindString {
		dst = e.heading.appendText(dst, value.Text())
	} else if dst, err = e.values.append(e.heading.append(dst), &e.id.column, value); err != nil {
		return dst, err
	}
	id := dst[begin+len("\n##"):] // with the blank in front of it
	if len(id) == 0 {
		dst = e.appendNumber(dst)
	}
	dst = e.id.label.append(append(dst, '\n'))
	return append(dst[:len(dst)-len(" ")], id...), nil
}

func (e *markdownEncoder) hasID(row dataexport.Row) bool {
	return e.id.index >= 0 && !row[e.id.index].IsNull()
}

func (e *markdownEncoder) appendNumber(dst []byte) []byte {
	return strconv.AppendInt(append(dst, " Record "...), e.records, 10)
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
	e.id, e.columns, e.values = markdownColumn{}, nil, markdownValues{}
	return nil
}

// markdownValues writes values as one line each.
type markdownValues struct {
	column  column // for what is no column of a list
	scratch []byte // holds a text that must be known in full before it can be written
}
