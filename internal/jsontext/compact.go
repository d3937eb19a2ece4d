package jsontext

import (
	"fmt"
	"unicode/utf8"
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
	c := compactor{raw: raw, dst: dst}
	c.space()
	if !c.value(0) {
		return dst, c.err
	}
	c.space()
	if c.next < len(raw) {
		c.fail("there is more after the value")
		return dst, c.err
	}
	c.flush()
	return c.dst, nil
}

// A compactor reads a text once. What it has read and not yet copied is raw[copied:next], so that a text which is compact
// already is copied in one piece. Its methods return false after they have set err.
type compactor struct {
	raw    string
	next   int
	copied int
	dst    []byte
	err    *SyntaxError
}

func (c *compactor) flush() {
	c.dst = append(c.dst, c.raw[c.copied:c.next]...)
	c.copied = c.next
}

func (c *compactor) fail(problem string) bool {
	c.err = &SyntaxError{Offset: c.next, Problem: problem}
	return false
}

// expected fails because the next byte is not one that can stand there.
func (c *compactor) expected(what string) bool {
	if c.next >= len(c.raw) {
		return c.fail("the text ends where " + what + " is expected")
	}
	return c.fail(fmt.Sprintf("%q stands where %s is expected", c.raw[c.next:c.next+1], what))
}

// space leaves out white space.
func (c *compactor) space() {
	if c.next >= len(c.raw) || c.raw[c.next] > ' ' {
		return
	}
	c.flush()
	for c.next < len(c.raw) && isSpace(c.raw[c.next]) {
		c.next++
	}
	c.copied = c.next
}

func isSpace(b byte) bool { return b == ' ' || b == '\n' || b == '\t' || b == '\r' }

func (c *compactor) value(depth int) bool {
	if c.next >= len(c.raw) {
		return c.expected("a value")
	}
	switch b := c.raw[c.next]; b {
	case '"':
		return c.str()
	case '{':
		return c.object(depth + 1)
	case '[':
		return c.array(depth + 1)
	case 't':
		return c.literal("true")
	case 'f':
		return c.literal("false")
	case 'n':
		return c.literal("null")
	default:
		if b == '-' || isDigit(b) {
			return c.number()
		}
		return c.expected("a value")
	}
}

func (c *compactor) object(depth int) bool {
	if depth > MaxDepth {
		return c.tooDeep()
	}
	c.next++
	c.space()
	if c.at('}') {
		c.next++
		return true
	}
	for {
		if !c.at('"') {
			return c.expected("the name of a member in quotes")
		}
		if !c.str() {
			return false
		}
		c.space()
		if !c.at(':') {
			return c.expected("':'")
		}
		c.next++
		c.space()
		if !c.value(depth) {
			return false
		}
		c.space()
		if c.at('}') {
			c.next++
			return true
		}
		if !c.at(',') {
			return c.expected("',' or '}'")
		}
		c.next++
		c.space()
	}
}

func (c *compactor) array(depth int) bool {
	if depth > MaxDepth {
		return c.tooDeep()
	}
	c.next++
	c.space()
	if c.at(']') {
		c.next++
		return true
	}
	for {
		if !c.value(depth) {
			return false
		}
		c.space()
		if c.at(']') {
			c.next++
			return true
		}
		if !c.at(',') {
			return c.expected("',' or ']'")
		}
		c.next++
		c.space()
	}
}

func (c *compactor) tooDeep() bool {
	return c.fail(fmt.Sprintf("it is nested deeper than %d levels", MaxDepth))
}

func (c *compactor) at(b byte) bool { return c.next < len(c.raw) && c.raw[c.next] == b }

func (c *compactor) literal(word string) bool {
	for i := range len(word) {
		if !c.at(word[i]) {
			return c.expected("the word " + word)
		}
		c.next++
	}
	return true
}

// str reads a string, the opening quotation mark of which is next.
func (c *compactor) str() bool {
	c.next++
	for {
		run, ascii := scanPlain(c.raw[c.next:])
		if !ascii && !utf8.ValidString(c.raw[c.next:c.next+run]) {
			c.flush()
			c.dst = AppendValid(c.dst, c.raw[c.next:c.next+run])
			c.copied = c.next + run
		}
		c.next += run
		switch {
		case c.at('"'):
			c.next++
			return true
		case c.at('\\'):
			if !c.escape() {
				return false
			}
		case c.next >= len(c.raw):
			return c.fail("the text ends inside a string")
		default:
			return c.fail(fmt.Sprintf("the control character %q must be escaped in a string", c.raw[c.next:c.next+1]))
		}
	}
}

// escape reads an escape sequence, the reverse solidus of which is next.
func (c *compactor) escape() bool {
	c.next++
	if c.next >= len(c.raw) {
		return c.fail("the text ends inside a string")
	}
	switch c.raw[c.next] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		c.next++
		return true
	case 'u':
		c.next++
		for range 4 {
			if c.next >= len(c.raw) || !isHexDigit(c.raw[c.next]) {
				return c.expected("a hexadecimal digit")
			}
			c.next++
		}
		return true
	}
	return c.expected("the rest of an escape sequence")
}

func (c *compactor) number() bool {
	if c.at('-') {
		c.next++
	}
	switch {
	case c.at('0'):
		c.next++
	case !c.digits():
		return false
	}
	if c.at('.') {
		c.next++
		if !c.digits() {
			return false
		}
	}
	if c.at('e') || c.at('E') {
		c.next++
		if c.at('+') || c.at('-') {
			c.next++
		}
		return c.digits()
	}
	return true
}

// digits reads at least one digit.
func (c *compactor) digits() bool {
	first := c.next
	for c.next < len(c.raw) && isDigit(c.raw[c.next]) {
		c.next++
	}
	return c.next > first || c.expected("a digit")
}

func isDigit(b byte) bool { return '0' <= b && b <= '9' }

func isHexDigit(b byte) bool {
	return isDigit(b) || 'a' <= b && b <= 'f' || 'A' <= b && b <= 'F'
}
