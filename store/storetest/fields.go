package storetest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/dataexport/dataexport"
)

// fullFilter sets every condition.
func fullFilter() dataexport.Filter {
	return dataexport.Filter{
		UserID: "user", AgentID: "agent", SessionID: "session", Priority: dataexport.PriorityHigh,
		Categories:    []string{"b", "a", "a,b", `"quoted"`},
		CreatedAfter:  time.Date(1, 1, 1, 0, 0, 0, 1, time.UTC),
		CreatedBefore: time.Date(9999, 12, 31, 23, 59, 59, 999_999_999, time.UTC),
	}
}

// fullRequest sets every field of a new job.
func fullRequest() dataexport.NewJob {
	return dataexport.NewJob{
		ID: newID(), Scope: alice, Dataset: "account", Format: "zip", Personal: true, Filter: fullFilter(),
		IdempotencyKey: "key", Fingerprint: "fingerprint", MaxActive: 1000, MaxReady: 1000,
	}
}

// same checks that a new job says what it was made of, however it is read.
func (t *tester) same(n dataexport.NewJob) dataexport.Job {
	t.Helper()
	j := t.create(n)
	want := j
	want.ID, want.Scope, want.Dataset, want.Format, want.Personal = n.ID, n.Scope, n.Dataset, n.Format, n.Personal
	want.Filter, want.IdempotencyKey, want.Fingerprint = n.Filter, n.IdempotencyKey, n.Fingerprint
	t.equal("the created job", j, want)
	t.equal("the job that Get returns", t.get(n.Scope, j.ID), j)
	t.equal("the job that Find returns", t.find(j.ID), j)
	t.equal("the job that List returns", t.list(n.Scope, dataexport.ListQuery{Limit: 1}, 1)[0], j)
	return j
}

func roundTrip(t *tester) {
	filters := []dataexport.Filter{
		{}, {UserID: "user"}, {AgentID: "agent"}, {SessionID: "session"}, {Priority: dataexport.PriorityLow},
		{Categories: []string{"one"}}, {CreatedAfter: time.Unix(1, 500)}, {CreatedBefore: time.Unix(0, 0)}, fullFilter(),
	}
	for _, filter := range filters {
		n := fullRequest()
		n.Filter = filter
		t.same(n)
		j := t.claim("")
		t.equal("the claimed job as Find returns it", t.find(n.ID), j)
		j.Status = dataexport.StatusReady
		j.RecordCount, j.FileSize, j.SHA256, j.BlobKey = 1<<62, 1<<61, strings.Repeat("ab", 32), n.ID+"/2"
		total := int64(0)
		j.Progress = dataexport.Progress{Records: 1 << 60, Total: &total} // a total of 0 is not the same as none
		j = t.update(j, time.Hour)
		t.equal("the ready job as Get returns it", t.get(n.Scope, n.ID), j)
		if j.Progress.Total == nil || *j.Progress.Total != 0 || j.RecordCount != 1<<62 {
			t.Fatalf("the ready job is %+v", j)
		}
		t.delete(j)
	}
	t.same(dataexport.NewJob{ID: newID(), Scope: dataexport.Scope{WorkspaceID: "w"}, Dataset: "d", Format: "f"})
}

func roundTripStrangeText(t *tester) {
	for _, text := range []string{
		`it's "quoted"`, `back\slash \n \u0041 \x41`, `'; DROP TABLE jobs; --`, "%_*?$1:x@y", "NULL", "{}", "{a,b}", " blanks ",
		"tab\tline\r\nend\n", "\x01\x1f\x7f", "\u2028\u2029\ufeff\ufffd", "\U0001f600 \u05d0\u0301", "<>&", strings.Repeat("\u00e9", 512),
	} {
		n := strange(text)
		t.delete(t.strangeJob(text, t.same(n)))
	}
	// What a store cannot keep it may refuse, but not alter.
	for _, text := range []string{"a\x00b", "\x00"} {
		n := strange(text)
		j, _, err := t.store.Create(t.Context(), n)
		if errors.Is(err, dataexport.ErrInvalid) {
			t.Logf("the store refuses the text %q: %v", text, err)
			continue
		}
		t.must(err)
		t.delete(j)
		n.ID = newID()
		t.delete(t.strangeJob(text, t.same(n)))
	}
}

// strange returns a request with a text in every place that holds text.
func strange(text string) dataexport.NewJob {
	return dataexport.NewJob{
		ID: newID(), Scope: dataexport.Scope{WorkspaceID: text, Subject: text}, Personal: true,
		Dataset: text, Format: text, IdempotencyKey: text, Fingerprint: text,
		Filter: dataexport.Filter{UserID: text, AgentID: text, SessionID: text, Categories: []string{text, text + "2"}},
	}
}

