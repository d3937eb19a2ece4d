package archive

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// jsonType names the type of a value by its first byte.
func jsonType(raw string) string {
	switch raw[0] {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return "a string"
	case 't', 'f':
		return "a truth value"
	case 'n':
		return "null"
	default:
		return "a number"
	}
}

// stringEnd returns the index behind the string with which valid JSON begins.
func stringEnd(raw string) int {
	for i := 1; ; i++ {
		switch raw[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
}

// unquote returns the text of a string of valid JSON. There is one that no text can be: half of a surrogate pair.
func unquote(raw string) (text, problem string) {
	raw = raw[1 : len(raw)-1]
	i := strings.IndexByte(raw, '\\')
	if i < 0 {
		return raw, ""
	}
	b := make([]byte, 0, len(raw))
	for ; i >= 0; i = strings.IndexByte(raw, '\\') {
		b = append(b, raw[:i]...)
		raw = raw[i:]
		if raw[1] != 'u' {
			b, raw = append(b, unescape(raw[1])), raw[2:]
			continue
		}
		r := hexRune(raw)
		raw = raw[6:]
		if utf16.IsSurrogate(r) {
			if !strings.HasPrefix(raw, `\u`) {
				return "", surrogateProblem
			}
			if r = utf16.DecodeRune(r, hexRune(raw)); r == utf8.RuneError {
				return "", surrogateProblem
			}
			raw = raw[6:]
		}
		b = utf8.AppendRune(b, r)
	}
	return string(append(b, raw...)), ""
}

const surrogateProblem = "the text holds half of a surrogate pair, which is no character"

// hexRune returns the code unit of an escape such as \u00e9.
func hexRune(escape string) rune {
	unit, err := strconv.ParseUint(escape[2:6], 16, 16)
	if err != nil {
		return utf8.RuneError // it is valid JSON
	}
	return rune(unit)
}

func unescape(c byte) byte {
	switch c {
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	default:
		return c
	}
}
