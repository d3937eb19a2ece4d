package storetest

import (
	"errors"
	"reflect"
	"sync/atomic"
	"time"

	"github.com/dataexport/dataexport"
)

// The fields of a Job by who writes them in an Update.
var (
	fieldsOfCaller = []string{"Status", "Attempts", "Progress", "RecordCount", "FileSize", "SHA256", "BlobKey", "Error"}
	fieldsOfStore  = []string{"Version", "UpdatedAt", "HeldUntil"}
	fieldsThatStay = []string{
		"ID", "Scope", "Dataset", "Format", "Personal", "Filter", "CreatedAt", "StartedAt", "CompletedAt", "ExpiresAt",
		"IdempotencyKey", "Fingerprint",
	}
)

func updateFields(t *tester) {
	known := len(fieldsOfCaller) + len(fieldsOfStore) + len(fieldsThatStay)
	if n := reflect.TypeFor[dataexport.Job]().NumField(); n != known {
		t.Fatalf("a Job has %d fields, of which this test knows %d", n, known)
	}
	before := t.claim(t.create(fullRequest()).ID)
	change := before
	scribble(t, &change)
	t.tick()
	updated := t.update(change, 2*time.Hour)
	t.equal("the updated job as Find returns it", t.find(before.ID), updated)

	want := before
	copyFields(&want, change, fieldsOfCaller)
	copyFields(&want, updated, fieldsOfStore)
	t.equal("the updated job", updated, want)
	if updated.Version != before.Version+1 {
		t.Errorf("Update made version %d of version %d", updated.Version, before.Version)
	}
	if !updated.UpdatedAt.After(before.UpdatedAt) {
		t.Errorf("updated at %s, and before at %s", updated.UpdatedAt, before.UpdatedAt)
	}
	t.near("HeldUntil", updated.HeldUntil, updated.UpdatedAt, 2*time.Hour)

	// What was set can be taken away again.
	cleared := updated
	cleared.Attempts, cleared.Progress, cleared.Error = 0, dataexport.Progress{}, nil
	cleared.RecordCount, cleared.FileSize, cleared.SHA256, cleared.BlobKey = 0, 0, "", ""
	again := t.update(cleared, 2*time.Hour)
	copyFields(&cleared, again, fieldsOfStore)
	t.equal("the cleared job", again, cleared)
}

// scribble changes every field but the id and the version, by which Update finds the job, and the status.
func scribble(t *tester, j *dataexport.Job) {
	total := int64(1) << 40
	later := j.CreatedAt.Add(24 * time.Hour)
	*j = dataexport.Job{
		ID: j.ID, Version: j.Version, Status: j.Status,
		Scope:   dataexport.Scope{WorkspaceID: "another", Subject: "another"},
		Dataset: "another", Format: "another", Personal: !j.Personal, Filter: dataexport.Filter{UserID: "another"},
		CreatedAt: later, UpdatedAt: later, StartedAt: later, CompletedAt: later, ExpiresAt: later, HeldUntil: later,
		Attempts: 41, Progress: dataexport.Progress{Records: total - 1, Total: &total},
		Error:       &dataexport.JobError{Code: "CODE", Message: "A message."},
		RecordCount: 1 << 41, FileSize: 1 << 42, SHA256: "abc", BlobKey: "a/b",
		IdempotencyKey: "another", Fingerprint: "another",
	}
	v := reflect.ValueOf(*j)
	for i := range v.NumField() {
		if v.Field(i).IsZero() && v.Type().Field(i).Name != "Personal" {
			t.Fatalf("this test leaves %s unset", v.Type().Field(i).Name)
		}
	}
}

func copyFields(to *dataexport.Job, from dataexport.Job, names []string) {
	for _, name := range names {
		reflect.ValueOf(to).Elem().FieldByName(name).Set(reflect.ValueOf(from).FieldByName(name))
	}
}

func updateConflict(t *tester) {
	j := t.claim(t.create(request(alice)).ID)
	j = t.update(j, time.Hour)
	for _, version := range []int64{0, 1, j.Version - 1, j.Version + 1, -1} {
		stale := j
		stale.Version, stale.BlobKey, stale.Status = version, "stale", dataexport.StatusReady
		_, err := t.store.Update(t.Context(), stale, time.Hour)
		if !errors.Is(err, dataexport.ErrConflict) {
			t.Fatalf("Update with version %d of a job with version %d: %v, want ErrConflict", version, j.Version, err)
		}
		t.equal("the job after the conflict", t.find(j.ID), j)
	}
}

func updateGone(t *tester) {
	j := t.claim(t.create(request(alice)).ID)
	t.delete(j)
	_, err := t.store.Update(t.Context(), j, time.Hour)
	t.notFound("Update of a deleted job", err)
	j.ID = newID()
	_, err = t.store.Update(t.Context(), j, time.Hour)
	t.notFound("Update of a job that never was", err)
	if n := t.count(alice); n != 0 {
		t.Fatalf("there are %d jobs again", n)
	}
}

