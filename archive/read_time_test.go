package archive

import (
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseTime(t *testing.T) {
	at := time.Date(2026, 1, 15, 10, 30, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"2026-01-15T10:30Z":               at,
		"2026-01-15T10:30:00Z":            at,
		"2026-01-15T10:30:00.5Z":          at.Add(time.Second / 2),
		"2026-01-15T10:30:00.000Z":        at,
		"2026-01-15T10:30:00.123456789Z":  at.Add(123456789),
		"2026-01-15T10:30:00.1234567899Z": at.Add(123456789),
		"2024-02-29T23:59:59Z":            time.Date(2024, 2, 29, 23, 59, 59, 0, time.UTC),
		"2000-02-29T00:00Z":               time.Date(2000, 2, 29, 0, 0, 0, 0, time.UTC),
		"0000-01-01T00:00Z":               time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC),
		"9999-12-31T23:59:59.999999999Z":  time.Date(9999, 12, 31, 23, 59, 59, 999999999, time.UTC),
	} {
		got, ok := parseTime(text)
		require.True(t, ok, text)
		assert.Equal(t, want, got, text)
	}
	for _, text := range []string{
		"", "Z", "2026-01-15", "2026-01-15Z", "2026-01-15T10Z", "2026-01-15T10:30", "2026-01-15T10:30:Z", "2026-01-15T10:30:0Z",
		"2026-01-15T10:30:00.Z", "2026-01-15T10:30:00,5Z", "2026-01-15T10:30:00.5xZ", "2026-01-15T10:30.5Z", "2026-01-15T24:00Z",
		"2026-01-15T10:60Z", "2026-01-15T10:30:60Z", "2026-01-15t10:30z", "2026-01-15 10:30Z", "2026-02-29T00:00Z", "1900-02-29T00:00Z",
		"2026-00-01T00:00Z", "2026-13-01T00:00Z", "2026-04-31T00:00Z", "2026-01-00T00:00Z", "2026-01-15T10:30+00:00", "2026-1-15T10:30Z",
		"+2026-01-15T10:30Z", "2026-01-15T10:30Z ", " 2026-01-15T10:30Z", "２026-01-15T10:30Z",
	} {
		_, ok := parseTime(text)
		assert.False(t, ok, text)
	}
}

var publicForm = regexp.MustCompile(`^\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d+)?)?Z$`)

// The form is that of the public pattern, and time.Parse knows the days.
func FuzzParseTime(f *testing.F) {
	for _, seed := range []string{"2026-01-15T10:30Z", "2026-02-29T23:59:59.123456789123Z", "2024-02-29T10:30:00Z", "2026-01-15T10:30:00,5Z"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, ok := parseTime(text)
		if !publicForm.MatchString(text) {
			require.False(t, ok)
			return
		}
		layout := time.RFC3339
		if len(text) == len("2026-01-15T10:30Z") {
			layout = "2006-01-02T15:04Z"
		}
		want, err := time.Parse(layout, text)
		require.Equal(t, err == nil, ok)
		if ok {
			require.True(t, want.Equal(got), "%s is not %s", got, want)
		}
	})
}