// strangeJob takes a job to its end with a text in every place that holds text.
func (t *tester) strangeJob(text string, j dataexport.Job) dataexport.Job {
	t.Helper()
	again := strange(text)
	t.replay(again, j)
	t.list(j.Scope, dataexport.ListQuery{Format: text, Limit: 1}, 1)
	t.list(j.Scope, dataexport.ListQuery{Format: text + "2", Limit: 1}, 0)
	j = t.claim("")
	want := j
	want.SHA256, want.BlobKey, want.Error = text, text, &dataexport.JobError{Code: text, Message: text}
	j = t.update(want, time.Hour)
	copyFields(&want, j, fieldsOfStore)
	t.equal("the updated job", j, want)
	t.equal("the job that Get returns", t.get(j.Scope, j.ID), j)
	return j
}

func roundTripTimes(t *tester) {
	var jobs []dataexport.Job
	for _, s := range states() {
		jobs = append(jobs, s.make(t, request(alice)))
	}
	for _, j := range append(jobs, t.list(alice, dataexport.ListQuery{Limit: 100}, len(jobs))...) {
		for name, at := range map[string]time.Time{
			"CreatedAt": j.CreatedAt, "UpdatedAt": j.UpdatedAt, "StartedAt": j.StartedAt,
			"CompletedAt": j.CompletedAt, "ExpiresAt": j.ExpiresAt, "HeldUntil": j.HeldUntil,
		} {
			if at.Location() != time.UTC {
				t.Errorf("%s of a job that is %s is not in UTC: %s", name, j.Status, at)
			}
		}
		for what, wrong := range map[string]bool{
			"has no CreatedAt": j.CreatedAt.IsZero(),
			"has no UpdatedAt": j.UpdatedAt.IsZero(),
			"has a StartedAt before it is claimed, or none after":          j.StartedAt.IsZero() != (j.Status == dataexport.StatusPending),
			"has a CompletedAt before it is ended, or none after":          j.CompletedAt.IsZero() != j.Status.Active(),
			"has an ExpiresAt without having been READY, or none although": j.ExpiresAt.IsZero() != (j.Status.Active() || j.Status == dataexport.StatusFailed),
			"was updated before it was created":                            j.UpdatedAt.Before(j.CreatedAt),
		} {
			if wrong {
				t.Errorf("a job that is %s %s: %+v", j.Status, what, j)
			}
		}
	}
	// A clock that is cut to milliseconds would show none of these.
	for range 20 {
		if t.create(request(alice)).CreatedAt.Nanosecond()%int(time.Millisecond) != 0 {
			return
		}
		t.tick()
	}
	t.Error("the clock of the store is not precise to the microsecond")
}

// What a store returns, and what it is given, is not shared with what it keeps.
func roundTripAliasing(t *tester) {
	n := fullRequest()
	j := t.create(n)
	for _, list := range [][]string{n.Filter.Categories, j.Filter.Categories} {
		for i := range list {
			list[i] = "changed"
		}
	}
	if got, want := t.find(j.ID).Filter.Categories, fullFilter().Categories; !slices.Equal(got, want) {
		t.Fatalf("a change of what was given to Create, or of what it returned, has changed the stored job: %q", got)
	}

	total := int64(5)
	given := t.claim(j.ID)
	given.Progress.Total, given.Error = &total, &dataexport.JobError{Code: "CODE"}
	returned := t.update(given, time.Hour)
	listed := t.list(n.Scope, dataexport.ListQuery{Limit: 1}, 1)[0]
	for what, j := range map[string]dataexport.Job{"given to Update": given, "returned by Update": returned, "listed": listed} {
		if j.Progress.Total == nil || j.Error == nil {
			t.Fatalf("the job that was %s has lost its total or its error: %+v", what, j)
		}
		*j.Progress.Total, j.Error.Code = 6, "changed"
		got := t.find(j.ID)
		if got.Progress.Total == nil || *got.Progress.Total != 5 || got.Error == nil || got.Error.Code != "CODE" {
			t.Fatalf("a change of the job that was %s has changed the stored job", what)
		}
	}
}

// contextDone checks that a call with a context that is done either does its work or changes nothing.
func contextDone(t *tester) {
	j := t.claim(t.create(request(alice)).ID)
	done, cancel := context.WithCancel(t.Context())
	cancel()
	unchanged := func(err error) bool { return err != nil && !errors.Is(err, dataexport.ErrUnavailable) }

	n := request(alice)
	if _, _, err := t.store.Create(done, n); unchanged(err) {
		_, err = t.store.Find(t.Context(), n.ID)
		t.notFound("Find after a Create that returned an error", err)
	}
	change := j
	change.RecordCount = 5
	if _, err := t.store.Update(done, change, time.Hour); unchanged(err) {
		t.equal("the job after an Update that returned an error", t.find(j.ID), j)
	}
	if _, err := t.store.Delete(done, alice, j.ID); unchanged(err) {
		t.find(j.ID)
	}
	waiting := t.create(request(alice))
	if _, err := t.store.Claim(done, dataexport.ClaimOptions{ID: waiting.ID, Lease: time.Hour}); unchanged(err) {
		t.equal("the job after a Claim that returned an error", t.find(waiting.ID), waiting)
	}
	t.create(request(alice)) // and the store still works
}
