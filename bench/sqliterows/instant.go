package sqliterows

import (
	"time"

	"github.com/dataexport/dataexport"
)

// parseTime reads an instant of RFC 3339, section 5.6. The usual form of it, in UTC, is read here, since time.Parse takes several times
// as long.
func parseTime(text string) (dataexport.Value, error) {
	if v, ok := parseUTC(text); ok {
		return v, nil
	}
	instant, err := time.Parse(time.RFC3339, text) // takes a fraction too
	return dataexport.TimeValue(instant), err
}

// parseUTC reads an instant such as 2006-01-02T15:04:05.999Z, with up to nine digits of a fraction or none. It returns false if the text is
// any other.
func parseUTC(text string) (v dataexport.Value, ok bool) {
	const form = "2006-01-02T15:04:05"
	last := len(text) - 1
	if last < len(form) || text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' || text[16] != ':' || text[last] != 'Z' {
		return v, false
	}
	var largest byte // of the digits
	digit := func(i int) int {
		d := text[i] - '0'
		largest = max(largest, d)
		return int(d)
	}
	two := func(i int) int { return 10*digit(i) + digit(i+1) }
	year, month, day := 100*two(0)+two(2), two(5), two(8)
	hour, minute, second := two(11), two(14), two(17)
	nanoseconds := uint32(0)
	if fraction := last - len(form); fraction > 0 {
		if text[len(form)] != '.' || fraction == 1 || fraction > 10 {
			return v, false
		}
		for i := len(form) + 1; i < last; i++ {
			nanoseconds = 10*nanoseconds + uint32(digit(i))
		}
		for range 10 - fraction {
			nanoseconds *= 10
		}
	}
	if largest > 9 || month < 1 || month > 12 || day < 1 || day > 28 && day > daysIn(year, month) || hour > 23 || minute > 59 || second > 59 {
		return v, false
	}
	return dataexport.UnixValue(int64(daysSince1970(year, month, day))*86400+int64(hour*3600+minute*60+second), nanoseconds), true
}

// daysIn returns how many days a month has.
func daysIn(year, month int) int {
	return time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// daysSince1970 counts the days from 1970-01-01 to a day of the years 0 to 9999. A year that begins in March has its leap day at its end, and
// its months begin 153 days apart for each five.
func daysSince1970(year, month, day int) int {
	const (
		before1970 = 719468 // days from 0000-03-01 to 1970-01-01
		year400    = 146097 // days of 400 years
	)
	year, month = year+400, month-3 // so that no January is before the first year
	if month < 0 {
		year, month = year-1, month+12
	}
	return 365*year + year/4 - year/100 + year/400 + (153*month+2)/5 + day - 1 - before1970 - year400
}
