package database

import (
	"fmt"
	"time"
)

// instantLayout is how the databases keep times; schema.sql says why.
const instantLayout = "2006-01-02T15:04:05.000000000Z"

// FormatInstant writes a time of the years 0000 to 9999 as the databases keep it.
func FormatInstant(t time.Time) string { return t.UTC().Format(instantLayout) }

// InstantText is FormatInstant for a time that may be null.
func InstantText(t *time.Time) any {
	if t == nil {
		return nil
	}
	return FormatInstant(*t)
}

// ParseInstant reads what FormatInstant writes.
func ParseInstant(text string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || len(text) != len(instantLayout) {
		return time.Time{}, fmt.Errorf("the database holds a time that is none: %q", text)
	}
	return t, nil
}
