package storetest

import (
	"fmt"
	"slices"
	"time"

	"github.com/dataexport/dataexport"
)

func (t *tester) due(q dataexport.DueQuery) ([]dataexport.Job, time.Duration) {
	t.Helper()
	if q.Limit == 0 {
		q.Limit = 100
	}
	jobs, next, err := t.store.Due(t.Context(), q)
	t.must(err)
	return jobs, next
}

// notDue checks that nothing is due before about a time from now.
func (t *tester) notDue(q dataexport.DueQuery, want time.Duration) {
	t.Helper()
	jobs, next := t.due(q)
	if len(jobs) != 0 {
		t.Fatalf("Due(%+v) returned %s, which is not due", q, describe(jobs))
	}
	if off := (want - next).Abs(); next <= 0 || off > 10*time.Minute {
		t.Fatalf("Due(%+v): next is %s, want about %s", q, next, want)
	}
}

// isDue checks that one job is due and returns when the next will be.
func (t *tester) isDue(q dataexport.DueQuery, want dataexport.Job) time.Duration {
	t.Helper()
	jobs, next := t.due(q)
	if len(jobs) != 1 || jobs[0].ID != want.ID {
		t.Fatalf("Due(%+v) returned %s, want job %s", q, describe(jobs), want.ID)
	}
	t.equal("the job that Due returns", jobs[0], want)
	return next
}

func describe(jobs []dataexport.Job) string {
	text := fmt.Sprintf("%d jobs:", len(jobs))
	for _, j := range jobs {
		text += fmt.Sprintf(" [%s %s, file %q]", j.ID, j.Status, j.BlobKey)
	}
	return text
}

func dueNothing(t *tester) {
	check := func(what string) {
		t.Helper()
		if jobs, next := t.due(dataexport.DueQuery{}); len(jobs) != 0 || next >= 0 {
			t.Fatalf("%s: Due returned %s; next is %s, want a negative duration", what, describe(jobs), next)
		}
	}
	check("an empty store")
	j := t.create(request(alice))
	check("a pending job")
	j = t.claim(j.ID)
	check("a job that is held")
	j = t.update(j, time.Nanosecond)
	t.tick()
	check("a lapsed lease")
	j.Status = dataexport.StatusPending
	t.update(j, time.Hour)
	check("a delayed job")
}

func dueFiles(t *tester) {
	ready := t.become(t.create(request(alice)), dataexport.StatusReady, 3*time.Hour)
	t.notDue(dataexport.DueQuery{FileGrace: time.Hour, Keep: 50 * time.Hour}, 4*time.Hour)
	t.notDue(dataexport.DueQuery{}, 3*time.Hour)
	t.delete(ready)

	n := request(alice)
	n.Personal = true // the sweep sees every job
	expired := t.expired(n)
	t.notDue(dataexport.DueQuery{FileGrace: time.Hour}, time.Hour)
	t.notDue(dataexport.DueQuery{FileGrace: 2 * time.Hour, Keep: time.Hour}, 2*time.Hour)
	if next := t.isDue(dataexport.DueQuery{Keep: time.Hour}, expired); next == 0 {
		t.Fatal("next is 0 although Limit has cut nothing")
	}
	t.eventually("a file is due after a short grace", func() bool {
		jobs, _ := t.due(dataexport.DueQuery{FileGrace: 20 * time.Millisecond, Keep: time.Hour})
		return len(jobs) == 1
	})

	swept := expired
	swept.BlobKey = ""
	t.update(swept, 0)
	t.notDue(dataexport.DueQuery{Keep: time.Hour}, time.Hour)
}

func dueFailed(t *tester) {
	failed := t.become(t.create(request(alice)), dataexport.StatusFailed, 0)
	t.notDue(dataexport.DueQuery{Keep: 5 * time.Hour}, 5*time.Hour)
	t.notDue(dataexport.DueQuery{Keep: 5 * time.Hour, FileGrace: time.Hour}, 5*time.Hour)
	if next := t.isDue(dataexport.DueQuery{FileGrace: time.Hour}, failed); next >= 0 {
		t.Fatalf("next is %s, and nothing is in sight", next)
	}
	t.eventually("a failed job is due after it was kept", func() bool {
		jobs, _ := t.due(dataexport.DueQuery{Keep: 20 * time.Millisecond})
		return len(jobs) == 1
	})
	t.delete(failed)
	if jobs, next := t.due(dataexport.DueQuery{}); len(jobs) != 0 || next >= 0 {
		t.Fatalf("after the last job was deleted, Due returned %s and next %s", describe(jobs), next)
	}
}

func dueExpired(t *tester) {
	expired := t.expired(request(alice))
	expired.BlobKey = ""
	expired = t.update(expired, 0)
	t.notDue(dataexport.DueQuery{Keep: 5 * time.Hour}, 5*time.Hour)
	if next := t.isDue(dataexport.DueQuery{FileGrace: time.Hour}, expired); next >= 0 {
		t.Fatalf("next is %s, and nothing is in sight", next)
	}
}

