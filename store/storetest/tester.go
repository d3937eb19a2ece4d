package storetest

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dataexport/dataexport"
)

// patience is how long the suite asks for something that must happen; long, since machines can be slow.
const patience = time.Minute

// instant is a duration that is over as soon as one looks again.
const instant = time.Millisecond

// step is how long the suite waits before it looks again.
const step = 2_037 * time.Microsecond

// A tester is one test with a store of its own.
type tester struct {
	*testing.T
	store dataexport.Store
}

var alice = dataexport.Scope{WorkspaceID: "w1", Subject: "alice"}

// newID returns a UUID of version 7 (RFC 9562, section 5.7).
func newID() string {
	var id [16]byte
	_, _ = rand.Read(id[:]) // it never fails, see its documentation
	milliseconds := time.Now().UnixMilli()
	for i := range 6 {
		id[i] = byte(milliseconds >> (40 - 8*i))
	}
	id[6] = id[6]&0x0f | 0x70
	id[8] = id[8]&0x3f | 0x80
	digits := hex.EncodeToString(id[:])
	return strings.Join([]string{digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]}, "-")
}

// request returns what a job of a scope is made of, with a fresh id.
func request(s dataexport.Scope) dataexport.NewJob {
	return dataexport.NewJob{ID: newID(), Scope: s, Dataset: "memories", Format: "json", Fingerprint: "same"}
}

func in(workspace string) dataexport.Scope {
	return dataexport.Scope{WorkspaceID: workspace, Subject: "someone"}
}

// create makes a job that is none yet.
func (t *tester) create(n dataexport.NewJob) dataexport.Job {
	t.Helper()
	j, replayed, err := t.store.Create(t.Context(), n)
	if err != nil {
		t.Fatalf("Create: %v", err)
	}
	if replayed {
		t.Fatalf("Create returned job %s as a replay", j.ID)
	}
	if j.ID != n.ID {
		t.Fatalf("Create made a job with the id %s, want %s", j.ID, n.ID)
	}
	return j
}

func (t *tester) refuse(n dataexport.NewJob, want error) {
	t.Helper()
	before := t.count(n.Scope)
	j, replayed, err := t.store.Create(t.Context(), n)
	if !errors.Is(err, want) {
		t.Fatalf("Create = %+v, %t, %v, want the error %v", j, replayed, err, want)
	}
	if after := t.count(n.Scope); after != before {
		t.Fatalf("Create returned %v, and yet there are %d jobs where there were %d", err, after, before)
	}
}

func (t *tester) replay(n dataexport.NewJob, want dataexport.Job) {
	t.Helper()
	before := t.count(n.Scope)
	j, replayed, err := t.store.Create(t.Context(), n)
	if err != nil || !replayed {
		t.Fatalf("Create = %v, %t, %v, want a replay of %s", j.ID, replayed, err, want.ID)
	}
	t.equal("the replayed job", j, want)
	if after := t.count(n.Scope); after != before {
		t.Fatalf("a replay changed the number of jobs from %d to %d", before, after)
	}
}

func (t *tester) count(s dataexport.Scope) int {
	t.Helper()
	_, total, err := t.store.List(t.Context(), s, dataexport.ListQuery{Limit: 1})
	t.must(err)
	return total
}

func (t *tester) get(s dataexport.Scope, id string) dataexport.Job {
	t.Helper()
	j, err := t.store.Get(t.Context(), s, id)
	t.must(err)
	return j
}

func (t *tester) find(id string) dataexport.Job {
	t.Helper()
	j, err := t.store.Find(t.Context(), id)
	t.must(err)
	return j
}

// claim gives out a job for an hour.
func (t *tester) claim(id string) dataexport.Job {
	t.Helper()
	j, err := t.store.Claim(t.Context(), dataexport.ClaimOptions{ID: id, Lease: time.Hour})
	if err != nil {
		t.Fatalf("Claim(%q): %v", id, err)
	}
	if id != "" && j.ID != id {
		t.Fatalf("Claim gave out job %s, want %s", j.ID, id)
	}
	return j
}

func (t *tester) noJob(id string) {
	t.Helper()
	j, err := t.store.Claim(t.Context(), dataexport.ClaimOptions{ID: id, Lease: time.Hour})
	if !errors.Is(err, dataexport.ErrNoJob) {
		t.Fatalf("Claim(%q) = %+v, %v, want ErrNoJob", id, j, err)
	}
}

func (t *tester) update(j dataexport.Job, d time.Duration) dataexport.Job {
	t.Helper()
	updated, err := t.store.Update(t.Context(), j, d)
	if err != nil {
		t.Fatalf("Update of job %s to %s: %v", j.ID, j.Status, err)
	}
	return updated
}

func (t *tester) delete(j dataexport.Job) {
	t.Helper()
	_, err := t.store.Delete(t.Context(), j.Scope, j.ID)
	t.must(err)
}

