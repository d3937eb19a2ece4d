package storetest

import (
	"errors"
	"fmt"
	"time"

	"github.com/dataexport/dataexport"
)

// inTurn claims a job by its id if it is in turn, and reports whether it was given out.
func (t *tester) inTurn(id string) (j dataexport.Job, given bool) {
	t.Helper()
	j, err := t.store.Claim(t.Context(), dataexport.ClaimOptions{ID: id, Lease: time.Hour, InTurn: true})
	if errors.Is(err, dataexport.ErrNoJob) {
		return dataexport.Job{}, false
	}
	t.must(err)
	if j.ID != id {
		t.Fatalf("Claim gave out job %s when %s was asked for", j.ID, id)
	}
	return j, true
}

func (t *tester) wantTurn(j dataexport.Job, want bool) dataexport.Job {
	t.Helper()
	claimed, given := t.inTurn(j.ID)
	if given != want {
		t.Fatalf("a job of workspace %q was given out: %t, want %t", j.Scope.WorkspaceID, given, want)
	}
	return claimed
}

func turnFewestHeld(t *tester) {
	jobs := t.queue("a", "a", "a", "b", "b")
	t.wantTurn(jobs[1], true)  // all hold none; within a workspace the caller chooses
	t.wantTurn(jobs[0], false) // a holds one, b none
	held := t.wantTurn(jobs[4], true)
	t.wantTurn(jobs[0], true) // each holds one
	t.wantTurn(jobs[2], false)
	t.finish(held)
	t.wantTurn(jobs[2], false)
	t.wantTurn(jobs[3], true)
	t.wantTurn(jobs[3], false) // held already
	if _, given := t.inTurn(newID()); given {
		t.Fatal("a job that is not there was given out")
	}
}

func turnNeedsWaitingJob(t *tester) {
	jobs := t.queue("a", "a", "a", "b")
	t.wantTurn(jobs[0], true)
	t.wantTurn(jobs[1], false)
	// A job that must wait, or is held, is none to give out.
	delayed := t.claim(jobs[3].ID)
	delayed.Status = dataexport.StatusPending
	t.update(delayed, time.Hour)
	t.wantTurn(jobs[1], true)
	// A lease that has run out is none, and its job is one to give out, until it is deleted.
	again := t.queue("b")[0]
	t.update(t.wantTurn(again, true), time.Nanosecond)
	t.tick()
	t.wantTurn(jobs[2], false)
	t.delete(again)
	t.wantTurn(jobs[2], true)
}

// turnAsModel asks for jobs by chance and compares with a plain model of the rules.
func turnAsModel(t *tester) {
	m := newModel()
	for step := range 200 {
		held, dice := m.held(), m.random.IntN(100)
		switch {
		case dice < 30 || len(m.jobs) == 0:
			m.add(t.create(request(in(fmt.Sprint("w", m.random.IntN(4))))))
		case dice < 85:
			j := m.jobs[m.random.IntN(len(m.jobs))]
			want := j.claimable && m.inTurn(j.Job)
			claimed, given := t.inTurn(j.ID)
			if given != want {
				t.Fatalf("step %d: job %s of %q was given out: %t, want %t", step, j.ID, j.Scope.WorkspaceID, given, want)
			}
			if given {
				m.give(claimed)
			}
		case len(held) == 0:
		default:
			j := held[m.random.IntN(len(held))]
			t.finish(j)
			m.remove(j)
		}
	}
}
