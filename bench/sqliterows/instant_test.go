package sqliterows

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/dataexport/dataexport"
)

// Every day of the calendar, and a moment of it.
func TestParseUTC(t *testing.T) {
	for day := time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC); day.Year() < 10_000; day = day.AddDate(0, 0, 1) {
		instant := day.Add(time.Duration(day.YearDay()*86_399_999/366) * time.Millisecond)
		v, ok := parseUTC(instant.Format(time.RFC3339Nano))
		if !ok || v != dataexport.TimeValue(instant) {
			t.Fatalf("%s is read as %s, %t", instant, v.Time(), ok)
		}
	}
}

func FuzzParseUTC(f *testing.F) {
	for _, text := range []string{
		"2026-01-15T12:30:00Z", "2024-02-29T23:59:59.999999999Z", "2026-02-29T00:00:00Z", "2026-01-15T12:30:60Z", "2026-13-01T00:00:00Z",
		"2026-01-15T24:00:00Z", "2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z", "2026-04-31T00:00:00Z", "1900-02-29T00:00:00.5Z",
		"2026-01-15T12:30:00.Z", "2026-01-15T12:30:00.1234567891Z", "2026-01-15T12:30:00+02:00", "2026-01-15 12:30:00Z", "2026-01-15T12:30:0:Z", "", "Z",
		"/026-01-15T12:30:00Z", "2026-01-15T12:30:00,5Z", strings.Repeat("0", 20),
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, ok := parseUTC(text)
		instant, err := time.Parse(time.RFC3339, text)
		if ok {
			assert.NoError(t, err)
			assert.Equal(t, dataexport.TimeValue(instant), v)
		}
	})
}
