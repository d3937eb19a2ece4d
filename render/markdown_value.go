package render

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

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
		if item != "" && end <= cap(dst) && itemEdges[item[0]]&notFirst|itemEdges[item[len(item)-1]]&notLast == 0 &&
			copyIfClear(dst[len(dst):end], item)&(pairUnclear|pairEndsItem) == 0 {
			dst = dst[:end]
		} else {
			dst = m.appendItem(dst, item)
		}
	}
	return dst
}

// itemEdges tells of bytes whether an item of a list may begin and end with them and be written without quotes. It may err to the
// side of no: the first byte of a space outside of ASCII, or its last one, is that of other characters too.
var itemEdges = func() (edges [256]uint8) {
	for c := range edges {
		if c < utf8.RuneSelf && !isAlphanumeric(byte(c)) {
			edges[c] = notFirst | notLast
		}
	}
	for _, spaces := range unicode.White_Space.R16 { // all there are
		for r := rune(spaces.Lo); r <= rune(spaces.Hi); r += rune(spaces.Stride) {
			space := string(r)
			edges[space[0]] |= notFirst
			edges[space[len(space)-1]] |= notLast
		}
	}
	return edges
}()

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
