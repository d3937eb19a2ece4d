package archive

import (
	"strings"
	"time"
)

// timeProblem is what is wrong with a text that parseTime refuses.
const timeProblem = "not a time such as 2026-01-15T10:30:00Z, on a day that exists and in UTC"

// parseTime reads a time of RFC 3339 that ends in Z, whose seconds may be missing: 2026-01-15T10:30Z. Digits of the second
// beyond nanoseconds are dropped. There are no leap seconds.
func parseTime(s string) (t time.Time, ok bool) {
	const day, minutes = len("2006-01-02"), len("2006-01-02T15:04")
	rest, utc := strings.CutSuffix(s, "Z")
	if !utc || len(rest) < minutes || !hasForm(rest[:minutes], "0000-00-00T00:00") {
		return time.Time{}, false
	}
	t, err := time.Parse(time.DateOnly, rest[:day]) // which knows the days of each month
	if err != nil {
		return time.Time{}, false
	}
	hour, minute := number(rest[day+1:day+3]), number(rest[day+4:])
	second, nanosecond, ok := parseSeconds(rest[minutes:])
	if !ok || hour > 23 || minute > 59 || second > 59 {
		return time.Time{}, false
	}
	return time.Date(t.Year(), t.Month(), t.Day(), hour, minute, second, nanosecond, time.UTC), true
}

// parseSeconds reads what is behind the minutes: nothing, or :00, or :00 with a fraction.
func parseSeconds(s string) (second, nanosecond int, ok bool) {
	if s == "" {
		return 0, 0, true
	}
	const whole = len(":00")
	if len(s) < whole || !hasForm(s[:whole], ":00") {
		return 0, 0, false
	}
	second = number(s[1:whole])
	if len(s) == whole {
		return second, 0, true
	}
	fraction := s[whole+1:]
	if s[whole] != '.' || fraction == "" || strings.Trim(fraction, "0123456789") != "" {
		return 0, 0, false
	}
	const nanoseconds = "000000000"
	digits := (fraction + nanoseconds)[:len(nanoseconds)]
	return second, number(digits), true
}

// hasForm reports whether s has a digit wherever form has a 0, and is form elsewhere.
func hasForm(s, form string) bool {
	for i := range len(form) {
		if form[i] == '0' && (s[i] < '0' || s[i] > '9') || form[i] != '0' && s[i] != form[i] {
			return false
		}
	}
	return true
}

// number returns the value of a text of digits.
func number(digits string) int {
	n := 0
	for i := 0; i < len(digits) && '0' <= digits[i] && digits[i] <= '9'; i++ {
		n = 10*n + int(digits[i]-'0')
	}
	return n
}
