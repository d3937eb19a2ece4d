package main

import (
	"fmt"
	"time"
)

// instantLayout is how the database keeps times; schema.sql says why.
const instantLayout = "2006-01-02T15:04:05.000000000Z"

// formatInstant writes a time of the years 0000 to 9999 as the database keeps it.
func formatInstant(t time.Time) string { return t.UTC().Format(instantLayout) }

// parseInstant reads what formatInstant writes.
func parseInstant(text string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || len(text) != len(instantLayout) {
		return time.Time{}, fmt.Errorf("the database holds a time that is none: %q", text)
	}
	return t, nil
}
