package memory

import (
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth is how deep metadata can be nested. It keeps a hostile line from using up the stack.
const maxDepth = 1000

// A parser reads one JSON text that is valid UTF-8. Its methods read what begins at the next byte.
type parser struct {
	line   string
	at     int    // the index of the next byte
	key    string // the key of the record whose value is being read, for errors
	spaced bool   // white space was passed over
}

// fail makes an error about the value of the current key.
func (p *parser) fail(format string, args ...any) error {
	return &ParseError{Key: p.key, Message: fmt.Sprintf(format, args...)}
}

// malformed makes an error about the next byte, which JSON does not allow there.
func (p *parser) malformed(expected string) error {
	where := ""
	if p.key != "" {
		where = p.key + ": "
	}
	if p.at >= len(p.line) {
		return p.fail("%sthe line ends where %s is expected", where, expected)
	}
	found, _ := utf8.DecodeRuneInString(p.line[p.at:])
	return p.fail("%sbyte %d is %q where %s is expected", where, p.at+1, found, expected)
}

// next returns the next byte, or 0, which JSON has no use for, at the end.
func (p *parser) next() byte {
	if p.at < len(p.line) {
		return p.line[p.at]
	}
	return 0
}

// blank passes over white space.
func (p *parser) blank() {
	for p.at < len(p.line) {
		switch p.line[p.at] {
		case ' ', '\t', '\r', '\n':
			p.at++
			p.spaced = true
		default:
			return
		}
	}
}

// kind names the type of the value that begins here, for errors.
func (p *parser) kind() string {
	switch c := p.next(); {
	case c == '{':
		return "an object"
	case c == '[':
		return "an array"
	case c == '"':
		return "a string"
	case c == '-' || c >= '0' && c <= '9':
		return "a number"
	case strings.HasPrefix(p.line[p.at:], "null"):
		return "null"
	case strings.HasPrefix(p.line[p.at:], "true"), strings.HasPrefix(p.line[p.at:], "false"):
		return "a boolean"
	}
	return "what JSON does not have"
}

// null passes over a null and reports whether there was one.
func (p *parser) null() bool {
	if !strings.HasPrefix(p.line[p.at:], "null") {
		return false
	}
	p.at += len("null")
	return true
}

// members reads an object and calls value where the value of a member begins.
func (p *parser) members(value func(name string) error) error {
	p.at++ // the brace
	if p.blank(); p.next() == '}' {
		p.at++
		return nil
	}
	for {
		if p.next() != '"' {
			return p.malformed("a key in double quotes")
		}
		name, err := p.string()
		if err != nil {
			return err
		}
		if p.blank(); p.next() != ':' {
			return p.malformed("a colon")
		}
		p.at++
		p.blank()
		if err := value(name); err != nil {
			return err
		}
		more, err := p.more('}')
		if err != nil || !more {
			return err
		}
	}
}

// elements reads an array and calls value where the element with that number, from 1, begins.
func (p *parser) elements(value func(number int) error) error {
	p.at++ // the bracket
	if p.blank(); p.next() == ']' {
		p.at++
		return nil
	}
	for number := 1; ; number++ {
		if err := value(number); err != nil {
			return err
		}
		more, err := p.more(']')
		if err != nil || !more {
			return err
		}
	}
}

// more reads what follows a member or an element: a comma and the white space after it, or the end.
func (p *parser) more(end byte) (bool, error) {
	p.blank()
	switch p.next() {
	case ',':
		p.at++
		p.blank()
		return true, nil
	case end:
		p.at++
		return false, nil
	}
	return false, p.malformed(fmt.Sprintf("a comma or %q", end))
}

// string reads a string, whose quote is the next byte.
func (p *parser) string() (string, error) {
	p.at++
	start := p.at
	for p.at < len(p.line) {
		switch c := p.line[p.at]; {
		case c == '"':
			s := p.line[start:p.at]
			p.at++
			return s, nil
		case c == '\\':
			return p.escapedString(start)
		case c < ' ':
			return "", p.malformed("the rest of a string, in which control characters are escaped,")
		}
		p.at++
	}
	return "", p.malformed("the end of a string")
}

// escapedString reads on in a string that began at start, from its first escape.
func (p *parser) escapedString(start int) (string, error) {
	s := []byte(p.line[start:p.at])
	for p.at < len(p.line) {
		switch c := p.line[p.at]; {
		case c == '"':
			p.at++
			return string(s), nil
		case c == '\\':
			r, err := p.escape()
			if err != nil {
				return "", err
			}
			s = utf8.AppendRune(s, r)
			continue
		case c < ' ':
			return "", p.malformed("the rest of a string, in which control characters are escaped,")
		default:
			s = append(s, c)
		}
		p.at++
	}
	return "", p.malformed("the end of a string")
}

// escape reads one escape, or the two that are a surrogate pair.
func (p *parser) escape() (rune, error) {
	p.at++ // the backslash
	if p.next() == 'u' {
		return p.unicodeEscape()
	}
	const letters, meaning = `"\/bfnrt`, "\"\\/\b\f\n\r\t"
	i := strings.IndexByte(letters, p.next())
	if i < 0 {
		return 0, p.malformed(`one of "\/bfnrtu after a backslash`)
	}
	p.at++
	return rune(meaning[i]), nil
}

func (p *parser) unicodeEscape() (rune, error) {
	first, err := p.hexEscape()
	if err != nil || !utf16.IsSurrogate(first) {
		return first, err
	}
	if strings.HasPrefix(p.line[p.at:], `\u`) {
		p.at++
		second, err := p.hexEscape()
		if err != nil {
			return 0, err
		}
		if r := utf16.DecodeRune(first, second); r != utf8.RuneError {
			return r, nil
		}
	}
	subject := "a key"
	if p.key != "" {
		subject = p.key
	}
	return 0, p.fail(`%s holds \u%04x, half of a surrogate pair without the other half`, subject, first)
}

// hexEscape reads the u of an escape and its four digits.
func (p *parser) hexEscape() (rune, error) {
	p.at++ // the u
	var r rune
	for range 4 {
		digit := strings.IndexByte("0123456789abcdefABCDEF", p.next())
		if digit < 0 {
			return 0, p.malformed(`one of four hexadecimal digits after \u`)
		}
		if digit > 15 {
			digit -= 6 // upper case
		}
		r = r<<4 | rune(digit)
		p.at++
	}
	return r, nil
}

// value reads any value and keeps nothing of it. Depth is how deep an object or array would be that begins here.
func (p *parser) value(depth int) error {
	if depth > maxDepth {
		return p.fail("%s is nested deeper than %d levels", p.key, maxDepth)
	}
	switch c := p.next(); {
	case c == '"':
		_, err := p.string()
		return err
	case c == '{':
		return p.members(func(string) error { return p.value(depth + 1) })
	case c == '[':
		return p.elements(func(int) error { return p.value(depth + 1) })
	case c == '-' || c >= '0' && c <= '9':
		_, err := p.number()
		return err
	}
	for _, literal := range [...]string{"null", "true", "false"} {
		if strings.HasPrefix(p.line[p.at:], literal) {
			p.at += len(literal)
			return nil
		}
	}
	return p.malformed("a value")
}

// number reads a number (RFC 8259, section 6) and returns it as written.
func (p *parser) number() (string, error) {
	start := p.at
	if p.next() == '-' {
		p.at++
	}
	if p.next() == '0' {
		p.at++
	} else if err := p.digits(); err != nil {
		return "", err
	}
	if p.next() == '.' {
		p.at++
		if err := p.digits(); err != nil {
			return "", err
		}
	}
	if c := p.next(); c == 'e' || c == 'E' {
		p.at++
		if c := p.next(); c == '+' || c == '-' {
			p.at++
		}
		if err := p.digits(); err != nil {
			return "", err
		}
	}
	return p.line[start:p.at], nil
}

// digits reads one digit or more.
func (p *parser) digits() error {
	start := p.at
	for c := p.next(); c >= '0' && c <= '9'; c = p.next() {
		p.at++
	}
	if p.at == start {
		return p.malformed("a digit")
	}
	return nil
}
