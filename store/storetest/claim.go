package storetest

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/dataexport/dataexport"
)

func claimNothing(t *tester) {
	t.noJob("")
	t.noJob(newID())
	t.noJob("nonsense")
	t.claim(t.create(request(alice)).ID)
	t.noJob("")
}

func claimHolds(t *tester) {
	before := t.create(request(alice))
	t.tick()
	j := t.claim("")
	t.equal("the claimed job as Find returns it", t.find(j.ID), j)
	if j.Status != dataexport.StatusProcessing || j.Version != 2 || j.Attempts != 1 {
		t.Errorf("a claimed job has status %s, version %d and %d attempts, want PROCESSING, 2 and 1", j.Status, j.Version, j.Attempts)
	}
	if !j.StartedAt.After(before.CreatedAt) || !j.UpdatedAt.After(before.UpdatedAt) {
		t.Errorf("created at %s; claimed later, started at %s and updated at %s", j.CreatedAt, j.StartedAt, j.UpdatedAt)
	}
	t.near("HeldUntil", j.HeldUntil, j.StartedAt, time.Hour)
	want := before
	want.Status, want.Version, want.Attempts = j.Status, j.Version, j.Attempts
	want.StartedAt, want.UpdatedAt, want.HeldUntil = j.StartedAt, j.UpdatedAt, j.HeldUntil
	t.equal("the claimed job", j, want)
	t.noJob("")
	t.noJob(j.ID)
}

func claimByID(t *tester) {
	first := t.create(request(in("w1")))
	t.tick()
	second := t.create(request(in("w1")))
	n := request(in("w2"))
	n.Personal = true
	personal := t.create(n)
	t.claim(second.ID)
	t.noJob(second.ID)
	t.noJob(newID())
	t.claim(first.ID) // although another workspace is next
	t.claim(personal.ID)
}

func claimEnded(t *tester) {
	for _, s := range states()[1:] {
		j := s.make(t, request(alice))
		t.noJob(j.ID)
		t.noJob("")
		t.equal("a job that cannot be claimed, "+s.name, t.find(j.ID), j)
	}
}

// untilClaimed asks for a job until it is given out.
func (t *tester) untilClaimed(id string) (j dataexport.Job) {
	t.Helper()
	t.eventually("a job is given out", func() bool {
		var err error
		j, err = t.store.Claim(t.Context(), dataexport.ClaimOptions{ID: id, Lease: time.Hour})
		if err != nil && !errors.Is(err, dataexport.ErrNoJob) {
			t.Fatalf("Claim: %v", err)
		}
		return err == nil
	})
	return j
}

func claimAfterLease(t *tester) {
	for _, byID := range []bool{true, false} {
		id := t.create(request(alice)).ID
		ask := ""
		if byID {
			ask = id
		}
		total := int64(50)
		first, err := t.store.Claim(t.Context(), dataexport.ClaimOptions{Lease: 50 * time.Millisecond})
		t.must(err)
		first.Progress = dataexport.Progress{Records: 7, Total: &total}
		first = t.update(first, 50*time.Millisecond)

		second := t.untilClaimed(ask)
		if second.ID != id || second.Version != first.Version+1 || second.Attempts != 2 {
			t.Fatalf("a lapsed lease gave out job %s with version %d and attempt %d, want %s, %d and 2",
				second.ID, second.Version, second.Attempts, id, first.Version+1)
		}
		if second.StartedAt.Before(first.HeldUntil) {
			t.Fatalf("a job that was held until %s was given out at %s", first.HeldUntil, second.StartedAt)
		}
		if second.Progress.Records != 0 || second.Progress.Total != nil {
			t.Fatalf("a new attempt begins with progress %+v", second.Progress)
		}
		_, err = t.store.Update(t.Context(), first, time.Hour)
		if !errors.Is(err, dataexport.ErrConflict) {
			t.Fatalf("the worker that lost its lease got %v, want ErrConflict", err)
		}
		t.equal("the job after the conflict", t.find(id), second)
	}
}

func claimAfterDelay(t *tester) {
	j := t.claim(t.create(request(alice)).ID)
	j.Status = dataexport.StatusPending
	j = t.update(j, time.Hour)
	t.near("HeldUntil", j.HeldUntil, j.UpdatedAt, time.Hour)
	t.noJob("")
	t.noJob(j.ID)

	j = t.update(j, 50*time.Millisecond)
	again := t.untilClaimed("")
	if again.ID != j.ID || again.StartedAt.Before(j.HeldUntil) {
		t.Fatalf("job %s, delayed until %s: job %s was given out at %s", j.ID, j.HeldUntil, again.ID, again.StartedAt)
	}
}

// A lease that lapses at once lets many workers claim the same few jobs over and over.
func claimEachVersionOnce(t *tester) {
	const jobs, workers, claims = 3, 6, 15
	for range jobs {
		t.create(request(alice))
	}
	var mu sync.Mutex
	seen := make(map[string]bool)
	together(workers, func(int) {
		for range claims {
			var j dataexport.Job
			t.eventually("a job is given out", func() bool {
				var err error
				j, err = t.store.Claim(t.Context(), dataexport.ClaimOptions{Lease: time.Nanosecond})
				return err == nil
			})
			mu.Lock()
			version := fmt.Sprint(j.ID, " version ", j.Version)
			if seen[version] {
				t.Errorf("two callers were given job %s", version)
			}
			seen[version] = true
			if j.Attempts != int(j.Version-1) {
				t.Errorf("job %s has %d attempts", version, j.Attempts)
			}
			mu.Unlock()
		}
	})
	page := t.list(alice, dataexport.ListQuery{Limit: jobs}, jobs)
	total := 0
	for _, j := range page {
		total += j.Attempts
	}
	if total != workers*claims {
		t.Fatalf("%d claims count as %d attempts", workers*claims, total)
	}
}

func claimEachJobOnce(t *tester) {
	const jobs, workers = 24, 6
	for i := range jobs {
		t.create(request(in(fmt.Sprint("w", i%5))))
	}
	var mu sync.Mutex
	given := make(map[string]int)
	together(workers, func(int) {
		for {
			j, err := t.store.Claim(t.Context(), dataexport.ClaimOptions{Lease: time.Hour})
			if errors.Is(err, dataexport.ErrNoJob) {
				return
			}
			if err != nil {
				t.Errorf("Claim: %v", err)
				return
			}
			mu.Lock()
			given[j.ID]++
			mu.Unlock()
		}
	})
	for id, times := range given {
		if times != 1 {
			t.Errorf("job %s was given out %d times", id, times)
		}
	}
	if len(given) != jobs {
		t.Fatalf("%d of %d jobs were given out before ErrNoJob", len(given), jobs)
	}
}
