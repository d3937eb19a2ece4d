package storetest

import (
	"fmt"
	"time"

	"github.com/dataexport/dataexport"
)

// finish ends a job, so that it is held no longer.
func (t *tester) finish(j dataexport.Job) {
	t.Helper()
	j.Status = dataexport.StatusFailed
	t.update(j, 0)
}

// gives checks of which workspace the next jobs are, and holds them.
func (t *tester) gives(workspaces ...string) (jobs []dataexport.Job) {
	t.Helper()
	for i, want := range workspaces {
		j := t.claim("")
		if j.Scope.WorkspaceID != want {
			t.Fatalf("claim %d gave out a job of workspace %q, want one of %q", i+1, j.Scope.WorkspaceID, want)
		}
		jobs = append(jobs, j)
	}
	return jobs
}

// queue makes pending jobs, one after the other in time.
func (t *tester) queue(workspaces ...string) (jobs []dataexport.Job) {
	t.Helper()
	for _, w := range workspaces {
		jobs = append(jobs, t.create(request(in(w))))
		t.tick()
	}
	return jobs
}

func fairOldestJob(t *tester) {
	jobs := t.queue("a", "a", "a", "a")
	// The oldest goes first even after it was handed back.
	first := t.claim("")
	second := t.claim("")
	first.Status = dataexport.StatusPending
	t.update(first, 0)
	for i, j := range []dataexport.Job{first, second, t.claim(""), t.claim(""), t.claim("")} {
		if want := []int{0, 1, 0, 2, 3}[i]; j.ID != jobs[want].ID {
			t.Fatalf("claim %d gave out another job than number %d by age", i+1, want+1)
		}
	}
}

func fairFewestHeld(t *tester) {
	t.queue("a", "a", "a", "a", "b", "b", "c")
	t.gives("a", "b", "c", "a", "b", "a", "a")
	t.noJob("")
}

func fairLapsedLease(t *tester) {
	jobs := t.queue("a", "a", "b", "b")
	held := t.gives("a", "b", "a") // a holds two, b one
	for _, j := range held {
		if j.Scope.WorkspaceID == "a" {
			t.update(j, time.Nanosecond)
		}
	}
	t.tick()
	// Now a holds none, and its oldest job is claimable again.
	if j := t.gives("a")[0]; j.ID != jobs[0].ID {
		t.Fatal("the oldest job whose lease has lapsed was not given out first")
	}
	// Each holds one; b has waited for longer.
	t.gives("b", "a")
	t.noJob("")
}

func fairLongestUnserved(t *tester) {
	t.queue("a", "a", "a", "b", "b", "b", "c", "c", "c")
	for range 3 {
		for _, w := range []string{"a", "b", "c"} {
			t.finish(t.gives(w)[0])
		}
	}
	t.queue("b", "a", "c")
	t.gives("a", "b", "c")
}

func fairClaimByID(t *tester) {
	jobs := t.queue("a", "a", "b")
	t.finish(t.claim(jobs[1].ID))
	t.finish(t.gives("b")[0])
	t.gives("a")
}

func fairBeyondDeletion(t *tester) {
	t.queue("a", "b")
	for _, w := range []string{"a", "b"} {
		t.delete(t.gives(w)[0])
	}
	t.queue("b", "a", "c")
	t.gives("c", "a", "b")
}

func fairOldestAmongUnserved(t *tester) {
	t.queue("c", "a", "b", "a")
	t.gives("c", "a", "b", "a")
}

// fairAsModel does hundreds of steps by chance and compares each claim with what a plain model of the rules chooses.
func fairAsModel(t *tester) {
	m := newModel()
	for step := range 300 {
		held, dice := m.held(), m.random.IntN(100)
		switch {
		case dice < 35:
			m.add(t.create(request(in(fmt.Sprint("w", m.random.IntN(5))))))
		case dice < 70:
			want, found := m.next()
			if !found {
				t.noJob("")
				continue
			}
			j := t.claim("")
			if j.ID != want.ID {
				t.Fatalf("step %d: claimed job %s of %q, want %s of %q", step, j.ID, j.Scope.WorkspaceID, want.ID, want.Scope.WorkspaceID)
			}
			m.give(j)
		case len(held) == 0:
		case dice < 80:
			j := held[m.random.IntN(len(held))]
			t.finish(j)
			m.remove(j)
		case dice < 88: // hand it back
			j := held[m.random.IntN(len(held))]
			j.Status = dataexport.StatusPending
			m.release(t.update(j, 0))
		case dice < 93: // let the lease lapse
			j := t.update(held[m.random.IntN(len(held))], time.Nanosecond)
			t.tick()
			m.release(j)
		case dice < 97: // delay it
			j := held[m.random.IntN(len(held))]
			j.Status = dataexport.StatusPending
			m.delay(t.update(j, time.Hour))
		default:
			j := held[m.random.IntN(len(held))]
			t.delete(j)
			m.remove(j)
		}
	}
}
