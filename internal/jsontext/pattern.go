package jsontext

import "strings"

// A pattern is a JSON text whose simple values may be exchanged.
type pattern struct {
	text    string
	values  []patternValue // after one that stands for no value
	valueAt []uint8        // of each byte of text: the index of the value that it is part of, or is right behind
	written string         // text as it is written
	asItIs  bool           // that is as it is
}

// A patternValue is a value that is no object or array.
type patternValue struct {
	start, end               int // in the text of the pattern
	writtenStart, writtenEnd int // in written
}

const (
	maxPattern  = 4096     // bytes of a pattern
	maxValues   = 255      // of a pattern that may be exchanged, as many as an index of a byte can tell apart
	noValueHere = -1 << 30 // in front of every text
)

// newPattern makes a pattern of a text that is valid JSON. It takes only objects with members, which are what is alike, and whose
// cells are always in quotation marks in CSV.
func newPattern(raw string, doubleQuotes bool) (_ pattern, ok bool) {
	if len(raw) > maxPattern || !strings.HasPrefix(raw, "{") || !strings.Contains(raw, `"`) || !Valid(raw) {
		return pattern{}, false
	}
	compact, err := AppendCompact(nil, raw)
	if err != nil {
		return pattern{}, false
	}
	p := pattern{
		text:    strings.Clone(raw), // which is only valid as long as the row
		written: string(compact),
		asItIs:  !doubleQuotes && len(compact) == len(raw),
		values:  []patternValue{{start: noValueHere}},
		valueAt: make([]uint8, len(raw)),
	}
	end, writtenEnd := 0, 0
	for len(p.values) <= maxValues {
		var start, writtenStart int
		if start, end = nextValue(p.text, end); start == len(raw) {
			break
		}
		writtenStart, writtenEnd = nextValue(p.written, writtenEnd)
		for i := start; i <= end; i++ {
			p.valueAt[i] = uint8(len(p.values)) //nolint:gosec // maxValues
		}
		p.values = append(p.values, patternValue{start, end, writtenStart, writtenEnd})
	}
	if doubleQuotes {
		p.doubleQuotes()
	}
	return p, true
}

// doubleQuotes makes two of each quotation mark of what is written.
func (p *pattern) doubleQuotes() {
	read, quotes := 0, 0
	to := func(index int) int {
		quotes += strings.Count(p.written[read:index], `"`)
		read = index
		return index + quotes
	}
	for i := range p.values {
		value := &p.values[i]
		value.writtenStart, value.writtenEnd = to(value.writtenStart), to(value.writtenEnd)
	}
	p.written = strings.ReplaceAll(p.written, `"`, `""`)
}

// nextValue returns where the next value that is no object or array is in valid JSON, from index i on, which is not inside of a
// token. If there is none, both are the length of the text. The name of a member is no value.
func nextValue(raw string, i int) (start, end int) {
	for i < len(raw) {
		switch c := raw[i]; {
		case isSpace(c), strings.IndexByte("{}[]:,", c) >= 0:
			i++
		case c == '"':
			start, end = i, stringEnd(raw, i)
			if rest := strings.TrimLeft(raw[end:], space); !strings.HasPrefix(rest, ":") {
				return start, end
			}
			i = end
		default:
			end = i
			for end < len(raw) && !isSpace(raw[end]) && strings.IndexByte("}],", raw[end]) < 0 {
				end++
			}
			return i, end
		}
	}
	return len(raw), len(raw)
}

// stringEnd returns the index behind the string that begins at index i of valid JSON.
func stringEnd(raw string, i int) int {
	for i++; raw[i] != '"'; i++ {
		if raw[i] == '\\' {
			i++
		}
	}
	return i + 1
}

const space = " \t\r\n"

func isSpace(c byte) bool { return strings.IndexByte(space, c) >= 0 }
