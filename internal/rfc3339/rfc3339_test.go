package rfc3339

import (
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParse(t *testing.T) {
	at := time.Date(2026, 1, 15, 10, 30, 0, 0, time.UTC)
	good := map[string]time.Time{
		"2026-01-15T10:30:00Z":            at,
		"2026-01-15T12:00:00+01:30":       at,
		"2026-01-14T10:31:00-23:59":       at,
		"2026-01-15T10:30:00.5Z":          at.Add(time.Second / 2),
		"2026-01-15T10:30:00.123456789Z":  at.Add(123456789),
		"2026-01-15T10:30:00.1234567899Z": at.Add(123456789),
		"0000-01-01T00:00:00Z":            time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC),
		"9999-12-31T23:59:59.999999999Z":  time.Date(9999, 12, 31, 23, 59, 59, 999999999, time.UTC),
		"2024-02-29T00:00:00+00:00":       time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC),
	}
	for text, want := range good {
		got, _, err := Parse(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, got, text)
	}
	for _, text := range []string{
		"", "2026-01-15", "2026-01-15T1:30:00Z", "2026-01-15T10:30Z", "2026-01-15T10:30:00", "2026-01-15T10:30:00,5Z",
		"2026-01-15T10:30:00.Z", "2026-01-15T10:30:00+24:00", "2026-01-15T10:30:00+00:60", "2026-01-15T10:30:00+0100",
		"2026-02-29T00:00:00Z", "2026-01-15T24:00:00Z", "2026-01-15T10:30:60Z", "2026-01-15t10:30:00z", "2026-01-15 10:30:00Z",
		"2026-01-15T10:30:00Z ", "12026-01-15T10:30:00Z", "-026-01-15T10:30:00Z",
	} {
		_, _, err := Parse(text)
		assert.ErrorIs(t, err, ErrForm, text)
	}
	for _, text := range []string{"9999-12-31T23:59:59-00:01", "0000-01-01T00:00:00+00:01"} {
		_, _, err := Parse(text)
		assert.ErrorIs(t, err, ErrYear, text)
	}
}

// The form of RFC 3339, section 5.6, with capital letters. Whether a day exists is left to time.Parse.
var form = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$`)

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"2026-01-15T10:30:00Z", "2026-01-15T1:30:00Z", "2026-01-15T10:30:00,5Z", "2026-01-15T10:30:00.5+24:00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, _, err := Parse(text)
		if err != nil {
			return
		}
		require.Regexp(t, form, text)
		again, _, err := Parse(got.Format(time.RFC3339Nano))
		require.NoError(t, err)
		require.Equal(t, got, again)
	})
}
