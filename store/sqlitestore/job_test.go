package sqlitestore

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
)

func TestTimesAsTheyAreStored(t *testing.T) {
	for _, at := range []time.Time{
		{}, time.Unix(0, 1).UTC(), time.Date(2026, 1, 15, 10, 30, 0, 123_456_789, time.UTC), time.Unix(0, math.MaxInt64).UTC(),
	} {
		require.Equal(t, at, instant(nanoseconds(at)))
	}
	// Later than what fits is the last instant that does, and not long ago.
	require.Equal(t, int64(math.MaxInt64), nanoseconds(time.Date(2300, 1, 1, 0, 0, 0, 0, time.UTC)))
}

func TestRefusesWhatMakesNoSense(t *testing.T) {
	s, _ := migrated(t)
	ctx := t.Context()
	mustCreate(t, s, "id")
	_, _, withoutID := s.Create(ctx, dataexport.NewJob{Scope: scope})
	_, _, withoutWorkspace := s.Create(ctx, dataexport.NewJob{ID: "other"})
	_, _, withTakenID := s.Create(ctx, dataexport.NewJob{ID: "id", Scope: scope})
	_, _, withoutLimit := s.List(ctx, scope, dataexport.ListQuery{})
	_, _, negativeOffset := s.List(ctx, scope, dataexport.ListQuery{Limit: 1, Offset: -1})
	_, withoutLease := s.Claim(ctx, dataexport.ClaimOptions{})
	_, withoutStatus := s.Update(ctx, dataexport.Job{ID: "id", Version: 1}, time.Hour)
	_, _, withoutDueLimit := s.Due(ctx, dataexport.DueQuery{})
	for _, err := range []error{
		withoutID, withoutWorkspace, withTakenID, withoutLimit, negativeOffset, withoutLease, withoutStatus, withoutDueLimit,
	} {
		require.ErrorIs(t, err, dataexport.ErrInvalid)
	}
}
