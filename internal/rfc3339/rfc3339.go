// Package rfc3339 reads times strictly. time.Parse takes more than RFC 3339 allows: an hour of one digit, a comma for the
// point of a fraction, offsets that do not exist.
package rfc3339

import (
	"errors"
	"strings"
	"time"
)

// Why a text is refused.
var (
	ErrForm = errors.New("not a time such as 2026-01-15T10:30:00Z (RFC 3339)")
	ErrYear = errors.New("not in the years 0000 to 9999 in UTC")
)

// Parse returns the instant in UTC, and how many digits its fraction has; those after the ninth, which is that of
// nanoseconds, are dropped. The error is ErrForm or ErrYear.
func Parse(s string) (t time.Time, fractionDigits int, err error) {
	fractionDigits, ok := countFraction(s)
	t, err = time.Parse(time.RFC3339, s)
	if !ok || err != nil {
		return time.Time{}, 0, ErrForm
	}
	t = t.UTC()
	if year := t.Year(); year < 0 || year > 9999 {
		return time.Time{}, 0, ErrYear
	}
	return t, fractionDigits, nil
}

// countFraction counts the digits of the fraction. It is not ok if the text lacks the form in a way that time.Parse lets pass.
func countFraction(s string) (digits int, ok bool) {
	const seconds = len("2006-01-02T15:04:05")
	if len(s) <= seconds || s[len("2006-01-02T15")] != ':' {
		return 0, false
	}
	fraction, offset := s[seconds:], "Z"
	if i := strings.IndexAny(fraction, "Z+-"); i >= 0 {
		fraction, offset = fraction[:i], fraction[i:]
	}
	if offset != "Z" && (len(offset) != len("+00:00") || offset[1:3] > "23" || offset[4:] > "59") {
		return 0, false
	}
	if fraction == "" {
		return 0, true
	}
	return len(fraction) - len("."), fraction[0] == '.'
}
