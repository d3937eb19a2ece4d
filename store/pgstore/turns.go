package pgstore

import (
	"cmp"
	"strings"
	"sync"
	"time"
)

// inHandFor is how long a job is taken for being in hand that was let go or promised to go, and is not claimed: its engine has thought
// better of it.
const inHandFor = time.Second

// rememberedFor is how long the turns of a workspace are remembered of which it is not known whether it has active jobs.
const rememberedFor = time.Minute

// Turns decide which workspace goes first. Each time that a job is let go its workspace has had a turn, and who has had fewer
// goes first. Turns remember what was decided and cannot be seen in the database yet. They are
// safe for concurrent use. Each process has its own, so that workspaces share each process evenly.
type turns struct {
	mu     sync.Mutex
	inHand map[string]hand   // by job
	had    map[string]record // by workspace
}

// A hand is a job that was let go, or promised to go, and is not claimed yet.
type hand struct {
	workspace string
	since     time.Time
	promised  bool // another job has given way to it
}

// A record is what is remembered of a workspace for as long as it has active jobs.
type record struct {
	turns  int       // that it has had
	latest time.Time // when it had the latest of them
}

// A rival is a workspace that has active jobs.
type rival struct {
	workspace string
	held      int       // jobs that are held by a lease
	servedAt  time.Time // when it was last given a job, or zero
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

// meet learns of the workspaces that have active jobs, of all or, if there are too many, of those that may go first. One that is
// new or has nothing to give out is taken to have had as many turns as the one of the others that had the fewest:
// what it misses while it has no use for turns is not made up for.
func (t *turns) meet(known map[string]*rival, all bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	fewest := -1
	for workspace, r := range known {
		if h, ok := t.had[workspace]; ok && len(r.waiting) > 0 && (fewest < 0 || h.turns < fewest) {
			fewest = h.turns
		}
	}
	had := make(map[string]record, len(known))
	for workspace, r := range known {
		h, ok := t.had[workspace]
		if !ok || len(r.waiting) == 0 {
			h.turns = max(h.turns, fewest, 0)
		}
		had[workspace] = h
	}
	for workspace, h := range t.had {
		if _, listed := had[workspace]; !listed && !all && time.Since(h.latest) < rememberedFor {
			had[workspace] = h
		}
	}
	t.had = had
}

// ahead returns the jobs to which a job of a workspace gives way, and promises the first of them that it will go; or it
// lets the job go and returns none.
func (t *turns) ahead(id, workspace string, known map[string]*rival) []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if h := t.inHand[id]; h.promised {
		h.promised = false
		t.inHand[id] = h
		return nil
	}
	first := t.before(id, known[workspace], known)
	if first == nil {
		t.give(id, hand{workspace: workspace})
		return nil
	}
	ids := first.waiting
	t.give(ids[0], hand{workspace: first.workspace, promised: true})
	first.waiting = ids[1:] // another job that gives way does so to another
	return ids
}

// give takes a job in hand, which is a turn of its workspace. It counts also if the engine then brings another job in its place, or the job turns out to have ended.
func (t *turns) give(id string, h hand) {
	if t.inHand == nil {
		t.inHand = make(map[string]hand)
	}
	h.since = time.Now()
	t.inHand[id] = h
	t.had[h.workspace] = record{turns: t.had[h.workspace].turns + 1, latest: h.since}
}

// A standing is what a workspace is measured by against others.
type standing struct {
	*rival
	record
	letGo    int // jobs in hand
	promised int
}

// before returns the workspace that goes before that of a job, or nil.
func (t *turns) before(id string, owner *rival, known map[string]*rival) *rival {
	standings := make(map[string]*standing, len(known))
	for workspace, r := range known {
		standings[workspace] = &standing{rival: r, record: t.had[workspace]}
	}
	for job, h := range t.inHand {
		switch s := standings[h.workspace]; {
		case s == nil || job == id:
		case h.promised:
			s.promised++
		default:
			s.letGo++
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

// givesWay reports whether a workspace that asks for a job goes after another that waits for one. It does if it has had more turns
// and the other has waited since before the latest of them. But who has clearly more jobs in work goes last, since
// jobs that take long are worth several turns.
func (a *standing) givesWay(other *standing) bool {
	const clearly = 2
	switch {
	case a.held+a.letGo >= other.held+other.letGo+other.promised+clearly:
		return true
	case other.held >= a.held+a.letGo+clearly:
		return false
	}
	latest := a.latest
	if a.servedAt.After(latest) {
		latest = a.servedAt
	}
	return a.turns > other.turns && other.oldest.Before(latest)
}

// compare orders workspaces by who goes before whom.
func (a *standing) compare(b *standing) int {
	return cmp.Or(
		cmp.Compare(a.turns, b.turns), cmp.Compare(a.held+a.letGo+a.promised, b.held+b.letGo+b.promised),
		a.oldest.Compare(b.oldest), strings.Compare(a.workspace, b.workspace))
}
