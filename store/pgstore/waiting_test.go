package pgstore

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
)

// orderFor makes a job of a workspace and returns its id.
func orderFor(t *testing.T, s *Store, workspace string) string {
	t.Helper()
	job, _, err := s.Create(t.Context(), dataexport.NewJob{
		ID: uuid.Must(uuid.NewV7()).String(), Scope: dataexport.Scope{WorkspaceID: workspace}, Dataset: "d", Format: "f",
	})
	require.NoError(t, err)
	return job.ID
}

// hold claims a job, and end ends it.
func hold(t *testing.T, s *Store, id string) (end func()) {
	t.Helper()
	job, err := s.Claim(t.Context(), dataexport.ClaimOptions{ID: id, Lease: time.Minute})
	require.NoError(t, err)
	return func() {
		job.Status, job.BlobKey = dataexport.StatusReady, job.ID+"/2"
		_, err := s.Update(t.Context(), job, time.Minute)
		require.NoError(t, err)
	}
}

func TestWaiting(t *testing.T) {
	s := New(migrated(t), Options{})
	ids := []string{orderFor(t, s, "a"), orderFor(t, s, "b"), orderFor(t, s, "a"), orderFor(t, s, "a")}
	waiting := func(atLeast time.Duration, after string, limit int) []string {
		t.Helper()
		found, err := s.Waiting(t.Context(), atLeast, after, limit)
		require.NoError(t, err)
		return found
	}
	assert.Equal(t, ids, waiting(0, "", 10))
	assert.Equal(t, ids[:2], waiting(0, "", 2))
	assert.Equal(t, ids[2:], waiting(0, ids[1], 10))
	assert.Empty(t, waiting(time.Minute, "", 10), "they are too new")
	hold(t, s, ids[0])
	hold(t, s, ids[1])()
	assert.Equal(t, ids[2:], waiting(0, "", 10), "neither held nor ended")
}
