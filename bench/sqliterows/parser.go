package sqliterows

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/dataexport/dataexport"
)

// A parser makes values of the texts that stand for them. It has a row of its own.
type parser struct {
	columns []dataexport.Column
	row     dataexport.Row
	ids     [][16]byte // of each column that is a UUID
	lists   [][]string // of each column that is a list
}

func newParser(columns []dataexport.Column) *parser {
	return &parser{
		columns: columns, row: make(dataexport.Row, len(columns)), ids: make([][16]byte, len(columns)), lists: make([][]string, len(columns)),
	}
}

// parse returns a row that is valid until the next call, and for as long as the one that was read.
func (p *parser) parse(read dataexport.Row) (_ dataexport.Row, err error) {
	for i, v := range read {
		if !v.IsNull() {
			switch p.columns[i].Kind {
			case dataexport.KindTime:
				v, err = parseTime(v.Text())
			case dataexport.KindStrings:
				p.lists[i], err = appendStrings(p.lists[i][:0], v.Text())
				v = dataexport.StringsValue(p.lists[i])
			case dataexport.KindUUID:
				if n := copy(p.ids[i][:], v.Text()); n != 16 || len(v.Text()) != 16 {
					err = fmt.Errorf("it has %d bytes, and a UUID has 16", len(v.Text()))
				}
				v = dataexport.UUIDValue(&p.ids[i])
			}
		}
		if err != nil {
			return nil, columnError(&p.columns[i], err)
		}
		p.row[i] = v
	}
	return p.row, nil
}

// appendStrings appends the elements of a JSON array of strings. It takes them as they stand if nothing in them is escaped, also
// control characters and bytes that are no UTF-8, which renderers see to.
func appendStrings(list []string, array string) ([]string, error) {
	if strings.IndexByte(array, '\\') < 0 {
		if simple, ok := appendPlainStrings(list, array); ok {
			return simple, nil
		}
	}
	return parseStrings(array)
}

// parseStrings takes any array of strings apart. Unlike json.Unmarshal it takes no null for a string.
func parseStrings(array string) ([]string, error) {
	var elements []*string
	if err := json.Unmarshal([]byte(array), &elements); err != nil {
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
