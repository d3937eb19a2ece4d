package archive

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
	"unsafe"

	"github.com/dataexport/dataexport/internal/jsontext"
)

// A jsonScanner reads a JSON document (RFC 8259) piece by piece, of which it keeps none.
type jsonScanner struct {
	in     io.Reader
	store  []byte
	window []byte // what has been read into store and not been used
	offset int64  // of the window in the document
	raw    []byte // the value read last
	text   []byte // and without white space
}

// A syntaxError says that a document is no JSON, and where.
type syntaxError struct {
	offset  int64
	problem string
}

func (e *syntaxError) Error() string {
	return fmt.Sprintf("no JSON at byte %d: %s", e.offset, e.problem)
}

func newJSONScanner(in io.Reader) *jsonScanner {
	return &jsonScanner{in: in, store: make([]byte, 64<<10)}
}

func (s *jsonScanner) fail(format string, args ...any) error {
	return &syntaxError{offset: s.offset, problem: fmt.Sprintf(format, args...)}
}

// fill makes the window hold something. It returns io.EOF at the end of the document.
func (s *jsonScanner) fill() error {
	for empty := 0; len(s.window) == 0; empty++ {
		n, err := s.in.Read(s.store)
		s.window = s.store[:n]
		if n == 0 && err != nil {
			return err
		}
		if empty > 100 {
			return io.ErrNoProgress
		}
	}
	return nil
}

// next returns the next byte that is no white space, and does not use it.
func (s *jsonScanner) next(expected string) (byte, error) {
	for {
		if err := s.fill(); errors.Is(err, io.EOF) {
			return 0, s.fail("the document ends where %s is expected; the rest of it is missing", expected)
		} else if err != nil {
			return 0, err
		}
		switch b := s.window[0]; b {
		case ' ', '\t', '\r', '\n':
			s.skip(1)
		default:
			return b, nil
		}
	}
}

func (s *jsonScanner) skip(n int) {
	s.window = s.window[n:]
	s.offset += int64(n)
}

// expect uses one of the bytes that are wanted and returns it.
func (s *jsonScanner) expect(wanted, name string) (byte, error) {
	b, err := s.next(name)
	if err != nil {
		return 0, err
	}
	for i := range len(wanted) {
		if b == wanted[i] {
			s.skip(1)
			return b, nil
		}
	}
	return 0, s.fail("%q stands where %s is expected", b, name)
}

// end makes sure that nothing follows.
func (s *jsonScanner) end() error {
	for {
		err := s.fill()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch b := s.window[0]; b {
		case ' ', '\t', '\r', '\n':
			s.skip(1)
		default:
			return s.fail("there is more behind the document, %q", b)
		}
	}
}

// object reads an object. It calls member with each name; member must read the value.
func (s *jsonScanner) object(member func(name string) error) error {
	if _, err := s.expect("{", "'{'"); err != nil {
		return err
	}
	b, err := s.next("the name of a member or '}'")
	if err != nil {
		return err
	}
	for b != '}' {
		if b != '"' {
			return s.fail("%q stands where the name of a member is expected", b)
		}
		name, err := s.name()
		if err != nil {
			return err
		}
		if _, err := s.expect(":", "':'"); err != nil {
			return err
		}
		if err := member(name); err != nil {
			return err
		}
		if b, err = s.expect(",}", "',' or '}'"); err != nil {
			return err
		}
		if b == '}' {
			return nil
		}
		if b, err = s.next("the name of a member"); err != nil {
			return err
		}
		if b == '}' {
			return s.fail("a comma stands in front of '}'")
		}
	}
	s.skip(1)
	return nil
}

// maxName is the number of bytes of the longest name of a member. Those of columns are shorter.
const maxName = 64 << 10

func (s *jsonScanner) name() (string, error) {
	if name, ok := s.plainName(); ok {
		return name, nil
	}
	start := s.offset
	raw, ok, err := s.value(maxName)
	if err != nil {
		return "", err
	}
	if !ok {
		return "", &syntaxError{start, fmt.Sprintf("the name of a member is longer than %d bytes", maxName)}
	}
	text, err := s.compact(raw, start)
	if err != nil {
		return "", err
	}
	name, problem := unquote(text)
	if problem != "" {
		return "", &syntaxError{start, "in the name of a member: " + problem}
	}
	return name, nil
}

