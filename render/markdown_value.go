package render

import (
	"strconv"
	"strings"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/internal/jsontext"
	"github.com/dataexport/dataexport/internal/scalar"
)

// append appends a value that is not null.
func (m *markdownValues) append(dst []byte, column string, v *dataexport.Value) ([]byte, error) {
	switch kind := v.Kind(); kind {
	case dataexport.KindString, dataexport.KindDecimal:
		return appendMarkdownText(dst, v.Text()), nil
	case dataexport.KindTime:
		seconds, nanoseconds := v.Unix()
		dst, ok := m.times.Append(dst, seconds, nanoseconds)
		if !ok {
			return dst, errTime(column)
		}
		return dst, nil
	case dataexport.KindInt:
		return strconv.AppendInt(dst, v.Int(), 10), nil
	case dataexport.KindFloat:
		return scalar.AppendFloat(dst, v.Float()), nil
	case dataexport.KindBool:
		return strconv.AppendBool(dst, v.Bool()), nil
	case dataexport.KindStrings:
		return m.appendList(dst, v.Strings()), nil
	case dataexport.KindJSON:
		return m.appendJSON(dst, column, v)
	case dataexport.KindUUID:
		return scalar.AppendUUID(dst, v.UUID()), nil
	default:
		return dst, errKind(column, kind)
	}
}

func (m *markdownValues) appendJSON(dst []byte, column string, v *dataexport.Value) ([]byte, error) {
	if v.Trusted() {
		return appendMarkdownCode(dst, v.Text()), nil
	}
	compact, err := jsontext.AppendCompact(m.scratch[:0], v.Text())
	if err != nil {
		return dst, errJSON(column, err)
	}
	m.scratch = compact
	return m.appendScratch(dst), nil
}

// appendList appends the items of a list with commas between them. An item that needs quotes is a JSON string in a code
// span.
func (m *markdownValues) appendList(dst []byte, items []string) []byte {
	for i, item := range items {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		if needsQuotes(item) {
			m.scratch = jsontext.AppendString(m.scratch[:0], item)
			dst = m.appendScratch(dst)
		} else {
			dst = appendMarkdownText(dst, item)
		}
	}
	return dst
}

// appendScratch appends the scratch in a code span.
func (m *markdownValues) appendScratch(dst []byte) []byte {
	return appendMarkdownCode(dst, dataexport.BytesValue(m.scratch).Text()) // the bytes as a string, not copied
}

// needsQuotes reports whether an item of a list could not be told from others as it is: one that is empty, has white space
// around it, a comma or a control character in it, or a quotation mark in front.
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
