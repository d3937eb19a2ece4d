package render

import (
	"strconv"
	"strings"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/internal/jsontext"
	"github.com/dataexport/dataexport/internal/scalar"
)

// append appends a value that is not null, without blanks at its end.
func (m *markdownValues) append(dst []byte, column string, times *scalar.Times, v *dataexport.Value) ([]byte, error) {
	switch kind := v.Kind(); kind {
	case dataexport.KindString, dataexport.KindDecimal:
		return trimBlanks(appendMarkdownText(dst, v.Text())), nil
	case dataexport.KindTime:
		seconds, nanoseconds := v.Unix()
		dst, ok := times.Append(dst, seconds, nanoseconds)
		if !ok {
			return dst, errTime(column)
		}
		return dst, nil
	case dataexport.KindInt:
		return scalar.AppendInt(dst, v.Int()), nil
	case dataexport.KindFloat:
		return scalar.AppendFloat(dst, v.Float()), nil
	case dataexport.KindBool:
		return strconv.AppendBool(dst, v.Bool()), nil
	case dataexport.KindStrings:
		return trimBlanks(m.appendList(dst, v.Strings())), nil
	case dataexport.KindJSON:
		return m.appendJSON(dst, column, v)
	case dataexport.KindUUID:
		return scalar.AppendUUID(dst, v.UUID()), nil
	default:
		return dst, errKind(column, kind)
	}
}

// appendJSON appends JSON in a code span: right behind the first grave accent, if one is enough, as it nearly always is.
func (m *markdownValues) appendJSON(dst []byte, column string, v *dataexport.Value) (_ []byte, err error) {
	begin := len(dst)
	dst = append(dst, '`')
	if v.Trusted() {
		dst = append(dst, v.Text()...)
	} else if dst, err = jsontext.AppendCompact(dst, v.Text()); err != nil {
		return dst, errJSON(column, err)
	}
	compact := dst[begin+1:]
	if isPlainCode(bytesString(compact)) {
		return append(dst, '`'), nil
	}
	m.scratch = append(m.scratch[:0], compact...)
	return appendMarkdownCode(dst[:begin], bytesString(m.scratch)), nil
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
			dst = appendMarkdownCode(dst, bytesString(m.scratch))
		} else {
			dst = appendMarkdownText(dst, item)
		}
	}
	return dst
}

// needsQuotes reports whether an item of a list could not be told from others as it is: one that is empty, has white space
// around it, a comma or a control character in it, or a quotation mark in front.
func needsQuotes(item string) bool {
	if item == "" {
		return true
	}
	if !isAlphanumeric(item[0]) || !isAlphanumeric(item[len(item)-1]) {
		if item[0] == '"' || len(strings.TrimSpace(item)) < len(item) {
			return true
		}
	}
	for i := range len(item) {
		if c := item[i]; c == ',' || c < ' ' {
			return true
		}
	}
	return false
}