// plainName reads a name if it is what names mostly are: ASCII, without escapes, and in the window.
func (s *jsonScanner) plainName() (string, bool) {
	end := bytes.IndexByte(s.window[1:], '"') + 1
	for _, c := range s.window[1:max(end, 1)] {
		if c < ' ' || c == '\\' || c >= utf8.RuneSelf {
			return "", false
		}
	}
	if end < 1 || end > maxName {
		return "", false
	}
	name := string(s.window[1:end])
	s.skip(end + 1)
	return name, true
}

// array reads an array. It calls element in front of each element, which it must read.
func (s *jsonScanner) array(element func() error) error {
	if _, err := s.expect("[", "'['"); err != nil {
		return err
	}
	b, err := s.next("an element or ']'")
	if err != nil {
		return err
	}
	if b == ']' {
		s.skip(1)
		return nil
	}
	for {
		if err := element(); err != nil {
			return err
		}
		if b, err = s.expect(",]", "',' or ']'"); err != nil || b == ']' {
			return err
		}
	}
}

// value reads a value of at most so many bytes. A larger one is read over, and ok is false. What is in quotation marks or
// brackets may be no JSON; compact tells. The bytes are valid until the next value is read.
func (s *jsonScanner) value(most int) (raw []byte, ok bool, err error) {
	if _, err := s.next("a value"); err != nil {
		return nil, false, err
	}
	s.raw = s.raw[:0]
	var state valueState
	kept := true
	for !state.done {
		if err := s.fill(); errors.Is(err, io.EOF) {
			return nil, false, s.fail("the document ends inside a value; the rest of it is missing")
		} else if err != nil {
			return nil, false, err
		}
		n := state.scan(s.window)
		if state.depth > jsontext.MaxDepth {
			return nil, false, s.fail("a value is nested deeper than %d levels", jsontext.MaxDepth)
		}
		if len(s.raw)+n > most {
			kept = false
		} else if kept {
			s.raw = append(s.raw, s.window[:n]...)
		}
		s.skip(n)
	}
	if !kept {
		return nil, false, nil
	}
	return s.raw, true, nil
}

// A valueState finds the end of a value whatever is in it.
type valueState struct {
	depth   int // open objects and arrays
	quoted  bool
	escaped bool
	done    bool
}

// scan returns how many bytes of b belong to the value.
func (v *valueState) scan(b []byte) int {
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case v.escaped:
			v.escaped = false
		case v.quoted:
			for i < len(b)-1 && c != '"' && c != '\\' {
				i++
				c = b[i]
			}
			v.escaped = c == '\\'
			v.quoted = c != '"'
			v.done = !v.quoted && v.depth == 0
		case c == '"':
			v.quoted = true
		case c == '{' || c == '[':
			if v.depth++; v.depth > jsontext.MaxDepth {
				return i
			}
		case v.depth > 0:
			if c == '}' || c == ']' {
				v.depth--
				v.done = v.depth == 0
			}
		case c == ',' || c == '}' || c == ']' || c == ':' || c <= ' ':
			v.done = true // a number or a literal ends in front of it, and an empty one is no JSON
			return i
		}
		if v.done {
			return i + 1
		}
	}
	return len(b)
}

// compact checks a value that begins at an offset, and returns it without white space.
func (s *jsonScanner) compact(raw []byte, offset int64) (string, error) {
	if !utf8.Valid(raw) {
		return "", &syntaxError{offset, "a value is not valid UTF-8"}
	}
	var err error
	s.text, err = jsontext.AppendCompact(s.text[:0], unsafe.String(unsafe.SliceData(raw), len(raw)))
	if syntax := (*jsontext.SyntaxError)(nil); errors.As(err, &syntax) {
		return "", &syntaxError{offset + int64(syntax.Offset), syntax.Problem}
	}
	return string(s.text), err
}
