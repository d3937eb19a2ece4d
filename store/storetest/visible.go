package storetest

import (
	"fmt"
	"slices"
	"time"

	"github.com/dataexport/dataexport"
)

// visible checks that a scope sees a job in all ways or in none.
func (t *tester) visible(s dataexport.Scope, j dataexport.Job, want bool) {
	t.Helper()
	got, err := t.store.Get(t.Context(), s, j.ID)
	if want {
		t.must(err)
		t.equal("the job that Get returns", got, j)
	} else {
		t.notFound("Get of a job that the scope must not see", err)
	}
	page, total, err := t.store.List(t.Context(), s, dataexport.ListQuery{Limit: 100})
	t.must(err)
	if listed := slices.Contains(ids(page), j.ID); listed != want || total != len(page) {
		t.Fatalf("List for %+v: the job is listed: %t, want %t; total is %d for %d jobs", s, listed, want, total, len(page))
	}
}

func visibleInWorkspace(t *tester) {
	j := t.create(request(alice))
	t.visible(alice, j, true)
	t.visible(dataexport.Scope{WorkspaceID: "w1", Subject: "bob"}, j, true)
	t.visible(dataexport.Scope{WorkspaceID: "w1"}, j, true)
	t.visible(dataexport.Scope{WorkspaceID: "w2", Subject: "alice"}, j, false)
	t.visible(dataexport.Scope{Subject: "alice"}, j, false)
	t.visible(dataexport.Scope{}, j, false)
}

func visiblePersonal(t *tester) {
	n := request(alice)
	n.Personal = true
	j := t.create(n)
	t.visible(alice, j, true)
	t.visible(dataexport.Scope{WorkspaceID: "w1", Subject: "bob"}, j, false)
	t.visible(dataexport.Scope{WorkspaceID: "w1", Subject: "Alice"}, j, false)
	t.visible(dataexport.Scope{WorkspaceID: "w1"}, j, false)
	t.visible(dataexport.Scope{WorkspaceID: "w2", Subject: "alice"}, j, false)
	t.equal("the job that Find returns", t.find(j.ID), j)
	t.claim("") // a worker sees every job
}

func visibleUnknownIDs(t *tester) {
	j := t.create(request(alice))
	for _, id := range []string{
		newID(), "00000000-0000-0000-0000-000000000000", "", " ", "1", "nonsense", j.ID + "0", j.ID[1:], j.ID + " ",
		"%", "' OR '1'='1", "../" + j.ID, "\x00", "\xff",
	} {
		_, err := t.store.Get(t.Context(), alice, id)
		t.notFound(fmt.Sprintf("Get of id %q", id), err)
		_, err = t.store.Find(t.Context(), id)
		t.notFound(fmt.Sprintf("Find of id %q", id), err)
		_, err = t.store.Delete(t.Context(), alice, id)
		t.notFound(fmt.Sprintf("Delete of id %q", id), err)
		_, err = t.store.Update(t.Context(), dataexport.Job{ID: id, Version: 1, Status: dataexport.StatusProcessing}, time.Hour)
		t.notFound(fmt.Sprintf("Update of id %q", id), err)
		if id != "" {
			t.noJob(id)
		}
	}
	t.equal("the job that is there", t.find(j.ID), j)
}

// Names that some database or other takes for the same, by case, by blanks at the end or by Unicode normalization, are
// different tenants.
func visibleSimilarNames(t *tester) {
	names := []string{"acme", "Acme", "acme ", " acme", "acm\u00e9", "acme\u0301", "ACM\u00c9", "acm%", "acm_", "stra\u00dfe", "strasse"}
	jobs := make([]dataexport.Job, len(names))
	for i, name := range names {
		n := request(in(name))
		n.MaxActive = 1
		n.IdempotencyKey = "key"
		jobs[i] = t.create(n)
	}
	for i, name := range names {
		for k, j := range jobs {
			t.visible(in(name), j, i == k)
		}
	}
	// Each is served once: none has taken the turn of another.
	for range names {
		j := t.claim("")
		if i := slices.Index(names, j.Scope.WorkspaceID); i < 0 || j.ID != jobs[i].ID {
			t.Fatalf("claimed a job of workspace %q, which is not as it was created", j.Scope.WorkspaceID)
		}
	}
}