// become claims a pending job and takes it on to another state.
func (t *tester) become(j dataexport.Job, next dataexport.Status, d time.Duration) dataexport.Job {
	t.Helper()
	j = t.claim(j.ID)
	j.Status = next
	switch next {
	case dataexport.StatusReady:
		j.BlobKey = "exports/" + j.ID
	case dataexport.StatusFailed:
		j.Error = &dataexport.JobError{Code: "INTERNAL", Message: "It did not work."}
	}
	return t.update(j, d)
}

// expired returns a job whose file is there and whose time is over.
func (t *tester) expired(n dataexport.NewJob) dataexport.Job {
	t.Helper()
	j := t.become(t.create(n), dataexport.StatusReady, instant)
	return t.untilExpired(j)
}

func (t *tester) untilExpired(j dataexport.Job) dataexport.Job {
	t.Helper()
	t.eventually("the job expires", func() bool {
		j = t.find(j.ID)
		return j.Status == dataexport.StatusExpired
	})
	return j
}

// A state is a way to bring a new job into a status.
type state struct {
	name string
	make func(*tester, dataexport.NewJob) dataexport.Job
}

// states returns every status, and for EXPIRED both ways to be it: by the clock, and by the hand of the sweep.
func states() []state {
	return []state{
		{"PENDING", (*tester).create},
		{"PROCESSING", func(t *tester, n dataexport.NewJob) dataexport.Job { return t.claim(t.create(n).ID) }},
		{"READY", func(t *tester, n dataexport.NewJob) dataexport.Job {
			return t.become(t.create(n), dataexport.StatusReady, time.Hour)
		}},
		{"FAILED", func(t *tester, n dataexport.NewJob) dataexport.Job {
			return t.become(t.create(n), dataexport.StatusFailed, 0)
		}},
		{"EXPIRED", (*tester).expired},
		{"EXPIRED and swept", func(t *tester, n dataexport.NewJob) dataexport.Job {
			j := t.expired(n)
			j.BlobKey = ""
			return t.update(j, 0)
		}},
	}
}

func (t *tester) must(err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (t *tester) notFound(what string, err error) {
	t.Helper()
	if !errors.Is(err, dataexport.ErrNotFound) {
		t.Fatalf("%s: the error is %v, want ErrNotFound", what, err)
	}
}

// eventually asks until something is so.
func (t *tester) eventually(what string, holds func() bool) {
	t.Helper()
	for waited := time.Duration(0); !holds(); waited += step {
		if waited > patience {
			t.Fatalf("waited %s in vain: %s", waited, what)
		}
		t.tick()
	}
}

// tick lets the clock of the store move on, so that two times that it sets differ.
// They differ by no whole number of milliseconds in a bubble.
func (t *tester) tick() {
	time.Sleep(step) //nolint:forbidigo // the store's clock may be any; nothing but time makes it move on
}

// equal compares all fields of two jobs.
func (t *tester) equal(what string, got, want dataexport.Job) {
	t.Helper()
	g, w := reflect.ValueOf(normal(got)), reflect.ValueOf(normal(want))
	for i := range g.NumField() {
		if !reflect.DeepEqual(g.Field(i).Interface(), w.Field(i).Interface()) {
			t.Errorf("%s: %s is %+v, want %+v",
				what, g.Type().Field(i).Name, plain(g.Field(i)), plain(w.Field(i)))
		}
	}
	if t.Failed() {
		t.FailNow()
	}
}

// normal returns a job whose times can be compared by value.
func normal(j dataexport.Job) dataexport.Job {
	for _, at := range []*time.Time{
		&j.CreatedAt, &j.UpdatedAt, &j.StartedAt, &j.CompletedAt, &j.ExpiresAt, &j.HeldUntil,
		&j.Filter.CreatedAfter, &j.Filter.CreatedBefore,
	} {
		*at = at.Round(0).UTC()
	}
	return j
}

// plain returns what a pointer points at, so that a message shows more than an address.
func plain(v reflect.Value) any {
	if v.Kind() == reflect.Pointer && !v.IsNil() {
		return v.Elem().Interface()
	}
	return v.Interface()
}

// near checks that one time is a duration after another. Stores may read their clock more than once in a step, and
// machines may be slow, so that minutes do not matter.
func (t *tester) near(what string, at, from time.Time, d time.Duration) {
	t.Helper()
	if off := at.Sub(from.Add(d)); off.Abs() > 10*time.Minute {
		t.Errorf("%s is %s, want it %s after %s", what, at, d, from)
	}
}

func ids(jobs []dataexport.Job) []string {
	list := make([]string, len(jobs))
	for i := range jobs {
		list[i] = jobs[i].ID
	}
	return list
}

// oldestFirst sorts jobs as Claim looks at those of one workspace.
func oldestFirst(jobs []dataexport.Job) {
	slices.SortFunc(jobs, func(a, b dataexport.Job) int {
		if c := a.CreatedAt.Compare(b.CreatedAt); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
}

// together calls a function n times at once and returns when all calls have.
func together(n int, call func(i int)) {
	start := make(chan struct{})
	done := make(chan struct{})
	for i := range n {
		go func() {
			defer func() { done <- struct{}{} }()
			<-start
			call(i)
		}()
	}
	close(start)
	for range n {
		<-done
	}
}