func dueFirstInSight(t *tester) {
	for _, d := range []time.Duration{9 * time.Hour, 5 * time.Hour, 3 * time.Hour, 7 * time.Hour} {
		t.become(t.create(request(alice)), dataexport.StatusReady, d)
	}
	t.notDue(dataexport.DueQuery{}, 3*time.Hour)
	swept := t.expired(request(alice))
	swept.BlobKey = ""
	t.update(swept, 0)
	t.notDue(dataexport.DueQuery{Keep: 2 * time.Hour}, 2*time.Hour)
	t.notDue(dataexport.DueQuery{Keep: 20 * time.Hour, FileGrace: time.Hour}, 4*time.Hour)
	t.become(t.create(request(alice)), dataexport.StatusFailed, 0)
	t.notDue(dataexport.DueQuery{Keep: 2 * time.Hour}, 2*time.Hour)
	t.notDue(dataexport.DueQuery{Keep: 20 * time.Hour}, 3*time.Hour)
}

// dueQueue makes jobs of all three kinds and waits until all are due.
func (t *tester) dueQueue() (jobs []dataexport.Job, at map[string]time.Time) {
	t.Helper()
	at = make(map[string]time.Time)
	for range 3 {
		swept := t.expired(request(in("w1")))
		swept.BlobKey = ""
		for _, j := range []dataexport.Job{
			t.become(t.create(request(in("w2"))), dataexport.StatusFailed, 0),
			t.update(swept, 0),
			t.expired(request(in("w3"))),
		} {
			jobs = append(jobs, j)
			at[j.ID] = j.ExpiresAt
			if j.Status == dataexport.StatusFailed {
				at[j.ID] = j.CompletedAt
			}
		}
		t.tick()
	}
	slices.SortFunc(jobs, func(a, b dataexport.Job) int { return at[a.ID].Compare(at[b.ID]) })
	return jobs, at
}

func dueOrder(t *tester) {
	want, at := t.dueQueue()
	jobs, next := t.due(dataexport.DueQuery{})
	if len(jobs) != len(want) || next >= 0 {
		t.Fatalf("Due returned %s and next %s, want %d jobs and nothing in sight", describe(jobs), next, len(want))
	}
	for i, j := range jobs {
		if !at[j.ID].Equal(at[want[i].ID]) {
			t.Fatalf("number %d was due at %s, want the one due at %s", i, at[j.ID], at[want[i].ID])
		}
	}
	// FileGrace and Keep move the kinds against each other.
	const grace = 30 * time.Millisecond
	for id := range at {
		if j := t.find(id); j.BlobKey != "" {
			at[id] = at[id].Add(grace)
		}
	}
	t.eventually("all files are due after a short grace", func() bool {
		jobs, _ = t.due(dataexport.DueQuery{FileGrace: grace})
		return len(jobs) == len(want)
	})
	if !slices.IsSortedFunc(jobs, func(a, b dataexport.Job) int { return at[a.ID].Compare(at[b.ID]) }) {
		t.Fatalf("with a grace the jobs are not in the order in which they were due: %s", describe(jobs))
	}
}

func dueLimit(t *tester) {
	want, at := t.dueQueue()
	t.become(t.create(request(alice)), dataexport.StatusReady, 5*time.Hour)
	for limit := 1; limit <= len(want)+1; limit++ {
		jobs, next := t.due(dataexport.DueQuery{Limit: limit})
		if len(jobs) != min(limit, len(want)) {
			t.Fatalf("Due with limit %d returned %s", limit, describe(jobs))
		}
		for i, j := range jobs {
			if !at[j.ID].Equal(at[want[i].ID]) {
				t.Fatalf("limit %d: number %d was due at %s, want the one due at %s", limit, i, at[j.ID], at[want[i].ID])
			}
		}
		if cut := limit < len(want); cut != (next == 0) {
			t.Fatalf("limit %d of %d: next is %s", limit, len(want), next)
		}
		if off := (5*time.Hour - next).Abs(); limit >= len(want) && off > 10*time.Minute {
			t.Fatalf("limit %d of %d: next is %s, want about 5h", limit, len(want), next)
		}
	}
}

func dueLimitOfOneKind(t *tester) {
	for range 3 {
		t.become(t.create(request(alice)), dataexport.StatusFailed, 0)
	}
	for limit, cut := range map[int]bool{1: true, 2: true, 3: false, 4: false} {
		jobs, next := t.due(dataexport.DueQuery{Limit: limit})
		if len(jobs) != min(limit, 3) || cut != (next == 0) || next > 0 {
			t.Fatalf("limit %d of 3: Due returned %s and next %s", limit, describe(jobs), next)
		}
	}
}