func updateRace(t *tester) {
	j := t.claim(t.create(request(alice)).ID)
	for range 10 {
		var won atomic.Int64
		var winner atomic.Pointer[dataexport.Job]
		together(6, func(i int) {
			mine := j
			mine.RecordCount = int64(i + 1)
			updated, err := t.store.Update(t.Context(), mine, time.Hour)
			switch {
			case err == nil:
				won.Add(1)
				winner.Store(&updated)
			case !errors.Is(err, dataexport.ErrConflict):
				t.Errorf("Update: %v", err)
			}
		})
		if won.Load() != 1 {
			t.Fatalf("%d of 6 updates of one version have won", won.Load())
		}
		j = *winner.Load()
		t.equal("the job after the race", t.find(j.ID), j)
	}
}

func updateRenews(t *tester) {
	j, err := func() (dataexport.Job, error) {
		t.create(request(alice))
		return t.store.Claim(t.Context(), dataexport.ClaimOptions{Lease: 10 * time.Minute})
	}()
	t.must(err)
	renewed := t.update(j, 24*time.Hour)
	t.near("HeldUntil", renewed.HeldUntil, renewed.UpdatedAt, 24*time.Hour)
	if !renewed.StartedAt.Equal(j.StartedAt) || renewed.Attempts != j.Attempts {
		t.Fatalf("a renewed lease has begun an attempt: %+v", renewed)
	}
	t.noJob("")
}

func updateRenewsLapsed(t *tester) {
	j := t.claim(t.create(request(alice)).ID)
	j = t.update(j, time.Nanosecond)
	t.tick()
	t.update(j, time.Hour)
	t.noJob("")
}

func updateHandsBack(t *tester) {
	j := t.claim(t.create(request(alice)).ID)
	j.Status = dataexport.StatusPending
	j.Attempts--
	back := t.update(j, 0)
	if back.Status != dataexport.StatusPending || back.Attempts != 0 || !back.CompletedAt.IsZero() || !back.ExpiresAt.IsZero() {
		t.Fatalf("the job that was handed back is %+v", back)
	}
	again := t.claim("")
	if again.ID != j.ID || again.Attempts != 1 || again.Version != back.Version+1 {
		t.Fatalf("claimed job %s with %d attempts and version %d", again.ID, again.Attempts, again.Version)
	}
}

func updateCompletes(t *tester) {
	j := t.claim(t.create(request(alice)).ID)
	t.tick()
	j.Status = dataexport.StatusReady
	j.RecordCount, j.FileSize, j.SHA256, j.BlobKey = 3, 99, "abc", "key"
	ready := t.update(j, 72*time.Hour)
	if ready.Status != dataexport.StatusReady || !ready.CompletedAt.After(j.StartedAt) {
		t.Fatalf("the job that was completed is %+v", ready)
	}
	t.near("ExpiresAt", ready.ExpiresAt, ready.CompletedAt, 72*time.Hour)
	t.near("CompletedAt", ready.CompletedAt, ready.UpdatedAt, 0)

	t.tick()
	again := t.update(ready, time.Minute)
	if !again.CompletedAt.Equal(ready.CompletedAt) || !again.ExpiresAt.Equal(ready.ExpiresAt) {
		t.Fatalf("an update of a READY job has moved its completion to %s and its end to %s", again.CompletedAt, again.ExpiresAt)
	}
}

func updateFails(t *tester) {
	j := t.claim(t.create(request(alice)).ID)
	t.tick()
	j.Status = dataexport.StatusFailed
	j.Error = &dataexport.JobError{Code: "SOURCE_GONE", Message: "The data is gone."}
	failed := t.update(j, time.Hour)
	if failed.Status != dataexport.StatusFailed || failed.Error == nil || *failed.Error != *j.Error {
		t.Fatalf("the job that failed is %+v with error %+v", failed, failed.Error)
	}
	if !failed.CompletedAt.After(j.StartedAt) || !failed.ExpiresAt.IsZero() {
		t.Fatalf("the job that failed has completed at %s and expires at %s", failed.CompletedAt, failed.ExpiresAt)
	}
}

func updateSweep(t *tester) {
	expired := t.expired(request(alice))
	t.tick()
	change := expired
	change.BlobKey = ""
	swept := t.update(change, 0)
	want := change
	want.Version, want.UpdatedAt, want.HeldUntil = expired.Version+1, swept.UpdatedAt, swept.HeldUntil
	t.equal("the swept job", swept, want)
	t.equal("the swept job as Find returns it", t.find(swept.ID), swept)
}
