package render

import (
	"slices"
	"unsafe"

	"github.com/dataexport/dataexport/internal/jsontext"
	"github.com/dataexport/dataexport/internal/swar"
)

// A csvText writes texts as cells.
type csvText struct {
	guard  bool
	repair []byte // a text in which invalid UTF-8 has been replaced
}

// append appends a text that is not null.
func (t *csvText) append(dst []byte, s string) []byte {
	start, room := len(dst), len(s)+8
	if s == "" || cap(dst)-start < room {
		return t.appendSlowly(dst, s)
	}
	if csvEdges[s[0]]&notFirst|csvEdges[s[len(s)-1]]&notLast != 0 {
		return t.appendSpecial(dst, s)
	}
	out := dst[start : start+room]
	// Most texts are short. Words that overlap spare them a loop, whose end the processor could seldom foresee.
	switch n := len(s); {
	case n > 16:
	case n >= 8:
		first, last := swar.Load(s, 0), swar.Load(s, n-8)
		swar.Store(out, 0, first)
		swar.Store(out, n-8, last)
		if csvMustQuote(first)|csvMustQuote(last)|(first|last)&swar.HighBits == 0 {
			return dst[:start+n]
		}
	case n >= 4:
		first, last := swar.Load4(s, 0), swar.Load4(s, n-4)
		swar.Store4(out, 0, first)
		swar.Store4(out, n-4, last)
		if word := uint64(first) | uint64(last)<<32; csvMustQuote(word)|word&swar.HighBits == 0 {
			return dst[:start+n]
		}
	}
	end, ascii := copyCSVPlain(out, s)
	if end < len(s) {
		return t.appendQuoted(dst, s, end, ascii)
	}
	if !ascii && !jsontext.Valid(s) {
		return t.appendSpecial(dst, s)
	}
	return dst[:start+end]
}

// appendSlowly is append for an empty text, and where there is no room.
func (t *csvText) appendSlowly(dst []byte, s string) []byte {
	if s == "" {
		return append(dst, '"', '"')
	}
	return t.append(slices.Grow(dst, len(s)+8), s)
}

// appendQuoted appends a text that must be in quotes but needs no guard. Its first end bytes, which may be as they are, lie
// behind dst already, where they give way to the quotation mark.
func (t *csvText) appendQuoted(dst []byte, s string, end int, ascii bool) []byte {
	start := len(dst)
	out := dst[start : start+1+end]
	copy(out[1:], out)
	out[0] = '"'
	dst, restASCII := appendDoubled(dst[:start+1+end], s[end:])
	if (!ascii || !restASCII) && !jsontext.Valid(s) {
		return t.appendSpecial(dst[:start], s)
	}
	return append(dst, '"')
}

// What a byte may not be of a text that is written as it is.
const (
	notFirst = 1 << iota // for example since it may begin a formula, guards against one, or is a blank
	notLast              // for example since it is a blank
)

// csvEdges tells of bytes whether a text may begin and end with them.
var csvEdges = func() (edges [256]uint8) {
	for c := range edges {
		if s := string([]byte{byte(c)}); needsGuard(s) || c == 0xEF { // the first byte of the full-width forms
			edges[c] = notFirst
		}
	}
	edges[' '] = notFirst | notLast
	return edges
}()

// appendSpecial appends a text that may have to be guarded or repaired.
func (t *csvText) appendSpecial(dst []byte, s string) []byte {
	guard := t.guard && needsGuard(s)
	if !jsontext.Valid(s) {
		t.repair = jsontext.AppendValid(t.repair[:0], s)
		s = bytesString(t.repair)
	}
	plain := csvPlain(s)
	if !plain {
		dst = append(dst, '"')
	}
	if guard {
		dst = append(dst, '\'')
	}
	if plain {
		return append(dst, s...)
	}
	dst, _ = appendDoubled(dst, s)
	return append(dst, '"')
}

// appendName appends the name of a column, which is in quotes only if it must be. One that begins with a byte order mark
// must be, since it would not be read as part of the name.
func (t *csvText) appendName(dst []byte, name string) []byte {
	if !jsontext.Valid(name) {
		name = string(jsontext.AppendValid(nil, name))
	}
	if len(name) >= len(byteOrderMark) && name[:len(byteOrderMark)] == byteOrderMark {
		dst, _ = appendDoubled(append(dst, '"'), name)
		return append(dst, '"')
	}
	return appendCSVCell(dst, stringBytes(name))
}

