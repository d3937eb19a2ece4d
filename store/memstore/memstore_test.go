package memstore_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/store/memstore"
	"github.com/dataexport/dataexport/store/storetest"
)

func open(*testing.T) dataexport.Store { return memstore.New() }

func TestStoreInBubble(t *testing.T) { storetest.RunInBubble(t, open) }

func TestStoreInRealTime(t *testing.T) { storetest.Run(t, open) }

// In a bubble the clock stands still but for waiting, so that the moment of a wake-up can be told exactly.
func TestWaitForWorkEndsWithLeaseAndDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memstore.New()
		_, _, err := s.Create(t.Context(), dataexport.NewJob{ID: "id", Scope: dataexport.Scope{WorkspaceID: "w"}})
		require.NoError(t, err)
		held, err := s.Claim(t.Context(), dataexport.ClaimOptions{Lease: 30 * time.Second})
		require.NoError(t, err)
		require.NoError(t, s.WaitForWork(t.Context()))
		require.True(t, time.Now().Equal(held.HeldUntil))

		held, err = s.Claim(t.Context(), dataexport.ClaimOptions{Lease: 30 * time.Second})
		require.NoError(t, err)
		held.Status = dataexport.StatusPending
		delayed, err := s.Update(t.Context(), held, time.Hour)
		require.NoError(t, err)
		require.NoError(t, s.WaitForWork(t.Context()))
		require.True(t, time.Now().Equal(delayed.HeldUntil))
	})
}

// A worker that renews its lease wakes nobody.
func TestWaitForWorkOutlastsHeartbeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memstore.New()
		_, _, err := s.Create(t.Context(), dataexport.NewJob{ID: "id", Scope: dataexport.Scope{WorkspaceID: "w"}})
		require.NoError(t, err)
		held, err := s.Claim(t.Context(), dataexport.ClaimOptions{Lease: 30 * time.Second})
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
		defer cancel()
		ended := make(chan error, 1)
		go func() { ended <- s.WaitForWork(ctx) }()
		for ctx.Err() == nil {
			held, err = s.Update(t.Context(), held, 30*time.Second)
			require.NoError(t, err)
			<-time.After(10 * time.Second)
		}
		require.ErrorIs(t, <-ended, context.DeadlineExceeded)
	})
}

func TestRefusesWhatMakesNoSense(t *testing.T) {
	s, ctx, scope := memstore.New(), t.Context(), dataexport.Scope{WorkspaceID: "w"}
	_, _, withoutID := s.Create(ctx, dataexport.NewJob{Scope: scope})
	_, _, withoutWorkspace := s.Create(ctx, dataexport.NewJob{ID: "id"})
	_, _, withoutLimit := s.List(ctx, scope, dataexport.ListQuery{})
	_, _, negativeOffset := s.List(ctx, scope, dataexport.ListQuery{Limit: 1, Offset: -1})
	_, withoutLease := s.Claim(ctx, dataexport.ClaimOptions{})
	_, withoutStatus := s.Update(ctx, dataexport.Job{ID: "id"}, time.Hour)
	_, _, withoutDueLimit := s.Due(ctx, dataexport.DueQuery{})
	for _, err := range []error{
		withoutID, withoutWorkspace, withoutLimit, negativeOffset, withoutLease, withoutStatus, withoutDueLimit,
	} {
		require.ErrorIs(t, err, dataexport.ErrInvalid)
	}
}

func Example() {
	ctx := context.Background()
	var store dataexport.Store = memstore.New()
	alice := dataexport.Scope{WorkspaceID: "acme", Subject: "alice"}
	_, _, err := store.Create(ctx, dataexport.NewJob{
		ID: "019bc0f5-3a80-7000-8000-000000000001", Scope: alice, Dataset: "memories", Format: "csv",
	})
	if err != nil {
		panic(err)
	}
	job, err := store.Claim(ctx, dataexport.ClaimOptions{Lease: time.Minute})
	if err != nil {
		panic(err)
	}
	fmt.Println(job.Status, job.Scope.WorkspaceID, job.Format)
	// Output: PROCESSING acme csv
}
