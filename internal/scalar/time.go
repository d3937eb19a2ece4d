package scalar

import (
	"encoding/binary"
	"slices"
)

// Times writes instants as RFC 3339 in UTC, for example 2026-01-15T10:30:00.000Z. It keeps the last calendar day that it
// wrote, since the times of neighbouring records often share it. The zero value is ready for use. A Times is not safe for
// concurrent use.
type Times struct {
	midnight int64  // the second at which the day begins that date is the text of
	length   uint64 // of that day in seconds, or 0 if there is none yet
	date     [len("2006-01-02T")]byte
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
	second := uint64(seconds - t.midnight) //nolint:gosec // below 0 is another day too
	if second >= t.length {
		if second, ok = t.setDay(seconds); !ok {
			return dst, false
		}
	}
	if nanoseconds > 999_999_999 {
		return dst, false
	}
	start := len(dst)
	if cap(dst)-start < maxLength {
		dst = grow(dst)
	}
	text := (*[maxLength]byte)(dst[start : start+maxLength])
	*(*[len(t.date)]byte)(text[:]) = t.date
	clock := uint32(second) //nolint:gosec // below secondsPerDay
	minutes := clock / 60
	binary.LittleEndian.PutUint64(text[11:], twoDigits(minutes/60)|':'<<16|twoDigits(minutes%60)<<24|':'<<40|twoDigits(clock%60)<<48)
	milliseconds, rest := nanoseconds/1_000_000, nanoseconds%1_000_000
	binary.LittleEndian.PutUint32(text[19:], '.'|('0'+milliseconds/100)<<8|uint32(twoDigits(milliseconds%100))<<16)
	end := len("2006-01-02T15:04:05.000")
	if rest != 0 {
		end += putFraction(text[end:], rest)
	}
	text[end] = 'Z'
	return dst[:start+end+1], true
}

// grow makes room for a time. It is not inlined, so that fast callers need not keep registers for it.
//
//go:noinline
func grow(dst []byte) []byte { return slices.Grow(dst, maxLength) }

// setDay makes date the text of the day of a second, and returns how far that day has come. The arithmetic is that of a
// calendar whose years begin on the first of March, so that a leap day is the last day of its year, and whose days are
// counted from 0000-03-01 in eras of 400 years.
func (t *Times) setDay(seconds int64) (_ uint64, ok bool) {
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
	t.midnight, t.length = seconds-second, secondsPerDay
	return uint64(second), true
}

// putFraction writes the digits of a fraction behind its third one and returns their number, 1 to 6.
func putFraction(text []byte, nanoseconds uint32) int {
	putTwoDigits(text[0:], nanoseconds/10_000)
	putTwoDigits(text[2:], nanoseconds/100%100)
	putTwoDigits(text[4:], nanoseconds%100)
	digits := 6
	for text[digits-1] == '0' {
		digits--
	}
	return digits
}

func putTwoDigits(text []byte, n uint32) {
	binary.LittleEndian.PutUint16(text, uint16(twoDigits(n))) //nolint:gosec // two bytes
}

// twoDigits returns the digits of a number from 0 to 99, the first in the lowest byte.
func twoDigits(n uint32) uint64 { return uint64(pairsOfDigits[n]) }

var pairsOfDigits = func() (all [100]uint16) {
	for n := range all {
		all[n] = uint16('0'+n/10) | uint16('0'+n%10)<<8 //nolint:gosec // digits
	}
	return all
}()
