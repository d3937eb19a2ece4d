package render

import (
	"strconv"
	"strings"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/internal/jsontext"
	"github.com/dataexport/dataexport/internal/scalar"
)

// append appends a value that is not null, without blanks at its end.
func (m *markdownValues) append(dst []byte, c *column, v *dataexport.Value) ([]byte, error) {
	switch kind := v.Kind(); kind {
	case dataexport.KindString, dataexport.KindDecimal:
		return trimBlanks(appendMarkdownText(dst, v.Text())), nil
	case dataexport.KindTime:
		return c.appendTime(dst, v)
	case dataexport.KindInt:
		return scalar.AppendInt(dst, v.Int()), nil
	case dataexport.KindFloat:
		return scalar.AppendFloat(dst, v.Float()), nil
	case dataexport.KindBool:
		return strconv.AppendBool(dst, v.Bool()), nil
	case dataexport.KindStrings:
		return trimBlanks(m.appendList(dst, v.Strings())), nil
	case dataexport.KindJSON:
		return m.appendJSON(dst, c, v)
	case dataexport.KindUUID:
		return scalar.AppendUUID(dst, v.UUID()), nil
	default:
		return dst, errKind(c.name, kind)
	}
}

// appendJSON appends JSON in a code span: right behind the first grave accent, if one is enough, as it nearly always is.
func (m *markdownValues) appendJSON(dst []byte, c *column, v *dataexport.Value) (_ []byte, err error) {
	begin := len(dst)
	dst, plain, err := c.appendJSON(append(dst, '`'), v)
	if err != nil {
		return dst, err
	}
	compact := dst[begin+1:]
	if plain || isPlainCode(bytesString(compact)) {
		return append(dst, '`'), nil
	}
	m.scratch = append(m.scratch[:0], compact...)
	return appendMarkdownCode(dst[:begin], bytesString(m.scratch)), nil
}

// appendList appends the items of a list with commas between them. An item that could not be told from others as it is, is
// a JSON string in a code span: one that is empty, has white space around it, a comma or a control character in it, or a
// quotation mark in front.
func (m *markdownValues) appendList(dst []byte, items []string) []byte {
	for i, item := range items {
		if i > 0 {
			dst = append(dst, ',', ' ')
		}
		end := len(dst) + len(item)
		if item != "" && end <= cap(dst) && isAlphanumeric(item[0]) && isAlphanumeric(item[len(item)-1]) &&
			copyIfClear(dst[len(dst):end], item)&(pairUnclear|pairEndsItem) == 0 {
			dst = dst[:end]
		} else {
			dst = m.appendItem(dst, item)
		}
	}
	return dst
}

// appendItem appends an item of a list that may be any.
func (m *markdownValues) appendItem(dst []byte, item string) []byte {
	if !needsQuotes(item) {
		return appendMarkdownText(dst, item)
	}
	m.scratch = jsontext.AppendString(m.scratch[:0], item)
	return appendMarkdownCode(dst, bytesString(m.scratch))
}

func needsQuotes(item string) bool {
	if item == "" || item[0] == '"' || len(strings.TrimSpace(item)) < len(item) {
		return true
	}
	for i := range len(item) {
		if c := item[i]; c == ',' || c < ' ' {
			return true
		}
	}
	return false
}