// needsGuard reports whether a text begins with a character that a spreadsheet may take for the beginning of a formula,
// or with the apostrophe that guards against it.
func needsGuard(s string) bool {
	if s == "" {
		return false
	}
	switch s[0] {
	case '=', '+', '-', '@', '\t', '\r', '\n', '\'':
		return true
	case 0xEF: // the first byte of the full-width forms
		return len(s) >= 3 && isFullWidthFormula(s[:3])
	}
	return false
}

func isFullWidthFormula(s string) bool {
	return s == "\uFF1D" || s == "\uFF0B" || s == "\uFF0D" || s == "\uFF20"
}

// appendCSVCell appends a cell that is valid UTF-8, in quotes if it must be.
func appendCSVCell(dst, cell []byte) []byte {
	s := bytesString(cell)
	if csvPlain(s) {
		return append(dst, s...)
	}
	dst, _ = appendDoubled(append(dst, '"'), s)
	return append(dst, '"')
}

// csvPlain reports whether a cell can stand without quotes. An empty one cannot, since that is null.
func csvPlain(s string) bool {
	if s == "" || s[0] == ' ' || s[len(s)-1] == ' ' {
		return false
	}
	i := 0
	for ; i <= len(s)-8; i += 8 {
		if csvMustQuote(swar.Load(s, i)) != 0 {
			return false
		}
	}
	for ; i < len(s); i++ {
		if csvMustQuoteByte(s[i]) {
			return false
		}
	}
	return true
}

// copyCSVPlain copies s to the beginning of dst, which has room for seven bytes more, up to the first byte because of which
// a cell must be in quotes. It returns the index of that byte, or len(s), and whether all before it is ASCII. The bytes of
// dst from that index on are undefined.
func copyCSVPlain(dst []byte, s string) (end int, ascii bool) {
	if len(s) < 8 {
		word := lastWord(s, 0)
		swar.Store(dst, 0, word)
		return min(swar.First(csvMustQuote(word)), len(s)), word&swar.HighBits == 0
	}
	last := len(s) - 8
	var high uint64
	for i := 0; i < last; i += 8 {
		word := swar.Load(s, i)
		swar.Store(dst, i, word)
		high |= word
		if found := csvMustQuote(word); found != 0 {
			return i + swar.First(found), high&swar.HighBits == 0
		}
	}
	word := swar.Load(s, last) // The last word may overlap the one before it.
	swar.Store(dst, last, word)
	high |= word
	end = len(s)
	if found := csvMustQuote(word); found != 0 {
		end = last + swar.First(found)
	}
	return end, high&swar.HighBits == 0
}

// csvMustQuote marks quotation marks, commas and control characters. Exchanging bits so that a quotation mark becomes a
// blank, and a blank something above, makes one subtraction find both it and the control characters.
func csvMustQuote(word uint64) uint64 {
	const (
		quoteToBlank = ('"' ^ ' ') * swar.EachByte
		commas       = ',' * swar.EachByte
	)
	controlsAndQuotes := (word ^ quoteToBlank) - (' '+1)*swar.EachByte
	return (controlsAndQuotes | ((word ^ commas) - swar.EachByte)) &^ word & swar.HighBits
}

func csvMustQuoteByte(c byte) bool { return c < ' ' || c == '"' || c == ',' }

// appendDoubled appends s with each quotation mark twice. It reports whether s is ASCII.
func appendDoubled(dst []byte, s string) (_ []byte, ascii bool) {
	const quotes = '"' * swar.EachByte
	start, room := len(dst), 2*len(s)
	if cap(dst)-start < room {
		dst = slices.Grow(dst, room)
	}
	out := dst[start : start+room]
	var high uint64
	i, n := 0, 0
	for i <= len(s)-8 {
		word := swar.Load(s, i)
		swar.Store(out, n, word)
		high |= word
		word ^= quotes // Quotation marks become zeros.
		found := (word - swar.EachByte) &^ word & swar.HighBits
		if found == 0 {
			i, n = i+8, n+8
			continue
		}
		place := swar.First(found)
		i, n = i+place+1, n+place+2
		out[n-2], out[n-1] = '"', '"'
	}
	for ; i < len(s); i++ {
		high |= uint64(s[i])
		out[n] = s[i]
		n++
		if s[i] == '"' {
			out[n] = '"'
			n++
		}
	}
	return dst[:start+n], high&swar.HighBits == 0
}

// bytesString returns a text that is b as long as b is not changed.
func bytesString(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// stringBytes returns the bytes of a text, which must not be changed.
func stringBytes(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }
