package storetest

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/dataexport/dataexport"
)

func keyed(s dataexport.Scope, key string) dataexport.NewJob {
	n := request(s)
	n.IdempotencyKey = key
	return n
}

func createMakesPendingJob(t *tester) {
	j := t.create(request(alice))
	if j.Version != 1 || j.Status != dataexport.StatusPending || j.Attempts != 0 {
		t.Errorf("a new job has version %d, status %s and %d attempts, want 1, PENDING and 0", j.Version, j.Status, j.Attempts)
	}
	if j.CreatedAt.IsZero() || !j.UpdatedAt.Equal(j.CreatedAt) {
		t.Errorf("a new job is created at %s and updated at %s", j.CreatedAt, j.UpdatedAt)
	}
	if !j.StartedAt.IsZero() || !j.CompletedAt.IsZero() || !j.ExpiresAt.IsZero() {
		t.Errorf("a new job has started at %s, completed at %s and expires at %s", j.StartedAt, j.CompletedAt, j.ExpiresAt)
	}
	t.equal("the job that Get returns", t.get(alice, j.ID), j)
	t.equal("the job that Find returns", t.find(j.ID), j)
}

func createRefusesTakenID(t *tester) {
	first := t.create(request(alice))
	again := request(in("w2"))
	again.ID = first.ID
	if j, _, err := t.store.Create(t.Context(), again); err == nil {
		t.Fatalf("Create made %+v of an id that is taken", j)
	}
	t.equal("the first job", t.find(first.ID), first)
}

func createWithoutKey(t *tester) {
	t.create(request(alice))
	t.create(request(alice))
	if n := t.count(alice); n != 2 {
		t.Fatalf("there are %d jobs, want 2", n)
	}
}

func createReplays(t *tester) {
	first := t.create(keyed(alice, "key"))
	t.replay(keyed(alice, "key"), first)
	bob := dataexport.Scope{WorkspaceID: alice.WorkspaceID, Subject: "bob"}
	t.replay(keyed(bob, "key"), first)
	t.create(keyed(alice, "KEY"))
	t.create(keyed(alice, "key "))
}

func createReplaysEveryState(t *tester) {
	for _, s := range states() {
		n := keyed(alice, s.name)
		j := s.make(t, n)
		n.ID = newID()
		t.replay(n, j)
	}
}

func createRefusesReusedKey(t *tester) {
	first := t.create(keyed(alice, "key"))
	other := keyed(alice, "key")
	other.Fingerprint = "another"
	t.refuse(other, dataexport.ErrIdempotencyKeyReused)
	t.equal("the first job", t.get(alice, first.ID), first)
}

func createReplaysOverQuota(t *tester) {
	n := keyed(alice, "key")
	n.MaxActive, n.MaxReady = 1, 1
	first := t.create(n)
	n.ID = newID()
	t.replay(n, first)
	other := n
	other.Fingerprint = "another"
	t.refuse(other, dataexport.ErrIdempotencyKeyReused)

	first = t.become(first, dataexport.StatusReady, time.Hour)
	t.replay(n, first)
	t.refuse(other, dataexport.ErrIdempotencyKeyReused)
}

func createKeysOfWorkspaces(t *tester) {
	first := t.create(keyed(in("w1"), "key"))
	second := t.create(keyed(in("w2"), "key"))
	t.replay(keyed(in("w1"), "key"), first)
	t.replay(keyed(in("w2"), "key"), second)
}

func createKeysOfPersonalJobs(t *tester) {
	personal := func(subject string) dataexport.NewJob {
		n := keyed(dataexport.Scope{WorkspaceID: "w1", Subject: subject}, "key")
		n.Personal = true
		n.Fingerprint = subject
		return n
	}
	first := t.create(personal("alice"))
	second := t.create(personal("bob"))
	t.replay(personal("alice"), first)
	t.replay(personal("bob"), second)
	shared := personal("carol")
	shared.Personal = false
	third := t.create(shared)
	shared.ID = newID()
	t.replay(shared, third)
	// What is not personal is seen by all, and so its key is taken for all who have not used it.
	t.refuse(personal("dave"), dataexport.ErrIdempotencyKeyReused)
}

func createFreesKey(t *tester) {
	for _, s := range states() {
		n := keyed(alice, s.name)
		t.delete(s.make(t, n))
		n.ID, n.Fingerprint = newID(), "another"
		t.delete(t.create(n))
	}
}

func createRace(t *tester) {
	const racers = 8
	for round := range 5 {
		key := fmt.Sprint("key ", round)
		var made atomic.Int64
		var got [racers]string
		together(racers, func(i int) {
			j, replayed, err := t.store.Create(t.Context(), keyed(alice, key))
			if err != nil {
				t.Errorf("Create: %v", err)
			}
			if !replayed {
				made.Add(1)
			}
			got[i] = j.ID
		})
		if made.Load() != 1 {
			t.Fatalf("%d of %d calls with one key made a job, want 1", made.Load(), racers)
		}
		for _, id := range got {
			if id != got[0] || id == "" {
				t.Fatalf("calls with one key returned different jobs: %q", got)
			}
		}
	}
	if n := t.count(alice); n != 5 {
		t.Fatalf("5 keys made %d jobs", n)
	}
}

func createBoundsActive(t *tester) {
	n := request(alice)
	n.MaxActive = 3
	pending := t.create(n)
	n.ID = newID()
	delayed := t.claim(t.create(n).ID)
	delayed.Status = dataexport.StatusPending
	delayed = t.update(delayed, time.Hour)
	n.ID = newID()
	held := t.claim(t.create(n).ID)
	held = t.update(held, instant) // a lease that has run out makes no room either
	n.ID = newID()
	t.refuse(n, dataexport.ErrTooManyExports)
	t.tick()
	t.refuse(n, dataexport.ErrTooManyExports)
	t.create(request(alice)) // 0 is no bound
	n.MaxActive = 4
	t.refuse(n, dataexport.ErrTooManyExports)

	held.Status = dataexport.StatusFailed
	t.update(held, 0)
	t.create(n)
	n.ID = newID()
	t.refuse(n, dataexport.ErrTooManyExports)
	t.delete(delayed)
	t.create(n)
	n.ID = newID()
	t.refuse(n, dataexport.ErrTooManyExports)
	t.become(pending, dataexport.StatusReady, time.Hour)
	t.create(n)
}

func createBoundsActiveInRace(t *tester) {
	var made, refused atomic.Int64
	together(8, func(int) {
		n := request(alice)
		n.MaxActive = 3
		switch _, _, err := t.store.Create(t.Context(), n); {
		case err == nil:
			made.Add(1)
		case isTooMany(err):
			refused.Add(1)
		default:
			t.Errorf("Create: %v", err)
		}
	})
	if made.Load() != 3 || refused.Load() != 5 || t.count(alice) != 3 {
		t.Fatalf("8 calls with a bound of 3 made %d jobs and refused %d; there are %d", made.Load(), refused.Load(), t.count(alice))
	}
}

func createBoundsReady(t *tester) {
	n := request(alice)
	n.MaxReady = 2
	t.become(t.create(n), dataexport.StatusReady, time.Hour)
	n.ID = newID()
	t.become(t.create(n), dataexport.StatusFailed, 0) // no file, no room taken
	n.ID = newID()
	ready := t.become(t.create(n), dataexport.StatusReady, time.Hour)
	n.ID = newID()
	t.refuse(n, dataexport.ErrTooManyExports)
	t.create(request(alice)) // 0 is no bound
	t.delete(ready)
	t.create(n)
}

func createDoesNotCountExpired(t *tester) {
	for _, s := range states()[4:] {
		s.make(t, request(alice))
	}
	n := request(alice)
	n.MaxReady, n.MaxActive = 1, 1
	t.create(n)
}

func createCountsSubjects(t *tester) {
	n := request(dataexport.Scope{WorkspaceID: "w1", Subject: "bob"})
	n.Personal = true
	t.become(t.create(n), dataexport.StatusReady, time.Hour)
	n.ID = newID()
	t.create(n)

	active := request(alice)
	active.MaxActive = 1
	t.refuse(active, dataexport.ErrTooManyExports)
	ready := request(alice)
	ready.MaxReady = 1
	t.refuse(ready, dataexport.ErrTooManyExports)

	active.Scope.WorkspaceID, active.MaxReady = "w2", 1
	t.create(active)
}
