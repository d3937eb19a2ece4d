package jsontext

import (
	"math/bits"

	"github.com/dataexport/dataexport/internal/swar"
)

// A Shape knows what the JSON texts of a column look like. Most of them are alike, since one program wrote them: the same members
// in the same order, with other values. A Shape keeps one text as its pattern. A text fits if it differs from the pattern in
// simple values only. Nothing but these values has to be read to know that it is JSON, and the rest of what is written is ready.
//
// The zero value is ready for use; nothing fits it before it has learned a pattern. A Shape is not safe for concurrent use.
type Shape struct {
	DoubleQuotes bool // writes each quotation mark twice, as it is inside of quotation marks in CSV

	pattern  pattern
	changes  []change // the values in which the last text differed from the pattern
	misses   int      // texts that did not fit since the pattern was learned
	patience int      // how many may not fit before another pattern is learned
}

// A change is a value of a text that the pattern has another one for.
type change struct {
	value      int // in the pattern
	start, end int // in the text
}

// Fits reports whether a text fits. If it does, it is valid JSON, and Append may be called. It may be valid also if it does not.
func (s *Shape) Fits(raw string) bool {
	p := &s.pattern
	changes := 0
	i, at := 0, 0 // what is before them, in the text and in the pattern, has been read
	read := 0     // the end of the last value that was read
	for {
		same := samePrefix(raw, i, p.text, at)
		i, at = i+same, at+same
		if at >= len(p.valueAt) {
			s.changes = s.changes[:changes]
			return i == len(raw) && i > 0
		}
		value := int(p.valueAt[at])
		start := i - at + p.values[value].start
		if start < read { // They differ outside of a value, or behind one.
			return false
		}
		if i = valueEnd(raw, start); i < 0 {
			return false
		}
		at, read = p.values[value].end, i
		s.changes[:cap(s.changes)][changes] = change{value, start, i}
		changes++
	}
}

// Append appends the text for which Fits has just returned true, without white space between its tokens.
func (s *Shape) Append(dst []byte, raw string) []byte {
	if s.pattern.isWritten {
		return append(dst, raw...)
	}
	copied := 0
	for _, c := range s.changes {
		value := &s.pattern.values[c.value]
		dst = append(dst, s.pattern.written[copied:value.writtenStart]...)
		copied = value.writtenEnd
		if quotes := s.DoubleQuotes && raw[c.start] == '"'; quotes {
			dst = append(dst, '"')
			dst = append(dst, raw[c.start:c.end]...)
			dst = append(dst, '"')
		} else {
			dst = append(dst, raw[c.start:c.end]...)
		}
	}
	return append(dst, s.pattern.written[copied:]...)
}

// maxPatience bounds for how long a pattern stays that no text fits any more.
const maxPatience = 4095

// Learn is to be told each text that is valid JSON and does not fit. It makes one after the other of them the pattern, but each
// stays twice as long as the one before, so that it takes hardly any time where no two texts are alike.
func (s *Shape) Learn(raw string) {
	if s.misses++; s.misses <= s.patience {
		return
	}
	p, ok := newPattern(raw, s.DoubleQuotes)
	if !ok {
		return
	}
	s.pattern, s.changes = p, make([]change, 0, len(p.values))
	s.misses, s.patience = 0, min(2*s.patience+1, maxPatience)
}

// samePrefix returns how many bytes of a from index i on are those of b from index j on.
func samePrefix(a string, i int, b string, j int) int {
	begin, ahead := i, j-i
	end := min(len(a), len(b)-ahead)
	for ; i <= end-8; i += 8 {
		if different := swar.Load(a, i) ^ swar.Load(b, i+ahead); different != 0 {
			return i - begin + bits.TrailingZeros64(different)/8
		}
	}
	for i < end && a[i] == b[i+ahead] {
		i++
	}
	return i - begin
}

// valueEnd returns the index behind the value that begins at index i of a text, or -1 if there is none, if it is an object or an
// array, and if it is a string with an escape.
func valueEnd(raw string, i int) int {
	if i >= len(raw) {
		return -1
	}
	switch c := raw[i]; {
	case c == '"':
		return plainStringEnd(raw, i)
	case isDigit(c):
		if end := shortNumberEnd(raw, i); end >= 0 {
			return end
		}
	case c == '{', c == '[':
		return -1
	}
	c := compactor{raw: raw}
	return c.value(i, 0)
}

// plainStringEnd is valueEnd for a string.
func plainStringEnd(raw string, i int) int {
	start := i + 1
	i = start
	var high uint64 // among its bits are those of all bytes of the string
	for ; i <= len(raw)-8; i += 8 {
		word := swar.Load(raw, i)
		high |= word
		if found := mustEscape(word); found != 0 {
			i += swar.First(found)
			break
		}
	}
	for i < len(raw) && !mustEscapeByte(raw[i]) {
		high |= uint64(raw[i])
		i++
	}
	if i == len(raw) || raw[i] != '"' || high&swar.HighBits != 0 && !Valid(raw[start:i]) {
		return -1
	}
	return i + 1
}

// shortNumberEnd is valueEnd for a number of less than eight bytes without a sign and an exponent, and -1 for others. It looks at
// nothing behind the number, which must fit the pattern anyway: one with an exponent does not.
func shortNumberEnd(raw string, i int) int {
	if len(raw) < 8 {
		return -1
	}
	var word uint64 // eight bytes from index i on, or as many as there are with zeros behind them
	if i <= len(raw)-8 {
		word = swar.Load(raw, i)
	} else {
		word = swar.Load(raw, len(raw)-8) >> (8 * uint(i+8-len(raw)))
	}
	others := notDigits(word)
	length := swar.First(others)
	if length == 8 || length > 1 && byte(word) == '0' {
		return -1
	}
	if byte(word>>(8*uint(length))) == '.' {
		whole := length
		if length = swar.First(others & (others - 1)); length == 8 || length == whole+1 {
			return -1
		}
	}
	return i + length
}
