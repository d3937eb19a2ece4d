package memory

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/dataexport/dataexport"
)

// A ParseError says what is wrong with a record in JSON. It is a dataexport.ErrInvalid.
type ParseError struct {
	Line    int    // counted from 1; 0 from ParseRecord, which knows of no lines
	Key     string // the key whose value is wrong; empty if the fault is none of a single value
	Message string // one clause that names the key
}

func (e *ParseError) Error() string {
	if e.Line == 0 {
		return e.Message
	}
	return fmt.Sprintf("line %d: %s", e.Line, e.Message)
}

// Is reports whether target is dataexport.ErrInvalid.
func (e *ParseError) Is(target error) bool { return target == dataexport.ErrInvalid }

// ParseRecord reads a record from one JSON object (RFC 8259) whose keys are the names of the columns. It is strict, so that
// nothing is lost or changed unnoticed. The error is a *ParseError for:
//
//   - a key that is unknown or there twice; keys are compared exactly, upper case is not lower case;
//   - id, workspace_id, content or created_at missing or null, or an empty id or workspace_id; the other keys may be
//     missing, which is the same as null;
//   - a value of another type than its column; metadata that is no object; categories that are no array of strings;
//   - a time that is not RFC 3339, has more than nine digits of a fraction, or is not in the years 0000 to 9999 in UTC;
//   - an access_count that is not written as an integer, or does not fit 64 bits;
//   - invalid UTF-8, and an escape such as \ud800 that is half of a surrogate pair, which has no UTF-8 (RFC 7493,
//     section 2.1), wherever it stands;
//   - metadata nested deeper than 1,000 levels;
//   - anything but white space after the object.
//
// Times are in UTC. Metadata has lost the white space between its tokens and is otherwise as written: numbers keep their
// digits, escapes stay escapes. The record shares no memory with the line.
func ParseRecord(line []byte) (Record, error) {
	if i := invalidUTF8(line); i >= 0 {
		return Record{}, &ParseError{Message: fmt.Sprintf("the line is not valid UTF-8: byte %d is 0x%02x", i+1, line[i])}
	}
	// One copy of the line holds all texts of the record: far cheaper than a copy of each.
	p := parser{line: string(line)}
	var r Record
	if err := p.record(&r); err != nil {
		return Record{}, err
	}
	return r, nil
}

// invalidUTF8 returns the index of the first byte that is not part of valid UTF-8, or -1.
func invalidUTF8(text []byte) int {
	if utf8.Valid(text) {
		return -1
	}
	for i := 0; ; {
		r, size := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
}

// A member is a key of the object that a record is written as.
type member struct {
	name     string
	required bool
	read     func(*parser, *Record) error
}

var members = [...]member{
	{"id", true, func(p *parser, r *Record) (err error) { r.ID, err = p.name(); return err }},
	{"workspace_id", true, func(p *parser, r *Record) (err error) { r.WorkspaceID, err = p.name(); return err }},
	{"content", true, func(p *parser, r *Record) (err error) { r.Content, err = p.text(); return err }},
	{"user_id", false, func(p *parser, r *Record) (err error) { r.UserID, err = optional(p, (*parser).text); return err }},
	{"agent_id", false, func(p *parser, r *Record) (err error) { r.AgentID, err = optional(p, (*parser).text); return err }},
	{"session_id", false, func(p *parser, r *Record) (err error) { r.SessionID, err = optional(p, (*parser).text); return err }},
	{"priority", false, func(p *parser, r *Record) (err error) { r.Priority, err = optional(p, (*parser).text); return err }},
	{"status", false, func(p *parser, r *Record) (err error) { r.Status, err = optional(p, (*parser).text); return err }},
	{"categories", false, func(p *parser, r *Record) (err error) { r.Categories, err = p.texts(); return err }},
	{"metadata", false, func(p *parser, r *Record) (err error) { r.Metadata, err = p.object(); return err }},
	{"access_count", false, func(p *parser, r *Record) (err error) {
		r.AccessCount, err = optional(p, (*parser).integer)
		return err
	}},
	{"last_accessed_at", false, func(p *parser, r *Record) (err error) {
		r.LastAccessedAt, err = optional(p, (*parser).time)
		return err
	}},
	{"created_at", true, func(p *parser, r *Record) (err error) { r.CreatedAt, err = p.time(); return err }},
	{"updated_at", false, func(p *parser, r *Record) (err error) { r.UpdatedAt, err = optional(p, (*parser).time); return err }},
}

// record reads the whole line.
func (p *parser) record(r *Record) error {
	p.blank()
	switch {
	case p.at == len(p.line):
		return p.fail("the line is blank")
	case strings.HasPrefix(p.line[p.at:], "\ufeff"):
		return p.fail("the line begins with a byte order mark; save the file as UTF-8 without one")
	case p.line[p.at] != '{':
		return p.fail("a record must be an object, not %s", p.kind())
	}
	var seen [len(members)]bool
	previous := -1
	err := p.members(func(name string) error {
		i := memberIndex(name, previous+1)
		switch {
		case i < 0:
			return unknownKey(name)
		case seen[i]:
			return &ParseError{Key: name, Message: fmt.Sprintf("the key %s is there twice", name)}
		}
		seen[i], previous = true, i
		p.key = name
		if members[i].required && p.null() {
			return p.fail("%s must not be null", name)
		}
		err := members[i].read(p, r)
		p.key = ""
		return err
	})
	if err != nil {
		return err
	}
	if p.blank(); p.at < len(p.line) {
		return p.fail("byte %d: there is something after the object", p.at+1)
	}
	for i, found := range seen {
		if !found && members[i].required {
			return &ParseError{Key: members[i].name, Message: members[i].name + " is missing"}
		}
	}
	return nil
}

// memberIndex returns the index of the member of that name, or -1. It looks from one member on, since most writers keep to
// one order.
func memberIndex(name string, from int) int {
	for i := range members {
		if i = (i + from) % len(members); members[i].name == name {
			return i
		}
	}
	return -1
}

func unknownKey(name string) error {
	for i := range members {
		if strings.EqualFold(members[i].name, name) {
			return &ParseError{Key: name, Message: fmt.Sprintf("the key %q is unknown; it is written %q", name, members[i].name)}
		}
	}
	return &ParseError{Key: name, Message: fmt.Sprintf("the key %s is unknown", quote(name))}
}
