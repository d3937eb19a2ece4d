package jsontext

import (
	"fmt"

	"github.com/dataexport/dataexport/internal/swar"
)

// MaxDepth is the number of objects and arrays that a JSON text may have around its innermost value.
const MaxDepth = 10_000

// A SyntaxError says why a text is not JSON.
type SyntaxError struct {
	Offset  int    // of the byte, from 0, at which the fault was found; the length of the text if it ends too early
	Problem string // for example "a comma or ']' is missing"; it quotes no more of the text than one byte
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("invalid JSON at byte %d: %s", e.Offset, e.Problem)
}

// AppendCompact appends one JSON value (RFC 8259) without the white space around and between its tokens. It writes
// numbers and escapes as they are; each byte inside a string that is not part of valid UTF-8 becomes U+FFFD. A text that
// is not one valid value, or is nested deeper than MaxDepth, is a *SyntaxError, and nothing is appended.
func AppendCompact(dst []byte, raw string) ([]byte, error) {
	var c compactor // A literal would be made elsewhere and copied, which waits for its parts to be stored.
	c.raw, c.dst = raw, dst
	end := c.value(c.space(0), 0)
	if end >= 0 {
		if end = c.space(end); end < len(raw) {
			end = c.fail(end, "there is more after the value")
		}
	}
	if end < 0 {
		return dst, c.err
	}
	return append(c.dst, raw[c.copied:end]...), nil
}

// A compactor reads a text once. It copies what lies between white space, so that a text which is compact already is
// copied in one piece. Its methods take the index at which something begins and return the index behind it, or -1 after
// they have set err.
type compactor struct {
	raw    string
	copied int // the end of what has been copied or left out
	dst    []byte
	err    *SyntaxError
}

func (c *compactor) fail(i int, problem string) int {
	c.err = &SyntaxError{Offset: i, Problem: problem}
	return -1
}

// expected fails because the byte at i is not one that can stand there.
func (c *compactor) expected(i int, what string) int {
	if i >= len(c.raw) {
		return c.fail(i, "the text ends where "+what+" is expected")
	}
	return c.fail(i, fmt.Sprintf("%q stands where %s is expected", c.raw[i:i+1], what))
}

// space leaves out white space, if there is some at i.
func (c *compactor) space(i int) int {
	if i < len(c.raw) && c.raw[i] <= ' ' {
		return c.skipSpace(i)
	}
	return i
}

func (c *compactor) skipSpace(i int) int {
	c.dst = append(c.dst, c.raw[c.copied:i]...)
	for i < len(c.raw) && (c.raw[i] == ' ' || c.raw[i] == '\n' || c.raw[i] == '\t' || c.raw[i] == '\r') {
		i++
	}
	c.copied = i
	return i
}

// at reports whether the byte at i is b.
func (c *compactor) at(i int, b byte) bool { return i < len(c.raw) && c.raw[i] == b }

// value reads a value that is inside of as many objects and arrays as depth says.
func (c *compactor) value(i, depth int) int {
	if i >= len(c.raw) {
		return c.expected(i, "a value")
	}
	switch b := c.raw[i]; b {
	case '"':
		return c.str(i)
	case '{', '[':
		if depth == MaxDepth {
			return c.fail(i, fmt.Sprintf("it is nested deeper than %d levels", MaxDepth))
		}
		if b == '[' {
			return c.array(i, depth+1)
		}
		return c.object(i, depth+1)
	case 't':
		return c.literal(i, "true")
	case 'f':
		return c.literal(i, "false")
	case 'n':
		return c.literal(i, "null")
	default:
		if b == '-' || isDigit(b) {
			return c.number(i)
		}
		return c.expected(i, "a value")
	}
}

func (c *compactor) object(i, depth int) int {
	i = c.space(i + 1)
	if c.at(i, '}') {
		return i + 1
	}
	for {
		if !c.at(i, '"') {
			return c.expected(i, "the name of a member in quotes")
		}
		if i = c.str(i); i < 0 {
			return i
		}
		i = c.space(i)
		if !c.at(i, ':') {
			return c.expected(i, "':'")
		}
		if i = c.value(c.space(i+1), depth); i < 0 {
			return i
		}
		i = c.space(i)
		if c.at(i, '}') {
			return i + 1
		}
		if !c.at(i, ',') {
			return c.expected(i, "',' or '}'")
		}
		i = c.space(i + 1)
	}
}

