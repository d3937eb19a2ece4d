package dataexport_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
)

// The diagram that people read and the table that the code obeys are the same.
func TestStateDiagramEqualsTransitionTable(t *testing.T) {
	page, err := os.ReadFile("docs/state_machine.md")
	require.NoError(t, err)
	var drawn []string
	for _, arrow := range regexp.MustCompile(`(?m)^\s+([A-Z]+) --> ([A-Z]+)`).FindAllStringSubmatch(string(page), -1) {
		drawn = append(drawn, arrow[1]+" --> "+arrow[2])
	}
	var allowed []string
	for _, from := range dataexport.Statuses() {
		for _, to := range dataexport.Statuses() {
			if from.CanBecome(to) {
				allowed = append(allowed, fmt.Sprintf("%s --> %s", from, to))
			}
		}
	}
	slices.Sort(drawn)
	slices.Sort(allowed)
	assert.Equal(t, allowed, drawn)
}

func TestAtTellsReadyFromExpired(t *testing.T) {
	now := time.Date(2026, 1, 15, 10, 30, 0, 0, time.UTC)
	job := dataexport.Job{Status: dataexport.StatusReady, ExpiresAt: now}
	assert.Equal(t, dataexport.StatusReady, job.At(now.Add(-1)).Status)
	assert.Equal(t, dataexport.StatusExpired, job.At(now).Status)
	job.Status = dataexport.StatusFailed
	assert.Equal(t, dataexport.StatusFailed, job.At(now.Add(time.Hour)).Status)
}

func TestVisibleTo(t *testing.T) {
	ana, ben := dataexport.Scope{WorkspaceID: "w", Subject: "ana"}, dataexport.Scope{WorkspaceID: "w", Subject: "ben"}
	elsewhere := dataexport.Scope{WorkspaceID: "x", Subject: "ana"}
	shared, personal := dataexport.Job{Scope: ana}, dataexport.Job{Scope: ana, Personal: true}
	assert.True(t, shared.VisibleTo(ana))
	assert.True(t, shared.VisibleTo(ben))
	assert.False(t, shared.VisibleTo(elsewhere))
	assert.True(t, personal.VisibleTo(ana))
	assert.False(t, personal.VisibleTo(ben))
	assert.False(t, personal.VisibleTo(elsewhere))
}
