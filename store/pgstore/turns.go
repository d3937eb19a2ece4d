package pgstore

import (
	"cmp"
	"slices"
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
	mu         sync.Mutex
	inHand     map[string]hand   // by job
	had        map[string]record // by workspace
	rivals     map[string]*rival // by workspace, as they were seen last
	knownUntil time.Time         // what is known of them is relied on until then
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
	held      int          // jobs that are held by a lease
	servedAt  time.Time    // when it was last given a job, or zero
	waiting   []waitingJob // the oldest of its jobs that can be given out, in their order
	more      bool         // there may be more of them
}

// A waitingJob is a job that can be given out.
type waitingJob struct {
	id    string
	since time.Time // when it was made
}

// An ownedJob is a job and its workspace.
type ownedJob struct{ id, workspace string }

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

// claimed learns that a job was claimed by its id. If it was not let go it has gone all the same, which is a turn too: its engine
// could bring none in its place.
func (t *turns) claimed(job ownedJob) {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, letGo := t.inHand[job.id]
	if _, met := t.had[job.workspace]; met && !letGo {
		t.give(job.id, hand{workspace: job.workspace})
	}
	t.takeOut(job)
}

// forget learns of jobs that are not in hand any more: the database knows how they stand.
func (t *turns) forget(ids []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, id := range ids {
		delete(t.inHand, id)
	}
}

// ordered learns of a new job, which would not be known before the rivals are looked at again.
func (t *turns) ordered(job ownedJob, since time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.known() {
		return
	}
	if r := t.rival(job.workspace); !r.more {
		r.waiting = append(r.waiting, waitingJob{id: job.id, since: since})
	}
}

// deleted learns that a job is gone.
func (t *turns) deleted(job ownedJob) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.takeOut(job)
}

// takeOut takes a job out of those that are known to wait.
func (t *turns) takeOut(job ownedJob) {
	if r := t.rivals[job.workspace]; r != nil {
		r.waiting = slices.DeleteFunc(r.waiting, func(other waitingJob) bool { return other.id == job.id })
	}
}

// rival returns a workspace, which is a new one if it is not known.
func (t *turns) rival(workspace string) *rival {
	r := t.rivals[workspace]
	if r == nil {
		r = &rival{workspace: workspace}
		t.rivals[workspace] = r
		h := t.had[workspace]
		h.turns = max(h.turns, t.fewest())
		t.had[workspace] = h
	}
	return r
}

// known reports whether what is known of the rivals can be relied on.
func (t *turns) known() bool { return time.Now().Before(t.knownUntil) }

// meet learns of the workspaces that have active jobs, of all or, if there are too many, of those that may go first. One that is
// new or has nothing to give out is taken to have had as many turns as the one of the others that had the fewest:
// what it misses while it has no use for turns is not made up for. It took some time to find out.
func (t *turns) meet(known map[string]*rival, all bool, took time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rivals = known
	t.knownUntil = time.Now().Add(min(rivalsKnownTimes*took, rivalsKnownFor))
	fewest := t.fewest()
	had := make(map[string]record, len(known))
	for workspace, r := range known {
		h, ok := t.had[workspace]
		if !ok || len(r.waiting) == 0 {
			h.turns = max(h.turns, fewest)
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

// fewest returns how many turns the one of the rivals has had that had the fewest.
func (t *turns) fewest() (turns int) {
	first := true
	for workspace, r := range t.rivals {
		if h, ok := t.had[workspace]; ok && len(r.waiting) > 0 && (first || h.turns < turns) {
			turns, first = h.turns, false
		}
	}
	return turns
}

// ahead returns the jobs to which a job gives way, and promises the first of them that it will go; or it
// lets the job go and returns none. Nothing is decided if too little is known of the rivals, unless they have just been looked at.
func (t *turns) ahead(job ownedJob, looked bool) (ids []string, decided bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !looked && !t.known() {
		return nil, false
	}
	own := t.rival(job.workspace)
	if len(t.rivals) == 1 {
		return nil, true
	}
	t.takeOut(job)
	if h := t.inHand[job.id]; h.promised {
		h.promised = false
		t.inHand[job.id] = h
		return nil, true
	}
	first, certain := t.before(job.id, own)
	if !certain && !looked {
		return nil, false
	}
	if first == nil {
		t.give(job.id, hand{workspace: job.workspace})
		return nil, true
	}
	for _, other := range first.waiting {
		ids = append(ids, other.id)
	}
	t.give(ids[0], hand{workspace: first.workspace, promised: true})
	first.waiting = first.waiting[1:] // another job that gives way does so to another
	return ids, true
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

// before returns the workspace that goes before that of a job, or nil, and whether that is certain: one of which it is not known
// what it has waiting may be that one.
func (t *turns) before(id string, owner *rival) (first *rival, certain bool) {
	standings := make(map[string]*standing, len(t.rivals))
	for workspace, r := range t.rivals {
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
	var best *standing
	certain = true
	for _, s := range standings {
		switch {
		case s == own || !own.givesWay(s):
		case len(s.waiting) == 0:
			certain = false
		case best == nil || s.compare(best) < 0:
			best = s
		}
	}
	if best == nil {
		return nil, certain
	}
	return best.rival, certain
}

// givesWay reports whether a workspace that asks for a job goes after another that has, or may have, some waiting. It does if
// it has had at least two turns more and the other has waited since before the latest of them. Were one turn enough, it would give way also
// to those that are about to have theirs. But who has clearly more jobs in work goes last, since
// jobs that take long are worth several turns.
func (a *standing) givesWay(other *standing) bool {
	const clearly = 2
	switch {
	case len(other.waiting) == 0 && !other.more:
		return false
	case a.held+a.letGo >= other.held+other.letGo+other.promised+clearly:
		return true
	case other.held >= a.held+a.letGo+clearly:
		return false
	}
	latest := a.latest
	if a.servedAt.After(latest) {
		latest = a.servedAt
	}
	return a.turns >= other.turns+clearly && (len(other.waiting) == 0 || other.waiting[0].since.Before(latest))
}

// compare orders workspaces that have jobs waiting by who goes before whom.
func (a *standing) compare(b *standing) int {
	return cmp.Or(
		cmp.Compare(a.turns, b.turns), cmp.Compare(a.held+a.letGo+a.promised, b.held+b.letGo+b.promised),
		a.waiting[0].since.Compare(b.waiting[0].since), strings.Compare(a.workspace, b.workspace))
}
