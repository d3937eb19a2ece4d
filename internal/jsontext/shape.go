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

	pattern      pattern
	changes      []change // the values in which the last text that fits differs from the pattern; none if texts are written as they are
	changesTexts bool     // one of the values in which it differs is a text
	inVain       int      // texts, one after the other, that were compared with the pattern and did not fit
	pause        int      // how many texts are not to be compared
	misses       int      // how many more texts did not fit than did since the pattern was learned, and not less than none
	patience     int      // how many that may be before another pattern is learned
}

// A change is a value of a text that the pattern has another one for.
type change struct {
	value      *patternValue
	start, end int // in the text
}

// maxPause bounds for how many texts a pattern that fits no more is not tried.
const maxPause = 1024

// Fits reports whether a text fits. If it does, it is valid JSON, and Append may be called. It may be valid also if it does not.
// Where no text fits, fewer and fewer are compared with the pattern, so that this takes hardly any time.
func (s *Shape) Fits(raw string) bool {
	if s.pause > 0 {
		s.pause--
		return false
	}
	if s.differsInValues(raw) {
		s.inVain = 0
		s.misses = max(s.misses-1, 0)
		return true
	}
	s.inVain++
	s.pause = min(s.inVain*s.inVain/8, maxPause)
	return false
}

// differsInValues reports whether a text differs from the pattern in simple values only, and keeps these.
//
// Why such a text is valid: It is that of the pattern, byte for byte, but for values that have been read from their beginning to
// their end, each in the place of another value. A value is read again from its beginning also if only its end differs, or what is
// right behind it, as with 1 and 12. If what is behind it differs once it has been read, this is no value that ends here.
func (s *Shape) differsInValues(raw string) bool {
	p := &s.pattern
	changes := s.changes[:0]
	texts := false
	i, ahead := 0, 0 // what is before them has been read: i in the text, and i+ahead in the pattern
	read := 0        // the end of the last value that was read
	for {
		i = differAt(raw, p.text, i, ahead)
		at := i + ahead
		if at >= len(p.valueAt) {
			s.changes, s.changesTexts = changes, texts
			return i == len(raw) && i > 0
		}
		value := &p.values[p.valueAt[at]]
		start := value.start - ahead
		if start < read { // They differ outside of a value, or behind one that has been read.
			return false
		}
		if i = shortNumberEnd(raw, start); i < 0 {
			if i = valueEnd(raw, start); i < 0 {
				return false
			}
			texts = texts || raw[start] == '"'
		}
		read, ahead = i, value.end-i
		if !p.asItIs {
			changes = append(changes, change{value, start, i})
		}
	}
}

// Append appends the text for which Fits has just returned true, without white space between its tokens. Learn must not have been
// called in between.
func (s *Shape) Append(dst []byte, raw string) []byte {
	if s.pattern.asItIs {
		return append(dst, raw...)
	}
	copied := 0
	for _, c := range s.changes {
		dst = append(dst, s.pattern.written[copied:c.value.writtenStart]...)
		copied = c.value.writtenEnd
		quotes := s.DoubleQuotes && raw[c.start] == '"'
		if quotes {
			dst = append(dst, '"')
		}
		dst = append(dst, raw[c.start:c.end]...)
		if quotes {
			dst = append(dst, '"')
		}
	}
	return append(dst, s.pattern.written[copied:]...)
}

// maxPatience bounds how many texts that do not fit, beyond those that do, it takes until another pattern is learned.
const maxPatience = 4095

// Learn is to be told each text that is valid JSON and does not fit. A pattern that most texts fit stays. Where more texts do not
// fit, one of them becomes the pattern in the end, after twice as many as the time before, so that this takes hardly any time where
// no two texts are alike. If that one cannot be a pattern, the next one is tried. Learn reports whether the text is the pattern now.
func (s *Shape) Learn(raw string) bool {
	if s.misses < s.patience {
		s.misses++
		return false
	}
	p, ok := newPattern(raw, s.DoubleQuotes)
	if !ok {
		return false
	}
	s.pattern, s.changes = p, make([]change, 0, len(p.values))
	s.inVain, s.pause = 0, 0
	s.misses, s.patience = 0, min(2*s.patience+1, maxPatience)
	return true
}

// ChangesTexts reports whether a text in which the one that fits differs from the pattern is among the values.
func (s *Shape) ChangesTexts() bool { return s.changesTexts }

// differAt returns the first index from i on at which a text has another byte than the pattern has, which is read that much ahead,
// or at which one of them ends.
func differAt(raw, pattern string, i, ahead int) int {
	end := min(len(raw), len(pattern)-ahead)
	for ; i <= end-8; i += 8 {
		if different := swar.Load(raw, i) ^ swar.Load(pattern, i+ahead); different != 0 {
			return i + bits.TrailingZeros64(different)/8
		}
	}
	for i < end && raw[i] == pattern[i+ahead] {
		i++
	}
	return i
}

// valueEnd returns the index behind the value that begins at index i of a text, or -1 if there is none, if it is an object or an
// array, and if it is a string with an escape or one that is not UTF-8, which would be written differently.
func valueEnd(raw string, i int) int {
	if i >= len(raw) {
		return -1
	}
	switch c := raw[i]; {
	case c == '"':
		return plainStringEnd(raw, i)
	case c == '-', isDigit(c), c == 't', c == 'f', c == 'n':
		c := compactor{raw: raw}
		return c.value(i, 0)
	}
	return -1
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

// shortNumberEnd is valueEnd for a number of less than eight bytes without a sign, and -1 for others. It does not look at what is
// behind the digits: behind each value of a pattern is a byte that cannot go on with a number, and the text must have it too. So it
// may stop in front of an exponent, and the text does not fit then.
func shortNumberEnd(raw string, i int) int {
	if len(raw) < 8 || i >= len(raw) {
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
	if length == 0 || length == 8 || length > 1 && byte(word) == '0' {
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
