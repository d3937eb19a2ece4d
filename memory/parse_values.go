package memory

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/dataexport/dataexport/internal/jsontext"
	"github.com/dataexport/dataexport/internal/rfc3339"
)

// optional reads a value or null.
func optional[T any](p *parser, read func(*parser) (T, error)) (*T, error) {
	if p.null() {
		return nil, nil
	}
	v, err := read(p)
	if err != nil {
		return nil, err
	}
	return &v, nil
}

// text reads a string that is the value of the current key.
func (p *parser) text() (string, error) {
	if p.next() != '"' {
		return "", p.fail("%s must be a string, not %s", p.key, p.kind())
	}
	return p.string()
}

// name reads a string that must not be empty.
func (p *parser) name() (string, error) {
	s, err := p.text()
	if err == nil && s == "" {
		return "", p.fail("%s must not be empty", p.key)
	}
	return s, err
}

// texts reads an array of strings, which is never nil, or null.
func (p *parser) texts() ([]string, error) {
	if p.null() {
		return nil, nil
	}
	if p.next() != '[' {
		return nil, p.fail("%s must be an array of strings, not %s", p.key, p.kind())
	}
	list := []string{}
	err := p.elements(func(number int) error {
		if p.next() != '"' {
			return p.fail("%s must be an array of strings; element %d is %s", p.key, number, p.kind())
		}
		s, err := p.string()
		list = append(list, s)
		return err
	})
	return list, err
}

// integer reads a number that is written as an integer and fits 64 bits.
func (p *parser) integer() (int64, error) {
	if c := p.next(); c != '-' && (c < '0' || c > '9') {
		return 0, p.fail("%s must be an integer, not %s", p.key, p.kind())
	}
	digits, err := p.number()
	if err != nil {
		return 0, err
	}
	i, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return 0, p.fail("%s must be an integer of 64 bits, not %s", p.key, shorten(digits))
	}
	return i, nil
}

// time reads a time of RFC 3339.
func (p *parser) time() (time.Time, error) {
	if p.next() != '"' {
		return time.Time{}, p.fail("%s must be a time in a string, not %s", p.key, p.kind())
	}
	s, err := p.string()
	if err != nil {
		return time.Time{}, err
	}
	t, digits, err := rfc3339.Parse(s)
	switch {
	case errors.Is(err, rfc3339.ErrYear):
		return time.Time{}, p.fail("%s is not in the years 0000 to 9999 in UTC: %s", p.key, quote(s))
	case err != nil:
		return time.Time{}, p.fail("%s must be a time such as 2026-01-15T10:30:00Z (RFC 3339), not %s", p.key, quote(s))
	case digits > 9:
		return time.Time{}, p.fail("%s has more than nine digits of a fraction, and nanoseconds are the finest: %s", p.key, quote(s))
	}
	return t, nil
}

// object reads an object or null and returns it without the white space between its tokens.
func (p *parser) object() (json.RawMessage, error) {
	if p.null() {
		return nil, nil
	}
	if p.next() != '{' {
		return nil, p.fail("%s must be an object, not %s", p.key, p.kind())
	}
	start := p.at
	p.spaced = false
	if err := p.value(1); err != nil {
		return nil, err
	}
	raw := p.line[start:p.at]
	if !p.spaced {
		return json.RawMessage(raw), nil
	}
	compact, err := jsontext.AppendCompact(make([]byte, 0, len(raw)), raw)
	if err != nil {
		return nil, p.fail("%s: %s", p.key, err)
	}
	return compact, nil
}

// quote returns a text as it can stand in an error.
func quote(s string) string { return strconv.Quote(shorten(s)) }

func shorten(s string) string {
	const most = 64
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "..."
}
