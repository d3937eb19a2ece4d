package scalar

import "slices"

// Times writes instants as RFC 3339 in UTC, for example 2026-01-15T10:30:00.000Z. It keeps the last calendar day that it
// wrote, since the times of neighbouring records often share it. The zero value is ready for use. A Times is not safe for
// concurrent use.
type Times struct {
	midnight int64                    // the second at which the day begins that date is the text of
	date     [len("2006-01-02T")]byte // valid if known
	known    bool
}

const (
	secondsPerDay = 24 * 60 * 60
	minDay        = -719528 // 0000-01-01
	maxDay        = 2932896 // 9999-12-31
	maxLength     = len("2006-01-02T15:04:05.000000000Z")
)

// Append appends the instant that is seconds and nanoseconds after 1970-01-01T00:00:00Z. It writes as many digits of the
// fraction as the instant needs, and at least three. For an instant outside of the years 0000 to 9999, for which RFC 3339
// has no form, and for more than 999,999,999 nanoseconds it appends nothing and returns false.
func (t *Times) Append(dst []byte, seconds int64, nanoseconds uint32) (_ []byte, ok bool) {
	second := seconds - t.midnight
	if !t.known || second < 0 || second >= secondsPerDay {
		if second, ok = t.setDay(seconds); !ok {
			return dst, false
		}
	}
	if nanoseconds > 999_999_999 {
		return dst, false
	}
	start := len(dst)
	if cap(dst)-start < maxLength {
		dst = slices.Grow(dst, maxLength)
	}
	text := (*[maxLength]byte)(dst[start : start+maxLength])
	*(*[len(t.date)]byte)(text[:]) = t.date
	clock := uint32(second)
	minutes := clock / 60
	putTwoDigits(text[11:], minutes/60)
	text[13] = ':'
	putTwoDigits(text[14:], minutes%60)
	text[16] = ':'
	putTwoDigits(text[17:], clock%60)
	text[19] = '.'
	end := 20 + putFraction(text[20:], nanoseconds)
	text[end] = 'Z'
	return dst[:start+end+1], true
}

// setDay makes date the text of the day of a second, and returns how far that day has come. The arithmetic is that of a
// calendar whose years begin on the first of March, so that a leap day is the last day of its year, and whose days are
// counted from 0000-03-01 in eras of 400 years.
func (t *Times) setDay(seconds int64) (second int64, ok bool) {
	day, second := seconds/secondsPerDay, seconds%secondsPerDay
	if second < 0 {
		day, second = day-1, second+secondsPerDay
	}
	if day < minDay || day > maxDay {
		return 0, false
	}
	const daysPerEra = 400*365 + 97
	fromMarch := uint32(day - minDay + daysPerEra - 60) // 0000-03-01 is day 60 of year 0; the era added keeps it positive
	era, ofEra := fromMarch/daysPerEra, fromMarch%daysPerEra
	yearOfEra := (ofEra - ofEra/1460 + ofEra/36524 - ofEra/(daysPerEra-1)) / 365
	ofYear := ofEra - (365*yearOfEra + yearOfEra/4 - yearOfEra/100)
	monthFromMarch := (5*ofYear + 2) / 153
	dayOfMonth := ofYear - (153*monthFromMarch+2)/5 + 1
	year := era*400 + yearOfEra - 400
	month := monthFromMarch + 3
	if month > 12 {
		month -= 12
		year++
	}
	putTwoDigits(t.date[0:], year/100)
	putTwoDigits(t.date[2:], year%100)
	t.date[4] = '-'
	putTwoDigits(t.date[5:], month)
	t.date[7] = '-'
	putTwoDigits(t.date[8:], dayOfMonth)
	t.date[10] = 'T'
	t.midnight, t.known = seconds-second, true
	return second, true
}

// putFraction writes the digits of a fraction and returns their number, 3 to 9.
func putFraction(text []byte, nanoseconds uint32) int {
	_ = text[8]
	milliseconds, rest := nanoseconds/1_000_000, nanoseconds%1_000_000
	text[0] = byte('0' + milliseconds/100)
	putTwoDigits(text[1:], milliseconds%100)
	if rest == 0 {
		return 3
	}
	putTwoDigits(text[3:], rest/10_000)
	putTwoDigits(text[5:], rest/100%100)
	putTwoDigits(text[7:], rest%100)
	digits := 9
	for text[digits-1] == '0' {
		digits--
	}
	return digits
}

func putTwoDigits(text []byte, n uint32) { *(*[2]byte)(text) = twoDigits[n] }

// twoDigits are the numbers 00 to 99.
var twoDigits = func() (all [100][2]byte) {
	for n := range all {
		all[n] = [2]byte{byte('0' + n/10), byte('0' + n%10)}
	}
	return all
}()
