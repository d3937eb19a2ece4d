package render

import (
	"strconv"

	"github.com/dataexport/dataexport"
)

// appendOverviewHead begins the overview: with the title, the fields of the head and the filter in words.
func (m *markdownValues) appendOverviewHead(dst []byte, doc *dataexport.Doc) (_ []byte, err error) {
	dst = appendTitle(dst, doc)
	for i, field := range doc.Info.Layout.Head {
		if i == 0 {
			dst = append(dst, '\n')
		}
		text, err := headText(nil, &m.column.times, field, doc)
		if err != nil {
			return dst, err
		}
		dst = append(dst, bulletLabel(field.Name)...)
		dst = append(trimBlanks(appendMarkdownText(dst, string(text))), '\n')
	}
	return m.appendFilter(dst, doc)
}

// appendOverviewSection begins the section of a collection.
func appendOverviewSection(dst []byte, collection string) []byte {
	dst = appendMarkdownText(append(dst, "\n## "...), collection)
	return append(dst, "\n\n"...)
}

// appendOverviewRecord appends a bullet for each value of a record that is not null.
func (m *markdownValues) appendOverviewRecord(dst []byte, c *dataexport.Collection, row dataexport.Row) (_ []byte, err error) {
	for i := range c.Columns {
		if row[i].IsNull() {
			continue
		}
		m.column.name = c.Columns[i].Name
		dst = append(dst, bulletLabel(m.column.name)...)
		if dst, err = m.append(dst, &m.column, &row[i]); err != nil {
			return dst, err
		}
		dst = append(dst, '\n')
	}
	return dst, nil
}

// appendOverviewFiles ends the overview with the tables: how many records each has, and where it is.
func appendOverviewFiles(dst []byte, files []zipFile) []byte {
	dst = append(dst, "\n## Files\n\n"...)
	for _, file := range files {
		dst = append(dst, bulletLabel(file.Collection)...)
		dst = strconv.AppendInt(dst, *file.Records, 10)
		if *file.Records == 1 {
			dst = append(dst, " record in `"...)
		} else {
			dst = append(dst, " records in `"...)
		}
		dst = append(append(dst, file.Name...), "`\n"...)
	}
	dst = append(dst, "\nThe tables are CSV files. `"...)
	dst = append(dst, zipManifest...)
	return append(dst, "` describes their columns and has the size and the SHA-256 of every other file.\n"...)
}
