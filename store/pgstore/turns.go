package pgstore

import (
	"cmp"
	"math"
	"strings"
	"sync"
	"time"
)

// inHandFor is how long a job is taken for being in hand that its engine was told to bring, and has not.
const inHandFor = time.Second

// Turns decide which workspace goes first. They remember what was decided and cannot be seen in the database yet. They are
// safe for concurrent use.
type turns struct {
	mu     sync.Mutex
	inHand map[string]hand // by job
	latest map[string]hand // of each workspace that had one a moment ago
	given  int64           // hands so far
}

// A hand is a job that was let go, or promised to go, and is not claimed yet.
type hand struct {
	workspace string
	number    int64 // of the hand, in the order in which they were given
	since     time.Time
	promised  bool // another job has given way to it
}

// A rival is a workspace that has active jobs.
type rival struct {
	workspace string
	held      int       // jobs that are held by a lease
	served    int64     // when it was last given a job, as a number that grows; 0 for never
	servedAt  time.Time // the same by the clock
	waiting   []string  // the oldest of its jobs that can be given out
	oldest    time.Time // when the first of them was made
}

// jobs returns the jobs that are in hand, and forgets those that have been for too long.
func (t *turns) jobs() (ids []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for id, h := range t.inHand {
		if time.Since(h.since) > inHandFor {
			delete(t.inHand, id)
			continue
		}
		ids = append(ids, id)
	}
	for workspace, h := range t.latest {
		if time.Since(h.since) > inHandFor {
			delete(t.latest, workspace)
		}
	}
	return ids
}

// claimed forgets jobs: the database knows them now.
func (t *turns) claimed(ids []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, id := range ids {
		delete(t.inHand, id)
	}
}

// ahead returns the jobs to which a job of a workspace gives way, and promises the first of them that it will go; or it
// lets the job go and returns none.
func (t *turns) ahead(id string, owner *rival, known map[string]*rival) []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if h := t.inHand[id]; h.promised {
		h.promised = false
		t.inHand[id] = h
		return nil
	}
	first := t.before(id, owner, known)
	if first == nil {
		t.give(id, hand{workspace: owner.workspace})
		return nil
	}
	ids := first.waiting
	t.give(ids[0], hand{workspace: first.workspace, promised: true})
	first.waiting = ids[1:] // another job that gives way does so to another
	return ids
}

func (t *turns) give(id string, h hand) {
	if t.inHand == nil {
		t.inHand, t.latest = make(map[string]hand), make(map[string]hand)
	}
	t.given++
	h.number, h.since = t.given, time.Now()
	t.inHand[id], t.latest[h.workspace] = h, h
}

// A standing is what a workspace is measured by against others.
type standing struct {
	*rival
	inHand int   // held jobs, and those that were let go
	ago    int64 // how many hands were given since its latest; never if that was long ago
	turns  int64 // how many times workspaces were given jobs since it was
}

// never is for how many hands a workspace had none that had none for a while.
const never = math.MaxInt64

// compare orders workspaces by who goes before whom.
func (a *standing) compare(b *standing) int {
	return cmp.Or(
		cmp.Compare(a.inHand, b.inHand), cmp.Compare(b.ago, a.ago), cmp.Compare(b.turns, a.turns),
		a.oldest.Compare(b.oldest), strings.Compare(a.workspace, b.workspace))
}

// before returns the workspace that goes before that of a job, or nil.
func (t *turns) before(id string, owner *rival, known map[string]*rival) *rival {
	var served int64
	for _, r := range known {
		served = max(served, r.served)
	}
	standings := make(map[string]*standing, len(known))
	for _, r := range known {
		s := &standing{rival: r, inHand: r.held, ago: never, turns: served - r.served}
		if h, ok := t.latest[r.workspace]; ok {
			s.ago = t.given - h.number
		}
		standings[r.workspace] = s
	}
	for job, h := range t.inHand {
		if s := standings[h.workspace]; s != nil && job != id && !h.promised {
			s.inHand++
		}
	}
	own := standings[owner.workspace]
	var first *standing
	for _, s := range standings {
		if s != own && len(s.waiting) > 0 && own.givesWay(s) && (first == nil || s.compare(first) < 0) {
			first = s
		}
	}
	if first == nil {
		return nil
	}
	return first.rival
}

// givesWay reports whether a workspace that asks for a job goes after another that waits for one. Of two that have as many in
// hand, the other must have waited for twice as many turns: jobs do not come in a strict order, and where many
// workspaces take turns they would give way to each other all the time, for nothing.
func (a *standing) givesWay(other *standing) bool {
	switch {
	case a.inHand != other.inHand:
		return other.inHand < a.inHand
	case a.ago != never && other.ago != never:
		return other.ago > 2*a.ago
	case other.ago != never:
		return false
	}
	return (a.ago != never || other.turns > 2*a.turns) && other.oldest.Before(a.servedAt)
}
