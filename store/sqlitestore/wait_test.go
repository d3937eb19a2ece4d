package sqlitestore

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
)

func mustCreate(t *testing.T, s *Store, id string) {
	t.Helper()
	_, _, err := s.Create(t.Context(), dataexport.NewJob{ID: id, Scope: scope})
	require.NoError(t, err)
}

// The end of a lease or of a delay makes work, and nobody announces it.
func TestWaitForWorkSeesTimePass(t *testing.T) {
	s, _ := migrated(t)
	mustCreate(t, s, "id")
	claimed, err := s.Claim(t.Context(), dataexport.ClaimOptions{Lease: 30 * time.Millisecond})
	require.NoError(t, err)
	require.NoError(t, s.WaitForWork(t.Context()))
	again, err := s.Claim(t.Context(), dataexport.ClaimOptions{Lease: time.Hour})
	require.NoError(t, err)
	require.False(t, again.StartedAt.Before(claimed.HeldUntil))

	again.Status = dataexport.StatusPending
	delayed, err := s.Update(t.Context(), again, 30*time.Millisecond)
	require.NoError(t, err)
	require.NoError(t, s.WaitForWork(t.Context()))
	again, err = s.Claim(t.Context(), dataexport.ClaimOptions{Lease: time.Hour})
	require.NoError(t, err)
	require.False(t, again.StartedAt.Before(delayed.HeldUntil))
}

// What another process has made is seen by the next call.
func TestWaitForWorkSeesJobsOfOthers(t *testing.T) {
	s, other := migrated(t)
	require.ErrorIs(t, s.WaitForWork(cancelledSoon(t)), context.DeadlineExceeded)
	mustCreate(t, New(other), "id")
	require.NoError(t, s.WaitForWork(t.Context()))
}

func TestWaitForWorkOutlastsTrouble(t *testing.T) {
	s, _ := migrated(t)
	require.NoError(t, s.db.Close())
	require.ErrorIs(t, s.WaitForWork(cancelledSoon(t)), context.DeadlineExceeded)
}