func (c *compactor) array(i, depth int) int {
	i = c.space(i + 1)
	if c.at(i, ']') {
		return i + 1
	}
	for {
		if i = c.value(i, depth); i < 0 {
			return i
		}
		i = c.space(i)
		if c.at(i, ']') {
			return i + 1
		}
		if !c.at(i, ',') {
			return c.expected(i, "',' or ']'")
		}
		i = c.space(i + 1)
	}
}

func (c *compactor) literal(i int, word string) int {
	if len(c.raw)-i >= len(word) && c.raw[i:i+len(word)] == word {
		return i + len(word)
	}
	for c.at(i, word[0]) {
		i, word = i+1, word[1:]
	}
	return c.expected(i, "the rest of true, false or null")
}

// str reads a string with its quotation marks.
func (c *compactor) str(i int) int {
	i++
	start := i
	for ; i <= len(c.raw)-8; i += 8 {
		word := swar.Load(c.raw, i)
		if found := mustEscape(word) | word&swar.HighBits; found != 0 {
			i += swar.First(found)
			break
		}
	}
	if c.at(i, '"') { // as most strings end: plain and ASCII
		return i + 1
	}
	return c.specialString(start, i)
}

// specialString does the rest of str for a string that may be any, of which the bytes from start to i are plain and ASCII.
func (c *compactor) specialString(start, i int) int {
	var high uint64 // among its bits are those of all bytes of the string
	for {
		for found := uint64(0); found == 0 && i <= len(c.raw)-8; i += swar.First(found) {
			word := swar.Load(c.raw, i)
			high |= word
			found = mustEscape(word)
		}
		for i < len(c.raw) && !mustEscapeByte(c.raw[i]) {
			high |= uint64(c.raw[i])
			i++
		}
		switch {
		case c.at(i, '"'):
			if high&swar.HighBits != 0 {
				c.repair(start, i)
			}
			return i + 1
		case c.at(i, '\\'):
			if i = c.escape(i); i < 0 {
				return i
			}
		case i >= len(c.raw):
			return c.fail(i, "the text ends inside a string")
		default:
			return c.fail(i, fmt.Sprintf("the control character %q must be escaped in a string", c.raw[i:i+1]))
		}
	}
}

// repair copies the inside of a string if it is not valid UTF-8.
func (c *compactor) repair(start, end int) {
	if Valid(c.raw[start:end]) {
		return
	}
	c.dst = append(c.dst, c.raw[c.copied:start]...)
	c.dst = AppendValid(c.dst, c.raw[start:end])
	c.copied = end
}

// escape reads an escape sequence.
func (c *compactor) escape(i int) int {
	i++
	if i >= len(c.raw) {
		return c.fail(i, "the text ends inside a string")
	}
	switch c.raw[i] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 1
	case 'u':
		i++
		for end := i + 4; i < end; i++ {
			if i >= len(c.raw) || !isHexDigit(c.raw[i]) {
				return c.expected(i, "a hexadecimal digit")
			}
		}
		return i
	}
	return c.expected(i, "the rest of an escape sequence")
}

func (c *compactor) number(i int) int {
	if c.at(i, '-') {
		i++
	}
	end := c.digits(i)
	if c.at(i, '0') {
		end = i + 1
	}
	if end == i {
		return c.expected(i, "a digit")
	}
	if c.at(end, '.') {
		i = end + 1
		if end = c.digits(i); end == i {
			return c.expected(i, "a digit")
		}
	}
	if c.at(end, 'e') || c.at(end, 'E') {
		i = end + 1
		if c.at(i, '+') || c.at(i, '-') {
			i++
		}
		if end = c.digits(i); end == i {
			return c.expected(i, "a digit")
		}
	}
	return end
}

// digits returns the index behind the digits at i, of which there may be none.
func (c *compactor) digits(i int) int {
	if i <= len(c.raw)-8 { // How many digits there are is what a processor cannot foresee.
		digits := swar.First(notDigits(swar.Load(c.raw, i)))
		if i += digits; digits < 8 {
			return i
		}
	}
	for i < len(c.raw) && isDigit(c.raw[i]) {
		i++
	}
	return i
}

// notDigits marks the bytes of a word that are not digits. It adds to bytes without their highest bit, so that none carries.
func notDigits(word uint64) uint64 {
	ascii := word &^ swar.HighBits
	digits := (ascii + (0x80-'0')*swar.EachByte) ^ (ascii + (0x80-'9'-1)*swar.EachByte)
	return (^digits | word) & swar.HighBits
}

func isDigit(b byte) bool { return '0' <= b && b <= '9' }

func isHexDigit(b byte) bool {
	return isDigit(b) || 'a' <= b && b <= 'f' || 'A' <= b && b <= 'F'
}
