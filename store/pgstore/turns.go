package pgstore

import (
	"slices"
	"sync"
	"time"
)

// How long a job is taken for being in hand. One that was let go is claimed at once, or its engine has thought better of it. One that was
// promised to go may be brought to another process, which counts its turn.
const (
	letGoFor    = time.Second
	promisedFor = 50 * time.Millisecond
)

// rememberedFor is how long the turns of a workspace are remembered of which it is not known whether it has active jobs.
const rememberedFor = time.Minute

// turnsSaved is how many turns a workspace can have had fewer than others and still make up for: one that lets its turns
// pass, since its engine has lost its jobs, must not have all to itself later.
const turnsSaved = 16

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
	promised  bool // another job has given way to it; its turn comes when it is let go
}

func (h hand) over() bool {
	if h.promised {
		return time.Since(h.since) > promisedFor
	}
	return time.Since(h.since) > letGoFor
}

// A record is what is remembered of a workspace for as long as it has active jobs, or may have.
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

// lists reports whether a job is known to wait.
func (r *rival) lists(id string) bool {
	return slices.ContainsFunc(r.waiting, func(job waitingJob) bool { return job.id == id })
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
		if h.over() {
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
	h, inHand := t.inHand[job.id]
	if _, met := t.had[job.workspace]; met && (!inHand || h.promised) {
		t.count(job.workspace, 1)
	}
	delete(t.inHand, job.id)
	t.takeOut(job)
	if r := t.rivals[job.workspace]; r != nil {
		r.held++
	}
}

// refused learns of a job that could not be claimed. Its workspace has not had the turn, although it is not known any more when it
// had the one before.
func (t *turns) refused(id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if h, ok := t.inHand[id]; ok && !h.promised {
		t.count(h.workspace, -1)
	}
	delete(t.inHand, id)
}

// released learns that a job is not held any more. How many are is not exact until the rivals are looked at again: a lease may have run
// out, and a look may have seen a claim before this was told of it.
func (t *turns) released(workspace string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if r := t.rivals[workspace]; r != nil && r.held > 0 {
		r.held--
	}
}

// ordered learns of a new job, which would not be known before the rivals are looked at again.
func (t *turns) ordered(job ownedJob, since time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, inHand := t.inHand[job.id]; inHand || !t.known() {
		return
	}
	r := t.rivals[job.workspace]
	if r == nil {
		r = &rival{workspace: job.workspace}
		h := t.had[job.workspace]
		h.turns = max(h.turns, t.fewest())
		t.rivals[job.workspace], t.had[job.workspace] = r, h
	}
	switch {
	case r.more || r.lists(job.id):
	case len(r.waiting) == aheadMost:
		r.more = true
	default:
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

// known reports whether what is known of the rivals can be relied on.
func (t *turns) known() bool { return time.Now().Before(t.knownUntil) }

// meet learns of the workspaces that have active jobs, of all or, if there are too many, of those that may go first. It took some time
// to find out. A workspace that is new or has nothing to give out is taken to have had as many turns as the one of the
// others that had the fewest: what it misses while it has no use for turns is not made up for.
func (t *turns) meet(known map[string]*rival, all bool, took time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rivals = known
	t.knownUntil = time.Now().Add(min(rivalsKnownTimes*took, rivalsKnownFor))
	for id, h := range t.inHand { // since the look began
		t.takeOut(ownedJob{id: id, workspace: h.workspace})
	}
	fewest, most := t.fewest(), t.most()
	had := make(map[string]record, len(known))
	for workspace, r := range known {
		h, ok := t.had[workspace]
		if !ok || !r.wants() {
			h.turns = max(h.turns, fewest)
		}
		h.turns = max(h.turns, most-turnsSaved)
		had[workspace] = h
	}
	for workspace, h := range t.had {
		if _, listed := had[workspace]; !listed && !all && time.Since(h.latest) < rememberedFor {
			had[workspace] = h
		}
	}
	t.had = had
}

// wants reports whether a workspace has, or may have, jobs to give out.
func (r *rival) wants() bool { return len(r.waiting) > 0 || r.more }

// fewest returns how many turns the one of the rivals that want some has had that had the fewest. If none does, it is as
// many as the one that had the most.
func (t *turns) fewest() int {
	fewest, found := 0, false
	for workspace, r := range t.rivals {
		if h, ok := t.had[workspace]; ok && r.wants() && (!found || h.turns < fewest) {
			fewest, found = h.turns, true
		}
	}
	if !found {
		return t.most()
	}
	return fewest
}

// most returns how many turns the one of the rivals has had that had the most.
func (t *turns) most() (most int) {
	for workspace := range t.rivals {
		most = max(most, t.had[workspace].turns)
	}
	return most
}

// ahead returns the jobs to which a job gives way, and promises the first of them that it will go; or it
// lets the job go and returns none. Nothing is decided if too little is known of the rivals, unless they have just been looked at.
func (t *turns) ahead(job ownedJob, looked bool) (ids []string, decided bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	own := t.rivals[job.workspace]
	if own == nil || !looked && !t.known() {
		return nil, looked // if it has no active jobs, there is nothing to decide
	}
	t.takeOut(job)
	if len(t.rivals) == 1 {
		return nil, true
	}
	switch h, inHand := t.inHand[job.id]; {
	case !inHand || h.over():
	case h.promised:
		t.letGo(job)
		return nil, true
	default: // it was let go, and asks again since that was not heard of
		return nil, true
	}
	first, certain := t.before(job.id, own)
	if !certain && !looked {
		return nil, false
	}
	if first == nil {
		t.letGo(job)
		return nil, true
	}
	for _, other := range first.waiting {
		ids = append(ids, other.id)
	}
	t.takeInHand(ids[0], hand{workspace: first.workspace, promised: true})
	first.waiting = first.waiting[1:] // another job that gives way does so to another
	return ids, true
}

// letGo lets a job go, which is a turn of its workspace.
func (t *turns) letGo(job ownedJob) {
	t.takeInHand(job.id, hand{workspace: job.workspace})
	t.count(job.workspace, 1)
}

func (t *turns) takeInHand(id string, h hand) {
	if t.inHand == nil {
		t.inHand = make(map[string]hand)
	}
	h.since = time.Now()
	t.inHand[id] = h
}

// count counts a turn, or takes one back.
func (t *turns) count(workspace string, turns int) {
	h := t.had[workspace]
	h.turns = max(0, h.turns+turns)
	if turns > 0 {
		h.latest = time.Now()
	}
	t.had[workspace] = h
}
