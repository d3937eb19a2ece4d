package database

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestInstants(t *testing.T) {
	last := ""
	for _, instant := range []time.Time{
		time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(0, 1, 1, 0, 0, 0, 1, time.UTC), time.Date(999, 12, 31, 23, 59, 59, 999999999, time.UTC),
		time.Date(1000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 1, 15, 11, 30, 0, 100, time.FixedZone("", 3600)),
		time.Date(9999, 12, 31, 23, 59, 59, 999999999, time.UTC),
	} {
		text := FormatInstant(instant)
		assert.Greater(t, text, last)
		last = text
		got, err := ParseInstant(text)
		require.NoError(t, err)
		assert.Equal(t, instant.UTC(), got)
	}
	for _, text := range []string{"", "2026-01-15T10:30:00Z", "2026-01-15 10:30:00.000000000Z"} {
		_, err := ParseInstant(text)
		assert.Error(t, err, text)
	}
}
